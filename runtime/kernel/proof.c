/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/proof.h"

#include <string.h>

#include "base/alloc.h"
#include "base/spin-lock.h"
#include "device/launches.h"
#include "kernel/launcher.h"
#include "kernel/speed.h"
#include "kernel/state.h"
#include "kernel/trial.h"

/* More than the loop limit some devices have. */
#define PROBE_ITERATIONS 70000u
#define CALIBRATION_POLLS 4000u
#define CENSUS_POLLS 2000u
#define PROBE_TIMEOUT_US (60 * G_TIME_SPAN_SECOND)

/* Batches of the proof: one that a single workgroup runs and one of many tickets,
 * several in flight over the same bytes, which change from round to round. One stale
 * result in hundreds has been seen, so there are hundreds. */
#define SMALL_BYTES 4096
#define SMALL_ROUNDS 100
#define LARGE_ROUNDS 5

/* Runs one launch before there is a launcher; @elapsed is the ns it took, without those for
 * which the process was stopped. */
static gboolean
proof_run_alone (VyreMegakernel *kernel, guint32 flags, guint32 budget, guint groups,
    gint64 *elapsed, GError **error)
{
  guint32 constants[VYRE_LAUNCH_WORDS] = {
    [VYRE_LAUNCH_SEQUENCE] = ++kernel->launch_sequence,
    [VYRE_LAUNCH_FLAGS] = flags,
    [VYRE_LAUNCH_BUDGET] = budget,
  };
  VyreClock clock = { 0 };
  gint64 start = vyre_clock_now (&clock);

  if (!vyre_pipeline_launch (&kernel->pipeline, constants, &kernel->pipeline.store, groups, error))
    return FALSE;
  VkResult result = vyre_wait_for_fence (kernel->device,
      vyre_pipeline_oldest (&kernel->pipeline)->fence, &clock, start + PROBE_TIMEOUT_US);
  if (!vyre_vk_check (result, "vkWaitForFences", kernel->device, error))
    return FALSE;
  if (result == VK_TIMEOUT) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
        "%s did not finish a test kernel in 60 s. Fix: choose another device.",
        vyre_device_get_name (kernel->device));
    return FALSE;
  }
  vyre_pipeline_retire_oldest (&kernel->pipeline);
  *elapsed = (vyre_clock_now (&clock) - start) * 1000;
  return TRUE;
}

/* What is measured before a batch runs. */
typedef struct {
  guint32 iterations;
  gint64 poll_ns;
} Measured;

static gboolean
proof_measure_loops (VyreMegakernel *kernel, Measured *measured, GError **error)
{
  const guint32 *answer = (const guint32 *)kernel->answer.data;
  guint32 hash = 0;
  gint64 elapsed;

  if (!proof_run_alone (kernel, VYRE_FLAG_PROBE, PROBE_ITERATIONS, 1, &elapsed, error))
    return FALSE;
  measured->iterations = answer[VYRE_ANSWER_PROBE];
  for (guint32 i = 0; i < MIN (measured->iterations, PROBE_ITERATIONS); i++)
    hash = VYRE_PROBE_STEP (hash);
  if (hash == answer[VYRE_ANSWER_PROBE_HASH])
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
      "%s computes wrong results. Fix: choose another device, or update its driver.",
      vyre_device_get_name (kernel->device));
  return FALSE;
}

/* Finds how many cores are to spare for threads that wait awake: one at least, and on a CPU those
 * that no workgroup polls on. */
static guint
proof_count_spare_cores (const VyreMegakernel *kernel)
{
  guint taken = vyre_device_is_cpu (kernel->device) ? kernel->n_groups : 1;

  return MAX (g_get_num_processors (), taken + 1) - taken;
}

/* Finds how many workgroups run at the same time. On a CPU that is one for each core: a count
 * depends on what else the machine does. */
static gboolean
proof_measure_workgroups (VyreMegakernel *kernel, GError **error)
{
  const guint32 *answer = (const guint32 *)kernel->answer.data;
  gint64 elapsed;

  if (vyre_device_is_cpu (kernel->device)) { /* its workgroups hold no tickets */
    kernel->n_groups = MIN (g_get_num_processors (), 16);
    kernel->most_copied = G_MAXUINT;
    return TRUE;
  }
  if (!proof_run_alone (kernel, VYRE_FLAG_CENSUS, CENSUS_POLLS, VYRE_MAX_GROUPS, &elapsed, error))
    return FALSE;
  kernel->n_groups = CLAMP (answer[VYRE_ANSWER_RESIDENT], 1, VYRE_MAX_GROUPS);
  kernel->most_copied = MAX (kernel->n_groups * 5 / 8, 1);
  return TRUE;
}

/* Measures how far a loop gets, how long an idle poll takes and how many workgroups there are. */
static gboolean
proof_measure (VyreMegakernel *kernel, Measured *measured, GError **error)
{
  gint64 elapsed;

  if (!proof_measure_loops (kernel, measured, error) || !proof_measure_workgroups (kernel, error)
      || !proof_run_alone (kernel, VYRE_FLAG_POLL, CALIBRATION_POLLS, 1, &elapsed, error))
    return FALSE;
  kernel->expected_exits++;
  kernel->most_awake = proof_count_spare_cores (kernel);
  measured->poll_ns = MAX (elapsed / CALIBRATION_POLLS, 1);
  return TRUE;
}

/* The polls after which a launch ends by itself if the host has died: more than a lease takes,
 * also if a poll takes less than when it was measured. */
static guint32
proof_budget_for (const VyreMegakernel *kernel, VyreResidency residency, gint64 poll_ns)
{
  guint64 polls = 4 * kernel->params.lease / (guint64)poll_ns;

  if (residency != VYRE_RESIDENCY_PERSISTENT)
    return VYRE_RELAY_BUDGET;
  if (kernel->params.lease == 0)
    return G_MAXUINT32;
  return (guint32)CLAMP (polls, 2 * VYRE_COST_MAX, G_MAXINT32);
}

static gboolean
proof_set_stale (GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "the kernel computed with stale data. Fix: use placement=auto and residency=auto.");
  return FALSE;
}

/* Whether payload, tag and the rest of the readback are those of this batch. */
static gboolean
proof_check_batch (const VyreTrial *trial, VyreBatch *batch, guint32 tag, guint8 value)
{
  const VyreBoundProgram *bound = vyre_plan_get_bound_program (trial->plan);
  const guint8 *control = vyre_batch_get_readback (batch);
  const guint8 *ring = control + vyre_plan_get_layout (trial->plan)->offset[VYRE_PART_RING];
  guint at = VYRE_CONTROL_OBSERVABLES + bound->results[0].observable;

  return vyre_read_word (control, at + VYRE_U8_STATS_COUNT) == trial->size
         && vyre_read_word_pair (control, at + VYRE_U8_STATS_SUM) == trial->size * (guint64)value
         && vyre_read_word (control, VYRE_CONTROL_OBSERVABLES) == tag
         && vyre_read_word (control, VYRE_CONTROL_DONE_COUNT) == bound->n_used
         && vyre_read_word (control, VYRE_CONTROL_EPOCH) == 1
         && vyre_read_word (ring, VYRE_SLOT_STATUS) == VYRE_STATUS_DONE
         && vyre_batch_get_completion (batch)->payload_bytes == trial->size;
}

/* Publishes a few batches over bytes that have just changed: they come out right only if the
 * kernel sees the new bytes. */
static gboolean
proof_round (VyreMegakernel *kernel, const VyreTrial *trial, guint round, GError **error)
{
  VyreBatch *batches[VYRE_TRIAL_BURST] = { NULL };
  guint32 tag = 1 + round * VYRE_TRIAL_BURST;
  gboolean fine = TRUE;

  for (guint i = 0; i < VYRE_TRIAL_BURST && fine; i++) {
    guint8 *bytes = vyre_store_get_data (kernel->staging) + trial->payloads[i].offset;
    memset (bytes, (guint8)((tag + i) * 7), trial->size);
    batches[i]
        = vyre_megakernel_publish (kernel, trial->plan, tag + i, &trial->payloads[i], 0, error);
    fine = batches[i] != NULL;
  }
  for (guint i = 0; i < VYRE_TRIAL_BURST && batches[i]; i++) {
    fine = fine
           && vyre_batch_wait (batches[i], g_get_monotonic_time () + VYRE_TRIAL_TIMEOUT_US, error);
    if (fine && !proof_check_batch (trial, batches[i], tag + i, (guint8)((tag + i) * 7)))
      fine = proof_set_stale (error);
    vyre_batch_free (batches[i]);
  }
  return fine;
}

/* Proves batches of one size by one transport. */
static gboolean
proof_size (VyreMegakernel *kernel, gsize size, guint rounds, GError **error)
{
  VyreTrial trial;
  gboolean fine = vyre_trial_init (&trial, kernel, VYRE_TRIAL_PROGRAM, size, 0, error);

  for (guint round = 0; round < rounds && fine; round++)
    fine = proof_round (kernel, &trial, round, error);
  vyre_trial_clear (&trial, kernel);
  return fine;
}

static gboolean
proof_transport (VyreMegakernel *kernel, gsize copy_threshold, GError **error)
{
  vyre_mutex_lock (&kernel->lock);
  vyre_megakernel_set_copy_threshold (kernel, copy_threshold);
  g_mutex_unlock (&kernel->lock);
  return proof_size (kernel, SMALL_BYTES, SMALL_ROUNDS, error)
         && proof_size (kernel, vyre_trial_large_size (kernel), LARGE_ROUNDS, error);
}

/* Proves batches by every transport of the placement, and that a kernel that should stay does. */
static gboolean
proof_run (VyreMegakernel *kernel, GError **error)
{
  VyreMegakernelCounters before, after;

  vyre_megakernel_get_counters (kernel, &before);
  vyre_megakernel_set_active (kernel, TRUE);
  gboolean fine = kernel->traits->payloads == VYRE_PAYLOADS_COPIED
                  || proof_transport (kernel, G_MAXSIZE, error);
  if (fine && kernel->copy_engine.device)
    fine = proof_transport (kernel, 1, error);
  vyre_megakernel_set_active (kernel, FALSE);
  if (!fine)
    return FALSE;
  vyre_megakernel_get_counters (kernel, &after);
  if (kernel->residency == VYRE_RESIDENCY_DISPATCH
      || after.launches - before.launches <= (after.batches - before.batches) / 2)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "the kernel did not stay on the device. Fix: use residency=auto.");
  return FALSE;
}

static void
proof_set_residency (VyreMegakernel *kernel, VyreResidency residency, gint64 poll_ns)
{
  vyre_mutex_lock (&kernel->lock);
  kernel->residency = residency;
  kernel->budget = proof_budget_for (kernel, residency, poll_ns);
  g_mutex_unlock (&kernel->lock);
}

/* Tries one residency, and appends the result to @verdict. */
static gboolean
proof_try (VyreMegakernel *kernel, VyreResidency residency, gint64 poll_ns, GString *verdict,
    GError **error)
{
  GError *reason = NULL;

  proof_set_residency (kernel, residency, poll_ns);
  gboolean fine = proof_run (kernel, &reason) && vyre_speed_measure (kernel, &reason);
  g_string_append_printf (verdict, "; %s, %s: %s", vyre_placement_name (kernel->placement),
      vyre_residency_name (residency), fine ? "proven" : reason->message);
  if (fine && kernel->traits->payloads == VYRE_PAYLOADS_BY_SIZE)
    g_string_append_printf (verdict,
        ", by copy engine from %" G_GSIZE_FORMAT " bytes on, behind others from %" G_GSIZE_FORMAT,
        kernel->copy_threshold, kernel->train_threshold);
  if (!fine) {
    if (g_error_matches (reason, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST))
      g_propagate_error (error, g_error_copy (reason)); /* no other residency would help */
    vyre_mutex_lock (&kernel->lock);
    vyre_megakernel_fail (kernel, reason);
    g_mutex_unlock (&kernel->lock);
  }
  return fine;
}

/* Whether a residency is worth a try. Loops that end early rule out persistent; where they do
 * not, what stops persistent stops relay, too. */
static gboolean
proof_is_candidate (VyreResidency residency, VyreResidency wanted, gboolean limited)
{
  if (wanted != VYRE_RESIDENCY_AUTO && wanted != residency)
    return FALSE;
  if (residency == VYRE_RESIDENCY_PERSISTENT)
    return !limited;
  return residency != VYRE_RESIDENCY_RELAY || limited || wanted == residency;
}

/* Starts the launcher and proves the first candidate from @next on. A kernel whose proof fails
 * is in an unknown state and marked as failed: the caller goes on with a new one and what @next
 * says then. With @error set, no residency would help. */
gboolean
vyre_prove (VyreMegakernel *kernel, VyreResidency *next, GString *verdict, GError **error)
{
  Measured measured;

  if (vyre_store_get_size (kernel->staging) < VYRE_TRIAL_BURST * SMALL_BYTES) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "The staging memory is too small to try the device. Fix: use at least 65536 bytes.");
    return FALSE;
  }
  if (!proof_measure (kernel, &measured, error))
    return FALSE;
  gboolean limited = kernel->limited = measured.iterations < PROBE_ITERATIONS;
  if (verdict->len == 0)
    g_string_append_printf (verdict,
        "loops run %s%u iterations, an idle poll takes %" G_GINT64_FORMAT " ns, %u workgroups",
        limited ? "at most " : "", measured.iterations, measured.poll_ns, kernel->n_groups);
  while (*next <= VYRE_RESIDENCY_DISPATCH
         && !proof_is_candidate (*next, kernel->params.residency, limited))
    (*next)++;
  if (*next > VYRE_RESIDENCY_DISPATCH)
    return FALSE;
  kernel->launcher = vyre_thread_new ("vyre-launcher", vyre_launcher_run, kernel, error);
  return kernel->launcher && proof_try (kernel, (*next)++, measured.poll_ns, verdict, error);
}

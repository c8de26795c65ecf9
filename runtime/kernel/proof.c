/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/proof.h"

#include <string.h>

#include "base/alloc.h"
#include "base/spin-lock.h"
#include "kernel/launcher.h"
#include "kernel/state.h"

/* More than the loop limit some devices have. */
#define PROBE_ITERATIONS 70000u
#define CALIBRATION_POLLS 4000u
#define CENSUS_POLLS 2000u
#define PROBE_TIMEOUT_US (60 * G_TIME_SPAN_SECOND)
/* Microseconds are what it takes; a busy machine may well forget us for a second. */
#define BATCH_TIMEOUT_US (3 * G_TIME_SPAN_SECOND)

/* Batches of the proof: one that a single workgroup runs and one of many tickets,
 * several in flight over the same bytes, which change from round to round. One stale
 * result in hundreds has been seen, so there are hundreds. */
#define SMALL_BYTES 4096
#define LARGE_BYTES (256 * 1024)
#define BURST 3
#define SMALL_ROUNDS 100
#define LARGE_ROUNDS 5

#define PROOF_PROGRAM "u8_stats payload -> stats"

/* To find what a batch may cost: tickets so short that a busy machine leaves some of them
 * alone. */
#define TIMED_TICKETS 8
#define DEFAULT_BATCH_TIME (100 * G_GUINT64_CONSTANT (1000000))
#define COPY_STEPS 700u
#define HISTOGRAM_BYTES 65536
#define CPU_LANE_ROUNDS 8
#define MOST_LANE_PART 16

/* To find the size from which on the copy engine is faster. */
#define TIMED_BATCHES 5
#define LEAST_THRESHOLD 16384
#define LARGEST_THRESHOLD (4 * 1024 * 1024)

/* Runs one launch by hand, before there is a launcher; ns it took in @elapsed, as far as somebody
 * was there to see them. */
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

/* What the device showed before it ran a batch. */
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

/* As many workgroups as run at the same time. On a CPU that is one for each core;
 * there the count at one moment depends on what else the machine does. */
static gboolean
proof_measure_workgroups (VyreMegakernel *kernel, GError **error)
{
  const guint32 *answer = (const guint32 *)kernel->answer.data;
  gint64 elapsed;

  if (vyre_device_is_cpu (kernel->device)) {
    kernel->n_groups = MIN (g_get_num_processors (), 16);
    return TRUE;
  }
  if (!proof_run_alone (kernel, VYRE_FLAG_CENSUS, CENSUS_POLLS, VYRE_MAX_GROUPS, &elapsed, error))
    return FALSE;
  kernel->n_groups = CLAMP (answer[VYRE_ANSWER_RESIDENT], 1, VYRE_MAX_GROUPS);
  return TRUE;
}

/* Finds out how far a loop gets, how long an idle poll takes and how many
 * workgroups there can be. */
static gboolean
proof_measure (VyreMegakernel *kernel, Measured *measured, GError **error)
{
  gint64 elapsed;

  if (!proof_measure_loops (kernel, measured, error) || !proof_measure_workgroups (kernel, error)
      || !proof_run_alone (kernel, VYRE_FLAG_POLL, CALIBRATION_POLLS, 1, &elapsed, error))
    return FALSE;
  kernel->expected_exits++;
  measured->poll_ns = MAX (elapsed / CALIBRATION_POLLS, 1);
  return TRUE;
}

/* A launch ends by itself some time after its lease, should the host die: not
 * before it, though a poll may take less than it took when measured. */
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

typedef struct {
  VyrePlan *plan;
  gsize size;
  VyrePayload payloads[BURST];
  guint n_payloads;
} Proof;

static gboolean
proof_set_stale (GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "the kernel computed with stale data. Fix: use placement=auto and residency=auto.");
  return FALSE;
}

/* Payload, tag and the rest of the readback are those of this very batch. */
static gboolean
proof_check_batch (const Proof *proof, VyreBatch *batch, guint32 tag, guint8 value)
{
  const VyreBoundProgram *bound = vyre_plan_get_bound_program (proof->plan);
  const guint8 *control = vyre_batch_get_readback (batch);
  const guint8 *ring = control + vyre_plan_get_layout (proof->plan)->offset[VYRE_PART_RING];
  guint at = VYRE_CONTROL_OBSERVABLES + bound->results[0].observable;

  return vyre_read_word (control, at + VYRE_U8_STATS_COUNT) == proof->size
         && vyre_read_word_pair (control, at + VYRE_U8_STATS_SUM) == proof->size * (guint64)value
         && vyre_read_word (control, VYRE_CONTROL_OBSERVABLES) == tag
         && vyre_read_word (control, VYRE_CONTROL_DONE_COUNT) == bound->n_used
         && vyre_read_word (control, VYRE_CONTROL_EPOCH) == 1
         && vyre_read_word (ring, VYRE_SLOT_STATUS) == VYRE_STATUS_DONE
         && vyre_batch_get_completion (batch)->payload_bytes == proof->size;
}

/* A few batches in flight over bytes that were just changed: right only if the
 * kernel sees the new ones. */
static gboolean
proof_prove_round (VyreMegakernel *kernel, const Proof *proof, guint round, GError **error)
{
  VyreBatch *batches[BURST] = { NULL };
  guint32 tag = 1 + round * BURST;
  gboolean fine = TRUE;

  for (guint i = 0; i < BURST && fine; i++) {
    guint8 *bytes = vyre_store_get_data (kernel->staging) + proof->payloads[i].offset;
    memset (bytes, (guint8)((tag + i) * 7), proof->size);
    batches[i]
        = vyre_megakernel_publish (kernel, proof->plan, tag + i, &proof->payloads[i], 0, error);
    fine = batches[i] != NULL;
  }
  for (guint i = 0; i < BURST && batches[i]; i++) {
    fine = fine && vyre_batch_wait (batches[i], g_get_monotonic_time () + BATCH_TIMEOUT_US, error);
    if (fine && !proof_check_batch (proof, batches[i], tag + i, (guint8)((tag + i) * 7)))
      fine = proof_set_stale (error);
    vyre_batch_free (batches[i]);
  }
  return fine;
}

static gboolean
proof_init (Proof *proof, VyreMegakernel *kernel, const char *text, gsize size, guint n_observables,
    GError **error)
{
  g_autoptr (VyreProgram) program = vyre_program_assemble (text, error);
  g_autoptr (VyreSymbols) bindings = vyre_symbols_new ();

  *proof = (Proof){ .size = size };
  if (!program)
    return FALSE;
  g_autoptr (VyreBoundProgram) bound
      = vyre_program_bind (program, bindings, size, 0, n_observables, error);
  if (!bound)
    return FALSE;
  proof->plan = vyre_plan_new (bound, size, kernel->pipeline.workgroup, NULL, error);
  for (; proof->plan && proof->size > 0 && proof->n_payloads < BURST; proof->n_payloads++) {
    if (!vyre_store_alloc (kernel->staging, size, 0, &proof->payloads[proof->n_payloads].offset)) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
          "The staging memory has no room for a proof of %u times %" G_GSIZE_FORMAT
          " bytes. Fix: use more.",
          BURST, size);
      return FALSE;
    }
  }
  return proof->plan != NULL;
}

static void
proof_clear (Proof *proof, VyreMegakernel *kernel)
{
  for (guint i = 0; i < proof->n_payloads; i++)
    vyre_store_free (kernel->staging, proof->payloads[i].offset);
  g_clear_pointer (&proof->plan, vyre_plan_unref);
}

/* The sizes of proof batches, as far as there is staging memory. */
static gsize
proof_large_size (const VyreMegakernel *kernel)
{
  return MIN (LARGE_BYTES, vyre_store_get_size (kernel->staging) / BURST) & ~(gsize)4095;
}

/* Batches of one size, by one transport. */
static gboolean
proof_prove_size (VyreMegakernel *kernel, gsize size, guint rounds, GError **error)
{
  Proof proof;
  gboolean fine = proof_init (&proof, kernel, PROOF_PROGRAM, size, 0, error);

  for (guint round = 0; round < rounds && fine; round++)
    fine = proof_prove_round (kernel, &proof, round, error);
  proof_clear (&proof, kernel);
  return fine;
}

static gboolean
proof_prove_transport (VyreMegakernel *kernel, gsize copy_threshold, GError **error)
{
  vyre_mutex_lock (&kernel->lock);
  kernel->copy_threshold = copy_threshold;
  g_mutex_unlock (&kernel->lock);
  return proof_prove_size (kernel, SMALL_BYTES, SMALL_ROUNDS, error)
         && proof_prove_size (kernel, proof_large_size (kernel), LARGE_ROUNDS, error);
}

/* Whether batches come out right by every transport of the placement, and a kernel
 * that should stay did so. */
static gboolean
proof_run_proof (VyreMegakernel *kernel, GError **error)
{
  VyreMegakernelCounters before, after;

  vyre_megakernel_get_counters (kernel, &before);
  vyre_megakernel_set_active (kernel, TRUE);
  gboolean fine = kernel->traits->payloads == VYRE_PAYLOADS_COPIED
                  || proof_prove_transport (kernel, G_MAXSIZE, error);
  if (fine && kernel->copy_engine.device)
    fine = proof_prove_transport (kernel, 1, error);
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

/* Nanoseconds that a batch takes at best, of @n. */
static gboolean
proof_time_proof (VyreMegakernel *kernel, const Proof *proof, guint n, double *best, GError **error)
{
  gboolean fine = TRUE;

  *best = G_MAXDOUBLE;
  for (guint i = 0; i < n && fine; i++) {
    VyreBatch *batch
        = vyre_megakernel_publish (kernel, proof->plan, i, &proof->payloads[0], 0, error);
    fine = batch && vyre_batch_wait (batch, g_get_monotonic_time () + BATCH_TIMEOUT_US, error);
    if (fine)
      *best = MIN (*best, (double)vyre_batch_get_completion (batch)->latency);
    g_clear_pointer (&batch, vyre_batch_free);
  }
  return fine;
}

static gboolean
proof_time_batch (
    VyreMegakernel *kernel, gsize size, gsize copy_threshold, double *best, GError **error)
{
  Proof proof;

  kernel->copy_threshold = copy_threshold;
  gboolean fine = proof_init (&proof, kernel, PROOF_PROGRAM, size, 0, error)
                  && proof_time_proof (kernel, &proof, TIMED_BATCHES, best, error);
  proof_clear (&proof, kernel);
  return fine;
}

/* From how many bytes on the copy engine is faster: both are a delay and a rate, as
 * two sizes show. */
static gboolean
proof_measure_threshold (VyreMegakernel *kernel, GError **error)
{
  const gsize sizes[2] = { proof_large_size (kernel) / 4, proof_large_size (kernel) };
  double stored[2], copied[2];

  for (guint i = 0; i < 2; i++) {
    if (!proof_time_batch (kernel, sizes[i], G_MAXSIZE, &stored[i], error)
        || !proof_time_batch (kernel, sizes[i], 1, &copied[i], error))
      return FALSE;
  }
  double bytes = (double)(sizes[1] - sizes[0]);
  double gain = ((stored[1] - stored[0]) - (copied[1] - copied[0])) / bytes; /* ns per byte */
  double lag = (copied[0] - stored[0]) + gain * (double)sizes[0];            /* ns, at no bytes */
  double threshold = gain > 0 ? MAX (lag, 0) / gain : G_MAXDOUBLE;
  kernel->copy_threshold
      = (gsize)CLAMP (threshold, (double)LEAST_THRESHOLD, (double)LARGEST_THRESHOLD) & ~(gsize)4095;
  return TRUE;
}

static gboolean
proof_choose_threshold (VyreMegakernel *kernel, GError **error)
{
  if (kernel->traits->payloads != VYRE_PAYLOADS_BY_SIZE)
    return TRUE;
  kernel->copy_threshold = kernel->params.copy_threshold;
  return kernel->params.copy_threshold > 0 || proof_measure_threshold (kernel, error);
}

/* Nanoseconds that a unit of cost takes at most, raised by what @text takes for one. */
static gboolean
proof_time_work (VyreMegakernel *kernel, const char *text, gsize size, guint n_observables,
    double *unit, GError **error)
{
  Proof proof;
  double best;

  gboolean fine = proof_init (&proof, kernel, text, size, n_observables, error)
                  && proof_time_proof (kernel, &proof, TIMED_TICKETS, &best, error);
  if (fine)
    *unit = MAX (*unit, best / (double)proof.plan->cost);
  proof_clear (&proof, kernel);
  return fine;
}

/* A ticket of copies, a lane each, as long as they may be. */
static char *
proof_make_lanes (const VyreMegakernel *kernel)
{
  guint n = kernel->pipeline.workgroup;
  GString *text = g_string_new (NULL);

  n *= n <= VYRE_CPU_WORKGROUP ? CPU_LANE_ROUNDS : 1;
  for (guint slot = 0; slot < n; slot++)
    g_string_append_printf (text, "memcpy 160, 160, %u\n", VYRE_LANE_MEMCPY_WORDS);
  return g_string_free (text, FALSE);
}

/* How long a unit of cost takes: of lanes, and of the two other things that take the longest
 * for what they cost. */
static gboolean
proof_time_units (VyreMegakernel *kernel, double *lane, double *other, GError **error)
{
  /* of which a readback has to have room for all */
  guint words = MIN (kernel->pipeline.workgroup * COPY_STEPS,
      (guint)(vyre_store_get_size (kernel->readbacks) / 16));
  gsize size = MIN (HISTOGRAM_BYTES, proof_large_size (kernel));
  g_autofree char *lanes = proof_make_lanes (kernel);
  g_autofree char *copies
      = g_strdup_printf ("packed_slot { memcpy 160, 160, %u | memcpy 160, 160, %u }", words, words);

  *lane = *other = 0;
  return proof_time_work (kernel, lanes, 0, VYRE_LANE_MEMCPY_WORDS, lane, error)
         && proof_time_work (kernel, copies, 0, words, other, error)
         && proof_time_work (kernel, "u8_histogram payload -> bins", size, 0, other, error);
}

/* What may be in flight at a time. Workgroups of a CPU come and go: there one has to do. */
static gboolean
proof_measure_most (VyreMegakernel *kernel, GError **error)
{
  guint64 time = kernel->params.max_batch_time ? kernel->params.max_batch_time : DEFAULT_BATCH_TIME;
  double lane, other;

  if (!proof_time_units (kernel, &lane, &other, error))
    return FALSE;
  guint groups = vyre_device_is_cpu (kernel->device) ? 1 : kernel->n_groups;
  double most = (double)time / other * groups;
  vyre_mutex_lock (&kernel->lock);
  kernel->lane_part = (guint)CLAMP (other / lane, 1, MOST_LANE_PART);
  if (time < G_MAXUINT64)
    kernel->most = (guint64)CLAMP (most, 2 * VYRE_COST_MAX, (double)G_MAXINT64);
  g_mutex_unlock (&kernel->lock);
  return TRUE;
}

/* What is measured with batches, once those are known to come out right. */
static gboolean
proof_measure_batches (VyreMegakernel *kernel, GError **error)
{
  vyre_megakernel_set_active (kernel, TRUE);
  gboolean fine = proof_choose_threshold (kernel, error) && proof_measure_most (kernel, error);
  vyre_megakernel_set_active (kernel, FALSE);
  return fine;
}

static void
proof_set_residency (VyreMegakernel *kernel, VyreResidency residency, gint64 poll_ns)
{
  vyre_mutex_lock (&kernel->lock);
  kernel->residency = residency;
  kernel->budget = proof_budget_for (kernel, residency, poll_ns);
  g_mutex_unlock (&kernel->lock);
}

/* Tries one residency. What comes of it is appended to @verdict. */
static gboolean
proof_prove (VyreMegakernel *kernel, VyreResidency residency, gint64 poll_ns, GString *verdict,
    GError **error)
{
  GError *reason = NULL;

  proof_set_residency (kernel, residency, poll_ns);
  gboolean fine = proof_run_proof (kernel, &reason) && proof_measure_batches (kernel, &reason);
  g_string_append_printf (verdict, "; %s, %s: %s", vyre_placement_name (kernel->placement),
      vyre_residency_name (residency), fine ? "proven" : reason->message);
  if (fine && kernel->traits->payloads == VYRE_PAYLOADS_BY_SIZE)
    g_string_append_printf (
        verdict, ", by copy engine from %" G_GSIZE_FORMAT " bytes on", kernel->copy_threshold);
  if (!fine) {
    if (g_error_matches (reason, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST))
      g_propagate_error (error, g_error_copy (reason)); /* which says nothing about residencies */
    vyre_mutex_lock (&kernel->lock);
    vyre_megakernel_fail (kernel, reason);
    g_mutex_unlock (&kernel->lock);
  }
  return fine;
}

/* Whether a residency is worth a try: loops that end early rule out staying for
 * good, and what cannot stay for good although loops would let it has a problem
 * that a relay has too. */
static gboolean
proof_is_candidate (VyreResidency residency, VyreResidency wanted, gboolean limited)
{
  if (wanted != VYRE_RESIDENCY_AUTO && wanted != residency)
    return FALSE;
  if (residency == VYRE_RESIDENCY_PERSISTENT)
    return !limited;
  return residency != VYRE_RESIDENCY_RELAY || limited || wanted == residency;
}

/* Proves the first candidate from @next on, and starts the launcher. A kernel that
 * failed its proof is in an unknown state: it is marked as failed, and a fresh one
 * has to go on with what @next says then, unless that is more than the caller wants.
 * With @error set, the device is of no use at all. */
gboolean
vyre_prove (VyreMegakernel *kernel, VyreResidency *next, GString *verdict, GError **error)
{
  Measured measured;

  if (vyre_store_get_size (kernel->staging) < BURST * SMALL_BYTES) {
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
  return kernel->launcher && proof_prove (kernel, (*next)++, measured.poll_ns, verdict, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The proof at start: a real kernel, under deadlines, shows which residency
 * works on this device. Nothing is assumed from names or feature bits; a driver
 * that serves stale data or cuts loops short fails here.
 */
#include "vyre-megakernel-private.h"

#include <string.h>

/* More than the loop limit some devices have. */
#define PROBE_ITERATIONS 70000u
#define CALIBRATION_POLLS 4000u
#define PROBE_TIMEOUT_NS (20 * G_GUINT64_CONSTANT (1000000000))
#define BATCH_TIMEOUT_US (500 * G_GINT64_CONSTANT (1000))
#define PROOF_BYTES 4096
#define PROOF_BATCHES 16

/* Runs one launch by hand, before there is a keeper; ns it took in @elapsed. */
static gboolean
run_alone (VyreMegakernel *kernel, guint32 flags, guint32 budget, gint64 *elapsed, GError **error)
{
  guint32 constants[VYRE_LAUNCH_WORDS] = {
    [VYRE_LAUNCH_SEQUENCE] = ++kernel->launch_sequence,
    [VYRE_LAUNCH_FLAGS] = flags,
    [VYRE_LAUNCH_BUDGET] = budget,
  };
  gint64 start = vyre_now ();

  if (!vyre_pipeline_launch (&kernel->pipeline, constants, 1, error))
    return FALSE;
  VkResult result = vyre_pipeline_wait (
      &kernel->pipeline, vyre_pipeline_oldest (&kernel->pipeline), PROBE_TIMEOUT_NS);
  if (!vyre_vk_check (result, "vkWaitForFences", kernel->device, error))
    return FALSE;
  if (result == VK_TIMEOUT) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
        "%s did not finish a test kernel in 20 s. Fix: choose another device.",
        vyre_device_get_name (kernel->device));
    return FALSE;
  }
  vyre_pipeline_retire_oldest (&kernel->pipeline);
  *elapsed = vyre_now () - start;
  return TRUE;
}

/* Finds out how far a loop gets, and how long an idle poll takes. */
static gboolean
measure (VyreMegakernel *kernel, guint32 *iterations, gint64 *poll_ns, GError **error)
{
  const guint32 *answer = (const guint32 *)kernel->answer.data;
  gint64 elapsed;

  if (!run_alone (kernel, VYRE_FLAG_PROBE, PROBE_ITERATIONS, &elapsed, error))
    return FALSE;
  *iterations = answer[VYRE_ANSWER_PROBE];
  if (!run_alone (kernel, VYRE_FLAG_POLL, CALIBRATION_POLLS, &elapsed, error))
    return FALSE;
  kernel->expected_exits++;
  *poll_ns = MAX (elapsed / CALIBRATION_POLLS, 1);
  return TRUE;
}

/* A launch ends by itself some time after its lease, should the host die. */
static guint32
budget_for (const VyreMegakernel *kernel, VyreResidency residency, gint64 poll_ns)
{
  guint64 polls = 2 * kernel->params.lease / (guint64)poll_ns;

  if (residency != VYRE_RESIDENCY_PERSISTENT)
    return VYRE_RELAY_BUDGET;
  return (guint32)CLAMP (polls, 2 * VYRE_COST_MAX, G_MAXINT32);
}

/* One batch over bytes that were just changed: right only if the kernel sees
 * the new ones. */
static gboolean
prove_once (VyreMegakernel *kernel, VyrePlan *plan, const VyrePayload *payload, guint8 value,
    GError **error)
{
  guint8 *bytes = vyre_store_get_data (kernel->staging) + payload->offset;

  memset (bytes, value, PROOF_BYTES);
  g_autoptr (VyreBatch) batch = vyre_megakernel_publish (kernel, plan, value, payload, 0, error);
  if (!batch || !vyre_batch_wait (batch, g_get_monotonic_time () + BATCH_TIMEOUT_US, error))
    return FALSE;
  const VyreResult *stats = &vyre_plan_get_image (plan)->results[0];
  const guint8 *control = vyre_batch_get_readback (batch);
  guint at = VYRE_CONTROL_OBSERVABLES + stats->observable;
  if (vyre_read_word (control, at + VYRE_U8_STATS_COUNT) == PROOF_BYTES
      && vyre_read_word_pair (control, at + VYRE_U8_STATS_SUM) == PROOF_BYTES * (guint64)value
      && vyre_read_word (control, VYRE_CONTROL_OBSERVABLES) == value)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "the kernel computed with stale data. Fix: use residency=auto.");
  return FALSE;
}

static VyrePlan *
proof_plan (VyreMegakernel *kernel, GError **error)
{
  g_autoptr (VyreProgram) program = vyre_program_assemble ("u8_stats payload -> stats", error);
  g_autoptr (VyreBindings) bindings = vyre_bindings_new ();

  if (!program)
    return NULL;
  g_autoptr (VyreImage) image = vyre_program_bind (program, bindings, PROOF_BYTES, 0, 0, error);
  return image ? vyre_plan_new (image, PROOF_BYTES, kernel->pipeline.workgroup, error) : NULL;
}

static void
set_residency (VyreMegakernel *kernel, VyreResidency residency, gint64 poll_ns)
{
  g_mutex_lock (&kernel->lock);
  kernel->residency = residency;
  kernel->budget = budget_for (kernel, residency, poll_ns);
  g_mutex_unlock (&kernel->lock);
}

/* Whether PROOF_BATCHES batches over the same bytes come out right, and a
 * kernel that should stay did so. */
static gboolean
run_proof (VyreMegakernel *kernel, VyrePlan *plan, GError **error)
{
  VyreMegakernelCounters before, after;
  VyrePayload payload = { 0 };
  gboolean fine = vyre_store_alloc (kernel->staging, PROOF_BYTES, 0, &payload.offset);

  g_assert (fine); /* nothing else is in the store yet */
  vyre_megakernel_get_counters (kernel, &before);
  vyre_megakernel_set_active (kernel, TRUE);
  for (guint i = 1; i <= PROOF_BATCHES && fine; i++)
    fine = prove_once (kernel, plan, &payload, (guint8)(i * 7), error);
  vyre_megakernel_set_active (kernel, FALSE);
  if (!fine)
    return FALSE;
  vyre_store_free (kernel->staging, payload.offset);
  vyre_megakernel_get_counters (kernel, &after);
  if (kernel->residency == VYRE_RESIDENCY_DISPATCH
      || after.launches - before.launches <= PROOF_BATCHES / 2)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "the kernel did not stay on the device. Fix: use residency=auto.");
  return FALSE;
}

static gboolean
prove (VyreMegakernel *kernel, VyreResidency residency, gint64 poll_ns, GString *verdict,
    GError **error)
{
  GError *reason = NULL;
  g_autoptr (VyrePlan) plan = proof_plan (kernel, error);

  if (!plan)
    return FALSE;
  set_residency (kernel, residency, poll_ns);
  gboolean fine = run_proof (kernel, plan, &reason);
  g_string_append_printf (
      verdict, "; %s: %s", vyre_residency_name (residency), fine ? "proven" : reason->message);
  if (!fine) {
    g_mutex_lock (&kernel->lock);
    vyre_megakernel_fail (kernel, g_error_copy (reason));
    g_mutex_unlock (&kernel->lock);
    g_propagate_error (error, reason);
  }
  return fine;
}

/* Whether a residency is worth a try: loops that end early rule out staying for
 * good, and what cannot stay for good although loops would let it has a problem
 * that a relay has too. */
static gboolean
is_candidate (VyreResidency residency, VyreResidency wanted, gboolean limited)
{
  if (wanted != VYRE_RESIDENCY_AUTO && wanted != residency)
    return FALSE;
  if (residency == VYRE_RESIDENCY_PERSISTENT)
    return !limited;
  return residency != VYRE_RESIDENCY_RELAY || limited || wanted == residency;
}

/* Proves the first candidate from @next on, and starts the keeper. A kernel
 * that failed its proof is in an unknown state: it is marked as failed, and a
 * fresh one has to go on with what @next says then. */
gboolean
vyre_handshake (VyreMegakernel *kernel, VyreResidency *next, GString *verdict, GError **error)
{
  guint32 iterations;
  gint64 poll_ns;

  if (!measure (kernel, &iterations, &poll_ns, error)) {
    *next = VYRE_RESIDENCY_DISPATCH + 1; /* no other residency will fare better */
    return FALSE;
  }
  gboolean limited = iterations < PROBE_ITERATIONS;
  if (verdict->len == 0)
    g_string_append_printf (verdict,
        "loops run %s%u iterations, an idle poll takes %" G_GINT64_FORMAT " ns",
        limited ? "at most " : "", iterations, poll_ns);
  kernel->keeper = g_thread_new ("vyre-keeper", vyre_keeper_run, kernel);
  while (
      *next <= VYRE_RESIDENCY_DISPATCH && !is_candidate (*next, kernel->params.residency, limited))
    (*next)++;
  if (*next <= VYRE_RESIDENCY_DISPATCH) {
    if (prove (kernel, (*next)++, poll_ns, verdict, error))
      return TRUE;
    if (g_error_matches (*error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST)) {
      *next = VYRE_RESIDENCY_DISPATCH + 1; /* which says nothing about residencies */
      return FALSE;
    }
    if (*next <= VYRE_RESIDENCY_DISPATCH)
      return FALSE;
  }
  g_clear_error (error);
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "%s: residency %s does not work here (%s). Fix: use residency=auto, or another device.",
      vyre_device_get_name (kernel->device), vyre_residency_name (kernel->params.residency),
      verdict->str);
  return FALSE;
}

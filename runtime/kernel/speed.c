/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/speed.h"

#include "base/spin-lock.h"
#include "kernel/launcher.h"
#include "kernel/state.h"
#include "kernel/trial.h"

/* To measure cost: tickets so short that a busy machine interrupts only some of them. */
#define TIMED_TICKETS 8
#define DEFAULT_BATCH_TIME (100 * G_GUINT64_CONSTANT (1000000))
#define COPY_STEPS 700u
#define HISTOGRAM_BYTES 65536
#define CPU_LANE_ROUNDS 8
#define MOST_LANE_PART 16

/* To measure from which size on the copy engine is faster. */
#define TIMED_BATCHES 5
#define TIMED_TRAINS 3
#define TRAIN_LENGTH 6
#define LEAST_THRESHOLD 16384
#define LARGEST_THRESHOLD (4 * 1024 * 1024)

/* Runs @n batches, one after the other; @best is the least ns that one took. */
static gboolean
speed_time_trial (
    VyreMegakernel *kernel, const VyreTrial *trial, guint n, double *best, GError **error)
{
  gboolean fine = TRUE;

  *best = G_MAXDOUBLE;
  for (guint i = 0; i < n && fine; i++) {
    VyreBatch *batch
        = vyre_megakernel_publish (kernel, trial->plan, i, &trial->payloads[0], 0, error);
    fine = batch && vyre_batch_wait (batch, g_get_monotonic_time () + VYRE_TRIAL_TIMEOUT_US, error);
    if (fine)
      *best = MIN (*best, (double)vyre_batch_get_completion (batch)->latency);
    g_clear_pointer (&batch, vyre_batch_free);
  }
  return fine;
}

/* Publishes a train of batches, one right behind the other; @best becomes the ns from one to the
 * next, if that is less. */
static gboolean
speed_time_train (VyreMegakernel *kernel, const VyreTrial *trial, double *best, GError **error)
{
  VyreBatch *batches[TRAIN_LENGTH] = { NULL };
  gint64 start = vyre_now (), end = g_get_monotonic_time () + VYRE_TRIAL_TIMEOUT_US;
  gboolean fine = TRUE;

  for (guint i = 0; i < TRAIN_LENGTH && fine; i++)
    fine = (batches[i] = vyre_megakernel_publish (
                kernel, trial->plan, i, &trial->payloads[i % VYRE_TRIAL_BURST], end, error))
           != NULL;
  for (guint i = 0; i < TRAIN_LENGTH; i++) {
    fine = fine && vyre_batch_wait (batches[i], end, error);
    g_clear_pointer (&batches[i], vyre_batch_free);
  }
  *best = MIN (*best, (double)(vyre_now () - start) / TRAIN_LENGTH);
  return fine;
}

/* How long payloads of a size take by one way, in ns: a batch alone, and from one to the next of a
 * train. */
typedef struct {
  double alone;
  double in_train;
} Times;

static gboolean
speed_time_way (
    VyreMegakernel *kernel, gsize size, gsize copy_threshold, Times *times, GError **error)
{
  VyreTrial trial;

  vyre_megakernel_set_copy_threshold (kernel, copy_threshold);
  times->in_train = G_MAXDOUBLE;
  gboolean fine = vyre_trial_init (&trial, kernel, VYRE_TRIAL_PROGRAM, size, 0, error)
                  && speed_time_trial (kernel, &trial, TIMED_BATCHES, &times->alone, error);
  for (guint i = 0; i < TIMED_TRAINS && fine; i++)
    fine = speed_time_train (kernel, &trial, &times->in_train, error);
  vyre_trial_clear (&trial, kernel);
  return fine;
}

/* Returns from how many bytes on a copy takes less time than a store. Each is a delay and a rate,
 * which the times for two sizes show. */
static gsize
speed_find_crossing (const gsize *sizes, const double *stored, const double *copied)
{
  double bytes = (double)(sizes[1] - sizes[0]);
  double gain = ((stored[1] - stored[0]) - (copied[1] - copied[0])) / bytes; /* ns per byte */
  double lag = (copied[0] - stored[0]) + gain * (double)sizes[0];            /* ns, at no bytes */
  double crossing = gain > 0 ? MAX (lag, 0) / gain : G_MAXDOUBLE;

  return (gsize)CLAMP (crossing, (double)LEAST_THRESHOLD, (double)LARGEST_THRESHOLD) & ~(gsize)4095;
}

/* Measures from how many bytes on the copy engine is faster, for a batch alone and for one behind
 * others. */
static gboolean
speed_measure_threshold (VyreMegakernel *kernel, GError **error)
{
  const gsize sizes[2] = { vyre_trial_large_size (kernel) / 4, vyre_trial_large_size (kernel) };
  Times stored[2], copied[2];

  for (guint i = 0; i < 2; i++) {
    if (!speed_time_way (kernel, sizes[i], G_MAXSIZE, &stored[i], error)
        || !speed_time_way (kernel, sizes[i], 1, &copied[i], error))
      return FALSE;
  }
  gsize alone = speed_find_crossing (sizes, (double[]){ stored[0].alone, stored[1].alone },
      (double[]){ copied[0].alone, copied[1].alone });
  gsize in_train = speed_find_crossing (sizes, (double[]){ stored[0].in_train, stored[1].in_train },
      (double[]){ copied[0].in_train, copied[1].in_train });
  kernel->copy_threshold = alone;
  kernel->train_threshold = MIN (alone, in_train);
  return TRUE;
}

static gboolean
speed_choose_threshold (VyreMegakernel *kernel, GError **error)
{
  if (kernel->traits->payloads != VYRE_PAYLOADS_BY_SIZE)
    return TRUE;
  vyre_megakernel_set_copy_threshold (kernel, kernel->params.copy_threshold);
  return kernel->params.copy_threshold > 0 || speed_measure_threshold (kernel, error);
}

/* Raises @unit, the ns that a unit of cost takes, to those that @text takes for one. */
static gboolean
speed_time_work (VyreMegakernel *kernel, const char *text, gsize size, guint n_observables,
    double *unit, GError **error)
{
  VyreTrial trial;
  double best;

  gboolean fine = vyre_trial_init (&trial, kernel, text, size, n_observables, error)
                  && speed_time_trial (kernel, &trial, TIMED_TICKETS, &best, error);
  if (fine)
    *unit = MAX (*unit, best / (double)trial.plan->cost);
  vyre_trial_clear (&trial, kernel);
  return fine;
}

/* Returns a program of one ticket: copies of the greatest length, one for each lane. */
static char *
speed_make_lanes (const VyreMegakernel *kernel)
{
  guint n = kernel->pipeline.workgroup;
  GString *text = g_string_new (NULL);

  n *= n <= VYRE_CPU_WORKGROUP ? CPU_LANE_ROUNDS : 1;
  for (guint slot = 0; slot < n; slot++)
    g_string_append_printf (text, "memcpy 160, 160, %u\n", VYRE_LANE_MEMCPY_WORDS);
  return g_string_free (text, FALSE);
}

/* Measures how long a unit of cost takes: of lanes, and of the two other operations that take
 * longest for their cost. */
static gboolean
speed_time_units (VyreMegakernel *kernel, double *lane, double *other, GError **error)
{
  /* a readback has room for all of them */
  guint words = MIN (kernel->pipeline.workgroup * COPY_STEPS,
      (guint)(vyre_store_get_size (kernel->readbacks) / 16));
  gsize size = MIN (HISTOGRAM_BYTES, vyre_trial_large_size (kernel));
  g_autofree char *lanes = speed_make_lanes (kernel);
  g_autofree char *copies
      = g_strdup_printf ("packed_slot { memcpy 160, 160, %u | memcpy 160, 160, %u }", words, words);

  *lane = *other = 0;
  return speed_time_work (kernel, lanes, 0, VYRE_LANE_MEMCPY_WORDS, lane, error)
         && speed_time_work (kernel, copies, 0, words, other, error)
         && speed_time_work (kernel, "u8_histogram payload -> bins", size, 0, other, error);
}

/* Measures what may be in flight at a time. Workgroups of a CPU come and go, so that one counts
 * there. */
static gboolean
speed_measure_most (VyreMegakernel *kernel, GError **error)
{
  guint64 time = kernel->params.max_batch_time ? kernel->params.max_batch_time : DEFAULT_BATCH_TIME;
  double lane, other;

  if (!speed_time_units (kernel, &lane, &other, error))
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

/* Measures what a batch may cost and by which way payloads go, once batches come out right. */
gboolean
vyre_speed_measure (VyreMegakernel *kernel, GError **error)
{
  vyre_megakernel_set_active (kernel, TRUE);
  gboolean fine = speed_choose_threshold (kernel, error) && speed_measure_most (kernel, error);
  vyre_megakernel_set_active (kernel, FALSE);
  return fine;
}

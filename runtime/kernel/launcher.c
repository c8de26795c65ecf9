/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/launcher.h"

#include "base/spin-lock.h"
#include "device/launches.h"
#include "kernel/completion.h"
#include "kernel/lanes.h"
#include "kernel/state.h"
#include "vyre/clock.h"

/* A kernel without a launch for so long is trimmed, so many times: until the file I/O has unpinned
 * what it registered. */
#define REST_US (1 * G_TIME_SPAN_SECOND)
#define N_RESTS 3

/* Interval of looking again while a launch leaves or batches end in PAUSED. */
#define RECHECK_NS (2 * G_GINT64_CONSTANT (1000000))

/* How long a kernel may take to leave, and batches to be drained, before the launcher gives up. */
#define LEAVE_US (10 * G_TIME_SPAN_SECOND)

/* Longest stay of a launch without a lease: the kernel counts claims and idle polls of a launch
 * in 32 bits, which wrap after minutes. */
#define LONGEST_STAY_NS (60 * G_GINT64_CONSTANT (1000000000))

/* On a CPU: idle polls after which all workgroups but the first go home, and
 * the tickets of large batches that make the one left call for help. A tile takes
 * some 200 µs, and help costs a relaunch of 100 µs, so it has to be worth
 * milliseconds. */
#define CPU_LINGER 256
#define CPU_BACKLOG 12

/* On a CPU, where a kernel that waits takes a core and a launch costs a tenth of a millisecond:
 * gaps between batches that are too long to wait for, as many of them in a row as make a habit, and
 * how long a kernel waits all the same until they do. */
#define CPU_LONG_GAP_NS 1000000
#define CPU_LONG_GAPS 2
#define CPU_IDLE_TIMEOUT_NS 2000000

#define GPU_IDLE_TIMEOUT_NS 100000000

/* Sets the idle timeout. Until the proof at start is over gaps say nothing, and
 * %VYRE_IDLE_TIMEOUT_AUTO is the timeout of a GPU. */
void
vyre_launcher_set_idle_timeout (VyreMegakernel *kernel, guint64 idle_timeout)
{
  /* sums with the clock must not overflow; 73 years are as good as for ever */
  kernel->params.idle_timeout = idle_timeout == VYRE_IDLE_TIMEOUT_AUTO
                                    ? GPU_IDLE_TIMEOUT_NS
                                    : MIN (idle_timeout, G_MAXINT64 / 4);
}

/* After the proof: has a kernel that was made with @idle_timeout follow the gaps between
 * batches, if it is to. */
void
vyre_launcher_follow_gaps (VyreMegakernel *kernel, guint64 idle_timeout)
{
  if (idle_timeout != VYRE_IDLE_TIMEOUT_AUTO || !vyre_device_is_cpu (kernel->device))
    return;
  vyre_mutex_lock (&kernel->lock);
  kernel->follows_gaps = TRUE;
  kernel->params.idle_timeout = CPU_IDLE_TIMEOUT_NS;
  g_mutex_unlock (&kernel->lock);
}

static gboolean
launcher_is_polling (const VyreMegakernel *kernel)
{
  return kernel->residency != VYRE_RESIDENCY_DISPATCH;
}

/* TRUE while a launch is in flight that was not told to leave. */
static gboolean
launcher_is_running (const VyreMegakernel *kernel)
{
  return kernel->pipeline.n_flying > 0 && (gint32)(kernel->launch_sequence - kernel->retired) >= 0;
}

/* TRUE while such a launch takes new tickets. */
static gboolean
launcher_is_resident (const VyreMegakernel *kernel)
{
  return launcher_is_running (kernel) && kernel->stays;
}

/* Lock held. Tells threads that publish whether they have to see to a launch. Each has its batch in
 * flight before it looks, and the launcher tells them before it looks for batches in flight, so one
 * of the two sees the other. */
static void
launcher_tell_serves (VyreMegakernel *kernel)
{
  /* pairs with the load in vyre_launcher_serves() */
  atomic_store (&kernel->serves, launcher_is_resident (kernel));
}

/* Whether the next launch waits for more tickets than it is made for. */
static gboolean
launcher_is_to_stay (const VyreMegakernel *kernel)
{
  return launcher_is_polling (kernel) && kernel->n_long_gaps < CPU_LONG_GAPS;
}

/* Flags of the next launch. Workgroups that stay may each hold a ticket in advance if all of
 * them run at the same time, which a CPU does not promise. */
static guint32
launcher_launch_flags (const VyreMegakernel *kernel)
{
  if (!launcher_is_to_stay (kernel))
    return 0;
  return kernel->residency == VYRE_RESIDENCY_PERSISTENT && !vyre_device_is_cpu (kernel->device)
             ? VYRE_FLAG_POLL | VYRE_FLAG_HOLD
             : VYRE_FLAG_POLL;
}

/* Lock held. Launches the kernel, bound to @import, or to the store without. */
static void
launcher_launch (VyreMegakernel *kernel, const VyreImport *import)
{
  gboolean cpu = vyre_device_is_cpu (kernel->device);
  guint32 flags = import ? 0 : launcher_launch_flags (kernel);
  GError *error = NULL;

  if (kernel->failure || kernel->pipeline.n_flying == VYRE_PIPELINE_LAUNCHES)
    return;
  guint32 constants[VYRE_LAUNCH_WORDS] = {
    [VYRE_LAUNCH_SEQUENCE] = ++kernel->launch_sequence,
    [VYRE_LAUNCH_FLAGS] = flags,
    [VYRE_LAUNCH_BUDGET] = kernel->budget,
    [VYRE_LAUNCH_LIMIT] = atomic_load (&kernel->tail), /* pairs with lanes_take_tickets() */
    [VYRE_LAUNCH_LINGER] = cpu ? CPU_LINGER : 0,
    [VYRE_LAUNCH_BACKLOG] = cpu && kernel->n_groups > 1 && flags ? CPU_BACKLOG : 0,
    [VYRE_LAUNCH_SOURCE] = import ? import->number : 0,
  };
  if (!vyre_pipeline_launch (&kernel->pipeline, constants,
          import ? &import->source : &kernel->pipeline.store, kernel->n_groups, &error)) {
    vyre_megakernel_fail (kernel, error);
    return;
  }
  kernel->launched = vyre_now ();
  kernel->launch_source = constants[VYRE_LAUNCH_SOURCE];
  kernel->stays = flags != 0;
  kernel->counters.launches++;
  kernel->expected_exits += kernel->n_groups;
  launcher_tell_serves (kernel);
  g_cond_signal (&kernel->wake_launcher);
}

/* Tells launches numbered below @sequence to leave: workgroups look at the word whenever they look
 * for work. */
static void
launcher_retire_below (VyreMegakernel *kernel, guint32 sequence)
{
  guint32 *door = (guint32 *)kernel->door.data + VYRE_DOOR_RETIRE * VYRE_GRANULE / 4;

  kernel->retired = sequence;
  launcher_tell_serves (kernel);
  /* pairs with the load in retired(), megakernel.comp */
  __atomic_store_n (door, sequence, __ATOMIC_RELEASE);
  vyre_buffer_flush (); /* soon, not in order: pairs with nothing */
}

/* The import that launches for the batch are bound to, or NULL for the store. */
static const VyreImport *
launcher_source_of (const VyreBatch *batch)
{
  return batch->kernel->traits->payloads == VYRE_PAYLOADS_IN_PLACE ? batch->payload.import : NULL;
}

/* Lane's lock held. The first batch in flight that the device is not through with, or NULL. */
static VyreBatch *
launcher_next_batch (const VyreLane *lane)
{
  for (GList *l = lane->in_flight.head; l; l = l->next) {
    if (!vyre_batch_is_completed (l->data))
      return l->data;
  }
  return NULL;
}

/* Lock held. The import that the next ticket needs, or NULL. */
static const VyreImport *
launcher_next_source (const VyreMegakernel *kernel)
{
  const VyreImport *source = NULL;
  guint32 first = 0;
  gboolean found = FALSE;

  if (kernel->traits->payloads != VYRE_PAYLOADS_IN_PLACE)
    return NULL;
  for (GList *l = kernel->lanes.head; l; l = l->next) {
    VyreLane *lane = l->data;
    vyre_mutex_lock (&lane->lock);
    const VyreBatch *batch = launcher_next_batch (lane);
    if (batch && (!found || (gint32)(batch->first_ticket - first) < 0)) {
      found = TRUE;
      first = batch->first_ticket;
      source = launcher_source_of (batch); /* a batch with an import is not plain: it stays */
    }
    g_mutex_unlock (&lane->lock);
  }
  return source;
}

/* Tells a running kernel to leave, whatever there is to do: the next launch does it. */
void
vyre_launcher_replace (VyreMegakernel *kernel)
{
  if (launcher_is_running (kernel))
    launcher_retire_below (kernel, kernel->launch_sequence + 1);
}

/* Notes how long no batch was in flight before @batch. After CPU_LONG_GAPS long gaps in a row, a
 * launch that waits is told to leave. */
static void
launcher_follow_gap (VyreMegakernel *kernel, const VyreBatch *batch)
{
  gboolean is_long = vyre_lanes_count_in_flight (kernel) == 1
                     && batch->published - vyre_lanes_last_activity (kernel) >= CPU_LONG_GAP_NS;

  kernel->n_long_gaps = is_long ? MIN (kernel->n_long_gaps + 1, CPU_LONG_GAPS) : 0;
  if (!launcher_is_to_stay (kernel) && launcher_is_resident (kernel))
    vyre_launcher_replace (kernel);
}

/* Whether the gap before @batch says nothing: another batch of its lane is in flight. */
static gboolean
launcher_has_no_gap (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  /* at worst, a batch that ends now makes the answer wrong by one gap */
  return !kernel->follows_gaps
         || (atomic_load_explicit (&batch->lane->n_in_flight, memory_order_relaxed) > 1
             && atomic_load_explicit (&kernel->n_long_gaps, memory_order_relaxed) == 0);
}

/* Any thread, for a plain batch. Whether a launch takes its tickets, which are published, without
 * more ado. */
gboolean
vyre_launcher_serves (VyreBatch *batch)
{
  if (!launcher_has_no_gap (batch) || !atomic_load (&batch->kernel->serves))
    return FALSE; /* the word pairs with launcher_tell_serves() */
  /* times, which order nothing; the batch may have ended already */
  if (atomic_load_explicit (&batch->lane->last_activity, memory_order_relaxed) < batch->published)
    atomic_store_explicit (&batch->lane->last_activity, batch->published, memory_order_relaxed);
  return TRUE;
}

/* Lock held. Launches the kernel if the tickets of @batch, which are published, need a launch. */
void
vyre_launcher_published (VyreMegakernel *kernel, const VyreBatch *batch)
{
  const VyreImport *import = launcher_source_of (batch);

  if (kernel->follows_gaps)
    launcher_follow_gap (kernel, batch);
  kernel->last_activity = MAX (kernel->last_activity, batch->published);
  if (kernel->pipeline.n_flying == 0)
    launcher_launch (kernel, launcher_next_source (kernel));
  else if (import || !launcher_is_resident (kernel))
    launcher_launch (kernel, import);
}

/* Tells a running kernel to leave, unless a batch is in flight. */
void
vyre_launcher_park (VyreMegakernel *kernel)
{
  if (!launcher_is_running (kernel))
    return;
  atomic_store (&kernel->serves, false); /* see launcher_tell_serves() */
  if (vyre_lanes_count_in_flight (kernel) > 0) {
    launcher_tell_serves (kernel);
    return;
  }
  launcher_retire_below (kernel, kernel->launch_sequence + 1);
  kernel->counters.parks++;
}

/* Tells launches up to number @sequence to leave; later launches do what these have not. */
void
vyre_launcher_retire (VyreMegakernel *kernel, guint32 sequence)
{
  if ((gint32)(sequence + 1 - kernel->retired) > 0)
    launcher_retire_below (kernel, sequence + 1);
}

static void
launcher_renew (VyreMegakernel *kernel)
{
  guint32 current = kernel->launch_sequence;

  launcher_launch (kernel, NULL);
  if (kernel->launch_sequence == current)
    return;
  launcher_retire_below (kernel, kernel->launch_sequence);
  kernel->counters.renewals++;
}

static gboolean
launcher_is_wanted (const VyreMegakernel *kernel)
{
  return kernel->active > 0 && !kernel->quit
         && vyre_now () - vyre_lanes_last_activity (kernel) < (gint64)kernel->params.idle_timeout;
}

/* Fails the kernel unless every workgroup of the launches that have ended signed off: a device
 * that cuts loops short leaves tickets half done. */
static void
launcher_check_exits (VyreMegakernel *kernel)
{
  const guint32 *answer = (const guint32 *)kernel->answer.data;
  /* pairs with the barrier in sign_off(), megakernel.comp, and the fence of the launch */
  guint32 exits = __atomic_load_n (&answer[VYRE_ANSWER_EXITS], __ATOMIC_ACQUIRE);

  if (exits == kernel->expected_exits || kernel->failure)
    return;
  vyre_megakernel_fail (kernel,
      g_error_new (VYRE_ERROR, VYRE_ERROR_STUCK,
          "%s ended a kernel before it was done. Fix: set residency=dispatch, and report the "
          "driver.",
          vyre_device_get_name (kernel->device)));
}

/* Whether batches are in flight for which no publishing thread is about to launch. */
static gboolean
launcher_has_orphans (const VyreMegakernel *kernel)
{
  return vyre_lanes_count_in_flight (kernel) > 0 && vyre_lanes_count_ringing (kernel) == 0;
}

/* Lock held, by a thread that found no room. While it tried, it seemed to ring, so the launcher may
 * have left it to that thread to launch for batches in flight. */
void
vyre_launcher_make_up (VyreMegakernel *kernel)
{
  if (kernel->pipeline.n_flying == 0 && launcher_has_orphans (kernel))
    launcher_launch (kernel, launcher_next_source (kernel));
}

static void
launcher_launch_ended (VyreMegakernel *kernel)
{
  gboolean was_running = launcher_is_running (kernel), had_import = kernel->launch_source != 0;

  /* numbers wrap: later launches must not look as if they were told to leave */
  vyre_launcher_retire (kernel, vyre_pipeline_oldest (&kernel->pipeline)->sequence);
  vyre_pipeline_retire_oldest (&kernel->pipeline);
  launcher_tell_serves (kernel);
  vyre_megakernel_note_room (kernel);
  if (kernel->pipeline.n_flying > 0)
    return;
  launcher_check_exits (kernel);
  if (launcher_has_orphans (kernel))
    launcher_launch (kernel, launcher_next_source (kernel));
  else if (kernel->stays && launcher_is_to_stay (kernel) && launcher_is_wanted (kernel))
    launcher_launch (kernel, NULL);
  else if (was_running && launcher_is_polling (kernel) && !had_import)
    kernel->counters.parks++; /* it left by itself, just before it was told to */
}

/* The time at which the running launch needs a successor, or G_MAXINT64. */
static gint64
launcher_lease_end (const VyreMegakernel *kernel)
{
  guint64 lease = kernel->params.lease;

  if (kernel->residency != VYRE_RESIDENCY_PERSISTENT)
    return G_MAXINT64;
  return kernel->launched + (lease > 0 ? MIN ((gint64)lease, LONGEST_STAY_NS) : LONGEST_STAY_NS);
}

/* Renews or parks a running kernel when that is due. */
static void
launcher_tend (VyreMegakernel *kernel)
{
  if (!launcher_is_polling (kernel) || !launcher_is_running (kernel))
    return;
  if (vyre_lanes_count_in_flight (kernel) == 0 && !launcher_is_wanted (kernel))
    vyre_launcher_park (kernel);
  else if (vyre_now () >= launcher_lease_end (kernel))
    launcher_renew (kernel);
}

/* Nanoseconds until launcher_tend() may have something to do. */
static guint64
launcher_next_due (const VyreMegakernel *kernel)
{
  gint64 now = vyre_now ();
  gint64 due = vyre_lanes_last_activity (kernel) + (gint64)kernel->params.idle_timeout;

  if (!launcher_is_running (kernel) || kernel->quit || !launcher_is_wanted (kernel))
    return RECHECK_NS;
  due = MIN (due, launcher_lease_end (kernel));
  return (guint64)MAX (due - now, RECHECK_NS / 4);
}

/* Whether the launcher ends: batches in flight end first, then the kernel leaves. */
static gboolean
launcher_may_stop (VyreMegakernel *kernel, VyreClock *clock, gint64 *deadline)
{
  if (!kernel->quit)
    return FALSE;
  gint64 now = vyre_clock_now (clock);
  if (*deadline == 0)
    *deadline = now + LEAVE_US;
  if (now > *deadline)
    return TRUE;
  if (kernel->failure)
    launcher_retire_below (kernel, kernel->launch_sequence + 1);
  return kernel->pipeline.n_flying == 0
         && (kernel->failure || vyre_lanes_count_in_flight (kernel) == 0);
}

/* Kernel's lock held: no copy begins. Gives staging memory that no payload lies in back to Linux.
 */
static void
launcher_trim (VyreMegakernel *kernel)
{
  vyre_store_trim (kernel->staging, vyre_copy_engine_is_idle (&kernel->copy_engine));
}

/* Any thread. The same. */
void
vyre_launcher_trim (VyreMegakernel *kernel)
{
  vyre_mutex_lock (&kernel->lock);
  launcher_trim (kernel);
  g_mutex_unlock (&kernel->lock);
}

/* Lock held, and dropped while waiting. No launch is there to look after: waits for one. A kernel
 * that rests for a while is trimmed, and once more when files were given time to unpin, too. */
static void
launcher_rest (VyreMegakernel *kernel, guint *n_rests)
{
  gint64 end = g_get_monotonic_time () + REST_US;

  if (*n_rests == N_RESTS)
    g_cond_wait (&kernel->wake_launcher, &kernel->lock);
  else if (g_cond_wait_until (&kernel->wake_launcher, &kernel->lock, end))
    return;
  if (*n_rests < N_RESTS && !kernel->quit) {
    launcher_trim (kernel);
    (*n_rests)++;
  }
}

gpointer
vyre_launcher_run (gpointer data)
{
  VyreMegakernel *kernel = data;
  VyreClock clock = { 0 };
  gint64 stop_deadline = 0;
  guint n_rests = 0;

  vyre_mutex_lock (&kernel->lock);
  while (!launcher_may_stop (kernel, &clock, &stop_deadline)) {
    VyreLaunch *oldest = vyre_pipeline_oldest (&kernel->pipeline);
    if (!oldest) {
      if (!kernel->quit)
        launcher_rest (kernel, &n_rests);
      continue;
    }
    n_rests = 0;
    guint64 timeout = launcher_next_due (kernel);
    g_mutex_unlock (&kernel->lock);
    VkResult result = vyre_pipeline_wait (&kernel->pipeline, oldest, timeout);
    vyre_mutex_lock (&kernel->lock);
    GError *error = NULL;
    gboolean waited = vyre_vk_check (result, "vkWaitForFences", kernel->device, &error);
    if (!waited) {
      /* first, so that a release that waits for launches sees the failure */
      vyre_megakernel_fail (kernel, error);
      /* no thread waits for it any more; if it still runs, it ends */
      launcher_retire_below (kernel, kernel->launch_sequence + 1);
    }
    vyre_megakernel_collect (kernel);
    if (!waited)
      break;
    if (result == VK_SUCCESS)
      launcher_launch_ended (kernel);
    launcher_tend (kernel);
  }
  g_mutex_unlock (&kernel->lock);
  return NULL;
}

void
vyre_megakernel_set_active (VyreMegakernel *kernel, gboolean active)
{
  if (vyre_is_inherited (kernel->generation))
    return;
  vyre_mutex_lock (&kernel->lock);
  gboolean was_started = active || kernel->active > 0;
  if (was_started)
    kernel->active += active ? 1 : -1;
  if (kernel->active == 0)
    vyre_launcher_park (kernel);
  g_mutex_unlock (&kernel->lock);
  g_return_if_fail (was_started);
}

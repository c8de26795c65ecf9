/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrefilter's source pad: its task waits for batches and pushes the readbacks that the chain
 * function leaves to it.
 */
#include "filter/gstvyresourcepad.h"

#include "common/gstvyrequery.h"
#include "filter/gstvyredelivery.h"
#include "filter/gstvyrelatency.h"
#include "filter/gstvyrelines.h"
#include "filter/gstvyremessages.h"
#include "filter/gstvyrepartners.h"
#include "filter/gstvyrepassthrough.h"
#include "filter/gstvyrerecovery.h"
#include "filter/gstvyrereplay.h"
#include "filter/gstvyrestream.h"
#include "filter/gstvyretaps.h"
#include "filter/gstvyrewatchdog.h"
#include "filter/gstvyrework.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* A kernel that takes no ticket for so long is stuck. */
#define BATCH_DEADLINE (30 * G_TIME_SPAN_SECOND)

/* Time between two looks of a thread at what the kernel has done, in µs. Each takes the locks of
 * all lanes, and so many threads may look as there are lanes. */
#define LOOK_INTERVAL (G_TIME_SPAN_SECOND / 2)

/* Returns how long the kernel has made no progress, in µs that threads at this wait saw pass. */
static gint64
source_measure_idle (GstVyreProgress *progress, VyreMegakernel *kernel)
{
  gint64 now = vyre_clock_now (&progress->clock);
  VyreMegakernelCounters counters;

  if (progress->looked == 0)
    progress->looked = progress->moved = now;
  if (now - progress->looked < LOOK_INTERVAL)
    return now - progress->moved;
  progress->looked = now;
  vyre_megakernel_get_counters (kernel, &counters);
  guint64 tickets = counters.tickets + counters.progress;
  if (tickets != progress->tickets)
    progress->moved = now;
  progress->tickets = tickets;
  return now - progress->moved;
}

/* A wait for the batch was in vain: warns of a kernel that makes no progress. FALSE, with @error,
 * when it is stuck. */
static gboolean
source_watch_progress (GstVyreFilter *self, GstVyreItem *item, GError **error)
{
  GstVyreProgress *progress = &item->progress;

  if (vyre_batch_is_parked (item->batch)) /* a slow file is no fault of the kernel */
    progress->looked = 0;
  gint64 idle = source_measure_idle (progress, item->shared->kernel);
  progress->longest = MAX (progress->longest, idle);
  gst_vyre_watchdog_idle (self, item, idle);
  if (idle > BATCH_DEADLINE)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
        "The kernel has made no progress for 30 s. Fix: send smaller buffers, or set "
        "residency=dispatch.");
  return idle <= BATCH_DEADLINE;
}

/* Waits for the batch for as long as the item may. GST_FLOW_ERROR comes with @error. */
static GstFlowReturn
source_wait_for_batch (GstVyreFilter *self, GstVyreItem *item, GError **error)
{
  for (;;) {
    gint64 now = g_get_monotonic_time ();
    g_autoptr (GError) reason = NULL;
    if (vyre_batch_wait (item->batch, MIN (now + GST_VYRE_WAIT_SLICE, item->until), &reason)) {
      gst_vyre_watchdog_completed (self, item->progress.longest);
      return GST_FLOW_OK;
    }
    if (!g_error_matches (reason, VYRE_ERROR, VYRE_ERROR_TIMEOUT)) {
      g_propagate_error (error, g_steal_pointer (&reason));
      return GST_FLOW_ERROR;
    }
    if (gst_vyre_stream_is_flushing (self))
      return GST_FLOW_FLUSHING;
    if (!source_watch_progress (self, item, error))
      return GST_FLOW_ERROR;
    if (g_get_monotonic_time () >= item->until)
      return GST_VYRE_FLOW_LATE;
  }
}

/* Waits until the item has its result, on another kernel if its own is lost. GST_VYRE_FLOW_LATE: it
 * may wait no longer. */
static GstFlowReturn
source_finish_batch (GstVyreFilter *self, GstVyreItem *item)
{
  for (;;) {
    GError *error = NULL;
    GstFlowReturn flow
        = item->batch ? source_wait_for_batch (self, item, &error) : GST_VYRE_FLOW_AGAIN;
    if (flow == GST_FLOW_OK && gst_vyre_work_accept (self, item))
      return GST_FLOW_OK;
    if (flow == GST_FLOW_OK)
      flow = GST_VYRE_FLOW_AGAIN;
    if (error)
      flow = gst_vyre_recovery_handle (self, item->shared, item->until, error);
    while (flow == GST_VYRE_FLOW_AGAIN)
      flow = gst_vyre_recovery_rerun (self, item);
    if (flow != GST_FLOW_OK)
      return flow;
  }
}

/* A batch whose buffer may wait no longer, or that is behind late ones, is late itself: results are
 * reported in order. */
static void
source_push_batch (GstVyreFilter *self, GstVyreItem *item)
{
  GstFlowReturn flow = item->is_behind_late ? GST_VYRE_FLOW_LATE : source_finish_batch (self, item);

  if (flow == GST_VYRE_FLOW_LATE) {
    gst_vyre_delivery_push_late (self, item);
    return;
  }
  if (flow == GST_FLOW_OK)
    flow = gst_vyre_delivery_push (self, item);
  else if (flow == GST_FLOW_FLUSHING)
    gst_vyre_delivery_count_flushed (self);
  gst_vyre_delivery_close (self, item, flow);
}

/* Reports the result of a late batch if it comes while nothing has to leave. */
static void
source_report_late (GstVyreFilter *self, GstVyreItem *item)
{
  GstFlowReturn flow = source_finish_batch (self, item);

  if (flow == GST_VYRE_FLOW_LATE) {
    gst_vyre_work_put_back (self, item);
    return;
  }
  if (flow == GST_FLOW_OK)
    flow = gst_vyre_delivery_push_beside (self, item);
  else if (flow == GST_FLOW_FLUSHING)
    gst_vyre_delivery_count_flushed (self);
  gst_vyre_delivery_close (self, item, flow);
}

/* The end of a stream waits for the results of its late batches, and the event that ends it does
 * not, unless it is EOS, which is behind these anyway. */
static void
source_push_event (GstVyreFilter *self, GstVyreItem *item)
{
  gboolean starts = GST_EVENT_TYPE (item->event) == GST_EVENT_STREAM_START;

  if (starts && !item->is_behind_late)
    gst_vyre_delivery_end_stream (self, item);
  GstFlowReturn flow = gst_vyre_delivery_push_event (self, item);
  if (starts && item->is_behind_late)
    gst_vyre_work_keep (self, item);
  else
    gst_vyre_delivery_close (self, item, flow);
}

/* Handles an item that has no batch: an event, the end of a stream, or a buffer that found no room
 * in time. */
static void
source_handle_rest (GstVyreFilter *self, GstVyreItem *item)
{
  if (item->event) {
    source_push_event (self, item);
  } else if (item->is_late) {
    gst_vyre_delivery_end_stream (self, item);
    gst_vyre_delivery_close (self, item, GST_FLOW_OK);
  } else {
    gst_vyre_delivery_close (self, item, gst_vyre_delivery_push_missing (self, item));
  }
}

static void
source_loop (gpointer data)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (GST_PAD_PARENT (GST_PAD (data)));
  GstVyreItem *item = gst_vyre_work_take (self);

  if (!item) {
    gst_pad_pause_task (self->srcpad); /* until it is stopped */
    return;
  }
  gst_vyre_delivery_follow_epoch (self, item);
  if (!gst_vyre_item_is_batch (item))
    source_handle_rest (self, item);
  else if (item->is_late)
    source_report_late (self, item);
  else
    source_push_batch (self, item);
}

/* TRUE if the pad was not deactivated since this activation began. */
static gboolean
source_is_still_wanted (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self->srcpad);
  gboolean wanted = GST_PAD_MODE (self->srcpad) == GST_PAD_MODE_PUSH;
  GST_OBJECT_UNLOCK (self->srcpad);
  return wanted;
}

static gboolean
source_start_task (GstVyreFilter *self)
{
  if (!source_is_still_wanted (self) || !gst_vyre_replay_start (self)
      || !gst_vyre_lines_start (self))
    return FALSE;
  gst_vyre_latency_note_ready (self);
  gst_vyre_stream_activate_source (self, TRUE);
  return gst_pad_start_task (self->srcpad, source_loop, self->srcpad, NULL);
}

static gboolean
source_stop_task (GstVyreFilter *self)
{
  gst_vyre_stream_activate_source (self, FALSE);
  if (!gst_pad_stop_task (self->srcpad))
    return FALSE;
  gst_vyre_stream_await_hands (self);
  gst_vyre_delivery_reset (self);
  return TRUE;
}

/* The task runs as long as the pad is active, and waits through every state of a stream. GStreamer
 * lets one activation in at a time, but lets the next one in while gst_pad_stop_task() waits for
 * the task: hence the lock. The worker itself can neither start nor stop a task, because that waits
 * for the worker. */
static gboolean
source_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);

  if (mode != GST_PAD_MODE_PUSH || gst_vyre_stream_is_worker (self))
    return FALSE;
  g_mutex_lock (&self->activation);
  gboolean done = active ? source_start_task (self) : source_stop_task (self);
  g_mutex_unlock (&self->activation);
  return done;
}

/* Downstream was linked again: the next buffer may arrive. */
static gboolean
source_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK)
    return gst_vyre_partners_seek (GST_VYRE_FILTER_CAST (parent), event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    gst_vyre_stream_relinked (GST_VYRE_FILTER_CAST (parent));
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
source_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);
  gboolean passes = gst_vyre_passthrough_is_on (self);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_LATENCY:
      return gst_vyre_latency_query (self, query);
    case GST_QUERY_CAPS:
      return passes ? gst_vyre_passthrough_answer (self, pad, query)
                    : gst_vyre_taps_answer_caps (pad, query);
    case GST_QUERY_ACCEPT_CAPS:
      return passes ? gst_vyre_passthrough_answer (self, pad, query)
                    : gst_pad_query_default (pad, parent, query);
    case GST_QUERY_CUSTOM:
      if (!gst_vyre_query_is_stats (query))
        return gst_pad_query_default (pad, parent, query);
      gst_vyre_query_take_stats (query, gst_vyre_messages_stats (self, FALSE));
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

void
gst_vyre_source_pad_init (GstVyreFilter *self)
{
  gst_pad_set_query_function (self->srcpad, source_query);
  gst_pad_set_event_function (self->srcpad, source_event);
  gst_pad_set_activatemode_function (self->srcpad, source_activate);
}

/* The pad is inactive. */
void
gst_vyre_source_pad_clear (GstVyreFilter *self)
{
  gst_vyre_stream_activate_source (self, FALSE);
  gst_vyre_delivery_reset (self);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreshortcut.h"

#include "filter/gstvyredelivery.h"
#include "filter/gstvyrepace.h"
#include "filter/gstvyrewatchdog.h"
#include "filter/gstvyrework.h"

/* TRUE once the batch is through, and counts. A batch whose kernel is lost is the task's. */
static gboolean
shortcut_wait (GstVyreFilter *self, GstVyreItem *item, gint64 patience)
{
  gint64 now = g_get_monotonic_time (), end = MIN (now + patience, item->until);

  if (!vyre_batch_poll (item->batch) && !(end > now && vyre_batch_wait (item->batch, end, NULL)))
    return FALSE;
  gst_vyre_watchdog_completed (self, 0);
  return gst_vyre_work_accept (self, item);
}

static void
shortcut_note_time (GstVyreFilter *self, gint64 since)
{
  gint64 time = g_get_monotonic_time () - since;

  vyre_mutex_lock (&self->lock);
  gst_vyre_pace_note_time (&self->pace, time);
  g_mutex_unlock (&self->lock);
}

static GstFlowReturn
shortcut_push (GstVyreFilter *self, GstVyreItem *item)
{
  GstFlowReturn flow = gst_vyre_delivery_push (self, item);

  gst_vyre_delivery_close (self, item, flow);
  return flow;
}

/* Pushes the readback of the item if it comes within @patience, or its buffer if that has to go on.
 * FALSE: neither, and the task does. */
static gboolean
shortcut_handle (GstVyreFilter *self, GstVyreItem *item, gint64 patience, GstFlowReturn *flow)
{
  gst_vyre_delivery_follow_epoch (self, item);
  gboolean there = !item->is_behind_late && shortcut_wait (self, item, patience);
  gint64 through = g_get_monotonic_time ();
  if (!there && through < item->until) {
    gst_vyre_work_put_back (self, item);
    if (patience > 0)
      shortcut_note_time (self, 0);
    return FALSE;
  }
  *flow = there ? shortcut_push (self, item) : gst_vyre_delivery_push_late (self, item);
  shortcut_note_time (self, through);
  return TRUE;
}

/* Pushes the readback of the oldest batch if more than @most are in the queue. FALSE: the task
 * does. A wait that ends well is not counted: it is bounded, or there is nothing else to do. */
static gboolean
shortcut_free_place (GstVyreFilter *self, guint most, GstFlowReturn *flow)
{
  gint64 patience;
  GstVyreItem *item = gst_vyre_work_take_over (self, most, &patience);

  return item && shortcut_handle (self, item, GST_VYRE_WAIT_SLICE, flow);
}

/* Pushes the readback of the oldest batch if it is there, or comes in a moment. FALSE: it does not,
 * or the task pushes it. */
static gboolean
shortcut_push_next (GstVyreFilter *self, GstFlowReturn *flow)
{
  gint64 patience;
  GstVyreItem *item = gst_vyre_work_take_over (self, 0, &patience);

  return item && shortcut_handle (self, item, patience, flow);
}

/* Before a buffer is published: pushes readbacks until there is room for its batch, unless that is
 * the task's; half of the batches then, because a wait for each would cost more. GST_FLOW_FLUSHING:
 * downstream has flushed from this thread what comes now, too. */
GstFlowReturn
gst_vyre_shortcut_make_room (GstVyreFilter *self, guint max_in_flight)
{
  guint n_flushes = self->n_flushes, most = max_in_flight - 1;
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK && shortcut_free_place (self, most, &flow))
    most = max_in_flight / 2;
  return self->n_flushes != n_flushes ? GST_FLOW_FLUSHING : flow;
}

/* After a buffer was published: pushes what is through, and the buffer's own readback if nothing is
 * ahead of it and it comes in a moment. */
GstFlowReturn
gst_vyre_shortcut_push_ready (GstVyreFilter *self)
{
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK && shortcut_push_next (self, &flow))
    ;
  return flow;
}

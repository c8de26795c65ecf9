/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreitem.h"

#include "filter/gstvyrecarry.h"

/* Returns an item for an event, which it takes. */
GstVyreItem *
gst_vyre_item_new_event (GstEvent *event)
{
  GstVyreItem *item = g_new0 (GstVyreItem, 1);

  item->event = event;
  return item;
}

/* The batch is freed before its kernel. */
void
gst_vyre_item_forget_batch (GstVyreItem *item)
{
  g_clear_pointer (&item->batch, vyre_batch_free);
  g_clear_pointer (&item->lane, vyre_lane_unref);
  g_clear_pointer (&item->shared, gst_vyre_shared_unref);
}

void
gst_vyre_item_free (GstVyreItem *item)
{
  gst_vyre_item_forget_batch (item);
  g_clear_pointer (&item->tenant, vyre_tenant_unref);
  g_clear_pointer (&item->event, gst_event_unref);
  g_clear_pointer (&item->plan, vyre_plan_unref);
  g_clear_pointer (&item->carry, gst_vyre_carry_unref);
  gst_clear_caps (&item->caps);
  gst_clear_buffer (&item->buffer);
  gst_clear_buffer (&item->passing);
  g_free (item);
}

/* TRUE if the item has a batch, or had one on a kernel that was lost. */
gboolean
gst_vyre_item_is_batch (const GstVyreItem *item)
{
  return item->batch || item->is_rerun;
}

gboolean
gst_vyre_item_is_eos (const GstVyreItem *item)
{
  return item->event && GST_EVENT_TYPE (item->event) == GST_EVENT_EOS;
}

/* TRUE if pads readback_%u have yet to see the stream that begins at the item: its event is in the
 * item, or has left, and the item waits behind late batches. */
gboolean
gst_vyre_item_begins_stream (const GstVyreItem *item)
{
  return item->event ? GST_EVENT_TYPE (item->event) == GST_EVENT_STREAM_START
                     : item->is_late && item->sequence == 0;
}

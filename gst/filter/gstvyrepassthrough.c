/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrepassthrough.h"

#include "common/gstvyreresults.h"
#include "filter/gstvyremessages.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* The object lock is not held. Has the mode follow its property, unless the element streams. */
void
gst_vyre_passthrough_follow (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  if (GST_STATE (self) < GST_STATE_PAUSED)
    g_atomic_int_set (&self->passes, self->output_mode == GST_VYRE_OUTPUT_PASSTHROUGH);
  GST_OBJECT_UNLOCK (self);
}

/* Any thread. */
gboolean
gst_vyre_passthrough_is_on (const GstVyreFilter *self)
{
  return g_atomic_int_get (&self->passes);
}

/* Without another side any caps will do, or those that are asked for. */
static void
passthrough_answer_alone (GstQuery *query)
{
  GstCaps *filter;

  if (GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS) {
    gst_query_set_accept_caps_result (query, TRUE);
    return;
  }
  gst_query_parse_caps (query, &filter);
  g_autoptr (GstCaps) caps = filter ? gst_caps_ref (filter) : gst_caps_new_any ();
  gst_query_set_caps_result (query, caps);
}

/* Any thread. Answers a CAPS or ACCEPT_CAPS query of @pad with what the other side says; the pad
 * reference has no part in it. */
gboolean
gst_vyre_passthrough_answer (GstVyreFilter *self, GstPad *pad, GstQuery *query)
{
  if (!gst_pad_peer_query (pad == self->sinkpad ? self->srcpad : self->sinkpad, query))
    passthrough_answer_alone (query);
  return TRUE;
}

/* TRUE if memory of downstream's own kind is in @query, which staging memory does not replace. */
static gboolean
passthrough_has_memory (GstQuery *query)
{
  GstAllocator *allocator = NULL;

  for (guint i = 0; i < gst_query_get_n_allocation_params (query); i++) {
    gst_query_parse_nth_allocation_param (query, i, &allocator, NULL);
    gboolean own = allocator && !g_str_equal (allocator->mem_type, GST_ALLOCATOR_SYSMEM);
    gst_clear_object (&allocator);
    if (own)
      return TRUE;
  }
  return FALSE;
}

/* Sink pad's stream lock held. Has downstream answer an ALLOCATION query. TRUE if staging memory
 * may take the place of what it proposes: that is of the system, and the metas stay. */
gboolean
gst_vyre_passthrough_ask_downstream (GstVyreFilter *self, GstQuery *query)
{
  if (!gst_vyre_stream_drain (self)) /* downstream has the caps then */
    return FALSE;
  gst_pad_peer_query (self->srcpad, query);
  if (passthrough_has_memory (query))
    return FALSE;
  while (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_remove_nth_allocation_pool (query, 0);
  while (gst_query_get_n_allocation_params (query) > 0)
    gst_query_remove_nth_allocation_param (query, 0);
  return TRUE;
}

/* The worker. Takes the buffer that goes on out of the item, with the results of the last batch,
 * which is that of the item. Without other users it is the buffer that came; otherwise one of the
 * same memory. */
GstBuffer *
gst_vyre_passthrough_take (GstVyreFilter *self, GstVyreItem *item)
{
  gst_clear_buffer (&item->buffer);
  gst_vyre_item_forget_batch (item); /* it may have a reference to the buffer */
  GstBuffer *buffer = gst_buffer_make_writable (g_steal_pointer (&item->own));
  gst_buffer_take_vyre_results (buffer, gst_vyre_messages_new_results (self));
  return buffer;
}

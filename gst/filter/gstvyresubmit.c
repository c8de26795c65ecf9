/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyresubmit.h"

#include "filter/gstvyrecarry.h"
#include "filter/gstvyrestaging.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* How long others may hold all room for readbacks or payloads before the bus hears of it */
#define ROOM_DEADLINE (5 * G_TIME_SPAN_SECOND)

/* TRUE if a slice is free now: the batch may wait for something else. */
static gboolean
submit_has_room (VyreStore *store, gsize size)
{
  gsize offset;

  if (!vyre_store_alloc (store, size, 0, &offset))
    return FALSE;
  vyre_store_free (store, offset);
  return TRUE;
}

/* Finds the store that has no room for what the batch of @item needs of it, and how much that is;
 * or returns NULL. */
static VyreStore *
submit_find_full (GstVyreShared *shared, const GstVyreItem *item, gsize *size)
{
  VyreStore *readbacks = vyre_megakernel_get_readbacks (shared->kernel);
  VyreStore *payloads = vyre_megakernel_get_payloads (shared->kernel);

  *size = vyre_plan_get_layout (item->plan)->total;
  if (!submit_has_room (readbacks, *size))
    return readbacks;
  *size = vyre_plan_get_payload_size (item->plan);
  return payloads && *size > 0 && !submit_has_room (payloads, *size) ? payloads : NULL;
}

static void
submit_warn_of_readbacks (GstVyreFilter *self, VyreStore *store, gsize size)
{
  GST_ELEMENT_WARNING (self, RESOURCE, NO_SPACE_LEFT,
      ("There has been no room for a readback of %" G_GSIZE_FORMAT
       " bytes for 5 s: elements behind this one, and others on its kernel, hold %" G_GSIZE_FORMAT
       " of %" G_GSIZE_FORMAT ". Fix: set kernel-group=NAME for a kernel of its own, have those "
       "behind keep fewer readbacks, or let those go on that are paused.",
          size, vyre_store_get_used (store), vyre_store_get_size (store)),
      (NULL));
}

static void
submit_warn_of_payloads (GstVyreFilter *self, VyreStore *store, gsize size)
{
  GST_ELEMENT_WARNING (self, RESOURCE, NO_SPACE_LEFT,
      ("There has been no room for a payload of %" G_GSIZE_FORMAT
       " bytes on the device for 5 s: other elements on the kernel hold %" G_GSIZE_FORMAT
       " of %" G_GSIZE_FORMAT ". Fix: set staging-size=%" G_GSIZE_FORMAT
       " or more, or kernel-group=NAME for a kernel of its own.",
          size, vyre_store_get_used (store), vyre_store_get_size (store),
          vyre_store_get_used (store) + size),
      (NULL));
}

/* Warns once for @clock when only readbacks or payloads of others leave no room. */
static void
submit_watch_room (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyreClock *clock, gint64 *end)
{
  gint64 now = vyre_clock_now (clock);
  gsize size = 0;

  vyre_mutex_lock (&self->lock);
  gboolean own = self->n_batches + self->n_late > 0;
  g_mutex_unlock (&self->lock);
  VyreStore *full = own ? NULL : submit_find_full (shared, item, &size);
  if (!full || *end == 0)
    *end = now + ROOM_DEADLINE;
  if (now < *end)
    return;
  *end = G_MAXINT64;
  if (full == vyre_megakernel_get_readbacks (shared->kernel))
    submit_warn_of_readbacks (self, full, size);
  else
    submit_warn_of_payloads (self, full, size);
}

/* Returns the end of the next wait of the item, in µs. */
static gint64
submit_get_end (const GstVyreItem *item)
{
  return MIN (g_get_monotonic_time () + GST_VYRE_WAIT_SLICE, item->until);
}

/* Decides how the wait of @item goes on, which @reason has ended; takes @reason over. Returns
 * GST_FLOW_OK for another wait, and GST_FLOW_ERROR with @error. */
static GstFlowReturn
submit_go_on (GstVyreFilter *self, const GstVyreItem *item, GError *reason, GError **error)
{
  g_autoptr (GError) cause = reason;

  if (gst_vyre_stream_is_flushing (self))
    return GST_FLOW_FLUSHING;
  if (!g_error_matches (cause, VYRE_ERROR, VYRE_ERROR_TIMEOUT)) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return GST_FLOW_ERROR;
  }
  return g_get_monotonic_time () < item->until ? GST_FLOW_OK : GST_VYRE_FLOW_LATE;
}

/* Publishes the batch on @stream, if the program has state. */
static VyreBatch *
submit_try (const GstVyreItem *item, VyreStream *stream, const VyrePayload *staged, GError **error)
{
  gint64 end = submit_get_end (item);

  return stream ? vyre_stream_publish (stream, item->plan, item->sequence, staged, end, error)
                : vyre_lane_publish (item->lane, item->plan, item->sequence, staged, end, error);
}

static GstFlowReturn
submit_publish (GstVyreFilter *self, GstVyreShared *shared, GstVyreItem *item, VyreStream *stream,
    const VyrePayload *staged, GError **error)
{
  VyreClock clock = { 0 };
  gint64 end = 0;

  for (;;) {
    GError *reason = NULL;
    item->batch = submit_try (item, stream, staged, &reason);
    if (item->batch) {
      gst_vyre_spans_note (&item->spans, GST_VYRE_STAGE_DOORBELL);
      item->shared = gst_vyre_shared_ref (shared);
      if (item->tenant)
        vyre_batch_set_tenant (item->batch, item->tenant);
      return GST_FLOW_OK;
    }
    GstFlowReturn flow = submit_go_on (self, item, reason, error);
    if (flow != GST_FLOW_OK) {
      if (staged->release)
        staged->release (staged->owner);
      return flow;
    }
    submit_watch_room (self, shared, item, &clock, &end);
  }
}

/* Waits for room for an older payload, for as long as @item may, as submit_publish() does for a
 * batch. */
static GstFlowReturn
submit_set_older (GstVyreFilter *self, const GstVyreItem *item, VyreStream *stream, guint from,
    const VyrePayload *staged, gsize size, GError **error)
{
  for (;;) {
    GError *reason = NULL;
    if (vyre_stream_set_older (stream, from, staged, size, submit_get_end (item), &reason))
      return GST_FLOW_OK;
    GstFlowReturn flow = submit_go_on (self, item, reason, error);
    if (flow != GST_FLOW_OK)
      return flow;
  }
}

/* Gives a new stream an older payload, that of @buffer, for the batch of @item. */
static GstFlowReturn
submit_restore (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyreStream *stream, guint from, GstBuffer *buffer, GError **error)
{
  GstVyreItem former
      = { .buffer = buffer, .plan = item->plan, .is_rerun = TRUE, .until = item->until };
  VyrePayload staged = { 0 };
  gsize size = gst_buffer_get_size (buffer);

  if (size == 0)
    return GST_FLOW_OK;
  GstFlowReturn flow = gst_vyre_staging_perform (self, shared, &former, &staged, error);
  if (flow != GST_FLOW_OK)
    return flow;
  flow = submit_set_older (self, &former, stream, from, &staged, size, error);
  if (flow != GST_FLOW_OK)
    staged.release (staged.owner);
  return flow;
}

/* Finds the stream of an item whose program has state. Returns as gst_vyre_submit(). */
static GstFlowReturn
submit_find_stream (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyreStream **stream, GError **error)
{
  g_auto (GstVyreOlder) older = { { NULL } };
  GstFlowReturn flow = GST_FLOW_OK;

  *stream = gst_vyre_carry_get_stream (self, item->carry, item->lane, &older);
  if (!*stream)
    return GST_VYRE_FLOW_AGAIN;
  for (guint from = 0; from < GST_VYRE_N_OLDER && flow == GST_FLOW_OK; from++) {
    if (older.buffers[from])
      flow = submit_restore (self, shared, item, *stream, from, older.buffers[from], error);
  }
  if (flow != GST_FLOW_OK) /* the stream lacks what the next batch on it would read */
    gst_vyre_carry_leave (self, item->carry);
  return flow;
}

/* Stages the payload of an item without a batch, if it has one, and publishes it on @shared.
 * Nothing is posted: GST_FLOW_ERROR comes with @error. GST_VYRE_FLOW_AGAIN: the kernel was replaced
 * meanwhile. GST_VYRE_FLOW_LATE: the item may wait no longer. */
GstFlowReturn
gst_vyre_submit (GstVyreFilter *self, GstVyreShared *shared, GstVyreItem *item, GError **error)
{
  g_autoptr (VyreStream) stream = NULL;
  VyrePayload staged = { 0 };
  GstFlowReturn flow = GST_FLOW_OK;

  if (item->carry)
    flow = submit_find_stream (self, shared, item, &stream, error);
  if (flow == GST_FLOW_OK && vyre_plan_get_payload_size (item->plan) > 0)
    flow = gst_vyre_staging_perform (self, shared, item, &staged, error);
  return flow == GST_FLOW_OK ? submit_publish (self, shared, item, stream, &staged, error) : flow;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreroom.h"

#include "common/gstvyrememory.h"

/* How long others may hold the staging memory that a copy needs while nothing is in flight */
#define STAGING_DEADLINE (5 * G_TIME_SPAN_SECOND)

/* TRUE if some staging memory will come free by itself: the kernel still runs batches of this
 * element. */
gboolean
gst_vyre_room_is_owed (GstVyreFilter *self, GstVyreShared *shared)
{
  VyreMegakernelCounters kernel;
  VyreTenantCounters ours = { 0 };

  vyre_megakernel_get_counters (shared->kernel, &kernel); /* collects completions */
  vyre_mutex_lock (&self->lock);
  gboolean is_known = self->tenant && self->shared == shared;
  if (is_known)
    vyre_tenant_get_counters (self->tenant, &ours);
  gboolean owed = is_known ? ours.outstanding > 0 : self->n_batches + self->n_late > 0;
  g_mutex_unlock (&self->lock);
  return owed;
}

/* TRUE if a payload of @size bytes can be copied to the kernel past the staging store. */
static gboolean
room_can_go_past (GstVyreShared *shared, const GstVyreItem *item, gsize size)
{
  return vyre_megakernel_stores_payload (shared->kernel, size)
         || (vyre_plan_get_older (item->plan) == 0
             && vyre_megakernel_can_import (shared->kernel, size));
}

static GError *
room_no_room (GstVyreShared *shared, gsize size)
{
  gsize used = vyre_store_get_used (vyre_megakernel_get_staging (shared->kernel));

  return g_error_new (VYRE_ERROR, VYRE_ERROR_NO_SPACE,
      "No %" G_GSIZE_FORMAT " bytes of staging memory became free in 5 s; elements in front and "
      "older payloads hold %" G_GSIZE_FORMAT " bytes of it. Fix: set staging-size=%" G_GSIZE_FORMAT
      " or more, or kernel-group=NAME, or have elements in front hold less.",
      size, used, GST_VYRE_ROOM (used) + GST_VYRE_ROOM (size));
}

/* A buffer that waits for room in the staging store */
typedef struct {
  GstVyreFilter *self;
  GstVyreShared *shared;
  const GstVyreItem *item;
  gint64 deadline; /* 0 at first */
  VyreClock clock; /* of the deadline */
  GstFlowReturn flow;
  GError **error;
} Room;

/* Says why the buffer waits no longer, in @flow, or OK. */
static GstFlowReturn
room_look (Room *room)
{
  GstVyreFilter *self = room->self;
  gsize size = gst_buffer_get_size (room->item->buffer);

  if (!vyre_megakernel_check (room->shared->kernel, room->error))
    return GST_FLOW_ERROR;
  vyre_mutex_lock (&self->lock);
  GstFlowReturn flow = gst_vyre_stream_get_flow (self);
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_OK)
    return flow;
  if (g_get_monotonic_time () >= room->item->until)
    return GST_VYRE_FLOW_LATE;
  gint64 now = vyre_clock_now (&room->clock);
  /* no batch precedes one that runs again */
  gboolean owed = gst_vyre_room_is_owed (self, room->shared) && !room->item->is_rerun;
  if (!owed && room->deadline > 0 && room_can_go_past (room->shared, room->item, size))
    return GST_VYRE_FLOW_NEXT;
  if (owed || room->deadline == 0)
    room->deadline = now + STAGING_DEADLINE;
  if (now <= room->deadline)
    return GST_FLOW_OK;
  g_propagate_error (room->error, room_no_room (room->shared, size));
  return GST_FLOW_ERROR;
}

static gboolean
room_waits (gpointer data)
{
  Room *room = data;

  room->flow = room_look (room);
  return room->flow == GST_FLOW_OK;
}

/* Waits for room of @size bytes in slices that end when the buffer has to go on. */
static gboolean
room_wait_until (Room *room, VyreStore *store, gsize size, gsize *offset)
{
  do {
    gint64 end = MIN (g_get_monotonic_time () + GST_VYRE_WAIT_SLICE, room->item->until);
    if (vyre_store_alloc (store, size, end, offset))
      return TRUE;
  } while (room_waits (room));
  return FALSE;
}

/* Waits for room in the staging store for all of the buffer, behind those that came before, for as
 * long as the buffer may. GST_VYRE_FLOW_NEXT if only upstream could make room, which may wait for
 * this very buffer, and the copy can go elsewhere. */
GstFlowReturn
gst_vyre_room_wait (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    gsize *offset, GError **error)
{
  VyreStore *store = vyre_megakernel_get_staging (shared->kernel);
  Room room = { self, shared, item, .flow = GST_FLOW_FLUSHING, .error = error };
  gsize size = gst_buffer_get_size (item->buffer);

  gboolean found = item->until == G_MAXINT64
                       ? vyre_store_alloc_while (store, size, room_waits, &room, offset)
                       : room_wait_until (&room, store, size, offset);
  if (!found)
    return room.flow;
  g_clear_error (error); /* the room came when the buffer was about to leave */
  return GST_FLOW_OK;
}

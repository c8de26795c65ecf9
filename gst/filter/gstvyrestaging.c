/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrestaging.h"

#include <gst/allocators/allocators.h>
#include <gst/video/video.h>

#include "common/gstvyrebytes.h"
#include "common/gstvyrefile.h"
#include "common/gstvyreimport.h"
#include "common/gstvyrememory.h"
#include "filter/gstvyreroom.h"

#define GST_CAT_DEFAULT gst_vyre_debug

static void
staging_count (GstVyreFilter *self, guint64 *counter, guint64 n)
{
  vyre_mutex_lock (&self->lock);
  *counter += n;
  g_mutex_unlock (&self->lock);
}

/* Returns the memory of a buffer that has exactly one, else NULL. */
static GstMemory *
staging_only_memory (GstBuffer *buffer)
{
  return gst_buffer_n_memory (buffer) == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
}

/* TRUE if the buffer is larger than the staging memory, whichever way it goes: on some devices all
 * payloads come to lie in a store of that size. */
static gboolean
staging_is_too_large (GstVyreShared *shared, GstBuffer *buffer)
{
  return gst_buffer_get_size (buffer)
         > vyre_store_get_size (vyre_megakernel_get_staging (shared->kernel));
}

static void
buffer_release (gpointer data)
{
  gst_buffer_unref (data);
}

/* Makes the payload hold @buffer, whose bytes it is. */
static void
staging_hold_buffer (VyrePayload *staged, GstBuffer *buffer)
{
  staged->release = buffer_release;
  staged->owner = gst_buffer_ref (buffer);
}

/* ---- in place: upstream wrote into the staging store ------------------------- */

static gboolean
staging_accepts_in_place (GstVyreFilter *self, GstVyreShared *shared, GstBuffer *buffer)
{
  VyreStore *store = vyre_megakernel_get_staging (shared->kernel);
  GstMemory *memory = staging_only_memory (buffer);
  gsize offset;

  return memory && gst_vyre_memory_find (memory, store, &offset) && offset % VYRE_GRANULE == 0;
}

static GstFlowReturn
stage_in_place (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyrePayload *staged, GError **error)
{
  VyreStore *store = vyre_megakernel_get_staging (shared->kernel);

  gst_vyre_memory_find (staging_only_memory (item->buffer), store, &staged->offset);
  staging_hold_buffer (staged, item->buffer);
  return GST_FLOW_OK;
}

/* Proposes a pool of frames, whose memory is of @allocator. */
static void
staging_propose_pool (GstQuery *query, GstAllocator *allocator, const GstAllocationParams *params)
{
  GstVideoInfo info;
  GstCaps *caps;
  gboolean wanted;

  gst_query_parse_allocation (query, &caps, &wanted);
  if (!wanted || !caps || !gst_video_info_from_caps (&info, caps)
      || GST_VIDEO_INFO_FORMAT (&info) == GST_VIDEO_FORMAT_ENCODED)
    return;
  GstBufferPool *pool = gst_video_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, (guint)GST_VIDEO_INFO_SIZE (&info), 0, 0);
  gst_buffer_pool_config_set_allocator (config, allocator, params);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (gst_buffer_pool_set_config (pool, config))
    gst_query_add_allocation_pool (query, pool, (guint)GST_VIDEO_INFO_SIZE (&info), 0, 0);
  gst_object_unref (pool);
}

/* Proposes the staging store, whose slices are whole pages: no payload needs padding for the bytes
 * that the kernel reads behind its end. */
static void
staging_propose_in_place (GstAllocator *lender, GstQuery *query)
{
  GstAllocationParams params;

  gst_allocation_params_init (&params);
  params.align = 4095;
  gst_query_add_allocation_param (query, lender, &params);
  staging_propose_pool (query, lender, &params);
}

/* TRUE if all bytes of @buffer are still as upstream wrote them. */
static gboolean
staging_is_readable (GstBuffer *buffer)
{
  gboolean lost = FALSE;

  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++)
    lost |= gst_vyre_memory_is_lost (gst_buffer_peek_memory (buffer, i));
  return !lost;
}

/* ---- stored: publishing stores it into the device from wherever it is -------- */

/* A buffer that is mapped until its payload is stored */
typedef struct {
  GstBuffer *buffer;
  GstMapInfo map;
} Mapped;

static void
mapped_free (gpointer data)
{
  Mapped *mapped = data;

  gst_buffer_unmap (mapped->buffer, &mapped->map);
  gst_buffer_unref (mapped->buffer);
  g_free (mapped);
}

static gboolean
staging_accepts_stored (GstVyreFilter *self, GstVyreShared *shared, GstBuffer *buffer)
{
  GstMemory *memory = staging_only_memory (buffer);

  return memory && !staging_is_too_large (shared, buffer)
         && vyre_megakernel_stores_payload (shared->kernel, gst_buffer_get_size (buffer))
         && gst_vyre_file_get_hold (memory) != GST_VYRE_FILE_LOOSE && staging_is_readable (buffer);
}

static GstFlowReturn
stage_stored (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyrePayload *staged, GError **error)
{
  Mapped *mapped = g_new (Mapped, 1);

  if (!gst_buffer_map (item->buffer, &mapped->map, GST_MAP_READ)) {
    g_free (mapped);
    return GST_VYRE_FLOW_NEXT;
  }
  mapped->buffer = gst_buffer_ref (item->buffer);
  *staged = (VyrePayload){
    .data = mapped->map.data,
    .release = mapped_free,
    .owner = mapped,
  };
  return GST_FLOW_OK;
}

/* ---- import: the device reads upstream's memory ------------------------------ */

static gboolean
staging_accepts_import (GstVyreFilter *self, GstVyreShared *shared, GstBuffer *buffer)
{
  GstMemory *memory = staging_only_memory (buffer);

  return memory && !staging_is_too_large (shared, buffer)
         && vyre_megakernel_imports_payload (shared->kernel, gst_buffer_get_size (buffer))
         && gst_vyre_import_accepts (memory, shared->kernel);
}

static GstFlowReturn
stage_import (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyrePayload *staged, GError **error)
{
  GstVyreImported imported;
  g_autoptr (GError) reason = NULL;

  if (vyre_plan_get_older (item->plan) != 0) /* a launch reads one source */
    return GST_VYRE_FLOW_NEXT;
  if (!gst_vyre_import_find (
          staging_only_memory (item->buffer), shared->kernel, &imported, &reason)) {
    GST_CAT_LOG_OBJECT (gst_vyre_performance_debug, self, "%s", reason->message);
    return GST_VYRE_FLOW_NEXT;
  }
  *staged = (VyrePayload){ .data = imported.data, .import = imported.import };
  staging_hold_buffer (staged, item->buffer);
  staging_count (self, imported.is_new ? &self->stats.imports : &self->stats.import_hits, 1);
  return GST_FLOW_OK;
}

/* ---- in the staging store: read there from a file, or copied ------------------ */

/* A slice of the staging store, and the store that frees it */
typedef struct {
  VyreStore *store;
  gsize offset;
} Slice;

static void
slice_free (gpointer data)
{
  Slice *slice = data;

  vyre_store_free (slice->store, slice->offset);
  vyre_store_unref (slice->store);
  g_free (slice);
}

static GError *
staging_too_large (GstVyreShared *shared, gsize size)
{
  gsize room = vyre_store_get_size (vyre_megakernel_get_staging (shared->kernel));
  gsize most = vyre_device_get_max_payload (vyre_megakernel_get_device (shared->kernel));

  if (size > most)
    return g_error_new (VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "A buffer of %" G_GSIZE_FORMAT " bytes is more than the %" G_GSIZE_FORMAT
        " bytes this device can address. Fix: send smaller buffers, or choose another device.",
        size, most);
  return g_error_new (VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "A buffer of %" G_GSIZE_FORMAT " bytes does not fit the %" G_GSIZE_FORMAT
      " bytes of staging memory. Fix: set staging-size=%" G_GSIZE_FORMAT
      " or more, or send smaller buffers.",
      size, room, size);
}

/* Upstream's thread, which waits for memory of the lender. A buffer goes back when its readback
 * does, for it may have to run again, and before its batch is no longer counted. */
static VyreProspect
staging_look_ahead (gpointer filter)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (filter);
  g_autoptr (GstVyreShared) shared = gst_vyre_state_get_shared (self);

  vyre_mutex_lock (&self->lock);
  GstFlowReturn flow = gst_vyre_stream_get_flow (self);
  gboolean has_batches = self->n_batches + self->n_late > 0;
  g_mutex_unlock (&self->lock);
  if (!shared || flow != GST_FLOW_OK)
    return VYRE_PROSPECT_NONE;
  return has_batches || gst_vyre_room_is_owed (self, shared) ? VYRE_PROSPECT_OWN
                                                             : VYRE_PROSPECT_OTHERS;
}

/* Returns what lends staging memory of @shared to the element in front. */
GstAllocator *
gst_vyre_staging_new_lender (GstVyreFilter *self, GstVyreShared *shared)
{
  return gst_vyre_allocator_new_lender (shared->upstream_allocator, staging_look_ahead, self);
}

/* Ends the loans of @lender, which it takes. Memory that is lent stays so. No lock is held: threads
 * that wait for memory may have to leave. */
void
gst_vyre_staging_free_lender (GstVyreFilter *self, GstAllocator *lender)
{
  if (!g_atomic_int_get (&self->inherited)) /* a thread of the parent may have waited */
    gst_vyre_allocator_disown (lender);
  gst_object_unref (lender);
}

/* Reserves room in the staging store for all of the buffer, in @staged. */
static GstFlowReturn
staging_alloc_slice (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyrePayload *staged, GError **error)
{
  VyreStore *store = vyre_megakernel_get_staging (shared->kernel);
  gsize offset;

  if (staging_is_too_large (shared, item->buffer)) {
    g_propagate_error (error, staging_too_large (shared, gst_buffer_get_size (item->buffer)));
    return GST_FLOW_ERROR;
  }
  GstFlowReturn flow = gst_vyre_room_wait (self, shared, item, &offset, error);
  if (flow != GST_FLOW_OK)
    return flow;
  Slice *slice = g_new (Slice, 1);
  *slice = (Slice){ .store = vyre_store_ref (store), .offset = offset };
  *staged = (VyrePayload){ .offset = offset, .release = slice_free, .owner = slice };
  return GST_FLOW_OK;
}

static gboolean
staging_accepts_file (GstVyreFilter *self, GstVyreShared *shared, GstBuffer *buffer)
{
  GstMemory *memory = staging_only_memory (buffer);

  return memory && gst_vyre_file_is_memory (memory);
}

/* Reads the file: writes to a shared mapping are in the file. */
static GstFlowReturn
stage_file (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyrePayload *staged, GError **error)
{
  GstMemory *memory = staging_only_memory (item->buffer);
  VyreStore *store = vyre_megakernel_get_staging (shared->kernel);
  g_autoptr (GError) reason = NULL;
  gsize size = memory->size, n = 0;

  GstFlowReturn flow = staging_alloc_slice (self, shared, item, staged, error);
  if (flow != GST_FLOW_OK)
    return flow;
  if (vyre_file_io_read (vyre_megakernel_get_file_io (shared->kernel),
          gst_fd_memory_get_fd (memory), memory->offset,
          vyre_store_get_data (store) + staged->offset, size, &n, &reason)
      && n == size)
    return GST_FLOW_OK;
  GST_CAT_LOG_OBJECT (gst_vyre_performance_debug, self,
      "read %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes: %s", n, size,
      reason ? reason->message : "the file is shorter");
  slice_free (staged->owner);
  if (gst_vyre_file_get_hold (memory) != GST_VYRE_FILE_LOOSE)
    return GST_VYRE_FLOW_NEXT;
  if (reason)
    g_propagate_error (error, g_steal_pointer (&reason));
  else
    gst_vyre_bytes_set_cut (error, size, n);
  return GST_FLOW_ERROR;
}

/* Counts the bytes of a copy, by its reason. */
static void
staging_count_copy (GstVyreFilter *self, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);
  GstMemory *memory = staging_only_memory (buffer);
  gboolean crowded = memory && gst_vyre_memory_was_refused (memory);

  GST_CAT_LOG_OBJECT (gst_vyre_performance_debug, self, "copied %" G_GSIZE_FORMAT " bytes", size);
  vyre_mutex_lock (&self->lock);
  self->stats.bounce_bytes += size;
  self->stats.crowded_bytes += crowded ? size : 0;
  self->stats.scattered_bytes += memory ? 0 : size;
  g_mutex_unlock (&self->lock);
}

/* Copies the bytes of @buffer on their way to the kernel, and counts them. */
gboolean
gst_vyre_staging_copy_bytes (GstVyreFilter *self, GstBuffer *buffer, guint8 *data, GError **error)
{
  if (!staging_is_readable (buffer)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST,
        "The bytes of a buffer lay in memory of the device that was lost. Fix: restart the "
        "pipeline.");
    return FALSE;
  }
  if (!gst_vyre_bytes_copy (buffer, data, error))
    return FALSE;
  staging_count_copy (self, buffer);
  return TRUE;
}

static gboolean
staging_accepts_all (GstVyreFilter *self, GstVyreShared *shared, GstBuffer *buffer)
{
  return TRUE;
}

static GstFlowReturn
stage_copy (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyrePayload *staged, GError **error)
{
  VyreStore *store = vyre_megakernel_get_staging (shared->kernel);

  GstFlowReturn flow = staging_alloc_slice (self, shared, item, staged, error);
  if (flow != GST_FLOW_OK)
    return flow;
  if (gst_vyre_staging_copy_bytes (
          self, item->buffer, vyre_store_get_data (store) + staged->offset, error))
    return GST_FLOW_OK;
  slice_free (staged->owner);
  return GST_FLOW_ERROR;
}

/* ---- aside: copied into memory of its own, where there is no room in the store - */

/* The copy, and its import if the kernel reads it through one */
typedef struct {
  guint8 *data;
  VyreImport *import;
} Aside;

/* Memory that a failed kernel still holds is not freed. */
static void
aside_free (gpointer data)
{
  Aside *aside = data;

  if (!aside->import || vyre_import_unref (aside->import))
    g_free (aside->data);
  g_free (aside);
}

/* Copies the buffer elsewhere: upstream holds the store, and may not release memory before this
 * buffer is taken. */
static GstFlowReturn
stage_aside (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyrePayload *staged, GError **error)
{
  gsize size = gst_buffer_get_size (item->buffer);
  Aside *aside = g_new0 (Aside, 1);

  aside->data = g_try_malloc (size);
  if (!aside->data)
    g_propagate_error (error, gst_vyre_no_memory (size));
  gboolean fine
      = aside->data && gst_vyre_staging_copy_bytes (self, item->buffer, aside->data, error);
  if (fine && !vyre_megakernel_stores_payload (shared->kernel, size))
    fine = (aside->import = vyre_import_new (shared->kernel, aside->data, size, error)) != NULL;
  if (!fine) {
    aside_free (aside);
    return GST_FLOW_ERROR;
  }
  *staged = (VyrePayload){
    .data = aside->data,
    .import = aside->import,
    .release = aside_free,
    .owner = aside,
  };
  return GST_FLOW_OK;
}

/* ---- the table --------------------------------------------------------------- */

typedef struct {
  const gchar *name;
  void (*propose) (
      GstAllocator *lender, GstQuery *query); /* or NULL: the method takes any memory */
  gboolean (*accepts) (GstVyreFilter *self, GstVyreShared *shared, GstBuffer *buffer);
  GstFlowReturn (*perform) (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
      VyrePayload *staged, GError **error);
  gsize counter; /* counter of the bytes, in the statistics; 0: the method counts by itself */
} Method;

/* Cheapest first. What is imported, the CPU may store, too, where that is faster. */
static const Method methods[] = {
  { "in place", staging_propose_in_place, staging_accepts_in_place, stage_in_place,
      G_STRUCT_OFFSET (GstVyreStats, arena_bytes) },
  { "import", NULL, staging_accepts_import, stage_import,
      G_STRUCT_OFFSET (GstVyreStats, import_bytes) },
  { "stored", NULL, staging_accepts_stored, stage_stored,
      G_STRUCT_OFFSET (GstVyreStats, direct_bytes) },
  { "file", NULL, staging_accepts_file, stage_file, G_STRUCT_OFFSET (GstVyreStats, fd_bytes) },
  { "copy", NULL, staging_accepts_all, stage_copy, 0 },
  { "aside", NULL, staging_accepts_all, stage_aside, 0 },
};

/* Answers an ALLOCATION query, with or without caps: filesrc and others ask without caps, and then
 * write straight into the proposed memory. */
gboolean
gst_vyre_staging_propose (GstVyreFilter *self, GstQuery *query)
{
  vyre_mutex_lock (&self->lock);
  g_autoptr (GstAllocator) lender = self->lender ? gst_object_ref (self->lender) : NULL;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; lender && i < G_N_ELEMENTS (methods); i++) {
    if (methods[i].propose)
      methods[i].propose (lender, query);
  }
  gst_vyre_geometry_propose (&self->geometry, query);
  return TRUE;
}

/* Stages the payload of @item for the kernel of @shared, and posts nothing: GST_FLOW_ERROR comes
 * with @error. */
GstFlowReturn
gst_vyre_staging_perform (GstVyreFilter *self, GstVyreShared *shared, const GstVyreItem *item,
    VyrePayload *staged, GError **error)
{
  GstFlowReturn flow = GST_VYRE_FLOW_NEXT;

  for (const Method *method = methods; flow == GST_VYRE_FLOW_NEXT; method++) {
    if (!method->accepts (self, shared, item->buffer))
      continue;
    flow = method->perform (self, shared, item, staged, error);
    GST_LOG_OBJECT (self, "%s: %s", method->name, gst_flow_get_name (flow));
    if (flow == GST_FLOW_OK && method->counter)
      staging_count (self, &G_STRUCT_MEMBER (guint64, &self->stats, method->counter),
          gst_buffer_get_size (item->buffer));
  }
  return flow;
}

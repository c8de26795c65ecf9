/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrereadback.h"

#include <string.h>

#include "library/gstvyrefields.h"
#include "common/gstvyrefork.h"

/* Names of the fields with the offset and the size of each part */
static GQuark meta_fields[VYRE_N_PARTS][2];
static GQuark states_field;
static GType meta_api;

/* A copy of the whole buffer keeps the meta; a region of it need not hold all four parts. */
static gboolean
meta_transform (GstBuffer *to, GstCustomMeta *meta, GstBuffer *from, GQuark type, gpointer data,
    gpointer user_data)
{
  GstMetaTransformCopy *copy = data;

  if (!GST_META_TRANSFORM_IS_COPY (type) || copy->region)
    return FALSE;
  GstCustomMeta *added = gst_buffer_add_custom_meta (to, GST_VYRE_READBACK_META);
  if (!added)
    return FALSE;
  GstStructure *source = gst_custom_meta_get_structure (meta);
  GstStructure *target = gst_custom_meta_get_structure (added);
  for (gint i = 0; i < gst_structure_n_fields (source); i++) {
    const gchar *name = gst_structure_nth_field_name (source, (guint)i);
    gst_structure_set_value (target, name, gst_structure_get_value (source, name));
  }
  return TRUE;
}

/* Registers what readbacks consist of while no streaming thread runs: a child that came while one
 * registered a type would wait for the rest for ever. */
void
gst_vyre_readback_init (void)
{
  static const gchar *tags[] = { NULL };
  static const gchar *const parts[] = { "control", "ring", "debug-log", "io-queue" };

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    g_autofree gchar *offset = g_strconcat (parts[part], "-offset", NULL);
    g_autofree gchar *size = g_strconcat (parts[part], "-size", NULL);
    meta_fields[part][0] = g_quark_from_string (offset);
    meta_fields[part][1] = g_quark_from_string (size);
  }
  states_field = g_quark_from_static_string (GST_VYRE_EVENT_STATES);
  meta_api
      = gst_meta_register_custom (GST_VYRE_READBACK_META, tags, meta_transform, NULL, NULL)->api;
  g_type_class_ref (GST_TYPE_VYRE_READBACK_POOL);
}

static void
meta_add (GstBuffer *buffer, const VyreLayout *layout)
{
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, GST_VYRE_READBACK_META);
  GstStructure *structure = gst_custom_meta_get_structure (meta);

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    gst_vyre_fields_set_number (structure, meta_fields[part][0], layout->offset[part]);
    gst_vyre_fields_set_number (structure, meta_fields[part][1], layout->size[part]);
  }
}

/* Has the meta of @readback, which has no other user, say @states of events. Without these it says
 * none: a buffer of a pool may have been one of another program. */
void
gst_buffer_set_vyre_event_states (GstBuffer *readback, const GstStructure *states)
{
  GstCustomMeta *meta = (GstCustomMeta *)gst_buffer_get_meta (readback, meta_api);
  GstStructure *fields = gst_custom_meta_get_structure (meta);

  if (states)
    gst_vyre_fields_take (fields, states_field, gst_structure_copy (states));
  else if (gst_structure_id_has_field (fields, states_field))
    gst_structure_remove_field (fields, GST_VYRE_EVENT_STATES);
}

/* A pool that runs empty or is no longer empty makes a system call. With two buffers, one that
 * comes back meets another. */
#define LEAST_BUFFERS 2

struct _GstVyreReadbackPool {
  GstBufferPool parent;
  GstAllocator *allocator;
  VyreLayout layout;
  guint generation; /* forks since the plugin was loaded */
};

G_DEFINE_FINAL_TYPE (GstVyreReadbackPool, gst_vyre_readback_pool, GST_TYPE_BUFFER_POOL)

/* Makes the empty @buffer a readback: the four parts of @whole, which it takes. */
void
gst_buffer_append_vyre_readback (GstBuffer *buffer, GstMemory *whole, const VyreLayout *layout)
{
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    gst_buffer_append_memory (
        buffer, gst_memory_share (whole, (gssize)layout->offset[part], (gssize)layout->size[part]));
  gst_memory_unref (whole);
  meta_add (buffer, layout);
}

static GstFlowReturn
pool_alloc_buffer (GstBufferPool *pool, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
  GstVyreReadbackPool *self = GST_VYRE_READBACK_POOL (pool);

  *buffer = gst_buffer_new ();
  gst_buffer_append_vyre_readback (*buffer,
      gst_vyre_allocator_wrap (self->allocator, GST_VYRE_NO_SLICE, self->layout.total),
      &self->layout);
  return GST_FLOW_OK;
}

/* Returns the memory that the parts of a buffer share; NULL if the buffer has got other memories.
 * */
static GstMemory *
readback_peek_whole (GstBuffer *buffer)
{
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_TAG_MEMORY)
      || gst_buffer_n_memory (buffer) != VYRE_N_PARTS)
    return NULL;
  return gst_buffer_peek_memory (buffer, 0)->parent;
}

/* TRUE if no other user has a part of @whole, or a part of a part. A user may hold a reference
 * without a lock on the memory, so references count. The parts are checked first: a user can make a
 * part of a part until it drops the part. */
static gboolean
readback_is_sole_user (GstBuffer *buffer, GstMemory *whole)
{
  gboolean sole = TRUE;

  for (guint part = 0; part < VYRE_N_PARTS; part++)
    sole &= GST_MINI_OBJECT_REFCOUNT_VALUE (gst_buffer_peek_memory (buffer, part)) == 1;
  return sole && GST_MINI_OBJECT_REFCOUNT_VALUE (whole) == VYRE_N_PARTS;
}

/* TRUE if the buffer still has all parts as they were, however often it was mapped and read. */
static gboolean
readback_is_intact (GstVyreReadbackPool *self, GstBuffer *buffer)
{
  gboolean intact = gst_buffer_get_meta (buffer, meta_api) != NULL;

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    const GstMemory *memory = gst_buffer_peek_memory (buffer, part);
    intact
        &= memory->offset == self->layout.offset[part] && memory->size == self->layout.size[part];
  }
  return intact;
}

/* A buffer that a user has cut, or whose memory a user keeps, is not used again: it is freed, and
 * the slice goes with its last user. */
static void
pool_reset_buffer (GstBufferPool *pool, GstBuffer *buffer)
{
  GstMemory *whole = readback_peek_whole (buffer);

  if (whole && readback_is_intact (GST_VYRE_READBACK_POOL (pool), buffer)
      && readback_is_sole_user (buffer, whole))
    gst_vyre_memory_set_slice (whole, GST_VYRE_NO_SLICE);
  else
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  GST_BUFFER_POOL_CLASS (gst_vyre_readback_pool_parent_class)->reset_buffer (pool, buffer);
}

/* A child of the process keeps buffers that come back: the socket of the pool is shared with the
 * parent. */
static void
pool_release_buffer (GstBufferPool *pool, GstBuffer *buffer)
{
  if (GST_VYRE_READBACK_POOL (pool)->generation == gst_vyre_fork_generation)
    GST_BUFFER_POOL_CLASS (gst_vyre_readback_pool_parent_class)->release_buffer (pool, buffer);
}

static void
gst_vyre_readback_pool_finalize (GObject *object)
{
  gst_object_unref (GST_VYRE_READBACK_POOL (object)->allocator);
  G_OBJECT_CLASS (gst_vyre_readback_pool_parent_class)->finalize (object);
}

static void
gst_vyre_readback_pool_class_init (GstVyreReadbackPoolClass *klass)
{
  GST_BUFFER_POOL_CLASS (klass)->alloc_buffer = pool_alloc_buffer;
  GST_BUFFER_POOL_CLASS (klass)->reset_buffer = pool_reset_buffer;
  GST_BUFFER_POOL_CLASS (klass)->release_buffer = pool_release_buffer;
  G_OBJECT_CLASS (klass)->finalize = gst_vyre_readback_pool_finalize;
}

static void
gst_vyre_readback_pool_init (GstVyreReadbackPool *self)
{
}

/* Returns an active pool of readbacks of one layout, over slices of the store of @allocator. */
GstVyreReadbackPool *
gst_vyre_readback_pool_new (GstAllocator *allocator, const VyreLayout *layout)
{
  GstVyreReadbackPool *self = g_object_new (GST_TYPE_VYRE_READBACK_POOL, NULL);
  GstBufferPool *pool = GST_BUFFER_POOL_CAST (self);
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_object_ref_sink (self);
  self->allocator = gst_object_ref (allocator);
  self->layout = *layout;
  self->generation = gst_vyre_fork_generation;
  gst_buffer_pool_config_set_params (config, NULL, (guint)layout->total, LEAST_BUFFERS, 0);
  gst_buffer_pool_set_config (pool, config);
  gst_buffer_pool_set_active (pool, TRUE);
  return self;
}

gboolean
gst_vyre_readback_pool_is_for (
    GstVyreReadbackPool *self, GstAllocator *allocator, const VyreLayout *layout)
{
  return self->allocator == allocator && memcmp (&self->layout, layout, sizeof *layout) == 0;
}

/* Returns a buffer over @slice, which it frees in the end; NULL if the pool has none. */
GstBuffer *
gst_vyre_readback_pool_take (GstVyreReadbackPool *self, gsize slice)
{
  GstBuffer *buffer = NULL;

  if (gst_buffer_pool_acquire_buffer (GST_BUFFER_POOL_CAST (self), &buffer, NULL) != GST_FLOW_OK)
    return NULL;
  gst_vyre_memory_set_slice (readback_peek_whole (buffer), slice);
  /* downstream may remove the meta, as from any other buffer */
  GST_META_FLAG_UNSET (gst_buffer_get_meta (buffer, meta_api), GST_META_FLAG_LOCKED);
  return buffer;
}

/* Takes the reference. Buffers in use stay valid. */
void
gst_vyre_readback_pool_close (GstVyreReadbackPool *self)
{
  gst_buffer_pool_set_active (GST_BUFFER_POOL_CAST (self), FALSE);
  gst_object_unref (self);
}

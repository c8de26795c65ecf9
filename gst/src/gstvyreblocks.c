/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "src/gstvyreblocks.h"

#include "common/gstvyrememory.h"

#define GST_CAT_DEFAULT gst_vyre_src_debug
GST_DEBUG_CATEGORY (gst_vyre_src_debug);

/* Alignment of a block's memory. Some CPUs copy at an eighth of the speed into memory that starts
 * 16 bytes behind a page, where allocators like to put it. */
#define ALIGNMENT 64

/* A read in flight, and the buffer that it fills */
typedef struct {
  GstBuffer *buffer;
  GstMapInfo map;
  guint64 offset;
  VyreFileRead *read;
} Block;

static void
blocks_post_no_memory (GstVyreBlocks *self, gsize length)
{
  GST_ELEMENT_ERROR (self->src, RESOURCE, NO_SPACE_LEFT,
      ("No memory for %" G_GSIZE_FORMAT " bytes. Fix: set a smaller blocksize or queue-depth.",
          length),
      (NULL));
}

/* Drops the first block, and waits for its read: Linux writes to its memory. */
static void
blocks_drop_first (GstVyreBlocks *self)
{
  Block *block = g_queue_pop_head (&self->queue);

  vyre_file_io_finish (self->file_io, block->read, NULL, NULL);
  gst_buffer_unmap (block->buffer, &block->map);
  gst_buffer_unref (block->buffer);
  g_free (block);
}

static void
blocks_drop (GstVyreBlocks *self)
{
  while (!g_queue_is_empty (&self->queue))
    blocks_drop_first (self);
}

/* Makes a #VyreFileIo that registers the store of @allocator, which may be NULL or have none. */
void
gst_vyre_blocks_set_store (GstVyreBlocks *self, GstAllocator *allocator)
{
  VyreStore *store = gst_vyre_allocator_get_store (allocator);

  gst_vyre_allocator_note_keeps_nothing (allocator);
  if (self->file_io && self->store == store)
    return;
  blocks_drop (self);
  VyreFileIo *file_io = vyre_file_io_new (store ? vyre_store_get_data (store) : NULL,
      store ? vyre_store_get_size (store) : 0, VYRE_READ_MODE_SINGLE_ISSUER);
  GST_OBJECT_LOCK (self->src);
  VyreFileIo *last = g_steal_pointer (&self->file_io);
  self->file_io = file_io;
  GST_OBJECT_UNLOCK (self->src);
  vyre_file_io_free (last);
  g_clear_pointer (&self->store, vyre_store_unref);
  self->store = store ? vyre_store_ref (store) : NULL;
  GST_INFO_OBJECT (self->src, "%s, %s", vyre_read_mode_name (vyre_file_io_get_mode (file_io)),
      vyre_file_io_is_registered (file_io) ? "fixed reads" : "reads");
  const char *reason = vyre_file_io_get_reason (file_io);
  if (reason && !gst_vyre_allocator_was_told (allocator))
    GST_ELEMENT_WARNING (self->src, RESOURCE, NOT_AUTHORIZED, ("%s", reason), (NULL));
}

/* Starts to read the next @length bytes. */
static GstFlowReturn
blocks_start (GstVyreBlocks *self, gsize length, GError **error)
{
  GstAllocationParams params;
  GstAllocator *allocator;
  Block *block = g_new0 (Block, 1);

  gst_base_src_get_allocator (self->src, &allocator, &params);
  params.align |= MAX (self->direct.memory_alignment, ALIGNMENT) - 1;
  block->buffer = gst_buffer_new_allocate (allocator, length, &params);
  gst_clear_object (&allocator);
  if (!block->buffer || !gst_buffer_map (block->buffer, &block->map, GST_MAP_WRITE)) {
    gst_clear_buffer (&block->buffer);
    g_free (block);
    blocks_post_no_memory (self, length);
    return GST_FLOW_ERROR;
  }
  block->offset = self->next;
  gboolean direct = gst_vyre_direct_takes (&self->direct, block->offset, block->map.data, length);
  block->read = vyre_file_io_start_direct (self->file_io, self->fd, direct ? self->direct.fd : -1,
      block->offset, block->map.data, length, error);
  if (!block->read) {
    gst_buffer_unmap (block->buffer, &block->map);
    gst_buffer_unref (block->buffer);
    g_free (block);
    return GST_FLOW_ERROR;
  }
  g_queue_push_tail (&self->queue, block);
  self->next += length;
  return GST_FLOW_OK;
}

/* TRUE if there is memory for a block that is not wanted yet. Downstream that has lent all its
 * memory is behind: reading ahead into other memory would cost a copy and save no time. For a block
 * that is wanted, its allocator waits. */
static gboolean
blocks_have_place (GstVyreBlocks *self, gsize length)
{
  GstAllocator *allocator;
  GstAllocationParams params;

  gst_base_src_get_allocator (self->src, &allocator, &params);
  gboolean fine = !gst_vyre_allocator_get_store (allocator)
                  || gst_vyre_allocator_can_lend (allocator, length, &params);
  gst_clear_object (&allocator);
  return fine;
}

/* Reads ahead, up to the end of the file, blocks like the one of @length bytes that is wanted now.
 * */
static GstFlowReturn
blocks_read_ahead (
    GstVyreBlocks *self, guint64 offset, gsize length, guint64 size, guint depth, GError **error)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (g_queue_is_empty (&self->queue)) {
    self->next = offset;
    flow = blocks_start (self, length, error); /* also at the end of the file: it may have grown */
  }
  while (flow == GST_FLOW_OK && self->queue.length < depth && self->next < size
         && blocks_have_place (self, (gsize)MIN (length, size - self->next)))
    flow = blocks_start (self, (gsize)MIN (length, size - self->next), error);
  return flow;
}

/* TRUE if the block has the wanted place and size. */
static gboolean
block_is_wanted (const Block *block, guint64 offset, gsize length, guint64 size)
{
  return block->offset == offset
         && (block->map.size == length
             || (block->map.size < length && offset + block->map.size == size));
}

/* A file system that refuses an aligned direct read is not asked again. The descriptor stays open
 * for reads in flight. */
static void
blocks_heed_refusals (GstVyreBlocks *self)
{
  VyreFileIoCounters reads;

  if (self->direct.fd < 0 || self->direct.refused)
    return;
  vyre_file_io_get_counters (self->file_io, &reads);
  self->direct.refused = reads.direct_refusals > 0;
  if (self->direct.refused)
    GST_WARNING_OBJECT (self->src,
        "direct reads are refused, although aligned: reading through the "
        "page cache from here on. Fix: set direct-io=never.");
}

/* Hands out the first block, or finds the end of the file. */
static GstFlowReturn
blocks_finish (GstVyreBlocks *self, guint64 offset, GstBuffer **buffer, GError **error)
{
  gsize arrived;
  Block *block = g_queue_pop_head (&self->queue);
  gboolean fine = vyre_file_io_finish (self->file_io, block->read, &arrived, error);
  gboolean whole = arrived == block->map.size;
  blocks_heed_refusals (self);
  gst_buffer_unmap (block->buffer, &block->map);
  GstBuffer *read = block->buffer;
  g_free (block);
  if (!fine || arrived == 0) {
    gst_buffer_unref (read);
    blocks_drop (self);
    return fine ? GST_FLOW_EOS : GST_FLOW_ERROR;
  }
  gst_buffer_set_size (read, (gssize)arrived);
  GST_BUFFER_OFFSET (read) = offset;
  GST_BUFFER_OFFSET_END (read) = offset + arrived;
  if (!whole) /* the file has become shorter: the blocks read ahead lie behind its end */
    blocks_drop (self);
  *buffer = read;
  return GST_FLOW_OK;
}

/* Reads the @length bytes at @offset of a file of @size bytes, and keeps up to @depth reads of as
 * many bytes in flight. GST_FLOW_ERROR comes with @error, unless it is about memory, which is
 * posted. */
GstFlowReturn
gst_vyre_blocks_read (GstVyreBlocks *self, guint64 offset, gsize length, guint64 size, guint depth,
    GstBuffer **buffer, GError **error)
{
  const Block *block = g_queue_peek_head (&self->queue);

  if (block && !block_is_wanted (block, offset, length, size))
    blocks_drop (self);
  GstFlowReturn flow = blocks_read_ahead (self, offset, length, size, depth, error);
  return flow == GST_FLOW_OK ? blocks_finish (self, offset, buffer, error) : flow;
}

void
gst_vyre_blocks_init (GstVyreBlocks *self, GstBaseSrc *src)
{
  self->src = src;
  self->fd = -1;
  self->direct = (GstVyreDirect)GST_VYRE_DIRECT_NONE;
  g_queue_init (&self->queue);
}

/* Ends the reads and their file I/O. */
void
gst_vyre_blocks_stop (GstVyreBlocks *self)
{
  blocks_drop (self);
  GST_OBJECT_LOCK (self->src);
  VyreFileIo *file_io = g_steal_pointer (&self->file_io);
  GST_OBJECT_UNLOCK (self->src);
  vyre_file_io_free (file_io);
  g_clear_pointer (&self->store, vyre_store_unref);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vyresrc
 * @title: vyresrc
 *
 * Reads a file by io_uring, several blocks ahead, into the memory that downstream proposes: in
 * front of vyrefilter that is where the kernel reads payloads.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m vyresrc location=film.webm ! vyrefilter program=builtin:bytes ! fakesink
 * ]| The byte histogram and the CRC-32 of every block of a file.
 */
#include "src/gstvyresrc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/gstvyredirect.h"
#include "common/gstvyrefork.h"
#include "common/gstvyrememory.h"
#include "common/gstvyrethread.h"
#include "src/gstvyreuri.h"

#define GST_CAT_DEFAULT cat_source
GST_DEBUG_CATEGORY_STATIC (GST_CAT_DEFAULT);

/* What a read costs beside its bytes is the same for all sizes, and so is what a batch costs
 * downstream: below this much it shows. */
#define DEFAULT_BLOCKSIZE (1024 * 1024)
#define DEFAULT_QUEUE_DEPTH 8
#define MOST_QUEUE_DEPTH 63 /* of one ring */

/* Of a block's memory. Into memory that starts 16 bytes behind a page, as allocators like it,
 * some CPUs copy at an eighth of the speed. */
#define ALIGNMENT 64

enum {
  PROP_LOCATION = 1,
  PROP_QUEUE_DEPTH,
  PROP_DIRECT_IO,
  PROP_STATS,
};

typedef enum {
  DIRECT_IO_AUTO,
  DIRECT_IO_NEVER,
  DIRECT_IO_ALWAYS,
} DirectIo;

/* A read on its way, and the buffer that it fills. */
typedef struct {
  GstBuffer *buffer;
  GstMapInfo map;
  guint64 offset;
  VyreFileRead *read;
} Block;

struct _GstVyreSrc {
  GstBaseSrc parent;

  /* object lock */
  gchar *location;
  guint queue_depth;
  DirectIo direct_io;
  VyreFileIo *file_io; /* from the negotiation to the end of the stream */

  /* streaming thread; start and stop while it does not run */
  int fd;
  gboolean has_size;    /* it says how long it is; otherwise it is read to its end, in order */
  GstVyreDirect direct; /* of the same file */
  VyreStore *store;     /* what the file I/O has registered, or NULL */
  GQueue blocks;        /* of Block, by offset, without gaps */
  guint64 next;         /* offset behind the last of them */
  guint64 position;     /* offset behind what was handed out */
};

#define GST_TYPE_VYRE_DIRECT_IO (gst_vyre_direct_io_get_type ())
static GType
gst_vyre_direct_io_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { DIRECT_IO_AUTO, "Of large files that the page cache does not have", "auto" },
    { DIRECT_IO_NEVER, "All reads through the page cache", "never" },
    { DIRECT_IO_ALWAYS, "All blocks that are aligned", "always" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVyreDirectIo", values));
  return type;
}

static GstStaticPadTemplate src_template
    = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    GstVyreSrc, gst_vyre_src, GST_TYPE_BASE_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, uri_handler_init);
    GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "vyresrc", 0, "files by io_uring"))

GST_ELEMENT_REGISTER_DEFINE (vyresrc, "vyresrc", GST_RANK_NONE, GST_TYPE_VYRE_SRC)

static gchar *
dup_location (GstVyreSrc *self)
{
  GST_OBJECT_LOCK (self);
  gchar *location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);
  return location;
}

/* Drops the first block; it is waited for, because the kernel writes to its memory. */
static void
drop_block (GstVyreSrc *self)
{
  Block *block = g_queue_pop_head (&self->blocks);

  vyre_file_io_finish (self->file_io, block->read, NULL, NULL);
  gst_buffer_unmap (block->buffer, &block->map);
  gst_buffer_unref (block->buffer);
  g_free (block);
}

static void
drop_blocks (GstVyreSrc *self)
{
  while (!g_queue_is_empty (&self->blocks))
    drop_block (self);
}

/* A #VyreFileIo whose ring knows the store of @allocator, which may be NULL or have none. */
static void
set_store (GstVyreSrc *self, GstAllocator *allocator)
{
  VyreStore *store = gst_vyre_allocator_get_store (allocator);

  if (self->file_io && self->store == store)
    return;
  drop_blocks (self);
  VyreFileIo *file_io = vyre_file_io_new (store ? vyre_store_get_data (store) : NULL,
      store ? vyre_store_get_size (store) : 0, VYRE_READ_MODE_SINGLE_ISSUER);
  GST_OBJECT_LOCK (self);
  VyreFileIo *last = g_steal_pointer (&self->file_io);
  self->file_io = file_io;
  GST_OBJECT_UNLOCK (self);
  vyre_file_io_free (last);
  g_clear_pointer (&self->store, vyre_store_unref);
  self->store = store ? vyre_store_ref (store) : NULL;
  GST_INFO_OBJECT (self, "%s, %s", vyre_read_mode_name (vyre_file_io_get_mode (file_io)),
      vyre_file_io_is_registered (file_io) ? "fixed reads" : "reads");
  const char *reason = vyre_file_io_get_reason (file_io);
  if (reason && !gst_vyre_allocator_was_told (allocator))
    GST_ELEMENT_WARNING (self, RESOURCE, NOT_AUTHORIZED, ("%s", reason), (NULL));
}

static gboolean
decide_allocation (GstBaseSrc *src, GstQuery *query)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);
  GstAllocator *allocator = NULL;
  GstAllocationParams params;

  gst_allocation_params_init (&params);
  if (gst_query_get_n_allocation_params (query) > 0)
    gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  set_store (self, allocator);
  gst_clear_object (&allocator);
  /* blocks are not the frames that a pool may be of */
  while (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_remove_nth_allocation_pool (query, 0);
  return GST_BASE_SRC_CLASS (gst_vyre_src_parent_class)->decide_allocation (src, query);
}

static GstFlowReturn
fail (GstVyreSrc *self, GError *error)
{
  g_autofree gchar *location = dup_location (self);
  g_autofree gchar *shown = g_filename_display_name (location);

  GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s: %s", shown, error->message), (NULL));
  g_error_free (error);
  return GST_FLOW_ERROR;
}

/* Starts to read the next @length bytes. */
static GstFlowReturn
start_block (GstVyreSrc *self, gsize length)
{
  GstAllocationParams params;
  GstAllocator *allocator;
  GError *error = NULL;
  Block *block = g_new0 (Block, 1);

  gst_base_src_get_allocator (GST_BASE_SRC_CAST (self), &allocator, &params);
  params.align |= MAX (self->direct.memory_alignment, ALIGNMENT) - 1;
  block->buffer = gst_buffer_new_allocate (allocator, length, &params);
  gst_clear_object (&allocator);
  if (!block->buffer || !gst_buffer_map (block->buffer, &block->map, GST_MAP_WRITE)) {
    gst_clear_buffer (&block->buffer);
    g_free (block);
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("No memory for %" G_GSIZE_FORMAT " bytes. Fix: set a smaller blocksize or queue-depth.",
            length),
        (NULL));
    return GST_FLOW_ERROR;
  }
  block->offset = self->next;
  gboolean direct = gst_vyre_direct_takes (&self->direct, block->offset, block->map.data, length);
  block->read = vyre_file_io_start_direct (self->file_io, self->fd, direct ? self->direct.fd : -1,
      block->offset, block->map.data, length, &error);
  if (!block->read) {
    gst_buffer_unmap (block->buffer, &block->map);
    gst_buffer_unref (block->buffer);
    g_free (block);
    return fail (self, error);
  }
  g_queue_push_tail (&self->blocks, block);
  self->next += length;
  return GST_FLOW_OK;
}

static gboolean
get_size (GstBaseSrc *src, guint64 *size)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);
  struct stat status;

  if (self->fd < 0 || !self->has_size || fstat (self->fd, &status) < 0)
    return FALSE;
  *size = (guint64)status.st_size;
  return TRUE;
}

/* How many blocks to have on their way. Who pulls says where, and has other places in mind
 * than the next one. */
static guint
get_depth (GstVyreSrc *self)
{
  if (GST_PAD_MODE (GST_BASE_SRC_PAD (self)) == GST_PAD_MODE_PULL)
    return 1;
  GST_OBJECT_LOCK (self);
  guint depth = self->queue_depth;
  GST_OBJECT_UNLOCK (self);
  return depth;
}

/* Whether a block that is not wanted yet has a place. Downstream that holds all that it can lend
 * is behind: what was read ahead into other memory would be copied, and be there no sooner. */
static gboolean
has_place (GstVyreSrc *self, gsize length)
{
  GstAllocator *allocator;
  GstAllocationParams params;

  gst_base_src_get_allocator (GST_BASE_SRC_CAST (self), &allocator, &params);
  gboolean fine = !gst_vyre_allocator_get_store (allocator)
                  || gst_vyre_allocator_can_lend (allocator, length, &params);
  gst_clear_object (&allocator);
  return fine;
}

/* Reads ahead, as far as the file goes, blocks like the one of @length bytes that is wanted
 * now. */
static GstFlowReturn
read_ahead (GstVyreSrc *self, guint64 offset, gsize length, guint64 size)
{
  guint depth = get_depth (self);
  GstFlowReturn flow = GST_FLOW_OK;

  if (g_queue_is_empty (&self->blocks)) {
    self->next = offset;
    flow = start_block (self, length); /* at the end of the file as well: it may have grown */
  }
  while (flow == GST_FLOW_OK && self->blocks.length < depth && self->next < size
         && has_place (self, (gsize)MIN (length, size - self->next)))
    flow = start_block (self, (gsize)MIN (length, size - self->next));
  return flow;
}

/* Blocks that were read for another place, or in another size, are of no use. */
static gboolean
is_wanted (const Block *block, guint64 offset, gsize length, guint64 size)
{
  return block->offset == offset
         && (block->map.size == length
             || (block->map.size < length && offset + block->map.size == size));
}

/* A file system that refuses direct reads after all is not asked again. The descriptor stays,
 * for those on their way. */
static void
heed_refusals (GstVyreSrc *self)
{
  VyreFileIoCounters reads;

  if (self->direct.fd < 0 || self->direct.refused)
    return;
  vyre_file_io_get_counters (self->file_io, &reads);
  self->direct.refused = reads.direct_refusals > 0;
  if (self->direct.refused)
    GST_WARNING_OBJECT (self, "direct reads are refused, although aligned: reading through the "
                              "page cache from here on. Fix: set direct-io=never.");
}

/* Hands out the first block, or finds the end of the file. */
static GstFlowReturn
finish_block (GstVyreSrc *self, guint64 offset, GstBuffer **buffer)
{
  GError *error = NULL;
  gsize arrived;
  Block *block = g_queue_pop_head (&self->blocks);
  gboolean fine = vyre_file_io_finish (self->file_io, block->read, &arrived, &error);
  gboolean whole = arrived == block->map.size;
  heed_refusals (self);
  gst_buffer_unmap (block->buffer, &block->map);
  GstBuffer *read = block->buffer;
  g_free (block);
  if (!fine || arrived == 0) {
    gst_buffer_unref (read);
    drop_blocks (self);
    return fine ? GST_FLOW_EOS : fail (self, error);
  }
  gst_buffer_set_size (read, (gssize)arrived);
  GST_BUFFER_OFFSET (read) = offset;
  GST_BUFFER_OFFSET_END (read) = offset + arrived;
  self->position = offset + arrived;
  if (!whole) /* the file has become shorter: what was read ahead lies behind its end */
    drop_blocks (self);
  *buffer = read;
  return GST_FLOW_OK;
}

/* The streaming thread gets GST_BUFFER_OFFSET_NONE where the base class counts in time, as
 * do-timestamp makes it: reading goes on, and the base class cuts no block at the file's end. */
static GstFlowReturn
create (GstBaseSrc *src, guint64 offset, guint length, GstBuffer **buffer)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);
  guint64 size = 0;
  Block *block = g_queue_peek_head (&self->blocks);

  if (length == 0 && GST_PAD_MODE (GST_BASE_SRC_PAD (src)) == GST_PAD_MODE_PUSH) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Blocks of 0 bytes read nothing. Fix: set blocksize to 1 or more."), (NULL));
    return GST_FLOW_ERROR;
  }
  if (!self->file_io) /* pulled from, without a negotiation */
    set_store (self, NULL);
  if (!get_size (src, &size))
    size = 0;
  if (offset == GST_BUFFER_OFFSET_NONE)
    offset = self->position;
  length = (guint)MIN (length, size > offset ? size - offset : DEFAULT_BLOCKSIZE);
  if (block && !is_wanted (block, offset, length, size))
    drop_blocks (self);
  GstFlowReturn flow = read_ahead (self, offset, length, size);
  return flow == GST_FLOW_OK ? finish_block (self, offset, buffer) : flow;
}

/* A place in time names no place in the file, except that the stream starts where the file
 * does, and nothing is known of a way back. */
static gboolean
do_seek (GstBaseSrc *src, GstSegment *segment)
{
  gboolean in_bytes = segment->format == GST_FORMAT_BYTES;

  if (!in_bytes && segment->rate < 0)
    return FALSE;
  if (!GST_BASE_SRC_CLASS (gst_vyre_src_parent_class)->do_seek (src, segment))
    return FALSE;
  if (!in_bytes)
    GST_VYRE_SRC (src)->position = 0;
  return TRUE;
}

static gboolean
refuse (GstVyreSrc *self, GstResourceError code, const gchar *location, const gchar *what,
    const gchar *fix)
{
  g_autofree gchar *shown = g_filename_display_name (location ? location : "vyresrc");

  gst_element_message_full (GST_ELEMENT_CAST (self), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, code,
      g_strdup_printf ("%s: %s. Fix: %s.", shown, what, fix), NULL, __FILE__, GST_FUNCTION,
      __LINE__);
  return FALSE;
}

/* Only of regular files is it known that they end, and that a read does. */
static gboolean
open_file (GstVyreSrc *self, const gchar *location)
{
  self->fd = vyre_file_open (location, O_RDONLY);
  self->has_size = self->fd >= 0 && vyre_file_tells_size (self->fd);
  if (self->fd >= 0)
    return TRUE;
  if (errno == EISDIR || errno == ENODEV)
    return refuse (self, GST_RESOURCE_ERROR_OPEN_READ, location,
        errno == EISDIR ? "a directory" : "not a regular file",
        "name a regular file, or use fdsrc or filesrc for what has no end");
  return refuse (self,
      errno == ENOENT ? GST_RESOURCE_ERROR_NOT_FOUND : GST_RESOURCE_ERROR_OPEN_READ, location,
      g_strerror (errno), "name a file that can be read");
}

/* Who asks for direct reads hears that there are none. */
static void
open_direct (GstVyreSrc *self, const gchar *location)
{
  GST_OBJECT_LOCK (self);
  DirectIo wanted = self->direct_io;
  GST_OBJECT_UNLOCK (self);
  if (wanted == DIRECT_IO_AUTO) {
    /* who pulls comes back to what it has read */
    if (GST_PAD_MODE (GST_BASE_SRC_PAD (self)) == GST_PAD_MODE_PUSH
        && gst_vyre_direct_pays (self->fd))
      gst_vyre_direct_open (&self->direct, self->fd);
  } else if (wanted == DIRECT_IO_ALWAYS && !gst_vyre_direct_open (&self->direct, self->fd)) {
    g_autofree gchar *shown = g_filename_display_name (location);
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("%s: its file system takes no direct reads. Fix: set direct-io=never, or move the file.",
            shown),
        (NULL));
  }
}

static void
close_file (GstVyreSrc *self)
{
  gst_vyre_direct_close (&self->direct);
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

/* In a child. What is being read is left alone. */
static void
become_inherited (gpointer element)
{
  GstBaseSrc *src = GST_BASE_SRC (element);

  g_mutex_init (GST_OBJECT_GET_LOCK (src));
  g_mutex_init (&src->live_lock);
  g_cond_init (&src->live_cond);
  gst_vyre_fork_forget_thread (GST_BASE_SRC_PAD (src));
}

static gboolean
start (GstBaseSrc *src)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);
  g_autofree gchar *location = dup_location (self);

  if (!location || !*location)
    return refuse (self, GST_RESOURCE_ERROR_NOT_FOUND, NULL, "no file", "set location");
  if (!gst_vyre_thread_check (GST_ELEMENT_CAST (self)) || !open_file (self, location)) {
    close_file (self);
    return FALSE;
  }
  open_direct (self, location);
  gst_vyre_fork_watch (self, become_inherited);
  return TRUE;
}

static gboolean
stop (GstBaseSrc *src)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);

  gst_vyre_fork_unwatch (self);
  drop_blocks (self);
  GST_OBJECT_LOCK (self);
  VyreFileIo *file_io = g_steal_pointer (&self->file_io);
  GST_OBJECT_UNLOCK (self);
  vyre_file_io_free (file_io);
  g_clear_pointer (&self->store, vyre_store_unref);
  close_file (self);
  return TRUE;
}

static gboolean
is_seekable (GstBaseSrc *src)
{
  return GST_VYRE_SRC (src)->has_size;
}

static GstStructure *
describe (GstVyreSrc *self)
{
  VyreFileIoCounters reads = { 0 };
  const gchar *mode = "none";
  gboolean registered = FALSE;

  GST_OBJECT_LOCK (self);
  if (self->file_io) {
    vyre_file_io_get_counters (self->file_io, &reads);
    mode = vyre_read_mode_name (vyre_file_io_get_mode (self->file_io));
    registered = vyre_file_io_is_registered (self->file_io);
  }
  GST_OBJECT_UNLOCK (self);
  return gst_structure_new ("application/x-vyresrc-stats", "ingest-mode", G_TYPE_STRING, mode,
      "registered", G_TYPE_BOOLEAN, registered, "reads-submitted", G_TYPE_UINT64,
      reads.reads_submitted, "reads-completed", G_TYPE_UINT64, reads.reads_completed,
      "reads-failed", G_TYPE_UINT64, reads.reads_failed, "bytes-completed", G_TYPE_UINT64,
      reads.bytes_completed, "fixed-reads", G_TYPE_UINT64, reads.fixed_reads, "ring-reads",
      G_TYPE_UINT64, reads.ring_reads, "plain-reads", G_TYPE_UINT64, reads.plain_reads,
      "direct-reads", G_TYPE_UINT64, reads.direct_reads, "direct-refusals", G_TYPE_UINT64,
      reads.direct_refusals, "short-reads", G_TYPE_UINT64, reads.short_reads, NULL);
}

static gboolean
set_location (GstVyreSrc *self, const gchar *location)
{
  GST_OBJECT_LOCK (self);
  gboolean idle = GST_STATE (self) < GST_STATE_PAUSED;
  if (idle) {
    g_free (self->location);
    self->location = g_strdup (location);
  }
  GST_OBJECT_UNLOCK (self);
  if (!idle)
    g_warning ("vyresrc: location can be set up to READY only.");
  return idle;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstVyreSrc *self = GST_VYRE_SRC (object);

  switch (id) {
    case PROP_LOCATION:
      set_location (self, g_value_get_string (value));
      break;
    case PROP_QUEUE_DEPTH:
      GST_OBJECT_LOCK (self);
      self->queue_depth = g_value_get_uint (value);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_DIRECT_IO:
      GST_OBJECT_LOCK (self);
      self->direct_io = (DirectIo)g_value_get_enum (value);
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstVyreSrc *self = GST_VYRE_SRC (object);

  switch (id) {
    case PROP_LOCATION:
      g_value_take_string (value, dup_location (self));
      break;
    case PROP_QUEUE_DEPTH:
      GST_OBJECT_LOCK (self);
      g_value_set_uint (value, self->queue_depth);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_DIRECT_IO:
      GST_OBJECT_LOCK (self);
      g_value_set_enum (value, (gint)self->direct_io);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, describe (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
}

static GstURIType
get_uri_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
get_protocols (GType type)
{
  static const gchar *const protocols[] = { GST_VYRE_URI_SCHEME, NULL };

  return protocols;
}

static gchar *
get_uri (GstURIHandler *handler)
{
  g_autofree gchar *location = dup_location (GST_VYRE_SRC (handler));

  return location ? gst_vyre_uri_from_location (location) : NULL;
}

static gboolean
set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  g_autofree gchar *location = NULL;

  if (!gst_vyre_uri_to_location (uri, &location, error))
    return FALSE;
  if (set_location (GST_VYRE_SRC (handler), location))
    return TRUE;
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
      "A stream is being read. Fix: set the element to READY first.");
  return FALSE;
}

static void
uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = get_uri_type;
  handler->get_protocols = get_protocols;
  handler->get_uri = get_uri;
  handler->set_uri = set_uri;
}

static void
gst_vyre_src_finalize (GObject *object)
{
  g_free (GST_VYRE_SRC (object)->location);
  G_OBJECT_CLASS (gst_vyre_src_parent_class)->finalize (object);
}

static gboolean
post_message (GstElement *element, GstMessage *message)
{
  gst_vyre_thread_adopt (message);
  return GST_ELEMENT_CLASS (gst_vyre_src_parent_class)->post_message (element, message);
}

static void
gst_vyre_src_class_init (GstVyreSrcClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *source = GST_BASE_SRC_CLASS (klass);

  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = gst_vyre_src_finalize;
  g_object_class_install_property (object, PROP_LOCATION,
      g_param_spec_string ("location", "File location", "The file to read", NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (object, PROP_QUEUE_DEPTH,
      g_param_spec_uint ("queue-depth", "Queue depth", "Most reads at the same time", 1,
          MOST_QUEUE_DEPTH, DEFAULT_QUEUE_DEPTH,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (object, PROP_DIRECT_IO,
      g_param_spec_enum ("direct-io", "Direct I/O", "Which reads go past the page cache (O_DIRECT)",
          GST_TYPE_VYRE_DIRECT_IO, DIRECT_IO_AUTO,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (object, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "How the file was read", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "File source by io_uring", "Source/File",
      "Reads a file, several blocks ahead, into the memory that downstream proposes",
      "The gst-vyre authors");
  gst_element_class_add_static_pad_template (element, &src_template);
  element->post_message = post_message;
  source->start = start;
  source->stop = stop;
  source->get_size = get_size;
  source->is_seekable = is_seekable;
  source->do_seek = do_seek;
  source->decide_allocation = decide_allocation;
  source->create = create;
}

static void
gst_vyre_src_init (GstVyreSrc *self)
{
  self->fd = -1;
  self->direct = (GstVyreDirect)GST_VYRE_DIRECT_NONE;
  self->queue_depth = DEFAULT_QUEUE_DEPTH;
  g_queue_init (&self->blocks);
  gst_base_src_set_blocksize (GST_BASE_SRC_CAST (self), DEFAULT_BLOCKSIZE);
}

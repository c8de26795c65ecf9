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

#include "common/gstvyrefork.h"
#include "common/gstvyreproperty.h"
#include "common/gstvyrethread.h"
#include "src/gstvyreblocks.h"
#include "src/gstvyreuri.h"

#define GST_CAT_DEFAULT gst_vyre_src_debug

/* The costs of a read and of a batch that do not depend on its size show with smaller blocks. */
#define DEFAULT_BLOCKSIZE (1024 * 1024)
#define MOST_QUEUE_DEPTH 63 /* the most of one ring */

typedef enum {
  DIRECT_IO_AUTO,
  DIRECT_IO_NEVER,
  DIRECT_IO_ALWAYS,
} DirectIo;

struct _GstVyreSrc {
  GstBaseSrc parent;

  /* object lock */
  gchar *location;
  guint queue_depth;
  DirectIo direct_io;

  /* streaming thread; start() and stop() while it does not run */
  GstVyreBlocks blocks;
  gboolean has_size; /* the file says how long it is; otherwise it is read to its end, in order */
  guint64 position;  /* offset behind the last buffer that was handed out */
};

static const GEnumValue src_direct_io[] = {
  { DIRECT_IO_AUTO, "Large files that are not in the page cache", "auto" },
  { DIRECT_IO_NEVER, "All reads through the page cache", "never" },
  { DIRECT_IO_ALWAYS, "All aligned blocks", "always" },
  { 0, NULL, NULL },
};

static GstStaticPadTemplate src_template
    = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void src_uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    GstVyreSrc, gst_vyre_src, GST_TYPE_BASE_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, src_uri_handler_init);
    GST_DEBUG_CATEGORY_INIT (GST_CAT_DEFAULT, "vyresrc", 0, "files by io_uring"))

GST_ELEMENT_REGISTER_DEFINE (vyresrc, "vyresrc", GST_RANK_NONE, GST_TYPE_VYRE_SRC)

static gchar *
src_dup_location (GstVyreSrc *self)
{
  GST_OBJECT_LOCK (self);
  gchar *location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);
  return location;
}

static gboolean
src_decide_allocation (GstBaseSrc *src, GstQuery *query)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);
  GstAllocator *allocator = NULL;
  GstAllocationParams params;

  gst_allocation_params_init (&params);
  if (gst_query_get_n_allocation_params (query) > 0)
    gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  gst_vyre_blocks_set_store (&self->blocks, allocator);
  gst_clear_object (&allocator);
  /* pools are for frames, not for blocks */
  while (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_remove_nth_allocation_pool (query, 0);
  return GST_BASE_SRC_CLASS (gst_vyre_src_parent_class)->decide_allocation (src, query);
}

static GstFlowReturn
src_fail (GstVyreSrc *self, GError *error)
{
  g_autofree gchar *location = src_dup_location (self);
  g_autofree gchar *shown = g_filename_display_name (location);

  GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s: %s", shown, error->message), (NULL));
  g_error_free (error);
  return GST_FLOW_ERROR;
}

static gboolean
src_get_size (GstBaseSrc *src, guint64 *size)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);
  struct stat status;

  if (self->blocks.fd < 0 || !self->has_size || fstat (self->blocks.fd, &status) < 0)
    return FALSE;
  *size = (guint64)status.st_size;
  return TRUE;
}

/* Returns how many reads to keep in flight. In pull mode the peer chooses the offset, and seldom
 * the next one. */
static guint
src_get_depth (GstVyreSrc *self)
{
  if (GST_PAD_MODE (GST_BASE_SRC_PAD (self)) == GST_PAD_MODE_PULL)
    return 1;
  GST_OBJECT_LOCK (self);
  guint depth = self->queue_depth;
  GST_OBJECT_UNLOCK (self);
  return depth;
}

/* In push mode @offset is GST_BUFFER_OFFSET_NONE if the base class counts in time, as do-timestamp
 * makes it: reading then goes on where it was, and this function cuts the last block. */
static GstFlowReturn
src_create (GstBaseSrc *src, guint64 offset, guint length, GstBuffer **buffer)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);

  if (length == 0 && GST_PAD_MODE (GST_BASE_SRC_PAD (src)) == GST_PAD_MODE_PUSH) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Blocks of 0 bytes read nothing. Fix: set blocksize to 1 or more."), (NULL));
    return GST_FLOW_ERROR;
  }
  if (!self->blocks.file_io) /* pull mode, without a negotiation */
    gst_vyre_blocks_set_store (&self->blocks, NULL);
  guint64 size = 0;
  src_get_size (src, &size); /* stays 0 when unknown */
  if (offset == GST_BUFFER_OFFSET_NONE)
    offset = self->position;
  length = (guint)MIN (length, size > offset ? size - offset : DEFAULT_BLOCKSIZE);
  GError *error = NULL;
  GstFlowReturn flow = gst_vyre_blocks_read (
      &self->blocks, offset, length, size, src_get_depth (self), buffer, &error);
  if (flow == GST_FLOW_OK)
    self->position = GST_BUFFER_OFFSET_END (*buffer);
  return error ? src_fail (self, error) : flow;
}

/* A time names no place in the file, except that the stream starts where the file does; reading
 * backwards is not possible. */
static gboolean
src_do_seek (GstBaseSrc *src, GstSegment *segment)
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
src_refuse (GstVyreSrc *self, GstResourceError code, const gchar *location, const gchar *what,
    const gchar *fix)
{
  g_autofree gchar *shown = g_filename_display_name (location ? location : "vyresrc");

  gst_element_message_full (GST_ELEMENT_CAST (self), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, code,
      g_strdup_printf ("%s: %s. Fix: %s.", shown, what, fix), NULL, __FILE__, GST_FUNCTION,
      __LINE__);
  return FALSE;
}

/* Only regular files have a known size and reads that always complete. */
static gboolean
src_open_file (GstVyreSrc *self, const gchar *location)
{
  self->blocks.fd = vyre_file_open (location, O_RDONLY);
  self->has_size = self->blocks.fd >= 0 && vyre_file_tells_size (self->blocks.fd);
  if (self->blocks.fd >= 0)
    return TRUE;
  if (errno == EISDIR || errno == ENODEV)
    return src_refuse (self, GST_RESOURCE_ERROR_OPEN_READ, location,
        errno == EISDIR ? "a directory" : "not a regular file",
        "name a regular file, or use fdsrc or filesrc for what has no end");
  return src_refuse (self,
      errno == ENOENT ? GST_RESOURCE_ERROR_NOT_FOUND : GST_RESOURCE_ERROR_OPEN_READ, location,
      g_strerror (errno), "name a file that can be read");
}

/* Opens the second descriptor. An application that asks for direct reads hears when there are none.
 * */
static void
src_open_direct (GstVyreSrc *self, const gchar *location)
{
  GST_OBJECT_LOCK (self);
  DirectIo wanted = self->direct_io;
  GST_OBJECT_UNLOCK (self);
  if (wanted == DIRECT_IO_AUTO) {
    /* in pull mode the peer reads places again */
    if (GST_PAD_MODE (GST_BASE_SRC_PAD (self)) == GST_PAD_MODE_PUSH
        && gst_vyre_direct_pays (self->blocks.fd))
      gst_vyre_direct_open (&self->blocks.direct, self->blocks.fd);
  } else if (wanted == DIRECT_IO_ALWAYS
             && !gst_vyre_direct_open (&self->blocks.direct, self->blocks.fd)) {
    g_autofree gchar *shown = g_filename_display_name (location);
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("%s: its file system takes no direct reads. Fix: set direct-io=never, or move the file.",
            shown),
        (NULL));
  }
}

static void
src_close_file (GstVyreSrc *self)
{
  gst_vyre_direct_close (&self->blocks.direct);
  if (self->blocks.fd >= 0)
    close (self->blocks.fd);
  self->blocks.fd = -1;
}

/* In a child. Reads in flight are left alone. */
static void
src_become_inherited (gpointer element)
{
  GstBaseSrc *src = GST_BASE_SRC (element);

  g_mutex_init (GST_OBJECT_GET_LOCK (src));
  g_mutex_init (&src->live_lock);
  g_cond_init (&src->live_cond);
  gst_vyre_fork_forget_thread (GST_BASE_SRC_PAD (src));
}

static gboolean
src_start (GstBaseSrc *src)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);
  g_autofree gchar *location = src_dup_location (self);

  if (!location || !*location)
    return src_refuse (self, GST_RESOURCE_ERROR_NOT_FOUND, NULL, "no file", "set location");
  if (!gst_vyre_thread_check (GST_ELEMENT_CAST (self)) || !src_open_file (self, location)) {
    src_close_file (self);
    return FALSE;
  }
  src_open_direct (self, location);
  gst_vyre_fork_watch (self, src_become_inherited);
  return TRUE;
}

static gboolean
src_stop (GstBaseSrc *src)
{
  GstVyreSrc *self = GST_VYRE_SRC (src);

  gst_vyre_fork_unwatch (self);
  gst_vyre_blocks_stop (&self->blocks);
  src_close_file (self);
  return TRUE;
}

static gboolean
src_is_seekable (GstBaseSrc *src)
{
  return GST_VYRE_SRC (src)->has_size;
}

static GstStructure *
src_describe (GstVyreSrc *self)
{
  VyreFileIoCounters reads = { 0 };
  const gchar *mode = "none";
  gboolean registered = FALSE;

  GST_OBJECT_LOCK (self);
  if (self->blocks.file_io) {
    vyre_file_io_get_counters (self->blocks.file_io, &reads);
    mode = vyre_read_mode_name (vyre_file_io_get_mode (self->blocks.file_io));
    registered = vyre_file_io_is_registered (self->blocks.file_io);
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
src_set_location (GstVyreSrc *self, const gchar *location)
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
src_take_location (GObject *object, const GValue *value)
{
  src_set_location (GST_VYRE_SRC (object), g_value_get_string (value));
}

static void
src_stats_get (GObject *object, GValue *value)
{
  g_value_take_boxed (value, src_describe (GST_VYRE_SRC (object)));
}

#define READY GST_VYRE_PROPERTY_READY
#define PLAYING GST_VYRE_PROPERTY_PLAYING
#define AT(field) GstVyreSrc, field

static const GstVyreProperty src_rows[] = {
  { GST_VYRE_STRING ("location", "File location", "The file to read", READY, NULL, AT (location)),
      .set = src_take_location },
  { GST_VYRE_UINT ("queue-depth", "Queue depth", "Most reads in flight", PLAYING, 1,
      MOST_QUEUE_DEPTH, 8, AT (queue_depth)) },
  { GST_VYRE_ENUM ("direct-io", "Direct I/O", "Which reads go past the page cache (O_DIRECT)",
      READY, "GstVyreDirectIo", src_direct_io, DIRECT_IO_AUTO, AT (direct_io)) },
  { GST_VYRE_BOXED ("stats", "Statistics", "How the file was read", GST_VYRE_PROPERTY_READABLE,
      gst_structure_get_type, src_stats_get) },
  { 0 },
};

static const GstVyrePropertyTable src_properties[] = { { src_rows, 0 }, { NULL, 0 } };

static void
gst_vyre_src_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  gst_vyre_properties_set (object, src_properties, id, value);
}

static void
gst_vyre_src_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  gst_vyre_properties_get (object, src_properties, id, value);
}

static GstURIType
src_get_uri_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
src_get_protocols (GType type)
{
  static const gchar *const protocols[] = { GST_VYRE_URI_SCHEME, NULL };

  return protocols;
}

static gchar *
src_get_uri (GstURIHandler *handler)
{
  g_autofree gchar *location = src_dup_location (GST_VYRE_SRC (handler));

  return location ? gst_vyre_uri_from_location (location) : NULL;
}

static gboolean
src_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  g_autofree gchar *location = NULL;

  if (!gst_vyre_uri_to_location (uri, &location, error))
    return FALSE;
  if (src_set_location (GST_VYRE_SRC (handler), location))
    return TRUE;
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
      "A stream is being read. Fix: set the element to READY first.");
  return FALSE;
}

static void
src_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = src_get_uri_type;
  handler->get_protocols = src_get_protocols;
  handler->get_uri = src_get_uri;
  handler->set_uri = src_set_uri;
}

static void
gst_vyre_src_finalize (GObject *object)
{
  gst_vyre_properties_clear (object, src_properties);
  G_OBJECT_CLASS (gst_vyre_src_parent_class)->finalize (object);
}

static gboolean
src_post_message (GstElement *element, GstMessage *message)
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

  object->set_property = gst_vyre_src_set_property;
  object->get_property = gst_vyre_src_get_property;
  object->finalize = gst_vyre_src_finalize;
  gst_vyre_properties_install (object, src_properties);
  gst_element_class_set_static_metadata (element, "File source by io_uring", "Source/File",
      "Reads a file, several blocks ahead, into the memory that downstream proposes",
      "The gst-vyre authors");
  gst_element_class_add_static_metadata (
      element, GST_ELEMENT_METADATA_DOC_URI, GST_VYRE_DOC_URI "vyresrc.md");
  gst_element_class_add_static_pad_template (element, &src_template);
  element->post_message = src_post_message;
  source->start = src_start;
  source->stop = src_stop;
  source->get_size = src_get_size;
  source->is_seekable = src_is_seekable;
  source->do_seek = src_do_seek;
  source->decide_allocation = src_decide_allocation;
  source->create = src_create;
}

static void
gst_vyre_src_init (GstVyreSrc *self)
{
  gst_vyre_properties_init (self, src_properties);
  gst_vyre_blocks_init (&self->blocks, GST_BASE_SRC_CAST (self));
  gst_base_src_set_blocksize (GST_BASE_SRC_CAST (self), DEFAULT_BLOCKSIZE);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The streaming thread of the sink pad calls the functions of the class, without a lock.
 */
#include "readback/gstvyrereadbackparse.h"

#include "common/gstvyreresults.h"
#include "library/gst/vyre/vyre.h"
#include "readback/gstvyrereadbackfile.h"

/* Caps of a file that are kept, and entries of its index: from the one in front of the place of a
 * seek on, the file is read. */
#define MOST_CAPS_KEPT 64
#define MOST_ENTRIES_KEPT 65536

struct _GstVyreReadbackParse {
  GstBaseParse parent;
  gboolean post_messages; /* atomic */
  /* streaming thread */
  GstVyreTable *table;   /* of the caps of the readbacks */
  guint64 caps_at;       /* the place of the record with these caps; G_MAXUINT64 in no file */
  gboolean has_index;    /* the end of the file was looked at */
  GHashTable *caps_seen; /* GstCaps of each record with caps, by its place */
};

enum { PROP_POST_MESSAGES = 1 };

G_DEFINE_FINAL_TYPE (GstVyreReadbackParse, gst_vyre_readback_parse, GST_TYPE_BASE_PARSE)
GST_ELEMENT_REGISTER_DEFINE (
    vyrereadbackparse, "vyrereadbackparse", GST_RANK_NONE, GST_TYPE_VYRE_READBACK_PARSE)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK,
    GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VYRE_READBACK_CAPS "; " GST_VYRE_READBACK_FILE_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VYRE_READBACK_CAPS));

/* Tells the bus of @error, which it takes. */
static void
parse_fail (GstVyreReadbackParse *self, GError *error)
{
  GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message), (NULL));
  g_error_free (error);
}

/* Has readbacks of @caps follow. */
static gboolean
parse_use_caps (GstVyreReadbackParse *self, GstCaps *caps)
{
  GError *error = NULL;
  GstVyreTable *table = gst_vyre_table_new_from_caps (caps, &error);

  if (!table) {
    parse_fail (self, error);
    return FALSE;
  }
  g_clear_pointer (&self->table, gst_vyre_table_unref);
  self->table = table;
  return gst_pad_set_caps (GST_BASE_PARSE_SRC_PAD (self), caps);
}

static gboolean
gst_vyre_readback_parse_set_sink_caps (GstBaseParse *parse, GstCaps *caps)
{
  gboolean framed
      = gst_structure_has_name (gst_caps_get_structure (caps, 0), GST_VYRE_READBACK_CAPS);

  if (framed) /* which has nothing to put together */
    g_object_set (parse, "disable-passthrough", FALSE, NULL);
  gst_base_parse_set_passthrough (parse, framed);
  return framed ? parse_use_caps (GST_VYRE_READBACK_PARSE (parse), caps) : TRUE;
}

/* Pulls @size bytes at @at out of the file; NULL if it does not have so many. */
static GstBuffer *
parse_pull (GstVyreReadbackParse *self, guint64 at, guint size)
{
  GstBuffer *buffer = NULL;

  if (gst_pad_pull_range (GST_BASE_PARSE_SINK_PAD (self), at, size, &buffer) != GST_FLOW_OK)
    return NULL;
  if (gst_buffer_get_size (buffer) == size)
    return buffer;
  gst_buffer_unref (buffer);
  return NULL;
}

/* Pulls the head at @at; FALSE if there is none of this kind. */
static gboolean
parse_pull_head (
    GstVyreReadbackParse *self, guint64 at, GstVyreRecordKind kind, GstVyreRecord *record)
{
  g_autoptr (GstBuffer) buffer = parse_pull (self, at, GST_VYRE_RECORD_HEAD);
  guint8 head[GST_VYRE_RECORD_HEAD];

  return buffer && gst_buffer_extract (buffer, 0, head, sizeof head) == sizeof head
         && gst_vyre_record_read (head, record) && record->kind == kind;
}

/* Takes the entries of the index into that of the base class, and the duration from the last. */
static void
parse_add_index (GstVyreReadbackParse *self, GstBuffer *index)
{
  GstBaseParse *parse = GST_BASE_PARSE (self);
  GstVyreRecord last;
  GstMapInfo map;
  guint64 pts = GST_CLOCK_TIME_NONE, at = 0;

  if (!gst_buffer_map (index, &map, GST_MAP_READ))
    return;
  gsize n = (map.size - MIN (map.size, GST_VYRE_INDEX_END)) / GST_VYRE_INDEX_ENTRY;
  for (gsize i = 0; i < n; i++) {
    pts = gst_vyre_record_get_number (map.data + i * GST_VYRE_INDEX_ENTRY);
    at = gst_vyre_record_get_number (map.data + i * GST_VYRE_INDEX_ENTRY + 8);
    if (GST_CLOCK_TIME_IS_VALID (pts) && i % (n / MOST_ENTRIES_KEPT + 1) == 0)
      gst_base_parse_add_index_entry (parse, at, pts, TRUE, TRUE);
  }
  gst_buffer_unmap (index, &map);
  if (GST_CLOCK_TIME_IS_VALID (pts) && parse_pull_head (self, at, GST_VYRE_RECORD_DATA, &last))
    gst_base_parse_set_duration (parse, GST_FORMAT_TIME,
        (gint64)(pts + (GST_CLOCK_TIME_IS_VALID (last.duration) ? last.duration : 0)), 0);
}

/* Reads the index of a file that can be pulled from, once. A file that was cut has none: seeks look
 * for the place then. */
static void
parse_find_index (GstVyreReadbackParse *self)
{
  GstPad *pad = GST_BASE_PARSE_SINK_PAD (self);
  guint8 bytes[GST_VYRE_INDEX_END];
  GstVyreRecord record;
  gint64 size;
  guint64 at;

  if (self->has_index || GST_PAD_MODE (pad) != GST_PAD_MODE_PULL)
    return;
  self->has_index = TRUE;
  if (!gst_pad_peer_query_duration (pad, GST_FORMAT_BYTES, &size) || size < GST_VYRE_INDEX_END)
    return;
  g_autoptr (GstBuffer) end
      = parse_pull (self, (guint64)size - GST_VYRE_INDEX_END, GST_VYRE_INDEX_END);
  if (!end || gst_buffer_extract (end, 0, bytes, sizeof bytes) != sizeof bytes
      || !gst_vyre_index_read_end (bytes, &at) || at > (guint64)size
      || !parse_pull_head (self, at, GST_VYRE_RECORD_INDEX, &record))
    return;
  g_autoptr (GstBuffer) index = parse_pull (self, at + GST_VYRE_RECORD_HEAD, record.size);
  if (index)
    parse_add_index (self, index);
}

/* Keeps the caps whose text is in @body, of the record at @at. */
static gboolean
parse_keep_caps (GstVyreReadbackParse *self, guint64 at, GstBuffer *body)
{
  gsize size = gst_buffer_get_size (body);
  g_autofree gchar *text = g_malloc (size + 1);

  gst_buffer_extract (body, 0, text, size);
  text[size] = '\0';
  GstCaps *caps = gst_caps_from_string (text);
  if (!caps) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("The record at %" G_GUINT64_FORMAT
         " has no caps. Fix: take a file that vyrereadbackmux wrote.",
            at),
        (NULL));
    return FALSE;
  }
  guint64 *key = g_new (guint64, 1);
  *key = at;
  if (g_hash_table_size (self->caps_seen) == MOST_CAPS_KEPT)
    g_hash_table_remove_all (self->caps_seen); /* a reader that pulls gets them again */
  g_hash_table_insert (self->caps_seen, key, caps);
  return TRUE;
}

/* Looks for caps that stand in front of the place of a seek. */
static void
parse_pull_caps (GstVyreReadbackParse *self, guint64 at)
{
  GstVyreRecord record;

  if (GST_PAD_MODE (GST_BASE_PARSE_SINK_PAD (self)) != GST_PAD_MODE_PULL
      || !parse_pull_head (self, at, GST_VYRE_RECORD_CAPS, &record))
    return;
  g_autoptr (GstBuffer) body = parse_pull (self, at + GST_VYRE_RECORD_HEAD, record.size);
  if (body)
    parse_keep_caps (self, at, body);
}

/* Has the caps of the record at @at be those of the source pad. */
static gboolean
parse_follow_caps (GstVyreReadbackParse *self, guint64 at)
{
  if (self->table && self->caps_at == at)
    return TRUE;
  if (!g_hash_table_contains (self->caps_seen, &at))
    parse_pull_caps (self, at);
  GstCaps *caps = g_hash_table_lookup (self->caps_seen, &at);
  if (!caps) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("The caps at %" G_GUINT64_FORMAT
         ", which a readback refers to, are not there. Fix: take the file from its start, or from "
         "filesrc.",
            at),
        (NULL));
    return FALSE;
  }
  self->caps_at = at;
  return parse_use_caps (self, caps);
}

/* Finishes the frame of a whole record. Only readbacks go on. */
static GstFlowReturn
parse_finish_record (
    GstVyreReadbackParse *self, GstBaseParseFrame *frame, const GstVyreRecord *record)
{
  g_autoptr (GstBuffer) body = gst_buffer_copy_region (
      frame->buffer, GST_BUFFER_COPY_MEMORY, GST_VYRE_RECORD_HEAD, record->size);

  if (record->kind == GST_VYRE_RECORD_CAPS && !parse_keep_caps (self, frame->offset, body))
    return GST_FLOW_ERROR;
  if (record->kind != GST_VYRE_RECORD_DATA) {
    frame->flags |= GST_BASE_PARSE_FRAME_FLAG_DROP;
  } else {
    if (!parse_follow_caps (self, record->caps_at))
      return GST_FLOW_ERROR;
    GST_BUFFER_PTS (frame->buffer) = GST_BUFFER_PTS (body) = record->pts;
    GST_BUFFER_DURATION (frame->buffer) = GST_BUFFER_DURATION (body) = record->duration;
    GST_BUFFER_OFFSET (body) = record->offset;
    frame->out_buffer = g_steal_pointer (&body);
  }
  return gst_base_parse_finish_frame (
      GST_BASE_PARSE (self), frame, (gint)(GST_VYRE_RECORD_HEAD + record->size));
}

/* Returns how many bytes come in front of what may be a head. */
static gint
parse_find_head (const guint8 *data, gsize size)
{
  gsize at = 1;

  while (at + 4 <= size && gst_vyre_record_get_word (data + at) != GST_VYRE_RECORD_MAGIC)
    at++;
  return (gint)at;
}

static GstFlowReturn
gst_vyre_readback_parse_handle_frame (GstBaseParse *parse, GstBaseParseFrame *frame, gint *skipsize)
{
  GstVyreReadbackParse *self = GST_VYRE_READBACK_PARSE (parse);
  GstVyreRecord record;
  GstMapInfo map;

  parse_find_index (self);
  if (!gst_buffer_map (frame->buffer, &map, GST_MAP_READ))
    return GST_FLOW_ERROR;
  gboolean is_head = map.size >= GST_VYRE_RECORD_HEAD && gst_vyre_record_read (map.data, &record);
  if (!is_head) /* the last piece of a stream may be shorter than a head */
    *skipsize
        = map.size < GST_VYRE_RECORD_HEAD ? (gint)map.size : parse_find_head (map.data, map.size);
  gst_buffer_unmap (frame->buffer, &map);
  if (is_head && record.kind == GST_VYRE_RECORD_INDEX) /* it is of use to a reader that pulls */
    *skipsize = (gint)(GST_VYRE_RECORD_HEAD + record.size);
  if (*skipsize > 0)
    return GST_FLOW_OK;
  if (map.size < GST_VYRE_RECORD_HEAD + record.size) {
    gst_base_parse_set_min_frame_size (parse, GST_VYRE_RECORD_HEAD + record.size);
    return GST_FLOW_OK;
  }
  gst_base_parse_set_min_frame_size (parse, GST_VYRE_RECORD_HEAD);
  return parse_finish_record (self, frame, &record);
}

static void
parse_post (GstVyreReadbackParse *self, const GstVyreResults *results)
{
  if (g_atomic_int_get (&self->post_messages))
    gst_element_post_message (GST_ELEMENT_CAST (self),
        gst_message_new_element (
            GST_OBJECT_CAST (self), gst_structure_copy (gst_vyre_results_get_structure (results))));
}

/* TRUE for a readback that does not go on: one of a file, in front of or behind the place of a
 * seek. */
static gboolean
parse_clips (const GstBaseParse *parse, const GstBaseParseFrame *frame)
{
  GstClockTime pts = GST_BUFFER_PTS (frame->buffer), end = pts;

  if (!frame->out_buffer || !GST_CLOCK_TIME_IS_VALID (pts))
    return FALSE;
  if (GST_BUFFER_DURATION_IS_VALID (frame->buffer))
    end += GST_BUFFER_DURATION (frame->buffer);
  return !gst_segment_clip (&parse->segment, GST_FORMAT_TIME, pts, end, NULL, NULL);
}

/* Gives each readback that goes on its results. */
static GstFlowReturn
gst_vyre_readback_parse_pre_push_frame (GstBaseParse *parse, GstBaseParseFrame *frame)
{
  GstVyreReadbackParse *self = GST_VYRE_READBACK_PARSE (parse);
  GstBuffer **buffer = frame->out_buffer ? &frame->out_buffer : &frame->buffer;
  GError *error = NULL;

  if (parse_clips (parse, frame)) {
    frame->flags |= GST_BASE_PARSE_FRAME_FLAG_CLIP;
    return GST_FLOW_OK;
  }
  g_autoptr (GstVyreResults) results
      = gst_vyre_table_read (self->table, *buffer, &parse->segment, &error);
  if (!results) {
    parse_fail (self, error);
    return GST_FLOW_ERROR;
  }
  parse_post (self, results);
  *buffer = gst_buffer_make_writable (*buffer);
  gst_buffer_take_vyre_results (
      *buffer, gst_structure_copy (gst_vyre_results_get_structure (results)));
  return GST_FLOW_OK;
}

static gboolean
gst_vyre_readback_parse_start (GstBaseParse *parse)
{
  GST_VYRE_READBACK_PARSE (parse)->has_index = FALSE;
  gst_base_parse_set_min_frame_size (parse, GST_VYRE_RECORD_HEAD);
  gst_base_parse_set_infer_ts (parse, FALSE);
  return TRUE;
}

static gboolean
gst_vyre_readback_parse_stop (GstBaseParse *parse)
{
  GstVyreReadbackParse *self = GST_VYRE_READBACK_PARSE (parse);

  g_clear_pointer (&self->table, gst_vyre_table_unref);
  g_hash_table_remove_all (self->caps_seen);
  return TRUE;
}

static void
gst_vyre_readback_parse_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  g_atomic_int_set (&GST_VYRE_READBACK_PARSE (object)->post_messages, g_value_get_boolean (value));
}

static void
gst_vyre_readback_parse_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  g_value_set_boolean (value, g_atomic_int_get (&GST_VYRE_READBACK_PARSE (object)->post_messages));
}

static void
gst_vyre_readback_parse_finalize (GObject *object)
{
  g_hash_table_unref (GST_VYRE_READBACK_PARSE (object)->caps_seen);
  G_OBJECT_CLASS (gst_vyre_readback_parse_parent_class)->finalize (object);
}

static void
gst_vyre_readback_parse_class_init (GstVyreReadbackParseClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseParseClass *parse_class = GST_BASE_PARSE_CLASS (klass);

  object_class->set_property = gst_vyre_readback_parse_set_property;
  object_class->get_property = gst_vyre_readback_parse_get_property;
  object_class->finalize = gst_vyre_readback_parse_finalize;
  parse_class->start = gst_vyre_readback_parse_start;
  parse_class->stop = gst_vyre_readback_parse_stop;
  parse_class->set_sink_caps = gst_vyre_readback_parse_set_sink_caps;
  parse_class->handle_frame = gst_vyre_readback_parse_handle_frame;
  parse_class->pre_push_frame = gst_vyre_readback_parse_pre_push_frame;
  g_object_class_install_property (object_class, PROP_POST_MESSAGES,
      g_param_spec_boolean ("post-messages", "Post messages",
          "Whether the results of each readback are posted as vyre-results", TRUE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Vyre readback parser", "Codec/Parser",
      "Reads the results of readbacks of vyrefilter, from a stream or a file",
      "The gst-vyre authors");
  gst_element_class_add_static_metadata (
      element_class, GST_ELEMENT_METADATA_DOC_URI, GST_VYRE_DOC_URI "results.md");
}

static void
gst_vyre_readback_parse_init (GstVyreReadbackParse *self)
{
  self->post_messages = TRUE;
  self->caps_seen
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)gst_caps_unref);
}

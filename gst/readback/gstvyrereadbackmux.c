/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "readback/gstvyrereadbackmux.h"

#include <string.h>

#include "readback/gstvyrereadbackfile.h"

struct _GstVyreReadbackMux {
  GstElement parent;
  GstPad *sinkpad;
  GstPad *srcpad;
  /* streaming thread */
  guint64 at;        /* bytes written */
  guint64 caps_at;   /* the place of the record with the last caps */
  GByteArray *index; /* an entry for each readback */
};

G_DEFINE_FINAL_TYPE (GstVyreReadbackMux, gst_vyre_readback_mux, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (
    vyrereadbackmux, "vyrereadbackmux", GST_RANK_NONE, GST_TYPE_VYRE_READBACK_MUX)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VYRE_READBACK_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VYRE_READBACK_FILE_CAPS));

/* Streaming thread. Goes on, or begins, at the place of the next record: a file has no times from
 * outside. */
static void
mux_push_segment (GstVyreReadbackMux *self)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = segment.position = self->at;
  gst_pad_push_event (self->srcpad, gst_event_new_segment (&segment));
}

/* Streaming thread. */
static void
mux_begin (GstVyreReadbackMux *self)
{
  g_autoptr (GstCaps) caps = gst_static_pad_template_get_caps (&src_template);

  gst_pad_push_event (self->srcpad, gst_event_new_caps (caps));
  mux_push_segment (self);
}

/* Streaming thread. Pushes a record of @body, which it takes. */
static GstFlowReturn
mux_push (GstVyreReadbackMux *self, const GstVyreRecord *record, GstBuffer *body)
{
  GstBuffer *buffer = gst_buffer_append (gst_vyre_record_new_buffer (record), body);

  GST_BUFFER_PTS (buffer)
      = record->kind == GST_VYRE_RECORD_DATA ? record->pts : GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (buffer) = self->at;
  self->at += GST_VYRE_RECORD_HEAD + record->size;
  GST_BUFFER_OFFSET_END (buffer) = self->at;
  return gst_pad_push (self->srcpad, buffer);
}

static gboolean
mux_write_caps (GstVyreReadbackMux *self, const GstCaps *caps)
{
  gchar *text = gst_caps_to_string (caps);
  const GstVyreRecord record = { .kind = GST_VYRE_RECORD_CAPS, .size = (guint32)strlen (text) };

  if (self->at == 0)
    mux_begin (self);
  self->caps_at = self->at;
  return mux_push (self, &record, gst_buffer_new_wrapped (text, record.size)) == GST_FLOW_OK;
}

static GstFlowReturn
mux_chain (GstPad *pad, GstObject *parent, GstBuffer *readback)
{
  GstVyreReadbackMux *self = GST_VYRE_READBACK_MUX (parent);
  const GstVyreRecord record = {
    .kind = GST_VYRE_RECORD_DATA,
    .size = (guint32)gst_buffer_get_size (readback),
    .pts = GST_BUFFER_PTS (readback),
    .duration = GST_BUFFER_DURATION (readback),
    .offset = GST_BUFFER_OFFSET (readback),
    .caps_at = self->caps_at,
  };

  gst_vyre_index_write_entry (self->index, record.pts, self->at);
  return mux_push (self, &record, readback);
}

static void
mux_end (GstVyreReadbackMux *self)
{
  if (self->index->len == 0)
    return;
  gst_vyre_index_write_end (self->index, self->at);
  const GstVyreRecord record = { .kind = GST_VYRE_RECORD_INDEX, .size = self->index->len };
  GBytes *bytes = g_byte_array_free_to_bytes (g_steal_pointer (&self->index));
  self->index = g_byte_array_new ();
  mux_push (self, &record, gst_buffer_new_wrapped_bytes (bytes));
  g_bytes_unref (bytes);
}

/* A file has no holes, and no times from outside: gaps and segments stay here. */
static gboolean
mux_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVyreReadbackMux *self = GST_VYRE_READBACK_MUX (parent);
  gboolean done = TRUE;
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      done = mux_write_caps (self, caps);
      break;
    case GST_EVENT_SEGMENT:
    case GST_EVENT_GAP:
      break;
    case GST_EVENT_EOS:
      mux_end (self);
      return gst_pad_event_default (pad, parent, event);
    case GST_EVENT_FLUSH_STOP:
      done = gst_pad_event_default (pad, parent, event);
      if (self->at > 0)
        mux_push_segment (self);
      return done;
    default:
      return gst_pad_event_default (pad, parent, event);
  }
  gst_event_unref (event);
  return done;
}

static GstStateChangeReturn
gst_vyre_readback_mux_change_state (GstElement *element, GstStateChange transition)
{
  GstVyreReadbackMux *self = GST_VYRE_READBACK_MUX (element);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    self->at = 0;
    g_byte_array_set_size (self->index, 0);
  }
  return GST_ELEMENT_CLASS (gst_vyre_readback_mux_parent_class)->change_state (element, transition);
}

static void
gst_vyre_readback_mux_finalize (GObject *object)
{
  g_byte_array_unref (GST_VYRE_READBACK_MUX (object)->index);
  G_OBJECT_CLASS (gst_vyre_readback_mux_parent_class)->finalize (object);
}

static void
gst_vyre_readback_mux_class_init (GstVyreReadbackMuxClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_vyre_readback_mux_finalize;
  element_class->change_state = gst_vyre_readback_mux_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Vyre readback muxer", "Codec/Muxer",
      "Writes readbacks of vyrefilter to a file with an index", "The gst-vyre authors");
  gst_element_class_add_static_metadata (
      element_class, GST_ELEMENT_METADATA_DOC_URI, GST_VYRE_DOC_URI "results.md");
}

static void
gst_vyre_readback_mux_init (GstVyreReadbackMux *self)
{
  self->index = g_byte_array_new ();
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, mux_chain);
  gst_pad_set_event_function (self->sinkpad, mux_event);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->sinkpad);
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_use_fixed_caps (self->srcpad);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->srcpad);
}

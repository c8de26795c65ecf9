/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define GST_USE_UNSTABLE_API /* tracers */
#include "common/gstvyretracer.h"

gint gst_vyre_traces;

/* Made before the first tracer, and kept. */
static GstTracerRecord *tracer_buffers;

#define GST_TYPE_VYRE_TRACER (gst_vyre_tracer_get_type ())
G_DECLARE_FINAL_TYPE (GstVyreTracer, gst_vyre_tracer, GST, VYRE_TRACER, GstTracer)

struct _GstVyreTracer {
  GstTracer parent;
};

G_DEFINE_FINAL_TYPE (GstVyreTracer, gst_vyre_tracer, GST_TYPE_TRACER)

static GstStructure *
tracer_value (GType type, const gchar *description)
{
  return gst_structure_new (
      "value", "type", G_TYPE_GTYPE, type, "description", G_TYPE_STRING, description, NULL);
}

static GstStructure *
tracer_time (const gchar *description)
{
  GstStructure *value = tracer_value (G_TYPE_UINT64, description);

  gst_structure_set (
      value, "min", G_TYPE_UINT64, G_GUINT64_CONSTANT (0), "max", G_TYPE_UINT64, G_MAXUINT64, NULL);
  return value;
}

static GstTracerRecord *
tracer_new_record (void)
{
  g_autoptr (GstStructure) element
      = gst_structure_new ("scope", "type", G_TYPE_GTYPE, G_TYPE_STRING, "related-to",
          GST_TYPE_TRACER_VALUE_SCOPE, GST_TRACER_VALUE_SCOPE_ELEMENT, NULL);
  g_autoptr (GstStructure) sequence = tracer_value (G_TYPE_UINT, "number of the buffer");
  g_autoptr (GstStructure) arrive = tracer_time ("the buffer comes in, ns");
  g_autoptr (GstStructure) publish = tracer_time ("it has a turn, ns");
  g_autoptr (GstStructure) doorbell = tracer_time ("the kernel has its batch, ns");
  g_autoptr (GstStructure) complete = tracer_time ("its result is there, ns");
  g_autoptr (GstStructure) push = tracer_time ("downstream gets what leaves the source pad, ns");
  g_autoptr (GstStructure) back = tracer_time ("downstream returns, ns");

  return gst_tracer_record_new ("vyre-buffer.class", "element", GST_TYPE_STRUCTURE, element,
      "sequence", GST_TYPE_STRUCTURE, sequence, "arrive", GST_TYPE_STRUCTURE, arrive, "publish",
      GST_TYPE_STRUCTURE, publish, "doorbell", GST_TYPE_STRUCTURE, doorbell, "complete",
      GST_TYPE_STRUCTURE, complete, "push", GST_TYPE_STRUCTURE, push, "return", GST_TYPE_STRUCTURE,
      back, NULL);
}

/* GStreamer drops a tracer without hooks at once, and has no way to end one that it keeps. */
static void
gst_vyre_tracer_init (GstVyreTracer *self)
{
  g_atomic_int_set (&gst_vyre_traces, TRUE);
}

static void
gst_vyre_tracer_class_init (GstVyreTracerClass *klass)
{
  tracer_buffers = tracer_new_record ();
  GST_OBJECT_FLAG_SET (tracer_buffers, GST_OBJECT_FLAG_MAY_BE_LEAKED);
}

gboolean
gst_vyre_tracer_register (GstPlugin *plugin)
{
  return gst_tracer_register (plugin, "vyretracer", GST_TYPE_VYRE_TRACER);
}

/* Any thread, no lock. A buffer that came before its tracer has no record. */
void
gst_vyre_tracer_record (GstElement *element, guint sequence, const GstVyreSpans *spans)
{
  const GstClockTime *times = spans->times;

  if (times[GST_VYRE_STAGE_ARRIVE] == 0)
    return;
  gst_tracer_record_log (tracer_buffers, GST_OBJECT_NAME (element), sequence,
      times[GST_VYRE_STAGE_ARRIVE], times[GST_VYRE_STAGE_PUBLISH], times[GST_VYRE_STAGE_DOORBELL],
      times[GST_VYRE_STAGE_COMPLETE], times[GST_VYRE_STAGE_PUSH], times[GST_VYRE_STAGE_RETURN]);
}

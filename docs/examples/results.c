/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gstreamer-vyre-1.0: the mean brightness of each picture, from messages of vyrefilter.
 *
 *     cc results.c $(pkg-config --cflags --libs gstreamer-vyre-1.0) -o results
 */
#include <gst/vyre/vyre.h>

/* Builds a program, and a pipeline that runs it. */
static GstElement *
make_pipeline (GError **error)
{
  g_autoptr (GstVyreBuilder) builder = gst_vyre_builder_new ();
  g_autofree gchar *program = NULL;

  gst_vyre_builder_add (builder, "u8_stats luma", "luma");
  program = gst_vyre_builder_to_text (builder, error);
  if (!program)
    return NULL;
  GstElement *pipeline
      = gst_parse_launch ("videotestsrc num-buffers=3 pattern=white ! video/x-raw,format=GRAY8 ! "
                          "vyrefilter name=filter results-interval=0 ! fakesink",
          error);
  if (!pipeline)
    return NULL;
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  g_object_set (filter, "program", program, NULL);
  gst_object_unref (filter);
  return pipeline;
}

static void
print_mean (GstMessage *message)
{
  g_autoptr (GstVyreResults) results = gst_vyre_results_from_message (message);
  guint64 sequence;
  gdouble sum, count;

  if (results && gst_vyre_results_get_uint64 (results, "sequence", &sequence)
      && gst_vyre_results_get_double (results, "luma.sum", &sum)
      && gst_vyre_results_get_double (results, "luma.count", &count)) {
    g_autofree gchar *unit = gst_vyre_results_dup_unit (results, "luma.sum");
    g_print ("%" G_GUINT64_FORMAT ": %g %s\n", sequence, sum / count, unit);
  }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  gst_init (&argc, &argv);
  GstElement *pipeline = make_pipeline (&error);
  if (!pipeline) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  GstBus *bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (gboolean ended = FALSE; !ended;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    print_mean (message);
    ended = GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT;
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return 0;
}

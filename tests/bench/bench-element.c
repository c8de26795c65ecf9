/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What vyrefilter costs per buffer in a pipeline, beside identity in the same
 * place: real time and processor time of the whole process.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <sys/resource.h>

static double
cpu_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void
run (const char *element, guint n, guint size)
{
  g_autofree char *text = g_strdup_printf ("fakesrc num-buffers=%u sizetype=fixed sizemax=%u "
                                           "filltype=nothing ! %s ! fakesink sync=false",
      n, size, element);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);

  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_READY);
  gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  double cpu = cpu_time ();
  gint64 start = g_get_monotonic_time ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message
      = gst_bus_timed_pop_filtered (bus, 120 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  g_assert_nonnull (message);
  gint64 elapsed = g_get_monotonic_time () - start;
  printf ("%-64s %6u %9.2f %9.2f %10.0f\n", element, size, (double)elapsed / n,
      (cpu_time () - cpu) / n, n * 1e6 / (double)elapsed);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  printf ("%-64s %6s %9s %9s %10s\n", "element", "bytes", "µs/buf", "CPU µs", "buffers/s");
  run ("identity", 20000, 4096);
  run ("queue", 20000, 4096);
  run ("vyrefilter program=nop max-in-flight=8", 20000, 4096);
  run ("vyrefilter program=\"u8_stats payload -> s\" max-in-flight=8", 20000, 4096);
  run ("vyrefilter program=nop max-in-flight=8 residency=dispatch", 20000, 4096);
  return 0;
}

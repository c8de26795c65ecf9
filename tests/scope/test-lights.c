/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lights of vyrescope behind a vyrefilter: they say what the events of its program do.
 */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#define SIZE 64
#define FRAMES "video/x-raw, format=BGRx, width=320, height=180, framerate=0/1"
#define VIDEO "video/x-raw, format=GRAY8, width=64, height=64, framerate=25/1"

typedef enum {
  LIGHT_NONE,
  LIGHT_NOTICE,
  LIGHT_ALARM,
} Light;

/* A picture of which every other sample is black, rows and columns alike. */
static GstBuffer *
picture_new (guint number)
{
  guint8 *samples = g_malloc (SIZE * SIZE);

  for (guint i = 0; i < SIZE * SIZE; i++)
    samples[i] = (i + i / SIZE) % 2 ? 16 : 200;
  GstBuffer *buffer = gst_buffer_new_wrapped (samples, SIZE * SIZE);
  GST_BUFFER_PTS (buffer) = number * 40 * GST_MSECOND;
  GST_BUFFER_DURATION (buffer) = 40 * GST_MSECOND;
  return buffer;
}

/* Returns the worst light of a frame, by its colour in the theme. */
static Light
find_light (GstBuffer *frame)
{
  GstMapInfo map;
  guint notices = 0, alarms = 0;

  fail_unless (gst_buffer_map (frame, &map, GST_MAP_READ));
  for (gsize i = 0; i < map.size; i += 4) {
    guint8 blue = map.data[i], green = map.data[i + 1], red = map.data[i + 2];
    notices += red > 200 && green > 200 && blue < 120;
    alarms += red > 190 && green > 60 && green < 130 && blue < 60;
  }
  gst_buffer_unmap (frame, &map);
  return alarms > 10 ? LIGHT_ALARM : notices > 10 ? LIGHT_NOTICE : LIGHT_NONE;
}

static Light
show_next (GstHarness *h, guint number)
{
  fail_unless_equals_int (gst_harness_push (h, picture_new (number)), GST_FLOW_OK);
  g_autoptr (GstBuffer) frame = gst_harness_pull (h);
  fail_unless_equals_clocktime (GST_BUFFER_PTS (frame), number * 40 * GST_MSECOND);
  return find_light (frame);
}

/* Half of the samples are black, so the light follows the param, with the frame of the buffer that
 * comes next. The event is of frames that last, as the program has it. */
static void
check_params (const gchar *mode)
{
  g_autofree gchar *launch = g_strdup_printf (
      "vyrefilter name=filter output-mode=%s "
      "program=\"param ratio = 0.98; param time = 0; sample_stats luma -> luma; "
      "sample_below luma, 17 -> black; event black when $black >= ratio * $luma.count for time s\" "
      "! vyrescope panels=lights",
      mode);
  GstHarness *h = gst_harness_new_parse (launch);
  GstElement *filter = gst_bin_get_by_name (GST_BIN (h->element), "filter");

  gst_harness_set_sink_caps_str (h, FRAMES);
  gst_harness_set_src_caps_str (h, VIDEO);
  fail_unless_equals_int (show_next (h, 0), LIGHT_NONE);
  gst_child_proxy_set (GST_CHILD_PROXY (filter), "ratio::value", 0.5, NULL);
  fail_unless_equals_int (show_next (h, 1), LIGHT_ALARM);
  gst_child_proxy_set (GST_CHILD_PROXY (filter), "ratio::value", 0.51, NULL);
  fail_unless_equals_int (show_next (h, 2), LIGHT_NONE);
  gst_child_proxy_set (GST_CHILD_PROXY (filter), "ratio::value", 0.5, "time::value", 0.08, NULL);
  fail_unless_equals_int (show_next (h, 3), LIGHT_NOTICE);
  fail_unless_equals_int (show_next (h, 4), LIGHT_NOTICE);
  fail_unless_equals_int (show_next (h, 5), LIGHT_ALARM);
  gst_object_unref (filter);
  gst_harness_teardown (h);
}

GST_START_TEST (lights_follow_params_of_buffers) { check_params ("passthrough"); }
GST_END_TEST;

GST_START_TEST (lights_follow_params_of_readbacks) { check_params ("readback"); }
GST_END_TEST;

/* Without an event the light has the condition of builtin:video-qc. */
GST_START_TEST (a_program_without_the_event_has_the_usual_condition)
{
  GstHarness *h = gst_harness_new_parse (
      "vyrefilter output-mode=passthrough program=\"param level = 17; sample_stats luma -> luma; "
      "sample_below luma, level -> black\" name=filter ! vyrescope panels=lights");
  GstElement *filter = gst_bin_get_by_name (GST_BIN (h->element), "filter");

  gst_harness_set_sink_caps_str (h, FRAMES);
  gst_harness_set_src_caps_str (h, VIDEO);
  fail_unless_equals_int (show_next (h, 0), LIGHT_NONE);
  gst_child_proxy_set (GST_CHILD_PROXY (filter), "level::value", 201.0, NULL);
  fail_unless_equals_int (show_next (h, 1), LIGHT_NOTICE);
  gst_object_unref (filter);
  gst_harness_teardown (h);
}
GST_END_TEST;

static Suite *
lights_suite (void)
{
  Suite *suite = suite_create ("lights");
  TCase *lights = tcase_create ("lights");

  suite_add_tcase (suite, lights);
  tcase_set_timeout (lights, 60);
  tcase_add_test (lights, lights_follow_params_of_buffers);
  tcase_add_test (lights, lights_follow_params_of_readbacks);
  tcase_add_test (lights, a_program_without_the_event_has_the_usual_condition);
  return suite;
}

GST_CHECK_MAIN (lights);

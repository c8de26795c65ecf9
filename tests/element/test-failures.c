/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What goes wrong, and what upstream, downstream and the bus then hear.
 */
#include "common.h"

#include <glib/gstdio.h>
#include <gst/video/video.h>

#define CHEAP "u8_stats payload -> stats"

/* A sink that answers what it is told to, from the second buffer on. */
static gint sink_answer;
static gint sink_buffers;
static gint sink_eos;

static GstFlowReturn
answer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  if (g_atomic_int_add (&sink_buffers, 1) == 0)
    return GST_FLOW_OK;
  return (GstFlowReturn)g_atomic_int_get (&sink_answer);
}

static GstPadProbeReturn
note_eos (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS)
    g_atomic_int_inc (&sink_eos);
  return GST_PAD_PROBE_OK;
}

static GstHarness *
new_answering (GstFlowReturn flow)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);

  g_atomic_int_set (&sink_answer, flow);
  g_atomic_int_set (&sink_buffers, 0);
  g_atomic_int_set (&sink_eos, 0);
  gst_pad_set_chain_function (h->sinkpad, answer);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note_eos, NULL, NULL);
  filter_start (h, NULL);
  return h;
}

/* Upstream hears of it within the buffers that may be in flight. */
static GstFlowReturn
push_until_told (GstHarness *h)
{
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; i < 100 && flow == GST_FLOW_OK; i++)
    flow = gst_harness_push (h, numbered_buffer (i, 10));
  return flow;
}

static const GstFlowReturn answers[]
    = { GST_FLOW_EOS, GST_FLOW_ERROR, GST_FLOW_NOT_LINKED, GST_FLOW_CUSTOM_ERROR };

GST_START_TEST (upstream_hears_what_downstream_answered)
{
  GstHarness *h = new_answering (answers[__i__]);

  fail_unless_equals_int (push_until_told (h), answers[__i__]);
  /* what is not taken is sent once more before the next buffer, whose answer stays the same */
  gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "late", NULL)));
  fail_unless_equals_int (push_until_told (h), answers[__i__]);
  fail_unless_equals_int (g_atomic_int_get (&sink_buffers), 2);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
  filter_flush (h);
  g_atomic_int_set (&sink_answer, GST_FLOW_OK);
  filter_push_segment (h);
  filter_push (h, numbered_buffer (0, 10));
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (without_a_peer_upstream_hears_not_linked)
{
  GstHarness *h = filter_new (CHEAP);
  GstPad *pad = filter_pad (h, "src");

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  fail_unless (gst_pad_unlink (pad, h->sinkpad));
  fail_unless_equals_int (push_until_told (h), GST_FLOW_NOT_LINKED);
  gst_pad_link (pad, h->sinkpad);
  gst_object_unref (pad);
  filter_finish (h);
}
GST_END_TEST;

/* fakesink num-buffers=N ends a pipeline that way: its EOS answer has to be
 * followed by the EOS event that upstream then sends. */
GST_START_TEST (the_eos_event_passes_a_downstream_that_had_enough)
{
  GstHarness *h = new_answering (GST_FLOW_EOS);

  fail_unless_equals_int (push_until_told (h), GST_FLOW_EOS);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 0; i < 2000 && !g_atomic_int_get (&sink_eos); i++)
    g_usleep (1000);
  fail_unless_equals_int (g_atomic_int_get (&sink_eos), 1);
  filter_finish (h);
}
GST_END_TEST;

/* After EOS upstream pushes nothing that could be answered: the bus is told. */
GST_START_TEST (an_error_behind_eos_reaches_the_bus)
{
  GstHarness *h = new_answering (GST_FLOW_ERROR);
  Dam dam;

  dam_build (&dam, h);
  for (guint i = 0; i < 3; i++)
    filter_push (h, numbered_buffer (i, 10));
  dam_wait (&dam);
  filter_push_eos (h);
  dam_break (&dam);
  gst_message_unref (bus_wait (h, GST_MESSAGE_ERROR));
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
  filter_finish (h);
}
GST_END_TEST;

/* Only EOS and the bus hear of the failure of the last buffer, unless the chain function pushed its
 * readback. */
GST_START_TEST (an_error_on_the_last_buffer_reaches_the_bus)
{
  GstHarness *h = new_answering (GST_FLOW_NOT_NEGOTIATED);

  filter_push (h, numbered_buffer (0, 10));
  GstFlowReturn flow = gst_harness_push (h, numbered_buffer (1, 10));
  fail_unless (flow == GST_FLOW_OK || flow == GST_FLOW_NOT_NEGOTIATED);
  while (g_atomic_int_get (&sink_buffers) < 2)
    g_thread_yield ();
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_message_unref (bus_wait (h, GST_MESSAGE_ERROR));
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
  filter_finish (h);
}
GST_END_TEST;

/* ---- buffers that cannot be run ---------------------------------------- */

GST_START_TEST (a_buffer_smaller_than_its_caps_is_an_error)
{
  GstHarness *h = filter_new ("builtin:frame-stats");

  filter_start (h, "video/x-raw,format=I420,width=16,height=16,framerate=25/1");
  fail_unless_equals_int (gst_harness_push (h, noise_buffer (383, 1)), GST_FLOW_ERROR);
  bus_assert_error (h, "383");
  filter_finish (h);
}
GST_END_TEST;

/* Planes of a GstVideoMeta that lie outside of their buffer, by plane; the last has too few. */
static const struct {
  guint n_planes;
  gsize offset[3];
  gint stride[3];
  const gchar *error;
} metas[] = {
  { 3, { (gsize)1 << 32, 256, 320 }, { 16, 8, 8 }, "Plane 0" },
  { 3, { G_MAXSIZE - 100, 256, 320 }, { 16, 8, 8 }, "Plane 0" },
  { 3, { 0, 384, 320 }, { 16, 8, 8 }, "Plane 1" },
  { 3, { 0, 256, 320 }, { 16, 8, G_MAXINT }, "Plane 2" },
  { 3, { 0, 256, 320 }, { 16, -8, 8 }, "upwards" },
  { 2, { 0, 256, 320 }, { 16, 8, 8 }, "has 2 planes" },
};

GST_START_TEST (planes_outside_of_their_buffer_are_an_error)
{
  GstHarness *h = filter_new ("u8_stats plane0 -> a; u8_stats plane1 -> b; u8_stats plane2 -> c");
  GstBuffer *buffer = noise_buffer (384, 1);
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0, 256, 320 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 16, 8, 8 };

  filter_start (h, "video/x-raw,format=I420,width=16,height=16,framerate=25/1");
  GstVideoMeta *meta = gst_buffer_add_video_meta_full (
      buffer, 0, GST_VIDEO_FORMAT_I420, 16, 16, 3, offset, stride);
  memcpy (meta->offset, metas[__i__].offset, sizeof metas[__i__].offset);
  memcpy (meta->stride, metas[__i__].stride, sizeof metas[__i__].stride);
  meta->n_planes = metas[__i__].n_planes;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_ERROR);
  bus_assert_error (h, metas[__i__].error);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_buffer_larger_than_the_staging_is_an_error)
{
  GstHarness *h = filter_new_with (CHEAP, "staging-size", (guint64)65536, NULL);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, noise_buffer (65536, 1)));
  fail_unless_equals_int (gst_harness_push (h, noise_buffer (65537, 1)), GST_FLOW_ERROR);
  bus_assert_error (h, "staging-size=65537");
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_program_for_another_kind_of_stream_is_an_error)
{
  GstHarness *h = filter_new ("builtin:frame-stats");

  filter_start (h, NULL);
  fail_unless_equals_int (gst_harness_push (h, noise_buffer (100, 1)), GST_FLOW_ERROR);
  bus_assert_error (h, "luma");
  filter_finish (h);
}
GST_END_TEST;

static void
assert_refused_program (const gchar *property, const gchar *value, const gchar *expected)
{
  GstElement *element = filter_make (NULL);
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;

  g_object_set (element, property, value, NULL);
  gst_element_set_bus (element, bus);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, expected) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

/* Results and the fields beside them share one structure. */
GST_START_TEST (results_named_like_fields_of_messages_are_refused)
{
  static const gchar *const names[] = { "timestamp", "stream-time", "running-time", "duration",
    "program", "sequence", "payload-bytes", "processed-bytes", "offset", "element", "pts" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *text = g_strdup_printf ("nop\nu8_stats payload -> %s", names[i]);
    g_autofree gchar *expected = g_strdup_printf (
        "2:21: the name '%s' is taken by a field of the result message. Fix: choose another name.",
        names[i]);
    g_autofree gchar *path = NULL;
    GError *error = NULL;

    fail_unless (g_close (g_file_open_tmp ("vyre-XXXXXX", &path, &error), &error));
    fail_unless (g_file_set_contents (path, text, -1, &error));
    assert_refused_program ("program", text, expected);
    assert_refused_program ("program-location", path, expected);
    g_unlink (path);
  }
}
GST_END_TEST;

/* Kinds of memory, and the element that brings it to the CPU. */
static const struct {
  const gchar *feature;
  const gchar *remedy;
} memories[] = {
  { "memory:NVMM", "'nvvideoconvert ! video/x-raw' in front, or, where there is none, 'nvvidconv" },
  { "memory:CUDAMemory", "Fix: put 'cudadownload ! video/x-raw'" },
  { "memory:GLMemory", "Fix: put 'gldownload ! video/x-raw'" },
  { "memory:VAMemory", "Fix: put 'vapostproc ! video/x-raw'" },
  { "memory:VASurface", "Fix: put 'vaapipostproc ! video/x-raw'" },
  { "memory:DMABuf", "'vapostproc ! video/x-raw' in front, or, where there is none, 'glupload ! " },
  { "memory:VulkanImage", "Fix: put 'vulkandownload ! video/x-raw'" },
  { "memory:D3D11Memory", "Fix: put 'd3d11download ! video/x-raw'" },
  { "memory:D3D12Memory", "Fix: put 'd3d12download ! video/x-raw'" },
  { "memory:HIPMemory", "Fix: put 'hipdownload ! video/x-raw'" },
  { "memory:Unheard", "copies memory:Unheard to system memory" },
};

static void
push_device_caps (GstHarness *h, const gchar *features)
{
  g_autofree gchar *text
      = g_strdup_printf ("video/x-raw(%s),format=RGBA,width=4,height=4,framerate=25/1", features);
  GstCaps *caps = gst_caps_from_string (text);

  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

/* One error, whatever upstream goes on to send: its pad sends the caps again and again. */
GST_START_TEST (memory_of_a_device_is_refused_once_with_a_remedy)
{
  GstHarness *h = filter_new (CHEAP);

  for (guint i = 0; i < G_N_ELEMENTS (memories); i++) {
    g_autofree gchar *named = g_strdup_printf ("video/x-raw(%s) are not", memories[i].feature);
    push_device_caps (h, memories[i].feature);
    GstMessage *message = bus_wait (h, GST_MESSAGE_ERROR);
    GError *error = NULL;
    gst_message_parse_error (message, &error, NULL);
    fail_unless (strstr (error->message, named) != NULL, "%s", error->message);
    fail_unless (strstr (error->message, memories[i].remedy) != NULL, "%s", error->message);
    g_error_free (error);
    gst_message_unref (message);
    filter_push_segment (h);
    for (guint n = 0; n < 3; n++)
      fail_unless_equals_int (gst_harness_push (h, noise_buffer (64, 1)), GST_FLOW_NOT_NEGOTIATED);
    push_device_caps (h, memories[i].feature);
    fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
  }
  filter_finish (h);
}
GST_END_TEST;

/* A meta beside the memory is not what is out of reach; and other caps end the trouble. */
GST_START_TEST (the_memory_is_named_among_other_features)
{
  GstHarness *h = filter_new (CHEAP);

  push_device_caps (h, "meta:GstVideoOverlayComposition, memory:NVMM");
  bus_assert_error (h, "video/x-raw(memory:NVMM) are not");
  filter_start (h, "video/x-raw,format=RGBA,width=4,height=4,framerate=25/1");
  gst_buffer_unref (filter_run (h, noise_buffer (64, 1)));
  push_device_caps (h, "memory:NVMM");
  bus_assert_error (h, "video/x-raw(memory:NVMM) are not");
  filter_finish (h);
}
GST_END_TEST;

/* ---- slots that fault -------------------------------------------------- */

static const struct {
  const gchar *program;
  guint slot;
} faults[] = {
  { "nop; u8_stats bytes(0, 101) -> stats; store_u32 9 -> nine", 1 },
  { "u8_stats region(90, 5, 3, 5) -> stats; nop; store_u32 9 -> nine", 0 },
  { "nop; crc32 bytes(4294967295, 1) -> crc; store_u32 9 -> nine", 1 },
  { "nop; store_u32 1, 100000; store_u32 9 -> nine", 1 },
  { "dfa_step 0, 0; nop; store_u32 9 -> nine", 0 },
  { "nop; memcpy 160, 165, 4000; store_u32 9 -> nine", 1 },
};

static void
check_faulted (GstBuffer *readback, guint faulted)
{
  for (guint slot = 0; slot < 4; slot++)
    fail_unless_equals_int (readback_word (readback, 1, slot * VYRE_SLOT_WORDS),
        slot == faulted ? VYRE_STATUS_FAULT : VYRE_STATUS_DONE);
  guint words
      = (guint)(gst_memory_get_sizes (gst_buffer_peek_memory (readback, 0), NULL, NULL) / 4);
  fail_unless_equals_int (readback_word (readback, 0, words - 1), 9);
}

GST_START_TEST (a_slot_that_faults_warns_once_and_the_stream_goes_on)
{
  GstHarness *h = filter_new_with (faults[__i__].program, "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 5; i++) {
    GstBuffer *readback = filter_run (h, numbered_buffer (i, 100));
    check_faulted (readback, faults[__i__].slot);
    gst_buffer_unref (readback);
  }
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING), 1);
  fail_unless_equals_uint64 (stat_of (h->element, "faults"), 5);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (the_fault_warning_names_the_slot_and_a_remedy)
{
  GstHarness *h = filter_new ("nop; dfa_step 3, 4");
  GError *error = NULL;
  gchar *debug = NULL;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, &debug);
  fail_unless (strstr (error->message, "Slot 1 ") != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "%s", error->message);
  fail_unless (strstr (debug, "dfa_step 3, 4") != NULL, "%s", debug);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_device_that_is_not_there_is_an_error_at_ready)
{
  GstElement *element = filter_make (CHEAP);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  g_object_set (element, "device", "no such device", NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND), "%s",
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

/* The error of an element that does not start with a property so; free with g_free(). */
static gchar *
refusal_of (const gchar *property, const gchar *value)
{
  GstElement *element = filter_make (NULL);
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;

  g_object_set (element, "resource-access", 1, property, value, NULL);
  gst_element_set_bus (element, bus);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "%s", property);
  gst_message_parse_error (message, &error, NULL);
  gchar *text = g_strdup (error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  return text;
}

/* Names are bytes, and messages are UTF-8: bindings of other languages fail otherwise. */
GST_START_TEST (names_in_messages_are_utf8)
{
  static const struct {
    const gchar *property, *name;
  } cases[] = {
    { "program-location", "/no/caf\xe9" },
    { "program", "builtin:caf\xe9" },
    { "program", "nop caf\xe9" },
    { "device", "caf\xe9" },
    { "replay-log", "/no/caf\xe9/log" },
    { "resource-root", "/no/caf\xe9" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *message = refusal_of (cases[i].property, cases[i].name);
    fail_unless (g_utf8_validate (message, -1, NULL), "%s", cases[i].property);
    fail_unless (strstr (message, "Fix: ") != NULL, "%s", message);
    g_free (message);
  }
}
GST_END_TEST;

/* The error about a built-in program that does not exist lists all that do, and so does the text of
 * the property. */
GST_START_TEST (builtin_programs_are_listed_where_they_are_missed)
{
  GstElement *element = filter_make (NULL);
  GParamSpec *program = g_object_class_find_property (G_OBJECT_GET_CLASS (element), "program");
  gchar *message = refusal_of ("program", "builtin:?");
  gchar *list = strstr (message, "use one of ");

  fail_unless (list != NULL, "%s", message);
  list += strlen ("use one of ");
  list[strcspn (list, ".")] = '\0';
  fail_unless (strstr (list, "audio-qc") != NULL, "%s", list);
  fail_unless (strstr (g_param_spec_get_blurb (program), list) != NULL, "%s is not in '%s'", list,
      g_param_spec_get_blurb (program));
  g_free (message);
  gst_object_unref (element);
}
GST_END_TEST;

static Suite *
failures_suite (void)
{
  Suite *s = suite_create ("failures");
  TCase *flow = tcase_create ("flow"), *buffer = tcase_create ("buffer");
  TCase *slot = tcase_create ("slot");

  suite_add_tcase (s, flow);
  tcase_add_loop_test (flow, upstream_hears_what_downstream_answered, 0, G_N_ELEMENTS (answers));
  tcase_add_test (flow, without_a_peer_upstream_hears_not_linked);
  tcase_add_test (flow, the_eos_event_passes_a_downstream_that_had_enough);
  tcase_add_test (flow, an_error_behind_eos_reaches_the_bus);
  tcase_add_test (flow, an_error_on_the_last_buffer_reaches_the_bus);
  suite_add_tcase (s, buffer);
  tcase_add_test (buffer, a_buffer_smaller_than_its_caps_is_an_error);
  tcase_add_loop_test (
      buffer, planes_outside_of_their_buffer_are_an_error, 0, G_N_ELEMENTS (metas));
  tcase_add_test (buffer, a_buffer_larger_than_the_staging_is_an_error);
  tcase_add_test (buffer, results_named_like_fields_of_messages_are_refused);
  tcase_add_test (buffer, a_program_for_another_kind_of_stream_is_an_error);
  tcase_add_test (buffer, memory_of_a_device_is_refused_once_with_a_remedy);
  tcase_add_test (buffer, the_memory_is_named_among_other_features);
  tcase_add_test (buffer, a_device_that_is_not_there_is_an_error_at_ready);
  tcase_add_test (buffer, names_in_messages_are_utf8);
  tcase_add_test (buffer, builtin_programs_are_listed_where_they_are_missed);
  suite_add_tcase (s, slot);
  tcase_add_loop_test (
      slot, a_slot_that_faults_warns_once_and_the_stream_goes_on, 0, G_N_ELEMENTS (faults));
  tcase_add_test (slot, the_fault_warning_names_the_slot_and_a_remedy);
  return s;
}

GST_CHECK_MAIN (failures);

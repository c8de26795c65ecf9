/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Properties that the elements have from their base classes: every one is set, and the stream is
 * what it should be.
 */
#include <gst/base/gstbasesrc.h>
#include <string.h>

#include "common.h"
#include "file.h"
#include "oracle.h"

#define SIZE 300001
#define BLOCK 65536

/* What a property makes of the stream; @h is idle and has a file of SIZE bytes. */
typedef struct {
  const gchar *property;
  void (*check) (GstHarness *h, const File *file);
} SourceCase;

typedef struct {
  const gchar *property;
  void (*check) (const File *file);
} FilterCase;

/* All of the file, then the end. */
static void
check_all (GstHarness *h, const File *file)
{
  gst_harness_play (h);
  fail_unless_equals_uint64 (file_check_rest (h, file, 0, file->size), file->size);
  fail_unless (file_pull (h) == NULL, "more than the file has");
}

static void
check_name (GstHarness *h, const File *file)
{
  g_object_set (h->element, "name", "renamed", NULL);
  fail_unless_equals_string (GST_OBJECT_NAME (h->element), "renamed");
  check_all (h, file);
}

static void
check_parent (GstHarness *h, const File *file)
{
  GstElement *bin = gst_bin_new (NULL);

  gst_object_ref_sink (h->element);
  g_object_set (h->element, "parent", bin, NULL);
  fail_unless (GST_OBJECT_PARENT (h->element) == GST_OBJECT_CAST (bin));
  check_all (h, file);
  gst_object_unparent (GST_OBJECT_CAST (h->element));
  gst_object_unref (bin);
}

/* Sizes of one byte, of no power of two, of more than the file, and "as it comes". */
static void
check_blocksize (GstHarness *h, const File *file)
{
  static const guint sizes[] = { 4099, SIZE, SIZE + 1, G_MAXUINT };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint64 expected = MIN (sizes[i], SIZE);
    GstHarness *one = file_source_new (file->path, sizes[i], 8);
    gst_harness_play (one);
    GstBuffer *block = file_pull (one);
    fail_unless_equals_uint64 (gst_buffer_get_size (block), expected);
    gst_buffer_unref (block);
    fail_unless_equals_uint64 (file_check_rest (one, file, expected, SIZE), SIZE);
    fail_unless (file_pull (one) == NULL);
    gst_harness_teardown (one);
  }
  g_object_set (h->element, "blocksize", 1, "num-buffers", 100, NULL);
  gst_harness_play (h);
  fail_unless_equals_uint64 (file_check_rest (h, file, 0, SIZE), 100);
}

static void
check_num_buffers (GstHarness *h, const File *file)
{
  g_object_set (h->element, "num-buffers", 0, NULL);
  gst_harness_play (h);
  fail_unless (file_pull (h) == NULL, "a buffer too many");
  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "num-buffers", 3, NULL);
  gst_harness_play (h);
  fail_unless_equals_uint64 (file_check_rest (h, file, 0, SIZE), 3 * BLOCK);
}

/* Without a function since long, and without harm. */
static void
check_typefind (GstHarness *h, const File *file)
{
  g_object_set (h->element, "typefind", TRUE, NULL);
  check_all (h, file);
}

static gboolean
seek_in_time (GstHarness *h, gdouble rate, gint64 start)
{
  return gst_element_seek (h->element, rate, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
      GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_NONE, -1);
}

/* The stream goes on where it was, which is at its end. */
static void
check_refused_seek (GstHarness *h, gdouble rate, gint64 start)
{
  fail_if (seek_in_time (h, rate, start));
  fail_unless (file_pull (h) == NULL, "a refused seek went somewhere");
}

static void
drop_events (GstHarness *h)
{
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (h)))
    gst_event_unref (event);
}

/* The base class counts in time then: every block is stamped, the file comes in order from its
 * start, and comes again where the stream is sought to its start. */
static void
check_do_timestamp (GstHarness *h, const File *file)
{
  gst_harness_use_testclock (h);
  g_object_set (h->element, "do-timestamp", TRUE, NULL);
  gst_harness_play (h);
  GstBuffer *block = file_pull (h);
  fail_unless (GST_BUFFER_PTS_IS_VALID (block), "a block without a time");
  gst_buffer_unref (block);
  fail_unless_equals_uint64 (file_check_rest (h, file, BLOCK, SIZE), SIZE);
  fail_unless (file_pull (h) == NULL, "more than the file has");
  check_refused_seek (h, 1, GST_SECOND);
  check_refused_seek (h, -1, 0);
  fail_unless (seek_in_time (h, 1, 0));
  gst_buffer_unref (file_pull_from (h, 0));
  fail_unless_equals_uint64 (file_check_rest (h, file, BLOCK, SIZE), SIZE);
  /* a stream of its own starts where the file does, and one block may have all of it */
  gst_element_set_state (h->element, GST_STATE_READY);
  drop_events (h);
  g_object_set (h->element, "blocksize", G_MAXUINT, NULL);
  gst_harness_play (h);
  fail_unless_equals_uint64 (file_check_rest (h, file, 0, SIZE), SIZE);
  fail_unless (file_pull (h) == NULL);
}

/* A property since GStreamer 1.24, a function before. */
static void
check_automatic_eos (GstHarness *h, const File *file)
{
  gst_base_src_set_automatic_eos (GST_BASE_SRC (h->element), FALSE);
  check_all (h, file);
}

static const SourceCase source_cases[] = {
  { "name", check_name },
  { "parent", check_parent },
  { "blocksize", check_blocksize },
  { "num-buffers", check_num_buffers },
  { "typefind", check_typefind },
  { "do-timestamp", check_do_timestamp },
  { "automatic-eos", check_automatic_eos },
};

GST_START_TEST (the_source_does_what_inherited_properties_say)
{
  File file;

  file_init (&file, SIZE);
  GstHarness *h = file_source_new (file.path, BLOCK, 4);
  source_cases[__i__].check (h, &file);
  gst_harness_teardown (h);
  file_clear (&file);
}
GST_END_TEST;

/* Blocks of nothing would never come to the end of the file. */
GST_START_TEST (blocks_of_nothing_are_an_error)
{
  File file;

  file_init (&file, 10);
  for (guint timed = 0; timed < 2; timed++) {
    GError *error = NULL;
    g_autofree gchar *text = g_strdup_printf (
        "vyresrc location=%s blocksize=0 do-timestamp=%u ! fakesink", file.path, timed);
    GstElement *pipeline = gst_parse_launch (text, NULL);
    GstMessage *message = file_run_pipeline (pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_ERROR);
    gst_message_parse_error (message, &error, NULL);
    fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
    fail_unless (strstr (error->message, "Fix: set blocksize") != NULL, "%s", error->message);
    g_error_free (error);
    gst_message_unref (message);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (pipeline);
  }
  file_clear (&file);
}
GST_END_TEST;

static void
check_filter (GstHarness *h, const File *file)
{
  filter_start (h, NULL);
  GstBuffer *readback = filter_run (h, buffer_of (file->bytes, file->size));
  fail_unless_equals_uint64 (
      readback_observable (readback, 1), oracle_crc32 (file->bytes, file->size));
  gst_buffer_unref (readback);
  filter_finish (h);
}

static void
check_filter_name (const File *file)
{
  GstHarness *h = filter_new_with ("crc32 payload -> crc32", "name", "renamed", NULL);
  GstStructure *stats = stats_of (h->element);
  const GValue *tenant = gst_structure_get_value (stats, "tenant");

  fail_unless_equals_string (
      gst_structure_get_string (gst_value_get_structure (tenant), "label"), "renamed");
  gst_structure_free (stats);
  check_filter (h, file);
}

static void
check_filter_parent (const File *file)
{
  GstElement *bin = gst_bin_new (NULL);
  GstHarness *h = filter_new_with ("crc32 payload -> crc32", "parent", bin, NULL);
  GstElement *filter = gst_object_ref (h->element); /* its floating reference is the bin's */

  fail_unless (GST_OBJECT_PARENT (filter) == GST_OBJECT_CAST (bin));
  check_filter (h, file);
  gst_object_unparent (GST_OBJECT_CAST (filter));
  gst_object_unref (bin);
}

static const FilterCase filter_cases[] = {
  { "name", check_filter_name },
  { "parent", check_filter_parent },
};

GST_START_TEST (the_filter_does_what_inherited_properties_say)
{
  File file;

  file_init (&file, SIZE);
  filter_cases[__i__].check (&file);
  file_clear (&file);
}
GST_END_TEST;

/* A base class that gets a property has a case missing here. */
static void
check_complete (const gchar *factory, const gchar *const *properties)
{
  GstElement *element = gst_element_factory_make (factory, NULL);
  guint n_specs;
  GParamSpec **specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n_specs);

  for (guint i = 0; i < n_specs; i++)
    fail_unless (specs[i]->owner_type == G_OBJECT_TYPE (element)
                     || g_strv_contains (properties, specs[i]->name),
        "nothing sets %s of %s", specs[i]->name, factory);
  g_free (specs);
  gst_object_unref (element);
}

GST_START_TEST (every_inherited_property_has_a_case)
{
  const gchar *source[G_N_ELEMENTS (source_cases) + 1] = { NULL };
  const gchar *filter[G_N_ELEMENTS (filter_cases) + 1] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (source_cases); i++)
    source[i] = source_cases[i].property;
  for (guint i = 0; i < G_N_ELEMENTS (filter_cases); i++)
    filter[i] = filter_cases[i].property;
  check_complete ("vyresrc", source);
  check_complete ("vyrefilter", filter);
}
GST_END_TEST;

static Suite *
inherited_suite (void)
{
  Suite *s = suite_create ("inherited");
  TCase *source = tcase_create ("source"), *filter = tcase_create ("filter");

  suite_add_tcase (s, source);
  tcase_add_test (source, every_inherited_property_has_a_case);
  tcase_add_loop_test (
      source, the_source_does_what_inherited_properties_say, 0, G_N_ELEMENTS (source_cases));
  tcase_add_test (source, blocks_of_nothing_are_an_error);
  suite_add_tcase (s, filter);
  tcase_add_loop_test (
      filter, the_filter_does_what_inherited_properties_say, 0, G_N_ELEMENTS (filter_cases));
  return s;
}

GST_CHECK_MAIN (inherited);

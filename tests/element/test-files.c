/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that programs name, in a stream: what they bring is in the results, what cannot be
 * had is told once, and what is appended is there in the order of the buffers.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "common.h"
#include "oracle.h"

/* Of resource-access. */
#define ALL 2

typedef struct {
  gchar *path;
} File;

static File
file_new (const guint32 *words, gsize n)
{
  File file;
  gint fd = g_file_open_tmp ("vyre-files-XXXXXX", &file.path, NULL);

  fail_unless (fd >= 0);
  g_close (fd, NULL);
  fail_unless (g_file_set_contents (file.path, (const gchar *)words, (gssize)(4 * n), NULL));
  return file;
}

static void
file_clear (File *file)
{
  g_unlink (file->path);
  g_clear_pointer (&file->path, g_free);
}

static const guint32 rules[] = { GUINT32_TO_LE (11), GUINT32_TO_LE (22), GUINT32_TO_LE (33) };

GST_START_TEST (words_of_a_file_are_results)
{
  File file = file_new (rules, G_N_ELEMENTS (rules));
  gchar *program = g_strdup_printf ("resource rules = file \"%s\"; load_words rules, 0, 2 -> pair; "
                                    "crc32 payload -> crc; load_words rules, 2, 1 -> last",
      file.path);
  GstHarness *h
      = filter_new_with (program, "resource-access", ALL, "results-interval", (guint64)0, NULL);
  GstStructure *pair = NULL;

  filter_start (h, NULL);
  for (guint i = 0; i < 20; i++) {
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 5000)));
    GstMessage *message = bus_wait_element (h, "vyre-results");
    const GstStructure *results = gst_message_get_structure (message);
    fail_unless (gst_structure_get (results, "pair", GST_TYPE_STRUCTURE, &pair, NULL));
    fail_unless_equals_int (gst_structure_n_fields (pair), 2);
    fail_unless_equals_uint64 (field_u64 (pair, "word-0"), 11);
    fail_unless_equals_uint64 (field_u64 (pair, "word-1"), 22);
    fail_unless_equals_uint64 (field_u64 (results, "last"), 33);
    fail_unless_equals_uint64 (field_u64 (results, "sequence"), i + 1);
    gst_structure_free (pair);
    gst_message_unref (message);
  }
  fail_unless_equals_uint64 (stat_nested (h->element, "resources", "loads"), 1);
  fail_unless_equals_uint64 (stat_nested (h->element, "resources", "parked"), 1);
  fail_unless_equals_uint64 (stat_nested (h->element, "resources", "hits"), 20);
  fail_unless_equals_uint64 (stat_nested (h->element, "resources", "resident-bytes"), 4096);
  fail_unless_equals_uint64 (stat_of (h->element, "done-count"), 20 * 4);
  filter_finish (h);
  g_free (program);
  file_clear (&file);
}
GST_END_TEST;

/* Files of /proc say that they are empty, those of /sys that they have a page. */
GST_START_TEST (files_that_do_not_say_how_long_they_are_are_read)
{
  static const gchar *const paths[]
      = { "/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    gchar *text,
        *program = g_strdup_printf (
            "resource r = file '%s'; load_words r, 0, 4 -> words; crc32 payload -> crc", paths[i]);
    gsize length;
    if (!g_file_get_contents (paths[i], &text, &length, NULL))
      text = NULL;
    GstHarness *h = filter_new_with (program, "resource-access", ALL, NULL);
    filter_start (h, NULL);
    GstBuffer *readback = text ? filter_run (h, numbered_buffer (i, 500)) : NULL;
    for (guint word = 0; text && word < 4; word++) {
      guint32 expected;
      memcpy (&expected, text + 4 * word, 4);
      fail_unless_equals_uint64 (
          readback_observable (readback, 1 + word), GUINT32_FROM_LE (expected));
    }
    gst_clear_buffer (&readback);
    fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING), 0);
    filter_finish (h);
    g_free (program);
    g_free (text);
  }
}
GST_END_TEST;

/* Words come from where files are, wherever the payload is. */
GST_START_TEST (files_and_imported_payloads_go_together)
{
  const gsize size = 3 << 20;
  File file = file_new (rules, G_N_ELEMENTS (rules));
  gchar *program = g_strdup_printf ("resource r = file '%s'; crc32 payload -> crc; "
                                    "load_words r, 1, 2 -> pair",
      file.path);
  guint8 *bytes = noise_new (size, 5);
  GstHarness *h = filter_new_with (program, "resource-access", ALL, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 4; i++) {
    bytes[i]++;
    GstBuffer *readback = filter_run (h,
        gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, bytes, size, 0, size, NULL, NULL));
    fail_unless_equals_uint64 (readback_observable (readback, 1), oracle_crc32 (bytes, size));
    fail_unless_equals_int (readback_observable (readback, 2), 22);
    fail_unless_equals_int (readback_observable (readback, 3), 33);
    gst_buffer_unref (readback);
  }
  if (stat_is (h->element, "placement", "unified"))
    fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "import-bytes"), 4 * size);
  filter_finish (h);
  g_free (bytes);
  g_free (program);
  file_clear (&file);
}
GST_END_TEST;

/* The stream goes on, and so does the rest of the program. */
GST_START_TEST (a_file_that_is_not_there_is_told_once)
{
  File file = file_new (rules, G_N_ELEMENTS (rules));
  gchar *missing = g_strconcat (file.path, "-missing", NULL);
  gchar *program = g_strdup_printf (
      "resource rules = file '%s'; load_words rules, 0, 1 -> a; crc32 payload -> crc", missing);
  GstHarness *h = filter_new_with (program, "resource-access", ALL, NULL);
  GError *error = NULL;

  filter_start (h, NULL);
  for (guint i = 0; i < 10; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 100)));
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (
      strstr (error->message, missing) && strstr (error->message, "Fix: "), "%s", error->message);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  fail_unless_equals_uint64 (stat_of (h->element, "faults"), 10);
  fail_unless_equals_uint64 (stat_of (h->element, "batches"), 10);
  fail_unless_equals_uint64 (stat_nested (h->element, "resources", "failures"), 10);
  g_error_free (error);
  gst_message_unref (message);
  filter_finish (h);
  g_free (program);
  g_free (missing);
  file_clear (&file);
}
GST_END_TEST;

/* Buffers are in flight side by side, and each batch is parked until it is its turn. */
GST_START_TEST (what_is_appended_is_in_the_order_of_the_buffers)
{
  enum { N = 200 };
  File file = file_new (NULL, 0);
  gchar *program = g_strdup_printf (
      "resource log = sink '%s'; append log, &sum, 1; u8_below payload, 256 -> sum", file.path);
  GstHarness *h = filter_new_with (program, "resource-access", ALL, "max-in-flight", 16, NULL);
  guint32 *words;
  gsize size;

  filter_start (h, NULL);
  for (guint i = 0; i < N; i++)
    filter_push (h, noise_buffer (100 + i, i));
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless (g_file_get_contents (file.path, (gchar **)&words, &size, NULL));
  fail_unless_equals_uint64 (size, 4 * N);
  for (guint i = 0; i < N; i++)
    fail_unless_equals_int (GUINT32_FROM_LE (words[i]), 100 + i);
  fail_unless_equals_uint64 (stat_nested (h->element, "resources", "appends"), N);
  fail_unless_equals_uint64 (stat_nested (h->element, "resources", "appended-bytes"), size);
  filter_finish (h);
  g_free (words);
  g_free (program);
  file_clear (&file);
}
GST_END_TEST;

/* Each buffer runs the program that was set when it came, with the files of that one. */
GST_START_TEST (programs_with_other_files_take_turns)
{
  File files[3];
  gchar *programs[3];
  GstHarness *h;

  for (guint32 i = 0; i < 3; i++) {
    guint32 word = GUINT32_TO_LE (100 + i);
    files[i] = file_new (&word, 1);
    programs[i]
        = g_strdup_printf ("resource r = file '%s'; load_words r, 0, 1 -> a", files[i].path);
  }
  h = filter_new_with (programs[0], "resource-access", ALL, NULL);
  filter_start (h, NULL);
  guint64 loads = stat_nested (h->element, "resources", "loads");
  for (guint i = 0; i < 60; i++) {
    g_object_set (h->element, "program", programs[i % 3], NULL);
    filter_push (h, numbered_buffer (i, 16));
  }
  for (guint i = 0; i < 60; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_int (readback_observable (readback, 1), 100 + i % 3);
    gst_buffer_unref (readback);
  }
  fail_unless_equals_uint64 (stat_nested (h->element, "resources", "loads"), loads + 3);
  filter_finish (h);
  for (guint i = 0; i < 3; i++) {
    g_free (programs[i]);
    file_clear (&files[i]);
  }
}
GST_END_TEST;

static guint64
count_of (GstHarness *h, const gchar *name)
{
  return stat_nested (h->element, "resources", name);
}

/* Of two files there is room for one, and what is read ahead is not waited for. */
GST_START_TEST (what_becomes_of_files_is_counted)
{
  File files[2] = { file_new (rules, 3), file_new (rules, 2) }, log = file_new (NULL, 0);
  gchar *program = g_strdup_printf ("resource r = file '%s'; load_miss r, 1", files[0].path);
  gchar *other = g_strdup_printf ("resource r = file '%s'; resource log = sink '%s'; "
                                  "load_words r, 1, 1 -> a; sync log",
      files[1].path, log.path);
  GstHarness *h
      = filter_new_with (program, "resource-access", ALL, "resource-size", (guint64)4096, NULL);
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 64)));
  fail_unless_equals_uint64 (count_of (h, "prefetches"), 1);
  fail_unless_equals_uint64 (count_of (h, "parked"), 0);
  while (count_of (h, "loaded-bytes") < 12 && g_get_monotonic_time () < end)
    g_thread_yield ();
  g_object_set (h->element, "program", other, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (1, 64)));
  fail_unless_equals_uint64 (count_of (h, "loads"), 2);
  fail_unless_equals_uint64 (count_of (h, "loaded-bytes"), 12 + 8);
  fail_unless_equals_uint64 (count_of (h, "evictions"), 1);
  fail_unless_equals_uint64 (count_of (h, "requests"), 2);
  fail_unless_equals_uint64 (count_of (h, "syncs"), 1);
  filter_finish (h);
  g_free (program);
  g_free (other);
  file_clear (&files[0]);
  file_clear (&files[1]);
  file_clear (&log);
}
GST_END_TEST;

/* A flush does not wait for what is parked, and nothing of it shows up later. */
GST_START_TEST (a_flush_leaves_nothing_behind)
{
  File file = file_new (rules, G_N_ELEMENTS (rules)), log = file_new (NULL, 0);
  gchar *program = g_strdup_printf ("resource r = file '%s'; resource log = sink '%s'; "
                                    "load_words r, 1, 1 -> a; append log, &a, 1; sync log",
      file.path, log.path);
  GstHarness *h = filter_new_with (program, "resource-access", ALL, NULL);
  guint32 *words;
  gsize size;

  filter_start (h, NULL);
  for (guint round = 0; round < 20; round++) {
    for (guint i = 0; i < 3; i++)
      filter_push (h, numbered_buffer (i, 64));
    filter_flush (h);
    filter_push_segment (h);
    GstBuffer *readback = filter_run (h, numbered_buffer (7, 64));
    fail_unless_equals_int (readback_observable (readback, 1), 22);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
  fail_unless (g_file_get_contents (log.path, (gchar **)&words, &size, NULL));
  fail_unless (size >= 4 * 20 && size <= 4 * 4 * 20);
  for (gsize i = 0; i < size / 4; i++)
    fail_unless_equals_int (GUINT32_FROM_LE (words[i]), 22);
  g_free (words);
  g_free (program);
  file_clear (&file);
  file_clear (&log);
}
GST_END_TEST;

GST_START_TEST (room_for_files_is_a_property)
{
  File file = file_new (rules, G_N_ELEMENTS (rules));
  gchar *program = g_strdup_printf ("resource r = file '%s'; load_words r, 1, 1 -> a", file.path);
  GstHarness *h
      = filter_new_with (program, "resource-access", ALL, "resource-size", (guint64)8, NULL);
  GError *error = NULL;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 64)));
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, "resource-size=4096") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  filter_finish (h);
  g_free (program);
  file_clear (&file);
}
GST_END_TEST;

static Suite *
files_suite (void)
{
  Suite *s = suite_create ("files");
  TCase *tc = tcase_create ("files");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, words_of_a_file_are_results);
  tcase_add_test (tc, files_that_do_not_say_how_long_they_are_are_read);
  tcase_add_test (tc, files_and_imported_payloads_go_together);
  tcase_add_test (tc, a_file_that_is_not_there_is_told_once);
  tcase_add_test (tc, what_is_appended_is_in_the_order_of_the_buffers);
  tcase_add_test (tc, programs_with_other_files_take_turns);
  tcase_add_test (tc, what_becomes_of_files_is_counted);
  tcase_add_test (tc, a_flush_leaves_nothing_behind);
  tcase_add_test (tc, room_for_files_is_a_property);
  return s;
}

GST_CHECK_MAIN (files);

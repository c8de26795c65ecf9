/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The property results-location: its lines say what the messages say, and a file that changes or
 * fails is dealt with.
 */
#include "common.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHEAP "crc32 payload -> crc32"
#define TYPES                                                                                      \
  "crc32 payload -> crc; u8_stats payload -> stats; u8_histogram payload -> histogram; "           \
  "event bright when $stats.max > 0 with most = $stats.max"
#define SOUND "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1"

static gchar *dir;

static void
make_dir (void)
{
  dir = g_dir_make_tmp ("vyre-lines-XXXXXX", NULL);
  fail_unless (dir != NULL);
}

static void
remove_dir (void)
{
  GDir *entries = g_dir_open (dir, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (entries))) {
    gchar *path = g_build_filename (dir, name, NULL);
    g_remove (path);
    g_free (path);
  }
  g_dir_close (entries);
  g_rmdir (dir);
  g_free (dir);
}

static gchar *
in_dir (const gchar *name)
{
  return g_build_filename (dir, name, NULL);
}

/* The lines of a text, each a whole object. */
static JsonArray *
parse_lines (const gchar *text)
{
  JsonArray *array = json_array_new ();

  fail_unless (*text == 0 || g_str_has_suffix (text, "}\n"), "cut: %s", text);
  gchar **lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i]; i++) {
    JsonNode *node = json_from_string (lines[i], NULL);
    fail_unless (node && JSON_NODE_HOLDS_OBJECT (node), "%s", lines[i]);
    json_array_add_element (array, node);
  }
  g_strfreev (lines);
  return array;
}

static JsonArray *
read_lines (const gchar *path)
{
  gchar *text;

  fail_unless (g_file_get_contents (path, &text, NULL, NULL));
  JsonArray *lines = parse_lines (text);
  g_free (text);
  return lines;
}

static JsonObject *
line_at (JsonArray *lines, guint i)
{
  fail_unless (i < json_array_get_length (lines), "no line %u", i);
  return json_array_get_object_element (lines, i);
}

/* @node has what @value says. */
static gboolean check_field (GQuark name, const GValue *value, gpointer object);

static void
check_value (JsonNode *node, const GValue *value)
{
  if (GST_VALUE_HOLDS_STRUCTURE (value)) {
    const GstStructure *structure = gst_value_get_structure (value);
    if (!JSON_NODE_HOLDS_ARRAY (node)) {
      gst_structure_foreach (structure, check_field, json_node_get_object (node));
      return;
    }
    JsonArray *array = json_node_get_array (node);
    fail_unless_equals_int (json_array_get_length (array), gst_structure_n_fields (structure));
    for (guint i = 0; i < json_array_get_length (array); i++) {
      gchar *bin = g_strdup_printf ("bin-%u", i);
      fail_unless_equals_int64 (
          json_array_get_int_element (array, i), (gint64)field_u64 (structure, bin));
      g_free (bin);
    }
  } else if (G_VALUE_HOLDS_STRING (value)) {
    fail_unless_equals_string (json_node_get_string (node), g_value_get_string (value));
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    fail_unless (json_node_get_boolean (node) == g_value_get_boolean (value));
  } else if (G_VALUE_HOLDS_INT64 (value)) {
    fail_unless_equals_int64 (json_node_get_int (node), g_value_get_int64 (value));
  } else if (g_value_get_uint64 (value) == G_MAXUINT64) {
    fail_unless (JSON_NODE_HOLDS_NULL (node));
  } else {
    fail_unless_equals_int64 (json_node_get_int (node), (gint64)g_value_get_uint64 (value));
  }
}

static gboolean
check_field (GQuark name, const GValue *value, gpointer object)
{
  const gchar *key = g_quark_to_string (name);

  if (GST_VALUE_HOLDS_CAPS (value)) /* lines have none */
    return TRUE;
  fail_unless (json_object_has_member (object, key), "%s is missing", key);
  check_value (json_object_get_member (object, key), value);
  return TRUE;
}

static void
check_line (JsonObject *line, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);

  fail_unless_equals_string (
      json_object_get_string_member (line, "type"), gst_structure_get_name (structure));
  guint n_fields = (guint)gst_structure_n_fields (structure);
  if (gst_structure_has_field (structure, "caps"))
    n_fields--;
  fail_unless_equals_int (json_object_get_size (line), n_fields + 1);
  gst_structure_foreach (structure, check_field, line);
}

static void
check_end (JsonArray *lines, guint i, const gchar *reason)
{
  JsonObject *end = line_at (lines, i);

  fail_unless_equals_string (json_object_get_string_member (end, "type"), "vyre-end");
  fail_unless_equals_string (json_object_get_string_member (end, "reason"), reason);
  fail_unless_equals_int64 (json_object_get_int_member (end, "lines"), i);
}

/* @path has the results of buffers @from to @last, and an end. */
static void
check_file (const gchar *path, guint from, guint last, const gchar *reason)
{
  JsonArray *lines = read_lines (path);
  guint n = last + 1 - from;

  fail_unless_equals_int (json_array_get_length (lines), n + 1);
  for (guint i = 0; i < n; i++)
    fail_unless_equals_int64 (
        json_object_get_int_member (line_at (lines, i), "sequence"), from + i);
  check_end (lines, n, reason);
  json_array_unref (lines);
}

static GstBuffer *
timed_buffer (guint i)
{
  GstBuffer *buffer = noise_buffer (100 + i, i);

  GST_BUFFER_PTS (buffer) = i * GST_SECOND;
  return buffer;
}

static void
run (GstHarness *h, guint from, guint last)
{
  for (guint i = from; i <= last; i++)
    gst_buffer_unref (filter_run (h, timed_buffer (i)));
}

static void
end (GstHarness *h)
{
  filter_push_eos (h);
  filter_wait_eos (h);
}

/* Takes the messages of results and events off the bus, in order. */
static GPtrArray *
take_messages (GstHarness *h)
{
  GPtrArray *messages = g_ptr_array_new_with_free_func ((GDestroyNotify)gst_message_unref);
  GstMessage *message;

  while ((message = bus_try (h, GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (message, "vyre-results")
        || gst_message_has_name (message, "vyre-event"))
      g_ptr_array_add (messages, message);
    else
      gst_message_unref (message);
  }
  return messages;
}

static void
check_messages (const gchar *program, const gchar *caps, guint n_least)
{
  gchar *path = in_dir ("all");
  GstHarness *h = filter_new_with (
      program, "results-location", path, "results-interval", G_GUINT64_CONSTANT (0), NULL);
  struct stat status;

  filter_start (h, caps);
  run (h, 0, 3);
  end (h);
  GPtrArray *messages = take_messages (h);
  JsonArray *lines = read_lines (path);
  fail_unless (messages->len >= n_least);
  fail_unless_equals_int (json_array_get_length (lines), messages->len + 1);
  for (guint i = 0; i < messages->len; i++)
    check_line (line_at (lines, i), messages->pdata[i]);
  check_end (lines, messages->len, "eos");
  fail_unless (json_object_get_boolean_member (line_at (lines, messages->len), "complete"));
  fail_unless_equals_uint64 (stat_of (h->element, "lines"), messages->len + 1);
  fail_unless_equals_uint64 (stat_of (h->element, "lost-lines"), 0);
  fail_unless (g_stat (path, &status) == 0 && (status.st_mode & 0777) == 0600);
  g_ptr_array_unref (messages);
  json_array_unref (lines);
  filter_finish (h);
  g_free (path);
}

GST_START_TEST (lines_say_what_messages_say)
{
  make_dir ();
  check_messages (TYPES, NULL, 6);
  check_messages ("builtin:audio-qc", SOUND, 4);
  remove_dir ();
}
GST_END_TEST;

GST_START_TEST (messages_that_are_not_posted_have_lines)
{
  make_dir ();
  gchar *path = in_dir ("quiet");
  GstHarness *h = filter_new_with (TYPES, "results-location", path, "post-messages", 0, NULL);

  filter_start (h, NULL);
  run (h, 0, 2);
  end (h);
  JsonArray *lines = read_lines (path);
  fail_unless (json_array_get_length (lines) >= 3 + 2 + 1);
  fail_unless_equals_string (
      json_object_get_string_member (line_at (lines, 0), "type"), "vyre-event");
  fail_unless_equals_int (bus_count (h, "vyre-results"), 0);
  fail_unless_equals_uint64 (stat_of (h->element, "events"), 0);
  json_array_unref (lines);
  filter_finish (h);
  g_free (path);
  remove_dir ();
}
GST_END_TEST;

GST_START_TEST (setting_the_property_rotates)
{
  make_dir ();
  gchar *old = in_dir ("first"), *kept = in_dir ("kept"), *second = in_dir ("second");
  GstHarness *h = filter_new_with (CHEAP, "results-location", old, NULL);

  filter_start (h, NULL);
  run (h, 1, 3);
  g_object_set (h->element, "results-location", second, NULL);
  run (h, 4, 5);
  check_file (old, 1, 3, "rotated");
  fail_unless (g_rename (second, kept) == 0);
  g_object_set (h->element, "results-location", second, NULL);
  run (h, 6, 6);
  check_file (kept, 4, 5, "rotated");
  end (h);
  check_file (second, 6, 6, "eos");
  filter_finish (h);
  check_file (second, 6, 6, "eos");
  g_free (old);
  g_free (kept);
  g_free (second);
  remove_dir ();
}
GST_END_TEST;

GST_START_TEST (a_flush_and_another_program_leave_whole_lines)
{
  make_dir ();
  gchar *path = in_dir ("swap");
  GstHarness *h = filter_new_with (CHEAP, "results-location", path, NULL);

  filter_start (h, NULL);
  run (h, 1, 1);
  filter_flush (h);
  filter_push_segment (h);
  run (h, 2, 2);
  g_object_set (h->element, "program", "crc32c payload -> other", NULL);
  run (h, 3, 3);
  filter_finish (h);
  check_file (path, 1, 3, "stopped");
  JsonArray *lines = read_lines (path);
  fail_unless (json_object_has_member (line_at (lines, 1), "crc32"));
  fail_unless (!json_object_has_member (line_at (lines, 2), "crc32"));
  fail_unless (json_object_has_member (line_at (lines, 2), "other"));
  json_array_unref (lines);
  g_free (path);
  remove_dir ();
}
GST_END_TEST;

GST_START_TEST (two_elements_write_two_files)
{
  make_dir ();
  gchar *paths[] = { in_dir ("0"), in_dir ("1") };
  GstHarness *h[2];

  for (guint i = 0; i < 2; i++) {
    h[i] = filter_new_with (CHEAP, "results-location", paths[i], NULL);
    filter_start (h[i], NULL);
  }
  run (h[0], 1, 2);
  run (h[1], 1, 1);
  run (h[0], 3, 3);
  for (guint i = 0; i < 2; i++) {
    end (h[i]);
    check_file (paths[i], 1, i == 0 ? 3 : 1, "eos");
    filter_finish (h[i]);
    g_free (paths[i]);
  }
  remove_dir ();
}
GST_END_TEST;

static void
check_refused (const gchar *path)
{
  GstElement *element = filter_make (CHEAP);
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;

  g_object_set (element, "results-location", path, NULL);
  gst_element_set_bus (element, bus);
  fail_unless (gst_element_set_state (element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no error for %s", path);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE));
  fail_unless (strstr (error->message, "Fix: ") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_bus (element, NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

GST_START_TEST (what_cannot_be_opened_is_refused)
{
  make_dir ();
  gchar *file = in_dir ("file"), *link = in_dir ("link"), *fifo = in_dir ("fifo");

  fail_unless (g_file_set_contents (file, "kept", -1, NULL));
  fail_unless (symlink (file, link) == 0 && mkfifo (fifo, 0600) == 0);
  check_refused (link);
  check_refused (fifo);
  check_refused (dir);
  check_refused ("/dev/full");
  check_refused ("/no/folder/of/lines");
  gchar *text;
  fail_unless (g_file_get_contents (file, &text, NULL, NULL));
  fail_unless_equals_string (text, "kept");
  g_free (text);
  g_free (file);
  g_free (link);
  g_free (fifo);
  remove_dir ();
}
GST_END_TEST;

/* Takes a warning off the bus, which has to be the only one. */
static void
check_one_warning (GstHarness *h, gint code)
{
  GstMessage *message = bus_try (h, GST_MESSAGE_WARNING);
  GError *error = NULL;

  fail_unless (message != NULL, "no warning");
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code), "%s", error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless (bus_try (h, GST_MESSAGE_WARNING) == NULL, "one warning is enough");
  fail_unless (bus_try (h, GST_MESSAGE_ERROR) == NULL);
}

GST_START_TEST (a_wrong_file_set_later_loses_lines_and_not_the_stream)
{
  make_dir ();
  gchar *old = in_dir ("first"), *next = in_dir ("next");
  GstHarness *h = filter_new_with (CHEAP, "results-location", old, NULL);

  filter_start (h, NULL);
  run (h, 1, 1);
  g_object_set (h->element, "results-location", "/no/folder/of/lines", NULL);
  run (h, 2, 4);
  check_one_warning (h, GST_RESOURCE_ERROR_OPEN_WRITE);
  check_file (old, 1, 1, "rotated");
  fail_unless_equals_uint64 (stat_of (h->element, "lost-lines"), 3);
  g_object_set (h->element, "results-location", next, NULL);
  run (h, 5, 5);
  end (h);
  check_file (next, 5, 5, "eos");
  filter_finish (h);
  g_free (old);
  g_free (next);
  remove_dir ();
}
GST_END_TEST;

/* Runs a stream while @fd is standard output. */
static GstHarness *
run_to (int fd, guint from, guint last)
{
  GstHarness *h = filter_new_with (CHEAP, "results-location", "-", NULL);
  int before = dup (STDOUT_FILENO);

  fail_unless (before >= 0 && dup2 (fd, STDOUT_FILENO) >= 0);
  filter_start (h, NULL);
  run (h, from, last);
  end (h);
  fail_unless (dup2 (before, STDOUT_FILENO) >= 0);
  close (before);
  return h;
}

GST_START_TEST (an_output_that_fails_loses_lines_and_not_the_stream)
{
  int full = open ("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];

  fail_unless (full >= 0 && pipe (ends) == 0);
  close (ends[0]);
  signal (SIGPIPE, SIG_DFL);
  for (guint i = 0; i < 2; i++) {
    GstHarness *h = run_to (i == 0 ? full : ends[1], 1, 3);
    check_one_warning (h, GST_RESOURCE_ERROR_WRITE);
    fail_unless_equals_uint64 (stat_of (h->element, "lost-lines"), 4);
    fail_unless_equals_uint64 (stat_of (h->element, "lines"), 0);
    filter_finish (h);
  }
  close (full);
  close (ends[1]);
}
GST_END_TEST;

/* A pipe that is full from the start: what a flush cuts off comes with the next line. */
GST_START_TEST (a_flush_ends_the_wait_for_a_reader)
{
  int ends[2], before = dup (STDOUT_FILENO);
  gchar text[65536];
  Pusher pusher;

  fail_unless (before >= 0 && pipe (ends) == 0);
  fail_unless (fcntl (ends[1], F_SETPIPE_SZ, 4096) >= 0 && write (ends[1], "\n", 1) == 1);
  fail_unless (dup2 (ends[1], STDOUT_FILENO) >= 0);
  GstHarness *h = filter_new_with (CHEAP, "results-location", "-", NULL);
  filter_start (h, NULL);
  pusher_start (&pusher, h, 3, 100);
  stat_wait (h->element, "batches", 1);
  filter_flush (h);
  pusher_join (&pusher);
  fail_unless_equals_uint64 (stat_of (h->element, "lines"), 0);
  fail_unless (fcntl (ends[1], F_SETPIPE_SZ, (int)sizeof text) >= 0);
  filter_push_segment (h);
  gst_buffer_unref (filter_run (h, timed_buffer (3)));
  filter_finish (h);
  fail_unless (dup2 (before, STDOUT_FILENO) >= 0);
  close (before);
  close (ends[1]);
  gssize n = read (ends[0], text, sizeof text - 1);
  fail_unless (n > 1 && text[0] == '\n');
  text[n] = 0;
  JsonArray *lines = parse_lines (text + 1);
  fail_unless_equals_int (json_array_get_length (lines), 3);
  check_end (lines, 2, "stopped");
  json_array_unref (lines);
  close (ends[0]);
}
GST_END_TEST;

static Suite *
lines_suite (void)
{
  Suite *s = suite_create ("lines");
  TCase *tc = tcase_create ("lines");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, lines_say_what_messages_say);
  tcase_add_test (tc, messages_that_are_not_posted_have_lines);
  tcase_add_test (tc, setting_the_property_rotates);
  tcase_add_test (tc, a_flush_and_another_program_leave_whole_lines);
  tcase_add_test (tc, two_elements_write_two_files);
  tcase_add_test (tc, what_cannot_be_opened_is_refused);
  tcase_add_test (tc, a_wrong_file_set_later_loses_lines_and_not_the_stream);
  tcase_add_test (tc, an_output_that_fails_loses_lines_and_not_the_stream);
  tcase_add_test (tc, a_flush_ends_the_wait_for_a_reader);
  return s;
}

GST_CHECK_MAIN (lines);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a program may do with files is what the application granted, no more: the grant is
 * asked for when the program is set or the element starts, and held to when files are opened.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

#define SECRET "swordfish"
#define LOAD "resource f = file '%s'; load_words f, 0, 2 -> words; crc32 payload -> crc"
#define APPEND "resource log = sink '%s'; append log, &n, 1; store_u32 7 -> n"

enum { NONE, READ, ALL };

/* A folder that is the root, and what is beside it. */
typedef struct {
  gchar *dir;
  gchar *root;
  gchar *secret; /* a file outside of the root */
} Place;

static gchar *
in_root (const Place *place, const gchar *name)
{
  return g_build_filename (place->root, name, NULL);
}

static void
put_file (const Place *place, const gchar *name, const gchar *text)
{
  gchar *path = in_root (place, name);

  fail_unless (g_file_set_contents (path, text, -1, NULL));
  g_free (path);
}

static void
put_link (const Place *place, const gchar *name, const gchar *target)
{
  gchar *path = in_root (place, name);

  g_unlink (path);
  fail_unless (symlink (target, path) == 0);
  g_free (path);
}

static Place
place_new (void)
{
  Place place = { .dir = g_dir_make_tmp ("vyre-access-XXXXXX", NULL) };

  place.root = g_build_filename (place.dir, "root", NULL);
  place.secret = g_build_filename (place.dir, "secret", NULL);
  fail_unless (g_mkdir (place.root, 0700) == 0);
  fail_unless (g_file_set_contents (place.secret, SECRET, -1, NULL));
  put_file (&place, "rules", "harmless");
  return place;
}

static void
place_clear (Place *place)
{
  GDir *names = g_dir_open (place->root, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (names))) {
    gchar *path = in_root (place, name);
    g_unlink (path);
    g_free (path);
  }
  g_dir_close (names);
  g_rmdir (place->root);
  g_unlink (place->secret);
  g_rmdir (place->dir);
  g_free (place->dir);
  g_free (place->root);
  g_free (place->secret);
}

/* The next message on @bus is an error for want of access, or a warning, and tells no secret. */
static void
assert_told (GstBus *bus, GstMessageType type, const gchar *part)
{
  GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE * GST_SECOND, type);
  GError *error = NULL;
  gchar *debug = NULL;

  fail_unless (message != NULL, "nothing says '%s'", part);
  if (type == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, &debug);
    fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED));
  } else {
    gst_message_parse_warning (message, &error, &debug);
  }
  fail_unless (
      strstr (error->message, part) != NULL, "'%s' does not say '%s'", error->message, part);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "%s", error->message);
  fail_if (strstr (error->message, SECRET) || (debug && strstr (debug, SECRET)));
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
}

/* @program does not start with that access. */
static void
assert_refused (const gchar *program, guint access, GstState reached, const gchar *part)
{
  GstElement *element = filter_make (program);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  g_object_set (element, "resource-access", access, NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  fail_unless_equals_int (GST_STATE (element), reached);
  assert_told (bus, GST_MESSAGE_ERROR, part);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_object_unref (element);
}

GST_START_TEST (no_file_is_read_by_default)
{
  Place place = place_new ();
  gchar *program = g_strdup_printf (LOAD, place.secret);
  GstElement *element = filter_make (NULL);
  gint access = ALL;
  gchar *root = place.dir;

  g_object_get (element, "resource-access", &access, "resource-root", &root, NULL);
  fail_unless_equals_int (access, NONE);
  fail_unless (root == NULL);
  gst_object_unref (element);
  assert_refused (program, NONE, GST_STATE_NULL, "set resource-access=read");
  g_free (program);
  place_clear (&place);
}
GST_END_TEST;

GST_START_TEST (a_sink_takes_more_than_reading)
{
  Place place = place_new ();
  gchar *path = in_root (&place, "log"), *program = g_strdup_printf (APPEND, path);

  assert_refused (program, NONE, GST_STATE_NULL, "set resource-access=all");
  assert_refused (program, READ, GST_STATE_NULL, "set resource-access=all");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  GstHarness *h = filter_new_with (program, "resource-access", ALL, NULL);
  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 16)));
  struct stat status;
  fail_unless (stat (path, &status) == 0);
  fail_unless_equals_int (status.st_mode & 07777, 0600);
  fail_unless_equals_int ((gint)status.st_size, 4);
  filter_finish (h);
  g_free (program);
  g_free (path);
  place_clear (&place);
}
GST_END_TEST;

/* "harm" and "less" */
static void
assert_words_of (GstHarness *h, const gchar *text)
{
  GstBuffer *readback = filter_run (h, numbered_buffer (0, 16));
  guint32 words[2];

  memcpy (words, text, sizeof words);
  fail_unless_equals_int (readback_observable (readback, 1), GUINT32_FROM_LE (words[0]));
  fail_unless_equals_int (readback_observable (readback, 2), GUINT32_FROM_LE (words[1]));
  gst_buffer_unref (readback);
}

static void
assert_faults (GstHarness *h, const gchar *part)
{
  GstBus *bus = gst_element_get_bus (h->element);
  GstBuffer *readback = filter_run (h, numbered_buffer (0, 16));

  fail_unless_equals_int (readback_observable (readback, 1), 0);
  fail_unless_equals_int (readback_observable (readback, 2), 0);
  fail_unless_equals_uint64 (stat_of (h->element, "faults"), 1);
  assert_told (bus, GST_MESSAGE_WARNING, part);
  gst_buffer_unref (readback);
  gst_object_unref (bus);
}

GST_START_TEST (reading_is_granted)
{
  Place place = place_new ();
  gchar *path = in_root (&place, "rules"), *program = g_strdup_printf (LOAD, path);
  GstHarness *h = filter_new_with (program, "resource-access", READ, NULL);

  filter_start (h, NULL);
  assert_words_of (h, "harmless");
  filter_finish (h);
  g_free (program);
  g_free (path);
  place_clear (&place);
}
GST_END_TEST;

/* The program that was set before stays, and so does the property. */
GST_START_TEST (a_running_stream_keeps_its_program)
{
  Place place = place_new ();
  gchar *path = in_root (&place, "rules"), *now = NULL;
  gchar *load = g_strdup_printf (LOAD, path), *append = g_strdup_printf (APPEND, path);
  GstHarness *h = filter_new_with (load, "resource-access", READ, NULL);
  GstBus *bus = gst_element_get_bus (h->element);

  filter_start (h, NULL);
  assert_words_of (h, "harmless");
  g_object_set (h->element, "program", append, NULL);
  assert_told (bus, GST_MESSAGE_WARNING, "set resource-access=all");
  g_object_get (h->element, "program", &now, NULL);
  fail_unless_equals_string (now, load);
  assert_words_of (h, "harmless");
  /* what is set now is for the next stream */
  g_object_set (h->element, "resource-access", ALL, "program", append, NULL);
  assert_told (bus, GST_MESSAGE_WARNING, "set resource-access=all");
  assert_words_of (h, "harmless");
  g_free (now);
  filter_finish (h);
  gst_object_unref (bus);
  g_free (load);
  g_free (append);
  g_free (path);
  place_clear (&place);
}
GST_END_TEST;

/* A stream starts with what is set when it does. */
GST_START_TEST (what_is_taken_back_in_ready_is_gone)
{
  Place place = place_new ();
  gchar *program = g_strdup_printf (LOAD, place.secret);
  GstElement *element = filter_make (program);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  g_object_set (element, "resource-access", READ, NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  g_object_set (element, "resource-access", NONE, NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  assert_told (bus, GST_MESSAGE_ERROR, "set resource-access=read");
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_object_unref (element);
  g_free (program);
  place_clear (&place);
}
GST_END_TEST;

static GstHarness *
filter_below (const Place *place, const gchar *format, const gchar *path, guint access)
{
  gchar *program = g_strdup_printf (format, path);
  GstHarness *h
      = filter_new_with (program, "resource-access", access, "resource-root", place->root, NULL);

  filter_start (h, NULL);
  g_free (program);
  return h;
}

GST_START_TEST (nothing_leads_out_of_the_root)
{
  static const gchar *const out[]
      = { "../secret", "link", "./link", "absolute", "/etc/passwd", "../root/rules" };
  Place place = place_new ();

  put_link (&place, "link", "../secret");
  put_link (&place, "absolute", place.secret);
  put_link (&place, "inside", "./rules");
  GstHarness *h = filter_below (&place, LOAD, "inside", READ);
  assert_words_of (h, "harmless");
  filter_finish (h);
  for (guint i = 0; i < G_N_ELEMENTS (out); i++) {
    h = filter_below (&place, LOAD, out[i], READ);
    assert_faults (h, "resource-root");
    filter_finish (h);
  }
  place_clear (&place);
}
GST_END_TEST;

GST_START_TEST (a_link_that_is_put_there_later_leads_nowhere)
{
  Place place = place_new ();
  GstHarness *h = filter_below (&place, LOAD, "rules", READ);

  put_link (&place, "rules", place.secret);
  assert_faults (h, "resource-root");
  filter_finish (h);
  place_clear (&place);
}
GST_END_TEST;

GST_START_TEST (no_sink_is_reached_through_a_link)
{
  Place place = place_new ();
  gchar *text = NULL;

  put_link (&place, "log", place.secret);
  put_link (&place, "other", "rules");
  for (guint i = 0; i < 2; i++) {
    GstHarness *h = filter_below (&place, APPEND, i ? "other" : "log", ALL);
    GstBus *bus = gst_element_get_bus (h->element);
    gst_buffer_unref (filter_run (h, numbered_buffer (0, 16)));
    assert_told (bus, GST_MESSAGE_WARNING, "link");
    gst_object_unref (bus);
    filter_finish (h);
  }
  fail_unless (g_file_get_contents (place.secret, &text, NULL, NULL));
  fail_unless_equals_string (text, SECRET);
  g_free (text);
  place_clear (&place);
}
GST_END_TEST;

/* A file that one element has resident is out of reach of an element without a grant for it. */
GST_START_TEST (elements_share_a_kernel_but_no_grant)
{
  Place place = place_new (), other = place_new ();
  gchar *path = in_root (&place, "rules"), *program = g_strdup_printf (LOAD, path);

  put_file (&other, "rules", "distinct");
  GstHarness *owner = filter_below (&place, LOAD, "rules", READ);
  GstHarness *whole = filter_new_with (program, "resource-access", READ, NULL);
  filter_start (whole, NULL);
  guint64 loads = stat_nested (whole->element, "resources", "loads");
  assert_words_of (owner, "harmless");
  assert_words_of (whole, "harmless");
  assert_refused (program, NONE, GST_STATE_NULL, "set resource-access=read");

  GstHarness *stranger = filter_below (&other, LOAD, "rules", READ);
  assert_words_of (stranger, "distinct");
  GstHarness *escapist = filter_below (&other, LOAD, path, READ);
  assert_faults (escapist, "resource-root");
  fail_unless_equals_uint64 (stat_nested (stranger->element, "resources", "loads"), loads + 3);
  put_file (&place, "rules", "replaced"); /* elements with the grant do not look at it again */
  GstHarness *same = filter_below (&place, LOAD, "rules", ALL);
  assert_words_of (same, "harmless");
  filter_finish (same);
  filter_finish (escapist);
  filter_finish (stranger);
  filter_finish (whole);
  filter_finish (owner);
  g_free (program);
  g_free (path);
  place_clear (&place);
  place_clear (&other);
}
GST_END_TEST;

GST_START_TEST (a_root_that_is_not_there_starts_no_stream)
{
  GstElement *element = filter_make ("nop");
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (element, "resource-access", READ, "resource-root", "/etc/passwd", NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "Fix: set resource-root") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

/* A file that is none is not quoted where it cannot be parsed. */
GST_START_TEST (no_file_is_quoted_as_a_program)
{
  static const gchar binary[] = SECRET "\n" SECRET "\0" SECRET;
  Place place = place_new ();

  fail_unless (g_file_set_contents (place.secret, binary, sizeof binary, NULL));
  GstHarness *h = filter_new (NULL);
  GstBus *bus = gst_element_get_bus (h->element);
  filter_start (h, NULL);
  g_object_set (h->element, "program-location", place.secret, NULL);
  assert_told (bus, GST_MESSAGE_WARNING, "UTF-8");
  gst_object_unref (bus);
  filter_finish (h);
  place_clear (&place);
}
GST_END_TEST;

static Suite *
access_suite (void)
{
  Suite *s = suite_create ("access");
  TCase *tc = tcase_create ("access");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, no_file_is_read_by_default);
  tcase_add_test (tc, a_sink_takes_more_than_reading);
  tcase_add_test (tc, reading_is_granted);
  tcase_add_test (tc, a_running_stream_keeps_its_program);
  tcase_add_test (tc, what_is_taken_back_in_ready_is_gone);
  tcase_add_test (tc, nothing_leads_out_of_the_root);
  tcase_add_test (tc, a_link_that_is_put_there_later_leads_nowhere);
  tcase_add_test (tc, no_sink_is_reached_through_a_link);
  tcase_add_test (tc, elements_share_a_kernel_but_no_grant);
  tcase_add_test (tc, a_root_that_is_not_there_starts_no_stream);
  tcase_add_test (tc, no_file_is_quoted_as_a_program);
  return s;
}

GST_CHECK_MAIN (access);

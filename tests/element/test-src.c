/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyresrc: what is in the file comes out, whatever the sizes, and lies in staging memory in
 * front of vyrefilter.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "file.h"
#include "oracle.h"

GST_START_TEST (all_of_a_file_comes_in_order)
{
  static const gsize sizes[] = { 1, 4095, 4096, 300000, 1048576, 2500001 };
  static const guint blocks[] = { 262144, 4096, 100003 }, depths[] = { 1, 8, 63 };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    File file;
    file_init (&file, sizes[s]);
    for (guint i = 0; i < G_N_ELEMENTS (blocks); i++) {
      GstHarness *h
          = file_source_new (file.path, blocks[i], depths[(s + i) % G_N_ELEMENTS (depths)]);
      gst_harness_play (h);
      fail_unless_equals_uint64 (file_check_rest (h, &file, 0, file.size), file.size);
      fail_unless (file_pull (h) == NULL, "more than the file has");
      gst_harness_teardown (h);
    }
    file_clear (&file);
  }
}
GST_END_TEST;

GST_START_TEST (an_empty_file_ends_at_once)
{
  File file;

  file_init (&file, 0);
  GstHarness *h = file_source_new (file.path, 4096, 8);
  gst_harness_play (h);
  fail_unless (file_pull (h) == NULL);
  gst_harness_teardown (h);
  file_clear (&file);
}
GST_END_TEST;

GST_START_TEST (seeking_goes_on_from_there)
{
  static const gsize places[] = { 999999, 5, 1500000, 0 };
  File file;

  file_init (&file, 2000000);
  GstHarness *h = file_source_new (file.path, 65536, 8);
  gst_harness_play (h);
  gst_buffer_unref (file_pull (h));
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    fail_unless (gst_element_seek (h->element, 1, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
        GST_SEEK_TYPE_SET, (gint64)places[i], GST_SEEK_TYPE_NONE, -1));
    GstBuffer *buffer = file_pull_from (h, places[i]);
    gsize at = places[i] + gst_buffer_get_size (buffer);
    fail_unless (gst_buffer_memcmp (buffer, 0, file.bytes + places[i], at - places[i]) == 0);
    gst_buffer_unref (buffer);
    gsize end = MIN (at + 300000, file.size);
    fail_unless (file_check_rest (h, &file, at, end) >= end);
  }
  gst_harness_teardown (h);
  file_clear (&file);
}
GST_END_TEST;

/* A pull returns exactly the requested range, anywhere in the file. */
GST_START_TEST (pulled_ranges_are_exact)
{
  File file;

  file_init (&file, 500000);
  GstElement *source = gst_element_factory_make ("vyresrc", NULL);
  g_object_set (source, "location", file.path, NULL);
  GstPad *pad = gst_element_get_static_pad (source, "src");
  fail_unless_equals_int (
      gst_element_set_state (source, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE));
  for (guint i = 0; i < 300; i++) {
    guint length = 1 + (guint)g_random_int_range (0, i % 2 ? 100 : 70000);
    gsize offset = i % 3 ? (gsize)g_random_int_range (0, 500000) : i * 100;
    gsize expected = MIN (length, file.size - offset);
    GstBuffer *buffer = NULL;
    fail_unless_equals_int (gst_pad_get_range (pad, offset, length, &buffer), GST_FLOW_OK);
    fail_unless_equals_uint64 (gst_buffer_get_size (buffer), expected);
    fail_unless (gst_buffer_memcmp (buffer, 0, file.bytes + offset, expected) == 0);
    gst_buffer_unref (buffer);
  }
  GstBuffer *behind = NULL;
  fail_unless_equals_int (gst_pad_get_range (pad, file.size, 10, &behind), GST_FLOW_EOS);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE));
  gst_element_set_state (source, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (source);
  file_clear (&file);
}
GST_END_TEST;

/* Reads went the best way that this machine, or the restriction that the tests run under, leaves.
 */
static void
check_ways (const GstStructure *reads)
{
  const gchar *restriction = g_getenv ("VYRE_TEST_RESTRICTION");
  gboolean plain = g_str_equal (gst_structure_get_string (reads, "ingest-mode"), "pread");
  gboolean registered = FALSE;

  gst_structure_get_boolean (reads, "registered", &registered);
  if (restriction) {
    fail_if (registered);
    fail_unless (plain || !g_str_equal (restriction, "seccomp"));
  }
  fail_unless_equals_uint64 (field_u64 (reads, plain        ? "plain-reads"
                                               : registered ? "fixed-reads"
                                                            : "ring-reads"),
      field_u64 (reads, "reads-submitted"));
}

/* Runs all of @file through the filter; returns how it was read. Nothing is copied on the way. */
static GstStructure *
read_into_filter (const File *file, const gchar *settings)
{
  gchar *text = g_strdup_printf ("vyresrc name=source location=%s %s ! vyrefilter name=filter "
                                 "program=\"crc32 payload -> crc32\" post-messages=0 ! fakesink",
      file->path, settings);
  GstElement *pipeline = gst_parse_launch (text, NULL);
  GstMessage *end = file_run_pipeline (pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (end), GST_MESSAGE_EOS);
  gst_message_unref (end);
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  GstStructure *reads = stats_of (source);
  fail_unless_equals_uint64 (stat_of (filter, "cpu-bounce-bytes"), 0);
  fail_unless_equals_uint64 (stat_nested (filter, "ingest", "arena-bytes"), file->size);
  fail_unless_equals_uint64 (stat_of (filter, "processed-bytes"), file->size);
  fail_unless_equals_uint64 (field_u64 (reads, "bytes-completed"), file->size);
  fail_unless_equals_uint64 (field_u64 (reads, "reads-failed"), 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (source);
  gst_object_unref (filter);
  gst_object_unref (pipeline);
  g_free (text);
  return reads;
}

/* READ_FIXED into the memory that the kernel reads. */
GST_START_TEST (in_front_of_the_filter_bytes_are_staged_by_the_read)
{
  File file;

  file_init (&file, 3000000);
  GstStructure *reads = read_into_filter (&file, "blocksize=100000");
  fail_unless (field_u64 (reads, "reads-submitted") >= 30);
  check_ways (reads);
  gst_structure_free (reads);
  file_clear (&file);
}
GST_END_TEST;

/* Blocks of more than half of the staging memory, and a last one of less: what is read ahead
 * keeps nothing that the blocks before it need. */
GST_START_TEST (large_blocks_do_not_wait_for_the_last)
{
  File file;
  GError *error = NULL;

  file_init (&file, 2 * 196608 + 114688);
  gchar *text = g_strdup_printf ("vyresrc location=%s blocksize=196608 ! vyrefilter name=filter "
                                 "staging-size=262144 import-threshold=18446744073709551615 "
                                 "program=\"crc32 payload -> crc32\" ! fakesink",
      file.path);
  GstElement *pipeline = gst_parse_launch (text, NULL);
  GstMessage *end = file_run_pipeline (pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (end) == GST_MESSAGE_ERROR)
    gst_message_parse_error (end, &error, NULL);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  gst_message_unref (end);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  g_free (text);
  file_clear (&file);
}
GST_END_TEST;

GST_START_TEST (results_are_those_of_the_file)
{
  File file;

  file_init (&file, 200001);
  GstHarness *h = gst_harness_new_parse ("vyresrc name=source ! vyrefilter name=filter "
                                         "program=\"crc32 payload -> crc32\"");
  GstElement *source = gst_bin_get_by_name (GST_BIN (h->element), "source");
  g_object_set (source, "location", file.path, NULL);
  gst_harness_play (h);
  GstBuffer *readback = file_pull (h);
  fail_unless_equals_uint64 (
      readback_observable (readback, 1), oracle_crc32 (file.bytes, file.size));
  gst_buffer_unref (readback);
  gst_object_unref (source);
  gst_harness_teardown (h);
  file_clear (&file);
}
GST_END_TEST;

/* A file that gets shorter ends earlier, at whatever was there; nothing hangs. */
GST_START_TEST (a_file_that_is_cut_ends_where_it_is_cut)
{
  File file;

  file_init (&file, 4000000);
  GstHarness *h = file_source_new (file.path, 65536, 8);
  gst_harness_play (h);
  gsize at = file_check_rest (h, &file, 0, 200000);
  fail_unless (truncate (file.path, 1000001) == 0);
  at = file_check_rest (h, &file, at, file.size);
  fail_unless (at >= 1000001, "only %zu bytes came", at);
  gst_harness_teardown (h);
  file_clear (&file);
}
GST_END_TEST;

/* The descriptor keeps the file. */
GST_START_TEST (a_file_that_is_deleted_is_read_to_its_end)
{
  File file;

  file_init (&file, 3000000);
  GstHarness *h = file_source_new (file.path, 65536, 8);
  gst_harness_play (h);
  gst_buffer_unref (file_pull (h));
  g_unlink (file.path);
  fail_unless_equals_uint64 (file_check_rest (h, &file, 65536, file.size), file.size);
  gst_harness_teardown (h);
  file_clear (&file);
}
GST_END_TEST;

static void
check_refused (const gchar *location, gint code, const gchar *part)
{
  GstElement *pipeline = gst_parse_launch ("vyresrc name=source ! fakesink", NULL);
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  GError *error = NULL;

  g_object_set (source, "location", location, NULL);
  GstMessage *message = file_run_pipeline (pipeline, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code), "%s", error->message);
  fail_unless (strstr (error->message, part) != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "%s", error->message);
  fail_unless (g_utf8_validate (error->message, -1, NULL));
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (source);
  gst_object_unref (pipeline);
}

GST_START_TEST (what_cannot_be_read_is_an_error)
{
  gchar *directory = g_dir_make_tmp ("vyresrc-XXXXXX", NULL);
  gchar *fifo = g_build_filename (directory, "fifo", NULL);

  fail_unless (mkfifo (fifo, 0600) == 0);
  check_refused (NULL, GST_RESOURCE_ERROR_NOT_FOUND, "no file");
  check_refused ("/no/such/file", GST_RESOURCE_ERROR_NOT_FOUND, "/no/such/file");
  check_refused (directory, GST_RESOURCE_ERROR_OPEN_READ, "directory");
  check_refused (fifo, GST_RESOURCE_ERROR_OPEN_READ, "not a regular file");
  check_refused ("/dev/zero", GST_RESOURCE_ERROR_OPEN_READ, "not a regular file");
  g_unlink (fifo);
  g_rmdir (directory);
  g_free (fifo);
  g_free (directory);
}
GST_END_TEST;

GST_START_TEST (uris_name_files)
{
  GError *error = NULL;
  GstElement *source
      = gst_element_make_from_uri (GST_URI_SRC, "vyre+file:///tmp/a%20b", NULL, &error);
  gchar *location, *uri;

  fail_unless (source != NULL, "%s", error ? error->message : "");
  g_object_get (source, "location", &location, NULL);
  fail_unless_equals_string (location, "/tmp/a b");
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (source));
  fail_unless_equals_string (uri, "vyre+file:///tmp/a%20b");
  g_free (uri);
  g_free (location);
  gst_object_unref (source);
}
GST_END_TEST;

static gchar *
take_location (GstElement *source)
{
  gchar *location;

  g_object_get (source, "location", &location, NULL);
  return location;
}

/* As a URI of filesrc does, but for hosts. */
GST_START_TEST (uris_are_read_as_those_of_files)
{
  static const struct {
    const gchar *uri, *location;
  } cases[] = {
    { "vyre+file:///tmp/a%20b", "/tmp/a b" },
    { "VYRE+FILE:///tmp/a", "/tmp/a" },
    { "Vyre+File://localhost/tmp/a", "/tmp/a" },
    { "vyre+file://LOCALHOST/tmp/a", "/tmp/a" },
    { "vyre+file:/tmp/a", "/tmp/a" },
    { "vyre+file:///tmp/%E9", "/tmp/\xe9" },
    { "vyre+file://", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    GstElement *source = gst_element_make_from_uri (GST_URI_SRC, cases[i].uri, NULL, &error);
    fail_unless (source != NULL, "%s: %s", cases[i].uri, error ? error->message : "");
    gchar *location = take_location (source);
    fail_unless_equals_string (location, cases[i].location);
    g_free (location);
    gst_object_unref (source);
  }
}
GST_END_TEST;

GST_START_TEST (uris_that_name_no_file_here_are_errors)
{
  static const gchar *const cases[] = { "vyre+file://host/tmp/a", "vyre+file://localhost.example/a",
    "vyre+file:relative", "vyre+file://host", "vyre+file:///a%00b", "vyre+file:///a%2Fb" };
  GstElement *source = gst_element_factory_make ("vyresrc", NULL);
  GError *error = NULL;

  g_object_set (source, "location", "/before", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    fail_if (gst_uri_handler_set_uri (GST_URI_HANDLER (source), cases[i], &error), "%s", cases[i]);
    fail_unless (g_error_matches (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI));
    fail_unless (strstr (error->message, "Fix: ") != NULL);
    g_clear_error (&error);
    gchar *location = take_location (source);
    fail_unless_equals_string (location, "/before");
    g_free (location);
  }
  gst_object_unref (source);
}
GST_END_TEST;

/* Files of /proc say that they are empty, those of /sys that they have a page. */
GST_START_TEST (files_that_do_not_say_how_long_they_are_are_read_to_their_end)
{
  static const gchar *const paths[]
      = { "/proc/version", "/proc/self/environ", "/sys/devices/system/cpu/possible" };
  static const guint blocks[] = { 7, 4096, 1048576 };

  for (guint i = 0; i < G_N_ELEMENTS (paths) * G_N_ELEMENTS (blocks); i++) {
    File file = { .path = (gchar *)paths[i / G_N_ELEMENTS (blocks)] };
    if (!g_file_get_contents (file.path, (gchar **)&file.bytes, &file.size, NULL))
      continue;
    fail_unless (file.size > 0);
    GstHarness *h = file_source_new (file.path, blocks[i % G_N_ELEMENTS (blocks)], 8);
    gst_harness_play (h);
    fail_unless_equals_uint64 (file_check_rest (h, &file, 0, file.size), file.size);
    fail_unless (file_pull (h) == NULL, "more than the file has");
    gst_harness_teardown (h);
    g_free (file.bytes);
  }
}
GST_END_TEST;

GST_START_TEST (what_is_no_file_does_not_notice)
{
  gchar *directory = g_dir_make_tmp ("vyresrc-XXXXXX", NULL), events[4096];
  gchar *fifo = g_build_filename (directory, "fifo", NULL);
  int watch = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);

  fail_unless (mkfifo (fifo, 0600) == 0);
  fail_unless (inotify_add_watch (watch, fifo, IN_OPEN) >= 0);
  check_refused (fifo, GST_RESOURCE_ERROR_OPEN_READ, "not a regular file");
  fail_unless (read (watch, events, sizeof events) < 0, "it was opened");
  close (watch);
  g_unlink (fifo);
  g_rmdir (directory);
  g_free (fifo);
  g_free (directory);
}
GST_END_TEST;

/* Names are bytes, and messages are UTF-8. */
GST_START_TEST (names_in_messages_are_utf8)
{
  check_refused ("/no/such/caf\xe9", GST_RESOURCE_ERROR_NOT_FOUND, "/no/such/caf");
  check_refused ("/dev/./\xe9", GST_RESOURCE_ERROR_NOT_FOUND, "/dev/./");
}
GST_END_TEST;

static guint64
reads_of (GstHarness *h, const gchar *name)
{
  GstStructure *reads = stats_of (h->element);
  guint64 n = field_u64 (reads, name);

  gst_structure_free (reads);
  return n;
}

static guint64
count_aligned (const File *file, gsize start, guint blocksize)
{
  guint alignment = file_direct_alignment (file->path);
  guint64 n = 0;

  for (gsize at = start; alignment && at < file->size; at += blocksize)
    n += at % alignment == 0 && MIN (blocksize, file->size - at) % alignment == 0;
  return n;
}

static GstHarness *
direct_source_new (const File *file, guint blocksize)
{
  GstHarness *h = file_source_new (file->path, blocksize, 8);

  gst_util_set_object_arg (G_OBJECT (h->element), "direct-io", "always");
  return h;
}

static void
check_direct_reads (GstHarness *h, guint64 expected)
{
  fail_unless_equals_uint64 (reads_of (h, "direct-reads"), expected);
  fail_unless_equals_uint64 (reads_of (h, "direct-refusals"), 0);
  fail_unless_equals_uint64 (reads_of (h, "reads-failed"), 0);
}

static void
check_direct_file (const gchar *directory, gsize size, guint blocksize)
{
  File file;

  file_init_in (&file, directory, size);
  GstHarness *h = direct_source_new (&file, blocksize);
  gst_harness_play (h);
  fail_unless_equals_uint64 (file_check_rest (h, &file, 0, size), size);
  fail_unless (file_pull (h) == NULL);
  check_direct_reads (h, count_aligned (&file, 0, blocksize));
  gst_harness_teardown (h);
  file_clear (&file);
}

/* The rest comes through the page cache, and all of it is right. */
GST_START_TEST (direct_reads_take_what_is_aligned)
{
  static const gsize sizes[] = { 1, 511, 512, 513, 4095, 4096, 4097, 1048576, 1049088, 2500001 };
  static const guint blocks[] = { 512, 4096, 65536, 262144, 100003, 1000 };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    for (guint b = sizes[s] > 1000000 ? 1 : 0; b < G_N_ELEMENTS (blocks); b++) {
      check_direct_file (g_get_tmp_dir (), sizes[s], blocks[b]);
      check_direct_file ("/dev/shm", sizes[s], blocks[b]);
    }
  }
}
GST_END_TEST;

/* From an odd place on nothing is aligned, from an even one all is. */
GST_START_TEST (seeking_decides_anew_what_is_read_directly)
{
  static const gsize places[] = { 262144, 5, 512 * 777, 1999999 };
  File file;

  file_init (&file, 2000000);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    GstHarness *h = direct_source_new (&file, 65536);
    gst_element_set_state (h->element, GST_STATE_READY);
    fail_unless (gst_element_seek (h->element, 1, GST_FORMAT_BYTES, GST_SEEK_FLAG_NONE,
        GST_SEEK_TYPE_SET, (gint64)places[i], GST_SEEK_TYPE_NONE, -1));
    gst_harness_play (h);
    fail_unless_equals_uint64 (file_check_rest (h, &file, places[i], file.size), file.size);
    check_direct_reads (h, count_aligned (&file, places[i], 65536));
    gst_harness_teardown (h);
  }
  file_clear (&file);
}
GST_END_TEST;

GST_START_TEST (pulled_ranges_are_read_directly_where_aligned)
{
  File file;

  file_init (&file, 300000);
  guint alignment = file_direct_alignment (file.path), n_aligned = 0;
  GstElement *source = gst_element_factory_make ("vyresrc", NULL);
  g_object_set (source, "location", file.path, NULL);
  gst_util_set_object_arg (G_OBJECT (source), "direct-io", "always");
  GstPad *pad = gst_element_get_static_pad (source, "src");
  gst_element_set_state (source, GST_STATE_READY);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE));
  for (guint i = 0; i < 300; i++) {
    guint length = 1 + (guint)g_random_int_range (0, 70000);
    gsize offset = (gsize)g_random_int_range (0, 300000);
    GstBuffer *buffer = NULL;
    if (i % 2) {
      length = (length + 4095) / 4096 * 4096;
      offset = offset / 4096 * 4096;
    }
    gsize expected = MIN (length, file.size - offset);
    n_aligned += alignment && offset % alignment == 0 && expected % alignment == 0;
    fail_unless_equals_int (gst_pad_get_range (pad, offset, length, &buffer), GST_FLOW_OK);
    fail_unless_equals_uint64 (gst_buffer_get_size (buffer), expected);
    fail_unless (gst_buffer_memcmp (buffer, 0, file.bytes + offset, expected) == 0);
    gst_buffer_unref (buffer);
  }
  GstStructure *reads = stats_of (source);
  fail_unless_equals_uint64 (field_u64 (reads, "direct-reads"), n_aligned);
  gst_structure_free (reads);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE));
  gst_element_set_state (source, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (source);
  file_clear (&file);
}
GST_END_TEST;

/* A file system that has no direct reads is no secret from who asked for them, and no error. */
GST_START_TEST (asking_in_vain_for_direct_reads_is_a_warning)
{
  File file;

  file_init_in (&file, "/dev/shm", 100000);
  fail_unless_equals_int (file_direct_alignment (file.path), 0);
  for (guint always = 0; always < 2; always++) {
    gchar *text = g_strdup_printf (
        "vyresrc location=%s direct-io=%s ! fakesink", file.path, always ? "always" : "auto");
    GstElement *pipeline = gst_parse_launch (text, NULL);
    GstMessage *message = file_run_pipeline (
        pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | (always ? GST_MESSAGE_WARNING : 0));
    if (always) {
      GError *error = NULL;
      gst_message_parse_warning (message, &error, NULL);
      fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
      fail_unless (strstr (error->message, "Fix: set direct-io=never") != NULL);
      g_error_free (error);
    } else {
      fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
    }
    gst_message_unref (message);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (pipeline);
    g_free (text);
  }
  file_clear (&file);
}
GST_END_TEST;

/* Plays a file's start, and says how many of its reads were direct. */
static guint64
count_direct (const gchar *path, const gchar *mode)
{
  GstHarness *h = file_source_new (path, 65536, 8);

  gst_util_set_object_arg (G_OBJECT (h->element), "direct-io", mode);
  gst_harness_play (h);
  GstBuffer *buffer = file_pull (h);
  fail_unless_equals_uint64 (gst_buffer_get_size (buffer), 65536);
  gst_buffer_unref (buffer);
  guint64 n = reads_of (h, "direct-reads");
  gst_harness_teardown (h);
  return n;
}

/* Has the page cache keep a page of every @step bytes, and no more. */
static void
touch_pages (const gchar *path, guint64 size, guint64 step)
{
  gint fd = open (path, O_RDONLY);
  guint8 byte;

  fail_unless (posix_fadvise (fd, 0, 0, POSIX_FADV_RANDOM) == 0);
  for (guint64 at = 0; at < size; at += step)
    fail_unless (pread (fd, &byte, 1, (off_t)at) == 1);
  close (fd);
}

/* Files without blocks stand for large ones. */
GST_START_TEST (large_files_that_are_not_cached_are_read_directly)
{
  const guint64 memory = (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE);
  const guint64 large = (memory / 4 / 1048576 + 1) * 1048576;
  File file;

  file_init (&file, 0);
  gboolean possible = file_direct_alignment (file.path) > 0;
  fail_unless (truncate (file.path, 1048576) == 0);
  fail_unless_equals_uint64 (count_direct (file.path, "auto"), 0);
  fail_unless (count_direct (file.path, "always") > 0 || !possible);

  fail_unless (truncate (file.path, (off_t)large) == 0);
  fail_unless (count_direct (file.path, "auto") > 0 || !possible);
  fail_unless_equals_uint64 (count_direct (file.path, "never"), 0);
  touch_pages (file.path, large, large / 64);
  fail_unless_equals_uint64 (count_direct (file.path, "auto"), 0);
  file_clear (&file);
}
GST_END_TEST;

/* Directly into the memory that the kernel reads. */
GST_START_TEST (direct_reads_reach_staging_memory)
{
  File file;

  file_init (&file, 1000001);
  GstStructure *reads = read_into_filter (&file, "blocksize=65536 direct-io=always");
  fail_unless_equals_uint64 (field_u64 (reads, "direct-reads"), count_aligned (&file, 0, 65536));
  gst_structure_free (reads);
  file_clear (&file);
}
GST_END_TEST;

/* The warnings of a pipeline's source. */
static guint
count_warnings (GstBus *bus)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING))) {
    GError *error = NULL;
    n++;
    gst_message_parse_warning (message, &error, NULL);
    fail_unless (strstr (error->message, ". Fix: ") != NULL, "%s", error->message);
    g_error_free (error);
    gst_message_unref (message);
  }
  return n;
}

static void
check_warnings (const gchar *location, const gchar *behind)
{
  gboolean filtered = g_str_has_prefix (behind, "vyrefilter");
  gchar *text = g_strdup_printf (
      "vyresrc name=source location=%s ! %s ! fakesink name=sink", location, behind);
  GstElement *pipeline = gst_parse_launch (text, NULL);
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean registered = FALSE;

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL, PATIENCE * GST_SECOND),
      GST_STATE_CHANGE_SUCCESS);
  GstStructure *reads = stats_of (source);
  gst_structure_get_boolean (reads, "registered", &registered);
  gboolean best = g_str_equal (gst_structure_get_string (reads, "ingest-mode"), "single-issuer")
                  && (registered || !filtered);
  fail_unless_equals_int (count_warnings (bus), best ? 0 : 1);
  gst_structure_free (reads);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (source);
  gst_object_unref (pipeline);
  g_free (text);
}

/* Memory that nobody proposed is not missing; what several would say one says. */
GST_START_TEST (what_is_refused_is_one_warning_and_nothing_else_is)
{
  File file;

  file_init (&file, 100000);
  check_warnings (file.path, "identity");
  check_warnings (file.path, "vyrefilter program=nop post-messages=0");
  check_warnings (file.path, "vyrefilter program=nop post-messages=0 ! fakesink "
                             "videotestsrc num-buffers=1 ! vyrefilter program=nop "
                             "post-messages=0");
  file_clear (&file);
}
GST_END_TEST;

static Suite *
src_suite (void)
{
  Suite *s = suite_create ("src");
  TCase *bytes = tcase_create ("bytes"), *files = tcase_create ("files"),
        *direct = tcase_create ("direct");

  suite_add_tcase (s, bytes);
  tcase_add_test (bytes, all_of_a_file_comes_in_order);
  tcase_add_test (bytes, an_empty_file_ends_at_once);
  tcase_add_test (bytes, seeking_goes_on_from_there);
  tcase_add_test (bytes, pulled_ranges_are_exact);
  tcase_add_test (bytes, in_front_of_the_filter_bytes_are_staged_by_the_read);
  tcase_add_test (bytes, large_blocks_do_not_wait_for_the_last);
  tcase_add_test (bytes, results_are_those_of_the_file);
  suite_add_tcase (s, files);
  tcase_add_test (files, a_file_that_is_cut_ends_where_it_is_cut);
  tcase_add_test (files, a_file_that_is_deleted_is_read_to_its_end);
  tcase_add_test (files, what_cannot_be_read_is_an_error);
  tcase_add_test (files, what_is_refused_is_one_warning_and_nothing_else_is);
  tcase_add_test (files, uris_name_files);
  tcase_add_test (files, uris_are_read_as_those_of_files);
  tcase_add_test (files, uris_that_name_no_file_here_are_errors);
  tcase_add_test (files, files_that_do_not_say_how_long_they_are_are_read_to_their_end);
  tcase_add_test (files, what_is_no_file_does_not_notice);
  tcase_add_test (files, names_in_messages_are_utf8);
  suite_add_tcase (s, direct);
  tcase_add_test (direct, direct_reads_take_what_is_aligned);
  tcase_add_test (direct, seeking_decides_anew_what_is_read_directly);
  tcase_add_test (direct, pulled_ranges_are_read_directly_where_aligned);
  tcase_add_test (direct, asking_in_vain_for_direct_reads_is_a_warning);
  tcase_add_test (direct, large_files_that_are_not_cached_are_read_directly);
  tcase_add_test (direct, direct_reads_reach_staging_memory);
  return s;
}

GST_CHECK_MAIN (src);

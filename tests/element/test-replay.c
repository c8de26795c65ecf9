/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The property replay-log: what lies in the file is what went through the element,
 * and a file that fails is dealt with.
 */
#include "common.h"
#include "vyre/vyre.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define PROGRAM "u8_stats payload -> stats; u8_below payload, 17 -> dark; crc32 payload -> crc32"
#define CHEAP "crc32 payload -> crc32"

static gchar *
make_path (void)
{
  gchar *directory = g_dir_make_tmp ("vyre-replay-XXXXXX", NULL);

  fail_unless (directory != NULL);
  gchar *path = g_build_filename (directory, "log", NULL);
  g_free (directory);
  return path;
}

static void
remove_path (gchar *path)
{
  gchar *directory = g_path_get_dirname (path);

  g_unlink (path);
  g_rmdir (directory);
  g_free (directory);
  g_free (path);
}

static GPtrArray *
read_log (const gchar *path)
{
  GError *error = NULL;
  VyreReplayLog *log = vyre_replay_log_open (path, FALSE, &error);

  fail_unless (log != NULL, "%s", error ? error->message : "");
  GPtrArray *batches = vyre_replay_log_read_batches (log, &error);
  fail_unless (batches != NULL, "%s", error ? error->message : "");
  vyre_replay_log_free (log);
  return batches;
}

/* The slots are those in the readback, before they ran. */
static void
check_slots (const VyreReplayBatch *batch, GstBuffer *readback)
{
  for (guint slot = 0; slot < batch->n_logged; slot++) {
    const guint32 *words = batch->slots + slot * VYRE_SLOT_WORDS;
    fail_unless_equals_int (words[VYRE_SLOT_STATUS], VYRE_STATUS_PUBLISHED);
    for (guint w = VYRE_SLOT_OPCODE; w < VYRE_SLOT_WORDS; w++)
      fail_unless_equals_int (
          words[w], readback_word (readback, VYRE_PART_RING, slot * VYRE_SLOT_WORDS + w));
  }
}

static void
check_batch (const VyreReplayBatch *batch, guint32 epoch, guint64 offset, GstBuffer *readback)
{
  fail_unless_equals_int (batch->epoch, epoch);
  fail_unless_equals_int (batch->n_slots, 9);
  fail_unless_equals_int (batch->n_logged, 4);
  fail_unless_equals_int (batch->n_observables, 20);
  fail_unless_equals_uint64 (batch->payload_offset, offset);
  check_slots (batch, readback);
  for (guint i = 0; i < batch->n_observables; i++)
    fail_unless_equals_int (batch->observables[i], readback_observable (readback, i));
}

static void
check_payload (const VyreReplayBatch *batch, gsize size, guint32 seed)
{
  guint8 digest[VYRE_REPLAY_DIGEST_SIZE];
  guint8 *data = noise_new (size, seed);

  vyre_replay_digest (data, size, digest);
  g_free (data);
  fail_unless_equals_uint64 (batch->payload_size, size);
  fail_unless (memcmp (digest, batch->payload_digest, sizeof digest) == 0);
}

GST_START_TEST (every_batch_is_recorded)
{
  static const gsize sizes[] = { 100, 0, 4097, 1 << 20, 1 };
  gchar *path = make_path ();
  GstHarness *h = filter_new_with (
      PROGRAM, "replay-log", path, "slot-count", 9, "observable-slots", 20, NULL);
  GstBuffer *readbacks[G_N_ELEMENTS (sizes)];
  guint64 offset = 0;

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    readbacks[i] = filter_run (h, noise_buffer (sizes[i], i));
  GPtrArray *batches = read_log (path);
  fail_unless_equals_int (batches->len, G_N_ELEMENTS (sizes));
  for (guint i = 0; i < batches->len; i++) {
    check_batch (batches->pdata[i], i + 1, offset, readbacks[i]);
    check_payload (batches->pdata[i], sizes[i], i);
    offset += sizes[i];
    gst_buffer_unref (readbacks[i]);
  }
  g_ptr_array_unref (batches);
  filter_finish (h);
  remove_path (path);
}
GST_END_TEST;

/* What is dropped has no result, but its bytes went by. */
GST_START_TEST (flushed_batches_leave_a_gap)
{
  gchar *path = make_path ();
  GstHarness *h = filter_new_with (CHEAP, "replay-log", path, NULL);
  Dam dam;

  filter_start (h, NULL);
  dam_build (&dam, h);
  for (guint i = 0; i < 3; i++)
    filter_push (h, numbered_buffer (i, 100));
  dam_wait (&dam);
  filter_flush (h);
  dam_break (&dam);
  filter_push_segment (h);
  gst_buffer_unref (filter_run (h, numbered_buffer (3, 100)));
  GPtrArray *batches = read_log (path);
  fail_unless_equals_int (batches->len, 2);
  const VyreReplayBatch *before = batches->pdata[0], *after = batches->pdata[1];
  fail_unless_equals_int (before->epoch, 1);
  fail_unless_equals_uint64 (before->payload_offset, 0);
  fail_unless_equals_int (after->epoch, 4);
  fail_unless_equals_uint64 (after->payload_offset, 300);
  g_ptr_array_unref (batches);
  filter_finish (h);
  remove_path (path);
}
GST_END_TEST;

/* Slots are no payload, and no bytes of one go by with them. */
GST_START_TEST (slots_take_no_place_in_the_stream)
{
  static const guint32 slot[VYRE_SLOT_WORDS]
      = { [VYRE_SLOT_STATUS] = VYRE_STATUS_PUBLISHED, [VYRE_SLOT_OPCODE] = VYRE_OP_NOP };
  gchar *path = make_path ();
  GstHarness *h = filter_new_with (NULL, "replay-log", path, NULL);

  filter_start (h, "application/x-vyre-slots");
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (filter_run (h, buffer_of (slot, sizeof slot)));
  GPtrArray *batches = read_log (path);
  fail_unless_equals_int (batches->len, 3);
  for (guint i = 0; i < batches->len; i++) {
    const VyreReplayBatch *batch = batches->pdata[i];
    fail_unless_equals_uint64 (batch->payload_size, 0);
    fail_unless_equals_uint64 (batch->payload_offset, 0);
  }
  g_ptr_array_unref (batches);
  filter_finish (h);
  remove_path (path);
}
GST_END_TEST;

static void
run_stream (GstHarness *h, guint n)
{
  filter_start (h, NULL);
  for (guint i = 0; i < n; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 10)));
}

static void
check_log_length (const gchar *path, guint n)
{
  GPtrArray *batches = read_log (path);

  fail_unless_equals_int (batches->len, n);
  for (guint i = 0; i < n; i++) {
    const VyreReplayBatch *batch = batches->pdata[i];
    fail_unless_equals_int (batch->epoch, i + 1);
    fail_unless_equals_uint64 (batch->payload_offset, 10 * i);
  }
  g_ptr_array_unref (batches);
}

/* The next stream takes what the property says then. */
GST_START_TEST (a_log_is_of_one_stream)
{
  gchar *path = make_path (), *other = make_path (), *value = NULL;
  GstHarness *h = filter_new_with (CHEAP, "replay-log", path, NULL);

  g_object_get (h->element, "replay-log", &value, NULL);
  fail_unless_equals_string (value, path);
  g_free (value);
  run_stream (h, 3);
  g_object_set (h->element, "replay-log", other, NULL);
  check_log_length (path, 3);
  fail_if (g_file_test (other, G_FILE_TEST_EXISTS));
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  run_stream (h, 2);
  check_log_length (path, 3);
  check_log_length (other, 2);
  g_object_set (h->element, "replay-log", path, NULL);
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  run_stream (h, 1);
  check_log_length (path, 1);
  /* without a name there is no log */
  g_object_set (h->element, "replay-log", "", NULL);
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  run_stream (h, 2);
  check_log_length (path, 1);
  filter_finish (h);
  remove_path (path);
  remove_path (other);
}
GST_END_TEST;

GST_START_TEST (a_stream_that_cannot_be_recorded_does_not_start)
{
  GstElement *element = filter_make (CHEAP);
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (element, "replay-log", "/nonexistent/log", NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE));
  fail_unless (strstr (error->message, "/nonexistent/log") != NULL);
  fail_unless (strstr (error->message, "Fix: ") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

/* As when the disk is full: files may not grow past @size, if there is one. */
static void
limit_files (rlim_t size, struct rlimit *before)
{
  struct rlimit limit;

  getrlimit (RLIMIT_FSIZE, before);
  limit = *before;
  limit.rlim_cur = size;
  fail_unless_equals_int (setrlimit (RLIMIT_FSIZE, &limit), 0);
}

GST_START_TEST (a_full_disk_ends_the_recording_not_the_stream)
{
  gchar *path = make_path ();
  GstHarness *h = filter_new_with (CHEAP, "replay-log", path, "post-messages", 0, NULL);
  struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
  struct rlimit before;
  GError *error = NULL;

  run_stream (h, 2); /* 7 records each */
  sigaction (SIGXFSZ, &ignore, &old);
  limit_files (32 + 64 * 17, &before);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 10)));
  setrlimit (RLIMIT_FSIZE, &before);
  sigaction (SIGXFSZ, &old, NULL);
  GstMessage *message = bus_try (h, GST_MESSAGE_WARNING);
  fail_unless (message != NULL, "no warning");
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE));
  fail_unless (strstr (error->message, "Fix: ") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless (bus_try (h, GST_MESSAGE_WARNING) == NULL, "one warning is enough");
  fail_unless (bus_try (h, GST_MESSAGE_ERROR) == NULL);
  check_log_length (path, 2);
  filter_finish (h);
  remove_path (path);
}
GST_END_TEST;

static Suite *
replay_suite (void)
{
  Suite *s = suite_create ("replay");
  TCase *tc = tcase_create ("replay");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, every_batch_is_recorded);
  tcase_add_test (tc, flushed_batches_leave_a_gap);
  tcase_add_test (tc, slots_take_no_place_in_the_stream);
  tcase_add_test (tc, a_log_is_of_one_stream);
  tcase_add_test (tc, a_stream_that_cannot_be_recorded_does_not_start);
  tcase_add_test (tc, a_full_disk_ends_the_recording_not_the_stream);
  return s;
}

GST_CHECK_MAIN (replay);

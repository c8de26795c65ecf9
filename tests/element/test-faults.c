/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyresrc with many small reads on their way that go wrong in all ways: what passes is not to
 * be seen downstream, and what does not is an error that says where, behind nothing but right
 * bytes.
 */
#include "faults.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "file.h"
#include "oracle.h"

#define SIZE 3000001
#define BLOCKSIZE 4096
#define DEPTH 63

static const VyreFaultPlan passing[] = {
  { 1, { [VYRE_FAULT_EINTR] = 200 } },
  { 2, { [VYRE_FAULT_EAGAIN] = 200 } },
  { 3, { [VYRE_FAULT_SHORT] = 500 } },
  { 4, { [VYRE_FAULT_SHUFFLED] = 1000 } },
  { 5, { [VYRE_FAULT_ENTER_EINTR] = 300, [VYRE_FAULT_ENTER_EBUSY] = 300 } },
  { 6, { [VYRE_FAULT_EINTR] = 100,
           [VYRE_FAULT_EAGAIN] = 100,
           [VYRE_FAULT_SHORT] = 300,
           [VYRE_FAULT_ENTER_EINTR] = 300,
           [VYRE_FAULT_SHUFFLED] = 500 } },
};

/* Each strikes rarely enough for some blocks to come before. */
static const VyreFaultPlan fatal[] = {
  { 1, { [VYRE_FAULT_EIO] = 10 } },
  { 2, { [VYRE_FAULT_ECANCELED] = 10 } },
  { 3, { [VYRE_FAULT_EIO] = 10, [VYRE_FAULT_SHORT] = 500, [VYRE_FAULT_SHUFFLED] = 500 } },
};

/* A source, alone or in front of vyrefilter. */
typedef struct {
  GstHarness *h;
  GstElement *source;
  GstBus *bus;
  gboolean filtered;
  const File *file;
} Stream;

static void
stream_init (Stream *stream, const File *file, gboolean filtered)
{
  GstHarness *h = filtered
                      ? gst_harness_new_parse ("vyresrc name=source ! vyrefilter "
                                               "program=\"crc32 payload -> crc32\" post-messages=0")
                      : gst_harness_new_parse ("vyresrc name=source ! identity");

  *stream = (Stream){ .h = h, .bus = gst_bus_new (), .filtered = filtered, .file = file };
  stream->source = gst_bin_get_by_name (GST_BIN (h->element), "source");
  gst_element_set_bus (h->element, stream->bus);
  g_object_set (
      stream->source, "location", file->path, "blocksize", BLOCKSIZE, "queue-depth", DEPTH, NULL);
}

static void
stream_clear (Stream *stream)
{
  vyre_faults_set (&(VyreFaultPlan){ 0 });
  gst_element_set_bus (stream->h->element, NULL);
  gst_object_unref (stream->source);
  gst_object_unref (stream->bus);
  gst_harness_teardown (stream->h);
}

/* Up to the end, everything is right; returns where that is. */
static gsize
stream_check_all (Stream *stream)
{
  const File *file = stream->file;
  GstBuffer *readback;
  gsize at = 0;

  if (!stream->filtered)
    return file_check_rest (stream->h, file, 0, file->size + 1);
  while ((readback = file_pull (stream->h))) {
    gsize size = MIN (BLOCKSIZE, file->size - at);
    fail_unless (readback_observable (readback, 1) == oracle_crc32 (file->bytes + at, size),
        "wrong bytes from %zu on", at);
    gst_buffer_unref (readback);
    at += size;
  }
  return at;
}

static void
stream_check_counters (const Stream *stream, gboolean fails)
{
  GstStructure *reads = stats_of (stream->source);
  guint64 failed = field_u64 (reads, "reads-failed");

  fail_unless_equals_uint64 (
      field_u64 (reads, "reads-submitted"), field_u64 (reads, "reads-completed") + failed);
  fail_unless_equals_uint64 (
      failed, vyre_faults_count (VYRE_FAULT_EIO) + vyre_faults_count (VYRE_FAULT_ECANCELED));
  fail_unless_equals_int (failed > 0, fails);
  if (!fails)
    fail_unless_equals_uint64 (field_u64 (reads, "bytes-completed"), stream->file->size);
  gst_structure_free (reads);
}

/* Where io_uring is forbidden, there is nothing to enter, and no order. */
static void
check_strikes (const Stream *stream, const VyreFaultPlan *plan)
{
  GstStructure *reads = stats_of (stream->source);
  gboolean plain = g_str_equal (gst_structure_get_string (reads, "ingest-mode"), "pread");

  for (guint fault = 0; fault < VYRE_N_FAULTS; fault++) {
    if (plan->permille[fault] && (!plain || fault < VYRE_FAULT_ENTER_EINTR))
      fail_unless (vyre_faults_count (fault) > 0, "fault %u never struck", fault);
  }
  gst_structure_free (reads);
}

static void
check_no_error (const Stream *stream)
{
  GstMessage *message = gst_bus_pop_filtered (stream->bus, GST_MESSAGE_ERROR);

  fail_unless (message == NULL);
}

/* It names the file, and a byte of the block that did not come. */
static void
check_error (const Stream *stream, gsize at)
{
  GstMessage *message
      = gst_bus_timed_pop_filtered (stream->bus, PATIENCE * GST_SECOND, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL, "the stream ended at %zu without an error", at);
  gst_message_parse_error (message, &error, NULL);
  gst_message_unref (message);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ));
  fail_unless (strstr (error->message, stream->file->path) != NULL, "%s", error->message);
  fail_unless (strstr (error->message, ". Fix: ") != NULL, "%s", error->message);
  const gchar *where = strstr (error->message, "at offset ");
  fail_unless (where != NULL, "%s", error->message);
  guint64 offset = g_ascii_strtoull (where + strlen ("at offset "), NULL, 10);
  fail_unless (offset >= at && offset < at + BLOCKSIZE, "%s, behind %zu", error->message, at);
  g_error_free (error);
}

static void
check_passing (const File *file, gboolean filtered)
{
  for (guint i = 0; i < G_N_ELEMENTS (passing); i++) {
    Stream stream;
    stream_init (&stream, file, filtered);
    vyre_faults_set (&passing[i]);
    gst_harness_play (stream.h);
    fail_unless_equals_uint64 (stream_check_all (&stream), file->size);
    check_no_error (&stream);
    check_strikes (&stream, &passing[i]);
    stream_check_counters (&stream, FALSE);
    stream_clear (&stream);
  }
}

static void
check_fatal (const File *file, gboolean filtered)
{
  for (guint i = 0; i < G_N_ELEMENTS (fatal); i++) {
    Stream stream;
    stream_init (&stream, file, filtered);
    vyre_faults_set (&fatal[i]);
    gst_harness_play (stream.h);
    gsize at = stream_check_all (&stream);
    fail_unless (at < file->size);
    check_error (&stream, at);
    stream_check_counters (&stream, TRUE);
    stream_clear (&stream);
  }
}

/* By itself, and behind it the filter. */
GST_START_TEST (what_passes_is_not_to_be_seen)
{
  File file;

  file_init (&file, SIZE);
  check_passing (&file, __i__);
  file_clear (&file);
}
GST_END_TEST;

GST_START_TEST (what_does_not_pass_is_an_error_with_its_place)
{
  File file;

  file_init (&file, SIZE);
  check_fatal (&file, __i__);
  file_clear (&file);
}
GST_END_TEST;

/* A file system that refuses direct reads is not asked for long, and the bytes come. */
GST_START_TEST (refused_direct_reads_come_through_the_page_cache)
{
  const VyreFaultPlan plan = { 1, { [VYRE_FAULT_REFUSED] = 1000 } };
  Stream stream;
  File file;

  file_init (&file, SIZE);
  stream_init (&stream, &file, FALSE);
  gst_util_set_object_arg (G_OBJECT (stream.source), "direct-io", "always");
  vyre_faults_set (&plan);
  gst_harness_play (stream.h);
  fail_unless_equals_uint64 (stream_check_all (&stream), file.size);
  check_no_error (&stream);
  GstStructure *reads = stats_of (stream.source);
  guint64 direct = field_u64 (reads, "direct-reads");
  fail_unless_equals_uint64 (field_u64 (reads, "direct-refusals"), direct);
  fail_unless_equals_uint64 (direct, vyre_faults_count (VYRE_FAULT_REFUSED));
  fail_unless (direct <= DEPTH, "%" G_GUINT64_FORMAT " direct reads were tried", direct);
  fail_unless_equals_int (direct > 0, file_direct_alignment (file.path) > 0);
  gst_structure_free (reads);
  stream_check_counters (&stream, FALSE);
  stream_clear (&stream);
  file_clear (&file);
}
GST_END_TEST;

/* Cut or deleted while reads go wrong: the end comes, and no byte that was not there. */
static void
check_changed (gboolean cut)
{
  Stream stream;
  File file;

  file_init (&file, SIZE);
  stream_init (&stream, &file, FALSE);
  vyre_faults_set (&passing[G_N_ELEMENTS (passing) - 1]);
  gst_harness_play (stream.h);
  gsize at = file_check_rest (stream.h, &file, 0, 200000), least = cut ? 1000001 : file.size;
  fail_unless_equals_int (cut ? truncate (file.path, 1000001) : g_unlink (file.path), 0);
  at = file_check_rest (stream.h, &file, at, file.size + 1);
  fail_unless (at >= least, "only %zu bytes came", at);
  check_no_error (&stream);
  stream_clear (&stream);
  file_clear (&file);
}

GST_START_TEST (a_file_may_be_cut_meanwhile) { check_changed (TRUE); }
GST_END_TEST;

GST_START_TEST (a_file_may_be_deleted_meanwhile) { check_changed (FALSE); }
GST_END_TEST;

/* A flush waits for reads that go wrong as for others. */
GST_START_TEST (seeking_meanwhile_goes_on_from_there)
{
  Stream stream;
  File file;

  file_init (&file, SIZE);
  stream_init (&stream, &file, FALSE);
  vyre_faults_set (&passing[G_N_ELEMENTS (passing) - 1]);
  gst_harness_play (stream.h);
  for (guint i = 0; i < 30; i++) {
    gsize place = (gsize)g_random_int_range (0, SIZE - 200000);
    fail_unless (gst_element_seek (stream.source, 1, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
        GST_SEEK_TYPE_SET, (gint64)place, GST_SEEK_TYPE_NONE, -1));
    GstBuffer *buffer = file_pull_from (stream.h, place);
    gsize at = place + gst_buffer_get_size (buffer);
    fail_unless (gst_buffer_memcmp (buffer, 0, file.bytes + place, at - place) == 0);
    gst_buffer_unref (buffer);
    fail_unless (file_check_rest (stream.h, &file, at, at + 100000) >= at + 100000);
  }
  check_no_error (&stream);
  stream_clear (&stream);
  file_clear (&file);
}
GST_END_TEST;

static Suite *
faults_suite (void)
{
  Suite *s = suite_create ("faults");
  TCase *reads = tcase_create ("reads"), *changes = tcase_create ("changes");

  suite_add_tcase (s, reads);
  tcase_add_loop_test (reads, what_passes_is_not_to_be_seen, FALSE, TRUE + 1);
  tcase_add_loop_test (reads, what_does_not_pass_is_an_error_with_its_place, FALSE, TRUE + 1);
  tcase_add_test (reads, refused_direct_reads_come_through_the_page_cache);
  suite_add_tcase (s, changes);
  tcase_add_test (changes, a_file_may_be_cut_meanwhile);
  tcase_add_test (changes, a_file_may_be_deleted_meanwhile);
  tcase_add_test (changes, seeking_meanwhile_goes_on_from_there);
  return s;
}

GST_CHECK_MAIN (faults);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Buffers whose memory is of a file that somebody cuts, at every time and on every way to the
 * kernel: an error on the bus, where a look at what is gone would end the process.
 */
#include "common.h"
#include "oracle.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/allocators/allocators.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CRC "crc32 payload -> crc32"
#define SMALL 5000
#define LARGE ((1 << 20) + 5000) /* would be imported */

/* Of the property: as the set-up has it, and where payloads are stored into the device. */
enum { AUTO, BAR = 2 };

/* A file of noise, and a buffer that has it; the file can be cut behind its back. */
typedef struct {
  int fd;
  guint32 crc;
  GstBuffer *buffer;
} Loose;

/* Takes @allocator. */
static Loose
loose_new (GstAllocator *allocator, int fd, gsize size, GstFdMemoryFlags flags)
{
  guint8 *bytes = noise_new (size, (guint32)size);
  Loose loose = { .fd = dup (fd), .crc = oracle_crc32 (bytes, size), .buffer = gst_buffer_new () };

  fail_unless_equals_uint64 (pwrite (fd, bytes, size, 0), size);
  gst_buffer_append_memory (loose.buffer, gst_fd_allocator_alloc (allocator, fd, size, flags));
  gst_object_unref (allocator);
  g_free (bytes);
  return loose;
}

static Loose
loose_of_memory (gsize size)
{
  return loose_new (gst_fd_allocator_new (), memfd_create ("payload", MFD_CLOEXEC), size,
      GST_FD_MEMORY_FLAG_NONE);
}

static void
loose_clear (Loose *loose)
{
  gst_clear_buffer (&loose->buffer);
  close (loose->fd);
}

static GstHarness *
filter_at (guint placement, const gchar *log)
{
  GstHarness *h = placement == AUTO
                      ? filter_new_with (CRC, "replay-log", log, NULL)
                      : filter_new_with (CRC, "placement", placement, "replay-log", log, NULL);

  filter_start (h, NULL);
  return h;
}

static void
assert_crc (GstHarness *h, GstBuffer *buffer, guint32 crc)
{
  GstBuffer *readback = filter_run (h, gst_buffer_ref (buffer));

  fail_unless_equals_uint64 (readback_observable (readback, 1), crc);
  gst_buffer_unref (readback);
}

static void
assert_cut (GstHarness *h, GstBuffer *buffer)
{
  fail_unless_equals_int (gst_harness_push (h, gst_buffer_ref (buffer)), GST_FLOW_ERROR);
  bus_assert_error (h, "F_SEAL_SHRINK");
}

/* It comes whole as often as it is whole, and is an error once it is not: whether all of it is
 * gone, or less than a page. */
static void
check_cut (Loose *loose, guint placement, gsize left)
{
  GstHarness *h = filter_at (placement, NULL);

  for (guint i = 0; i < 3; i++)
    assert_crc (h, loose->buffer, loose->crc);
  fail_unless (ftruncate (loose->fd, (off_t)left) == 0);
  assert_cut (h, loose->buffer);
  loose_clear (loose);
  filter_finish (h);
}

GST_START_TEST (memory_that_is_cut_is_an_error)
{
  for (guint placement = AUTO; placement <= BAR; placement += BAR) {
    Loose small = loose_of_memory (SMALL), large = loose_of_memory (LARGE);
    check_cut (&small, placement, SMALL - 1);
    check_cut (&large, placement, 0);
  }
}
GST_END_TEST;

GST_START_TEST (a_file_that_is_cut_is_an_error)
{
  for (guint placement = AUTO; placement <= BAR; placement += BAR) {
    gchar *path = NULL;
    int fd = g_file_open_tmp ("vyre-cut-XXXXXX", &path, NULL);
    Loose loose = loose_new (gst_fd_allocator_new (), fd, LARGE, GST_FD_MEMORY_FLAG_NONE);
    g_unlink (path);
    g_free (path);
    check_cut (&loose, placement, 0);
  }
}
GST_END_TEST;

/* What is mapped all the time is not looked at there either. */
GST_START_TEST (kept_mappings_are_cut_as_well)
{
  for (guint placement = AUTO; placement <= BAR; placement += BAR) {
    Loose loose = loose_new (gst_fd_allocator_new (), memfd_create ("payload", MFD_CLOEXEC), LARGE,
        GST_FD_MEMORY_FLAG_KEEP_MAPPED);
    check_cut (&loose, placement, 0);
  }
}
GST_END_TEST;

/* The bytes of a private mapping are nowhere else, what was written to them included. */
GST_START_TEST (private_mappings_are_cut_as_well)
{
  for (guint placement = AUTO; placement <= BAR; placement += BAR) {
    Loose loose = loose_new (gst_fd_allocator_new (), memfd_create ("payload", MFD_CLOEXEC), 200000,
        GST_FD_MEMORY_FLAG_MAP_PRIVATE | GST_FD_MEMORY_FLAG_KEEP_MAPPED);
    guint8 *bytes = noise_new (200000, 200000);
    memset (bytes + 1000, 9, 9000);
    loose.crc = oracle_crc32 (bytes, 200000);
    g_free (bytes);
    fail_unless_equals_uint64 (gst_buffer_memset (loose.buffer, 1000, 9, 9000), 9000);
    check_cut (&loose, placement, 100000);
  }
}
GST_END_TEST;

/* Memory that claims to be a dma-buf need not be one. */
GST_START_TEST (false_dma_bufs_are_cut_as_well)
{
  for (guint placement = AUTO; placement <= BAR; placement += BAR) {
    Loose loose = loose_new (gst_dmabuf_allocator_new (), memfd_create ("payload", MFD_CLOEXEC),
        200000, GST_FD_MEMORY_FLAG_NONE);
    check_cut (&loose, placement, 0);
  }
}
GST_END_TEST;

/* A part of it, and others around. */
GST_START_TEST (one_of_several_memories_is_cut)
{
  for (guint placement = AUTO; placement <= BAR; placement += BAR) {
    Loose loose = loose_of_memory (SMALL);
    GstHarness *h = filter_at (placement, NULL);
    GstBuffer *part = gst_buffer_copy_region (loose.buffer, GST_BUFFER_COPY_MEMORY, 100, 4500);
    GstBuffer *all = gst_buffer_append (
        gst_buffer_append (noise_buffer (70000, 1), part), noise_buffer (80001, 2));
    guint8 *bytes = g_malloc (70000 + 4500 + 80001);
    fail_unless_equals_uint64 (gst_buffer_extract (all, 0, bytes, 154501), 154501);
    fail_unless_equals_int (gst_buffer_n_memory (all), 3);
    assert_crc (h, all, oracle_crc32 (bytes, 154501));
    fail_unless (ftruncate (loose.fd, 4599) == 0);
    assert_cut (h, all);
    g_free (bytes);
    gst_buffer_unref (all);
    loose_clear (&loose);
    filter_finish (h);
  }
}
GST_END_TEST;

/* What comes after the cut is not what a memory promises; a seal does not make it more. */
GST_START_TEST (a_seal_is_worth_what_is_there)
{
  for (guint placement = AUTO; placement <= BAR; placement += BAR) {
    int fd = memfd_create ("payload", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    Loose loose = loose_new (gst_fd_allocator_new (), fd, LARGE, GST_FD_MEMORY_FLAG_NONE);
    fail_unless (ftruncate (loose.fd, SMALL) == 0);
    fail_unless (fcntl (loose.fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
    GstHarness *h = filter_at (placement, NULL);
    assert_cut (h, loose.buffer);
    loose_clear (&loose);
    filter_finish (h);
  }
}
GST_END_TEST;

/* A part that is there, of a memory that is not all there: the memory is not imported. */
GST_START_TEST (a_part_is_worth_what_is_there)
{
  int fd = memfd_create ("payload", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  Loose loose = loose_new (gst_fd_allocator_new (), fd, LARGE, GST_FD_MEMORY_FLAG_NONE);
  guint8 *bytes = noise_new (LARGE, LARGE);
  GstHarness *h = filter_new_with (CRC, "import-threshold", (guint64)1, NULL);
  GstBuffer *part = gst_buffer_copy_region (loose.buffer, GST_BUFFER_COPY_MEMORY, 100, 100000);

  fail_unless (ftruncate (loose.fd, LARGE / 2) == 0);
  fail_unless (fcntl (loose.fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
  filter_start (h, NULL);
  assert_crc (h, part, oracle_crc32 (bytes + 100, 100000));
  fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "imports"), 0);
  gst_buffer_unref (part);
  g_free (bytes);
  loose_clear (&loose);
  filter_finish (h);
}
GST_END_TEST;

/* Staging memory for three of them, shared with no other filter. */
static GstHarness *
filter_with_little_room (void)
{
  return filter_new_with (
      CRC, "staging-size", (guint64)(4 << 20), "import-threshold", G_MAXUINT64, NULL);
}

/* What failed on its way into the staging store takes no room there. */
GST_START_TEST (what_was_cut_holds_nothing)
{
  static const GstFdMemoryFlags flags[] = { GST_FD_MEMORY_FLAG_NONE,
    GST_FD_MEMORY_FLAG_MAP_PRIVATE | GST_FD_MEMORY_FLAG_KEEP_MAPPED };
  GstHarness *holder = filter_with_little_room ();

  for (guint i = 0; i < 5 * G_N_ELEMENTS (flags); i++) {
    GstHarness *h = filter_with_little_room ();
    Loose loose = loose_new (gst_fd_allocator_new (), memfd_create ("payload", MFD_CLOEXEC), LARGE,
        flags[i % G_N_ELEMENTS (flags)]);
    filter_start (h, NULL);
    fail_unless (ftruncate (loose.fd, LARGE / 2) == 0);
    assert_cut (h, loose.buffer);
    loose_clear (&loose);
    filter_finish (h);
  }
  filter_start (holder, NULL);
  gst_buffer_unref (filter_run (holder, noise_buffer (LARGE, 1)));
  filter_finish (holder);
}
GST_END_TEST;

GST_START_TEST (slots_that_are_cut_are_an_error)
{
  guint32 slot[VYRE_SLOT_WORDS] = { VYRE_STATUS_PUBLISHED, VYRE_OP_STORE_U32, 0,
    VYRE_PRIORITY_NORMAL, 7, VYRE_CONTROL_OBSERVABLES + 1 };
  Loose loose = loose_of_memory (sizeof slot);
  GstHarness *h = filter_new (NULL);

  for (guint i = 0; i < VYRE_SLOT_WORDS; i++)
    slot[i] = GUINT32_TO_LE (slot[i]);
  fail_unless_equals_uint64 (pwrite (loose.fd, slot, sizeof slot, 0), sizeof slot);
  filter_start (h, "application/x-vyre-slots");
  assert_crc (h, loose.buffer, 7);
  fail_unless (ftruncate (loose.fd, 32) == 0);
  assert_cut (h, loose.buffer);
  loose_clear (&loose);
  filter_finish (h);
}
GST_END_TEST;

/* The digest is of the bytes as they are when the result is there. The stream goes on without a
 * log, as when that cannot be written. */
static void
check_digest (guint placement, guint n_memories)
{
  gchar *path = NULL;
  GError *error = NULL;
  Dam dam;

  close (g_file_open_tmp ("vyre-cut-XXXXXX", &path, NULL));
  GstHarness *h = filter_at (placement, path);
  Loose loose = loose_of_memory (LARGE);
  GstBuffer *buffer = gst_buffer_ref (loose.buffer);
  if (n_memories > 1)
    buffer = gst_buffer_append (noise_buffer (1000, 1), buffer);
  dam_build (&dam, h);
  filter_push (h, gst_buffer_ref (buffer)); /* is held, and in the log */
  dam_wait (&dam);
  filter_push (h, buffer); /* was read for the kernel, and waits for its turn */
  fail_unless (ftruncate (loose.fd, 0) == 0);
  dam_break (&dam);
  for (guint i = 0; i < 2; i++)
    gst_buffer_unref (filter_pull (h));
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, "F_SEAL_SHRINK") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_buffer_unref (filter_run (h, noise_buffer (100, 1)));
  loose_clear (&loose);
  filter_finish (h);
  g_unlink (path);
  g_free (path);
}

GST_START_TEST (digests_of_what_is_cut_are_a_warning)
{
  for (guint placement = AUTO; placement <= BAR; placement += BAR) {
    check_digest (placement, 1);
    check_digest (placement, 2);
  }
}
GST_END_TEST;

static Suite *
cut_suite (void)
{
  Suite *s = suite_create ("cut");
  TCase *tc = tcase_create ("cut");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, memory_that_is_cut_is_an_error);
  tcase_add_test (tc, a_file_that_is_cut_is_an_error);
  tcase_add_test (tc, kept_mappings_are_cut_as_well);
  tcase_add_test (tc, private_mappings_are_cut_as_well);
  tcase_add_test (tc, false_dma_bufs_are_cut_as_well);
  tcase_add_test (tc, one_of_several_memories_is_cut);
  tcase_add_test (tc, a_seal_is_worth_what_is_there);
  tcase_add_test (tc, a_part_is_worth_what_is_there);
  tcase_add_test (tc, what_was_cut_holds_nothing);
  tcase_add_test (tc, slots_that_are_cut_are_an_error);
  tcase_add_test (tc, digests_of_what_is_cut_are_a_warning);
  return s;
}

GST_CHECK_MAIN (cut);

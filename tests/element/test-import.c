/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Memory of other elements, which the kernel reads where it is: exact to the byte, imported
 * once for as long as it lives, and never again once its pages are somebody else's.
 */
#include "common.h"

#include <fcntl.h>
#include <gst/allocators/allocators.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#define CRC "crc32 payload -> crc32"
#define PAGE 4096

/* Where nothing is imported payloads of any size go another way, and the tests of imports
 * have nothing to say. */
static gboolean
can_import (GstHarness *h)
{
  return stat_of (h->element, "import-threshold") != G_MAXUINT64;
}

static guint64
file_io (GstHarness *h, const gchar *name)
{
  return stat_nested (h->element, "ingest", name);
}

/* A filter that imports whatever can be. */
static GstHarness *
eager_filter (void)
{
  GstHarness *h = filter_new_with (CRC, "import-threshold", (guint64)1, "copy-threshold",
      (guint64)PAGE, "post-messages", 0, NULL);

  filter_start (h, NULL);
  return h;
}

static guint32
crc_of (GstBuffer *buffer)
{
  guint32 crc = 0;

  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++) { /* a map of all would join them */
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    GstMapInfo map;
    fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
    crc = (guint32)crc32 (crc, map.data, (uInt)map.size);
    gst_memory_unmap (memory, &map);
  }
  return crc;
}

/* Takes @buffer. */
static void
check_crc (GstHarness *h, GstBuffer *buffer)
{
  guint32 crc = crc_of (buffer);
  GstBuffer *readback = filter_run (h, buffer);

  fail_unless_equals_uint64 (readback_observable (readback, 1), crc);
  gst_buffer_unref (readback);
}

static gboolean
is_zero_copy (GstHarness *h)
{
  GstStructure *stats = stats_of (h->element), *nested = NULL;
  gboolean is = FALSE;

  fail_unless (gst_structure_get (stats, "ingest", GST_TYPE_STRUCTURE, &nested, NULL));
  fail_unless (gst_structure_get_boolean (nested, "zero-copy", &is));
  const gchar *verdict = gst_structure_get_string (nested, "zero-copy-verdict");
  fail_unless (is || strstr (verdict, "Fix: ") != NULL, "no remedy in '%s'", verdict);
  gst_structure_free (nested);
  gst_structure_free (stats);
  return is;
}

/* Bytes that are imported if they may be, and that the CPU does not store. */
static gsize
large_size (GstHarness *h)
{
  guint64 stored_below = stat_of (h->element, "copy-threshold");

  return MAX (
      stat_of (h->element, "import-threshold"), stored_below == G_MAXUINT64 ? 0 : stored_below);
}

/* A GPU has to pin them, which is worth it for those that come again. */
GST_START_TEST (large_foreign_buffers_are_imported)
{
  GstHarness *h = filter_new (CRC);
  gboolean at_once = stat_is (h->element, "placement", "unified");
  gsize total = 0;

  filter_start (h, NULL);
  if (can_import (h)) {
    for (guint i = 0; i < 6; i++) {
      gsize size = large_size (h) + 1234 * i;
      GstBuffer *buffer = noise_buffer (size, i);
      check_crc (h, gst_buffer_ref (buffer));
      check_crc (h, buffer);
      total += size;
    }
    fail_unless_equals_uint64 (file_io (h, "import-bytes"), at_once ? 2 * total : total);
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), at_once ? 0 : total);
    fail_unless_equals_uint64 (file_io (h, "imports"), 6);
    fail_unless_equals_int (is_zero_copy (h), at_once);
  }
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (smaller_ones_are_copied_and_counted)
{
  GstHarness *h = filter_new (CRC);

  filter_start (h, NULL);
  if (can_import (h) && stat_is (h->element, "placement", "unified")) {
    gsize size = (gsize)stat_of (h->element, "import-threshold") - 1;
    check_crc (h, noise_buffer (size, 1));
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), size);
    fail_unless_equals_uint64 (file_io (h, "import-bytes"), 0);
    fail_if (is_zero_copy (h));
  }
  filter_finish (h);
}
GST_END_TEST;

/* A pool's memory comes back with other bytes in it. */
GST_START_TEST (recycled_memory_is_imported_once)
{
  GstHarness *h = eager_filter ();
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, 100000, 2, 3);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  for (guint i = 0; can_import (h) && i < 50; i++) {
    GstBuffer *buffer;
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
    guint8 *data = noise_new (100000, i);
    gst_buffer_fill (buffer, 0, data, 100000);
    g_free (data);
    check_crc (h, buffer);
  }
  if (can_import (h)) {
    fail_unless (file_io (h, "imports") <= 3);
    fail_unless_equals_uint64 (file_io (h, "imports") + file_io (h, "import-hits"), 50);
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), 0);
  }
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  filter_finish (h);
}
GST_END_TEST;

/* Parts of one memory, wherever they start, are read in the import of the whole. */
GST_START_TEST (parts_are_read_in_the_whole)
{
  GstHarness *h = eager_filter ();
  GstBuffer *whole = noise_buffer (300000, 7);

  for (guint i = 0; can_import (h) && i < 40; i++)
    check_crc (h,
        gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, i < 20 ? i : i * 4999, 4096 + i * 777));
  if (can_import (h)) {
    fail_unless_equals_uint64 (file_io (h, "imports"), 1);
    fail_unless_equals_uint64 (file_io (h, "import-hits"), 39);
    GstBuffer *resized = gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, 0, -1);
    gst_buffer_resize (resized, 5001, 70001);
    check_crc (h, resized);
    fail_unless_equals_uint64 (file_io (h, "imports"), 1);
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), 0);
  }
  gst_buffer_unref (whole);
  filter_finish (h);
}
GST_END_TEST;

/* The whole of a memory is imported, wherever its bytes start now and however few they are. */
GST_START_TEST (resized_memory_is_imported_as_a_whole)
{
  GstHarness *h = eager_filter ();
  GstBuffer *buffer = noise_buffer (300000, 8);

  gst_buffer_resize (buffer, 5001, 70001);
  fail_unless (gst_buffer_peek_memory (buffer, 0)->parent == NULL);
  check_crc (h, gst_buffer_ref (buffer));
  gst_buffer_resize (buffer, -5001, 300000);
  check_crc (h, buffer);
  if (can_import (h)) {
    fail_unless_equals_uint64 (file_io (h, "imports"), 1);
    fail_unless_equals_uint64 (file_io (h, "import-hits"), 1);
  }
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (several_memories_are_copied_together)
{
  GstHarness *h = eager_filter ();

  if (can_import (h)) {
    check_crc (h, gst_buffer_append (noise_buffer (70000, 1), noise_buffer (80000, 2)));
    fail_unless_equals_uint64 (file_io (h, "import-bytes"), 0);
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), 150000);
  }
  filter_finish (h);
}
GST_END_TEST;

/* More memory than can be imported at a time: what is beyond is copied, and counted. */
GST_START_TEST (what_is_too_much_is_copied)
{
  GstHarness *h = eager_filter ();
  GstBuffer *held[518];
  guint n = can_import (h) ? G_N_ELEMENTS (held) : 0;

  for (guint i = 0; i < n; i++) {
    held[i] = noise_buffer (PAGE, i);
    check_crc (h, gst_buffer_ref (held[i]));
  }
  if (n > 0) {
    fail_unless_equals_uint64 (file_io (h, "imports"), 511);
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), 7 * PAGE);
  }
  for (guint i = 0; i < n; i++)
    gst_buffer_unref (held[i]);
  if (n > 0) {
    check_crc (h, noise_buffer (PAGE, 1));
    fail_unless_equals_uint64 (file_io (h, "imports"), 512);
  }
  filter_finish (h);
}
GST_END_TEST;

/* staging-size is the largest buffer, also of those that need no staging. */
GST_START_TEST (larger_than_staging_is_an_error)
{
  GstHarness *h = filter_new_with (CRC, "import-threshold", (guint64)1, "copy-threshold",
      (guint64)PAGE, "staging-size", (guint64)(1 << 20), NULL);

  filter_start (h, NULL);
  check_crc (h, noise_buffer (1 << 20, 1));
  fail_unless_equals_int (gst_harness_push (h, noise_buffer ((1 << 20) + 1, 2)), GST_FLOW_ERROR);
  bus_assert_error (h, "staging-size=1048577");
  filter_finish (h);
}
GST_END_TEST;

/* Memory that is held for ever keeps no kernel, and no kernel's import is another's. */
GST_START_TEST (memory_outlives_kernels)
{
  GstBuffer *held = noise_buffer (50000, 3);

  for (guint i = 0; i < 3; i++) {
    GstHarness *h = eager_filter ();
    check_crc (h, gst_buffer_ref (held));
    check_crc (h, gst_buffer_ref (held));
    if (can_import (h)) {
      fail_unless_equals_uint64 (file_io (h, "imports"), 1);
      fail_unless_equals_uint64 (file_io (h, "import-hits"), 1);
    }
    filter_finish (h);
  }
  gst_buffer_unref (held);
}
GST_END_TEST;

GST_START_TEST (two_kernels_read_the_same_memory)
{
  GstHarness *a = eager_filter ();
  GstHarness *b = filter_new_with (CRC, "import-threshold", (guint64)1, "copy-threshold",
      (guint64)PAGE, "staging-size", (guint64)(1 << 20), NULL);

  filter_start (b, NULL);
  for (guint i = 0; i < 5; i++) {
    GstBuffer *buffer = noise_buffer (200000, i);
    for (guint turn = 0; turn < 4; turn++)
      check_crc (turn % 2 ? a : b, gst_buffer_ref (buffer));
    gst_buffer_unref (buffer);
  }
  if (can_import (a)) {
    fail_unless_equals_uint64 (file_io (a, "imports"), 5);
    fail_unless_equals_uint64 (file_io (b, "imports"), 5);
    fail_unless_equals_uint64 (file_io (b, "import-hits"), 5);
  }
  filter_finish (a);
  filter_finish (b);
}
GST_END_TEST;

/* ---- files ------------------------------------------------------------------- */

/* Takes @allocator. */
static GstBuffer *
file_buffer (
    GstAllocator *allocator, gsize size, guint seed, gboolean sealed, GstFdMemoryFlags flags)
{
  int fd = memfd_create ("payload", MFD_ALLOW_SEALING | MFD_CLOEXEC);
  guint8 *data = noise_new (size, seed);

  fail_unless_equals_uint64 (pwrite (fd, data, size, 0), size);
  if (sealed)
    fail_unless (fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
  g_free (data);
  GstMemory *memory = gst_fd_allocator_alloc (allocator, fd, size, flags);
  GstBuffer *buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, memory);
  gst_object_unref (allocator);
  return buffer;
}

/* A file that cannot be cut is mapped and imported, any other is read; and so is one whose
 * mapping a GPU's driver does not take. */
GST_START_TEST (files_are_imported_or_read)
{
  GstHarness *h = eager_filter ();
  guint64 imported = 0;

  for (guint sealed = 0; can_import (h) && sealed < 2; sealed++) {
    guint64 before = file_io (h, "fd-bytes") + file_io (h, "import-bytes");
    GstBuffer *buffer
        = file_buffer (gst_fd_allocator_new (), 500000, sealed, sealed, GST_FD_MEMORY_FLAG_NONE);
    check_crc (h, gst_buffer_ref (buffer));
    check_crc (h, gst_buffer_copy_region (buffer, GST_BUFFER_COPY_ALL, 12345, 100001));
    fail_unless_equals_uint64 (gst_buffer_memset (buffer, 1000, 7, 9000), 9000);
    check_crc (h, buffer);
    fail_unless_equals_uint64 (
        file_io (h, "fd-bytes") + file_io (h, "import-bytes") - before, 500000 * 2 + 100001);
    fail_unless (sealed || file_io (h, "import-bytes") == 0);
    imported = file_io (h, "import-bytes");
  }
  if (can_import (h)) {
    GST_INFO ("%" G_GUINT64_FORMAT " bytes were imported", imported);
    fail_unless (imported == 500000 * 2 + 100001 || (imported == 0 && !is_on_cpu (h->element)));
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), 0);
    fail_unless (is_zero_copy (h));
  }
  filter_finish (h);
}
GST_END_TEST;

typedef struct {
  GstHarness *h;
  gint seen; /* atomic */
} FilePusher;

static gpointer
push_files (gpointer data)
{
  FilePusher *pusher = data;
  GstBuffer *buffer
      = file_buffer (gst_fd_allocator_new (), 8 << 20, 1, FALSE, GST_FD_MEMORY_FLAG_NONE);

  do {
    filter_push (pusher->h, gst_buffer_ref (buffer));
    gst_buffer_unref (filter_pull (pusher->h));
  } while (!g_atomic_int_get (&pusher->seen));
  gst_buffer_unref (buffer);
  return NULL;
}

/* A read takes a while, and is repeated until one was caught in the act. */
GST_START_TEST (reads_under_way_are_counted)
{
  FilePusher pusher = { eager_filter (), FALSE };
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  if (can_import (pusher.h)) {
    GThread *thread = g_thread_new ("pusher", push_files, &pusher);
    guint64 most = 0;
    while (most == 0 && g_get_monotonic_time () < end)
      most = file_io (pusher.h, "reads-in-flight");
    g_atomic_int_set (&pusher.seen, TRUE);
    g_thread_join (thread);
    fail_unless_equals_uint64 (most, 1);
    fail_unless_equals_uint64 (file_io (pusher.h, "reads-in-flight"), 0);
  }
  filter_finish (pusher.h);
}
GST_END_TEST;

/* What is written to a private mapping is not in the file. */
GST_START_TEST (private_mappings_are_copied)
{
  GstHarness *h = eager_filter ();

  for (guint sealed = 0; sealed < 2; sealed++) {
    GstBuffer *buffer = file_buffer (gst_fd_allocator_new (), 100000, 1, sealed,
        GST_FD_MEMORY_FLAG_MAP_PRIVATE | GST_FD_MEMORY_FLAG_KEEP_MAPPED);
    fail_unless_equals_uint64 (gst_buffer_memset (buffer, 1000, 7, 9000), 9000);
    check_crc (h, buffer);
  }
  if (can_import (h))
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), 200000);
  filter_finish (h);
}
GST_END_TEST;

/* How a file is mapped is found out whatever else the process has open or mapped: it takes no
 * descriptor, of which there are none left here. */
GST_START_TEST (mappings_are_known_without_descriptors)
{
  GstHarness *h = eager_filter ();
  struct rlimit usual, none;
  GstBuffer *buffer
      = file_buffer (gst_fd_allocator_new (), 100000, 1, FALSE, GST_FD_MEMORY_FLAG_NONE);
  int next = dup (0);

  for (guint i = 0; i < 3; i++)
    check_crc (h, noise_buffer (100000, i)); /* with whatever the first ones open */
  guint64 copied = file_io (h, "cpu-bounce-bytes");
  close (next);
  getrlimit (RLIMIT_NOFILE, &usual);
  none = usual;
  none.rlim_cur = (rlim_t)next;
  fail_unless (setrlimit (RLIMIT_NOFILE, &none) == 0);
  fail_unless (dup (0) < 0);
  GstBuffer *readback = filter_run (h, buffer);
  setrlimit (RLIMIT_NOFILE, &usual);
  gst_buffer_unref (readback);
  if (can_import (h))
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), copied);
  filter_finish (h);
}
GST_END_TEST;

/* A dma-buf is not a file to read from, and what it is backed by is its exporter's affair:
 * its map is copied, and counted, and the verdict says so. */
GST_START_TEST (dma_bufs_are_copied)
{
  GstHarness *h = eager_filter ();

  check_crc (
      h, file_buffer (gst_dmabuf_allocator_new (), 100000, 1, TRUE, GST_FD_MEMORY_FLAG_NONE));
  if (can_import (h)) {
    fail_unless_equals_uint64 (file_io (h, "cpu-bounce-bytes"), 100000);
    fail_if (is_zero_copy (h));
  }
  filter_finish (h);
}
GST_END_TEST;

/* ---- lifetime ---------------------------------------------------------------- */

#define MOST_MEMORIES 24
#define MEMORY_SIZE (3 * PAGE)

/* A pool whose memories are pages at places of its own, which are unmapped with them and
 * mapped again for others. */
typedef struct {
  guint8 *range;
  gint in_use[MOST_MEMORIES]; /* atomic */
  GstMemory *memories[MOST_MEMORIES];
  guint n;
} Pool;

typedef struct {
  Pool *pool;
  guint place;
} Place;

static void
place_free (gpointer data)
{
  Place *place = data;

  /* gone, and unused: the next one is mapped over it */
  fail_unless (mmap (place->pool->range + place->place * MEMORY_SIZE, MEMORY_SIZE, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
               != MAP_FAILED);
  g_atomic_int_set (&place->pool->in_use[place->place], FALSE);
  g_free (place);
}

/* FALSE when all places are taken: buffers in flight have some. */
static gboolean
pool_grow (Pool *pool)
{
  for (guint i = 0; i < MOST_MEMORIES && pool->n < MOST_MEMORIES; i++) {
    if (g_atomic_int_get (&pool->in_use[i]))
      continue;
    guint8 *pages = mmap (pool->range + i * MEMORY_SIZE, MEMORY_SIZE, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    fail_unless (pages != MAP_FAILED);
    Place *place = g_new (Place, 1);
    *place = (Place){ pool, i };
    g_atomic_int_set (&pool->in_use[i], TRUE);
    pool->memories[pool->n++]
        = gst_memory_new_wrapped (0, pages, MEMORY_SIZE, 0, MEMORY_SIZE, place, place_free);
    return TRUE;
  }
  return FALSE;
}

static void
pool_shrink (Pool *pool)
{
  guint i = (guint)g_random_int_range (0, (gint)pool->n);

  gst_memory_unref (pool->memories[i]);
  pool->memories[i] = pool->memories[--pool->n];
}

/* New bytes in one of the memories, or in a new one; NULL if the one chosen is in flight. */
static GstBuffer *
pool_take (Pool *pool, guint number)
{
  if (pool->n == 0 || g_random_int_range (0, 4) == 0)
    pool_grow (pool);
  if (pool->n > 1 && g_random_int_range (0, 4) == 0)
    pool_shrink (pool);
  if (pool->n == 0)
    return NULL;
  GstMemory *memory = pool->memories[g_random_int_range (0, (gint)pool->n)];
  GstMapInfo map;
  if (GST_MINI_OBJECT_REFCOUNT_VALUE (memory) > 1)
    return NULL;
  fail_unless (gst_memory_map (memory, &map, GST_MAP_WRITE));
  for (gsize at = 0; at + 4 <= map.size; at += 256)
    *(guint32 *)(map.data + at) = number * 2654435761u + (guint32)at;
  gst_memory_unmap (memory, &map);
  GstBuffer *buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, gst_memory_ref (memory));
  return buffer;
}

static void
pull_one (GstHarness *h, GQueue *expected)
{
  GstBuffer *readback = filter_pull (h);

  fail_unless_equals_uint64 (
      readback_observable (readback, 1), GPOINTER_TO_UINT (g_queue_pop_head (expected)));
  gst_buffer_unref (readback);
}

/* No import is older than its bytes, whatever became of pages with its address. */
GST_START_TEST (no_import_is_stale)
{
  GstHarness *h = eager_filter ();
  Pool pool = { .range = mmap (NULL, MOST_MEMORIES * MEMORY_SIZE, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };
  guint n = g_getenv ("VYRE_TEST_THOROUGH") ? 100000 : 10000;
  GQueue expected = G_QUEUE_INIT;

  for (guint i = 0; can_import (h) && i < n;) {
    GstBuffer *buffer = pool_take (&pool, i);
    if (buffer) {
      g_queue_push_tail (&expected, GUINT_TO_POINTER (crc_of (buffer)));
      filter_push (h, buffer);
      i++;
    }
    while (expected.length > (buffer ? 3 : 0))
      pull_one (h, &expected);
  }
  while (expected.length > 0)
    pull_one (h, &expected);
  if (can_import (h)) {
    fail_unless (file_io (h, "imports") > n / 20);
    fail_unless (file_io (h, "import-hits") > n / 20);
    fail_unless_equals_uint64 (file_io (h, "import-bytes"), (guint64)n * MEMORY_SIZE);
  }
  while (pool.n > 0)
    pool_shrink (&pool);
  filter_finish (h);
  munmap (pool.range, MOST_MEMORIES * MEMORY_SIZE);
}
GST_END_TEST;

/* ---- the verdict ------------------------------------------------------------- */

GST_START_TEST (the_verdict_names_who_bounced)
{
  GstElement *pipeline
      = gst_parse_launch ("fakesrc name=culprit num-buffers=3 sizetype=fixed sizemax=1000 ! "
                          "vyrefilter name=filter program=\"u8_stats payload -> s\" ! fakesink",
          NULL);
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstStructure *nested = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (
      gst_bus_timed_pop_filtered (bus, PATIENCE * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  GstStructure *stats = stats_of (filter);
  fail_unless (gst_structure_get (stats, "ingest", GST_TYPE_STRUCTURE, &nested, NULL));
  const gchar *verdict = gst_structure_get_string (nested, "zero-copy-verdict");
  if (field_u64 (nested, "cpu-bounce-bytes") > 0) {
    fail_unless (strstr (verdict, "3000 bytes") != NULL, "%s", verdict);
    fail_unless (strstr (verdict, "culprit") != NULL, "%s", verdict);
    fail_unless (strstr (verdict, "Fix: ") != NULL, "%s", verdict);
  }
  gst_structure_free (nested);
  gst_structure_free (stats);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (filter);
  gst_object_unref (pipeline);
}
GST_END_TEST;

static Suite *
import_suite (void)
{
  Suite *s = suite_create ("import");
  TCase *tc = tcase_create ("foreign memory");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, large_foreign_buffers_are_imported);
  tcase_add_test (tc, smaller_ones_are_copied_and_counted);
  tcase_add_test (tc, recycled_memory_is_imported_once);
  tcase_add_test (tc, parts_are_read_in_the_whole);
  tcase_add_test (tc, resized_memory_is_imported_as_a_whole);
  tcase_add_test (tc, several_memories_are_copied_together);
  tcase_add_test (tc, what_is_too_much_is_copied);
  tcase_add_test (tc, larger_than_staging_is_an_error);
  tcase_add_test (tc, memory_outlives_kernels);
  tcase_add_test (tc, two_kernels_read_the_same_memory);
  tcase_add_test (tc, files_are_imported_or_read);
  tcase_add_test (tc, reads_under_way_are_counted);
  tcase_add_test (tc, private_mappings_are_copied);
  tcase_add_test (tc, mappings_are_known_without_descriptors);
  tcase_add_test (tc, dma_bufs_are_copied);
  tcase_add_test (tc, no_import_is_stale);
  tcase_add_test (tc, the_verdict_names_who_bounced);
  return s;
}

GST_CHECK_MAIN (import);

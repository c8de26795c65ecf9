/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which way payloads come to the kernel: written by upstream into memory that
 * the ALLOCATION query proposed, at no cost, or copied, and then counted to the
 * byte.
 */
#include "common.h"
#include "oracle.h"

#define CRC "crc32 payload -> crc32"

static GstAllocator *
propose (GstHarness *h, const gchar *caps_text, GstAllocationParams *params)
{
  GstCaps *caps = caps_text ? gst_caps_from_string (caps_text) : NULL;
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstAllocator *allocator = NULL;

  fail_unless (gst_pad_peer_query (h->srcpad, query), "ALLOCATION was not answered");
  fail_unless (gst_query_get_n_allocation_params (query) > 0, "no allocator was proposed");
  gst_query_parse_nth_allocation_param (query, 0, &allocator, params);
  fail_unless (allocator != NULL);
  gst_query_unref (query);
  if (caps)
    gst_caps_unref (caps);
  return allocator;
}

static GstBuffer *
lent_buffer (GstAllocator *allocator, GstAllocationParams *params, gsize size, guint32 seed)
{
  GstBuffer *buffer = gst_buffer_new_allocate (allocator, size, params);
  guint8 *data = noise_new (size, seed);

  gst_buffer_fill (buffer, 0, data, size);
  g_free (data);
  return buffer;
}

static void
check_crc (GstHarness *h, GstBuffer *buffer)
{
  gpointer data;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &data, &size);
  GstBuffer *readback = filter_run (h, buffer);
  fail_unless_equals_uint64 (readback_observable (readback, 1), oracle_crc32 (data, size));
  gst_buffer_unref (readback);
  g_free (data);
}

static void
check_bytes (GstHarness *h, guint64 in_place, guint64 copied)
{
  guint64 direct = stat_nested (h->element, "ingest", "direct-bytes");

  /* a device with memory of its own gets small payloads in one piece without staging */
  fail_unless (direct == 0 || !stat_is (h->element, "placement", "unified"));
  fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "arena-bytes"), in_place);
  fail_unless_equals_uint64 (
      stat_nested (h->element, "ingest", "cpu-bounce-bytes"), copied - direct);
  fail_unless_equals_uint64 (stat_of (h->element, "cpu-bounce-bytes"), copied - direct);
}

static const gchar *const streams[]
    = { NULL, "video/x-raw,format=GRAY8,width=64,height=64,framerate=25/1", "image/png" };

GST_START_TEST (proposed_memory_is_read_where_it_is)
{
  GstHarness *h = filter_new (CRC);
  GstAllocationParams params;
  gsize total = 0;

  filter_start (h, streams[__i__]);
  GstAllocator *allocator = propose (h, streams[__i__], &params);
  fail_unless (params.align >= 4095, "an import by pointer needs pages");
  for (guint i = 0; i < 8; i++) {
    GstBuffer *buffer = lent_buffer (allocator, &params, 4096 + 17 * i, i);
    GstMapInfo map;
    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    fail_unless_equals_int (GPOINTER_TO_SIZE (map.data) % 4096, 0);
    gst_buffer_unmap (buffer, &map);
    total += gst_buffer_get_size (buffer);
    check_crc (h, buffer);
  }
  check_bytes (h, total, 0);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

/* A pool for frames, of the same memory, with a meta for where their planes are. */
GST_START_TEST (a_proposed_pool_has_lent_memory)
{
  static const gchar text[] = "video/x-raw,format=I420,width=70,height=50,framerate=25/1";
  GstHarness *h = filter_new (CRC);
  GstCaps *caps = gst_caps_from_string (text);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool;
  guint size, least, most;
  gsize total = 0;

  filter_start (h, text);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless_equals_int (gst_query_get_n_allocation_pools (query), 1);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &least, &most);
  fail_unless_equals_int (size, 72 * 50 + 2 * 36 * 25);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  for (guint i = 0; i < 6; i++) {
    GstBuffer *buffer;
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
    fail_unless (gst_memory_is_type (gst_buffer_peek_memory (buffer, 0), "VyreMemory"));
    fail_unless (gst_buffer_get_meta (buffer, g_type_from_name ("GstVideoMetaAPI")) != NULL);
    guint8 *data = noise_new (size, i);
    gst_buffer_fill (buffer, 0, data, size);
    g_free (data);
    total += size;
    check_crc (h, buffer);
  }
  check_bytes (h, total, 0);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_query_unref (query);
  gst_caps_unref (caps);
  filter_finish (h);
}
GST_END_TEST;

/* Without a size for a pool, or without a wish for one, no pool is proposed. */
GST_START_TEST (no_pool_without_frames)
{
  GstHarness *h = filter_new (CRC);

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    GstCaps *caps = streams[i] ? gst_caps_from_string (streams[i]) : NULL;
    gboolean frames = i == 1;
    for (gint wanted = 0; wanted < 2; wanted++) {
      GstQuery *query = gst_query_new_allocation (caps, wanted);
      fail_unless (gst_pad_peer_query (h->srcpad, query));
      fail_unless_equals_int (gst_query_get_n_allocation_pools (query), frames && wanted);
      fail_unless_equals_int (gst_query_get_n_allocation_params (query), 1);
      gst_query_unref (query);
    }
    gst_clear_caps (&caps);
  }
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (foreign_memory_is_copied_and_counted_to_the_byte)
{
  GstHarness *h = filter_new (CRC);
  GstAllocationParams params;
  gsize copied = 0;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  for (guint i = 0; i < 6; i++) {
    check_crc (h, noise_buffer (1000 + 333 * i, i));
    copied += 1000 + 333 * i;
  }
  check_crc (h, lent_buffer (allocator, &params, 500, 9));
  check_bytes (h, 500, copied);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (two_lent_memories_are_copied_together)
{
  GstHarness *h = filter_new (CRC);
  GstAllocationParams params;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  GstBuffer *buffer = gst_buffer_append (
      lent_buffer (allocator, &params, 700, 1), lent_buffer (allocator, &params, 900, 2));
  check_crc (h, buffer);
  check_bytes (h, 0, 1600);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_part_of_lent_memory_is_found_where_it_starts)
{
  GstHarness *h = filter_new (CRC);
  GstAllocationParams params;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  GstBuffer *whole = lent_buffer (allocator, &params, 8192, 1);
  check_crc (h, gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, 4096, 1000));
  check_bytes (h, 1000, 0);
  check_crc (h, gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, 48, 100));
  check_crc (h, gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, 5, 100));
  GstBuffer *resized = gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, 0, -1);
  gst_buffer_resize (resized, 16, 77);
  check_crc (h, resized);
  fail_unless (stat_of (h->element, "cpu-bounce-bytes") <= 277);
  gst_buffer_unref (whole);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (memory_of_one_filter_is_foreign_to_another_kernel)
{
  GstHarness *h = filter_new (CRC);
  GstHarness *other = filter_new_with (CRC, "staging-size", (guint64)(1 << 20), NULL);
  GstAllocationParams params;

  filter_start (h, NULL);
  filter_start (other, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  check_crc (other, lent_buffer (allocator, &params, 5000, 1));
  check_bytes (other, 0, 5000);
  gst_object_unref (allocator);
  filter_finish (other);
  filter_finish (h);
}
GST_END_TEST;

/* An upstream that keeps all it can get must not starve the copies that its own
 * further buffers need. */
GST_START_TEST (an_upstream_that_hoards_does_not_stall_the_stream)
{
  GstHarness *h = filter_new_with (CRC, "staging-size", (guint64)(1 << 20), NULL);
  GstBuffer *hoard[40];
  GstAllocationParams params;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  for (guint i = 0; i < G_N_ELEMENTS (hoard); i++)
    hoard[i] = lent_buffer (allocator, &params, 32768, i);
  check_crc (h, noise_buffer (300 * 1024, 1));
  for (guint i = 0; i < G_N_ELEMENTS (hoard); i++)
    check_crc (h, hoard[i]);
  fail_unless_equals_uint64 (stat_of (h->element, "payload-bytes"), 300 * 1024 + 40 * 32768);
  fail_unless_equals_uint64 (stat_of (h->element, "cpu-bounce-bytes")
                                 + stat_nested (h->element, "ingest", "arena-bytes")
                                 + stat_nested (h->element, "ingest", "direct-bytes"),
      300 * 1024 + 40 * 32768);
  fail_unless (stat_nested (h->element, "ingest", "arena-bytes") >= 10 * 32768);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

/* So does a copy of more than half of the staging memory, or of all of it, that comes before what
 * upstream holds. */
GST_START_TEST (a_large_copy_does_not_wait_for_what_comes_behind_it)
{
  static const gsize sizes[] = { 700000, 1 << 20 };
  GstHarness *h = filter_new_with (
      CRC, "staging-size", (guint64)(1 << 20), "import-threshold", G_MAXUINT64, NULL);
  GstAllocationParams params;
  GstBuffer *held[3];

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    for (guint k = 0; k < G_N_ELEMENTS (held); k++)
      held[k] = lent_buffer (allocator, &params, 150000, k);
    check_crc (h, noise_buffer (sizes[i], i));
    for (guint k = 0; k < G_N_ELEMENTS (held); k++)
      check_crc (h, held[k]);
  }
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

/* Upstream has as many buffers in place as leave room for one that is copied. */
GST_START_TEST (all_is_lent_that_no_copy_needs)
{
  GstHarness *h = filter_new_with (
      CRC, "staging-size", (guint64)(1 << 20), "import-threshold", G_MAXUINT64, NULL);
  GstBuffer *held[4];
  GstAllocationParams params;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  for (guint i = 0; i < G_N_ELEMENTS (held); i++)
    held[i] = lent_buffer (allocator, &params, 1 << 18, i);
  for (guint i = 0; i < G_N_ELEMENTS (held); i++) {
    gboolean lent = gst_memory_is_type (gst_buffer_peek_memory (held[i], 0), "VyreMemory");
    fail_unless_equals_int (lent, i < 3);
  }
  for (guint i = G_N_ELEMENTS (held); i > 0; i--)
    check_crc (h, held[i - 1]);
  check_bytes (h, 3 << 18, 1 << 18);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_copy_of_lent_memory_is_the_applications_own)
{
  GstHarness *h = filter_new (CRC);
  GstAllocationParams params;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  GstBuffer *lent = lent_buffer (allocator, &params, 3000, 1);
  GstMapInfo map;
  fail_unless (gst_buffer_map (lent, &map, GST_MAP_READ));
  for (gsize start = 0; start < 3000; start += 1234) {
    GstBuffer *copy = gst_buffer_copy_region (
        lent, GST_BUFFER_COPY_ALL | GST_BUFFER_COPY_DEEP, start, 3000 - start);
    fail_unless (gst_memory_is_type (gst_buffer_peek_memory (copy, 0), GST_ALLOCATOR_SYSMEM));
    fail_unless_equals_int (gst_buffer_memcmp (copy, 0, map.data + start, 3000 - start), 0);
    gst_buffer_unref (copy);
  }
  gst_buffer_unmap (lent, &map);
  gst_buffer_unref (lent);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

/* Parts are put together in place if they lie next to each other, and copied if not. */
GST_START_TEST (parts_of_lent_memory_are_put_together)
{
  static const gsize starts[][2] = { { 0, 1000 }, { 0, 2000 }, { 2000, 1000 }, { 1000, 1000 } };
  GstHarness *h = filter_new (CRC);
  GstAllocationParams params;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  GstBuffer *lent = lent_buffer (allocator, &params, 3000, 1);
  GstMapInfo whole, map;
  fail_unless (gst_buffer_map (lent, &whole, GST_MAP_READ));
  for (guint i = 0; i < G_N_ELEMENTS (starts); i++) {
    GstBuffer *parts = gst_buffer_new ();
    for (guint part = 0; part < 2; part++)
      gst_buffer_append_memory (parts,
          gst_memory_share (gst_buffer_peek_memory (lent, 0), (gssize)starts[i][part], 1000));
    fail_unless (gst_buffer_map (parts, &map, GST_MAP_READ));
    fail_unless_equals_uint64 (map.size, 2000);
    for (guint part = 0; part < 2; part++)
      fail_unless (memcmp (map.data + part * 1000, whole.data + starts[i][part], 1000) == 0);
    fail_unless_equals_int (map.data == whole.data, i == 0);
    gst_buffer_unmap (parts, &map);
    check_crc (h, parts);
  }
  gst_buffer_unmap (lent, &whole);
  gst_buffer_unref (lent);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (lent_memory_outlives_the_filter)
{
  GstHarness *h = filter_new (CRC);
  GstAllocationParams params;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  GstBuffer *lent = lent_buffer (allocator, &params, 5000, 1);
  filter_finish (h);
  fail_unless_equals_uint64 (gst_buffer_memset (lent, 0, 7, 5000), 5000);
  GstBuffer *late = gst_buffer_new_allocate (allocator, 100, &params);
  fail_unless (late != NULL);
  gst_buffer_unref (late);
  gst_object_unref (allocator);
  gst_buffer_unref (lent);
}
GST_END_TEST;

static void
note_end (gpointer ended, GObject *allocator)
{
  *(gboolean *)ended = TRUE;
}

/* Memory of the system, which was all that there was, keeps nothing of the filter. */
GST_START_TEST (refused_memory_is_the_applications_own)
{
  GstHarness *h = filter_new_with (CRC, "staging-size", (guint64)65536, NULL);
  GstAllocationParams params;
  gboolean ended = FALSE;

  filter_start (h, NULL);
  GstAllocator *allocator = propose (h, NULL, &params);
  g_object_weak_ref (G_OBJECT (allocator), note_end, &ended);
  GstBuffer *refused = lent_buffer (allocator, &params, 65536, 1);
  fail_unless (gst_memory_is_type (gst_buffer_peek_memory (refused, 0), GST_ALLOCATOR_SYSMEM));
  gst_object_unref (allocator);
  filter_finish (h);
  fail_unless (ended, "the allocator is still there, and so is its store");
  gst_buffer_unref (refused);
}
GST_END_TEST;

static Suite *
allocation_suite (void)
{
  Suite *s = suite_create ("allocation");
  TCase *tc = tcase_create ("staging");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, proposed_memory_is_read_where_it_is, 0, G_N_ELEMENTS (streams));
  tcase_add_test (tc, foreign_memory_is_copied_and_counted_to_the_byte);
  tcase_add_test (tc, a_proposed_pool_has_lent_memory);
  tcase_add_test (tc, no_pool_without_frames);
  tcase_add_test (tc, two_lent_memories_are_copied_together);
  tcase_add_test (tc, a_part_of_lent_memory_is_found_where_it_starts);
  tcase_add_test (tc, memory_of_one_filter_is_foreign_to_another_kernel);
  tcase_add_test (tc, an_upstream_that_hoards_does_not_stall_the_stream);
  tcase_add_test (tc, a_large_copy_does_not_wait_for_what_comes_behind_it);
  tcase_add_test (tc, all_is_lent_that_no_copy_needs);
  tcase_add_test (tc, a_copy_of_lent_memory_is_the_applications_own);
  tcase_add_test (tc, parts_of_lent_memory_are_put_together);
  tcase_add_test (tc, lent_memory_outlives_the_filter);
  tcase_add_test (tc, refused_memory_is_the_applications_own);
  return s;
}

GST_CHECK_MAIN (allocation);

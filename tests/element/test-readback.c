/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The readback as a GstBuffer: caps, memories, meta, mapping and lifetime.
 */
#include "common.h"
#include "oracle.h"

#include <malloc.h>
#include <string.h>

#define CRC "crc32 payload -> crc32"
#define META "GstVyreReadbackMeta"

static const gchar *const part_names[] = { "control", "ring", "debug-log", "io-queue" };

/* Sizes of the parts as the ABI gives them. */
static void
part_sizes (guint n_observables, guint n_slots, gsize sizes[4])
{
  sizes[0] = 4 * (160 + (gsize)n_observables);
  sizes[1] = 64 * (gsize)n_slots;
  sizes[2] = 1028;
  sizes[3] = 2048;
}

static guint64
meta_field (GstBuffer *readback, guint part, const gchar *suffix)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (readback, META);
  gchar *name = g_strconcat (part_names[part], suffix, NULL);

  fail_unless (meta != NULL, "the readback has no meta");
  guint64 value = field_u64 (gst_custom_meta_get_structure (meta), name);
  g_free (name);
  return value;
}

static void
check_meta (GstBuffer *readback, const gsize sizes[4])
{
  gsize offset = 0;

  for (guint part = 0; part < 4; part++) {
    fail_unless_equals_uint64 (meta_field (readback, part, "-offset"), offset);
    fail_unless_equals_uint64 (meta_field (readback, part, "-size"), sizes[part]);
    offset += sizes[part];
  }
}

static void
check_layout (GstBuffer *readback, guint n_observables, guint n_slots)
{
  gsize sizes[4], total = 0;

  part_sizes (n_observables, n_slots, sizes);
  fail_unless_equals_int (gst_buffer_n_memory (readback), 4);
  for (guint part = 0; part < 4; part++) {
    gsize size = gst_memory_get_sizes (gst_buffer_peek_memory (readback, part), NULL, NULL);
    fail_unless_equals_uint64 (size, sizes[part]);
    total += size;
  }
  fail_unless_equals_uint64 (gst_buffer_get_size (readback), total);
  check_meta (readback, sizes);
}

static void
check_caps (GstHarness *h, gint n_observables, gint n_slots, const gchar *program)
{
  GstCaps *caps = readback_caps (h);
  GstCaps *expected = gst_caps_new_simple ("application/x-vyre-readback", "abi", G_TYPE_INT, 1,
      "slot-count", G_TYPE_INT, n_slots, "observable-slots", G_TYPE_INT, n_observables, NULL);
  const gchar *id = gst_structure_get_string (gst_caps_get_structure (caps, 0), "program");

  fail_unless (id != NULL, "the caps name no program");
  fail_unless (program == NULL || strcmp (id, program) == 0, "program is %s", id);
  gst_caps_set_simple (expected, "program", G_TYPE_STRING, id, NULL);
  fail_unless (gst_caps_is_subset (caps, expected), "caps are %s", gst_caps_to_string (caps));
  GstPad *pad = filter_pad (h, "src");
  GstCaps *template_caps = gst_pad_get_pad_template_caps (pad);
  fail_unless (gst_caps_is_subset (caps, template_caps));
  gst_caps_unref (template_caps);
  gst_object_unref (pad);
  gst_caps_unref (expected);
  gst_caps_unref (caps);
}

GST_START_TEST (caps_and_sizes_follow_the_program)
{
  static const struct {
    const gchar *program;
    guint observables;
    guint slots;
    const gchar *id;
  } cases[] = {
    { "builtin:bytes", 1 + 256 + 1, 3, "builtin:bytes" },
    { "builtin:nop", 1, 2, "builtin:nop" },
    { "nop; no_fence", 0, 1, NULL },
    { "crc32 payload -> 99", 100, 2, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = filter_new (cases[i].program);
    filter_start (h, NULL);
    GstBuffer *readback = filter_run (h, noise_buffer (100, i));
    check_layout (readback, cases[i].observables, cases[i].slots);
    check_caps (h, (gint)cases[i].observables, (gint)cases[i].slots, cases[i].id);
    gst_buffer_unref (readback);
    filter_finish (h);
  }
}
GST_END_TEST;

GST_START_TEST (slot_and_observable_counts_can_be_larger)
{
  GstHarness *h = filter_new_with (CRC, "slot-count", 40, "observable-slots", 1000, NULL);

  filter_start (h, NULL);
  GstBuffer *readback = filter_run (h, noise_buffer (100, 1));
  check_layout (readback, 1000, 40);
  check_caps (h, 1000, 40, NULL);
  for (guint slot = 0; slot < 40; slot++)
    fail_unless_equals_int (readback_word (readback, 1, slot * VYRE_SLOT_WORDS),
        slot < 2 ? VYRE_STATUS_DONE : VYRE_STATUS_EMPTY);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (counts_changed_while_running_change_the_caps)
{
  GstHarness *h = filter_new (CRC);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, noise_buffer (100, 1)));
  check_caps (h, 2, 2, NULL);
  g_object_set (h->element, "slot-count", 7, "observable-slots", 9, NULL);
  GstBuffer *readback = filter_run (h, noise_buffer (100, 1));
  check_layout (readback, 9, 7);
  check_caps (h, 9, 7, NULL);
  gst_buffer_unref (readback);
  g_object_set (h->element, "slot-count", 8, NULL);
  gst_buffer_unref (filter_run (h, noise_buffer (100, 1)));
  check_caps (h, 9, 8, NULL);
  g_object_set (h->element, "observable-slots", 10, NULL);
  gst_buffer_unref (filter_run (h, noise_buffer (100, 1)));
  check_caps (h, 10, 8, NULL);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_ring_too_small_for_the_program_is_an_error)
{
  GstHarness *h = filter_new_with ("nop; nop; nop; nop", "slot-count", 3, NULL);

  filter_start (h, NULL);
  fail_unless_equals_int (gst_harness_push (h, noise_buffer (100, 1)), GST_FLOW_ERROR);
  bus_assert_error (h, "slot");
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (the_ring_tells_what_ran)
{
  GstHarness *h = filter_new ("store_u32 5 -> five; crc32 payload -> crc32");

  filter_start (h, NULL);
  GstBuffer *readback = filter_run (h, noise_buffer (77, 1));
  fail_unless_equals_int (readback_word (readback, 0, VYRE_CONTROL_DONE_COUNT), 3);
  fail_unless_equals_int (readback_word (readback, 0, VYRE_CONTROL_EPOCH), 1);
  fail_unless_equals_int (readback_word (readback, 0, VYRE_CONTROL_SHUTDOWN), 0);
  fail_unless_equals_int (readback_word (readback, 0, VYRE_CONTROL_METRICS + 1), 1);
  fail_unless_equals_int (readback_word (readback, 0, VYRE_CONTROL_METRICS + 7), 1);
  fail_unless_equals_int (readback_word (readback, 1, 1), VYRE_OP_STORE_U32);
  fail_unless_equals_uint64 (readback_word (readback, 1, 17), VYRE_OP_CRC32);
  fail_unless_equals_int (readback_word (readback, 1, 33), VYRE_OP_BATCH_FENCE);
  fail_unless_equals_int (readback_word (readback, 1, 36), 2);
  for (guint slot = 0; slot < 3; slot++)
    fail_unless_equals_int (readback_word (readback, 1, slot * 16), VYRE_STATUS_DONE);
  fail_unless_equals_int (readback_word (readback, 1, 37), readback_observable (readback, 0));
  fail_unless_equals_int (readback_observable (readback, 1), 5);
  fail_unless_equals_int (readback_word (readback, 2, 0), 0);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (the_meta_survives_a_copy_but_not_a_cut)
{
  GstHarness *h = filter_new (CRC);
  gsize sizes[4];

  part_sizes (2, 2, sizes);
  filter_start (h, NULL);
  GstBuffer *readback = filter_run (h, noise_buffer (10, 1));
  GstBuffer *copy = gst_buffer_copy (readback), *deep = gst_buffer_copy_deep (readback);
  GstBuffer *cut = gst_buffer_copy_region (readback, GST_BUFFER_COPY_ALL, 0, 700);
  gst_buffer_unref (readback);
  check_meta (copy, sizes);
  check_meta (deep, sizes);
  fail_unless (gst_buffer_get_custom_meta (cut, META) == NULL);
  fail_unless_equals_uint64 (readback_observable (copy, 1), readback_observable (deep, 1));
  gst_buffer_unref (copy);
  gst_buffer_unref (deep);
  gst_buffer_unref (cut);
  filter_finish (h);
}
GST_END_TEST;

/* A whole-buffer map merges memories; the parts are adjacent, so that costs no
 * copy, and the meta still tells where they are. */
static void
check_whole_map (GstBuffer *readback, guint32 crc)
{
  gsize size = gst_buffer_get_size (readback);
  GstMapInfo head, whole;
  guint32 word;

  fail_unless (gst_memory_map (gst_buffer_peek_memory (readback, 0), &head, GST_MAP_READ));
  gconstpointer start = head.data;
  gst_memory_unmap (gst_buffer_peek_memory (readback, 0), &head);
  gsize ring = gst_memory_get_sizes (gst_buffer_peek_memory (readback, 0), NULL, NULL);
  fail_unless (gst_buffer_map (readback, &whole, GST_MAP_READ));
  fail_unless_equals_uint64 (whole.size, size);
  fail_unless (whole.data == start, "the map copied the readback");
  memcpy (&word, whole.data + 4 * (VYRE_CONTROL_OBSERVABLES + 1), 4);
  fail_unless_equals_uint64 (GUINT32_FROM_LE (word), crc);
  memcpy (&word, whole.data + ring, 4);
  fail_unless_equals_int (GUINT32_FROM_LE (word), VYRE_STATUS_DONE);
  gst_buffer_unmap (readback, &whole);
  fail_unless_equals_uint64 (meta_field (readback, 1, "-offset"), ring);
}

GST_START_TEST (a_whole_map_is_contiguous_without_a_copy)
{
  GstHarness *h = filter_new (CRC);
  guint8 *data = noise_new (100, 1);

  filter_start (h, NULL);
  GstBuffer *readback = filter_run (h, buffer_of (data, 100));
  fail_unless (gst_buffer_is_writable (readback));
  check_whole_map (readback, oracle_crc32 (data, 100));
  gst_buffer_unref (readback);
  readback = filter_run (h, buffer_of (data, 100));
  GstBuffer *held = gst_buffer_ref (readback);
  check_whole_map (readback, oracle_crc32 (data, 100));
  gst_buffer_unref (held);
  gst_buffer_unref (readback);
  g_free (data);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (writing_to_a_readback_changes_nobody_elses)
{
  GstHarness *h = filter_new (CRC);

  filter_start (h, NULL);
  GstBuffer *readback = filter_run (h, noise_buffer (100, 1));
  guint32 crc = readback_observable (readback, 1);
  GstBuffer *copy = gst_buffer_copy (readback);
  gst_buffer_memset (copy, 0, 0xAA, gst_buffer_get_size (copy));
  fail_unless_equals_uint64 (readback_observable (readback, 1), crc);
  gst_buffer_unref (copy);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (readbacks_outlive_the_filter)
{
  GstHarness *h = filter_new (CRC);
  GstBuffer *kept[10];
  guint32 crc[10];

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    guint8 *data = noise_new (500, i);
    crc[i] = oracle_crc32 (data, 500);
    kept[i] = filter_run (h, buffer_of (data, 500));
    g_free (data);
  }
  filter_finish (h);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    check_layout (kept[i], 2, 2);
    fail_unless_equals_uint64 (readback_observable (kept[i], 1), crc[i]);
    check_whole_map (kept[i], crc[i]);
    gst_buffer_unref (kept[i]);
  }
}
GST_END_TEST;

/* What an application does that pulls nothing from its appsink. */
GST_START_TEST (keeping_every_readback_does_not_stall)
{
  enum { N = 5000 };
  GstHarness *h = filter_new_with (CRC, "post-messages", 0, NULL);
  GstBuffer **kept = g_new0 (GstBuffer *, N);

  filter_start (h, NULL);
  for (guint i = 0; i < N; i++)
    kept[i] = filter_run (h, numbered_buffer (i, i % 64));
  guint64 copies = stat_of (h->element, "readback-copies");
  fail_unless (copies > 0 && copies < N, "%" G_GUINT64_FORMAT " copies", copies);
  for (guint i = 0; i < N; i++) {
    guint8 data[64];
    memset (data, (guint8)i, sizeof data);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (kept[i]), i);
    fail_unless_equals_uint64 (readback_observable (kept[i], 1), oracle_crc32 (data, i % 64));
  }
  check_layout (kept[0], 2, 2);
  check_layout (kept[N - 1], 2, 2);
  check_whole_map (kept[N - 1], readback_observable (kept[N - 1], 1));
  for (guint i = 0; i < N; i++)
    gst_buffer_unref (kept[i]);
  GstBuffer *after = filter_run (h, numbered_buffer (1, 10));
  fail_unless_equals_uint64 (stat_of (h->element, "readback-copies"), copies);
  gst_buffer_unref (after);
  g_free (kept);
  filter_finish (h);
}
GST_END_TEST;

/* Nor when a program takes turns with one whose readback takes more than half of the store. */
GST_START_TEST (keeping_every_readback_leaves_room_for_a_larger_one)
{
  enum { N = 200 };
  GstHarness *h = filter_new_with ("nop", "post-messages", 0, "slot-count", 300000, NULL);
  GstBuffer *kept[N];

  if (!stat_is (h->element, "placement", "unified")) { /* where readbacks have 1 MiB at most */
    filter_finish (h);
    return;
  }
  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  g_object_set (h->element, "slot-count", 2000, NULL);
  for (guint i = 0; i < N; i++)
    kept[i] = filter_run (h, numbered_buffer (i, 10));
  g_object_set (h->element, "slot-count", 300000, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (N, 10)));
  for (guint i = 0; i < N; i++)
    gst_buffer_unref (kept[i]);
  filter_finish (h);
}
GST_END_TEST;

/* Copies of large readbacks, let go one by one: the heap must not keep them. */
GST_START_TEST (copied_readbacks_give_their_memory_back)
{
  enum { HELD = 24, N = 100, OBSERVABLES = 250000 };
  GstHarness *h = filter_new_with (
      CRC, "post-messages", 0, "observable-slots", OBSERVABLES, "max-in-flight", 1, NULL);
  GstBuffer *held[HELD];

  filter_start (h, NULL);
  for (guint i = 0; i < HELD; i++)
    held[i] = filter_run (h, numbered_buffer (i, 10));
  guint64 copies = stat_of (h->element, "readback-copies");
  struct mallinfo2 before = mallinfo2 ();
  for (guint i = 0; i < N; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 10)));
  fail_unless_equals_uint64 (stat_of (h->element, "readback-copies"), copies + N);
  struct mallinfo2 after = mallinfo2 ();
  gsize grown = after.uordblks + after.hblkhd
                - MIN (before.uordblks + before.hblkhd, after.uordblks + after.hblkhd);
  fail_unless (grown < N / 2 * 4 * OBSERVABLES, "%zu bytes are gone", grown);
  for (guint i = 0; i < HELD; i++)
    gst_buffer_unref (held[i]);
  filter_finish (h);
}
GST_END_TEST;

/* A readback that comes back is used again, as good as new. */
GST_START_TEST (buffers_are_used_again)
{
  GstHarness *h = filter_new (CRC);
  gpointer seen[8];
  guint again = 0;

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++) {
    GstBuffer *readback = filter_run (h, noise_buffer (100 + i, i));
    seen[i] = readback;
    for (guint before = 0; before < i; before++)
      again += seen[before] == readback;
    check_layout (readback, 2, 2);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (readback), GST_CLOCK_TIME_NONE);
    fail_if (GST_BUFFER_FLAG_IS_SET (readback, GST_BUFFER_FLAG_MARKER));
    GST_BUFFER_PTS (readback) = 7;
    GST_BUFFER_FLAG_SET (readback, GST_BUFFER_FLAG_MARKER);
    gst_buffer_unref (readback);
  }
  fail_unless (again > 0, "no buffer came twice");
  filter_finish (h);
}
GST_END_TEST;

/* What downstream may do to a buffer of its own does not show in later ones. */
GST_START_TEST (changed_readbacks_leave_no_trace)
{
  GstHarness *h = filter_new (CRC);

  filter_start (h, NULL);
  for (guint i = 0; i < 12; i++) {
    GstBuffer *readback = filter_run (h, noise_buffer (100, i));
    check_layout (readback, 2, 2);
    switch (i % 4) {
      case 0:
        gst_buffer_set_size (readback, 648);
        break;
      case 1:
        gst_buffer_resize (readback, 100, 50);
        break;
      case 2:
        fail_unless (gst_buffer_remove_meta (
            readback, (GstMeta *)gst_buffer_get_custom_meta (readback, META)));
        break;
      default:
        gst_buffer_remove_memory (readback, 2);
    }
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

/* Ways to keep a part of a readback when the buffer goes. */
static GstMemory *
keep_memory (GstBuffer *readback)
{
  return gst_memory_ref (gst_buffer_peek_memory (readback, 0));
}

static GstMemory *
keep_share (GstBuffer *readback)
{
  return gst_memory_share (gst_buffer_peek_memory (readback, 0), 0, -1);
}

static GstMemory *
keep_copied_buffer (GstBuffer *readback)
{
  GstBuffer *copy = gst_buffer_copy (readback);
  GstMemory *memory = gst_memory_ref (gst_buffer_peek_memory (copy, 0));

  gst_buffer_unref (copy);
  return memory;
}

static GstMemory *
keep_span (GstBuffer *readback)
{
  return gst_buffer_get_all_memory (readback);
}

GST_START_TEST (what_somebody_keeps_is_not_used_again)
{
  GstMemory *(*const ways[]) (GstBuffer *)
      = { keep_memory, keep_share, keep_copied_buffer, keep_span };
  GstHarness *h = filter_new (CRC);
  GstMemory *kept[G_N_ELEMENTS (ways)];
  guint8 bytes[G_N_ELEMENTS (ways)][648];
  GstMapInfo map;

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    GstBuffer *readback = filter_run (h, noise_buffer (100, i));
    gst_buffer_extract (readback, 0, bytes[i], sizeof bytes[i]);
    kept[i] = ways[i](readback);
    gst_buffer_unref (readback);
  }
  for (guint i = 0; i < 20; i++)
    gst_buffer_unref (filter_run (h, noise_buffer (100, 100 + i)));
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    fail_unless (gst_memory_map (kept[i], &map, GST_MAP_READ));
    fail_unless (map.size >= sizeof bytes[i]);
    fail_unless (memcmp (map.data, bytes[i], sizeof bytes[i]) == 0, "way %u was overwritten", i);
    gst_memory_unmap (kept[i], &map);
    gst_memory_unref (kept[i]);
  }
  filter_finish (h);
}
GST_END_TEST;

static Suite *
readback_suite (void)
{
  Suite *s = suite_create ("readback");
  TCase *layout = tcase_create ("layout"), *memory = tcase_create ("memory");

  suite_add_tcase (s, layout);
  tcase_add_test (layout, caps_and_sizes_follow_the_program);
  tcase_add_test (layout, slot_and_observable_counts_can_be_larger);
  tcase_add_test (layout, counts_changed_while_running_change_the_caps);
  tcase_add_test (layout, a_ring_too_small_for_the_program_is_an_error);
  tcase_add_test (layout, the_ring_tells_what_ran);
  tcase_add_test (layout, the_meta_survives_a_copy_but_not_a_cut);
  suite_add_tcase (s, memory);
  tcase_add_test (memory, a_whole_map_is_contiguous_without_a_copy);
  tcase_add_test (memory, writing_to_a_readback_changes_nobody_elses);
  tcase_add_test (memory, readbacks_outlive_the_filter);
  tcase_add_test (memory, keeping_every_readback_does_not_stall);
  tcase_add_test (memory, keeping_every_readback_leaves_room_for_a_larger_one);
  tcase_add_test (memory, buffers_are_used_again);
  tcase_add_test (memory, changed_readbacks_leave_no_trace);
  tcase_add_test (memory, what_somebody_keeps_is_not_used_again);
  tcase_add_test (memory, copied_readbacks_give_their_memory_back);
  return s;
}

GST_CHECK_MAIN (readback);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Payload opcodes on the real kernel against plain-C oracles, bit for bit.
 */
#include "kernel-common.h"

static TestKernel t;

static void
check_stats (VyreBatch *batch, guint at, const TestOracle *o)
{
  const guint8 *control = vyre_batch_get_readback (batch);
  guint word = VYRE_CONTROL_OBSERVABLES + at;

  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_COUNT), ==, o->count);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_MIN), ==, o->min);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_MAX), ==, o->max);
  g_assert_cmpuint (vyre_read_word_pair (control, word + VYRE_U8_STATS_SUM), ==, o->sum);
  g_assert_cmpuint (
      vyre_read_word_pair (control, word + VYRE_U8_STATS_SUM_SQUARES), ==, o->squares);
}

/* Places of the results of check_region(). */
enum {
  AT_STATS = 1,
  AT_BELOW = AT_STATS + VYRE_U8_STATS_WORDS,
  AT_CHECKSUMS,
  AT_HISTOGRAM = AT_CHECKSUMS + G_N_ELEMENTS (test_checksums),
  AT_END = AT_HISTOGRAM + VYRE_U8_HISTOGRAM_WORDS
};

/* Runs all payload opcodes over one region; checksums only where its rows touch. */
static void
check_region (const guint8 *data, gsize size, guint shift, const VyreRegion *r, gboolean histogram)
{
  gboolean linear = r->rows <= 1 || r->stride == r->width;
  g_autofree char *region
      = g_strdup_printf ("region(%u, %u, %u, %u)", r->offset, r->width, r->rows, r->stride);
  GString *text = g_string_new (NULL);
  TestOracle o;
  gsize slice;

  g_string_append_printf (
      text, "u8_stats %s -> %u; u8_below %s, 100 -> %u", region, AT_STATS, region, AT_BELOW);
  for (guint i = 0; linear && i < G_N_ELEMENTS (test_checksums); i++)
    g_string_append_printf (
        text, "; %s %s -> %u", test_checksums[i].opcode, region, AT_CHECKSUMS + i);
  if (histogram)
    g_string_append_printf (text, "; u8_histogram %s -> %u", region, (guint)AT_HISTOGRAM);
  g_autoptr (VyrePlan) plan = test_plan (&t, text->str, size, 0, AT_END);
  VyrePayload payload = test_stage (&t, data, size, shift, &slice);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 77, &payload);
  test_oracle (&o, data, r, 100);
  check_stats (batch, AT_STATS, &o);
  g_assert_cmpuint (test_observable (batch, AT_BELOW), ==, o.below);
  for (guint i = 0; linear && i < G_N_ELEMENTS (test_checksums); i++)
    g_assert_cmphex (test_observable (batch, AT_CHECKSUMS + i), ==, test_checksum (i, data, r));
  for (guint bin = 0; histogram && bin < 256; bin++)
    g_assert_cmpuint (test_observable (batch, AT_HISTOGRAM + bin), ==, o.bins[bin]);
  g_assert_cmpuint (test_observable (batch, 0), ==, 77);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  g_assert_cmpuint (
      vyre_batch_get_completion (batch)->payload_bytes, ==, vyre_plan_get_region_bytes (plan));
  vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
  g_string_free (text, TRUE);
}

static guint8 *
random_bytes (gsize size)
{
  guint8 *data = g_malloc (size + 1);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)g_test_rand_int ();
  return data;
}

static void
test_sizes (void)
{
  static const gsize sizes[]
      = { 0, 1, 15, 16, 17, 31, 127, 128, 129, 511, 512, 4095, 4096, 4097, 65535, 65536, 65537 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree guint8 *data = random_bytes (sizes[i]);
    VyreRegion whole = { 0, (guint32)sizes[i], 1, (guint32)sizes[i] };
    check_region (data, sizes[i], i % 3, &whole, TRUE);
  }
}

static void
test_odd_mebibyte (void)
{
  gsize size = (1 << 20) + 3;
  g_autofree guint8 *data = random_bytes (size);
  VyreRegion whole = { 0, (guint32)size, 1, (guint32)size };

  check_region (data, size, 1, &whole, TRUE);
}

static void
test_every_alignment (void)
{
  g_autofree guint8 *data = random_bytes (512);

  for (guint32 offset = 0; offset <= 16; offset++) {
    for (guint32 width = 0; width <= 66; width += offset % 2 ? 1 : 3) {
      VyreRegion r = { offset, width, 1, width };
      check_region (data, 512, 0, &r, FALSE);
    }
  }
}

static void
test_strides (void)
{
  g_autofree guint8 *data = random_bytes (200000);
  static const VyreRegion regions[] = { { 0, 1, 1000, 2 }, { 3, 2, 999, 17 }, { 1, 15, 300, 33 },
    { 7, 33, 100, 33 }, { 5, 100, 1, 1 }, { 16, 160, 120, 176 }, { 2, 641, 90, 1001 },
    { 0, 1919, 100, 1920 }, { 9, 70000, 2, 100001 }, { 0, 0, 5, 3 }, { 200000, 0, 1, 0 },
    { 4, 16, 0, 16 }, { 0, 65, 3000, 65 } };

  for (guint i = 0; i < G_N_ELEMENTS (regions); i++)
    check_region (data, 200000, 0, &regions[i], i % 2);
}

static void
test_8k_frame (void)
{
  guint32 width = 7680, height = 4320;
  gsize size = (gsize)width * height * 3 / 2;
  g_autofree guint8 *data = g_malloc (size);
  guint32 state = 1;

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)((state = state * 1664525 + 1013904223) >> 24);
  VyreRegion luma = { 0, width, height, width };
  VyreRegion inset = { width * 8 + 13, width - 27, height - 16, width };
  check_region (data, size, 0, &luma, FALSE);
  check_region (data, size, 0, &inset, FALSE);
  memset (data, 255, size); /* the largest sums */
  check_region (data, size, 0, &inset, FALSE);
}

/* Tiles as large as the planner makes them, which it does where many slots share the tickets: the
 * sums of a lane and of the workgroup come close to their limits. */
static void
test_largest_tiles (void)
{
  enum { SLOTS = 900, SIZE = 48 << 20 };
  g_autofree guint8 *data = g_malloc (SIZE);
  VyreRegion most = { 1, SIZE - 2, 1, SIZE - 2 };
  GString *text = g_string_new (NULL);
  TestOracle o;
  gsize slice;

  g_string_append_printf (text, "u8_stats bytes(1, %u) -> %u\n", SIZE - 2, AT_STATS);
  for (guint i = 0; i < G_N_ELEMENTS (test_checksums); i++)
    g_string_append_printf (
        text, "%s bytes(1, %u) -> %u\n", test_checksums[i].opcode, SIZE - 2, AT_CHECKSUMS + i);
  for (guint i = 0; i < SLOTS; i++)
    g_string_append_printf (text, "u8_below bytes(0, 1), 256 -> %u\n", AT_BELOW);
  memset (data, 255, SIZE);
  g_autoptr (VyrePlan) plan = test_plan (&t, text->str, SIZE, 0, 0);
  VyrePayload payload = test_stage (&t, data, SIZE, 0, &slice);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 1, &payload);
  test_oracle (&o, data, &most, 0);
  check_stats (batch, AT_STATS, &o);
  for (guint i = 0; i < G_N_ELEMENTS (test_checksums); i++)
    g_assert_cmphex (test_observable (batch, AT_CHECKSUMS + i), ==, test_checksum (i, data, &most));
  g_assert_cmpuint (test_observable (batch, AT_BELOW), ==, SLOTS);
  vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
  g_string_free (text, TRUE);
}

/* Every threshold, over every byte, from an odd address. */
static void
test_thresholds (void)
{
  guint8 data[3 * 256];

  for (guint i = 0; i < sizeof data; i++)
    data[i] = (guint8)(i * 7);
  for (guint threshold = 0; threshold <= 256; threshold++) {
    VyreRegion r = { 1, sizeof data - 3, 1, sizeof data - 3 };
    g_autofree char *text = g_strdup_printf ("u8_below bytes(1, %u), %u -> 1", r.width, threshold);
    TestOracle o;

    g_autoptr (VyreBatch) batch = test_run_text (&t, text, data, sizeof data);
    test_oracle (&o, data, &r, threshold);
    g_assert_cmpuint (test_observable (batch, 1), ==, o.below);
  }
}

/* Batches over changing bytes at the same place, several in flight at a time. */
static void
test_random_buffers (void)
{
  enum { N = 10000, DEPTH = 8, MOST = 400000 };
  struct {
    VyreBatch *batch;
    gsize slice;
    TestOracle oracle;
    VyrePlan *plan;
  } flight[DEPTH] = { 0 };
  g_autofree guint8 *data = random_bytes (MOST);
  gint64 end = g_get_monotonic_time () + 300 * G_TIME_SPAN_SECOND;
  GError *error = NULL;

  for (guint i = 0; i < N + DEPTH; i++) {
    guint k = i % DEPTH;
    if (flight[k].batch) {
      vyre_batch_wait (flight[k].batch, end, &error);
      g_assert_no_error (error);
      check_stats (flight[k].batch, 1, &flight[k].oracle);
      g_assert_cmphex (test_observable (flight[k].batch, 8), ==, flight[k].oracle.crc);
      g_assert_cmpuint (test_observable (flight[k].batch, 0), ==, i - DEPTH);
      g_clear_pointer (&flight[k].batch, vyre_batch_free);
      g_clear_pointer (&flight[k].plan, vyre_plan_unref);
      vyre_store_free (vyre_megakernel_get_staging (t.kernel), flight[k].slice);
    }
    if (i >= N)
      continue;
    /* most of them small; some are too large for a single workgroup */
    gsize size = (gsize)g_test_rand_int_range (0, i % 10 ? 300 : i % 100 ? 6000 : MOST);
    VyreRegion whole = { 0, (guint32)size, 1, (guint32)size };
    for (guint j = 0; j < 8; j++)
      data[g_test_rand_int_range (0, MOST)] = (guint8)g_test_rand_int ();
    flight[k].plan = test_plan (&t, "u8_stats payload -> s; crc32 payload -> c", size, 0, 0);
    VyrePayload payload = test_stage (&t, data, size, i % 4, &flight[k].slice);
    test_oracle (&flight[k].oracle, data, &whole, 0);
    flight[k].batch = vyre_megakernel_publish (t.kernel, flight[k].plan, i, &payload, end, &error);
    g_assert_no_error (error);
  }
}

/* Regions that leave the payload, results that leave the control buffer, and a CRC over gaps have
 * no effect: the slot ends as FAULT and is counted. */
static void
test_faults (void)
{
  static const char *const programs[] = {
    "u8_stats region(0, 101, 1, 101) -> 1",
    "u8_stats region(1, 100, 1, 100) -> 1",
    "u8_stats region(101, 0, 1, 0) -> 1",
    "u8_below region(0, 10, 11, 10), 4 -> 1",
    "u8_below region(0, 10, 2, 5), 4 -> 1",
    "u8_histogram region(4294967295, 2, 1, 2) -> 1",
    "u8_stats region(0, 2, 3, 4294967295) -> 1",
    "u8_stats region(0, 50, 4294967295, 4294967295) -> 1",
    "op 0x40000103, 0, 10, 2, 20, 1",
    "op 0x40000104, 0, 10, 2, 20, 1",
    "op 0x40000100, 0, 10, 1, 10, 300",
    "op 0x40000100, 0, 10, 1, 10, 4294967295",
    "op 0x40000101, 0, 10, 1, 10, 45",
    "op 0x400000FF, 0, 10, 1, 10, 1",
    "op 0x400001FF, 0, 10, 1, 10, 1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (programs); i++)
    test_fault (&t, programs[i], 100, 300);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&t, &params);
  g_test_add_func ("/kernel/sizes", test_sizes);
  g_test_add_func ("/kernel/odd-mebibyte", test_odd_mebibyte);
  g_test_add_func ("/kernel/every-alignment", test_every_alignment);
  g_test_add_func ("/kernel/strides", test_strides);
  g_test_add_func ("/kernel/8k-frame", test_8k_frame);
  g_test_add_func ("/kernel/largest-tiles", test_largest_tiles);
  g_test_add_func ("/kernel/thresholds", test_thresholds);
  g_test_add_func ("/kernel/random-buffers", test_random_buffers);
  g_test_add_func ("/kernel/faults", test_faults);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}

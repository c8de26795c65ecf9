/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opcodes over samples on the real kernel against a plain-C oracle, bit for bit: samples of any
 * depth, in containers of any size, distance, byte order and alignment.
 */
#include "samples-common.h"

#include "kernel/extras.h"
#include "program/opcodes.h"

static TestKernel t;

typedef struct {
  guint64 count, min, max, sum, squares, below;
  guint32 bins[VYRE_SAMPLE_HISTOGRAM_WORDS];
} Oracle;

/* Places of the results of check_samples(). */
enum {
  AT_STATS = 1,
  AT_BELOW = AT_STATS + VYRE_U8_STATS_WORDS,
  AT_HISTOGRAM,
};

static Oracle
oracle_of (const guint8 *data, const VyreRegion *r, guint32 samples, guint limit)
{
  guint depth = VYRE_SAMPLES_DEPTH (samples);
  Oracle o = { .min = (1u << depth) - 1 };

  for (guint32 row = 0; row < r->rows; row++) {
    const guint8 *p = data + r->offset + (gsize)row * r->stride;
    for (guint32 column = 0; test_row_bytes (column + 1, samples) <= r->width; column++) {
      guint64 sample = test_read_sample (p, samples, column);
      o.count++;
      o.min = MIN (o.min, sample);
      o.max = MAX (o.max, sample);
      o.sum += sample;
      o.squares += sample * sample;
      o.below += sample < limit;
      o.bins[depth > 10 ? sample >> (depth - 10) : sample]++;
    }
  }
  return o;
}

/* Runs all opcodes over one region. */
static void
check_samples (const guint8 *data, gsize size, const VyreRegion *r, guint32 samples, guint limit)
{
  g_autofree char *region = g_strdup_printf (
      "samples(%u, %u, %u, %u, %u)", r->offset, r->width, r->rows, r->stride, samples);
  g_autofree char *text = g_strdup_printf (
      "sample_stats %s -> %u; sample_below %s, %u -> %u; sample_histogram %s -> %u", region,
      AT_STATS, region, limit, AT_BELOW, region, AT_HISTOGRAM);
  Oracle o = oracle_of (data, r, samples, limit);
  guint word = VYRE_CONTROL_OBSERVABLES + AT_STATS;

  g_test_message ("%s, %u", region, limit);
  g_autoptr (VyreBatch) batch = test_run_text (&t, text, data, size);
  const guint8 *control = vyre_batch_get_readback (batch);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_COUNT), ==, o.count);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_MIN), ==, o.min);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_MAX), ==, o.max);
  g_assert_cmpuint (vyre_read_word_pair (control, word + VYRE_U8_STATS_SUM), ==, o.sum);
  g_assert_cmpuint (vyre_read_word_pair (control, word + VYRE_U8_STATS_SUM_SQUARES), ==, o.squares);
  g_assert_cmpuint (test_observable (batch, AT_BELOW), ==, o.below);
  for (guint bin = 0; bin < VYRE_SAMPLE_HISTOGRAM_WORDS; bin++)
    g_assert_cmpuint (test_observable (batch, AT_HISTOGRAM + bin), ==, o.bins[bin]);
  g_assert_cmpuint (
      vyre_batch_get_completion (batch)->payload_bytes, ==, 3ull * r->width * r->rows);
}

static void
test_random_regions (void)
{
  enum { MOST = 6000 };
  g_autofree guint8 *data = test_random_bytes (MOST);

  for (guint i = 0; i < test_times (500, 10000); i++) {
    gsize size = test_random_below (i % 8 ? 400 : MOST);
    guint32 samples = test_random_samples ();
    VyreRegion r = test_random_region (size);
    check_samples (data, size, &r, samples, test_random_below (i % 2 ? 300 : 65537));
  }
}

/* Rows and frames of several tiles, also where a tile's end cuts a container. */
static void
test_many_tiles (void)
{
  static const struct {
    VyreRegion region;
    guint32 samples;
  } cases[] = {
    { { 1, 5999999, 1, 5999999 }, VYRE_SAMPLES (3, 1, 0, 0, 8) },
    { { 3, 5999990, 1, 5999990 }, VYRE_SAMPLES (2, 2, 0, 0, 16) },
    { { 2, 5999990, 1, 5999990 }, VYRE_SAMPLES (6, 2, 1, 4, 12) },
    { { 1, 5999996, 1, 5999996 }, VYRE_SAMPLES (4, 4, 0, 20, 10) },
    { { 0, 3840, 1500, 3840 }, VYRE_SAMPLES (2, 2, 0, 6, 10) },
    { { 5, 2999990, 2, 2999993 }, VYRE_SAMPLES (252, 4, 0, 7, 16) },
    { { 7, 7, 400000, 15 }, VYRE_SAMPLES (3, 1, 0, 2, 5) },
    { { 5, 5999990, 1, 5999990 }, VYRE_SAMPLES (4, 3, 0, 2, 10) },
  };
  enum { SIZE = 6000000 };
  g_autofree guint8 *data = test_random_bytes (SIZE);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check_samples (data, SIZE, &cases[i].region, cases[i].samples, 1000);
}

/* The largest samples, in tiles as large as the planner makes them. */
static void
test_largest_sums (void)
{
  enum { SIZE = 48 << 20 };
  static const guint32 samples[] = { VYRE_SAMPLES (2, 2, 0, 0, 16), VYRE_SAMPLES (1, 1, 0, 1, 7) };
  g_autofree guint8 *data = g_malloc (SIZE);
  VyreRegion whole = { 1, SIZE - 2, 1, SIZE - 2 };

  memset (data, 255, SIZE);
  for (guint i = 0; i < G_N_ELEMENTS (samples); i++)
    check_samples (data, SIZE, &whole, samples[i], 65535);
}

/* Every limit around a sample's value. */
static void
test_limits (void)
{
  static const guint limits[]
      = { 0, 1, 2, 255, 256, 257, 32767, 32768, 65534, 65535, 65536, G_MAXUINT32 };
  guint16 values[] = { 0, 1, 2, 254, 255, 256, 257, 32767, 32768, 65534, 65535 };
  VyreRegion r = { 0, sizeof values, 1, sizeof values };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    check_samples (
        (const guint8 *)values, sizeof values, &r, VYRE_SAMPLES (2, 2, 0, 0, 16), limits[i]);
}

/* Words that tell of no samples. */
static const guint32 no_samples[] = {
  0,
  VYRE_SAMPLES (0, 1, 0, 0, 8),
  VYRE_SAMPLES (1, 0, 0, 0, 8),
  VYRE_SAMPLES (3, 3, 0, 0, 8),
  VYRE_SAMPLES (3, 2, 0, 0, 8),
  VYRE_SAMPLES (6, 4, 0, 0, 8),
  VYRE_SAMPLES (7, 7, 0, 0, 8),
  VYRE_SAMPLES (1, 1, 1, 0, 8),
  VYRE_SAMPLES (4, 4, 1, 0, 8),
  VYRE_SAMPLES (1, 1, 0, 0, 0),
  VYRE_SAMPLES (4, 4, 0, 0, 17),
  VYRE_SAMPLES (1, 1, 0, 1, 8),
  VYRE_SAMPLES (2, 2, 0, 31, 2),
  VYRE_SAMPLES (5, 3, 0, 0, 10),
  VYRE_SAMPLES (24, 3, 0, 0, 10),
  VYRE_SAMPLES (2, 3, 0, 2, 10),
  VYRE_SAMPLES (2, 3, 1, 0, 10),
  0xFFFFFFFF,
};

/* A slot whose word tells of no samples, or whose region leaves the payload, has no effect. */
static void
test_faults (void)
{
  guint8 data[100] = { 0 };

  for (guint i = 0; i <= G_N_ELEMENTS (no_samples); i++) {
    gboolean inside = i < G_N_ELEMENTS (no_samples);
    guint32 word = inside ? no_samples[i] : VYRE_SAMPLES (2, 2, 0, 0, 16);
    g_autofree char *region = g_strdup_printf ("0, %u, 1, 100, 1, %u", inside ? 100 : 101, word);
    g_autofree char *text = g_strdup_printf (
        "op 0x40000105, %s; op 0x40000106, %s, 7; op 0x40000107, %s; store_u32 5, 169", region,
        region, region);
    g_autoptr (VyrePlan) plan = test_plan (&t, text, sizeof data, 0, 1100);
    gsize slice;
    VyrePayload payload = test_stage (&t, data, sizeof data, 0, &slice);
    g_autoptr (VyreBatch) batch = test_run (&t, plan, 0, &payload);
    g_test_message ("%s", text);
    g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 3);
    g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, 0);
    for (guint at = 0; at < 20; at++)
      g_assert_cmpuint (test_observable (batch, at), ==, at == 9 ? 5 : 0);
    vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
  }
}

/* Packed samples of any component need code of their own; other arguments do not look like them. */
static void
test_packed_extra (void)
{
  static const guint places[]
      = { VYRE_REGION_ARG_SAMPLES, VYRE_CHROMA_ARG_U_SAMPLES, VYRE_CHROMA_ARG_V_SAMPLES };
  const guint32 packed = VYRE_SAMPLES (2, 3, 0, 1, 10);
  guint32 args[VYRE_SLOT_MAX_ARGS] = { 0 };

  g_assert_cmpuint (vyre_opcode_get_extras (VYRE_OP_SAMPLE_RANGE, args), ==, VYRE_EXTRA_PICTURES);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    args[places[i]] = packed;
    g_assert_cmpuint (vyre_opcode_get_extras (VYRE_OP_SAMPLE_RANGE, args), ==,
        VYRE_EXTRA_PICTURES | VYRE_EXTRA_PACKED);
    args[places[i]] = 0;
  }
  args[VYRE_CHROMA_ARG_U_SAMPLES] = packed;
  g_assert_cmpuint (vyre_opcode_get_extras (VYRE_OP_SAMPLE_STATS, args), ==, VYRE_EXTRA_SAMPLES);
  args[VYRE_REGION_ARG_SAMPLES] = packed;
  g_assert_cmpuint (vyre_opcode_get_extras (VYRE_OP_U8_STATS, args), ==, 0);
  g_assert_cmpuint (vyre_opcode_get_extras (VYRE_OP_SAMPLE_JOINT, args), ==,
      VYRE_EXTRA_PICTURES | VYRE_EXTRA_PACKED | VYRE_EXTRA_JOINT);
}

/* Builds @wanted unless it is 0, and returns the extras that the kernel has. */
static guint32
build_extras (TestKernel *fresh, guint32 wanted)
{
  GError *error = NULL;

  g_mutex_lock (&fresh->kernel->lock);
  vyre_extras_wait (fresh->kernel, wanted, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  guint32 extras = fresh->kernel->pipeline.extras;
  g_mutex_unlock (&fresh->kernel->lock);
  g_assert_no_error (error);
  return extras;
}

/* A kernel gets the extras that batches need and keeps those that it has. Batches over samples take
 * no lock of the kernel once it has them. */
static void
test_extras_add_up (void)
{
  enum { N = 20 };
  const guint32 both = VYRE_EXTRA_RARE | VYRE_EXTRA_SAMPLES;
  static const char text[] = "sample_stats samples(0, 0, 1, 0, 0x200202) -> a";
  static const char packed[] = "sample_stats samples(0, 0, 1, 0, 0x140302) -> a";
  TestKernel fresh;
  VyreMegakernelParams params = test_params ();

  test_kernel_open (&fresh, &params);
  vyre_batch_free (test_run_text (&fresh, "nop", NULL, 0));
  g_assert_cmpuint (build_extras (&fresh, 0), ==, 0);
  vyre_batch_free (test_run_text (&fresh, text, NULL, 0));
  g_assert_cmpuint (build_extras (&fresh, 0), ==, VYRE_EXTRA_SAMPLES);
  g_assert_cmpuint (build_extras (&fresh, VYRE_EXTRA_RARE), ==, both);
  guint64 before = test_counters (&fresh).locked;
  for (guint i = 0; i < N; i++)
    vyre_batch_free (test_run_text (&fresh, text, NULL, 0));
  if (params.max_batch_time == 0) /* otherwise batches wait their turn */
    g_assert_cmpuint (test_counters (&fresh).locked - before, <, N / 2);
  g_assert_cmpuint (build_extras (&fresh, 0), ==, both);
  vyre_batch_free (test_run_text (&fresh, packed, NULL, 0));
  g_assert_cmpuint (build_extras (&fresh, 0), ==, both | VYRE_EXTRA_PACKED);
  test_kernel_close (&fresh);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&t, &params);
  g_test_add_func ("/samples/random-regions", test_random_regions);
  g_test_add_func ("/samples/many-tiles", test_many_tiles);
  g_test_add_func ("/samples/largest-sums", test_largest_sums);
  g_test_add_func ("/samples/limits", test_limits);
  g_test_add_func ("/samples/faults", test_faults);
  g_test_add_func ("/samples/packed-extra", test_packed_extra);
  /* the code of a device with its own memory takes a CPU's driver a minute */
  if (!t.kernel->traits->in_device_memory && test_has_another_kernel ())
    g_test_add_func ("/samples/extras-add-up", test_extras_add_up);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}

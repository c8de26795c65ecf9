/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opcodes over components of a picture on the real kernel against a plain-C oracle, bit for bit.
 */
#include "samples-common.h"

static TestKernel t;

/* A picture of samples: random ones of a few values lie near each other, as those of pictures do.
 */
typedef struct {
  VyreRegion region;
  guint32 samples;
} Component;

static guint32
columns_of (const Component *c)
{
  return VYRE_SAMPLES_IN (c->region.width, c->samples);
}

static guint32
sample_at (const guint8 *data, const Component *c, guint32 row, guint32 column)
{
  return test_read_sample (data + c->region.offset + (gsize)row * c->region.stride
                               + (gsize)column * VYRE_SAMPLES_APART (c->samples),
      c->samples);
}

/* The text of a component; free with g_free(). */
static char *
component_text (const Component *c)
{
  const VyreRegion *r = &c->region;

  return g_strdup_printf (
      "samples(%u, %u, %u, %u, %u)", r->offset, r->width, r->rows, r->stride, c->samples);
}

static Component
random_component (gsize size)
{
  return (Component){ test_random_region (size), test_random_samples () };
}

/* A component with the shape of @c, in another place of @size bytes. */
static Component
random_other (const Component *c, gsize size)
{
  guint32 samples = c->samples, bytes = VYRE_SAMPLES_BYTES (samples);
  guint32 depth = VYRE_SAMPLES_DEPTH (samples);
  guint32 n = columns_of (c);
  Component other = { c->region,
    VYRE_SAMPLES (VYRE_SAMPLES_APART (samples), bytes, bytes == 2 && test_random_below (2),
        test_random_below (8 * bytes - depth + 1), depth) };

  other.region.width = n == 0 ? 0 : (n - 1) * VYRE_SAMPLES_APART (samples) + bytes;
  other.region.stride = other.region.width + test_random_below (20);
  gsize length = (gsize)other.region.stride * MAX (c->region.rows, 1);
  if (length > size) {
    other.region = c->region;
    return other;
  }
  other.region.offset = test_random_below ((guint)(size - length) + 1);
  return other;
}

/* Values of noise, or of one level with little noise, or of one level alone. */
static guint8 *
random_picture (gsize size)
{
  guint8 *data = test_random_bytes (size);
  guint kind = test_random_below (3);
  guint8 level = (guint8)g_test_rand_int ();

  for (gsize i = 0; i < size && kind > 0; i++)
    data[i] = (guint8)(level + (kind == 2 ? 0 : data[i] % 4));
  return data;
}

static VyreBatch *
run_whole (const char *text, const guint8 *data, gsize size, guint64 bytes)
{
  g_test_message ("%s", text);
  VyreBatch *batch = test_run_text (&t, text, data, size);

  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, bytes);
  return batch;
}

static guint64
bytes_of (const Component *c)
{
  return (guint64)c->region.width * c->region.rows;
}

static void
check_difference (
    const guint8 *data, gsize size, const Component *a, const Component *b, guint limit)
{
  g_autofree char *text_a = component_text (a), *text_b = component_text (b);
  g_autofree char *text
      = g_strdup_printf ("sample_difference %s, %s, %u -> 1", text_a, text_b, limit);
  guint64 count = 0, sum = 0, squares = 0, above = 0, most = 0;
  guint64 least = (1u << VYRE_SAMPLES_DEPTH (a->samples)) - 1;
  guint word = VYRE_CONTROL_OBSERVABLES + 1;

  for (guint32 row = 0; row < a->region.rows; row++) {
    for (guint32 column = 0; column < columns_of (a); column++) {
      gint64 difference
          = (gint64)sample_at (data, a, row, column) - sample_at (data, b, row, column);
      guint64 distance = (guint64)ABS (difference);
      count++;
      sum += distance;
      squares += distance * distance;
      above += distance > limit;
      most = MAX (most, distance);
      least = MIN (least, distance);
    }
  }
  g_autoptr (VyreBatch) batch = run_whole (text, data, size, bytes_of (a));
  const guint8 *control = vyre_batch_get_readback (batch);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_COUNT), ==, count);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_MIN), ==, least);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_U8_STATS_MAX), ==, most);
  g_assert_cmpuint (vyre_read_word_pair (control, word + VYRE_U8_STATS_SUM), ==, sum);
  g_assert_cmpuint (vyre_read_word_pair (control, word + VYRE_U8_STATS_SUM_SQUARES), ==, squares);
  g_assert_cmpuint (vyre_read_word (control, word + VYRE_DIFFERENCE_ABOVE), ==, above);
}

static void
test_random_differences (void)
{
  enum { MOST = 6000 };

  for (guint i = 0; i < test_times (300, 10000); i++) {
    gsize size = test_random_below (i % 8 ? 400 : MOST);
    g_autofree guint8 *data = random_picture (size);
    Component a = random_component (size), b = random_other (&a, size);
    check_difference (data, size, &a, &b, test_random_below (i % 2 ? 300 : 65537));
  }
}

/* Frames of several tiles; the largest differences, in tiles as large as the planner makes them. */
static void
test_large_differences (void)
{
  enum { SIZE = 12 << 20, HALF = SIZE / 2 };
  g_autofree guint8 *data = test_random_bytes (SIZE);
  Component luma = { { 5, 1919, 1080, 1931 }, VYRE_SAMPLES (1, 1, 0, 0, 8) };
  Component deep = { { 0, HALF, 1, HALF }, VYRE_SAMPLES (2, 2, 0, 0, 16) };
  Component other = deep;

  Component next = luma;
  next.region.offset += 3000006;
  check_difference (data, SIZE, &luma, &next, 100);
  memset (data, 255, HALF);
  memset (data + HALF, 0, HALF);
  other.region.offset = HALF;
  check_difference (data, SIZE, &deep, &other, 65534);
  check_difference (data, SIZE, &other, &deep, 65535);
}

/* Runs a slot that must not run, and checks that it has no effect. */
static void
check_fault (const char *text, gsize size)
{
  g_autofree guint8 *data = g_malloc0 (size);
  g_autoptr (VyrePlan) plan = test_plan (&t, text, size, 0, 200);
  gsize slice;
  VyrePayload payload = test_stage (&t, data, size, 0, &slice);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 0, &payload);

  g_test_message ("%s", text);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 1);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, 0);
  for (guint at = 0; at < 200; at++)
    g_assert_cmpuint (test_observable (batch, at), ==, 0);
  vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
}

static void
test_faults (void)
{
  static const char *const texts[] = {
    /* another number of rows, of columns, another depth, distance or size, outside, overlapping */
    "op 0x40000108, 0, 10, 2, 10, 1, 0x100101, 0, 30, 10, 3, 10, 0x100101",
    "op 0x40000108, 0, 10, 2, 10, 1, 0x100101, 0, 30, 9, 2, 10, 0x100101",
    "op 0x40000108, 0, 10, 2, 10, 1, 0x100101, 0, 30, 10, 2, 10, 0xe0101",
    "op 0x40000108, 0, 10, 1, 10, 1, 0x100101, 0, 30, 19, 1, 19, 0x100102",
    "op 0x40000108, 0, 10, 1, 10, 1, 0x100202, 0, 30, 9, 1, 9, 0x100102",
    "op 0x40000108, 0, 10, 2, 10, 1, 0x100101, 0, 81, 10, 2, 10, 0x100101",
    "op 0x40000108, 0, 10, 2, 10, 1, 0x100101, 0, 30, 10, 2, 9, 0x100101",
    "op 0x40000108, 0, 10, 2, 10, 1, 0x100101, 0, 30, 10, 2, 10, 0",
    "op 0x40000108, 0, 10, 2, 10, 1, 0, 0, 30, 10, 2, 10, 0",
    "op 0x40000108, 91, 10, 1, 10, 1, 0x100101, 0, 30, 10, 1, 10, 0x100101",
    "op 0x40000108, 0, 10, 2, 10, 193, 0x100101, 0, 30, 10, 2, 10, 0x100101",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    check_fault (texts[i], 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&t, &params);
  g_test_add_func ("/pictures/random-differences", test_random_differences);
  g_test_add_func ("/pictures/large-differences", test_large_differences);
  g_test_add_func ("/pictures/faults", test_faults);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}

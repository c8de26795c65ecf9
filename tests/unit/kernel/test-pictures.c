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

/* The oracle of sample_rows and sample_columns: lines of @c, rows or columns. */
static void
assert_bounds (
    VyreBatch *batch, guint at, const guint8 *data, const Component *c, gboolean rows, guint limit)
{
  guint32 lines = rows ? c->region.rows : columns_of (c);
  guint32 length = rows ? columns_of (c) : c->region.rows;
  guint32 count = 0, begin = lines, end = 0;

  for (guint32 line = 0; line < lines; line++) {
    guint64 sum = 0;
    for (guint32 i = 0; i < length; i++)
      sum += sample_at (data, c, rows ? line : i, rows ? i : line);
    if (length == 0 || sum / length <= limit)
      continue;
    count++;
    begin = MIN (begin, line);
    end = line + 1;
  }
  g_assert_cmpuint (test_observable (batch, at + VYRE_BOUNDS_COUNT), ==, count);
  g_assert_cmpuint (test_observable (batch, at + VYRE_BOUNDS_BEGIN), ==, begin);
  g_assert_cmpuint (test_observable (batch, at + VYRE_BOUNDS_END), ==, end);
}

static void
check_bounds (const guint8 *data, gsize size, const Component *c, guint limit)
{
  g_autofree char *component = component_text (c);
  g_autofree char *text = g_strdup_printf (
      "sample_rows %s, %u -> 1; sample_columns %s, %u -> 4", component, limit, component, limit);
  g_autoptr (VyreBatch) batch = run_whole (text, data, size, 2 * bytes_of (c));

  assert_bounds (batch, 1, data, c, TRUE, limit);
  assert_bounds (batch, 4, data, c, FALSE, limit);
}

/* A limit near the samples of a component, so that some lines are above it. */
static guint
random_limit (const guint8 *data, const Component *c)
{
  if (c->region.rows == 0 || columns_of (c) == 0 || test_random_below (8) == 0)
    return test_random_below (65537);
  return sample_at (
      data, c, test_random_below (c->region.rows), test_random_below (columns_of (c)));
}

static void
test_random_bounds (void)
{
  enum { MOST = 6000 };

  for (guint i = 0; i < test_times (300, 10000); i++) {
    gsize size = test_random_below (i % 8 ? 400 : MOST);
    g_autofree guint8 *data = random_picture (size);
    Component c = random_component (size);
    check_bounds (data, size, &c, random_limit (data, &c));
  }
}

/* Black bars around a picture, one line of which is as bright as the limit. */
static void
test_bars (void)
{
  enum { WIDTH = 1919, HEIGHT = 1080, STRIDE = 3841, SIZE = STRIDE * HEIGHT + 1 };
  static const guint32 samples[] = { VYRE_SAMPLES (2, 1, 0, 0, 8), VYRE_SAMPLES (1, 1, 0, 0, 8),
    VYRE_SAMPLES (2, 2, 1, 0, 16) };
  g_autofree guint8 *data = g_malloc0 (SIZE);

  for (guint row = 60; row < 1001; row++)
    memset (data + 1 + row * STRIDE + 200, row == 60 ? 25 : 150, 1500);
  for (guint i = 0; i < G_N_ELEMENTS (samples); i++) {
    guint32 apart = VYRE_SAMPLES_APART (samples[i]);
    Component c = { { 1, WIDTH * apart, HEIGHT, STRIDE }, samples[i] };
    check_bounds (data, SIZE, &c, 24);
    check_bounds (data, SIZE, &c, 19);
  }
}

/* The longest lines, and the largest sums. */
static void
test_long_lines (void)
{
  enum { SIZE = 2 * VYRE_CUT_MAX_SAMPLES };
  g_autofree guint8 *data = g_malloc (SIZE);
  Component row = { { 0, SIZE, 1, SIZE }, VYRE_SAMPLES (2, 2, 0, 0, 16) };
  Component wide = { { 0, 1023, 64, 2047 }, VYRE_SAMPLES (1, 1, 0, 0, 8) };

  memset (data, 255, SIZE);
  check_bounds (data, SIZE, &row, 65534);
  check_bounds (data, SIZE, &wide, 254);
}

/* Lines that no tile has as a whole are refused when a plan is made. */
static void
test_lines_that_are_too_long (void)
{
  static const char *const texts[] = {
    "sample_rows samples(0, 131074, 1, 0, 0x200202), 1 -> 1",
    "sample_columns samples(0, 2, 65537, 2, 0x100101), 1 -> 1",
    "sample_rows samples(0, 16000000, 1, 0, 0x1001ff), 1 -> 1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    GError *error = NULL;
    g_autoptr (VyreProgram) program = vyre_program_from_string (texts[i], NULL);
    g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, NULL, 16000000, 0, 0, NULL);
    g_autoptr (VyrePlan) plan
        = vyre_plan_new (bound, 16000000, vyre_megakernel_get_workgroup (t.kernel), NULL, &error);
    g_assert_null (plan);
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE);
    g_assert_nonnull (strstr (error->message, "Fix: name a smaller part"));
    g_clear_error (&error);
  }
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
    "op 0x40000130, 0, 10, 2, 10, 1, 0x100101, 0, 30, 10, 3, 10, 0x100101",
    "op 0x40000130, 0, 10, 2, 10, 1, 0x100101, 0, 30, 9, 2, 10, 0x100101",
    "op 0x40000130, 0, 10, 2, 10, 1, 0x100101, 0, 30, 10, 2, 10, 0xe0101",
    "op 0x40000130, 0, 10, 1, 10, 1, 0x100101, 0, 30, 19, 1, 19, 0x100102",
    "op 0x40000130, 0, 10, 1, 10, 1, 0x100202, 0, 30, 9, 1, 9, 0x100102",
    "op 0x40000130, 0, 10, 2, 10, 1, 0x100101, 0, 81, 10, 2, 10, 0x100101",
    "op 0x40000130, 0, 10, 2, 10, 1, 0x100101, 0, 30, 10, 2, 9, 0x100101",
    "op 0x40000130, 0, 10, 2, 10, 1, 0x100101, 0, 30, 10, 2, 10, 0",
    "op 0x40000130, 0, 10, 2, 10, 1, 0, 0, 30, 10, 2, 10, 0",
    "op 0x40000130, 91, 10, 1, 10, 1, 0x100101, 0, 30, 10, 1, 10, 0x100101",
    "op 0x40000130, 0, 10, 2, 10, 193, 0x100101, 0, 30, 10, 2, 10, 0x100101",
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
  g_test_add_func ("/pictures/random-bounds", test_random_bounds);
  g_test_add_func ("/pictures/bars", test_bars);
  g_test_add_func ("/pictures/long-lines", test_long_lines);
  g_test_add_func ("/pictures/lines-that-are-too-long", test_lines_that_are_too_long);
  g_test_add_func ("/pictures/faults", test_faults);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opcodes over components of a picture on the real kernel against a plain-C oracle, bit for bit.
 */
#include "pictures-common.h"

#include <math.h>

static TestKernel t;

static void
check_difference (
    const guint8 *data, gsize size, const TestComponent *a, const TestComponent *b, guint limit)
{
  g_autofree char *text_a = test_component_text (a), *text_b = test_component_text (b);
  g_autofree char *text
      = g_strdup_printf ("sample_difference %s, %s, %u -> 1", text_a, text_b, limit);
  guint64 count = 0, sum = 0, squares = 0, above = 0, most = 0;
  guint64 least = (1u << VYRE_SAMPLES_DEPTH (a->samples)) - 1;
  guint word = VYRE_CONTROL_OBSERVABLES + 1;

  for (guint32 row = 0; row < a->region.rows; row++) {
    for (guint32 column = 0; column < test_columns (a); column++) {
      gint64 difference
          = (gint64)test_sample (data, a, row, column) - test_sample (data, b, row, column);
      guint64 distance = (guint64)ABS (difference);
      count++;
      sum += distance;
      squares += distance * distance;
      above += distance > limit;
      most = MAX (most, distance);
      least = MIN (least, distance);
    }
  }
  g_autoptr (VyreBatch) batch = test_run_whole (&t, text, data, size, test_component_bytes (a));
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
    g_autofree guint8 *data = test_random_picture (size);
    TestComponent a = test_random_component (size), b = test_random_other (&a, size);
    check_difference (data, size, &a, &b, test_random_below (i % 2 ? 300 : 65537));
  }
}

/* Two runs of bytes that lie alike in their granules, the other in front or behind. */
static void
check_runs (const guint8 *data, gsize size)
{
  guint32 rows = 1 + test_random_below (3), room = (guint32)size / 2;
  guint32 width = test_random_below (room / rows + 1);
  guint32 behind = test_random_below (room / VYRE_GRANULE + 1) * VYRE_GRANULE;
  TestComponent a = { { 0, width, rows, width }, VYRE_SAMPLES_ARE_BYTES };

  a.region.offset = test_random_below ((guint32)size - behind - width * rows + 1);
  TestComponent b = a;
  b.region.offset += behind;
  check_difference (data, size, &a, &b, test_random_below (300));
  check_difference (data, size, &b, &a, test_random_below (300));
}

static void
test_runs (void)
{
  enum { MOST = 20000, LARGE = 6 << 20 };
  g_autofree guint8 *data = test_random_bytes (LARGE);
  TestComponent a = { { 0, LARGE / 2, 1, LARGE / 2 }, VYRE_SAMPLES_ARE_BYTES }, b = a;

  for (guint i = 0; i < test_times (100, 10000); i++)
    check_runs (data, test_random_below (i % 2 ? 400 : MOST));
  check_runs (data, LARGE);
  b.region.offset = LARGE / 2;
  memset (data, 255, LARGE / 2);
  memset (data + LARGE / 2, 0, LARGE / 2);
  check_difference (data, LARGE, &a, &b, 254);
}

/* Frames of several tiles; the largest differences, in tiles as large as the planner makes them. */
static void
test_large_differences (void)
{
  enum { SIZE = 12 << 20, HALF = SIZE / 2 };
  g_autofree guint8 *data = test_random_bytes (SIZE);
  TestComponent luma = { { 5, 1919, 1080, 1931 }, VYRE_SAMPLES (1, 1, 0, 0, 8) };
  TestComponent deep = { { 0, HALF, 1, HALF }, VYRE_SAMPLES (2, 2, 0, 0, 16) };
  TestComponent other = deep;

  TestComponent next = luma;
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
assert_bounds (VyreBatch *batch, guint at, const guint8 *data, const TestComponent *c,
    gboolean rows, guint limit)
{
  guint32 lines = rows ? c->region.rows : test_columns (c);
  guint32 length = rows ? test_columns (c) : c->region.rows;
  guint32 count = 0, begin = lines, end = 0;

  for (guint32 line = 0; line < lines; line++) {
    guint64 sum = 0;
    for (guint32 i = 0; i < length; i++)
      sum += test_sample (data, c, rows ? line : i, rows ? i : line);
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
check_bounds (const guint8 *data, gsize size, const TestComponent *c, guint limit)
{
  g_autofree char *component = test_component_text (c);
  g_autofree char *text = g_strdup_printf (
      "sample_rows %s, %u -> 1; sample_columns %s, %u -> 4", component, limit, component, limit);
  g_autoptr (VyreBatch) batch = test_run_whole (&t, text, data, size, 2 * test_component_bytes (c));

  assert_bounds (batch, 1, data, c, TRUE, limit);
  assert_bounds (batch, 4, data, c, FALSE, limit);
}

/* A limit near the samples of a component, so that some lines are above it. */
static guint
random_limit (const guint8 *data, const TestComponent *c)
{
  if (c->region.rows == 0 || test_columns (c) == 0 || test_random_below (8) == 0)
    return test_random_below (65537);
  return test_sample (
      data, c, test_random_below (c->region.rows), test_random_below (test_columns (c)));
}

static void
test_random_bounds (void)
{
  enum { MOST = 6000 };

  for (guint i = 0; i < test_times (300, 10000); i++) {
    gsize size = test_random_below (i % 8 ? 400 : MOST);
    g_autofree guint8 *data = test_random_picture (size);
    TestComponent c = test_random_component (size);
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
    TestComponent c = { { 1, WIDTH * apart, HEIGHT, STRIDE }, samples[i] };
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
  TestComponent row = { { 0, SIZE, 1, SIZE }, VYRE_SAMPLES (2, 2, 0, 0, 16) };
  TestComponent wide = { { 0, 1023, 64, 2047 }, VYRE_SAMPLES (1, 1, 0, 0, 8) };

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

/* A tile may be larger than its share if a row or a column of the picture is. */
static void
test_lines_of_a_gpu (void)
{
  static const char *const texts[] = {
    "sample_columns samples(0, 1080, 2340, 1080, 0x100101), 24 -> 1",
    "sample_columns samples(0, 64, 2100, 64, 0x100101), 24 -> 1",
    "sample_rows samples(0, 131072, 3, 131072, 0x200202), 24 -> 1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    GError *error = NULL;
    g_autoptr (VyreProgram) program = vyre_program_from_string (texts[i], NULL);
    g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, NULL, 4000000, 0, 0, NULL);
    g_autoptr (VyrePlan) plan = vyre_plan_new (bound, 4000000, 256, NULL, &error); /* as of a GPU */
    g_assert_no_error (error);
    g_assert_nonnull (plan);
  }
}

static void
check_grid (const guint8 *data, gsize size, const TestComponent *c, guint columns, guint rows)
{
  g_autofree char *component = test_component_text (c);
  g_autofree char *text = g_strdup_printf ("sample_grid %s, %u, %u -> 1", component, columns, rows);
  g_autofree guint64 *counts = g_new0 (guint64, columns * rows);
  g_autofree guint64 *sums = g_new0 (guint64, columns * rows);
  guint32 wide = MAX ((test_columns (c) + columns - 1) / columns, 1);
  guint32 high = MAX ((c->region.rows + rows - 1) / rows, 1);

  for (guint32 row = 0; row < c->region.rows; row++) {
    for (guint32 column = 0; column < test_columns (c); column++) {
      guint cell = row / high * columns + column / wide;
      counts[cell]++;
      sums[cell] += test_sample (data, c, row, column);
    }
  }
  g_autoptr (VyreBatch) batch = test_run_whole (&t, text, data, size, test_component_bytes (c));
  for (guint cell = 0; cell < columns * rows; cell++) {
    guint at = 1 + cell * VYRE_GRID_CELL_WORDS;
    g_assert_cmpuint (test_observable (batch, at + VYRE_GRID_CELL_COUNT), ==, counts[cell]);
    g_assert_cmpuint (vyre_read_word_pair (vyre_batch_get_readback (batch),
                          VYRE_CONTROL_OBSERVABLES + at + VYRE_GRID_CELL_SUM),
        ==, sums[cell]);
  }
}

static void
test_random_grids (void)
{
  enum { MOST = 6000 };

  for (guint i = 0; i < test_times (300, 10000); i++) {
    gsize size = test_random_below (i % 8 ? 400 : MOST);
    g_autofree guint8 *data = test_random_picture (size);
    TestComponent c = test_random_component (size);
    guint columns = 1 + test_random_below (test_random_below (2) ? 8 : 512);
    check_grid (data, size, &c, columns, 1 + test_random_below (512 / columns));
  }
}

/* Pictures of several tiles, and the largest sums in one cell. */
static void
test_large_grids (void)
{
  enum { SIZE = 8 << 20 };
  g_autofree guint8 *data = test_random_bytes (SIZE);
  TestComponent luma = { { 5, 1919, 1080, 1931 }, VYRE_SAMPLES (1, 1, 0, 0, 8) };
  TestComponent deep = { { 0, SIZE, 1, SIZE }, VYRE_SAMPLES (2, 2, 0, 0, 16) };

  check_grid (data, SIZE, &luma, 16, 9);
  check_grid (data, SIZE, &luma, 512, 1);
  check_grid (data, SIZE, &luma, 1, 512);
  memset (data, 255, SIZE);
  check_grid (data, SIZE, &deep, 1, 1);
  check_grid (data, SIZE, &deep, 500, 1);
}

/* The exact hue: no angle of whole numbers is nearer to a whole degree than 1e-10, or it is one. */
static guint
exact_hue (gint u, gint v)
{
  return (guint)floorl (180 / G_PI * atan2l (u, v) + 180 + 1e-12L) % 360;
}

/* Hue and saturation as signalstats of ffmpeg computes them, in its words. */
static guint
float_hue (gint u, gint v)
{
  return (guint)fmodf (floorf ((180.f / G_PI) * atan2f (u, v) + 180.f), 360.f);
}

static void
check_chroma (const guint8 *data, gsize size, const TestComponent *u, const TestComponent *v,
    guint (*hue_of) (gint, gint))
{
  g_autofree char *text_u = test_component_text (u), *text_v = test_component_text (v);
  g_autofree char *text = g_strdup_printf (
      "sample_saturation %s, %s -> 1; sample_hue %s, %s -> 1025", text_u, text_v, text_u, text_v);
  guint depth = VYRE_SAMPLES_DEPTH (u->samples), middle = 1u << (depth - 1);
  guint saturations[VYRE_SAMPLE_HISTOGRAM_WORDS] = { 0 }, hues[VYRE_HUE_WORDS] = { 0 };

  for (guint32 row = 0; row < u->region.rows; row++) {
    for (guint32 column = 0; column < test_columns (u); column++) {
      gint a = (gint)(test_sample (data, u, row, column) - middle);
      gint b = (gint)(test_sample (data, v, row, column) - middle);
      guint saturation = (guint)sqrt ((double)a * a + (double)b * b);
      saturations[depth > 10 ? saturation >> (depth - 10) : saturation]++;
      hues[hue_of (a, b)]++;
    }
  }
  g_autoptr (VyreBatch) batch = test_run_whole (&t, text, data, size, 2 * test_component_bytes (u));
  for (guint i = 0; i < VYRE_SAMPLE_HISTOGRAM_WORDS; i++)
    g_assert_cmpuint (test_observable (batch, 1 + i), ==, saturations[i]);
  for (guint i = 0; i < VYRE_HUE_WORDS; i++)
    g_assert_cmpuint (test_observable (batch, 1025 + i), ==, hues[i]);
}

static void
test_random_chroma (void)
{
  enum { MOST = 6000 };

  for (guint i = 0; i < test_times (300, 10000); i++) {
    gsize size = test_random_below (i % 8 ? 400 : MOST);
    g_autofree guint8 *data = test_random_picture (size);
    TestComponent u = test_random_component (size), v = test_random_other (&u, size);
    check_chroma (data, size, &u, &v, exact_hue);
  }
}

/* Every colour of 8 bits has the hue that ffmpeg's floats give it. */
static void
test_every_colour (void)
{
  enum { N = 65536, PART = 4096 };
  g_autofree guint8 *data = g_malloc (2 * N);

  for (guint i = 0; i < N; i++) {
    data[2 * i] = (guint8)(i / 256);
    data[2 * i + 1] = (guint8)i;
  }
  for (guint i = 0; i < 2 * N; i += 2 * PART) {
    TestComponent u = { { i, 2 * PART - 1, 1, 0 }, VYRE_SAMPLES (2, 1, 0, 0, 8) }, v = u;
    v.region.offset++;
    check_chroma (data, 2 * N, &u, &v, float_hue);
  }
}

/* Every colour of 10 bits. */
static void
test_every_deep_colour (void)
{
  enum { N = 1 << 20 };
  g_autofree guint16 *data = g_new (guint16, 2 * N);
  TestComponent u = { { 0, 4 * N - 2, 1, 0 }, VYRE_SAMPLES (4, 2, 0, 0, 10) }, v = u;

  v.region.offset = 2;
  for (guint i = 0; i < N; i++) {
    data[2 * i] = (guint16)(i / 1024);
    data[2 * i + 1] = (guint16)(i % 1024);
  }
  check_chroma ((const guint8 *)data, 4 * (gsize)N, &u, &v, exact_hue);
}

/* The part of 32 that a level is nearest to. */
static guint
find_part (guint32 sample, guint32 samples)
{
  double part = sample * 32.0 / (1u << VYRE_SAMPLES_DEPTH (samples));

  return MIN ((guint)round (part), 31);
}

static void
check_joint (const guint8 *data, gsize size, const TestComponent *a, const TestComponent *b)
{
  g_autofree char *text_a = test_component_text (a), *text_b = test_component_text (b);
  g_autofree char *text = g_strdup_printf ("sample_joint %s, %s -> 1", text_a, text_b);
  g_autofree guint32 *bins = g_new0 (guint32, VYRE_JOINT_WORDS);

  for (guint32 row = 0; row < a->region.rows; row++) {
    for (guint32 column = 0; column < test_columns (a); column++)
      bins[32 * find_part (test_sample (data, b, row, column), b->samples)
           + find_part (test_sample (data, a, row, column), a->samples)]++;
  }
  g_autoptr (VyreBatch) batch = test_run_whole (&t, text, data, size, test_component_bytes (a));
  for (guint i = 0; i < VYRE_JOINT_WORDS; i++)
    g_assert_cmpuint (test_observable (batch, 1 + i), ==, bins[i]);
}

static void
test_random_joints (void)
{
  enum { MOST = 6000 };

  for (guint i = 0; i < test_times (300, 10000); i++) {
    gsize size = test_random_below (i % 8 ? 400 : MOST);
    g_autofree guint8 *data = test_random_picture (size);
    TestComponent a = test_random_component (size), b = test_random_other (&a, size);
    check_joint (data, size, &a, &b);
  }
}

/* Chroma of several tiles: I420, NV12, and P010 in one level, all of which is in one bin. */
static void
test_large_joints (void)
{
  enum { WIDTH = 1919, HEIGHT = 2160, SIZE = 2 * WIDTH * HEIGHT };
  static const guint32 samples[] = { VYRE_SAMPLES (1, 1, 0, 0, 8), VYRE_SAMPLES (2, 1, 0, 0, 8),
    VYRE_SAMPLES (4, 2, 0, 6, 10) };
  g_autofree guint8 *data = test_random_bytes (SIZE);

  for (guint i = 0; i < G_N_ELEMENTS (samples); i++) {
    guint apart = VYRE_SAMPLES_APART (samples[i]), bytes = VYRE_SAMPLES_BYTES (samples[i]);
    guint32 width = (WIDTH / apart - 1) * apart + bytes;
    TestComponent u = { { 0, width, HEIGHT / 2, WIDTH }, samples[i] }, v = u;
    v.region.offset = apart == 1 ? WIDTH * (HEIGHT / 2) : bytes;
    if (i + 1 == G_N_ELEMENTS (samples))
      memset (data, 200, SIZE);
    check_joint (data, SIZE, &u, &v);
  }
}

static gboolean
stands_out (const guint8 *data, const TestComponent *c, guint32 row, guint32 column, guint32 rows,
    guint limit)
{
  gint64 x = test_sample (data, c, row - rows, column), y = test_sample (data, c, row, column);
  gint64 z = test_sample (data, c, row + rows, column);

  return (ABS (x - y) + ABS (z - y)) / 2 - ABS (z - x) > limit;
}

static gboolean
is_outlier (const guint8 *data, const TestComponent *c, guint32 row, guint32 column, guint limit)
{
  guint32 behind = c->region.rows - 1 - row;
  gboolean found = row >= 1 && behind >= 1 && column >= 1 && column + 1 < test_columns (c);

  for (guint32 rows = 1; rows <= 2; rows++) {
    for (guint32 i = 0; i < 3 && found && row >= rows && behind >= rows; i++)
      found = stands_out (data, c, row, column + i - 1, rows, limit);
  }
  return found;
}

static gboolean
repeats (const guint8 *data, const TestComponent *c, guint32 row, guint32 distance, guint64 limit)
{
  guint64 sum = 0;

  if (row < distance || test_columns (c) == 0)
    return FALSE;
  for (guint32 column = 0; column < test_columns (c); column++) {
    gint64 a = test_sample (data, c, row, column),
           b = test_sample (data, c, row - distance, column);
    sum += (guint64)ABS (a - b);
  }
  return sum < limit * test_columns (c);
}

static void
check_defects (const guint8 *data, gsize size, const TestComponent *c, guint limit, guint distance)
{
  g_autofree char *component = test_component_text (c);
  g_autofree char *text
      = g_strdup_printf ("sample_outliers %s, %u -> 1; sample_repeats %s, %u, %u -> 2", component,
          limit, component, distance, limit);
  guint32 outliers = 0, repeated = 0;

  for (guint32 row = 0; row < c->region.rows; row++) {
    for (guint32 column = 0; column < test_columns (c); column++)
      outliers += is_outlier (data, c, row, column, limit);
    repeated += repeats (data, c, row, distance, limit);
  }
  g_autoptr (VyreBatch) batch = test_run_whole (&t, text, data, size, 2 * test_component_bytes (c));
  g_assert_cmpuint (test_observable (batch, 1), ==, outliers);
  g_assert_cmpuint (test_observable (batch, 2), ==, repeated);
}

static void
test_random_defects (void)
{
  enum { MOST = 6000 };

  for (guint i = 0; i < test_times (300, 10000); i++) {
    gsize size = test_random_below (i % 8 ? 400 : MOST);
    g_autofree guint8 *data = test_random_picture (size);
    TestComponent c = test_random_component (size);
    check_defects (data, size, &c, test_random_below (i % 2 ? 5 : 65537), test_random_below (6));
  }
}

/* Spots and streaks on a picture with gradients, in rows of which some come again. */
static void
test_a_picture_with_defects (void)
{
  enum { WIDTH = 719, HEIGHT = 576, SIZE = 2 * WIDTH * HEIGHT };
  static const guint32 samples[] = { VYRE_SAMPLES (1, 1, 0, 0, 8), VYRE_SAMPLES (2, 2, 0, 0, 16) };
  g_autofree guint8 *data = g_malloc (SIZE);

  for (guint i = 0; i < SIZE; i++)
    data[i] = (guint8)(i % WIDTH / 5 + i / WIDTH / 9);
  for (guint i = 0; i < 900; i++) {
    guint at = test_random_below (SIZE - 40);
    memset (data + at, g_test_rand_int () & 0xFF, 1 + test_random_below (39));
  }
  for (guint i = 0; i < G_N_ELEMENTS (samples); i++) {
    guint32 width = WIDTH * VYRE_SAMPLES_APART (samples[i]);
    TestComponent c = { { 0, width, SIZE / width, width }, samples[i] };
    check_defects (data, SIZE, &c, 4, 4);
    check_defects (data, SIZE, &c, 1, 4);
  }
}

static gboolean
is_outside (guint32 sample, guint32 most, guint depth)
{
  return sample < 16u << (depth - 8) || sample > most << (depth - 8);
}

static void
check_range (const guint8 *data, gsize size, const TestComponent *luma, const TestComponent *u,
    const TestComponent *v)
{
  g_autofree char *text_luma = test_component_text (luma);
  g_autofree char *text_u = test_component_text (u), *text_v = test_component_text (v);
  g_autofree char *text
      = g_strdup_printf ("sample_range %s, %s, %s -> 1", text_luma, text_u, text_v);
  guint depth = VYRE_SAMPLES_DEPTH (luma->samples);
  guint32 across = 0, down = 0, outside = 0;

  while ((test_columns (luma) + (1u << across) - 1) >> across != test_columns (u))
    across++;
  while ((luma->region.rows + (1u << down) - 1) >> down != u->region.rows)
    down++;
  for (guint32 row = 0; row < luma->region.rows; row++) {
    for (guint32 column = 0; column < test_columns (luma); column++)
      outside += is_outside (test_sample (data, luma, row, column), 235, depth)
                 || is_outside (test_sample (data, u, row >> down, column >> across), 240, depth)
                 || is_outside (test_sample (data, v, row >> down, column >> across), 240, depth);
  }
  g_autoptr (VyreBatch) batch = test_run_whole (&t, text, data, size, test_component_bytes (luma));
  g_assert_cmpuint (test_observable (batch, 1), ==, outside);
}

/* A component of so many columns and rows, of 8 bits or more, at a random place of @size bytes. */
static TestComponent
random_plane (guint32 columns, guint32 rows, guint depth, gsize size)
{
  guint bytes = depth > 8 || test_random_below (2) ? 2 : 1;
  guint apart = bytes * (1 + test_random_below (3)), numbers = MIN (apart, 4); /* packed */
  TestComponent c
      = { { 0, 0, rows, 0 }, depth == 10 && test_random_below (2)
                                 ? VYRE_SAMPLES (numbers, 3, 0, test_random_below (numbers), depth)
                                 : VYRE_SAMPLES (apart, bytes, bytes == 2 && test_random_below (2),
                                     test_random_below (8 * bytes - depth + 1), depth) };

  c.region.width = test_row_bytes (columns, c.samples);
  c.region.stride = c.region.width + test_random_below (9);
  c.region.offset = test_random_below ((guint)size - c.region.stride * rows);
  return c;
}

static void
test_random_ranges (void)
{
  enum { SIZE = 4000 };

  for (guint i = 0; i < test_times (200, 10000); i++) {
    guint32 columns = 1 + test_random_below (50), rows = 1 + test_random_below (6);
    guint across = test_random_below (4), down = test_random_below (4);
    guint depth = i % 3 ? 8 + test_random_below (9) : 10;
    g_autofree guint8 *data = test_random_picture (SIZE);
    TestComponent luma = random_plane (columns, rows, depth, SIZE);
    TestComponent u = random_plane ((columns + (1u << across) - 1) >> across,
        (rows + (1u << down) - 1) >> down, depth, SIZE / 2);
    TestComponent v = u;
    v.region.offset = test_random_below (SIZE / 2);
    check_range (data, SIZE, &luma, &u, &v);
  }
}

/* Pictures of several tiles: I420, P010 with noise near black, and chroma for 4 and 8 columns. */
static void
test_large_ranges (void)
{
  enum { WIDTH = 1919, HEIGHT = 1081, SIZE = WIDTH * HEIGHT * 3 };
  g_autofree guint8 *data = test_random_bytes (SIZE);
  TestComponent luma = { { 0, WIDTH, HEIGHT, WIDTH }, VYRE_SAMPLES (1, 1, 0, 0, 8) };
  TestComponent u = { { WIDTH * HEIGHT, 960, 541, 960 }, luma.samples }, v = u;
  TestComponent deep = { { 0, 2 * WIDTH, HEIGHT / 2, 2 * WIDTH }, VYRE_SAMPLES (2, 2, 0, 6, 10) };
  TestComponent deep_u
      = { { WIDTH * HEIGHT, 4 * 960 - 2, HEIGHT / 4, 4 * 960 }, VYRE_SAMPLES (4, 2, 0, 6, 10) };
  TestComponent deep_v = deep_u;

  v.region.offset += 960 * 541;
  deep_v.region.offset += 2;
  for (guint i = 0; i < SIZE; i++)
    data[i] = (guint8)(i % 1000 < 900 ? 12 + data[i] % 128 : data[i]);
  check_range (data, SIZE, &luma, &u, &v);
  check_range (data, SIZE, &deep, &deep_u, &deep_v);
  for (guint across = 2; across <= VYRE_CHROMA_MAX_SHIFT; across++) {
    guint columns = (WIDTH + (1u << across) - 1) >> across;
    u.region = v.region = (VyreRegion){ WIDTH * HEIGHT, columns, HEIGHT, columns };
    v.region.offset += columns * HEIGHT;
    check_range (data, SIZE, &luma, &u, &v);
  }
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
    /* no cells, too many, more than there are observables for, a product that wraps */
    "op 0x40000133, 0, 10, 2, 10, 1, 0x100101, 0, 1",
    "op 0x40000133, 0, 10, 2, 10, 1, 0x100101, 1, 0",
    "op 0x40000133, 0, 10, 2, 10, 1, 0x100101, 513, 1",
    "op 0x40000133, 0, 10, 2, 10, 1, 0x100101, 70, 1",
    "op 0x40000133, 0, 10, 2, 10, 1, 0x100101, 0x10000, 0x10000",
    /* chroma outside, of another depth, that overlaps, with large shifts; luma of 7 bits */
    "op 0x40000138, 0, 10, 2, 10, 1, 0x100101, 81, 30, 0x100101, 0x100101, 10, 0",
    "op 0x40000138, 0, 10, 2, 10, 1, 0x100101, 30, 81, 0x100101, 0x100101, 10, 0",
    "op 0x40000138, 0, 10, 2, 10, 1, 0x100101, 30, 30, 0xe0101, 0x100101, 10, 0",
    "op 0x40000138, 0, 10, 2, 10, 1, 0x100101, 30, 30, 0x100101, 0x100101, 9, 0",
    "op 0x40000138, 0, 10, 2, 10, 1, 0x100101, 30, 30, 0x100101, 0x100101, 10, 4",
    "op 0x40000138, 0, 10, 2, 10, 1, 0x100101, 30, 30, 0x100101, 0x100101, 10, 0x400",
    "op 0x40000138, 0, 10, 2, 10, 1, 0xe0101, 30, 30, 0xe0101, 0xe0101, 10, 0",
    /* the other component of another size, and no room for the third word, or for all bins */
    "op 0x40000139, 0, 10, 9, 10, 1, 0x100101, 0, 0, 10, 8, 10, 0x100101",
    "op 0x40000139, 0, 10, 9, 10, 198, 0x100101, 0, 0, 10, 9, 10, 0x100101",
    "op 0x4000013a, 0, 10, 9, 10, 1, 0x100101, 0, 0, 10, 9, 10, 0x100101",
    /* a region outside, and samples that lie in no way */
    "op 0x40000131, 91, 10, 1, 10, 1, 0x100101, 1",
    "op 0x40000132, 0, 10, 1, 10, 1, 0x100201, 1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    test_fault (&t, texts[i], 100, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&t, &params);
  g_test_add_func ("/pictures/random-differences", test_random_differences);
  g_test_add_func ("/pictures/runs", test_runs);
  g_test_add_func ("/pictures/large-differences", test_large_differences);
  g_test_add_func ("/pictures/random-bounds", test_random_bounds);
  g_test_add_func ("/pictures/bars", test_bars);
  g_test_add_func ("/pictures/long-lines", test_long_lines);
  g_test_add_func ("/pictures/lines-that-are-too-long", test_lines_that_are_too_long);
  g_test_add_func ("/pictures/lines-of-a-gpu", test_lines_of_a_gpu);
  g_test_add_func ("/pictures/random-grids", test_random_grids);
  g_test_add_func ("/pictures/large-grids", test_large_grids);
  g_test_add_func ("/pictures/random-chroma", test_random_chroma);
  g_test_add_func ("/pictures/every-colour", test_every_colour);
  g_test_add_func ("/pictures/every-deep-colour", test_every_deep_colour);
  g_test_add_func ("/pictures/random-joints", test_random_joints);
  g_test_add_func ("/pictures/large-joints", test_large_joints);
  g_test_add_func ("/pictures/random-defects", test_random_defects);
  g_test_add_func ("/pictures/a-picture-with-defects", test_a_picture_with_defects);
  g_test_add_func ("/pictures/random-ranges", test_random_ranges);
  g_test_add_func ("/pictures/large-ranges", test_large_ranges);
  g_test_add_func ("/pictures/faults", test_faults);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}

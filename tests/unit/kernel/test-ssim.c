/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The structural similarity of components on the real kernel against a plain-C oracle, bit for bit,
 * and against its definition in floating point.
 */
#include "pictures-common.h"

#include <math.h>

__extension__ typedef unsigned __int128 Wide;

static TestKernel t;

/* part / whole, 1 at most, in units of 2^-30 without their fraction. */
static guint64
ratio_of (gint64 part, gint64 whole)
{
  return part == whole ? 1u << 30 : (guint64)(((Wide)part << 30) / (Wide)whole);
}

/* The similarity of the window whose first sample is in @row and @column, in units of 2^-30; adds
 * it to @exact, too, as ssim of ffmpeg defines it. */
static gint64
similarity_of (const guint8 *data, const TestComponent *a, const TestComponent *b, guint32 row,
    guint32 column, double *exact)
{
  double most = (1 << VYRE_SAMPLES_DEPTH (a->samples)) - 1;
  gint64 c1 = (gint64)(.01 * .01 * most * most * 64 + .5);
  gint64 c2 = (gint64)(.03 * .03 * most * most * 64 * 63 + .5);
  gint64 s1 = 0, s2 = 0, ss = 0, s12 = 0;

  for (guint i = 0; i < 64; i++) {
    gint64 x = test_sample (data, a, row + i / 8, column + i % 8);
    gint64 y = test_sample (data, b, row + i / 8, column + i % 8);
    s1 += x;
    s2 += y;
    ss += x * x + y * y;
    s12 += x * y;
  }
  gint64 covariance = 2 * (s12 * 64 - s1 * s2) + c2;
  gint64 variance = ss * 64 - s1 * s1 - s2 * s2 + c2;
  gint64 means = 2 * s1 * s2 + c1, powers = s1 * s1 + s2 * s2 + c1;
  gint64 size = (gint64)(ratio_of (means, powers) * ratio_of (ABS (covariance), variance) >> 30);
  *exact += powers == 0 ? (double)covariance / (double)variance
                        : (double)means / (double)powers * (double)covariance / (double)variance;
  return covariance < 0 ? -size : size;
}

static gint64
check_ssim (const guint8 *data, gsize size, const TestComponent *a, const TestComponent *b)
{
  g_autofree char *text_a = test_component_text (a), *text_b = test_component_text (b);
  g_autofree char *text = g_strdup_printf ("sample_ssim %s, %s -> 1", text_a, text_b);
  gint64 count = 0, sum = 0;
  double exact = 0;

  for (guint32 row = 0; row + 8 <= a->region.rows; row += 4) {
    for (guint32 column = 0; column + 8 <= test_columns (a); column += 4) {
      sum += similarity_of (data, a, b, row, column, &exact);
      count++;
    }
  }
  g_assert_cmpfloat (fabs (exact - ldexp ((double)sum, -30)), <=, ldexp ((double)count, -28));
  g_autoptr (VyreBatch) batch = test_run_whole (&t, text, data, size, test_component_bytes (a));
  guint64 pair = vyre_read_word_pair (
      vyre_batch_get_readback (batch), VYRE_CONTROL_OBSERVABLES + 1 + VYRE_SSIM_SUM);
  g_assert_cmpint (test_observable (batch, 1 + VYRE_SSIM_COUNT), ==, count);
  g_assert_cmpint ((gint64)pair, ==, sum);
  return sum;
}

/* A component of up to 50 rows and columns in @size bytes. */
static TestComponent
random_windows (gsize size)
{
  guint32 samples = test_random_samples ();
  guint32 columns = 1 + test_random_below (50), rows = test_random_below (50);
  TestComponent c = { { 0, test_row_bytes (columns, samples), rows, 0 }, samples };

  c.region.stride = c.region.width + test_random_below (20);
  c.region.rows = MIN (rows, (guint32)size / c.region.stride);
  c.region.offset = test_random_below ((guint)size - c.region.stride * c.region.rows + 1);
  return c;
}

static void
test_random_ssim (void)
{
  enum { MOST = 60000 };

  for (guint i = 0; i < test_times (100, 10000); i++) {
    gsize size = 1 + test_random_below (i % 8 ? 3000 : MOST);
    g_autofree guint8 *data = test_random_picture (size);
    TestComponent a = random_windows (size);
    while (a.region.width > size)
      a = random_windows (size);
    TestComponent b = test_random_below (8) ? test_random_other (&a, size) : a;
    check_ssim (data, size, &a, &b);
  }
}

/* Pictures of several tiles, rows that several tiles share, the deepest samples, and pictures that
 * are the same and opposite. */
static void
test_large_ssim (void)
{
  enum { SIZE = 12 << 20, HALF = SIZE / 2, PLANE = 1931 * 1080 };
  g_autofree guint8 *data = test_random_bytes (SIZE);
  TestComponent luma = { { 5, 1919, 1080, 1931 }, VYRE_SAMPLES (1, 1, 0, 0, 8) }, next = luma;
  TestComponent wide = { { 1, HALF / 8 - 9, 8, HALF / 8 }, luma.samples }, wide_other = wide;
  TestComponent deep = { { 0, 4000, 1500, 4000 }, VYRE_SAMPLES (2, 2, 0, 0, 16) },
                deep_other = deep;

  next.region.offset += PLANE;
  wide_other.region.offset += HALF;
  deep_other.region.offset = HALF;
  check_ssim (data, SIZE, &wide, &wide_other);
  check_ssim (data, SIZE, &deep, &deep_other);
  g_assert_cmpint (check_ssim (data, SIZE, &luma, &luma), ==, G_GINT64_CONSTANT (478 * 269) << 30);
  for (guint i = 0; i < PLANE; i++)
    data[5 + PLANE + i] = (guint8)~data[5 + i];
  g_assert_cmpint (
      check_ssim (data, SIZE, &luma, &next), <, -(G_GINT64_CONSTANT (478 * 269) << 29));
  memset (data, 255, HALF);
  memset (data + HALF, 0, HALF);
  check_ssim (data, SIZE, &deep, &deep_other);
}

/* Black beside black, and beside the darkest noise, where the constants of the definition decide.
 */
static void
test_dark_ssim (void)
{
  enum { PLANE = 2 * 16 * 16, SIZE = 2 * PLANE };
  guint8 data[SIZE] = { 0 };

  for (guint i = PLANE; i < SIZE; i += 2)
    data[i] = (guint8)test_random_below (2);
  for (guint depth = 1; depth <= 16; depth++) {
    TestComponent black = { { 0, 32, 16, 32 }, VYRE_SAMPLES (2, 2, 0, 0, depth) }, noise = black;
    noise.region.offset = PLANE;
    g_assert_cmpint (check_ssim (data, SIZE, &black, &black), ==, G_GINT64_CONSTANT (9) << 30);
    check_ssim (data, SIZE, &black, &noise);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&t, &params);
  g_test_add_func ("/ssim/random", test_random_ssim);
  g_test_add_func ("/ssim/large", test_large_ssim);
  g_test_add_func ("/ssim/dark", test_dark_ssim);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}

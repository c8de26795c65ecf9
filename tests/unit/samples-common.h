/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Samples of any layout for the tests of opcodes over them: how one is read, and random ones.
 */
#pragma once

#include "kernel-common.h"

#include "kernel.h"

/* Reads sample @column of a row. Of packed samples, whose bits go on from word to word but for the
 * highest two, each lies in two bytes. */
static inline guint32
test_read_sample (const guint8 *row, guint32 samples, guint32 column)
{
  guint32 container = 0, bytes = VYRE_SAMPLES_BYTES (samples);
  guint32 at = column * VYRE_SAMPLES_APART (samples), shift = VYRE_SAMPLES_SHIFT (samples);

  if (bytes == 3) {
    guint32 number = at + shift;
    const guint8 *p = row + number / 3 * 4 + number % 3;
    return (p[0] | (guint32)p[1] << 8) >> (2 * (number % 3)) & 1023;
  }
  for (guint32 i = 0; i < bytes; i++)
    container |= (guint32)row[at + (VYRE_SAMPLES_SWAPPED (samples) ? bytes - 1 - i : i)] << (8 * i);
  return container >> shift & ((1u << VYRE_SAMPLES_DEPTH (samples)) - 1);
}

/* The bytes that a row of @n samples has at least. */
static inline guint32
test_row_bytes (guint32 n, guint32 samples)
{
  guint32 last = n == 0 ? 0 : (n - 1) * VYRE_SAMPLES_APART (samples);

  if (n == 0)
    return 0;
  if (VYRE_SAMPLES_BYTES (samples) != 3)
    return last + VYRE_SAMPLES_BYTES (samples);
  last += VYRE_SAMPLES_SHIFT (samples);
  return last / 3 * 4 + last % 3 + 2;
}

/* The samples of a row of @width bytes. */
static inline guint32
test_count_samples (guint32 width, guint32 samples)
{
  guint32 bytes = VYRE_SAMPLES_BYTES (samples) == 3 ? width / 4 * 3 : width;
  guint32 n = bytes / VYRE_SAMPLES_APART (samples);

  n -= MIN (n, 3); /* not above, and not far below */
  while (test_row_bytes (n + 1, samples) <= width)
    n++;
  return n;
}

static inline guint8 *
test_random_bytes (gsize size)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)g_test_rand_int ();
  return data;
}

static inline guint
test_random_below (guint end)
{
  return (guint)g_test_rand_int_range (0, (gint)end);
}

static inline guint32
test_random_samples (void)
{
  static const guint packed[] = { 1, 2, 3, 4, 6, 12 };

  if (test_random_below (4) == 0) {
    guint every = packed[test_random_below (G_N_ELEMENTS (packed))];
    return VYRE_SAMPLES (every, 3, 0, test_random_below (every), 10);
  }
  guint bytes = 1u << test_random_below (3);
  guint apart = bytes * (1 + test_random_below (test_random_below (4) ? 4 : 255 / bytes));
  guint shift = test_random_below (8 * bytes);
  guint depth = 1 + test_random_below (MIN (8 * bytes - shift, 16));

  return VYRE_SAMPLES (apart, bytes, bytes == 2 && test_random_below (2), shift, depth);
}

/* A region of a few rows that lies in @size bytes. */
static inline VyreRegion
test_random_region (gsize size)
{
  VyreRegion r = { .width = test_random_below ((guint)size + 1), .rows = test_random_below (6) };

  r.stride = r.width + test_random_below (test_random_below (2) ? 1 : 40);
  while (r.rows > 1 && (gsize)r.stride * (r.rows - 1) + r.width > size)
    r.rows--;
  gsize length = r.rows > 0 ? (gsize)r.stride * (r.rows - 1) + r.width : 0;
  r.offset = test_random_below ((guint)(size - length) + 1);
  return r;
}

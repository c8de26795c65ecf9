/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Samples of any layout for the tests of opcodes over them: how one is read, and random ones.
 */
#pragma once

#include "kernel-common.h"

#include "kernel.h"

static inline guint32
test_read_sample (const guint8 *p, guint32 samples)
{
  guint32 container = 0, bytes = VYRE_SAMPLES_BYTES (samples);

  for (guint32 i = 0; i < bytes; i++)
    container |= (guint32)p[VYRE_SAMPLES_SWAPPED (samples) ? bytes - 1 - i : i] << (8 * i);
  return container >> VYRE_SAMPLES_SHIFT (samples) & ((1u << VYRE_SAMPLES_DEPTH (samples)) - 1);
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

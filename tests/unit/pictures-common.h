/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Components of pictures for the tests of opcodes over them: random ones, and how they are read.
 */
#pragma once

#include "samples-common.h"

/* A picture of samples: random ones of a few values lie near each other, as those of pictures do.
 */
typedef struct {
  VyreRegion region;
  guint32 samples;
} TestComponent;

static inline guint32
test_columns (const TestComponent *c)
{
  return test_count_samples (c->region.width, c->samples);
}

static inline guint32
test_sample (const guint8 *data, const TestComponent *c, guint32 row, guint32 column)
{
  return test_read_sample (
      data + c->region.offset + (gsize)row * c->region.stride, c->samples, column);
}

/* The text of a component; free with g_free(). */
static inline char *
test_component_text (const TestComponent *c)
{
  const VyreRegion *r = &c->region;

  return g_strdup_printf (
      "samples(%u, %u, %u, %u, %u)", r->offset, r->width, r->rows, r->stride, c->samples);
}

static inline TestComponent
test_random_component (gsize size)
{
  return (TestComponent){ test_random_region (size), test_random_samples () };
}

/* A component with the shape of @c, in another place of @size bytes. */
static inline TestComponent
test_random_other (const TestComponent *c, gsize size)
{
  guint32 samples = c->samples, bytes = VYRE_SAMPLES_BYTES (samples);
  guint32 depth = VYRE_SAMPLES_DEPTH (samples);
  guint32 n = test_columns (c);
  guint32 apart = VYRE_SAMPLES_APART (samples), shifts = bytes == 3 ? apart : 8 * bytes - depth + 1;
  TestComponent other
      = { c->region, VYRE_SAMPLES (apart, bytes, bytes == 2 && test_random_below (2),
                         test_random_below (shifts), depth) };

  other.region.width = test_row_bytes (n, other.samples);
  other.region.stride = other.region.width + test_random_below (20);
  gsize length = (gsize)other.region.stride * MAX (c->region.rows, 1);
  if (length > size) {
    other.region = c->region;
    other.samples = bytes == 3 ? samples : other.samples;
    return other;
  }
  other.region.offset = test_random_below ((guint)(size - length) + 1);
  return other;
}

/* Values of noise, or of one level with little noise, or of one level alone. */
static inline guint8 *
test_random_picture (gsize size)
{
  guint8 *data = test_random_bytes (size);
  guint kind = test_random_below (3);
  guint8 level = (guint8)g_test_rand_int ();

  for (gsize i = 0; i < size && kind > 0; i++)
    data[i] = (guint8)(level + (kind == 2 ? 0 : data[i] % 4));
  return data;
}

static inline VyreBatch *
test_run_whole (TestKernel *t, const char *text, const guint8 *data, gsize size, guint64 bytes)
{
  g_test_message ("%s", text);
  VyreBatch *batch = test_run_text (t, text, data, size);

  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, bytes);
  return batch;
}

static inline guint64
test_component_bytes (const TestComponent *c)
{
  return (guint64)c->region.width * c->region.rows;
}

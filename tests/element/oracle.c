/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oracle.h"

#include <string.h>

/* For no bytes the minimum is 255, and the rest are 0. */
OracleStats
oracle_stats (const guint8 *data, const OracleRegion *region)
{
  OracleStats stats = { .min = 255 };

  for (gsize y = 0; y < region->rows; y++) {
    for (gsize x = 0; x < region->width; x++) {
      guint32 value = data[region->offset + y * region->stride + x];
      stats.count++;
      stats.min = MIN (stats.min, value);
      stats.max = MAX (stats.max, value);
      stats.sum += value;
      stats.sum_squares += value * value;
    }
  }
  return stats;
}

void
oracle_histogram (const guint8 *data, gsize size, guint32 bins[256])
{
  memset (bins, 0, 256 * sizeof *bins);
  for (gsize i = 0; i < size; i++)
    bins[data[i]]++;
}

guint32
oracle_below (const guint8 *data, const OracleRegion *region, guint threshold)
{
  guint32 n = 0;

  for (gsize y = 0; y < region->rows; y++) {
    for (gsize x = 0; x < region->width; x++)
      n += data[region->offset + y * region->stride + x] < threshold;
  }
  return n;
}

/* The reflected polynomial of zlib and Ethernet, a bit at a time. */
guint32
oracle_crc32 (const guint8 *data, gsize size)
{
  guint32 crc = 0xFFFFFFFFu;

  for (gsize i = 0; i < size; i++) {
    crc ^= data[i];
    for (guint bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

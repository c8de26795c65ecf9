/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The results of the payload opcodes, computed in plain C.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint32 count;
  guint32 min;
  guint32 max;
  guint64 sum;
  guint64 sum_squares;
} OracleStats;

typedef struct {
  gsize offset;
  gsize width;
  gsize rows;
  gsize stride;
} OracleRegion;

OracleStats oracle_stats (const guint8 *data, const OracleRegion *region);
void oracle_histogram (const guint8 *data, gsize size, guint32 bins[256]);
guint32 oracle_below (const guint8 *data, const OracleRegion *region, guint threshold);
guint32 oracle_crc32 (const guint8 *data, gsize size);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A staged payload that is cheap to change and to know the statistics of: bytes
 * of noise, crossed by evenly spread lines of 64 bytes that hold one value each.
 * A new mark gives every line another value. Up to 4 KiB there is nothing but
 * lines, so that all of it changes. The staging store is only written, never
 * read: where it lies near the device, reading it back is slow.
 */
#pragma once

#include "oracle.h"
#include "vyre/vyre.h"

typedef struct {
  guint8 *data;
  gsize size;
  gsize slice; /* in the staging store */
  guint n_lines;
  gsize apart;
  BenchStats noise;  /* of what is not a line */
  BenchStats expect; /* of all of it, as marked last */
} BenchPayload;

gboolean bench_payload_init (BenchPayload *payload, VyreStore *store, gsize size, guint seed);
void bench_payload_mark (BenchPayload *payload, guint32 tag);

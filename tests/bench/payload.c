/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "payload.h"

#include <string.h>

#define LINE 64

/* Of a payload larger than that, 16 lines change, so that changing them costs
 * next to nothing beside moving it. */
#define ALL_LINES 4096
#define FEW_LINES 16

static void
add_noise (BenchPayload *payload, guint seed)
{
  g_autofree guint8 *noise = g_malloc (payload->size);
  gsize end = 0;

  bench_noise (noise, payload->size, seed, 64, 128);
  memcpy (payload->data, noise, payload->size);
  for (guint line = 0; line <= payload->n_lines; line++) {
    gsize next = line < payload->n_lines ? line * payload->apart : payload->size;
    bench_stats_add (&payload->noise, noise + end, next - end);
    end = next + LINE;
  }
}

/* FALSE when the store has no room. @seed makes the noise differ. */
gboolean
bench_payload_init (BenchPayload *payload, VyreStore *store, gsize size, guint seed)
{
  *payload = (BenchPayload){ .size = size, .noise = BENCH_STATS_NONE, .expect = BENCH_STATS_NONE };
  if (!vyre_store_alloc (store, MAX (size, VYRE_GRANULE), 0, &payload->slice))
    return FALSE;
  payload->data = vyre_store_get_data (store) + payload->slice;
  payload->n_lines = size <= ALL_LINES ? (guint)(size / LINE) : FEW_LINES;
  if (payload->n_lines == 0)
    return TRUE;
  payload->apart = size / payload->n_lines / LINE * LINE;
  if (size > ALL_LINES)
    add_noise (payload, seed);
  return TRUE;
}

/* Every line gets another value than it had with the tag before. */
void
bench_payload_mark (BenchPayload *payload, guint32 tag)
{
  payload->expect = payload->noise;
  for (guint line = 0; line < payload->n_lines; line++) {
    guint8 value = (guint8)(tag * 31 + line * 37);
    memset (payload->data + line * payload->apart, value, LINE);
    bench_stats_add_run (&payload->expect, value, LINE);
  }
}

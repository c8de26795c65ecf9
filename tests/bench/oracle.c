/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oracle.h"

#include "vyre/vyre.h"

void
bench_stats_add (BenchStats *stats, const guint8 *data, gsize size)
{
  for (gsize i = 0; i < size; i++) {
    guint64 byte = data[i];
    stats->min = MIN (stats->min, byte);
    stats->max = MAX (stats->max, byte);
    stats->sum += byte;
    stats->squares += byte * byte;
  }
  stats->count += size;
}

/* @n bytes of the same value. */
void
bench_stats_add_run (BenchStats *stats, guint8 value, gsize n)
{
  stats->min = MIN (stats->min, value);
  stats->max = MAX (stats->max, value);
  stats->sum += (guint64)value * n;
  stats->squares += (guint64)value * value * n;
  stats->count += n;
}

/* Whether the words that U8_STATS left at @observable are these. */
gboolean
bench_stats_match (const BenchStats *stats, const guint8 *control, guint observable)
{
  guint at = VYRE_CONTROL_OBSERVABLES + observable;

  return vyre_read_word (control, at + VYRE_U8_STATS_COUNT) == stats->count
         && vyre_read_word (control, at + VYRE_U8_STATS_MIN) == stats->min
         && vyre_read_word (control, at + VYRE_U8_STATS_MAX) == stats->max
         && vyre_read_word_pair (control, at + VYRE_U8_STATS_SUM) == stats->sum
         && vyre_read_word_pair (control, at + VYRE_U8_STATS_SUM_SQUARES) == stats->squares;
}

/* xorshift64: bytes from @low to @low + @span - 1, the same on every machine. */
void
bench_noise (guint8 *data, gsize size, guint64 seed, guint8 low, guint8 span)
{
  guint64 state = seed * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15) + 1;

  for (gsize i = 0; i < size; i += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    for (gsize k = 0; k < 8 && i + k < size; k++)
      data[i + k] = (guint8)(low + (((state >> (8 * k)) & 0xFF) * span >> 8));
  }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "content.h"

#include <string.h>

#include "common.h"
#include "oracle.h"

#define MARK 1000
#define THRESHOLD 100

/* Each tells by its mark which one it is, and by the rate which caps it was bound to. */
static const gchar *const programs[CONTENT_N_PROGRAMS] = {
  "store_u32 1000 -> mark; store_u32 rate -> rate; crc32 payload -> crc",
  "store_u32 1001 -> mark; store_u32 rate -> rate; nop; u8_stats payload -> stats",
  "store_u32 1002 -> mark; store_u32 rate -> rate; u8_below payload, 100 -> below; "
  "crc32 payload -> crc",
  "store_u32 1003 -> mark; store_u32 rate -> rate; printf 7, 1; crc32 payload -> crc",
};

const gchar *
content_get_program (guint program)
{
  return programs[program];
}

/* Noise that all buffers are cut from. */
static guint8 noise[2 * CONTENT_MAX_SIZE];

/* Call it before there are threads. */
void
content_init (void)
{
  guint8 *made = noise_new (sizeof noise, 1);

  memcpy (noise, made, sizeof noise);
  g_free (made);
}

/* No two buffers of a process are the same: each begins with both of its numbers. */
guint8 *
content_new (guint stream, guint64 number, gsize size)
{
  guint64 numbers[2] = { stream, number };
  gsize offset = (gsize)((number * 2654435761u + stream * 40503u) % CONTENT_MAX_SIZE);
  guint8 *data = g_malloc (size);

  memcpy (data, noise + offset, size);
  memcpy (data, numbers, sizeof numbers);
  return data;
}

static void
words_add (ContentWords *words, guint64 value)
{
  words->words[words->n++] = (guint32)value;
}

static void
words_add_stats (ContentWords *words, const OracleStats *stats)
{
  words_add (words, stats->count);
  words_add (words, stats->min);
  words_add (words, stats->max);
  words_add (words, stats->sum);
  words_add (words, stats->sum >> 32);
  words_add (words, stats->sum_squares);
  words_add (words, stats->sum_squares >> 32);
}

ContentWords
content_expect (guint program, guint rate, const guint8 *data, gsize size)
{
  const OracleRegion all = { .width = size, .rows = 1 };
  ContentWords words = { 0 };

  words_add (&words, MARK + program);
  words_add (&words, rate);
  if (program == 1) {
    OracleStats stats = oracle_stats (data, &all);
    words_add_stats (&words, &stats);
    return words;
  }
  if (program == 2)
    words_add (&words, oracle_below (data, &all, THRESHOLD));
  words_add (&words, oracle_crc32 (data, size));
  return words;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reference: when a batch becomes it, and batches for which it is the previous payload.
 */
#include "older-common.h"

#define LIMIT 4000

/* How many bytes of a payload are below 128. */
static guint
count_dark (guint number)
{
  guint8 data[MOST_BYTES];
  guint n = 0;

  fill (data, number);
  for (gsize i = 0; i < size_of (number); i++)
    n += data[i] < 128;
  return n;
}

/* Compares a batch with the payload of batch number @reference, if that is one. */
static void
check_reference (VyreBatch *batch, guint number, gint reference)
{
  guint8 data[MOST_BYTES];
  gboolean has = reference >= 0 && size_of ((guint)reference) == size_of (number);

  test_wait_through (batch);
  if (has)
    fill (data, (guint)reference);
  g_assert_cmpuint (observable (batch, 1), ==, count_dark (number));
  g_assert_cmpuint (observable (batch, 2), ==, has ? crc32 (0, data, (uInt)size_of (number)) : 0);
  g_assert_cmpint (vyre_batch_has_older (batch, VYRE_FROM_REFERENCE), ==, has);
  g_assert_cmpint (vyre_batch_is_reference (batch), ==, !has || count_dark (number) > LIMIT);
}

/* The reference stays while the program keeps it, with the previous payload beside it or without,
 * however many batches are published ahead. */
static void
test_reference (void)
{
  static const char *const texts[] = {
    "keep reference when $dark <= 4000; u8_below payload, 128 -> dark\n"
    "crc32 reference(payload) -> then",
    "u8_below payload, 128 -> dark; crc32 reference(payload) -> then\n"
    "crc32 previous(payload) -> before; keep reference when $dark <= 4000\n"
    "sample_difference payload, reference(payload), 0 -> apart",
  };
  VyreBatch *batches[MOST_IN_FLIGHT];
  guint n_kept = 0;
  Stream s;

  for (guint run = 0; run < 8; run++) {
    const guint depth = run % 4 < 2 ? 3 : 64;
    runs_early = run >= 4;
    gint reference = -1;
    stream_open (&s, texts[run % 2]);
    for (guint i = 0; i < BATCHES + depth; i++) {
      if (i >= depth) {
        guint number = i - depth;
        check_reference (batches[i % depth], number, reference);
        n_kept += !vyre_batch_is_reference (batches[i % depth]);
        if (vyre_batch_is_reference (batches[i % depth]))
          reference = (gint)number;
        vyre_batch_free (batches[i % depth]);
      }
      if (i < BATCHES)
        batches[i % depth] = stream_publish (&s, i);
    }
    stream_close (&s);
  }
  g_assert_cmpuint (n_kept, >, 100);
  g_assert_cmpuint (n_kept, <, 8 * BATCHES - 100);
  runs_early = FALSE;
}

/* How often both differences of a batch were the work of one, and of two. */
typedef struct {
  guint once;
  guint twice;
} Twins;

/* Compares the differences of a batch with those to the payload of the batch before, and to that of
 * number @reference, if they have its size. */
static void
check_twins (VyreBatch *batch, guint number, gint reference, Twins *twins)
{
  guint8 now[MOST_BYTES], then[MOST_BYTES];
  gboolean before = number > 0 && size_of (number) == size_of (number - 1);
  gboolean kept = reference >= 0 && size_of (number) == size_of ((guint)reference);
  guint reads = before && reference == (gint)number - 1 ? 1 : (guint)(before + kept);

  test_wait_through (batch);
  fill (now, number);
  fill (then, before ? number - 1 : 0);
  check_difference (batch, 2, now + 5, then + 5, before * 900, 9);
  fill (then, kept ? (guint)reference : 0);
  check_difference (batch, 10, now + 5, then + 5, kept * 900, 9);
  check_difference (batch, 18, now + 5, now + 9, 900, 9);
  check_difference (batch, 26, now + 5, now + 9, 900, 9);
  g_assert_cmpuint (
      vyre_batch_get_completion (batch)->payload_bytes, ==, size_of (number) + 900 * (2 + reads));
  twins->once += before && reads == 1;
  twins->twice += reads == 2;
}

/* Differences to the previous payload and to the reference are the work of one where the two are
 * the same payload. */
static void
test_twins (gconstpointer early)
{
  VyreBatch *batches[MOST_IN_FLIGHT];
  Twins twins = { 0 };
  gint reference = -1;
  Stream s;

  runs_early = early != NULL;
  stream_open (&s, "u8_below payload, 128 -> dark; keep reference when $dark <= 4000\n"
                   "sample_difference bytes(5, 900), previous(bytes(5, 900)), 9 -> a\n"
                   "sample_difference bytes(5, 900), reference(bytes(5, 900)), 9 -> b\n"
                   "sample_difference bytes(5, 900), bytes(9, 900), 9 -> own\n"
                   "sample_difference bytes(5, 900), bytes(9, 900), 9 -> again");
  for (guint i = 0; i < BATCHES + MOST_IN_FLIGHT; i++) {
    VyreBatch **place = &batches[i % MOST_IN_FLIGHT];
    if (i >= MOST_IN_FLIGHT) {
      guint number = i - MOST_IN_FLIGHT;
      check_twins (*place, number, reference, &twins);
      reference = vyre_batch_is_reference (*place) ? (gint)number : reference;
      vyre_batch_free (*place);
    }
    if (i < BATCHES)
      *place = stream_publish (&s, i);
  }
  g_assert_cmpuint (twins.once, >, 10);
  g_assert_cmpuint (twins.twice, >, 10);
  stream_close (&s);
  runs_early = FALSE;
}

/* Two words are a number of 64 bits. */
static void
test_pair (void)
{
  Stream s;

  stream_open (&s, "state n[2]; keep reference when $n <= 0xFFFFFFFF; atomic_add 1, &n + 1\n"
                   "store_u32 0xFFFFFFFF -> n; crc32 reference(payload) -> then");
  for (guint i = 0; i < 3; i++) {
    VyreBatch *batch = stream_publish (&s, i);
    test_wait_through (batch);
    g_assert_true (vyre_batch_is_reference (batch));
    vyre_batch_free (batch);
  }
  stream_close (&s);
  stream_open (&s, "state n[2]; keep reference when $n <= 0xFFFFFFFF\n"
                   "store_u32 0xFFFFFFFF -> n; crc32 reference(payload) -> then");
  for (guint i = 0; i < 3; i++) {
    VyreBatch *batch = stream_publish (&s, i);
    test_wait_through (batch);
    g_assert_cmpint (vyre_batch_is_reference (batch), ==, i == 0);
    vyre_batch_free (batch);
  }
  stream_close (&s);
}

/* Sums, products and comparisons of results decide as well, and optional ones of this stream are 0.
 * What leaves the condition open keeps the reference, and so does a fault. */
static void
test_conditions (void)
{
  static const struct {
    const char *condition;
    gboolean keeps;
  } rows[] = {
    { "$s.sum + 2 * $n > $s.count + optional $left-out.sum", TRUE },
    { "$s.sum + 2 * $n < $s.count", FALSE },
    { "0 - $n >= 0", FALSE },
    { "$n == 7", TRUE },
    { "$n / (7 - $n) == 0", TRUE },
    { "$s.sum-squares * 4294967295 * 4294967295 * 4294967295 * 4294967295 < 1", TRUE },
    { "$n == 8; u8_below bytes(0, 99999), 5 -> beyond", TRUE },
    { "optional $left-out.sum > 0", FALSE },
    { "$left-out.sum > 0", TRUE },
  };

  for (guint row = 0; row < G_N_ELEMENTS (rows); row++) {
    g_autofree char *text = g_strdup_printf ("u8_stats payload -> s; store_u32 7 -> n\n"
                                             "optional u8_stats luma -> left-out\n"
                                             "crc32 reference(payload) -> then\n"
                                             "keep reference when %s",
        rows[row].condition);
    Stream s;
    g_test_message ("%s", rows[row].condition);
    stream_open (&s, text);
    for (guint i = 0; i < 3; i++) {
      VyreBatch *batch = stream_publish (&s, i);
      g_assert_true (vyre_batch_wait (batch, g_get_monotonic_time () + TEST_DEADLINE, NULL));
      g_assert_cmpint (vyre_batch_is_reference (batch), ==, i == 0 || !rows[row].keeps);
      vyre_batch_free (batch);
    }
    stream_close (&s);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reference/in-flight", test_reference);
  g_test_add_data_func ("/reference/twins", NULL, test_twins);
  g_test_add_data_func ("/reference/twins/early", "", test_twins);
  g_test_add_func ("/reference/pair", test_pair);
  g_test_add_func ("/reference/conditions", test_conditions);
  int status = g_test_run ();
  if (shared.kernel)
    test_kernel_close (&shared);
  return status;
}

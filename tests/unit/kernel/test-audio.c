/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opcodes over channels of audio on the real kernel against a plain-C oracle, bit for bit: samples
 * of every format, at any offset and distance.
 */
#include "kernel-common.h"

#include "kernel.h"

static TestKernel t;

__extension__ typedef unsigned __int128 Wide;

typedef struct {
  guint32 count, clipped, crossings, nans, peak, full_scale;
  gint32 min, max;
  gint64 sum;
  Wide squares;
} Oracle;

/* The formats of GStreamer that have up to four bytes, as VYRE_AUDIO without the distance. */
static const struct {
  guint bytes, swapped, kind, depth;
} formats[] = {
  { 1, 0, VYRE_AUDIO_SIGNED, 8 },
  { 1, 0, VYRE_AUDIO_UNSIGNED, 8 },
  { 2, 0, VYRE_AUDIO_SIGNED, 16 },
  { 2, 1, VYRE_AUDIO_SIGNED, 16 },
  { 2, 0, VYRE_AUDIO_UNSIGNED, 16 },
  { 2, 1, VYRE_AUDIO_UNSIGNED, 16 },
  { 3, 0, VYRE_AUDIO_SIGNED, 24 },
  { 3, 1, VYRE_AUDIO_SIGNED, 24 },
  { 3, 1, VYRE_AUDIO_UNSIGNED, 24 },
  { 3, 0, VYRE_AUDIO_SIGNED, 20 },
  { 3, 1, VYRE_AUDIO_SIGNED, 18 },
  { 4, 0, VYRE_AUDIO_SIGNED, 24 },
  { 4, 1, VYRE_AUDIO_SIGNED, 24 },
  { 4, 0, VYRE_AUDIO_UNSIGNED, 24 },
  { 4, 0, VYRE_AUDIO_SIGNED, 32 },
  { 4, 1, VYRE_AUDIO_SIGNED, 32 },
  { 4, 1, VYRE_AUDIO_UNSIGNED, 32 },
  { 4, 0, VYRE_AUDIO_FLOAT, 32 },
  { 4, 1, VYRE_AUDIO_FLOAT, 32 },
};

static guint32
format_word (guint format, guint apart)
{
  return VYRE_AUDIO (apart, formats[format].bytes, formats[format].swapped, formats[format].kind,
      formats[format].depth);
}

/* The level of a float, by the arithmetic of the processor: the sum of a double and 1.5 * 2^52 is
 * rounded to a whole number, ties to even. */
static gint64
level_of_float (guint32 bits, Oracle *o)
{
  float value;

  memcpy (&value, &bits, sizeof value);
  if (value != value) {
    o->nans++;
    return 0;
  }
  double level = CLAMP ((double)value * 16777216.0, -2147483648.0, 2147483647.0);
  return (gint64)(level + 6755399441055744.0 - 6755399441055744.0);
}

static gint64
level_of (const guint8 *p, guint32 how, Oracle *o)
{
  guint bytes = VYRE_AUDIO_BYTES (how), depth = VYRE_AUDIO_DEPTH (how);
  guint64 word = 0;

  for (guint i = 0; i < bytes; i++)
    word |= (guint64)p[VYRE_AUDIO_SWAPPED (how) ? bytes - 1 - i : i] << (8 * i);
  if (VYRE_AUDIO_KIND (how) == VYRE_AUDIO_FLOAT)
    return level_of_float ((guint32)word, o);
  gint64 value = (gint64)(word % (G_GUINT64_CONSTANT (1) << depth));
  gint64 half = (gint64)1 << (depth - 1);
  if (VYRE_AUDIO_KIND (how) == VYRE_AUDIO_UNSIGNED)
    return value - half;
  return value < half ? value : value - 2 * half;
}

static void
oracle_add (Oracle *o, gint64 level, gint64 most, gboolean was_negative)
{
  o->min = o->count == 0 ? (gint32)level : MIN (o->min, (gint32)level);
  o->max = o->count == 0 ? (gint32)level : MAX (o->max, (gint32)level);
  o->peak = (guint32)MAX (o->peak, ABS (level));
  o->crossings += o->count > 0 && (level < 0) != was_negative;
  o->clipped += level >= most || level <= -(gint64)o->full_scale;
  o->sum += level;
  o->squares += (Wide)(guint64)(level * level);
  o->count++;
}

static Oracle
oracle_of (const guint8 *data, guint32 length, guint32 how)
{
  gboolean is_float = VYRE_AUDIO_KIND (how) == VYRE_AUDIO_FLOAT;
  Oracle o = { .full_scale = 1u << (is_float ? 24 : VYRE_AUDIO_DEPTH (how) - 1) };
  gint64 before = 0;

  for (gsize at = 0; at + VYRE_AUDIO_BYTES (how) <= length; at += VYRE_AUDIO_APART (how)) {
    gint64 level = level_of (data + at, how, &o);
    oracle_add (&o, level, (gint64)o.full_scale - !is_float, before < 0);
    before = level;
  }
  return o;
}

typedef struct {
  guint32 offset, length, how;
  guint32 limit; /* of AUDIO_LOUD */
} Channel;

/* Joins the loud samples of a channel to those of others: @words are those of AUDIO_LOUD. */
static void
oracle_join_loud (guint32 *words, const guint8 *data, const Channel *channel)
{
  guint32 bytes = VYRE_AUDIO_BYTES (channel->how), apart = VYRE_AUDIO_APART (channel->how);
  guint32 count = channel->length < bytes ? 0 : (channel->length - bytes) / apart + 1;
  guint32 size = (count + 31) / 32;

  words[0] = MAX (words[0], count);
  for (guint32 i = 0; i < count; i++) {
    Oracle o = { 0 };
    gint64 level = level_of (data + channel->offset + (gsize)i * apart, channel->how, &o);
    guint32 *part = words + 1 + 2 * (i / size);
    if (ABS (level) < channel->limit && o.nans == 0)
      continue;
    part[0] = MAX (part[0], size - i % size);
    part[1] = MAX (part[1], i % size + 1);
  }
}

static void
assert_loud (VyreBatch *batch, guint first, const guint32 *words)
{
  for (guint i = 0; i < VYRE_LOUD_WORDS; i++)
    g_assert_cmpuint (test_observable (batch, first + i), ==, words[i]);
}

static void
assert_channel (VyreBatch *batch, guint first, const Oracle *o)
{
  const guint8 *control = vyre_batch_get_readback (batch);
  guint at = VYRE_CONTROL_OBSERVABLES + first;
  guint squares = at + VYRE_AUDIO_STATS_SUM_SQUARES;

  g_assert_cmpuint (vyre_read_word (control, at + VYRE_AUDIO_STATS_COUNT), ==, o->count);
  g_assert_cmpint ((gint32)vyre_read_word (control, at + VYRE_AUDIO_STATS_MIN), ==, o->min);
  g_assert_cmpint ((gint32)vyre_read_word (control, at + VYRE_AUDIO_STATS_MAX), ==, o->max);
  g_assert_cmpuint (vyre_read_word (control, at + VYRE_AUDIO_STATS_PEAK), ==, o->peak);
  g_assert_cmpint ((gint64)vyre_read_word_pair (control, at + VYRE_AUDIO_STATS_SUM), ==, o->sum);
  g_assert_cmphex (vyre_read_word_pair (control, squares), ==, (guint64)o->squares);
  g_assert_cmphex (vyre_read_word (control, squares + 2), ==, (guint64)(o->squares >> 64));
  g_assert_cmpuint (vyre_read_word (control, at + VYRE_AUDIO_STATS_CLIPPED), ==, o->clipped);
  g_assert_cmpuint (vyre_read_word (control, at + VYRE_AUDIO_STATS_CROSSINGS), ==, o->crossings);
  g_assert_cmpuint (vyre_read_word (control, at + VYRE_AUDIO_STATS_NANS), ==, o->nans);
  g_assert_cmpuint (vyre_read_word (control, at + VYRE_AUDIO_STATS_FULL_SCALE), ==, o->full_scale);
}

/* Runs all of the channels in one batch. */
static void
check_channels (const guint8 *data, gsize size, const Channel *channels, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 bytes = 0;

  for (guint i = 0; i < n; i++) {
    g_string_append_printf (text, "audio_stats audio(%u, %u, 0x%x) -> c%u\n", channels[i].offset,
        channels[i].length, channels[i].how, i);
    g_string_append_printf (text, "audio_loud audio(%u, %u, 0x%x), %u -> l%u\n", channels[i].offset,
        channels[i].length, channels[i].how, channels[i].limit, i);
    bytes += 2 * channels[i].length;
  }
  g_autoptr (VyreBatch) batch = test_run_text (&t, text->str, data, size);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, bytes);
  for (guint i = 0; i < n; i++) {
    Oracle o = oracle_of (data + channels[i].offset, channels[i].length, channels[i].how);
    g_test_message (
        "%u bytes at %u, 0x%x", channels[i].length, channels[i].offset, channels[i].how);
    guint32 loud[VYRE_LOUD_WORDS] = { 0 };
    guint first = 1 + i * (VYRE_AUDIO_STATS_WORDS + VYRE_LOUD_WORDS);
    oracle_join_loud (loud, data, &channels[i]);
    assert_channel (batch, first, &o);
    assert_loud (batch, first + VYRE_AUDIO_STATS_WORDS, loud);
  }
}

static guint
random_below (guint end)
{
  return (guint)g_test_rand_int_range (0, (gint)end);
}

/* A limit that few levels of the format reach, or many. */
static guint32
random_limit (guint32 how)
{
  guint bits = VYRE_AUDIO_FULL_SCALE_BITS (how);

  return (guint32)g_test_rand_int () >> (31 - bits + random_below (bits + 1));
}

/* Noise in which zeros, extremes and floats of ordinary size are frequent. */
static guint8 *
random_bytes (gsize size)
{
  static const guint32 words[] = { 0, 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF, 0x80008000, 0x7FFF7FFF,
    0x3F800000, 0xBF800000, 0x3F7FFFFF, 0x33000000, 0x33000001, 0xB3800000, 0x7FC00000, 0xFF800000,
    0x42FFFFFF, 0x43000000, 0xC3000000, 0x3F000000, 0xBE99999A, 0x34400000, 0x33C00000 };
  guint8 *data = g_malloc (size + 4);

  for (gsize i = 0; i < size; i += random_below (8) ? 4 : 1) {
    guint32 word = random_below (3) ? (guint32)g_test_rand_int () : words[random_below (21)];
    if (random_below (2))
      word = GUINT32_SWAP_LE_BE (word);
    memcpy (data + i, &word, sizeof word);
  }
  return data;
}

static void
test_random_channels (void)
{
  enum { MOST = 20000, N = 16 };
  g_autofree guint8 *data = random_bytes (MOST);

  for (guint i = 0; i < test_times (120, 5000); i++) {
    gsize size = 1 + random_below (i % 4 ? 500 : MOST - 1);
    Channel channels[N];
    for (guint c = 0; c < N; c++) {
      guint format = random_below (G_N_ELEMENTS (formats));
      guint apart = formats[format].bytes + random_below (random_below (3) ? 9 : 1100);
      channels[c].offset = random_below ((guint)size);
      channels[c].length = random_below ((guint)size - channels[c].offset + 1);
      channels[c].how = format_word (format, apart);
      channels[c].limit = random_limit (channels[c].how);
    }
    check_channels (data, size, channels, N);
  }
}

/* Interleaved stereo of every format over several tiles, whose ends cut samples. */
static void
test_many_tiles (void)
{
  enum { SIZE = 700001, N = G_N_ELEMENTS (formats) };
  g_autofree guint8 *data = random_bytes (SIZE);
  Channel channels[2 * N];

  for (guint i = 0; i < 2 * N; i++) {
    guint bytes = formats[i / 2].bytes, first = 1 + i % 2 * bytes;
    guint32 how = format_word (i / 2, 2 * bytes);
    channels[i] = (Channel){ first, SIZE - first, how, 1u << VYRE_AUDIO_FULL_SCALE_BITS (how) };
  }
  check_channels (data, SIZE, channels, 2 * N);
}

/* Distances up to the largest, with a sample or less in a tile. */
static void
test_distances (void)
{
  static const guint aparts[] = { 4, 1024, 65535, 40000 };
  enum { SIZE = 3 << 20, N = G_N_ELEMENTS (aparts) };
  g_autofree guint8 *data = random_bytes (SIZE);
  Channel channels[N];

  for (guint i = 0; i < N; i++)
    channels[i] = (Channel){ 3, SIZE - 3, format_word (14 + i, aparts[i]), 1u << 30 };
  check_channels (data, SIZE, channels, N);
}

/* Levels at both ends, in tiles as large as the planner makes them: the sums need all their bits.
 */
static void
test_largest_sums (void)
{
  enum { SIZE = 10 << 20 };
  static const guint8 bytes[] = { 0x00, 0x80, 0x7F };
  g_autofree guint8 *data = g_malloc (SIZE);

  for (guint i = 0; i < G_N_ELEMENTS (bytes); i++) {
    Channel channels[] = { { 0, SIZE, VYRE_AUDIO (1u, 1u, 0u, VYRE_AUDIO_UNSIGNED, 8u) },
      { 0, SIZE, VYRE_AUDIO (4u, 4u, 0u, VYRE_AUDIO_SIGNED, 32u) } };
    memset (data, bytes[i], SIZE);
    for (gsize at = 3; i == 1 && at < SIZE; at += 4)
      memset (data + at - 3, 0, 3); /* the least level of 32 bits, whose square is the largest */
    check_channels (data, SIZE, channels, G_N_ELEMENTS (channels));
  }
}

/* The greatest level below 2^31 whose square is at most @square. */
static guint32
root_of (guint64 square)
{
  guint32 root = 0;

  for (guint32 bit = 1u << 30; bit > 0; bit >>= 1) {
    guint64 more = root | bit;
    root |= more * more <= square ? bit : 0;
  }
  return root;
}

/* Squares of the first and the last tile that sum up to 2^64 - 1 each: the carry of the second one
 * goes through a word that is all ones. */
static void
test_carries (void)
{
  enum { N = 100000 };
  const Channel channel = { 0, 4 * N, VYRE_AUDIO (4u, 4u, 0u, VYRE_AUDIO_SIGNED, 32u), 1 };
  g_autofree guint32 *levels = g_new0 (guint32, N);
  guint64 left = G_MAXUINT64;

  for (guint i = 0; left > 0; i++) {
    guint32 root = root_of (left);
    left -= (guint64)root * root;
    levels[i] = levels[N - 1 - i] = GUINT32_TO_LE (root);
  }
  check_channels ((const guint8 *)levels, 4 * N, &channel, 1);
}

/* Interleaved channels of silence with a few loud samples, over several tiles: slots that write the
 * same words have the loud samples of all. */
static void
test_joined_channels (void)
{
  enum { SIZE = 900000, N = 3 };
  g_autofree guint8 *data = g_malloc0 (SIZE);
  g_autoptr (GString) text = g_string_new (NULL);
  guint32 loud[VYRE_LOUD_WORDS] = { 0 };

  for (guint i = 0; i < 40; i++)
    data[random_below (SIZE)] = (guint8)(1 + random_below (255));
  for (guint i = 0; i < N; i++) {
    Channel channel
        = { 2 * i, SIZE - 2 * i, VYRE_AUDIO (2u * N, 2u, 0u, VYRE_AUDIO_SIGNED, 16u), 40 };
    g_string_append_printf (text, "audio_loud audio(%u, %u, %u), %u -> 1\n", channel.offset,
        channel.length, channel.how, channel.limit);
    oracle_join_loud (loud, data, &channel);
  }
  g_autoptr (VyreBatch) batch = test_run_text (&t, text->str, data, SIZE);
  assert_loud (batch, 1, loud);
}

/* Zero is not negative, and the first sample crosses nothing. */
static void
test_crossings (void)
{
  static const gint8 samples[] = { -1, 0, 0, -1, 5, 0, 5, -1, -128, 127 };
  const guint32 how = VYRE_AUDIO (1u, 1u, 0u, VYRE_AUDIO_SIGNED, 8u);
  g_autoptr (VyreBatch) batch = test_run_text (&t,
      "audio_stats audio(0, 10, 0x2010001) -> 1; audio_stats audio(4, 1, 0x2010001) -> 14;"
      "audio_stats audio(4, 0, 0x2010001) -> 27",
      (const guint8 *)samples, sizeof samples);

  g_assert_cmphex (how, ==, 0x2010001);
  g_assert_cmpuint (test_observable (batch, 1 + VYRE_AUDIO_STATS_CROSSINGS), ==, 5);
  g_assert_cmpuint (test_observable (batch, 1 + VYRE_AUDIO_STATS_CLIPPED), ==, 2);
  g_assert_cmpuint (test_observable (batch, 14 + VYRE_AUDIO_STATS_CROSSINGS), ==, 0);
  g_assert_cmpuint (test_observable (batch, 14 + VYRE_AUDIO_STATS_COUNT), ==, 1);
  for (guint at = 0; at < VYRE_AUDIO_STATS_FULL_SCALE; at++)
    g_assert_cmpuint (test_observable (batch, 27 + at), ==, 0);
  g_assert_cmpuint (test_observable (batch, 27 + VYRE_AUDIO_STATS_FULL_SCALE), ==, 128);
}

/* There is no byte to look at, not even the one in front. */
static void
test_no_payload (void)
{
  g_autoptr (VyrePlan) plan = test_plan (&t, "audio_stats audio(0, 0, 0x4020002) -> a", 0, 0, 0);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 1, &(VyrePayload){ 0 });

  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  g_assert_cmpuint (test_observable (batch, 1 + VYRE_AUDIO_STATS_COUNT), ==, 0);
  g_assert_cmpuint (test_observable (batch, 1 + VYRE_AUDIO_STATS_FULL_SCALE), ==, 32768);
}

/* A slot whose word tells of no samples, or whose channel leaves the payload, has no effect. */
static void
test_faults (void)
{
  static const guint32 words[] = {
    0,
    VYRE_AUDIO (0u, 1u, 0u, 0u, 8u),
    VYRE_AUDIO (1u, 0u, 0u, 0u, 8u),
    VYRE_AUDIO (5u, 5u, 0u, 0u, 8u),
    VYRE_AUDIO (2u, 3u, 0u, 0u, 24u),
    VYRE_AUDIO (4u, 2u, 0u, 3u, 16u),
    VYRE_AUDIO (4u, 2u, 0u, 0u, 17u),
    VYRE_AUDIO (4u, 2u, 0u, 0u, 1u),
    VYRE_AUDIO (4u, 4u, 0u, 0u, 33u),
    VYRE_AUDIO (4u, 4u, 0u, 2u, 24u),
    0xFFFFFFFF,
  };

  for (guint i = 0; i <= G_N_ELEMENTS (words) + 1; i++) {
    gboolean inside = i < G_N_ELEMENTS (words);
    guint32 word = inside ? words[i] : VYRE_AUDIO (2u, 2u, 0u, 0u, 16u);
    guint rows = i > G_N_ELEMENTS (words) ? 2 : 1; /* with padding between them */
    g_autofree char *text = g_strdup_printf (
        "op 0x40000109, 0, %u, %u, %u, 1, %u", inside ? 100 : 101 / rows, rows, 60, word);
    test_fault (&t, text, 100, 20);
    memcpy (strstr (text, "0109"), "010A", 4);
    test_fault (&t, text, 100, 1 + VYRE_LOUD_WORDS);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&t, &params);
  g_test_add_func ("/audio/crossings", test_crossings);
  g_test_add_func ("/audio/random-channels", test_random_channels);
  g_test_add_func ("/audio/many-tiles", test_many_tiles);
  g_test_add_func ("/audio/distances", test_distances);
  g_test_add_func ("/audio/largest-sums", test_largest_sums);
  g_test_add_func ("/audio/carries", test_carries);
  g_test_add_func ("/audio/joined-channels", test_joined_channels);
  g_test_add_func ("/audio/no-payload", test_no_payload);
  g_test_add_func ("/audio/faults", test_faults);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events of programs: the values that conditions read, and their arithmetic.
 */
#include "program-common.h"

#include "abi.h"
#include "vyre/control.h"

/* Results of all kinds. */
#define RESULTS                                                                                    \
  "param level = 7\n"                                                                              \
  "let half = width / 2\n"                                                                         \
  "u8_stats luma -> luma\n"                                                                        \
  "u8_below luma, 17 -> black\n"                                                                   \
  "state pair[2]\n"                                                                                \
  "state ring[3]\n"                                                                                \
  "u8_histogram luma -> h\n"                                                                       \
  "sample_difference luma, luma, 3 -> d\n"                                                         \
  "sample_rows luma, 3 -> rows\n"                                                                  \
  "sample_grid luma, 2, 2 -> grid\n"                                                               \
  "sample_ssim luma, luma -> s\n"

/* Words that a readback has in its results, counted from the first of each. */
typedef struct {
  const char *name;
  guint n_words;
  guint32 words[VYRE_AUDIO_STATS_WORDS];
} Words;

static const Words words_of_results[] = {
  { "luma", 7, { 100, 2, 250, 5, 1, 0xFFFFFFFF, 0xFFFFFFFF } },
  { "black", 1, { 98 } },
  { "pair", 2, { 1, 0x80000000 } },
  { "ring", 3, { 10, 20, 30 } },
  { "h", 3, { 1, 0, 40 } },
  { "d", 8, { 6, 0, 9, 12, 0, 13, 0, 14 } },
  { "rows", 3, { 3, 4, 9 } },
  { "grid", 12, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } },
  { "s", 3, { 7, -6u, -1u } },
  { "a", 13, { 8, -5u, 4, 5, -6u, -1u, 1, 2, 3, 9, 10, 11, 1u << 15 } },
};

static guint32 *
readback_new (const VyreBoundProgram *bound)
{
  guint32 *readback = g_new0 (guint32, VYRE_CONTROL_OBSERVABLES + bound->n_observables);

  for (guint i = 0; i < bound->n_results; i++) {
    for (guint w = 0; w < G_N_ELEMENTS (words_of_results); w++) {
      if (g_str_equal (words_of_results[w].name, bound->results[i].name))
        memcpy (readback + VYRE_CONTROL_OBSERVABLES + bound->results[i].observable,
            words_of_results[w].words, 4 * words_of_results[w].n_words);
    }
  }
  return readback;
}

static void
assert_decision (const char *results, const char *condition, VyreDecision expected)
{
  g_autofree char *text = g_strdup_printf ("%sevent e when %s", results, condition);
  g_autoptr (VyreBoundProgram) bound = bind_text (text);
  g_autofree guint32 *readback = readback_new (bound);

  g_test_message ("%.60s", condition);
  g_assert_cmpuint (bound->n_events, ==, 1);
  g_assert_cmpint (
      vyre_event_decide (&bound->events[0], FALSE, readback, NULL, NULL), ==, expected);
}

/* Each is an equation that holds. */
static const char *const values[] = {
  "$black == 98",
  "$luma.count == 100",
  "$luma.min == 2",
  "$luma.max == 250",
  "$luma.sum == 65536 * 65536 + 5",
  "$luma.sum-squares == 4294967295 * 4294967296 + 4294967295",
  "$pair == 2147483648 * 65536 * 65536 + 1",
  "$pair.word-1 == 2147483648",
  "$ring.word-2 == 30",
  "$h.bin-2 == 40",
  "$d.count == 6",
  "$d.max + $d.sum + $d.sum-squares == 34",
  "$d.above == 14",
  "$rows.count == 3",
  "$rows.begin == 4",
  "$rows.end == 9",
  "$grid.count-0 == 1",
  "$grid.count-3 == 10",
  "$grid.sum-3 == 12 * 65536 * 65536 + 11",
  "$s.count == 7",
  "$s.sum == 0 - 6",
  /* numbers of the stream and of the program */
  "width * height == 1920 * 1080",
  "half == 960",
  "level == 7",
  "luma.size == 1920 * 1080",
  /* arithmetic */
  "$black * 100 == 98 * $luma.count",
  "2 - 5 + 3 == 0",
  "(2 - 5) / 2 == 0 - 1",
  "(2 - 5) % 2 == 0 - 1",
  "1 + 2 * 3 == 7",
  "$luma.sum-squares * 4294967295 / $luma.sum-squares == 4294967295",
  "$luma.sum-squares - $luma.sum-squares == 0",
  /* fractions */
  "$black == 0.98 * $luma.count",
  "0.980000001 * $luma.count == $black + 0.0000001",
  "0.1 + 0.2 == 0.3",
  "0.25 - 1 == 0 - 0.75",
  "0.75 / 0.5 == 1",
  "0.75 % 0.5 == 0.25",
  "(2 - 5.5) / 2 == 0 - 1",
  /* the lesser and the greater */
  "min($black, 97) == 97",
  "max($black, 97) == 98",
  "min(2 - 5, 1) == 0 - 3",
  "max(2 - 5, 0) == 0",
  "max(0.25, 0.2) == 0.25",
  "min(0.3, 1.5 / 1) == 0.3",
  "1 + 2 * max(1, min(5, 3)) * 2 == 13",
};

static const char *const values_of_audio[] = {
  "$a.count == 8",
  "$a.min == 0 - 5",
  "$a.max == 4",
  "$a.peak == 5",
  "$a.sum == 0 - 6",
  "$a.sum-squares == (3 * 4294967296 + 2) * 4294967296 + 1",
  "$a.clipped == 9",
  "$a.zero-crossings == 10",
  "$a.nans == 11",
  "$a.full-scale == 32768",
};

/* A literal has 32 bits, so tests write 2^32 as a product. */
static char *
spell (const char *condition)
{
  g_auto (GStrv) parts = g_strsplit (condition, "4294967296", -1);

  return g_strjoinv ("65536 * 65536", parts);
}

static void
test_values (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autofree char *spelt = spell (values[i]);
    assert_decision (RESULTS, spelt, VYRE_DECISION_YES);
  }
  g_autofree char *audio
      = g_strdup_printf ("audio_stats audio(0, 64, %u) -> a\n", VYRE_AUDIO (2, 2, 0, 0, 16));
  for (guint i = 0; i < G_N_ELEMENTS (values_of_audio); i++) {
    g_autofree char *spelt = spell (values_of_audio[i]);
    assert_decision (audio, spelt, VYRE_DECISION_YES);
  }
}

static void
test_comparisons (void)
{
  static const struct {
    const char *text;
    gboolean holds[3]; /* of black, 98, and 97, 98, 99 */
  } rows[] = {
    { "<", { FALSE, FALSE, TRUE } },
    { "<=", { FALSE, TRUE, TRUE } },
    { ">", { TRUE, FALSE, FALSE } },
    { ">=", { TRUE, TRUE, FALSE } },
    { "==", { FALSE, TRUE, FALSE } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (guint n = 0; n < 3; n++) {
      g_autofree char *condition = g_strdup_printf ("$black%s%u", rows[i].text, 97 + n);
      assert_decision (RESULTS, condition, rows[i].holds[n] ? VYRE_DECISION_YES : VYRE_DECISION_NO);
    }
  }
  assert_decision (RESULTS, "0 - 1 < $black", VYRE_DECISION_YES);
  assert_decision (RESULTS, "$luma.sum-squares > $pair", VYRE_DECISION_YES);
}

/* The pair is 2^63 + 1, so that twice its product with the pair less 2 is the greatest number of
 * 127 bits less 1. A step beyond these decides nothing. */
static void
test_overflow (void)
{
  static const char *const open[] = {
    "1 / $h.bin-1 == 0",
    "1 % $h.bin-1 == 0",
    "1 == 1 / (5 - 5)",
    "$luma.sum-squares * $luma.sum-squares > 0",
    "0 - $luma.sum-squares * $luma.sum-squares > 0",
    "$luma.sum-squares * 2147483648 * 4294967295 * 4 > 0",
    "$pair * ($pair - 2) * 2 + 2 > 0",
    "0 - $pair * ($pair - 2) * 2 - 2 < 0",
    "0 - $pair * $pair - $pair * $pair > 0",
  };
  static const char *const within[] = {
    "$pair * $pair > $luma.sum-squares",
    "$pair * ($pair - 2) * 2 + 1 > $pair * $pair",
    "0 - $pair * ($pair - 2) * 2 - 1 < 0",
    "0 - $pair * $pair < 0 - $luma.sum-squares",
    "(0 - $pair) * (0 - $pair) == $pair * $pair",
    "(0 - $pair) * $pair == 0 - $pair * $pair",
    "$luma.sum-squares * 2147483648 * 4294967295 > 0",
    "0 * $pair == 0",
  };

  for (guint i = 0; i < G_N_ELEMENTS (open); i++)
    assert_decision (RESULTS, open[i], VYRE_DECISION_NONE);
  for (guint i = 0; i < G_N_ELEMENTS (within); i++)
    assert_decision (RESULTS, within[i], VYRE_DECISION_YES);
}

static void
test_times (void)
{
  g_autoptr (VyreBoundProgram) bound
      = bind_text ("param hold = 3\n"
                   "EVENT long-one WHEN 1 > 0 FOR 4294967295 s\n"
                   "event b when 1 > 0 for 500 ms; event c when 1 > 0\n"
                   "event part when 1 > 0 for 0.25 s\n"
                   "event for-all when hold > 0 for hold * 2 s # twice\n"
                   "nop");
  static const struct {
    const char *name;
    guint64 time;
  } rows[] = {
    { "long-one", 4294967295 * G_GUINT64_CONSTANT (1000000000) },
    { "b", 500000000 },
    { "c", 0 },
    { "part", 250000000 },
    { "for-all", G_GUINT64_CONSTANT (6000000000) },
  };

  g_assert_cmpuint (bound->n_events, ==, G_N_ELEMENTS (rows));
  for (guint i = 0; i < bound->n_events; i++) {
    g_assert_cmpstr (bound->events[i].name, ==, rows[i].name);
    g_assert_cmpuint (bound->events[i].time, ==, rows[i].time);
  }
}

/* The deepest and the longest expressions. */
static void
test_large_conditions (void)
{
  g_autofree char *deep = repeat ("", "1 + 2 * (", 64, "1");
  g_autofree char *closed = repeat (deep, ")", 64, " > 1");
  g_autofree char *sum = repeat ("$black", " + $black", 4999, " == 490000");

  assert_decision (RESULTS, closed, VYRE_DECISION_YES);
  assert_decision (RESULTS, sum, VYRE_DECISION_YES);
}

/* An event goes with the result of an optional statement. */
static void
test_left_out (void)
{
  g_autoptr (VyreProgram) program = assemble ("crc32 payload -> crc\n"
                                              "optional u8_stats luma -> luma\n"
                                              "event dark when $luma.sum < luma.size\n"
                                              "event same when $crc == $crc\n"
                                              "event bright when 0 < $luma.sum");
  g_autoptr (VyreSymbols) none = vyre_symbols_new ();
  g_autoptr (VyreSymbols) video = video_bindings ();
  g_autoptr (VyreBoundProgram) without = bind_program (program, none, 0, 0);
  g_autoptr (VyreBoundProgram) with = bind_program (program, video, 0, 0);

  g_assert_cmpuint (without->n_events, ==, 1);
  g_assert_cmpstr (without->events[0].name, ==, "same");
  g_assert_cmpuint (with->n_events, ==, 3);
}

/* All comparisons have to hold; one that does not decides, whatever the others are. */
static void
test_and (void)
{
  assert_decision (RESULTS, "$black == 98 and $luma.min == 2", VYRE_DECISION_YES);
  assert_decision (RESULTS, "$black == 98 and $luma.min == 3", VYRE_DECISION_NO);
  assert_decision (RESULTS, "$black == 97 AND $luma.min == 2", VYRE_DECISION_NO);
  assert_decision (RESULTS, "1 / (1 - 1) == 1 and $luma.min == 2", VYRE_DECISION_NONE);
  assert_decision (RESULTS, "1 / (1 - 1) == 1 and $luma.min == 3", VYRE_DECISION_NO);
  assert_decision (RESULTS, "$black > 1 and $black > 2 and $black > 98", VYRE_DECISION_NO);
}

/* What starts an interval need not be what keeps it. */
static void
test_while (void)
{
  g_autoptr (VyreProgram) program
      = assemble ("crc32 payload -> black\n"
                  "optional u8_stats luma -> luma\n"
                  "event e when $black > 100 while $black > 50 for 2 s\n"
                  "event f when $black > 100 while $luma.sum > 50");
  g_autoptr (VyreSymbols) none = vyre_symbols_new ();
  g_autoptr (VyreBoundProgram) bound = bind_program (program, none, 0, 0);
  g_autofree guint32 *readback = readback_new (bound);
  guint32 *black = readback + VYRE_CONTROL_OBSERVABLES + bound->results[0].observable;

  g_assert_cmpuint (bound->n_events, ==, 1);
  g_assert_cmpuint (bound->events[0].time, ==, 2000000000);
  for (*black = 49; *black < 103; ++*black) {
    g_assert_cmpint (vyre_event_decide (&bound->events[0], FALSE, readback, NULL, NULL), ==,
        *black > 100 ? VYRE_DECISION_YES : VYRE_DECISION_NO);
    g_assert_cmpint (vyre_event_decide (&bound->events[0], TRUE, readback, NULL, NULL), ==,
        *black > 50 ? VYRE_DECISION_YES : VYRE_DECISION_NO);
  }
}

/* An optional value is 0 without its result. */
static void
test_optional_values (void)
{
  g_autoptr (VyreProgram) program
      = assemble ("crc32 payload -> crc\n"
                  "optional u8_stats luma -> luma\n"
                  "event none when optional $luma.sum + optional $luma.count == 0\n"
                  "event some when OPTIONAL $luma.count == 100\n"
                  "event gone when optional $luma.count + $luma.count == 0");
  g_autoptr (VyreSymbols) none = vyre_symbols_new ();
  g_autoptr (VyreSymbols) video = video_bindings ();
  g_autoptr (VyreBoundProgram) without = bind_program (program, none, 0, 0);
  g_autoptr (VyreBoundProgram) with = bind_program (program, video, 0, 0);
  g_autofree guint32 *empty = readback_new (without), *full = readback_new (with);

  g_assert_cmpuint (without->n_events, ==, 2);
  g_assert_cmpint (
      vyre_event_decide (&without->events[0], FALSE, empty, NULL, NULL), ==, VYRE_DECISION_YES);
  g_assert_cmpint (
      vyre_event_decide (&without->events[1], FALSE, empty, NULL, NULL), ==, VYRE_DECISION_NO);
  g_assert_cmpuint (with->n_events, ==, 3);
  g_assert_cmpint (
      vyre_event_decide (&with->events[0], FALSE, full, NULL, NULL), ==, VYRE_DECISION_NO);
  g_assert_cmpint (
      vyre_event_decide (&with->events[1], FALSE, full, NULL, NULL), ==, VYRE_DECISION_YES);
}

/* An event may have the condition of the reference, and goes with it. */
static void
test_of_reference (void)
{
  g_autoptr (VyreProgram) program = assemble ("param most = 5\n"
                                              "event still when reference stays for 2 s\n"
                                              "optional u8_stats luma -> luma\n"
                                              "crc32 reference(payload) -> then\n"
                                              "keep reference when $luma.min <= most\n"
                                              "event dark when $luma.min <= most");
  g_autoptr (VyreSymbols) none = vyre_symbols_new ();
  g_autoptr (VyreSymbols) video = video_bindings ();
  g_autoptr (VyreBoundProgram) without = bind_program (program, none, 0, 0);
  g_autoptr (VyreBoundProgram) with = bind_program (program, video, 0, 0);
  g_autofree guint32 *readback = readback_new (with);
  guint32 *least = readback + VYRE_CONTROL_OBSERVABLES + with->results[0].observable + 1;

  g_assert_cmpuint (without->n_events, ==, 0);
  g_assert_null (without->keep);
  g_assert_cmpuint (with->n_events, ==, 2);
  g_assert_nonnull (with->keep);
  g_assert_true (with->events[0].of_reference);
  g_assert_false (with->events[1].of_reference);
  g_assert_cmpuint (with->events[0].time, ==, 2000000000);
  for (*least = 4; *least < 7; ++*least)
    g_assert_cmpint (vyre_event_decide (&with->events[0], FALSE, readback, NULL, NULL), ==,
        *least <= 5 ? VYRE_DECISION_YES : VYRE_DECISION_NO);
}

/* An event of quiet samples has its result, its rate and its condition, if there is one, and is
 * left out with the result. */
static void
test_of_quiet (void)
{
  g_autoptr (VyreProgram) program
      = assemble ("crc32 payload -> crc\n"
                  "optional audio_loud channel3, 5 -> none\n"
                  "audio_loud audio(0, 64, 0x4020002), 5 -> loud\n"
                  "event left-out when quiet $none at 8000\n"
                  "event plain when quiet $loud at 48000 for 20 ms\n"
                  "event some when quiet $loud at 2 * 8000.7 and $crc > 0 and $loud.count > 9");
  g_autoptr (VyreSymbols) none = vyre_symbols_new ();
  g_autoptr (VyreBoundProgram) bound = bind_program (program, none, 0, 0);
  g_autofree guint32 *readback = readback_new (bound);

  g_assert_cmpuint (bound->n_events, ==, 2);
  for (guint i = 0; i < 2; i++) {
    g_assert_true (bound->events[i].of_quiet);
    g_assert_cmpuint (bound->events[i].loud, ==, bound->results[1].observable);
  }
  g_assert_cmpuint (bound->events[0].rate, ==, 48000);
  g_assert_cmpuint (bound->events[0].time, ==, 20000000);
  g_assert_cmpuint (bound->events[1].rate, ==, 16001);
  g_assert_cmpint (
      vyre_event_decide (&bound->events[0], FALSE, readback, NULL, NULL), ==, VYRE_DECISION_YES);
  g_assert_cmpint (
      vyre_event_decide (&bound->events[1], FALSE, readback, NULL, NULL), ==, VYRE_DECISION_NO);
}

/* All that a payload of some samples can have, against a search sample by sample. */
static void
test_quiet (void)
{
  enum { MOST = 100 };

  for (guint i = 0; i < 20000; i++) {
    guint32 words[VYRE_LOUD_WORDS] = { (guint32)g_test_rand_int_range (0, MOST) };
    guint32 count = words[VYRE_LOUD_COUNT], size = VYRE_LOUD_PART_SAMPLES (count), hidden = 0;
    gboolean loud[MOST + 1] = { FALSE };
    for (guint part = 0; part * size < count; part++) {
      guint end = MIN (size, count - part * size);
      guint32 first = (guint32)g_test_rand_int_range (0, (gint)end);
      guint32 last = (guint32)g_test_rand_int_range ((gint)first, (gint)end);
      if (g_test_rand_int_range (0, 3) > 0)
        continue;
      words[VYRE_LOUD_FIRST_PART + 2 * part] = size - first;
      words[VYRE_LOUD_FIRST_PART + 2 * part + 1] = last + 1;
      hidden = MAX (hidden, last - first > 0 ? last - first - 1 : 0);
      for (guint32 at = first; at <= last; at++)
        loud[part * size + at] = TRUE;
    }
    VyreQuiet quiet = { 0, 0 };
    guint32 at = 0;
    while (vyre_quiet_find (words, quiet.end, &quiet)) {
      for (; at < quiet.begin; at++)
        g_assert_true (loud[at]);
      for (; at < quiet.end; at++)
        g_assert_false (loud[at]);
      g_assert_true (at == count || loud[at]);
    }
    for (; at < count; at++)
      g_assert_true (loud[at]);
    g_assert_cmpuint (vyre_quiet_hides (words), ==, hidden);
  }
}

/* Events add nothing to the slots. */
static void
test_slots (void)
{
  g_autoptr (VyreBoundProgram) plain = bind_text ("crc32 payload -> crc");
  g_autoptr (VyreBoundProgram) more
      = bind_text ("event e when $crc > 5 for 2 s; crc32 payload -> crc");

  g_assert_cmpuint (plain->n_events, ==, 0);
  g_assert_cmpmem (plain->slots, plain->n_slots * 4 * VYRE_SLOT_WORDS, more->slots,
      more->n_slots * 4 * VYRE_SLOT_WORDS);
  g_assert_cmpuint (plain->n_observables, ==, more->n_observables);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/events/values", test_values);
  g_test_add_func ("/events/comparisons", test_comparisons);
  g_test_add_func ("/events/overflow", test_overflow);
  g_test_add_func ("/events/times", test_times);
  g_test_add_func ("/events/large-conditions", test_large_conditions);
  g_test_add_func ("/events/left-out", test_left_out);
  g_test_add_func ("/events/and", test_and);
  g_test_add_func ("/events/while", test_while);
  g_test_add_func ("/events/optional-values", test_optional_values);
  g_test_add_func ("/events/of-reference", test_of_reference);
  g_test_add_func ("/events/of-quiet", test_of_quiet);
  g_test_add_func ("/events/quiet", test_quiet);
  g_test_add_func ("/events/slots", test_slots);
  return g_test_run ();
}

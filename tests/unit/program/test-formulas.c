/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Formulas: lets over results, values of events, and state that is calculated.
 */
#include "program-common.h"

#include "abi.h"
#include "program/decisions.h"
#include "vyre/control.h"

/* A readback with a number in each result of one word, and in the first word of others. */
static guint32 *
readback_of (const VyreBoundProgram *bound, guint32 number)
{
  guint32 *readback = g_new0 (guint32, VYRE_CONTROL_OBSERVABLES + bound->n_observables);

  for (guint i = 0; i < bound->n_results; i++)
    readback[VYRE_CONTROL_OBSERVABLES + bound->results[i].observable] = number;
  return readback;
}

static guint negative; /* of the values of the last decision */

static VyreDecision
decide (const VyreBoundProgram *bound, guint event, guint32 number, guint64 *values)
{
  g_autofree guint32 *readback = readback_of (bound, number);

  return vyre_event_decide (&bound->events[event], FALSE, readback, values, &negative);
}

/* A let may name results, before or behind them, and other lets. */
static void
test_lets (void)
{
  g_autoptr (VyreBoundProgram) bound = bind_text ("let n = $crc - 10\n"
                                                  "let half = n / 2; let rest = n % 2\n"
                                                  "let rows = height / 2\n"
                                                  "crc32 payload -> crc\n"
                                                  "event whole when half * 2 + rest == n\n"
                                                  "event below when n < 0\n"
                                                  "event rows when $crc == rows");

  for (guint32 number = 5; number < 20; number++) {
    g_assert_cmpint (decide (bound, 0, number, NULL), ==, VYRE_DECISION_YES);
    g_assert_cmpint (decide (bound, 1, number, NULL), ==, (VyreDecision)(number < 10));
  }
  g_assert_cmpint (decide (bound, 2, 540, NULL), ==, VYRE_DECISION_YES);
}

/* As many lets as there may be, each of which names the one before twice: none is calculated
 * twice. */
static void
test_chain (void)
{
  g_autoptr (GString) text = g_string_new ("crc32 payload -> crc; let n0 = $crc\n");

  for (guint i = 1; i < 64; i++)
    g_string_append_printf (text, "let n%u = n%u + n%u\n", i, i - 1, i - 1);
  /* 3 * 2^63, of numbers of 32 bits */
  g_string_append (text, "event e when n63 == 65536 * 65536 * 65536 * 32768 * 3");
  g_autoptr (VyreBoundProgram) bound = bind_text (text->str);

  g_assert_cmpint (decide (bound, 0, 3, NULL), ==, VYRE_DECISION_YES);
  g_assert_cmpint (decide (bound, 0, 4, NULL), ==, VYRE_DECISION_NO);
}

/* Events and state that name a let go with the results that it lacks. A let that nothing names may
 * need a symbol that the stream lacks. */
static void
test_optional_results (void)
{
  g_autoptr (VyreProgram) program = assemble ("optional u8_stats luma -> luma; crc32 payload -> n\n"
                                              "let sum = $luma.sum; let more = sum + 1\n"
                                              "let lines = $n + height\n"
                                              "let none = 7 + optional $luma.sum\n"
                                              "event a when more > 0; event b when none == 7\n"
                                              "event c when $n > 0 with sum = more\n"
                                              "event d when $n > 0 while sum > 0\n"
                                              "state last from more");
  g_autoptr (VyreSymbols) without = vyre_symbols_new ();
  g_autoptr (VyreSymbols) video = video_bindings ();
  g_autoptr (VyreBoundProgram) less = bind_program (program, without, 0, 0);
  g_autoptr (VyreBoundProgram) full = bind_program (program, video, 0, 0);

  g_assert_cmpuint (full->n_events, ==, 4);
  g_assert_nonnull (full->states[0].formula);
  g_assert_cmpuint (less->n_events, ==, 1);
  g_assert_cmpstr (less->events[0].name, ==, "b");
  g_assert_cmpint (decide (less, 0, 1, NULL), ==, VYRE_DECISION_YES);
  g_assert_null (less->states[0].formula);
}

/* An event carries numbers without their fractions. One of more than 64 bits, or below -2^63,
 * leaves it open. */
static void
test_values (void)
{
  g_autoptr (VyreBoundProgram) bound
      = bind_text ("crc32 payload -> n; let big = $n * 65536 * 65536\n"
                   "event e when $n < 1000 with x = $n * 0.5, y = $n - 10, far = big * big / 10000"
                   " for 2 s; event low when $n > 0 with least = 0 - big * 32768 * 65536, half = 0"
                   " - $n * 0.5, some = 7");
  guint64 values[3];

  g_assert_cmpuint (bound->events[0].n_values, ==, 3);
  g_assert_cmpstr (bound->events[0].values[0].name, ==, "x");
  g_assert_cmpstr (bound->events[0].values[2].name, ==, "far");
  g_assert_cmpuint (bound->events[0].time, ==, 2000000000);
  g_assert_cmpint (decide (bound, 0, 99, values), ==, VYRE_DECISION_YES);
  g_assert_cmpuint (values[0], ==, 49);
  g_assert_cmpuint (values[1], ==, 89);
  g_assert_cmpuint (values[2], ==, 18079653866642731538u);
  g_assert_cmpuint (negative, ==, 0);
  g_assert_cmpint (decide (bound, 0, 100, values), ==, VYRE_DECISION_NONE);
  g_assert_cmpint (decide (bound, 0, 9, values), ==, VYRE_DECISION_YES);
  g_assert_cmpint ((gint64)values[1], ==, -1);
  g_assert_cmpuint (negative, ==, 2);
  g_assert_cmpint (decide (bound, 0, 1000, values), ==, VYRE_DECISION_NO);
  g_assert_cmpint (decide (bound, 1, 1, values), ==, VYRE_DECISION_YES);
  g_assert_cmpint ((gint64)values[0], ==, G_MININT64);
  g_assert_cmpuint (values[1], ==, 0);
  g_assert_cmpuint (negative, ==, 1);
  g_assert_cmpint (decide (bound, 1, 2, values), ==, VYRE_DECISION_NONE);
}

/* State that is calculated may name itself. A number that is none leaves it as it was. */
static void
test_states (void)
{
  g_autoptr (VyreBoundProgram) bound
      = bind_text ("crc32 payload -> n; state words[2]\n"
                   "state most from max($most, $n); state less from $n - 7\n"
                   "state half from $n * 0.5; state share from 100 / ($n - 8)");
  g_autofree guint32 *readback = readback_of (bound, 5);
  guint32 words[] = { 1, 2, 3, 4, 5, 6 };

  g_assert_cmpuint (bound->n_states, ==, 5);
  for (guint i = 1; i < 5; i++)
    g_assert_cmpuint (bound->states[i].n_words, ==, 1);
  readback[VYRE_CONTROL_OBSERVABLES + bound->states[1].observable] = 9;
  vyre_states_calculate (bound, readback, words);
  g_assert_cmpuint (words[1], ==, 2);
  g_assert_cmpuint (words[2], ==, 9);
  g_assert_cmpuint (words[3], ==, 4);
  g_assert_cmpuint (words[4], ==, 2);
  g_assert_cmpuint (words[5], ==, 6);
  readback[VYRE_CONTROL_OBSERVABLES + 1] = 8;
  vyre_states_calculate (bound, readback, words);
  g_assert_cmpuint (words[3], ==, 1);
  g_assert_cmpuint (words[5], ==, 6);
}

/* A let over results that is bound has numbers, as a condition has. */
static void
test_binding_errors (void)
{
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  static const char *const ends[]
      = { "event e when lines > 0", "event e when $n > 0 with x = lines", "state s from lines" };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autofree char *text
        = g_strdup_printf ("crc32 payload -> n\nlet lines = $n + height\n%s", ends[i]);
    g_autoptr (VyreProgram) program = assemble (text);
    GError *error = NULL;

    g_assert_null (vyre_program_bind (program, symbols, PAYLOAD, 0, 0, &error));
    assert_error (error, VYRE_ERROR_UNBOUND, "2:18: ", "'height' is not defined");
  }
}

static const ErrorCase cases[] = {
  { "let a = $b; nop", "1:10: ", "no statement computes a result 'b'" },
  { "let a = $b; crc32 payload -> b; u8_below luma, a -> c", "1:48: ", "is made of results" },
  { "let a = $b; crc32 payload -> b; param c = a", "1:43: ", "is made of results" },
  { "let a = $b; crc32 payload -> b; event e when $b > 1 for a s", "1:57: ", "made of results" },
  { "param a = $b; nop", "1:11: ", "'$'" },
  { "let a = min; nop", "1:12: ", "'(' and two numbers behind min or max" },
  { "let a = max 0x; nop", "1:13: ", "Fix: " },
  { "let a = max(1; nop", "1:14: ", "',' and the second number" },
  { "let a = max(1, 2; nop", "1:17: ", "')' or an operator" },
  { "let a = max(1, 2, 3); nop", "1:17: ", "')' or an operator" },
  { "let a = max(, 2); nop", "1:13: ", "a number" },
  { "state a from 5; nop", "1:14: ", "the number depends on no result" },
  { "state a from min(1, b); nop", "1:21: ", "'b' is not a known number" },
  { "state a from $a + $b; nop", "1:20: ", "no statement computes a result 'b'" },
  { "event e when 1 > 0 with; nop", "1:24: ", "a name of a-z, 0-9 and '-' for the value" },
  { "event e when 1 > 0 with x; nop", "1:26: ", "'=' and the value" },
  { "event e when 1 > 0 with x = ; nop", "1:29: ", "a number" },
  { "event e when 1 > 0 with x = 1,; nop", "1:31: ", "a name of a-z, 0-9 and '-' for the value" },
  { "event e when 1 > 0 with x = 1, x = 2; nop", "1:32: ", "has the value 'x' twice" },
  { "event e when 1 > 0 with a = 1, b = 1, c = 1, d = 1, e = 1, f = 1, g = 1, h = 1, i = 1; nop",
      "1:81: ", "more than 8 values" },
  { "event e when reference stays with x = 1; nop", "1:30: ", "a line end or ';'" },
};

static void
test_errors (void)
{
  assert_syntax_errors (cases, G_N_ELEMENTS (cases));
}

static void
test_most_lets (void)
{
  g_autoptr (GString) text = g_string_new ("crc32 payload -> n\n");
  GError *error = NULL;

  for (guint i = 0; i < 65; i++)
    g_string_append_printf (text, "let n%u = $n\n", i);
  g_assert_null (vyre_program_assemble (text->str, &error));
  assert_error (error, VYRE_ERROR_SYNTAX, "66:1: ", "more than 64 lets of results");
}

/* Parentheses as deep as they may be, each of which waits for a sum, a product and a first number.
 */
static void
test_depth (void)
{
  g_autoptr (GString) text = g_string_new ("crc32 payload -> n; event e when $n == ");

  for (guint i = 0; i < 64; i++)
    g_string_append (text, "max(0, 0 + 1 * ");
  g_string_append (text, "$n");
  for (guint i = 0; i < 64; i++)
    g_string_append_c (text, ')');
  g_autoptr (VyreBoundProgram) bound = bind_text (text->str);
  g_assert_cmpint (decide (bound, 0, 12, NULL), ==, VYRE_DECISION_YES);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formulas/lets", test_lets);
  g_test_add_func ("/formulas/chain", test_chain);
  g_test_add_func ("/formulas/optional-results", test_optional_results);
  g_test_add_func ("/formulas/values", test_values);
  g_test_add_func ("/formulas/states", test_states);
  g_test_add_func ("/formulas/binding-errors", test_binding_errors);
  g_test_add_func ("/formulas/errors", test_errors);
  g_test_add_func ("/formulas/most-lets", test_most_lets);
  g_test_add_func ("/formulas/depth", test_depth);
  return g_test_run ();
}

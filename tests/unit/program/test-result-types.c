/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The types that programs declare for results, and their units.
 */
#include "program-common.h"

/* A result of its text's program: the first one. */
typedef struct {
  const char *text;
  VyreResultType type;
  guint n_words;
  const char *units;
} Declared;

static const Declared declared[] = {
  { "store_u32 7 -> r", VYRE_RESULT_U32, 1, NULL },
  { "store_u32 7 -> r : u32 'Hz'", VYRE_RESULT_U32, 1, "Hz" },
  { "store_u32 7 -> r:I32 \"2^-16\" @tenant=1", VYRE_RESULT_I32, 1, "2^-16" },
  { "packed_slot { store_u32 7 -> r : f32 '\u00b0C' | op 0x20, 7 }", VYRE_RESULT_F32, 1,
      "\u00b0C" },
  { "u8_below payload, 17 -> r", VYRE_RESULT_U32, 1, "bytes" },
  { "u8_below payload, 17 -> r : i32", VYRE_RESULT_I32, 1, "bytes" },
  { "u8_below payload, 17 -> r : i32 'dark'", VYRE_RESULT_I32, 1, "dark" },
  { "state r[1] : f32; nop", VYRE_RESULT_F32, 1, NULL },
  { "state r[2] : u64 'bytes'; nop", VYRE_RESULT_U64, 2, "bytes" },
  { "state r[2] : i64 '2^-64'; nop", VYRE_RESULT_I64, 2, "2^-64" },
  { "state r[2] : f64; nop", VYRE_RESULT_F64, 2, NULL },
  { "state r[2] : i32; nop", VYRE_RESULT_I32, 2, NULL },
  { "state r[6] : u64; nop", VYRE_RESULT_U64, 6, NULL },
  { "state r[2]; nop", VYRE_RESULT_WORDS, 2, NULL },
  { "resource f = file 'f'; load_words f, 0, 4 -> r : f64 'Hz'", VYRE_RESULT_F64, 4, "Hz" },
  { "store_u32 1 -> r : i32; atomic_add 2 -> r", VYRE_RESULT_I32, 1, NULL },
};

static void
test_declared (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (declared); i++) {
    g_autoptr (VyreBoundProgram) bound = bind_text (declared[i].text);

    g_test_message ("%s", declared[i].text);
    g_assert_cmpuint (bound->n_results, ==, 1);
    g_assert_cmpint (bound->results[0].type, ==, declared[i].type);
    g_assert_cmpuint (bound->results[0].n_words, ==, declared[i].n_words);
    g_assert_cmpstr (bound->results[0].units, ==, declared[i].units);
  }
}

/* State that starts as a value has the type that it declares, and the words of that value. */
static void
test_declared_state (void)
{
  g_autoptr (VyreBoundProgram) bound
      = bind_text ("u8_stats luma -> luma; state before from $luma.sum : u64 'levels'\n"
                   "state most from max($before, 3) : i32");

  g_assert_cmpint (bound->results[1].type, ==, VYRE_RESULT_U64);
  g_assert_cmpstr (bound->results[1].units, ==, "levels");
  g_assert_cmpint (bound->results[2].type, ==, VYRE_RESULT_I32);
  g_assert_cmpuint (bound->states[0].source, ==, bound->results[0].observable + VYRE_U8_STATS_SUM);
}

#define TWO_32 "65536 * 65536"

/* Each holds where all words of the results are 0xFFFFFFFE. */
static const char *const conditions[] = {
  "$u + 2 == " TWO_32,
  "$i + 2 == 0",
  "$i < 0",
  "$w + " TWO_32 " + 2 == " TWO_32 " * " TWO_32,
  "$d + " TWO_32 " + 2 == 0",
  "$list.item-1 + 2 == 0",
  "$wide.item-1 + " TWO_32 " + 2 == " TWO_32 " * " TWO_32,
};

/* Conditions read results with the sign of their type. */
static void
test_values (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (conditions); i++) {
    g_autofree char *text
        = g_strdup_printf ("store_u32 0 -> u : u32; store_u32 0 -> i : i32; state w[2] : u64\n"
                           "state d[2] : i64; state list[2] : i32; state wide[4] : u64\n"
                           "event e when %s",
            conditions[i]);
    g_autoptr (VyreBoundProgram) bound = bind_text (text);
    guint n_words = VYRE_CONTROL_OBSERVABLES + bound->n_observables;
    g_autofree guint32 *readback = g_new (guint32, n_words);

    for (guint w = 0; w < n_words; w++)
      readback[w] = 0xFFFFFFFEu;
    g_test_message ("%s", conditions[i]);
    g_assert_cmpint (
        vyre_event_decide (&bound->events[0], FALSE, readback, NULL, NULL), ==, VYRE_DECISION_YES);
  }
}

static const ErrorCase errors[] = {
  { "store_u32 1 -> r : i16", "1:20: ", "a type: u32, u64, i32, i64, f32 or f64" },
  { "store_u32 1 -> r :", "1:19: ", "a type: u32" },
  { "store_u32 1 -> r i32", "1:18: ", "between statements" },
  { "store_u32 1 -> r : i32 i32", "1:24: ", "between statements" },
  { "store_u32 1 -> r : u64", "1:20: ", "the result 'r' has 1 word, and 'u64' takes 2" },
  { "state r[3] : f64; nop", "1:14: ", "the result 'r' has 3 words, and 'f64' takes 2" },
  { "store_u32 1 -> 40 : i32", "1:19: ", "an observable without a name has no type" },
  { "u8_stats payload -> r : u64", "1:23: ", "the result 'r' has fields, each with its type" },
  { "u8_histogram payload -> r : u32", "1:27: ", "the result 'r' has fields" },
  { "store_u32 1 -> r; atomic_add 1 -> r : i32",
      "1:37: ", "the result 'r' is defined further up. Fix: declare its type there." },
  { "state r[1]; atomic_add 1 -> r : i32", "1:31: ", "is defined further up" },
  { "store_u32 1 -> r : i32 ''", "1:24: ", "this is not a unit" },
  { "store_u32 1 -> r : i32 'a b'", "1:24: ", "this is not a unit" },
  { "store_u32 1 -> r : i32 '2^-65'", "1:24: ", "'2^-N' with N up to 64" },
  { "store_u32 1 -> r : i32 '2^-x'", "1:24: ", "this is not a unit" },
  { "store_u32 1 -> r : i32 "
    "'12345678901234567890123456789012345678901234567890123456789012345'",
      "1:24: ", "this is not a unit" },
  { "store_u32 1 : i32, 2", "1:13: ", "store_u32" },
  { "nop : i32", "1:5: ", "too many operands" },
  { "let a = 1 : i32; nop", "1:11: ", "':'" },
  { "state r[2] : f64; nop; event e when $r > 1",
      "1:37: ", "the result 'r' is a floating-point number, and values are integers" },
  { "store_u32 1 -> r : f32; event e when $r.item-0 > 1", "1:38: ", "floating-point" },
  { "store_u32 1 -> r : i32; event e when $r.item-0 > 1", "1:38: ", "is one number" },
  { "state r[4] : i64; nop; event e when $r > 1", "1:37: ", "append one of .item-0 to 1" },
  { "state r[4] : i64; nop; event e when $r.item-2 > 1", "1:37: ", "append one of .item-0 to 1" },
};

static void
test_errors (void)
{
  assert_syntax_errors (errors, G_N_ELEMENTS (errors));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/result-types/declared", test_declared);
  g_test_add_func ("/result-types/declared-state", test_declared_state);
  g_test_add_func ("/result-types/values", test_values);
  g_test_add_func ("/result-types/errors", test_errors);
  return g_test_run ();
}

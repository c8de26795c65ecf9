/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Errors in conditions: of events, and of what keeps the reference.
 */
#include "program-common.h"

static const ErrorCase cases[] = {
  /* the reference */
  { "keep; nop", "1:5: ", "'keep reference when $result <= limit'" },
  { "keep previous when &a <= 1", "1:6: ", "'previous' is not expected here" },
  { "keep reference $a <= 1", "1:16: ", "'$a' is not expected here" },
  { "keep reference when a <= 1", "1:21: ", "'a' is not a known number" },
  { "keep reference when &a <= 1", "1:21: ", "not for its value. Fix: write '$' and its name" },
  { "keep reference when 2 * &a <= 1", "1:25: ", "not for its value. Fix: write '$' and its name" },
  { "keep reference when $a", "1:23: ", "a comparison: <, <=, >, >= or ==" },
  { "keep reference when $a <= ", "1:27: ", "a number" },
  { "keep reference when optional 5 <= 1", "1:30: ", "the value of a result, such as '$u.sum'" },
  { "keep reference when optional", "1:29: ", "the value of a result, such as '$u.sum'" },
  { "keep reference when $a <= 1; nop", "1:22: ", "no statement computes a result 'a'" },
  { "keep reference when $a <= 1; u8_stats payload -> a",
      "1:21: ", "append one of .count, .min, .max, .sum, .sum-squares." },
  { "keep reference when $a <= 1; keep reference when $a <= 2", "1:30: ", "reference twice" },
  { "keep reference when 1 == 1; u8_stats payload -> a == 1", "1:51: ", "'=' is not expected" },
  /* events */
  { "event", "1:6: ", "a name of a-z, 0-9 and '-' behind 'event'" },
  { "event 5 when $a > 1", "1:7: ", "a name of a-z, 0-9 and '-' behind 'event'" },
  { "event a_b when $a > 1", "1:8: ", "'_' cannot be part of a result name" },
  { "event e $a > 1", "1:9: ", "Fix: write 'event name when $result >= number for 2 s'" },
  { "event e when $a", "1:16: ", "a comparison: <, <=, >, >= or ==" },
  { "event e when $a = 1", "1:17: ", "a comparison: <, <=, >, >= or ==" },
  { "event e when $a > 1 < 2; nop", "1:21: ", "a line end or ';' between statements" },
  { "event e when $a >", "1:18: ", "a number" },
  { "event e when  > 1", "1:15: ", "or '$' and a result, in single quotes where a shell would" },
  { "event e when $ > 1", "1:14: ", "'$'" },
  { "event e when $a_b > 1", "1:16: ", "'_' cannot be part of a result name" },
  { "event e when $a.b.c > 1", "1:18: ", "'.' cannot be part of a result name" },
  { "event e when $a != 1", "1:17: ", "'!' (U+0021) has no meaning here" },
  { "event e when $a > 1 for", "1:24: ", "a number" },
  { "event e when $a > 1 for 2", "1:26: ", "a unit behind the time: s or ms" },
  { "event e when $a > 1 for 2 min", "1:27: ", "a unit behind the time: s or ms" },
  { "event e when $a > 1 for 2s", "1:25: ", "this is not a number" },
  { "event e when $a > 1 for $a s", "1:25: ", "'$'" },
  { "event e when &a > 1; crc32 payload -> a", "1:14: ", "not for its value" },
  { "event e when $a > 1 and", "1:24: ", "a number" },
  { "event e when $a > 1 and 5", "1:26: ", "a comparison: <, <=, >, >= or ==" },
  { "event e when $a > 1 while", "1:26: ", "a number" },
  { "event e when $a > 1 while $a", "1:29: ", "a comparison: <, <=, >, >= or ==" },
  { "event e when $a > 1 for 2 s while $a > 0", "1:29: ", "a line end or ';' between statements" },
  { "crc32 reference(payload) -> a; event e when reference stays while $a > 0",
      "1:61: ", "a line end or ';' between statements" },
  { "event e when quiet", "1:19: ", "the result of audio_loud, such as '$loud'" },
  { "event e when quiet $a.count at 1", "1:20: ", "the result of audio_loud, such as '$loud'" },
  { "event e when quiet $a for 2 s", "1:23: ", "'at rate' behind the result of audio_loud" },
  { "event e when quiet $a at $b", "1:26: ", "'$'" },
  { "event e when quiet $a at 5 and", "1:31: ", "a number" },
  { "event e when quiet $a at 5 while $a > 0", "1:28: ", "a line end or ';' between statements" },
  { "event e when quiet $a at 5 with x = 1", "1:28: ", "a line end or ';' between statements" },
  { "event e when quiet $a at 5; nop", "1:21: ", "no statement computes a result 'a'" },
  { "event e when quiet $a at 5; crc32 payload -> a",
      "1:20: ", "'a' is no result of audio_loud. Fix: name one, such as 'audio_loud channel0" },
  { "event e when reference > 1", "1:24: ", "'stays' behind 'reference'" },
  { "event e when reference stays > 1", "1:30: ", "a line end or ';' between statements" },
  { "nop; event e when reference stays",
      "1:19: ", "no statement reads the reference. Fix: compare" },
  { "crc32 reference(payload) -> a; event e when reference stays",
      "1:7: ", "no statement says which payload is the reference" },
  { "event e when $a > 1; nop", "1:15: ", "no statement computes a result 'a'" },
  { "event e when 1 > 1; event e when 2 > 1", "1:27: ", "the event 'e' is defined twice" },
  { "event e when 1 > 1", "1:19: ", "no statement that makes a slot" },
  { "event e when $a.count > 1; crc32 payload -> a", "1:14: ", "is one number. Fix: write '$a'" },
  { "event e when $a > 1; u8_stats payload -> a",
      "1:14: ", "append one of .count, .min, .max, .sum, .sum-squares." },
  { "event e when $a.peak > 1; u8_stats payload -> a", "1:14: ", "append one of .count, .min" },
  { "event e when $a. > 1; u8_stats payload -> a", "1:14: ", "append one of .count, .min" },
  { "state a[3]; event e when $a > 1; nop", "1:26: ", "append one of .word-0 to 2." },
  { "state a[3]; event e when $a.word-3 > 1; nop", "1:26: ", "append one of .word-0 to 2." },
  { "state a[3]; event e when $a.word-01 > 1; nop", "1:26: ", "append one of .word-0 to 2." },
  { "state a[3]; event e when $a.word- > 1; nop", "1:26: ", "append one of .word-0 to 2." },
  { "sample_grid luma, 2, 2 -> a; event e when $a.sum-4 > 1",
      "1:43: ", "append one of .count-0 to 3, .sum-0 to 3." },
  { "op 1, $a", "1:7: ", "'$'" },
  { "op 1, 2 == 2", "1:9: ", "'=' is not expected here" },
};

static void
test_errors (void)
{
  assert_syntax_errors (cases, G_N_ELEMENTS (cases));
}

/* An expression of a condition that has no number in a stream, and a time beyond 32 bits. */
static void
test_bind_errors (void)
{
  static const char *const texts[] = {
    "crc32 payload -> a; event e when $a > rate",
    "crc32 payload -> a; event e when $a > 1 and rate > 1",
    "crc32 payload -> a; event e when $a > 1 while $a > rate",
    "crc32 payload -> a; event e when $a > 1 for rate s",
    "crc32 reference(payload) -> a; keep reference when $a > rate",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (VyreProgram) program = assemble (texts[i]);
    g_autoptr (VyreSymbols) symbols = video_bindings ();
    GError *error = NULL;

    g_assert_null (vyre_program_bind (program, symbols, 1000, 0, 0, &error));
    assert_error (error, VYRE_ERROR_UNBOUND, "1:", "'rate' is not defined for this stream");
  }
}

/* A converter makes no picture of sound. */
static void
test_advice_of_sound (void)
{
  static const char *const texts[]
      = { "u8_stats luma -> s", "sample_stats red -> s", "let n = width; nop; event e when n > 1" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (VyreProgram) program = assemble (texts[i]);
    g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
    GError *error = NULL;

    g_assert_null (vyre_program_bind (program, symbols, 1000, 0, 0, &error));
    assert_error (error, VYRE_ERROR_UNBOUND, "1:", "Fix: put videoconvert and ");
    error = NULL;
    vyre_symbols_set (symbols, "channels", 2);
    g_assert_null (vyre_program_bind (program, symbols, 1000, 0, 0, &error));
    assert_error (error, VYRE_ERROR_UNBOUND, "1:", "Fix: feed raw video, measure channels, as ");
  }
}

/* So many that looking each of them up among the others would take seconds. */
static void
test_too_many (void)
{
  static const char *const statements[] = { "param p%u = 1;", "event e%u when 1 > 0;" };
  static const char *const messages[]
      = { "there are more than 4096 params", "there are more than 4096 events" };

  for (guint k = 0; k < G_N_ELEMENTS (statements); k++) {
    g_autoptr (GString) text = g_string_new ("nop;");
    GError *error = NULL;

    for (guint i = 0; i < 4096; i++)
      g_string_append_printf (text, statements[k], i);
    g_autoptr (VyreProgram) program = assemble (text->str);
    g_assert_nonnull (program);
    g_string_append_printf (text, statements[k], 4096);
    g_assert_null (vyre_program_assemble (text->str, &error));
    assert_error (error, VYRE_ERROR_SYNTAX, "1:", messages[k]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conditions/errors", test_errors);
  g_test_add_func ("/conditions/bind-errors", test_bind_errors);
  g_test_add_func ("/conditions/advice-of-sound", test_advice_of_sound);
  g_test_add_func ("/conditions/too-many", test_too_many);
  return g_test_run ();
}

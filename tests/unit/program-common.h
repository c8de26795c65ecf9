/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Helpers of the tests of the program language.
 */
#pragma once

#include "vyre/program.h"

#include <string.h>

/* Size of the payload that programs are bound to, unless a test chooses another. */
#define PAYLOAD 3133440

/* I420, 1920x1080, as GStreamer lays it out: strides 1920 and 960, 1080 and 540 rows. */
static inline VyreSymbols *
video_bindings (void)
{
  static const char *const names[] = { "plane0", "plane1", "plane2", "luma", "u", "v" };
  static const VyreRegion regions[] = {
    { 0, 1920, 1080, 1920 },
    { 2073600, 960, 540, 960 },
    { 2592000, 960, 540, 960 },
  };
  VyreSymbols *symbols = vyre_symbols_new ();

  vyre_symbols_set (symbols, "width", 1920);
  vyre_symbols_set (symbols, "height", 1080);
  vyre_symbols_set (symbols, "planes", 3);
  vyre_symbols_set (symbols, "bits", 8);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    vyre_symbols_set_region (symbols, names[i], &regions[i % 3]);
  return symbols;
}

static inline VyreProgram *
assemble (const char *text)
{
  GError *error = NULL;
  VyreProgram *program = vyre_program_assemble (text, &error);

  g_assert_no_error (error);
  g_assert_nonnull (program);
  return program;
}

static inline VyreBoundProgram *
bind_program (VyreProgram *program, const VyreSymbols *symbols, guint slots, guint observables)
{
  GError *error = NULL;
  VyreBoundProgram *bound
      = vyre_program_bind (program, symbols, PAYLOAD, slots, observables, &error);

  g_assert_no_error (error);
  g_assert_nonnull (bound);
  return bound;
}

/* Assembles @text and binds it to the video frame, sizes as needed. */
static inline VyreBoundProgram *
bind_text (const char *text)
{
  g_autoptr (VyreProgram) program = assemble (text);
  g_autoptr (VyreSymbols) symbols = video_bindings ();

  return bind_program (program, symbols, 0, 0);
}

static inline void
assert_error (GError *error, VyreError code, const char *position, const char *message)
{
  g_assert_error (error, VYRE_ERROR, (gint)code);
  g_assert_nonnull (strstr (error->message, "Fix: "));
  if (!g_str_has_prefix (error->message, position) || strstr (error->message, message) == NULL)
    g_error ("expected '%s...%s', got '%s'", position, message, error->message);
  g_error_free (error);
}

/* A text that is no program, and the place and a part of its error. */
typedef struct {
  const char *text;
  const char *position;
  const char *message;
} ErrorCase;

static inline void
assert_syntax_errors (const ErrorCase *cases, guint n)
{
  for (guint i = 0; i < n; i++) {
    GError *error = NULL;

    g_test_message (
        "%s", g_utf8_validate (cases[i].text, -1, NULL) ? cases[i].text : "(not UTF-8)");
    g_assert_null (vyre_program_assemble (cases[i].text, &error));
    assert_error (error, VYRE_ERROR_SYNTAX, cases[i].position, cases[i].message);
  }
}

static inline char *
repeat (const char *before, const char *part, guint n, const char *after)
{
  GString *text = g_string_new (before);

  for (guint i = 0; i < n; i++)
    g_string_append (text, part);
  g_string_append (text, after);
  return g_string_free (text, FALSE);
}

static inline void
assert_bind_fails (VyreProgram *program, gsize payload, guint slots, guint observables,
    VyreError code, const char *message)
{
  GError *error = NULL;

  g_assert_null (vyre_program_bind (program, NULL, payload, slots, observables, &error));
  assert_error (error, code, "", message);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of the program language share.
 */
#pragma once

#include "vyre-program.h"

#include <string.h>

/* Bytes of the payload that the programs are bound to, unless a test says otherwise. */
#define PAYLOAD 3133440

/* I420, 1920x1080, as GStreamer lays it out: strides 1920 and 960, 1080 and 540 rows. */
static inline VyreBindings *
video_bindings (void)
{
  static const char *const names[] = { "plane0", "plane1", "plane2", "luma", "u", "v" };
  static const VyreRegion regions[] = {
    { 0, 1920, 1080, 1920 },
    { 2073600, 960, 540, 960 },
    { 2592000, 960, 540, 960 },
  };
  VyreBindings *bindings = vyre_bindings_new ();

  vyre_bindings_set (bindings, "width", 1920);
  vyre_bindings_set (bindings, "height", 1080);
  vyre_bindings_set (bindings, "planes", 3);
  vyre_bindings_set (bindings, "bits", 8);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    vyre_bindings_set_region (bindings, names[i], &regions[i % 3]);
  return bindings;
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

static inline VyreImage *
bind_program (VyreProgram *program, const VyreBindings *bindings, guint slots, guint observables)
{
  GError *error = NULL;
  VyreImage *image = vyre_program_bind (program, bindings, PAYLOAD, slots, observables, &error);

  g_assert_no_error (error);
  g_assert_nonnull (image);
  return image;
}

/* Assembles @text and binds it to the video frame, sizes as needed. */
static inline VyreImage *
bind_text (const char *text)
{
  g_autoptr (VyreProgram) program = assemble (text);
  g_autoptr (VyreBindings) bindings = video_bindings ();

  return bind_program (program, bindings, 0, 0);
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

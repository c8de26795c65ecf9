/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "program/statements.h"
#include "files/open-file.h"
#include "program/lookalike.h"

/* The most bytes that are read of a file: a mark, the longest program, and one byte too much. */
#define FILE_MAX (3 + VYRE_TEXT_MAX + 1)

/* Hexadecimal digits of a text's SHA-256 that are enough to tell programs apart. */
#define ID_DIGITS 16

static void
program_free (VyreProgram *program)
{
  g_free (program->id);
  g_free (program->text);
  g_string_chunk_free (program->strings);
  g_array_unref (program->nodes);
  g_array_unref (program->args);
  g_array_unref (program->inner);
  g_array_unref (program->statements);
  g_array_unref (program->lets);
  g_array_unref (program->names);
  g_array_unref (program->observables);
  g_array_unref (program->results);
  g_array_unref (program->resources);
  g_array_unref (program->params);
  g_array_unref (program->states);
  g_array_unref (program->values);
  g_array_unref (program->formulas);
  g_array_unref (program->events);
  g_array_unref (program->comparisons);
  g_free (program);
}

/* Assembles @text, which is NUL-terminated and @length bytes long, with @params in the place of
 * defaults. A byte order mark is not part of it: neither the id nor a column counts it. */
static VyreProgram *
program_assemble (const char *text, gsize length, const char *id, const VyreParam *params,
    guint n_params, GError **error)
{
  const char *marked = text;

  text = vyre_text_skip_mark (marked);
  length -= (gsize)(text - marked);
  if (!vyre_text_check (text, length, error))
    return NULL;
  VyreProgram *program = g_new0 (VyreProgram, 1);
  g_atomic_ref_count_init (&program->refs);
  program->text = g_strndup (text, length);
  program->strings = g_string_chunk_new (256);
  program->nodes = g_array_new (FALSE, FALSE, sizeof (VyreNode));
  program->args = g_array_new (FALSE, FALSE, sizeof (VyreExpr));
  program->inner = g_array_new (FALSE, FALSE, sizeof (VyreOperation));
  program->statements = g_array_new (FALSE, FALSE, sizeof (VyreStatement));
  program->lets = g_array_new (FALSE, FALSE, sizeof (VyreExpr));
  program->names = g_array_new (FALSE, FALSE, sizeof (VyreName));
  program->observables = g_array_new (FALSE, FALSE, sizeof (guint32));
  program->results = g_array_new (FALSE, FALSE, sizeof (guint32));
  program->resources = g_array_new (FALSE, FALSE, sizeof (VyreResource));
  program->params = g_array_new (FALSE, FALSE, sizeof (VyreParam));
  program->states = g_array_new (FALSE, FALSE, sizeof (VyreStateStatement));
  program->values = g_array_new (FALSE, FALSE, sizeof (VyreValue));
  program->formulas = g_array_new (FALSE, FALSE, sizeof (VyreExpr));
  program->events = g_array_new (FALSE, FALSE, sizeof (VyreEventStatement));
  program->comparisons = g_array_new (FALSE, FALSE, sizeof (VyreComparison));
  if (!vyre_program_parse (program, params, n_params, error)) {
    program_free (program);
    return NULL;
  }
  if (id) {
    program->id = g_strdup (id);
  } else {
    g_autofree char *digest
        = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, (gssize)length);

    program->id = g_strdup_printf ("sha256:%.*s", ID_DIGITS, digest);
  }
  return program;
}

/* Assembles a text under a given id; NULL derives it from the text. */
VyreProgram *
vyre_program_new_from_text (const char *text, const char *id, GError **error)
{
  return vyre_program_new_with (text, id, NULL, 0, error);
}

/* The same, with @params, each of which the text declares, in the place of defaults. */
VyreProgram *
vyre_program_new_with (
    const char *text, const char *id, const VyreParam *params, guint n_params, GError **error)
{
  return program_assemble (text, strlen (text), id, params, n_params, error);
}

VyreProgram *
vyre_program_assemble (const char *text, GError **error)
{
  g_return_val_if_fail (text, NULL);
  g_return_val_if_fail (!error || !*error, NULL);
  return vyre_program_new_from_text (text, NULL, error);
}

static void
program_set_io_error (GError **error, const char *path, const char *reason)
{
  g_autofree char *shown = g_filename_display_name (path);

  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "Cannot read the program '%s': %s. Fix: give the path of a readable regular file.", shown,
      reason);
}

/* Reads at most FILE_MAX bytes into @text, which has room for one more. Returns NULL, or the reason
 * of a failure. */
static const char *
program_read_text (int fd, char *text, gsize *length)
{
  gssize n = 1;

  if (fd < 0)
    return vyre_file_explain (errno);
  for (*length = 0; n > 0 && *length < FILE_MAX; *length += (gsize)MAX (n, 0))
    n = TEMP_FAILURE_RETRY (read (fd, text + *length, FILE_MAX - *length));
  text[*length] = '\0';
  return n < 0 ? g_strerror (errno) : NULL;
}

VyreProgram *
vyre_program_load (const char *path, GError **error)
{
  g_return_val_if_fail (path, NULL);
  g_return_val_if_fail (!error || !*error, NULL);
  g_autofree char *text = g_malloc (FILE_MAX + 1);
  gsize length = 0;
  int fd = vyre_file_open (path, O_RDONLY);
  const char *why = program_read_text (fd, text, &length);
  if (fd >= 0)
    close (fd);
  if (!why)
    return program_assemble (text, length, NULL, NULL, 0, error);
  program_set_io_error (error, path, why);
  return NULL;
}

VyreProgram *
vyre_program_ref (VyreProgram *program)
{
  g_return_val_if_fail (program, NULL);
  g_atomic_ref_count_inc (&program->refs);
  return program;
}

void
vyre_program_unref (VyreProgram *program)
{
  if (program && g_atomic_ref_count_dec (&program->refs))
    program_free (program);
}

const char *
vyre_program_get_id (const VyreProgram *program)
{
  g_return_val_if_fail (program, NULL);
  return program->id;
}

gboolean
vyre_program_check_results (
    const VyreProgram *program, const char *const *reserved, const char *owner, GError **error)
{
  g_return_val_if_fail (program, FALSE);
  g_return_val_if_fail (reserved && owner, FALSE);
  g_return_val_if_fail (!error || !*error, FALSE);
  for (guint i = 0; i < program->results->len; i++) {
    guint32 id = g_array_index (program->results, guint32, i);
    const VyreName *name = &g_array_index (program->names, VyreName, id);

    if (g_strv_contains (reserved, name->name)) {
      vyre_set_error_at (error, VYRE_ERROR_SYNTAX, program->text, name->offset,
          "the name '%s' is taken by %s. Fix: choose another name.", name->name, owner);
      return FALSE;
    }
  }
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the words of the program language, and errors that name a place in
 * the text. Offsets are bytes from the start of the text; it is at most
 * VYRE_TEXT_MAX long, so that they fit into 32 bits.
 */
#pragma once

#include <glib.h>

#include "program/number.h"
#include "vyre/error.h"

G_BEGIN_DECLS

#define VYRE_TEXT_MAX (1u << 20)

/* Kinds below 256 are the ASCII code of a punctuation character. */
typedef enum {
  VYRE_TOKEN_END = 256,
  VYRE_TOKEN_NEWLINE,
  VYRE_TOKEN_NUMBER,
  VYRE_TOKEN_WORD,
  VYRE_TOKEN_RESULT,
  VYRE_TOKEN_ARROW,
  VYRE_TOKEN_AT_MOST,  /* <= */
  VYRE_TOKEN_AT_LEAST, /* >= */
  VYRE_TOKEN_EQUAL,    /* == */
  VYRE_TOKEN_VALUE,    /* "$name" or "$name.field" */
  VYRE_TOKEN_STRING,   /* with its quotes */
} VyreTokenKind;

typedef struct {
  guint kind;
  guint32 offset;
  guint32 length;
  VyreNumber number;
} VyreToken;

typedef struct {
  const char *text; /* NUL-terminated */
  guint32 at;
  gboolean values;   /* there are values of results */
  gboolean compares; /* the text is a condition's: there are comparisons, and values of results */
  VyreToken token;   /* the current one */
} VyreLexer;

gboolean vyre_text_check (const char *text, gsize length, GError **error);
gboolean vyre_lexer_next (VyreLexer *lexer, GError **error);
gboolean vyre_lexer_next_result (VyreLexer *lexer, GError **error);
gboolean vyre_lexer_is (const VyreLexer *lexer, const char *word);
char *vyre_lexer_describe (const VyreLexer *lexer);
void vyre_set_error_at (GError **error, VyreError code, const char *text, guint32 offset,
    const char *format, ...) G_GNUC_PRINTF (5, 6);
void vyre_set_error_at_valist (GError **error, VyreError code, const char *text, guint32 offset,
    const char *format, va_list args) G_GNUC_PRINTF (5, 0);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/lexer.h"
#include "program/lookalike.h"

#include <string.h>

/* The most bytes of a word that a message shows: the position names it well enough, and the text
 * may be a private file instead of a program. */
#define QUOTE_MAX 24

/*
 * Sets @error to "LINE:COL: " and the formatted message; both count from 1, a
 * column is a byte.
 */
void
vyre_set_error_at_valist (GError **error, VyreError code, const char *text, guint32 offset,
    const char *format, va_list args)
{
  g_autofree char *message = g_strdup_vprintf (format, args);
  guint line = 1;
  guint32 line_start = 0;

  for (guint32 i = 0; i < offset; i++) {
    if (text[i] == '\n') {
      line++;
      line_start = i + 1;
    }
  }
  g_set_error (error, VYRE_ERROR, code, "%u:%u: %s", line, offset - line_start + 1, message);
}

void
vyre_set_error_at (
    GError **error, VyreError code, const char *text, guint32 offset, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  vyre_set_error_at_valist (error, code, text, offset, format, args);
  va_end (args);
}

static gboolean
lexer_allows_character (const char *at, gunichar c)
{
  if (c == '\t' || c == '\n')
    return TRUE;
  if (c == '\r')
    return at[1] == '\n';
  return !g_unichar_iscntrl (c);
}

/* Checks the text as a whole: its length, that it is UTF-8, and that it has no control characters.
 * The errors quote nothing of it. @text is NUL-terminated after @length bytes; a NUL among these is
 * an error. */
gboolean
vyre_text_check (const char *text, gsize length, GError **error)
{
  const char *end = NULL;

  if (length > VYRE_TEXT_MAX) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "The program is %" G_GSIZE_FORMAT " bytes long and the limit is %u. Fix: split it into "
        "several programs.",
        length, VYRE_TEXT_MAX);
    return FALSE;
  }
  if (vyre_text_is_utf16 (text, length)) {
    vyre_set_error_at (
        error, VYRE_ERROR_SYNTAX, text, 0, "this is UTF-16 text. Fix: save the program as UTF-8.");
    return FALSE;
  }
  if (!g_utf8_validate_len (text, length, &end)) {
    vyre_set_error_at (error, VYRE_ERROR_SYNTAX, text, (guint32)(end - text),
        "this is not UTF-8 text. Fix: save the program as UTF-8 without NUL bytes.");
    return FALSE;
  }
  for (const char *at = text; at < text + length; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (!lexer_allows_character (at, c)) {
      vyre_set_error_at (error, VYRE_ERROR_SYNTAX, text, (guint32)(at - text),
          "control character U+%04X. Fix: remove it; only tab and line ends are allowed.", c);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
lexer_is_word_character (char c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '.';
}

static void
lexer_skip_blanks (VyreLexer *lexer)
{
  const char *text = lexer->text;

  while (text[lexer->at] == ' ' || text[lexer->at] == '\t' || text[lexer->at] == '\r')
    lexer->at++;
  if (text[lexer->at] == '#') {
    while (text[lexer->at] != '\0' && text[lexer->at] != '\n')
      lexer->at++;
  }
}

/* Makes the bytes from @start to where the lexer stands the current token. */
static void
lexer_set_token (VyreLexer *lexer, guint kind, guint32 start)
{
  lexer->token.kind = kind;
  lexer->token.offset = start;
  lexer->token.length = lexer->at - start;
}

/* Reads digits of @base at the lexer's place onto *@number, which stays above 32 bits once it is.
 */
static guint
lexer_read_digits (VyreLexer *lexer, guint base, guint64 *number)
{
  const char *text = lexer->text;
  guint32 first = lexer->at;

  for (; g_ascii_isxdigit (text[lexer->at]); lexer->at++) {
    guint digit = (guint)g_ascii_xdigit_value (text[lexer->at]);

    if (digit >= base)
      break;
    if (*number <= G_MAXUINT64 / 32)
      *number = *number * base + digit;
  }
  return lexer->at - first;
}

/* Reads what stands behind the point of a number, up to VYRE_DIVISOR_DIGITS digits. */
static gboolean
lexer_read_fraction (VyreLexer *lexer, VyreNumber *number, GError **error)
{
  guint32 start = lexer->at++;
  guint digits = lexer_read_digits (lexer, 10, &number->value);

  if (digits > VYRE_DIVISOR_DIGITS) {
    vyre_set_error_at (error, VYRE_ERROR_SYNTAX, lexer->text, start,
        "the number has more than nine digits behind the point. Fix: round it.");
    return FALSE;
  }
  for (guint i = 0; i < digits; i++)
    number->divisor *= 10;
  return TRUE;
}

static gboolean
lexer_fail_number (VyreLexer *lexer, guint32 start, const char *message, GError **error)
{
  vyre_set_error_at (error, VYRE_ERROR_SYNTAX, lexer->text, start, "%s", message);
  return FALSE;
}

static gboolean
lexer_read_number (VyreLexer *lexer, GError **error)
{
  const char *text = lexer->text;
  guint32 start = lexer->at;
  gboolean hex = text[start] == '0' && (text[start + 1] == 'x' || text[start + 1] == 'X');
  VyreNumber number = { 0, 1 };

  lexer->at = start + (hex ? 2 : 0);
  gboolean found = lexer_read_digits (lexer, hex ? 16 : 10, &number.value) > 0;
  gboolean above = number.value > G_MAXUINT32;
  if (found && !above && !hex && text[lexer->at] == '.' && g_ascii_isdigit (text[lexer->at + 1])
      && !lexer_read_fraction (lexer, &number, error))
    return FALSE;
  lexer_set_token (lexer, VYRE_TOKEN_NUMBER, start);
  if (!found || lexer_is_word_character (text[lexer->at]))
    return lexer_fail_number (lexer, start,
        "this is not a number. Fix: write a decimal number such as 17 or 0.1, or a hexadecimal one "
        "such as 0x11.",
        error);
  if (above)
    return lexer_fail_number (lexer, start,
        "the number is above 4294967295. Fix: use a number that fits into 32 bits.", error);
  lexer->token.number = number;
  return TRUE;
}

/*
 * A result name may hold '-', which is an operator anywhere else. It ends before
 * "->", so that "&a->b" reads as one expects.
 */
static void
lexer_skip_name (VyreLexer *lexer)
{
  const char *text = lexer->text;

  while (g_ascii_islower (text[lexer->at]) || g_ascii_isdigit (text[lexer->at])
         || (text[lexer->at] == '-' && text[lexer->at + 1] != '>'))
    lexer->at++;
}

/* Reads a result name, or, behind '$', the value of a result, "$name" or "$name.field". */
static gboolean
lexer_read_result (VyreLexer *lexer, GError **error)
{
  const char *text = lexer->text;
  guint32 start = lexer->at;
  gboolean is_value = text[start] == '$';

  lexer->at += is_value;
  lexer_skip_name (lexer);
  if (is_value && text[lexer->at] == '.') {
    lexer->at++;
    lexer_skip_name (lexer);
  }
  lexer_set_token (lexer, is_value ? VYRE_TOKEN_VALUE : VYRE_TOKEN_RESULT, start);
  if (lexer_is_word_character (text[lexer->at])) {
    vyre_set_error_at (error, VYRE_ERROR_SYNTAX, text, lexer->at,
        "'%c' cannot be part of a result name. Fix: use only a-z, 0-9 and '-', and a letter "
        "first.",
        text[lexer->at]);
    return FALSE;
  }
  return TRUE;
}

/* Fails a string that does not end on its line, at the curly quote that was to end it if there is
 * one. */
static gboolean
lexer_fail_string (const VyreLexer *lexer, guint32 start, GError **error)
{
  const char *text = lexer->text;
  char quote = text[start];

  for (const char *at = text + start + 1; at < text + lexer->at; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    if (c > 0x7f && vyre_lookalike (c) == quote) {
      vyre_set_error_at (error, VYRE_ERROR_SYNTAX, text, (guint32)(at - text),
          "'%.*s' (U+%04X) does not end a string. Fix: write %c instead.",
          (int)(g_utf8_next_char (at) - at), at, c, quote);
      return FALSE;
    }
  }
  vyre_set_error_at (error, VYRE_ERROR_SYNTAX, text, start,
      "the string does not end on its line. Fix: close it with %c.", quote);
  return FALSE;
}

/* A string has no escapes; one that holds a quote of one kind is put into the other. */
static gboolean
lexer_read_string (VyreLexer *lexer, GError **error)
{
  const char *text = lexer->text;
  guint32 start = lexer->at++;

  while (text[lexer->at] != text[start]) {
    if (text[lexer->at] == '\0' || text[lexer->at] == '\n')
      return lexer_fail_string (lexer, start, error);
    lexer->at++;
  }
  lexer->at++;
  lexer_set_token (lexer, VYRE_TOKEN_STRING, start);
  return TRUE;
}

/* Tokens of two characters. */
static const struct {
  char text[3];
  gboolean compares; /* only in conditions */
  guint kind;
} lexer_pairs[] = {
  { "->", FALSE, VYRE_TOKEN_ARROW },
  { "<=", FALSE, VYRE_TOKEN_AT_MOST },
  { ">=", TRUE, VYRE_TOKEN_AT_LEAST },
  { "==", TRUE, VYRE_TOKEN_EQUAL },
};

static gboolean
lexer_read_pair (VyreLexer *lexer)
{
  guint32 start = lexer->at;

  for (guint i = 0; i < G_N_ELEMENTS (lexer_pairs); i++) {
    if (strncmp (lexer->text + start, lexer_pairs[i].text, 2) != 0
        || (lexer_pairs[i].compares && !lexer->compares))
      continue;
    lexer->at += 2;
    lexer_set_token (lexer, lexer_pairs[i].kind, start);
    return TRUE;
  }
  return FALSE;
}

static gboolean
lexer_read_punctuation (VyreLexer *lexer, GError **error)
{
  const char *text = lexer->text;
  guint32 start = lexer->at;
  char c = text[start];

  if (lexer_read_pair (lexer))
    return TRUE;
  if (strchr (",;:()+-*/%{}[]|@=&", c) == NULL && !(lexer->compares && (c == '<' || c == '>'))) {
    gunichar u = g_utf8_get_char (text + start);
    g_autofree char *shown
        = g_strndup (text + start, (gsize)(g_utf8_next_char (text + start) - (text + start)));
    g_autofree char *fix = vyre_lookalike_fix (u);

    vyre_set_error_at (error, VYRE_ERROR_SYNTAX, text, start,
        "'%s' (U+%04X) has no meaning here. Fix: %s.", shown, u, fix);
    return FALSE;
  }
  lexer->at++;
  lexer_set_token (lexer, (guint)c, start);
  return TRUE;
}

/* Reads the next token, a result name where @result_follows and a letter stands there. */
static gboolean
lexer_read (VyreLexer *lexer, gboolean result_follows, GError **error)
{
  lexer_skip_blanks (lexer);
  guint32 start = lexer->at;
  char c = lexer->text[start];
  if (c == '\0') {
    lexer_set_token (lexer, VYRE_TOKEN_END, start);
    return TRUE;
  }
  if (c == '\n') {
    lexer->at++;
    lexer_set_token (lexer, VYRE_TOKEN_NEWLINE, start);
    return TRUE;
  }
  if (g_ascii_isdigit (c))
    return lexer_read_number (lexer, error);
  if (c == '"' || c == '\'')
    return lexer_read_string (lexer, error);
  if ((result_follows && g_ascii_islower (c))
      || ((lexer->compares || lexer->values) && c == '$'
          && g_ascii_islower (lexer->text[start + 1])))
    return lexer_read_result (lexer, error);
  if (g_ascii_isalpha (c) || c == '_') {
    while (lexer_is_word_character (lexer->text[lexer->at]))
      lexer->at++;
    lexer_set_token (lexer, VYRE_TOKEN_WORD, start);
    return TRUE;
  }
  return lexer_read_punctuation (lexer, error);
}

/*
 * Reads the next token. At the end of the text it stays VYRE_TOKEN_END for good.
 * The text must have passed vyre_text_check().
 */
gboolean
vyre_lexer_next (VyreLexer *lexer, GError **error)
{
  gboolean result_follows = lexer->token.kind == VYRE_TOKEN_ARROW || lexer->token.kind == '&';

  return lexer_read (lexer, result_follows, error);
}

/* The same, behind a keyword that a result name follows. */
gboolean
vyre_lexer_next_result (VyreLexer *lexer, GError **error)
{
  return lexer_read (lexer, TRUE, error);
}

/* Whether the current token is the keyword @word, in any case. */
gboolean
vyre_lexer_is (const VyreLexer *lexer, const char *word)
{
  const VyreToken *token = &lexer->token;

  return token->kind == VYRE_TOKEN_WORD && strlen (word) == token->length
         && g_ascii_strncasecmp (lexer->text + token->offset, word, token->length) == 0;
}

/* The current token as messages show it; free with g_free(). */
char *
vyre_lexer_describe (const VyreLexer *lexer)
{
  const VyreToken *token = &lexer->token;

  if (token->kind == VYRE_TOKEN_END)
    return g_strdup ("the end of the program");
  if (token->kind == VYRE_TOKEN_NEWLINE)
    return g_strdup ("the end of the line");
  if (token->kind == VYRE_TOKEN_STRING)
    return g_strdup ("a text in quotes");
  return g_strdup_printf ("'%.*s%s'", (int)MIN (token->length, QUOTE_MAX),
      lexer->text + token->offset, token->length > QUOTE_MAX ? "..." : "");
}

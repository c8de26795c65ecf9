/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/lookalike.h"

#include <string.h>

/* Ranges that look like no character of ASCII. */
#define ARROW '>'
#define INVISIBLE '\0'

/* From @first to @last: characters that look like @ascii. */
static const struct {
  gunichar first;
  gunichar last;
  char ascii;
} lookalikes[] = {
  { '>', '>', ARROW }, { '`', '`', '\'' }, { 0x00a0, 0x00a0, ' ' }, /* no-break space */
  { 0x00ab, 0x00ab, '"' },                                          /* guillemets */
  { 0x00ad, 0x00ad, INVISIBLE },                                    /* soft hyphen */
  { 0x00b4, 0x00b4, '\'' }, { 0x00b7, 0x00b7, '*' }, { 0x00bb, 0x00bb, '"' },
  { 0x00d7, 0x00d7, '*' }, { 0x00f7, 0x00f7, '/' }, { 0x02bc, 0x02bc, '\'' },
  { 0x037e, 0x037e, ';' }, { 0x060c, 0x060c, ',' }, { 0x1680, 0x1680, ' ' },
  { 0x2000, 0x200a, ' ' },                           /* from en quad to hair space */
  { 0x200b, 0x200f, INVISIBLE },                     /* of no width, and marks of direction */
  { 0x2010, 0x2015, '-' },                           /* hyphens and dashes */
  { 0x2018, 0x201b, '\'' },                          /* curly quotes */
  { 0x201c, 0x201f, '"' }, { 0x2028, 0x2029, '\n' }, /* separators of lines and paragraphs */
  { 0x202a, 0x202e, INVISIBLE }, { 0x202f, 0x202f, ' ' }, { 0x2032, 0x2032, '\'' }, /* primes */
  { 0x2033, 0x2033, '"' }, { 0x2039, 0x203a, '\'' }, { 0x2044, 0x2044, '/' },
  { 0x205f, 0x205f, ' ' }, { 0x2060, 0x2064, INVISIBLE }, { 0x2192, 0x2192, ARROW },
  { 0x21d2, 0x21d2, ARROW }, { 0x2212, 0x2212, '-' }, /* minus */
  { 0x2215, 0x2215, '/' }, { 0x2217, 0x2217, '*' }, { 0x22c5, 0x22c5, '*' },
  { 0x2794, 0x2794, ARROW }, { 0x279c, 0x279c, ARROW }, { 0x27f6, 0x27f6, ARROW },
  { 0x3000, 0x3000, ' ' }, { 0x3001, 0x3001, ',' }, { 0xfe58, 0xfe58, '-' },
  { 0xfe63, 0xfe63, '-' },
  { 0xfeff, 0xfeff, INVISIBLE }, /* a byte order mark that is not the first character */
};

/* Behind the mark that some editors put in front of UTF-8. */
const char *
vyre_text_skip_mark (const char *text)
{
  return g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text;
}

/* Whether a text starts with the mark of UTF-16. */
gboolean
vyre_text_is_utf16 (const char *text, gsize length)
{
  return length >= 2 && (memcmp (text, "\xff\xfe", 2) == 0 || memcmp (text, "\xfe\xff", 2) == 0);
}

/* The index of the range that has @c, or -1. */
static gint
lookalike_find (gunichar c)
{
  for (guint i = 0; i < G_N_ELEMENTS (lookalikes); i++) {
    if (c >= lookalikes[i].first && c <= lookalikes[i].last)
      return (gint)i;
  }
  return -1;
}

/* The quote, space or operator that @c looks like; 0 if there is none. */
char
vyre_lookalike (gunichar c)
{
  gint found = lookalike_find (c);

  return found < 0 ? '\0' : lookalikes[found].ascii;
}

static char *
lookalike_describe (char ascii)
{
  switch (ascii) {
    case ARROW:
      return g_strdup ("write '->' instead");
    case INVISIBLE:
      return g_strdup ("remove it; most editors do not show it");
    case ' ':
      return g_strdup ("write a space instead");
    case '\n':
      return g_strdup ("write a line feed instead");
    case '\'':
    case '"':
      return g_strdup ("write \" or ' instead");
    default:
      return g_strdup_printf ("write '%c' instead", ascii);
  }
}

/* The advice for @c, which has no meaning outside of comments and strings; free with g_free(). */
char *
vyre_lookalike_fix (gunichar c)
{
  gboolean wide = c >= 0xff01 && c <= 0xff5e; /* as those of Chinese and Japanese */
  gunichar narrow = wide ? c - 0xff01 + '!' : c;
  gint found = lookalike_find (narrow);

  if (found >= 0)
    return lookalike_describe (lookalikes[found].ascii);
  if (wide)
    return lookalike_describe ((char)narrow);
  if (c > 0x7f && g_unichar_digit_value (c) >= 0)
    return g_strdup_printf ("write '%d' instead", g_unichar_digit_value (c));
  if (c > 0x7f && g_unichar_isalpha (c))
    return g_strdup ("use the letters from a to z; others may stand in comments");
  return g_strdup ("remove it; a comment starts with '#'");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ": type 'unit'" behind the name of a result: the numbers that its words are, and their unit.
 */
#include "program/statements.h"

#include <string.h>

#define UNIT_MAX 64
#define FIXED_POINT "2^-"
#define FIXED_POINT_MAX 64

/* The types of numbers, and the words of one. */
static const struct {
  const char *name;
  VyreResultType type;
  guint words;
  gboolean is_signed;
} result_types[] = {
  { "u32", VYRE_RESULT_U32, 1, FALSE },
  { "u64", VYRE_RESULT_U64, 2, FALSE },
  { "i32", VYRE_RESULT_I32, 1, TRUE },
  { "i64", VYRE_RESULT_I64, 2, TRUE },
  { "f32", VYRE_RESULT_F32, 1, TRUE },
  { "f64", VYRE_RESULT_F64, 2, TRUE },
};

/* Gives @name the type that the current token names. */
static gboolean
result_parse_type (VyreParser *parser, VyreName *name)
{
  const VyreToken *token = &parser->lexer.token;
  guint i = 0;

  while (i < G_N_ELEMENTS (result_types) && !vyre_lexer_is (&parser->lexer, result_types[i].name))
    i++;
  if (i == G_N_ELEMENTS (result_types))
    return vyre_parser_unexpected (parser, "a type: u32, u64, i32, i64, f32 or f64");
  if (name->words % result_types[i].words != 0)
    return vyre_parser_fail (parser, token->offset,
        "the result '%.40s' has %u word%s, and '%s' takes 2 for each number. Fix: use u32, i32 or "
        "f32, or an even number of words.",
        name->name, name->words, name->words == 1 ? "" : "s", result_types[i].name);
  name->type = result_types[i].type;
  name->is_signed = result_types[i].is_signed;
  return vyre_parser_next (parser);
}

/* Whether a unit is that of a number, or "2^-N" of fixed point. */
static gboolean
result_is_unit (const char *unit)
{
  gsize fixed = strlen (FIXED_POINT);

  if (*unit == '\0' || strlen (unit) > UNIT_MAX || strchr (unit, ' ') || strchr (unit, '\t'))
    return FALSE;
  return strncmp (unit, FIXED_POINT, fixed) != 0
         || g_ascii_string_to_unsigned (unit + fixed, 10, 0, FIXED_POINT_MAX, NULL, NULL);
}

/* Reads the unit, which is a string. */
static gboolean
result_parse_unit (VyreParser *parser, VyreName *name)
{
  const VyreToken *token = &parser->lexer.token;
  const char *unit = g_string_chunk_insert_len (parser->program->strings,
      parser->program->text + token->offset + 1, (gssize)token->length - 2);

  if (!result_is_unit (unit))
    return vyre_parser_fail (parser, token->offset,
        "this is not a unit. Fix: write up to %d bytes without a space, such as 'Hz', or '2^-N' "
        "with N up to %d for fixed point.",
        UNIT_MAX, FIXED_POINT_MAX);
  name->units = unit;
  return vyre_parser_next (parser);
}

/*
 * Reads ": type" or ": type 'unit'" of the result @id, whose name is at @offset, if a colon is the
 * current token.
 */
gboolean
vyre_parser_result_type (VyreParser *parser, guint32 id, guint32 offset)
{
  VyreName *name = &g_array_index (parser->program->names, VyreName, id);
  const VyreToken *token = &parser->lexer.token;

  if (token->kind != ':')
    return TRUE;
  if (name->offset != offset)
    return vyre_parser_fail (parser, token->offset,
        "the result '%.40s' is defined further up. Fix: declare its type there.", name->name);
  if (name->type != VYRE_RESULT_U32 && name->type != VYRE_RESULT_WORDS)
    return vyre_parser_fail (parser, token->offset,
        "the result '%.40s' has fields, each with its type. Fix: leave out ':' and the type.",
        name->name);
  if (!vyre_parser_next (parser) || !result_parse_type (parser, name))
    return FALSE;
  return token->kind != VYRE_TOKEN_STRING || result_parse_unit (parser, name);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Conditions over results: comparisons of two expressions.
 */
#include "program/statements.h"

static gboolean
condition_parse_kind (VyreParser *parser, VyreComparison *comparison)
{
  comparison->kind = parser->lexer.token.kind;
  switch (comparison->kind) {
    case '<':
    case '>':
    case VYRE_TOKEN_AT_MOST:
    case VYRE_TOKEN_AT_LEAST:
    case VYRE_TOKEN_EQUAL:
      return vyre_parser_next (parser);
    default:
      return vyre_parser_unexpected (parser, "a comparison: <, <=, >, >= or ==");
  }
}

static gboolean
condition_parse_comparison (VyreParser *parser, VyreConditionStatement *condition)
{
  VyreComparison comparison;

  if (!vyre_parser_expr (parser, &comparison.left) || !condition_parse_kind (parser, &comparison)
      || !vyre_parser_expr (parser, &comparison.right))
    return FALSE;
  g_array_append_val (parser->program->comparisons, comparison);
  condition->n++;
  return TRUE;
}

/* Reads "left comparison right and left comparison right …". The lexer compares already: its
 * current token is the first. */
gboolean
vyre_parser_condition (VyreParser *parser, VyreConditionStatement *condition)
{
  *condition = (VyreConditionStatement){ parser->program->comparisons->len, 0 };
  while (condition_parse_comparison (parser, condition)) {
    if (!vyre_lexer_is (&parser->lexer, "and"))
      return TRUE;
    if (!vyre_parser_next (parser))
      return FALSE;
  }
  return FALSE;
}

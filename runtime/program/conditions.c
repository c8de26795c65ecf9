/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Conditions over results: comparisons of two expressions.
 */
#include "program/statements.h"

static gboolean
condition_parse_comparison (VyreParser *parser, VyreConditionStatement *condition)
{
  condition->comparison = parser->lexer.token.kind;
  switch (condition->comparison) {
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

/* Reads "left comparison right". The lexer compares already: its current token is the first. */
gboolean
vyre_parser_condition (VyreParser *parser, VyreConditionStatement *condition)
{
  return vyre_parser_expr (parser, &condition->left)
         && condition_parse_comparison (parser, condition)
         && vyre_parser_expr (parser, &condition->right);
}

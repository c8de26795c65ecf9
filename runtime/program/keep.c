/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The statement that decides which payload is the reference.
 */
#include "program/statements.h"

#define KEEP_USAGE "'keep reference when &result <= limit'"

/* Steps over a keyword, or fails. */
static gboolean
keep_parse_word (VyreParser *parser, const char *word)
{
  if (!vyre_lexer_is (&parser->lexer, word))
    return vyre_parser_unexpected (parser, KEEP_USAGE);
  return vyre_parser_next (parser);
}

/* Reads "&result". */
static gboolean
keep_parse_result (VyreParser *parser)
{
  if (!vyre_parser_expect (parser, '&', KEEP_USAGE))
    return FALSE;
  if (parser->lexer.token.kind != VYRE_TOKEN_RESULT)
    return vyre_parser_unexpected (parser, "the name of a result after '&'");
  parser->keep_offset = parser->lexer.token.offset;
  parser->program->keep_name = (gint)vyre_parser_find_result (parser);
  return vyre_parser_next (parser);
}

/* Reads "keep reference when &result <= limit". */
gboolean
vyre_parser_keep (VyreParser *parser)
{
  guint32 offset = parser->lexer.token.offset;

  if (parser->program->keep_name >= 0)
    return vyre_parser_fail (
        parser, offset, "the program decides over the reference twice. Fix: keep one of them.");
  return vyre_parser_next (parser) && keep_parse_word (parser, "reference")
         && keep_parse_word (parser, "when") && keep_parse_result (parser)
         && vyre_parser_expect (parser, VYRE_TOKEN_AT_MOST, KEEP_USAGE)
         && vyre_parser_expr (parser, &parser->program->keep_limit);
}

/* Checks, behind the whole text, whether a program that reads a reference has one, and whether the
 * result that decides is a number. */
gboolean
vyre_parser_check_keep (VyreParser *parser)
{
  const VyreProgram *program = parser->program;

  if (program->keep_name < 0) {
    return !parser->reads_reference
           || vyre_parser_fail (parser, parser->reference_offset,
               "no statement says which payload is the reference. Fix: add " KEEP_USAGE ".");
  }
  const VyreName *name = &g_array_index (program->names, VyreName, program->keep_name);
  return name->words <= 2
         || vyre_parser_fail (parser, parser->keep_offset,
             "the result '%.40s' has %u words. Fix: name one of one word, or of two, low and high.",
             name->name, name->words);
}

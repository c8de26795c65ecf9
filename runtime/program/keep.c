/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The statement that decides which payload is the reference.
 */
#include "program/statements.h"

#define KEEP_USAGE "'keep reference when $result <= limit'"

/* Steps over a keyword, or fails. */
static gboolean
keep_parse_word (VyreParser *parser, const char *word)
{
  if (!vyre_lexer_is (&parser->lexer, word))
    return vyre_parser_unexpected (parser, KEEP_USAGE);
  return vyre_parser_next (parser);
}

/* Reads "keep reference when condition". */
gboolean
vyre_parser_keep (VyreParser *parser)
{
  VyreProgram *program = parser->program;
  guint32 offset = parser->lexer.token.offset;

  if (program->keep.n > 0)
    return vyre_parser_fail (
        parser, offset, "the program decides over the reference twice. Fix: keep one of them.");
  parser->lexer.compares = TRUE;
  gboolean parsed = vyre_parser_next (parser) && keep_parse_word (parser, "reference")
                    && keep_parse_word (parser, "when")
                    && vyre_parser_condition (parser, &program->keep);
  parser->lexer.compares = FALSE;
  return parsed;
}

/* Checks, behind the whole text, whether a program that reads a reference, or follows it, has one.
 */
gboolean
vyre_parser_check_keep (VyreParser *parser)
{
  if (parser->reads_reference && parser->program->keep.n == 0)
    return vyre_parser_fail (parser, parser->reference_offset,
        "no statement says which payload is the reference. Fix: add " KEEP_USAGE ".");
  return !parser->follows_reference || parser->reads_reference
         || vyre_parser_fail (parser, parser->follows_offset,
             "no statement reads the reference. Fix: compare the payload with it, in "
             "sample_difference luma, reference(luma), 0 -> change.");
}

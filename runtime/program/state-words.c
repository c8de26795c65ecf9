/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Declarations of state: observables that start as the batch before left them.
 */
#include "program/statements.h"

/* Statements of one lane may write the first word by the name. */
static const VyreOpcode words_of_state = { .target = VYRE_TARGET_WORD, .type = VYRE_RESULT_WORDS };

/* Reads "[n]". */
static gboolean
state_parse_size (VyreParser *parser, guint *words)
{
  VyreOperands operands = { 0 };

  if (!vyre_parser_expect (parser, '[', "'[', the number of words and ']'")
      || !vyre_parser_word_count (parser, &operands)
      || !vyre_parser_expect (parser, ']', "']' behind the number of words"))
    return FALSE;
  *words = operands.words;
  return TRUE;
}

/* Adds words to those of the program; words that touch are one range. */
static void
state_add_words (GArray *states, guint observable, guint n_words)
{
  VyreWords words = { observable, n_words };
  VyreWords *last = states->len > 0 ? &g_array_index (states, VyreWords, states->len - 1) : NULL;

  if (last && last->observable + last->n_words == observable)
    last->n_words += n_words;
  else
    g_array_append_val (states, words);
}

/* Reads "state name[n]", whose name is a result's. */
gboolean
vyre_parser_state (VyreParser *parser)
{
  VyreProgram *program = parser->program;
  const VyreToken *token = &parser->lexer.token;
  guint words;

  if (!vyre_lexer_next_result (&parser->lexer, parser->error))
    return FALSE;
  if (token->kind != VYRE_TOKEN_RESULT)
    return vyre_parser_unexpected (parser, "a result name of a-z, 0-9 and '-' behind 'state'");
  guint32 id = vyre_parser_find_result (parser);
  const VyreName *name = &g_array_index (program->names, VyreName, id);
  if (name->defined)
    return vyre_parser_fail (parser, token->offset,
        "the result '%.40s' is defined already. Fix: declare it once, in front of the statements "
        "that write it.",
        name->name);
  guint32 offset = token->offset, first = parser->next_observable;
  if (!vyre_parser_next (parser) || !state_parse_size (parser, &words)
      || !vyre_parser_define_result (parser, id, offset, &words_of_state, words, -1))
    return FALSE;
  state_add_words (program->states, first, words);
  return TRUE;
}

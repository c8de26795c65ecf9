/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Declarations of state: observables that start as the batch before left them, or as what follows
 * from its results.
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

/* Takes a value, of a result that is defined, for what state starts as: its words are copied. */
static gboolean
state_copy_value (VyreParser *parser, VyreValue *value, VyreState *state, gboolean *is_signed)
{
  const VyreName *name = &g_array_index (parser->program->names, VyreName, value->name);
  if (!name->defined)
    return vyre_parser_fail (parser, value->offset,
        "no statement in front of this one computes a result '%.40s'. Fix: move the state behind "
        "it.",
        name->name);
  if (!vyre_parser_resolve_value (parser, value))
    return FALSE;
  state->n_words = value->n_words;
  *is_signed = value->is_signed;
  state->source = g_array_index (parser->program->observables, guint32, value->name) + value->word;
  return TRUE;
}

/* Reads "from expression". A value alone is copied, anything else is a formula for one word. */
static gboolean
state_parse_source (VyreParser *parser, VyreStateStatement *statement, gboolean *is_signed)
{
  VyreProgram *program = parser->program;
  guint at = program->values->len;
  guint formulas = 0;

  parser->lexer.compares = TRUE;
  gboolean parsed = vyre_parser_next (parser) && vyre_parser_expr (parser, &statement->from);
  parser->lexer.compares = FALSE;
  if (!parsed)
    return FALSE;
  const VyreNode *nodes = &g_array_index (program->nodes, VyreNode, statement->from.first);
  for (guint32 i = 0; i < statement->from.n; i++)
    formulas += nodes[i].kind == VYRE_NODE_FORMULA;
  if (formulas == 0 && program->values->len == at)
    return vyre_parser_fail (parser, nodes[0].offset,
        "the number depends on no result. Fix: name a value, such as '$luma.sum', or use 'let'.");
  statement->state.n_words = 1;
  VyreValue *value = &g_array_index (program->values, VyreValue, at);
  if (statement->from.n > 1 || formulas > 0 || value->optional)
    return TRUE;
  statement->from.n = 0;
  return state_copy_value (parser, value, &statement->state, is_signed);
}

/* Adds words to those of the program; copied words that touch are one range. */
static void
state_add_words (GArray *states, const VyreStateStatement *statement)
{
  const VyreState *state = &statement->state;
  VyreStateStatement *last
      = states->len > 0 ? &g_array_index (states, VyreStateStatement, states->len - 1) : NULL;

  if (last && last->from.n == 0 && statement->from.n == 0
      && last->state.observable + last->state.n_words == state->observable
      && last->state.source + last->state.n_words == state->source)
    last->state.n_words += state->n_words;
  else
    g_array_append_val (states, *statement);
}

/* Reads "state name[n]" or "state name from expression", and a type; the name is a result's. */
gboolean
vyre_parser_state (VyreParser *parser)
{
  VyreProgram *program = parser->program;
  const VyreToken *token = &parser->lexer.token;
  gboolean is_signed = FALSE;
  VyreStateStatement statement = { 0 };
  VyreState *state = &statement.state;

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
  guint32 offset = token->offset;
  state->observable = state->source = parser->next_observable;
  if (!vyre_parser_next (parser))
    return FALSE;
  if (vyre_lexer_is (&parser->lexer, "from") ? !state_parse_source (parser, &statement, &is_signed)
                                             : !state_parse_size (parser, &state->n_words))
    return FALSE;
  if (!vyre_parser_define_result (parser, id, offset, &words_of_state, state->n_words, -1))
    return FALSE;
  g_array_index (program->names, VyreName, id).is_signed = is_signed;
  state_add_words (program->states, &statement);
  return vyre_parser_result_type (parser, id, offset);
}

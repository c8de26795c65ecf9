/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Declarations of state: observables that start as the batch before left them, or a value of a
 * result.
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

/* Reads "from $result.field", of a result that is defined, and where that value is, and of which
 * kind. */
static gboolean
state_parse_source (VyreParser *parser, guint *words, guint *source, gboolean *is_signed)
{
  GArray *values = parser->program->values;
  guint at = values->len;

  parser->lexer.compares = TRUE;
  gboolean parsed = vyre_parser_next (parser);
  if (parsed && parser->lexer.token.kind != VYRE_TOKEN_VALUE)
    parsed = vyre_parser_unexpected (parser, "a value behind 'from', such as '$luma.sum'");
  parsed = parsed && vyre_parser_value (parser, FALSE);
  parser->lexer.compares = FALSE;
  if (!parsed)
    return FALSE;
  VyreValue *value = &g_array_index (values, VyreValue, at);
  const VyreName *name = &g_array_index (parser->program->names, VyreName, value->name);
  if (!name->defined)
    return vyre_parser_fail (parser, value->offset,
        "no statement in front of this one computes a result '%.40s'. Fix: move the state behind "
        "it.",
        name->name);
  if (!vyre_parser_resolve_value (parser, value))
    return FALSE;
  *words = value->n_words;
  *is_signed = value->is_signed;
  *source = g_array_index (parser->program->observables, guint32, value->name) + value->word;
  return TRUE;
}

/* Adds words to those of the program; words that touch are one range. */
static void
state_add_words (GArray *states, const VyreState *state)
{
  VyreState *last = states->len > 0 ? &g_array_index (states, VyreState, states->len - 1) : NULL;

  if (last && last->observable + last->n_words == state->observable
      && last->source + last->n_words == state->source)
    last->n_words += state->n_words;
  else
    g_array_append_val (states, *state);
}

/* Reads "state name[n]" or "state name from value"; the name is a result's. */
gboolean
vyre_parser_state (VyreParser *parser)
{
  VyreProgram *program = parser->program;
  const VyreToken *token = &parser->lexer.token;
  gboolean is_signed = FALSE;
  VyreState state;

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
  state.observable = state.source = parser->next_observable;
  if (!vyre_parser_next (parser))
    return FALSE;
  if (vyre_lexer_is (&parser->lexer, "from")
          ? !state_parse_source (parser, &state.n_words, &state.source, &is_signed)
          : !state_parse_size (parser, &state.n_words))
    return FALSE;
  if (!vyre_parser_define_result (parser, id, offset, &words_of_state, state.n_words, -1))
    return FALSE;
  g_array_index (program->names, VyreName, id).is_signed = is_signed;
  state_add_words (program->states, &state);
  return TRUE;
}

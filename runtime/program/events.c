/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The statement that turns results into events.
 */
#include "program/statements.h"

#include <string.h>

#define EVENT_USAGE "'event name when $result >= number for 2 s'"

/* Units of time, in ns. */
static const struct {
  const char *name;
  guint32 unit;
} event_units[] = {
  { "s", 1000000000 },
  { "ms", 1000000 },
};

/* Reads the name, which no other event has. */
static gboolean
event_parse_name (VyreParser *parser, VyreEventStatement *event)
{
  VyreProgram *program = parser->program;
  const VyreToken *token = &parser->lexer.token;

  if (!vyre_lexer_next_result (&parser->lexer, parser->error))
    return FALSE;
  if (token->kind != VYRE_TOKEN_RESULT)
    return vyre_parser_unexpected (parser, "a name of a-z, 0-9 and '-' behind 'event'");
  event->name = g_string_chunk_insert_len (
      program->strings, parser->lexer.text + token->offset, (gssize)token->length);
  for (guint i = 0; i < program->events->len; i++) {
    if (g_str_equal (g_array_index (program->events, VyreEventStatement, i).name, event->name))
      return vyre_parser_fail (parser, token->offset,
          "the event '%.40s' is defined twice. Fix: choose another name.", event->name);
  }
  return vyre_parser_next (parser);
}

/* Reads "$name" behind "quiet", as if it were "$name.count". */
static gboolean
event_parse_loud (VyreParser *parser, VyreEventStatement *event)
{
  GArray *values = parser->program->values;
  const VyreToken *token = &parser->lexer.token;

  if (token->kind != VYRE_TOKEN_VALUE
      || memchr (parser->lexer.text + token->offset, '.', token->length))
    return vyre_parser_unexpected (parser, "the result of audio_loud, such as '$loud'");
  event->loud = (VyreExpr){ parser->program->nodes->len, 1 };
  if (!vyre_parser_value (parser, FALSE))
    return FALSE;
  g_array_index (values, VyreValue, values->len - 1).field = "count";
  return TRUE;
}

/* Reads "at rate". */
static gboolean
event_parse_rate (VyreParser *parser, VyreEventStatement *event)
{
  if (!vyre_lexer_is (&parser->lexer, "at"))
    return vyre_parser_unexpected (parser, "'at rate' behind the result of audio_loud");
  parser->lexer.compares = FALSE;
  gboolean parsed = vyre_parser_next (parser) && vyre_parser_expr (parser, &event->rate);
  parser->lexer.compares = TRUE;
  return parsed;
}

/* Reads "quiet $name at rate and condition"; the condition may be left out. */
static gboolean
event_parse_quiet (VyreParser *parser, VyreEventStatement *event)
{
  event->of_quiet = TRUE;
  if (!vyre_parser_next (parser) || !event_parse_loud (parser, event)
      || !event_parse_rate (parser, event))
    return FALSE;
  if (!vyre_lexer_is (&parser->lexer, "and"))
    return TRUE;
  return vyre_parser_next (parser) && vyre_parser_condition (parser, &event->condition);
}

/* Reads "reference stays", "quiet $name at rate", or else a condition of the event's own. */
static gboolean
event_parse_condition (VyreParser *parser, VyreEventStatement *event)
{
  event->of_reference = vyre_lexer_is (&parser->lexer, "reference");
  if (vyre_lexer_is (&parser->lexer, "quiet"))
    return event_parse_quiet (parser, event);
  if (!event->of_reference)
    return vyre_parser_condition (parser, &event->condition);
  if (!parser->follows_reference)
    parser->follows_offset = parser->lexer.token.offset;
  parser->follows_reference = TRUE;
  if (!vyre_parser_next (parser))
    return FALSE;
  if (!vyre_lexer_is (&parser->lexer, "stays"))
    return vyre_parser_unexpected (parser, "'stays' behind 'reference'");
  return vyre_parser_next (parser);
}

/* Reads "while condition", which may be left out. */
static gboolean
event_parse_while (VyreParser *parser, VyreEventStatement *event)
{
  if (event->of_reference || event->of_quiet || !vyre_lexer_is (&parser->lexer, "while"))
    return TRUE;
  return vyre_parser_next (parser) && vyre_parser_condition (parser, &event->while_open);
}

/* Reads "for time unit", which may be left out. */
static gboolean
event_parse_time (VyreParser *parser, VyreEventStatement *event)
{
  event->time = VYRE_EXPR_ZERO;
  if (!vyre_lexer_is (&parser->lexer, "for"))
    return TRUE;
  parser->lexer.compares = FALSE;
  if (!vyre_parser_next (parser) || !vyre_parser_expr (parser, &event->time))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (event_units); i++) {
    if (vyre_lexer_is (&parser->lexer, event_units[i].name)) {
      event->unit = event_units[i].unit;
      return vyre_parser_next (parser);
    }
  }
  return vyre_parser_unexpected (parser, "a unit behind the time: s or ms");
}

/* Reads a name that no other value of the event has. */
static gboolean
event_parse_value_name (VyreParser *parser, VyreEventStatement *event)
{
  VyreProgram *program = parser->program;
  const VyreToken *token = &parser->lexer.token;

  if (!vyre_lexer_next_result (&parser->lexer, parser->error))
    return FALSE;
  if (token->kind != VYRE_TOKEN_RESULT)
    return vyre_parser_unexpected (parser, "a name of a-z, 0-9 and '-' for the value");
  if (event->n_values == VYRE_MOST_EVENT_VALUES)
    return vyre_parser_fail (parser, token->offset,
        "the event has more than %d values. Fix: leave some out.", VYRE_MOST_EVENT_VALUES);
  const char *name = g_string_chunk_insert_len (
      program->strings, parser->lexer.text + token->offset, (gssize)token->length);
  for (guint i = 0; i < event->n_values; i++) {
    if (g_str_equal (event->values[i].name, name))
      return vyre_parser_fail (parser, token->offset,
          "the event has the value '%.40s' twice. Fix: choose another name.", name);
  }
  event->values[event->n_values++].name = name;
  return vyre_parser_next (parser);
}

/* Reads "with name = expression, name = expression …", which may be left out. */
static gboolean
event_parse_values (VyreParser *parser, VyreEventStatement *event)
{
  gboolean more
      = !event->of_reference && !event->of_quiet && vyre_lexer_is (&parser->lexer, "with");

  while (more) {
    if (!event_parse_value_name (parser, event)
        || !vyre_parser_expect (parser, '=', "'=' and the value")
        || !vyre_parser_expr (parser, &event->values[event->n_values - 1].expr))
      return FALSE;
    more = parser->lexer.token.kind == ',';
  }
  return TRUE;
}

static gboolean
event_parse (VyreParser *parser, VyreEventStatement *event)
{
  if (!event_parse_name (parser, event))
    return FALSE;
  if (!vyre_lexer_is (&parser->lexer, "when"))
    return vyre_parser_unexpected (parser, EVENT_USAGE);
  return vyre_parser_next (parser) && event_parse_condition (parser, event)
         && event_parse_while (parser, event) && event_parse_values (parser, event)
         && event_parse_time (parser, event);
}

/* Reads "event name when condition while condition with values for time unit". */
gboolean
vyre_parser_event (VyreParser *parser)
{
  VyreEventStatement event = { 0 };

  if (parser->program->events->len == VYRE_MOST_NAMED)
    return vyre_parser_fail (parser, parser->lexer.token.offset,
        "there are more than %u events. Fix: use fewer.", VYRE_MOST_NAMED);
  parser->lexer.compares = TRUE;
  gboolean parsed = event_parse (parser, &event);
  parser->lexer.compares = FALSE;
  if (parsed)
    g_array_append_val (parser->program->events, event);
  return parsed;
}

/* Fails if the result of an event of quiet samples is none of audio_loud. */
gboolean
vyre_parser_check_events (VyreParser *parser)
{
  const VyreProgram *program = parser->program;

  for (guint i = 0; i < program->events->len; i++) {
    const VyreEventStatement *event = &g_array_index (program->events, VyreEventStatement, i);
    if (!event->of_quiet)
      continue;
    const VyreNode *node = &g_array_index (program->nodes, VyreNode, event->loud.first);
    const VyreValue *value = &g_array_index (program->values, VyreValue, node->value);
    const VyreName *name = &g_array_index (program->names, VyreName, value->name);
    if (name->type != VYRE_RESULT_LOUD)
      return vyre_parser_fail (parser, value->offset,
          "'%.40s' is no result of audio_loud. Fix: name one, such as 'audio_loud channel0, 32 -> "
          "%.40s'.",
          name->name, name->name);
  }
  return TRUE;
}

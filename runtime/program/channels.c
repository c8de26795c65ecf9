/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/statements.h"

#define CHANNEL_USAGE                                                                              \
  "a channel of audio: channel0 to channel255, or audio(offset, length, how they lie)"

/* Reads "audio(offset, length, how they lie)". */
static gboolean
channel_parse_audio (VyreParser *parser, VyreExpr *args)
{
  VyreExpr list[3];

  if (!vyre_parser_list (parser, "audio(offset, length, how they lie)", G_N_ELEMENTS (list), list))
    return FALSE;
  args[VYRE_REGION_ARG_OFFSET] = list[0];
  args[VYRE_REGION_ARG_WIDTH] = list[1];
  args[VYRE_REGION_ARG_SAMPLES] = list[2];
  return TRUE;
}

static gboolean
channel_parse_name (VyreParser *parser, VyreExpr *args)
{
  const VyreToken *token = &parser->lexer.token;
  gint channel = token->kind == VYRE_TOKEN_WORD
                     ? vyre_channel_find (parser->lexer.text + token->offset, token->length)
                     : -1;
  guint32 first = VYRE_FIRST_CHANNEL + (guint32)channel * VYRE_N_CHANNEL_FIELDS;

  if (channel < 0)
    return vyre_parser_unexpected (parser, CHANNEL_USAGE);
  args[VYRE_REGION_ARG_OFFSET]
      = vyre_parser_leaf (parser, VYRE_NODE_SYMBOL, first + VYRE_CHANNEL_OFFSET, token->offset);
  args[VYRE_REGION_ARG_WIDTH]
      = vyre_parser_leaf (parser, VYRE_NODE_SYMBOL, first + VYRE_CHANNEL_LENGTH, token->offset);
  args[VYRE_REGION_ARG_SAMPLES]
      = vyre_parser_leaf (parser, VYRE_NODE_SYMBOL, first + VYRE_CHANNEL_SAMPLES, token->offset);
  return vyre_parser_next (parser);
}

/* Reads a channel of audio: one run of bytes. */
gboolean
vyre_parser_channel (VyreParser *parser, VyreOperands *operands)
{
  VyreExpr *args = operands->args;

  args[VYRE_REGION_ARG_OBSERVABLE] = VYRE_EXPR_ZERO;
  operands->n_args = VYRE_REGION_ARG_SAMPLES + 1;
  if (!(vyre_lexer_is (&parser->lexer, "audio") ? channel_parse_audio (parser, args)
                                                : channel_parse_name (parser, args)))
    return FALSE;
  args[VYRE_REGION_ARG_ROWS] = vyre_parser_leaf (parser, VYRE_NODE_NUMBER, 1, 0);
  args[VYRE_REGION_ARG_STRIDE] = args[VYRE_REGION_ARG_WIDTH];
  return TRUE;
}

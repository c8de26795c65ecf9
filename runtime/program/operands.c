/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/statements.h"

#include <string.h>

#define REGION_USAGE                                                                               \
  "a region: payload, plane0 to plane3, luma, u, v, region(offset, width, rows, stride) or "       \
  "bytes(offset, length)"
#define COMPONENT_USAGE                                                                            \
  "a component: luma, u, v, red, green, blue, alpha, samples(offset, width, rows, stride, how "    \
  "they lie), top, bottom or part of one with a name, or a region of bytes"
#define FIELD_USAGE "a component: luma, u, v, red, green, blue or alpha, or a plane"

static gboolean
operand_parse_region_name (VyreParser *parser, VyreExpr *args, const char *usage)
{
  const VyreToken *token = &parser->lexer.token;
  gint region = vyre_region_find (parser->lexer.text + token->offset, token->length);

  if (token->kind != VYRE_TOKEN_WORD || region < 0)
    return vyre_parser_unexpected (parser, usage);
  guint32 first = parser->first_symbol + (guint32)region * VYRE_N_FIELDS;
  for (guint field = VYRE_FIELD_OFFSET; field <= VYRE_FIELD_STRIDE; field++)
    args[field] = vyre_parser_leaf (parser, VYRE_NODE_SYMBOL, first + field, token->offset);
  return vyre_parser_next (parser);
}

/* Reads a region; @usage names all that may stand here. */
static gboolean
operand_parse_region (VyreParser *parser, VyreOperands *operands, const char *usage)
{
  VyreExpr *args = operands->args;

  G_STATIC_ASSERT (
      VYRE_REGION_ARG_OFFSET == VYRE_FIELD_OFFSET && VYRE_REGION_ARG_WIDTH == VYRE_FIELD_WIDTH
      && VYRE_REGION_ARG_ROWS == VYRE_FIELD_ROWS && VYRE_REGION_ARG_STRIDE == VYRE_FIELD_STRIDE);
  args[VYRE_REGION_ARG_OBSERVABLE] = VYRE_EXPR_ZERO;
  operands->n_args = VYRE_REGION_ARG_OBSERVABLE + 1;
  if (vyre_lexer_is (&parser->lexer, "region"))
    return vyre_parser_list (parser, "region(offset, width, rows, stride)", 4, args);
  if (vyre_lexer_is (&parser->lexer, "bytes")) {
    if (!vyre_parser_list (parser, "bytes(offset, length)", 2, args))
      return FALSE;
    args[VYRE_REGION_ARG_ROWS] = vyre_parser_leaf (parser, VYRE_NODE_NUMBER, 1, 0);
    args[VYRE_REGION_ARG_STRIDE] = args[VYRE_REGION_ARG_WIDTH];
    return TRUE;
  }
  return operand_parse_region_name (parser, args, usage);
}

static gboolean
operand_parse_samples (VyreParser *parser, VyreExpr *args)
{
  VyreExpr list[5];

  if (!vyre_parser_list (
          parser, "samples(offset, width, rows, stride, how they lie)", G_N_ELEMENTS (list), list))
    return FALSE;
  memcpy (args, list, 4 * sizeof *list);
  args[VYRE_REGION_ARG_SAMPLES] = list[4];
  return TRUE;
}

static gboolean
operand_parse_component_name (VyreParser *parser, guint component, VyreExpr *args)
{
  guint32 first = parser->first_symbol + VYRE_FIRST_COMPONENT + component * VYRE_N_COMPONENT_FIELDS;
  guint32 offset = parser->lexer.token.offset;

  for (guint field = VYRE_COMPONENT_OFFSET; field <= VYRE_COMPONENT_STRIDE; field++)
    args[field] = vyre_parser_leaf (parser, VYRE_NODE_SYMBOL, first + field, offset);
  args[VYRE_REGION_ARG_SAMPLES]
      = vyre_parser_leaf (parser, VYRE_NODE_SYMBOL, first + VYRE_COMPONENT_SAMPLES, offset);
  return vyre_parser_next (parser);
}

/* Reads a component, or a plane of bytes, that has a name. */
static gboolean
operand_parse_named (VyreParser *parser, VyreExpr *args, const char *usage)
{
  const VyreToken *token = &parser->lexer.token;
  gint component = token->kind == VYRE_TOKEN_WORD
                       ? vyre_component_find (parser->lexer.text + token->offset, token->length)
                       : -1;

  return component >= 0 ? operand_parse_component_name (parser, (guint)component, args)
                        : operand_parse_region_name (parser, args, usage);
}

/* Reads "top(component)" or "bottom(component)". */
static gboolean
operand_parse_field (VyreParser *parser, VyreExpr *args)
{
  gboolean bottom = vyre_lexer_is (&parser->lexer, "bottom");

  if (!vyre_parser_next (parser)
      || !vyre_parser_expect (parser, '(', "'(' and a component of the field")
      || !operand_parse_named (parser, args, FIELD_USAGE))
    return FALSE;
  vyre_parser_take_field (parser, bottom, args);
  return vyre_parser_expect (parser, ')', "')' behind the component");
}

/* Reads "part(component, x, y, width, height)", of one with a name or a field of it. */
static gboolean
operand_parse_part (VyreParser *parser, VyreExpr *args)
{
  if (!vyre_parser_next (parser)
      || !vyre_parser_expect (parser, '(', "part(component, x, y, width, height)"))
    return FALSE;
  gboolean parsed = vyre_parser_is_field (parser) ? operand_parse_field (parser, args)
                                                  : operand_parse_named (parser, args, FIELD_USAGE);
  return parsed && vyre_parser_take_part (parser, args)
         && vyre_parser_expect (parser, ')', "')' behind the part");
}

/* Reads a component; a region is one of bytes. Fills the arguments up to VYRE_REGION_ARG_SAMPLES.
 */
static gboolean
operand_parse_component (VyreParser *parser, VyreOperands *operands)
{
  const VyreToken *token = &parser->lexer.token;
  VyreExpr *args = operands->args;
  gint component = token->kind == VYRE_TOKEN_WORD
                       ? vyre_component_find (parser->lexer.text + token->offset, token->length)
                       : -1;
  gboolean parsed;

  args[VYRE_REGION_ARG_OBSERVABLE] = VYRE_EXPR_ZERO;
  args[VYRE_REGION_ARG_SAMPLES]
      = vyre_parser_leaf (parser, VYRE_NODE_NUMBER, VYRE_SAMPLES_ARE_BYTES, token->offset);
  if (vyre_lexer_is (&parser->lexer, "samples"))
    parsed = operand_parse_samples (parser, args);
  else if (vyre_parser_is_field (parser))
    parsed = operand_parse_field (parser, args);
  else if (vyre_lexer_is (&parser->lexer, "part"))
    parsed = operand_parse_part (parser, args);
  else if (component >= 0)
    parsed = operand_parse_component_name (parser, (guint)component, args);
  else
    parsed = operand_parse_region (parser, operands, COMPONENT_USAGE);
  operands->n_args = VYRE_REGION_ARG_SAMPLES + 1;
  return parsed;
}

/* The payload that a region in parentheses behind the current token is of. */
static guint32
operand_find_from (VyreParser *parser)
{
  if (vyre_lexer_is (&parser->lexer, "previous"))
    return VYRE_FROM_PREVIOUS;
  if (!vyre_lexer_is (&parser->lexer, "reference"))
    return VYRE_FROM_OWN;
  if (!parser->reads_reference)
    parser->reference_offset = parser->lexer.token.offset;
  parser->reads_reference = TRUE;
  return VYRE_FROM_REFERENCE;
}

static gboolean
operand_parse_place_kind (VyreParser *parser, VyreOperandKind kind, VyreOperands *operands)
{
  return kind == VYRE_OPERAND_REGION ? operand_parse_region (parser, operands, REGION_USAGE)
                                     : operand_parse_component (parser, operands);
}

/* Reads the name of a region or component of the paired buffer. */
static gboolean
operand_parse_paired (VyreParser *parser, VyreOperandKind kind, VyreOperands *operands)
{
  if (!vyre_parser_next (parser)
      || !vyre_parser_expect (parser, '(', "'(' and the name of a region of the paired buffer"))
    return FALSE;
  const VyreToken *token = &parser->lexer.token;
  const char *word = parser->lexer.text + token->offset;
  if (token->kind != VYRE_TOKEN_WORD
      || (vyre_region_find (word, token->length) < 0
          && vyre_component_find (word, token->length) < 0))
    return vyre_parser_unexpected (parser, "the name of a region or component, such as luma");
  parser->first_symbol = VYRE_FIRST_PAIRED;
  operands->is_paired = TRUE;
  gboolean parsed = operand_parse_place_kind (parser, kind, operands);
  parser->first_symbol = 0;
  return parsed && vyre_parser_expect (parser, ')', "')' behind the region");
}

/* Reads a region or a component, of this payload or, in "previous( )" and "reference( )", of an
 * older one. */
static gboolean
operand_parse_place (VyreParser *parser, VyreOperandKind kind, VyreOperands *operands)
{
  guint32 from = operand_find_from (parser);
  gboolean older = from != VYRE_FROM_OWN;

  if (vyre_lexer_is (&parser->lexer, "paired"))
    return operand_parse_paired (parser, kind, operands);
  if (older
      && (!vyre_parser_next (parser)
          || !vyre_parser_expect (parser, '(', "'(' and a region of the older payload")))
    return FALSE;
  operands->from = from;
  if (!operand_parse_place_kind (parser, kind, operands))
    return FALSE;
  return !older || vyre_parser_expect (parser, ')', "')' behind the region");
}

/* Reads the second component of an opcode over two, whose limit may follow. */
static gboolean
operand_parse_other (VyreParser *parser, VyreOperands *operands)
{
  VyreOperands other = { 0 };
  VyreExpr *args = operands->args + VYRE_OTHER_ARG_OFFSET;

  G_STATIC_ASSERT (VYRE_OTHER_ARG_STRIDE == VYRE_OTHER_ARG_OFFSET + VYRE_REGION_ARG_STRIDE
                   && VYRE_OTHER_ARG_SAMPLES + 1 == VYRE_SLOT_MAX_ARGS);
  if (!operand_parse_place (parser, VYRE_OPERAND_COMPONENT, &other))
    return FALSE;
  memcpy (args, other.args, (VYRE_REGION_ARG_STRIDE + 1) * sizeof *args);
  operands->args[VYRE_OTHER_ARG_SAMPLES] = other.args[VYRE_REGION_ARG_SAMPLES];
  operands->args[VYRE_REGION_ARG_LIMIT] = VYRE_EXPR_ZERO;
  operands->n_args = VYRE_SLOT_MAX_ARGS;
  operands->from |= other.from << 2;
  return TRUE;
}

/* Fails if luma is of an older payload or the paired buffer: chroma is of the own one. */
static gboolean
operand_check_own (VyreParser *parser, const VyreOperands *operands)
{
  if (operands->from == VYRE_FROM_OWN && !operands->is_paired)
    return TRUE;
  return vyre_parser_fail (parser, parser->lexer.token.offset,
      "luma and chroma are of the batch's own buffer. Fix: leave out 'previous', 'reference' and "
      "'paired'.");
}

/* Appends the five arguments of a component of chroma; binding makes those of the slot of them. */
static gboolean
operand_parse_chroma (VyreParser *parser, VyreOperands *operands)
{
  VyreOperands chroma = { 0 };
  VyreExpr *args = operands->args + operands->n_args;

  if (!operand_check_own (parser, operands) || !operand_parse_component (parser, &chroma))
    return FALSE;
  memcpy (args, chroma.args, (VYRE_COMPONENT_ARGS - 1) * sizeof *args);
  args[VYRE_COMPONENT_ARGS - 1] = chroma.args[VYRE_REGION_ARG_SAMPLES];
  operands->n_args += VYRE_COMPONENT_ARGS;
  return TRUE;
}

static gboolean
operand_parse_tag (VyreParser *parser, VyreOperands *operands)
{
  if (!vyre_lexer_is (&parser->lexer, "sequence"))
    return vyre_parser_expr (parser, &operands->args[operands->n_args++]);
  operands->args[operands->n_args++] = VYRE_EXPR_ZERO;
  operands->sequence = TRUE;
  return vyre_parser_next (parser);
}

/* Reads a constant from 1 to @most, which assembling has to know: a number of @what. */
static gboolean
operand_parse_constant (
    VyreParser *parser, VyreOperands *operands, guint32 most, const char *what, guint32 *value)
{
  guint32 offset = parser->lexer.token.offset;
  VyreExpr *expr = &operands->args[operands->n_args++];

  if (!vyre_parser_expr (parser, expr))
    return FALSE;
  const VyreNode *last
      = &g_array_index (parser->program->nodes, VyreNode, parser->program->nodes->len - 1);
  if (expr->n != 1 || last->kind != VYRE_NODE_NUMBER || last->number.divisor != 1
      || last->number.value == 0 || last->number.value > most)
    return vyre_parser_fail (parser, offset,
        "this is not a constant number of %s. Fix: write a number from 1 to %u.", what, most);
  *value = vyre_number_floor (last->number);
  return TRUE;
}

/* Reads the number of a result's words. */
gboolean
vyre_parser_word_count (VyreParser *parser, VyreOperands *operands)
{
  return operand_parse_constant (parser, operands, VYRE_LOAD_WORDS_MAX, "words", &operands->words);
}

/* Reads the columns of a grid or, behind them, its rows. All cells have words in the result. */
static gboolean
operand_parse_cells (VyreParser *parser, VyreOperands *operands)
{
  guint32 words = operands->words > 0 ? operands->words : VYRE_GRID_CELL_WORDS;
  guint32 most = VYRE_GRID_MAX_CELLS * VYRE_GRID_CELL_WORDS / words, cells = 0;

  if (!operand_parse_constant (parser, operands, most, "cells", &cells))
    return FALSE;
  operands->words = words * cells;
  return TRUE;
}

/* Reads one operand of any kind but a block and appends its arguments. */
gboolean
vyre_parser_operand (VyreParser *parser, VyreOperandKind kind, VyreOperands *operands)
{
  operands->n_operands++;
  switch (kind) {
    case VYRE_OPERAND_REGION:
    case VYRE_OPERAND_COMPONENT:
      return operand_parse_place (parser, kind, operands);
    case VYRE_OPERAND_CHANNEL:
      return vyre_parser_channel (parser, operands);
    case VYRE_OPERAND_OTHER:
      return operand_parse_other (parser, operands);
    case VYRE_OPERAND_CHROMA:
      return operand_parse_chroma (parser, operands);
    case VYRE_OPERAND_LIMIT:
      return vyre_parser_expr (parser, &operands->args[VYRE_REGION_ARG_LIMIT]);
    case VYRE_OPERAND_TAG:
      return operand_parse_tag (parser, operands);
    case VYRE_OPERAND_WORDS:
      return vyre_parser_word_count (parser, operands);
    case VYRE_OPERAND_CELLS:
      return operand_parse_cells (parser, operands);
    case VYRE_OPERAND_THRESHOLD:
      return vyre_parser_limited_expr (
          parser, VYRE_NODE_THRESHOLD, 0, &operands->args[operands->n_args++]);
    default:
      return vyre_parser_expr (parser, &operands->args[operands->n_args++]);
  }
}

/* Whether only one statement can compute such a result. */
static gboolean
operand_target_is_exclusive (VyreTarget target)
{
  return target == VYRE_TARGET_PAYLOAD || target == VYRE_TARGET_WORDS;
}

/* Gives the result @id, whose name is at @offset, its words, which the statement of @info writes.
 */
gboolean
vyre_parser_define_result (VyreParser *parser, guint32 id, guint32 offset, const VyreOpcode *info,
    guint words, gint optional_statement)
{
  VyreProgram *program = parser->program;
  VyreName *name = &g_array_index (program->names, VyreName, id);

  if (name->defined && name->shared && !operand_target_is_exclusive (info->target))
    return TRUE;
  if (name->defined)
    return vyre_parser_fail (parser, offset,
        "the result '%.40s' is defined twice. Fix: give each result a name of its own; only "
        "store_u32, atomic_add and load_u32 may share one.",
        name->name);
  if (words > VYRE_MAX_OBSERVABLES - parser->next_observable) {
    vyre_set_error_at (parser->error, VYRE_ERROR_TOO_LARGE, program->text, offset,
        "the results need more than %d observables. Fix: split the program.", VYRE_MAX_OBSERVABLES);
    return FALSE;
  }
  name->defined = TRUE;
  name->offset = offset;
  name->shared = !operand_target_is_exclusive (info->target);
  name->type = words == 1 ? VYRE_RESULT_U32 : info->type;
  name->units = vyre_opcode_get_units (info->opcode);
  name->words = words;
  name->statement = optional_statement;
  g_array_index (program->observables, guint32, id) = parser->next_observable;
  parser->next_observable += words;
  g_array_append_val (program->results, id);
  return TRUE;
}

/* Reads the number of an observable. */
static gboolean
operand_parse_unnamed_target (VyreParser *parser, VyreNodeKind kind, guint words, VyreExpr *expr)
{
  const VyreToken *token = &parser->lexer.token;

  if (!vyre_parser_limited_expr (parser, kind, words, expr))
    return FALSE;
  return token->kind != ':'
         || vyre_parser_fail (parser, token->offset,
             "an observable without a name has no type. Fix: name the result: '-> name : i32'.");
}

static gboolean
operand_parse_target (VyreParser *parser, const VyreOpcode *info, guint words,
    gint optional_statement, VyreExpr *expr)
{
  const VyreToken *token = &parser->lexer.token;
  gboolean word = info->target == VYRE_TARGET_WORD;

  if (token->kind == VYRE_TOKEN_WORD)
    return vyre_parser_unexpected (
        parser, "a result name of a-z, 0-9 and '-' that starts with a letter, or a number");
  if (token->kind != VYRE_TOKEN_RESULT)
    return operand_parse_unnamed_target (
        parser, word ? VYRE_NODE_TARGET_WORD : VYRE_NODE_TARGET_INDEX, words, expr);
  guint32 id = vyre_parser_find_result (parser), offset = token->offset;
  if (!vyre_parser_define_result (parser, id, offset, info, words, optional_statement))
    return FALSE;
  *expr = vyre_parser_leaf (
      parser, word ? VYRE_NODE_RESULT_WORD : VYRE_NODE_RESULT_INDEX, id, offset);
  return vyre_parser_next (parser) && vyre_parser_result_type (parser, id, offset);
}

/*
 * Reads "-> result"; the current token is the arrow. @optional_statement is the
 * statement that may be left out together with the result, or -1.
 */
gboolean
vyre_parser_target (
    VyreParser *parser, const VyreOpcode *info, gint optional_statement, VyreOperands *operands)
{
  guint words = info->words > 0 ? info->words : operands->words;

  if (info->target == VYRE_TARGET_NONE)
    return vyre_parser_fail (parser, parser->lexer.token.offset,
        "%s has no result. Fix: write '%s'.", info->name, info->usage);
  VyreExpr *expr = info->target == VYRE_TARGET_PAYLOAD ? &operands->args[VYRE_REGION_ARG_OBSERVABLE]
                                                       : &operands->args[operands->n_args++];
  return vyre_parser_next (parser)
         && operand_parse_target (parser, info, words, optional_statement, expr);
}

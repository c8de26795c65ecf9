/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/statements.h"

#include <string.h>

/* Sets the parser's error, a syntax error at @offset. Always returns FALSE. */
gboolean
vyre_parser_fail (VyreParser *parser, guint32 offset, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  vyre_set_error_at_valist (
      parser->error, VYRE_ERROR_SYNTAX, parser->lexer.text, offset, format, args);
  va_end (args);
  return FALSE;
}

/* Fails because the grammar has no place for the current token. */
gboolean
vyre_parser_unexpected (VyreParser *parser, const char *expected)
{
  g_autofree char *token = vyre_lexer_describe (&parser->lexer);

  return vyre_parser_fail (parser, parser->lexer.token.offset,
      "%s is not expected here. Fix: write %s.", token, expected);
}

gboolean
vyre_parser_next (VyreParser *parser)
{
  return vyre_lexer_next (&parser->lexer, parser->error);
}

/* Steps over a token of @kind, or fails. */
gboolean
vyre_parser_expect (VyreParser *parser, guint kind, const char *expected)
{
  if (parser->lexer.token.kind != kind)
    return vyre_parser_unexpected (parser, expected);
  return vyre_parser_next (parser);
}

static void
operand_push_node (VyreParser *parser, VyreNodeKind kind, guint32 value, guint32 offset)
{
  VyreNode node = { kind, value, offset };

  g_array_append_val (parser->program->nodes, node);
}

/* An expression of one node. */
VyreExpr
vyre_parser_leaf (VyreParser *parser, VyreNodeKind kind, guint32 value, guint32 offset)
{
  VyreExpr expr = { parser->program->nodes->len, 1 };

  operand_push_node (parser, kind, value, offset);
  return expr;
}

static VyreNode *
operand_last_node (VyreParser *parser, guint back)
{
  GArray *nodes = parser->program->nodes;

  return &g_array_index (nodes, VyreNode, nodes->len - 1 - back);
}

static gboolean
operand_fail_arithmetic (VyreParser *parser, VyreFailureKind kind, guint32 offset)
{
  VyreFailure failure = { kind, offset, 0 };

  vyre_failure_set_error (&failure, parser->lexer.text, VYRE_ERROR_SYNTAX, parser->error);
  return FALSE;
}

/*
 * Appends an operator to its two operands. A run of nodes that ends in a number
 * is that number alone, so that looking at the last two is enough to fold.
 */
static gboolean
operand_push_operator (VyreParser *parser, VyreNodeKind kind, guint32 offset)
{
  VyreNode *a = operand_last_node (parser, 1);
  VyreNode *b = operand_last_node (parser, 0);

  if (a->kind != VYRE_NODE_NUMBER || b->kind != VYRE_NODE_NUMBER) {
    operand_push_node (parser, kind, 0, offset);
    return TRUE;
  }
  VyreFailureKind failure = vyre_node_apply (kind, a->value, b->value, &a->value);
  if (failure != VYRE_FAILURE_NONE)
    return operand_fail_arithmetic (parser, failure, offset);
  g_array_set_size (parser->program->nodes, parser->program->nodes->len - 1);
  return TRUE;
}

static gboolean
operand_fail_word (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;
  const char *word = parser->lexer.text + token->offset;
  g_autofree char *shown = vyre_lexer_describe (&parser->lexer);

  if (vyre_region_find (word, token->length) >= 0)
    return vyre_parser_fail (parser, token->offset,
        "%s is a region, not a number. Fix: append .offset, .width, .rows, .stride or .size.",
        shown);
  if (vyre_component_find (word, token->length) >= 0)
    return vyre_parser_fail (
        parser, token->offset, "%s is a component, not a number. Fix: append .scale.", shown);
  return vyre_parser_fail (parser, token->offset,
      "%s is not a known number. Fix: define it with 'let' first, or use width, height, planes, "
      "bits, rate, channels, or .offset, .width, .rows, .stride or .size of payload, plane0 to "
      "plane3, luma, u or v.",
      shown);
}

static gboolean
operand_parse_word (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;
  const char *start = parser->lexer.text + token->offset;
  g_autofree char *word = g_strndup (start, token->length);
  gint symbol = vyre_symbol_find (start, token->length);
  gpointer found;

  if (symbol >= 0) {
    operand_push_node (parser, VYRE_NODE_SYMBOL, (guint32)symbol, token->offset);
  } else if (g_hash_table_lookup_extended (parser->lets, word, NULL, &found)) {
    VyreExpr expr = g_array_index (parser->program->lets, VyreExpr, GPOINTER_TO_UINT (found));
    VyreNode first = g_array_index (parser->program->nodes, VyreNode, expr.first);

    if (first.kind == VYRE_NODE_NUMBER && expr.n == 1)
      operand_push_node (parser, VYRE_NODE_NUMBER, first.value, token->offset);
    else
      operand_push_node (parser, VYRE_NODE_LET, GPOINTER_TO_UINT (found), token->offset);
  } else {
    return operand_fail_word (parser);
  }
  return vyre_parser_next (parser);
}

/* The index of the result name that is the current token; it may be unknown yet. */
static guint32
operand_find_result (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;
  VyreProgram *program = parser->program;
  VyreName name = { .offset = token->offset, .statement = -1 };
  g_autofree char *word = g_strndup (parser->lexer.text + token->offset, token->length);
  gpointer found;
  guint32 none = 0;

  if (g_hash_table_lookup_extended (parser->names, word, NULL, &found))
    return GPOINTER_TO_UINT (found);
  name.name = g_string_chunk_insert (program->strings, word);
  g_hash_table_insert (parser->names, (gpointer)name.name, GUINT_TO_POINTER (program->names->len));
  g_array_append_val (program->names, name);
  g_array_append_val (program->observables, none);
  return program->names->len - 1;
}

static gboolean
operand_parse_reference (VyreParser *parser)
{
  if (!vyre_parser_next (parser))
    return FALSE;
  if (parser->lexer.token.kind != VYRE_TOKEN_RESULT)
    return vyre_parser_unexpected (parser, "the name of a result after '&'");
  operand_push_node (
      parser, VYRE_NODE_RESULT_WORD, operand_find_result (parser), parser->lexer.token.offset);
  return vyre_parser_next (parser);
}

static gboolean operand_parse_sum (VyreParser *parser);

static gboolean
operand_parse_parentheses (VyreParser *parser)
{
  if (parser->depth == VYRE_EXPR_MAX_DEPTH)
    return vyre_parser_fail (parser, parser->lexer.token.offset,
        "parentheses nest deeper than %d. Fix: name a part of the expression with 'let'.",
        VYRE_EXPR_MAX_DEPTH);
  parser->depth++;
  if (!vyre_parser_next (parser) || !operand_parse_sum (parser)
      || !vyre_parser_expect (parser, ')', "')' or an operator"))
    return FALSE;
  parser->depth--;
  return TRUE;
}

static gboolean
operand_parse_primary (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;

  switch (token->kind) {
    case VYRE_TOKEN_NUMBER:
      operand_push_node (parser, VYRE_NODE_NUMBER, token->number, token->offset);
      return vyre_parser_next (parser);
    case VYRE_TOKEN_WORD:
      return operand_parse_word (parser);
    case '&':
      return operand_parse_reference (parser);
    case '(':
      return operand_parse_parentheses (parser);
    default:
      return vyre_parser_unexpected (parser, "a number, a symbol, '&' and a result, or '('");
  }
}

static gboolean
operand_parse_product (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;

  if (!operand_parse_primary (parser))
    return FALSE;
  while (token->kind == '*' || token->kind == '/' || token->kind == '%') {
    guint32 offset = token->offset;
    VyreNodeKind kind = token->kind == '*'   ? VYRE_NODE_MULTIPLY
                        : token->kind == '/' ? VYRE_NODE_DIVIDE
                                             : VYRE_NODE_REMAINDER;

    if (!vyre_parser_next (parser) || !operand_parse_primary (parser)
        || !operand_push_operator (parser, kind, offset))
      return FALSE;
  }
  return TRUE;
}

static gboolean
operand_parse_sum (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;

  if (!operand_parse_product (parser))
    return FALSE;
  while (token->kind == '+' || token->kind == '-') {
    guint32 offset = token->offset;
    VyreNodeKind kind = token->kind == '+' ? VYRE_NODE_ADD : VYRE_NODE_SUBTRACT;

    if (!vyre_parser_next (parser) || !operand_parse_product (parser)
        || !operand_push_operator (parser, kind, offset))
      return FALSE;
  }
  return TRUE;
}

/* Reads an expression. */
gboolean
vyre_parser_expr (VyreParser *parser, VyreExpr *expr)
{
  expr->first = parser->program->nodes->len;
  if (!operand_parse_sum (parser))
    return FALSE;
  expr->n = parser->program->nodes->len - expr->first;
  return TRUE;
}

/*
 * Reads an expression that the node @limit has to accept; @value belongs to that
 * node. A constant is checked at once.
 */
gboolean
vyre_parser_limited_expr (VyreParser *parser, VyreNodeKind limit, guint32 value, VyreExpr *expr)
{
  guint32 offset = parser->lexer.token.offset;

  if (!vyre_parser_expr (parser, expr))
    return FALSE;
  VyreNode last = *operand_last_node (parser, 0);
  if (last.kind == VYRE_NODE_NUMBER) {
    guint32 ignored;
    VyreFailureKind failure = vyre_node_apply (limit, last.value, value, &ignored);

    if (failure != VYRE_FAILURE_NONE)
      return operand_fail_arithmetic (parser, failure, offset);
    /* Targets stay: evaluating them also counts the observables. */
    if (limit < VYRE_NODE_TARGET_INDEX)
      return TRUE;
  }
  operand_push_node (parser, limit, value, offset);
  expr->n++;
  return TRUE;
}

/* Reads "(expr, expr …)" behind region or bytes. */
static gboolean
operand_parse_list (VyreParser *parser, const char *usage, guint n, VyreExpr *exprs)
{
  if (!vyre_parser_next (parser) || !vyre_parser_expect (parser, '(', usage))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    if (i > 0 && !vyre_parser_expect (parser, ',', usage))
      return FALSE;
    if (!vyre_parser_expr (parser, &exprs[i]))
      return FALSE;
  }
  return vyre_parser_expect (parser, ')', usage);
}

#define REGION_USAGE                                                                               \
  "a region: payload, plane0 to plane3, luma, u, v, region(offset, width, rows, stride) or "       \
  "bytes(offset, length)"
#define COMPONENT_USAGE                                                                            \
  "a component: luma, u, v, red, green, blue, alpha, samples(offset, width, rows, stride, how "    \
  "they lie), or a region of bytes"

static gboolean
operand_parse_region_name (VyreParser *parser, VyreExpr *args, const char *usage)
{
  const VyreToken *token = &parser->lexer.token;
  gint region = vyre_region_find (parser->lexer.text + token->offset, token->length);

  if (token->kind != VYRE_TOKEN_WORD || region < 0)
    return vyre_parser_unexpected (parser, usage);
  for (guint field = VYRE_FIELD_OFFSET; field <= VYRE_FIELD_STRIDE; field++)
    args[field] = vyre_parser_leaf (
        parser, VYRE_NODE_SYMBOL, (guint32)region * VYRE_N_FIELDS + field, token->offset);
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
    return operand_parse_list (parser, "region(offset, width, rows, stride)", 4, args);
  if (vyre_lexer_is (&parser->lexer, "bytes")) {
    if (!operand_parse_list (parser, "bytes(offset, length)", 2, args))
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

  if (!operand_parse_list (
          parser, "samples(offset, width, rows, stride, how they lie)", G_N_ELEMENTS (list), list))
    return FALSE;
  memcpy (args, list, 4 * sizeof *list);
  args[VYRE_REGION_ARG_SAMPLES] = list[4];
  return TRUE;
}

static gboolean
operand_parse_component_name (VyreParser *parser, guint component, VyreExpr *args)
{
  guint32 first = VYRE_FIRST_COMPONENT + component * VYRE_N_COMPONENT_FIELDS;
  guint32 offset = parser->lexer.token.offset;

  for (guint field = VYRE_COMPONENT_OFFSET; field <= VYRE_COMPONENT_STRIDE; field++)
    args[field] = vyre_parser_leaf (parser, VYRE_NODE_SYMBOL, first + field, offset);
  args[VYRE_REGION_ARG_SAMPLES]
      = vyre_parser_leaf (parser, VYRE_NODE_SYMBOL, first + VYRE_COMPONENT_SAMPLES, offset);
  return vyre_parser_next (parser);
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
  else if (component >= 0)
    parsed = operand_parse_component_name (parser, (guint)component, args);
  else
    parsed = operand_parse_region (parser, operands, COMPONENT_USAGE);
  operands->n_args = VYRE_REGION_ARG_SAMPLES + 1;
  return parsed;
}

/* Reads the second component of an opcode over two, whose limit may follow. */
static gboolean
operand_parse_other (VyreParser *parser, VyreOperands *operands)
{
  VyreOperands other = { 0 };
  VyreExpr *args = operands->args + VYRE_OTHER_ARG_OFFSET;

  G_STATIC_ASSERT (VYRE_OTHER_ARG_STRIDE == VYRE_OTHER_ARG_OFFSET + VYRE_REGION_ARG_STRIDE
                   && VYRE_OTHER_ARG_SAMPLES + 1 == VYRE_SLOT_MAX_ARGS);
  if (!operand_parse_component (parser, &other))
    return FALSE;
  memcpy (args, other.args, (VYRE_REGION_ARG_STRIDE + 1) * sizeof *args);
  operands->args[VYRE_OTHER_ARG_SAMPLES] = other.args[VYRE_REGION_ARG_SAMPLES];
  operands->args[VYRE_REGION_ARG_LIMIT] = VYRE_EXPR_ZERO;
  operands->n_args = VYRE_SLOT_MAX_ARGS;
  return TRUE;
}

/* Appends the five arguments of a component of chroma; binding makes those of the slot of them. */
static gboolean
operand_parse_chroma (VyreParser *parser, VyreOperands *operands)
{
  VyreOperands chroma = { 0 };
  VyreExpr *args = operands->args + operands->n_args;

  if (!operand_parse_component (parser, &chroma))
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
  const VyreNode *last = operand_last_node (parser, 0);
  if (expr->n != 1 || last->kind != VYRE_NODE_NUMBER || last->value == 0 || last->value > most)
    return vyre_parser_fail (parser, offset,
        "this is not a constant number of %s. Fix: write a number from 1 to %u.", what, most);
  *value = last->value;
  return TRUE;
}

/* Reads the columns of a grid or, behind them, its rows. All cells have words in the result. */
static gboolean
operand_parse_cells (VyreParser *parser, VyreOperands *operands)
{
  guint32 words = operands->words > 0 ? operands->words : VYRE_GRID_CELL_WORDS;
  guint32 most = VYRE_GRID_MAX_CELLS * VYRE_GRID_CELL_WORDS / words, cells;

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
      return operand_parse_region (parser, operands, REGION_USAGE);
    case VYRE_OPERAND_COMPONENT:
      return operand_parse_component (parser, operands);
    case VYRE_OPERAND_OTHER:
      return operand_parse_other (parser, operands);
    case VYRE_OPERAND_CHROMA:
      return operand_parse_chroma (parser, operands);
    case VYRE_OPERAND_LIMIT:
      return vyre_parser_expr (parser, &operands->args[VYRE_REGION_ARG_LIMIT]);
    case VYRE_OPERAND_TAG:
      return operand_parse_tag (parser, operands);
    case VYRE_OPERAND_WORDS:
      return operand_parse_constant (
          parser, operands, VYRE_LOAD_WORDS_MAX, "words", &operands->words);
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

static gboolean
operand_define_result (
    VyreParser *parser, guint32 id, const VyreOpcode *info, guint words, gint optional_statement)
{
  VyreProgram *program = parser->program;
  VyreName *name = &g_array_index (program->names, VyreName, id);
  guint32 offset = parser->lexer.token.offset;

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
  name->words = words;
  name->statement = optional_statement;
  g_array_index (program->observables, guint32, id) = parser->next_observable;
  parser->next_observable += words;
  g_array_append_val (program->results, id);
  return TRUE;
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
    return vyre_parser_limited_expr (
        parser, word ? VYRE_NODE_TARGET_WORD : VYRE_NODE_TARGET_INDEX, words, expr);
  guint32 id = operand_find_result (parser);
  if (!operand_define_result (parser, id, info, words, optional_statement))
    return FALSE;
  *expr = vyre_parser_leaf (
      parser, word ? VYRE_NODE_RESULT_WORD : VYRE_NODE_RESULT_INDEX, id, token->offset);
  return vyre_parser_next (parser);
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

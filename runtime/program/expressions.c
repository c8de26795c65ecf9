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
expression_push_node (VyreParser *parser, VyreNodeKind kind, guint32 value, guint32 offset)
{
  VyreNode node = { kind, offset, value, vyre_number_whole (value) };

  g_array_append_val (parser->program->nodes, node);
}

static void
expression_push_number (VyreParser *parser, VyreNumber number, guint32 offset)
{
  VyreNode node = { VYRE_NODE_NUMBER, offset, 0, number };

  g_array_append_val (parser->program->nodes, node);
}

/* An expression of one node. */
VyreExpr
vyre_parser_leaf (VyreParser *parser, VyreNodeKind kind, guint32 value, guint32 offset)
{
  VyreExpr expr = { parser->program->nodes->len, 1 };

  expression_push_node (parser, kind, value, offset);
  return expr;
}

/* An expression that is a number. */
VyreExpr
vyre_parser_number (VyreParser *parser, VyreNumber number, guint32 offset)
{
  VyreExpr expr = { parser->program->nodes->len, 1 };

  expression_push_number (parser, number, offset);
  return expr;
}

static VyreNode *
expression_last_node (VyreParser *parser, guint back)
{
  GArray *nodes = parser->program->nodes;

  return &g_array_index (nodes, VyreNode, nodes->len - 1 - back);
}

static gboolean
expression_fail_arithmetic (VyreParser *parser, VyreFailureKind kind, guint32 offset)
{
  VyreFailure failure = { kind, offset, 0 };

  vyre_failure_set_error (&failure, parser->lexer.text, VYRE_ERROR_SYNTAX, parser->error);
  return FALSE;
}

/*
 * Appends an operator to its two operands. A run of nodes that ends in a number
 * is that number alone, so that looking at the last two is enough to fold. Steps
 * of a condition may leave the 32 bits, and are not folded.
 */
static gboolean
expression_push_operator (VyreParser *parser, VyreNodeKind kind, guint32 offset)
{
  VyreNode *a = expression_last_node (parser, 1);
  VyreNode *b = expression_last_node (parser, 0);

  if (parser->lexer.compares || a->kind != VYRE_NODE_NUMBER || b->kind != VYRE_NODE_NUMBER) {
    expression_push_node (parser, kind, 0, offset);
    return TRUE;
  }
  VyreFailureKind failure = vyre_node_apply (kind, a->number, b->number, &a->number);
  if (failure != VYRE_FAILURE_NONE)
    return expression_fail_arithmetic (parser, failure, offset);
  g_array_set_size (parser->program->nodes, parser->program->nodes->len - 1);
  return TRUE;
}

static gboolean
expression_fail_word (VyreParser *parser)
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
  if (vyre_channel_find (word, token->length) >= 0)
    return vyre_parser_fail (parser, token->offset,
        "%s is a channel of audio, not a number. Fix: name it in audio_stats.", shown);
  return vyre_parser_fail (parser, token->offset,
      "%s is not a known number. Fix: define it with 'let' first, or use width, height, planes, "
      "bits, rate, channels, or .offset, .width, .rows, .stride or .size of payload, plane0 to "
      "plane3, luma, u or v.",
      shown);
}

static gboolean expression_parse_sum (VyreParser *parser);

/* Steps over the '(' that is the current token. */
static gboolean
expression_open (VyreParser *parser)
{
  if (parser->depth == VYRE_EXPR_MAX_DEPTH)
    return vyre_parser_fail (parser, parser->lexer.token.offset,
        "parentheses nest deeper than %d. Fix: name a part of the expression with 'let'.",
        VYRE_EXPR_MAX_DEPTH);
  parser->depth++;
  return vyre_parser_next (parser);
}

static gboolean
expression_close (VyreParser *parser)
{
  parser->depth--;
  return vyre_parser_expect (parser, ')', "')' or an operator");
}

/* Reads "(a, b)" behind min or max, the current token. It counts as a level of parentheses. */
static gboolean
expression_parse_choice (VyreParser *parser, VyreNodeKind kind)
{
  guint32 offset = parser->lexer.token.offset;

  if (!vyre_parser_next (parser))
    return FALSE;
  if (parser->lexer.token.kind != '(')
    return vyre_parser_unexpected (parser, "'(' and two numbers behind min or max");
  if (!expression_open (parser) || !expression_parse_sum (parser)
      || !vyre_parser_expect (parser, ',', "',' and the second number, or an operator")
      || !expression_parse_sum (parser) || !expression_close (parser))
    return FALSE;
  return expression_push_operator (parser, kind, offset);
}

static gboolean
expression_parse_word (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;
  const char *start = parser->lexer.text + token->offset;
  g_autofree char *word = g_strndup (start, token->length);
  gint symbol = vyre_symbol_find (start, token->length);
  gpointer found;

  if (symbol >= 0) {
    expression_push_node (parser, VYRE_NODE_SYMBOL, (guint32)symbol, token->offset);
  } else if (g_hash_table_lookup_extended (parser->lets, word, NULL, &found)) {
    VyreExpr expr = g_array_index (parser->program->lets, VyreExpr, GPOINTER_TO_UINT (found));
    VyreNode first = g_array_index (parser->program->nodes, VyreNode, expr.first);

    if (first.kind == VYRE_NODE_FORMULA && !parser->lexer.compares && !parser->lexer.values)
      return vyre_parser_fail (parser, token->offset,
          "'%.40s' is made of results, which are known when all slots have run. Fix: use it in "
          "state, conditions and values of events.",
          word);
    if (first.kind == VYRE_NODE_FORMULA)
      expression_push_node (parser, VYRE_NODE_FORMULA, first.value, token->offset);
    else if (first.kind == VYRE_NODE_NUMBER && expr.n == 1)
      expression_push_number (parser, first.number, token->offset);
    else
      expression_push_node (parser, VYRE_NODE_LET, GPOINTER_TO_UINT (found), token->offset);
  } else if (g_str_equal (word, "min") || g_str_equal (word, "max")) {
    return expression_parse_choice (
        parser, g_str_equal (word, "min") ? VYRE_NODE_LEAST : VYRE_NODE_GREATEST);
  } else {
    return expression_fail_word (parser);
  }
  return vyre_parser_next (parser);
}

/* The index of the result name that is the current token; it may be unknown yet. */
guint32
vyre_parser_find_result (VyreParser *parser)
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
expression_parse_reference (VyreParser *parser)
{
  if (!vyre_parser_next (parser))
    return FALSE;
  if (parser->lexer.token.kind != VYRE_TOKEN_RESULT)
    return vyre_parser_unexpected (parser, "the name of a result after '&'");
  expression_push_node (
      parser, VYRE_NODE_RESULT_WORD, vyre_parser_find_result (parser), parser->lexer.token.offset);
  return vyre_parser_next (parser);
}

/* Reads "$name" or "$name.field", the current token. */
gboolean
vyre_parser_value (VyreParser *parser, gboolean optional)
{
  VyreProgram *program = parser->program;
  VyreToken *token = &parser->lexer.token;
  const char *word = parser->lexer.text + token->offset;
  const char *dot = memchr (word, '.', token->length);
  VyreValue value = { .offset = token->offset, .optional = optional };

  if (dot)
    value.field = g_string_chunk_insert_len (
        program->strings, dot + 1, (gssize)(word + token->length - dot - 1));
  token->length = (dot ? (guint32)(dot - word) : token->length) - 1;
  token->offset++; /* the name alone */
  value.name = vyre_parser_find_result (parser);
  expression_push_node (parser, VYRE_NODE_VALUE, program->values->len, value.offset);
  g_array_append_val (program->values, value);
  return vyre_parser_next (parser);
}

/* Reads "optional $name". */
static gboolean
expression_parse_optional (VyreParser *parser)
{
  if (!vyre_parser_next (parser))
    return FALSE;
  if (parser->lexer.token.kind != VYRE_TOKEN_VALUE)
    return vyre_parser_unexpected (parser, "the value of a result, such as '$u.sum'");
  return vyre_parser_value (parser, TRUE);
}

/* A condition with the word of a result compares a place that never changes. */
static gboolean
expression_fail_reference (VyreParser *parser)
{
  return vyre_parser_fail (parser, parser->lexer.token.offset,
      "'&' stands for the place of a result, not for its value. Fix: write '$' and its name.");
}

static gboolean
expression_parse_parentheses (VyreParser *parser)
{
  return expression_open (parser) && expression_parse_sum (parser) && expression_close (parser);
}

static gboolean
expression_parse_primary (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;

  switch (token->kind) {
    case VYRE_TOKEN_NUMBER:
      expression_push_number (parser, token->number, token->offset);
      return vyre_parser_next (parser);
    case VYRE_TOKEN_WORD:
      if ((parser->lexer.compares || parser->lexer.values)
          && vyre_lexer_is (&parser->lexer, "optional"))
        return expression_parse_optional (parser);
      return expression_parse_word (parser);
    case '&':
      if (parser->lexer.compares)
        return expression_fail_reference (parser);
      return expression_parse_reference (parser);
    case VYRE_TOKEN_VALUE:
      return vyre_parser_value (parser, FALSE);
    case '(':
      return expression_parse_parentheses (parser);
    default:
      return vyre_parser_unexpected (parser,
          parser->lexer.compares ? "a number, a symbol, '(', or '$' and a result, in single quotes "
                                   "where a shell would replace it"
                                 : "a number, a symbol, '&' and a result, or '('");
  }
}

static gboolean
expression_parse_product (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;

  if (!expression_parse_primary (parser))
    return FALSE;
  while (token->kind == '*' || token->kind == '/' || token->kind == '%') {
    guint32 offset = token->offset;
    VyreNodeKind kind = token->kind == '*'   ? VYRE_NODE_MULTIPLY
                        : token->kind == '/' ? VYRE_NODE_DIVIDE
                                             : VYRE_NODE_REMAINDER;

    if (!vyre_parser_next (parser) || !expression_parse_primary (parser)
        || !expression_push_operator (parser, kind, offset))
      return FALSE;
  }
  return TRUE;
}

static gboolean
expression_parse_sum (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;

  if (!expression_parse_product (parser))
    return FALSE;
  while (token->kind == '+' || token->kind == '-') {
    guint32 offset = token->offset;
    VyreNodeKind kind = token->kind == '+' ? VYRE_NODE_ADD : VYRE_NODE_SUBTRACT;

    if (!vyre_parser_next (parser) || !expression_parse_product (parser)
        || !expression_push_operator (parser, kind, offset))
      return FALSE;
  }
  return TRUE;
}

/* Reads an expression. */
gboolean
vyre_parser_expr (VyreParser *parser, VyreExpr *expr)
{
  expr->first = parser->program->nodes->len;
  if (!expression_parse_sum (parser))
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
  VyreNode last = *expression_last_node (parser, 0);
  if (last.kind == VYRE_NODE_NUMBER) {
    VyreNumber ignored;
    VyreFailureKind failure
        = vyre_node_apply (limit, last.number, vyre_number_whole (value), &ignored);

    if (failure != VYRE_FAILURE_NONE)
      return expression_fail_arithmetic (parser, failure, offset);
    /* Targets stay: evaluating them also counts the observables. */
    if (limit < VYRE_NODE_TARGET_INDEX)
      return TRUE;
  }
  expression_push_node (parser, limit, value, offset);
  expr->n++;
  return TRUE;
}

/* Reads "(expr, expr …)" behind region, bytes, samples or audio. */
gboolean
vyre_parser_list (VyreParser *parser, const char *usage, guint n, VyreExpr *exprs)
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/statements.h"

#include "abi/publish-each.h"

static gboolean
statement_operands_end (const VyreParser *parser)
{
  switch (parser->lexer.token.kind) {
    case VYRE_TOKEN_END:
    case VYRE_TOKEN_NEWLINE:
    case VYRE_TOKEN_ARROW:
    case ';':
    case '@':
    case '|':
    case '}':
      return TRUE;
    default:
      return FALSE;
  }
}

/* Whether @info has all of its operands; the current token follows them. */
static gboolean
statement_check_operands (
    VyreParser *parser, const VyreOpcode *info, guint n_operands, gboolean has_target)
{
  guint min = info->min_operands;
  gboolean complete = n_operands >= min;

  if (info->target == VYRE_TARGET_PAYLOAD || info->target == VYRE_TARGET_WORDS)
    complete = has_target && n_operands >= min;
  else if (has_target)
    complete = n_operands == min - 1;
  if (complete)
    return TRUE;
  return vyre_parser_fail (parser, parser->lexer.token.offset,
      "%s has the wrong operands. Fix: write '%s'.", info->name, info->usage);
}

/* Reads the operands of a named opcode and its "-> result". */
static gboolean
statement_parse_operands (
    VyreParser *parser, const VyreOpcode *info, gint optional_statement, VyreOperands *operands)
{
  const VyreToken *token = &parser->lexer.token;
  gboolean more = !statement_operands_end (parser);
  gboolean has_target = FALSE;

  while (more) {
    if (operands->n_operands == vyre_opcode_max_operands (info))
      return vyre_parser_fail (parser, token->offset, "%s has too many operands. Fix: write '%s'.",
          info->name, info->usage);
    if (!vyre_parser_operand (parser, info->operands[operands->n_operands], operands))
      return FALSE;
    more = token->kind == ',';
    if (more && !vyre_parser_next (parser))
      return FALSE;
  }
  if (token->kind == VYRE_TOKEN_ARROW) {
    has_target = TRUE;
    if (!vyre_parser_target (parser, info, optional_statement, operands))
      return FALSE;
  }
  return statement_check_operands (parser, info, operands->n_operands, has_target);
}

/* Reads the arguments behind "op EXPR". */
static gboolean
statement_parse_raw_arguments (VyreParser *parser, VyreOperands *operands)
{
  const VyreToken *token = &parser->lexer.token;

  while (token->kind == ',') {
    if (!vyre_parser_next (parser))
      return FALSE;
    if (operands->n_operands == VYRE_SLOT_MAX_ARGS)
      return vyre_parser_fail (parser, token->offset,
          "op has too many arguments. Fix: write at most %d.", VYRE_SLOT_MAX_ARGS);
    if (!vyre_parser_operand (parser, VYRE_OPERAND_VALUE, operands))
      return FALSE;
  }
  return TRUE;
}

static void
statement_set_arguments (VyreParser *parser, VyreOperation *operation, const VyreOperands *operands)
{
  operation->first_arg = parser->program->args->len;
  operation->n_args = operands->n_args;
  g_array_append_vals (parser->program->args, operands->args, operands->n_args);
}

/* The opcode that the current token names; NULL, with the error set, for none. */
static const VyreOpcode *
statement_parse_opcode (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;
  const VyreOpcode *info = NULL;

  if (token->kind == VYRE_TOKEN_WORD)
    info = vyre_opcode_find (parser->lexer.text + token->offset, token->length);
  if (!info) {
    g_autofree char *shown = vyre_lexer_describe (&parser->lexer);
    g_autofree char *list = vyre_opcode_list ();

    vyre_parser_fail (parser, token->offset,
        "%s is not an opcode. Fix: use one of %s, or 'op' and a number.", shown, list);
  }
  return info;
}

static gboolean
statement_parse_named_inner (VyreParser *parser, VyreOperation *operation, VyreOperands *operands)
{
  guint32 offset = parser->lexer.token.offset;
  const VyreOpcode *info = statement_parse_opcode (parser);

  if (!info)
    return FALSE;
  VyreFailure failure = { VYRE_FAILURE_NONE, offset, 0 };
  VyreNumber ignored;
  failure.kind = vyre_node_apply (
      VYRE_NODE_INNER_OPCODE, vyre_number_whole (info->opcode), vyre_number_whole (0), &ignored);
  if (failure.kind != VYRE_FAILURE_NONE) {
    vyre_failure_set_error (&failure, parser->lexer.text, VYRE_ERROR_SYNTAX, parser->error);
    return FALSE;
  }
  operation->opcode = vyre_parser_leaf (parser, VYRE_NODE_NUMBER, info->opcode, offset);
  return vyre_parser_next (parser) && statement_parse_operands (parser, info, -1, operands);
}

static gboolean
statement_parse_inner (VyreParser *parser)
{
  VyreOperation operation = { 0 };
  VyreOperands operands = { 0 };

  if (vyre_lexer_is (&parser->lexer, "op")) {
    if (!vyre_parser_next (parser)
        || !vyre_parser_limited_expr (parser, VYRE_NODE_INNER_OPCODE, 0, &operation.opcode)
        || !statement_parse_raw_arguments (parser, &operands))
      return FALSE;
  } else if (!statement_parse_named_inner (parser, &operation, &operands)) {
    return FALSE;
  }
  statement_set_arguments (parser, &operation, &operands);
  g_array_append_val (parser->program->inner, operation);
  return TRUE;
}

static gboolean
statement_skip_newlines (VyreParser *parser)
{
  while (parser->lexer.token.kind == VYRE_TOKEN_NEWLINE) {
    if (!vyre_parser_next (parser))
      return FALSE;
  }
  return TRUE;
}

/* Whether the operations read so far leave room in the slot; the last is at @offset. */
static gboolean
statement_check_block (VyreParser *parser, const VyreStatement *statement, guint32 offset)
{
  GArray *inner = parser->program->inner;
  guint n = inner->len - statement->first_inner;
  guint words = VYRE_PACKED_METADATA_WORDS (n);

  for (guint i = statement->first_inner; i < inner->len; i++)
    words += g_array_index (inner, VyreOperation, i).n_args;
  if (words <= VYRE_SLOT_MAX_ARGS)
    return TRUE;
  return vyre_parser_fail (parser, offset,
      "the packed_slot does not fit into %d words from this operation on. Fix: move it to another "
      "slot.",
      VYRE_SLOT_MAX_ARGS);
}

/* Reads "{ operation | operation … }"; lines may end anywhere between its parts. */
static gboolean
statement_parse_block (VyreParser *parser, VyreStatement *statement)
{
  const VyreToken *token = &parser->lexer.token;
  gboolean more = TRUE;

  statement->first_inner = parser->program->inner->len;
  if (!vyre_parser_expect (parser, '{', "'{' and the operations to pack"))
    return FALSE;
  while (more) {
    if (!statement_skip_newlines (parser))
      return FALSE;
    guint32 offset = token->offset;
    if (!statement_parse_inner (parser) || !statement_check_block (parser, statement, offset)
        || !statement_skip_newlines (parser))
      return FALSE;
    more = token->kind == '|';
    if (more && !vyre_parser_next (parser))
      return FALSE;
  }
  statement->n_inner = parser->program->inner->len - statement->first_inner;
  return vyre_parser_expect (parser, '}', "'|' and another operation, or '}'");
}

static gboolean
statement_parse_priority (VyreParser *parser, VyreExpr *expr)
{
  for (guint32 i = 0; i < VYRE_PRIORITY_LEVELS; i++) {
    if (vyre_lexer_is (&parser->lexer, vyre_priority_names[i])) {
      *expr = vyre_parser_leaf (parser, VYRE_NODE_NUMBER, i, parser->lexer.token.offset);
      return vyre_parser_next (parser);
    }
  }
  return vyre_parser_limited_expr (parser, VYRE_NODE_PRIORITY, 0, expr);
}

static gboolean
statement_parse_attributes (VyreParser *parser, VyreStatement *statement)
{
  gboolean seen[2] = { FALSE, FALSE };

  while (parser->lexer.token.kind == '@') {
    if (!vyre_parser_next (parser))
      return FALSE;
    guint32 offset = parser->lexer.token.offset;
    gboolean is_tenant = vyre_lexer_is (&parser->lexer, "tenant");
    if (!is_tenant && !vyre_lexer_is (&parser->lexer, "priority"))
      return vyre_parser_unexpected (parser, "tenant= or priority= after '@'");
    if (seen[is_tenant])
      return vyre_parser_fail (
          parser, offset, "the attribute is given twice. Fix: keep one of them.");
    seen[is_tenant] = TRUE;
    if (!vyre_parser_next (parser) || !vyre_parser_expect (parser, '=', "'=' and a value"))
      return FALSE;
    if (!(is_tenant ? vyre_parser_expr (parser, &statement->tenant)
                    : statement_parse_priority (parser, &statement->priority)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
statement_add (VyreParser *parser, const VyreStatement *statement)
{
  GArray *statements = parser->program->statements;

  if (statements->len == VYRE_PROGRAM_MAX_SLOTS) {
    vyre_set_error_at (parser->error, VYRE_ERROR_TOO_LARGE, parser->lexer.text, statement->offset,
        "the program needs more than %u slots. Fix: split it into several programs.",
        VYRE_PROGRAM_MAX_SLOTS);
    return FALSE;
  }
  g_array_append_vals (statements, statement, 1);
  return TRUE;
}

/* Completes the operands of a batch_fence; binding gives the missing ones their values. */
static gboolean
statement_complete_fence (VyreParser *parser, VyreStatement *statement, VyreOperands *operands)
{
  parser->has_fence = TRUE;
  if (operands->n_operands == 0)
    operands->args[operands->n_args++]
        = vyre_parser_leaf (parser, VYRE_NODE_OTHER_SLOTS, 0, statement->offset);
  if (operands->n_operands < 2) {
    operands->args[operands->n_args++] = VYRE_EXPR_ZERO;
    operands->sequence = TRUE;
  }
  if (operands->sequence && parser->has_sequence)
    return vyre_parser_fail (parser, statement->offset,
        "a second batch_fence is tagged with the sequence number. Fix: give it a tag of its own: "
        "'batch_fence count, tag'.");
  parser->has_sequence |= operands->sequence;
  statement->sequence = operands->sequence;
  return TRUE;
}

static gboolean
statement_fail_optional (VyreParser *parser, guint32 offset, const char *name)
{
  g_autofree char *list = vyre_opcode_list_payload ();

  return vyre_parser_fail (
      parser, offset, "%s cannot be optional. Fix: use 'optional' only with %s.", name, list);
}

static gboolean
statement_parse_named (VyreParser *parser, VyreStatement *statement, VyreOperands *operands)
{
  VyreOperation *operation = &statement->operation;
  gint index = statement->optional ? (gint)parser->program->statements->len : -1;

  statement->info = statement_parse_opcode (parser);
  if (!statement->info)
    return FALSE;
  if (statement->optional && statement->info->target != VYRE_TARGET_PAYLOAD)
    return statement_fail_optional (parser, statement->offset, statement->info->name);
  operation->opcode
      = vyre_parser_leaf (parser, VYRE_NODE_NUMBER, statement->info->opcode, statement->offset);
  if (!vyre_parser_next (parser))
    return FALSE;
  if (statement->info->opcode == VYRE_OP_PACKED_SLOT)
    return statement_parse_block (parser, statement);
  if (!statement_parse_operands (parser, statement->info, index, operands))
    return FALSE;
  if (statement->info->opcode == VYRE_OP_BATCH_FENCE)
    return statement_complete_fence (parser, statement, operands);
  return TRUE;
}

/* Reads a statement that makes a slot. */
static gboolean
statement_parse_slot (VyreParser *parser)
{
  VyreStatement statement = { .tenant = VYRE_EXPR_ZERO, .priority = VYRE_EXPR_NORMAL };
  VyreOperands operands = { 0 };

  statement.optional = vyre_lexer_is (&parser->lexer, "optional");
  if (statement.optional && !vyre_parser_next (parser))
    return FALSE;
  statement.offset = parser->lexer.token.offset;
  if (vyre_lexer_is (&parser->lexer, "op")) {
    if (statement.optional)
      return statement_fail_optional (parser, statement.offset, "op");
    if (!vyre_parser_next (parser) || !vyre_parser_expr (parser, &statement.operation.opcode)
        || !statement_parse_raw_arguments (parser, &operands))
      return FALSE;
  } else if (!statement_parse_named (parser, &statement, &operands)) {
    return FALSE;
  }
  statement_set_arguments (parser, &statement.operation, &operands);
  statement.from = operands.from;
  return statement_parse_attributes (parser, &statement) && statement_add (parser, &statement);
}

static gboolean
statement_parse_no_fence (VyreParser *parser)
{
  parser->no_fence = TRUE;
  return vyre_parser_next (parser);
}

/* Statements that make no slot, by their first word. */
static const struct {
  const char *word;
  gboolean (*parse) (VyreParser *parser);
} statement_kinds[] = {
  { "let", vyre_parser_let },
  { "param", vyre_parser_param },
  { "resource", vyre_parser_resource },
  { "state", vyre_parser_state },
  { "keep", vyre_parser_keep },
  { "event", vyre_parser_event },
  { "no_fence", statement_parse_no_fence },
};

static gboolean
statement_parse (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;
  gboolean (*parse) (VyreParser *) = statement_parse_slot;

  if (token->kind == VYRE_TOKEN_NEWLINE || token->kind == ';')
    return vyre_parser_next (parser);
  for (gsize i = 0; i < G_N_ELEMENTS (statement_kinds); i++) {
    if (vyre_lexer_is (&parser->lexer, statement_kinds[i].word))
      parse = statement_kinds[i].parse;
  }
  if (!parse (parser))
    return FALSE;
  if (token->kind == VYRE_TOKEN_END || token->kind == VYRE_TOKEN_NEWLINE || token->kind == ';')
    return TRUE;
  return vyre_parser_unexpected (parser, "a line end or ';' between statements");
}

static gboolean
statements_check_references (VyreParser *parser)
{
  GArray *names = parser->program->names;

  for (guint i = 0; i < names->len; i++) {
    const VyreName *name = &g_array_index (names, VyreName, i);

    if (!name->defined)
      return vyre_parser_fail (parser, name->offset,
          "no statement computes a result '%.40s'. Fix: add one with '-> %.40s'.", name->name,
          name->name);
  }
  return TRUE;
}

static gboolean
statements_append_fence (VyreParser *parser)
{
  VyreStatement statement = { .tenant = VYRE_EXPR_ZERO, .priority = VYRE_EXPR_NORMAL };
  VyreOperands operands = { 0 };

  statement.info = vyre_opcode_get (VYRE_OP_BATCH_FENCE);
  statement.offset = parser->lexer.token.offset;
  statement.operation.opcode
      = vyre_parser_leaf (parser, VYRE_NODE_NUMBER, VYRE_OP_BATCH_FENCE, statement.offset);
  if (!statement_complete_fence (parser, &statement, &operands))
    return FALSE;
  statement_set_arguments (parser, &statement.operation, &operands);
  return statement_add (parser, &statement);
}

/* Checks and adds, behind the whole text, all that needs the whole text. */
static gboolean
statements_finish (VyreParser *parser)
{
  if (!statements_check_references (parser) || !vyre_parser_check_keep (parser)
      || !vyre_parser_check_events (parser) || !vyre_parser_check_values (parser))
    return FALSE;
  if (parser->program->statements->len == 0)
    return vyre_parser_fail (parser, parser->lexer.token.offset,
        "the program has no statement that makes a slot. Fix: add one, such as 'nop'.");
  if (!parser->no_fence && !parser->has_fence && !statements_append_fence (parser))
    return FALSE;
  /* Named results start at 1: observable 0 is where a fence writes its tag. */
  if (parser->next_observable > 1)
    parser->program->n_observables = parser->next_observable;
  return TRUE;
}

/*
 * Parses program->text, which has passed vyre_text_check(), into the arrays of
 * @program. They are in no useful state after an error.
 */
gboolean
vyre_program_parse (VyreProgram *program, const VyreParam *params, guint n_params, GError **error)
{
  g_autoptr (GHashTable) lets = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  VyreParser parser = { .program = program,
    .lexer = { .text = program->text },
    .lets = lets,
    .names = names,
    .error = error,
    .next_observable = 1,
    .params = params,
    .n_params = n_params };

  vyre_parser_leaf (&parser, VYRE_NODE_NUMBER, 0, 0);
  vyre_parser_leaf (&parser, VYRE_NODE_NUMBER, VYRE_PRIORITY_NORMAL, 0);
  gboolean parsed = vyre_parser_next (&parser);
  while (parsed && parser.lexer.token.kind != VYRE_TOKEN_END)
    parsed = statement_parse (&parser);
  return parsed && statements_finish (&parser);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/expr.h"

#include <string.h>

#include "program/lexer.h"

static VyreFailureKind
expr_apply_arithmetic (VyreNodeKind kind, VyreNumber a, VyreNumber b, VyreNumber *value)
{
  static const char operators[] = { '+', '-', '*', '/', '%', '<', '>' };
  static const VyreFailureKind failures[] = {
    [VYRE_NUMBER_FITS] = VYRE_FAILURE_NONE,
    [VYRE_NUMBER_ABOVE] = VYRE_FAILURE_ABOVE,
    [VYRE_NUMBER_TOO_FINE] = VYRE_FAILURE_TOO_FINE,
    [VYRE_NUMBER_BELOW] = VYRE_FAILURE_BELOW,
    [VYRE_NUMBER_NONE] = VYRE_FAILURE_DIVISION,
  };

  return failures[vyre_number_calculate ((guint)operators[kind - VYRE_NODE_ADD], a, b, value)];
}

/* Checks a whole number that a node with @own passes on. */
static VyreFailureKind
expr_apply_limit (VyreNodeKind kind, guint32 a, guint32 own, guint32 *value)
{
  *value = a;
  switch (kind) {
    case VYRE_NODE_THRESHOLD:
      return a > 256 ? VYRE_FAILURE_THRESHOLD : VYRE_FAILURE_NONE;
    case VYRE_NODE_PRIORITY:
      return a >= VYRE_PRIORITY_LEVELS ? VYRE_FAILURE_PRIORITY : VYRE_FAILURE_NONE;
    case VYRE_NODE_INNER_OPCODE:
      if (a == VYRE_OP_BATCH_FENCE)
        return VYRE_FAILURE_INNER_FENCE;
      return a > 255 ? VYRE_FAILURE_INNER_OPCODE : VYRE_FAILURE_NONE;
    default:
      if (a > VYRE_MAX_OBSERVABLES - own)
        return VYRE_FAILURE_TARGET;
      *value = kind == VYRE_NODE_TARGET_WORD ? VYRE_CONTROL_OBSERVABLES + a : a;
      return VYRE_FAILURE_NONE;
  }
}

/*
 * Applies a node to the numbers it works on: @a and @b for arithmetic, @a and, as
 * @b, the node's value for the nodes of one number, which drop the fraction.
 */
VyreFailureKind
vyre_node_apply (VyreNodeKind kind, VyreNumber a, VyreNumber b, VyreNumber *value)
{
  guint32 whole;

  if (kind < VYRE_NODE_THRESHOLD)
    return expr_apply_arithmetic (kind, a, b, value);
  VyreFailureKind failure
      = expr_apply_limit (kind, vyre_number_floor (a), vyre_number_floor (b), &whole);
  *value = vyre_number_whole (whole);
  return failure;
}

static gboolean
expr_fail (VyreFailure *failure, VyreFailureKind kind, const VyreNode *node)
{
  failure->kind = kind;
  failure->offset = node->offset;
  failure->symbol = 0;
  failure->stream = NULL;
  failure->is_audio = FALSE;
  return FALSE;
}

static gboolean
expr_fail_unbound (const VyreScope *scope, VyreFailure *failure, const VyreNode *node)
{
  expr_fail (failure, VYRE_FAILURE_UNBOUND, node);
  failure->symbol = node->value;
  failure->stream = scope->symbols->stream;
  failure->is_audio = vyre_symbols_are_of_audio (scope->symbols);
  return FALSE;
}

static gboolean
expr_eval_leaf (
    const VyreScope *scope, const VyreNode *node, VyreNumber *value, VyreFailure *failure)
{
  switch (node->kind) {
    case VYRE_NODE_SYMBOL:
      if (!scope->symbols->defined[node->value])
        return expr_fail_unbound (scope, failure, node);
      *value = vyre_number_whole (scope->symbols->numbers[node->value]);
      return TRUE;
    case VYRE_NODE_LET:
      *failure = scope->lets[node->value].failure;
      *value = scope->lets[node->value].value;
      return failure->kind == VYRE_FAILURE_NONE;
    case VYRE_NODE_RESULT_WORD:
      *value = vyre_number_whole (VYRE_CONTROL_OBSERVABLES + scope->results[node->value]);
      return TRUE;
    case VYRE_NODE_RESULT_INDEX:
      *value = vyre_number_whole (scope->results[node->value]);
      return TRUE;
    case VYRE_NODE_OTHER_SLOTS:
      *value = vyre_number_whole (scope->other_slots);
      return TRUE;
    default:
      *value = node->number;
      return TRUE;
  }
}

/* Makes room for the observables of a target, whether a name or a number gave its index. */
static void
expr_count_target (VyreScope *scope, const VyreNode *node, guint32 index)
{
  if (node->kind >= VYRE_NODE_TARGET_INDEX)
    scope->observables = MAX (scope->observables, index + node->value);
}

/* Evaluates @expr. FALSE when it has no value: then @failure says why, and @value is undefined. */
gboolean
vyre_expr_eval_exact (VyreScope *scope, VyreExpr expr, VyreNumber *value, VyreFailure *failure)
{
  VyreNumber stack[VYRE_EXPR_STACK];
  guint depth = 0;

  for (const VyreNode *node = scope->nodes + expr.first; node < scope->nodes + expr.first + expr.n;
       node++) {
    if (node->kind < VYRE_NODE_ADD) {
      if (!expr_eval_leaf (scope, node, &stack[depth++], failure))
        return FALSE;
      continue;
    }
    if (node->kind < VYRE_NODE_THRESHOLD)
      depth--;
    VyreNumber a = stack[depth - 1];
    VyreFailureKind kind = vyre_node_apply (node->kind, a,
        node->kind < VYRE_NODE_THRESHOLD ? stack[depth] : vyre_number_whole (node->value),
        &stack[depth - 1]);
    if (kind != VYRE_FAILURE_NONE)
      return expr_fail (failure, kind, node);
    expr_count_target (scope, node, vyre_number_floor (a));
  }
  *value = stack[0];
  return TRUE;
}

/* The same, without the fraction that the value may have. */
gboolean
vyre_expr_eval (VyreScope *scope, VyreExpr expr, guint32 *value, VyreFailure *failure)
{
  VyreNumber number;

  if (!vyre_expr_eval_exact (scope, expr, &number, failure))
    return FALSE;
  *value = vyre_number_floor (number);
  return TRUE;
}

static const char *
expr_failure_message (VyreFailureKind kind)
{
  switch (kind) {
    case VYRE_FAILURE_ABOVE:
      return "the value is above 4294967295. Fix: keep every step of the expression within 32 "
             "bits.";
    case VYRE_FAILURE_TOO_FINE:
      return "the value needs more than nine digits behind the point. Fix: use fractions of fewer "
             "digits.";
    case VYRE_FAILURE_BELOW:
      return "the value is below 0. Fix: subtract the smaller number from the larger one.";
    case VYRE_FAILURE_DIVISION:
      return "division by zero. Fix: divide by a number that cannot be 0.";
    case VYRE_FAILURE_THRESHOLD:
      return "the threshold is above 256. Fix: use 0 (no byte is below) to 256 (every byte is).";
    case VYRE_FAILURE_PRIORITY:
      return "the priority is above 4. Fix: use critical, high, normal, low, idle or 0 to 4.";
    case VYRE_FAILURE_INNER_OPCODE:
      return "an opcode above 255 does not fit into a packed_slot. Fix: give the operation a slot "
             "of its own.";
    case VYRE_FAILURE_INNER_FENCE:
      return "a batch_fence cannot be packed. Fix: give it a slot of its own.";
    default:
      return "the result ends behind the last observable, 1048575. Fix: use a lower observable "
             "index.";
  }
}

static void
expr_set_unbound (const VyreFailure *failure, const char *text, GError **error)
{
  const char *word = text + failure->offset;
  int length = (int)strspn (word, "abcdefghijklmnopqrstuvwxyz0123456789.");

  vyre_set_error_at (error, VYRE_ERROR_UNBOUND, text, failure->offset,
      "'%.*s' is not defined for this stream%s%s. Fix: %s, or use only payload.", length, word,
      failure->stream ? " of " : "", failure->stream ? failure->stream : "",
      vyre_symbol_fix (failure->symbol, failure->is_audio));
}

/*
 * Turns a failure into an error that names its place in @text. @code is that of
 * arithmetic and ranges; symbols and observables have codes of their own.
 */
void
vyre_failure_set_error (
    const VyreFailure *failure, const char *text, VyreError code, GError **error)
{
  if (failure->kind == VYRE_FAILURE_UNBOUND) {
    expr_set_unbound (failure, text, error);
    return;
  }
  if (failure->kind == VYRE_FAILURE_TARGET)
    code = VYRE_ERROR_TOO_LARGE;
  vyre_set_error_at (
      error, code, text, failure->offset, "%s", expr_failure_message (failure->kind));
}

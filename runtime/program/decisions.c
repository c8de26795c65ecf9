/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Conditions of events: bound to a stream, and decided for a batch. No number is ever rounded, so a
 * decision depends on the readback alone.
 */
#include "program/statements.h"
#include "vyre/parts.h"

/* Any value of a result has 96 bits at most. */
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 WideMagnitude;

#define WIDE_MAX ((Wide)(((WideMagnitude)1 << 127) - 1))

/* The number value / divisor; the divisor is above 0. */
typedef struct {
  Wide value;
  Wide divisor;
} Number;

/* A node of a bound expression: a number, a value or an operator. */
typedef struct {
  VyreNodeKind kind;
  VyreNumber number; /* of VYRE_NODE_NUMBER */
  guint32 value;     /* of VYRE_NODE_VALUE the first control word */
  guint32 n_words;
  gboolean is_signed;
} DecisionNode;

struct _VyreCondition {
  guint comparison;
  guint n_left; /* nodes on the left; the others are on the right */
  guint n_nodes;
  DecisionNode nodes[];
};

static Wide
decision_read (const DecisionNode *node, const void *readback)
{
  WideMagnitude bits = 0;
  guint n_bits = 32 * node->n_words;

  for (guint i = 0; i < node->n_words; i++)
    bits |= (WideMagnitude)vyre_read_word (readback, node->value + i) << (32 * i);
  if (node->is_signed && bits >> (n_bits - 1) & 1)
    return (Wide)bits - ((Wide)1 << n_bits);
  return (Wide)bits;
}

static WideMagnitude
decision_magnitude (Wide a)
{
  return a < 0 ? -(WideMagnitude)a : (WideMagnitude)a;
}

/* FALSE when the product has more than 127 bits. The compiler's own check needs a function that not
 * every library of compilers has. */
static gboolean
decision_multiply (Wide a, Wide b, Wide *value)
{
  WideMagnitude x = decision_magnitude (a), y = decision_magnitude (b);

  if (x != 0 && y > (WideMagnitude)WIDE_MAX / x)
    return FALSE;
  *value = (a < 0) == (b < 0) ? (Wide)(x * y) : -(Wide)(x * y);
  return TRUE;
}

/* Applies an operator to values of up to 127 bits. FALSE when the result is none. */
static gboolean
decision_apply (VyreNodeKind kind, Wide a, Wide b, Wide *value)
{
  switch (kind) {
    case VYRE_NODE_ADD:
    case VYRE_NODE_SUBTRACT:
      b = kind == VYRE_NODE_ADD ? b : -b;
      if (b > 0 ? a > WIDE_MAX - b : a < -WIDE_MAX - b)
        return FALSE;
      *value = a + b;
      return TRUE;
    case VYRE_NODE_MULTIPLY:
      return decision_multiply (a, b, value);
    default:
      if (b == 0)
        return FALSE;
      *value = kind == VYRE_NODE_DIVIDE ? a / b : a % b;
      return TRUE;
  }
}

/* Gives two numbers one divisor, which whole numbers have already. */
static gboolean
decision_align (Number *a, Number *b)
{
  Wide divisor = a->divisor;

  return a->divisor == b->divisor
         || (decision_multiply (a->value, b->divisor, &a->value)
             && decision_multiply (a->divisor, b->divisor, &a->divisor)
             && decision_multiply (b->value, divisor, &b->value)
             && decision_multiply (b->divisor, divisor, &b->divisor));
}

static gboolean
decision_calculate (VyreNodeKind kind, Number a, Number b, Number *number)
{
  number->divisor = a.divisor;
  if (kind == VYRE_NODE_MULTIPLY)
    return decision_multiply (a.divisor, b.divisor, &number->divisor)
           && decision_multiply (a.value, b.value, &number->value);
  if (!decision_align (&a, &b))
    return FALSE;
  number->divisor = kind == VYRE_NODE_DIVIDE ? 1 : a.divisor;
  return decision_apply (kind, a.value, b.value, &number->value);
}

static gboolean
decision_eval (const DecisionNode *nodes, guint n_nodes, const void *readback, Number *number)
{
  Number stack[VYRE_EXPR_STACK];
  guint depth = 0;

  for (const DecisionNode *node = nodes; node < nodes + n_nodes; node++) {
    if (node->kind == VYRE_NODE_NUMBER) {
      stack[depth++] = (Number){ (Wide)node->number.value, (Wide)node->number.divisor };
    } else if (node->kind == VYRE_NODE_VALUE) {
      stack[depth++] = (Number){ decision_read (node, readback), 1 };
    } else {
      depth--;
      if (!decision_calculate (node->kind, stack[depth - 1], stack[depth], &stack[depth - 1]))
        return FALSE;
    }
  }
  *number = stack[0];
  return TRUE;
}

static gboolean
decision_compare (guint comparison, Wide left, Wide right)
{
  switch (comparison) {
    case '<':
      return left < right;
    case '>':
      return left > right;
    case VYRE_TOKEN_AT_MOST:
      return left <= right;
    case VYRE_TOKEN_AT_LEAST:
      return left >= right;
    default:
      return left == right;
  }
}

VyreDecision
vyre_event_decide (const VyreEvent *event, const void *readback)
{
  g_return_val_if_fail (event && readback, VYRE_DECISION_NONE);
  const VyreCondition *condition = event->condition;
  guint n_left = condition->n_left;
  Number left, right;
  if (!decision_eval (condition->nodes, n_left, readback, &left)
      || !decision_eval (condition->nodes + n_left, condition->n_nodes - n_left, readback, &right)
      || !decision_align (&left, &right))
    return VYRE_DECISION_NONE;
  return decision_compare (condition->comparison, left.value, right.value) ? VYRE_DECISION_YES
                                                                           : VYRE_DECISION_NO;
}

static const VyreName *
decision_name_of (const VyreProgram *program, const VyreValue *value)
{
  return &g_array_index (program->names, VyreName, value->name);
}

/* Whether an expression has the value of a result that an optional statement, which is left out,
 * computes. */
static gboolean
decision_lacks_result (const VyreProgram *program, const VyreBoundProgram *bound, VyreExpr expr)
{
  for (guint i = expr.first; i < expr.first + expr.n; i++) {
    const VyreNode *node = &g_array_index (program->nodes, VyreNode, i);
    gboolean found = node->kind != VYRE_NODE_VALUE;

    for (guint r = 0; r < bound->n_results && !found; r++) {
      const VyreValue *value = &g_array_index (program->values, VyreValue, node->value);
      found = bound->results[r].name == decision_name_of (program, value)->name;
    }
    if (!found)
      return TRUE;
  }
  return FALSE;
}

static gboolean
decision_bind_leaf (
    const VyreProgram *program, VyreScope *scope, guint32 at, DecisionNode *bound, GError **error)
{
  VyreFailure failure;

  if (bound->kind == VYRE_NODE_VALUE) {
    const VyreValue *value = &g_array_index (program->values, VyreValue, bound->value);
    bound->value = VYRE_CONTROL_OBSERVABLES + scope->results[value->name] + value->word;
    bound->n_words = value->n_words;
    bound->is_signed = value->is_signed;
    return TRUE;
  }
  bound->kind = VYRE_NODE_NUMBER;
  if (vyre_expr_eval_exact (scope, (VyreExpr){ at, 1 }, &bound->number, &failure))
    return TRUE;
  vyre_failure_set_error (&failure, program->text, VYRE_ERROR_INVALID, error);
  return FALSE;
}

/* Binds one side of a condition to the nodes from @bound on. */
static gboolean
decision_bind_side (const VyreProgram *program, VyreScope *scope, VyreExpr expr,
    DecisionNode *bound, GError **error)
{
  for (guint i = 0; i < expr.n; i++) {
    const VyreNode *node = &scope->nodes[expr.first + i];

    bound[i] = (DecisionNode){ .kind = node->kind, .value = node->value };
    if (node->kind < VYRE_NODE_ADD
        && !decision_bind_leaf (program, scope, expr.first + i, &bound[i], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
decision_bind (const VyreProgram *program, VyreScope *scope, const VyreEventStatement *statement,
    VyreEvent *event, GError **error)
{
  guint n_nodes = statement->left.n + statement->right.n;
  VyreCondition *condition = g_malloc (sizeof *condition + n_nodes * sizeof condition->nodes[0]);
  VyreFailure failure;
  VyreNumber time;

  *event = (VyreEvent){ .name = statement->name, .condition = condition };
  condition->comparison = statement->comparison;
  condition->n_left = statement->left.n;
  condition->n_nodes = n_nodes;
  if (!decision_bind_side (program, scope, statement->left, condition->nodes, error)
      || !decision_bind_side (
          program, scope, statement->right, condition->nodes + condition->n_left, error))
    return FALSE;
  if (!vyre_expr_eval_exact (scope, statement->time, &time, &failure)) {
    vyre_failure_set_error (&failure, program->text, VYRE_ERROR_INVALID, error);
    return FALSE;
  }
  event->time = (guint64)((Wide)time.value * statement->unit / time.divisor);
  return TRUE;
}

/* Binds the events of which the stream has the results, which are bound already. */
gboolean
vyre_events_bind (
    const VyreProgram *program, VyreScope *scope, VyreBoundProgram *bound, GError **error)
{
  if (program->events->len == 0)
    return TRUE;
  bound->events = g_new (VyreEvent, program->events->len);
  for (guint i = 0; i < program->events->len; i++) {
    const VyreEventStatement *statement = &g_array_index (program->events, VyreEventStatement, i);

    if (decision_lacks_result (program, bound, statement->left)
        || decision_lacks_result (program, bound, statement->right))
      continue;
    if (!decision_bind (program, scope, statement, &bound->events[bound->n_events++], error))
      return FALSE;
  }
  return TRUE;
}

void
vyre_events_free (VyreEvent *events, guint n_events)
{
  for (guint i = 0; i < n_events; i++)
    g_free (events[i].condition);
  g_free (events);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Conditions: bound to a stream, and decided for a batch. No number is ever rounded, so a decision
 * depends on the readback alone.
 */
#include "program/decisions.h"

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

typedef struct {
  guint kind;
  guint n_left; /* nodes on the left; the others are on the right */
  guint n_nodes;
  DecisionNode *nodes;
} DecisionComparison;

struct _VyreCondition {
  guint n;
  DecisionComparison comparisons[];
};

/* What conditions are bound with. */
typedef struct {
  const VyreProgram *program;
  VyreScope *scope;
  const VyreBoundProgram *bound;
  GError **error;
} DecisionBinder;

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
decision_compare (guint kind, Wide left, Wide right)
{
  switch (kind) {
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

static VyreDecision
decision_make (const DecisionComparison *comparison, const void *readback)
{
  guint n_left = comparison->n_left;
  Number left, right;

  if (!decision_eval (comparison->nodes, n_left, readback, &left)
      || !decision_eval (comparison->nodes + n_left, comparison->n_nodes - n_left, readback, &right)
      || !decision_align (&left, &right))
    return VYRE_DECISION_NONE;
  return decision_compare (comparison->kind, left.value, right.value) ? VYRE_DECISION_YES
                                                                      : VYRE_DECISION_NO;
}

/* One comparison that does not hold decides, whether others have a value or not. */
VyreDecision
vyre_condition_decide (const VyreCondition *condition, const void *readback)
{
  VyreDecision decision = VYRE_DECISION_YES;

  for (guint i = 0; i < condition->n; i++) {
    VyreDecision one = decision_make (&condition->comparisons[i], readback);
    if (one == VYRE_DECISION_NO)
      return VYRE_DECISION_NO;
    if (one == VYRE_DECISION_NONE)
      decision = VYRE_DECISION_NONE;
  }
  return decision;
}

VyreDecision
vyre_event_decide (const VyreEvent *event, gboolean is_open, const void *readback)
{
  g_return_val_if_fail (event && readback, VYRE_DECISION_NONE);
  const VyreCondition *condition
      = is_open && event->while_open ? event->while_open : event->condition;
  return vyre_condition_decide (condition, readback);
}

/* Whether an optional statement, which is left out, computes the result of a value. */
static gboolean
decision_lacks_value (const DecisionBinder *binder, const VyreValue *value)
{
  const VyreName *name = &g_array_index (binder->program->names, VyreName, value->name);

  for (guint r = 0; r < binder->bound->n_results; r++) {
    if (binder->bound->results[r].name == name->name)
      return FALSE;
  }
  return TRUE;
}

/* Whether an expression has a value that is left out, and has to be there. */
static gboolean
decision_lacks_result (const DecisionBinder *binder, VyreExpr expr)
{
  for (guint i = expr.first; i < expr.first + expr.n; i++) {
    const VyreNode *node = &g_array_index (binder->program->nodes, VyreNode, i);

    if (node->kind != VYRE_NODE_VALUE)
      continue;
    const VyreValue *value = &g_array_index (binder->program->values, VyreValue, node->value);
    if (!value->optional && decision_lacks_value (binder, value))
      return TRUE;
  }
  return FALSE;
}

static void
decision_bind_value (const DecisionBinder *binder, DecisionNode *bound)
{
  const VyreValue *value = &g_array_index (binder->program->values, VyreValue, bound->value);

  if (value->optional && decision_lacks_value (binder, value)) {
    *bound = (DecisionNode){ .kind = VYRE_NODE_NUMBER, .number = vyre_number_whole (0) };
    return;
  }
  bound->value = VYRE_CONTROL_OBSERVABLES + binder->scope->results[value->name] + value->word;
  bound->n_words = value->n_words;
  bound->is_signed = value->is_signed;
}

static gboolean
decision_bind_number (const DecisionBinder *binder, VyreExpr expr, VyreNumber *value)
{
  VyreFailure failure;

  if (vyre_expr_eval_exact (binder->scope, expr, value, &failure))
    return TRUE;
  vyre_failure_set_error (&failure, binder->program->text, VYRE_ERROR_INVALID, binder->error);
  return FALSE;
}

/* Binds one side of a condition to the nodes from @bound on. */
static gboolean
decision_bind_side (const DecisionBinder *binder, VyreExpr expr, DecisionNode *bound)
{
  for (guint32 i = 0; i < expr.n; i++) {
    const VyreNode *node = &binder->scope->nodes[expr.first + i];

    bound[i] = (DecisionNode){ .kind = node->kind, .value = node->value };
    if (node->kind == VYRE_NODE_VALUE) {
      decision_bind_value (binder, &bound[i]);
    } else if (node->kind < VYRE_NODE_ADD) {
      bound[i].kind = VYRE_NODE_NUMBER;
      if (!decision_bind_number (binder, (VyreExpr){ expr.first + i, 1 }, &bound[i].number))
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
decision_bind_comparison (
    const DecisionBinder *binder, const VyreComparison *comparison, DecisionComparison *bound)
{
  guint n_nodes = comparison->left.n + comparison->right.n;

  *bound = (DecisionComparison){ comparison->kind, comparison->left.n, n_nodes,
    g_new (DecisionNode, n_nodes) };
  return decision_bind_side (binder, comparison->left, bound->nodes)
         && decision_bind_side (binder, comparison->right, bound->nodes + bound->n_left);
}

/* Binds a condition; @condition is NULL where a result is left out. */
static gboolean
decision_bind (const DecisionBinder *binder, const VyreConditionStatement *statement,
    VyreCondition **condition)
{
  const VyreComparison *comparisons
      = &g_array_index (binder->program->comparisons, VyreComparison, statement->first);

  *condition = NULL;
  for (guint i = 0; i < statement->n; i++) {
    if (decision_lacks_result (binder, comparisons[i].left)
        || decision_lacks_result (binder, comparisons[i].right))
      return TRUE;
  }
  if (statement->n == 0)
    return TRUE;
  VyreCondition *bound = g_malloc (sizeof *bound + statement->n * sizeof bound->comparisons[0]);
  bound->n = 0;
  *condition = bound;
  while (bound->n < statement->n) {
    guint i = bound->n++;
    if (!decision_bind_comparison (binder, &comparisons[i], &bound->comparisons[i]))
      return FALSE;
  }
  return TRUE;
}

static void
decision_free (VyreCondition *condition)
{
  for (guint i = 0; condition && i < condition->n; i++)
    g_free (condition->comparisons[i].nodes);
  g_free (condition);
}

static void
decision_free_event (VyreEvent *event)
{
  decision_free (event->condition);
  decision_free (event->while_open);
}

static gboolean
decision_bind_conditions (
    const DecisionBinder *binder, const VyreEventStatement *statement, VyreEvent *event)
{
  const VyreConditionStatement *condition
      = statement->of_reference ? &binder->program->keep : &statement->condition;

  return decision_bind (binder, condition, &event->condition)
         && decision_bind (binder, &statement->while_open, &event->while_open);
}

/* Binds an event, unless a result of its conditions is left out. */
static gboolean
decision_bind_event (
    const DecisionBinder *binder, const VyreEventStatement *statement, VyreBoundProgram *bound)
{
  VyreEvent event = { .name = statement->name, .of_reference = statement->of_reference };
  gboolean bound_all = decision_bind_conditions (binder, statement, &event);
  VyreNumber time = vyre_number_whole (0);

  if (!event.condition || (statement->while_open.n > 0 && !event.while_open)) {
    decision_free_event (&event);
    return bound_all;
  }
  if (bound_all)
    bound_all = decision_bind_number (binder, statement->time, &time);
  event.time = (guint64)((Wide)time.value * statement->unit / time.divisor);
  bound->events[bound->n_events++] = event;
  return bound_all;
}

/* Binds what decides over the reference, and the events of which the stream has the results, which
 * are bound already. */
gboolean
vyre_decisions_bind (
    const VyreProgram *program, VyreScope *scope, VyreBoundProgram *bound, GError **error)
{
  const DecisionBinder binder = { program, scope, bound, error };

  if (program->keep.n > 0 && !decision_bind (&binder, &program->keep, &bound->keep))
    return FALSE;
  if (program->events->len > 0)
    bound->events = g_new (VyreEvent, program->events->len);
  for (guint i = 0; i < program->events->len; i++) {
    if (!decision_bind_event (
            &binder, &g_array_index (program->events, VyreEventStatement, i), bound))
      return FALSE;
  }
  return TRUE;
}

void
vyre_decisions_free (VyreBoundProgram *bound)
{
  for (guint i = 0; i < bound->n_events; i++)
    decision_free_event (&bound->events[i]);
  g_free (bound->events);
  decision_free (bound->keep);
}

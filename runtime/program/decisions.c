/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Decisions: conditions over the results of a batch, and the events and the reference that follow
 * from them.
 */
#include "program/decisions.h"

#include "program/formulas.h"

typedef struct {
  guint kind;
  VyreFormula *left;
  VyreFormula *right;
} DecisionComparison;

struct _VyreCondition {
  guint n;
  DecisionComparison comparisons[];
};

static gboolean
decision_compare (guint kind, VyreWide left, VyreWide right)
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
decision_make (const DecisionComparison *comparison, VyreCalculation *calculation)
{
  VyreQuotient left, right;

  if (!vyre_formula_calculate (comparison->left, calculation, &left)
      || !vyre_formula_calculate (comparison->right, calculation, &right)
      || !vyre_quotients_align (&left, &right))
    return VYRE_DECISION_NONE;
  return decision_compare (comparison->kind, left.value, right.value) ? VYRE_DECISION_YES
                                                                      : VYRE_DECISION_NO;
}

/* One comparison that does not hold decides, whether others have a value or not. */
static VyreDecision
decision_decide (const VyreCondition *condition, VyreCalculation *calculation)
{
  VyreDecision decision = VYRE_DECISION_YES;

  for (guint i = 0; i < condition->n; i++) {
    VyreDecision one = decision_make (&condition->comparisons[i], calculation);
    if (one == VYRE_DECISION_NO)
      return VYRE_DECISION_NO;
    if (one == VYRE_DECISION_NONE)
      decision = VYRE_DECISION_NONE;
  }
  return decision;
}

VyreDecision
vyre_condition_decide (const VyreCondition *condition, const void *readback)
{
  VyreCalculation calculation;

  vyre_calculation_start (&calculation, readback);
  return decision_decide (condition, &calculation);
}

/* Calculates the numbers that an event carries; FALSE where one of them is none. */
static gboolean
decision_calculate_values (
    const VyreEvent *event, VyreCalculation *calculation, guint64 *values, guint *negative)
{
  VyreWide value;

  *negative = 0;
  for (guint i = 0; i < event->n_values; i++) {
    if (!vyre_formula_calculate_whole (
            event->values[i].formula, calculation, G_MININT64, G_MAXUINT64, &value))
      return FALSE;
    values[i] = (guint64)value;
    *negative |= (guint)(value < 0) << i;
  }
  return TRUE;
}

VyreDecision
vyre_event_decide (const VyreEvent *event, gboolean is_open, const void *readback, guint64 *values,
    guint *negative)
{
  g_return_val_if_fail (event && readback, VYRE_DECISION_NONE);
  g_return_val_if_fail ((values && negative) || event->n_values == 0, VYRE_DECISION_NONE);
  const VyreCondition *condition
      = is_open && event->while_open ? event->while_open : event->condition;
  VyreCalculation calculation;

  vyre_calculation_start (&calculation, readback);
  VyreDecision decision = condition ? decision_decide (condition, &calculation) : VYRE_DECISION_YES;
  if (decision == VYRE_DECISION_YES && event->n_values > 0
      && !decision_calculate_values (event, &calculation, values, negative))
    decision = VYRE_DECISION_NONE;
  return decision;
}

/* Calculates those of the words that a batch leaves which formulas say. One that has no number, or
 * one of more than 32 bits, leaves its word as it was. */
void
vyre_states_calculate (const VyreBoundProgram *bound, const void *readback, guint32 *words)
{
  VyreCalculation calculation;
  VyreWide number;

  vyre_calculation_start (&calculation, readback);
  for (guint i = 0; i < bound->n_states; i++) {
    const VyreState *state = &bound->states[i];
    if (state->formula
        && vyre_formula_calculate_whole (state->formula, &calculation, 0, G_MAXUINT32, &number))
      words[0] = (guint32)number;
    words += state->n_words;
  }
}

static gboolean
decision_lacks_result (const VyreFormulaBinder *binder, const VyreConditionStatement *condition)
{
  for (guint i = condition->first; i < condition->first + condition->n; i++) {
    const VyreComparison *comparison
        = &g_array_index (binder->program->comparisons, VyreComparison, i);
    if (vyre_formula_lacks_result (binder, comparison->left)
        || vyre_formula_lacks_result (binder, comparison->right))
      return TRUE;
  }
  return FALSE;
}

static gboolean
decision_bind_comparison (
    VyreFormulaBinder *binder, const VyreComparison *comparison, DecisionComparison *bound)
{
  *bound = (DecisionComparison){ comparison->kind, vyre_formula_bind (binder, comparison->left),
    NULL };
  if (bound->left)
    bound->right = vyre_formula_bind (binder, comparison->right);
  return bound->right != NULL;
}

/* Binds a condition; @condition is NULL where there is none, or a result is left out. */
static gboolean
decision_bind (
    VyreFormulaBinder *binder, const VyreConditionStatement *statement, VyreCondition **condition)
{
  *condition = NULL;
  if (statement->n == 0 || decision_lacks_result (binder, statement))
    return TRUE;
  const VyreComparison *comparisons
      = &g_array_index (binder->program->comparisons, VyreComparison, statement->first);
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
  for (guint i = 0; condition && i < condition->n; i++) {
    g_free (condition->comparisons[i].left);
    g_free (condition->comparisons[i].right);
  }
  g_free (condition);
}

static void
decision_free_event (VyreEvent *event)
{
  decision_free (event->condition);
  decision_free (event->while_open);
  for (guint i = 0; i < event->n_values; i++)
    g_free (event->values[i].formula);
  g_free (event->values);
}

static gboolean
decision_bind_values (
    VyreFormulaBinder *binder, const VyreEventStatement *statement, VyreEvent *event)
{
  event->values = statement->n_values > 0 ? g_new0 (VyreEventValue, statement->n_values) : NULL;
  while (event->n_values < statement->n_values) {
    const VyreValueStatement *from = &statement->values[event->n_values];
    VyreEventValue *value = &event->values[event->n_values++];

    value->name = from->name;
    value->formula = vyre_formula_bind (binder, from->expr);
    if (!value->formula)
      return FALSE;
  }
  return TRUE;
}

/* Binds all but the time of an event, which lacks no result. */
static gboolean
decision_bind_parts (
    VyreFormulaBinder *binder, const VyreEventStatement *statement, VyreEvent *event)
{
  const VyreConditionStatement *condition
      = statement->of_reference ? &binder->program->keep : &statement->condition;

  return decision_bind (binder, condition, &event->condition)
         && decision_bind (binder, &statement->while_open, &event->while_open)
         && decision_bind_values (binder, statement, event);
}

/* Whether a result that an event names is left out. */
static gboolean
decision_lacks_event (const VyreFormulaBinder *binder, const VyreEventStatement *statement)
{
  gboolean lacks = decision_lacks_result (binder,
                       statement->of_reference ? &binder->program->keep : &statement->condition)
                   || decision_lacks_result (binder, &statement->while_open)
                   || vyre_formula_lacks_result (binder, statement->loud);

  for (guint i = 0; i < statement->n_values; i++)
    lacks |= vyre_formula_lacks_result (binder, statement->values[i].expr);
  return lacks;
}

/* Binds the result and the rate of an event of quiet samples. */
static gboolean
decision_bind_quiet (
    VyreFormulaBinder *binder, const VyreEventStatement *statement, VyreEvent *event)
{
  VyreNumber rate;

  event->of_quiet = statement->of_quiet;
  if (!event->of_quiet)
    return TRUE;
  if (!vyre_formula_bind_number (binder, statement->rate, &rate))
    return FALSE;
  const VyreNode *node = &binder->scope->nodes[statement->loud.first];
  const VyreValue *value = &g_array_index (binder->program->values, VyreValue, node->value);
  event->loud = binder->scope->results[value->name];
  event->rate = vyre_number_floor (rate);
  if (event->rate > 0)
    return TRUE;
  vyre_set_error_at (binder->error, VYRE_ERROR_INVALID, binder->program->text, value->offset,
      "quiet samples of no rate have no time. Fix: write the samples in a second behind 'at', such "
      "as rate.");
  return FALSE;
}

/* Binds an event, unless a result that it names is left out. */
static gboolean
decision_bind_event (VyreFormulaBinder *binder, const VyreEventStatement *statement)
{
  VyreBoundProgram *bound = binder->bound;
  VyreNumber time = vyre_number_whole (0);

  if (decision_lacks_event (binder, statement))
    return TRUE;
  VyreEvent *event = &bound->events[bound->n_events++];
  *event = (VyreEvent){ .name = statement->name, .of_reference = statement->of_reference };
  if (!decision_bind_parts (binder, statement, event)
      || !decision_bind_quiet (binder, statement, event)
      || !vyre_formula_bind_number (binder, statement->time, &time))
    return FALSE;
  event->time = (guint64)((VyreWide)time.value * statement->unit / time.divisor);
  return TRUE;
}

/* Binds the state that formulas say. Where a result is left out, the words stay as they are. */
static gboolean
decision_bind_state (VyreFormulaBinder *binder, const VyreStateStatement *statement)
{
  VyreState *state = &binder->bound->states[binder->bound->n_states++];

  *state = statement->state;
  if (statement->from.n == 0 || vyre_formula_lacks_result (binder, statement->from))
    return TRUE;
  state->formula = vyre_formula_bind (binder, statement->from);
  return state->formula != NULL;
}

/* Binds state, what decides over the reference, and the events of which the stream has the results,
 * which are bound already. */
gboolean
vyre_decisions_bind (
    const VyreProgram *program, VyreScope *scope, VyreBoundProgram *bound, GError **error)
{
  VyreFormulaBinder binder = { program, scope, bound, error, { FALSE } };

  vyre_formulas_start (&binder);
  bound->states = g_new0 (VyreState, program->states->len);
  for (guint i = 0; i < program->states->len; i++) {
    if (!decision_bind_state (&binder, &g_array_index (program->states, VyreStateStatement, i)))
      return FALSE;
  }
  if (!decision_bind (&binder, &program->keep, &bound->keep))
    return FALSE;
  bound->events = g_new0 (VyreEvent, program->events->len);
  for (guint i = 0; i < program->events->len; i++) {
    if (!decision_bind_event (&binder, &g_array_index (program->events, VyreEventStatement, i)))
      return FALSE;
  }
  return TRUE;
}

void
vyre_decisions_free (VyreBoundProgram *bound)
{
  for (guint i = 0; i < bound->n_states; i++)
    g_free (bound->states[i].formula);
  g_free (bound->states);
  for (guint i = 0; i < bound->n_events; i++)
    decision_free_event (&bound->events[i]);
  g_free (bound->events);
  decision_free (bound->keep);
  vyre_formulas_free (bound);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Formulas: bound to a stream, and calculated for a batch. A let over results is a formula of its
 * own, which others name, and is calculated once for all that one calculation asks for.
 */
#include "program/formulas.h"

#include "vyre/parts.h"

__extension__ typedef unsigned __int128 Magnitude;

#define WIDE_MAX ((VyreWide)(((Magnitude)1 << 127) - 1))

/* A node of a bound expression: a number, a value, a let over results or an operator. */
typedef struct {
  VyreNodeKind kind;
  VyreNumber number; /* of VYRE_NODE_NUMBER */
  guint32 value; /* of VYRE_NODE_VALUE the first control word; of VYRE_NODE_FORMULA its number */
  guint32 n_words;
  gboolean is_signed;
} FormulaNode;

/* The lets over results of a bound program, by their number; NULL where nothing names one. */
struct _VyreFormulas {
  guint n;
  VyreFormula *lets[];
};

struct _VyreFormula {
  const VyreFormulas *formulas;
  guint n_nodes;
  FormulaNode nodes[];
};

/* Starts from a readback, of which nothing is known. */
void
vyre_calculation_start (VyreCalculation *calculation, const void *readback)
{
  calculation->readback = readback;
  calculation->n_known = 0;
}

static VyreWide
formula_read (const FormulaNode *node, const void *readback)
{
  Magnitude bits = 0;
  guint n_bits = 32 * node->n_words;

  for (guint i = 0; i < node->n_words; i++)
    bits |= (Magnitude)vyre_read_word (readback, node->value + i) << (32 * i);
  if (node->is_signed && bits >> (n_bits - 1) & 1)
    return (VyreWide)bits - ((VyreWide)1 << n_bits);
  return (VyreWide)bits;
}

static Magnitude
formula_magnitude (VyreWide a)
{
  return a < 0 ? -(Magnitude)a : (Magnitude)a;
}

/* FALSE when the product has more than 127 bits. The compiler's own check needs a function that not
 * every library of compilers has. */
static gboolean
formula_multiply (VyreWide a, VyreWide b, VyreWide *value)
{
  Magnitude x = formula_magnitude (a), y = formula_magnitude (b);

  if (x != 0 && y > (Magnitude)WIDE_MAX / x)
    return FALSE;
  *value = (a < 0) == (b < 0) ? (VyreWide)(x * y) : -(VyreWide)(x * y);
  return TRUE;
}

/* Applies an operator to values of up to 127 bits. FALSE when the result is none. */
static gboolean
formula_apply (VyreNodeKind kind, VyreWide a, VyreWide b, VyreWide *value)
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
      return formula_multiply (a, b, value);
    case VYRE_NODE_LEAST:
      *value = MIN (a, b);
      return TRUE;
    case VYRE_NODE_GREATEST:
      *value = MAX (a, b);
      return TRUE;
    default:
      if (b == 0)
        return FALSE;
      *value = kind == VYRE_NODE_DIVIDE ? a / b : a % b;
      return TRUE;
  }
}

/* Gives two numbers one divisor, which whole numbers have already. */
gboolean
vyre_quotients_align (VyreQuotient *a, VyreQuotient *b)
{
  VyreWide divisor = a->divisor;

  return a->divisor == b->divisor
         || (formula_multiply (a->value, b->divisor, &a->value)
             && formula_multiply (a->divisor, b->divisor, &a->divisor)
             && formula_multiply (b->value, divisor, &b->value)
             && formula_multiply (b->divisor, divisor, &b->divisor));
}

static gboolean
formula_step (VyreNodeKind kind, VyreQuotient a, VyreQuotient b, VyreQuotient *number)
{
  number->divisor = a.divisor;
  if (kind == VYRE_NODE_MULTIPLY)
    return formula_multiply (a.divisor, b.divisor, &number->divisor)
           && formula_multiply (a.value, b.value, &number->value);
  if (!vyre_quotients_align (&a, &b))
    return FALSE;
  number->divisor = kind == VYRE_NODE_DIVIDE ? 1 : a.divisor;
  return formula_apply (kind, a.value, b.value, &number->value);
}

/* Finds the number of a let over results. Those in front of it are calculated first, so it names
 * none that is unknown. */
static gboolean
formula_know (
    const VyreFormulas *formulas, guint let, VyreCalculation *calculation, VyreQuotient *number)
{
  while (calculation->n_known <= let) {
    guint next = calculation->n_known;
    const VyreFormula *formula = formulas->lets[next];
    calculation->is_number[next]
        = formula && vyre_formula_calculate (formula, calculation, &calculation->known[next]);
    calculation->n_known++;
  }
  *number = calculation->known[let];
  return calculation->is_number[let];
}

static gboolean
formula_calculate_leaf (const VyreFormulas *formulas, const FormulaNode *node,
    VyreCalculation *calculation, VyreQuotient *number)
{
  if (node->kind == VYRE_NODE_FORMULA)
    return formula_know (formulas, node->value, calculation, number);
  if (node->kind == VYRE_NODE_NUMBER)
    *number = (VyreQuotient){ (VyreWide)node->number.value, (VyreWide)node->number.divisor };
  else
    *number = (VyreQuotient){ formula_read (node, calculation->readback), 1 };
  return TRUE;
}

/* FALSE where a step divides by zero, or has more than 127 bits. */
gboolean
vyre_formula_calculate (
    const VyreFormula *formula, VyreCalculation *calculation, VyreQuotient *number)
{
  VyreQuotient stack[VYRE_EXPR_STACK];
  guint depth = 0;

  for (guint i = 0; i < formula->n_nodes; i++) {
    const FormulaNode *node = &formula->nodes[i];

    if (node->kind < VYRE_NODE_ADD) {
      if (!formula_calculate_leaf (formula->formulas, node, calculation, &stack[depth++]))
        return FALSE;
    } else {
      depth--;
      if (!formula_step (node->kind, stack[depth - 1], stack[depth], &stack[depth - 1]))
        return FALSE;
    }
  }
  *number = stack[0];
  return TRUE;
}

/* The same, without the fraction, which is dropped towards 0; FALSE also where the number is below
 * @least, or the whole one above @most. */
gboolean
vyre_formula_calculate_whole (const VyreFormula *formula, VyreCalculation *calculation,
    VyreWide least, VyreWide most, VyreWide *value)
{
  VyreQuotient number;

  if (!vyre_formula_calculate (formula, calculation, &number))
    return FALSE;
  *value = number.value / number.divisor;
  gboolean is_less = *value == least && number.value % number.divisor < 0;
  return *value >= least && !is_less && *value <= most;
}

/* Whether an optional statement, which is left out, computes the result of a value. */
static gboolean
formula_lacks_value (const VyreFormulaBinder *binder, const VyreValue *value)
{
  const VyreName *name = &g_array_index (binder->program->names, VyreName, value->name);

  for (guint r = 0; r < binder->bound->n_results; r++) {
    if (binder->bound->results[r].name == name->name)
      return FALSE;
  }
  return TRUE;
}

/* Whether an expression has a value that is left out, and has to be there. */
gboolean
vyre_formula_lacks_result (const VyreFormulaBinder *binder, VyreExpr expr)
{
  for (guint i = expr.first; i < expr.first + expr.n; i++) {
    const VyreNode *node = &g_array_index (binder->program->nodes, VyreNode, i);

    if (node->kind == VYRE_NODE_FORMULA && binder->lacks[node->value])
      return TRUE;
    if (node->kind != VYRE_NODE_VALUE)
      continue;
    const VyreValue *value = &g_array_index (binder->program->values, VyreValue, node->value);
    if (!value->optional && formula_lacks_value (binder, value))
      return TRUE;
  }
  return FALSE;
}

/* Makes room for the lets over results, and finds those that lack one. */
void
vyre_formulas_start (VyreFormulaBinder *binder)
{
  GArray *formulas = binder->program->formulas;
  VyreFormulas *bound = g_malloc0 (sizeof *bound + formulas->len * sizeof bound->lets[0]);

  bound->n = formulas->len;
  binder->bound->formulas = bound;
  for (guint i = 0; i < formulas->len; i++)
    binder->lacks[i] = vyre_formula_lacks_result (binder, g_array_index (formulas, VyreExpr, i));
}

static void
formula_bind_value (const VyreFormulaBinder *binder, FormulaNode *bound)
{
  const VyreValue *value = &g_array_index (binder->program->values, VyreValue, bound->value);

  if (value->optional && formula_lacks_value (binder, value)) {
    *bound = (FormulaNode){ .kind = VYRE_NODE_NUMBER, .number = vyre_number_whole (0) };
    return;
  }
  bound->value = VYRE_CONTROL_OBSERVABLES + binder->scope->results[value->name] + value->word;
  bound->n_words = value->n_words;
  bound->is_signed = value->is_signed;
}

/* Evaluates an expression that names no result. */
gboolean
vyre_formula_bind_number (const VyreFormulaBinder *binder, VyreExpr expr, VyreNumber *value)
{
  VyreFailure failure;

  if (vyre_expr_eval_exact (binder->scope, expr, value, &failure))
    return TRUE;
  vyre_failure_set_error (&failure, binder->program->text, VYRE_ERROR_INVALID, binder->error);
  return FALSE;
}

/* Binds a let over results, unless it is bound already. */
static gboolean
formula_bind_let (VyreFormulaBinder *binder, guint let)
{
  VyreFormula **bound = &binder->bound->formulas->lets[let];

  if (!*bound)
    *bound = vyre_formula_bind (binder, g_array_index (binder->program->formulas, VyreExpr, let));
  return *bound != NULL;
}

static gboolean
formula_bind_node (VyreFormulaBinder *binder, guint32 at, FormulaNode *bound)
{
  const VyreNode *node = &binder->scope->nodes[at];

  *bound = (FormulaNode){ .kind = node->kind, .value = node->value };
  if (node->kind == VYRE_NODE_VALUE)
    formula_bind_value (binder, bound);
  if (node->kind == VYRE_NODE_FORMULA)
    return formula_bind_let (binder, node->value);
  if (node->kind == VYRE_NODE_VALUE || node->kind >= VYRE_NODE_ADD)
    return TRUE;
  bound->kind = VYRE_NODE_NUMBER;
  return vyre_formula_bind_number (binder, (VyreExpr){ at, 1 }, &bound->number);
}

/* Binds an expression that lacks no result; NULL with the error set. Lets that it names are bound
 * with it: each names such as stand in front of it alone. */
VyreFormula *
vyre_formula_bind (VyreFormulaBinder *binder, VyreExpr expr)
{
  g_autofree VyreFormula *formula = g_malloc (sizeof *formula + expr.n * sizeof formula->nodes[0]);

  formula->formulas = binder->bound->formulas;
  formula->n_nodes = expr.n;
  for (guint32 i = 0; i < expr.n; i++) {
    if (!formula_bind_node (binder, expr.first + i, &formula->nodes[i]))
      return NULL;
  }
  return g_steal_pointer (&formula);
}

void
vyre_formulas_free (VyreBoundProgram *bound)
{
  for (guint i = 0; bound->formulas && i < bound->formulas->n; i++)
    g_free (bound->formulas->lets[i]);
  g_free (bound->formulas);
}

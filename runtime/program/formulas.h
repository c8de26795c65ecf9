/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: formulas, which are expressions over the results of a batch. No number is ever rounded,
 * so what follows from one depends on the readback alone.
 */
#pragma once

#include "program/statements.h"
#include "vyre/program.h"

G_BEGIN_DECLS

/* Any value of a result has 96 bits at most. */
__extension__ typedef __int128 VyreWide;

/* The number value / divisor; the divisor is above 0. */
typedef struct {
  VyreWide value;
  VyreWide divisor;
} VyreQuotient;

/* The program, the names and the results that formulas are bound with. */
typedef struct {
  const VyreProgram *program;
  VyreScope *scope;
  VyreBoundProgram *bound;
  GError **error;
  gboolean lacks[VYRE_MOST_FORMULAS]; /* lets with a result that is left out */
} VyreFormulaBinder;

/* One readback, and the lets over it that are known already: the first ones. */
typedef struct {
  const void *readback;
  guint n_known;
  gboolean is_number[VYRE_MOST_FORMULAS];
  VyreQuotient known[VYRE_MOST_FORMULAS];
} VyreCalculation;

void vyre_calculation_start (VyreCalculation *calculation, const void *readback);
gboolean vyre_quotients_align (VyreQuotient *a, VyreQuotient *b);
void vyre_formulas_start (VyreFormulaBinder *binder);
gboolean vyre_formula_lacks_result (const VyreFormulaBinder *binder, VyreExpr expr);
gboolean vyre_formula_bind_number (
    const VyreFormulaBinder *binder, VyreExpr expr, VyreNumber *value);
VyreFormula *vyre_formula_bind (VyreFormulaBinder *binder, VyreExpr expr);
gboolean vyre_formula_calculate (
    const VyreFormula *formula, VyreCalculation *calculation, VyreQuotient *number);
gboolean vyre_formula_calculate_whole (const VyreFormula *formula, VyreCalculation *calculation,
    VyreWide least, VyreWide most, VyreWide *value);
void vyre_formulas_free (VyreBoundProgram *bound);

G_END_DECLS

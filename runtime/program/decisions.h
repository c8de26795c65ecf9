/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the host decides a condition, and calculates state, between two batches.
 */
#pragma once

#include "vyre/program.h"

G_BEGIN_DECLS

VyreDecision vyre_condition_decide (const VyreCondition *condition, const void *readback);
void vyre_states_calculate (const VyreBoundProgram *bound, const void *readback, guint32 *words);

G_END_DECLS

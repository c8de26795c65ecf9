/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the host decides a condition between two batches.
 */
#pragma once

#include "vyre/program.h"

G_BEGIN_DECLS

VyreDecision vyre_condition_decide (const VyreCondition *condition, const void *readback);

G_END_DECLS

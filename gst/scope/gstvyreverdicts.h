/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Verdicts over the results of one buffer, and for how long they hold: those of the events of
 * built-in programs, with their defaults. The events themselves are messages, and in no buffer.
 */
#pragma once

#include "scope/gstvyremodel.h"

G_BEGIN_DECLS

void gst_vyre_verdicts_take (GstVyreModel *model, const GstVyreResults *results);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where panels lie: the timeline, which is wide, on top; the others below it, side by side, each as
 * wide as it has to show.
 */
#pragma once

#include "scope/gstvyrepen.h"

G_BEGIN_DECLS

/* @weights: how wide a panel is beside others; 0 for one that is not shown, below 0 for one that
 * takes a row to itself. */
void gst_vyre_layout_place (
    const GstVyreBox *area, const gdouble *weights, guint n, gdouble gap, GstVyreBox *boxes);

G_END_DECLS

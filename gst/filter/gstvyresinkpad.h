/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrefilter's sink pad: its chain function, events, queries and activation.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

void gst_vyre_sink_pad_init (GstVyreFilter *self);
void gst_vyre_sink_pad_clear (GstVyreFilter *self);

G_END_DECLS

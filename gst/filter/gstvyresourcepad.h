/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrefilter's source pad: its task waits for the batches that the chain function leaves to it.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

void gst_vyre_source_pad_init (GstVyreFilter *self);
void gst_vyre_source_pad_clear (GstVyreFilter *self);

G_END_DECLS

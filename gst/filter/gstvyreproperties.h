/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties of vyrefilter: a table of its own, and the one of the kernel.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

extern const GstVyrePropertyTable gst_vyre_filter_properties[];

void gst_vyre_filter_properties_init (GstVyreFilter *self);
void gst_vyre_filter_properties_clear (GstVyreFilter *self);

G_END_DECLS

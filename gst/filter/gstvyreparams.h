/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The children of vyrefilter, one for each param that its program declares: GstChildProxy finds
 * them by the names of the params. A child holds nothing but the control sources of its property
 * `value`, which is the number of the param in the element.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

#define GST_TYPE_VYRE_PARAM (gst_vyre_param_get_type ())
G_DECLARE_FINAL_TYPE (GstVyreParam, gst_vyre_param, GST, VYRE_PARAM, GstObject)

void gst_vyre_params_init_interface (gpointer interface, gpointer data);
void gst_vyre_params_follow (GstVyreFilter *self);
void gst_vyre_params_sync (GstVyreFilter *self, GstClockTime stream_time);
void gst_vyre_params_become_inherited (GstVyreFilter *self);
void gst_vyre_params_leave (GstVyreFilter *self);

G_END_DECLS

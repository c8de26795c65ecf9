/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrefilter: buffers in, readbacks out.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VYRE_FILTER (gst_vyre_filter_get_type ())
GST_ELEMENT_REGISTER_DECLARE (vyrefilter)
G_DECLARE_FINAL_TYPE (GstVyreFilter, gst_vyre_filter, GST, VYRE_FILTER, GstElement)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The debug category of vyrefilter and of the kernels that it shares.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_vyre_debug);
GST_DEBUG_CATEGORY_EXTERN (gst_vyre_performance_debug); /* GST_PERFORMANCE: copies */

void gst_vyre_debug_init (void);

G_END_DECLS

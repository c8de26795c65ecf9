/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyredebug.h"

GST_DEBUG_CATEGORY (gst_vyre_debug);
GST_DEBUG_CATEGORY (gst_vyre_performance_debug);

void
gst_vyre_debug_init (void)
{
  GST_DEBUG_CATEGORY_INIT (gst_vyre_debug, "vyrefilter", 0, "vyrefilter element");
  GST_DEBUG_CATEGORY_GET (gst_vyre_performance_debug, "GST_PERFORMANCE");
}

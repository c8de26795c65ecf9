/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The query vyre-stats, a custom one: an element behind vyrefilter asks for its counters. It
 * travels upstream through whatever is between both.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GstQuery *gst_vyre_query_new_stats (void);
gboolean gst_vyre_query_is_stats (GstQuery *query);
void gst_vyre_query_take_stats (GstQuery *query, GstStructure *stats);
const GstStructure *gst_vyre_query_get_stats (GstQuery *query);

G_END_DECLS

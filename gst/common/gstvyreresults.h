/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The results of a program as a custom meta of a buffer, which every binding reads:
 * gst_buffer_get_custom_meta (buffer, GST_VYRE_RESULTS_META) has a structure with the fields of the
 * message vyre-results. The meta describes the moment, not bytes: it has no tags, and converters
 * and scalers keep it.
 */
#pragma once

#include "library/gst/vyre/results.h"

G_BEGIN_DECLS

void gst_vyre_results_init (void);
void gst_buffer_take_vyre_results (GstBuffer *buffer, GstStructure *results);

G_END_DECLS

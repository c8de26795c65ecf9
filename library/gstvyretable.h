/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tables from inside of the library.
 */
#pragma once

#include "gst/vyre/table.h"

G_BEGIN_DECLS

GstStructure *gst_vyre_table_new_structure (
    const GstVyreTable *table, GstBuffer *readback, const GstSegment *segment, GError **error);

G_END_DECLS

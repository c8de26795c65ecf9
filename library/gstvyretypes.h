/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The types of results: how their words become fields of a structure, and the units of these.
 */
#pragma once

#include "gst/vyre/table.h"

G_BEGIN_DECLS

void gst_vyre_types_init (void);
const gchar *gst_vyre_types_get_name (GstVyreResultType type);
gboolean gst_vyre_types_find (const gchar *name, GstVyreResultType *type);
gboolean gst_vyre_types_has_words (GstVyreResultType type, guint n_words);
gchar *gst_vyre_types_dup_unit (const GstVyreEntry *entry, const gchar *field);
void gst_vyre_types_set (
    GstStructure *structure, GQuark name, const GstVyreEntry *entry, const guint32 *words);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Caps of readbacks, which describe the parts and the results: docs/results.md.
 */
#pragma once

#include "gst/vyre/table.h"

G_BEGIN_DECLS

GstCaps *gst_vyre_caps_new (const GstVyreEntry *entries, guint n_entries, const gsize *sizes,
    gboolean has_sequence, const gchar *program);
GArray *gst_vyre_caps_read (
    const GstCaps *caps, gsize *sizes, gboolean *has_sequence, GError **error);

G_END_DECLS

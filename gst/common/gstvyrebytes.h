/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bytes of buffers, had in such a way that nobody who can cut the file behind them takes
 * the process down: of such memory they are read from the file, or, where a private mapping has
 * others, copied by the system.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

gboolean gst_vyre_bytes_are_mappable (GstBuffer *buffer);
gboolean gst_vyre_bytes_copy (GstBuffer *buffer, guint8 *data, GError **error);
void gst_vyre_bytes_set_cut (GError **error, gsize size, gsize found);

G_END_DECLS

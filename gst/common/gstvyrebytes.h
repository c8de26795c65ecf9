/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the bytes of buffers. Another process can cut the file behind a memory, and a read of the
 * mapping would then end this process: such bytes are read from the file or, where a private
 * mapping differs from its file, copied by the system.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

gboolean gst_vyre_bytes_are_mappable (GstBuffer *buffer);
gboolean gst_vyre_bytes_copy (GstBuffer *buffer, guint8 *data, GError **error);
void gst_vyre_bytes_set_cut (GError **error, gsize size, gsize found);

G_END_DECLS

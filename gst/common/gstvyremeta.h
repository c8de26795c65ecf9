/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where the four parts of a readback lie in a buffer: a whole-buffer map may
 * merge its memories, so their number says nothing. A custom meta, readable from
 * every binding: gst_buffer_get_custom_meta (buffer, GST_VYRE_READBACK_META) has
 * a structure with <part>-offset and <part>-size, in bytes, for the parts
 * control, ring, debug-log and io-queue.
 */
#pragma once

#include <gst/gst.h>

#include "vyre/vyre.h"

G_BEGIN_DECLS

#define GST_VYRE_READBACK_META "GstVyreReadbackMeta"

void gst_vyre_readback_meta_register (void);
void gst_buffer_add_vyre_readback_meta (GstBuffer *buffer, const VyreLayout *layout);

G_END_DECLS

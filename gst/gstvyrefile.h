/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstMemory that is a part of a file, so that its bytes can be had from there.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

gboolean gst_vyre_file_is_memory (GstMemory *memory);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstMemory that is a part of a file, so that its bytes can be had from there.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Whether memory may be read through a mapping. */
typedef enum {
  GST_VYRE_FILE_NONE,   /* it is of no regular file: who made it answers for it */
  GST_VYRE_FILE_SEALED, /* its file has these bytes for good */
  GST_VYRE_FILE_LOOSE,  /* others may cut its file at any time, and a look at a page that is gone
                           ends the process: it is read, and never looked at through a mapping */
} GstVyreFileHold;

GstVyreFileHold gst_vyre_file_get_hold (GstMemory *memory);
gboolean gst_vyre_file_is_memory (GstMemory *memory);

G_END_DECLS

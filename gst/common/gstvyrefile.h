/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which GstMemory is part of a file, and whether its mapping may be read.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* How safe it is to read memory through its mapping: reading a page that is gone ends the process.
 */
typedef enum {
  GST_VYRE_FILE_NONE,   /* no regular file: the maker of the memory answers for it */
  GST_VYRE_FILE_SEALED, /* the file keeps these bytes for good */
  GST_VYRE_FILE_LOOSE,  /* any process may cut the file: only the file is read, never a mapping */
} GstVyreFileHold;

GstVyreFileHold gst_vyre_file_get_hold (GstMemory *memory);
gboolean gst_vyre_file_is_memory (GstMemory *memory);

G_END_DECLS

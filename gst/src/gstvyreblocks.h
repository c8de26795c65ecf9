/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The blocks of a file that vyresrc reads ahead. A block is a read in flight and the buffer that it
 * fills, in memory that downstream proposes.
 *
 * The streaming thread starts and finishes reads. The object lock of the source guards `file_io`,
 * which `stats` reads.
 */
#pragma once

#include <gst/base/gstbasesrc.h>

#include "src/gstvyredirect.h"
#include "vyre/vyre.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_vyre_src_debug); /* the type of vyresrc makes it */

typedef struct {
  GstBaseSrc *src;      /* not owned: it allocates buffers and posts messages */
  VyreFileIo *file_io;  /* from the negotiation to the end of the stream */
  int fd;               /* -1 while no file is open */
  GstVyreDirect direct; /* of the same file */
  VyreStore *store;     /* the store that the file I/O has registered, or NULL */
  GQueue queue;         /* of Block: by offset, without gaps */
  guint64 next;         /* offset behind the last of them */
} GstVyreBlocks;

void gst_vyre_blocks_init (GstVyreBlocks *self, GstBaseSrc *src);
void gst_vyre_blocks_set_store (GstVyreBlocks *self, GstAllocator *allocator);
GstFlowReturn gst_vyre_blocks_read (GstVyreBlocks *self, guint64 offset, gsize length, guint64 size,
    guint depth, GstBuffer **buffer, GError **error);
void gst_vyre_blocks_stop (GstVyreBlocks *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second descriptor of a file, whose reads go past the page cache.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  int fd;                 /* -1: none */
  guint memory_alignment; /* bytes, powers of two */
  guint offset_alignment; /* of offset and length */
  gboolean refused;       /* even aligned reads: not to be used any more */
} GstVyreDirect;

#define GST_VYRE_DIRECT_NONE                                                                       \
  {                                                                                                \
    .fd = -1, .memory_alignment = 1, .offset_alignment = 1                                         \
  }

gboolean gst_vyre_direct_open (GstVyreDirect *direct, int fd);
void gst_vyre_direct_close (GstVyreDirect *direct);
gboolean gst_vyre_direct_takes (
    const GstVyreDirect *direct, guint64 offset, gconstpointer data, gsize length);
gboolean gst_vyre_direct_pays (int fd);

G_END_DECLS

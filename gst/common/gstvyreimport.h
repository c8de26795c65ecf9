/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Imports of GstMemory that is not ours. One is made with the first payload in it,
 * and kept by the memory from then on: a pool's memory is imported once however
 * often it comes, and an import ends just before the memory does.
 */
#pragma once

#include <gst/gst.h>

#include "vyre/vyre.h"

G_BEGIN_DECLS

/* Where the bytes of a memory lie in an import. */
typedef struct {
  VyreImport *import; /* of the memory, which has to be held while it is used */
  const guint8 *data;
  gboolean is_new;
} GstVyreImported;

gboolean gst_vyre_import_accepts (GstMemory *memory, VyreMegakernel *kernel);
gboolean gst_vyre_import_find (
    GstMemory *memory, VyreMegakernel *kernel, GstVyreImported *imported, GError **error);
void gst_vyre_import_init (void);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Imports of GstMemory that other elements made. The first payload in a memory makes the import,
 * and the memory keeps it: memory of a pool is imported once, however often it comes, and the
 * import ends just before the memory does.
 */
#pragma once

#include <gst/gst.h>

#include "vyre/vyre.h"

G_BEGIN_DECLS

/* Where the bytes of a memory lie in an import. */
typedef struct {
  VyreImport *import; /* hold the memory while the import is in use */
  const guint8 *data;
  gboolean is_new;
} GstVyreImported;

gboolean gst_vyre_import_accepts (GstMemory *memory, VyreMegakernel *kernel);
gboolean gst_vyre_import_find (
    GstMemory *memory, VyreMegakernel *kernel, GstVyreImported *imported, GError **error);
void gst_vyre_import_init (void);

G_END_DECLS

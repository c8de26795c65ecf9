/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Imports as their kernel sees them.
 */
#pragma once

#include "kernel/types.h"
#include "vyre/import.h"

/* All imports of one kernel. They keep it, and it keeps no device. Its lock is taken
 * without that of the kernel, and not held while a driver makes or drops an import. */
struct _VyreImports {
  gatomicrefcount refs;
  GMutex lock;
  GCond settled;
  VyreMegakernel *kernel; /* not owned; NULL once it is gone */
  guint n_settling;       /* threads that use the kernel */
  gboolean hopeless;      /* one could not be settled, and no other is waited for */
  guint32 last_number;
  GPtrArray *list; /* of VyreImport, not owned */
};

VyreImports *vyre_imports_new (VyreMegakernel *kernel);
void vyre_imports_close (VyreImports *imports);

gboolean vyre_import_has (const VyreImport *import, const guint8 *data, gsize size);

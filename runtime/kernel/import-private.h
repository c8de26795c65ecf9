/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Imports as their kernel sees them.
 */
#pragma once

#include "vyre/import.h"
#include "kernel/types.h"

struct _VyreImport {
  gatomicrefcount refs;
  guint generation;     /* of the process */
  VyreImports *imports; /* that it is or was among */
  guint8 *base;         /* whole pages, from here */
  gsize size;
  gboolean abandoned; /* nobody holds it, but the device may yet refer to it */
  guint32 number;     /* from 1, among those of the kernel; what its tickets say */
  VyreBuffer memory;
  VyreSource source;                        /* where the kernel reads it itself */
  guint64 copied[VYRE_MAX_TRANSFER_QUEUES]; /* copies up to the last that reads it, by queue */
};

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

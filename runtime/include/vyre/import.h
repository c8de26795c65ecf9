/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:import
 * @title: Import
 * @short_description: Payloads that a kernel reads where they lie
 *
 * An import makes whole pages around a range of the address space a buffer of the device, so the
 * kernel reads bytes that no one copied. An import belongs to one kernel and outlives it as an
 * empty shell, so an import that is kept holds no device open.
 */

#include "vyre/megakernel.h"

G_BEGIN_DECLS

/**
 * vyre_import_new:
 * @kernel: the kernel that reads the memory
 * @data: the start of the memory
 * @size: its bytes, not 0
 * @error: return location
 *
 * Imports memory, which the kernel only reads. The caller keeps the memory mapped and readable
 * until the import is gone, that is, until the last vyre_import_unref() has returned. The other
 * bytes of its first and last page are imported with it and never read; another import may contain
 * them, if the driver allows that. A mapping of a file may be imported only if no process can cut
 * the file, such as a memfd sealed with F_SEAL_SHRINK: a read behind the new end ends the process.
 *
 * Returns: (transfer full) (nullable): the import, or %NULL with %VYRE_ERROR_UNSUPPORTED (no
 *   imports on this device, too large or too many), %VYRE_ERROR_FORKED or the error of the
 *   driver
 */
VyreImport *vyre_import_new (VyreMegakernel *kernel, void *data, gsize size, GError **error);

/**
 * vyre_import_ref:
 * @import: an import
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @import with one more reference
 */
VyreImport *vyre_import_ref (VyreImport *import);

/**
 * vyre_import_unref:
 * @import: (transfer full): an import
 *
 * Drops a reference. The last one waits until no work on the device refers to the memory; then the
 * caller may free it. Batches have their own references, which they drop before they release the
 * payload.
 *
 * Returns: %TRUE if other references are left or the memory may be freed; %FALSE if the kernel has
 *   failed and holds the memory until it is taken down
 */
gboolean vyre_import_unref (VyreImport *import);

/**
 * vyre_import_is_of:
 * @import: an import
 * @kernel: a kernel
 *
 * Tells whether an import belongs to a kernel.
 *
 * Returns: whether @kernel can read the memory of @import
 */
gboolean vyre_import_is_of (const VyreImport *import, const VyreMegakernel *kernel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreImport, vyre_import_unref)

G_END_DECLS

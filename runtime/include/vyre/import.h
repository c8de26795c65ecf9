/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Memory of somebody else that a kernel reads where it is: whole pages around a
 * range of the process' address space, as a buffer of the device. Bytes come to the
 * kernel that nobody copied. An import belongs to one kernel and outlives it as an
 * empty shell, so that who holds one keeps no device open.
 */
#pragma once

#include "vyre/megakernel.h"

G_BEGIN_DECLS

/**
 * vyre_import_new:
 * @kernel: the kernel that shall read it
 * @data: where the memory starts
 * @size: its bytes, not 0
 * @error: return location
 *
 * Imports memory that stays where it is, mapped and readable, until the import is gone:
 * which is when vyre_import_unref() has returned for the last time. What else lies in its
 * first and last page is imported with it, and never looked at; it may be imported again by
 * itself, as far as the driver likes that. Nothing is ever written. Of files only those may be
 * mapped there that nobody can cut, such as memfds sealed with F_SEAL_SHRINK: a look at what is
 * gone ends the process.
 *
 * Returns: (transfer full) (nullable): the import, or %NULL with %VYRE_ERROR_UNSUPPORTED (not
 *   here, not so large or not so many), %VYRE_ERROR_FORKED or
 *   what the driver has against it
 */
VyreImport *vyre_import_new (VyreMegakernel *kernel, void *data, gsize size, GError **error);

/**
 * vyre_import_ref:
 * @import: an import
 *
 * Returns: (transfer full): @import with one more reference
 */
VyreImport *vyre_import_ref (VyreImport *import);

/**
 * vyre_import_unref:
 * @import: (transfer full): an import; the last reference waits until nothing on the
 *   device refers to the memory, which may then be freed. Batches have references of
 *   their own, which they drop before they release the payload.
 *
 * Returns: whether it was not the last reference, or the memory is free to go; %FALSE: the
 *   kernel has failed, and does not let go of it before it is taken down
 */
gboolean vyre_import_unref (VyreImport *import);

/**
 * vyre_import_is_of:
 * @import: an import
 * @kernel: a kernel
 *
 * Returns: whether @kernel can read it
 */
gboolean vyre_import_is_of (const VyreImport *import, const VyreMegakernel *kernel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreImport, vyre_import_unref)

G_END_DECLS

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

VyreImport *vyre_import_new (VyreMegakernel *kernel, void *data, gsize size, GError **error);
VyreImport *vyre_import_ref (VyreImport *import);
gboolean vyre_import_unref (VyreImport *import);
gboolean vyre_import_is_of (const VyreImport *import, const VyreMegakernel *kernel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreImport, vyre_import_unref)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: transfers of every kind, with a callback at their end instead of a wait.
 */
#pragma once

#include "vyre/file-io.h"
#include "io/uring.h"

G_BEGIN_DECLS

typedef void (*VyreFileIoNotify) (gpointer data);

VyreFileRead *vyre_file_io_submit (VyreFileIo *file_io, const VyreTransfer *transfer,
    VyreFileIoNotify notify, gpointer data, GError **error);
gboolean vyre_file_io_is_finished (VyreFileIo *file_io, const VyreFileRead *read);

G_END_DECLS

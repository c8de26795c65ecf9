/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that programs name: read as a whole into the payload store, where the kernel finds them,
 * and kept until others need the room. The service thread wants and collects files; any thread pins
 * them. Private to libvyre.
 */
#pragma once

#include "kernel/resident-room.h"

G_BEGIN_DECLS

VyreResidentFiles *vyre_resident_files_new (VyreFileIo *file_io, VyreStore *staging,
    VyreStore *payloads, gsize budget, VyreFileIoNotify notify, gpointer data);
void vyre_resident_files_free (VyreResidentFiles *resources);
VyreResidence vyre_resident_files_want (
    VyreResidentFiles *resources, const VyreFileName *name, guint64 since, GError **error);
void vyre_resident_files_collect (VyreResidentFiles *resources);
void vyre_resident_files_forget (VyreResidentFiles *resources);
guint64 vyre_resident_files_now (VyreResidentFiles *resources);
VyreResidentFile *vyre_resident_files_pin (
    VyreResidentFiles *resources, const VyreFileName *name, guint32 *granule, guint32 *bytes);
void vyre_resident_files_unpin (VyreResidentFiles *resources, VyreResidentFile *resident);
void vyre_resident_files_count (VyreResidentFiles *resources, VyreResourceCounters *counters);

G_END_DECLS

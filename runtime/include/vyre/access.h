/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What programs may do with files. A program is text that may come from anywhere, so it may
 * do nothing unless whoever plans its batches grants it. A grant is immutable, reference
 * counted, and used from any thread.
 */
#pragma once

#include "vyre/program.h"

G_BEGIN_DECLS

/**
 * VyreAccessLevel:
 * @VYRE_ACCESS_NONE: programs name no files
 * @VYRE_ACCESS_READ: programs read files
 * @VYRE_ACCESS_ALL: programs read files, and make and append to sinks
 *
 * How much of the file system programs reach.
 */
typedef enum {
  VYRE_ACCESS_NONE,
  VYRE_ACCESS_READ,
  VYRE_ACCESS_ALL,
} VyreAccessLevel;

typedef struct _VyreAccess VyreAccess;

VyreAccess *vyre_access_new (VyreAccessLevel level, const char *root, GError **error);
VyreAccess *vyre_access_ref (VyreAccess *access);
void vyre_access_unref (VyreAccess *access);
VyreAccessLevel vyre_access_get_level (const VyreAccess *access);
gboolean vyre_program_check_access (
    const VyreProgram *program, VyreAccessLevel level, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreAccess, vyre_access_unref)

G_END_DECLS

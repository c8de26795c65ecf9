/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:access
 * @title: Access
 * @short_description: Which files programs may use
 *
 * A program is text that may come from anywhere, so it may use files only as far as the code that
 * plans its batches grants it. A grant is immutable and reference counted; any thread may use it.
 */

#include "vyre/program.h"

G_BEGIN_DECLS

/**
 * VyreAccessLevel:
 * @VYRE_ACCESS_NONE: programs name no files
 * @VYRE_ACCESS_READ: programs read files
 * @VYRE_ACCESS_ALL: programs read files, and make and append to sinks
 *
 * How far programs reach into the file system.
 */
typedef enum {
  VYRE_ACCESS_NONE,
  VYRE_ACCESS_READ,
  VYRE_ACCESS_ALL,
} VyreAccessLevel;

/**
 * VyreAccess:
 *
 * A grant: the files that programs may use.
 */
typedef struct _VyreAccess VyreAccess;

/**
 * vyre_access_new:
 * @level: the level of the grant
 * @root: (nullable) (type filename): a folder that paths start in and do not leave, by "..",
 *   by symbolic links or otherwise; %NULL for all files that the process can open, with paths
 *   relative to its working directory
 * @error: return location for %VYRE_ERROR_IO: @root is no folder, or cannot be opened
 *
 * Opens the folder now; it stays the root even if its name changes. The last part of the path of a
 * sink is never a symbolic link, and a sink that is made has mode 0600.
 *
 * Returns: (transfer full) (nullable): the grant, for vyre_plan_new(), or %NULL with @error set
 */
VyreAccess *vyre_access_new (VyreAccessLevel level, const char *root, GError **error);

/**
 * vyre_access_ref:
 * @access: a grant
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @access with one more reference
 */
VyreAccess *vyre_access_ref (VyreAccess *access);

/**
 * vyre_access_unref:
 * @access: (transfer full): a grant
 *
 * Drops a reference. Plans keep their grants, and a megakernel keeps the folders of the files that
 * it holds.
 */
void vyre_access_unref (VyreAccess *access);

/**
 * vyre_access_get_level:
 * @access: (nullable): a grant
 *
 * Gets the level of a grant.
 *
 * Returns: the level of the grant; %NULL grants nothing
 */
VyreAccessLevel vyre_access_get_level (const VyreAccess *access);

/**
 * vyre_program_check_access:
 * @program: a program
 * @level: the level that it would be granted
 * @error: return location for %VYRE_ERROR_ACCESS: the program names a file or a sink that
 *   @level does not grant
 *
 * Checks whether vyre_plan_new() would accept the program, without a look at the files.
 *
 * Returns: whether @level grants all that the program names
 */
gboolean vyre_program_check_access (
    const VyreProgram *program, VyreAccessLevel level, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreAccess, vyre_access_unref)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What programs may do with files. A program is text that may come from anywhere, so it may
 * do nothing unless the caller that plans its batches grants it. A grant is immutable, reference
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

/**
 * vyre_access_new:
 * @level: what programs may do
 * @root: (nullable) (type filename): a folder that paths start in and do not leave, by "..",
 *   by symbolic links or otherwise; %NULL for all files that the process can open, with paths
 *   relative to where it is
 * @error: return location for %VYRE_ERROR_IO: @root is no folder, or cannot be opened
 *
 * The folder is opened now, and stays the root whatever becomes of its name. Sinks are never
 * reached through a symbolic link as the last part of their path, and are made for their
 * owner alone (mode 0600).
 *
 * Returns: (transfer full) (nullable): the grant, for vyre_plan_new(), or %NULL with @error set
 */
VyreAccess *vyre_access_new (VyreAccessLevel level, const char *root, GError **error);

/**
 * vyre_access_ref:
 * @access: a grant
 *
 * Returns: (transfer full): @access with one more reference
 */
VyreAccess *vyre_access_ref (VyreAccess *access);

/**
 * vyre_access_unref:
 * @access: (transfer full): a grant
 *
 * Plans keep what they were granted, and a megakernel the folders of files that it holds.
 */
void vyre_access_unref (VyreAccess *access);

/**
 * vyre_access_get_level:
 * @access: (nullable): a grant
 *
 * Returns: what it grants; %NULL grants nothing
 */
VyreAccessLevel vyre_access_get_level (const VyreAccess *access);

/**
 * vyre_program_check_access:
 * @program: a program
 * @level: what it would be granted
 * @error: return location for %VYRE_ERROR_ACCESS: it names a file to read or a sink, and
 *   @level does not grant that
 *
 * Whether vyre_plan_new() would take the program. Files are not looked at.
 */
gboolean vyre_program_check_access (
    const VyreProgram *program, VyreAccessLevel level, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreAccess, vyre_access_unref)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files as programs name them: by a path, and by the grant with the folder where it starts. Two
 * names are the same when they have the same path in the same folder, by whatever grants.
 */
#pragma once

#include "vyre/access.h"

typedef struct {
  VyreAccess *access;
  char *path;
} VyreFileName;

gboolean vyre_access_check (
    VyreAccessLevel level, const VyreResource *resources, guint n_resources, GError **error);

VyreFileName *vyre_file_name_copy (const VyreFileName *name);
void vyre_file_name_free (gpointer name);
guint vyre_file_name_hash (gconstpointer name);
gboolean vyre_file_name_equal (gconstpointer a, gconstpointer b);

int vyre_file_name_open (const VyreFileName *name, VyreResourceKind kind, GError **error);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: opens a path that must not leave a folder.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

int vyre_open_beneath (int root, const char *path, int flags, mode_t mode);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Takes system calls and lockable memory from the process, and from the programs that it executes,
 * as sandboxes and limits do. The functions return FALSE, with errno set, where that fails.
 */
#pragma once

#include <glib.h>

/* Lockable memory of a restricted process, in bytes. */
#define RESTRICTION_MEMLOCK 65536

gboolean restriction_refuse (guint first, guint last, int error);
gboolean restriction_limit_memlock (gsize bytes);

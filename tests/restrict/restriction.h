/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What sandboxes and limits take from a process. From here on, and in what it executes;
 * FALSE, with errno set, where that cannot be done.
 */
#pragma once

#include <glib.h>

/* The memory that may be locked, in bytes, where it is restricted. */
#define RESTRICTION_MEMLOCK 65536

gboolean restriction_refuse (guint first, guint last, int error);
gboolean restriction_limit_memlock (gsize bytes);

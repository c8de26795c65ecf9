/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a child of fork() has of its parent: memory, but neither threads nor a device, and
 * locks that nobody will ever open. Objects with any of these note the generation they were
 * made in. In another one they take no lock, touch nothing that the parent still uses, and
 * are leaked rather than freed.
 */
#pragma once

#include "vyre/error.h"

/* How many forks lie between the process that loaded the library and this one. */
extern guint vyre_fork_generation;

static inline gboolean
vyre_is_inherited (guint generation)
{
  return G_UNLIKELY (generation != vyre_fork_generation);
}

void vyre_fork_note_device (gboolean opened);
void vyre_fork_note_gpu (void);
gboolean vyre_fork_inherits_driver (void);
gboolean vyre_check_own (guint generation, const char *what, GError **error);

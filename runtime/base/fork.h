/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Objects after a fork(). A child has its parent's memory, but neither its threads nor its device,
 * and a lock that another thread held stays locked for ever. Objects with a thread, a device or a
 * lock note the generation of their process. In a process of another generation they take no lock,
 * touch nothing that the parent still uses, and are leaked instead of freed.
 */
#pragma once

#include "vyre/error.h"

/* Forks between the process that loaded the library and this one. */
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

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Memory whose size comes from outside, and threads. A process may run out of both, and a library
 * must not end the process for that. Small blocks of a fixed size come from GLib, which does.
 */
#pragma once

#include "vyre/error.h"

gpointer vyre_alloc (gsize n, gsize size, GError **error);
gpointer vyre_alloc0 (gsize n, gsize size, GError **error);
gpointer vyre_duplicate (gconstpointer memory, gsize size, GError **error);
GThread *vyre_thread_new (const char *name, GThreadFunc function, gpointer data, GError **error);

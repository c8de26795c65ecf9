/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a process may not have enough of, and a library must not end it for: threads, and
 * memory whose size comes from outside. What is small and of a fixed size is GLib's to get.
 */
#pragma once

#include "vyre/error.h"

gpointer vyre_alloc (gsize n, gsize size, GError **error);
gpointer vyre_alloc0 (gsize n, gsize size, GError **error);
gpointer vyre_duplicate (gconstpointer memory, gsize size, GError **error);
GThread *vyre_thread_new (const char *name, GThreadFunc function, gpointer data, GError **error);

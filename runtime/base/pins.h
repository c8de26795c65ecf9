/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which parts of staging memory somebody has pinned: an io_uring that registered them, or a device
 * that imported them. Pages that are pinned must not be given back to Linux: their user would keep
 * the old ones. Memory is pinned in steps, which start at multiples of VYRE_PIN_STEP from the start
 * of the memory. Any thread. Private to libvyre.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that are pinned at a time: few enough for an idle process, enough for few of them. */
#define VYRE_PIN_STEP ((gsize)8 << 20)

void vyre_pins_add (gconstpointer start, gsize size, gconstpointer owner);
void vyre_pins_remove (gconstpointer start, gconstpointer owner);
void vyre_pins_forget (gconstpointer owner);
gboolean vyre_pins_overlap (gconstpointer start, gsize size);

G_END_DECLS

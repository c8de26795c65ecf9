/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Copies into memory of the device, which may be mapped write-combining.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void vyre_wide_store (void *to, const void *from, gsize size);
gsize vyre_wide_store_get_width (void);
void vyre_wide_store_by (gsize width, void *to, const void *from, gsize size);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The proof at start: a real kernel, under deadlines, shows which placement and
 * residency work on this device. Nothing is assumed from names or feature bits; a
 * driver that serves stale data or cuts loops short fails here. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_prove (VyreMegakernel *kernel, VyreResidency *next, GString *verdict, GError **error);

G_END_DECLS

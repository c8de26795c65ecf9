/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From caps to the symbols a program may use.
 */
#pragma once

#include <gst/gst.h>

#include "vyre.h"

G_BEGIN_DECLS

gboolean gst_vyre_bind_caps (GstCaps *caps, VyreBindings **bindings, gsize *least_size,
    GError **error);

G_END_DECLS

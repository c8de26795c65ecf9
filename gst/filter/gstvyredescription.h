/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The description of the readbacks of a bound program, for caps and for messages: docs/results.md.
 */
#pragma once

#include "library/gst/vyre/vyre.h"
#include "vyre/vyre.h"

G_BEGIN_DECLS

void gst_vyre_description_update (GstVyreTable **table, const VyreBoundProgram *bound,
    const VyreLayout *layout, const gchar *program);

G_END_DECLS

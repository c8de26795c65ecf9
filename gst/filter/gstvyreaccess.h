/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Access of the element's programs to files, as set when a stream starts.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

gboolean gst_vyre_access_check (GstVyreFilter *self, const VyreProgram *program, GError **error);
gboolean gst_vyre_access_start (GstVyreFilter *self);
VyreAccess *gst_vyre_access_get (GstVyreFilter *self);
void gst_vyre_access_stop (GstVyreFilter *self);

G_END_DECLS

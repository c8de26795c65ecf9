/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrescope: results as pictures, docs/vyrescope.md.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VYRE_SCOPE (gst_vyre_scope_get_type ())
G_DECLARE_FINAL_TYPE (GstVyreScope, gst_vyre_scope, GST, VYRE_SCOPE, GstElement)
GST_ELEMENT_REGISTER_DECLARE (vyrescope)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrereadbackmux: readbacks to a file, docs/results.md.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VYRE_READBACK_MUX (gst_vyre_readback_mux_get_type ())
G_DECLARE_FINAL_TYPE (GstVyreReadbackMux, gst_vyre_readback_mux, GST, VYRE_READBACK_MUX, GstElement)
GST_ELEMENT_REGISTER_DECLARE (vyrereadbackmux)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrereadbackparse: results of readbacks, from a stream or from a file, docs/results.md.
 */
#pragma once

#include <gst/base/gstbaseparse.h>

G_BEGIN_DECLS

#define GST_TYPE_VYRE_READBACK_PARSE (gst_vyre_readback_parse_get_type ())
G_DECLARE_FINAL_TYPE (
    GstVyreReadbackParse, gst_vyre_readback_parse, GST, VYRE_READBACK_PARSE, GstBaseParse)
GST_ELEMENT_REGISTER_DECLARE (vyrereadbackparse)

G_END_DECLS

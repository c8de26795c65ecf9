/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyresrc: reads a file with io_uring, several reads ahead, into the memory that
 * downstream proposes; in front of vyrefilter that is staging memory, registered for it.
 *
 * Its streaming thread starts and finishes reads. The object lock guards the properties
 * and `file I/O`, which `stats` looks at.
 */
#pragma once

#include <gst/base/gstbasesrc.h>

G_BEGIN_DECLS

#define GST_TYPE_VYRE_SRC (gst_vyre_src_get_type ())
GST_ELEMENT_REGISTER_DECLARE (vyresrc)
G_DECLARE_FINAL_TYPE (GstVyreSrc, gst_vyre_src, GST, VYRE_SRC, GstBaseSrc)

G_END_DECLS

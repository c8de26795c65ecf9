/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyresrc: reads a file with io_uring, several reads ahead, into the memory that downstream
 * proposes. In front of vyrefilter this is staging memory, registered with the ring of the source.
 *
 * The streaming thread starts and finishes reads. The object lock guards the properties and the
 * file I/O, which `stats` reads.
 */
#pragma once

#include <gst/base/gstbasesrc.h>

G_BEGIN_DECLS

#define GST_TYPE_VYRE_SRC (gst_vyre_src_get_type ())
GST_ELEMENT_REGISTER_DECLARE (vyresrc)
G_DECLARE_FINAL_TYPE (GstVyreSrc, gst_vyre_src, GST, VYRE_SRC, GstBaseSrc)

G_END_DECLS

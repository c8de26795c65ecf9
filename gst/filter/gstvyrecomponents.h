/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: how the samples of a component of raw video lie in the memory of a frame.
 */
#pragma once

#include <gst/video/video.h>

#include "vyre/vyre.h"

G_BEGIN_DECLS

/* Where the samples of a component lie in each row of its plane. */
typedef struct {
  guint32 samples; /* as VYRE_SAMPLES() has it; 0: no opcode reads such */
  guint offset;    /* of the first, in bytes */
} GstVyreComponent;

GstVyreComponent gst_vyre_component_find (const GstVideoInfo *info, guint component);

G_END_DECLS

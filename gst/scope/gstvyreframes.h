/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The caps of frames, and the pool that they come from: that of downstream, or one of their own.
 */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

GstCaps *gst_vyre_frames_fixate (GstCaps *allowed, gint rate_n, gint rate_d);
GstBufferPool *gst_vyre_frames_choose_pool (GstPad *srcpad, GstCaps *caps, guint size);
void gst_vyre_frames_drop_pool (GstBufferPool **pool);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pool that frames come from: that of downstream, or one of its own.
 */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

GstBufferPool *gst_vyre_frame_pool_choose (GstPad *srcpad, GstCaps *caps, guint size);
void gst_vyre_frame_pool_drop (GstBufferPool **pool);

G_END_DECLS

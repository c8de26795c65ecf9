/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Panels over a picture: a strip along its lower edge, which lets the picture through.
 */
#pragma once

#include <gst/video/video.h>

#include "scope/gstvyrecanvas.h"

G_BEGIN_DECLS

typedef struct {
  GstBuffer *pixels; /* of the strip; NULL before the first */
  gint width, height;
} GstVyreOverlay;

void gst_vyre_overlay_clear (GstVyreOverlay *overlay);
gboolean gst_vyre_overlay_blend (GstVyreOverlay *overlay, GstVyreCanvas *canvas,
    const GstVyreModel *model, const GstVyreLook *look, GstVideoFrame *frame);

G_END_DECLS

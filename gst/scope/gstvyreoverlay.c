/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyreoverlay.h"

void
gst_vyre_overlay_clear (GstVyreOverlay *overlay)
{
  gst_clear_buffer (&overlay->pixels);
}

/* Has the strip be of this size. */
static void
overlay_renew (GstVyreOverlay *overlay, gint width, gint height)
{
  if (overlay->pixels && overlay->width == width && overlay->height == height)
    return;
  gst_vyre_overlay_clear (overlay);
  overlay->width = width;
  overlay->height = height;
  overlay->pixels = gst_buffer_new_allocate (NULL, (gsize)width * (gsize)height * 4, NULL);
  gst_buffer_add_video_meta (overlay->pixels, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, (guint)width, (guint)height);
}

/* Blends panels with @frame, of whatever format. @look is that of the panels; its size follows from
 * that of the frame. FALSE where the frame stays as it is. */
gboolean
gst_vyre_overlay_blend (GstVyreOverlay *overlay, GstVyreCanvas *canvas, const GstVyreModel *model,
    const GstVyreLook *look, GstVideoFrame *frame)
{
  gint width = GST_VIDEO_FRAME_WIDTH (frame), height = GST_VIDEO_FRAME_HEIGHT (frame);
  GstVyreLook strip = *look;
  GstMapInfo map;

  strip.is_strip = TRUE;
  strip.width = width;
  strip.height = (height + GST_VYRE_STRIP_PART - 1) / GST_VYRE_STRIP_PART;
  overlay_renew (overlay, strip.width, strip.height);
  if (!gst_buffer_map (overlay->pixels, &map, GST_MAP_WRITE))
    return FALSE;
  gboolean done = gst_vyre_canvas_draw (canvas, model, &strip, map.data, strip.width * 4);
  gst_buffer_unmap (overlay->pixels, &map);
  if (!done)
    return FALSE;
  GstVideoOverlayRectangle *rectangle = gst_video_overlay_rectangle_new_raw (overlay->pixels, 0,
      height - strip.height, (guint)strip.width, (guint)strip.height,
      GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  GstVideoOverlayComposition *composition = gst_video_overlay_composition_new (rectangle);
  gst_video_overlay_rectangle_unref (rectangle);
  done = gst_video_overlay_composition_blend (composition, frame);
  gst_video_overlay_composition_unref (composition);
  return done;
}

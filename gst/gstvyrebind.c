/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvyrebind.h"

#include <gst/audio/audio.h>
#include <gst/video/video.h>

static const char *const plane_names[] = { "plane0", "plane1", "plane2", "plane3" };

/* Bytes per row that carry samples: from the plane's first component, wide
 * enough for all components in it. */
static guint32
plane_row_bytes (const GstVideoInfo *info, guint plane)
{
  guint32 bytes = 0;

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    if (GST_VIDEO_INFO_COMP_PLANE (info, c) == plane) {
      guint32 width = (guint32) GST_VIDEO_INFO_COMP_WIDTH (info, c)
          * (guint32) GST_VIDEO_INFO_COMP_PSTRIDE (info, c);
      bytes = MAX (bytes, width);
    }
  }
  return bytes;
}

static guint32
plane_rows (const GstVideoInfo *info, guint plane)
{
  guint32 rows = 0;

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    if (GST_VIDEO_INFO_COMP_PLANE (info, c) == plane)
      rows = MAX (rows, (guint32) GST_VIDEO_INFO_COMP_HEIGHT (info, c));
  }
  return rows;
}

/* A component that has a plane to itself, one byte a sample, is a region of its
 * own: luma, u and v of the planar formats, luma of NV12. */
static void
bind_component (VyreBindings *bindings, const GstVideoInfo *info, guint component, const char *name)
{
  if (component >= GST_VIDEO_INFO_N_COMPONENTS (info)
      || GST_VIDEO_INFO_COMP_PSTRIDE (info, component) != 1
      || GST_VIDEO_INFO_COMP_DEPTH (info, component) != 8)
    return;
  guint plane = GST_VIDEO_INFO_COMP_PLANE (info, component);
  VyreRegion region = {
    .offset = (guint32) GST_VIDEO_INFO_PLANE_OFFSET (info, plane),
    .width = (guint32) GST_VIDEO_INFO_COMP_WIDTH (info, component),
    .rows = (guint32) GST_VIDEO_INFO_COMP_HEIGHT (info, component),
    .stride = (guint32) GST_VIDEO_INFO_PLANE_STRIDE (info, plane),
  };
  vyre_bindings_set_region (bindings, name, &region);
}

static void
bind_video (VyreBindings *bindings, const GstVideoInfo *info)
{
  vyre_bindings_set (bindings, "width", (guint32) GST_VIDEO_INFO_WIDTH (info));
  vyre_bindings_set (bindings, "height", (guint32) GST_VIDEO_INFO_HEIGHT (info));
  vyre_bindings_set (bindings, "planes", GST_VIDEO_INFO_N_PLANES (info));
  vyre_bindings_set (bindings, "bits", GST_VIDEO_INFO_COMP_DEPTH (info, 0));
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++) {
    VyreRegion region = {
      .offset = (guint32) GST_VIDEO_INFO_PLANE_OFFSET (info, plane),
      .width = plane_row_bytes (info, plane),
      .rows = plane_rows (info, plane),
      .stride = (guint32) GST_VIDEO_INFO_PLANE_STRIDE (info, plane),
    };
    vyre_bindings_set_region (bindings, plane_names[plane], &region);
  }
  if (GST_VIDEO_INFO_IS_YUV (info) || GST_VIDEO_INFO_IS_GRAY (info)) {
    bind_component (bindings, info, 0, "luma");
    bind_component (bindings, info, 1, "u");
    bind_component (bindings, info, 2, "v");
  }
}

/* Formats whose planes are not rows of pixels (tiled ones, say) define no
 * regions but the payload. */
static gboolean
has_plain_planes (const GstVideoInfo *info)
{
  return !GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo)
      && !GST_VIDEO_FORMAT_INFO_IS_COMPLEX (info->finfo)
      && GST_VIDEO_INFO_FORMAT (info) != GST_VIDEO_FORMAT_ENCODED;
}

/* Makes the bindings of a stream, which the caller owns. @least_size is how many
 * bytes a buffer of it has at least, 0 when the caps do not say. */
gboolean
gst_vyre_bind_caps (GstCaps *caps, VyreBindings **bindings, gsize *least_size, GError **error)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  gboolean plain = gst_caps_features_is_equal (
      gst_caps_get_features (caps, 0), GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
  GstVideoInfo video;
  GstAudioInfo audio;

  if (!plain) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
        "Buffers of %s are not in memory the CPU can read. Fix: put a download element in front, "
        "such as vulkandownload or gldownload.",
        name);
    return FALSE;
  }
  *bindings = vyre_bindings_new ();
  *least_size = 0;
  if (g_str_equal (name, "video/x-raw") && gst_video_info_from_caps (&video, caps)) {
    if (has_plain_planes (&video)) {
      bind_video (*bindings, &video);
      *least_size = GST_VIDEO_INFO_SIZE (&video);
    }
  } else if (g_str_equal (name, "audio/x-raw") && gst_audio_info_from_caps (&audio, caps)) {
    vyre_bindings_set (*bindings, "rate", (guint32) GST_AUDIO_INFO_RATE (&audio));
    vyre_bindings_set (*bindings, "channels", (guint32) GST_AUDIO_INFO_CHANNELS (&audio));
    vyre_bindings_set (*bindings, "bits", (guint32) GST_AUDIO_INFO_DEPTH (&audio));
  }
  return TRUE;
}

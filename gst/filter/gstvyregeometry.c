/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyregeometry.h"

#include "common/gstvyredevicememory.h"
#include "filter/gstvyreslots.h"

/* Samples that share words: those of so many bytes. */
#define PACKED_SAMPLES 12
#define PACKED_BYTES 16

/* Of a side of a frame. Bytes of its rows have 31 bits then. */
#define MOST_PIXELS (G_MAXINT / 256)

static const char *const geometry_plane_names[] = { "plane0", "plane1", "plane2", "plane3" };

/* TRUE if three samples share a word; 16 bytes of a row are like the next then. */
static gboolean
geometry_is_packed (const GstVyreGeometry *geometry, guint component)
{
  return VYRE_SAMPLES_BYTES (geometry->components[component].samples) == 3;
}

/* Returns the bytes from the start of a row of the frame to the first sample of a component,
 * without its own offset. Of pixels that share their chroma, the picture has that of its first
 * pixel. */
static gsize
geometry_column (const GstVyreGeometry *geometry, const GstVyreLayout *layout, guint component)
{
  const GstVideoInfo *info = &geometry->video;
  gsize column = layout->x >> GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, component);
  guint32 samples = geometry->components[component].samples;

  if (geometry_is_packed (geometry, component))
    return column * VYRE_SAMPLES_APART (samples) / PACKED_SAMPLES * PACKED_BYTES;
  return column * (gsize)GST_VIDEO_INFO_COMP_PSTRIDE (info, component);
}

/* The same of the first component of a plane. */
static gsize
geometry_plane_column (const GstVyreGeometry *geometry, const GstVyreLayout *layout, guint plane)
{
  gsize column = G_MAXSIZE;

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (&geometry->video); c++) {
    if (GST_VIDEO_INFO_COMP_PLANE (&geometry->video, c) == plane)
      column = MIN (column, geometry_column (geometry, layout, c));
  }
  return column;
}

/* Returns the bytes of a row of a component, from the first sample's container to that of the last.
 */
static gsize
geometry_row_bytes (const GstVyreGeometry *geometry, const GstVideoInfo *info, guint component)
{
  guint32 samples = geometry->components[component].samples;
  gsize width = (gsize)GST_VIDEO_INFO_COMP_WIDTH (info, component);
  gsize last = width > 0 ? (width - 1) * VYRE_SAMPLES_APART (samples) : 0;

  if (width == 0)
    return 0;
  if (!geometry_is_packed (geometry, component))
    return last + VYRE_SAMPLES_BYTES (samples);
  last += VYRE_SAMPLES_SHIFT (samples);
  return last / 3 * 4 + last % 3 + 2; /* a sample lies in two bytes */
}

/* Returns the bytes of a row that carry samples: from the first component of the plane, wide enough
 * for all of its components. */
static guint32
geometry_plane_row_bytes (const GstVyreGeometry *geometry, const GstVyreLayout *layout,
    const GstVideoInfo *info, guint plane)
{
  gsize first = geometry_plane_column (geometry, layout, plane), bytes = 0;

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    if (GST_VIDEO_INFO_COMP_PLANE (info, c) == plane) {
      gsize width = geometry->has_planes ? (gsize)GST_VIDEO_INFO_COMP_WIDTH (info, c)
                                               * (gsize)GST_VIDEO_INFO_COMP_PSTRIDE (info, c)
                                         : geometry_row_bytes (geometry, info, c);
      bytes = MAX (bytes, geometry_column (geometry, layout, c) - first + width);
    }
  }
  return (guint32)bytes;
}

static guint32
geometry_plane_rows (const GstVideoInfo *info, guint plane)
{
  guint32 rows = 0;

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    if (GST_VIDEO_INFO_COMP_PLANE (info, c) == plane)
      rows = MAX (rows, (guint32)GST_VIDEO_INFO_COMP_HEIGHT (info, c));
  }
  return rows;
}

/* TRUE if the first row of a component that the picture has is an odd one of its frame. */
static gboolean
geometry_starts_at_bottom (const GstVyreGeometry *geometry, guint component)
{
  return geometry->layout.y >> GST_VIDEO_FORMAT_INFO_H_SUB (geometry->video.finfo, component) & 1;
}

static gboolean
geometry_plane_starts_at_bottom (const GstVyreGeometry *geometry, guint plane)
{
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (&geometry->video); c++) {
    if (GST_VIDEO_INFO_COMP_PLANE (&geometry->video, c) == plane)
      return geometry_starts_at_bottom (geometry, c);
  }
  return FALSE;
}

static void
geometry_bind_component (
    const GstVyreGeometry *geometry, const GstVideoInfo *info, guint component, const char *name)
{
  guint32 samples = geometry->components[component].samples;
  guint plane = GST_VIDEO_INFO_COMP_PLANE (info, component);
  gsize column = geometry_column (geometry, &geometry->layout, component)
                 - geometry_plane_column (geometry, &geometry->layout, plane);
  VyreRegion region = {
    .offset = (guint32)(GST_VIDEO_INFO_PLANE_OFFSET (info, plane) + column
                        + geometry->components[component].offset),
    .width = (guint32)geometry_row_bytes (geometry, info, component),
    .rows = (guint32)GST_VIDEO_INFO_COMP_HEIGHT (info, component),
    .stride = (guint32)GST_VIDEO_INFO_PLANE_STRIDE (info, plane),
  };
  vyre_symbols_set_component (geometry->symbols, name, &region, samples);
  vyre_symbols_set_bottom (
      geometry->symbols, name, geometry_starts_at_bottom (geometry, component));
}

static void
geometry_bind_components (const GstVyreGeometry *geometry, const GstVideoInfo *info)
{
  static const char *const luma_names[] = { "luma", "u", "v", "alpha" };
  static const char *const rgb_names[] = { "red", "green", "blue", "alpha" };
  gboolean is_rgb = GST_VIDEO_INFO_IS_RGB (info);

  if (!is_rgb && !GST_VIDEO_INFO_IS_YUV (info) && !GST_VIDEO_INFO_IS_GRAY (info))
    return;
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    if (geometry->components[c].samples != 0)
      geometry_bind_component (geometry, info, c, is_rgb ? rgb_names[c] : luma_names[c]);
  }
}

static void
geometry_bind_size (VyreSymbols *symbols, const GstVideoInfo *info)
{
  vyre_symbols_set (symbols, "width", (guint32)GST_VIDEO_INFO_WIDTH (info));
  vyre_symbols_set (symbols, "height", (guint32)GST_VIDEO_INFO_HEIGHT (info));
}

static void
geometry_bind_picture (const GstVyreGeometry *geometry, const GstVideoInfo *info)
{
  geometry_bind_size (geometry->symbols, info);
  for (guint plane = 0; geometry->has_planes && plane < GST_VIDEO_INFO_N_PLANES (info); plane++) {
    VyreRegion region = {
      .offset = (guint32)GST_VIDEO_INFO_PLANE_OFFSET (info, plane),
      .width = geometry_plane_row_bytes (geometry, &geometry->layout, info, plane),
      .rows = geometry_plane_rows (info, plane),
      .stride = (guint32)GST_VIDEO_INFO_PLANE_STRIDE (info, plane),
    };
    vyre_symbols_set_region (geometry->symbols, geometry_plane_names[plane], &region);
    vyre_symbols_set_bottom (geometry->symbols, geometry_plane_names[plane],
        geometry_plane_starts_at_bottom (geometry, plane));
  }
  geometry_bind_components (geometry, info);
}

/* TRUE if the planes are plain: rows of pixels of equally many whole bytes. Other formats (tiles, a
 * palette, pixels that share bytes) define no regions but the payload. */
static gboolean
geometry_has_plain_planes (const GstVideoInfo *info)
{
  const GstVideoFormatInfo *format = info->finfo;
  const guint odd
      = GST_VIDEO_FORMAT_FLAG_TILED | GST_VIDEO_FORMAT_FLAG_COMPLEX | GST_VIDEO_FORMAT_FLAG_PALETTE;

  if ((format->flags & odd) != 0 || format->n_components == 0)
    return FALSE;
  for (guint c = 0; c < format->n_components; c++) {
    if (format->pixel_stride[c] <= 0)
      return FALSE;
  }
  return TRUE;
}

/* Finds where the samples lie. Formats without plain planes have components where all of them are
 * packed. */
static gboolean
geometry_find_components (GstVyreGeometry *geometry, const GstVideoInfo *info)
{
  gboolean packed = GST_VIDEO_INFO_N_COMPONENTS (info) > 0;

  if ((info->finfo->flags & (GST_VIDEO_FORMAT_FLAG_TILED | GST_VIDEO_FORMAT_FLAG_PALETTE)) != 0)
    return FALSE;
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    geometry->components[c] = gst_vyre_component_find (info, c);
    packed = packed && geometry_is_packed (geometry, c);
  }
  return packed || geometry->has_planes;
}

static GstVyreLayout
geometry_layout_of_caps (const GstVideoInfo *info)
{
  GstVyreLayout layout = { .width = (guint)GST_VIDEO_INFO_WIDTH (info),
    .height = (guint)GST_VIDEO_INFO_HEIGHT (info) };
  gsize n = GST_VIDEO_INFO_N_PLANES (info);

  memcpy (layout.offset, info->offset, n * sizeof layout.offset[0]);
  memcpy (layout.stride, info->stride, n * sizeof layout.stride[0]);
  return layout;
}

static void
geometry_bind_video (GstVyreGeometry *geometry, const GstVideoInfo *info)
{
  VyreSymbols *symbols = geometry->symbols;
  gboolean plain = geometry_has_plain_planes (info);
  g_autofree gchar *stream = g_strdup_printf (
      "%s video%s", GST_VIDEO_INFO_NAME (info), plain ? "" : ", which has no plain planes");

  vyre_symbols_set_stream (symbols, stream);
  vyre_symbols_set (symbols, "planes", GST_VIDEO_INFO_N_PLANES (info));
  if (GST_VIDEO_INFO_N_COMPONENTS (info) > 0)
    vyre_symbols_set (symbols, "bits", GST_VIDEO_INFO_COMP_DEPTH (info, 0));
  geometry_bind_size (symbols, info);
  geometry->has_planes = plain;
  geometry->has_video = geometry_find_components (geometry, info);
  if (!geometry->has_video)
    return;
  geometry->video = *info;
  geometry->regular = geometry->layout = geometry_layout_of_caps (info);
  geometry->least_size = GST_VIDEO_INFO_SIZE (info);
  geometry_bind_picture (geometry, info);
}

static void
geometry_bind_audio (GstVyreGeometry *geometry, const GstAudioInfo *info)
{
  VyreSymbols *symbols = geometry->symbols;
  g_autofree gchar *stream = g_strdup_printf ("%s audio", GST_AUDIO_INFO_NAME (info));

  vyre_symbols_set_stream (symbols, stream);
  vyre_symbols_set (symbols, "rate", (guint32)GST_AUDIO_INFO_RATE (info));
  vyre_symbols_set (symbols, "channels", (guint32)GST_AUDIO_INFO_CHANNELS (info));
  vyre_symbols_set (symbols, "bits", (guint32)GST_AUDIO_INFO_DEPTH (info));
  gst_vyre_channels_set_caps (&geometry->channels, symbols, info);
}

/* Returns the bytes from the start of a plane to the end of its last row. Neither factor has more
 * than 31 bits. */
static gsize
geometry_plane_length (const GstVyreGeometry *geometry, const GstVyreLayout *layout,
    const GstVideoInfo *info, guint plane)
{
  gsize rows = geometry_plane_rows (info, plane);

  return (rows ? (rows - 1) * (gsize)GST_VIDEO_INFO_PLANE_STRIDE (info, plane) : 0)
         + geometry_plane_row_bytes (geometry, layout, info, plane);
}

/* Returns the bytes from the start of a buffer to the end of its last plane; offsets are below 4
 * GiB. */
static gsize
geometry_video_end (
    const GstVyreGeometry *geometry, const GstVyreLayout *layout, const GstVideoInfo *info)
{
  gsize end = 0;

  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++)
    end = MAX (end, GST_VIDEO_INFO_PLANE_OFFSET (info, plane)
                        + geometry_plane_length (geometry, layout, info, plane));
  return end;
}

/* TRUE if a plane lies inside of @size bytes, whatever its offset and stride claim. */
static gboolean
geometry_plane_fits (const GstVyreGeometry *geometry, const GstVyreLayout *layout,
    const GstVideoInfo *info, guint plane, gsize size)
{
  gsize length = geometry_plane_length (geometry, layout, info, plane);

  return length <= size && GST_VIDEO_INFO_PLANE_OFFSET (info, plane) <= size - length;
}

/* Offsets and sizes of regions have 32 bits; GStreamer checks those of caps. */
static gboolean
geometry_check_planes (const GstVyreGeometry *geometry, const GstVyreLayout *layout,
    const GstVideoInfo *info, gsize size, GError **error)
{
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++) {
    if (GST_VIDEO_INFO_PLANE_STRIDE (info, plane) < 0) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
          "A buffer's rows run upwards in memory. Fix: put videoconvert in front.");
      return FALSE;
    }
    if (geometry_plane_fits (geometry, layout, info, plane, MIN (size, G_MAXUINT32)))
      continue;
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "Plane %u of a frame, %" G_GSIZE_FORMAT " bytes at offset %" G_GSIZE_FORMAT
        ", does not lie in the %" G_GSIZE_FORMAT
        " bytes of its buffer, or not in the first 4 GiB. Fix: correct the GstVideoMeta of the "
        "element in front, or send smaller frames.",
        plane, geometry_plane_length (geometry, layout, info, plane),
        GST_VIDEO_INFO_PLANE_OFFSET (info, plane), size);
    return FALSE;
  }
  return TRUE;
}

/* Forgets the stream: only the payload itself is known. */
void
gst_vyre_geometry_clear (GstVyreGeometry *geometry)
{
  g_clear_pointer (&geometry->symbols, vyre_symbols_free);
  *geometry = (GstVyreGeometry){ .symbols = vyre_symbols_new () };
}

gboolean
gst_vyre_geometry_set_caps (GstVyreGeometry *geometry, GstCaps *caps, GError **error)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  GstVideoInfo video;
  GstAudioInfo audio;

  gst_vyre_geometry_clear (geometry);
  if (!gst_vyre_device_memory_check (caps, error))
    return FALSE;
  if (g_str_equal (name, GST_VYRE_SLOTS_CAPS)) {
    geometry->has_slots = TRUE;
    return gst_vyre_slots_check_caps (gst_caps_get_structure (caps, 0), error);
  }
  if (g_str_equal (name, "video/x-raw") && gst_video_info_from_caps (&video, caps))
    geometry_bind_video (geometry, &video);
  else if (g_str_equal (name, "audio/x-raw") && gst_audio_info_from_caps (&audio, caps))
    geometry_bind_audio (geometry, &audio);
  else
    vyre_symbols_set_stream (geometry->symbols, name);
  return TRUE;
}

/* Makes @info that of the picture: its size, and planes that begin with it. */
static void
geometry_info_of_picture (
    const GstVyreGeometry *geometry, const GstVyreLayout *layout, GstVideoInfo *info)
{
  info->width = (gint)layout->width;
  info->height = (gint)layout->height;
  memcpy (info->offset, layout->offset, sizeof info->offset);
  memcpy (info->stride, layout->stride, sizeof info->stride);
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    guint plane = GST_VIDEO_INFO_COMP_PLANE (info, c);
    gsize row = layout->y >> GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, c);
    info->offset[plane] = layout->offset[plane] + row * (gsize)layout->stride[plane]
                          + geometry_plane_column (geometry, layout, plane);
  }
}

/* Binds the picture as it lies in a buffer of @size bytes, unless the last buffer had the same
 * layout. */
static gboolean
geometry_take_layout (GstVyreGeometry *geometry, const GstVyreLayout *layout, gsize size,
    gboolean *changed, GError **error)
{
  GstVideoInfo info = geometry->video;
  gboolean regular = memcmp (layout, &geometry->regular, sizeof *layout) == 0;

  *changed = memcmp (layout, &geometry->layout, sizeof *layout) != 0;
  if (!*changed)
    return TRUE;
  geometry_info_of_picture (geometry, layout, &info);
  if (!regular && !geometry_check_planes (geometry, layout, &info, size, error))
    return FALSE;
  geometry->layout = *layout;
  geometry->least_size
      = regular ? GST_VIDEO_INFO_SIZE (&info) : geometry_video_end (geometry, layout, &info);
  geometry_bind_picture (geometry, &info);
  return TRUE;
}

/* TRUE if a row of the picture begins with 16 bytes of packed samples. */
static gboolean
geometry_begins_with_word (
    const GstVyreGeometry *geometry, const GstVideoCropMeta *crop, GError **error)
{
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (&geometry->video); c++) {
    guint column = crop->x >> GST_VIDEO_FORMAT_INFO_W_SUB (geometry->video.finfo, c);
    guint pixels = PACKED_SAMPLES / VYRE_SAMPLES_APART (geometry->components[c].samples);
    if (column % pixels == 0)
      continue;
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
        "A buffer's GstVideoCropMeta begins at column %u, within 16 bytes of %s. Fix: crop at a "
        "multiple of %u, or put videoconvert in front.",
        crop->x, GST_VIDEO_INFO_NAME (&geometry->video),
        pixels << GST_VIDEO_FORMAT_INFO_W_SUB (geometry->video.finfo, c));
    return FALSE;
  }
  return TRUE;
}

/* Has @layout be that of a part of the frame. */
static gboolean
geometry_crop (const GstVyreGeometry *geometry, GstVyreLayout *layout, const GstVideoCropMeta *crop,
    GError **error)
{
  if (crop->width == 0 || crop->height == 0 || crop->width > layout->width
      || crop->height > layout->height || crop->x > layout->width - crop->width
      || crop->y > layout->height - crop->height) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "A buffer's GstVideoCropMeta, %ux%u pixels at %u,%u, is no part of its frame of %ux%u "
        "pixels. Fix: correct the element in front.",
        crop->width, crop->height, crop->x, crop->y, layout->width, layout->height);
    return FALSE;
  }
  if (!geometry->has_planes && !geometry_begins_with_word (geometry, crop, error))
    return FALSE;
  layout->x = crop->x;
  layout->y = crop->y;
  layout->width = crop->width;
  layout->height = crop->height;
  return TRUE;
}

/* Reads the layout of a frame. The caps of a frame that has a crop may have the size of the part,
 * so its GstVideoMeta tells that of the frame. */
static gboolean
geometry_read_layout (
    const GstVyreGeometry *geometry, GstBuffer *buffer, GstVyreLayout *layout, GError **error)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  gsize n = GST_VIDEO_INFO_N_PLANES (&geometry->video);

  *layout = geometry->regular;
  if (meta && meta->n_planes < n) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "A buffer's GstVideoMeta has %u planes, its caps have %u. Fix: correct the element in "
        "front.",
        meta->n_planes, (guint)n);
    return FALSE;
  }
  if (meta) {
    memcpy (layout->offset, meta->offset, n * sizeof meta->offset[0]);
    memcpy (layout->stride, meta->stride, n * sizeof meta->stride[0]);
  }
  if (!crop)
    return TRUE;
  if (meta && MAX (meta->width, meta->height) > MOST_PIXELS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "A buffer's GstVideoMeta has %u by %u pixels. Fix: correct the element in front.",
        meta->width, meta->height);
    return FALSE;
  }
  if (meta) {
    layout->width = meta->width;
    layout->height = meta->height;
  }
  return geometry_crop (geometry, layout, crop, error);
}

/* Follows the layout of a frame, which may differ from buffer to buffer. */
static gboolean
geometry_follow_frame (
    GstVyreGeometry *geometry, GstBuffer *buffer, gboolean *changed, GError **error)
{
  GstVyreLayout layout;

  return geometry_read_layout (geometry, buffer, &layout, error)
         && geometry_take_layout (geometry, &layout, gst_buffer_get_size (buffer), changed, error);
}

/* Checks @buffer; @changed gets whether it changed the symbols. */
gboolean
gst_vyre_geometry_check (
    GstVyreGeometry *geometry, GstBuffer *buffer, gboolean *changed, GError **error)
{
  gsize size = gst_buffer_get_size (buffer);

  *changed = FALSE;
  if (geometry->has_slots)
    return gst_vyre_slots_check_size (size, error);
  if (geometry->has_video && !geometry_follow_frame (geometry, buffer, changed, error))
    return FALSE;
  if (geometry->channels.n > 0
      && !gst_vyre_channels_follow (&geometry->channels, geometry->symbols, buffer, changed, error))
    return FALSE;
  if (size >= geometry->least_size)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "A buffer has %" G_GSIZE_FORMAT " bytes, its caps promise at least %" G_GSIZE_FORMAT
      ". Fix: correct the element in front, or set the right caps.",
      size, geometry->least_size);
  return FALSE;
}

/* Adds the metas of frames that the element follows to an ALLOCATION query. */
void
gst_vyre_geometry_propose (const GstVyreGeometry *geometry, GstQuery *query)
{
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  if (geometry->has_video)
    gst_query_add_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrecomponents.h"

#include <string.h>

/* Pixels of the row that the search looks at: of a component with 2 bits, which one of four lie by
 * chance in another place, all 64 do there with a chance of 2^-128. */
#define PIXELS 64

/* Some formats' functions read and write more than they are asked for. */
#define MARGIN 64

/* A row of a format, in noise, and the samples of one component in it. */
typedef struct {
  const guint8 *row; /* of the component's plane */
  guint apart;       /* bytes from one sample to the next */
  guint depth;
  guint n;
  guint16 samples[PIXELS];
} Row;

/* Sample @x of a row that GstVideoFormatInfo.unpack_func() unpacked, without bits that it added. */
static guint16
components_unpacked (const GstVideoFormatInfo *format, const guint8 *pixels, guint x, guint c)
{
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (format->unpack_format);
  guint place = 4 * x + (c + 1) % 4; /* alpha first */
  guint16 deep;

  if (unpacked->depth[0] == 8)
    return (guint16)(pixels[place] >> (8 - format->depth[c]));
  memcpy (&deep, pixels + 2 * place, sizeof deep);
  return (guint16)(deep >> (16 - format->depth[c]));
}

/* TRUE if the samples lie as @samples says, from @offset on. */
static gboolean
components_lie (const Row *row, guint32 samples, guint offset)
{
  guint bytes = VYRE_SAMPLES_BYTES (samples);

  for (guint i = 0; i < row->n; i++) {
    const guint8 *p = row->row + offset + (gsize)i * row->apart;
    guint32 container = 0;
    for (guint b = 0; b < bytes; b++)
      container |= (guint32)p[VYRE_SAMPLES_SWAPPED (samples) ? bytes - 1 - b : b] << (8 * b);
    if ((container >> VYRE_SAMPLES_SHIFT (samples) & ((1u << row->depth) - 1)) != row->samples[i])
      return FALSE;
  }
  return TRUE;
}

/* Searches containers of @bytes. */
static GstVyreComponent
components_search (const Row *row, guint bytes)
{
  for (guint offset = 0; offset + bytes <= row->apart; offset++) {
    for (guint swapped = 0; swapped <= (bytes == 2 ? 1u : 0u); swapped++) {
      for (guint shift = 0; shift + row->depth <= 8 * bytes; shift++) {
        guint32 samples = VYRE_SAMPLES (row->apart, bytes, swapped, shift, row->depth);
        if (components_lie (row, samples, offset))
          return (GstVyreComponent){ samples, offset };
      }
    }
  }
  return (GstVyreComponent){ 0 };
}

/* The same of packed samples, which differ in nothing but their distance and the first. */
static gboolean
components_are_packed (const Row *row, guint every, guint first)
{
  for (guint i = 0; i < row->n; i++) {
    guint number = first + i * every;
    guint32 word = GST_READ_UINT32_LE (row->row + number / 3 * 4);
    if ((word >> (10 * (number % 3)) & 1023) != row->samples[i])
      return FALSE;
  }
  return TRUE;
}

/* Searches three samples of 10 bits in a word. */
static GstVyreComponent
components_search_packed (const Row *row)
{
  static const guint distances[] = { 1, 2, 3, 4, 6, 12 };

  for (guint i = 0; i < G_N_ELEMENTS (distances); i++) {
    for (guint first = 0; first < distances[i]; first++) {
      if (components_are_packed (row, distances[i], first))
        return (GstVyreComponent){ VYRE_SAMPLES (distances[i], 3, 0, first, 10), 0 };
    }
  }
  return (GstVyreComponent){ 0 };
}

static void
components_unpack (const GstVideoInfo *info, guint8 *frame, guint component, Row *row)
{
  const GstVideoFormatInfo *format = info->finfo;
  gpointer planes[GST_VIDEO_MAX_PLANES] = { NULL };
  guint8 pixels[8 * PIXELS + MARGIN];

  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++)
    planes[plane] = frame + GST_VIDEO_INFO_PLANE_OFFSET (info, plane);
  format->unpack_func (
      format, GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE, pixels, planes, info->stride, 0, 0, PIXELS);
  *row = (Row){ .row = planes[GST_VIDEO_INFO_COMP_PLANE (info, component)],
    .apart = (guint)GST_VIDEO_INFO_COMP_PSTRIDE (info, component),
    .depth = GST_VIDEO_INFO_COMP_DEPTH (info, component),
    .n = (guint)GST_VIDEO_INFO_COMP_WIDTH (info, component) };
  for (guint i = 0; i < row->n; i++)
    row->samples[i]
        = components_unpacked (format, pixels, i << format->w_sub[component], component);
}

/* Returns where the samples of a component lie. GStreamer's table of formats has wrong places for
 * some (BGR16, v of P010, r210, Y410 and others, in 1.22), so the format's own function unpacks a
 * row of noise and the search finds where the samples came from. */
GstVyreComponent
gst_vyre_component_find (const GstVideoInfo *info, guint component)
{
  const GstVideoFormatInfo *format = info->finfo;
  guint apart = (guint)format->pixel_stride[component], depth = format->depth[component];
  GstVideoInfo small;
  GstVyreComponent found = { 0 };
  Row row;

  if (format->pixel_stride[component] < 0 || apart > 255 || depth == 0 || depth > 16
      || !format->unpack_func)
    return found;
  gst_video_info_set_format (&small, GST_VIDEO_FORMAT_INFO_FORMAT (format), PIXELS, 4);
  g_autofree guint8 *frame = g_malloc (small.size + MARGIN);
  g_autoptr (GRand) noise = g_rand_new_with_seed (1);
  for (gsize i = 0; i < small.size + MARGIN; i++)
    frame[i] = (guint8)g_rand_int (noise);
  components_unpack (&small, frame, component, &row);
  if (apart == 0)
    return depth == 10 ? components_search_packed (&row) : found;
  for (guint bytes = 1; bytes <= 4 && found.samples == 0; bytes *= 2) {
    if (apart % bytes == 0)
      found = components_search (&row, bytes);
  }
  return found;
}

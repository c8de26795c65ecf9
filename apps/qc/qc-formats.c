/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-formats.h"

/* Each with ffmpeg's name. Others are converted to one of these. */
static const struct {
  const char *format, *pix_fmt;
} video_formats[] = {
  { "I420", "yuv420p" },
  { "YV12", "yuv420p" },
  { "Y42B", "yuv422p" },
  { "Y444", "yuv444p" },
  { "Y41B", "yuv411p" },
  { "A420", "yuva420p" },
  { "NV12", "nv12" },
  { "NV21", "nv21" },
  { "NV16", "nv16" },
  { "NV24", "nv24" },
  { "YUY2", "yuyv422" },
  { "UYVY", "uyvy422" },
  { "GRAY8", "gray" },
  { "GRAY16_LE", "gray16le" },
  { "I420_10LE", "yuv420p10le" },
  { "I422_10LE", "yuv422p10le" },
  { "Y444_10LE", "yuv444p10le" },
  { "P010_10LE", "p010le" },
  { "I420_12LE", "yuv420p12le" },
  { "I422_12LE", "yuv422p12le" },
  { "Y444_12LE", "yuv444p12le" },
  { "Y444_16LE", "yuv444p16le" },
};

static const char *const audio_formats[] = { "S8", "U8", "S16LE", "S16BE", "U16LE", "U16BE",
  "S24_32LE", "S24LE", "S24BE", "S32LE", "S32BE", "F32LE", NULL };

static void
append_format (GValue *list, const char *format)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_static_string (&value, format);
  gst_value_list_append_and_take_value (list, &value);
}

/* Returns: (transfer full): caps of everything that is measured as it is */
GstCaps *
qc_formats_make_caps (QcKind kind)
{
  GstCaps *caps = gst_caps_new_empty_simple (kind == QC_VIDEO ? "video/x-raw" : "audio/x-raw");
  GValue list = G_VALUE_INIT;

  g_value_init (&list, GST_TYPE_LIST);
  if (kind == QC_VIDEO) {
    for (guint i = 0; i < G_N_ELEMENTS (video_formats); i++)
      append_format (&list, video_formats[i].format);
  } else {
    for (guint i = 0; audio_formats[i]; i++)
      append_format (&list, audio_formats[i]);
  }
  gst_caps_set_value (caps, "format", &list);
  g_value_unset (&list);
  return caps;
}

const char *
qc_formats_get_pix_fmt (const GstVideoInfo *info)
{
  for (guint i = 0; i < G_N_ELEMENTS (video_formats); i++) {
    if (g_str_equal (video_formats[i].format, GST_VIDEO_INFO_NAME (info)))
      return video_formats[i].pix_fmt;
  }
  return "none";
}

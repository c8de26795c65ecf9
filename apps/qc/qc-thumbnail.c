/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-thumbnail.h"

/* Pixels of a row. */
#define WIDTH 160
#define DEADLINE (10 * GST_SECOND)

struct _QcThumbnails {
  GstElement *pipeline, *sink;
  const char *type; /* of the pictures */
};

static const struct {
  const char *element, *type;
} encoders[] = {
  { "pngenc", "image/png" },
  { "jpegenc", "image/jpeg" },
};

static gboolean
thumbnails_wait (QcThumbnails *thumbnails)
{
  return gst_element_get_state (thumbnails->pipeline, NULL, NULL, DEADLINE)
         == GST_STATE_CHANGE_SUCCESS;
}

static QcThumbnails *
thumbnails_new_with (const char *uri, guint encoder)
{
  g_autofree char *text
      = g_strdup_printf ("uridecodebin name=decoder ! videoconvert ! videoscale ! "
                         "video/x-raw,width=%d,pixel-aspect-ratio=1/1 ! %s ! "
                         "fakesink name=sink sync=false enable-last-sample=true",
          WIDTH, encoders[encoder].element);
  GstElement *pipeline = gst_parse_launch_full (text, NULL, GST_PARSE_FLAG_FATAL_ERRORS, NULL);

  if (!pipeline)
    return NULL;
  QcThumbnails *thumbnails = g_new0 (QcThumbnails, 1);
  thumbnails->pipeline = pipeline;
  thumbnails->sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  thumbnails->type = encoders[encoder].type;
  GstElement *decoder = gst_bin_get_by_name (GST_BIN (pipeline), "decoder");
  g_object_set (decoder, "uri", uri, NULL);
  gst_object_unref (decoder);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  if (thumbnails_wait (thumbnails))
    return thumbnails;
  qc_thumbnails_free (thumbnails);
  return NULL;
}

/* Opens the film once more. Returns: NULL if there is no encoder, or no picture */
QcThumbnails *
qc_thumbnails_new (const char *uri)
{
  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (encoders[i].element);
    if (factory)
      return thumbnails_new_with (uri, i);
  }
  return NULL;
}

/* Returns: (nullable) (transfer full): the picture at @time, as a link with all of its data */
char *
qc_thumbnails_make_link (QcThumbnails *thumbnails, GstClockTime time)
{
  g_autoptr (GstSample) sample = NULL;
  GstMapInfo map;

  if (!gst_element_seek_simple (thumbnails->pipeline, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, (gint64)time)
      || !thumbnails_wait (thumbnails))
    return NULL;
  g_object_get (thumbnails->sink, "last-sample", &sample, NULL);
  if (!sample || !gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ))
    return NULL;
  g_autofree char *base64 = g_base64_encode (map.data, map.size);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  return g_strdup_printf ("data:%s;base64,%s", thumbnails->type, base64);
}

void
qc_thumbnails_free (QcThumbnails *thumbnails)
{
  if (!thumbnails)
    return;
  gst_element_set_state (thumbnails->pipeline, GST_STATE_NULL);
  gst_object_unref (thumbnails->sink);
  gst_object_unref (thumbnails->pipeline);
  g_free (thumbnails);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames as ffprobe writes them with signalstats and cropdetect, compressed: the file that QCTools
 * opens. QCTools knows the root by its prefix, and takes times from the attributes that begin with
 * "pkt_".
 */
#include "qc-formats.h"
#include "qc-measure.h"
#include "qc-report.h"

#include <gio/gunixoutputstream.h>
#include <string.h>

typedef struct {
  QcReport report;
  GOutputStream *out; /* compresses, and writes to the file */
  FILE *file;
  char *path;
  gboolean failed;
} QcXml;

static void
xml_write (QcXml *xml, const char *text)
{
  xml->failed |= !g_output_stream_write_all (xml->out, text, strlen (text), NULL, NULL, NULL);
}

static void
append_time (GString *text, const char *name, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (time))
    g_string_append_printf (text, " %s=\"%.6f\"", name, (double)time / GST_SECOND);
}

static void
append_tags (GString *text, const char *filter, const GArray *measures)
{
  for (guint i = 0; i < measures->len; i++) {
    const QcMeasure *measure = &g_array_index (measures, QcMeasure, i);
    g_string_append_printf (text, "            <tag key=\"lavfi.%s.%s\" value=\"%g\"/>\n", filter,
        measure->key, measure->value);
  }
}

static void
xml_add_frame (QcReport *report, const QcFile *file, const QcStream *stream, const QcSample *sample,
    const GstStructure *results, const GArray *signalstats)
{
  const GstVideoInfo *video = &stream->video;
  g_autoptr (GString) text
      = g_string_new ("        <frame media_type=\"video\" stream_index=\"0\"");

  if (stream != qc_file_find_stream (file, QC_VIDEO))
    return;
  append_time (text, "pts_time", sample->time);
  append_time (text, "pkt_pts_time", sample->time);
  append_time (text, "pkt_duration_time", sample->duration);
  g_string_append_printf (text, " width=\"%d\" height=\"%d\" pix_fmt=\"%s\">\n",
      GST_VIDEO_INFO_WIDTH (video), GST_VIDEO_INFO_HEIGHT (video), qc_formats_get_pix_fmt (video));
  g_autoptr (GArray) crop = qc_measure_cropdetect (results, video);
  append_tags (text, "signalstats", signalstats);
  append_tags (text, "cropdetect", crop);
  g_string_append (text, "        </frame>\n");
  xml_write ((QcXml *)report, text->str);
}

static void
xml_add_file (QcReport *report, const QcFile *file)
{
  xml_write ((QcXml *)report, "    </frames>\n</ffprobe:ffprobe>\n");
}

static gboolean
xml_finish (QcReport *report, GError **error)
{
  QcXml *xml = (QcXml *)report;
  gboolean written = g_output_stream_close (xml->out, NULL, NULL) && !xml->failed;

  g_object_unref (xml->out);
  written = qc_report_close (xml->file, xml->path, written, error);
  g_free (xml->path);
  g_free (xml);
  return written;
}

/* For the frames of one file. */
QcReport *
qc_xml_new (const QcOutput *output)
{
  g_autoptr (GOutputStream) out = g_unix_output_stream_new (fileno (output->file), FALSE);
  g_autoptr (GZlibCompressor) gzip = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
  QcXml *xml = g_new0 (QcXml, 1);

  xml->report.add_frame = xml_add_frame;
  xml->report.add_file = xml_add_file;
  xml->report.finish = xml_finish;
  xml->out = g_converter_output_stream_new (out, G_CONVERTER (gzip));
  xml->file = output->file;
  xml->path = g_strdup (output->path);
  xml_write (xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<ffprobe:ffprobe xmlns:ffprobe=\"http://www.ffmpeg.org/schema/ffprobe\">\n"
                  "    <frames>\n");
  return &xml->report;
}

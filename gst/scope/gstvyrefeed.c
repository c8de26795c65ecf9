/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyrefeed.h"

#include <gst/video/video.h>

#define READBACK_CAPS "application/x-vyre-readback"
#define USUAL_RATE 30 /* buffers a second where nothing says it */

void
gst_vyre_feed_init (GstVyreFeed *feed, gdouble history)
{
  *feed = (GstVyreFeed){ .has_news = FALSE };
  gst_vyre_model_init (&feed->model, history);
  gst_vyre_feed_flush (feed);
}

void
gst_vyre_feed_clear (GstVyreFeed *feed)
{
  g_clear_pointer (&feed->table, gst_vyre_table_unref);
  gst_vyre_model_clear (&feed->model);
}

static void
feed_begin_count (GstVyreFeed *feed)
{
  gboolean has_rate = feed->rate_n > 0;

  gst_vyre_ticks_init (
      &feed->count, has_rate ? feed->rate_n : USUAL_RATE, has_rate ? feed->rate_d : 1);
}

void
gst_vyre_feed_flush (GstVyreFeed *feed)
{
  gst_segment_init (&feed->segment, GST_FORMAT_TIME);
  feed_begin_count (feed);
  gst_vyre_model_reset (&feed->model);
  feed->has_news = FALSE;
}

/* Has the model begin with what @caps say of samples: of 8 bits and BT.709 where they say nothing.
 */
static void
feed_begin (GstVyreFeed *feed, const GstCaps *caps)
{
  GstVyreColorimetry colorimetry = { .scale = 224.0 / 256 };
  GstVideoInfo video;
  gboolean is_video
      = gst_video_info_from_caps (&video, caps) && GST_VIDEO_INFO_N_COMPONENTS (&video) > 0;

  if (!is_video
      || !gst_video_color_matrix_get_Kr_Kb (
          video.colorimetry.matrix, &colorimetry.red, &colorimetry.blue))
    gst_video_color_matrix_get_Kr_Kb (
        GST_VIDEO_COLOR_MATRIX_BT709, &colorimetry.red, &colorimetry.blue);
  if (is_video && video.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255)
    colorimetry.scale = 255.0 / 256;
  gst_vyre_model_begin (
      &feed->model, is_video ? GST_VIDEO_INFO_COMP_DEPTH (&video, 0) : 8, &colorimetry);
}

/* Reads what the buffers of @caps are. All results are forgotten where these are new: the same may
 * come with each part of a list. */
gboolean
gst_vyre_feed_take_caps (GstVyreFeed *feed, GstCaps *caps, gboolean is_new, GError **error)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);

  g_clear_pointer (&feed->table, gst_vyre_table_unref);
  if (is_new) {
    feed->rate_n = feed->rate_d = 0;
    gst_structure_get_fraction (structure, "framerate", &feed->rate_n, &feed->rate_d);
    feed_begin (feed, caps);
    feed_begin_count (feed);
  }
  if (gst_structure_has_name (structure, READBACK_CAPS))
    feed->table = gst_vyre_table_new_from_caps (caps, error);
  return feed->table || !gst_structure_has_name (structure, READBACK_CAPS);
}

/* Buffers without times go on from the start of a @segment of times. */
void
gst_vyre_feed_take_segment (GstVyreFeed *feed, const GstSegment *segment)
{
  feed->segment = *segment;
  if (segment->format != GST_FORMAT_TIME)
    return;
  feed_begin_count (feed);
  gst_vyre_ticks_follow (&feed->count, segment->start);
}

/* Counts a buffer, and returns its time: @time, or where that is none, the one that follows from
 * the buffers before and their rate. */
GstClockTime
gst_vyre_feed_find_time (GstVyreFeed *feed, GstClockTime time)
{
  GstClockTime length;

  if (GST_CLOCK_TIME_IS_VALID (time))
    feed_begin_count (feed);
  else
    time = gst_vyre_ticks_get_next (&feed->count);
  gst_vyre_ticks_follow (&feed->count, time);
  gst_vyre_ticks_take (&feed->count, GST_CLOCK_TIME_NONE, &time, &length);
  return time;
}

/* The history is of running times, which go on from segment to segment. */
static GstClockTime
feed_find_running (const GstVyreFeed *feed, GstClockTime time)
{
  return feed->segment.format == GST_FORMAT_TIME
             ? gst_segment_to_running_time (&feed->segment, GST_FORMAT_TIME, time)
             : time;
}

/* Returns how long @buffer lasts, in s; 0 where that is not known. */
static gdouble
feed_find_length (const GstVyreFeed *feed, const GstBuffer *buffer)
{
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    return (gdouble)GST_BUFFER_DURATION (buffer) / GST_SECOND;
  return feed->rate_n > 0 ? (gdouble)feed->rate_d / feed->rate_n : 0;
}

/* Has the model know the results of @buffer, which is of @time; FALSE where it is not as its caps
 * say. */
gboolean
gst_vyre_feed_take (GstVyreFeed *feed, GstBuffer *buffer, GstClockTime time, GError **error)
{
  g_autoptr (GstVyreResults) results = NULL;
  GstClockTime running = feed_find_running (feed, time);

  results = feed->table ? gst_vyre_table_read (feed->table, buffer, NULL, error)
                        : gst_vyre_results_from_buffer (buffer);
  if (feed->table && !results)
    return FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (running))
    return TRUE;
  if (results) {
    gst_vyre_model_take (&feed->model, results, (gdouble)running / GST_SECOND);
    gst_vyre_model_set_patience (&feed->model, feed_find_length (feed, buffer));
    feed->has_news = TRUE;
  } else {
    gst_vyre_model_go_on (&feed->model, (gdouble)running / GST_SECOND);
  }
  return TRUE;
}

/* Has the model go on to @time, that of a frame, which may show results from behind it. */
void
gst_vyre_feed_go_on (GstVyreFeed *feed, GstClockTime time)
{
  GstClockTime running = feed_find_running (feed, time);

  if (GST_CLOCK_TIME_IS_VALID (running))
    gst_vyre_model_go_on (&feed->model, MAX (feed->model.time, (gdouble)running / GST_SECOND));
}

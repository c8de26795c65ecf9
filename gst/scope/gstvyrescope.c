/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vyrescope
 * @title: vyrescope
 *
 * Draws the results of vyrefilter: luma over time, histograms, and what else a program measures.
 * Buffers carry the results, as vyrefilter passes them on with output-mode=passthrough, or are
 * readbacks.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! video/x-raw,format=I420 ! \
 *   vyrefilter output-mode=passthrough program=builtin:scope ! vyrescope ! \
 *   videoconvert ! autovideosink
 * ]| What builtin:scope finds in a test picture.
 */
#include "scope/gstvyrescope.h"

#include <gst/video/video.h>

#include "common/gstvyreproperty.h"
#include "common/gstvyrequery.h"
#include "scope/gstvyrefeed.h"
#include "scope/gstvyreframes.h"
#include "scope/gstvyreoverlay.h"

GST_DEBUG_CATEGORY_STATIC (gst_vyre_scope_debug);
#define GST_CAT_DEFAULT gst_vyre_scope_debug

#define STATS_INTERVAL 0.5 /* s of real time from counters to the next */
#define FRAME_CAPS                                                                                 \
  "video/x-raw, format=(string)BGRx, width=(int)[ 64, 16384 ], height=(int)[ 64, 16384 ], "        \
  "framerate=(fraction)[ 0/1, 1000/1 ]"
#define OVERLAY_CAPS GST_VIDEO_CAPS_MAKE (GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)

typedef enum {
  MODE_REPLACE,
  MODE_OVERLAY,
} Mode;

struct _GstVyreScope {
  GstElement parent;
  GstPad *sinkpad, *srcpad;

  gint overlays; /* atomic: whether the mode is overlay; no longer changes from PAUSED on */

  /* object lock */
  Mode mode;
  guint panels;
  GstVyreThemeId theme;
  guint64 history;
  GstClockTime latency; /* half a frame */

  /* streaming thread; READY to PAUSED and back */
  GstVyreFeed feed;
  GstVideoInfo info; /* of the source pad */
  gboolean has_caps; /* the source pad has */
  GstBufferPool *pool;
  GstVyreTicks ticks;
  gboolean is_discont;
  gdouble stats_asked; /* when counters were asked for, in s */
  GstVyreCanvas canvas;
  GstVyreOverlay overlay;
};

static const GFlagsValue scope_panels[] = {
  { GST_VYRE_PANEL_TIMELINE, "Luma, or the level of audio, over the history; cuts and conditions",
      "timeline" },
  { GST_VYRE_PANEL_HISTOGRAM, "Histograms side by side", "histogram" },
  { GST_VYRE_PANEL_VECTORSCOPE, "Chroma of samples, and hues around it", "vectorscope" },
  { GST_VYRE_PANEL_METERS, "Levels of audio, with peaks that are held", "meters" },
  { GST_VYRE_PANEL_LIGHTS, "A light for each condition", "lights" },
  { GST_VYRE_PANEL_ENGINE, "Counters of vyrefilter", "engine" },
  { 0, NULL, NULL },
};

static const GEnumValue scope_themes[] = {
  { GST_VYRE_THEME_DARK, "Dark", "dark" },
  { GST_VYRE_THEME_LIGHT, "Light", "light" },
  { GST_VYRE_THEME_CONTRAST, "White on black, without shades", "contrast" },
  { 0, NULL, NULL },
};

static const GEnumValue scope_modes[] = {
  { MODE_REPLACE, "Frames of their own, in place of the buffers", "replace" },
  { MODE_OVERLAY, "Panels over the video that comes in", "overlay" },
  { 0, NULL, NULL },
};

/* Has the mode follow its property, unless the element streams or is about to. */
static void
scope_follow_mode (GObject *object)
{
  GstVyreScope *self = GST_VYRE_SCOPE (object);

  GST_OBJECT_LOCK (self);
  if (MAX (GST_STATE (self), GST_STATE_NEXT (self)) < GST_STATE_PAUSED)
    g_atomic_int_set (&self->overlays, self->mode == MODE_OVERLAY);
  GST_OBJECT_UNLOCK (self);
}

#define AT(field) GstVyreScope, field

static const GstVyreProperty scope_rows[] = {
  { GST_VYRE_ENUM ("mode", "Mode", "What leaves the source pad", GST_VYRE_PROPERTY_READY,
        "GstVyreScopeMode", scope_modes, MODE_REPLACE, AT (mode)),
      .changed = scope_follow_mode },
  { GST_VYRE_FLAGS ("panels", "Panels", "Panels to draw (none = those that have results)",
      GST_VYRE_PROPERTY_PLAYING, "GstVyreScopePanels", scope_panels, 0, AT (panels)) },
  { GST_VYRE_ENUM ("theme", "Theme", "Colours", GST_VYRE_PROPERTY_PLAYING, "GstVyreScopeTheme",
      scope_themes, GST_VYRE_THEME_DARK, AT (theme)) },
  { GST_VYRE_UINT64 ("history", "History",
      "How far back the timeline goes (ns): 65536 results at most", GST_VYRE_PROPERTY_PLAYING,
      GST_SECOND, 3600 * GST_SECOND, 10 * GST_SECOND, AT (history)) },
  { 0 },
};

static const GstVyrePropertyTable scope_properties[] = { { scope_rows, 0 }, { NULL, 0 } };

static GstStaticPadTemplate sink_template
    = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template
    = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (OVERLAY_CAPS));

G_DEFINE_FINAL_TYPE_WITH_CODE (GstVyreScope, gst_vyre_scope, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (gst_vyre_scope_debug, "vyrescope", 0, "results as pictures"))
GST_ELEMENT_REGISTER_DEFINE (vyrescope, "vyrescope", GST_RANK_NONE, GST_TYPE_VYRE_SCOPE)

/* Tells the bus of @error, which it takes. */
static void
scope_fail (GstVyreScope *self, GError *error)
{
  GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message), (NULL));
  g_error_free (error);
}

static gboolean
scope_overlays (GstVyreScope *self)
{
  return g_atomic_int_get (&self->overlays);
}

static void
scope_set_latency (GstVyreScope *self, const GstVideoInfo *info)
{
  GstClockTime latency = info->fps_n > 0 ? gst_util_uint64_scale (
                             GST_SECOND, (guint64)info->fps_d, 2 * (guint64)info->fps_n)
                                         : 0;

  GST_OBJECT_LOCK (self);
  gboolean changes = self->latency != latency;
  self->latency = latency;
  GST_OBJECT_UNLOCK (self);
  if (changes)
    gst_element_post_message (
        GST_ELEMENT_CAST (self), gst_message_new_latency (GST_OBJECT_CAST (self)));
}

/* Agrees with downstream on frames. */
static gboolean
scope_negotiate (GstVyreScope *self)
{
  GstCaps *allowed = gst_pad_get_allowed_caps (self->srcpad);
  GstVideoInfo info;

  if (!allowed) /* without a peer */
    allowed = gst_caps_from_string (FRAME_CAPS);
  if (gst_caps_is_empty (allowed)) {
    gst_caps_unref (allowed);
    return FALSE;
  }
  g_autoptr (GstCaps) caps = gst_vyre_frames_fixate (allowed, self->feed.rate_n, self->feed.rate_d);
  if (!gst_video_info_from_caps (&info, caps)
      || !gst_pad_push_event (self->srcpad, gst_event_new_caps (caps)))
    return FALSE;
  if (!self->has_caps || info.fps_n != self->info.fps_n || info.fps_d != self->info.fps_d)
    gst_vyre_ticks_init (&self->ticks, info.fps_n, info.fps_d);
  self->info = info;
  self->has_caps = TRUE;
  scope_set_latency (self, &info);
  gst_vyre_frames_drop_pool (&self->pool);
  self->pool = gst_vyre_frames_choose_pool (self->srcpad, caps, (guint)info.size);
  return self->pool != NULL;
}

/* Reads what the buffers of @caps are. */
static gboolean
scope_read_caps (GstVyreScope *self, GstCaps *caps)
{
  g_autoptr (GstCaps) before = gst_pad_get_current_caps (self->sinkpad);
  gboolean is_new = !before || !gst_caps_is_equal (before, caps);
  GError *error = NULL;

  if (gst_vyre_feed_take_caps (&self->feed, caps, is_new, &error))
    return TRUE;
  scope_fail (self, error);
  return FALSE;
}

/* Has frames of @caps pass, with panels over them. */
static gboolean
scope_overlay_caps (GstVyreScope *self, GstEvent *event, GstCaps *caps)
{
  self->has_caps = gst_video_info_from_caps (&self->info, caps);
  return self->has_caps && gst_pad_push_event (self->srcpad, gst_event_ref (event));
}

static gboolean
scope_renegotiate (GstVyreScope *self)
{
  if (scope_negotiate (self))
    return TRUE;
  gst_pad_mark_reconfigure (self->srcpad);
  return FALSE;
}

/* Buffers of bytes come in a segment that has no times. */
static gboolean
scope_push_segment (GstVyreScope *self, GstEvent *event)
{
  const GstSegment *segment;
  GstSegment times;

  gst_event_parse_segment (event, &segment);
  gst_vyre_feed_take_segment (&self->feed, segment);
  if (scope_overlays (self))
    return gst_pad_push_event (self->srcpad, gst_event_ref (event));
  if (!self->has_caps && !scope_renegotiate (self))
    return FALSE;
  gst_vyre_ticks_init (&self->ticks, self->info.fps_n, self->info.fps_d);
  if (segment->format == GST_FORMAT_TIME)
    return gst_pad_push_event (self->srcpad, gst_event_ref (event));
  gst_segment_init (&times, GST_FORMAT_TIME);
  return gst_pad_push_event (self->srcpad, gst_event_new_segment (&times));
}

/* Asks the vyrefilter in front for its counters, where these are shown. */
static void
scope_ask_for_stats (GstVyreScope *self, const GstVyreLook *look)
{
  gdouble now = (gdouble)g_get_monotonic_time () / G_USEC_PER_SEC;

  if (!(look->panels & GST_VYRE_PANEL_ENGINE) || now < self->stats_asked + STATS_INTERVAL)
    return;
  self->stats_asked = now;
  g_autoptr (GstQuery) query = gst_vyre_query_new_stats ();
  if (!gst_pad_peer_query (self->sinkpad, query))
    return;
  const GstStructure *stats = gst_vyre_query_get_stats (query);
  if (stats)
    gst_vyre_model_take_stats (&self->feed.model, stats, now);
}

static GstVyreLook
scope_get_look (GstVyreScope *self)
{
  GST_OBJECT_LOCK (self);
  GstVyreLook look = { self->panels, self->theme, self->info.width, self->info.height, FALSE };
  GST_OBJECT_UNLOCK (self);
  scope_ask_for_stats (self, &look);
  return look;
}

/* Tells the bus of a frame that has no pixels, or whose size has no picture. Takes @buffer. */
static GstFlowReturn
scope_fail_frame (GstVyreScope *self, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
      ("A frame cannot be drawn. Fix: put a queue or a videoconvert behind this element, or have "
       "its caps ask for smaller frames."),
      (NULL));
  return GST_FLOW_ERROR;
}

/* Draws the frame at @time, and pushes it. */
static GstFlowReturn
scope_push_frame (GstVyreScope *self, GstClockTime time, GstClockTime duration)
{
  GstVideoFrame frame;
  GstBuffer *buffer;
  GstFlowReturn flow = gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL);

  if (flow != GST_FLOW_OK)
    return flow;
  if (!gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_READWRITE))
    return scope_fail_frame (self, buffer);
  GstVyreLook look = scope_get_look (self);
  gst_vyre_feed_go_on (&self->feed, time);
  gboolean done = gst_vyre_canvas_draw (&self->canvas, &self->feed.model, &look,
      GST_VIDEO_FRAME_PLANE_DATA (&frame, 0), GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0));
  gst_video_frame_unmap (&frame);
  if (!done)
    return scope_fail_frame (self, buffer);
  self->feed.has_news = FALSE;
  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_DURATION (buffer) = duration;
  if (self->is_discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->is_discont = FALSE;
  return gst_pad_push (self->srcpad, buffer);
}

/* Pushes the frames that are due with results from @time on, which hold for @duration. */
static GstFlowReturn
scope_push_frames (GstVyreScope *self, GstClockTime time, GstClockTime duration)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstClockTime frame, length;

  if (self->info.fps_n == 0 || self->feed.segment.rate < 0)
    return scope_push_frame (self, time, duration);
  if (gst_vyre_ticks_follow (&self->ticks, time))
    self->is_discont = TRUE;
  if (!GST_CLOCK_TIME_IS_VALID (duration)) /* as long as a frame */
    duration = gst_util_uint64_scale_int (GST_SECOND, self->info.fps_d, self->info.fps_n);
  while (
      flow == GST_FLOW_OK && gst_vyre_ticks_take (&self->ticks, time + duration, &frame, &length))
    flow = scope_push_frame (self, frame, length);
  return flow;
}

/* Has the model know the results of @buffer; FALSE, with a message, where that is not as its caps
 * say. */
static gboolean
scope_take_results (GstVyreScope *self, GstBuffer *buffer, GstClockTime time)
{
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  gst_vyre_model_set_history (&self->feed.model, (gdouble)self->history / GST_SECOND);
  GST_OBJECT_UNLOCK (self);
  if (gst_vyre_feed_take (&self->feed, buffer, time, &error))
    return TRUE;
  scope_fail (self, error);
  return FALSE;
}

/* Pushes @buffer, which it takes, with panels over its picture. */
static GstFlowReturn
scope_push_overlay (GstVyreScope *self, GstBuffer *buffer)
{
  GstBuffer *picture = gst_buffer_make_writable (buffer);
  GstVyreLook look = scope_get_look (self);
  GstVideoFrame frame;

  if (!gst_video_frame_map (&frame, &self->info, picture, GST_MAP_READWRITE)) {
    gst_buffer_unref (picture);
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        ("A picture cannot be mapped. Fix: put a videoconvert in front of this element."), (NULL));
    return GST_FLOW_ERROR;
  }
  if (!gst_vyre_overlay_blend (&self->overlay, &self->canvas, &self->feed.model, &look, &frame))
    GST_WARNING_OBJECT (self, "a picture goes on without panels");
  gst_video_frame_unmap (&frame);
  return gst_pad_push (self->srcpad, picture);
}

/* A buffer without a time makes the next frame; without a rate of frames, those that come count. */
static GstClockTime
scope_find_time (GstVyreScope *self, GstClockTime time)
{
  gboolean has_rate = !scope_overlays (self) && self->info.fps_n > 0;

  return has_rate && !GST_CLOCK_TIME_IS_VALID (time) ? gst_vyre_ticks_get_next (&self->ticks)
                                                     : gst_vyre_feed_find_time (&self->feed, time);
}

static GstFlowReturn
gst_vyre_scope_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVyreScope *self = GST_VYRE_SCOPE (parent);
  GstClockTime time = GST_BUFFER_PTS (buffer), duration = GST_BUFFER_DURATION (buffer);
  g_autoptr (GstBuffer) owned = buffer;

  if (!scope_overlays (self) && gst_pad_check_reconfigure (self->srcpad)
      && !scope_renegotiate (self))
    return GST_PAD_IS_FLUSHING (self->srcpad) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  time = scope_find_time (self, time);
  if (!scope_take_results (self, buffer, time))
    return GST_FLOW_ERROR;
  if (scope_overlays (self))
    return self->has_caps ? scope_push_overlay (self, g_steal_pointer (&owned))
                          : GST_FLOW_NOT_NEGOTIATED;
  return scope_push_frames (self, time, duration);
}

static void
scope_flush (GstVyreScope *self)
{
  gst_vyre_ticks_init (&self->ticks, self->info.fps_n, self->info.fps_d);
  gst_vyre_feed_flush (&self->feed);
  self->is_discont = TRUE;
}

/* The frames go on where results have a gap. */
static gboolean
scope_take_gap (GstVyreScope *self, GstEvent *event)
{
  GstClockTime time, duration;

  if (scope_overlays (self))
    return gst_pad_push_event (self->srcpad, gst_event_ref (event));
  gst_event_parse_gap (event, &time, &duration);
  return !self->has_caps || !GST_CLOCK_TIME_IS_VALID (time)
         || scope_push_frames (self, time, duration) == GST_FLOW_OK;
}

/* The end of a stream does not wait for the middle of the frame that shows the last results. */
static void
scope_push_last (GstVyreScope *self)
{
  GstClockTime frame, length;

  if (!scope_overlays (self) && self->pool && self->info.fps_n > 0 && self->feed.has_news
      && gst_vyre_ticks_take (&self->ticks, GST_CLOCK_TIME_NONE, &frame, &length))
    scope_push_frame (self, frame, length);
}

static gboolean
gst_vyre_scope_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVyreScope *self = GST_VYRE_SCOPE (parent);
  g_autoptr (GstEvent) owned = NULL;
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      owned = event;
      gst_event_parse_caps (event, &caps);
      return scope_read_caps (self, caps)
             && (scope_overlays (self) ? scope_overlay_caps (self, event, caps)
                                       : scope_renegotiate (self));
    case GST_EVENT_SEGMENT:
      owned = event;
      return scope_push_segment (self, event);
    case GST_EVENT_GAP:
      owned = event;
      return scope_take_gap (self, event);
    case GST_EVENT_EOS:
      scope_push_last (self);
      return gst_pad_event_default (pad, parent, event);
    case GST_EVENT_FLUSH_STOP:
      scope_flush (self);
      return gst_pad_event_default (pad, parent, event);
    default:
      return gst_pad_event_default (pad, parent, event);
  }
}

/* The rate of upstream has nothing to do with that of frames in place of buffers, nor has its
 * format. */
static gboolean
gst_vyre_scope_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (scope_overlays (GST_VYRE_SCOPE (parent))
      || (GST_EVENT_TYPE (event) != GST_EVENT_QOS
          && GST_EVENT_TYPE (event) != GST_EVENT_RECONFIGURE))
    return gst_pad_event_default (pad, parent, event);
  gst_event_unref (event);
  return TRUE;
}

/* Answers a CAPS query of @pad: with panels over a picture both sides have the same caps. */
static gboolean
scope_answer_caps (GstVyreScope *self, GstPad *pad, GstQuery *query)
{
  GstPad *other = pad == self->sinkpad ? self->srcpad : self->sinkpad;
  g_autoptr (GstCaps) caps = NULL;
  GstCaps *filter;

  gst_query_parse_caps (query, &filter);
  if (!scope_overlays (self)) {
    caps = pad == self->sinkpad ? gst_caps_new_any () : gst_caps_from_string (FRAME_CAPS);
  } else {
    g_autoptr (GstCaps) own = gst_caps_from_string (OVERLAY_CAPS);
    caps = gst_pad_peer_query_caps (other, own);
  }
  g_autoptr (GstCaps) answer
      = filter ? gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST)
               : gst_caps_ref (caps);
  gst_query_set_caps_result (query, answer);
  return TRUE;
}

static gboolean
gst_vyre_scope_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVyreScope *self = GST_VYRE_SCOPE (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS)
    return scope_answer_caps (self, pad, query);
  if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION && scope_overlays (self))
    return gst_pad_peer_query (self->srcpad, query);
  return gst_pad_query_default (pad, parent, query);
}

/* A frame in place of a buffer waits for results beyond its middle. */
static gboolean
gst_vyre_scope_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVyreScope *self = GST_VYRE_SCOPE (parent);
  GstClockTime least, most;
  gboolean live;

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS)
    return scope_answer_caps (self, pad, query);
  if (!gst_pad_query_default (pad, parent, query))
    return FALSE;
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return TRUE;
  gst_query_parse_latency (query, &live, &least, &most);
  GST_OBJECT_LOCK (self);
  GstClockTime own = self->latency;
  GST_OBJECT_UNLOCK (self);
  gst_query_set_latency (
      query, live, least + own, GST_CLOCK_TIME_IS_VALID (most) ? most + own : most);
  return TRUE;
}

static GstStateChangeReturn
gst_vyre_scope_change_state (GstElement *element, GstStateChange transition)
{
  GstVyreScope *self = GST_VYRE_SCOPE (element);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    self->has_caps = FALSE;
    GST_OBJECT_LOCK (self);
    g_atomic_int_set (&self->overlays, self->mode == MODE_OVERLAY);
    self->latency = 0;
    GST_OBJECT_UNLOCK (self);
    self->stats_asked = -STATS_INTERVAL;
    gst_video_info_init (&self->info);
    scope_flush (self);
  }
  GstStateChangeReturn change
      = GST_ELEMENT_CLASS (gst_vyre_scope_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    gst_vyre_frames_drop_pool (&self->pool);
    g_clear_pointer (&self->feed.table, gst_vyre_table_unref);
    gst_vyre_canvas_clear (&self->canvas);
    gst_vyre_overlay_clear (&self->overlay);
  }
  return change;
}

static void
gst_vyre_scope_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  gst_vyre_properties_set (object, scope_properties, id, value);
}

static void
gst_vyre_scope_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  gst_vyre_properties_get (object, scope_properties, id, value);
}

static void
gst_vyre_scope_finalize (GObject *object)
{
  gst_vyre_feed_clear (&GST_VYRE_SCOPE (object)->feed);
  gst_vyre_properties_clear (object, scope_properties);
  G_OBJECT_CLASS (gst_vyre_scope_parent_class)->finalize (object);
}

static void
gst_vyre_scope_class_init (GstVyreScopeClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_vyre_scope_set_property;
  object_class->get_property = gst_vyre_scope_get_property;
  object_class->finalize = gst_vyre_scope_finalize;
  element_class->change_state = gst_vyre_scope_change_state;
  gst_vyre_properties_install (object_class, scope_properties);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Vyre scope", "Visualization",
      "Draws the results of vyrefilter", "The gst-vyre authors");
  gst_element_class_add_static_metadata (
      element_class, GST_ELEMENT_METADATA_DOC_URI, GST_VYRE_DOC_URI "vyrescope.md");
}

static void
gst_vyre_scope_init (GstVyreScope *self)
{
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, gst_vyre_scope_chain);
  gst_pad_set_event_function (self->sinkpad, gst_vyre_scope_sink_event);
  gst_pad_set_query_function (self->sinkpad, gst_vyre_scope_sink_query);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->sinkpad);
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_event_function (self->srcpad, gst_vyre_scope_src_event);
  gst_pad_set_query_function (self->srcpad, gst_vyre_scope_src_query);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->srcpad);
  gst_vyre_properties_init (self, scope_properties);
  gst_vyre_feed_init (&self->feed, (gdouble)self->history / GST_SECOND);
}

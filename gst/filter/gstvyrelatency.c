/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The share of vyrefilter in the latency of a live pipeline. The minimum is the time for which
 * batches are held, measured from the end of the wait for a turn to the push. The maximum is the
 * room of the queue: max-in-flight buffers, where the caps give their interval. Neither is longer
 * than max-latency, the wait for partners of a live stream included. The duration of a buffer
 * matters to neither. docs/architecture.md has the rule.
 */
#include "filter/gstvyrelatency.h"

#include "filter/gstvyrepartners.h"

/* Frames that are further apart have no cadence. */
#define LONGEST_INTERVAL (60 * 60 * GST_SECOND)

/* A wait for a batch that takes so long, in µs, is a wait for the kernel: a completed batch takes
 * none. */
#define REAL_WAIT 1000

/* Limits of the answer to a LATENCY query */
typedef struct {
  guint max_in_flight;
  GstClockTime most; /* NONE is the largest */
} LatencyLimits;

static LatencyLimits
latency_get_limits (GstVyreFilter *self)
{
  gboolean passes = g_atomic_int_get (&self->passes);

  GST_OBJECT_LOCK (self);
  LatencyLimits limits = { .max_in_flight = self->settings.max_in_flight,
    .most = passes ? self->settings.max_latency : GST_CLOCK_TIME_NONE };
  GST_OBJECT_UNLOCK (self);
  return limits;
}

/* The lock is held. Records what is reported; a batch that is held for longer than its turn in a
 * full queue takes room, too. Returns TRUE if that is news, the wait for partners included. */
static gboolean
latency_take_report (GstVyreFilter *self, const LatencyLimits *limits)
{
  GstVyreLatency *latency = &self->latency;
  GstClockTime held = MIN (latency->held, limits->most);
  GstClockTime room = MIN (latency->interval * limits->max_in_flight, limits->most);

  GstClockTime wait = self->partners.pad ? latency->interval : 0;
  GstClockTime least = MIN (wait + held, limits->most);

  room = MAX (held, room);
  gboolean is_new
      = latency->told_held != held || latency->told_least != least || latency->told_room != room;
  latency->told_least = least;
  latency->told_held = held;
  latency->told_room = room;
  return is_new;
}

/* A buffer is as late as its partner, and waits for one that may start as much as an interval
 * later. */
static void
latency_add_partners (GstVyreFilter *self, gboolean *live, GstClockTime *least, GstClockTime *most)
{
  g_autoptr (GstPad) pad = gst_vyre_partners_get_pad (self);
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime partner_least, partner_most;
  gboolean partner_live;

  if (!pad)
    return;
  vyre_mutex_lock (&self->lock);
  *least += self->latency.interval;
  g_mutex_unlock (&self->lock);
  if (!gst_pad_peer_query (pad, query))
    return;
  gst_query_parse_latency (query, &partner_live, &partner_least, &partner_most);
  if (!partner_live)
    return;
  *least = *live ? MAX (*least, partner_least) : partner_least;
  *most = *live ? MIN (*most, partner_most) : partner_most; /* NONE is the largest */
  *live = TRUE;
}

/* Answers a LATENCY query of the source pad. */
gboolean
gst_vyre_latency_query (GstVyreFilter *self, GstQuery *query)
{
  GstClockTime least, most;
  gboolean live;

  if (!gst_pad_peer_query (self->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &least, &most);
  const LatencyLimits limits = latency_get_limits (self);
  GstClockTime longest
      = live && GST_CLOCK_TIME_IS_VALID (limits.most) ? least + limits.most : GST_CLOCK_TIME_NONE;
  latency_add_partners (self, &live, &least, &most);
  vyre_mutex_lock (&self->lock);
  g_atomic_int_set (&self->live, live);
  latency_take_report (self, &limits);
  least = MIN (least + self->latency.told_held, longest);
  if (GST_CLOCK_TIME_IS_VALID (most))
    most += self->latency.told_room;
  g_mutex_unlock (&self->lock);
  gst_query_set_latency (query, live, least, most);
  return TRUE;
}

/* Has the pipeline ask again if the stream is live and the answer has changed. */
void
gst_vyre_latency_tell_changes (GstVyreFilter *self)
{
  const LatencyLimits limits = latency_get_limits (self);

  vyre_mutex_lock (&self->lock);
  gboolean is_news = g_atomic_int_get (&self->live) && latency_take_report (self, &limits);
  g_mutex_unlock (&self->lock);
  if (is_news)
    gst_element_post_message (
        GST_ELEMENT_CAST (self), gst_message_new_latency (GST_OBJECT_CAST (self)));
}

/* Returns the time from one buffer to the next, 0 if the caps do not say. */
static GstClockTime
latency_read_interval (const GstCaps *caps)
{
  gint numerator, denominator;

  if (!gst_structure_get_fraction (
          gst_caps_get_structure (caps, 0), "framerate", &numerator, &denominator)
      || numerator <= 0 || denominator <= 0)
    return 0;
  GstClockTime interval
      = gst_util_uint64_scale (GST_SECOND, (guint64)denominator, (guint64)numerator);
  return interval > LONGEST_INTERVAL ? 0 : interval;
}

void
gst_vyre_latency_set_caps (GstVyreFilter *self, const GstCaps *caps)
{
  vyre_mutex_lock (&self->lock);
  self->latency.interval = latency_read_interval (caps);
  g_mutex_unlock (&self->lock);
  gst_vyre_latency_tell_changes (self);
}

static gboolean
latency_is_live (const GstVyreFilter *self)
{
  return g_atomic_int_get (&self->live);
}

/* The chain function has a turn for the item's batch. */
void
gst_vyre_latency_note_taken (GstVyreFilter *self, GstVyreItem *item)
{
  if (latency_is_live (self) && item->taken == 0)
    item->taken = g_get_monotonic_time ();
}

/* The worker has done with an item, or there is none yet. */
void
gst_vyre_latency_note_ready (GstVyreFilter *self)
{
  if (latency_is_live (self))
    self->ready = g_get_monotonic_time ();
}

/* The worker has the item's result. A batch that may have waited while downstream had the worker is
 * left out: that time is downstream's. */
void
gst_vyre_latency_note_held (GstVyreFilter *self, const GstVyreItem *item)
{
  if (!latency_is_live (self) || item->taken == 0)
    return;
  gint64 now = g_get_monotonic_time ();
  if (item->taken < self->ready && now - self->ready < REAL_WAIT)
    return;
  GstClockTime time = (GstClockTime)(now - item->taken) * GST_USECOND;
  vyre_mutex_lock (&self->lock);
  GstClockTime before = self->latency.held;
  self->latency.held = gst_vyre_holds_add (&self->latency.holds, time, before);
  gboolean changed = self->latency.held != before;
  g_mutex_unlock (&self->lock);
  if (changed)
    gst_vyre_latency_tell_changes (self);
}

/* The lock is held. Forgets the stream; the next one is live until a query says otherwise. */
void
gst_vyre_latency_reset (GstVyreFilter *self)
{
  g_atomic_int_set (&self->live, TRUE);
  self->latency = (GstVyreLatency){ 0 };
}

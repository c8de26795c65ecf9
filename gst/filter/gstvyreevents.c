/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreevents.h"

#include "common/gstvyrefields.h"
#include "filter/gstvyremessages.h"

/* Names of the message and of the fields that no other message has. */
typedef enum {
  EVENT_MESSAGE,
  EVENT_NAME,
  EVENT_STATE,
  EVENT_SEQUENCE,
  EVENT_UNDECIDED,
  N_EVENT_NAMES
} EventName;

static const gchar *const event_names[N_EVENT_NAMES] = {
  [EVENT_MESSAGE] = "vyre-event",
  [EVENT_NAME] = "event",
  [EVENT_STATE] = "state",
  [EVENT_SEQUENCE] = "sequence",
  [EVENT_UNDECIDED] = "undecided",
};
static GQuark event_quarks[N_EVENT_NAMES];

/* Before any element. */
void
gst_vyre_events_init (void)
{
  for (guint i = 0; i < N_EVENT_NAMES; i++)
    event_quarks[i] = g_quark_from_static_string (event_names[i]);
}

/* Posts that an event started, or ended, at @moment. The interval has @duration by then. */
static void
events_post (GstVyreFilter *self, const VyreEvent *event, const GstVyreInterval *interval,
    const gchar *state, const GstVyreMoment *moment, GstClockTime duration)
{
  if (!(self->out_settings.post_messages & GST_VYRE_POST_EVENTS))
    return;
  GstStructure *structure = gst_structure_new_id_empty (event_quarks[EVENT_MESSAGE]);
  gst_vyre_fields_set_text (structure, event_quarks[EVENT_NAME], event->name);
  gst_vyre_fields_set_text (structure, event_quarks[EVENT_STATE], state);
  GstVyreTiming timing = moment->timing;
  timing.duration = duration;
  gst_vyre_messages_set_timing (structure, &timing);
  gst_vyre_fields_set_number (structure, event_quarks[EVENT_SEQUENCE], moment->sequence);
  gst_vyre_fields_set_number (structure, event_quarks[EVENT_UNDECIDED], interval->undecided);
  vyre_mutex_lock (&self->lock);
  self->stats.events++;
  g_mutex_unlock (&self->lock);
  gst_element_post_message (
      GST_ELEMENT_CAST (self), gst_message_new_element (GST_OBJECT_CAST (self), structure));
}

/* The time from the start of an interval to @moment; 0 if that is earlier. */
static GstClockTime
events_measure (const GstVyreInterval *interval, const GstVyreMoment *moment)
{
  GstClockTime start = interval->start.timing.pts, now = moment->timing.pts;

  return now > start ? now - start : 0;
}

/* Posts the start of an event whose condition holds, or ends, at @moment if it was not posted and
 * the time is over. */
static void
events_report (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    const GstVyreMoment *moment)
{
  GstClockTime duration = events_measure (interval, moment);

  if (interval->is_reported || duration < event->time)
    return;
  interval->is_reported = TRUE;
  events_post (self, event, interval, "start", &interval->start, duration);
}

/* Ends an open interval at @moment. */
static void
events_close (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    const GstVyreMoment *moment)
{
  events_report (self, event, interval, moment);
  interval->is_open = FALSE;
  if (interval->is_reported)
    events_post (self, event, interval, "end", moment, events_measure (interval, moment));
}

/* Follows what a batch at @moment decided about an event. */
static void
events_follow (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    VyreDecision decision, const GstVyreMoment *moment)
{
  if (decision == VYRE_DECISION_NONE) {
    interval->undecided++;
  } else if (decision == VYRE_DECISION_NO) {
    if (interval->is_open)
      events_close (self, event, interval, moment);
  } else {
    if (!interval->is_open)
      *interval = (GstVyreInterval){ .is_open = TRUE, .start = *moment };
    events_report (self, event, interval, moment);
  }
}

/* Ends the intervals that are open and start at @from or later, at the last buffer with a PTS. */
static void
events_close_from (GstVyreFilter *self, GstClockTime from)
{
  GstVyreEvents *events = &self->events;

  for (guint i = 0; i < events->n; i++) {
    GstVyreInterval *interval = &events->intervals[i];
    if (interval->is_open && interval->start.timing.pts >= from)
      events_close (
          self, &vyre_plan_get_bound_program (events->plan)->events[i], interval, &events->last);
  }
}

/* Forgets the intervals without a message. */
void
gst_vyre_events_forget (GstVyreFilter *self)
{
  self->events.n = 0;
  g_clear_pointer (&self->events.intervals, g_free);
  g_clear_pointer (&self->events.plan, vyre_plan_unref);
}

/* Ends the intervals that are open: the stream has ended, or changes. */
void
gst_vyre_events_end (GstVyreFilter *self)
{
  events_close_from (self, 0);
  gst_vyre_events_forget (self);
}

/* Has the intervals belong to the plan of @item. Another program and other caps end those that
 * are open. */
static void
events_follow_plan (GstVyreFilter *self, const GstVyreItem *item, guint n)
{
  GstVyreEvents *events = &self->events;

  if (events->era != item->era || events->n != n) {
    gst_vyre_events_end (self);
    events->era = item->era;
    events->intervals = g_new0 (GstVyreInterval, n);
    events->n = n;
  }
  if (n > 0 && events->plan != item->plan) {
    g_clear_pointer (&events->plan, vyre_plan_unref);
    events->plan = vyre_plan_ref (item->plan);
  }
}

static void
events_count_undecided (GstVyreFilter *self, guint n)
{
  vyre_mutex_lock (&self->lock);
  self->stats.undecided += n;
  g_mutex_unlock (&self->lock);
}

/* Decides the events of a batch. A buffer without a PTS, and one with a fault, decide nothing. */
static void
events_decide (GstVyreFilter *self, const GstVyreItem *item, const VyreBoundProgram *bound,
    const guint8 *readback)
{
  const GstVyreMoment moment = { item->timing, item->sequence };
  gboolean timed = GST_CLOCK_TIME_IS_VALID (item->timing.pts);
  gboolean decides = timed && vyre_batch_get_completion (item->batch)->faults == 0;
  guint undecided = 0;

  if (decides) /* time may have gone back */
    events_close_from (self, moment.timing.pts + 1);
  for (guint i = 0; i < bound->n_events; i++) {
    const VyreEvent *event = &bound->events[i];
    VyreDecision decision = decides ? vyre_event_decide (event, readback) : VYRE_DECISION_NONE;

    undecided += decision == VYRE_DECISION_NONE;
    events_follow (self, event, &self->events.intervals[i], decision, &moment);
  }
  if (timed)
    self->events.last = moment;
  if (undecided > 0)
    events_count_undecided (self, undecided);
}

/* Posts what starts or ends with a completed batch. Without events it costs nothing. */
void
gst_vyre_events_batch (GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback)
{
  const VyreBoundProgram *bound = vyre_plan_get_bound_program (item->plan);

  if (bound->n_events == 0 && self->events.n == 0)
    return;
  events_follow_plan (self, item, bound->n_events);
  events_decide (self, item, bound, readback);
}

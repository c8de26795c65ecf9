/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreevents.h"

#include "library/gstvyrefields.h"
#include "filter/gstvyreeventstates.h"
#include "filter/gstvyrelines.h"
#include "filter/gstvyremessages.h"
#include "filter/gstvyrequiet.h"

/* Names of the message and of the fields that no other message has. */
typedef enum {
  EVENT_MESSAGE,
  EVENT_NAME,
  EVENT_STATE,
  EVENT_SEQUENCE,
  EVENT_UNDECIDED,
  EVENT_COMPLETE,
  EVENT_VALUES,
  N_EVENT_NAMES
} EventName;

static const gchar *const event_names[N_EVENT_NAMES] = {
  [EVENT_MESSAGE] = "vyre-event",
  [EVENT_NAME] = "event",
  [EVENT_STATE] = "state",
  [EVENT_SEQUENCE] = "sequence",
  [EVENT_UNDECIDED] = "undecided",
  [EVENT_COMPLETE] = "complete",
  [EVENT_VALUES] = "values",
};
static GQuark event_quarks[N_EVENT_NAMES];

/* Before any element. */
void
gst_vyre_events_init (void)
{
  for (guint i = 0; i < N_EVENT_NAMES; i++)
    event_quarks[i] = g_quark_from_static_string (event_names[i]);
  gst_vyre_event_states_init ();
}

/* The values that an event carries, by their names. */
static GstStructure *
events_new_values (const VyreEvent *event, const GstVyreNumbers *numbers)
{
  GstStructure *structure = gst_structure_new_id_empty (event_quarks[EVENT_VALUES]);

  for (guint i = 0; i < event->n_values; i++) {
    GType type = numbers->negative >> i & 1 ? G_TYPE_INT64 : G_TYPE_UINT64;
    gst_structure_set (structure, event->values[i].name, type, numbers->values[i], NULL);
  }
  return structure;
}

/* Takes @structure over. */
static void
events_post_message (GstVyreFilter *self, GstStructure *structure)
{
  vyre_mutex_lock (&self->lock);
  self->stats.events++;
  g_mutex_unlock (&self->lock);
  gst_element_post_message (
      GST_ELEMENT_CAST (self), gst_message_new_element (GST_OBJECT_CAST (self), structure));
}

/* Posts that an event started, or ended, at @moment, and writes it as a line. The interval has
 * @duration by then. */
static void
events_post (GstVyreFilter *self, const VyreEvent *event, const GstVyreInterval *interval,
    const gchar *state, const GstVyreMoment *moment, GstClockTime duration)
{
  gboolean posts = (self->out_settings.post_messages & GST_VYRE_POST_EVENTS) != 0;

  if (!posts && !self->lines)
    return;
  GstStructure *structure = gst_structure_new_id_empty (event_quarks[EVENT_MESSAGE]);
  gst_vyre_fields_set_text (structure, event_quarks[EVENT_NAME], event->name);
  gst_vyre_fields_set_text (structure, event_quarks[EVENT_STATE], state);
  GstVyreTiming timing = moment->timing;
  timing.duration = duration;
  gst_vyre_messages_set_timing (structure, &timing);
  gst_vyre_fields_set_number (structure, event_quarks[EVENT_SEQUENCE], moment->sequence);
  gst_vyre_fields_set_number (structure, event_quarks[EVENT_UNDECIDED], interval->undecided);
  gst_vyre_fields_set_truth (structure, event_quarks[EVENT_COMPLETE], !interval->is_incomplete);
  if (event->n_values > 0)
    gst_vyre_fields_take (
        structure, event_quarks[EVENT_VALUES], events_new_values (event, &interval->numbers));
  gst_vyre_lines_add (self, structure);
  if (posts)
    events_post_message (self, structure);
  else
    gst_structure_free (structure);
}

/* Counts an interval that is one. Names of events are few, and so are intervals. */
static void
events_count (GstVyreFilter *self, const VyreEvent *event, const GstVyreInterval *interval)
{
  guint64 n = 0;

  vyre_mutex_lock (&self->lock);
  if (!self->event_counts) {
    self->event_counts = gst_structure_new_empty ("event-counts");
    self->event_times = gst_structure_new_empty ("event-times");
  }
  gst_structure_get_uint64 (self->event_counts, event->name, &n);
  gst_structure_set (self->event_counts, event->name, G_TYPE_UINT64, n + 1, NULL);
  gst_structure_set (
      self->event_times, event->name, G_TYPE_UINT64, interval->start.timing.pts, NULL);
  if (event->n_values > 0 && !self->event_values)
    self->event_values = gst_structure_new_empty ("event-values");
  if (event->n_values > 0)
    gst_vyre_fields_take (self->event_values, g_quark_from_string (event->name),
        events_new_values (event, &interval->numbers));
  g_mutex_unlock (&self->lock);
}

/* The time from the start of an interval to @moment; 0 if that is earlier. */
static GstClockTime
events_measure (const GstVyreInterval *interval, const GstVyreMoment *moment)
{
  GstClockTime start = interval->start.timing.pts, now = moment->timing.pts;

  return now > start ? now - start : 0;
}

/* TRUE if an interval of @duration is one of the event. Quiet samples are counted, unless some are
 * missing. */
static gboolean
events_is_long (const VyreEvent *event, const GstVyreInterval *interval, GstClockTime duration)
{
  if (!event->of_quiet || interval->is_incomplete)
    return duration >= event->time;
  return interval->samples >= gst_vyre_quiet_count_samples (event);
}

/* Posts the start of an event whose condition holds, or ends, at @moment if it was not posted and
 * the time is over. */
static void
events_report (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    const GstVyreMoment *moment)
{
  GstClockTime duration = events_measure (interval, moment);

  if (interval->is_reported || !events_is_long (event, interval, duration))
    return;
  interval->is_reported = TRUE;
  events_count (self, event, interval);
  events_post (self, event, interval, "start", &interval->start, duration);
}

/* Ends an open interval at @moment, and forgets it. */
static void
events_close (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    const GstVyreMoment *moment)
{
  events_report (self, event, interval, moment);
  if (interval->is_reported)
    events_post (self, event, interval, "end", moment, events_measure (interval, moment));
  *interval = (GstVyreInterval){ 0 };
}

/* A buffer decides nothing. An interval of the reference has begun even where it is not open. */
static void
events_leave_open (const VyreEvent *event, GstVyreInterval *interval)
{
  interval->is_doubtful = interval->is_incomplete = TRUE;
  interval->undecided += interval->is_open || event->of_reference;
}

static gboolean
events_are_equal (const VyreEvent *event, const GstVyreNumbers *a, const GstVyreNumbers *b)
{
  return event->n_values == 0
         || (a->negative == b->negative
             && memcmp (a->values, b->values, event->n_values * sizeof a->values[0]) == 0);
}

/* The condition of an event holds at @moment, where it carries @numbers: other ones are those of
 * another interval. */
static void
events_hold (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    const GstVyreMoment *moment, const GstVyreNumbers *numbers)
{
  gboolean doubtful = interval->is_doubtful;

  if (interval->is_open && !events_are_equal (event, &interval->numbers, numbers)) {
    events_close (self, event, interval, moment);
    interval->is_incomplete = doubtful;
  }
  if (!interval->is_open) {
    interval->start = *moment;
    interval->numbers = *numbers;
  }
  interval->is_open = TRUE;
  interval->is_doubtful = FALSE;
  events_report (self, event, interval, moment);
}

/* Follows what a batch at @moment decided about an event. */
static void
events_follow (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    VyreDecision decision, const GstVyreMoment *moment, const GstVyreNumbers *numbers)
{
  if (decision == VYRE_DECISION_YES) {
    events_hold (self, event, interval, moment, numbers);
  } else if (decision == VYRE_DECISION_NONE) {
    events_leave_open (event, interval);
  } else if (interval->is_open) {
    events_close (self, event, interval, moment);
  } else {
    interval->is_doubtful = interval->is_incomplete = FALSE;
  }
}

/* @moment, so many samples later. */
static GstVyreMoment
events_shift (const VyreEvent *event, const GstVyreMoment *moment, guint32 samples)
{
  GstVyreMoment shifted = *moment;

  shifted.timing.pts += gst_vyre_quiet_get_time (event, samples);
  return shifted;
}

/* A buffer at @moment has @quiet samples in a row, which go on in the next one or end with a loud
 * sample. */
static void
events_add_quiet (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    const GstVyreMoment *moment, VyreQuiet quiet, gboolean goes_on)
{
  if (!interval->is_open) {
    interval->start = events_shift (event, moment, quiet.begin);
    interval->is_incomplete &= quiet.begin == 0;
  }
  interval->is_open = TRUE;
  interval->is_doubtful = FALSE;
  interval->samples += quiet.end - quiet.begin;
  interval->reached = events_shift (event, moment, quiet.end);
  const GstVyreMoment reached = interval->reached;
  if (goes_on)
    events_report (self, event, interval, &reached);
  else
    events_close (self, event, interval, &reached);
}

/* Follows the quiet samples of a batch at @moment. FALSE if a run that makes an event may be among
 * those that the result does not tell from loud ones. */
static gboolean
events_follow_quiet (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    const GstVyreMoment *moment, const guint8 *readback)
{
  guint32 words[VYRE_LOUD_WORDS];
  VyreQuiet quiet;

  gst_vyre_quiet_read (event, readback, words);
  guint32 count = words[VYRE_LOUD_COUNT];
  gboolean found = vyre_quiet_find (words, 0, &quiet);
  if (count > 0 && (!found || quiet.begin > 0))
    events_follow (self, event, interval, VYRE_DECISION_NO, moment, NULL);
  for (; found; found = vyre_quiet_find (words, quiet.end, &quiet))
    events_add_quiet (self, event, interval, moment, quiet, quiet.end == count);
  guint32 hidden = vyre_quiet_hides (words);
  return hidden == 0 || hidden < gst_vyre_quiet_count_samples (event);
}

/* The payload of a batch at @moment becomes the reference: one interval ends, and another starts.
 * Without a PTS the one ends at the last buffer that had one, and the other starts at the next. */
static void
events_change_reference (GstVyreFilter *self, const VyreEvent *event, GstVyreInterval *interval,
    const GstVyreMoment *moment, gboolean decides)
{
  gboolean timed = GST_CLOCK_TIME_IS_VALID (moment->timing.pts);
  gboolean doubtful = interval->is_doubtful;

  if (!timed)
    interval->is_incomplete = TRUE;
  if (interval->is_open)
    events_close (self, event, interval, timed ? moment : &self->events.last);
  interval->is_incomplete = doubtful;
  if (!decides)
    events_leave_open (event, interval);
  if (timed)
    events_hold (self, event, interval, moment, &interval->numbers);
}

/* Ends the intervals that are open and start at @from or later, at the last buffer with a PTS, or
 * behind the last quiet sample. */
static void
events_close_from (GstVyreFilter *self, GstClockTime from)
{
  GstVyreEvents *events = &self->events;

  for (guint i = 0; i < events->n; i++) {
    GstVyreInterval *interval = &events->intervals[i];
    const VyreEvent *event = &vyre_plan_get_bound_program (events->plan)->events[i];
    const GstVyreMoment last = event->of_quiet ? interval->reached : events->last;
    if (interval->is_open && interval->start.timing.pts >= from)
      events_close (self, event, interval, &last);
  }
}

/* Forgets the intervals without a message. */
void
gst_vyre_events_forget (GstVyreFilter *self)
{
  self->events.n = 0;
  self->events.arrival = 0;
  g_clear_pointer (&self->events.intervals, g_free);
  g_clear_pointer (&self->events.names, g_free);
  g_clear_pointer (&self->events.plan, vyre_plan_unref);
}

/* Buffers were not seen: what is open, or opens next, lacks them. */
static void
events_miss (GstVyreEvents *events)
{
  for (guint i = 0; i < events->n; i++)
    events->intervals[i].is_doubtful = events->intervals[i].is_incomplete = TRUE;
}

/* Ends the intervals that are open: the stream has ended, with so many buffers as @item says. An
 * interval of the reference has no end there, as freezedetect of ffmpeg gives it none. */
void
gst_vyre_events_end (GstVyreFilter *self, const GstVyreItem *item)
{
  GstVyreEvents *events = &self->events;

  if (item->arrival != events->arrival)
    events_miss (events);
  for (guint i = 0; i < events->n; i++) {
    if (vyre_plan_get_bound_program (events->plan)->events[i].of_reference)
      events->intervals[i].is_open = FALSE;
  }
  events_close_from (self, 0);
  gst_vyre_events_forget (self);
}

/* TRUE if buffers in front of a batch are missing: they never came through, or upstream says so. */
static gboolean
events_lack (const GstVyreEvents *events, const GstVyreItem *item)
{
  gboolean jumps = events->era == item->era && item->timing.flags & GST_BUFFER_FLAG_DISCONT;

  return item->is_behind_lost
         || (events->arrival > 0 && (jumps || item->arrival != events->arrival + 1));
}

/* Begins anew with the events of @bound. */
static void
events_begin (GstVyreEvents *events, const VyreBoundProgram *bound)
{
  guint n = bound->n_events;

  events->intervals = g_new0 (GstVyreInterval, n);
  events->names = g_new (GQuark, n);
  for (guint i = 0; i < n; i++)
    events->names[i] = g_quark_from_string (bound->events[i].name);
  events->n = n;
}

/* Has the intervals belong to the plan of @item. Another program and other caps end those that
 * are open. */
static void
events_follow_plan (GstVyreFilter *self, const GstVyreItem *item, const VyreBoundProgram *bound)
{
  GstVyreEvents *events = &self->events;
  guint n = bound->n_events;

  if (events->era != item->era || events->n != n) {
    events_close_from (self, 0);
    gst_vyre_events_forget (self);
    events->era = item->era;
    events_begin (events, bound);
  }
  events->arrival = item->arrival;
  events->sequence = item->sequence;
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

/* Decides the events of a batch. A buffer without a PTS, and one whose slots did not all run,
 * decide nothing. */
static void
events_decide (GstVyreFilter *self, const GstVyreItem *item, const VyreBoundProgram *bound,
    const guint8 *readback)
{
  const GstVyreMoment moment = { item->timing, item->sequence };
  gboolean timed = GST_CLOCK_TIME_IS_VALID (item->timing.pts);
  gboolean decides
      = timed
        && gst_vyre_stats_are_whole (item->plan, readback, vyre_batch_get_completion (item->batch));
  gboolean is_reference = vyre_batch_is_reference (item->batch);
  guint undecided = 0;

  if (decides) /* time may have gone back */
    events_close_from (self, moment.timing.pts + 1);
  for (guint i = 0; i < bound->n_events; i++) {
    const VyreEvent *event = &bound->events[i];
    gboolean is_open = self->events.intervals[i].is_open;
    GstVyreNumbers numbers = { 0 };
    VyreDecision decision
        = decides ? vyre_event_decide (event, is_open, readback, numbers.values, &numbers.negative)
                  : VYRE_DECISION_NONE;

    undecided += decision == VYRE_DECISION_NONE;
    if (event->of_quiet && decision == VYRE_DECISION_YES)
      undecided
          += !events_follow_quiet (self, event, &self->events.intervals[i], &moment, readback);
    else if (event->of_reference && is_reference)
      events_change_reference (self, event, &self->events.intervals[i], &moment, decides);
    else
      events_follow (self, event, &self->events.intervals[i], decision, &moment, &numbers);
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
  gboolean lacks = events_lack (&self->events, item);
  if (lacks)
    events_miss (&self->events);
  events_follow_plan (self, item, bound);
  if (lacks) /* the intervals may be others */
    events_miss (&self->events);
  events_decide (self, item, bound, readback);
}

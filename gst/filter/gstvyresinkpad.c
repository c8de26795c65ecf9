/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrefilter's sink pad: buffers become batches in flight.
 */
#include "filter/gstvyresinkpad.h"

#include "filter/gstvyrecarry.h"
#include "filter/gstvyreearly.h"
#include "filter/gstvyrelatency.h"
#include "filter/gstvyrenegotiation.h"
#include "filter/gstvyrepairing.h"
#include "filter/gstvyreparams.h"
#include "filter/gstvyrepassthrough.h"
#include "filter/gstvyrerecovery.h"
#include "filter/gstvyrestaging.h"
#include "filter/gstvyreshortcut.h"
#include "filter/gstvyresubmit.h"
#include "filter/gstvyretaps.h"
#include "filter/gstvyrework.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* State begins anew with the next buffer. */
static void
sink_forget_state (GstVyreFilter *self)
{
  if (self->carry)
    gst_vyre_carry_end (self, g_steal_pointer (&self->carry));
}

/* Makes the item follow the one before it, if its program has state. */
static void
sink_hand_state_on (GstVyreFilter *self, GstVyreItem *item)
{
  guint n_words = vyre_plan_get_state_words (item->plan);

  if (self->carry && !gst_vyre_carry_is_of (self->carry, self->plan_beginning, n_words))
    sink_forget_state (self);
  g_clear_pointer (&item->carry, gst_vyre_carry_unref);
  if (n_words == 0 && vyre_plan_get_older (item->plan) == 0)
    return;
  if (!self->carry)
    self->carry = gst_vyre_carry_new (self->plan_beginning, n_words);
  item->carry = gst_vyre_carry_ref (self->carry);
}

/* The lock is held. Counts a buffer that came in; returns how many have. */
static guint64
sink_count_arrival (GstVyreFilter *self, gsize size)
{
  self->stats.arrived_bytes += size;
  return ++self->stats.arrived;
}

/* Counts what came in, and will not have a number. */
static void
sink_count_refused (GstVyreFilter *self, gsize size)
{
  vyre_mutex_lock (&self->lock);
  sink_count_arrival (self, size);
  g_mutex_unlock (&self->lock);
  self->is_behind_lost = TRUE;
}

/* The lock is held. Gives @item the next number of the stream, unless it has one. */
static void
sink_number (GstVyreFilter *self, GstVyreItem *item)
{
  if (item->sequence > 0)
    return;
  if (++self->sequence == 0)
    self->sequence = 1; /* 0 stands for no buffer */
  item->sequence = self->sequence;
  item->arrival = sink_count_arrival (self, item->timing.size);
}

/* The lock is held. Returns GST_FLOW_OK once at most @most batches are in flight, the kernel is
 * there and no batch has to be run again: a rerun needs its memory; GST_VYRE_FLOW_AGAIN before.
 * GST_VYRE_FLOW_LATE: the item may wait no longer, or late batches have all the room, which nobody
 * knows the end of. What is in the queue leaves by its own deadlines. */
static GstFlowReturn
sink_look_for_turn (const GstVyreFilter *self, const GstVyreItem *item, guint most)
{
  GstFlowReturn flow = gst_vyre_stream_get_flow (self);

  if (flow != GST_FLOW_OK)
    return flow;
  if (self->n_batches > most)
    return GST_VYRE_FLOW_AGAIN;
  if (item->is_unpaired)
    return GST_VYRE_FLOW_LATE;
  if (self->n_undone == 0 && !self->recovering && self->n_batches + self->n_late <= most)
    return GST_FLOW_OK;
  if (item->deadline == G_MAXINT64)
    return GST_VYRE_FLOW_AGAIN;
  return self->n_late > most || g_get_monotonic_time () >= item->deadline ? GST_VYRE_FLOW_LATE
                                                                          : GST_VYRE_FLOW_AGAIN;
}

/* The lock is held. Waits for room. Waking a thread costs more than a batch, so a thread that had
 * to wait sleeps until half of the batches are through, unless its buffer has a deadline. */
static GstFlowReturn
sink_await_room (GstVyreFilter *self, guint max_in_flight, const GstVyreItem *item)
{
  guint most = max_in_flight - 1;
  GstFlowReturn flow;

  while ((flow = sink_look_for_turn (self, item, most)) == GST_VYRE_FLOW_AGAIN) {
    if (item->deadline == G_MAXINT64)
      most = self->wake_at = max_in_flight / 2;
    gst_vyre_stream_sleep_until (self, self->n_batches > most ? G_MAXINT64 : item->deadline);
  }
  self->wake_at = G_MAXUINT;
  if (flow == GST_VYRE_FLOW_LATE) { /* some of them may be through */
    self->late_look = 0;
    gst_vyre_stream_wake_task (self);
  }
  return flow;
}

/* Waits for room. Then the item gets the next number, and @shared the kernel in use. */
static GstFlowReturn
sink_wait_for_turn (GstVyreFilter *self, const GstVyreSettings *settings, GstVyreItem *item,
    GstVyreShared **shared, gboolean *new_source)
{
  gboolean broken = FALSE;

  vyre_mutex_lock (&self->lock);
  GstFlowReturn flow = sink_await_room (self, settings->max_in_flight, item);
  if (flow == GST_FLOW_OK || flow == GST_VYRE_FLOW_LATE) {
    sink_number (self, item);
    *new_source = self->source_is_new;
    broken = self->broken;
    self->source_is_new = self->broken = FALSE;
  }
  if (flow == GST_FLOW_OK)
    *shared = gst_vyre_stream_choose_kernel (self, item);
  g_mutex_unlock (&self->lock);
  if (broken)
    sink_forget_state (self);
  return flow;
}

static void
sink_read_timing (GstVyreFilter *self, GstBuffer *buffer, GstVyreTiming *timing)
{
  *timing = (GstVyreTiming){
    .pts = GST_BUFFER_PTS (buffer),
    .dts = GST_BUFFER_DTS (buffer),
    .duration = GST_BUFFER_DURATION (buffer),
    .offset = GST_BUFFER_OFFSET (buffer),
    .offset_end = GST_BUFFER_OFFSET_END (buffer),
    .flags = GST_BUFFER_FLAGS (buffer),
    .size = gst_buffer_get_size (buffer),
    .position = self->position,
    .segment = self->segment,
  };
  if (!self->geometry.has_slots)
    self->position += timing->size;
}

static GstFlowReturn
sink_follow_geometry (GstVyreFilter *self, GstBuffer *buffer)
{
  GError *error = NULL;
  gboolean changed;

  gboolean fits = gst_vyre_geometry_check (&self->geometry, buffer, &changed, &error);
  self->plan_stale |= changed;
  if (changed && self->geometry.has_video) /* channels end where the buffer does */
    sink_forget_state (self);
  return fits ? GST_FLOW_OK : gst_vyre_stream_fail (self, error);
}

/* Sends what precedes an item that goes on without a batch. */
static GstFlowReturn
sink_announce_unseen (GstVyreFilter *self)
{
  GstFlowReturn flow = gst_vyre_negotiation_announce (self);

  return flow == GST_FLOW_OK ? GST_VYRE_FLOW_LATE : flow;
}

/* Runs the item on the kernel in use. GST_VYRE_FLOW_LATE: there is no room for it in time. */
static GstFlowReturn
sink_run_item (GstVyreFilter *self, const GstVyreSettings *settings, GstVyreItem *item)
{
  g_autoptr (GstVyreShared) shared = NULL;
  gboolean is_new = FALSE;

  gst_vyre_item_forget_batch (item); /* without the lock: its kernel may go with it */
  GstFlowReturn flow = gst_vyre_shortcut_make_room (self, settings->max_in_flight);
  if (flow == GST_FLOW_OK)
    flow = sink_wait_for_turn (self, settings, item, &shared, &is_new);
  gst_vyre_latency_note_taken (self, item);
  gst_vyre_spans_note (&item->spans, GST_VYRE_STAGE_PUBLISH);
  gst_vyre_early_follow_source (self, is_new, FALSE);
  if (flow == GST_VYRE_FLOW_LATE) {
    item->deadline = item->until = 0; /* there is nothing that it could wait for */
    return sink_announce_unseen (self);
  }
  if (flow == GST_FLOW_OK)
    flow = gst_vyre_negotiation_plan (self, settings, item, shared);
  if (flow != GST_FLOW_OK)
    return flow;
  g_clear_pointer (&item->plan, vyre_plan_unref);
  item->plan = vyre_plan_ref (self->plan);
  gboolean taps = gst_vyre_taps_are_there (self) && self->out_table;
  gst_caps_replace (&item->caps, taps ? gst_vyre_table_get_caps (self->out_table) : NULL);
  item->era = self->era;
  if (!item->is_kept)
    gst_vyre_pairing_keep (self, item);
  item->is_kept = TRUE;
  sink_hand_state_on (self, item);
  GError *error = NULL;
  flow = gst_vyre_submit (self, shared, item, &error);
  return error ? gst_vyre_recovery_handle (self, shared, item->until, error) : flow;
}

/* Runs the item, which it takes, once more if the kernel was lost on the way. A buffer that finds
 * no room in time goes on without a batch. */
static GstFlowReturn
sink_run (GstVyreFilter *self, const GstVyreSettings *settings, GstVyreItem *item)
{
  for (;;) {
    GstFlowReturn flow = sink_run_item (self, settings, item);
    gboolean is_unseen = flow == GST_VYRE_FLOW_LATE;
    if (is_unseen) {
      gst_vyre_item_forget_batch (item);
      g_clear_pointer (&item->carry, gst_vyre_carry_unref);
      flow = GST_FLOW_OK;
    }
    if (flow == GST_FLOW_OK) {
      flow = gst_vyre_stream_push (self, item);
      self->is_behind_lost |= is_unseen && flow == GST_FLOW_OK;
      if (flow != GST_VYRE_FLOW_AGAIN)
        return flow == GST_FLOW_OK ? gst_vyre_shortcut_push_ready (self) : flow;
    } else if (flow != GST_VYRE_FLOW_AGAIN) {
      if (item->sequence == 0)
        sink_count_refused (self, item->timing.size);
      gst_vyre_item_free (item);
      return flow;
    }
  }
}

/* Returns the item of @buffer, which it takes, and whose @payload has its partner, too: NULL if
 * there is none. */
static GstVyreItem *
sink_new_item (GstVyreFilter *self, GstBuffer *buffer, GstBuffer *payload)
{
  GstVyreItem *item = g_new0 (GstVyreItem, 1);

  gst_vyre_spans_note (&item->spans, GST_VYRE_STAGE_ARRIVE);
  item->is_unpaired = !payload;
  item->buffer = payload ? payload : gst_buffer_ref (buffer);
  if (gst_vyre_passthrough_is_on (self) && item->buffer != buffer)
    item->passing = gst_buffer_ref (buffer);
  gst_buffer_unref (buffer);
  item->is_behind_lost = self->is_behind_lost;
  self->is_behind_lost = FALSE;
  sink_read_timing (self, item->buffer, &item->timing);
  return item;
}

/* Runs the buffer, which it takes. In passthrough one without a partner, or whose partner does not
 * come in time, goes on without a batch. */
static GstFlowReturn
sink_run_buffer (
    GstVyreFilter *self, const GstVyreSettings *settings, GstBuffer *buffer, gint64 arrival)
{
  gint64 deadline = gst_vyre_passthrough_get_deadline (self, settings, arrival);
  GstFlowReturn flow = sink_follow_geometry (self, buffer);
  GstBuffer *payload = NULL;

  if (flow == GST_FLOW_OK)
    flow = gst_vyre_pairing_join (self, buffer, &deadline, &payload);
  gboolean goes_on = flow == GST_VYRE_FLOW_LATE
                     || (flow == GST_FLOW_OK && (payload || gst_vyre_passthrough_is_on (self)));
  if (!goes_on) {
    sink_count_refused (self, gst_buffer_get_size (buffer));
    gst_buffer_unref (buffer);
    return flow;
  }
  GstVyreItem *item = sink_new_item (self, buffer, payload);
  item->deadline = item->until = deadline;
  return sink_run (self, settings, item);
}

static void
sink_sync_params (GstVyreFilter *self, GstBuffer *buffer)
{
  if (self->segment.format == GST_FORMAT_TIME)
    gst_vyre_params_sync (self,
        gst_segment_to_stream_time (&self->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer)));
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);
  gint64 arrival = g_get_monotonic_time ();
  GstVyreSettings settings;

  if (self->refused_caps || !gst_vyre_state_check_own (self)) {
    gst_buffer_unref (buffer);
    return g_atomic_int_get (&self->inherited) ? GST_FLOW_ERROR : GST_FLOW_NOT_NEGOTIATED;
  }
  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, buffer);
  sink_sync_params (self, buffer);
  gst_vyre_negotiation_get_settings (self, &settings);
  /* a handler of the bus that runs in this thread may have the copy of the settings cleared */
  VyreProgram *program = settings.program ? vyre_program_ref (settings.program) : NULL;
  gst_vyre_work_enter (self, arrival);
  GstFlowReturn flow = sink_run_buffer (self, &settings, buffer, arrival);
  gst_vyre_work_leave (self);
  g_clear_pointer (&program, vyre_program_unref);
  return flow;
}

/* Whether caps are those that the pad has. */
static gboolean
sink_has_caps (GstVyreFilter *self, const GstCaps *caps)
{
  g_autoptr (GstCaps) current = gst_pad_get_current_caps (self->sinkpad);

  return current && !self->refused_caps && gst_caps_is_equal (current, caps);
}

/* A pad sends refused caps again before each event or buffer, which it keeps back: the bus hears of
 * them once. */
static gboolean
sink_set_caps (GstVyreFilter *self, GstCaps *caps)
{
  GError *error = NULL;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, caps);
  if (sink_has_caps (self, caps))
    return TRUE;
  self->plan_stale = TRUE;
  self->era++;
  sink_forget_state (self);
  gst_vyre_pairing_reset (self);
  gst_vyre_latency_set_caps (self, caps);
  if (gst_vyre_geometry_set_caps (&self->geometry, caps, &error)) {
    gst_caps_replace (&self->refused_caps, NULL);
    return TRUE;
  }
  gboolean told = self->refused_caps && gst_caps_is_equal (self->refused_caps, caps);
  gst_caps_replace (&self->refused_caps, caps);
  sink_count_refused (self, 0);
  if (told)
    g_error_free (error);
  else
    gst_vyre_stream_fail (self, error);
  return FALSE;
}

/* Sends the caps on in passthrough: upstream asks for memory right behind them. If they do not get
 * through, the next buffer sends them again. */
static GstFlowReturn
sink_pass_caps (GstVyreFilter *self, GstCaps *caps)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (!gst_vyre_passthrough_is_on (self))
    return flow;
  do {
    gst_vyre_early_follow_source (self, gst_vyre_stream_meets_new_source (self), FALSE);
    flow = gst_vyre_negotiation_pass_caps (self, caps);
  } while (flow == GST_VYRE_FLOW_AGAIN);
  return flow;
}

static gboolean
sink_start_flush (GstVyreFilter *self, GstEvent *event)
{
  gst_vyre_stream_start_flush (self);
  gst_vyre_taps_send (self, event);
  gboolean done = gst_pad_push_event (self->srcpad, event);
  gst_vyre_stream_await_worker (self);
  return done;
}

/* FLUSH_STOP shuts the gate, too: its FLUSH_START may have met inactive pads, or gone another way.
 * */
static gboolean
sink_stop_flush (GstVyreFilter *self, GstEvent *event)
{
  self->n_flushes++;
  gst_vyre_stream_shut (self);
  gst_vyre_taps_ensure_flush (self, event);
  gst_vyre_stream_await_worker (self);
  gst_vyre_taps_send (self, event);
  gboolean done = gst_pad_push_event (self->srcpad, event);
  gst_vyre_early_drop (self, TRUE);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->is_behind_lost = FALSE;
  gst_vyre_stream_reopen (self, TRUE);
  return done;
}

/* The caps go out before the end, even if no buffer came: a segment never goes without. */
static GstFlowReturn
sink_pass_eos (GstVyreFilter *self, GstEvent *event)
{
  GstFlowReturn flow = gst_vyre_negotiation_announce (self);

  gst_vyre_early_drop (self, FALSE);
  gst_vyre_pairing_end (self);
  sink_forget_state (self);
  return flow == GST_VYRE_FLOW_AGAIN ? flow
                                     : gst_vyre_stream_push_eos (self, gst_event_ref (event));
}

static GstFlowReturn
sink_pass_event (GstVyreFilter *self, GstEvent *event)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    return sink_pass_eos (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_GAP)
    flow = gst_vyre_negotiation_announce (self);
  if (flow != GST_FLOW_OK)
    return flow;
  if (!gst_vyre_early_waits (self, event))
    return gst_vyre_stream_push_event (self, gst_event_ref (event));
  gst_vyre_early_keep (self, gst_event_ref (event));
  return GST_FLOW_OK;
}

/* Sends @event, which it takes, in its turn, to the source pad that is active then. */
static GstFlowReturn
sink_send_event (GstVyreFilter *self, GstEvent *event)
{
  gboolean starts = GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START;
  GstFlowReturn flow;

  do {
    gst_vyre_early_follow_source (self, gst_vyre_stream_meets_new_source (self), starts);
    flow = sink_pass_event (self, event);
  } while (flow == GST_VYRE_FLOW_AGAIN);
  gst_event_unref (event);
  return flow;
}

static GstFlowReturn
sink_flow_of (gboolean done)
{
  return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* Returns why an event was not taken: a pad that sends it again before a buffer answers that buffer
 * with it. */
static GstFlowReturn
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);
  GstFlowReturn flow;
  GstCaps *caps;

  if (g_atomic_int_get (&self->inherited)) { /* no task would send it on */
    gst_event_unref (event);
    return GST_FLOW_FLUSHING;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return sink_flow_of (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START
                             ? sink_start_flush (self, event)
                             : gst_pad_push_event (self->srcpad, event));
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_STOP:
      return sink_flow_of (sink_stop_flush (self, event));
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      flow = sink_set_caps (self, caps) ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
      if (flow == GST_FLOW_OK)
        sink_pass_caps (self, caps);
      gst_event_unref (event);
      return flow;
    case GST_EVENT_STREAM_START:
      gst_vyre_stream_restart (self);
      gst_vyre_early_drop (self, FALSE); /* those of a stream without a buffer */
      sink_forget_state (self);
      break;
    case GST_EVENT_SEGMENT:
      gst_vyre_stream_restart (self);
      gst_event_copy_segment (event, &self->segment);
      self->pairing.ended = 0; /* running times may begin anew */
      break;
    default:
      break;
  }
  return sink_send_event (self, event);
}

/* In passthrough downstream answers, which has the caps by then. */
static gboolean
sink_propose_memory (GstVyreFilter *self, GstQuery *query)
{
  if (!gst_vyre_passthrough_is_on (self))
    return gst_vyre_staging_propose (self, query);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);
  return (!caps || sink_pass_caps (self, caps) == GST_FLOW_OK)
         && gst_vyre_passthrough_allocate (self, query);
}

/* A serialized query overtakes nothing; one that wants all memory back waits for late results. One
 * that downstream sends while the worker pushes to it waits for nothing: what is under way keeps
 * its memory, and the state that it hands on. */
static gboolean
sink_pass_query (GstVyreFilter *self, GstPad *pad, GstQuery *query)
{
  gboolean drains = GST_QUERY_TYPE (query) == GST_QUERY_DRAIN;

  if (!(drains ? gst_vyre_stream_drain_late (self) : gst_vyre_stream_drain (self)))
    return FALSE;
  if (drains && self->carry && gst_vyre_stream_is_idle (self))
    gst_vyre_carry_detach (self, self->carry);
  return gst_pad_query_default (pad, GST_OBJECT_CAST (self), query);
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);

  if (g_atomic_int_get (&self->inherited))
    return FALSE;
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_ALLOCATION:
      return sink_propose_memory (self, query);
    case GST_QUERY_CAPS:
    case GST_QUERY_ACCEPT_CAPS:
      return gst_vyre_passthrough_is_on (self) ? gst_vyre_passthrough_answer (self, pad, query)
                                               : gst_pad_query_default (pad, parent, query);
    default:
      return GST_QUERY_IS_SERIALIZED (query) ? sink_pass_query (self, pad, query)
                                             : gst_pad_query_default (pad, parent, query);
  }
}

/* The stream lock is held. Forgets the stream. */
static void
sink_reset (GstVyreFilter *self)
{
  self->n_flushes++;
  gst_vyre_early_drop (self, FALSE);
  gst_vyre_geometry_clear (&self->geometry);
  self->pairing = (GstVyrePairing){ 0 };
  self->is_behind_lost = FALSE;
  gst_caps_replace (&self->refused_caps, NULL);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  sink_forget_state (self);
  self->position = 0;
  gst_vyre_negotiation_reset (self);
  vyre_mutex_lock (&self->lock);
  self->sequence = 0;
  gst_vyre_latency_reset (self);
  g_mutex_unlock (&self->lock);
}

/* Deactivation leaves everything ready for the next stream: when GStreamer calls this function with
 * @active, the pad lets buffers in already. */
static gboolean
sink_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active)
    return TRUE;
  gst_vyre_stream_shut (self);
  GST_PAD_STREAM_LOCK (pad); /* the chain function has returned */
  sink_reset (self);
  gst_vyre_stream_reopen (self, FALSE);
  GST_PAD_STREAM_UNLOCK (pad);
  return TRUE;
}

void
gst_vyre_sink_pad_init (GstVyreFilter *self)
{
  g_queue_init (&self->early);
  sink_reset (self);
  gst_pad_set_activatemode_function (self->sinkpad, sink_activate);
  gst_pad_set_chain_function (self->sinkpad, sink_chain);
  gst_pad_set_event_full_function (self->sinkpad, sink_event);
  gst_pad_set_query_function (self->sinkpad, sink_query);
}

void
gst_vyre_sink_pad_clear (GstVyreFilter *self)
{
  sink_reset (self);
  g_clear_pointer (&self->geometry.symbols, vyre_symbols_free);
}

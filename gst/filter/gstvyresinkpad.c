/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrefilter's sink pad: negotiation and publishing.
 */
#include "filter/gstvyresinkpad.h"

#include "filter/gstvyreaccess.h"
#include "filter/gstvyrelatency.h"
#include "filter/gstvyrerecovery.h"
#include "filter/gstvyreslots.h"
#include "filter/gstvyrestaging.h"
#include "filter/gstvyrestream.h"
#include "filter/gstvyresubmit.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* What is configured, as far as it is about this stream: slots run without a program. */
static void
get_settings (GstVyreFilter *self, GstVyreSettings *settings)
{
  gst_vyre_state_get_settings (self, settings);
  if (!self->geometry.has_slots)
    return;
  g_clear_pointer (&settings->program, vyre_program_unref);
  settings->slot_count = 0;
  if (settings->observable_slots == 0)
    settings->observable_slots = GST_VYRE_SLOTS_OBSERVABLES;
}

static void
clear_settings (GstVyreSettings *settings)
{
  g_clear_pointer (&settings->program, vyre_program_unref);
}

static gboolean
same_plan (const GstVyreFilter *self, const GstVyreSettings *settings, gsize size,
    const VyreMegakernel *kernel)
{
  return self->plan && !self->plan_stale && self->plan_program == settings->program
         && self->plan_size == size && self->plan_slots == settings->slot_count
         && self->plan_observables == settings->observable_slots && self->plan_kernel == kernel;
}

static GstFlowReturn
push_early_events (GstVyreFilter *self)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstEvent *event;

  while ((event = g_queue_pop_head (&self->early))) {
    if (flow == GST_FLOW_OK)
      flow = gst_vyre_stream_push_event (self, event);
    else
      gst_event_unref (event);
  }
  return flow;
}

static void
drop_early_events (GstVyreFilter *self, gboolean keep_sticky)
{
  GstEvent *event;

  while ((event = g_queue_pop_head (&self->early))) {
    if (keep_sticky)
      gst_vyre_stream_keep_sticky (self, event);
    gst_event_unref (event);
  }
}

/* The output caps are known with the first buffer, and come before the segment:
 * from the segment on, events wait for them. A stream that starts waits for nothing. */
static gboolean
is_early (GstVyreFilter *self, GstEvent *event)
{
  if (self->out_caps || GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    return FALSE;
  return GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT || !g_queue_is_empty (&self->early);
}

/* Of gaps one after the other the last one waits. */
static void
keep_early (GstVyreFilter *self, GstEvent *event)
{
  GstEvent *last = g_queue_peek_tail (&self->early);

  if (last && GST_EVENT_TYPE (last) == GST_EVENT_GAP && GST_EVENT_TYPE (event) == GST_EVENT_GAP)
    gst_event_unref (g_queue_pop_tail (&self->early));
  g_queue_push_tail (&self->early, event);
}

/* The beginning of a stream for a new source pad, and whether it got lost on the way. */
typedef struct {
  GstVyreFilter *self;
  gboolean lost;
} Beginning;

static gboolean
send_again (GstPad *pad, GstEvent **event, gpointer data)
{
  Beginning *beginning = data;
  GstVyreFilter *self = beginning->self;

  if (GST_EVENT_TYPE (*event) == GST_EVENT_STREAM_START)
    beginning->lost = gst_vyre_stream_push_event (self, gst_event_ref (*event)) != GST_FLOW_OK;
  else if (GST_EVENT_TYPE (*event) != GST_EVENT_CAPS && GST_EVENT_TYPE (*event) != GST_EVENT_EOS)
    keep_early (self, gst_event_ref (*event));
  return TRUE;
}

/* A source pad that was inactive while this one was not has to hear again how the stream
 * began, unless that is about to come: @starts. */
static void
follow_source (GstVyreFilter *self, gboolean is_new, gboolean starts)
{
  Beginning beginning = { .self = self };

  if (!is_new)
    return;
  drop_early_events (self, FALSE);
  gst_caps_replace (&self->out_caps, NULL);
  self->plan_stale = TRUE;
  if (!starts)
    gst_pad_sticky_events_foreach (self->sinkpad, send_again, &beginning);
  if (beginning.lost)
    gst_vyre_stream_forget_beginning (self);
}

/* A buffer that comes before its stream's beginning, as when upstream runs while this pad is
 * activated, begins a stream of the element's own: no caps go downstream without one, and the
 * stream-start that upstream has yet to send replaces it in order. */
static GstFlowReturn
begin_stream (GstVyreFilter *self)
{
  GstEvent *event = gst_pad_get_sticky_event (self->sinkpad, GST_EVENT_STREAM_START, 0);

  if (event) {
    gst_event_unref (event);
    return GST_FLOW_OK;
  }
  g_autofree gchar *id = gst_pad_create_stream_id (self->srcpad, GST_ELEMENT (self), NULL);
  event = gst_event_new_stream_start (id);
  gst_event_set_group_id (event, gst_util_group_id_next ());
  return gst_vyre_stream_push_event (self, event);
}

/* Output caps follow the layout of the readbacks and the program, if there is one. */
static GstFlowReturn
update_caps (
    GstVyreFilter *self, const GstVyreSettings *settings, guint n_slots, guint n_observables)
{
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("application/x-vyre-readback", "abi", G_TYPE_INT,
      VYRE_ABI_VERSION, "slot-count", G_TYPE_INT, (gint)n_slots, "observable-slots", G_TYPE_INT,
      (gint)n_observables, NULL);

  if (settings->program)
    gst_caps_set_simple (
        caps, "program", G_TYPE_STRING, vyre_program_get_id (settings->program), NULL);
  if (self->out_caps && gst_caps_is_equal (caps, self->out_caps))
    return GST_FLOW_OK;
  GstFlowReturn flow = self->out_caps ? GST_FLOW_OK : begin_stream (self);
  if (flow == GST_FLOW_OK)
    flow = gst_vyre_stream_push_event (self, gst_event_new_caps (caps));
  if (flow != GST_FLOW_OK) {
    self->plan_stale = TRUE; /* the next buffer has to try again */
    return flow;
  }
  gst_caps_replace (&self->out_caps, caps);
  return push_early_events (self);
}

/* Sends the caps that the smallest buffer would have, and the events that wait for caps:
 * a sparse stream may start with a gap, and an empty one ends without a buffer. Where the
 * program cannot run on the smallest buffer, they go on waiting. */
static GstFlowReturn
announce (GstVyreFilter *self)
{
  g_autoptr (VyreBoundProgram) bound = NULL;
  GstVyreSettings settings;
  GstFlowReturn flow = GST_FLOW_OK;

  if (g_queue_is_empty (&self->early))
    return GST_FLOW_OK;
  get_settings (self, &settings);
  if (settings.program)
    bound = vyre_program_bind (settings.program, self->geometry.symbols, 0, settings.slot_count,
        settings.observable_slots, NULL);
  if (bound)
    flow = update_caps (self, &settings, bound->n_slots, bound->n_observables);
  else if (self->geometry.has_slots)
    flow = update_caps (self, &settings, 1, settings.observable_slots);
  clear_settings (&settings);
  return flow;
}

/* Has @plan, which it takes, be the plan of buffers of @size bytes. */
static GstFlowReturn
keep_plan (GstVyreFilter *self, const GstVyreSettings *settings, gsize size,
    const VyreMegakernel *kernel, VyrePlan *plan)
{
  const VyreBoundProgram *bound = vyre_plan_get_bound_program (plan);

  g_clear_pointer (&self->plan, vyre_plan_unref);
  g_clear_pointer (&self->plan_program, vyre_program_unref);
  self->plan = plan;
  self->plan_program = settings->program ? vyre_program_ref (settings->program) : NULL;
  self->plan_size = size;
  self->plan_slots = settings->slot_count;
  self->plan_observables = settings->observable_slots;
  self->plan_kernel = kernel;
  self->plan_stale = FALSE;
  return update_caps (self, settings, bound->n_slots, bound->n_observables);
}

/* The plan for the next payload: the last one, as long as program, geometry, size
 * and kind of kernel are the same. */
static GstFlowReturn
ensure_program_plan (
    GstVyreFilter *self, const GstVyreSettings *settings, gsize size, GstVyreShared *shared)
{
  GError *error = NULL;

  if (same_plan (self, settings, size, shared->kernel))
    return GST_FLOW_OK;
  g_autoptr (VyreBoundProgram) bound = vyre_program_bind (settings->program, self->geometry.symbols,
      size, settings->slot_count, settings->observable_slots, &error);
  if (!bound)
    return gst_vyre_stream_fail (self, error);
  g_autoptr (VyreAccess) access = gst_vyre_access_get (self);
  VyrePlan *plan
      = vyre_plan_new (bound, size, vyre_megakernel_get_workgroup (shared->kernel), access, &error);
  if (!plan)
    return gst_vyre_stream_fail (self, error);
  return keep_plan (self, settings, size, shared->kernel, plan);
}

/* Waits until fewer than max-in-flight batches are on their way, and none has to
 * be run again: those must not find their memory taken. Then the next number is
 * the item's, and the kernel in use is @shared. Waking a thread costs more than a
 * batch, so one that had to wait does so until half of them are through. */
static GstFlowReturn
wait_for_turn (GstVyreFilter *self, const GstVyreSettings *settings, GstVyreItem *item,
    GstVyreShared **shared, gboolean *new_source)
{
  guint most = settings->max_in_flight - 1;

  vyre_mutex_lock (&self->lock);
  while (gst_vyre_stream_get_flow (self) == GST_FLOW_OK
         && (self->n_batches > most || self->n_undone > 0)) {
    most = self->wake_at = settings->max_in_flight / 2;
    gst_vyre_stream_sleep (self);
  }
  self->wake_at = G_MAXUINT;
  GstFlowReturn flow = gst_vyre_stream_get_flow (self);
  if (flow == GST_FLOW_OK) {
    if (item->sequence == 0 && ++self->sequence == 0)
      self->sequence = 1; /* 0 is that of no buffer */
    if (item->sequence == 0)
      item->sequence = self->sequence;
    *shared = gst_vyre_stream_choose_kernel (self, item);
    *new_source = self->source_is_new;
    self->source_is_new = FALSE;
  }
  g_mutex_unlock (&self->lock);
  return flow;
}

static void
read_timing (GstVyreFilter *self, GstBuffer *buffer, GstVyreTiming *timing)
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
follow_geometry (GstVyreFilter *self, GstBuffer *buffer)
{
  GError *error = NULL;
  gboolean changed;

  if (!gst_vyre_geometry_check (&self->geometry, buffer, &changed, &error))
    return gst_vyre_stream_fail (self, error);
  self->plan_stale |= changed;
  return GST_FLOW_OK;
}

/* The plan for the next slots: the last one if they are the same. They are copied
 * before they are looked at, lest they change after the check. */
static GstFlowReturn
ensure_slots_plan (GstVyreFilter *self, const GstVyreSettings *settings, const GstVyreItem *item,
    GstVyreShared *shared)
{
  gsize size = item->timing.size;
  g_autofree guint8 *slots = g_try_malloc (size);
  VyrePlan *plan = NULL;
  GError *error = NULL;

  if (!slots)
    return gst_vyre_stream_fail (self, gst_vyre_no_memory (size));
  if (!gst_vyre_staging_copy_bytes (self, item->buffer, slots, &error))
    return gst_vyre_stream_fail (self, error);
  if (same_plan (self, settings, size, shared->kernel)
      && memcmp (vyre_plan_get_bound_program (self->plan)->slots, slots, size) == 0)
    return GST_FLOW_OK;
  plan = gst_vyre_slots_plan (slots, size, settings->observable_slots,
      vyre_megakernel_get_workgroup (shared->kernel), &error);
  if (!plan)
    return gst_vyre_stream_fail (self, error);
  return keep_plan (self, settings, size, shared->kernel, plan);
}

/* Runs the item on the kernel in use. */
static GstFlowReturn
run_item (GstVyreFilter *self, const GstVyreSettings *settings, GstVyreItem *item)
{
  g_autoptr (GstVyreShared) shared = NULL;
  GError *error = NULL;

  gboolean is_new = FALSE;
  GstFlowReturn flow = wait_for_turn (self, settings, item, &shared, &is_new);
  gst_vyre_latency_note_taken (self, item);
  follow_source (self, is_new, FALSE);
  if (flow == GST_FLOW_OK)
    flow = settings->program ? ensure_program_plan (self, settings, item->timing.size, shared)
                             : ensure_slots_plan (self, settings, item, shared);
  if (flow != GST_FLOW_OK)
    return flow;
  g_clear_pointer (&item->plan, vyre_plan_unref);
  item->plan = vyre_plan_ref (self->plan);
  flow = gst_vyre_submit (self, shared, item, &error);
  return error ? gst_vyre_recovery_handle (self, shared, error) : flow;
}

/* Once more if the kernel was lost on the way. */
static GstFlowReturn
run_buffer (GstVyreFilter *self, const GstVyreSettings *settings, GstBuffer *buffer)
{
  GstFlowReturn flow = follow_geometry (self, buffer);

  if (flow != GST_FLOW_OK)
    return flow;
  GstVyreItem *item = g_new0 (GstVyreItem, 1);
  item->buffer = gst_buffer_ref (buffer);
  read_timing (self, buffer, &item->timing);
  for (;;) {
    flow = run_item (self, settings, item);
    if (flow == GST_FLOW_OK) {
      flow = gst_vyre_stream_push (self, item);
      if (flow != GST_VYRE_FLOW_AGAIN)
        return flow;
    } else if (flow != GST_VYRE_FLOW_AGAIN) {
      gst_vyre_item_free (item);
      return flow;
    }
  }
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);
  GstVyreSettings settings;

  if (self->refused_caps || !gst_vyre_state_check_own (self)) {
    gst_buffer_unref (buffer);
    return g_atomic_int_get (&self->inherited) ? GST_FLOW_ERROR : GST_FLOW_NOT_NEGOTIATED;
  }
  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, buffer);
  get_settings (self, &settings);
  GstFlowReturn flow = run_buffer (self, &settings, buffer);
  clear_settings (&settings);
  gst_buffer_unref (buffer);
  return flow;
}

/* A pad sends refused caps once more in front of whatever follows: the bus hears of them once. */
static gboolean
set_caps (GstVyreFilter *self, GstCaps *caps)
{
  GError *error = NULL;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, caps);
  self->plan_stale = TRUE;
  gst_vyre_latency_set_caps (self, caps);
  if (gst_vyre_geometry_set_caps (&self->geometry, caps, &error)) {
    gst_caps_replace (&self->refused_caps, NULL);
    return TRUE;
  }
  gboolean told = self->refused_caps && gst_caps_is_equal (self->refused_caps, caps);
  gst_caps_replace (&self->refused_caps, caps);
  if (told)
    g_error_free (error);
  else
    gst_vyre_stream_fail (self, error);
  return FALSE;
}

static gboolean
start_flush (GstVyreFilter *self, GstEvent *event)
{
  gst_vyre_stream_start_flush (self);
  gboolean done = gst_pad_push_event (self->srcpad, event);
  gst_vyre_stream_await_task (self);
  return done;
}

/* Whatever came of its FLUSH_START: that may have met inactive pads, or gone another way. */
static gboolean
stop_flush (GstVyreFilter *self, GstEvent *event)
{
  gst_vyre_stream_shut (self);
  gst_vyre_stream_await_task (self);
  gboolean done = gst_pad_push_event (self->srcpad, event);
  drop_early_events (self, TRUE);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  gst_vyre_stream_reopen (self, TRUE);
  return done;
}

/* A segment does not go out without caps, not even if nothing follows. */
static GstFlowReturn
pass_eos (GstVyreFilter *self, GstEvent *event)
{
  GstFlowReturn flow = announce (self);

  drop_early_events (self, FALSE);
  return flow == GST_VYRE_FLOW_AGAIN ? flow
                                     : gst_vyre_stream_push_eos (self, gst_event_ref (event));
}

static GstFlowReturn
pass_event (GstVyreFilter *self, GstEvent *event)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    return pass_eos (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_GAP)
    flow = announce (self);
  if (flow != GST_FLOW_OK)
    return flow;
  if (!is_early (self, event))
    return gst_vyre_stream_push_event (self, gst_event_ref (event));
  keep_early (self, gst_event_ref (event));
  return GST_FLOW_OK;
}

/* Sends an event in its turn, which it takes, to the source pad that there is then. */
static GstFlowReturn
send_event (GstVyreFilter *self, GstEvent *event)
{
  gboolean starts = GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START;
  GstFlowReturn flow;

  do {
    follow_source (self, gst_vyre_stream_meets_new_source (self), starts);
    flow = pass_event (self, event);
  } while (flow == GST_VYRE_FLOW_AGAIN);
  gst_event_unref (event);
  return flow;
}

static GstFlowReturn
flow_of (gboolean done)
{
  return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* Says why an event was not taken: a pad that sends it once more before a buffer answers that
 * buffer with it. */
static GstFlowReturn
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);
  GstFlowReturn flow;
  GstCaps *caps;

  if (g_atomic_int_get (&self->inherited)) { /* there is no task that would send it on */
    gst_event_unref (event);
    return GST_FLOW_FLUSHING;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return flow_of (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START
                        ? start_flush (self, event)
                        : gst_pad_push_event (self->srcpad, event));
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_STOP:
      return flow_of (stop_flush (self, event));
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      flow = set_caps (self, caps) ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
      gst_event_unref (event);
      return flow;
    case GST_EVENT_STREAM_START:
      gst_vyre_stream_restart (self);
      drop_early_events (self, FALSE); /* of a stream that had no buffer */
      break;
    case GST_EVENT_SEGMENT:
      gst_vyre_stream_restart (self);
      gst_event_copy_segment (event, &self->segment);
      break;
    default:
      break;
  }
  return send_event (self, event);
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);

  if (g_atomic_int_get (&self->inherited))
    return FALSE;
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_ALLOCATION:
      return gst_vyre_staging_propose (self, query);
    case GST_QUERY_CAPS:
    case GST_QUERY_ACCEPT_CAPS:
      return gst_pad_query_default (pad, parent, query);
    default:
      if (GST_QUERY_IS_SERIALIZED (query) && !gst_vyre_stream_drain (self))
        return FALSE;
      return gst_pad_query_default (pad, parent, query);
  }
}

/* Forgets the stream. Called with the stream lock. */
static void
sink_reset (GstVyreFilter *self)
{
  drop_early_events (self, FALSE);
  gst_vyre_geometry_clear (&self->geometry);
  gst_caps_replace (&self->refused_caps, NULL);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->position = 0;
  g_clear_pointer (&self->plan, vyre_plan_unref);
  g_clear_pointer (&self->plan_program, vyre_program_unref);
  gst_caps_replace (&self->out_caps, NULL);
  vyre_mutex_lock (&self->lock);
  self->sequence = 0;
  gst_vyre_latency_reset (self);
  g_mutex_unlock (&self->lock);
}

/* What an inactive pad leaves behind is ready for the next stream: by the time this function
 * is called with @active the pad lets buffers in already. */
static gboolean
sink_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active)
    return TRUE;
  gst_vyre_stream_shut (self);
  GST_PAD_STREAM_LOCK (pad); /* the chain function is out */
  sink_reset (self);
  gst_vyre_stream_reopen (self, FALSE);
  GST_PAD_STREAM_UNLOCK (pad);
  return TRUE;
}

void
gst_vyre_sink_pad_init (GstVyreFilter *self)
{
  gst_vyre_staging_init ();
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

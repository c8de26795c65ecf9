/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element messages of vyrefilter. The worker calls these functions, without a lock, except for
 * gst_vyre_messages_stats().
 */
#include "filter/gstvyremessages.h"

#include "library/gstvyrefields.h"
#include "library/gstvyrehead.h"
#include "library/gstvyretiming.h"
#include "filter/gstvyrecounters.h"
#include "filter/gstvyredescription.h"
#include "filter/gstvyreeventstates.h"
#include "filter/gstvyrelines.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* Messages, and fields that they have whatever the program */
typedef enum {
  MESSAGE_RESULTS,
  MESSAGE_COUNTERS,
  MESSAGE_DEBUG,
  MESSAGE_OFFSET,
  MESSAGE_PAYLOAD_BYTES,
  MESSAGE_PROCESSED_BYTES,
  MESSAGE_SEQUENCE,
  MESSAGE_COMPLETE,
  MESSAGE_LATE,
  MESSAGE_EVENT_STATES,
  MESSAGE_SLOT,
  MESSAGE_FORMAT,
  MESSAGE_ARG0,
  MESSAGE_ARG1,
  MESSAGE_LEFT_OUT,
  N_MESSAGE_NAMES
} MessageName;

static const gchar *const message_names[N_MESSAGE_NAMES] = {
  [MESSAGE_RESULTS] = "vyre-results",
  [MESSAGE_COUNTERS] = "vyre-counters",
  [MESSAGE_DEBUG] = "vyre-debug",
  [MESSAGE_OFFSET] = "offset",
  [MESSAGE_PAYLOAD_BYTES] = "payload-bytes",
  [MESSAGE_PROCESSED_BYTES] = "processed-bytes",
  [MESSAGE_SEQUENCE] = "sequence",
  [MESSAGE_COMPLETE] = "complete",
  [MESSAGE_LATE] = "late",
  [MESSAGE_EVENT_STATES] = GST_VYRE_EVENT_STATES,
  [MESSAGE_SLOT] = "slot",
  [MESSAGE_FORMAT] = "format",
  [MESSAGE_ARG0] = "arg0",
  [MESSAGE_ARG1] = "arg1",
  [MESSAGE_LEFT_OUT] = "left-out",
};
static GQuark message_quarks[N_MESSAGE_NAMES];

/* Before any element. */
void
gst_vyre_messages_init (void)
{
  for (guint i = 0; i < N_MESSAGE_NAMES; i++)
    message_quarks[i] = g_quark_from_static_string (message_names[i]);
  gst_vyre_timing_init ();
  gst_vyre_counters_init ();
}

static GstStructure *
messages_new (MessageName name)
{
  return gst_structure_new_id_empty (message_quarks[name]);
}

static void
messages_set (GstStructure *structure, MessageName name, guint64 value)
{
  gst_vyre_fields_set_number (structure, message_quarks[name], value);
}

void
gst_vyre_messages_set_timing (GstStructure *structure, const GstVyreTiming *timing)
{
  gst_vyre_timing_set (structure, &timing->segment, timing->pts, timing->duration);
}

static void
messages_post (GstVyreFilter *self, GstStructure *structure)
{
  gst_element_post_message (
      GST_ELEMENT_CAST (self), gst_message_new_element (GST_OBJECT_CAST (self), structure));
}

/* Describes the results, once for as long as the plan stays. */
static void
messages_describe_results (GstVyreFilter *self)
{
  if (!self->last.is_described)
    gst_vyre_description_update (&self->last.table, vyre_plan_get_bound_program (self->last.plan),
        vyre_plan_get_layout (self->last.plan), NULL);
  self->last.is_described = TRUE;
}

/* The worker. Returns the results of the last batch, as a message has them. */
GstStructure *
gst_vyre_messages_new_results (GstVyreFilter *self)
{
  GstStructure *structure = messages_new (MESSAGE_RESULTS);

  gst_vyre_messages_set_timing (structure, &self->last.timing);
  messages_set (structure, MESSAGE_OFFSET, self->last.timing.offset);
  messages_set (structure, MESSAGE_PAYLOAD_BYTES, self->last.timing.size);
  messages_set (structure, MESSAGE_PROCESSED_BYTES, self->last.completion.payload_bytes);
  messages_set (structure, MESSAGE_SEQUENCE, self->last.completion.tag);
  gst_vyre_fields_set_truth (structure, message_quarks[MESSAGE_COMPLETE], self->last.is_whole);
  if (self->last.timing.late)
    gst_vyre_fields_set_truth (structure, message_quarks[MESSAGE_LATE], TRUE);
  if (self->last.states)
    gst_vyre_fields_take (
        structure, message_quarks[MESSAGE_EVENT_STATES], gst_structure_copy (self->last.states));
  messages_describe_results (self);
  gst_vyre_table_add_results (self->last.table, (const guint32 *)self->last.words->data, structure);
  return structure;
}

/* Writes the results of a batch as a line, and posts them if they are due. */
static void
messages_report_results (GstVyreFilter *self, gboolean due)
{
  if (!due && !self->lines)
    return;
  GstStructure *structure = gst_vyre_messages_new_results (self);
  gst_vyre_lines_add (self, structure);
  self->last.posted = due;
  if (due)
    messages_post (self, structure);
  else
    gst_structure_free (structure);
}

/* Takes a reference to @plan, which may be NULL. */
static void
messages_set_plan (GstVyreFilter *self, VyrePlan *plan)
{
  if (self->last.plan == plan)
    return;
  g_clear_pointer (&self->last.plan, vyre_plan_unref);
  self->last.plan = plan ? vyre_plan_ref (plan) : NULL;
  self->last.is_described = FALSE;
  if (!plan)
    g_clear_pointer (&self->last.table, gst_vyre_table_unref);
}

/* Keeps the results of a batch: it may turn out to be the last one, which is always posted. */
static void
messages_keep_results (GstVyreFilter *self, VyrePlan *plan, const guint8 *readback,
    const VyreCompletion *completion, const GstVyreTiming *timing)
{
  const VyreBoundProgram *bound = vyre_plan_get_bound_program (plan);

  messages_set_plan (self, plan);
  self->last.timing = *timing;
  self->last.completion = *completion;
  self->last.is_whole = gst_vyre_stats_are_whole (plan, readback, completion);
  self->last.posted = FALSE;
  g_clear_pointer (&self->last.states, gst_structure_free);
  self->last.states = gst_vyre_event_states_new (&self->events);
  g_array_set_size (self->last.words, 0);
  G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN); /* of the device, too: docs/abi.md */
  for (guint i = 0; i < bound->n_results; i++) {
    const VyreResult *result = &bound->results[i];
    gsize word = VYRE_CONTROL_OBSERVABLES + result->observable;
    g_array_append_vals (self->last.words, readback + 4 * word, result->n_words);
  }
}

/* Returns the name of the element in front, or NULL. */
static gchar *
messages_name_upstream (GstVyreFilter *self)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (self->sinkpad);
  g_autoptr (GstObject) parent = peer ? gst_pad_get_parent (peer) : NULL;

  return parent ? gst_object_get_name (parent) : NULL;
}

/* The lock is held. Adds what is counted of each event, once there is one. */
static void
messages_describe_events (const GstVyreFilter *self, GstStructure *structure)
{
  if (!self->event_counts)
    return;
  gst_structure_set (structure, "event-counts", GST_TYPE_STRUCTURE, self->event_counts,
      "event-times", GST_TYPE_STRUCTURE, self->event_times, NULL);
  if (self->event_values)
    gst_structure_set (structure, "event-values", GST_TYPE_STRUCTURE, self->event_values, NULL);
}

static void
messages_describe (GstVyreFilter *self, gboolean exact, GstStructure *structure)
{
  g_autoptr (GstVyreShared) shared = gst_vyre_state_get_shared (self);
  g_autofree gchar *upstream = messages_name_upstream (self);
  GstVyreReport report = { .shared = shared, .upstream = upstream, .asker = self, .exact = exact };

  GST_OBJECT_LOCK (self);
  report.max_in_flight = self->settings.max_in_flight;
  GST_OBJECT_UNLOCK (self);
  vyre_mutex_lock (&self->lock);
  report.stats = self->stats;
  report.queue_depth = self->n_batches + self->n_late;
  messages_describe_events (self, structure);
  g_autoptr (VyreTenant) tenant = self->tenant ? vyre_tenant_ref (self->tenant) : NULL;
  g_mutex_unlock (&self->lock);
  report.tenant_of = tenant;
  gst_vyre_counters_describe (&report, structure);
}

static void
messages_post_counters (GstVyreFilter *self, gboolean exact)
{
  GstStructure *structure = messages_new (MESSAGE_COUNTERS);

  messages_describe (self, exact, structure);
  messages_post (self, structure);
}

/* TRUE at once the first time, then every @interval ns of real time. */
static gboolean
messages_is_due (gint64 *due, guint64 interval)
{
  gint64 now = g_get_monotonic_time ();

  if (now < *due)
    return FALSE;
  *due = now + (gint64)MIN (interval / 1000, G_MAXINT64 / 2);
  return TRUE;
}

static void
messages_post_record (GstVyreFilter *self, const VyreDebugRecord *record,
    const VyreCompletion *completion, const GstVyreTiming *timing)
{
  GstStructure *structure = messages_new (MESSAGE_DEBUG);

  gst_vyre_messages_set_timing (structure, timing);
  messages_set (structure, MESSAGE_SEQUENCE, completion->tag);
  messages_set (structure, MESSAGE_SLOT, record->words[3] / VYRE_SLOT_WORDS);
  messages_set (structure, MESSAGE_FORMAT, record->words[0]);
  messages_set (structure, MESSAGE_ARG0, record->words[1]);
  messages_set (structure, MESSAGE_ARG1, record->words[2]);
  messages_set (structure, MESSAGE_LEFT_OUT, self->debug_left_out);
  self->debug_left_out = 0;
  messages_post (self, structure);
}

static void
messages_leave_out (GstVyreFilter *self, guint n)
{
  self->debug_left_out += n;
  vyre_mutex_lock (&self->lock);
  self->stats.debug_left_out += n;
  g_mutex_unlock (&self->lock);
}

/* Posts the records of a batch that has some, if the interval since the last ones is over. */
static void
messages_post_debug (GstVyreFilter *self, const GstVyreSettings *settings, VyrePlan *plan,
    const guint8 *readback, const VyreCompletion *completion, const GstVyreTiming *timing)
{
  const VyreLayout *layout = vyre_plan_get_layout (plan);
  VyreDebugRecord records[VYRE_DEBUG_RECORDS];
  g_autoptr (GError) error = NULL;
  guint n;

  if (!vyre_read_debug_log (readback + layout->offset[VYRE_PART_DEBUG_LOG],
          layout->size[VYRE_PART_DEBUG_LOG], records, G_N_ELEMENTS (records), &n, &error)) {
    gst_vyre_state_post_error (self, error);
    return;
  }
  if (n == 0)
    return;
  if (!messages_is_due (&self->debug_due, settings->debug_interval)) {
    messages_leave_out (self, n);
    return;
  }
  for (guint i = 0; i < n; i++)
    messages_post_record (self, &records[i], completion, timing);
}

/* Takes @program over, and returns it unless a result has the name of a message's field. For NULL
 * it returns NULL and leaves @error alone. */
VyreProgram *
gst_vyre_messages_accept (VyreProgram *program, GError **error)
{
  if (!program
      || vyre_program_check_results (
          program, gst_vyre_results_list_reserved (), "a field of the result message", error))
    return program;
  vyre_program_unref (program);
  return NULL;
}

/* Forgets the results that were not posted. */
void
gst_vyre_messages_flush (GstVyreFilter *self)
{
  messages_set_plan (self, NULL);
  g_clear_pointer (&self->last.states, gst_structure_free);
  g_array_set_size (self->last.words, 0);
  self->last.posted = TRUE;
}

/* Forgets the stream. */
void
gst_vyre_messages_reset (GstVyreFilter *self)
{
  gst_vyre_state_clear_settings (&self->out_settings);
  gst_vyre_messages_flush (self);
  self->results_due = 0;
  self->debug_due = 0;
  self->debug_left_out = 0;
  self->counters_due = 0;
}

/* TRUE if an interval ends with this batch. The first interval starts with the first batch. */
gboolean
gst_vyre_messages_are_counters_due (GstVyreFilter *self, const GstVyreSettings *settings)
{
  gboolean first = self->counters_due == 0;

  return messages_is_due (&self->counters_due, settings->interval) && !first;
}

/* Posts the messages that are due with a completed batch. */
void
gst_vyre_messages_batch (GstVyreFilter *self, const GstVyreSettings *settings, VyrePlan *plan,
    const guint8 *readback, const VyreCompletion *completion, const GstVyreTiming *timing,
    gboolean counters_due)
{
  messages_keep_results (self, plan, readback, completion, timing);
  messages_report_results (
      self, (settings->post_messages & GST_VYRE_POST_RESULTS)
                && messages_is_due (&self->results_due, settings->results_interval));
  if (settings->post_messages & GST_VYRE_POST_DEBUG)
    messages_post_debug (self, settings, plan, readback, completion, timing);
  if (counters_due && (settings->post_messages & GST_VYRE_POST_COUNTERS))
    messages_post_counters (self, FALSE);
}

/* Posts the last results if they were not due, and the counters. The settings are those of now. */
void
gst_vyre_messages_eos (GstVyreFilter *self)
{
  const GstVyreSettings *settings = &self->out_settings;

  if ((settings->post_messages & GST_VYRE_POST_RESULTS) && self->last.plan && !self->last.posted) {
    messages_post (self, gst_vyre_messages_new_results (self));
    self->last.posted = TRUE;
  }
  if (settings->post_messages & GST_VYRE_POST_COUNTERS)
    messages_post_counters (self, TRUE);
}

/* Returns the counters: from any thread, in any state. With @exact, as the property `stats` has
 * them, the kernel counts all of its lanes. */
GstStructure *
gst_vyre_messages_stats (GstVyreFilter *self, gboolean exact)
{
  GstStructure *structure = gst_structure_new_empty ("application/x-vyrefilter-stats");

  messages_describe (self, exact, structure);
  return structure;
}

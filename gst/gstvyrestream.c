/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stream through vyrefilter. The sink pad's thread stages payloads and
 * publishes batches; the source pad's task waits for them and pushes readbacks.
 * Between them lies one queue that also carries the serialized events, so that
 * everything leaves in the order it came.
 */
#include "gstvyrefilter.h"

#include "gstvyrememory.h"
#include "gstvyremeta.h"

#define GST_CAT_DEFAULT gst_vyre_debug
GST_DEBUG_CATEGORY_STATIC (cat_performance);

/* A wait for the device or for memory is cut into slices of this length, after
 * each of which a flush or a state change is noticed. */
#define WAIT_SLICE (20 * G_TIME_SPAN_MILLISECOND)

/* A kernel that takes no ticket for this long is not going to. */
#define BATCH_DEADLINE (30 * G_TIME_SPAN_SECOND)

/* With nothing in flight, how long upstream may hold all of the staging memory. */
#define STAGING_DEADLINE (5 * G_TIME_SPAN_SECOND)

typedef struct {
  GstEvent *event; /* or else a batch: */
  VyreBatch *batch;
  VyrePlan *plan;
  GstVyreTiming timing;
} GstVyreItem;

static void
item_free (GstVyreItem *item)
{
  if (item->event)
    gst_event_unref (item->event);
  if (item->batch)
    vyre_batch_free (item->batch);
  if (item->plan)
    vyre_plan_unref (item->plan);
  g_free (item);
}

static gboolean
is_flushing (GstVyreFilter *self)
{
  g_mutex_lock (&self->lock);
  gboolean flushing = self->flushing;
  g_mutex_unlock (&self->lock);
  return flushing;
}

/* Queues an item, unless the stream has ended or failed. */
static GstFlowReturn
push_item (GstVyreFilter *self, GstVyreItem *item)
{
  g_mutex_lock (&self->lock);
  GstFlowReturn flow = self->flushing ? GST_FLOW_FLUSHING : self->flow;
  if (flow == GST_FLOW_OK) {
    self->n_batches += item->batch != NULL;
    g_queue_push_tail (&self->items, item);
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_OK)
    item_free (item);
  return flow;
}

static GstFlowReturn
push_event_item (GstVyreFilter *self, GstEvent *event)
{
  GstVyreItem *item = g_new0 (GstVyreItem, 1);

  item->event = event;
  return push_item (self, item);
}

/* Drops what is queued. Batches that run are finished by the kernel, unseen. */
static void
drop_items (GstVyreFilter *self)
{
  GstVyreItem *item;

  g_mutex_lock (&self->lock);
  GQueue dropped = self->items;
  g_queue_init (&self->items);
  self->n_batches = 0;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  guint n = 0;
  while ((item = g_queue_pop_head (&dropped))) {
    n += item->batch != NULL;
    item_free (item);
  }
  g_mutex_lock (&self->lock);
  self->stats.flushed += n;
  g_mutex_unlock (&self->lock);
}

/* ---- sink pad ---------------------------------------------------------- */

static GstFlowReturn
fail (GstVyreFilter *self, GError *error)
{
  gst_vyre_filter_post_error (self, error);
  g_error_free (error);
  return GST_FLOW_ERROR;
}

static gboolean
same_plan (const GstVyreFilter *self, const GstVyreSettings *settings, gsize size)
{
  return self->plan && !self->plan_stale && self->plan_program == settings->program
      && self->plan_size == size && self->plan_slots == settings->slot_count
      && self->plan_observables == settings->observable_slots;
}

static GstFlowReturn
push_early_events (GstVyreFilter *self)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstEvent *event;

  while ((event = g_queue_pop_head (&self->early))) {
    if (flow == GST_FLOW_OK)
      flow = push_event_item (self, event);
    else
      gst_event_unref (event);
  }
  return flow;
}

/* The output caps are known with the first buffer, and come before the segment:
 * from the segment on, events wait for them. */
static gboolean
is_early (GstVyreFilter *self, GstEvent *event)
{
  if (self->out_caps || GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    return FALSE;
  return GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT || !g_queue_is_empty (&self->early);
}

/* Output caps follow the layout of the readbacks and the program. */
static GstFlowReturn
update_caps (GstVyreFilter *self, const GstVyreSettings *settings, const VyreImage *image)
{
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("application/x-vyre-readback", "abi", G_TYPE_INT,
      VYRE_ABI_VERSION, "slot-count", G_TYPE_INT, (gint) image->n_slots, "observable-slots",
      G_TYPE_INT, (gint) image->n_observables, "program", G_TYPE_STRING,
      vyre_program_get_id (settings->program), NULL);

  if (self->out_caps && gst_caps_is_equal (caps, self->out_caps))
    return GST_FLOW_OK;
  gst_caps_replace (&self->out_caps, caps);
  GstFlowReturn flow = push_event_item (self, gst_event_new_caps (caps));
  return flow == GST_FLOW_OK ? push_early_events (self) : flow;
}

/* The plan for the next buffer: the last one, as long as program, geometry and
 * size are the same. */
static GstFlowReturn
ensure_plan (GstVyreFilter *self, const GstVyreSettings *settings, gsize size)
{
  GError *error = NULL;

  if (same_plan (self, settings, size))
    return GST_FLOW_OK;
  g_autoptr (VyreImage) image = vyre_program_bind (settings->program, self->geometry.bindings, size,
      settings->slot_count, settings->observable_slots, &error);
  if (!image)
    return fail (self, error);
  VyrePlan *plan
      = vyre_plan_new (image, size, vyre_megakernel_get_workgroup (self->kernel), &error);
  if (!plan)
    return fail (self, error);
  g_clear_pointer (&self->plan, vyre_plan_unref);
  g_clear_pointer (&self->plan_program, vyre_program_unref);
  self->plan = plan;
  self->plan_program = vyre_program_ref (settings->program);
  self->plan_size = size;
  self->plan_slots = settings->slot_count;
  self->plan_observables = settings->observable_slots;
  self->plan_stale = FALSE;
  return update_caps (self, settings, image);
}

/* A staging slice of our own, with what it takes to give it back. */
typedef struct {
  VyreStore *store;
  gsize offset;
} Slice;

static void
slice_free (gpointer data)
{
  Slice *slice = data;

  vyre_store_free (slice->store, slice->offset);
  vyre_store_unref (slice->store);
  g_free (slice);
}

static void
buffer_release (gpointer data)
{
  gst_buffer_unref (data);
}

/* First way: the payload was written into the staging store by upstream. */
static gboolean
stage_in_place (GstVyreFilter *self, GstBuffer *buffer, VyrePayload *staged)
{
  VyreStore *store = vyre_megakernel_get_staging (self->kernel);

  if (gst_buffer_n_memory (buffer) != 1
      || !gst_vyre_memory_find (gst_buffer_peek_memory (buffer, 0), store, &staged->offset)
      || staged->offset % VYRE_GRANULE != 0)
    return FALSE;
  staged->release = buffer_release;
  staged->owner = gst_buffer_ref (buffer);
  g_mutex_lock (&self->lock);
  self->stats.arena_bytes += gst_buffer_get_size (buffer);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static GstFlowReturn
alloc_slice (GstVyreFilter *self, gsize size, gsize *offset)
{
  VyreStore *store = vyre_megakernel_get_staging (self->kernel);
  gint64 deadline = 0;

  if (size > vyre_store_get_size (store))
    return fail (self,
        g_error_new (VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
            "A buffer of %" G_GSIZE_FORMAT " bytes does not fit the %" G_GSIZE_FORMAT
            " bytes of staging memory. Fix: set staging-size=%" G_GSIZE_FORMAT
            " or more (the device takes up to %" G_GSIZE_FORMAT "), or send smaller buffers.",
            size, vyre_store_get_size (store), size,
            vyre_device_get_max_payload (vyre_megakernel_get_device (self->kernel))));
  while (!vyre_store_alloc (store, size, g_get_monotonic_time () + WAIT_SLICE, offset)) {
    VyreMegakernelCounters counters;
    if (is_flushing (self))
      return GST_FLOW_FLUSHING;
    vyre_megakernel_get_counters (self->kernel, &counters);
    gint64 now = g_get_monotonic_time ();
    if (counters.in_flight > 0 || deadline == 0)
      deadline = now + STAGING_DEADLINE;
    if (now > deadline)
      return fail (self,
          g_error_new (VYRE_ERROR, VYRE_ERROR_NO_SPACE,
              "No %" G_GSIZE_FORMAT " bytes of staging memory became free in 5 s. Fix: raise "
              "staging-size; elements in front hold too much of it.",
              size));
  }
  return GST_FLOW_OK;
}

/* Last way: the CPU copies the payload in. */
static GstFlowReturn
stage_copy (GstVyreFilter *self, GstBuffer *buffer, VyrePayload *staged)
{
  VyreStore *store = vyre_megakernel_get_staging (self->kernel);
  gsize size = gst_buffer_get_size (buffer);

  GstFlowReturn flow = alloc_slice (self, MAX (size, 1), &staged->offset);
  if (flow != GST_FLOW_OK)
    return flow;
  Slice *slice = g_new (Slice, 1);
  *slice = (Slice) { .store = vyre_store_ref (store), .offset = staged->offset };
  staged->release = slice_free;
  staged->owner = slice;
  gsize copied = gst_buffer_extract (buffer, 0, vyre_store_get_data (store) + staged->offset, size);
  if (copied < size) {
    slice_free (slice);
    return fail (self,
        g_error_new (VYRE_ERROR, VYRE_ERROR_INVALID,
            "Only %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes of a buffer could be read. Fix: "
            "put an element in front that maps its memory for the CPU.",
            copied, size));
  }
  GST_CAT_LOG_OBJECT (cat_performance, self, "copied %" G_GSIZE_FORMAT " bytes into staging", size);
  g_mutex_lock (&self->lock);
  self->stats.bounce_bytes += size;
  g_mutex_unlock (&self->lock);
  return GST_FLOW_OK;
}

/* Waits until fewer than max-in-flight batches are on their way. */
static GstFlowReturn
wait_for_turn (GstVyreFilter *self, const GstVyreSettings *settings)
{
  g_mutex_lock (&self->lock);
  while (!self->flushing && self->flow == GST_FLOW_OK && self->n_batches >= settings->max_in_flight)
    g_cond_wait (&self->changed, &self->lock);
  GstFlowReturn flow = self->flushing ? GST_FLOW_FLUSHING : self->flow;
  g_mutex_unlock (&self->lock);
  return flow;
}

static GstFlowReturn
publish (GstVyreFilter *self, const VyrePayload *staged, VyreBatch **batch)
{
  for (;;) {
    GError *error = NULL;
    *batch = vyre_megakernel_publish (self->kernel, self->plan, self->sequence, staged,
        g_get_monotonic_time () + WAIT_SLICE, &error);
    if (*batch)
      return GST_FLOW_OK;
    if (!g_error_matches (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT) || is_flushing (self)) {
      staged->release (staged->owner);
      if (is_flushing (self)) {
        g_error_free (error);
        return GST_FLOW_FLUSHING;
      }
      return fail (self, error);
    }
    g_error_free (error);
  }
}

static void
read_timing (GstVyreFilter *self, GstBuffer *buffer, GstVyreTiming *timing)
{
  *timing = (GstVyreTiming) {
    .pts = GST_BUFFER_PTS (buffer),
    .dts = GST_BUFFER_DTS (buffer),
    .duration = GST_BUFFER_DURATION (buffer),
    .offset = GST_BUFFER_OFFSET (buffer),
    .offset_end = GST_BUFFER_OFFSET_END (buffer),
    .flags = GST_BUFFER_FLAGS (buffer),
    .size = gst_buffer_get_size (buffer),
    .segment = self->segment,
  };
}

static GstFlowReturn
follow_geometry (GstVyreFilter *self, GstBuffer *buffer)
{
  GError *error = NULL;
  gboolean changed;

  if (!gst_vyre_geometry_check (&self->geometry, buffer, &changed, &error))
    return fail (self, error);
  self->plan_stale |= changed;
  return GST_FLOW_OK;
}

/* What a live pipeline has to wait for us depends on how long a buffer is: the
 * longest so far, in whole milliseconds, since durations vary by rounding. */
static void
note_duration (GstVyreFilter *self, GstClockTime duration)
{
  if (!GST_CLOCK_TIME_IS_VALID (duration))
    return;
  duration = (duration + GST_MSECOND - 1) / GST_MSECOND * GST_MSECOND;
  g_mutex_lock (&self->lock);
  gboolean longer = duration > self->buffer_duration;
  if (longer)
    self->buffer_duration = duration;
  g_mutex_unlock (&self->lock);
  if (longer)
    gst_element_post_message (
        GST_ELEMENT_CAST (self), gst_message_new_latency (GST_OBJECT_CAST (self)));
}

static GstFlowReturn
run_buffer (GstVyreFilter *self, const GstVyreSettings *settings, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);
  VyrePayload staged;
  VyreBatch *batch;

  GstFlowReturn flow = follow_geometry (self, buffer);
  if (flow == GST_FLOW_OK)
    flow = ensure_plan (self, settings, size);
  if (flow == GST_FLOW_OK)
    flow = wait_for_turn (self, settings);
  if (flow == GST_FLOW_OK && !stage_in_place (self, buffer, &staged))
    flow = stage_copy (self, buffer, &staged);
  if (flow == GST_FLOW_OK) {
    self->sequence++;
    flow = publish (self, &staged, &batch);
  }
  if (flow != GST_FLOW_OK)
    return flow;
  GstVyreItem *item = g_new0 (GstVyreItem, 1);
  item->batch = batch;
  item->plan = vyre_plan_ref (self->plan);
  read_timing (self, buffer, &item->timing);
  g_mutex_lock (&self->lock);
  self->stats.buffers++;
  self->stats.payload_bytes += size;
  g_mutex_unlock (&self->lock);
  return push_item (self, item);
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVyreFilter *self = GST_VYRE_FILTER (parent);
  GstVyreSettings settings;

  if (self->caps_failed) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, buffer);
  note_duration (self, GST_BUFFER_DURATION (buffer));
  gst_vyre_filter_get_settings (self, &settings);
  GstFlowReturn flow = run_buffer (self, &settings, buffer);
  vyre_program_unref (settings.program);
  gst_buffer_unref (buffer);
  return flow;
}

static gboolean
set_caps (GstVyreFilter *self, GstCaps *caps)
{
  GError *error = NULL;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, caps);
  self->plan_stale = TRUE;
  self->caps_failed = !gst_vyre_geometry_set_caps (&self->geometry, caps, &error);
  if (self->caps_failed)
    fail (self, error);
  return !self->caps_failed;
}

static void
start_flush (GstVyreFilter *self)
{
  g_mutex_lock (&self->lock);
  self->flushing = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  gst_pad_pause_task (self->srcpad); /* waits for the task, which sees `flushing` soon */
}

static void source_loop (gpointer data);

static void
stop_flush (GstVyreFilter *self)
{
  drop_items (self);
  g_mutex_lock (&self->lock);
  self->flushing = FALSE;
  self->eos = FALSE;
  self->flow = GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  g_queue_clear_full (&self->early, (GDestroyNotify) gst_event_unref);
  if (GST_PAD_MODE (self->srcpad) == GST_PAD_MODE_PUSH)
    gst_pad_start_task (self->srcpad, source_loop, self->srcpad, NULL);
}

/* A new stream or segment after EOS takes the EOS back. */
static void
restart_after_eos (GstVyreFilter *self)
{
  g_mutex_lock (&self->lock);
  while (self->eos && !self->flushing && self->flow == GST_FLOW_OK)
    g_cond_wait (&self->changed, &self->lock); /* until the task has come to the EOS */
  gboolean restart = self->eos && !self->flushing && self->flow == GST_FLOW_EOS;
  self->eos = FALSE;
  if (restart)
    self->flow = GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  if (restart)
    gst_pad_start_task (self->srcpad, source_loop, self->srcpad, NULL);
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVyreFilter *self = GST_VYRE_FILTER (parent);
  GstCaps *caps;
  gboolean done;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      done = gst_pad_push_event (self->srcpad, event);
      start_flush (self);
      return done;
    case GST_EVENT_FLUSH_STOP:
      done = gst_pad_push_event (self->srcpad, event);
      stop_flush (self);
      return done;
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      done = set_caps (self, caps);
      gst_event_unref (event);
      return done;
    case GST_EVENT_STREAM_START:
      restart_after_eos (self);
      break;
    case GST_EVENT_SEGMENT:
      restart_after_eos (self);
      gst_event_copy_segment (event, &self->segment);
      break;
    case GST_EVENT_EOS:
      g_mutex_lock (&self->lock);
      self->eos = TRUE;
      g_mutex_unlock (&self->lock);
      break;
    default:
      break;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_push_event (self->srcpad, event);
  if (is_early (self, event)) {
    g_queue_push_tail (&self->early, event);
    return TRUE;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    push_early_events (self);
  return push_event_item (self, event) == GST_FLOW_OK;
}

/* Waits until everything that was queued has left. */
static gboolean
wait_until_drained (GstVyreFilter *self)
{
  g_mutex_lock (&self->lock);
  while (!self->flushing && self->flow == GST_FLOW_OK
      && (self->n_batches > 0 || !g_queue_is_empty (&self->items)))
    g_cond_wait (&self->changed, &self->lock);
  gboolean drained = !self->flushing && self->flow == GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  return drained;
}

/* Answered with or without caps: filesrc and others ask without and then write
 * straight into what is proposed. */
static gboolean
propose_allocation (GstVyreFilter *self, GstQuery *query)
{
  GstAllocationParams params;

  gst_allocation_params_init (&params);
  params.align = 4095;
  params.padding = VYRE_GRANULE - 1;
  if (self->upstream_allocator)
    gst_query_add_allocation_param (query, self->upstream_allocator, &params);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVyreFilter *self = GST_VYRE_FILTER (parent);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_ALLOCATION:
      return propose_allocation (self, query);
    case GST_QUERY_CAPS:
    case GST_QUERY_ACCEPT_CAPS:
      return gst_pad_query_default (pad, parent, query);
    default:
      if (GST_QUERY_IS_SERIALIZED (query) && !wait_until_drained (self))
        return FALSE;
      return gst_pad_query_default (pad, parent, query);
  }
}

/* ---- source pad -------------------------------------------------------- */

/* Waits for the batch; FALSE when flushing (no error) or when it failed. */
static gboolean
wait_for_batch (GstVyreFilter *self, VyreBatch *batch, GError **error)
{
  gint64 deadline = 0;
  guint64 tickets = 0;

  for (;;) {
    gint64 now = g_get_monotonic_time ();
    VyreMegakernelCounters counters;
    GError *reason = NULL;
    if (vyre_batch_wait (batch, now + WAIT_SLICE, &reason))
      return TRUE;
    if (!g_error_matches (reason, VYRE_ERROR, VYRE_ERROR_TIMEOUT)) {
      g_propagate_error (error, reason);
      return FALSE;
    }
    g_error_free (reason);
    if (is_flushing (self))
      return FALSE;
    vyre_megakernel_get_counters (self->kernel, &counters);
    if (deadline == 0 || counters.tickets != tickets)
      deadline = now + BATCH_DEADLINE;
    tickets = counters.tickets;
    if (now > deadline) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
          "The kernel has made no progress for 30 s. Fix: send smaller buffers, or set "
          "residency=dispatch.");
      return FALSE;
    }
  }
}

/* The readback as it goes downstream. While the store has room its slice is
 * lent out; beyond half of it a copy goes instead, so that a sink that keeps
 * buffers can never leave the next batch without a slice. */
static GstBuffer *
make_buffer (GstVyreFilter *self, GstVyreItem *item)
{
  VyreStore *store = vyre_megakernel_get_readbacks (self->kernel);
  const VyreLayout *layout = vyre_plan_get_layout (item->plan);
  GstBuffer *buffer = gst_buffer_new ();
  GstMemory *whole;

  if (vyre_store_get_used (store) <= vyre_store_get_size (store) / 2) {
    gsize slice = vyre_batch_steal_readback (item->batch);
    whole = gst_vyre_allocator_wrap (self->readback_allocator, slice, layout->total);
  } else {
    GstMapInfo map;
    whole = gst_allocator_alloc (NULL, layout->total, NULL);
    gst_memory_map (whole, &map, GST_MAP_WRITE);
    memcpy (map.data, vyre_batch_get_readback (item->batch), layout->total);
    gst_memory_unmap (whole, &map);
    g_mutex_lock (&self->lock);
    self->stats.readback_copies++;
    g_mutex_unlock (&self->lock);
    GST_CAT_LOG_OBJECT (cat_performance, self, "copied a readback out");
  }
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    gst_buffer_append_memory (buffer,
        gst_memory_share (whole, (gssize) layout->offset[part], (gssize) layout->size[part]));
  gst_memory_unref (whole);
  gst_buffer_add_vyre_readback_meta (buffer, layout);
  return buffer;
}

static void
stamp_buffer (GstBuffer *buffer, const GstVyreTiming *timing)
{
  GST_BUFFER_PTS (buffer) = timing->pts;
  GST_BUFFER_DTS (buffer) = timing->dts;
  GST_BUFFER_DURATION (buffer) = timing->duration;
  GST_BUFFER_OFFSET (buffer) = timing->offset;
  GST_BUFFER_OFFSET_END (buffer) = timing->offset_end;
  GST_BUFFER_FLAG_SET (buffer,
      timing->flags
          & (GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_LIVE
              | GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_GAP
              | GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_DROPPABLE));
}

static void
count_batch (GstVyreFilter *self, GstVyreItem *item, const guint8 *readback)
{
  const VyreLayout *layout = vyre_plan_get_layout (item->plan);
  const VyreCompletion *completion = vyre_batch_get_completion (item->batch);

  g_mutex_lock (&self->lock);
  GstVyreStats *stats = &self->stats;
  stats->batches++;
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    stats->part_bytes[part] += layout->size[part];
  stats->done_count += vyre_read_word (readback, VYRE_CONTROL_DONE_COUNT);
  stats->epoch += vyre_read_word (readback, VYRE_CONTROL_EPOCH);
  for (guint i = 0; i < VYRE_CONTROL_METRICS_COUNT; i++)
    stats->metrics[i] += vyre_read_word (readback, VYRE_CONTROL_METRICS + i);
  stats->faults += completion->faults;
  stats->dropped_records += completion->dropped_records;
  stats->region_bytes += completion->payload_bytes;
  gst_vyre_stats_add_latency (stats, completion->latency);
  g_mutex_unlock (&self->lock);
}

static gint
first_fault (const VyrePlan *plan, const guint8 *readback)
{
  const VyreImage *image = vyre_plan_get_image (plan);
  const guint8 *ring = readback + vyre_plan_get_layout (plan)->offset[VYRE_PART_RING];

  for (guint slot = 0; slot < image->n_slots; slot++) {
    if (vyre_read_word (ring, slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS) == VYRE_STATUS_FAULT)
      return (gint) slot;
  }
  return -1;
}

/* A faulted slot is visible in its readback; the bus hears of the first. */
static void
warn_of_fault (GstVyreFilter *self, GstVyreItem *item, const guint8 *readback)
{
  gint slot = first_fault (item->plan, readback);

  if (slot < 0 || self->warned_of_fault)
    return;
  self->warned_of_fault = TRUE;
  g_autofree char *text = vyre_disassemble (
      vyre_plan_get_image (item->plan)->slots + (gsize) slot * VYRE_SLOT_WORDS, 1);
  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      ("Slot %d of the program faulted and had no effect. Fix: keep regions inside the payload and "
       "word indices inside the control buffer; see the ring in the readback.",
          slot),
      ("%s", g_strstrip (text)));
}

/* The kernel counts the bytes it read. When every slot ran, they must be the
 * bytes the plan has: anything else is a result that cannot be trusted. */
static gboolean
check_completion (GstVyreItem *item, const guint8 *readback, GError **error)
{
  const VyreCompletion *completion = vyre_batch_get_completion (item->batch);
  const VyreImage *image = vyre_plan_get_image (item->plan);
  guint64 planned = vyre_plan_get_region_bytes (item->plan);

  if (!vyre_readback_validate (vyre_plan_get_layout (item->plan), image->n_slots, error))
    return FALSE;
  if (completion->faults > 0
      || vyre_read_word (readback, VYRE_CONTROL_DONE_COUNT) != image->n_used
      || completion->payload_bytes == planned)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
      "The kernel processed %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
      " bytes of a batch. Fix: set residency=dispatch, and report the driver.",
      completion->payload_bytes, planned);
  return FALSE;
}

static GstFlowReturn
push_batch (GstVyreFilter *self, GstVyreItem *item)
{
  GError *error = NULL;
  GstVyreSettings settings;

  if (!wait_for_batch (self, item->batch, &error))
    return error ? fail (self, error) : GST_FLOW_FLUSHING;
  const guint8 *readback = vyre_batch_get_readback (item->batch);
  if (!check_completion (item, readback, &error))
    return fail (self, error);
  count_batch (self, item, readback);
  if (vyre_batch_get_completion (item->batch)->faults > 0)
    warn_of_fault (self, item, readback);
  gst_vyre_filter_get_settings (self, &settings);
  gst_vyre_messages_batch (self, &settings, item->plan, readback,
      vyre_batch_get_completion (item->batch), &item->timing);
  vyre_program_unref (settings.program);
  GstBuffer *buffer = make_buffer (self, item);
  stamp_buffer (buffer, &item->timing);
  return gst_pad_push (self->srcpad, buffer);
}

static GstFlowReturn
push_item_event (GstVyreFilter *self, GstVyreItem *item)
{
  GstEvent *event = g_steal_pointer (&item->event);
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  if (eos)
    gst_vyre_messages_eos (self);
  gst_pad_push_event (self->srcpad, event);
  return eos ? GST_FLOW_EOS : GST_FLOW_OK;
}

/* Ends the task. Upstream learns of it by its next buffer; when there will be
 * none, because EOS is queued already, the bus has to hear it from us. */
static void
end_task (GstVyreFilter *self, GstFlowReturn flow, gboolean was_eos)
{
  g_mutex_lock (&self->lock);
  if (!self->flushing)
    self->flow = flow;
  gboolean eos = self->eos;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  GST_DEBUG_OBJECT (self, "pausing: %s", gst_flow_get_name (flow));
  gst_pad_pause_task (self->srcpad);
  if (was_eos || flow == GST_FLOW_FLUSHING || !eos)
    return;
  if (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS)
    GST_ELEMENT_FLOW_ERROR (self, flow);
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
}

static void
source_loop (gpointer data)
{
  GstVyreFilter *self = GST_VYRE_FILTER (GST_PAD_PARENT (GST_PAD (data)));
  GstFlowReturn flow = GST_FLOW_OK;

  g_mutex_lock (&self->lock);
  while (!self->flushing && g_queue_is_empty (&self->items))
    g_cond_wait (&self->changed, &self->lock);
  GstVyreItem *item = self->flushing ? NULL : g_queue_pop_head (&self->items);
  g_mutex_unlock (&self->lock);
  if (!item) {
    end_task (self, GST_FLOW_FLUSHING, FALSE);
    return;
  }
  gboolean is_event = item->event != NULL;
  flow = is_event ? push_item_event (self, item) : push_batch (self, item);
  item_free (item);
  g_mutex_lock (&self->lock);
  if (!is_event && self->n_batches > 0)
    self->n_batches--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_OK)
    end_task (self, flow, is_event);
}

static gboolean
activate_source (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVyreFilter *self = GST_VYRE_FILTER (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  g_mutex_lock (&self->lock);
  self->flushing = !active;
  self->flow = active ? GST_FLOW_OK : GST_FLOW_FLUSHING;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (active)
    return gst_pad_start_task (pad, source_loop, pad, NULL);
  return gst_pad_stop_task (pad);
}

/* A result leaves as soon as it is there, so a buffer is delayed by its own
 * batch, which has to take less than the buffer's duration to keep up. The
 * queue can hold max-in-flight of them. */
static gboolean
query_latency (GstVyreFilter *self, GstQuery *query)
{
  GstClockTime least, most;
  gboolean live;

  if (!gst_pad_peer_query (self->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &least, &most);
  GST_OBJECT_LOCK (self);
  guint max_in_flight = self->settings.max_in_flight;
  GST_OBJECT_UNLOCK (self);
  g_mutex_lock (&self->lock);
  GstClockTime duration = self->buffer_duration;
  g_mutex_unlock (&self->lock);
  least += duration;
  if (GST_CLOCK_TIME_IS_VALID (most))
    most += duration * max_in_flight;
  gst_query_set_latency (query, live, least, most);
  return TRUE;
}

static gboolean
source_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return query_latency (GST_VYRE_FILTER (parent), query);
  return gst_pad_query_default (pad, parent, query);
}

/* ---- life -------------------------------------------------------------- */

void
gst_vyre_stream_init (GstVyreFilter *self)
{
  static gsize once;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_GET (cat_performance, "GST_PERFORMANCE");
    g_once_init_leave (&once, 1);
  }
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->items);
  g_queue_init (&self->early);
  gst_pad_set_chain_function (self->sinkpad, sink_chain);
  gst_pad_set_event_function (self->sinkpad, sink_event);
  gst_pad_set_query_function (self->sinkpad, sink_query);
  gst_pad_set_query_function (self->srcpad, source_query);
  gst_pad_set_activatemode_function (self->srcpad, activate_source);
  gst_vyre_stream_reset (self);
}

/* Forgets the stream; the pads are inactive. */
void
gst_vyre_stream_reset (GstVyreFilter *self)
{
  drop_items (self);
  self->eos = FALSE;
  self->flow = GST_FLOW_OK;
  self->buffer_duration = 0;
  gst_vyre_geometry_clear (&self->geometry);
  self->caps_failed = FALSE;
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  g_clear_pointer (&self->plan, vyre_plan_unref);
  g_clear_pointer (&self->plan_program, vyre_program_unref);
  gst_caps_replace (&self->out_caps, NULL);
  g_queue_clear_full (&self->early, (GDestroyNotify) gst_event_unref);
  self->sequence = 0;
}

void
gst_vyre_stream_clear (GstVyreFilter *self)
{
  gst_vyre_stream_reset (self);
  g_clear_pointer (&self->geometry.bindings, vyre_bindings_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

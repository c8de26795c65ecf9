/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The watchdog counts what the readbacks of a stream say of its slots, and warns once of each
 * stall: of batches that make no progress, and of slots that stay left over. The worker calls
 * it with complete readbacks.
 */
#include "filter/gstvyrewatchdog.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* A ring of up to so many slots is read with every batch: a cache line each. */
#define SMALL_RING 16

/* How long a batch may make no progress before the bus is warned: long before the deadline that
 * ends the stream, and long after a healthy device has taken a ticket. */
#define STALL (5 * G_TIME_SPAN_SECOND)

/* The statuses, as bits, of slots that are left over */
#define LEFT_OVER ~(1u << VYRE_STATUS_EMPTY | 1u << VYRE_STATUS_DONE | 1u << VYRE_STATUS_FAULT)

/* Reads the control words of a batch, and its ring if that is small, if an interval is @due or if
 * no ring was read yet. */
static void
watchdog_read_batch (GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback,
    gboolean due, VyreTelemetry *telemetry)
{
  const VyreLayout *layout = vyre_plan_get_layout (item->plan);
  guint n_slots = vyre_plan_get_bound_program (item->plan)->n_slots;
  gboolean whole = due || n_slots <= SMALL_RING || self->watch.before.occupancy.n_slots == 0;

  /* a completed batch has parts of the right size */
  vyre_telemetry_read (telemetry, readback + layout->offset[VYRE_PART_CONTROL],
      layout->size[VYRE_PART_CONTROL], readback + layout->offset[VYRE_PART_RING],
      whole ? layout->size[VYRE_PART_RING] : 0, NULL);
}

static gboolean
watchdog_has_ring (const VyreTelemetry *telemetry)
{
  return telemetry->occupancy.n_slots > 0;
}

static void
watchdog_count_batch (
    GstVyreFilter *self, GstVyreItem *item, const guint8 *readback, const VyreTelemetry *telemetry)
{
  const VyreLayout *layout = vyre_plan_get_layout (item->plan);
  const VyreCompletion *completion = vyre_batch_get_completion (item->batch);

  vyre_mutex_lock (&self->lock);
  GstVyreStats *stats = &self->stats;
  stats->batches++;
  stats->seen_bytes += item->timing.size;
  stats->incomplete += !gst_vyre_stats_are_whole (item->plan, readback, completion);
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    stats->part_bytes[part] += layout->size[part];
  stats->faults += completion->faults;
  stats->dropped_records += completion->dropped_records;
  stats->region_bytes += completion->payload_bytes;
  gst_vyre_stats_add_latency (stats, completion->latency);
  gst_vyre_stats_add_telemetry (stats, telemetry);
  g_mutex_unlock (&self->lock);
}

/* Returns the first slot with one of @statuses, bits by number, or -1. Unknown statuses share the
 * last bit. */
static gint
watchdog_find_slot (const GstVyreItem *item, const guint8 *readback, guint32 statuses)
{
  const guint8 *ring = readback + vyre_plan_get_layout (item->plan)->offset[VYRE_PART_RING];
  guint n_slots = vyre_plan_get_bound_program (item->plan)->n_slots;

  for (guint slot = 0; slot < n_slots; slot++) {
    guint32 status = vyre_read_word (ring, (gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS);
    if (statuses & 1u << MIN (status, 31))
      return (gint)slot;
  }
  return -1;
}

static char *
watchdog_describe_slot (const GstVyreItem *item, gint slot)
{
  const VyreBoundProgram *bound = vyre_plan_get_bound_program (item->plan);

  return g_strstrip (vyre_disassemble (bound->slots + (gsize)slot * VYRE_SLOT_WORDS, 1));
}

/* Warns of the first faulted slot, and of the reason why the host could not serve its request. All
 * faults are in the readbacks. */
static void
watchdog_warn_of_fault (GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback)
{
  gint slot = watchdog_find_slot (item, readback, 1u << VYRE_STATUS_FAULT);
  const GError *io_error = vyre_batch_get_io_error (item->batch);

  if (slot < 0)
    return;
  self->watch.warned_of_fault = TRUE;
  g_autofree char *text = watchdog_describe_slot (item, slot);
  if (io_error) {
    GST_ELEMENT_WARNING (
        self, STREAM, FAILED, ("A slot of a batch faulted. %s", io_error->message), (NULL));
    return;
  }
  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      ("Slot %d of a batch faulted and had no effect. Fix: keep word indices inside the control "
       "buffer (see observable-slots), words to load inside their file, and regions inside the "
       "payload, of which a stream of slots has none; see the ring in the readback.",
          slot),
      ("%s", text));
}

static void
watchdog_count_stall (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  self->stats.stalls++;
  g_mutex_unlock (&self->lock);
}

static void
watchdog_warn_of_slot (
    GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback, guint n_left)
{
  const guint8 *ring = readback + vyre_plan_get_layout (item->plan)->offset[VYRE_PART_RING];
  gint slot = watchdog_find_slot (item, readback, LEFT_OVER);
  guint32 status = vyre_read_word (ring, (gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS);
  gboolean waits = status == VYRE_STATUS_WAIT_IO;
  g_autofree char *text = watchdog_describe_slot (item, slot);

  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      ("Slot %d of a batch %s, buffer after buffer; %u of %u slots are left over. Fix: %s; see "
       "the ring in the readback.",
          slot, waits ? "waits for what it asked the host for" : "is not run", n_left,
          vyre_plan_get_bound_program (item->plan)->n_slots,
          waits ? "publish no slot that asks the host, nobody answers those of a stream of slots"
                : "publish slots for tenants that are authorised, in a program without @tenant"),
      ("%s", text));
}

/* Warns when two readbacks in a row have slots left over and as many drained: one alone may still
 * go on. A readback without left-over slots ends the stall. */
static void
watchdog_watch_slots (
    GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback, const VyreTelemetry *now)
{
  GstVyreWatch *watch = &self->watch;
  gboolean was_left = vyre_occupancy_get_queue_depth (&watch->before.occupancy) > 0;
  VyreHealth health;

  vyre_telemetry_watch (now, &watch->before, &health);
  watch->before = *now;
  if (health.queue_depth == 0)
    watch->slots_stalled = FALSE;
  if (!health.suspected_stall || !was_left || watch->slots_stalled)
    return;
  watch->slots_stalled = TRUE;
  watchdog_count_stall (self);
  watchdog_warn_of_slot (self, item, readback, health.queue_depth);
}

/* Counts a completed batch. @due: reads its whole ring, whatever its size. */
void
gst_vyre_watchdog_batch (
    GstVyreFilter *self, GstVyreItem *item, const guint8 *readback, gboolean due)
{
  VyreTelemetry telemetry = { 0 };

  watchdog_read_batch (self, item, readback, due, &telemetry);
  watchdog_count_batch (self, item, readback, &telemetry);
  if (vyre_batch_get_completion (item->batch)->faults > 0 && !self->watch.warned_of_fault)
    watchdog_warn_of_fault (self, item, readback);
  if (watchdog_has_ring (&telemetry))
    watchdog_watch_slots (self, item, readback, &telemetry);
}

/* The kernel has made no progress for @idle µs while the batch of the item is in flight. Several
 * such batches in a row are one warning. */
void
gst_vyre_watchdog_idle (GstVyreFilter *self, const GstVyreItem *item, gint64 idle)
{
  if (idle < STALL || self->watch.batch_stalled)
    return;
  self->watch.batch_stalled = TRUE;
  watchdog_count_stall (self);
  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      ("Batch %u is in flight and the kernel has made no progress for %d s. Fix: see what else "
       "keeps the device busy, send smaller buffers, or set residency=dispatch; the stream ends "
       "with an error if this goes on.",
          item->sequence, (gint)(STALL / G_TIME_SPAN_SECOND)),
      (NULL));
}

/* The item's batch has completed, after at most @idle µs without progress. */
void
gst_vyre_watchdog_completed (GstVyreFilter *self, gint64 idle)
{
  if (idle < STALL)
    self->watch.batch_stalled = FALSE;
}

/* Forgets the stream. */
void
gst_vyre_watchdog_reset (GstVyreFilter *self)
{
  self->watch = (GstVyreWatch){ 0 };
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrecarry.h"

struct _GstVyreCarry {
  gatomicrefcount refs; /* of the sink pad, and of each item that waits for its result */
  guint beginning;      /* GstVyreSettings.beginning of its program */
  guint n_state;        /* words of state of its plans */
  /* the element's lock */
  VyreLane *lane;     /* of the kernel that its batches run on, or NULL before the first */
  VyreStream *stream; /* on that lane */
  guint32 *words;     /* of state, as the last batch whose result counted left them, or NULL */
  guint n_words;
  GstVyreOlder older; /* payloads that the next batch may read */
  guint64 previous;   /* payload bytes of the stream before the previous one */
  guint64 reference;  /* the same before the reference */
};

void
gst_vyre_older_clear (GstVyreOlder *older)
{
  for (guint from = 0; from < GST_VYRE_N_OLDER; from++)
    gst_clear_buffer (&older->buffers[from]);
}

GstVyreCarry *
gst_vyre_carry_new (guint beginning, guint n_words)
{
  GstVyreCarry *carry = g_new0 (GstVyreCarry, 1);

  g_atomic_ref_count_init (&carry->refs);
  carry->beginning = beginning;
  carry->n_state = n_words;
  return carry;
}

GstVyreCarry *
gst_vyre_carry_ref (GstVyreCarry *carry)
{
  g_atomic_ref_count_inc (&carry->refs);
  return carry;
}

static void
carry_leave_kernel (GstVyreCarry *carry)
{
  g_clear_pointer (&carry->stream, vyre_stream_unref);
  g_clear_pointer (&carry->lane, vyre_lane_unref);
}

void
gst_vyre_carry_unref (GstVyreCarry *carry)
{
  if (!g_atomic_ref_count_dec (&carry->refs))
    return;
  carry_leave_kernel (carry);
  gst_vyre_older_clear (&carry->older);
  g_free (carry->words);
  g_free (carry);
}

/* The lock is held. Moves the way to the kernel to @former, which leaves it without the lock. */
static void
carry_detach (GstVyreCarry *carry, GstVyreCarry *former)
{
  former->stream = g_steal_pointer (&carry->stream);
  former->lane = g_steal_pointer (&carry->lane);
}

/* No batch is under way. The next one begins a stream of its own, as after a loss. */
void
gst_vyre_carry_leave (GstVyreFilter *self, GstVyreCarry *carry)
{
  GstVyreCarry former = { .lane = NULL };

  vyre_mutex_lock (&self->lock);
  carry_detach (carry, &former);
  g_mutex_unlock (&self->lock);
  carry_leave_kernel (&former);
}

/* No batch comes behind those that were published: the kernel keeps payloads for these alone, and
 * @carry goes with the last of their items. Batches that a lost kernel left still need it. */
void
gst_vyre_carry_end (GstVyreFilter *self, GstVyreCarry *carry)
{
  GstVyreCarry former = { .lane = NULL };

  vyre_mutex_lock (&self->lock);
  if (self->n_undone == 0)
    carry_detach (carry, &former);
  g_mutex_unlock (&self->lock);
  carry_leave_kernel (&former);
  gst_vyre_carry_unref (carry);
}

/* The sink pad's stream lock is held, and no batch is under way. Gives upstream its memory back,
 * all of which it may wait for: the next batch finds older payloads in copies, as after a loss. */
void
gst_vyre_carry_detach (GstVyreFilter *self, GstVyreCarry *carry)
{
  g_auto (GstVyreOlder) copies = { { NULL } };
  GstVyreCarry former = { .lane = NULL };

  for (guint from = 0; from < GST_VYRE_N_OLDER; from++) {
    GstBuffer *buffer = carry->older.buffers[from];
    copies.buffers[from] = buffer ? gst_buffer_copy_deep (buffer) : NULL;
    if (buffer && !copies.buffers[from]) /* no memory: upstream waits */
      return;
  }
  vyre_mutex_lock (&self->lock);
  carry_detach (carry, &former);
  GstVyreOlder older = carry->older;
  carry->older = copies;
  copies = older;
  g_mutex_unlock (&self->lock);
  carry_leave_kernel (&former);
}

gboolean
gst_vyre_carry_is_of (const GstVyreCarry *carry, guint beginning, guint n_words)
{
  return carry->beginning == beginning && carry->n_state == n_words;
}

/* Returns a reference to the stream that the next batch is published on, on @lane, or NULL: @lane
 * is that of a lost kernel. The first batch on another kernel continues from the words noted, and
 * the caller gives the stream those in @older. */
VyreStream *
gst_vyre_carry_get_stream (
    GstVyreFilter *self, GstVyreCarry *carry, VyreLane *lane, GstVyreOlder *older)
{
  GstVyreCarry former = { .lane = NULL };
  VyreStream *stream = NULL;

  vyre_mutex_lock (&self->lock);
  if (lane == self->lane && carry->lane != lane) {
    former = *carry;
    carry->lane = vyre_lane_ref (lane);
    carry->stream = vyre_stream_new (lane, carry->words, carry->n_words);
    for (guint from = 0; from < GST_VYRE_N_OLDER; from++)
      gst_buffer_replace (&older->buffers[from], carry->older.buffers[from]);
  }
  if (lane == self->lane)
    stream = vyre_stream_ref (carry->stream);
  g_mutex_unlock (&self->lock);
  carry_leave_kernel (&former); /* the last reference to a kernel takes it down */
  return stream;
}

/* The lock is held. Puts @buffer in the place of an older payload, which goes to @former. */
static void
carry_keep (GstVyreCarry *carry, guint from, GstBuffer *buffer, GstVyreOlder *former)
{
  former->buffers[from] = carry->older.buffers[from];
  carry->older.buffers[from] = gst_buffer_ref (buffer);
}

/* The lock is held. The result of a batch counts, whose payload is in @buffer, at @position of the
 * stream. Returns the position of the reference that the batch had, and in @previous that of the
 * previous one; the caller clears @former without the lock. */
guint64
gst_vyre_carry_note (GstVyreCarry *carry, const VyrePlan *plan, VyreBatch *batch, GstBuffer *buffer,
    guint64 position, GstVyreOlder *former, guint64 *previous)
{
  guint64 reference = carry->reference;

  *previous = carry->previous;
  carry->previous = position;
  if (!carry->words) {
    carry->n_words = vyre_plan_get_state_words (plan);
    carry->words = g_new (guint32, carry->n_words);
  }
  vyre_plan_read_state (plan, vyre_batch_get_readback (batch),
      vyre_batch_get_completion (batch)->faults, carry->words);
  if (vyre_plan_get_older (plan) >> VYRE_FROM_PREVIOUS & 1)
    carry_keep (carry, VYRE_FROM_PREVIOUS, buffer, former);
  if (vyre_batch_is_reference (batch)) {
    carry_keep (carry, VYRE_FROM_REFERENCE, buffer, former);
    carry->reference = position;
  }
  return reference;
}

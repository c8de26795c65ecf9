/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams: a batch is published when the one before it has ended, and starts from the words that
 * that one left. A waiting batch has its place in memory already. The kernel's lock is held, unless
 * a function says otherwise.
 */
#include "kernel/stream-private.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "kernel/state.h"
#include "kernel/turns.h"
#include "program/decisions.h"

VyreStream *
vyre_stream_new (VyreLane *lane, const guint32 *words, guint n_words)
{
  VyreStream *stream = g_new0 (VyreStream, 1);

  g_atomic_ref_count_init (&stream->refs);
  stream->generation = lane->kernel->generation;
  stream->kernel = lane->kernel;
  stream->lane = lane;
  stream->n_words = n_words;
  stream->words = n_words > 0 ? g_memdup2 (words, sizeof *words * n_words) : NULL;
  g_queue_init (&stream->waiting);
  return stream;
}

/* Without the lock. Gives back payloads that the stream no longer keeps. */
void
vyre_stream_drop (const VyreStream *stream, VyreKept *kept)
{
  while (kept) {
    VyreKept *next = kept->next;
    if (kept->stored_at != VYRE_NOWHERE)
      vyre_store_free (stream->kernel->payloads, kept->stored_at);
    if (kept->let_go)
      kept->let_go (&kept->payload);
    g_free (kept);
    kept = next;
  }
}

/* The bytes of the payload store that it takes up. */
static gsize
stream_stored_bytes (const VyreKept *kept)
{
  return kept->stored_at != VYRE_NOWHERE ? kept->size : 0;
}

/* Puts @kept, or nothing, in the place of the payload @from; adds a former one that has no other
 * place to @dropped. */
void
vyre_stream_replace (VyreStream *stream, guint from, VyreKept *kept, VyreKept **dropped)
{
  VyreKept *former = stream->older[from];

  stream->older[from] = kept;
  if (kept && kept->users++ == 0) /* pairs with the load in reserve_keeps_out() */
    atomic_fetch_add (&stream->kernel->kept, stream_stored_bytes (kept));
  if (!former || --former->users > 0)
    return;
  atomic_fetch_sub (&stream->kernel->kept, stream_stored_bytes (former)); /* the same */
  former->next = *dropped;
  *dropped = former;
}

/* Any thread, with or without locks; so is the next function. */
VyreStream *
vyre_stream_ref (VyreStream *stream)
{
  g_atomic_ref_count_inc (&stream->refs);
  return stream;
}

void
vyre_stream_unref (VyreStream *stream)
{
  if (vyre_is_inherited (stream->generation) || !g_atomic_ref_count_dec (&stream->refs))
    return;
  VyreKept *dropped = NULL;
  for (guint from = 0; from < VYRE_N_OLDER; from++)
    vyre_stream_replace (stream, from, NULL, &dropped);
  vyre_stream_drop (stream, dropped);
  g_free (stream->words);
  g_free (stream);
}

/* Without the lock. Makes a new batch one of the stream, and gets memory for its words. The first
 * one decides how many words the stream has. */
gboolean
vyre_stream_join (VyreStream *stream, VyreBatch *batch, GError **error)
{
  guint n = batch->plan->n_state;

  if (!stream->words) {
    stream->words = vyre_alloc0 (MAX (n, 1), sizeof *stream->words, error);
    stream->n_words = n;
  }
  batch->state = vyre_alloc (MAX (n, 1), sizeof *batch->state, stream->words ? error : NULL);
  if (!stream->words || !batch->state)
    return FALSE;
  batch->stream = vyre_stream_ref (stream);
  return TRUE;
}

/* Adds older payloads that a batch without one before it in flight finds, and that have another
 * size than its own, to @dropped: neither this batch nor one behind it reads them. */
void
vyre_stream_drop_useless (const VyreBatch *batch, VyreKept **dropped)
{
  VyreStream *stream = batch->stream;

  if (!stream || stream->running)
    return;
  for (guint from = VYRE_FROM_PREVIOUS; from < VYRE_N_OLDER; from++) {
    const VyreKept *kept = stream->older[from];
    if (kept && kept->size != batch->plan->payload_size)
      vyre_stream_replace (stream, from, NULL, dropped);
  }
}

/* TRUE if the batch is published now; otherwise it waits for the end of the one before, of which
 * the service thread takes care if no other thread looks. */
gboolean
vyre_stream_enter (VyreBatch *batch)
{
  VyreStream *stream = batch->stream;
  VyreMegakernel *kernel = batch->kernel;

  if (!stream->running) {
    stream->running = batch;
    return TRUE;
  }
  batch->follows = TRUE;
  batch->follow_link.data = batch;
  g_queue_push_tail_link (&stream->waiting, &batch->follow_link);
  if (atomic_fetch_add (&kernel->n_following, 1)
      == 0) /* pairs with the load in vyre_batch_wait() */
    vyre_megakernel_wake_host (kernel);
  return FALSE;
}

/* Where the previous payload is the reference, twins read the same: has the runs that come leave
 * out the work of the second ones. */
static void
stream_spare_twins (VyreBatch *batch)
{
  VyreKept *const *older = batch->stream->older;
  guint both = 1u << VYRE_FROM_PREVIOUS | 1u << VYRE_FROM_REFERENCE;

  if (batch->plan->twin_tickets == 0 || (batch->missing & both) != 0
      || older[VYRE_FROM_PREVIOUS] != older[VYRE_FROM_REFERENCE])
    return;
  batch->spares_twins = TRUE;
  if (batch->early == VYRE_EARLY_NONE)
    vyre_turns_begin (batch);
}

/* The batch is about to be published. */
void
vyre_stream_begin (VyreBatch *batch)
{
  const VyreStream *stream = batch->stream;

  memcpy (batch->state, stream->words, sizeof *batch->state * stream->n_words);
  for (guint from = VYRE_FROM_PREVIOUS; from < VYRE_N_OLDER; from++) {
    const VyreKept *kept = stream->older[from];
    if ((batch->plan->older >> from & 1) == 0 || !kept || kept->size != batch->plan->payload_size)
      continue;
    batch->older[from] = kept->base;
    batch->missing &= ~(1u << from);
  }
  stream_spare_twins (batch);
}

/* Takes the payload from a batch that is through. Where the device has it in memory of its own,
 * that alone is kept. */
static VyreKept *
stream_take_payload (VyreBatch *batch)
{
  gboolean is_stored = batch->stored_at != VYRE_NOWHERE;
  VyreKept *kept = g_new (VyreKept, 1);

  *kept = (VyreKept){ .size = batch->plan->payload_size,
    .base = is_stored ? batch->stored_at : batch->payload.offset,
    .stored_at = batch->stored_at,
    .let_go = is_stored ? NULL : batch->let_go,
    .payload = batch->payload };
  batch->stored_at = VYRE_NOWHERE;
  if (!is_stored)
    batch->let_go = NULL;
  return kept;
}

/* Whether the payload of a batch that is through becomes the reference: there was none for it, or
 * the program does not keep that. Results of a batch with faults decide nothing. */
static gboolean
stream_changes_reference (const VyreBatch *batch)
{
  const VyreBoundProgram *bound = batch->plan->bound;

  if ((batch->plan->older >> VYRE_FROM_REFERENCE & 1) == 0)
    return FALSE;
  if ((batch->missing >> VYRE_FROM_REFERENCE & 1) != 0)
    return TRUE;
  const guint8 *readback = vyre_batch_readback (batch);
  return bound->keep && batch->completion.faults == 0
         && vyre_read_word (readback, VYRE_CONTROL_DONE_COUNT) == bound->n_used
         && vyre_condition_decide (bound->keep, readback) == VYRE_DECISION_NO;
}

/* Keeps the payload of a batch that is through, as far as those behind it may read it. An empty one
 * goes back as ever, and leaves its place empty. */
static void
stream_keep_payload (VyreBatch *batch, VyreKept **dropped)
{
  gboolean is_previous = (batch->plan->older >> VYRE_FROM_PREVIOUS & 1) != 0;

  batch->is_reference = stream_changes_reference (batch);
  if (!is_previous && !batch->is_reference)
    return;
  VyreKept *kept = batch->plan->payload_size > 0 ? stream_take_payload (batch) : NULL;
  if (is_previous)
    vyre_stream_replace (batch->stream, VYRE_FROM_PREVIOUS, kept, dropped);
  if (batch->is_reference)
    vyre_stream_replace (batch->stream, VYRE_FROM_REFERENCE, kept, dropped);
}

/* A batch that waits, counted from the first, or NULL. */
VyreBatch *
vyre_stream_peek (const VyreStream *stream, guint index)
{
  return g_queue_peek_nth ((GQueue *)&stream->waiting, index);
}

/* Whether a batch that waits is one of the first @n. */
gboolean
vyre_stream_waits_among (const VyreBatch *batch, guint n)
{
  const GList *l = &batch->follow_link;

  while (n > 0 && l) {
    l = l->prev;
    n--;
  }
  return !l;
}

/* Takes a batch out of the queue of its stream. */
void
vyre_stream_stop_waiting (VyreBatch *batch)
{
  g_queue_unlink (&batch->stream->waiting, &batch->follow_link);
  atomic_fetch_sub (&batch->kernel->n_following, 1); /* the same */
  batch->follows = FALSE;
}

/* The batch is through, or was freed before it was published. Returns the batch that its end lets
 * in, or NULL, and adds payloads that go back to @dropped. A batch that was freed changes nothing.
 */
VyreBatch *
vyre_stream_leave (VyreBatch *batch, VyreKept **dropped)
{
  VyreStream *stream = batch->stream;

  if (batch->follows) {
    vyre_stream_stop_waiting (batch);
    return NULL;
  }
  if (!batch->orphaned)
    vyre_plan_read_state (
        batch->plan, vyre_batch_readback (batch), batch->completion.faults, stream->words);
  if (!batch->orphaned && batch->plan->older != 0)
    stream_keep_payload (batch, dropped);
  stream->running = vyre_stream_peek (stream, 0);
  if (stream->running) {
    vyre_stream_stop_waiting (stream->running);
    stream->running->due = TRUE;
  }
  return stream->running;
}

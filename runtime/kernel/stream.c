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

VyreStream *
vyre_stream_new (VyreLane *lane, const guint32 *words, guint n_words)
{
  VyreStream *stream = g_new0 (VyreStream, 1);

  g_atomic_ref_count_init (&stream->refs);
  stream->generation = lane->kernel->generation;
  stream->lane = lane;
  stream->n_words = n_words;
  stream->words = n_words > 0 ? g_memdup2 (words, sizeof *words * n_words) : NULL;
  g_queue_init (&stream->waiting);
  return stream;
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
  batch->link.data = batch;
  g_queue_push_tail_link (&stream->waiting, &batch->link);
  if (++kernel->n_following == 1)
    vyre_megakernel_wake_host (kernel);
  return FALSE;
}

/* The batch is about to be published. */
void
vyre_stream_begin (VyreBatch *batch)
{
  if (batch->state)
    memcpy (batch->state, batch->stream->words, sizeof *batch->state * batch->stream->n_words);
}

/* Takes a batch out of the queue of its stream. */
static void
stream_stop_waiting (VyreBatch *batch)
{
  g_queue_unlink (&batch->stream->waiting, &batch->link);
  batch->kernel->n_following--;
  batch->follows = FALSE;
}

/* The batch is through, or was freed before it was published. Returns the batch that its end lets
 * in, or NULL. A batch that was freed changes no word. */
VyreBatch *
vyre_stream_leave (VyreBatch *batch)
{
  VyreStream *stream = batch->stream;

  if (batch->follows) {
    stream_stop_waiting (batch);
    return NULL;
  }
  if (!batch->orphaned)
    vyre_plan_read_state (batch->plan, vyre_batch_readback (batch), stream->words);
  const GList *next = stream->waiting.head;
  stream->running = next ? next->data : NULL;
  if (stream->running)
    stream_stop_waiting (stream->running);
  return stream->running;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A stream as its owner sees it; kernel/publish.c publishes on it.
 */
#include "vyre/stream.h"

#include "base/fork.h"
#include "kernel/streams.h"

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

void
vyre_stream_free (VyreStream *stream)
{
  if (stream && !vyre_is_inherited (stream->generation))
    vyre_stream_unref (stream);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:stream
 * @title: Stream
 * @short_description: Batches that follow one another, with state
 *
 * Observables that a program declares as state start as the batch before left them. A stream says
 * which batch that is: each batch follows the one that was published on the stream before it. The
 * kernel starts a batch when the one before it has ended, so results do not depend on how many
 * batches are published ahead. A new stream starts from nothing.
 *
 * Programs that read older payloads have the payload of a batch released when the batch behind it
 * has ended, when another one has become the reference, or when the last reference to the stream
 * has gone. An older payload of another size than that of the batch is none, and goes sooner where
 * its room is wanted. Payloads that streams keep are in the way of others: where they fill the
 * kernel's memory for payloads, and no batch is left that could change that, publishing fails.
 *
 * One thread at a time may publish on a stream. A batch that is freed before it has completed
 * leaves the state as if it had never been, or as it left it: whoever frees one frees those behind
 * it, too, and goes on with a new stream.
 */

#include "vyre/lane.h"

G_BEGIN_DECLS

/**
 * VyreStream:
 *
 * A stream of batches.
 */
typedef struct _VyreStream VyreStream;

/**
 * vyre_stream_new:
 * @lane: the lane that its batches are published on; it outlives the stream
 * @words: (nullable) (array length=n_words): the words of state that the first batch starts from,
 *   as vyre_batch_get_state() has them; %NULL for zeros
 * @n_words: their number, that of vyre_plan_get_state_words(), or 0
 *
 * Makes a stream.
 *
 * Returns: (transfer full): a stream, to be given back with vyre_stream_unref()
 */
VyreStream *vyre_stream_new (VyreLane *lane, const guint32 *words, guint n_words);

/**
 * vyre_stream_ref:
 * @stream: a stream
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @stream with one more reference
 */
VyreStream *vyre_stream_ref (VyreStream *stream);

/**
 * vyre_stream_unref:
 * @stream: (transfer full): a stream
 *
 * Drops a reference. Batches that were published on the stream go on.
 */
void vyre_stream_unref (VyreStream *stream);

/**
 * vyre_stream_set_older:
 * @stream: a stream none of whose batches is under way
 * @from: VYRE_FROM_PREVIOUS or VYRE_FROM_REFERENCE
 * @payload: a payload that is staged as for vyre_lane_publish(), and not imported
 * @size: its bytes, at least 1
 * @end_time: how long to wait for room, in µs of g_get_monotonic_time(); 0 for not at all
 * @error: return location
 *
 * Makes a payload the previous one, or the reference, of the next batch, as if a batch had had it.
 * The call takes the payload.
 *
 * Returns: whether there was room for it; otherwise the payload was not taken, and the error is
 *   %VYRE_ERROR_TIMEOUT, %VYRE_ERROR_NO_SPACE (payloads that streams keep leave no room for this
 *   one), the error that ended the kernel, or %VYRE_ERROR_FORKED
 */
gboolean vyre_stream_set_older (VyreStream *stream, guint from, const VyrePayload *payload,
    gsize size, gint64 end_time, GError **error);

/**
 * vyre_stream_publish:
 * @stream: a stream
 * @plan: the plan to run; all plans of a stream have the state of one program, bound to payloads of
 *   any size
 * @tag: as for vyre_lane_publish()
 * @payload: the same
 * @end_time: the same
 * @error: return location
 *
 * Publishes a batch behind the one that was published on @stream before. Like
 * vyre_lane_publish(), it returns at once where there is room.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL with the errors of vyre_lane_publish(),
 *   or with %VYRE_ERROR_NO_SPACE for words
 */
VyreBatch *vyre_stream_publish (VyreStream *stream, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreStream, vyre_stream_unref)

G_END_DECLS

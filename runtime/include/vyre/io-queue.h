/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:io-queue
 * @title: Io queue
 * @short_description: Requests of a kernel to its host
 *
 * The host's side of the io queue: 32-byte slots, each a request with a status that names its
 * owner. A slot that is EMPTY or PUBLISHED belongs to the requester, a slot that is CLAIMED to the
 * host that serves it, a slot that is OK or ERROR to the kernel, which empties it. A queue in
 * memory of the host alone may have any alignment; a queue that a kernel shares is aligned to
 * words. One thread of the host at a time works on a queue.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreIoRequest:
 * @slot: index of its slot
 * @op: VYRE_IO_OP_READ, VYRE_IO_OP_WRITE or VYRE_IO_OP_FENCE; any value in a request that
 *   was read from a queue
 * @source: handle of the source
 * @destination: handle of the destination
 * @offset: offset in the source, in bytes
 * @n_bytes: bytes to transfer
 * @tag: a word of the requester, returned as it is
 *
 * A request of the io queue.
 */
typedef struct {
  guint32 slot;
  guint32 op;
  guint32 source;
  guint32 destination;
  guint64 offset;
  guint32 n_bytes;
  guint32 tag;
} VyreIoRequest;

/**
 * VyreIoCompletion:
 * @slot: index of a slot that is CLAIMED
 * @success: whether the whole request was served
 *
 * The host's report about a request.
 */
typedef struct {
  guint32 slot;
  gboolean success;
} VyreIoCompletion;

/**
 * vyre_io_queue_validate:
 * @size: bytes of an io queue
 * @error: return location
 *
 * Checks the size of a queue.
 *
 * Returns: whether a queue may have that size, which may be 0; otherwise
 *   %VYRE_ERROR_MISALIGNED (not whole slots) or %VYRE_ERROR_TOO_LARGE (more than
 *   VYRE_IO_SLOTS)
 */
gboolean vyre_io_queue_validate (gsize size, GError **error);

/**
 * vyre_io_queue_publish:
 * @queue: @size bytes of slots
 * @size: bytes
 * @request: the request, with the index of its slot
 * @error: return location
 *
 * Writes a request into an EMPTY slot, its status last, which becomes PUBLISHED.
 *
 * Returns: whether the request was published; otherwise nothing was written and @error is
 *   that of vyre_io_queue_validate(), %VYRE_ERROR_INVALID (no such operation) or
 *   %VYRE_ERROR_QUEUE_FULL (no such slot, or a slot in use)
 */
gboolean vyre_io_queue_publish (
    void *queue, gsize size, const VyreIoRequest *request, GError **error);

/**
 * vyre_io_queue_poll:
 * @queue: @size bytes of slots
 * @size: bytes
 * @requests: (out caller-allocates): room for VYRE_IO_SLOTS requests
 * @n: (out): how many requests are PUBLISHED
 * @error: return location
 *
 * Reads the PUBLISHED requests, in the order of their slots, and leaves them as they are.
 *
 * Returns: whether the queue could be read; otherwise the error is that of
 *   vyre_io_queue_validate()
 */
gboolean vyre_io_queue_poll (
    const void *queue, gsize size, VyreIoRequest *requests, guint *n, GError **error);

/**
 * vyre_io_queue_claim:
 * @queue: @size bytes of slots
 * @size: bytes
 * @requests: (out caller-allocates): room for VYRE_IO_SLOTS requests
 * @n: (out): how many requests were claimed
 * @error: return location
 *
 * As vyre_io_queue_poll(), and makes these requests CLAIMED: the caller serves each of them and
 * completes it once.
 *
 * Returns: whether the queue could be read; otherwise the error is that of
 *   vyre_io_queue_validate()
 */
gboolean vyre_io_queue_claim (
    void *queue, gsize size, VyreIoRequest *requests, guint *n, GError **error);

/**
 * vyre_io_queue_complete:
 * @queue: @size bytes of slots
 * @size: bytes
 * @completions: (array length=n): reports about claimed requests
 * @n: how many
 * @error: return location
 *
 * Reports the outcome of requests, of all of them or of none. The caller puts the bytes of the
 * requests in their places first. Of two reports about one slot the last one counts.
 *
 * Returns: whether the outcomes were reported; otherwise nothing was written and @error is
 *   that of vyre_io_queue_validate(), or %VYRE_ERROR_QUEUE_FULL (no such slot, or
 *   a slot that is not CLAIMED)
 */
gboolean vyre_io_queue_complete (
    void *queue, gsize size, const VyreIoCompletion *completions, guint n, GError **error);

/**
 * vyre_io_queue_inspect:
 * @queue: @size bytes of slots
 * @size: bytes
 * @slot: index of a slot
 * @status: (out): its status; VYRE_STATUS_EMPTY once the kernel has recycled it
 * @request: (out caller-allocates) (optional): its other words, finished or not;
 *   without a meaning when the slot is EMPTY
 * @error: return location
 *
 * Reads one slot.
 *
 * Returns: whether the queue has such a slot; otherwise @error is that of
 *   vyre_io_queue_validate(), or %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_io_queue_inspect (const void *queue, gsize size, guint32 slot, guint32 *status,
    VyreIoRequest *request, GError **error);

G_END_DECLS

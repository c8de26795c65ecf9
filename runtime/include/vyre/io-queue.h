/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The io queue on the host's side: 32-byte slots, each a request with a status
 * that says whose it is. EMPTY and PUBLISHED belong to whoever asks, CLAIMED to
 * the host that serves it, OK and ERROR to the kernel, which empties the slot. Any
 * alignment will do for a queue that only the host has; one that a kernel shares
 * is aligned to words. One thread of the host at a time works on a queue.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreIoRequest:
 * @slot: index of the slot it is in
 * @op: VYRE_IO_OP_READ, VYRE_IO_OP_WRITE or VYRE_IO_OP_FENCE; of a slot that was
 *   read, whatever is in it
 * @source: handle of where the bytes come from
 * @destination: handle of where they go
 * @offset: in the source, in bytes
 * @n_bytes: how many
 * @tag: of the requester, returned as it is
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
 * What the host reports about a request.
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
 * Returns: whether a queue may have that size, no slot at all included; otherwise
 *   %VYRE_ERROR_MISALIGNED (not whole slots) or %VYRE_ERROR_TOO_LARGE (more than
 *   VYRE_IO_SLOTS)
 */
gboolean vyre_io_queue_validate (gsize size, GError **error);

/**
 * vyre_io_queue_publish:
 * @queue: @size bytes of slots
 * @size: bytes
 * @request: what to write, and into which slot
 * @error: return location
 *
 * Writes a request into a slot that is EMPTY; its status becomes PUBLISHED after
 * everything else of it is there.
 *
 * Returns: whether it was published; otherwise nothing was written and @error is
 *   that of vyre_io_queue_validate(), %VYRE_ERROR_INVALID (no such operation) or
 *   %VYRE_ERROR_QUEUE_FULL (no such slot, or one that is in use)
 */
gboolean vyre_io_queue_publish (
    void *queue, gsize size, const VyreIoRequest *request, GError **error);

/**
 * vyre_io_queue_poll:
 * @queue: @size bytes of slots
 * @size: bytes
 * @requests: (out caller-allocates): room for VYRE_IO_SLOTS requests
 * @n: (out): how many are PUBLISHED
 * @error: return location
 *
 * Reads the requests that wait to be served, in the order of their slots, and
 * leaves them as they are.
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
 * @n: (out): how many were claimed
 * @error: return location
 *
 * As vyre_io_queue_poll(), and makes what was found CLAIMED: the caller's to serve
 * and to complete, once.
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
 * @completions: (array length=n): what became of claimed requests
 * @n: how many
 * @error: return location
 *
 * Reports what became of requests, all of them or none. What the requests brought
 * has to be in its place before. Of two reports about one slot the last one counts.
 *
 * Returns: whether they were reported; otherwise nothing was written and @error is
 *   that of vyre_io_queue_validate(), or %VYRE_ERROR_QUEUE_FULL (no such slot, or
 *   one that is not CLAIMED)
 */
gboolean vyre_io_queue_complete (
    void *queue, gsize size, const VyreIoCompletion *completions, guint n, GError **error);

/**
 * vyre_io_queue_inspect:
 * @queue: @size bytes of slots
 * @size: bytes
 * @slot: index of a slot
 * @status: (out): its status; VYRE_STATUS_EMPTY once the kernel has recycled it
 * @request: (out caller-allocates) (optional): what else is in it, finished or not;
 *   without a meaning when it is EMPTY
 * @error: return location
 *
 * Returns: whether there is such a slot; otherwise @error is that of
 *   vyre_io_queue_validate(), or %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_io_queue_inspect (const void *queue, gsize size, guint32 slot, guint32 *status,
    VyreIoRequest *request, GError **error);

G_END_DECLS

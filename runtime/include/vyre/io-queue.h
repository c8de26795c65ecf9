/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The io queue on the host's side: 32-byte slots, each a request with a status
 * that names its owner. EMPTY and PUBLISHED slots belong to the requester, CLAIMED ones to the
 * host that serves them, OK and ERROR ones to the kernel, which empties the slot. A queue that only
 * the host uses may have any alignment; a queue that a kernel shares is aligned to words. One
 * thread of the host at a time works on a queue.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreIoRequest:
 * @slot: index of its slot
 * @op: VYRE_IO_OP_READ, VYRE_IO_OP_WRITE or VYRE_IO_OP_FENCE; any word in
 *   a slot that was read
 * @source: handle of the source of the bytes
 * @destination: handle of their destination
 * @offset: in the source, in bytes
 * @n_bytes: number of bytes
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
 * @success: %TRUE when the whole request was served
 *
 * A report of the host about a request.
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
 * Returns: %TRUE when a queue may have that size, 0 slots included; otherwise
 *   %VYRE_ERROR_MISALIGNED (not whole slots) or %VYRE_ERROR_TOO_LARGE (more than
 *   VYRE_IO_SLOTS)
 */
gboolean vyre_io_queue_validate (gsize size, GError **error);

/**
 * vyre_io_queue_publish:
 * @queue: @size bytes of slots
 * @size: bytes
 * @request: the request, with its slot
 * @error: return location
 *
 * Writes a request into a slot that is EMPTY; its status becomes PUBLISHED after
 * its other words are written.
 *
 * Returns: %TRUE when it was published; otherwise nothing was written and @error is
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
 * @n: (out): number of PUBLISHED ones
 * @error: return location
 *
 * Reads the requests that wait to be served, in the order of their slots, and
 * leaves them as they are.
 *
 * Returns: %TRUE when the queue could be read; otherwise the error is that of
 *   vyre_io_queue_validate()
 */
gboolean vyre_io_queue_poll (
    const void *queue, gsize size, VyreIoRequest *requests, guint *n, GError **error);

/**
 * vyre_io_queue_claim:
 * @queue: @size bytes of slots
 * @size: bytes
 * @requests: (out caller-allocates): room for VYRE_IO_SLOTS requests
 * @n: (out): number of claimed ones
 * @error: return location
 *
 * As vyre_io_queue_poll(), and makes the requests CLAIMED: the caller serves and completes each of
 * them once.
 *
 * Returns: %TRUE when the queue could be read; otherwise the error is that of
 *   vyre_io_queue_validate()
 */
gboolean vyre_io_queue_claim (
    void *queue, gsize size, VyreIoRequest *requests, guint *n, GError **error);

/**
 * vyre_io_queue_complete:
 * @queue: @size bytes of slots
 * @size: bytes
 * @completions: (array length=n): the results of claimed requests
 * @n: number of results
 * @error: return location
 *
 * Reports the results of requests, all of them or none. The bytes of the requests have to be in
 * their places before. The last of two reports about one slot counts.
 *
 * Returns: %TRUE when they were reported; otherwise nothing was written and @error is
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
 * @request: (out caller-allocates) (optional): its other words, finished or not;
 *   without a meaning in an EMPTY slot
 * @error: return location
 *
 * Returns: %TRUE when there is such a slot; otherwise @error is that of
 *   vyre_io_queue_validate(), or %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_io_queue_inspect (const void *queue, gsize size, guint32 slot, guint32 *status,
    VyreIoRequest *request, GError **error);

G_END_DECLS

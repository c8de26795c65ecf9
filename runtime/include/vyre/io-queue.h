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

gboolean vyre_io_queue_validate (gsize size, GError **error);
gboolean vyre_io_queue_publish (
    void *queue, gsize size, const VyreIoRequest *request, GError **error);
gboolean vyre_io_queue_poll (
    const void *queue, gsize size, VyreIoRequest *requests, guint *n, GError **error);
gboolean vyre_io_queue_claim (
    void *queue, gsize size, VyreIoRequest *requests, guint *n, GError **error);
gboolean vyre_io_queue_complete (
    void *queue, gsize size, const VyreIoCompletion *completions, guint n, GError **error);
gboolean vyre_io_queue_inspect (const void *queue, gsize size, guint32 slot, guint32 *status,
    VyreIoRequest *request, GError **error);

G_END_DECLS

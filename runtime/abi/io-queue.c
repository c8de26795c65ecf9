/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/io-queue.h"

#include "abi/shared-words.h"

#define SLOT_BYTES (4 * VYRE_IO_SLOT_WORDS)

gboolean
vyre_io_queue_validate (gsize size, GError **error)
{
  if (size % SLOT_BYTES != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISALIGNED,
        "An io queue of %" G_GSIZE_FORMAT " bytes ends inside a slot. Fix: pass whole slots of %d "
        "bytes.",
        size, SLOT_BYTES);
    return FALSE;
  }
  if (size / SLOT_BYTES > VYRE_IO_SLOTS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "An io queue of %" G_GSIZE_FORMAT
        " slots is larger than the kernel's. Fix: pass at most %d "
        "slots.",
        size / SLOT_BYTES, VYRE_IO_SLOTS);
    return FALSE;
  }
  return TRUE;
}

/* Checks the queue as well as the slot. */
static gboolean
io_check_slot (gsize size, guint32 slot, GError **error)
{
  if (!vyre_io_queue_validate (size, error))
    return FALSE;
  if (slot < size / SLOT_BYTES)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
      "Slot %u is not one of the %" G_GSIZE_FORMAT " of the io queue. Fix: use one of them, or a "
      "longer queue.",
      slot, size / SLOT_BYTES);
  return FALSE;
}

static gboolean
io_check_status (const guint8 *bytes, guint32 slot, guint32 wanted, const char *fix, GError **error)
{
  guint32 status = vyre_word_acquire (bytes, VYRE_IO_SLOT_STATUS);

  if (status == wanted)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
      "Io slot %u has status %u, and needs to have %u for that. Fix: %s.", slot, status, wanted,
      fix);
  return FALSE;
}

static void
io_read_request (const guint8 *bytes, guint32 slot, VyreIoRequest *request)
{
  request->slot = slot;
  request->op = vyre_read_word (bytes, VYRE_IO_SLOT_OP);
  request->source = vyre_read_word (bytes, VYRE_IO_SLOT_SOURCE);
  request->destination = vyre_read_word (bytes, VYRE_IO_SLOT_DESTINATION);
  request->offset = vyre_read_word_pair (bytes, VYRE_IO_SLOT_OFFSET);
  request->n_bytes = vyre_read_word (bytes, VYRE_IO_SLOT_BYTES);
  request->tag = vyre_read_word (bytes, VYRE_IO_SLOT_TAG);
}

gboolean
vyre_io_queue_publish (void *queue, gsize size, const VyreIoRequest *request, GError **error)
{
  if (!io_check_slot (size, request->slot, error))
    return FALSE;
  if (request->op < VYRE_IO_OP_READ || request->op > VYRE_IO_OP_FENCE) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "The io queue has no operation %u. Fix: ask for a read (%d), a write (%d) or a fence (%d).",
        request->op, VYRE_IO_OP_READ, VYRE_IO_OP_WRITE, VYRE_IO_OP_FENCE);
    return FALSE;
  }
  guint8 *bytes = (guint8 *)queue + (gsize)SLOT_BYTES * request->slot;
  if (!io_check_status (bytes, request->slot, VYRE_STATUS_EMPTY,
          "wait until its request is completed and the kernel has emptied the slot", error))
    return FALSE;
  vyre_write_word (bytes, VYRE_IO_SLOT_OP, request->op);
  vyre_write_word (bytes, VYRE_IO_SLOT_SOURCE, request->source);
  vyre_write_word (bytes, VYRE_IO_SLOT_DESTINATION, request->destination);
  vyre_write_word (bytes, VYRE_IO_SLOT_OFFSET, (guint32)request->offset);
  vyre_write_word (bytes, VYRE_IO_SLOT_OFFSET + 1, (guint32)(request->offset >> 32));
  vyre_write_word (bytes, VYRE_IO_SLOT_BYTES, request->n_bytes);
  vyre_write_word (bytes, VYRE_IO_SLOT_TAG, request->tag);
  vyre_word_release (bytes, VYRE_IO_SLOT_STATUS, VYRE_STATUS_PUBLISHED);
  return TRUE;
}

gboolean
vyre_io_queue_poll (
    const void *queue, gsize size, VyreIoRequest *requests, guint *n, GError **error)
{
  *n = 0;
  if (!vyre_io_queue_validate (size, error))
    return FALSE;
  for (guint32 slot = 0; slot < size / SLOT_BYTES; slot++) {
    const guint8 *bytes = (const guint8 *)queue + (gsize)SLOT_BYTES * slot;
    if (vyre_word_acquire (bytes, VYRE_IO_SLOT_STATUS) == VYRE_STATUS_PUBLISHED)
      io_read_request (bytes, slot, &requests[(*n)++]);
  }
  return TRUE;
}

gboolean
vyre_io_queue_claim (void *queue, gsize size, VyreIoRequest *requests, guint *n, GError **error)
{
  if (!vyre_io_queue_poll (queue, size, requests, n, error))
    return FALSE;
  for (guint i = 0; i < *n; i++)
    vyre_word_release ((guint8 *)queue + (gsize)SLOT_BYTES * requests[i].slot, VYRE_IO_SLOT_STATUS,
        VYRE_STATUS_CLAIMED);
  return TRUE;
}

gboolean
vyre_io_queue_complete (
    void *queue, gsize size, const VyreIoCompletion *completions, guint n, GError **error)
{
  if (!vyre_io_queue_validate (size, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    guint32 slot = completions[i].slot;
    if (!io_check_slot (size, slot, error)
        || !io_check_status ((guint8 *)queue + (gsize)SLOT_BYTES * slot, slot, VYRE_STATUS_CLAIMED,
            "claim a request before completing it, and complete it once", error))
      return FALSE;
  }
  for (guint i = 0; i < n; i++)
    vyre_word_release ((guint8 *)queue + (gsize)SLOT_BYTES * completions[i].slot,
        VYRE_IO_SLOT_STATUS, completions[i].success ? VYRE_IO_STATUS_OK : VYRE_IO_STATUS_ERROR);
  return TRUE;
}

gboolean
vyre_io_queue_inspect (const void *queue, gsize size, guint32 slot, guint32 *status,
    VyreIoRequest *request, GError **error)
{
  if (!io_check_slot (size, slot, error))
    return FALSE;
  const guint8 *bytes = (const guint8 *)queue + (gsize)SLOT_BYTES * slot;
  *status = vyre_word_acquire (bytes, VYRE_IO_SLOT_STATUS);
  if (request)
    io_read_request (bytes, slot, request);
  return TRUE;
}

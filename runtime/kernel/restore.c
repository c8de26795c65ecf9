/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Older payloads that a stream is told of, as after the loss of a kernel.
 */
#include "base/fork.h"
#include "base/spin-lock.h"
#include "device/wide-store.h"
#include "kernel/reserve.h"
#include "kernel/state.h"
#include "kernel/stream-private.h"

static void
restore_release (const VyrePayload *payload)
{
  if (payload->release)
    payload->release (payload->owner);
}

/* Stores a payload where the kernel reads it. */
static gboolean
restore_store (VyreMegakernel *kernel, VyreKept *kept, gint64 end_time, GError **error)
{
  const guint8 *data = kept->payload.data
                           ? kept->payload.data
                           : vyre_store_get_data (kernel->staging) + kept->payload.offset;

  if (!vyre_megakernel_reserve_payload (kernel, kept->size, end_time, &kept->stored_at, error))
    return FALSE;
  vyre_wide_store (vyre_store_get_data (kernel->payloads) + kept->stored_at, data, kept->size);
  vyre_buffer_flush (); /* another thread may write the tickets; pairs as in publish_store() */
  kept->base = kept->stored_at;
  kept->let_go = NULL;
  restore_release (&kept->payload);
  return TRUE;
}

/* Whether no batch of the stream is under way, which might read what goes. */
static gboolean
restore_is_idle (VyreStream *stream)
{
  vyre_mutex_lock (&stream->kernel->lock);
  gboolean idle = !stream->running;
  g_mutex_unlock (&stream->kernel->lock);
  return idle;
}

gboolean
vyre_stream_set_older (VyreStream *stream, guint from, const VyrePayload *payload, gsize size,
    gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = stream->kernel;
  VyreKept *dropped = NULL;

  g_return_val_if_fail (!payload->import && size > 0, FALSE);
  g_return_val_if_fail (payload->offset % VYRE_GRANULE == 0, FALSE);
  g_return_val_if_fail (!payload->data || vyre_megakernel_stores_payload (kernel, size), FALSE);
  g_return_val_if_fail (from == VYRE_FROM_PREVIOUS || from == VYRE_FROM_REFERENCE, FALSE);
  if (!vyre_check_own (kernel->generation, "kernel", error))
    return FALSE;
  g_return_val_if_fail (restore_is_idle (stream), FALSE); /* only the caller could change that */
  g_autofree VyreKept *kept = g_new (VyreKept, 1);
  *kept = (VyreKept){ .size = size,
    .base = payload->offset,
    .stored_at = VYRE_NOWHERE,
    .let_go = restore_release,
    .payload = *payload };
  if (kernel->payloads && !restore_store (kernel, kept, end_time, error))
    return FALSE;
  vyre_mutex_lock (&kernel->lock);
  vyre_stream_replace (stream, from, g_steal_pointer (&kept), &dropped);
  g_mutex_unlock (&kernel->lock);
  vyre_stream_drop (stream, dropped);
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The copy engine: moves payloads into the device's memory and rings the doorbell
 * behind them, on queues that work while the kernel runs. Owns a ring of command
 * buffers per transfer queue and the host's image of the ticket ring that
 * doorbells are copied from. Calls need the megakernel's lock, but for
 * vyre_copy_engine_ticket() and vyre_copy_engine_drain(); only the latter waits for the device.
 */
#pragma once

#include "kernel.h"
#include "device/buffer.h"
#include "device/steps.h"

#define VYRE_COPY_ENGINE_COPIES 64

typedef struct {
  VkCommandBuffer commands;
  VkFence fence;
  guint64 number;     /* of the last copy that took the place */
  gboolean taken;     /* and not submitted yet */
  gboolean submitted; /* since the fence was reset */
} VyreCopy;

typedef struct {
  VyreDevice *device; /* NULL: there is no copy engine */
  VyreBuffer tickets; /* the ring as the host writes it */
  VkCommandPool pool;
  VyreCopy copies[VYRE_MAX_TRANSFER_QUEUES][VYRE_COPY_ENGINE_COPIES];
  guint64 n_copies; /* places that were taken */
} VyreCopyEngine;

/* Copies a range of one buffer into another; without a buffer to copy from, a range of @steps,
 * which are imported. */
typedef struct {
  VkBuffer from;
  const VyreSteps *steps;
  VkBuffer to;
  VkBufferCopy range;
} VyreCopyJob;

gboolean vyre_copy_engine_init (VyreCopyEngine *copy_engine, VyreDevice *device, GError **error);
void vyre_copy_engine_clear (VyreCopyEngine *copy_engine);
guint8 *vyre_copy_engine_ticket (VyreCopyEngine *copy_engine, guint32 number);
gboolean vyre_copy_engine_has_room (VyreCopyEngine *copy_engine);
guint64 vyre_copy_engine_take (VyreCopyEngine *copy_engine);
gboolean vyre_copy_engine_has_room_behind (VyreCopyEngine *copy_engine, guint64 number);
guint64 vyre_copy_engine_take_behind (VyreCopyEngine *copy_engine, guint64 number);
gboolean vyre_copy_engine_submit (VyreCopyEngine *copy_engine, guint64 number,
    const VyreCopyJob *payload, VkBuffer door, guint32 first_ticket, guint32 n_tickets,
    GError **error);
gboolean vyre_copy_engine_has_ended (VyreCopyEngine *copy_engine, guint64 number);
gboolean vyre_copy_engine_is_idle (const VyreCopyEngine *copy_engine);
gboolean vyre_copy_engine_drain (VyreCopyEngine *copy_engine);

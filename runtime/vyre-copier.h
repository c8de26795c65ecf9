/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The copy engine: moves payloads into the device's memory and rings the doorbell
 * behind them, on queues that work while the kernel runs. Owns a ring of command
 * buffers per transfer queue and the host's image of the ticket ring that
 * doorbells are copied from. Calls need the megakernel's lock, but for
 * vyre_copier_ticket() and vyre_copier_drain(); only the latter waits for the device.
 */
#pragma once

#include "kernel.h"
#include "vyre-memory.h"

#define VYRE_COPIER_COPIES 64

typedef struct {
  VkCommandBuffer commands;
  VkFence fence;
  gboolean taken;     /* by who has not submitted it yet */
  gboolean submitted; /* since the fence was reset */
} VyreCopy;

typedef struct {
  VyreDevice *device; /* NULL when there is no copier */
  VyreMemory tickets; /* the ring as the host writes it */
  VkCommandPool pool;
  VyreCopy copies[VYRE_MAX_TRANSFER_QUEUES][VYRE_COPIER_COPIES];
  guint64 n_copies; /* places that were taken */
} VyreCopier;

/* A range of one buffer, and where it goes in another. */
typedef struct {
  VkBuffer from;
  VkBuffer to;
  VkBufferCopy range;
} VyreCopyJob;

gboolean vyre_copier_init (VyreCopier *copier, VyreDevice *device, GError **error);
void vyre_copier_clear (VyreCopier *copier);
guint8 *vyre_copier_ticket (VyreCopier *copier, guint32 number);
gboolean vyre_copier_has_room (VyreCopier *copier);
guint64 vyre_copier_take (VyreCopier *copier);
gboolean vyre_copier_submit (VyreCopier *copier, guint64 number, const VyreCopyJob *payload,
    VkBuffer door, guint32 first_ticket, guint32 n_tickets, GError **error);
gboolean vyre_copier_has_ended (VyreCopier *copier, guint64 number);
gboolean vyre_copier_drain (VyreCopier *copier);

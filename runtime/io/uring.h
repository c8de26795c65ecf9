/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The io_uring below VyreFileIo: which kind of ring the kernel lets us have,
 * whether the arena can be registered with it, and how a transfer becomes a
 * submission. Private to libvyre. One thread opens, uses and closes a ring,
 * because the best kind is tied to the thread that made it.
 */
#pragma once

#include <glib.h>
#include <liburing.h>

#include "vyre/file-io.h"

G_BEGIN_DECLS

/* Submission queue entries. */
#define VYRE_RING_ENTRIES 64

/* Transfers that may be in flight; the wake-up has the last entry. The completion queue has twice
 * as many entries as there can be requests, so it never overflows. */
#define VYRE_RING_MAX_TRANSFERS (VYRE_RING_ENTRIES - 1)

typedef enum {
  VYRE_TRANSFER_READ,
  VYRE_TRANSFER_WRITE,
  VYRE_TRANSFER_SYNC, /* of the file's data; has no bytes of its own */
} VyreTransferKind;

/* What is left of a transfer between a file and memory. */
typedef struct {
  VyreTransferKind kind;
  int fd;
  guint64 offset;
  guint8 *memory;
  gsize length;
} VyreTransfer;

/* Why a ring is not the best one: what was refused, and what to do about it. */
typedef struct {
  GString *what;
  GString *fix;
} VyreUringReason;

typedef struct {
  struct io_uring uring;
  VyreReadMode mode;
  int wake_fd;        /* an eventfd, not ours */
  guint64 wake_value; /* where the kernel puts what it reads from wake_fd */
  int end_fd;         /* hangs up when the ring is closed and nothing of it is under way */
  guint8 *arena;
  gsize arena_size;
  gboolean registered;
} VyreUring;

void vyre_uring_open (
    VyreUring *ring, int wake_fd, VyreReadMode first_rung, VyreUringReason *reason);
void vyre_uring_register (VyreUring *ring, void *arena, gsize size, VyreUringReason *reason);
void vyre_uring_close (VyreUring *ring);
void vyre_uring_abandon (VyreUring *ring);
void vyre_uring_arm_wake (VyreUring *ring);
gsize vyre_uring_prepare (VyreUring *ring, const VyreTransfer *transfer, gboolean may_block,
    void *user_data, gboolean *fixed);

G_END_DECLS

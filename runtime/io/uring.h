/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The io_uring below VyreFileIo: which kind of ring Linux allows, which steps of the staging memory
 * are registered with it, and how a transfer becomes a submission. One thread opens, uses and
 * closes a ring, because the best kind is tied to the thread that made it. Private to libvyre.
 */
#pragma once

#include <glib.h>
#include <liburing.h>

#include "vyre/read-mode.h"

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
  guint64 wake_value; /* where Linux puts what it reads from wake_fd */
  int end_fd;         /* hangs up when the ring is closed and nothing of it is under way */
  guint8 *staging;
  gsize staging_size;
  gboolean registered; /* steps are, as reads want them */
  guint8 *steps;       /* VyreUringStep of each step of VYRE_PIN_STEP bytes */
  guint n_tried;       /* steps that are registered, or were refused */
} VyreUring;

typedef enum {
  VYRE_URING_STEP_LOOSE,
  VYRE_URING_STEP_REGISTERED,
  VYRE_URING_STEP_REFUSED, /* reads go there without */
} VyreUringStep;

/**
 * vyre_uring_open:
 * @ring: (out caller-allocates): a ring
 * @wake_fd: an eventfd without EFD_NONBLOCK that outlives the ring
 * @first_rung: the kind of ring to try first
 * @reason: filled where the ring is not the best kind
 *
 * Opens the best ring that Linux allows, from @first_rung on, and leaves in
 * its mode which one that is. In %VYRE_READ_MODE_PREAD nothing was opened: nothing
 * but vyre_uring_close() may be called then. The calling thread is the one that
 * may use the ring.
 */
void vyre_uring_open (
    VyreUring *ring, int wake_fd, VyreReadMode first_rung, VyreUringReason *reason);

/**
 * vyre_uring_register:
 * @ring: an open ring
 * @staging: (nullable): memory that outlives the ring; without any nothing is registered
 * @size: bytes in @staging
 * @reason: filled where the memory is not registered
 *
 * Has steps of the staging memory registered when the first read goes there, so that further reads
 * need not look up and pin its pages. Nothing is pinned yet, but that Linux allows it is tried out;
 * where it refuses, the ring works without.
 */
void vyre_uring_register (VyreUring *ring, void *staging, gsize size, VyreUringReason *reason);

/**
 * vyre_uring_release:
 * @ring: an open ring without a read in flight
 *
 * Gives back all steps that are registered. Each is pinned until its completion comes, whose
 * user_data vyre_uring_note_released() knows.
 */
void vyre_uring_release (VyreUring *ring);

/**
 * vyre_uring_note_released:
 * @ring: an open ring
 * @user_data: of a completion
 *
 * Returns: whether it is that of a step, and not that of a transfer
 */
gboolean vyre_uring_note_released (VyreUring *ring, guint64 user_data);

/**
 * vyre_uring_close:
 * @ring: a ring
 *
 * Closes the ring. Nothing may be in flight: a transfer in flight would write to its
 * destination later.
 */
void vyre_uring_close (VyreUring *ring);

/**
 * vyre_uring_abandon:
 * @ring: an open ring that failed
 *
 * Closes the ring with what is in flight, and waits until Linux is through with that: nothing
 * is written to a destination from then on, and the staging memory is not pinned any more. A child
 * that was forked and did not exec has the ring open, too, and is waited for.
 */
void vyre_uring_abandon (VyreUring *ring);

/**
 * vyre_uring_arm_wake:
 * @ring: an open ring in which no wake-up is armed
 *
 * Prepares the read that completes when a thread writes to the eventfd. Its
 * user_data is %NULL.
 */
void vyre_uring_arm_wake (VyreUring *ring);

/**
 * vyre_uring_prepare:
 * @ring: an open ring with fewer than %VYRE_RING_MAX_TRANSFERS in flight
 * @transfer: what to do
 * @may_block: have it made by a kernel thread that may block
 * @user_data: (not nullable): marks the completion
 * @fixed: (out): whether it is a read into the registered memory
 *
 * Prepares one transfer. It asks for less than @transfer where that would cross
 * the end of a registered step, or is more than Linux moves at once.
 *
 * Returns: bytes asked for
 */
gsize vyre_uring_prepare (VyreUring *ring, const VyreTransfer *transfer, gboolean may_block,
    void *user_data, gboolean *fixed);

G_END_DECLS

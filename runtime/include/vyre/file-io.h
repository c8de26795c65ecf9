/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reading files into the staging arena. An I/O thread owns an io_uring with the
 * arena registered as a fixed buffer, so that the kernel writes the bytes where
 * the GPU will read them. Where io_uring is forbidden or the arena cannot be
 * registered it reads with less, says which and why, and counts it.
 */
#pragma once

#include <glib.h>

#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreReadMode:
 * @VYRE_READ_MODE_SINGLE_ISSUER: io_uring with SINGLE_ISSUER and DEFER_TASKRUN
 * @VYRE_READ_MODE_COOP_TASKRUN: io_uring with COOP_TASKRUN
 * @VYRE_READ_MODE_PLAIN_RING: io_uring without set-up flags
 * @VYRE_READ_MODE_PREAD: no io_uring, pread(2) on the I/O thread
 *
 * Rungs of the set-up ladder, best first. The first one that works is used.
 */
typedef enum {
  VYRE_READ_MODE_SINGLE_ISSUER,
  VYRE_READ_MODE_COOP_TASKRUN,
  VYRE_READ_MODE_PLAIN_RING,
  VYRE_READ_MODE_PREAD,
} VyreReadMode;

/**
 * VyreFileIoCounters:
 * @reads_submitted: read requests handed to the kernel, continuations included
 * @reads_completed: of these, completed with data or at the end of the file
 * @reads_failed: of these, completed with an error
 * @bytes_submitted: bytes asked for; what a short read left over is not counted again
 * @bytes_completed: bytes that arrived
 * @fixed_reads: submitted as READ_FIXED into the registered arena
 * @ring_reads: submitted as READ: to memory outside the arena, or to one not registered
 * @plain_reads: made with pread(2)
 * @direct_reads: of all of these, tried past the page cache, with O_DIRECT
 * @direct_refusals: of the direct ones, refused with EINVAL and read through the page cache
 * @short_reads: completions that had to be continued
 * @writes_submitted: writes and syncs handed to the kernel, continuations included
 * @writes_completed: of these, completed
 * @writes_failed: of these, completed with an error
 * @bytes_written: bytes that were written
 *
 * Since the file I/O was made; every one only grows.
 */
typedef struct {
  guint64 reads_submitted;
  guint64 reads_completed;
  guint64 reads_failed;
  guint64 bytes_submitted;
  guint64 bytes_completed;
  guint64 fixed_reads;
  guint64 ring_reads;
  guint64 plain_reads;
  guint64 direct_reads;
  guint64 direct_refusals;
  guint64 short_reads;
  guint64 writes_submitted;
  guint64 writes_completed;
  guint64 writes_failed;
  guint64 bytes_written;
} VyreFileIoCounters;

typedef struct _VyreFileIo VyreFileIo;

/**
 * VyreFileRead:
 *
 * A read that was started and not finished yet.
 */
typedef struct _VyreIngestRead VyreFileRead;

VyreFileIo *vyre_file_io_new (void *arena, gsize size, VyreReadMode first_rung);
void vyre_file_io_free (VyreFileIo *file_io);
VyreFileRead *vyre_file_io_start (
    VyreFileIo *file_io, int fd, guint64 offset, void *destination, gsize length, GError **error);
VyreFileRead *vyre_file_io_start_direct (VyreFileIo *file_io, int fd, int direct_fd, guint64 offset,
    void *destination, gsize length, GError **error);
gboolean vyre_file_io_finish (
    VyreFileIo *file_io, VyreFileRead *read, gsize *bytes_read, GError **error);
gboolean vyre_file_io_read (VyreFileIo *file_io, int fd, guint64 offset, void *destination,
    gsize length, gsize *bytes_read, GError **error);
VyreReadMode vyre_file_io_get_mode (const VyreFileIo *file_io);
gboolean vyre_file_io_is_registered (const VyreFileIo *file_io);
const char *vyre_file_io_get_reason (const VyreFileIo *file_io);
void vyre_file_io_get_counters (VyreFileIo *file_io, VyreFileIoCounters *counters);
const char *vyre_read_mode_name (VyreReadMode mode);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreFileIo, vyre_file_io_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:file-io
 * @title: Reading files
 * @short_description: Reads files into the staging store
 *
 * A thread owns an io_uring with the staging store registered as fixed buffers, so Linux writes
 * the bytes where the GPU reads them. A step of the store is registered by the first read that goes
 * there, and given back when there was no read for a second. Where io_uring is forbidden or the
 * store cannot be registered, the thread reads by simpler means, says which and why, and counts
 * them.
 */

#include <glib.h>

#include "vyre/error.h"
#include "vyre/read-mode.h"

G_BEGIN_DECLS

/**
 * VyreFileIoCounters:
 * @reads_submitted: read requests handed to Linux, continuations included
 * @reads_completed: of these, completed with data or at the end of the file
 * @reads_failed: of these, completed with an error
 * @bytes_submitted: bytes asked for; the continuation of a short read counts none again
 * @bytes_completed: bytes that arrived
 * @fixed_reads: submitted as READ_FIXED into the registered memory
 * @ring_reads: submitted as READ, to memory that is not registered
 * @plain_reads: made with pread(2)
 * @direct_reads: of all of these, tried past the page cache, with O_DIRECT
 * @direct_refusals: of the direct ones, refused with EINVAL and read through the page cache
 * @short_reads: completions that had to be continued
 * @writes_submitted: writes and syncs handed to Linux, continuations included
 * @writes_completed: of these, completed
 * @writes_failed: of these, completed with an error
 * @bytes_written: bytes that were written
 *
 * Counts since the file I/O was made; each only grows.
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

/**
 * VyreFileIo:
 *
 * A thread that reads and writes files.
 */
typedef struct _VyreFileIo VyreFileIo;

/**
 * VyreFileRead:
 *
 * A read that was started and not finished yet.
 */
typedef struct _VyreFileRead VyreFileRead;

/**
 * vyre_file_io_new:
 * @staging: (nullable): the memory that most reads go to, which is registered; the caller keeps
 *     it until the file I/O is freed
 * @size: bytes in @staging; with 0 nothing is registered
 * @first_rung: the rung of the ladder to start at, %VYRE_READ_MODE_SINGLE_ISSUER for the best
 *
 * Starts an I/O thread with the best way to read that Linux allows, and returns when that is set
 * up, which takes some 10 ms longer where lockable memory is short. Where no thread can be made,
 * the thread that starts a transfer also makes it. The call never fails: vyre_file_io_get_mode(),
 * vyre_file_io_is_registered() and vyre_file_io_get_reason() tell the outcome. May be called from
 * any thread.
 *
 * Returns: (transfer full): a #VyreFileIo; free it with vyre_file_io_free()
 */
VyreFileIo *vyre_file_io_new (void *staging, gsize size, VyreReadMode first_rung);

/**
 * vyre_file_io_free:
 * @file_io: (nullable) (transfer full): a #VyreFileIo
 *
 * Waits for the reads of other threads, stops the I/O thread and unregisters the memory. The caller
 * makes sure that no thread starts another read. In a child of the process that made @file_io the
 * call does nothing.
 */
void vyre_file_io_free (VyreFileIo *file_io);

/**
 * vyre_file_io_start:
 * @file_io: a #VyreFileIo
 * @fd: a file that has offsets: a regular file or a block device, say. A pipe or
 *     socket is refused with ESPIPE. Its file position stays as it is.
 * @offset: where to start, in bytes from the start of the file
 * @destination: (not nullable): where to put the bytes, in registered memory or elsewhere
 * @length: bytes to read
 * @error: return location for an error
 *
 * Starts to read from a file. Reads may overtake each other; 63 run at the same time, and further
 * ones wait for their turn. The caller leaves @fd and @destination alone until the read is
 * finished. May be called from any thread.
 *
 * Returns: (transfer full) (nullable): the read, for vyre_file_io_finish(), or %NULL with
 *     %VYRE_ERROR_IO (nothing can be read from such a file), %VYRE_ERROR_INVALID (a range
 *     that no file can have) or %VYRE_ERROR_FORKED
 */
VyreFileRead *vyre_file_io_start (
    VyreFileIo *file_io, int fd, guint64 offset, void *destination, gsize length, GError **error);

/**
 * vyre_file_io_start_direct:
 * @file_io: a #VyreFileIo
 * @fd: as vyre_file_io_start() wants it
 * @direct_fd: the same file, opened with O_DIRECT; -1 is as vyre_file_io_start()
 * @offset: where to start, aligned as the file's O_DIRECT reads have to be
 * @destination: (not nullable): where to put the bytes, aligned likewise
 * @length: bytes to read, a multiple of the alignment
 * @error: return location for an error
 *
 * As vyre_file_io_start(), past the page cache. A read that the file system refuses with EINVAL
 * goes through @fd, and so does the rest of a short read, which is no longer aligned. The caller
 * leaves both descriptors alone until the read is finished.
 *
 * Returns: (transfer full) (nullable): as of vyre_file_io_start()
 */
VyreFileRead *vyre_file_io_start_direct (VyreFileIo *file_io, int fd, int direct_fd, guint64 offset,
    void *destination, gsize length, GError **error);

/**
 * vyre_file_io_finish:
 * @file_io: a #VyreFileIo
 * @read: (transfer full): a read that was started on it
 * @bytes_read: (out) (optional): bytes that arrived; when %TRUE is returned,
 *     less than was asked for only where the file ends
 * @error: return location for an error
 *
 * Waits until a read is done. May be called from any thread, once.
 *
 * %VYRE_ERROR_IO names the failure and its offset; the @bytes_read bytes before it arrived. If the
 * ring itself fails, as it does when a process forbids itself io_uring later, this and all further
 * reads fail. A read in flight fails once Linux has let go of its destination: no byte is written
 * there after this call has returned.
 *
 * A read that a parent of this process started is %VYRE_ERROR_FORKED, and its memory stays as it
 * is.
 *
 * Returns: whether everything up to the end of the range or of the file was read
 */
gboolean vyre_file_io_finish (
    VyreFileIo *file_io, VyreFileRead *read, gsize *bytes_read, GError **error);

/**
 * vyre_file_io_read:
 * @file_io: a #VyreFileIo
 * @fd: as vyre_file_io_start() wants it
 * @offset: where to start, in bytes from the start of the file
 * @destination: (not nullable): where to put the bytes, in registered memory or elsewhere
 * @length: bytes to read
 * @bytes_read: (out) (optional): as of vyre_file_io_finish()
 * @error: return location for an error
 *
 * Calls vyre_file_io_start() and vyre_file_io_finish().
 *
 * Returns: whether everything up to @length or the end of the file was read; otherwise an
 *     error of one of the two
 */
gboolean vyre_file_io_read (VyreFileIo *file_io, int fd, guint64 offset, void *destination,
    gsize length, gsize *bytes_read, GError **error);

/**
 * vyre_file_io_get_mode:
 * @file_io: a #VyreFileIo
 *
 * Fixed from vyre_file_io_new() on. May be called from any thread.
 *
 * Returns: the rung that is in use
 */
VyreReadMode vyre_file_io_get_mode (const VyreFileIo *file_io);

/**
 * vyre_file_io_is_registered:
 * @file_io: a #VyreFileIo
 *
 * Fixed from vyre_file_io_new() on. May be called from any thread.
 *
 * Returns: whether the memory is registered with Linux as reads want it, and reads into it are
 *     submitted as READ_FIXED
 */
gboolean vyre_file_io_is_registered (const VyreFileIo *file_io);

/**
 * vyre_file_io_get_reason:
 * @file_io: a #VyreFileIo
 *
 * Fixed from vyre_file_io_new() on. May be called from any thread.
 *
 * Returns: (nullable) (transfer none): %NULL when the best rung is in use and the
 *     memory, if there is any, may be registered; else the refusal and its reason, ending in
 *     "Fix: …", valid as long as @file_io
 */
const char *vyre_file_io_get_reason (const VyreFileIo *file_io);

/**
 * vyre_file_io_get_counters:
 * @file_io: a #VyreFileIo
 * @counters: (out caller-allocates): the counters of one moment
 *
 * Reads the counters. reads_submitted is fixed_reads plus ring_reads plus plain_reads, and when no
 * read is in flight also reads_completed plus reads_failed. A read that is only tried again, after
 * EINTR or EAGAIN or without O_DIRECT, counts once; so does a byte in bytes_submitted however often
 * a short read is continued. In a child of the process that made @file_io all are 0. May be called
 * from any thread.
 */
void vyre_file_io_get_counters (VyreFileIo *file_io, VyreFileIoCounters *counters);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreFileIo, vyre_file_io_free)

G_END_DECLS

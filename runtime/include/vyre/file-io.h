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
#include "vyre/read-mode.h"

G_BEGIN_DECLS

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
typedef struct _VyreFileRead VyreFileRead;

/**
 * vyre_file_io_new:
 * @arena: (nullable): the memory that most reads go to; it stays the caller's and must
 *     outlive the file I/O
 * @size: bytes in @arena; with 0 nothing is registered
 * @first_rung: the rung of the ladder to start at, %VYRE_READ_MODE_SINGLE_ISSUER for the best
 *
 * Starts an I/O thread with the best means of reading that the kernel allows,
 * and returns when they are set up: that takes some 10 ms longer where the kernel
 * is short of lockable memory. Where no thread can be made, each transfer is made by who
 * starts it. It never fails: vyre_file_io_get_mode(),
 * vyre_file_io_is_registered() and vyre_file_io_get_reason() say what came of it.
 * May be called from any thread.
 *
 * Returns: (transfer full): a #VyreFileIo; free it with vyre_file_io_free()
 */
VyreFileIo *vyre_file_io_new (void *arena, gsize size, VyreReadMode first_rung);

/**
 * vyre_file_io_free:
 * @file_io: (nullable) (transfer full): a #VyreFileIo
 *
 * Waits for the reads that other threads are in, stops the I/O thread and
 * unregisters the arena. No read may be started any more. One of a process that this one was
 * forked from is left alone.
 */
void vyre_file_io_free (VyreFileIo *file_io);

/**
 * vyre_file_io_start:
 * @file_io: a #VyreFileIo
 * @fd: a file that has offsets: a regular file or a block device, say. A pipe or
 *     socket is refused with ESPIPE. Its file position is neither used nor moved.
 * @offset: where to start, in bytes from the start of the file
 * @destination: (not nullable): where to put the bytes, inside the arena or anywhere
 * @length: bytes to read
 * @error: return location for an error
 *
 * Starts to read from a file. Reads overtake each other, whoever started them;
 * 63 are made at the same time and further ones wait for their turn.
 * @fd and @destination must be left alone until the read is finished. May be called from
 * any thread.
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
 * As vyre_file_io_start(), past the page cache. What the file system refuses with EINVAL
 * is read through @fd, and so is what a short read leaves over, which is aligned no more.
 * Both descriptors must be left alone until the read is finished.
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
 * %VYRE_ERROR_IO says what failed and at which offset; @bytes_read bytes before
 * it arrived. If the
 * ring itself fails, as it does when a process forbids itself io_uring later,
 * this and all further reads fail, those in flight once Linux has let go of their
 * destinations: nothing is written to @read's destination after this has returned.
 *
 * A read that was started in a process that this one was forked from is %VYRE_ERROR_FORKED, and
 * its memory is left alone.
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
 * @destination: (not nullable): where to put the bytes, inside the arena or anywhere
 * @length: bytes to read
 * @bytes_read: (out) (optional): as of vyre_file_io_finish()
 * @error: return location for an error
 *
 * vyre_file_io_start() and vyre_file_io_finish() in one.
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
 * It is decided when the file I/O is made. May be called from any thread.
 *
 * Returns: the rung that is in use
 */
VyreReadMode vyre_file_io_get_mode (const VyreFileIo *file_io);

/**
 * vyre_file_io_is_registered:
 * @file_io: a #VyreFileIo
 *
 * It is decided when the file I/O is made. May be called from any thread.
 *
 * Returns: whether the arena is registered with the kernel, and reads into it are
 *     submitted as READ_FIXED
 */
gboolean vyre_file_io_is_registered (const VyreFileIo *file_io);

/**
 * vyre_file_io_get_reason:
 * @file_io: a #VyreFileIo
 *
 * It is decided when the file I/O is made. May be called from any thread.
 *
 * Returns: (nullable) (transfer none): %NULL when the best rung is in use and the
 *     arena, if there is one, is registered; else what was refused and why, ending in
 *     "Fix: …", valid as long as @file_io
 */
const char *vyre_file_io_get_reason (const VyreFileIo *file_io);

/**
 * vyre_file_io_get_counters:
 * @file_io: a #VyreFileIo
 * @counters: (out caller-allocates): what was counted so far
 *
 * The values belong to one moment. When no read is in flight, reads_submitted
 * is reads_completed plus reads_failed; it always is fixed_reads plus
 * ring_reads plus plain_reads. A read that is only tried again, after EINTR or
 * EAGAIN or without O_DIRECT, is counted once; a byte in bytes_submitted is
 * counted once however often a short read is continued. Of a #VyreFileIo of a process that this one
 * was forked from, all are 0. May be called from any
 * thread.
 */
void vyre_file_io_get_counters (VyreFileIo *file_io, VyreFileIoCounters *counters);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreFileIo, vyre_file_io_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:file
 * @title: Regular files
 * @short_description: Opens regular files, and no others; writes without signals
 *
 * Paths that come from outside can name anything. Only regular files are opened; a FIFO, device or
 * socket does not notice that it was named. Some regular files do not report their size.
 */

#include <glib.h>

G_BEGIN_DECLS

/**
 * vyre_file_open:
 * @path: (type filename): a path of the process
 * @flags: flags of open(2); O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added. A file that O_CREAT
 *   makes has mode 0600
 *
 * Opens a regular file. FIFOs, devices and sockets are not opened, not even for a moment, and so do
 * not notice the call. The call waits for the storage alone. May be called from any thread.
 *
 * Returns: a descriptor, or -1 with errno as of open(2): EISDIR for a folder, ENODEV for any
 *   other kind of file
 */
int vyre_file_open (const char *path, int flags);

/**
 * vyre_file_tells_size:
 * @fd: a regular file that is open for reading
 *
 * Tells whether a file has as many bytes as fstat(2) reports. Files of /proc report none and files
 * of /sys report a page, so a caller reads such a file to its end. The call reads at most one byte
 * and keeps the position of the descriptor. May be called from any thread.
 *
 * Returns: whether the file tells its size; %TRUE if it cannot be read
 */
gboolean vyre_file_tells_size (int fd);

/**
 * vyre_file_write:
 * @fd: a descriptor that is open for writing
 * @data: the bytes
 * @size: how many bytes
 *
 * Writes as write(2) does, without the signals that would end the process: a file that may not grow
 * is EFBIG, and a pipe that nobody reads is EPIPE. May be called from any thread.
 *
 * Returns: how many bytes were written, or -1 with errno
 */
gssize vyre_file_write (int fd, const void *data, gsize size);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files whose paths come from outside. Only regular files are opened; a FIFO, a device or a socket
 * does not notice that it was named. Some regular files do not tell their size.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * vyre_file_open:
 * @path: (type filename): a path of the process
 * @flags: flags of open(2). O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added; a file that O_CREAT makes
 *   has mode 0600
 *
 * Opens a regular file. A FIFO, a device or a socket is not opened, not even for a moment, and so
 * does not notice. Waits for nothing but the storage. May be called from any thread.
 *
 * Returns: a descriptor, or -1 with errno as of open(2), which is EISDIR for a folder and
 *   ENODEV for anything else that is no regular file
 */
int vyre_file_open (const char *path, int flags);

/**
 * vyre_file_tells_size:
 * @fd: a regular file that is open for reading
 *
 * Asks whether the file has as many bytes as fstat(2) says. Files of /proc claim to be empty and
 * files of /sys to have a page, whatever their contents: such a file has to be read to its end.
 * At most one byte is read, and the file position does not change. May be called from any thread.
 *
 * Returns: %TRUE when fstat(2) tells the size, or cannot be asked
 */
gboolean vyre_file_tells_size (int fd);

G_END_DECLS

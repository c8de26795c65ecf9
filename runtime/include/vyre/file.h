/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files as paths from outside name them: only regular ones are opened, and what is none
 * does not notice that it was named. Some regular files do not say how long they are.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * vyre_file_open:
 * @path: (type filename): a path of the process
 * @flags: as of open(2): how to open it. O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added; a file
 *   that O_CREAT makes is its owner's alone, of mode 0600
 *
 * Opens a regular file. What is none is not opened, not even for a moment, and so does not
 * notice: FIFOs, devices and sockets. Nothing is waited for but the storage. May be called from
 * any thread.
 *
 * Returns: a descriptor, or -1 with errno as of open(2), which is EISDIR for a folder and
 *   ENODEV for what else is no regular file
 */
int vyre_file_open (const char *path, int flags);

/**
 * vyre_file_tells_size:
 * @fd: a regular file that is open for reading
 *
 * Whether the file has as many bytes as fstat(2) says. Those of /proc say that they are empty,
 * those of /sys that they have a page, whatever is in them: such a file is read to its end. At
 * most one byte is read, where the descriptor stands does not change. May be called from any
 * thread.
 *
 * Returns: whether it does; %TRUE of what cannot be looked at
 */
gboolean vyre_file_tells_size (int fd);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opens regular files and nothing else. The open of a FIFO wakes the process at its other end, and
 * the open of a device may do anything: a tape winds back, a watchdog starts. So a path is first
 * resolved to an O_PATH descriptor, which opens nothing. A regular file is then opened through
 * that descriptor: the file that was looked at.
 */
#include "files/open-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/beneath.h"
#include "files/size-guard.h"

/* Mode of new files: only their owner may use them. */
#define FILE_MODE 0600

/* The largest size that a file system claims for a file whose bytes it makes up: a page. */
#define FILE_MADE_UP ((off_t)4096)

/* Bytes that are read at a time from a file without a size. */
#define FILE_PIECE 65536

static int
file_open_at (int root, const char *path, int flags)
{
  return root == VYRE_NO_ROOT ? (int)TEMP_FAILURE_RETRY (open (path, flags, FILE_MODE))
                              : vyre_open_beneath (root, path, flags, FILE_MODE);
}

/* 0 for a regular file; an errno for anything else. */
static int
file_check (int fd)
{
  struct stat status;

  if (fstat (fd, &status) != 0)
    return errno;
  if (S_ISREG (status.st_mode))
    return 0;
  return S_ISDIR (status.st_mode) ? EISDIR : S_ISLNK (status.st_mode) ? ELOOP : ENODEV;
}

/* Returns @fd when @error is 0. Otherwise closes @fd, sets errno to @error and returns -1. */
static int
file_close_if (int fd, int error)
{
  if (error == 0)
    return fd;
  close (fd);
  errno = error;
  return -1;
}

/* Opens the file that the O_PATH descriptor @place refers to; ENOENT where there is no /proc. */
static int
file_open_place (int place, int flags)
{
  char path[64];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", place);
  return (int)TEMP_FAILURE_RETRY (open (path, flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)));
}

/* As vyre_file_open(), for a path beneath the folder @root; EXDEV when the path leaves @root. With
 * VYRE_NO_ROOT the path is one of the process. */
int
vyre_file_open_in (int root, const char *path, int flags)
{
  flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int place = file_open_at (root, path, O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW));
  if (place < 0 && (errno != ENOENT || !(flags & O_CREAT)))
    return -1;
  if (place < 0) { /* the file is new, or appeared just now */
    int made = file_open_at (root, path, flags);
    return made < 0 ? made : file_close_if (made, file_check (made));
  }
  int error = file_check (place);
  if (error != 0)
    return file_close_if (place, error);
  int fd = file_open_place (place, flags);
  if (fd < 0 && errno == ENOENT)
    fd = file_open_at (root, path, flags);
  error = fd < 0 ? errno : file_check (fd);
  close (place);
  if (fd >= 0)
    return file_close_if (fd, error);
  errno = error;
  return -1;
}

int
vyre_file_open (const char *path, int flags)
{
  g_return_val_if_fail (path, -1);
  return vyre_file_open_in (VYRE_NO_ROOT, path, flags);
}

/* The text for an errno of vyre_file_open(). */
const char *
vyre_file_explain (int error)
{
  return error == ENODEV || error == EISDIR ? "not a regular file" : g_strerror (error);
}

gboolean
vyre_file_tells_size (int fd)
{
  struct stat status;
  char byte;

  if (fstat (fd, &status) != 0 || status.st_size > FILE_MADE_UP)
    return TRUE;
  if (status.st_size == 0)
    return TEMP_FAILURE_RETRY (pread (fd, &byte, 1, 0)) == 0;
  return TEMP_FAILURE_RETRY (pread (fd, &byte, 1, status.st_size - 1)) != 0;
}

gssize
vyre_file_write (int fd, const void *data, gsize size)
{
  VyreSizeGuard guard;

  vyre_size_guard_begin (&guard);
  gssize n = write (fd, data, size);
  vyre_size_guard_end (&guard);
  return n;
}

static gboolean
file_write_all (int fd, const char *data, gsize size)
{
  gssize n = 1;

  for (gsize done = 0; done < size && n > 0; done += (gsize)MAX (n, 0))
    n = TEMP_FAILURE_RETRY (write (fd, data + done, size - done));
  return n > 0;
}

/* Copies @from to @to: all of it, or @most bytes and one more. */
static gboolean
file_copy_all (int from, int to, gsize most, gsize *size)
{
  g_autofree char *piece = g_malloc (FILE_PIECE);
  gssize n = 1;

  for (*size = 0; n > 0 && *size <= most; *size += (gsize)MAX (n, 0)) {
    gsize wanted = most - *size >= FILE_PIECE ? FILE_PIECE : most - *size + 1;
    n = TEMP_FAILURE_RETRY (pread (from, piece, wanted, (off_t)*size));
    if (n > 0 && !file_write_all (to, piece, (gsize)n))
      return FALSE;
  }
  return n >= 0;
}

/* Returns a descriptor of a copy in memory, for a file that does not tell its size. The copy of a
 * file of more than @most bytes has @most and one more. Returns -1 with errno on failure. */
int
vyre_file_copy_out (int fd, gsize most, gsize *size)
{
  int copy = memfd_create ("vyre-file", MFD_CLOEXEC);

  if (copy < 0)
    return -1;
  return file_close_if (copy, file_copy_all (fd, copy, most, size) ? 0 : errno);
}

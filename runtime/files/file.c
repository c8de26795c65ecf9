/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To open a FIFO wakes who waits for its other end, and to open a device may do anything: a
 * tape winds back, a watchdog starts. So a path is resolved first, to a descriptor that says
 * what is there and opens nothing, and what is opened then is what was looked at.
 */
#include "files/open-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/beneath.h"

/* Of files that are made, which are their owner's affair. */
#define MODE 0600

/* No file system says that what it makes up has more than a page. */
#define MADE_UP ((off_t)4096)

/* Bytes of a file without a size that are read at a time. */
#define PIECE 65536

static int
open_at (int root, const char *path, int flags)
{
  return root == VYRE_NO_ROOT ? (int)TEMP_FAILURE_RETRY (open (path, flags, MODE))
                              : vyre_open_beneath (root, path, flags, MODE);
}

/* 0 for a regular file, or the errno of whatever else @fd is. */
static int
look (int fd)
{
  struct stat status;

  if (fstat (fd, &status) != 0)
    return errno;
  if (S_ISREG (status.st_mode))
    return 0;
  return S_ISDIR (status.st_mode) ? EISDIR : S_ISLNK (status.st_mode) ? ELOOP : ENODEV;
}

/* Closes @fd unless @error is 0, which becomes errno. */
static int
close_if (int fd, int error)
{
  if (error == 0)
    return fd;
  close (fd);
  errno = error;
  return -1;
}

/* What @place refers to, anew; ENOENT where there is no /proc. */
static int
open_place (int place, int flags)
{
  char path[64];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", place);
  return (int)TEMP_FAILURE_RETRY (open (path, flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)));
}

/* As vyre_file_open(), of a path below the folder @root, which it does not leave, unless that is
 * VYRE_NO_ROOT. EXDEV: it would. */
int
vyre_file_open_in (int root, const char *path, int flags)
{
  flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int place = open_at (root, path, O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW));
  if (place < 0 && (errno != ENOENT || !(flags & O_CREAT)))
    return -1;
  if (place < 0) { /* a file that is made, or came just now */
    int made = open_at (root, path, flags);
    return made < 0 ? made : close_if (made, look (made));
  }
  int error = look (place);
  if (error != 0)
    return close_if (place, error);
  int fd = open_place (place, flags);
  if (fd < 0 && errno == ENOENT)
    fd = open_at (root, path, flags);
  error = fd < 0 ? errno : look (fd);
  close (place);
  if (fd >= 0)
    return close_if (fd, error);
  errno = error;
  return -1;
}

int
vyre_file_open (const char *path, int flags)
{
  g_return_val_if_fail (path, -1);
  return vyre_file_open_in (VYRE_NO_ROOT, path, flags);
}

/* What an errno of the above says, in words. */
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

  if (fstat (fd, &status) != 0 || status.st_size > MADE_UP)
    return TRUE;
  if (status.st_size == 0)
    return TEMP_FAILURE_RETRY (pread (fd, &byte, 1, 0)) == 0;
  return TEMP_FAILURE_RETRY (pread (fd, &byte, 1, status.st_size - 1)) != 0;
}

static gboolean
write_all (int fd, const char *data, gsize size)
{
  gssize n = 1;

  for (gsize done = 0; done < size && n > 0; done += (gsize)MAX (n, 0))
    n = TEMP_FAILURE_RETRY (write (fd, data + done, size - done));
  return n > 0;
}

/* Moves all that is in @from, or a byte more than @most, to @to. */
static gboolean
move_all (int from, int to, gsize most, gsize *size)
{
  g_autofree char *piece = g_malloc (PIECE);
  gssize n = 1;

  for (*size = 0; n > 0 && *size <= most; *size += (gsize)MAX (n, 0)) {
    gsize wanted = most - *size >= PIECE ? PIECE : most - *size + 1;
    n = TEMP_FAILURE_RETRY (pread (from, piece, wanted, (off_t)*size));
    if (n > 0 && !write_all (to, piece, (gsize)n))
      return FALSE;
  }
  return n >= 0;
}

/* A copy of @fd in memory, as it is now, for a file that does not say how long it is. Of one of
 * more than @most bytes it has a byte more. -1 with errno if there is none. */
int
vyre_file_copy_out (int fd, gsize most, gsize *size)
{
  int copy = memfd_create ("vyre-file", MFD_CLOEXEC);

  if (copy < 0)
    return -1;
  return close_if (copy, move_all (fd, copy, most, size) ? 0 : errno);
}

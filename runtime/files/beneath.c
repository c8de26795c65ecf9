/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The system resolves such a path itself with openat2(). Where that call is missing, or a
 * filter of system calls does not know it, each component is opened by itself: none of them
 * can be exchanged for another one between a look at it and its use.
 */
#include "files/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The system gives up at a "..", too, when folders are being moved about. */
#define TRIES 64

/* As the system has it. */
#define MOST_LINKS 40

/* Folders below the root that one path may lead through. */
#define MOST_FOLDERS 64

typedef struct {
  int folders[1 + MOST_FOLDERS]; /* from the root to where the path has come */
  guint depth;
  guint n_links;
  char *rest; /* what is left of the path */
  int fd;     /* at the end */
} Walk;

static gboolean
fail (int error)
{
  errno = error;
  return FALSE;
}

static void
take_rest (Walk *walk, char *rest)
{
  g_free (walk->rest);
  walk->rest = rest;
}

/* The next component, "" at the end. */
static char *
take_component (Walk *walk)
{
  const char *start = walk->rest + strspn (walk->rest, "/");
  gsize length = strcspn (start, "/");
  char *component = g_strndup (start, length);

  take_rest (walk, g_strdup (start + length));
  return component;
}

static gboolean
leave_folder (Walk *walk)
{
  if (walk->depth == 0)
    return fail (EXDEV);
  close (walk->folders[walk->depth--]);
  return TRUE;
}

static gboolean
enter_folder (Walk *walk, int folder)
{
  if (walk->depth == MOST_FOLDERS) {
    close (folder);
    return fail (ENAMETOOLONG);
  }
  walk->folders[++walk->depth] = folder;
  return TRUE;
}

/* Goes on with what the link @name says, if it is one. Those of /proc that are none read as
 * absolute ones, or lead nowhere. */
static gboolean
follow_link (Walk *walk, const char *name)
{
  char target[PATH_MAX];
  ssize_t length = readlinkat (walk->folders[walk->depth], name, target, sizeof target);

  if (length < 0)
    return fail (errno == EINVAL ? ENOTDIR : errno);
  if (length == sizeof target)
    return fail (ENAMETOOLONG);
  if (++walk->n_links > MOST_LINKS)
    return fail (ELOOP);
  if (length > 0 && target[0] == '/')
    return fail (EXDEV);
  take_rest (walk, g_strdup_printf ("%.*s%s", (int)length, target, walk->rest));
  return TRUE;
}

/* With O_PATH a link itself can be opened. */
static gboolean
is_link (int fd)
{
  struct stat status;

  return fstat (fd, &status) == 0 && S_ISLNK (status.st_mode);
}

/* Whether there is more to do; if not, there is a descriptor, or errno. */
static gboolean
step (Walk *walk, int flags, mode_t mode)
{
  g_autofree char *name = take_component (walk);
  gboolean last = *walk->rest == '\0';
  int how = last ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

  if (*name == '\0') /* the path ended in a folder */
    return fail (EISDIR);
  if (strcmp (name, ".") == 0)
    return TRUE;
  if (strcmp (name, "..") == 0)
    return leave_folder (walk);
  int fd = (int)TEMP_FAILURE_RETRY (openat (walk->folders[walk->depth], name, how, mode));
  if (fd >= 0 && !last)
    return enter_folder (walk, fd);
  if (fd >= 0 && is_link (fd) && !(flags & O_NOFOLLOW)) {
    close (fd);
    return follow_link (walk, name);
  }
  walk->fd = fd;
  if (fd >= 0 || (errno != ELOOP && errno != ENOTDIR) || (last && (flags & O_NOFOLLOW)))
    return FALSE;
  return follow_link (walk, name);
}

static int
open_by_hand (int root, const char *path, int flags, mode_t mode)
{
  Walk walk = { .folders = { root }, .rest = g_strdup (path), .fd = -1 };

  while (step (&walk, flags, mode))
    ;
  int error = errno;
  while (walk.depth > 0)
    close (walk.folders[walk.depth--]);
  g_free (walk.rest);
  errno = error;
  return walk.fd;
}

/* Opens @path, which is relative, below the folder @root as openat() does: with neither "..",
 * nor a link, does it leave that folder, whatever others change meanwhile; of the links of
 * /proc that are none it follows none. -1 with errno, which is EXDEV for what leads out. */
int
vyre_open_beneath (int root, const char *path, int flags, mode_t mode)
{
  const struct open_how how = {
    .flags = (guint64)flags,
    .mode = flags & O_CREAT ? mode : 0,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };

  if (*path == '/') {
    errno = EXDEV;
    return -1;
  }
  for (guint i = 0; i < TRIES; i++) {
    int fd = (int)syscall (SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 && (errno == EAGAIN || errno == EINTR))
      continue;
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
      return fd;
    break;
  }
  return open_by_hand (root, path, flags, mode);
}

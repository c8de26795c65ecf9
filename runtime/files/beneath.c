/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Linux resolves a path beneath a folder with openat2(). Where that call is missing, or a filter of
 * system calls does not know it, each component is opened by itself: nobody can exchange a
 * component between the look at it and its use.
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

/* Tries of openat2(), which gives up at a ".." while other processes move folders. */
#define WALK_TRIES 64

/* Links that one path may lead through, as in Linux. */
#define WALK_MOST_LINKS 40

/* Folders below the root that one path may lead through. */
#define WALK_MOST_FOLDERS 64

typedef struct {
  int folders[1 + WALK_MOST_FOLDERS]; /* from the root to the current one */
  guint depth;
  guint n_links;
  char *rest; /* of the path */
  int fd;     /* of the file; -1: not opened */
} Walk;

static gboolean
walk_fail (int error)
{
  errno = error;
  return FALSE;
}

static void
walk_take_rest (Walk *walk, char *rest)
{
  g_free (walk->rest);
  walk->rest = rest;
}

/* Takes the next component off the path; "" at the end. */
static char *
walk_take_component (Walk *walk)
{
  const char *start = walk->rest + strspn (walk->rest, "/");
  gsize length = strcspn (start, "/");
  char *component = g_strndup (start, length);

  walk_take_rest (walk, g_strdup (start + length));
  return component;
}

static gboolean
walk_leave_folder (Walk *walk)
{
  if (walk->depth == 0)
    return walk_fail (EXDEV);
  close (walk->folders[walk->depth--]);
  return TRUE;
}

static gboolean
walk_enter_folder (Walk *walk, int folder)
{
  if (walk->depth == WALK_MOST_FOLDERS) {
    close (folder);
    return walk_fail (ENAMETOOLONG);
  }
  walk->folders[++walk->depth] = folder;
  return TRUE;
}

/* Puts the target of the link @name in front of the rest of the path. The magic links of /proc read
 * as absolute paths, which leave the root, or name no file. */
static gboolean
walk_follow_link (Walk *walk, const char *name)
{
  char target[PATH_MAX];
  ssize_t length = readlinkat (walk->folders[walk->depth], name, target, sizeof target);

  if (length < 0)
    return walk_fail (errno == EINVAL ? ENOTDIR : errno);
  if (length == sizeof target)
    return walk_fail (ENAMETOOLONG);
  if (++walk->n_links > WALK_MOST_LINKS)
    return walk_fail (ELOOP);
  if (length > 0 && target[0] == '/')
    return walk_fail (EXDEV);
  walk_take_rest (walk, g_strdup_printf ("%.*s%s", (int)length, target, walk->rest));
  return TRUE;
}

/* TRUE for a descriptor of a link itself, which O_PATH opens. */
static gboolean
walk_is_link (int fd)
{
  struct stat status;

  return fstat (fd, &status) == 0 && S_ISLNK (status.st_mode);
}

/* Takes one component. TRUE when more follow; FALSE at the end, with walk->fd, or -1 and errno. */
static gboolean
walk_step (Walk *walk, int flags, mode_t mode)
{
  g_autofree char *name = walk_take_component (walk);
  gboolean last = *walk->rest == '\0';
  int how = last ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

  if (*name == '\0') /* the path ended in a folder */
    return walk_fail (EISDIR);
  if (strcmp (name, ".") == 0)
    return TRUE;
  if (strcmp (name, "..") == 0)
    return walk_leave_folder (walk);
  int fd = (int)TEMP_FAILURE_RETRY (openat (walk->folders[walk->depth], name, how, mode));
  if (fd >= 0 && !last)
    return walk_enter_folder (walk, fd);
  if (fd >= 0 && walk_is_link (fd) && !(flags & O_NOFOLLOW)) {
    close (fd);
    return walk_follow_link (walk, name);
  }
  walk->fd = fd;
  if (fd >= 0 || (errno != ELOOP && errno != ENOTDIR) || (last && (flags & O_NOFOLLOW)))
    return FALSE;
  return walk_follow_link (walk, name);
}

static int
walk_open (int root, const char *path, int flags, mode_t mode)
{
  Walk walk = { .folders = { root }, .rest = g_strdup (path), .fd = -1 };

  while (walk_step (&walk, flags, mode))
    ;
  int error = errno;
  while (walk.depth > 0)
    close (walk.folders[walk.depth--]);
  g_free (walk.rest);
  errno = error;
  return walk.fd;
}

/* Opens the relative @path beneath the folder @root as openat() does. Neither ".." nor a link
 * leaves
 * @root, whatever other processes change meanwhile, and the magic links of /proc are not followed.
 * Returns -1 with errno, which is EXDEV for a path that leads out. */
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
  for (guint i = 0; i < WALK_TRIES; i++) {
    int fd = (int)syscall (SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 && (errno == EAGAIN || errno == EINTR))
      continue;
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
      return fd;
    break;
  }
  return walk_open (root, path, flags, mode);
}

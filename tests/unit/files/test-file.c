/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opening files: regular files open, whatever their names look like; another file does not see the
 * attempt; a write raises no signal; and a file that does not tell its size is known for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/open-file.h"
#include "vyre/vyre.h"

static char *dir;

static char *
in_dir (const char *name)
{
  return g_build_filename (dir, name, NULL);
}

static void
assert_refused (const char *path, int flags, int error)
{
  int fd = vyre_file_open (path, flags);

  g_assert_cmpint (fd, ==, -1);
  g_assert_cmpint (errno, ==, error);
}

static void
assert_opened (const char *path, int flags)
{
  int fd = vyre_file_open (path, flags);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, !=, 0);
  close (fd);
}

static void
test_regular (void)
{
  g_autofree char *path = in_dir ("file"), *link = in_dir ("link"), *folder = in_dir ("folder");
  struct stat status;
  char text[8] = "";

  assert_refused (path, O_RDONLY, ENOENT);
  assert_opened (path, O_WRONLY | O_CREAT);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  g_assert_cmpint (symlink ("file", link), ==, 0);
  int fd = vyre_file_open (link, O_RDWR | O_APPEND);
  g_assert_cmpint (write (fd, "text", 4), ==, 4);
  close (fd);
  fd = vyre_file_open (path, O_RDONLY);
  g_assert_cmpint (read (fd, text, sizeof text), ==, 4);
  close (fd);
  assert_refused (link, O_RDONLY | O_NOFOLLOW, ELOOP);
  assert_opened (link, O_RDWR | O_CREAT | O_TRUNC);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, 0);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  assert_refused (folder, O_RDONLY, EISDIR);
  g_unlink (link);
  g_unlink (path);
  g_rmdir (folder);
}

/* TRUE when the watched file was opened since the last call. */
static gboolean
was_opened (int watch)
{
  char events[4096];

  return read (watch, events, sizeof events) > 0;
}

static void
test_not_noticed (void)
{
  g_autofree char *fifo = in_dir ("fifo");
  int watch = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  GError *error = NULL;

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (inotify_add_watch (watch, fifo, IN_OPEN), >=, 0);
  assert_refused (fifo, O_RDONLY, ENODEV);
  assert_refused (fifo, O_RDWR | O_CREAT, ENODEV);
  g_assert_null (vyre_program_load (fifo, &error));
  g_assert_nonnull (strstr (error->message, "not a regular file"));
  g_clear_error (&error);
  g_assert_null (vyre_replay_log_open (fifo, FALSE, &error));
  g_assert_nonnull (strstr (error->message, "not a regular file"));
  g_clear_error (&error);
  g_assert_null (vyre_replay_log_create (fifo, 10, &error));
  g_clear_error (&error);
  g_assert_false (was_opened (watch));
  close (open (fifo, O_RDONLY | O_NONBLOCK));
  g_assert_true (was_opened (watch));
  assert_refused ("/dev/zero", O_RDONLY, ENODEV);
  close (watch);
  g_unlink (fifo);
}

static void
test_sizes (void)
{
  static const char *const made_up[]
      = { "/proc/version", "/proc/self/status", "/sys/devices/system/cpu/possible" };
  g_autofree char *path = in_dir ("file");

  for (guint i = 0; i < G_N_ELEMENTS (made_up); i++) {
    int fd = vyre_file_open (made_up[i], O_RDONLY);
    g_assert_true (fd >= 0 || errno == ENOENT);
    g_assert_true (fd < 0 || !vyre_file_tells_size (fd));
    if (fd >= 0)
      g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 0);
    close (fd);
  }
  for (gsize size = 0; size <= 2 * 4096; size += 2048) {
    g_autofree char *text = g_malloc0 (size + 1);
    g_assert_true (g_file_set_contents (path, text, (gssize)size, NULL));
    int fd = vyre_file_open (path, O_RDONLY);
    g_assert_true (vyre_file_tells_size (fd));
    close (fd);
  }
  g_unlink (path);
}

static void
test_copy_out (void)
{
  g_autofree char *text = NULL;
  char copied[4096];
  gsize length, size;

  g_assert_true (g_file_get_contents ("/proc/version", &text, &length, NULL));
  int fd = vyre_file_open ("/proc/version", O_RDONLY);
  int copy = vyre_file_copy_out (fd, length, &size);
  g_assert_cmpuint (size, ==, length);
  g_assert_cmpint (pread (copy, copied, sizeof copied, 0), ==, length);
  g_assert_cmpmem (copied, length, text, length);
  close (copy);
  copy = vyre_file_copy_out (fd, 5, &size);
  g_assert_cmpuint (size, ==, 6);
  close (copy);
  close (fd);
}

/* A name may have any bytes, and a message is UTF-8. */
static void
test_names (void)
{
  g_autofree char *path = in_dir ("caf\xe9/log");
  GError *error = NULL;

  for (guint i = 0; i < 6; i++) {
    gpointer made = i == 0   ? (gpointer)vyre_program_load (path, &error)
                    : i == 1 ? (gpointer)vyre_replay_log_open (path, FALSE, &error)
                    : i == 2 ? (gpointer)vyre_replay_log_create (path, 10, &error)
                    : i == 3 ? (gpointer)vyre_replay_log_create (path, 0, &error)
                    : i == 4 ? (gpointer)vyre_access_new (VYRE_ACCESS_ALL, path, &error)
                             : (gpointer)vyre_program_builtin ("caf\xe9", &error);
    g_assert_null (made);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_nonnull (strstr (error->message, "caf"));
    g_clear_error (&error);
  }
}

/* A write that fails says why, and the process lives. */
static void
test_write (void)
{
  int ends[2];
  char bytes[2];

  signal (SIGPIPE, SIG_DFL);
  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_cmpint (vyre_file_write (ends[1], "ab", 2), ==, 2);
  g_assert_cmpint (read (ends[0], bytes, 2), ==, 2);
  g_assert_cmpmem (bytes, 2, "ab", 2);
  close (ends[0]);
  g_assert_cmpint (vyre_file_write (ends[1], "ab", 2), ==, -1);
  g_assert_cmpint (errno, ==, EPIPE);
  close (ends[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  dir = g_dir_make_tmp ("vyre-file-XXXXXX", NULL);
  g_test_add_func ("/file/regular", test_regular);
  g_test_add_func ("/file/not-noticed", test_not_noticed);
  g_test_add_func ("/file/sizes", test_sizes);
  g_test_add_func ("/file/copy-out", test_copy_out);
  g_test_add_func ("/file/names", test_names);
  g_test_add_func ("/file/write", test_write);
  int failed = g_test_run ();
  g_rmdir (dir);
  g_free (dir);
  return failed;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Paths of programs lead to regular files below the root alone, whether the system resolves them
 * or, where openat2() is missing or forbidden, the library does.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc-common.h"
#include "restriction.h"
#include "program/file-name.h"
#include "vyre/plan.h"

/* Openings while another thread exchanges a folder for a link out of the root. */
#define N_RACES 20000

static char *dir;
static char *root;
static VyreAccess *all;

static char *
in_dir (const char *name)
{
  return g_build_filename (dir, name, NULL);
}

static void
make_file (const char *name, const char *text)
{
  g_autofree char *path = in_dir (name);
  GError *error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
make_folder (const char *name)
{
  g_autofree char *path = in_dir (name);

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
}

static void
make_link (const char *name, const char *target)
{
  g_autofree char *path = in_dir (name);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
set_up (void)
{
  GError *error = NULL;

  dir = g_dir_make_tmp ("vyre-access-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *outside = in_dir ("outside"), *inside = in_dir ("root/inside");
  root = in_dir ("root");
  make_file ("outside", "outside");
  make_folder ("elsewhere");
  make_file ("elsewhere/deep", "outside");
  make_folder ("root");
  make_folder ("root/sub");
  make_file ("root/inside", "inside");
  make_file ("root/sub/deep", "deep");
  make_link ("root/link", "inside");
  make_link ("root/sub-link", "sub/.//");
  make_link ("root/sub/up", "../inside");
  make_link ("root/twice", "sub-link/up");
  make_link ("root/out", "../outside");
  make_link ("root/out-folder", "../elsewhere");
  make_link ("root/sub/out", "../../outside");
  make_link ("root/absolute", outside);
  make_link ("root/absolute-inside", inside);
  make_link ("root/loop", "loop");
  make_link ("root/dangling", "nowhere");
  g_autofree char *fifo = in_dir ("root/fifo");
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  all = vyre_access_new (VYRE_ACCESS_ALL, root, &error);
  g_assert_no_error (error);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) names
      = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (names && (name = g_dir_read_name (names))) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_tree (child);
  }
  g_remove (path);
}

/* Reads a file below @access; NULL with @error. */
static char *
read_below (VyreAccess *access, const char *path, GError **error)
{
  VyreFileName name = { access, (char *)path };
  char text[64] = "";
  int fd = vyre_file_name_open (&name, VYRE_RESOURCE_FILE, error);

  if (fd < 0)
    return NULL;
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint (read (fd, text, sizeof text - 1), >=, 0);
  close (fd);
  return g_strdup (text);
}

static const struct {
  const char *path;
  const char *text;   /* NULL: the path is refused */
  const char *reason; /* in the message of the error */
} reads[] = {
  { "inside", "inside", NULL },
  { "./sub//deep", "deep", NULL },
  { "sub/../inside", "inside", NULL },
  { "sub/../sub/./deep", "deep", NULL },
  { "link", "inside", NULL },
  { "sub-link/deep", "deep", NULL },
  { "sub/up", "inside", NULL },
  { "twice", "inside", NULL },
  { "../outside", NULL, "resource-root" },
  { "../root/inside", NULL, "resource-root" },
  { "sub/../../outside", NULL, "resource-root" },
  { "..", NULL, "resource-root" },
  { "out", NULL, "resource-root" },
  { "out-folder/deep", NULL, "resource-root" },
  { "sub/out", NULL, "resource-root" },
  { "sub-link/out", NULL, "resource-root" },
  { "absolute", NULL, "resource-root" },
  { "absolute-inside", NULL, "resource-root" },
  { "/etc/passwd", NULL, "resource-root" },
  { "/", NULL, "resource-root" },
  { "loop", NULL, "link" },
  { "dangling", NULL, "No such file" },
  { "missing", NULL, "No such file" },
  { "missing/../inside", NULL, "No such file" },
  { "inside/deep", NULL, "Not a directory" },
  { "fifo", NULL, "regular file" },
  { "sub", NULL, "regular file" },
};

static void
assert_refused (const GError *error, const char *reason)
{
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, ". Fix: "));
  if (!strstr (error->message, reason))
    g_error ("'%s' does not say '%s'", error->message, reason);
}

static void
check_reads (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (reads); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *text = read_below (all, reads[i].path, &error);
    g_assert_cmpstr (text, ==, reads[i].text);
    if (!text)
      assert_refused (error, reads[i].reason);
  }
}

/* Links of /proc that lead to places that no path names. The library has the system follow none of
 * them, and the error says so; such a link may happen to lead out of the root, but need not. */
static void
check_magic_links (gboolean by_hand)
{
  g_autoptr (VyreAccess) system = vyre_access_new (VYRE_ACCESS_READ, "/", NULL);
  g_autoptr (VyreAccess) own = vyre_access_new (VYRE_ACCESS_READ, "/proc/self", NULL);
  g_autofree char *by_root = g_strdup_printf ("proc/self/root%s/outside", dir);
  g_autofree char *by_own_root = g_strdup_printf ("root%s/outside", dir);
  g_autofree char *outside = in_dir ("outside");
  int fd = open (outside, O_RDONLY | O_CLOEXEC), pipes[2];
  g_assert_cmpint (pipe (pipes), ==, 0);
  g_autofree char *by_fd = g_strdup_printf ("fd/%d", fd);
  g_autofree char *by_pipe = g_strdup_printf ("fd/%d", pipes[0]);
  const struct {
    VyreAccess *access;
    const char *path;
    const char *reason; /* when the library reads such a link by hand */
  } cases[] = { { system, by_root, "resource-root" }, { own, by_own_root, "resource-root" },
    { own, by_fd, "resource-root" }, { own, by_pipe, "No such file" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (read_below (cases[i].access, cases[i].path, &error));
    assert_refused (error, by_hand ? cases[i].reason : "a link that is not followed");
  }
  close (fd);
  close (pipes[0]);
  close (pipes[1]);
}

static int
open_sink (VyreAccess *access, const char *path, GError **error)
{
  VyreFileName name = { access, (char *)path };

  return vyre_file_name_open (&name, VYRE_RESOURCE_SINK, error);
}

static void
assert_no_sink (const char *path, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (open_sink (all, path, &error), ==, -1);
  assert_refused (error, reason);
}

/* No sink opens through a link, and only its owner may open a new one. */
static void
check_sinks (void)
{
  g_autofree char *made = in_dir ("root/sub/made"), *nowhere = in_dir ("root/nowhere");
  g_autofree char *outside = in_dir ("made-outside");
  GError *error = NULL;
  struct stat status;
  mode_t mask = umask (0);
  int fd = open_sink (all, "sub-link/../sub/made", &error);

  umask (mask);
  g_assert_no_error (error);
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_APPEND, ==, O_APPEND);
  close (fd);
  g_assert_cmpint (g_remove (made), ==, 0);
  assert_no_sink ("link", "link");
  assert_no_sink ("out", "link");
  assert_no_sink ("dangling", "link");
  assert_no_sink ("sub/up", "link");
  assert_no_sink ("../made-outside", "resource-root");
  assert_no_sink ("out-folder/made", "resource-root");
  assert_no_sink ("fifo", "Fix: ");
  assert_no_sink ("sub", "Fix: ");
  g_assert_false (g_file_test (nowhere, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (outside, G_FILE_TEST_EXISTS));
}

/* ---- another thread exchanges parts of a path ------------------------------- */

static gint racing;

static gpointer
exchange (gpointer data)
{
  g_autofree char *folder = in_dir ("root/sub"), *link = in_dir ("root/out-folder");

  while (g_atomic_int_get (&racing))
    g_assert_cmpint (
        syscall (SYS_renameat2, AT_FDCWD, folder, AT_FDCWD, link, RENAME_EXCHANGE), ==, 0);
  return NULL;
}

static void
check_races (void)
{
  GThread *thread;
  guint n_read = 0;

  g_atomic_int_set (&racing, TRUE);
  thread = g_thread_new ("exchange", exchange, NULL);
  for (guint i = 0; i < N_RACES; i++) {
    g_autofree char *text = read_below (all, "sub/deep", NULL);
    g_assert_true (!text || strcmp (text, "deep") == 0);
    n_read += text != NULL;
  }
  g_atomic_int_set (&racing, FALSE);
  g_thread_join (thread);
  g_test_message ("%u of %u were read", n_read, N_RACES);
  g_autofree char *folder = in_dir ("root/sub"), *link = in_dir ("root/out-folder");
  if (g_file_test (folder, G_FILE_TEST_IS_SYMLINK))
    g_assert_cmpint (
        syscall (SYS_renameat2, AT_FDCWD, folder, AT_FDCWD, link, RENAME_EXCHANGE), ==, 0);
}

/* A root stays the folder that it was when it was opened. */
static void
check_renamed_root (void)
{
  g_autofree char *moved = in_dir ("moved"), *elsewhere = in_dir ("elsewhere");
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_rename (root, moved), ==, 0);
  g_assert_cmpint (symlink (elsewhere, root), ==, 0);
  g_autofree char *text = read_below (all, "sub/deep", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "deep");
  g_assert_cmpint (g_remove (root), ==, 0);
  g_assert_cmpint (g_rename (moved, root), ==, 0);
}

/* The system follows paths of any depth; by hand there is a limit, and its error says so. */
static void
check_depth (gboolean by_hand)
{
  static const guint depths[] = { 1, 63, 64, 65, 66, 100, 200 };
  g_autoptr (GString) path = g_string_new ("root");

  for (guint i = 0, depth = 0; i < G_N_ELEMENTS (depths); i++) {
    for (; depth < depths[i]; depth++) {
      g_string_append (path, "/d");
      make_folder (path->str);
    }
    g_autofree char *file = g_strconcat (path->str, "/file", NULL);
    g_autoptr (GError) error = NULL;
    make_file (file, "deep");
    g_autofree char *text = read_below (all, file + strlen ("root/"), &error);
    g_assert_cmpstr (text, ==, by_hand && depth > 64 ? NULL : "deep");
    if (!text)
      assert_refused (error, "too long");
  }
}

static void
check_all (gboolean by_hand)
{
  set_up ();
  guint n_open = count_entries (PROC_FILES);
  check_reads ();
  check_depth (by_hand);
  g_assert_cmpuint (count_entries (PROC_FILES), ==, n_open);
  check_magic_links (by_hand);
  check_sinks ();
  check_races ();
  check_renamed_root ();
  vyre_access_unref (all);
  remove_tree (dir);
  g_free (root);
  g_free (dir);
}

/* Opens files with openat2() where the system has it, and without: 0 refuses no call. */
static void
test_opening (gconstpointer data)
{
  int refusal = GPOINTER_TO_INT (data);

  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 120 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed ();
    return;
  }
  if (refusal != 0)
    g_assert_true (restriction_refuse (SYS_openat2, SYS_openat2, refusal));
  check_all (refusal != 0);
}

/* ---- without a root, and equal names ----------------------------------------- */

static void
test_whole_system (void)
{
  g_autoptr (VyreAccess) access = vyre_access_new (VYRE_ACCESS_ALL, NULL, NULL);

  set_up ();
  g_autofree char *link = in_dir ("root/absolute"), *sink = in_dir ("sink");
  g_autofree char *text = read_below (access, link, NULL);
  g_assert_cmpstr (text, ==, "outside");
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (open_sink (access, link, &error), ==, -1);
  assert_refused (error, "link");
  mode_t mask = umask (0);
  int fd = open_sink (access, sink, NULL);
  umask (mask);
  struct stat status;
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  close (fd);
  vyre_access_unref (all);
  remove_tree (dir);
  g_free (root);
  g_free (dir);
}

/* The same path in another folder is another file, also in a folder of another file system that
 * has the same number. Below the same folder it is the same file, by whatever name that was opened
 * and whatever it grants. */
static void
test_names (void)
{
  set_up ();
  g_autofree char *sub = in_dir ("root/sub"), *again = in_dir ("root/sub-link");
  g_autoptr (VyreAccess) none = vyre_access_new (VYRE_ACCESS_READ, NULL, NULL);
  g_autoptr (VyreAccess) one = vyre_access_new (VYRE_ACCESS_READ, sub, NULL);
  g_autoptr (VyreAccess) same = vyre_access_new (VYRE_ACCESS_ALL, again, NULL);
  g_autoptr (VyreAccess) proc = vyre_access_new (VYRE_ACCESS_READ, "/proc", NULL);
  g_autoptr (VyreAccess) sys = vyre_access_new (VYRE_ACCESS_READ, "/sys", NULL);
  const VyreFileName names[] = { { none, (char *)"deep" }, { all, (char *)"deep" },
    { one, (char *)"deep" }, { one, (char *)"up" }, { proc, (char *)"up" }, { sys, (char *)"up" } };
  const VyreFileName equal = { same, (char *)"deep" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (names); j++)
      g_assert_cmpint (vyre_file_name_equal (&names[i], &names[j]), ==, i == j);
  }
  g_assert_true (vyre_file_name_equal (&names[2], &equal));
  g_assert_cmpuint (vyre_file_name_hash (&names[2]), ==, vyre_file_name_hash (&equal));
  vyre_access_unref (all);
  remove_tree (dir);
  g_free (root);
  g_free (dir);
}

static void
test_roots (void)
{
  static const char *const wrong[] = { "", "/nowhere/at/all", "/etc/passwd" };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (vyre_access_new (VYRE_ACCESS_READ, wrong[i], &error));
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_IO);
    assert_refused (error, "resource-root");
  }
}

/* ---- levels that programs need ------------------------------------------------ */

static void
test_levels (void)
{
  static const struct {
    const char *text;
    VyreAccessLevel needed;
  } cases[] = {
    { "nop", VYRE_ACCESS_NONE },
    { "load_miss 0", VYRE_ACCESS_NONE },
    { "resource f = file '/etc/passwd'; load_miss f", VYRE_ACCESS_READ },
    { "resource f = file 'unused'; nop", VYRE_ACCESS_READ },
    { "resource s = sink 'log'; sync s", VYRE_ACCESS_ALL },
    { "resource f = file 'a'; resource s = sink 'b'; nop", VYRE_ACCESS_ALL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VyreProgram) program = vyre_program_assemble (cases[i].text, NULL);
    g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, NULL, 0, 0, 0, NULL);
    for (VyreAccessLevel level = VYRE_ACCESS_NONE; level <= VYRE_ACCESS_ALL; level++) {
      gboolean enough = level >= cases[i].needed;
      g_autoptr (VyreAccess) access
          = level > VYRE_ACCESS_NONE ? vyre_access_new (level, NULL, NULL) : NULL;
      g_autoptr (GError) error = NULL, other = NULL;
      g_autoptr (VyrePlan) plan = vyre_plan_new (bound, 0, 8, access, &error);
      g_assert_cmpint (plan != NULL, ==, enough);
      g_assert_cmpint (vyre_program_check_access (program, level, &other), ==, enough);
      if (enough)
        continue;
      g_assert_error (error, VYRE_ERROR, VYRE_ERROR_ACCESS);
      assert_refused (error,
          level == VYRE_ACCESS_NONE && i < 4 ? "set resource-access=read" : "resource-access=");
      g_assert_cmpstr (error->message, ==, other->message);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/access/openat2", GINT_TO_POINTER (0), test_opening);
  g_test_add_data_func ("/access/without-openat2", GINT_TO_POINTER (ENOSYS), test_opening);
  g_test_add_data_func ("/access/forbidden-openat2", GINT_TO_POINTER (EPERM), test_opening);
  g_test_add_func ("/access/whole-system", test_whole_system);
  g_test_add_func ("/access/names", test_names);
  g_test_add_func ("/access/roots", test_roots);
  g_test_add_func ("/access/levels", test_levels);
  return g_test_run ();
}

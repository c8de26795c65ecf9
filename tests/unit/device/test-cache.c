/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pipeline cache under a real driver: the second opening finds the file of the first, and no
 * file in its place keeps a kernel from working.
 */
#include "cache-common.h"
#include "kernel-common.h"
#include "kernel/types.h"

static char *home, *directory;
static VyreMegakernelParams params;

/* Chooses the placement and residency that work, so that each opening makes one pipeline. */
static void
settle (void)
{
  TestKernel t;

  params = test_params ();
  params.staging_size = params.readback_size = 1 << 20;
  test_kernel_open (&t, &params);
  params.residency = t.kernel->residency;
  params.placement = t.kernel->placement;
  test_kernel_close (&t);
  test_remove (directory);
}

/* Opens a kernel and runs a batch. Returns whether the pipeline came out of the cache. */
static gboolean
open_hits (void)
{
  static const guint8 data[] = "nothing that is not right";
  TestKernel t;

  test_kernel_open (&t, &params);
  g_autoptr (VyreBatch) batch = test_run_text (&t, "crc32 payload -> 1", data, sizeof data);
  g_assert_cmphex (test_observable (batch, 1), ==, crc32 (0, data, sizeof data));
  g_clear_pointer (&batch, vyre_batch_free);
  gboolean hit = t.kernel->pipeline.cache_hit;
  test_kernel_close (&t);
  return hit;
}

/* The path of the only file in the cache. */
static char *
cache_file (void)
{
  GError *error = NULL;
  GDir *dir = g_dir_open (directory, 0, &error);

  g_assert_no_error (error);
  const char *name = g_dir_read_name (dir);
  g_assert_nonnull (name);
  char *path = g_build_filename (directory, name, NULL);
  g_assert_null (g_dir_read_name (dir));
  g_dir_close (dir);
  return path;
}

static void
test_second_opening (void)
{
  test_remove (directory);
  g_assert_false (open_hits ());
  g_autofree char *path = cache_file ();
  GStatBuf before = test_stat (path);
  g_assert_true (S_ISREG (before.st_mode));
  g_assert_cmpuint (before.st_mode & 07777, ==, 0600);
  g_assert_cmpuint (test_stat (directory).st_mode & 07777, ==, 0700);

  g_assert_true (open_hits ());
  g_autofree char *same = cache_file ();
  g_assert_cmpstr (path, ==, same);
}

/* A kernel refuses the damaged file, works all the same, and leaves a file that the next kernel
 * takes. */
static void
assert_replaced (const char *path, const char *what)
{
  g_autoptr (GBytes) damaged = test_read_file (path);

  g_test_message ("%s", what);
  g_assert_false (open_hits ());
  g_autoptr (GBytes) replaced = test_read_file (path);
  g_assert_false (g_bytes_equal (replaced, damaged));
  g_assert_true (open_hits ());
}

static void
test_damage (void)
{
  static const struct {
    const char *what;
    gsize at;
  } regions[] = {
    { "magic", 0 },
    { "version", 8 },
    { "size", 12 },
    { "key", 16 },
    { "checksum", 48 },
    { "blob", 80 },
  };

  open_hits ();
  g_autofree char *path = cache_file ();
  for (guint i = 0; i < G_N_ELEMENTS (regions); i++) {
    g_autoptr (GBytes) whole = test_read_file (path);
    g_autoptr (GBytes) damaged = test_flip_bit (whole, regions[i].at, 3);
    test_write_file (path, damaged);
    assert_replaced (path, regions[i].what);
  }
  g_autoptr (GBytes) whole = test_read_file (path);
  g_assert_cmpint (truncate (path, (goffset)g_bytes_get_size (whole) - 1), ==, 0);
  assert_replaced (path, "truncated");
  g_assert_cmpint (truncate (path, 0), ==, 0);
  assert_replaced (path, "empty");
  g_assert_cmpint (truncate (path, 100 << 20), ==, 0);
  assert_replaced (path, "huge");
}

static void
test_directory_in_place (void)
{
  open_hits ();
  g_autofree char *path = cache_file ();

  test_remove (path);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_false (open_hits ());
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  test_remove (path);
  g_assert_false (open_hits ());
  g_assert_true (open_hits ());
}

static void
test_nowhere_to_write (void)
{
  g_autoptr (GBytes) text = g_bytes_new_static ("a file", 6);

  test_remove (directory);
  test_write_file (directory, text);
  g_assert_false (open_hits ());
  g_assert_true (g_file_test (directory, G_FILE_TEST_IS_REGULAR));

  /* permissions do not bind root */
  test_remove (directory);
  g_assert_cmpint (g_mkdir (directory, 0500), ==, 0);
  g_assert_false (open_hits ());
  g_assert_cmpint (open_hits (), ==, geteuid () == 0);
  g_assert_cmpint (g_chmod (directory, 0700), ==, 0);
}

int
main (int argc, char **argv)
{
  home = test_cache_home ();
  directory = g_build_filename (home, "gst-vyre", NULL);
  g_test_init (&argc, &argv, NULL);
  settle ();
  g_test_add_func ("/cache/second-opening", test_second_opening);
  g_test_add_func ("/cache/damage", test_damage);
  g_test_add_func ("/cache/directory-in-place", test_directory_in_place);
  g_test_add_func ("/cache/nowhere-to-write", test_nowhere_to_write);
  int result = g_test_run ();
  test_remove (home);
  g_free (directory);
  g_free (home);
  return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The files of the pipeline cache, without a device: a written blob is read back, and no other
 * file passes for one.
 */
#include "cache-common.h"
#include "device/pipeline-cache.h"

static char *home;

static const VyrePipelineKey some_key = {
  .vendor = 0x10de,
  .device = 0x2335,
  .driver = 0x8c400001,
  .device_uuid = "01234567-89ab-cdef-0123-456789abcdef",
  .cache_uuid = "the driver's id.",
  .code = "thirty-two bytes of a SHA-256...",
};

/* The blob of a driver for @key: its header, and @extra bytes behind it. */
static GBytes *
make_blob (const VyrePipelineKey *key, gsize extra, guint8 fill)
{
  const guint32 words[] = { 32, 1, key->vendor, key->device };
  guint8 *data = g_malloc (32 + extra);

  for (guint i = 0; i < 4; i++) {
    guint32 word = GUINT32_TO_LE (words[i]);
    memcpy (data + 4 * i, &word, 4);
  }
  memcpy (data + 16, key->cache_uuid, 16);
  memset (data + 32, fill, extra);
  return g_bytes_new_take (data, 32 + extra);
}

static void
assert_refused (const VyrePipelineKey *key, GBytes *file, const char *reason)
{
  GBytes *blob = NULL;
  const char *why = vyre_pipeline_cache_decode (key, file, &blob);

  g_assert_nonnull (why);
  g_assert_null (blob);
  if (!strstr (why, reason))
    g_error ("expected '%s', got '%s'", reason, why);
}

/* A path below a new directory; both are gone when the test process ends. */
static char *
new_path (void)
{
  static guint n;
  g_autofree char *directory = g_strdup_printf ("%s/%u/gst-vyre", home, n++);

  return g_build_filename (directory, "kernel.bin", NULL);
}

static void
assert_stored (const char *path, GBytes *blob)
{
  g_autoptr (GBytes) loaded = vyre_pipeline_cache_load (path, &some_key);

  g_assert_nonnull (loaded);
  g_assert_true (g_bytes_equal (loaded, blob));
}

static void
test_round_trip (void)
{
  const gsize sizes[] = { 0, 1, 31, 4096, 1000003 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) blob = make_blob (&some_key, sizes[i], 0x5A);
    g_autoptr (GBytes) file = vyre_pipeline_cache_encode (&some_key, blob);
    g_autoptr (GBytes) again = NULL;
    g_assert_cmpuint (g_bytes_get_size (file), ==, 80 + 32 + sizes[i]);
    g_assert_null (vyre_pipeline_cache_decode (&some_key, file, &again));
    g_assert_true (g_bytes_equal (again, blob));
  }
}

/* Files outlive the library that wrote them: this is version 1. */
static void
test_format (void)
{
  g_autoptr (GBytes) blob = make_blob (&some_key, 9, 7);
  g_autoptr (GBytes) file = vyre_pipeline_cache_encode (&some_key, blob);
  const guint8 *data = g_bytes_get_data (file, NULL);
  g_autofree char *checksum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, blob);
  GString *written = g_string_new (NULL);

  g_assert_cmpmem (data, 8, "VYRECACH", 8);
  g_assert_cmpmem (data + 8, 4, "\1\0\0\0", 4);
  g_assert_cmpmem (data + 12, 4, "\51\0\0\0", 4);
  for (guint i = 0; i < 32; i++)
    g_string_append_printf (written, "%02x", data[48 + i]);
  g_assert_cmpstr (written->str, ==, checksum);
  g_string_free (written, TRUE);
}

/* Every part of the key tells files apart, by name and by content. */
static void
test_keys (void)
{
  VyrePipelineKey keys[6];
  g_autoptr (GBytes) blob = make_blob (&some_key, 100, 1);
  g_autoptr (GBytes) file = vyre_pipeline_cache_encode (&some_key, blob);
  g_autoptr (GHashTable) paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    keys[i] = some_key;
  keys[0].vendor++;
  keys[1].device++;
  keys[2].driver++;
  keys[3].device_uuid[35] = 'e';
  keys[4].cache_uuid[15]++;
  keys[5].code[31]++;
  g_hash_table_add (paths, vyre_pipeline_cache_path (&some_key));
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_assert_true (g_hash_table_add (paths, vyre_pipeline_cache_path (&keys[i])));
    assert_refused (&keys[i], file, "key");
  }
}

static void
test_path (void)
{
  g_autofree char *path = vyre_pipeline_cache_path (&some_key);
  g_autofree char *same = vyre_pipeline_cache_path (&some_key);
  g_autofree char *start = g_strdup_printf ("%s/gst-vyre/kernel-", home);

  g_assert_cmpstr (path, ==, same);
  g_assert_true (g_str_has_prefix (path, start));
  g_assert_cmpuint (strlen (path), ==, strlen (start) + 64 + strlen (".bin"));
}

static void
test_every_bit (void)
{
  g_autoptr (GBytes) blob = make_blob (&some_key, 50, 1);
  g_autoptr (GBytes) file = vyre_pipeline_cache_encode (&some_key, blob);

  for (gsize at = 0; at < g_bytes_get_size (file); at++) {
    const char *reason = at < 8    ? "magic"
                         : at < 12 ? "version"
                         : at < 16 ? "size"
                         : at < 48 ? "key"
                                   : "checksum";
    for (guint bit = 0; bit < 8; bit++) {
      g_autoptr (GBytes) damaged = test_flip_bit (file, at, bit);
      assert_refused (&some_key, damaged, reason);
    }
  }
}

static void
test_every_length (void)
{
  g_autoptr (GBytes) blob = make_blob (&some_key, 50, 0);
  g_autoptr (GBytes) file = vyre_pipeline_cache_encode (&some_key, blob);
  gsize size;
  const guint8 *data = g_bytes_get_data (file, &size);

  for (gsize length = 0; length < size; length++) {
    g_autoptr (GBytes) damaged = g_bytes_new_from_bytes (file, 0, length);
    assert_refused (&some_key, damaged, length < 80 ? "shorter" : "size");
  }
  guint8 *longer = g_malloc0 (size + 1);
  memcpy (longer, data, size);
  g_autoptr (GBytes) damaged = g_bytes_new_take (longer, size + 1);
  assert_refused (&some_key, damaged, "size");
}

/* A whole file whose blob names another device is refused. */
static void
test_foreign_blobs (void)
{
  static const struct {
    gsize at;
    const char *reason;
  } cases[] = {
    { 0, "version" },
    { 3, "version" },
    { 4, "version" },
    { 7, "version" },
    { 8, "device" },
    { 11, "device" },
    { 12, "device" },
    { 15, "device" },
    { 16, "driver" },
    { 31, "driver" },
  };
  g_autoptr (GBytes) blob = make_blob (&some_key, 64, 0);
  g_autofree char *path = new_path ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GBytes) foreign = test_flip_bit (blob, cases[i].at, 6);
    g_autoptr (GBytes) file = vyre_pipeline_cache_encode (&some_key, foreign);
    assert_refused (&some_key, file, cases[i].reason);
    vyre_pipeline_cache_store (path, &some_key, foreign, NULL);
    g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  }
  for (gsize size = 0; size < 32; size++) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (blob, 0, size);
    g_autoptr (GBytes) file = vyre_pipeline_cache_encode (&some_key, part);
    assert_refused (&some_key, file, "no header");
  }
}

static void
test_store (void)
{
  g_autoptr (GBytes) first = make_blob (&some_key, 1000, 1);
  g_autoptr (GBytes) second = make_blob (&some_key, 1000, 2);
  g_autofree char *path = new_path ();
  g_autofree char *directory = g_path_get_dirname (path);

  g_assert_null (vyre_pipeline_cache_load (path, &some_key));
  vyre_pipeline_cache_store (path, &some_key, first, NULL);
  assert_stored (path, first);
  GStatBuf before = test_stat (path);
  g_assert_cmpuint (before.st_mode & 07777, ==, 0600);
  g_assert_cmpuint (test_stat (directory).st_mode & 07777, ==, 0700);

  /* a replaced file is another inode */
  g_autoptr (GBytes) loaded = vyre_pipeline_cache_load (path, &some_key);
  vyre_pipeline_cache_store (path, &some_key, first, loaded);
  g_assert_cmpuint (test_stat (path).st_ino, ==, before.st_ino);
  vyre_pipeline_cache_store (path, &some_key, second, loaded);
  g_assert_cmpuint (test_stat (path).st_ino, !=, before.st_ino);
  assert_stored (path, second);
}

/* An odd file is not read, does not block, and is replaced. */
static void
test_odd_files (void)
{
  g_autoptr (GBytes) blob = make_blob (&some_key, 1000, 1);
  g_autofree char *path = new_path ();
  g_autofree char *directory = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_null (vyre_pipeline_cache_load (path, &some_key));
  vyre_pipeline_cache_store (path, &some_key, blob, NULL);
  assert_stored (path, blob);

  test_remove (path);
  g_assert_cmpint (symlink ("/dev/zero", path), ==, 0);
  g_assert_null (vyre_pipeline_cache_load (path, &some_key));
  vyre_pipeline_cache_store (path, &some_key, blob, NULL);
  assert_stored (path, blob);
  g_assert_false (g_file_test (path, G_FILE_TEST_IS_SYMLINK));

  if (geteuid () == 0) {
    g_assert_cmpint (chown (path, 1, 1), ==, 0);
    g_assert_null (vyre_pipeline_cache_load (path, &some_key));
    vyre_pipeline_cache_store (path, &some_key, blob, NULL);
    assert_stored (path, blob);
  } else {
    g_assert_cmpint (g_chmod (path, 0), ==, 0);
    g_assert_null (vyre_pipeline_cache_load (path, &some_key));
  }
}

/* The largest blob works; a blob of one byte more is neither written nor read. */
static void
test_limit (void)
{
  gsize most = VYRE_PIPELINE_CACHE_MAX - 32;
  g_autoptr (GBytes) largest = make_blob (&some_key, most, 3);
  g_autoptr (GBytes) larger = make_blob (&some_key, most + 1, 3);
  g_autofree char *path = new_path ();

  vyre_pipeline_cache_store (path, &some_key, larger, NULL);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  vyre_pipeline_cache_store (path, &some_key, largest, NULL);
  assert_stored (path, largest);

  g_autoptr (GBytes) file = vyre_pipeline_cache_encode (&some_key, larger);
  assert_refused (&some_key, file, "too large");
  test_write_file (path, file);
  g_assert_null (vyre_pipeline_cache_load (path, &some_key));
  test_remove (path);
}

/* Where no file can be written, a save does nothing and logs nothing. */
static void
test_no_room (void)
{
  g_autoptr (GBytes) blob = make_blob (&some_key, 10, 1);
  g_autofree char *path = new_path ();
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *parent = g_path_get_dirname (directory);
  g_autoptr (GBytes) text = g_bytes_new_static ("a file", 6);

  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
  vyre_pipeline_cache_store (path, &some_key, blob, NULL);
  g_assert_null (vyre_pipeline_cache_load (path, &some_key));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));

  test_remove (directory);
  test_write_file (directory, text);
  vyre_pipeline_cache_store (path, &some_key, blob, NULL);
  g_assert_null (vyre_pipeline_cache_load (path, &some_key));
  g_assert_true (g_file_test (directory, G_FILE_TEST_IS_REGULAR));

  test_remove (parent);
  vyre_pipeline_cache_store (path, &some_key, blob, NULL);
  assert_stored (path, blob);
}

#define WRITERS 4
#define WRITES 30

typedef struct {
  const char *path;
  guint8 fill;
} Writer;

static gpointer
write_often (gpointer data)
{
  const Writer *writer = data;
  g_autoptr (GBytes) blob = make_blob (&some_key, 100000, writer->fill);

  for (guint i = 0; i < WRITES; i++)
    vyre_pipeline_cache_store (writer->path, &some_key, blob, NULL);
  return NULL;
}

/* A reader finds whole files alone, whenever it looks. */
static void
test_race (void)
{
  g_autofree char *path = new_path ();
  g_autofree char *directory = g_path_get_dirname (path);
  GThread *threads[WRITERS];
  Writer writers[WRITERS];

  for (guint i = 0; i < WRITERS; i++) {
    writers[i] = (Writer){ path, (guint8)(i + 1) };
    if (i == 0)
      write_often (&writers[0]);
    threads[i] = g_thread_new ("writer", write_often, &writers[i]);
  }
  for (guint i = 0; i < 500; i++) {
    g_autoptr (GBytes) loaded = vyre_pipeline_cache_load (path, &some_key);
    g_assert_nonnull (loaded);
    const guint8 *data = g_bytes_get_data (loaded, NULL);
    g_autoptr (GBytes) expected = make_blob (&some_key, 100000, data[32]);
    g_assert_true (g_bytes_equal (loaded, expected));
  }
  for (guint i = 0; i < WRITERS; i++)
    g_thread_join (threads[i]);
  /* no temporary file is left beside it */
  GDir *dir = g_dir_open (directory, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "kernel.bin");
  g_assert_null (g_dir_read_name (dir));
  g_dir_close (dir);
}

int
main (int argc, char **argv)
{
  home = test_cache_home ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cache-file/round-trip", test_round_trip);
  g_test_add_func ("/cache-file/format", test_format);
  g_test_add_func ("/cache-file/keys", test_keys);
  g_test_add_func ("/cache-file/path", test_path);
  g_test_add_func ("/cache-file/every-bit", test_every_bit);
  g_test_add_func ("/cache-file/every-length", test_every_length);
  g_test_add_func ("/cache-file/foreign-blobs", test_foreign_blobs);
  g_test_add_func ("/cache-file/store", test_store);
  g_test_add_func ("/cache-file/odd-files", test_odd_files);
  g_test_add_func ("/cache-file/limit", test_limit);
  g_test_add_func ("/cache-file/no-room", test_no_room);
  g_test_add_func ("/cache-file/race", test_race);
  int result = g_test_run ();
  test_remove (home);
  g_free (home);
  return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CRC32C on the real kernel against a plain-C oracle and published check values, over regions of
 * any size, offset and number of tiles.
 */
#include "kernel-common.h"

static TestKernel t;

/* Byte by byte, with the reflected polynomial. */
static guint32
crc32c_of (const guint8 *data, gsize size)
{
  static guint32 table[256];
  guint32 crc = 0xFFFFFFFF;

  for (guint i = 0; i < 256 && table[255] == 0; i++) {
    guint32 rest = i;
    for (guint bit = 0; bit < 8; bit++)
      rest = rest & 1 ? rest >> 1 ^ 0x82F63B78 : rest >> 1;
    table[i] = rest;
  }
  for (gsize i = 0; i < size; i++)
    crc = table[(crc ^ data[i]) & 0xFF] ^ crc >> 8;
  return ~crc;
}

static guint8 *
random_bytes (gsize size)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)g_test_rand_int ();
  return data;
}

/* Compares the results of @n regions of one row each. */
static void
check_regions (const guint8 *data, gsize size, const VyreRegion *regions, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "crc32c region(%u, %u, %u, %u) -> %u\n", regions[i].offset,
        regions[i].width, regions[i].rows, regions[i].stride, i + 1);
  g_autoptr (VyreBatch) batch = test_run_text (&t, text->str, data, size);
  guint64 bytes = 0;
  for (guint i = 0; i < n; i++) {
    gsize length = (gsize)regions[i].width * regions[i].rows;
    bytes += length;
    g_test_message ("%u bytes at %u", (guint)length, regions[i].offset);
    g_assert_cmphex (
        test_observable (batch, i + 1), ==, crc32c_of (data + regions[i].offset, length));
  }
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, bytes);
}

/* The check value of the catalogue of CRCs, and the examples of RFC 3720, B.4. */
static void
test_published (void)
{
  static const guint32 published[] = { 0xE3069283, 0x8A9136AA, 0x62A8AB43, 0x46DD794E, 0x113FDB5C };
  guint8 bytes[9 + 4 * 32];

  memcpy (bytes, "123456789", 9);
  for (guint8 i = 0; i < 32; i++) {
    bytes[9 + i] = 0;
    bytes[41 + i] = 0xFF;
    bytes[73 + i] = i;
    bytes[105 + i] = 31 - i;
  }
  g_autoptr (VyreBatch) batch = test_run_text (&t,
      "crc32c bytes(0, 9) -> 1; crc32c bytes(9, 32) -> 2; crc32c bytes(41, 32) -> 3;"
      "crc32c bytes(73, 32) -> 4; crc32c bytes(105, 32) -> 5",
      bytes, sizeof bytes);
  for (guint i = 0; i < G_N_ELEMENTS (published); i++)
    g_assert_cmphex (test_observable (batch, i + 1), ==, published[i]);
}

/* Each length and each offset within some granules. */
static void
test_small_regions (void)
{
  enum { MOST = 70, N = 17 };
  g_autofree guint8 *data = random_bytes (MOST + N);

  for (guint length = 0; length <= MOST; length++) {
    VyreRegion regions[N];
    for (guint offset = 0; offset < N; offset++)
      regions[offset] = (VyreRegion){ offset, length, 1, 3 };
    check_regions (data, MOST + N, regions, N);
  }
}

static void
test_random_regions (void)
{
  enum { SIZE = 100000, N = 8 };
  g_autofree guint8 *data = random_bytes (SIZE);

  for (guint i = 0; i < test_times (30, 3000); i++) {
    VyreRegion regions[N];
    for (guint r = 0; r < N; r++) {
      guint rows = (guint)g_test_rand_int_range (1, 5);
      guint width = (guint)g_test_rand_int_range (0, SIZE / 4);
      regions[r] = (VyreRegion){ 0, width, rows, width };
      regions[r].offset = (guint)g_test_rand_int_range (0, SIZE - (gint)(width * rows) + 1);
    }
    check_regions (data, SIZE, regions, N);
  }
}

/* Many tiles, which end in any order, and the largest that the planner makes. */
static void
test_many_tiles (void)
{
  enum { SIZE = 20 << 20 };
  static const VyreRegion regions[]
      = { { 1, SIZE - 2, 1, 0 }, { 5, 3000001, 2, 3000001 }, { 16, 1 << 20, 1, 0 } };
  g_autofree guint8 *data = random_bytes (SIZE);

  check_regions (data, SIZE, regions, G_N_ELEMENTS (regions));
}

/* A region with padding, and one that leaves the payload, have no effect. */
static void
test_faults (void)
{
  static const char *const texts[] = { "op 0x40000108, 0, 10, 2, 20, 1",
    "op 0x40000108, 91, 10, 1, 10, 1", "op 0x40000108, 0, 10, 1, 10, 3" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    test_fault (&t, texts[i], 100, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&t, &params);
  g_test_add_func ("/crc32c/published", test_published);
  g_test_add_func ("/crc32c/small-regions", test_small_regions);
  g_test_add_func ("/crc32c/random-regions", test_random_regions);
  g_test_add_func ("/crc32c/many-tiles", test_many_tiles);
  g_test_add_func ("/crc32c/faults", test_faults);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/slice-cache.h"

#define REGION 65536
#define SIZE 4000 /* 4032 once it is rounded up */

typedef struct {
  VyreRanges *ranges;
  VyreSliceCache *cache;
} Cached;

static Cached
cached_open (void)
{
  GError *error = NULL;
  VyreRanges *ranges = vyre_ranges_new (REGION, 64, &error);

  g_assert_no_error (error);
  return (Cached){ ranges, vyre_slice_cache_new (ranges) };
}

static void
cached_close (Cached *c)
{
  vyre_slice_cache_flush (c->cache);
  g_assert_cmpuint (vyre_ranges_get_used (c->ranges), ==, 0);
  vyre_slice_cache_free (c->cache);
  vyre_ranges_destroy (c->ranges);
}

static gsize
alloc (Cached *c, gsize size)
{
  gsize offset;

  g_assert_true (vyre_ranges_alloc (c->ranges, size, &offset));
  return offset;
}

/* A range comes back for the size that it has, once. */
static void
test_same_size (void)
{
  Cached c = cached_open ();
  gsize first = alloc (&c, SIZE), second = alloc (&c, 2 * SIZE), offset;

  g_assert_false (vyre_slice_cache_take (c.cache, SIZE, &offset));
  g_assert_true (vyre_slice_cache_put (c.cache, first));
  g_assert_true (vyre_slice_cache_put (c.cache, second));
  g_assert_false (vyre_slice_cache_take (c.cache, SIZE / 2, &offset));
  g_assert_true (vyre_slice_cache_take (c.cache, SIZE + 10, &offset));
  g_assert_cmpuint (offset, ==, first);
  g_assert_false (vyre_slice_cache_take (c.cache, SIZE, &offset));
  g_assert_true (vyre_slice_cache_put (c.cache, first));
  cached_close (&c);
}

/* The cache refuses ranges that do not fit: a shelf has an end, and takes no large ranges. */
static void
test_bounds (void)
{
  Cached c = cached_open ();
  guint n = 0;

  while (n < REGION / 64 && vyre_slice_cache_put (c.cache, alloc (&c, 64)))
    n++;
  g_assert_cmpuint (n, ==, 32);
  vyre_slice_cache_flush (c.cache);
  vyre_ranges_free (c.ranges, 32 * 64); /* the one that was refused */
  vyre_ranges_destroy (c.ranges);
  vyre_slice_cache_free (c.cache);

  GError *error = NULL;
  c.ranges = vyre_ranges_new (1 << 20, 64, &error);
  g_assert_no_error (error);
  c.cache = vyre_slice_cache_new (c.ranges);
  gsize large = alloc (&c, 65536 + 64);
  g_assert_false (vyre_slice_cache_put (c.cache, large));
  vyre_ranges_free (c.ranges, large);
  cached_close (&c);
}

static gpointer
put_elsewhere (gpointer data)
{
  Cached *c = data;

  g_assert_true (vyre_slice_cache_put (c->cache, alloc (c, SIZE)));
  return NULL;
}

/* A shelf belongs to a thread; flushing reaches all of them. */
static void
test_threads (void)
{
  Cached c = cached_open ();
  gsize offset;

  g_thread_join (g_thread_new ("other", put_elsewhere, &c));
  g_assert_false (vyre_slice_cache_take (c.cache, SIZE, &offset));
  g_assert_cmpuint (vyre_ranges_get_used (c.ranges), >, 0);
  g_assert_true (vyre_slice_cache_flush (c.cache));
  g_assert_cmpuint (vyre_ranges_get_used (c.ranges), ==, 0);
  g_assert_false (vyre_slice_cache_flush (c.cache));
  cached_close (&c);
}

/* While the allocator wants all ranges, the cache keeps none. */
static void
test_bypass (void)
{
  Cached c = cached_open ();
  gsize first = alloc (&c, SIZE), second = alloc (&c, SIZE);

  g_assert_true (vyre_slice_cache_put (c.cache, first));
  vyre_slice_cache_bypass (c.cache, TRUE);
  g_assert_cmpuint (vyre_ranges_get_length (c.ranges, first), ==, 0); /* it is free */
  g_assert_false (vyre_slice_cache_put (c.cache, second));
  vyre_slice_cache_bypass (c.cache, FALSE);
  g_assert_true (vyre_slice_cache_put (c.cache, second));
  cached_close (&c);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slice-cache/same-size", test_same_size);
  g_test_add_func ("/slice-cache/bounds", test_bounds);
  g_test_add_func ("/slice-cache/threads", test_threads);
  g_test_add_func ("/slice-cache/bypass", test_bypass);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/wide-store.h"

#include <string.h>

#define GUARD 64
#define LONGEST 400
#define UNTOUCHED 0xee

static guint8 from[LONGEST + 64];
static guint8 to[GUARD + 64 + LONGEST + GUARD] __attribute__ ((aligned (64)));

static gboolean
is_untouched (const guint8 *bytes, gsize size)
{
  while (size > 0 && bytes[size - 1] == UNTOUCHED)
    size--;
  return size == 0;
}

static void
check_copy (gsize width, gsize target, gsize source, gsize size)
{
  guint8 *at = to + GUARD + target;

  memset (to, UNTOUCHED, sizeof to);
  vyre_wide_store_by (width, at, from + source, size);
  g_assert_cmpmem (at, size, from + source, size);
  g_assert_true (is_untouched (to, GUARD + target));
  g_assert_true (is_untouched (at + size, (gsize)(to + sizeof to - (at + size))));
}

/* Stores of each width that this processor has copy all bytes and touch no others: for every size,
 * wherever the source lies, and at every place that the target may have in a line. */
static void
test_widths (void)
{
  for (gsize width = vyre_wide_store_get_width (); width > 0; width /= 2)
    for (gsize size = 0; size <= LONGEST; size++)
      for (gsize target = 0; target < 64; target += 16)
        check_copy (width, target, size % 64, size);
}

/* Without a width, the widest is taken. */
static void
test_default (void)
{
  memset (to, UNTOUCHED, sizeof to);
  vyre_wide_store (to + GUARD, from, LONGEST);
  g_assert_cmpmem (to + GUARD, LONGEST, from, LONGEST);
  g_assert_cmpuint (vyre_wide_store_get_width (), <=, 64);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < sizeof from; i++)
    from[i] = (guint8)(i * 7 + 1);
  g_test_add_func ("/wide-store/widths", test_widths);
  g_test_add_func ("/wide-store/default", test_default);
  return g_test_run ();
}

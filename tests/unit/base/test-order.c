/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A reader looks at the quarters of tickets while a writer stores them: it never sees a mark
 * before the rest of its quarter.
 */
#include <glib.h>
#include <string.h>

#include "base/order.h"

#define N_QUARTERS 4
#define N_TICKETS 2000000

static guint32 ticket[4 * N_QUARTERS] __attribute__ ((aligned (64)));
static gint over;

static gpointer
store (gpointer past_caches)
{
  for (guint32 number = 1; number <= N_TICKETS; number++) {
    guint32 line[4 * N_QUARTERS] __attribute__ ((aligned (64)));
    for (guint i = 0; i < 4 * N_QUARTERS; i++)
      line[i] = number;
    vyre_order_store_quarters (ticket, line, N_QUARTERS, GPOINTER_TO_INT (past_caches));
  }
  vyre_order_flush ();
  g_atomic_int_set (&over, TRUE);
  return NULL;
}

static void
test_marks (gconstpointer past_caches)
{
  memset (ticket, 0, sizeof ticket);
  g_atomic_int_set (&over, FALSE);
  GThread *writer = g_thread_new ("writer", store, (gpointer)past_caches);
  while (!g_atomic_int_get (&over)) {
    for (guint quarter = 0; quarter < N_QUARTERS; quarter++) {
      const guint32 *words = ticket + 4 * quarter;
      guint32 mark = __atomic_load_n (words, __ATOMIC_RELAXED);
      vyre_order_loads ();
      for (guint i = 1; i < 4; i++)
        g_assert_cmpuint (__atomic_load_n (words + i, __ATOMIC_RELAXED), >=, mark);
    }
  }
  g_thread_join (writer);
  for (guint i = 0; i < 4 * N_QUARTERS; i++)
    g_assert_cmpuint (ticket[i], ==, N_TICKETS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/order/marks", GINT_TO_POINTER (FALSE), test_marks);
  g_test_add_data_func ("/order/marks-past-caches", GINT_TO_POINTER (TRUE), test_marks);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The marks of a readback, which a device stores in no particular order.
 */
#include "kernel/readback-marks.h"
#include "program-common.h"

typedef struct {
  VyrePlan *plan;
  VyreMark mark;
  guint8 *slice;
  gsize arrived;
} Arrival;

static void
arrival_init (Arrival *a, const char *text)
{
  GError *error = NULL;
  g_autoptr (VyreProgram) program = vyre_program_from_string (text, &error);
  g_assert_no_error (error);
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, symbols, 4096, 8, 16, &error);
  g_assert_no_error (error);

  *a = (Arrival){ .plan = vyre_plan_new (bound, 4096, 256, NULL, &error) };
  g_assert_no_error (error);
  a->slice = g_malloc (a->plan->report_size);
  memset (a->slice, 0xA5, a->plan->report_size);
  g_assert_true (vyre_mark_init (&a->mark, NULL));
  vyre_readback_marks_expect (a->slice, a->plan, &a->mark);
}

static void
arrival_clear (Arrival *a)
{
  vyre_plan_unref (a->plan);
  g_free (a->slice);
}

static gboolean
is_whole (Arrival *a)
{
  return vyre_readback_marks_is_whole (a->slice, a->plan, &a->mark, &a->arrived);
}

static gboolean
is_marked (const Arrival *a, gsize granule)
{
  return memcmp (a->slice + granule * VYRE_GRANULE, &a->mark, VYRE_GRANULE) == 0;
}

/* Stores a granule as a device does. */
static void
store (Arrival *a, gsize granule)
{
  memset (a->slice + granule * VYRE_GRANULE, 0, VYRE_GRANULE);
}

static void
test_order (void)
{
  Arrival a;

  arrival_init (&a, "u8_stats payload -> s");
  gsize granules = a.plan->report_size / VYRE_GRANULE;
  g_autofree guint32 *order = g_new (guint32, granules);
  guint32 n = 0;
  for (gsize i = 0; i < granules; i++) {
    if (is_marked (&a, i))
      order[n++] = (guint32)i;
  }
  /* the control part and the ring (704 and 512 bytes), and two granules of report */
  g_assert_cmpuint (n, ==, (704 + 512) / VYRE_GRANULE + 2);
  for (guint32 i = n - 1; i > 0; i--) {
    guint32 other = (guint32)g_random_int_range (0, (gint32)i + 1), swapped = order[i];
    order[i] = order[other];
    order[other] = swapped;
  }
  for (guint32 i = 0; i < n; i++) {
    g_assert_false (is_whole (&a));
    store (&a, order[i]);
  }
  g_assert_true (is_whole (&a));
  arrival_clear (&a);
}

/* A readback is whole only once each of its granules has arrived. */
static void
test_each (void)
{
  Arrival a;

  arrival_init (&a, "u8_stats payload -> s");
  gsize granules = a.plan->report_size / VYRE_GRANULE;
  g_autofree gboolean *marked = g_new0 (gboolean, granules);
  for (gsize i = 0; i < granules; i++)
    marked[i] = is_marked (&a, i);
  for (gsize last = 0; last < granules; last++) {
    if (!marked[last])
      continue;
    vyre_readback_marks_expect (a.slice, a.plan, &a.mark);
    a.arrived = 0;
    for (gsize i = 0; i < granules; i++) {
      if (marked[i] && i != last)
        store (&a, i);
    }
    g_assert_false (is_whole (&a));
    store (&a, last);
    g_assert_true (is_whole (&a));
  }
  arrival_clear (&a);
}

/* Half of a mark is no mark: a result may look like one. */
static void
test_half_marks (void)
{
  Arrival a;

  arrival_init (&a, "nop");
  for (gsize i = 0; i < a.plan->report_size / VYRE_GRANULE; i++) {
    if (is_marked (&a, i))
      memset (a.slice + i * VYRE_GRANULE + i % 2 * 8, 0, 8);
  }
  g_assert_true (is_whole (&a));
  arrival_clear (&a);
}

/* Parts that the kernel does not change are in the readback from the start. */
static void
test_rest (void)
{
  Arrival a;

  arrival_init (&a, "nop");
  gsize first = a.plan->layout.offset[VYRE_PART_DEBUG_LOG], end = a.plan->layout.total;
  g_assert_cmpuint (first % VYRE_GRANULE, ==, 0);
  g_assert_cmpmem (
      a.slice + first, end - first, (const guint8 *)a.plan->slice + first, end - first);
  arrival_clear (&a);
}

/* Queues that the kernel may change have marks. */
static void
test_queues (void)
{
  static const char *const programs[] = { "printf 1, 2, 3", "load_miss 5" };
  Arrival a;

  for (guint i = 0; i < G_N_ELEMENTS (programs); i++) {
    arrival_init (&a, programs[i]);
    for (gsize g = 0; g < a.plan->report_size / VYRE_GRANULE; g++) {
      g_assert_true (is_marked (&a, g));
      g_assert_false (is_whole (&a));
      store (&a, g);
    }
    g_assert_true (is_whole (&a));
    arrival_clear (&a);
  }
}

static void
test_marks_differ (void)
{
  VyreMark one, other;

  g_assert_true (vyre_mark_init (&one, NULL));
  g_assert_true (vyre_mark_init (&other, NULL));
  g_assert_cmpint (memcmp (&one, &other, sizeof one), !=, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/readback-marks/order", test_order);
  g_test_add_func ("/readback-marks/each", test_each);
  g_test_add_func ("/readback-marks/half-marks", test_half_marks);
  g_test_add_func ("/readback-marks/rest", test_rest);
  g_test_add_func ("/readback-marks/queues", test_queues);
  g_test_add_func ("/readback-marks/marks-differ", test_marks_differ);
  return g_test_run ();
}

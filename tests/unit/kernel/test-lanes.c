/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel-common.h"
#include "kernel/lanes.h"

#define SIZE 1024
#define DEPTH 8
#define SUM 4 /* its observable, behind the fence, count, least and most */
#define THREADS 3

/* Batches in flight were 256 at most when a ticket had 8 bits for the place of its batch. */
#define FORMER_MOST 256

typedef struct {
  TestKernel *t;
  VyreLane *lane;
  VyrePlan *plan;
  guint n;
  guint seed;
} Producer;

static VyreBatch *
publish (Producer *p, guint tag, const VyrePayload *payload)
{
  GError *error = NULL;
  VyreBatch *batch = vyre_lane_publish (
      p->lane, p->plan, tag, payload, g_get_monotonic_time () + TEST_DEADLINE, &error);

  g_assert_no_error (error);
  return batch;
}

static void
finish (VyreBatch *batch)
{
  GError *error = NULL;

  vyre_batch_wait (batch, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  g_assert_no_error (error);
  vyre_batch_free (batch);
}

/* Returns the sum of a payload. */
static guint32
fill (guint8 *data, guint seed)
{
  guint32 sum = 0;

  for (guint i = 0; i < SIZE; i++)
    sum += data[i] = (guint8)(seed * 31 + i * (seed | 1));
  return sum;
}

static gpointer
produce (gpointer data)
{
  Producer *p = data;
  VyreStore *staging = vyre_megakernel_get_staging (p->t->kernel);
  VyreBatch *batches[DEPTH] = { NULL };
  VyrePayload payloads[DEPTH] = { 0 };
  guint32 sums[DEPTH];

  for (guint i = 0; i < DEPTH; i++)
    g_assert_true (vyre_store_alloc (staging, SIZE, 0, &payloads[i].offset));
  for (guint i = 0; i < p->n + DEPTH; i++) {
    guint place = i % DEPTH;
    if (batches[place]) {
      GError *error = NULL;
      vyre_batch_wait (batches[place], g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
      g_assert_no_error (error);
      const guint8 *control = vyre_batch_get_readback (batches[place]);
      g_assert_cmpuint (vyre_read_word (control, VYRE_CONTROL_OBSERVABLES), ==, i + 1 - DEPTH);
      g_assert_cmpuint (vyre_read_word (control, VYRE_CONTROL_OBSERVABLES + SUM), ==, sums[place]);
      g_clear_pointer (&batches[place], vyre_batch_free);
    }
    if (i >= p->n)
      continue;
    sums[place]
        = fill (vyre_store_get_data (staging) + payloads[place].offset, p->seed + i * THREADS);
    batches[place] = publish (p, i + 1, &payloads[place]);
  }
  for (guint i = 0; i < DEPTH; i++)
    vyre_store_free (staging, payloads[i].offset);
  return NULL;
}

/* Producers side by side: each gets the results of its own payloads, in any order of lanes. */
static void
test_producers (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  Producer producers[THREADS];
  GThread *threads[THREADS];
  guint n = test_times (2000, 200000);

  test_kernel_open (&t, &params);
  guint64 before = test_counters (&t).batches, locked = test_counters (&t).locked;
  for (guint i = 0; i < THREADS; i++) {
    producers[i] = (Producer){ &t, vyre_lane_new (t.kernel),
      test_plan (&t, "u8_stats payload -> s", SIZE, 0, 16), n, i };
    threads[i] = g_thread_new ("producer", produce, &producers[i]);
  }
  g_assert_cmpuint (test_counters (&t).lanes, ==, THREADS + 1);
  for (guint i = 0; i < THREADS; i++) {
    g_thread_join (threads[i]);
    vyre_lane_unref (producers[i].lane);
    vyre_plan_unref (producers[i].plan);
  }
  VyreMegakernelCounters counters = test_counters (&t);
  g_assert_cmpuint (counters.batches - before, ==, THREADS * n); /* lanes that are gone count */
  g_assert_cmpuint (counters.lanes, ==, 1);
  if (test_batch_time () == 0) /* the others are for places and templates; short turns make more */
    g_assert_cmpuint (counters.locked - locked, <, THREADS * n / 4);
  g_assert_cmpuint (counters.completed, ==, counters.batches);
  g_assert_cmpuint (counters.in_flight, ==, 0);
  test_kernel_close (&t);
}

/* Publishes and collects with the kernel's lock held, as long as the launch that is there stays. */
static gboolean
run_locked (Producer *p)
{
  VyrePayload nothing = { 0 };

  finish (publish (p, 1, &nothing)); /* there is a launch, and the lane has places */
  g_mutex_lock (&p->t->kernel->lock);
  gboolean served = atomic_load (&p->t->kernel->serves), done = FALSE;
  VyreBatch *batch = served ? publish (p, 2, &nothing) : NULL;
  gint64 end = g_get_monotonic_time () + 5000;
  while (served && !done && g_get_monotonic_time () < end)
    done = vyre_batch_poll (batch);
  g_mutex_unlock (&p->t->kernel->lock);
  if (batch)
    finish (batch);
  return done;
}

static gpointer
run_until_locked (gpointer data)
{
  for (guint i = 0; i < 1000; i++) {
    if (run_locked (data))
      return GINT_TO_POINTER (TRUE);
  }
  return NULL;
}

/* A plain batch takes no lock of the kernel, from publishing to its end. A thread that took it
 * would wait for itself. */
static void
test_no_common_lock (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  g_autoptr (VyreLane) lane = vyre_lane_new (t.kernel);
  Producer p = { &t, lane, plan, 0, 0 };
  if (vyre_megakernel_get_residency (t.kernel) == VYRE_RESIDENCY_DISPATCH)
    g_test_skip ("every batch has a launch of its own, for which the kernel's lock is taken");
  else
    g_assert_nonnull (g_thread_join (g_thread_new ("producer", run_until_locked, &p)));
  g_clear_pointer (&lane, vyre_lane_unref);
  test_kernel_close (&t);
}

static guint
most_in_flight (Producer *p, VyreBatch **batches, guint n)
{
  VyrePayload nothing = { 0 };
  guint most = 0;

  for (guint i = 0; i < n; i++) {
    batches[i] = publish (p, i + 1, &nothing);
    most = MAX (most, atomic_load (&p->lane->n_in_flight));
  }
  for (guint i = 0; i < n; i++)
    finish (batches[i]);
  return most;
}

/* One lane takes as many places as it needs. */
static void
test_many_in_flight (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  VyreBatch *batches[8 * FORMER_MOST];
  guint most = 0;

  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  Producer p = { &t, t.kernel->lane, plan, 0, 0 };
  for (guint i = 0; i < 20 && most <= FORMER_MOST; i++)
    most = most_in_flight (&p, batches, G_N_ELEMENTS (batches));
  g_assert_cmpuint (most, >, FORMER_MOST);
  test_kernel_close (&t);
}

/* When all places are given out, a lane takes those that another has and does not need. */
static void
test_places_move (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  VyrePayload nothing = { 0 };

  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  Producer rich = { &t, vyre_lane_new (t.kernel), plan, 0, 0 };
  Producer poor = { &t, vyre_lane_new (t.kernel), plan, 0, 0 };
  finish (publish (&rich, 1, &nothing));
  g_mutex_lock (&t.kernel->lock);
  guint n_free = t.kernel->places->len, n_own = t.kernel->lane->places->len;
  t.kernel->places->len = t.kernel->lane->places->len = 0;
  guint n_rich = rich.lane->places->len;
  g_mutex_unlock (&t.kernel->lock);
  g_assert_cmpuint (n_rich, ==, VYRE_LANE_STEP);
  finish (publish (&poor, 2, &nothing));
  g_assert_cmpuint (poor.lane->places->len, ==, VYRE_LANE_STEP / 2);
  g_assert_cmpuint (rich.lane->places->len, ==, VYRE_LANE_STEP / 2);
  g_mutex_lock (&t.kernel->lock);
  t.kernel->places->len = n_free;
  t.kernel->lane->places->len = n_own;
  g_mutex_unlock (&t.kernel->lock);
  vyre_lane_unref (rich.lane);
  vyre_lane_unref (poor.lane);
  g_mutex_lock (&t.kernel->lock);
  g_assert_cmpuint (t.kernel->places->len + t.kernel->lane->places->len, ==, VYRE_MAX_BATCHES);
  g_mutex_unlock (&t.kernel->lock);
  test_kernel_close (&t);
}

static gboolean
is_served (VyreMegakernel *kernel)
{
  g_mutex_lock (&kernel->lock);
  gboolean served = kernel->serves || kernel->pipeline.n_flying > 0;
  g_mutex_unlock (&kernel->lock);
  return served;
}

/* Takes all places that no batch has from @lane, the kernel's own lane and the kernel, or puts
 * them back. */
static void
exchange_places (VyreLane *lane, GArray **places)
{
  VyreMegakernel *kernel = lane->kernel;
  GArray **kept[] = { &lane->places, &kernel->lane->places, &kernel->places };

  g_mutex_lock (&kernel->lock);
  g_mutex_lock (&kernel->lane->lock);
  g_mutex_lock (&lane->lock);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    GArray *taken = *kept[i];
    *kept[i] = places[i] ? places[i] : g_array_new (FALSE, FALSE, sizeof (guint));
    if (places[i]) { /* and those that came back meanwhile */
      g_array_append_vals (*kept[i], taken->data, taken->len);
      g_array_unref (taken);
    }
    places[i] = places[i] ? NULL : taken;
  }
  g_mutex_unlock (&lane->lock);
  g_mutex_unlock (&kernel->lane->lock);
  g_mutex_unlock (&kernel->lock);
}

/* A thread that finds no room may have kept the launcher from launching for another lane's batch:
 * it launches itself. */
static void
test_no_room_for_another (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  VyrePayload nothing = { 0 };
  GError *error = NULL;

  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  Producer p = { &t, vyre_lane_new (t.kernel), plan, 0, 0 };
  finish (publish (&p, 1, &nothing));
  vyre_megakernel_set_active (t.kernel, FALSE);
  while (is_served (t.kernel))
    g_thread_yield ();
  atomic_store (&t.kernel->serves, true); /* as if a launch ended behind the batch's back */
  VyreBatch *batch = publish (&p, 2, &nothing);
  GArray *places[] = { NULL, NULL, NULL };
  exchange_places (p.lane, places);
  VyreBatch *other = vyre_megakernel_publish (t.kernel, plan, 3, &nothing, 0, &error);
  if (other) /* in the place of the first, which has run by now */
    finish (other);
  else
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
  g_clear_error (&error);
  exchange_places (p.lane, places);
  finish (batch);
  vyre_lane_unref (p.lane);
  vyre_megakernel_set_active (t.kernel, TRUE);
  test_kernel_close (&t);
}

/* A lane without references goes with its last batch, and keeps the kernel no longer. */
static void
test_lane_goes_first (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  VyrePayload nothing = { 0 };

  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  Producer p = { &t, vyre_lane_new (t.kernel), plan, 0, 0 };
  VyreBatch *batch = publish (&p, 1, &nothing);
  VyreBatch *freed = publish (&p, 2, &nothing);
  vyre_lane_unref (p.lane);
  vyre_batch_free (freed);
  finish (batch);
  guint n_lanes = 2;
  for (gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
       n_lanes > 1 && g_get_monotonic_time () < end; g_thread_yield ()) {
    test_counters (&t); /* has batches collected that were freed */
    g_mutex_lock (&t.kernel->lock);
    vyre_lanes_sweep (t.kernel);
    n_lanes = g_queue_get_length (&t.kernel->lanes);
    g_mutex_unlock (&t.kernel->lock);
  }
  g_assert_cmpuint (n_lanes, ==, 1);
  test_kernel_close (&t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lanes/producers", test_producers);
  g_test_add_func ("/lanes/no-common-lock", test_no_common_lock);
  g_test_add_func ("/lanes/many-in-flight", test_many_in_flight);
  g_test_add_func ("/lanes/places-move", test_places_move);
  g_test_add_func ("/lanes/no-room-for-another", test_no_room_for_another);
  g_test_add_func ("/lanes/lane-goes-first", test_lane_goes_first);
  return g_test_run ();
}

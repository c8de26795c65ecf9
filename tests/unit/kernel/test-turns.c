/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Turns: a batch that would hold the device for long lets other batches in between, and has the
 * same results as without that. On the real kernel, without a look at the clock.
 */
#include "kernel-common.h"
#include "patient.h"
#include "kernel/resume.h"

#include <glib/gstdio.h>

/* Iterations of a copy in these programs, the most slots of a program, and the time that the
 * kernel of these tests lets a batch have the device: next to none, so that every batch that is
 * not cheap is cut. */
#define STEPS 2000
#define SHORTEST 1

static gint n_released; /* atomic: the service releases payloads, too */

static void
count_release (gpointer owner)
{
  g_atomic_int_inc (&n_released);
}

static void
open_kernel (TestKernel *t, guint64 max_batch_time)
{
  VyreMegakernelParams params = test_params ();

  params.max_batch_time = max_batch_time;
  test_kernel_open (t, &params);
}

static char *
repeat (const char *statement, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s\n", statement);
  return g_string_free (text, FALSE);
}

/* A plan of @n copies, each of them dear. */
static VyrePlan *
dear_plan (TestKernel *t, guint n)
{
  guint words = STEPS * vyre_megakernel_get_workgroup (t->kernel);
  g_autofree char *copy = g_strdup_printf ("memcpy 160, 160, %u", words);
  g_autofree char *text = repeat (copy, n);

  return test_plan (t, text, 0, 0, words);
}

static VyreBatch *
publish (TestKernel *t, VyrePlan *plan)
{
  GError *error = NULL;
  VyrePayload nothing = { 0 };
  VyreBatch *batch = vyre_megakernel_publish (
      t->kernel, plan, 1, &nothing, g_get_monotonic_time () + TEST_DEADLINE, &error);

  g_assert_no_error (error);
  return batch;
}

static gboolean
is_done (VyreBatch *batch)
{
  return vyre_batch_wait (batch, 0, NULL);
}

static guint64
count_turns (TestKernel *t)
{
  VyreMegakernelCounters counters;

  vyre_megakernel_get_counters (t->kernel, &counters);
  return counters.turns;
}

/* The kernel takes tickets in order: without turns the batch that is published last would end
 * last. */
static void
test_lets_others_in (void)
{
  VyreBatch *dear[4];
  TestKernel t;

  open_kernel (&t, SHORTEST);
  g_autoptr (VyrePlan) plan = dear_plan (&t, 1500);
  g_autoptr (VyrePlan) cheap = test_plan (&t, "nop", 0, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (dear); i++)
    dear[i] = publish (&t, plan);
  for (guint i = 0; i < 3; i++)
    vyre_batch_free (test_run (&t, cheap, i, &(VyrePayload){ 0 }));
  for (guint i = 0; i < G_N_ELEMENTS (dear); i++)
    g_assert_false (is_done (dear[i]));
  VyreBatch *last = publish (&t, cheap);
  test_wait (dear[3]);
  g_assert_true (is_done (last));
  vyre_batch_free (last);
  for (guint i = 0; i < G_N_ELEMENTS (dear); i++) {
    test_wait (dear[i]);
    g_assert_cmpuint (vyre_batch_get_completion (dear[i])->faults, ==, 0);
    vyre_batch_free (dear[i]);
  }
  g_assert_cmpuint (count_turns (&t), >, 4 * 10);
  test_kernel_close (&t);
}

/* A batch that is cut goes to the end of the line. */
static void
test_takes_turns (void)
{
  TestKernel t;

  open_kernel (&t, SHORTEST);
  g_autoptr (VyrePlan) longest = dear_plan (&t, 3000);
  g_autoptr (VyrePlan) shorter = dear_plan (&t, 60);
  VyreBatch *first = publish (&t, longest);
  VyreBatch *second = publish (&t, shorter);
  test_wait (second);
  g_assert_false (is_done (first));
  vyre_batch_free (first);
  vyre_batch_free (second);
  test_kernel_close (&t);
}

/* The number of dear batches that fit at a time, @most at most: where workgroups are wide, each
 * has a large readback. */
static guint
count_room (TestKernel *t, guint most)
{
  gsize words = STEPS * vyre_megakernel_get_workgroup (t->kernel);
  gsize size = vyre_store_get_size (vyre_megakernel_get_readbacks (t->kernel));

  return (guint)MIN (most, size / (5 * words));
}

/* Each of these batches is small enough for one run, and all of them together are not published at
 * once. */
static void
test_many_together (void)
{
  VyreBatch *dear[200] = { NULL };
  TestKernel t;

  open_kernel (&t, SHORTEST);
  guint n = count_room (&t, G_N_ELEMENTS (dear));
  g_autoptr (VyrePlan) plan = dear_plan (&t, 10);
  g_autoptr (VyrePlan) cheap = test_plan (&t, "nop", 0, 0, 0);
  for (guint i = 0; i < n; i++)
    dear[i] = publish (&t, plan);
  vyre_batch_free (test_run (&t, cheap, 0, &(VyrePayload){ 0 }));
  for (guint i = n / 2; i < n; i++)
    g_assert_false (is_done (dear[i]));
  for (guint i = 0; i < n; i++) {
    test_wait (dear[i]);
    vyre_batch_free (dear[i]);
  }
  g_assert_cmpuint (count_turns (&t), ==, 0);
  test_kernel_close (&t);
}

/* A tenant with many batches in the line does not make others wait for all of them. */
static void
test_publishers (void)
{
  VyreBatch *dear[24] = { NULL };
  TestKernel t;

  open_kernel (&t, SHORTEST);
  guint n = count_room (&t, G_N_ELEMENTS (dear));
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) greedy = vyre_tenants_register (tenants, "greedy", G_MAXUINT64, NULL);
  g_autoptr (VyreTenant) modest = vyre_tenants_register (tenants, "modest", G_MAXUINT64, NULL);
  g_autoptr (VyrePlan) plan = dear_plan (&t, 200);
  for (guint i = 0; i < n; i++) {
    dear[i] = publish (&t, plan);
    vyre_batch_set_tenant (dear[i], greedy);
  }
  VyreBatch *batch = publish (&t, plan);
  vyre_batch_set_tenant (batch, modest);
  test_wait (batch);
  g_assert_false (is_done (dear[n / 2]));
  vyre_batch_free (batch);
  for (guint i = 0; i < n; i++) {
    test_wait (dear[i]);
    vyre_batch_free (dear[i]);
  }
  test_kernel_close (&t);
}

/* A limit that no batch reaches publishes all of it at once. */
static void
test_no_limit (void)
{
  TestKernel t;

  open_kernel (&t, G_MAXUINT64);
  g_autoptr (VyrePlan) plan = dear_plan (&t, 600);
  VyreBatch *batch = publish (&t, plan);
  test_wait (batch);
  vyre_batch_free (batch);
  g_assert_cmpuint (count_turns (&t), ==, 0);
  test_kernel_close (&t);
}

/* A batch that its owner has freed does not go on, in flight or in the line. */
static void
test_dropped (void)
{
  VyreMegakernelCounters counters;
  TestKernel t;

  open_kernel (&t, SHORTEST);
  g_autoptr (VyrePlan) plan = dear_plan (&t, 3000);
  guint64 before = t.kernel->counters.tickets;
  for (guint i = 0; i < 4; i++)
    vyre_batch_free (publish (&t, plan));
  do
    vyre_megakernel_get_counters (t.kernel, &counters);
  while (counters.in_flight > 0);
  g_assert_cmpuint (counters.completed, ==, counters.batches);
  g_assert_cmpuint (counters.tickets - before, <, 3000);
  test_kernel_close (&t);
}

/* Batches of a kernel that ends do not go on either, and the kernel releases all payloads. */
static void
test_closed (void)
{
  VyrePayload nothing = { .release = count_release };
  TestKernel t;

  open_kernel (&t, SHORTEST);
  g_autoptr (VyrePlan) plan = dear_plan (&t, 3000);
  g_atomic_int_set (&n_released, 0);
  for (guint i = 0; i < 4; i++)
    vyre_batch_free (vyre_megakernel_publish (
        t.kernel, plan, 1, &nothing, g_get_monotonic_time () + TEST_DEADLINE, NULL));
  test_kernel_close (&t);
  g_assert_cmpint (g_atomic_int_get (&n_released), ==, 4);
}

/* A batch that writes waits for an older one that writes, also while that one waits for its turn
 * behind batches that do not write. */
static void
test_writers (void)
{
  GError *error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("vyre-turns-XXXXXX", &error);
  g_autofree char *path = g_build_filename (dir, "log", NULL), *words = NULL;
  VyreBatch *batches[8];
  const guint n = G_N_ELEMENTS (batches);
  gsize size;
  TestKernel t;

  g_assert_no_error (error);
  open_kernel (&t, SHORTEST);
  guint steps = STEPS * vyre_megakernel_get_workgroup (t.kernel);
  /* the words behind `a`: a copy by other lanes may put the words from before the store back */
  g_autofree char *copy = g_strdup_printf ("memcpy 162, 162, %u", steps);
  g_autofree char *copies = repeat (copy, 20);
  const char *format = "resource log = sink '%s'; store_u32 %u -> a; append log, &a, 1\n%s";
  g_autofree char *dear = g_strdup_printf (format, path, 1, copies);
  g_autofree char *second = g_strdup_printf (format, path, 2, "");
  g_autoptr (VyrePlan) others = dear_plan (&t, 200);
  g_autoptr (VyrePlan) waits = test_plan (&t, dear, 0, 0, steps + 2);
  g_autoptr (VyrePlan) passes = test_plan (&t, second, 0, 0, 0);
  vyre_batch_free (test_run (&t, passes, 0, &(VyrePayload){ 0 })); /* compiles */
  for (guint i = 0; i < n; i++)
    batches[i] = publish (&t, i + 2 < n ? others : i + 2 == n ? waits : passes);
  for (guint i = n; i-- > 0; vyre_batch_free (batches[i]))
    test_wait (batches[i]);
  test_kernel_close (&t);
  g_assert_true (g_file_get_contents (path, &words, &size, &error));
  g_assert_cmpuint (size, ==, 12);
  g_assert_cmpuint (vyre_read_word (words, 1), ==, 1);
  g_assert_cmpuint (vyre_read_word (words, 2), ==, 2);
  g_remove (path);
  g_rmdir (dir);
}

/* A batch goes on while no thread waits for it. */
static void
test_unattended (void)
{
  VyreMegakernelCounters counters;
  TestKernel t;

  open_kernel (&t, SHORTEST);
  g_autoptr (VyrePlan) plan = dear_plan (&t, 60);
  VyreBatch *batch = publish (&t, plan);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  while (!atomic_load (&batch->done) && g_get_monotonic_time () < end)
    g_usleep (1000);
  g_assert_true (atomic_load (&batch->done));
  vyre_megakernel_get_counters (t.kernel, &counters);
  g_assert_cmpuint (counters.turns, >, 0);
  vyre_batch_free (batch);
  test_kernel_close (&t);
}

/* ---- with the line held up ---------------------------------------------------- */

/* Adds a load that lets no dear batch in, or takes it away. */
static void
hold_up (TestKernel *t, gboolean wanted)
{
  const guint64 load = t->kernel->most + 1;

  g_mutex_lock (&t->kernel->lock);
  t->kernel->load += wanted ? load : -load;
  g_mutex_unlock (&t->kernel->lock);
}

static gboolean
came_later (const VyreBatch *batch, const VyreBatch *than)
{
  return (gint32)(batch->first_ticket - than->first_ticket) > 0;
}

/* Two runs are on their way at a time. Those of one tenant are of its two oldest batches, however
 * often these go to the end of the line: the third batch gains nothing by that. */
static void
test_own_order (void)
{
  VyreBatch *batches[3];
  TestKernel t;

  open_kernel (&t, SHORTEST);
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) tenant = vyre_tenants_register (tenants, "one", G_MAXUINT64, NULL);
  g_autoptr (VyrePlan) longest = dear_plan (&t, 1500);
  g_autoptr (VyrePlan) shorter = dear_plan (&t, 200);
  hold_up (&t, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++) {
    batches[i] = publish (&t, i < 2 ? longest : shorter);
    vyre_batch_set_tenant (batches[i], tenant);
  }
  hold_up (&t, FALSE);
  for (guint i = G_N_ELEMENTS (batches); i-- > 0;)
    test_wait (batches[i]);
  g_assert_cmpuint (count_turns (&t), >, 20);
  g_assert_true (came_later (batches[2], batches[0]) || came_later (batches[2], batches[1]));
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
    vyre_batch_free (batches[i]);
  test_kernel_close (&t);
}

/* Cheap batches do not wait in the line, and may have taken all places when the turn of a dear one
 * comes. */
static void
test_no_place (void)
{
  TestKernel t;

  open_kernel (&t, SHORTEST);
  g_autoptr (VyrePlan) plan = dear_plan (&t, 10);
  hold_up (&t, TRUE);
  VyreBatch *batch = publish (&t, plan);
  g_mutex_lock (&t.kernel->lock);
  guint n_free = t.kernel->places->len, n_own = t.kernel->lane->places->len;
  t.kernel->places->len = t.kernel->lane->places->len = 0;
  g_mutex_unlock (&t.kernel->lock);
  hold_up (&t, FALSE);
  g_assert_true (vyre_turns_proceed (t.kernel));
  g_mutex_lock (&t.kernel->lock);
  g_assert_cmpuint (g_queue_get_length (&t.kernel->turns), ==, 1);
  t.kernel->places->len = n_free;
  t.kernel->lane->places->len = n_own;
  g_mutex_unlock (&t.kernel->lock);
  test_wait (batch);
  vyre_batch_free (batch);
  test_kernel_close (&t);
}

/* Publishes @plan, which is not cut, and keeps the host from seeing that the device is through
 * with it; NULL when the host was faster. */
static VyreBatch *
publish_unseen (TestKernel *t, VyrePlan *plan)
{
  VyreBatch *batch = publish (t, plan);

  g_mutex_lock (&t->kernel->lock);
  gboolean unseen = !batch->done;
  batch->rung = !unseen;
  g_mutex_unlock (&t->kernel->lock);
  if (!unseen)
    g_clear_pointer (&batch, vyre_batch_free);
  return batch;
}

/* A thread that takes a batch out of flight wakes the service, which need not look at the clock
 * for that. */
static void
test_told (void)
{
  VyreBatch *first;
  TestKernel t;

  open_kernel (&t, SHORTEST);
  g_autoptr (VyrePlan) plan = dear_plan (&t, 10);
  while (!(first = publish_unseen (&t, plan)))
    ;
  g_atomic_int_set (&patient, TRUE);
  hold_up (&t, TRUE);
  VyreBatch *second = publish (&t, plan);
  patient_wait ();
  hold_up (&t, FALSE);
  g_mutex_lock (&t.kernel->lock);
  g_assert_cmpuint (g_queue_get_length (&t.kernel->turns), ==, 1);
  first->rung = TRUE;
  g_mutex_unlock (&t.kernel->lock);
  test_wait (first);
  test_wait (second);
  g_atomic_int_set (&patient, FALSE);
  vyre_batch_free (first);
  vyre_batch_free (second);
  test_kernel_close (&t);
}

/* ---- results ------------------------------------------------------------------- */

static void
check_results (VyreBatch *batch, guint tag, const TestOracle *o, gsize size)
{
  const guint8 *control = vyre_batch_get_readback (batch);

  g_assert_cmpuint (test_observable (batch, 0), ==, tag);
  g_assert_cmpuint (test_observable (batch, 3), ==, o->below);
  g_assert_cmphex (test_observable (batch, 4), ==, o->crc);
  g_assert_cmpuint (test_observable (batch, 5), ==, 50);
  for (guint bin = 0; bin < 256; bin++) {
    g_assert_cmpuint (test_observable (batch, 10 + bin), ==, o->bins[bin]);
    g_assert_cmpuint (test_observable (batch, 300 + bin), ==, o->bins[bin]);
  }
  g_assert_cmpuint (vyre_read_word (control, VYRE_CONTROL_DONE_COUNT), ==, 4 + 1 + 100);
  g_assert_cmpuint (vyre_read_word (control, VYRE_CONTROL_EPOCH), ==, 1);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, 4 * size);
}

/* Slots, tiles and fences of a batch that is cut have the same results as without cuts. */
static void
test_results (void)
{
  const gsize size = 3 << 20;
  g_autofree guint8 *data = g_malloc (size);
  TestKernel t;
  TestOracle o;
  gsize slice;

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)(i * 2654435761u >> 13);
  test_oracle (&o, data, &(VyreRegion){ 0, (guint32)size, 1, (guint32)size }, 100);
  open_kernel (&t, SHORTEST);
  guint words = STEPS * vyre_megakernel_get_workgroup (t.kernel);
  g_autofree char *copy = g_strdup_printf ("memcpy 600, 600, %u; atomic_add 1 -> 5", words);
  g_autofree char *copies = repeat (copy, 50);
  g_autofree char *text = g_strdup_printf ("u8_histogram payload -> 10; crc32 payload -> 4\n"
                                           "u8_below payload, 100 -> 3; batch_fence\n%s"
                                           "u8_histogram payload -> 300",
      copies);
  g_autoptr (VyrePlan) plan = test_plan (&t, text, size, 0, 600 + words);
  VyrePayload payload = test_stage (&t, data, size, 0, &slice);
  payload.release = count_release;
  g_atomic_int_set (&n_released, 0);
  for (guint tag = 1; tag <= 3; tag++) {
    g_autoptr (VyreBatch) batch = test_run (&t, plan, tag, &payload);
    check_results (batch, tag, &o, size);
    g_assert_cmpint (g_atomic_int_get (&n_released), ==, (gint)tag);
  }
  g_assert_cmpuint (count_turns (&t), >=, 3 * 2);
  vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
  test_kernel_close (&t);
}

#define WAITED 16
#define PRODUCERS 4

typedef struct {
  TestKernel *t;
  guint32 seed;
  GThread *thread;
} Producer;

/* The number of batches of @plan that each producer may keep. Readbacks are the larger, the more
 * lanes a workgroup has, and half of their store is for batches that were freed. */
static gint
count_kept (TestKernel *t, VyrePlan *plan)
{
  gsize room = vyre_store_get_size (vyre_megakernel_get_readbacks (t->kernel)) / 2 / PRODUCERS;

  return (gint)CLAMP (room / vyre_plan_get_layout (plan)->total, 1, WAITED);
}

/* Publishes dear and cheap batches in any order, waits for some in any order, and frees the
 * others. */
static gpointer
produce (gpointer data)
{
  Producer *self = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (self->seed);
  g_autoptr (VyrePlan) dear = dear_plan (self->t, 40);
  g_autoptr (VyrePlan) middling = dear_plan (self->t, 5);
  g_autoptr (VyrePlan) cheap = test_plan (self->t, "nop; batch_fence", 0, 0, 0);
  VyrePlan *plans[] = { dear, middling, cheap, cheap };
  VyreBatch *batches[WAITED] = { NULL };
  gint kept = count_kept (self->t, dear);

  for (guint i = 0; i < test_times (100, 2000); i++) {
    VyreBatch **batch = &batches[g_rand_int_range (rand, 0, kept)];
    if (*batch && g_rand_boolean (rand)) {
      test_wait (*batch);
      g_assert_cmpuint (vyre_batch_get_completion (*batch)->faults, ==, 0);
    }
    g_clear_pointer (batch, vyre_batch_free);
    *batch = publish (self->t, plans[g_rand_int_range (rand, 0, G_N_ELEMENTS (plans))]);
  }
  for (guint i = 0; i < WAITED; i++)
    g_clear_pointer (&batches[i], vyre_batch_free);
  return NULL;
}

static void
test_threads (void)
{
  VyreMegakernelCounters counters;
  Producer producers[PRODUCERS];
  TestKernel t;

  open_kernel (&t, SHORTEST);
  for (guint i = 0; i < G_N_ELEMENTS (producers); i++) {
    producers[i] = (Producer){ &t, i + 1, NULL };
    producers[i].thread = g_thread_new ("producer", produce, &producers[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (producers); i++)
    g_thread_join (producers[i].thread);
  do
    vyre_megakernel_get_counters (t.kernel, &counters);
  while (counters.in_flight > 0);
  g_assert_cmpuint (counters.completed, ==, counters.batches);
  g_assert_cmpuint (t.kernel->load, ==, 0);
  g_assert_cmpuint (t.kernel->n_cut, ==, 0);
  test_kernel_close (&t);
}

/* A ring of as many slots as can be encoded, with a readback store that has room for it. */
static void
test_largest_ring (void)
{
  const gsize size = (gsize)VYRE_ENCODE_MAX * 4 * VYRE_SLOT_WORDS;
  const guint32 words[]
      = { VYRE_STATUS_PUBLISHED, VYRE_OP_ATOMIC_ADD, 0, 0, 1, VYRE_CONTROL_OBSERVABLES + 1 };
  g_autofree guint8 *ring = g_malloc0 (size);
  guint32 control[VYRE_CONTROL_OBSERVABLES + 2];
  guint32 log[VYRE_DEBUG_WORDS] = { 0 }, io[VYRE_IO_WORDS] = { 0 };
  VyreMegakernelParams params = test_params ();
  GError *error = NULL;
  TestKernel t;

  params.readback_size = 96 << 20;
  test_kernel_open (&t, &params);
  for (gsize slot = 0; slot < VYRE_ENCODE_MAX; slot++)
    memcpy (ring + slot * 4 * VYRE_SLOT_WORDS, words, sizeof words);
  vyre_encode_control_into (control, sizeof control, 2, 1, FALSE, &error);
  g_assert_no_error (error);
  VyreParts parts = { .data = { control, ring, log, io },
    .size = { sizeof control, size, sizeof log, sizeof io } };
  g_autoptr (VyrePlan) plan
      = vyre_plan_new_from_parts (&parts, 0, vyre_megakernel_get_workgroup (t.kernel), &error);
  g_assert_no_error (error);
  if (t.kernel->traits->in_device_memory && t.kernel->limited) {
    g_test_skip ("such long readbacks are not copied out");
  } else {
    VyreBatch *batch = test_run (&t, plan, 0, &(VyrePayload){ 0 });
    g_assert_cmpuint (test_observable (batch, 1), ==, VYRE_ENCODE_MAX);
    vyre_batch_free (batch);
  }
  test_kernel_close (&t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/turns/lets-others-in", test_lets_others_in);
  g_test_add_func ("/turns/takes-turns", test_takes_turns);
  g_test_add_func ("/turns/many-together", test_many_together);
  g_test_add_func ("/turns/publishers", test_publishers);
  g_test_add_func ("/turns/no-limit", test_no_limit);
  g_test_add_func ("/turns/dropped", test_dropped);
  g_test_add_func ("/turns/closed", test_closed);
  g_test_add_func ("/turns/writers", test_writers);
  g_test_add_func ("/turns/unattended", test_unattended);
  g_test_add_func ("/turns/own-order", test_own_order);
  g_test_add_func ("/turns/no-place", test_no_place);
  g_test_add_func ("/turns/told", test_told);
  g_test_add_func ("/turns/results", test_results);
  g_test_add_func ("/turns/threads", test_threads);
  g_test_add_func ("/turns/largest-ring", test_largest_ring);
  return g_test_run ();
}

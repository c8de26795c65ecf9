/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The service with requests that the devices at hand do not make: unsound requests, requests in
 * another order, and batches whose end the host sees late.
 */
#include "resources-common.h"
#include "program/file-name.h"
#include "kernel/completion.h"
#include "kernel/state.h"
#include "abi/shared-words.h"

#include <glib/gstdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The most prefetches that wait for the service. */
#define MOST_PREFETCHES 64

static TestKernel t;
static char *dir, *log_path;

static gint64
deadline (void)
{
  return g_get_monotonic_time () + TEST_COMPILE_DEADLINE;
}

static VyreBatch *
publish (VyrePlan *plan, const VyrePayload *payload)
{
  GError *error = NULL;
  VyreBatch *batch = vyre_megakernel_publish (t.kernel, plan, 1, payload, deadline (), &error);

  g_assert_no_error (error);
  return batch;
}

static void
wait_for (VyreBatch *batch)
{
  GError *error = NULL;

  vyre_batch_wait (batch, deadline (), &error);
  g_assert_no_error (error);
}

/* A program that stores @n words from @first on, and appends each with a request of its own. */
static VyrePlan *
appending_plan (guint first, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "resource log = sink '%s'\n", log_path);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "store_u32 %u -> w%u; append log, &w%u, 1\n", first + i, i, i);
  return test_plan (&t, text->str, 0, 0, 0);
}

/* Expects that the file has these words and no others. */
static void
assert_log (const guint32 *wanted, guint n)
{
  g_autofree char *bytes = NULL;
  gsize size = 0;

  g_assert_true (g_file_get_contents (log_path, &bytes, &size, NULL));
  g_assert_cmpuint (size, ==, 4 * n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (vyre_read_word (bytes, i), ==, wanted[i]);
}

/* Empties the file; the sink stays open and goes on at the new end. */
static void
empty_log (void)
{
  if (g_file_test (log_path, G_FILE_TEST_EXISTS))
    g_assert_cmpint (truncate (log_path, 0), ==, 0);
}

/* TRUE when the device is through with the batch, and all of its readback has arrived. */
static gboolean
is_over (VyreBatch *batch)
{
  gsize arrived = 0;

  return vyre_batch_is_completed (batch)
         && (!t.kernel->traits->in_device_memory
             || vyre_readback_marks_is_whole (
                 vyre_batch_readback (batch), batch->plan, &t.kernel->mark, &arrived));
}

/* Publishes @plan and returns once the device is through with the part before the host's, while
 * the host does not see that. The host may be faster: then another batch is published. */
static VyreBatch *
publish_unseen (VyrePlan *plan, const VyrePayload *payload)
{
  for (;;) {
    VyreBatch *batch = publish (plan, payload);
    gint64 end = deadline ();
    g_mutex_lock (&t.kernel->lock);
    gboolean unseen = !batch->done && !batch->parked && batch->plan == plan;
    if (unseen)
      batch->rung = FALSE;
    g_mutex_unlock (&t.kernel->lock);
    while (unseen && !is_over (batch)) {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_thread_yield ();
    }
    if (unseen)
      return batch;
    wait_for (batch);
    vyre_batch_free (batch);
    empty_log ();
  }
}

static void
show (VyreBatch *batch)
{
  g_mutex_lock (&t.kernel->lock);
  batch->rung = TRUE;
  g_mutex_unlock (&t.kernel->lock);
}

/* ---- requests that are not sound ----------------------------------------------- */

/* With @word of its request set to @value, an append of one word is refused, and nothing is
 * written. */
static void
check_refused (VyrePlan *plan, guint word, guint32 value)
{
  VyreBatch *batch = publish_unseen (plan, &(VyrePayload){ 0 });

  vyre_write_word (vyre_batch_get_io_queue (batch), word, value);
  show (batch);
  wait_for (batch);
  const GError *error = vyre_batch_get_io_error (batch);
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "asks for what there is not. Fix: "));
  g_assert_cmpuint (status_of (batch, plan, 1), ==, VYRE_STATUS_FAULT);
  vyre_batch_free (batch);
  assert_log (NULL, 0);
}

/* The whole control buffer can be appended, and no byte more from anywhere. */
static void
test_forged_write (void)
{
  g_autoptr (VyrePlan) plan = appending_plan (7, 1);
  const guint32 size = (guint32)vyre_plan_get_layout (plan)->size[VYRE_PART_CONTROL];
  const guint32 offset = 4 * (VYRE_CONTROL_OBSERVABLES + 1);
  const struct {
    guint word;
    guint32 value;
  } forged[] = { { VYRE_IO_SLOT_OP, 0 }, { VYRE_IO_SLOT_OP, VYRE_IO_OP_FENCE + 1 },
    { VYRE_IO_SLOT_OP, G_MAXUINT32 }, { VYRE_IO_SLOT_OFFSET, size - 3 },
    { VYRE_IO_SLOT_OFFSET, size }, { VYRE_IO_SLOT_OFFSET, size + 1 },
    { VYRE_IO_SLOT_OFFSET, size + 4 }, { VYRE_IO_SLOT_OFFSET, G_MAXUINT32 },
    { VYRE_IO_SLOT_OFFSET + 1, 1 }, { VYRE_IO_SLOT_OFFSET + 1, G_MAXUINT32 },
    { VYRE_IO_SLOT_BYTES, size - offset + 1 }, { VYRE_IO_SLOT_BYTES, G_MAXUINT32 } };
  g_autofree char *bytes = NULL;
  gsize n_bytes;

  VyreBatch *batch = publish_unseen (plan, &(VyrePayload){ 0 });
  vyre_write_word (vyre_batch_get_io_queue (batch), VYRE_IO_SLOT_OFFSET, 0);
  vyre_write_word (vyre_batch_get_io_queue (batch), VYRE_IO_SLOT_BYTES, size);
  show (batch);
  wait_for (batch);
  g_assert_null (vyre_batch_get_io_error (batch));
  vyre_batch_free (batch);
  g_assert_true (g_file_get_contents (log_path, &bytes, &n_bytes, NULL));
  g_assert_cmpuint (n_bytes, ==, size);
  g_assert_cmpuint (vyre_read_word (bytes, offset / 4), ==, 7);
  empty_log ();
  for (guint i = 0; i < G_N_ELEMENTS (forged); i++)
    check_refused (plan, forged[i].word, forged[i].value);
}

/* A request of a slot that does not exist has no effect. */
static void
test_forged_tag (void)
{
  static const guint32 tags[] = { G_MAXUINT32, G_MAXINT32, 1 << 20 };
  g_autofree char *path = make_path (dir, 0);
  g_autofree char *text = g_strdup_printf ("resource r = file '%s'; load_miss r, 1", path);
  g_autoptr (VyrePlan) plan = test_plan (&t, text, 0, 0, 0);

  write_words (path, 0, 100);
  for (guint i = 0; i < G_N_ELEMENTS (tags); i++) {
    VyreBatch *batch = publish_unseen (plan, &(VyrePayload){ 0 });
    vyre_write_word (vyre_batch_get_io_queue (batch), VYRE_IO_SLOT_TAG, tags[i]);
    show (batch);
    wait_for (batch);
    g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
    vyre_batch_free (batch);
  }
  g_remove (path);
}

/* ---- order --------------------------------------------------------------------- */

typedef struct {
  guint32 words[VYRE_IO_SLOT_WORDS];
} IoSlot;

static gint
compare_backwards (gconstpointer a, gconstpointer b)
{
  guint32 first = vyre_read_word (a, VYRE_IO_SLOT_TAG);
  guint32 second = vyre_read_word (b, VYRE_IO_SLOT_TAG);

  return first < second ? 1 : -(first > second);
}

/* Lanes may make requests in another order than that of their slots; writes keep the order of the
 * slots. */
static void
test_order_of_slots (void)
{
  enum { N = 5 };
  static const guint32 wanted[N] = { 10, 11, 12, 13, 14 };
  g_autoptr (VyrePlan) plan = appending_plan (wanted[0], N);
  VyreBatch *batch = publish_unseen (plan, &(VyrePayload){ 0 });

  qsort (vyre_batch_get_io_queue (batch), N, sizeof (IoSlot), compare_backwards);
  show (batch);
  wait_for (batch);
  g_assert_null (vyre_batch_get_io_error (batch));
  for (guint slot = 0; slot < 2 * N; slot++)
    g_assert_cmpuint (status_of (batch, plan, slot), ==, VYRE_STATUS_DONE);
  vyre_batch_free (batch);
  assert_log (wanted, N);
  empty_log ();
}

/* Has the service collect completions until it serves the first request of @batch. */
static void
await_claim (VyreBatch *batch)
{
  VyreMegakernelCounters counters;
  gint64 end = deadline ();

  do {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    vyre_megakernel_get_counters (t.kernel, &counters);
    g_thread_yield ();
  } while (vyre_word_acquire (vyre_batch_get_io_queue (batch), VYRE_IO_SLOT_STATUS)
           != VYRE_STATUS_CLAIMED);
}

/* The host sees the end of the older of two batches when the younger is about to write: the older
 * is then neither in flight nor served, and still writes first. */
static void
test_order_of_batches (void)
{
  static const guint32 wanted[] = { 21, 22 };
  g_autoptr (VyrePlan) plan = appending_plan (wanted[0], 1);
  g_autoptr (VyrePlan) younger_plan = appending_plan (wanted[1], 1);

  for (guint round = 0; round < 10; round++) {
    VyreBatch *older = publish_unseen (plan, &(VyrePayload){ 0 });
    VyreBatch *younger = publish (younger_plan, &(VyrePayload){ 0 });
    await_claim (younger);
    show (older);
    wait_for (younger);
    wait_for (older);
    g_assert_null (vyre_batch_get_io_error (older));
    g_assert_null (vyre_batch_get_io_error (younger));
    vyre_batch_free (older);
    vyre_batch_free (younger);
    assert_log (wanted, G_N_ELEMENTS (wanted));
    empty_log ();
  }
}

/* ---- prefetches ---------------------------------------------------------------- */

typedef struct {
  GMutex lock;
  GCond changed;
  gboolean released;
  gboolean held; /* the service's thread releases, and waits */
} Gate;

/* A payload's release function, which holds the service's thread. */
static void
hold_service (gpointer data)
{
  Gate *gate = data;
  char name[16] = "";

  prctl (PR_GET_NAME, name);
  g_mutex_lock (&gate->lock);
  gate->released = TRUE;
  gate->held = g_str_equal (name, "vyre-service");
  g_cond_broadcast (&gate->changed);
  while (gate->held)
    g_cond_wait (&gate->changed, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

/* Has the service release a payload. Returns FALSE when another thread released it. */
static gboolean
close_gate (Gate *gate, VyrePlan *plan)
{
  VyreBatch *batch
      = publish_unseen (plan, &(VyrePayload){ .owner = gate, .release = hold_service });

  g_mutex_lock (&t.kernel->lock);
  batch->rung = TRUE;
  t.kernel->collect = TRUE;
  g_mutex_unlock (&t.kernel->lock);
  t.kernel->host.wake (t.kernel->host.data);
  g_mutex_lock (&gate->lock);
  while (!gate->released)
    g_cond_wait (&gate->changed, &gate->lock);
  gboolean held = gate->held;
  gate->released = FALSE;
  g_mutex_unlock (&gate->lock);
  vyre_batch_free (batch);
  return held;
}

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->held = FALSE;
  g_cond_broadcast (&gate->changed);
  g_mutex_unlock (&gate->lock);
}

static void
prefetch (VyreAccess *access, guint id)
{
  g_autofree char *path = g_strdup_printf ("%s/missing-%u", dir, id);

  t.kernel->host.prefetch (t.kernel->host.data, &(VyreFileName){ access, path });
}

/* While the service is busy, a limited number of files waits for a prefetch, each of them once. */
static void
test_most_prefetches (void)
{
  g_autofree char *path = make_path (dir, 0);
  g_autofree char *text = g_strdup_printf ("resource r = file '%s'; load_miss r", path);
  g_autoptr (VyreAccess) access = vyre_access_new (VYRE_ACCESS_READ, NULL, NULL);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  g_autoptr (VyrePlan) loads = test_plan (&t, text, 0, 0, 0);
  VyreResourceCounters before, after;
  Gate gate = { 0 };

  write_words (path, 0, 4);
  vyre_megakernel_get_resource_counters (t.kernel, &before);
  while (!close_gate (&gate, plan))
    ;
  for (guint id = 0; id < 2 * MOST_PREFETCHES; id++) {
    prefetch (access, id);
    prefetch (access, id);
  }
  open_gate (&gate);
  vyre_batch_free (test_run (&t, loads, 1, &(VyrePayload){ 0 })); /* behind all of the prefetches */
  vyre_megakernel_get_resource_counters (t.kernel, &after);
  g_assert_cmpuint (after.prefetches - before.prefetches, ==, 4 * MOST_PREFETCHES);
  g_assert_cmpuint (after.failures - before.failures, ==, MOST_PREFETCHES);
  g_remove (path);
}

int
main (int argc, char **argv)
{
  VyreMegakernelParams params = test_params ();

  g_test_init (&argc, &argv, NULL);
  dir = g_dir_make_tmp ("vyre-service-XXXXXX", NULL);
  log_path = g_build_filename (dir, "log", NULL);
  test_kernel_open (&t, &params);
  g_test_add_func ("/host-requests/forged-write", test_forged_write);
  g_test_add_func ("/host-requests/forged-tag", test_forged_tag);
  g_test_add_func ("/host-requests/order-of-slots", test_order_of_slots);
  g_test_add_func ("/host-requests/order-of-batches", test_order_of_batches);
  g_test_add_func ("/host-requests/most-prefetches", test_most_prefetches);
  int failed = g_test_run ();
  test_kernel_close (&t);
  g_remove (log_path);
  g_rmdir (dir);
  g_free (log_path);
  g_free (dir);
  return failed;
}

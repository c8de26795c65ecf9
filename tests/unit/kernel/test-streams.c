/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams: batches that start from the words that the one before has left.
 */
#include "kernel-common.h"
#include "kernel/types.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define BATCHES 200
#define MOST_IN_FLIGHT 64
#define HISTORY 8
#define MOST_BYTES 256

/* How many batches there were, how many bytes below 128, and the sizes of the last payloads, which
 * depend on the order of the batches. */
static const char program_text[]
    = "state frames[1]; state dark[1]; state history[8]\n"
      "atomic_add 1 -> frames\n"
      "u8_below payload, 128 -> (&dark - 160)\n"
      "packed_slot { memcpy &history + 1, &history, 7 | store_u32 payload.size, &history + 7 }";

#define FIRST 1 /* observable of the state */
#define WORDS (2 + HISTORY)

typedef struct {
  TestKernel *t;
  VyreLane *lane;
  VyreStream *stream;
  VyrePlan *plans[5]; /* for payloads of 64, 96, 128 … bytes */
  guint32 words[WORDS];
  guint n; /* batches that words knows of */
} Stream;

static guint
size_of (guint number)
{
  return 64 + 32 * (number * number % 5);
}

static VyrePlan *
plan_of (const Stream *s, guint number)
{
  return s->plans[(size_of (number) - 64) / 32];
}

static void
stream_open (Stream *s, TestKernel *t)
{
  *s = (Stream){ .t = t, .lane = vyre_lane_new (t->kernel) };
  s->stream = vyre_stream_new (s->lane, NULL, 0);
  for (guint i = 0; i < G_N_ELEMENTS (s->plans); i++) {
    s->plans[i] = test_plan (t, program_text, 64 + 32 * i, 0, 0);
    g_assert_cmpuint (vyre_plan_get_state_words (s->plans[i]), ==, WORDS);
  }
}

static void
stream_close (Stream *s)
{
  vyre_stream_unref (s->stream);
  vyre_lane_unref (s->lane);
  for (guint i = 0; i < G_N_ELEMENTS (s->plans); i++)
    vyre_plan_unref (s->plans[i]);
}

static void
stream_restart (Stream *s, const guint32 *words, guint n_words)
{
  vyre_stream_unref (s->stream);
  s->stream = vyre_stream_new (s->lane, words, n_words);
  s->n = 0;
  memset (s->words, 0, sizeof s->words);
  if (words)
    memcpy (s->words, words, sizeof s->words);
}

/* The oracle: the words behind the next batch. */
static void
stream_advance (Stream *s)
{
  guint size = size_of (s->n);

  s->words[0]++;
  for (guint i = 0; i < size; i++)
    s->words[1] += (guint8)(s->n * 7 + i * 3) < 128;
  memmove (&s->words[2], &s->words[3], 4 * (HISTORY - 1));
  s->words[1 + HISTORY] = size;
  s->n++;
}

static VyreBatch *
stream_publish (Stream *s, guint number, gsize *slice)
{
  GError *error = NULL;
  guint8 data[MOST_BYTES];

  for (guint i = 0; i < size_of (number); i++)
    data[i] = (guint8)(number * 7 + i * 3);
  VyrePayload payload = test_stage (s->t, data, size_of (number), 0, slice);
  VyreBatch *batch = vyre_stream_publish (s->stream, plan_of (s, number), number, &payload,
      g_get_monotonic_time () + TEST_DEADLINE, &error);
  g_assert_no_error (error);
  return batch;
}

/* Waits for a batch, and compares what it started from and what it left with the oracle. */
static void
stream_finish (Stream *s, VyreBatch *batch, gsize slice)
{
  guint n_words;

  test_wait_through (batch);
  const guint32 *before = vyre_batch_get_state (batch, &n_words);
  g_assert_cmpmem (before, 4 * n_words, s->words, sizeof s->words);
  stream_advance (s);
  const guint8 *control = vyre_batch_get_readback (batch);
  for (guint i = 0; i < WORDS; i++)
    g_assert_cmpuint (
        vyre_read_word (control, VYRE_CONTROL_OBSERVABLES + FIRST + i), ==, s->words[i]);
  vyre_batch_free (batch);
  vyre_store_free (vyre_megakernel_get_staging (s->t->kernel), slice);
}

static void
stream_run (Stream *s, guint n, guint in_flight)
{
  VyreBatch *batches[MOST_IN_FLIGHT];
  gsize slices[MOST_IN_FLIGHT];

  for (guint i = 0; i < n + in_flight; i++) {
    guint place = i % in_flight;
    if (i >= in_flight)
      stream_finish (s, batches[place], slices[place]);
    if (i < n)
      batches[place]
          = stream_publish (s, s->n + (i < in_flight ? i : in_flight - 1), &slices[place]);
  }
}

/* Words do not depend on how many batches are published ahead. */
static void
test_in_flight (void)
{
  static const guint depths[] = { 1, 4, 64 };
  TestKernel t;
  Stream s;
  VyreMegakernelParams params = test_params ();

  test_kernel_open (&t, &params);
  stream_open (&s, &t);
  for (guint i = 0; i < G_N_ELEMENTS (depths); i++) {
    stream_run (&s, BATCHES, depths[i]);
    g_assert_cmpuint (s.words[0], ==, BATCHES);
    stream_restart (&s, NULL, 0);
  }
  stream_close (&s);
  g_assert_cmpuint (test_counters (&t).completed, ==, test_counters (&t).batches);
  test_kernel_close (&t);
}

/* A stream that goes on from words starts there. */
static void
test_words (void)
{
  TestKernel t;
  Stream s;
  VyreMegakernelParams params = test_params ();
  guint32 words[WORDS] = { 40, 0xFFFFFFFF, 1, 2, 3, 4, 5, 6, 7, 8 };

  test_kernel_open (&t, &params);
  stream_open (&s, &t);
  stream_restart (&s, words, WORDS);
  stream_run (&s, 10, 4);
  g_assert_cmpuint (s.words[0], ==, 50);
  stream_close (&s);
  test_kernel_close (&t);
}

/* The last of many batches completes although no thread waits for those before it. */
static void
test_last_alone (void)
{
  TestKernel t;
  Stream s;
  VyreMegakernelParams params = test_params ();
  VyreBatch *batches[10];
  gsize slices[10];

  test_kernel_open (&t, &params);
  stream_open (&s, &t);
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
    batches[i] = stream_publish (&s, i, &slices[i]);
  test_wait_through (batches[G_N_ELEMENTS (batches) - 1]);
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
    stream_finish (&s, batches[i], slices[i]);
  stream_close (&s);
  test_kernel_close (&t);
}

/* Freed batches give back what they hold, whether they run, wait or are about to be published, and
 * a new stream on the lane does not notice. */
static void
test_freed (void)
{
  TestKernel t;
  Stream s;
  VyreMegakernelParams params = test_params ();
  VyreBatch *batches[20];
  gint released = 0;

  test_kernel_open (&t, &params);
  stream_open (&s, &t);
  for (guint round = 0; round < 20; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (batches); i++) {
      VyrePayload payload = { .release = test_count_release, .owner = &released };
      batches[i] = vyre_stream_publish (
          s.stream, s.plans[0], i, &payload, g_get_monotonic_time () + TEST_DEADLINE, NULL);
    }
    if (round % 2 == 0)
      test_wait_through (batches[round]);
    for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
      vyre_batch_free (batches[i]);
    stream_restart (&s, NULL, 0);
    stream_run (&s, 5, 4);
    stream_restart (&s, NULL, 0);
  }
  stream_close (&s);
  test_kernel_close (&t);
  g_assert_cmpint (released, ==, 20 * G_N_ELEMENTS (batches));
}

/* Batches of other streams and of none do not wait for a stream, and streams keep their words
 * apart. */
static void
test_apart (void)
{
  TestKernel t;
  Stream s[2];
  VyreMegakernelParams params = test_params ();

  test_kernel_open (&t, &params);
  for (guint i = 0; i < 2; i++)
    stream_open (&s[i], &t);
  g_autoptr (VyrePlan) plain = test_plan (&t, "state n[1]; atomic_add 3 -> n", 0, 0, 0);
  for (guint i = 0; i < 40; i++) {
    gsize slices[2];
    VyreBatch *batches[2];
    VyrePayload nothing = { 0 };
    for (guint k = 0; k < 2; k++)
      batches[k] = stream_publish (&s[k], s[k].n, &slices[k]);
    g_autoptr (VyreBatch) alone = vyre_lane_publish (
        s[0].lane, plain, i, &nothing, g_get_monotonic_time () + TEST_DEADLINE, NULL);
    test_wait_through (alone);
    g_assert_cmpuint (
        vyre_read_word (vyre_batch_get_readback (alone), VYRE_CONTROL_OBSERVABLES + 1), ==, 3);
    for (guint k = 0; k < 2; k++)
      stream_finish (&s[k], batches[k], slices[k]);
    if (i == 20)
      stream_restart (&s[1], NULL, 0);
  }
  g_assert_cmpuint (s[0].words[0], ==, 40);
  g_assert_cmpuint (s[1].words[0], ==, 19);
  for (guint i = 0; i < 2; i++)
    stream_close (&s[i]);
  test_kernel_close (&t);
}

/* A batch that is cut into runs, and waits for a file in between, starts from its words once. */
static void
test_runs (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "vyre-streams-XXXXXX", NULL);
  gint fd = g_mkstemp (path);
  g_autofree char *text = g_strdup_printf ("resource r = file \"%s\"; state n[2]\n"
                                           "load_words r, 0, 1 -> loaded\n"
                                           "atomic_add 2 -> n; batch_fence 2, 7",
      path);

  g_assert_cmpint (write (fd, "\5\0\0\0", 4), ==, 4);
  close (fd);
  test_kernel_open (&t, &params);
  VyreLane *lane = vyre_lane_new (t.kernel);
  VyreStream *stream = vyre_stream_new (lane, NULL, 0);
  g_autoptr (VyrePlan) plan = test_plan (&t, text, 0, 0, 0);
  for (guint i = 1; i <= 4; i++) {
    VyrePayload nothing = { 0 };
    GError *error = NULL;
    g_autoptr (VyreBatch) batch = vyre_stream_publish (
        stream, plan, i, &nothing, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
    g_assert_no_error (error);
    test_wait_through (batch);
    const guint8 *control = vyre_batch_get_readback (batch);
    g_assert_cmpuint (vyre_read_word (control, VYRE_CONTROL_OBSERVABLES + 1), ==, 2 * i);
    g_assert_cmpuint (vyre_read_word (control, VYRE_CONTROL_OBSERVABLES + 3), ==, 5);
  }
  vyre_stream_unref (stream);
  vyre_lane_unref (lane);
  test_kernel_close (&t);
  g_unlink (path);
}

/* A hook of the kernel that has the first batch freed which is parked, as its owner may do. */
static struct {
  void (*park) (gpointer data, VyreBatch *batch);
  VyreBatch *freed;
} hook;

static void
park_freed (gpointer data, VyreBatch *batch)
{
  if (!hook.freed) {
    hook.freed = batch;
    batch->orphaned = TRUE; /* as vyre_batch_free() does, under these locks */
  }
  hook.park (data, batch);
}

static void
set_park_hook (TestKernel *t, void (*park) (gpointer data, VyreBatch *batch))
{
  g_mutex_lock (&t->kernel->lock);
  hook.park = t->kernel->host.park;
  hook.freed = NULL;
  t->kernel->host.park = park;
  g_mutex_unlock (&t->kernel->lock);
}

/* A batch that is freed while it waits for a file lets the next one in. */
static void
test_freed_parked (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "vyre-streams-XXXXXX", NULL);
  VyrePayload nothing = { 0 };

  close (g_mkstemp (path));
  g_assert_true (g_file_set_contents (path, "\5\0\0\0", 4, NULL));
  g_autofree char *text = g_strdup_printf ("resource r = file \"%s\"; state n[1]\n"
                                           "load_words r, 0, 1 -> loaded; atomic_add 2 -> n",
      path);
  test_kernel_open (&t, &params);
  set_park_hook (&t, park_freed);
  VyreLane *lane = vyre_lane_new (t.kernel);
  VyreStream *stream = vyre_stream_new (lane, NULL, 0);
  g_autoptr (VyrePlan) plan = test_plan (&t, text, 0, 0, 0);
  GError *error = NULL;
  vyre_stream_publish (
      stream, plan, 1, &nothing, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  g_assert_no_error (error);
  VyreBatch *batch = vyre_stream_publish (
      stream, plan, 2, &nothing, g_get_monotonic_time () + TEST_DEADLINE, &error);
  g_assert_no_error (error);
  vyre_batch_wait (batch, g_get_monotonic_time () + TEST_DEADLINE, &error);
  g_assert_no_error (error);
  vyre_batch_free (batch);
  vyre_stream_unref (stream);
  vyre_lane_unref (lane);
  test_kernel_close (&t);
  g_unlink (path);
}

#define WRITERS 3

/* Batches that a hook keeps from the service thread, and whether it lets them pass, by their tags.
 */
static VyreBatch *held[WRITERS + 1];
static gboolean passes[WRITERS + 1];

static void
park_held (gpointer data, VyreBatch *batch)
{
  guint tag = batch->completion.tag;

  if (passes[tag])
    hook.park (data, batch);
  else
    held[tag] = batch;
}

/* Waits until a batch is held. */
static void
wait_until_held (TestKernel *t, guint tag)
{
  gint64 end = g_get_monotonic_time () + TEST_COMPILE_DEADLINE;
  gboolean is_held = FALSE;

  while (!is_held) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    test_counters (t); /* collects completions */
    g_mutex_lock (&t->kernel->lock);
    is_held = held[tag] != NULL;
    g_mutex_unlock (&t->kernel->lock);
    g_thread_yield ();
  }
}

/* Hands batches to the service thread, all at once. */
static void
let_pass (TestKernel *t, const guint *tags, guint n)
{
  g_mutex_lock (&t->kernel->lock);
  for (guint i = 0; i < n; i++) {
    passes[tags[i]] = TRUE;
    hook.park (t->kernel->host.data, held[tags[i]]);
  }
  g_mutex_unlock (&t->kernel->lock);
}

/* The second batch waits for the first one, and the third for none: when the first one ends, the
 * third has been published and the second has not. Each appends the length of its stream. */
static void
run_writers (TestKernel *t, VyrePlan *plan)
{
  VyreLane *lane = vyre_lane_new (t->kernel);
  VyreStream *stream = vyre_stream_new (lane, NULL, 0);
  VyreBatch *batches[WRITERS + 1];
  VyrePayload nothing = { 0 };
  GError *error = NULL;

  for (guint tag = 1; tag <= WRITERS; tag++) {
    gint64 end = g_get_monotonic_time () + TEST_COMPILE_DEADLINE;
    batches[tag] = tag < 3 ? vyre_stream_publish (stream, plan, tag, &nothing, end, &error)
                           : vyre_lane_publish (lane, plan, tag, &nothing, end, &error);
    g_assert_no_error (error);
  }
  wait_until_held (t, 1);
  wait_until_held (t, 3);
  let_pass (t, (const guint[]){ 1 }, 1);
  wait_until_held (t, 2);
  let_pass (t, (const guint[]){ 2, 3 }, 2);
  for (guint tag = 1; tag <= WRITERS; tag++) {
    test_wait_through (batches[tag]);
    vyre_batch_free (batches[tag]);
  }
  vyre_stream_unref (stream);
  vyre_lane_unref (lane);
}

/* Files are written in the order in which batches really begin. */
static void
test_order_of_writes (void)
{
  static const guint32 order[WRITERS] = { 1, 1, 2 };
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "vyre-streams-XXXXXX", NULL);
  g_autofree char *bytes = NULL;
  gsize size;

  close (g_mkstemp (path));
  g_autofree char *text = g_strdup_printf (
      "resource log = sink \"%s\"; state n[1]; atomic_add 1 -> n; append log, &n, 1", path);
  test_kernel_open (&t, &params);
  set_park_hook (&t, park_held);
  g_autoptr (VyrePlan) plan = test_plan (&t, text, 0, 0, 0);
  run_writers (&t, plan);
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  g_assert_cmpuint (size, ==, sizeof order);
  for (guint i = 0; i < WRITERS; i++)
    g_assert_cmpuint (vyre_read_word ((const guint8 *)bytes, i), ==, order[i]);
  test_kernel_close (&t);
  g_unlink (path);
}

/* Runs two batches, and waits for the first one while the second follows it; returns whether the
 * thread was awake for that. */
static gboolean
stays_awake_for_first (Stream *s)
{
  gsize slices[2];
  VyreBatch *first = stream_publish (s, s->n, &slices[0]);
  VyreBatch *second = stream_publish (s, s->n + 1, &slices[1]);
  guint64 before = test_counters (s->t).spin_time;

  stream_finish (s, first, slices[0]);
  gboolean awake = test_counters (s->t).spin_time != before;
  stream_finish (s, second, slices[1]);
  return awake;
}

/* A thread learns how long it waits for a batch that others follow. Where the device is the CPU it
 * is then not awake for that: but when the service thread ends the batch in the same moment. */
static void
test_usual_waits (void)
{
  TestKernel t;
  Stream s;
  VyreMegakernelParams params = test_params ();
  guint n_awake = 0;

  test_kernel_open (&t, &params);
  stream_open (&s, &t);
  guint most_awake = t.kernel->most_awake;
  t.kernel->most_awake = 0; /* all threads sleep */
  stream_run (&s, 20, 1);
  g_assert_cmpint (atomic_load (&s.lane->usual_wait), ==, 0);
  for (guint i = 0; i < 200 && atomic_load (&s.lane->usual_wait) == 0; i++)
    stream_run (&s, 20, 8);
  g_assert_cmpint (atomic_load (&s.lane->usual_wait), >, 0);
  t.kernel->most_awake = MAX (most_awake, 4);
  for (guint i = 0; i < 20; i++) {
    atomic_store (&s.lane->usual_wait, 1000 * G_TIME_SPAN_MILLISECOND);
    n_awake += stays_awake_for_first (&s);
  }
  if (vyre_device_is_cpu (t.kernel->device))
    g_assert_cmpuint (n_awake, <, 10);
  stream_close (&s);
  test_kernel_close (&t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/streams/in-flight", test_in_flight);
  g_test_add_func ("/streams/words", test_words);
  g_test_add_func ("/streams/last-alone", test_last_alone);
  g_test_add_func ("/streams/freed", test_freed);
  g_test_add_func ("/streams/apart", test_apart);
  g_test_add_func ("/streams/runs", test_runs);
  g_test_add_func ("/streams/freed-parked", test_freed_parked);
  g_test_add_func ("/streams/order-of-writes", test_order_of_writes);
  g_test_add_func ("/streams/usual-waits", test_usual_waits);
  return g_test_run ();
}

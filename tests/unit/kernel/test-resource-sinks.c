/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that programs write to: appends and syncs, their order and their limits.
 */
#include "resource-fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

static TestKernel t;

static void
set_up (Fixture *f, gconstpointer data)
{
  set_up_on (f, &t);
}

/* Expects @n pairs of batches in @log, in order. Returns the words of the file. */
static gsize
check_appended (const char *log, guint n)
{
  const guint32 wanted[5] = { 1, word_of (0, 2), word_of (0, 3), 1, 2 };
  g_autofree guint32 *words = NULL;
  gsize n_words = read_words (log, &words);

  g_assert_cmpuint (n_words, ==, 5 * n);
  for (gsize i = 0; i < n_words; i++)
    g_assert_cmphex (GUINT32_FROM_LE (words[i]), ==, wanted[i % 5]);
  return n_words;
}

/* Batches append in the order in which they were published, each after its loads. */
static void
test_append (Fixture *f, gconstpointer data)
{
  enum { N = 200, DEPTH = 8 };
  g_autofree char *path = path_of (f, 0), *log = path_of (f, 1);
  VyreBatch *batches[DEPTH] = { NULL };
  VyrePlan *plans[2];
  VyrePayload none = { 0 };
  GError *error = NULL;

  make_file (f, 0, 8);
  plans[0] = plan_of (f, 0,
      "resource r = file '%s'; resource log = sink '%s'; append log, &a, 3; store_u32 1 -> a; "
      "load_words r, 2, 2 -> b; sync log; append log, &a, 1",
      path, log);
  plans[1] = plan_of (f, 0, "resource log = sink '%s'; append log, &a, 1; store_u32 2 -> a", log);
  for (guint i = 0; i < N + DEPTH; i++) {
    VyreBatch **batch = &batches[i % DEPTH];
    if (*batch) {
      vyre_batch_wait (*batch, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
      g_assert_no_error (error);
      assert_through (*batch, plans[i % 2], i - DEPTH);
      g_clear_pointer (batch, vyre_batch_free);
    }
    if (i < N)
      *batch = vyre_megakernel_publish (f->t.kernel, plans[i % 2], i, &none,
          g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
    g_assert_no_error (error);
  }
  gsize n = check_appended (log, N / 2);
  VyreResourceCounters c = counters_of (f);
  g_assert_cmpuint (c.appends, ==, N / 2 * 3);
  g_assert_cmpuint (c.appended_bytes, ==, 4 * n);
  g_assert_cmpuint (c.syncs, ==, N / 2);
  vyre_plan_unref (plans[0]);
  vyre_plan_unref (plans[1]);
}

/* More appends than io slots: the service makes them in the order of the slots, and all of them
 * after the loads. */
static void
test_append_many (Fixture *f, gconstpointer data)
{
  enum { N = 500 };
  g_autofree char *path = path_of (f, 0), *log = path_of (f, 1);
  g_autofree guint32 *words = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  make_file (f, 0, N);
  g_string_append_printf (text, "resource r = file '%s'\nresource log = sink '%s'\n", path, log);
  for (guint i = 0; i < N; i++)
    g_string_append_printf (text, "append log, &a + %u, 1\n", i);
  g_string_append_printf (text, "sync log; load_words r, 0, %u -> a", N);
  g_autoptr (VyrePlan) plan = test_plan (&f->t, text->str, 0, 0, 0);
  for (guint round = 0; round < 2; round++) {
    VyreBatch *batch = run (f, plan, round);
    assert_through (batch, plan, round);
    vyre_batch_free (batch);
  }
  g_assert_cmpuint (read_words (log, &words), ==, 2 * N);
  for (guint i = 0; i < 2 * N; i++)
    g_assert_cmphex (GUINT32_FROM_LE (words[i]), ==, word_of (0, i % N));
}

/* The younger of two batches completes although no thread waits for the older one. */
static void
test_append_turns (Fixture *f, gconstpointer data)
{
  g_autofree char *log = path_of (f, 1);
  VyrePayload none = { 0 };
  GError *error = NULL;
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  VyreBatch *batches[2];

  g_autoptr (VyrePlan) plan
      = plan_of (f, 0, "resource log = sink '%s'; append log, &a, 1; store_u32 2 -> a", log);
  for (guint round = 0; round < 50; round++) {
    for (guint i = 0; i < 2; i++) {
      batches[i] = vyre_megakernel_publish (f->t.kernel, plan, i, &none, end, &error);
      g_assert_no_error (error);
    }
    for (guint i = 2; i-- > 0; vyre_batch_free (batches[i])) {
      vyre_batch_wait (batches[i], end, &error);
      g_assert_no_error (error);
      assert_through (batches[i], plan, i);
    }
  }
}

/* An append keeps the words in the file as they are, and faults where the file may not grow. */
static void
test_append_limits (Fixture *f, gconstpointer data)
{
  g_autofree char *log = path_of (f, 1);
  g_autofree guint32 *words = NULL;
  struct rlimit before, limit;

  make_file (f, 1, 1000);
  g_autoptr (VyrePlan) plan
      = plan_of (f, 0, "resource log = sink '%s'; append log, &a, 1; store_u32 2 -> a", log);
  VyreBatch *batch = run (f, plan, 1);
  assert_through (batch, plan, 1);
  vyre_batch_free (batch);

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &before);
  limit = (struct rlimit){ 4004, before.rlim_max };
  setrlimit (RLIMIT_FSIZE, &limit);
  batch = run (f, plan, 2);
  setrlimit (RLIMIT_FSIZE, &before);
  g_assert_cmpuint (status_of (batch, plan, 0), ==, VYRE_STATUS_FAULT);
  g_assert_nonnull (vyre_batch_get_io_error (batch));
  g_assert_nonnull (strstr (vyre_batch_get_io_error (batch)->message, log));
  g_assert_nonnull (strstr (vyre_batch_get_io_error (batch)->message, g_strerror (EFBIG)));
  vyre_batch_free (batch);

  g_assert_cmpuint (read_words (log, &words), ==, 1001);
  g_assert_cmpuint (GUINT32_FROM_LE (words[1000]), ==, 2);
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  open_kernel (&t, 0);
  add ("/resources/append", test_append);
  add ("/resources/append-limits", test_append_limits);
  add ("/resources/append-many", test_append_many);
  add ("/resources/append-turns", test_append_turns);
  int failed = g_test_run ();
  test_kernel_close (&t);
  return failed;
}

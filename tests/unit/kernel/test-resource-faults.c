/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files of programs on storage that fails under load: every slot ends, with the words of its file
 * or as a fault whose error names file and offset, and no slot hangs.
 */
#include "resources-common.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "faults.h"

#define N_FILES 4
#define N_WORDS 1024
#define N_THREADS 3
#define N_BATCHES 80

/* Room for two files, so that the kernel reads files again and again. */
#define ROOM (2 * 4 * N_WORDS)

static const struct {
  const char *name;
  VyreFaultPlan plan;
  gboolean fatal; /* reads may fail */
} cases[] = {
  { "/resource-faults/passing",
      { 1, { [VYRE_FAULT_EINTR] = 100,
               [VYRE_FAULT_EAGAIN] = 100,
               [VYRE_FAULT_SHORT] = 500,
               [VYRE_FAULT_ENTER_EINTR] = 100,
               [VYRE_FAULT_ENTER_EBUSY] = 50,
               [VYRE_FAULT_SHUFFLED] = 700 } },
      FALSE },
  { "/resource-faults/fatal",
      { 2, { [VYRE_FAULT_EIO] = 200, [VYRE_FAULT_SHORT] = 300, [VYRE_FAULT_SHUFFLED] = 700 } },
      TRUE },
};

static TestKernel t;
static char *dir;
static gint n_faults;

static void
make_files (void)
{
  GError *error = NULL;

  dir = g_dir_make_tmp ("vyre-faults-XXXXXX", &error);
  g_assert_no_error (error);
  for (guint id = 0; id < N_FILES; id++) {
    g_autofree char *path = make_path (dir, id);
    write_words (path, id, N_WORDS);
  }
}

static void
remove_files (void)
{
  for (guint id = 0; id < N_FILES; id++) {
    g_autofree char *path = make_path (dir, id);
    g_remove (path);
  }
  g_rmdir (dir);
  g_free (dir);
}

static void
check_batch (VyreBatch *batch, const VyrePlan *plan, const guint *ids)
{
  guint faults = 0;

  for (guint slot = 0; slot < 2; slot++) {
    if (status_of (batch, plan, slot) == VYRE_STATUS_FAULT) {
      faults++;
      continue;
    }
    g_assert_cmpuint (status_of (batch, plan, slot), ==, VYRE_STATUS_DONE);
    for (guint i = 0; i < 8; i++)
      g_assert_cmphex (
          test_observable (batch, 1 + 8 * slot + i), ==, word_of (ids[slot], N_WORDS - 8 + i));
  }
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, faults);
  g_assert_cmpint (vyre_batch_get_io_error (batch) != NULL, ==, faults > 0);
  if (faults > 0) {
    const char *message = vyre_batch_get_io_error (batch)->message;
    g_assert_nonnull (strstr (message, dir));
    g_assert_nonnull (strstr (message, "at offset "));
    g_assert_nonnull (strstr (message, ". Fix: "));
  }
  g_atomic_int_add (&n_faults, (gint)faults);
}

static gpointer
work (gpointer data)
{
  guint first = GPOINTER_TO_UINT (data);
  VyrePayload none = { 0 };

  for (guint i = 0; i < N_BATCHES; i++) {
    const guint ids[] = { (first + i) % N_FILES, (first + i + 1) % N_FILES };
    g_autofree char *a = make_path (dir, ids[0]), *b = make_path (dir, ids[1]);
    g_autofree char *text = g_strdup_printf (
        "resource a = file '%s'; resource b = file '%s'; load_words a, %u, 8 -> a; "
        "load_words b, %u, 8 -> b",
        a, b, N_WORDS - 8, N_WORDS - 8);
    g_autoptr (VyrePlan) plan = test_plan (&t, text, 0, 0, 0);
    VyreBatch *batch = test_run (&t, plan, i, &none);
    check_batch (batch, plan, ids);
    vyre_batch_free (batch);
  }
  return NULL;
}

static void
test_case (gconstpointer data)
{
  const VyreFaultPlan none = { 0 };
  guint index = GPOINTER_TO_UINT (data);
  GThread *threads[N_THREADS];

  n_faults = 0;
  vyre_faults_set (&cases[index].plan);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("worker", work, GUINT_TO_POINTER (i));
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (vyre_faults_count (VYRE_FAULT_SHORT), >, 0);
  g_assert_cmpint (n_faults > 0, ==, cases[index].fatal);
  g_test_message ("%d slots faulted", n_faults);
  vyre_faults_set (&none);
}

/* Builds the kernel with rare operations first: the thread sanitizer does not know how a driver
 * hands a pipeline from the thread that compiles it to the one that launches it. */
static void
build_in_full (void)
{
  VyrePayload none = { 0 };
  g_autoptr (VyrePlan) plan = test_plan (&t, "load_miss 0", 0, 0, 0);

  vyre_batch_free (test_run (&t, plan, 0, &none));
}

int
main (int argc, char **argv)
{
  VyreMegakernelParams params = test_params ();

  g_test_init (&argc, &argv, NULL);
  params.resource_size = ROOM;
  make_files ();
  test_kernel_open (&t, &params);
  build_in_full ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (cases[i].name, GUINT_TO_POINTER (i), test_case);
  int failed = g_test_run ();
  test_kernel_close (&t);
  remove_files ();
  return failed;
}

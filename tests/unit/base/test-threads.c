/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A system that refuses a thread: opening a kernel works without it, or ends with an error that
 * names a remedy, and leaves no thread and no file open.
 */
#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel-common.h"
#include "kernel/host-requests.h"
#include "proc-common.h"
#include "threads.h"

/* More threads than a kernel has. */
#define MOST_THREADS 200

static void
assert_falls_to (const char *path, guint most)
{
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;

  while (count_entries (path) > most) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (1000);
  }
}

static void
run_nop (VyreMegakernel *kernel)
{
  TestKernel t = { .kernel = kernel };
  g_autoptr (VyrePlan) plan = test_plan (&t, "store_u32 7 -> seven", 0, 0, 0);
  const VyrePayload payload = { 0 };
  VyreBatch *batch = test_run (&t, plan, 1, &payload);

  g_assert_cmpuint (test_observable (batch, 1), ==, 7);
  vyre_batch_free (batch);
}

/* Opens a kernel and runs a batch while the system refuses @n threads in a row, after the first
 * @after ones. Returns whether the batch ran. */
static gboolean
open_and_run (guint after, guint n, guint *refused)
{
  VyreMegakernelParams params = test_params ();
  g_autoptr (GError) error = NULL;

  vyre_threads_refuse (after, n);
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);
  g_autoptr (VyreMegakernel) kernel = device ? vyre_megakernel_new (device, &params, &error) : NULL;
  *refused = vyre_threads_refused ();
  vyre_threads_refuse (0, 0);
  if (kernel) {
    g_assert_no_error (error);
    run_nop (kernel);
    return TRUE;
  }
  g_test_message ("after %u: %s", after, error->message);
  g_assert_true (error->domain == VYRE_ERROR);
  g_assert_nonnull (strstr (error->message, "Fix: "));
  return FALSE;
}

/* Refuses @n threads in a row, from each thread on in turn. */
static void
check_refused (guint n)
{
  guint n_errors = 0, refused;

  g_assert_true (open_and_run (0, 0, &refused)); /* a first kernel leaves some */
  guint tasks = count_entries (PROC_THREADS), files = count_entries (PROC_FILES);
  for (guint after = 0; after == 0 || refused > 0; after++) {
    g_assert_cmpuint (after, <, MOST_THREADS);
    n_errors += !open_and_run (after, n, &refused);
    assert_falls_to (PROC_THREADS, tasks);
    assert_falls_to (PROC_FILES, files);
  }
  g_assert_cmpuint (n_errors, >=, 3); /* a kernel cannot do without three of its threads */
}

static void
test_one_refused (void)
{
  check_refused (1);
}

static void
test_all_refused (void)
{
  check_refused (G_MAXUINT);
}

/* A #VyreFileIo without a thread makes transfers in the calling thread. */
static void
test_file_io_without_a_thread (void)
{
  char expected[] = "what is in the file", found[sizeof expected] = "";
  g_autofree char *path = NULL;
  GError *error = NULL;
  gsize n;
  int fd = g_file_open_tmp ("vyre-threads-XXXXXX", &path, &error);

  g_assert_no_error (error);
  unlink (path);
  g_assert_cmpint (write (fd, expected, sizeof expected), ==, sizeof expected);
  vyre_threads_refuse (0, 1);
  VyreFileIo *file_io = vyre_file_io_new (NULL, 0, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_cmpuint (vyre_threads_refused (), ==, 1);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, VYRE_READ_MODE_PREAD);
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), "Fix: "));
  g_assert_true (vyre_file_io_read (file_io, fd, 0, found, sizeof found, &n, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, sizeof found);
  g_assert_cmpstr (found, ==, expected);
  VyreFileIoCounters counters;
  vyre_file_io_get_counters (file_io, &counters);
  g_assert_cmpuint (counters.reads_submitted, ==, 1);
  g_assert_cmpuint (counters.plain_reads, ==, 1);
  vyre_file_io_free (file_io);
  close (fd);
}

/* A service without a thread leaves no pointer to itself in the kernel. */
static void
test_service_without_a_thread (void)
{
  GError *error = NULL;
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);
  g_assert_no_error (error);
  g_autoptr (VyreStore) store = vyre_store_new (device, 1 << 20, VYRE_STORE_ALIGNMENT, &error);
  g_assert_no_error (error);
  g_autoptr (VyreFileIo) file_io = vyre_file_io_new (NULL, 0, VYRE_READ_MODE_PREAD);
  VyreMegakernel kernel = { .file_io = file_io, .staging = store };

  vyre_threads_refuse (0, 1);
  g_assert_null (vyre_host_requests_new (&kernel, 4096, &error));
  g_assert_cmpuint (vyre_threads_refused (), ==, 1);
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_NO_THREAD);
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_clear_error (&error);
  g_assert_null (kernel.resident);
  g_assert_null (kernel.host.data);
  g_assert_null (kernel.host.wake);
}

/* Opens a kernel and runs a batch in a child, as another user with room for @processes. Returns 0,
 * 1 for an error, or 2 when the child could not become that user. */
static gint
run_limited (guint processes)
{
  const struct rlimit limit = { processes, processes };
  const uid_t nobody = 65534 - 1117; /* a user without processes */
  guint refused;

  if (setrlimit (RLIMIT_NPROC, &limit) != 0 || setgroups (0, NULL) != 0 || setgid (nobody) != 0
      || setuid (nobody) != 0)
    return 2;
  return open_and_run (0, 0, &refused) ? 0 : 1;
}

static void
test_limited_user (void)
{
  gboolean errors = FALSE, worked = FALSE;

  if (geteuid () != 0) {
    g_test_skip ("only root may become another user");
    return;
  }
  for (guint processes = 1; !worked; processes++) {
    gint status;
    g_assert_cmpuint (processes, <, MOST_THREADS);
    pid_t pid = fork ();
    if (pid == 0)
      _exit (run_limited (processes));
    g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
    g_assert_true (WIFEXITED (status));
    g_assert_cmpint (WEXITSTATUS (status), <, 2);
    errors |= WEXITSTATUS (status) == 1;
    worked = WEXITSTATUS (status) == 0;
  }
  g_assert_true (errors);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/threads/limited-user", test_limited_user); /* while the process has one thread */
  g_test_add_func ("/threads/one-refused", test_one_refused);
  g_test_add_func ("/threads/all-refused", test_all_refused);
  g_test_add_func ("/threads/file-io-without-a-thread", test_file_io_without_a_thread);
  g_test_add_func ("/threads/service-without-a-thread", test_service_without_a_thread);
  return g_test_run ();
}

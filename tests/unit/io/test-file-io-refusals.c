/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sandboxes and limits that refuse io_uring, or a part of it, to a #VyreFileIo. Child processes
 * put themselves under the filter or the limit.
 */
#include "file-io-common.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "restriction.h"

/* A page that is not writable cannot be registered; the ring still reads into the others. */
static void
test_cannot_be_pinned (void)
{
  guint8 *staging = map_memory (4 * PAGE);
  int fd = make_file (MIB);
  VyreFileIo *file_io;

  if (!have_best ())
    return;
  g_assert_cmpint (mprotect (staging + 3 * PAGE, PAGE, PROT_READ), ==, 0);
  file_io = vyre_file_io_new (staging, 4 * PAGE, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_false (vyre_file_io_is_registered (file_io));
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), g_strerror (EFAULT)));
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), ". Fix: "));
  read_ok (file_io, fd, 3, staging, 3 * PAGE, 3 * PAGE);
  assert_same_as_pread (fd, 3, staging, 3 * PAGE);
  g_assert_cmpuint (get_counters (file_io).ring_reads, ==, 1);
  read_fails (file_io, fd, 0, staging + 3 * PAGE, PAGE, VYRE_ERROR_IO, EFAULT);
  free_idle (file_io);
  close (fd);
  munmap (staging, 4 * PAGE);
}

static void
refuse (guint first, guint last, int error)
{
  g_assert_true (restriction_refuse (first, last, error));
}

/* Makes a #VyreFileIo and compares the bytes that it reads to the file. */
static VyreFileIo *
make_and_read (guint8 *staging, gsize size)
{
  VyreFileIo *file_io = vyre_file_io_new (staging, size, VYRE_READ_MODE_SINGLE_ISSUER);
  int fd = make_file (size + 1);

  read_ok (file_io, fd, 1, staging, size, size);
  assert_same_as_pread (fd, 1, staging, size);
  close (fd);
  return file_io;
}

/* TRUE in a child, which runs the same test as its parent; FALSE in the parent, after the child. */
static gboolean
run_in_child (void)
{
  if (g_test_subprocess ())
    return TRUE;
  g_test_trap_subprocess (NULL, 60 * G_TIME_SPAN_SECOND, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  return FALSE;
}

/* System calls that fail with @error, and the start of the fix that the reason then names. */
typedef struct {
  const char *test;
  guint first, last;
  int error;
  const char *fix;
  gboolean needs_ring; /* without a ring to refuse the test is skipped */
} Refusal;

static const Refusal refusals[] = {
  { "eperm", SYS_io_uring_setup, SYS_io_uring_register, EPERM, ". Fix: allow io_uring", FALSE },
  { "enosys", SYS_io_uring_setup, SYS_io_uring_register, ENOSYS, ". Fix: run where the kernel has",
      FALSE },
  { "enter", SYS_io_uring_enter, SYS_io_uring_enter, EACCES, ". Fix: allow io_uring", TRUE },
  /* a ring without registration cannot tell that Linux has let go of it, so it is not used */
  { "register", SYS_io_uring_register, SYS_io_uring_register, EPERM, ". Fix: allow io_uring",
      TRUE },
};

/* A #VyreFileIo reads without a ring and says why. */
static void
check_refused_ring (const Refusal *refusal)
{
  guint8 *staging = map_memory (MIB);
  VyreFileIo *file_io = make_and_read (staging, MIB);
  const char *reason = vyre_file_io_get_reason (file_io);

  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, VYRE_READ_MODE_PREAD);
  g_assert_false (vyre_file_io_is_registered (file_io));
  g_assert_nonnull (strstr (reason, "io_uring"));
  g_assert_nonnull (strstr (reason, g_strerror (refusal->error)));
  g_assert_nonnull (strstr (reason, refusal->fix));
  g_assert_cmpuint (get_counters (file_io).plain_reads, ==, 1);
  free_idle (file_io);
  munmap (staging, MIB);
}

static void
test_refused (gconstpointer data)
{
  const Refusal *refusal = data;

  if (refusal->needs_ring && !have_best ())
    return;
  if (!run_in_child ())
    return;
  refuse (refusal->first, refusal->last, refusal->error);
  check_refused_ring (refusal);
}

typedef struct {
  int listener;
  guint n_refused;
} Supervisor;

/* TRUE when a kernel too old for the first rungs would refuse this call. The flags of the first
 * rung came with Linux 6.0 and 6.1, those of the second with 5.19, and the last rung has none.
 * liburing adds newer flags by itself, and goes without them where they are refused. */
static gboolean
is_refused (const Supervisor *supervisor, const struct seccomp_notif *call)
{
  /* the call is of this process, so its addresses are valid here */
  const struct io_uring_params *params
      = (const struct io_uring_params *)(guintptr)call->data.args[1];

  if (supervisor->n_refused == VYRE_READ_MODE_PREAD)
    return TRUE;
  return params->flags >= (supervisor->n_refused == VYRE_READ_MODE_COOP_TASKRUN
                               ? IORING_SETUP_SINGLE_ISSUER
                               : IORING_SETUP_COOP_TASKRUN);
}

/* A thread decides about every io_uring_setup: calls with flags that are too new get EINVAL. */
static gpointer
run_supervisor (gpointer data)
{
  Supervisor *supervisor = data;

  for (;;) {
    struct seccomp_notif call = { 0 };
    struct seccomp_notif_resp answer = { 0 };

    if (ioctl (supervisor->listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
      return NULL;
    answer.id = call.id;
    if (is_refused (supervisor, &call))
      answer.error = -EINVAL;
    else
      answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl (supervisor->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

/* Refuses rungs as a kernel does that is too old for their flags. */
static gboolean
refuse_rungs (Supervisor *supervisor)
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { .len = G_N_ELEMENTS (code), .filter = code };

  g_assert_cmpint (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
  supervisor->listener = (int)syscall (
      SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (supervisor->listener >= 0)
    g_thread_unref (g_thread_new ("supervisor", run_supervisor, supervisor));
  return supervisor->listener >= 0;
}

static void
test_refused_rungs (gconstpointer data)
{
  guint8 *staging = map_memory (MIB);
  static Supervisor supervisor; /* outlives the test, as its thread does */
  VyreFileIo *file_io;

  if (!have_best ())
    return;
  if (!run_in_child ())
    return;
  supervisor.n_refused = GPOINTER_TO_UINT (data);
  if (!refuse_rungs (&supervisor)) {
    g_test_skip ("no seccomp listener");
    return;
  }
  file_io = make_and_read (staging, MIB);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, supervisor.n_refused);
  g_assert_cmpint (
      vyre_file_io_is_registered (file_io), ==, supervisor.n_refused < VYRE_READ_MODE_PREAD);
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), g_strerror (EINVAL)));
  g_assert_nonnull (
      strstr (vyre_file_io_get_reason (file_io), vyre_read_mode_name (supervisor.n_refused - 1)));
  free_idle (file_io);
}

/* io_uring is forbidden while it is in use: reads fail, and no thread hangs. */
static void
test_refused_later (void)
{
  guint8 *staging = map_memory (PAGE);
  VyreFileIo *file_io;
  int fd;

  if (!have_best ())
    return;
  if (!run_in_child ())
    return;
  fd = make_file (PAGE);
  file_io = make_and_read (staging, PAGE);
  refuse (SYS_io_uring_enter, SYS_io_uring_enter, EPERM);
  read_fails (file_io, fd, 9, staging, 10, VYRE_ERROR_IO, EPERM);
  read_fails (file_io, fd, 9, staging, 10, VYRE_ERROR_IO, EPERM);
  assert_counters_add_up (file_io);
  vyre_file_io_free (file_io);
  close (fd);
}

/* A read of a file that is never ready ends with an error. */
static void
test_never_ready (void)
{
  guint8 *staging = map_memory (PAGE);
  VyreFileIo *file_io;
  int fd;

  if (!run_in_child ())
    return;
  fd = make_file (PAGE);
  file_io = vyre_file_io_new (staging, PAGE, VYRE_READ_MODE_PREAD);
  refuse (SYS_pread64, SYS_pread64, EAGAIN);
  read_fails (file_io, fd, 0, staging, PAGE, VYRE_ERROR_IO, EAGAIN);
  g_assert_cmpuint (get_counters (file_io).reads_submitted, ==, 1);
  free_idle (file_io);
  close (fd);
}

static void
check_memlock (void)
{
  guint8 *staging = map_memory (8 * MIB);
  VyreFileIo *file_io = make_and_read (staging, 8 * MIB);
  const char *reason = vyre_file_io_get_reason (file_io);
  VyreFileIoCounters c = get_counters (file_io);

  if (vyre_file_io_is_registered (file_io)) {
    g_test_skip ("this kernel does not limit registered memory");
    g_assert_cmpuint (c.fixed_reads, >, 0);
  } else {
    g_assert_cmpuint (c.fixed_reads, ==, 0);
    g_assert_nonnull (strstr (reason, g_strerror (ENOMEM)));
    g_assert_nonnull (strstr (reason, "RLIMIT_MEMLOCK is 65536 bytes"));
    if (vyre_file_io_get_mode (file_io) != VYRE_READ_MODE_PREAD)
      g_assert_nonnull (strstr (reason, "registering 8388608 bytes"));
    g_assert_nonnull (strstr (reason, ". Fix: raise RLIMIT_MEMLOCK"));
  }
  free_idle (file_io);
  munmap (staging, 8 * MIB);
}

static void
test_memlock (void)
{
  if (!have_best ())
    return;
  if (!run_in_child ())
    return;
  g_assert_true (restriction_limit_memlock (RESTRICTION_MEMLOCK));
  check_memlock ();
}

/* The restriction that the process was started under is in force, and the reason names it. */
static void
test_restricted (gconstpointer data)
{
  if (g_str_equal (data, "seccomp"))
    check_refused_ring (&refusals[0]);
  else
    check_memlock ();
}

static void
add_refusals (gboolean need_ring)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    g_autofree char *path = g_strdup_printf ("/file-io/refused/%s", refusals[i].test);

    if (refusals[i].needs_ring == need_ring)
      g_test_add_data_func (path, &refusals[i], test_refused);
  }
}

static void
add_tests_of_rings (void)
{
  g_test_add_func ("/file-io/cannot-be-pinned", test_cannot_be_pinned);
  add_refusals (TRUE);
  for (guint n = VYRE_READ_MODE_COOP_TASKRUN; n <= VYRE_READ_MODE_PREAD; n++) {
    g_autofree char *path = g_strdup_printf ("/file-io/refused/rungs-%u", n);

    g_test_add_data_func (path, GUINT_TO_POINTER (n), test_refused_rungs);
  }
  g_test_add_func ("/file-io/refused/later", test_refused_later);
  g_test_add_func ("/file-io/refused/memlock", test_memlock);
}

/* Under a restriction the tests that need a ring are left out. */
int
main (int argc, char **argv)
{
  const char *restriction = g_getenv ("VYRE_TEST_RESTRICTION");

  g_test_init (&argc, &argv, NULL);
  add_refusals (FALSE);
  g_test_add_func ("/file-io/never-ready", test_never_ready);
  if (restriction)
    g_test_add_data_func ("/file-io/restricted", restriction, test_restricted);
  else
    add_tests_of_rings ();
  return g_test_run ();
}

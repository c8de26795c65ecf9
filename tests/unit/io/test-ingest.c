/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What sandboxes and limits do to a #VyreFileIo is tested in child processes, which
 * put themselves under the filter or the limit. Blocking eventfds stand for files
 * on slow storage: they pass as files with offsets and complete on command.
 */
#include "vyre/file-io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "restriction.h"

#define MIB ((gsize)1 << 20)
#define PAGE ((gsize)4096)

static guint8 *
map_memory (gsize size)
{
  guint8 *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  return memory;
}

/* A file without a name, full of bytes that tell their offset. */
static int
make_file (gsize size)
{
  g_autofree char *name = NULL;
  guint64 *words = (guint64 *)map_memory (size + PAGE);
  int fd = g_file_open_tmp ("vyre-ingest-XXXXXX", &name, NULL);

  g_assert_cmpint (fd, >=, 0);
  unlink (name);
  for (gsize i = 0; i <= size / sizeof *words; i++)
    words[i] = (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  for (gsize done = 0; done < size;) {
    gssize n = write (fd, (guint8 *)words + done, size - done);

    g_assert_cmpint (n, >, 0);
    done += (gsize)n;
  }
  munmap (words, size + PAGE);
  return fd;
}

static void
read_ok (
    VyreFileIo *file_io, int fd, guint64 offset, void *destination, gsize length, gsize expected)
{
  g_autoptr (GError) error = NULL;
  gsize bytes_read = G_MAXSIZE;
  gboolean done = vyre_file_io_read (file_io, fd, offset, destination, length, &bytes_read, &error);

  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_cmpuint (bytes_read, ==, expected);
}

static void
read_fails (VyreFileIo *file_io, int fd, guint64 offset, void *destination, gsize length,
    VyreError code, int reason)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *where = g_strdup_printf ("offset %" G_GUINT64_FORMAT, offset);
  gsize bytes_read = G_MAXSIZE;

  g_assert_false (
      vyre_file_io_read (file_io, fd, offset, destination, length, &bytes_read, &error));
  g_assert_error (error, VYRE_ERROR, (int)code);
  g_assert_cmpuint (bytes_read, ==, 0);
  g_assert_nonnull (strstr (error->message, where));
  if (reason)
    g_assert_nonnull (strstr (error->message, g_strerror (reason)));
  g_assert_nonnull (strstr (error->message, ". Fix: "));
  g_assert_true (g_str_has_suffix (error->message, "."));
}

static void
assert_same_as_pread (int fd, guint64 offset, const guint8 *bytes, gsize length)
{
  g_autofree guint8 *expected = g_malloc (length);

  g_assert_cmpint (pread (fd, expected, length, (off_t)offset), ==, (gssize)length);
  g_assert_cmpint (memcmp (bytes, expected, length), ==, 0);
}

static VyreFileIoCounters
get_counters (VyreFileIo *file_io)
{
  VyreFileIoCounters counters;

  vyre_file_io_get_counters (file_io, &counters);
  return counters;
}

static void
assert_counters_add_up (VyreFileIo *file_io)
{
  VyreFileIoCounters c = get_counters (file_io);

  g_assert_cmpuint (c.reads_submitted, ==, c.reads_completed + c.reads_failed);
  g_assert_cmpuint (c.reads_submitted, ==, c.fixed_reads + c.ring_reads + c.plain_reads);
  g_assert_cmpuint (c.bytes_completed, <=, c.bytes_submitted);
  if (vyre_file_io_get_mode (file_io) == VYRE_READ_MODE_PREAD)
    g_assert_cmpuint (c.fixed_reads + c.ring_reads, ==, 0);
  else
    g_assert_cmpuint (c.plain_reads, ==, 0);
}

static void
free_idle (VyreFileIo *file_io)
{
  assert_counters_add_up (file_io);
  vyre_file_io_free (file_io);
}

/* Whether this machine lets us have the best that there is; where it does not, tests of the best
 * are skipped. The tests of refusals need nothing. */
static gboolean
have_best (void)
{
  guint8 *arena = map_memory (PAGE);
  VyreFileIo *file_io = vyre_file_io_new (arena, PAGE, VYRE_READ_MODE_SINGLE_ISSUER);
  gboolean best = vyre_file_io_get_reason (file_io) == NULL;

  if (!best)
    g_test_skip (vyre_file_io_get_reason (file_io));
  vyre_file_io_free (file_io);
  munmap (arena, PAGE);
  return best;
}

static void
test_best (void)
{
  guint8 *arena = map_memory (MIB);
  int fd = make_file (MIB);
  VyreFileIo *file_io;
  VyreFileIoCounters c;

  if (!have_best ())
    return;
  file_io = vyre_file_io_new (arena, MIB, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_true (vyre_file_io_is_registered (file_io));
  g_assert_null (vyre_file_io_get_reason (file_io));
  read_ok (file_io, fd, 0, arena, MIB, MIB);
  assert_same_as_pread (fd, 0, arena, MIB);
  c = get_counters (file_io);
  g_assert_cmpuint (c.fixed_reads, ==, c.reads_submitted);
  g_assert_cmpuint (c.bytes_submitted, ==, MIB);
  g_assert_cmpuint (c.bytes_completed, ==, MIB);
  free_idle (file_io);
  close (fd);
  munmap (arena, MIB);
}

static void
test_mode_names (void)
{
  g_assert_cmpstr (vyre_read_mode_name (VYRE_READ_MODE_SINGLE_ISSUER), ==, "single-issuer");
  g_assert_cmpstr (vyre_read_mode_name (VYRE_READ_MODE_COOP_TASKRUN), ==, "coop-taskrun");
  g_assert_cmpstr (vyre_read_mode_name (VYRE_READ_MODE_PLAIN_RING), ==, "plain-ring");
  g_assert_cmpstr (vyre_read_mode_name (VYRE_READ_MODE_PREAD), ==, "pread");
}

/* Tests below that take a rung run once for each. */

static void
test_forced_rung (gconstpointer data)
{
  VyreReadMode rung = GPOINTER_TO_UINT (data);
  VyreFileIo *file_io;

  if (rung != VYRE_READ_MODE_PREAD && !have_best ())
    return;
  file_io = vyre_file_io_new (NULL, 0, rung);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, rung);
  g_assert_false (vyre_file_io_is_registered (file_io));
  if (rung == VYRE_READ_MODE_SINGLE_ISSUER) { /* no arena is none that is refused */
    g_assert_null (vyre_file_io_get_reason (file_io));
  } else {
    g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), vyre_read_mode_name (rung)));
    g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), ". Fix: "));
  }
  vyre_file_io_free (file_io);
}

/* Destinations inside, outside and across the end of the arena. */
static void
test_destinations (gconstpointer data)
{
  guint8 *memory = map_memory (4 * PAGE);
  int fd = make_file (MIB);
  VyreFileIo *file_io = vyre_file_io_new (memory + PAGE, 2 * PAGE, GPOINTER_TO_UINT (data));
  gboolean registered = vyre_file_io_is_registered (file_io);

  read_ok (file_io, fd, 11, memory + PAGE, 2 * PAGE, 2 * PAGE);
  read_ok (file_io, fd, 12, memory + 3 * PAGE - 5, 5, 5);
  g_assert_cmpuint (get_counters (file_io).fixed_reads, ==, registered ? 2 : 0);
  assert_same_as_pread (fd, 11, memory + PAGE, 2 * PAGE - 5);
  assert_same_as_pread (fd, 12, memory + 3 * PAGE - 5, 5);

  read_ok (file_io, fd, 13, memory, PAGE, PAGE);
  read_ok (file_io, fd, 14, memory + 3 * PAGE, PAGE, PAGE);
  assert_same_as_pread (fd, 13, memory, PAGE);
  assert_same_as_pread (fd, 14, memory + 3 * PAGE, PAGE);
  read_ok (file_io, fd, 15, memory + 2 * PAGE, PAGE + 1, PAGE + 1);
  assert_same_as_pread (fd, 15, memory + 2 * PAGE, PAGE + 1);
  read_ok (file_io, fd, 16, memory, 4 * PAGE, 4 * PAGE);
  assert_same_as_pread (fd, 16, memory, 4 * PAGE);
  g_assert_cmpuint (get_counters (file_io).fixed_reads, ==, registered ? 2 : 0);
  free_idle (file_io);
  close (fd);
  munmap (memory, 4 * PAGE);
}

static void
test_end_of_file (gconstpointer data)
{
  guint8 *arena = map_memory (2 * PAGE);
  int fd = make_file (10000);
  VyreFileIo *file_io = vyre_file_io_new (arena, 2 * PAGE, GPOINTER_TO_UINT (data));
  VyreFileIoCounters c;

  memset (arena, 0xaa, 2 * PAGE);
  read_ok (file_io, fd, 9000, arena, 2 * PAGE, 1000);
  assert_same_as_pread (fd, 9000, arena, 1000);
  g_assert_cmpint (arena[1000], ==, 0xaa);
  c = get_counters (file_io);
  g_assert_cmpuint (c.short_reads, ==, 1);
  g_assert_cmpuint (c.reads_submitted, ==, 2);
  g_assert_cmpuint (c.bytes_submitted, ==, 2 * PAGE);
  g_assert_cmpuint (c.bytes_completed, ==, 1000);
  read_ok (file_io, fd, 9999, arena, 1, 1);
  read_ok (file_io, fd, 10000, arena, PAGE, 0);
  read_ok (file_io, fd, 1 << 30, arena, PAGE, 0);
  read_ok (file_io, fd, G_MAXINT64 - PAGE, arena, PAGE, 0);
  read_ok (file_io, fd, 0, NULL, 0, 0);
  g_assert_cmpuint (get_counters (file_io).reads_failed, ==, 0);
  g_assert_true (vyre_file_io_read (file_io, fd, 9000, arena, PAGE, NULL, NULL));
  free_idle (file_io);
  close (fd);
  munmap (arena, 2 * PAGE);
}

static void
test_errors (gconstpointer data)
{
  guint8 *arena = map_memory (PAGE);
  VyreFileIo *file_io = vyre_file_io_new (arena, PAGE, GPOINTER_TO_UINT (data));
  int file = make_file (10000), directory = open ("/", O_RDONLY | O_DIRECTORY), pipes[2];
  int write_only = open ("/dev/null", O_WRONLY);
  guint8 *unmapped = map_memory (PAGE);

  munmap (unmapped, PAGE);
  g_assert_cmpint (pipe (pipes), ==, 0);
  g_assert_cmpint (write (pipes[1], "abc", 3), ==, 3);
  read_fails (file_io, pipes[0], 0, arena, 3, VYRE_ERROR_IO, ESPIPE);
  read_fails (file_io, -1, 0, arena, 3, VYRE_ERROR_IO, EBADF);
  read_fails (file_io, -1, 0, NULL, 0, VYRE_ERROR_IO, EBADF);
  read_fails (file_io, file, G_MAXUINT64, arena, 1, VYRE_ERROR_INVALID, 0);
  read_fails (file_io, file, G_MAXINT64, arena, 1, VYRE_ERROR_INVALID, 0);
  g_assert_cmpuint (get_counters (file_io).reads_submitted, ==, 0);

  read_fails (file_io, directory, 0, arena, 3, VYRE_ERROR_IO, EISDIR);
  read_fails (file_io, write_only, 5, arena, 3, VYRE_ERROR_IO, EBADF);
  read_fails (file_io, file, 77, unmapped, PAGE, VYRE_ERROR_IO, EFAULT);
  g_assert_cmpuint (get_counters (file_io).reads_failed, ==, 3);
  g_assert_cmpuint (get_counters (file_io).bytes_completed, ==, 0);
  close (file);
  read_fails (file_io, file, 1, arena, 1, VYRE_ERROR_IO, EBADF);
  free_idle (file_io);
  close (directory);
  close (write_only);
  close (pipes[0]);
  close (pipes[1]);
  munmap (arena, PAGE);
}

/* O_DIRECT goes on from an odd offset after the last, short block. */
static void
test_direct (gconstpointer data)
{
  guint8 *arena = map_memory (16 * PAGE);
  int fd = make_file (10000), direct;
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  VyreFileIo *file_io;

  direct = open (path, O_RDONLY | O_DIRECT);
  if (direct < 0) {
    g_test_skip ("no O_DIRECT in the temporary directory");
  } else {
    file_io = vyre_file_io_new (arena, 16 * PAGE, GPOINTER_TO_UINT (data));
    read_ok (file_io, direct, 0, arena, 16 * PAGE, 10000);
    assert_same_as_pread (fd, 0, arena, 10000);
    free_idle (file_io);
    close (direct);
  }
  close (fd);
  munmap (arena, 16 * PAGE);
}

static VyreFileIoCounters
read_direct (VyreFileIo *file_io, int fd, int direct, guint64 offset, guint8 *destination,
    gsize length, gsize expected)
{
  VyreFileIoCounters before = get_counters (file_io), after;
  g_autoptr (GError) error = NULL;
  gsize arrived;

  VyreFileRead *read
      = vyre_file_io_start_direct (file_io, fd, direct, offset, destination, length, &error);
  g_assert_no_error (error);
  g_assert_true (vyre_file_io_finish (file_io, read, &arrived, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (arrived, ==, expected);
  assert_same_as_pread (fd, offset, destination, expected);
  after = get_counters (file_io);
  return (VyreFileIoCounters){
    .reads_submitted = after.reads_submitted - before.reads_submitted,
    .direct_reads = after.direct_reads - before.direct_reads,
    .direct_refusals = after.direct_refusals - before.direct_refusals,
    .short_reads = after.short_reads - before.short_reads,
  };
}

/* What O_DIRECT does not take comes through the page cache. */
static void
test_direct_or_not (gconstpointer data)
{
  guint8 *arena = map_memory (16 * PAGE);
  int fd = make_file (10000);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int direct = open (path, O_RDONLY | O_DIRECT);
  VyreFileIo *file_io = vyre_file_io_new (arena, 16 * PAGE, GPOINTER_TO_UINT (data));
  VyreFileIoCounters c;

  if (direct < 0) {
    g_test_skip ("no O_DIRECT in the temporary directory");
  } else {
    c = read_direct (file_io, fd, direct, PAGE, arena, PAGE, PAGE);
    g_assert_cmpuint (c.reads_submitted, ==, 1);
    g_assert_cmpuint (c.direct_reads, ==, 1);
    g_assert_cmpuint (c.direct_refusals, ==, 0);
    c = read_direct (file_io, fd, direct, 0, arena, 16 * PAGE, 10000);
    g_assert_cmpuint (c.reads_submitted, ==, 2);
    g_assert_cmpuint (c.direct_reads, ==, 1); /* not what looks for more */
    g_assert_cmpuint (c.short_reads, ==, 1);
    if (pread (direct, arena + PAGE + 1, PAGE, 1) < 0) { /* it minds */
      c = read_direct (file_io, fd, direct, 1, arena + PAGE + 1, PAGE, PAGE);
      g_assert_cmpuint (c.reads_submitted, ==, 1);
      g_assert_cmpuint (c.direct_refusals, ==, 1);
    }
    free_idle (g_steal_pointer (&file_io));
    close (direct);
  }
  vyre_file_io_free (file_io);
  close (fd);
  munmap (arena, 16 * PAGE);
}

#define N_READERS 4
#define FILE_SIZE (64 * MIB)
#define PART (4 * MIB)

typedef struct {
  VyreFileIo *file_io;
  int fd;
  guint8 *part;
  guint32 seed;
} Reader;

static gpointer
run_reader (gpointer data)
{
  Reader *reader = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (reader->seed);

  for (guint i = 0; i < 300; i++) {
    gsize limit = i % 8 == 0 ? PART : 64 * 1024;
    gsize length = (gsize)g_rand_int_range (rand, 1, (int)limit + 1);
    gsize start = (gsize)g_rand_int_range (rand, 0, (int)(PART - length) + 1);
    gsize offset = (gsize)g_rand_int_range (rand, 0, (int)(FILE_SIZE - length) + 1);

    read_ok (reader->file_io, reader->fd, offset, reader->part + start, length, length);
    assert_same_as_pread (reader->fd, offset, reader->part + start, length);
  }
  return NULL;
}

static void
test_many_readers (gconstpointer data)
{
  guint8 *arena = map_memory (N_READERS * PART);
  int fd = make_file (FILE_SIZE);
  VyreFileIo *file_io = vyre_file_io_new (arena, N_READERS * PART, GPOINTER_TO_UINT (data));
  guint32 seed = (guint32)g_test_rand_int ();
  Reader readers[N_READERS];
  GThread *threads[N_READERS];
  VyreFileIoCounters c;

  for (guint i = 0; i < N_READERS; i++) {
    readers[i] = (Reader){ file_io, fd, arena + i * PART, seed + i };
    threads[i] = g_thread_new ("reader", run_reader, &readers[i]);
  }
  for (guint i = 0; i < N_READERS; i++)
    g_thread_join (threads[i]);
  c = get_counters (file_io);
  g_assert_cmpuint (c.bytes_submitted, ==, c.bytes_completed);
  g_assert_cmpuint (c.reads_submitted, ==, 300 * N_READERS + c.short_reads);
  g_assert_cmpuint (c.reads_failed, ==, 0);
  if (vyre_file_io_is_registered (file_io))
    g_assert_cmpuint (c.fixed_reads, ==, c.reads_submitted);
  free_idle (file_io);
  close (fd);
  munmap (arena, N_READERS * PART);
}

typedef struct {
  VyreFileIo *file_io;
  int fd;
  guint64 value;
  GThread *thread;
} Slow;

static gpointer
run_slow (gpointer data)
{
  Slow *slow = data;

  read_ok (slow->file_io, slow->fd, 0, &slow->value, sizeof slow->value, sizeof slow->value);
  return NULL;
}

static void
start_slow (Slow *slow, VyreFileIo *file_io)
{
  *slow = (Slow){ .file_io = file_io, .fd = eventfd (0, 0) };
  g_assert_cmpint (slow->fd, >=, 0);
  slow->thread = g_thread_new ("slow", run_slow, slow);
}

static void
complete_slow (Slow *slow, guint64 value)
{
  g_assert_cmpint (eventfd_write (slow->fd, value), ==, 0);
}

static void
join_slow (Slow *slow, guint64 value)
{
  g_thread_join (slow->thread);
  g_assert_cmpuint (slow->value, ==, value);
  close (slow->fd);
}

static void
await_submitted (VyreFileIo *file_io, guint64 n)
{
  while (get_counters (file_io).reads_submitted < n)
    g_usleep (1000);
}

/* A slow read holds nobody up, and completions find their requests in any order. */
static void
test_overtaking (gconstpointer data)
{
  guint8 *arena = map_memory (PAGE);
  int fd = make_file (PAGE);
  Slow slow[3];
  VyreFileIo *file_io;

  if (!have_best ())
    return;
  file_io = vyre_file_io_new (arena, PAGE, GPOINTER_TO_UINT (data));
  for (guint i = 0; i < 3; i++)
    start_slow (&slow[i], file_io);
  await_submitted (file_io, 3);
  read_ok (file_io, fd, 0, arena, PAGE, PAGE);
  assert_same_as_pread (fd, 0, arena, PAGE);
  g_assert_cmpuint (get_counters (file_io).reads_completed, ==, 1);
  for (guint i = 3; i-- > 0;) {
    complete_slow (&slow[i], 100 + i);
    join_slow (&slow[i], 100 + i);
  }
  free_idle (file_io);
  close (fd);
  munmap (arena, PAGE);
}

#define N_CROWD 100

/* More requests than the ring has room for: the rest waits outside and follows. */
static void
test_crowd (gconstpointer data)
{
  Slow slow[N_CROWD];
  VyreFileIo *file_io;

  if (!have_best ())
    return;
  file_io = vyre_file_io_new (NULL, 0, GPOINTER_TO_UINT (data));
  for (guint i = 0; i < N_CROWD; i++)
    start_slow (&slow[i], file_io);
  await_submitted (file_io, 63);
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (get_counters (file_io).reads_submitted, ==, 63);
  for (guint i = N_CROWD; i-- > 0;)
    complete_slow (&slow[i], 1 + i);
  for (guint i = 0; i < N_CROWD; i++)
    join_slow (&slow[i], 1 + i);
  g_assert_cmpuint (get_counters (file_io).reads_completed, ==, N_CROWD);
  free_idle (file_io);
}

static gpointer
run_free (gpointer data)
{
  vyre_file_io_free (data);
  return NULL;
}

#define N_LEAVING 50

/* The callers whose reads are done still leave through the file I/O while it is freed. */
static void
test_free_waits (gconstpointer data)
{
  Slow slow[N_LEAVING];
  VyreFileIo *file_io;
  GThread *thread;

  if (!have_best ())
    return;
  file_io = vyre_file_io_new (NULL, 0, GPOINTER_TO_UINT (data));
  for (guint i = 0; i < N_LEAVING; i++)
    start_slow (&slow[i], file_io);
  await_submitted (file_io, N_LEAVING);
  thread = g_thread_new ("free", run_free, file_io);
  g_usleep (10 * G_TIME_SPAN_MILLISECOND);
  for (guint i = 0; i < N_LEAVING; i++)
    complete_slow (&slow[i], 1 + i);
  for (guint i = 0; i < N_LEAVING; i++)
    join_slow (&slow[i], 1 + i);
  g_thread_join (thread);
}

static gint64
get_cpu_us (const struct rusage *usage)
{
  return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * G_TIME_SPAN_SECOND
         + usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

/* Neither spins nor polls. */
static void
test_idle (gconstpointer data)
{
  guint8 *arena = map_memory (PAGE);
  int fd = make_file (PAGE);
  VyreFileIo *file_io = vyre_file_io_new (arena, PAGE, GPOINTER_TO_UINT (data));
  struct rusage before, after;

  read_ok (file_io, fd, 0, arena, PAGE, PAGE);
  getrusage (RUSAGE_SELF, &before);
  g_usleep (200 * G_TIME_SPAN_MILLISECOND);
  getrusage (RUSAGE_SELF, &after);
  g_assert_cmpint (get_cpu_us (&after) - get_cpu_us (&before), <, 20000);
  g_assert_cmpint (after.ru_nvcsw - before.ru_nvcsw, <, 20);
  read_ok (file_io, fd, 0, arena, PAGE, PAGE);
  free_idle (file_io);
  close (fd);
  munmap (arena, PAGE);
}

/* One thread has more reads under way than the ring has room for, and takes them in any
 * order. */
static void
test_started (gconstpointer data)
{
  enum { N = 150, SIZE = 3000 };
  VyreFileRead *reads[N];
  guint8 *arena = map_memory (N * PAGE);
  int fd = make_file (N * SIZE);
  VyreFileIo *file_io = vyre_file_io_new (arena, N * PAGE, GPOINTER_TO_UINT (data));
  GError *error = NULL;

  for (guint i = 0; i < N; i++) {
    reads[i] = vyre_file_io_start (file_io, fd, i * SIZE, arena + i * PAGE, SIZE, &error);
    g_assert_no_error (error);
  }
  for (guint i = 0; i < N; i++) {
    guint k = i * 67 % N; /* each once */
    gsize arrived;
    g_assert_true (vyre_file_io_finish (file_io, reads[k], &arrived, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (arrived, ==, SIZE);
    assert_same_as_pread (fd, k * SIZE, arena + k * PAGE, SIZE);
  }
  assert_counters_add_up (file_io);
  g_assert_cmpuint (get_counters (file_io).bytes_completed, ==, N * SIZE);
  g_assert_null (vyre_file_io_start (file_io, fd, G_MAXUINT64, arena, 1, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_INVALID);
  g_clear_error (&error);
  VyreFileRead *nothing = vyre_file_io_start (file_io, fd, 0, NULL, 0, &error);
  g_assert_true (vyre_file_io_finish (file_io, nothing, NULL, &error));
  vyre_file_io_free (file_io);
  close (fd);
  munmap (arena, N * PAGE);
}

/* An arena of more than a chunk, its pages being the same few again and again: the last of the
 * first chunk and the first of the second differ. */
static void
test_two_chunks (void)
{
  const gsize chunk = (gsize)1 << 30, window = 16 * MIB, size = chunk + window;
  int memory = memfd_create ("arena", MFD_CLOEXEC), fd = make_file (MIB);
  guint8 *arena = mmap (NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  VyreFileIo *file_io;
  VyreFileIoCounters c;

  g_assert_cmpint (ftruncate (memory, (off_t)window), ==, 0);
  g_assert_true (arena != MAP_FAILED);
  for (gsize at = 0; at < size; at += window)
    g_assert_true (
        mmap (arena + at, window, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, 0)
        != MAP_FAILED);
  file_io = vyre_file_io_new (arena, size, VYRE_READ_MODE_SINGLE_ISSUER);
  if (vyre_file_io_is_registered (file_io)) {
    read_ok (file_io, fd, 5, arena + chunk - 3000, 10000, 10000);
    assert_same_as_pread (fd, 5, arena + chunk - 3000, 10000);
    read_ok (file_io, fd, 6, arena + size - 1000, 1000, 1000);
    assert_same_as_pread (fd, 6, arena + size - 1000, 1000);
    c = get_counters (file_io);
    g_assert_cmpuint (c.fixed_reads, ==, 3);
    g_assert_cmpuint (c.short_reads, ==, 0);
    g_assert_cmpuint (c.bytes_submitted, ==, 11000);
  } else {
    g_test_skip (vyre_file_io_get_reason (file_io));
  }
  free_idle (file_io);
  munmap (arena, size);
  close (memory);
  close (fd);
}

/* A page that may not be written cannot be registered; the ring still reads into the others. */
static void
test_cannot_be_pinned (void)
{
  guint8 *arena = map_memory (4 * PAGE);
  int fd = make_file (MIB);
  VyreFileIo *file_io;

  if (!have_best ())
    return;
  g_assert_cmpint (mprotect (arena + 3 * PAGE, PAGE, PROT_READ), ==, 0);
  file_io = vyre_file_io_new (arena, 4 * PAGE, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_false (vyre_file_io_is_registered (file_io));
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), g_strerror (EFAULT)));
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), ". Fix: "));
  read_ok (file_io, fd, 3, arena, 3 * PAGE, 3 * PAGE);
  assert_same_as_pread (fd, 3, arena, 3 * PAGE);
  g_assert_cmpuint (get_counters (file_io).ring_reads, ==, 1);
  read_fails (file_io, fd, 0, arena + 3 * PAGE, PAGE, VYRE_ERROR_IO, EFAULT);
  free_idle (file_io);
  close (fd);
  munmap (arena, 4 * PAGE);
}

static void
refuse (guint first, guint last, int error)
{
  g_assert_true (restriction_refuse (first, last, error));
}

/* Makes a #VyreFileIo and compares what it reads. */
static VyreFileIo *
make_and_read (guint8 *arena, gsize size)
{
  VyreFileIo *file_io = vyre_file_io_new (arena, size, VYRE_READ_MODE_SINGLE_ISSUER);
  int fd = make_file (size + 1);

  read_ok (file_io, fd, 1, arena, size, size);
  assert_same_as_pread (fd, 1, arena, size);
  close (fd);
  return file_io;
}

static void
run_in_child (void)
{
  g_test_trap_subprocess (NULL, 60 * G_TIME_SPAN_SECOND, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

static void
check_refused_ring (int error)
{
  guint8 *arena = map_memory (MIB);
  VyreFileIo *file_io = make_and_read (arena, MIB);
  const char *reason = vyre_file_io_get_reason (file_io);

  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, VYRE_READ_MODE_PREAD);
  g_assert_false (vyre_file_io_is_registered (file_io));
  g_assert_nonnull (strstr (reason, "io_uring"));
  g_assert_nonnull (strstr (reason, g_strerror (error)));
  g_assert_nonnull (strstr (reason, ". Fix: "));
  g_assert_cmpuint (get_counters (file_io).plain_reads, ==, 1);
  free_idle (file_io);
  munmap (arena, MIB);
}

static void
test_refused_eperm (void)
{
  if (!g_test_subprocess ()) {
    run_in_child ();
    return;
  }
  refuse (SYS_io_uring_setup, SYS_io_uring_register, EPERM);
  check_refused_ring (EPERM);
}

static void
test_refused_enosys (void)
{
  if (!g_test_subprocess ()) {
    run_in_child ();
    return;
  }
  refuse (SYS_io_uring_setup, SYS_io_uring_register, ENOSYS);
  check_refused_ring (ENOSYS);
}

static void
test_refused_enter (void)
{
  if (!have_best ())
    return;
  if (!g_test_subprocess ()) {
    run_in_child ();
    return;
  }
  refuse (SYS_io_uring_enter, SYS_io_uring_enter, EACCES);
  check_refused_ring (EACCES);
}

/* Of a ring in which nothing may be registered nobody would know when Linux is through with it. */
static void
test_refused_register (void)
{
  guint8 *arena = map_memory (MIB);
  VyreFileIo *file_io;

  if (!have_best ())
    return;
  if (!g_test_subprocess ()) {
    run_in_child ();
    return;
  }
  refuse (SYS_io_uring_register, SYS_io_uring_register, EPERM);
  file_io = make_and_read (arena, MIB);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, VYRE_READ_MODE_PREAD);
  g_assert_false (vyre_file_io_is_registered (file_io));
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), g_strerror (EPERM)));
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), ". Fix: allow io_uring"));
  g_assert_cmpuint (get_counters (file_io).plain_reads, ==, 1);
  free_idle (file_io);
}

typedef struct {
  int listener;
  guint n_refused;
} Supervisor;

/* Whether a kernel that is too old for the first rungs refuses it: the first one's flags came with
 * Linux 6.0 and 6.1, the second one's with 5.19, and the last one has none. liburing asks for
 * newer ones by itself, and takes no for an answer. */
static gboolean
is_refused (const Supervisor *supervisor, const struct seccomp_notif *call)
{
  /* of this process, so an address is one here, too */
  const struct io_uring_params *params
      = (const struct io_uring_params *)(guintptr)call->data.args[1];

  if (supervisor->n_refused == VYRE_READ_MODE_PREAD)
    return TRUE;
  return params->flags >= (supervisor->n_refused == VYRE_READ_MODE_COOP_TASKRUN
                               ? IORING_SETUP_SINGLE_ISSUER
                               : IORING_SETUP_COOP_TASKRUN);
}

/* Decides about every io_uring_setup: those that are too new get EINVAL, the others pass. */
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

/* As a kernel does that is too old for the flags of the first rungs. */
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
  guint8 *arena = map_memory (MIB);
  static Supervisor supervisor; /* outlives the test, as its thread does */
  VyreFileIo *file_io;

  if (!have_best ())
    return;
  if (!g_test_subprocess ()) {
    run_in_child ();
    return;
  }
  supervisor.n_refused = GPOINTER_TO_UINT (data);
  if (!refuse_rungs (&supervisor)) {
    g_test_skip ("no seccomp listener");
    return;
  }
  file_io = make_and_read (arena, MIB);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, supervisor.n_refused);
  g_assert_cmpint (
      vyre_file_io_is_registered (file_io), ==, supervisor.n_refused < VYRE_READ_MODE_PREAD);
  g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), g_strerror (EINVAL)));
  g_assert_nonnull (
      strstr (vyre_file_io_get_reason (file_io), vyre_read_mode_name (supervisor.n_refused - 1)));
  free_idle (file_io);
}

/* Forbidden while in use: reads fail, nobody hangs. */
static void
test_refused_later (void)
{
  guint8 *arena = map_memory (PAGE);
  VyreFileIo *file_io;
  int fd;

  if (!have_best ())
    return;
  if (!g_test_subprocess ()) {
    run_in_child ();
    return;
  }
  fd = make_file (PAGE);
  file_io = make_and_read (arena, PAGE);
  refuse (SYS_io_uring_enter, SYS_io_uring_enter, EPERM);
  read_fails (file_io, fd, 9, arena, 10, VYRE_ERROR_IO, EPERM);
  read_fails (file_io, fd, 9, arena, 10, VYRE_ERROR_IO, EPERM);
  assert_counters_add_up (file_io);
  vyre_file_io_free (file_io);
  close (fd);
}

/* A file that is never ready is given up. */
static void
test_never_ready (void)
{
  guint8 *arena = map_memory (PAGE);
  VyreFileIo *file_io;
  int fd;

  if (!g_test_subprocess ()) {
    run_in_child ();
    return;
  }
  fd = make_file (PAGE);
  file_io = vyre_file_io_new (arena, PAGE, VYRE_READ_MODE_PREAD);
  refuse (SYS_pread64, SYS_pread64, EAGAIN);
  read_fails (file_io, fd, 0, arena, PAGE, VYRE_ERROR_IO, EAGAIN);
  g_assert_cmpuint (get_counters (file_io).reads_submitted, ==, 1);
  free_idle (file_io);
  close (fd);
}

static void
check_memlock (void)
{
  guint8 *arena = map_memory (8 * MIB);
  VyreFileIo *file_io = make_and_read (arena, 8 * MIB);
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
  munmap (arena, 8 * MIB);
}

static void
test_memlock (void)
{
  if (!have_best ())
    return;
  if (!g_test_subprocess ()) {
    run_in_child ();
    return;
  }
  g_assert_true (restriction_limit_memlock (RESTRICTION_MEMLOCK));
  check_memlock ();
}

/* The restriction that this process was started under is in force, and told. */
static void
test_restricted (gconstpointer data)
{
  if (g_str_equal (data, "seccomp"))
    check_refused_ring (EPERM);
  else
    check_memlock ();
}

static void
add_for_each_rung (const char *name, GTestDataFunc test, VyreReadMode last)
{
  for (VyreReadMode rung = VYRE_READ_MODE_SINGLE_ISSUER; rung <= last; rung++) {
    g_autofree char *path = g_strdup_printf ("/ingest/%s/%s", name, vyre_read_mode_name (rung));

    g_test_add_data_func (path, GUINT_TO_POINTER (rung), test);
  }
}

static void
add_tests_of_rings (void)
{
  g_test_add_func ("/ingest/best", test_best);
  add_for_each_rung ("forced-rung", test_forced_rung, VYRE_READ_MODE_PREAD);
  /* These need reads that wait on command, which pread(2) does not do. */
  add_for_each_rung ("overtaking", test_overtaking, VYRE_READ_MODE_PLAIN_RING);
  add_for_each_rung ("crowd", test_crowd, VYRE_READ_MODE_PLAIN_RING);
  add_for_each_rung ("free-waits", test_free_waits, VYRE_READ_MODE_PLAIN_RING);
  g_test_add_func ("/ingest/two-chunks", test_two_chunks);
  g_test_add_func ("/ingest/cannot-be-pinned", test_cannot_be_pinned);
  g_test_add_func ("/ingest/refused/enter", test_refused_enter);
  g_test_add_func ("/ingest/refused/register", test_refused_register);
  for (guint n = VYRE_READ_MODE_COOP_TASKRUN; n <= VYRE_READ_MODE_PREAD; n++) {
    g_autofree char *path = g_strdup_printf ("/ingest/refused/rungs-%u", n);

    g_test_add_data_func (path, GUINT_TO_POINTER (n), test_refused_rungs);
  }
  g_test_add_func ("/ingest/refused/later", test_refused_later);
  g_test_add_func ("/ingest/refused/memlock", test_memlock);
}

/* Where rings are restricted, what is about them is not to be tested. */
int
main (int argc, char **argv)
{
  const char *restriction = g_getenv ("VYRE_TEST_RESTRICTION");

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ingest/mode-names", test_mode_names);
  add_for_each_rung ("destinations", test_destinations, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("end-of-file", test_end_of_file, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("errors", test_errors, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("direct", test_direct, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("direct-or-not", test_direct_or_not, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("many-readers", test_many_readers, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("idle", test_idle, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("started", test_started, VYRE_READ_MODE_PREAD);
  g_test_add_func ("/ingest/refused/eperm", test_refused_eperm);
  g_test_add_func ("/ingest/refused/enosys", test_refused_enosys);
  g_test_add_func ("/ingest/never-ready", test_never_ready);
  if (restriction)
    g_test_add_data_func ("/ingest/restricted", restriction, test_restricted);
  else
    add_tests_of_rings ();
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads of files on each rung of the ladder. Blocking eventfds stand for files on slow storage:
 * they pass as files with offsets and complete on command.
 */
#include "file-io-common.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "base/pins.h"

static void
test_best (void)
{
  guint8 *staging = map_memory (MIB);
  int fd = make_file (MIB);
  VyreFileIo *file_io;
  VyreFileIoCounters c;

  if (!have_best ())
    return;
  file_io = vyre_file_io_new (staging, MIB, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_cmpint (vyre_file_io_get_mode (file_io), ==, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_true (vyre_file_io_is_registered (file_io));
  g_assert_null (vyre_file_io_get_reason (file_io));
  read_ok (file_io, fd, 0, staging, MIB, MIB);
  assert_same_as_pread (fd, 0, staging, MIB);
  c = get_counters (file_io);
  g_assert_cmpuint (c.fixed_reads, ==, c.reads_submitted);
  g_assert_cmpuint (c.bytes_submitted, ==, MIB);
  g_assert_cmpuint (c.bytes_completed, ==, MIB);
  free_idle (file_io);
  close (fd);
  munmap (staging, MIB);
}

static void
test_mode_names (void)
{
  g_assert_cmpstr (vyre_read_mode_name (VYRE_READ_MODE_SINGLE_ISSUER), ==, "single-issuer");
  g_assert_cmpstr (vyre_read_mode_name (VYRE_READ_MODE_COOP_TASKRUN), ==, "coop-taskrun");
  g_assert_cmpstr (vyre_read_mode_name (VYRE_READ_MODE_PLAIN_RING), ==, "plain-ring");
  g_assert_cmpstr (vyre_read_mode_name (VYRE_READ_MODE_PREAD), ==, "pread");
  g_test_expect_message ("vyre", G_LOG_LEVEL_CRITICAL, "*vyre_read_mode_name*");
  g_assert_null (vyre_read_mode_name (VYRE_READ_MODE_PREAD + 1));
  g_test_assert_expected_messages ();
}

/* A test below that takes a rung runs once for each. */

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
  if (rung == VYRE_READ_MODE_SINGLE_ISSUER) { /* without staging memory none is refused */
    g_assert_null (vyre_file_io_get_reason (file_io));
  } else {
    g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), vyre_read_mode_name (rung)));
    g_assert_nonnull (strstr (vyre_file_io_get_reason (file_io), ". Fix: "));
  }
  vyre_file_io_free (file_io);
}

/* Destinations inside, outside and across the end of the staging memory. */
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
  guint8 *staging = map_memory (2 * PAGE);
  int fd = make_file (10000);
  VyreFileIo *file_io = vyre_file_io_new (staging, 2 * PAGE, GPOINTER_TO_UINT (data));
  VyreFileIoCounters c;

  memset (staging, 0xaa, 2 * PAGE);
  read_ok (file_io, fd, 9000, staging, 2 * PAGE, 1000);
  assert_same_as_pread (fd, 9000, staging, 1000);
  g_assert_cmpint (staging[1000], ==, 0xaa);
  c = get_counters (file_io);
  g_assert_cmpuint (c.short_reads, ==, 1);
  g_assert_cmpuint (c.reads_submitted, ==, 2);
  g_assert_cmpuint (c.bytes_submitted, ==, 2 * PAGE);
  g_assert_cmpuint (c.bytes_completed, ==, 1000);
  read_ok (file_io, fd, 9999, staging, 1, 1);
  read_ok (file_io, fd, 10000, staging, PAGE, 0);
  read_ok (file_io, fd, 1 << 30, staging, PAGE, 0);
  read_ok (file_io, fd, G_MAXINT64 - PAGE, staging, PAGE, 0);
  read_ok (file_io, fd, 0, NULL, 0, 0);
  g_assert_cmpuint (get_counters (file_io).reads_failed, ==, 0);
  g_assert_true (vyre_file_io_read (file_io, fd, 9000, staging, PAGE, NULL, NULL));
  free_idle (file_io);
  close (fd);
  munmap (staging, 2 * PAGE);
}

static void
test_errors (gconstpointer data)
{
  guint8 *staging = map_memory (PAGE);
  VyreFileIo *file_io = vyre_file_io_new (staging, PAGE, GPOINTER_TO_UINT (data));
  int file = make_file (10000), directory = open ("/", O_RDONLY | O_DIRECTORY), pipes[2];
  int write_only = open ("/dev/null", O_WRONLY);
  guint8 *unmapped = map_memory (PAGE);

  munmap (unmapped, PAGE);
  g_assert_cmpint (pipe (pipes), ==, 0);
  g_assert_cmpint (write (pipes[1], "abc", 3), ==, 3);
  read_fails (file_io, pipes[0], 0, staging, 3, VYRE_ERROR_IO, ESPIPE);
  read_fails (file_io, -1, 0, staging, 3, VYRE_ERROR_IO, EBADF);
  read_fails (file_io, -1, 0, NULL, 0, VYRE_ERROR_IO, EBADF);
  read_fails (file_io, file, G_MAXUINT64, staging, 1, VYRE_ERROR_INVALID, 0);
  read_fails (file_io, file, G_MAXINT64, staging, 1, VYRE_ERROR_INVALID, 0);
  g_assert_cmpuint (get_counters (file_io).reads_submitted, ==, 0);

  read_fails (file_io, directory, 0, staging, 3, VYRE_ERROR_IO, EISDIR);
  read_fails (file_io, write_only, 5, staging, 3, VYRE_ERROR_IO, EBADF);
  read_fails (file_io, file, 77, unmapped, PAGE, VYRE_ERROR_IO, EFAULT);
  g_assert_cmpuint (get_counters (file_io).reads_failed, ==, 3);
  g_assert_cmpuint (get_counters (file_io).bytes_completed, ==, 0);
  close (file);
  read_fails (file_io, file, 1, staging, 1, VYRE_ERROR_IO, EBADF);
  free_idle (file_io);
  close (directory);
  close (write_only);
  close (pipes[0]);
  close (pipes[1]);
  munmap (staging, PAGE);
}

/* O_DIRECT goes on from an odd offset after the last, short block. */
static void
test_direct (gconstpointer data)
{
  guint8 *staging = map_memory (16 * PAGE);
  int fd = make_file (10000), direct;
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  VyreFileIo *file_io;

  direct = open (path, O_RDONLY | O_DIRECT);
  if (direct < 0) {
    g_test_skip ("no O_DIRECT in the temporary directory");
  } else {
    file_io = vyre_file_io_new (staging, 16 * PAGE, GPOINTER_TO_UINT (data));
    read_ok (file_io, direct, 0, staging, 16 * PAGE, 10000);
    assert_same_as_pread (fd, 0, staging, 10000);
    free_idle (file_io);
    close (direct);
  }
  close (fd);
  munmap (staging, 16 * PAGE);
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

/* A read that O_DIRECT refuses goes through the page cache. */
static void
test_direct_or_not (gconstpointer data)
{
  guint8 *staging = map_memory (16 * PAGE);
  int fd = make_file (10000);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int direct = open (path, O_RDONLY | O_DIRECT);
  VyreFileIo *file_io = vyre_file_io_new (staging, 16 * PAGE, GPOINTER_TO_UINT (data));
  VyreFileIoCounters c;

  if (direct < 0) {
    g_test_skip ("no O_DIRECT in the temporary directory");
  } else {
    c = read_direct (file_io, fd, direct, PAGE, staging, PAGE, PAGE);
    g_assert_cmpuint (c.reads_submitted, ==, 1);
    g_assert_cmpuint (c.direct_reads, ==, 1);
    g_assert_cmpuint (c.direct_refusals, ==, 0);
    c = read_direct (file_io, fd, direct, 0, staging, 16 * PAGE, 10000);
    g_assert_cmpuint (c.reads_submitted, ==, 2);
    g_assert_cmpuint (c.direct_reads, ==, 1); /* the one that finds the end is not */
    g_assert_cmpuint (c.short_reads, ==, 1);
    if (pread (direct, staging + PAGE + 1, PAGE, 1) < 0) { /* the file system minds */
      c = read_direct (file_io, fd, direct, 1, staging + PAGE + 1, PAGE, PAGE);
      g_assert_cmpuint (c.reads_submitted, ==, 1);
      g_assert_cmpuint (c.direct_refusals, ==, 1);
    }
    free_idle (g_steal_pointer (&file_io));
    close (direct);
  }
  vyre_file_io_free (file_io);
  close (fd);
  munmap (staging, 16 * PAGE);
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
  guint8 *staging = map_memory (N_READERS * PART);
  int fd = make_file (FILE_SIZE);
  VyreFileIo *file_io = vyre_file_io_new (staging, N_READERS * PART, GPOINTER_TO_UINT (data));
  guint32 seed = (guint32)g_test_rand_int ();
  Reader readers[N_READERS];
  GThread *threads[N_READERS];
  VyreFileIoCounters c;

  for (guint i = 0; i < N_READERS; i++) {
    readers[i] = (Reader){ file_io, fd, staging + i * PART, seed + i };
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
  munmap (staging, N_READERS * PART);
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

/* A slow read holds no other read up, and completions find their requests in any order. */
static void
test_overtaking (gconstpointer data)
{
  guint8 *staging = map_memory (PAGE);
  int fd = make_file (PAGE);
  Slow slow[3];
  VyreFileIo *file_io;

  if (!have_best ())
    return;
  file_io = vyre_file_io_new (staging, PAGE, GPOINTER_TO_UINT (data));
  for (guint i = 0; i < 3; i++)
    start_slow (&slow[i], file_io);
  await_submitted (file_io, 3);
  read_ok (file_io, fd, 0, staging, PAGE, PAGE);
  assert_same_as_pread (fd, 0, staging, PAGE);
  g_assert_cmpuint (get_counters (file_io).reads_completed, ==, 1);
  for (guint i = 3; i-- > 0;) {
    complete_slow (&slow[i], 100 + i);
    join_slow (&slow[i], 100 + i);
  }
  free_idle (file_io);
  close (fd);
  munmap (staging, PAGE);
}

#define N_CROWD 100

/* The ring has no room for all requests: the rest waits outside and follows. */
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

/* Callers whose reads have ended still leave through the file I/O while it is freed. */
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

/* An idle thread neither spins nor polls. */
static void
test_idle (gconstpointer data)
{
  guint8 *staging = map_memory (PAGE);
  int fd = make_file (PAGE);
  VyreFileIo *file_io = vyre_file_io_new (staging, PAGE, GPOINTER_TO_UINT (data));
  struct rusage before, after;

  read_ok (file_io, fd, 0, staging, PAGE, PAGE);
  getrusage (RUSAGE_SELF, &before);
  g_usleep (200 * G_TIME_SPAN_MILLISECOND);
  getrusage (RUSAGE_SELF, &after);
  g_assert_cmpint (get_cpu_us (&after) - get_cpu_us (&before), <, 20000);
  g_assert_cmpint (after.ru_nvcsw - before.ru_nvcsw, <, 20);
  read_ok (file_io, fd, 0, staging, PAGE, PAGE);
  free_idle (file_io);
  close (fd);
  munmap (staging, PAGE);
}

/* One thread starts more reads than the ring has room for, and finishes them in any order. */
static void
test_started (gconstpointer data)
{
  enum { N = 150, SIZE = 3000 };
  VyreFileRead *reads[N];
  guint8 *staging = map_memory (N * PAGE);
  int fd = make_file (N * SIZE);
  VyreFileIo *file_io = vyre_file_io_new (staging, N * PAGE, GPOINTER_TO_UINT (data));
  GError *error = NULL;

  for (guint i = 0; i < N; i++) {
    reads[i] = vyre_file_io_start (file_io, fd, i * SIZE, staging + i * PAGE, SIZE, &error);
    g_assert_no_error (error);
  }
  for (guint i = 0; i < N; i++) {
    guint k = i * 67 % N; /* each of them once */
    gsize arrived;
    g_assert_true (vyre_file_io_finish (file_io, reads[k], &arrived, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (arrived, ==, SIZE);
    assert_same_as_pread (fd, k * SIZE, staging + k * PAGE, SIZE);
  }
  assert_counters_add_up (file_io);
  g_assert_cmpuint (get_counters (file_io).bytes_completed, ==, N * SIZE);
  g_assert_null (vyre_file_io_start (file_io, fd, G_MAXUINT64, staging, 1, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_INVALID);
  g_clear_error (&error);
  VyreFileRead *nothing = vyre_file_io_start (file_io, fd, 0, NULL, 0, &error);
  g_assert_true (vyre_file_io_finish (file_io, nothing, NULL, &error));
  vyre_file_io_free (file_io);
  close (fd);
  munmap (staging, N * PAGE);
}

/* Staging memory of more than a step, in which the same few pages repeat: the last page of the
 * first step and the first of the second differ. */
static void
test_two_steps (void)
{
  const gsize step = VYRE_PIN_STEP, window = 4 * MIB, size = step + window;
  int memory = memfd_create ("staging", MFD_CLOEXEC), fd = make_file (MIB);
  guint8 *staging
      = mmap (NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  VyreFileIo *file_io;
  VyreFileIoCounters c;

  g_assert_cmpint (ftruncate (memory, (off_t)window), ==, 0);
  g_assert_true (staging != MAP_FAILED);
  for (gsize at = 0; at < size; at += window)
    g_assert_true (
        mmap (staging + at, window, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, 0)
        != MAP_FAILED);
  file_io = vyre_file_io_new (staging, size, VYRE_READ_MODE_SINGLE_ISSUER);
  if (vyre_file_io_is_registered (file_io)) {
    read_ok (file_io, fd, 5, staging + step - 3000, 10000, 10000);
    assert_same_as_pread (fd, 5, staging + step - 3000, 10000);
    read_ok (file_io, fd, 6, staging + size - 1000, 1000, 1000);
    assert_same_as_pread (fd, 6, staging + size - 1000, 1000);
    c = get_counters (file_io);
    g_assert_cmpuint (c.fixed_reads, ==, 3);
    g_assert_cmpuint (c.short_reads, ==, 0);
    g_assert_cmpuint (c.bytes_submitted, ==, 11000);
  } else {
    g_test_skip (vyre_file_io_get_reason (file_io));
  }
  free_idle (file_io);
  munmap (staging, size);
  close (memory);
  close (fd);
}

/* Bytes that Linux counts as pinned for this process. */
static guint64
count_pinned (void)
{
  g_autofree gchar *status = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  const gchar *line = strstr (status, "VmPin:");
  return line ? g_ascii_strtoull (line + strlen ("VmPin:"), NULL, 10) * 1024 : 0;
}

/* Memory is pinned when a read first goes there, in steps, and given back when there are none. */
static void
test_steps (void)
{
  gsize size = 5 * VYRE_PIN_STEP / 2;
  guint8 *staging = map_memory (size);
  int fd = make_file (MIB);
  guint64 before = count_pinned ();

  if (!have_best ())
    return;
  VyreFileIo *file_io = vyre_file_io_new (staging, size, VYRE_READ_MODE_SINGLE_ISSUER);
  g_assert_cmpuint (count_pinned (), ==, before);
  for (guint round = 0; round < 2; round++) {
    g_assert_false (vyre_pins_overlap (staging, size));
    read_ok (file_io, fd, 0, staging + size - 10, 10, 10);
    g_assert_cmpuint (count_pinned (), ==, before + VYRE_PIN_STEP / 2);
    read_ok (file_io, fd, 3, staging + VYRE_PIN_STEP - 1000, 2000, 2000);
    assert_same_as_pread (fd, 3, staging + VYRE_PIN_STEP - 1000, 2000);
    g_assert_cmpuint (count_pinned (), ==, before + size);
    g_assert_true (vyre_pins_overlap (staging, 1));
    g_assert_cmpuint (get_counters (file_io).fixed_reads, ==, 3 * (round + 1));
    for (guint tries = 0; vyre_pins_overlap (staging, size) && tries < 20000; tries++)
      g_usleep (1000);
    g_assert_false (vyre_pins_overlap (staging, size));
    g_assert_cmpuint (count_pinned (), ==, before);
  }
  read_ok (file_io, fd, 0, staging, 10, 10);
  free_idle (file_io);
  g_assert_false (vyre_pins_overlap (staging, size));
  g_assert_cmpuint (count_pinned (), ==, before);
  close (fd);
  munmap (staging, size);
}

static void
add_tests_of_rings (void)
{
  g_test_add_func ("/file-io/best", test_best);
  add_for_each_rung ("forced-rung", test_forced_rung, VYRE_READ_MODE_PREAD);
  /* These need reads that wait on command, and pread(2) does not wait. */
  add_for_each_rung ("overtaking", test_overtaking, VYRE_READ_MODE_PLAIN_RING);
  add_for_each_rung ("crowd", test_crowd, VYRE_READ_MODE_PLAIN_RING);
  add_for_each_rung ("free-waits", test_free_waits, VYRE_READ_MODE_PLAIN_RING);
  g_test_add_func ("/file-io/two-steps", test_two_steps);
  g_test_add_func ("/file-io/steps", test_steps);
}

/* Under a restriction the tests that need a ring are left out. */
int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/file-io/mode-names", test_mode_names);
  add_for_each_rung ("destinations", test_destinations, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("end-of-file", test_end_of_file, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("errors", test_errors, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("direct", test_direct, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("direct-or-not", test_direct_or_not, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("many-readers", test_many_readers, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("idle", test_idle, VYRE_READ_MODE_PREAD);
  add_for_each_rung ("started", test_started, VYRE_READ_MODE_PREAD);
  if (!g_getenv ("VYRE_TEST_RESTRICTION"))
    add_tests_of_rings ();
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A #VyreFileIo under load on storage that fails: every read ends with the right bytes or with an
 * error that tells the place, and the counters add up.
 */
#include "vyre/file-io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faults.h"

#define FILE_SIZE ((gsize)4 << 20)
#define LONGEST 16000
#define SLOT ((gsize)16384) /* of the destination of a read; whole sectors */
#define N_THREADS 3
#define N_READS 200 /* of a thread: together far more than fit a ring */
#define N_TURNS 2
#define DEADLINE_S 60 /* of one test, which then dies of SIGALRM */
#define SECTOR 4096

typedef struct {
  const char *name;
  VyreFaultPlan plan;
  gboolean fatal;  /* reads may fail */
  gboolean direct; /* reads are made past the page cache */
} Case;

static const Case cases[] = {
  { .name = "none" },
  { .name = "eio", .plan = { 1, { [VYRE_FAULT_EIO] = 50 } }, .fatal = TRUE },
  { .name = "ecanceled", .plan = { 2, { [VYRE_FAULT_ECANCELED] = 50 } }, .fatal = TRUE },
  { .name = "eintr", .plan = { 3, { [VYRE_FAULT_EINTR] = 300 } } },
  { .name = "eagain", .plan = { 4, { [VYRE_FAULT_EAGAIN] = 200 } } },
  { .name = "short", .plan = { 5, { [VYRE_FAULT_SHORT] = 500 } } },
  { .name = "shuffled", .plan = { 6, { [VYRE_FAULT_SHUFFLED] = 1000 } } },
  { .name = "entering",
      .plan = { 7, { [VYRE_FAULT_ENTER_EINTR] = 200,
                       [VYRE_FAULT_ENTER_EAGAIN] = 100,
                       [VYRE_FAULT_ENTER_EBUSY] = 100 } } },
  { .name = "refused", .plan = { 8, { [VYRE_FAULT_REFUSED] = 300 } }, .direct = TRUE },
  { .name = "passing",
      .plan = { 9, { [VYRE_FAULT_EINTR] = 100,
                       [VYRE_FAULT_EAGAIN] = 100,
                       [VYRE_FAULT_SHORT] = 300,
                       [VYRE_FAULT_REFUSED] = 100,
                       [VYRE_FAULT_ENTER_EINTR] = 200,
                       [VYRE_FAULT_SHUFFLED] = 500 } },
      .direct = TRUE },
  { .name = "all",
      .plan = { 10, { [VYRE_FAULT_EIO] = 20,
                        [VYRE_FAULT_ECANCELED] = 20,
                        [VYRE_FAULT_EINTR] = 100,
                        [VYRE_FAULT_EAGAIN] = 100,
                        [VYRE_FAULT_SHORT] = 300,
                        [VYRE_FAULT_REFUSED] = 100,
                        [VYRE_FAULT_ENTER_EINTR] = 200,
                        [VYRE_FAULT_ENTER_EAGAIN] = 100,
                        [VYRE_FAULT_ENTER_EBUSY] = 100,
                        [VYRE_FAULT_SHUFFLED] = 500 } },
      .fatal = TRUE,
      .direct = TRUE },
};

typedef struct {
  const Case *load;
  VyreFileIo *file_io;
  const guint8 *bytes; /* of the file */
  int fd;
  int direct_fd; /* or -1 */
  guint8 *memory;
  guint32 seed;
  GThread *thread;
  guint64 asked; /* bytes */
  guint64 arrived;
  guint64 failed; /* reads */
} Reader;

typedef struct {
  VyreFileRead *read;
  guint64 offset;
  gsize length;
  guint8 *destination;
} Started;

static guint8 *
map_memory (gsize size)
{
  guint8 *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  return memory;
}

static guint8 *
make_bytes (gsize size)
{
  guint64 *words = (guint64 *)map_memory (size);

  for (gsize i = 0; i < size / sizeof *words; i++)
    words[i] = (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return (guint8 *)words;
}

/* A file without a name. */
static int
make_file (const guint8 *bytes, gsize size)
{
  g_autofree char *name = NULL;
  int fd = g_file_open_tmp ("vyre-faults-XXXXXX", &name, NULL);

  g_assert_cmpint (fd, >=, 0);
  unlink (name);
  for (gsize done = 0; done < size;) {
    gssize n = write (fd, bytes + done, size - done);
    g_assert_cmpint (n, >, 0);
    done += (gsize)n;
  }
  return fd;
}

static int
open_direct (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);

  g_assert_cmpint (fsync (fd), ==, 0);
  return open (path, O_RDONLY | O_DIRECT | O_CLOEXEC);
}

/* Starts a read at a random place, before the end of the file or across it. */
static Started
start (Reader *reader, GRand *rand, guint i)
{
  GError *error = NULL;
  Started started = {
    .offset = (guint64)g_rand_int_range (rand, 0, FILE_SIZE),
    .length = (gsize)g_rand_int_range (rand, 1, LONGEST + 1),
    .destination = reader->memory + i * SLOT,
  };

  if (reader->direct_fd >= 0) {
    started.offset = started.offset / SECTOR * SECTOR;
    started.length = (started.length + SECTOR - 1) / SECTOR * SECTOR;
  }
  memset (started.destination, 0xaa, SLOT);
  started.read = vyre_file_io_start_direct (reader->file_io, reader->fd, reader->direct_fd,
      started.offset, started.destination, started.length, &error);
  g_assert_no_error (error);
  return started;
}

/* The error names the byte behind those that arrived. */
static void
check_error (const Started *started, gsize arrived, GError *error)
{
  g_autofree char *where
      = g_strdup_printf ("at offset %" G_GUINT64_FORMAT " of", started->offset + arrived);

  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_IO);
  g_assert_nonnull (strstr (error->message, where));
  g_assert_nonnull (strstr (error->message, ". Fix: "));
}

static void
finish (Reader *reader, const Started *started)
{
  GError *error = NULL;
  gsize arrived, there = MIN (started->length, FILE_SIZE - started->offset);

  if (vyre_file_io_finish (reader->file_io, started->read, &arrived, &error)) {
    g_assert_no_error (error);
    g_assert_cmpuint (arrived, ==, there);
  } else {
    g_assert_true (reader->load->fatal);
    check_error (started, arrived, error);
    reader->failed++;
  }
  g_clear_error (&error);
  g_assert_cmpuint (arrived, <=, there);
  g_assert_cmpint (memcmp (started->destination, reader->bytes + started->offset, arrived), ==, 0);
  reader->asked += started->length;
  reader->arrived += arrived;
}

static gpointer
run_reader (gpointer data)
{
  Reader *reader = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (reader->seed);
  Started started[N_READS];

  for (guint turn = 0; turn < N_TURNS; turn++) {
    for (guint i = 0; i < N_READS; i++)
      started[i] = start (reader, rand, i);
    for (guint i = 0; i < N_READS; i++)
      finish (reader, &started[i * 67 % N_READS]); /* each of them once */
  }
  return NULL;
}

static void
check_counters (VyreFileIo *file_io, const Reader *readers)
{
  VyreFileIoCounters c;
  guint64 asked = 0, arrived = 0, failed = 0;

  for (guint i = 0; i < N_THREADS; i++) {
    asked += readers[i].asked;
    arrived += readers[i].arrived;
    failed += readers[i].failed;
  }
  vyre_file_io_get_counters (file_io, &c);
  g_assert_cmpuint (c.reads_submitted, ==, c.reads_completed + c.reads_failed);
  g_assert_cmpuint (c.reads_submitted, ==, c.fixed_reads + c.ring_reads + c.plain_reads);
  g_assert_cmpuint (c.reads_submitted, ==, N_THREADS * N_TURNS * N_READS + c.short_reads);
  g_assert_cmpuint (c.reads_failed, ==, failed);
  g_assert_cmpuint (c.bytes_submitted, ==, asked);
  g_assert_cmpuint (c.bytes_completed, ==, arrived);
  g_assert_cmpuint (c.direct_refusals, ==, vyre_faults_count (VYRE_FAULT_REFUSED));
  g_assert_cmpuint (
      failed, ==, vyre_faults_count (VYRE_FAULT_EIO) + vyre_faults_count (VYRE_FAULT_ECANCELED));
  g_assert_cmpuint (c.short_reads, >=, vyre_faults_count (VYRE_FAULT_SHORT));
}

/* Every fault of the case struck, but for those that only rings have. */
static void
check_strikes (const Case *load, VyreReadMode rung)
{
  guint n_faults = rung == VYRE_READ_MODE_PREAD ? VYRE_FAULT_ENTER_EINTR : VYRE_N_FAULTS;

  for (guint fault = 0; fault < n_faults; fault++) {
    if (load->plan.permille[fault])
      g_assert_cmpuint (vyre_faults_count (fault), >, 0);
  }
}

static void
run_case (const Case *load, VyreReadMode rung, gboolean registered)
{
  guint8 *bytes = make_bytes (FILE_SIZE);
  gsize size = N_THREADS * N_READS * SLOT;
  guint8 *memory = map_memory (size);
  int fd = make_file (bytes, FILE_SIZE), direct_fd = load->direct ? open_direct (fd) : -1;
  Reader readers[N_THREADS];

  VyreFileIo *file_io = vyre_file_io_new (registered ? memory : NULL, registered ? size : 0, rung);
  vyre_faults_set (&load->plan);
  for (guint i = 0; i < N_THREADS; i++) {
    readers[i] = (Reader){ .load = load,
      .file_io = file_io,
      .bytes = bytes,
      .fd = fd,
      .direct_fd = direct_fd,
      .memory = memory + i * N_READS * SLOT,
      .seed = i + 1 };
    readers[i].thread = g_thread_new ("reader", run_reader, &readers[i]);
  }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (readers[i].thread);
  check_counters (file_io, readers);
  if (!load->direct || direct_fd >= 0)
    check_strikes (load, vyre_file_io_get_mode (file_io));
  else
    g_test_message ("no O_DIRECT in the temporary directory");
  vyre_faults_set (&(VyreFaultPlan){ 0 });
  vyre_file_io_free (file_io);
  if (direct_fd >= 0)
    close (direct_fd);
  close (fd);
  munmap (memory, size);
  munmap (bytes, FILE_SIZE);
}

static void
test_case (gconstpointer data)
{
  const Case *load = data;
  VyreFileIo *probe = vyre_file_io_new (NULL, 0, VYRE_READ_MODE_SINGLE_ISSUER);
  VyreReadMode best = vyre_file_io_get_mode (probe);

  vyre_file_io_free (probe);
  alarm (DEADLINE_S);
  for (VyreReadMode rung = best; rung <= VYRE_READ_MODE_PREAD; rung++) {
    run_case (load, rung, TRUE);
    run_case (load, rung, FALSE);
  }
  alarm (0);
}

/* A fault that passes, but strikes again each time, is an error in the end. */
static void
test_for_ever (VyreFault fault, VyreReadMode rung)
{
  VyreFaultPlan plan = { .seed = 1 };
  guint8 *bytes = make_bytes (FILE_SIZE), destination[100];
  int fd = make_file (bytes, FILE_SIZE);
  GError *error = NULL;
  gsize arrived;

  plan.permille[fault] = 1000;
  alarm (DEADLINE_S);
  VyreFileIo *file_io = vyre_file_io_new (NULL, 0, rung);
  vyre_faults_set (&plan);
  g_assert_false (
      vyre_file_io_read (file_io, fd, 77, destination, sizeof destination, &arrived, &error));
  check_error (&(Started){ .offset = 77 }, 0, error);
  g_assert_cmpuint (arrived, ==, 0);
  g_clear_error (&error);
  vyre_faults_set (&(VyreFaultPlan){ 0 });
  vyre_file_io_free (file_io);
  close (fd);
  munmap (bytes, FILE_SIZE);
  alarm (0);
}

static void
test_never_ready (gconstpointer data)
{
  test_for_ever (VYRE_FAULT_EAGAIN, GPOINTER_TO_UINT (data));
}

static void
test_always_interrupted (gconstpointer data)
{
  test_for_ever (VYRE_FAULT_EINTR, GPOINTER_TO_UINT (data));
}

/* A page that Linux cannot write before the test gives it its content. */
typedef struct {
  int fd;
  guint8 *page;
} Held;

static gboolean
held_init (Held *held)
{
  struct uffdio_api api = { .api = UFFD_API };

  held->page = map_memory (SECTOR);
  struct uffdio_register wanted = {
    .range = { .start = (guintptr)held->page, .len = SECTOR },
    .mode = UFFDIO_REGISTER_MODE_MISSING,
  };
  held->fd = (int)syscall (SYS_userfaultfd, O_CLOEXEC);
  return held->fd >= 0 && ioctl (held->fd, UFFDIO_API, &api) == 0
         && ioctl (held->fd, UFFDIO_REGISTER, &wanted) == 0;
}

static void
held_wait_wanted (const Held *held)
{
  struct uffd_msg wish;

  g_assert_cmpint (read (held->fd, &wish, sizeof wish), ==, sizeof wish);
  g_assert_cmpint (wish.event, ==, UFFD_EVENT_PAGEFAULT);
}

static void
held_let_go (const Held *held, guint8 *content)
{
  struct uffdio_copy copy
      = { .dst = (guintptr)held->page, .src = (guintptr)content, .len = SECTOR };

  g_assert_cmpint (ioctl (held->fd, UFFDIO_COPY, &copy), ==, 0);
}

static void
held_clear (Held *held)
{
  if (held->fd >= 0)
    close (held->fd);
  munmap (held->page, SECTOR);
}

typedef struct {
  VyreFileIo *file_io;
  VyreFileRead *read;
  Held held;   /* the destination */
  gint let_go; /* Linux may write there now */
  const char *reason;
} Late;

static gpointer
finish_late (gpointer data)
{
  Late *late = data;
  GError *error = NULL;
  gsize arrived;

  gboolean fine = vyre_file_io_finish (late->file_io, late->read, &arrived, &error);
  g_assert_true (g_atomic_int_get (&late->let_go));
  g_assert_false (fine);
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_IO);
  g_assert_nonnull (strstr (error->message, late->reason));
  g_clear_error (&error);
  return NULL;
}

/* One more read makes the thread enter the ring, which fails. */
static void
break_ring (VyreFileIo *file_io, int fd)
{
  guint8 destination[10];
  GError *error = NULL;

  vyre_faults_set (&(VyreFaultPlan){ 1, { [VYRE_FAULT_ENTER_EPERM] = 1000 } });
  g_assert_false (
      vyre_file_io_read (file_io, fd, 0, destination, sizeof destination, NULL, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_IO);
  g_clear_error (&error);
}

static gpointer
let_go_later (gpointer data)
{
  static guint8 content[SECTOR] __attribute__ ((aligned (SECTOR)));
  Late *late = data;

  while (vyre_faults_count (VYRE_FAULT_ENTER_EPERM) == 0)
    g_usleep (1000);
  g_usleep (100000); /* time for Linux to end the reads that have no waiter */
  g_atomic_int_set (&late->let_go, TRUE);
  held_let_go (&late->held, content);
  return NULL;
}

/* The ring fails while Linux writes to a destination: the read fails, and only after Linux is
 * through with the destination. */
static void
test_broken (gconstpointer data)
{
  VyreReadMode rung = GPOINTER_TO_UINT (data);
  Late late = { .file_io = vyre_file_io_new (NULL, 0, rung), .reason = g_strerror (EPERM) };
  guint8 *bytes = make_bytes (FILE_SIZE);
  int fd = make_file (bytes, FILE_SIZE);
  GError *error = NULL;

  alarm (DEADLINE_S);
  if (!held_init (&late.held) || vyre_file_io_get_mode (late.file_io) != rung) {
    g_test_skip ("no userfaultfd, or no such ring");
  } else {
    vyre_faults_set (&(VyreFaultPlan){ 1, { [VYRE_FAULT_WORKER] = 1000 } });
    late.read = vyre_file_io_start (late.file_io, fd, 0, late.held.page, SECTOR, &error);
    g_assert_no_error (error);
    held_wait_wanted (&late.held);
    GThread *finisher = g_thread_new ("finisher", finish_late, &late);
    GThread *writer = g_thread_new ("writer", let_go_later, &late);
    break_ring (late.file_io, fd);
    g_thread_join (finisher);
    g_thread_join (writer);
    g_assert_cmpint (memcmp (late.held.page, bytes, SECTOR), ==, 0); /* Linux did write */
    vyre_faults_set (&(VyreFaultPlan){ 0 });
  }
  held_clear (&late.held);
  vyre_file_io_free (late.file_io);
  close (fd);
  munmap (bytes, FILE_SIZE);
  alarm (0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/faults/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  for (VyreReadMode rung = VYRE_READ_MODE_SINGLE_ISSUER; rung <= VYRE_READ_MODE_PREAD; rung++) {
    const char *name = vyre_read_mode_name (rung);
    g_autofree char *ready = g_strdup_printf ("/faults/never-ready/%s", name);
    g_autofree char *interrupted = g_strdup_printf ("/faults/always-interrupted/%s", name);
    g_test_add_data_func (ready, GUINT_TO_POINTER (rung), test_never_ready);
    g_test_add_data_func (interrupted, GUINT_TO_POINTER (rung), test_always_interrupted);
    if (rung == VYRE_READ_MODE_PREAD)
      continue;
    g_autofree char *broken = g_strdup_printf ("/faults/broken/%s", name);
    g_test_add_data_func (broken, GUINT_TO_POINTER (rung), test_broken);
  }
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* Linux registers at most this much as one buffer. */
#define CHUNK ((gsize)1 << 30)

/* Linux returns locked memory some time after the ring that it was charged for is closed. */
#define RETRY_DELAY_US 10000

static const unsigned rung_flags[] = {
  [VYRE_READ_MODE_SINGLE_ISSUER]
  = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CLAMP,
  [VYRE_READ_MODE_COOP_TASKRUN]
  = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CLAMP,
  [VYRE_READ_MODE_PLAIN_RING] = 0,
};

static gsize
uring_round_to_pages (gsize bytes)
{
  gsize page = (gsize)sysconf (_SC_PAGESIZE);

  return (bytes + page - 1) / page * page;
}

/* Bytes that Linux charges for a ring: the submissions, and the two queues with their heads. */
static gsize
uring_get_ring_bytes (void)
{
  gsize queues
      = 2 * VYRE_RING_ENTRIES * sizeof (struct io_uring_cqe) + VYRE_RING_ENTRIES * sizeof (guint32);

  return uring_round_to_pages (VYRE_RING_ENTRIES * sizeof (struct io_uring_sqe))
         + uring_round_to_pages (queues);
}

static void
uring_append_part (GString *text, const char *part)
{
  if (text->len > 0)
    g_string_append (text, "; ");
  g_string_append (text, part);
}

/* Adds a refusal to @reason. Where memory is what is missing, says how much may be locked and how
 * much of that, @needed bytes, it takes. */
static void
uring_add_refusal (
    VyreUringReason *reason, const char *subject, int error, gsize needed, const char *fix)
{
  g_autofree char *what = g_strdup_printf ("%s was refused: %s", subject, g_strerror (error));
  g_autofree char *limit_text = NULL;
  struct rlimit limit;

  uring_append_part (reason->what, what);
  uring_append_part (reason->fix, fix);
  if (error != ENOMEM || getrlimit (RLIMIT_MEMLOCK, &limit) != 0)
    return;
  limit_text = limit.rlim_cur == RLIM_INFINITY
                   ? g_strdup ("unlimited")
                   : g_strdup_printf ("%" G_GUINT64_FORMAT " bytes", (guint64)limit.rlim_cur);
  g_string_append_printf (reason->what,
      ", where RLIMIT_MEMLOCK is %s and at least %" G_GSIZE_FORMAT " bytes are needed", limit_text,
      needed);
}

static const char *
uring_get_ring_fix (int error)
{
  switch (error) {
    case EPERM:
    case EACCES:
      return "allow io_uring: kernel.io_uring_disabled=0 and a seccomp profile that permits it";
    case ENOSYS:
      return "run where the kernel has io_uring and the sandbox does not hide it";
    case ENOMEM:
      return "raise RLIMIT_MEMLOCK or free memory";
    case EMFILE:
    case ENFILE:
      return "raise RLIMIT_NOFILE or close files";
    default:
      return "use Linux 6.1 or newer";
  }
}

/* The least that staging memory can be set to. */
#define LEAST_STAGING 65536

/* Rings that register the staging memory: the kernel's, and that of a source of files. */
#define N_RINGS 2

/* Says what to set the limit to, or the size of the memory. */
static char *
uring_get_memlock_fix (gsize size)
{
  gsize needed = N_RINGS * (uring_get_ring_bytes () + uring_round_to_pages (size));
  struct rlimit limit;
  gsize room = 0;

  if (getrlimit (RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur / N_RINGS > uring_get_ring_bytes ())
    room = (gsize)(limit.rlim_cur / N_RINGS - uring_get_ring_bytes ()) & ~(gsize)4095;
  if (room < LEAST_STAGING || room >= size)
    return g_strdup_printf ("raise RLIMIT_MEMLOCK to %" G_GSIZE_FORMAT " bytes", needed);
  return g_strdup_printf ("raise RLIMIT_MEMLOCK to %" G_GSIZE_FORMAT
                          " bytes, or set staging-size=%" G_GSIZE_FORMAT " or less",
      needed, room);
}

static char *
uring_get_register_fix (int error, gsize size)
{
  switch (error) {
    case EPERM:
    case EACCES:
    case ENOSYS:
      return g_strdup ("allow io_uring_register in the seccomp profile");
    case ENOMEM:
      return uring_get_memlock_fix (size);
    default:
      return g_strdup ("have anonymous, writable memory registered");
  }
}

/* Reads a wake-up through the ring. A sandbox may allow io_uring_setup and refuse io_uring_enter,
 * and the first kernels with io_uring have no READ: only use shows that a ring can be used. */
static int
uring_try_wake (VyreUring *ring)
{
  struct io_uring_cqe *cqe;
  int result;

  if (eventfd_write (ring->wake_fd, 1) != 0)
    return errno;
  vyre_uring_arm_wake (ring);
  do
    result = io_uring_submit_and_wait (&ring->uring, 1);
  while (result == -EINTR);
  if (result >= 0)
    result = io_uring_peek_cqe (&ring->uring, &cqe);
  if (result < 0)
    return -result;
  result = cqe->res;
  io_uring_cqe_seen (&ring->uring, cqe);
  return result < 0 ? -result : 0;
}

/* Leaves the only writing end of a pipe with the ring, as a registered file. Linux closes it once
 * the ring is closed and its last request has ended, and the reading end hangs up. That works even
 * if the process has forbidden itself io_uring meanwhile. */
static int
uring_watch_end (VyreUring *ring)
{
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return errno;
  int error = -io_uring_register_files (&ring->uring, &ends[1], 1);
  close (ends[1]);
  if (error)
    close (ends[0]);
  else
    ring->end_fd = ends[0];
  return error;
}

static int
uring_try_rung_once (VyreUring *ring, VyreReadMode rung)
{
  struct io_uring_params params = { .flags = rung_flags[rung] };
  int error = -io_uring_queue_init_params (VYRE_RING_ENTRIES, &ring->uring, &params);

  if (error)
    return error;
  error = uring_try_wake (ring);
  if (!error)
    error = uring_watch_end (ring);
  if (error)
    io_uring_queue_exit (&ring->uring);
  return error;
}

static int
uring_try_rung (VyreUring *ring, VyreReadMode rung)
{
  int error = uring_try_rung_once (ring, rung);

  if (error == ENOMEM) {
    g_usleep (RETRY_DELAY_US);
    error = uring_try_rung_once (ring, rung);
  }
  return error;
}

void
vyre_uring_open (VyreUring *ring, int wake_fd, VyreReadMode first_rung, VyreUringReason *reason)
{
  int error = 0, last_error = 0;

  *ring = (VyreUring){ .wake_fd = wake_fd, .mode = first_rung };
  while (ring->mode != VYRE_READ_MODE_PREAD && (error = uring_try_rung (ring, ring->mode)) != 0) {
    last_error = error;
    ring->mode++;
  }
  if (last_error) {
    g_autofree char *subject
        = g_strdup_printf ("io_uring with rung %s", vyre_read_mode_name (ring->mode - 1));

    uring_add_refusal (
        reason, subject, last_error, uring_get_ring_bytes (), uring_get_ring_fix (last_error));
  } else if (first_rung != VYRE_READ_MODE_SINGLE_ISSUER) {
    uring_append_part (reason->what, "the caller asked for no better rung than ");
    g_string_append (reason->what, vyre_read_mode_name (first_rung));
    uring_append_part (reason->fix, "start at rung ");
    g_string_append (reason->fix, vyre_read_mode_name (VYRE_READ_MODE_SINGLE_ISSUER));
  }
}

static int
uring_register_chunks (VyreUring *ring)
{
  gsize n_chunks = (ring->staging_size - 1) / CHUNK + 1;
  g_autofree struct iovec *chunks = g_new (struct iovec, n_chunks);

  for (gsize i = 0; i < n_chunks; i++) {
    chunks[i].iov_base = ring->staging + i * CHUNK;
    chunks[i].iov_len = MIN (CHUNK, ring->staging_size - i * CHUNK);
  }
  return -io_uring_register_buffers (&ring->uring, chunks, (unsigned)n_chunks);
}

void
vyre_uring_register (VyreUring *ring, void *staging, gsize size, VyreUringReason *reason)
{
  if (!staging || size == 0)
    return;
  ring->staging = staging;
  ring->staging_size = size;
  int error = uring_register_chunks (ring);
  if (error) {
    g_usleep (RETRY_DELAY_US);
    error = uring_register_chunks (ring);
  }
  ring->registered = error == 0;
  if (ring->registered)
    return;
  g_autofree char *subject
      = g_strdup_printf ("registering %" G_GSIZE_FORMAT " bytes of staging memory", size);
  g_autofree char *fix = uring_get_register_fix (error, size);
  uring_add_refusal (
      reason, subject, error, uring_get_ring_bytes () + uring_round_to_pages (size), fix);
}

void
vyre_uring_close (VyreUring *ring)
{
  if (ring->mode == VYRE_READ_MODE_PREAD)
    return;
  /* closing alone unpins the staging memory some time later; its owner may free it now */
  if (ring->registered)
    io_uring_unregister_buffers (&ring->uring);
  io_uring_queue_exit (&ring->uring);
  close (ring->end_fd);
}

void
vyre_uring_abandon (VyreUring *ring)
{
  struct pollfd end = { .fd = ring->end_fd };

  io_uring_queue_exit (&ring->uring);
  while (poll (&end, 1, -1) < 0 && errno == EINTR)
    ;
  close (ring->end_fd);
}

void
vyre_uring_arm_wake (VyreUring *ring)
{
  struct io_uring_sqe *sqe = io_uring_get_sqe (&ring->uring);

  io_uring_prep_read (sqe, ring->wake_fd, &ring->wake_value, sizeof ring->wake_value, 0);
  io_uring_sqe_set_data (sqe, NULL);
}

/* Prepares a read into registered memory; @asked is cut to its chunk. FALSE: it is not registered.
 */
static gboolean
uring_prepare_fixed_read (
    VyreUring *ring, const VyreTransfer *read, struct io_uring_sqe *sqe, gsize *asked)
{
  gsize start = (gsize)((guintptr)read->memory - (guintptr)ring->staging);

  /* a destination below the staging memory wraps around to a start behind its end */
  if (!ring->registered || start >= ring->staging_size || read->length > ring->staging_size - start)
    return FALSE;
  *asked = MIN (*asked, CHUNK - start % CHUNK);
  io_uring_prep_read_fixed (
      sqe, read->fd, read->memory, (unsigned)*asked, read->offset, (int)(start / CHUNK));
  return TRUE;
}

gsize
vyre_uring_prepare (VyreUring *ring, const VyreTransfer *transfer, gboolean may_block,
    void *user_data, gboolean *fixed)
{
  struct io_uring_sqe *sqe = io_uring_get_sqe (&ring->uring);
  gsize asked = MIN (transfer->length, CHUNK);

  *fixed = FALSE;
  switch (transfer->kind) {
    case VYRE_TRANSFER_READ:
      *fixed = uring_prepare_fixed_read (ring, transfer, sqe, &asked);
      if (!*fixed)
        io_uring_prep_read (sqe, transfer->fd, transfer->memory, (unsigned)asked, transfer->offset);
      break;
    case VYRE_TRANSFER_WRITE:
      io_uring_prep_write (sqe, transfer->fd, transfer->memory, (unsigned)asked, transfer->offset);
      break;
    case VYRE_TRANSFER_SYNC:
      io_uring_prep_fsync (sqe, transfer->fd, IORING_FSYNC_DATASYNC);
      break;
  }
  if (may_block)
    io_uring_sqe_set_flags (sqe, IOSQE_ASYNC);
  io_uring_sqe_set_data (sqe, user_data);
  return asked;
}

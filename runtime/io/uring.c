/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/pins.h"

/* The most of one submission. */
#define MOST_AT_ONCE ((gsize)1 << 30)

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

static guint
uring_count_steps (const VyreUring *ring)
{
  return (guint)((ring->staging_size - 1) / VYRE_PIN_STEP + 1);
}

static struct iovec
uring_get_step (const VyreUring *ring, guint step)
{
  gsize start = step * VYRE_PIN_STEP;

  return (struct iovec){ ring->staging + start, MIN (VYRE_PIN_STEP, ring->staging_size - start) };
}

/* Marks the completion that tells that a step is no longer pinned: no pointer is odd. */
static guint64
uring_get_tag (guint step)
{
  return (guint64)step << 1 | 1;
}

/* Puts @memory into the table of buffers, in the place of @step. Returns 0 or an errno. */
static int
uring_fill_place (VyreUring *ring, guint step, struct iovec memory, guint64 tag)
{
  int result = io_uring_register_buffers_update_tag (&ring->uring, step, &memory, (__u64 *)&tag, 1);

  return result < 0 ? -result : 0;
}

/* TRUE if Linux may have a limit for this process below what all steps need. */
static gboolean
uring_is_limited (gsize size)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct rights[2] = { 0 };
  struct rlimit limit;

  if (getrlimit (RLIMIT_MEMLOCK, &limit) != 0
      || limit.rlim_cur / N_RINGS >= uring_get_ring_bytes () + uring_round_to_pages (size))
    return FALSE;
  return syscall (SYS_capget, &header, rights) != 0
         || !(rights[0].effective & (1u << CAP_IPC_LOCK));
}

/* Tries out whether the staging memory can be registered: all of it where there is a limit, else
 * its first and last page. Nothing stays registered. */
static int
uring_try_memory (VyreUring *ring)
{
  gsize page = uring_round_to_pages (1), last = (ring->staging_size - 1) / page * page;
  guint n_steps = uring_is_limited (ring->staging_size) ? uring_count_steps (ring) : 0;
  int error = uring_fill_place (ring, 0, (struct iovec){ ring->staging, 1 }, 0);

  if (!error)
    error = uring_fill_place (ring, 0, (struct iovec){ ring->staging + last, 1 }, 0);
  for (guint i = 0; i < n_steps && !error; i++)
    error = uring_fill_place (ring, i, uring_get_step (ring, i), 0);
  return error;
}

/* Makes an empty table of buffers. Registering anew unpins what was tried at once. */
static int
uring_make_table (VyreUring *ring, gboolean try)
{
  int error = -io_uring_register_buffers_sparse (&ring->uring, uring_count_steps (ring));

  if (error || !try)
    return error;
  error = uring_try_memory (ring);
  io_uring_unregister_buffers (&ring->uring);
  return error ? error : uring_make_table (ring, FALSE);
}

void
vyre_uring_register (VyreUring *ring, void *staging, gsize size, VyreUringReason *reason)
{
  if (!staging || size == 0)
    return;
  ring->staging = staging;
  ring->staging_size = size;
  int error = uring_make_table (ring, TRUE);
  if (error == ENOMEM) {
    g_usleep (RETRY_DELAY_US);
    error = uring_make_table (ring, TRUE);
  }
  ring->registered = error == 0;
  if (ring->registered) {
    ring->steps = g_new0 (guint8, uring_count_steps (ring));
    return;
  }
  g_autofree char *subject
      = g_strdup_printf ("registering %" G_GSIZE_FORMAT " bytes of staging memory", size);
  g_autofree char *fix = uring_get_register_fix (error, size);
  uring_add_refusal (
      reason, subject, error, uring_get_ring_bytes () + uring_round_to_pages (size), fix);
}

/* TRUE if @step is registered, which it is from its first read on. */
static gboolean
uring_has_step (VyreUring *ring, guint step)
{
  struct iovec memory = uring_get_step (ring, step);

  if (ring->steps[step] == VYRE_URING_STEP_LOOSE) {
    gboolean fine = uring_fill_place (ring, step, memory, uring_get_tag (step)) == 0;
    ring->steps[step] = fine ? VYRE_URING_STEP_REGISTERED : VYRE_URING_STEP_REFUSED;
    ring->n_tried++;
    if (fine)
      vyre_pins_add (memory.iov_base, memory.iov_len, ring);
  }
  return ring->steps[step] == VYRE_URING_STEP_REGISTERED;
}

/* Steps that were refused are tried again, too. */
void
vyre_uring_release (VyreUring *ring)
{
  guint n_left = 0;

  for (guint i = 0; ring->registered && i < uring_count_steps (ring); i++) {
    if (ring->steps[i] == VYRE_URING_STEP_REGISTERED
        && uring_fill_place (ring, i, (struct iovec){ NULL, 0 }, 0) != 0)
      n_left++;
    else
      ring->steps[i] = VYRE_URING_STEP_LOOSE;
  }
  ring->n_tried = n_left;
}

gboolean
vyre_uring_note_released (VyreUring *ring, guint64 user_data)
{
  if (!(user_data & 1))
    return FALSE;
  struct iovec memory = uring_get_step (ring, (guint)(user_data >> 1));
  vyre_pins_remove (memory.iov_base, ring);
  return TRUE;
}

/* No step is pinned any more. Completions that told so may not have been taken. */
static void
uring_forget_steps (VyreUring *ring)
{
  if (ring->registered)
    vyre_pins_forget (ring);
  g_clear_pointer (&ring->steps, g_free);
}

void
vyre_uring_close (VyreUring *ring)
{
  if (ring->mode == VYRE_READ_MODE_PREAD)
    return;
  /* closing alone unpins the staging memory some time later; its owner may free it now */
  if (ring->registered)
    io_uring_unregister_buffers (&ring->uring);
  uring_forget_steps (ring);
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
  uring_forget_steps (ring);
  close (ring->end_fd);
}

void
vyre_uring_arm_wake (VyreUring *ring)
{
  struct io_uring_sqe *sqe = io_uring_get_sqe (&ring->uring);

  io_uring_prep_read (sqe, ring->wake_fd, &ring->wake_value, sizeof ring->wake_value, 0);
  io_uring_sqe_set_data (sqe, NULL);
}

/* Prepares a read into registered memory; @asked is cut to its step. FALSE: it is not registered.
 */
static gboolean
uring_prepare_fixed_read (
    VyreUring *ring, const VyreTransfer *read, struct io_uring_sqe *sqe, gsize *asked)
{
  gsize start = (gsize)((guintptr)read->memory - (guintptr)ring->staging);

  /* a destination below the staging memory wraps around to a start behind its end */
  if (!ring->registered || start >= ring->staging_size || read->length > ring->staging_size - start
      || !uring_has_step (ring, (guint)(start / VYRE_PIN_STEP)))
    return FALSE;
  *asked = MIN (*asked, VYRE_PIN_STEP - start % VYRE_PIN_STEP);
  io_uring_prep_read_fixed (
      sqe, read->fd, read->memory, (unsigned)*asked, read->offset, (int)(start / VYRE_PIN_STEP));
  return TRUE;
}

gsize
vyre_uring_prepare (VyreUring *ring, const VyreTransfer *transfer, gboolean may_block,
    void *user_data, gboolean *fixed)
{
  struct io_uring_sqe *sqe = io_uring_get_sqe (&ring->uring);
  gsize asked = MIN (transfer->length, MOST_AT_ONCE);

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

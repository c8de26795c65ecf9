/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The I/O thread: moves the queued requests through the io_uring, or with pread() and pwrite(),
 * and wakes their callers.
 */
#include "io/file-io-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "files/size-guard.h"

/* EINTRs and EAGAINs in a row after which a transfer has failed. */
#define MAX_TRIES 16

/* How long no transfer is in flight before registered memory is given back. */
#define IDLE_SECONDS 1

/* Pause after Linux had no memory for a submission. */
#define BACK_OFF_US 1000

/* Every function above vyre_file_io_run_thread() is called with the lock held. */

static void
request_finish (VyreFileRead *request)
{
  request->finished = TRUE;
  g_cond_signal (&request->done);
  if (request->notify)
    request->notify (request->data);
}

static gboolean
request_is_read (const VyreFileRead *request)
{
  return request->left.kind == VYRE_TRANSFER_READ;
}

static void
request_count_submission (VyreFileIo *self, VyreFileRead *request, guint64 *path)
{
  /* A transfer that is only tried again is still the same one. */
  if (request->counted)
    return;
  request->counted = TRUE;
  if (request_is_read (request)) {
    self->counters.reads_submitted++;
    self->counters.direct_reads += request->direct_fd >= 0;
    (*path)++;
  } else {
    self->counters.writes_submitted++;
  }
}

/* Counts @result, a number of bytes or a negative errno. */
static void
request_count_completion (VyreFileIo *self, const VyreFileRead *request, gssize result)
{
  VyreFileIoCounters *counters = &self->counters;
  guint64 *completed
      = request_is_read (request) ? &counters->reads_completed : &counters->writes_completed;
  guint64 *failed = request_is_read (request) ? &counters->reads_failed : &counters->writes_failed;
  guint64 *bytes
      = request_is_read (request) ? &counters->bytes_completed : &counters->bytes_written;

  if (result < 0) {
    (*failed)++;
    return;
  }
  (*completed)++;
  *bytes += (gsize)result;
}

/* The rest of the transfer, from the descriptor that it is tried on. */
static VyreTransfer
request_get_next (const VyreFileRead *request)
{
  VyreTransfer next = request->left;

  if (request->direct_fd >= 0)
    next.fd = request->direct_fd;
  return next;
}

/* Moves the request on by @result, a number of bytes or a negative errno. Returns TRUE when the
 * rest has to be submitted again. */
static gboolean
request_settle (VyreFileIo *self, VyreFileRead *request, gssize result)
{
  if ((result == -EINTR || result == -EAGAIN) && ++request->tries < MAX_TRIES)
    return TRUE;
  if (result == -EINVAL && request->direct_fd >= 0) {
    request->direct_fd = -1;
    self->counters.direct_refusals++;
    return TRUE;
  }
  request->counted = FALSE;
  if (result == 0 && request->left.kind == VYRE_TRANSFER_WRITE)
    result = -ENOSPC; /* nothing more fits, and Linux gives no errno */
  request_count_completion (self, request, result);
  if (result < 0) {
    request->error = (int)-result;
    return FALSE;
  }
  request->tries = 0;
  request->left.offset += (gsize)result;
  request->left.memory += result;
  request->left.length -= (gsize)result;
  if (result == 0 || request->left.length == 0)
    return FALSE;
  if ((gsize)result < request->asked && request_is_read (request)) {
    self->counters.short_reads++;
    request->direct_fd = -1; /* the rest need not be aligned */
  }
  return TRUE;
}

static VyreFileRead *
thread_take_pending (VyreFileIo *self)
{
  GList *link = g_queue_pop_head_link (&self->pending);
  VyreFileRead *request = link->data;

  if (request_is_read (request))
    self->counters.bytes_submitted += request->left.length;
  return request;
}

static void
ring_prepare (VyreFileIo *self, VyreFileRead *request)
{
  VyreFileIoCounters *counters = &self->counters;
  const VyreTransfer next = request_get_next (request);
  gboolean fixed;

  /* A file that answered EAGAIN would answer so again at once; a kernel thread can wait for it. */
  request->asked = vyre_uring_prepare (&self->ring, &next, request->tries > 0, request, &fixed);
  request_count_submission (self, request, fixed ? &counters->fixed_reads : &counters->ring_reads);
}

static void
ring_take_completion (VyreFileIo *self, struct io_uring_cqe *cqe)
{
  VyreFileRead *request = io_uring_cqe_get_data (cqe);

  if (vyre_uring_note_released (&self->ring, cqe->user_data))
    return;
  if (!request) {
    self->wake_armed = FALSE;
  } else if (request_settle (self, request, cqe->res)) {
    ring_prepare (self, request);
  } else {
    g_queue_unlink (&self->active, &request->link);
    request_finish (request);
  }
}

static void
ring_take_completions (VyreFileIo *self)
{
  struct io_uring_cqe *cqe;
  unsigned head, n = 0;

  io_uring_for_each_cqe (&self->ring.uring, head, cqe)
  {
    ring_take_completion (self, cqe);
    n++;
  }
  io_uring_cq_advance (&self->ring.uring, n);
}

static void
ring_prepare_pending (VyreFileIo *self)
{
  while (self->active.length < VYRE_RING_MAX_TRANSFERS && !g_queue_is_empty (&self->pending)) {
    VyreFileRead *request = thread_take_pending (self);

    g_queue_push_tail_link (&self->active, &request->link);
    ring_prepare (self, request);
  }
  /* Once stopping, the armed wake-up is used up and not replaced: the ring ends empty. */
  if (!self->wake_armed && !self->stopping) {
    vyre_uring_arm_wake (&self->ring);
    self->wake_armed = TRUE;
  }
}

static gboolean
ring_is_done (VyreFileIo *self)
{
  return self->stopping && !self->wake_armed && self->active.length == 0;
}

/* Fails every request after the ring itself failed. Requests in flight fail only when Linux has let
 * go of their destinations, which their callers free. Releases the lock in between. */
static void
ring_break_down (VyreFileIo *self, int error)
{
  GList *link;

  self->broken = error;
  g_mutex_unlock (&self->lock);
  vyre_uring_abandon (&self->ring);
  g_mutex_lock (&self->lock);
  while ((link = g_queue_pop_head_link (&self->active))) {
    VyreFileRead *request = link->data;
    request->direct_fd = -1; /* no second try */
    request->tries = MAX_TRIES;
    request_settle (self, request, -error);
    request_finish (request);
  }
  while ((link = g_queue_pop_head_link (&self->pending))) {
    ((VyreFileRead *)link->data)->error = error;
    request_finish (link->data);
  }
}

/* Without the lock. Submits the wake-up and waits for it. If it does not come in time, gives back
 * the registered memory: the thread takes no request meanwhile. */
static int
ring_wait_idle (VyreFileIo *self)
{
  struct __kernel_timespec timeout = { .tv_sec = IDLE_SECONDS };
  struct io_uring_cqe *cqe;
  int result = io_uring_submit_and_wait_timeout (&self->ring.uring, &cqe, 1, &timeout, NULL);

  if (result != -ETIME)
    return result;
  vyre_uring_release (&self->ring);
  return 0;
}

/* Submits the prepared transfers and waits for a completion, with the lock released. Returns 0, or
 * the errno with which the ring failed for good. */
static int
ring_enter (VyreFileIo *self)
{
  gboolean may_idle = self->active.length == 0 && self->ring.n_tried > 0;
  g_mutex_unlock (&self->lock);
  int result = may_idle ? ring_wait_idle (self) : io_uring_submit_and_wait (&self->ring.uring, 1);
  if (result == -EAGAIN || result == -EBUSY)
    g_usleep (BACK_OFF_US);
  g_mutex_lock (&self->lock);
  if (result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY)
    return 0;
  return -result;
}

/* Returns 0 at the end, or the errno with which the ring failed. */
static int
ring_run (VyreFileIo *self)
{
  while (TRUE) {
    ring_take_completions (self);
    ring_prepare_pending (self);
    if (ring_is_done (self))
      return 0;
    /* A full ring takes no request before a completion. A caller that queues a request after this
     * point, under the lock, finds asleep set and writes to the eventfd. The eventfd keeps its
     * count until the armed read takes it: no wake-up is lost. */
    self->asleep = self->active.length < VYRE_RING_MAX_TRANSFERS;
    int error = ring_enter (self);
    self->asleep = FALSE;
    if (error)
      return error;
  }
}

static gssize
plain_write (const VyreTransfer *left)
{
  VyreSizeGuard guard;

  vyre_size_guard_begin (&guard);
  gssize n = pwrite (left->fd, left->memory, left->length, (off_t)left->offset);
  vyre_size_guard_end (&guard);
  return n;
}

static gssize
plain_transfer (const VyreTransfer *left)
{
  switch (left->kind) {
    case VYRE_TRANSFER_READ:
      return pread (left->fd, left->memory, left->length, (off_t)left->offset);
    case VYRE_TRANSFER_WRITE:
      return plain_write (left);
    default:
      return fdatasync (left->fd);
  }
}

static void
plain_do (VyreFileIo *self, VyreFileRead *request)
{
  gssize result;

  do {
    const VyreTransfer next = request_get_next (request);

    request->asked = next.length;
    request_count_submission (self, request, &self->counters.plain_reads);
    g_mutex_unlock (&self->lock);
    result = plain_transfer (&next);
    if (result < 0)
      result = -errno;
    g_mutex_lock (&self->lock);
  } while (request_settle (self, request, result));
  request_finish (request);
}

/* Makes the pending requests one by one on the calling thread. Called with the lock held, and
 * releases it during each transfer. */
void
vyre_file_io_do_pending (VyreFileIo *self)
{
  while (!g_queue_is_empty (&self->pending))
    plain_do (self, thread_take_pending (self));
}

static void
plain_run (VyreFileIo *self)
{
  while (TRUE) {
    vyre_file_io_do_pending (self);
    if (self->stopping)
      return;
    self->asleep = TRUE;
    g_cond_wait (&self->changed, &self->lock);
    self->asleep = FALSE;
  }
}

static void
thread_set_up (VyreFileIo *self)
{
  VyreUringReason reason = { g_string_new (NULL), g_string_new (NULL) };

  vyre_uring_open (&self->ring, self->wake_fd, self->first_rung, &reason);
  if (self->ring.mode != VYRE_READ_MODE_PREAD)
    vyre_uring_register (&self->ring, self->staging, self->staging_size, &reason);
  if (reason.what->len > 0)
    self->reason = g_strdup_printf ("%s. Fix: %s.", reason.what->str, reason.fix->str);
  g_string_free (reason.what, TRUE);
  g_string_free (reason.fix, TRUE);
}

/* The I/O thread, of a VyreFileIo. */
gpointer
vyre_file_io_run_thread (gpointer data)
{
  VyreFileIo *self = data;
  int error = 0;

  thread_set_up (self);
  g_mutex_lock (&self->lock);
  self->ready = TRUE;
  g_cond_broadcast (&self->changed);
  if (self->ring.mode == VYRE_READ_MODE_PREAD)
    plain_run (self);
  else
    error = ring_run (self);
  if (error)
    ring_break_down (self, error);
  g_mutex_unlock (&self->lock);
  if (!error)
    vyre_uring_close (&self->ring);
  return NULL;
}

/* Wakes the I/O thread. Called with the lock held. */
void
vyre_file_io_wake_thread (VyreFileIo *self)
{
  if (self->ring.mode == VYRE_READ_MODE_PREAD)
    g_cond_broadcast (&self->changed);
  else
    eventfd_write (self->wake_fd, 1);
}

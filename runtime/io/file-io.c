/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Callers queue requests; the I/O thread moves them
 * through the ring and wakes who waits for them. One lock guards all of it: it is
 * held for bookkeeping only, never across a system call that can block.
 */
#include "io/transfer.h"

#include "base/alloc.h"
#include "base/fork.h"
#include "files/size-guard.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A transfer that is interrupted or finds nothing ready this often without moving on has failed. */
#define MAX_TRIES 16

/* How long to wait when the kernel is short of memory for requests. */
#define BACK_OFF_US 1000

typedef struct _VyreFileRead {
  VyreTransfer left;
  int direct_fd;    /* where to read from while that takes it; -1 where it does not */
  gsize length;     /* all of it, bytes */
  gsize asked;      /* bytes in the submission that is outstanding */
  gboolean counted; /* it is in the counters as submitted */
  guint tries;      /* EINTRs and EAGAINs since it last moved on */
  int error;
  gboolean finished;
  VyreFileIoNotify notify;
  gpointer data; /* of it */
  GCond done;
  GList link; /* in pending, then in active */
} Request;

struct _VyreFileIo {
  guint generation; /* of the process */
  GThread *thread;
  int wake_fd;

  /* Of the I/O thread; what set-up left there does not change after vyre_file_io_new. */
  VyreUring ring;
  gboolean wake_armed;
  char *reason;

  /* Set by vyre_file_io_new. */
  void *arena;
  gsize arena_size;
  VyreReadMode first_rung;

  GMutex lock; /* guards what follows */
  GCond changed;
  gboolean ready;
  gboolean stopping;
  gboolean asleep; /* the I/O thread waits, and wants to be woken for a request */
  int broken;      /* the errno with which the ring failed */
  guint n_callers;
  GQueue pending;
  GQueue active;
  VyreFileIoCounters counters;
};

/* All functions up to the I/O thread's two loops are called with the lock held. */

static void
finish (Request *request)
{
  request->finished = TRUE;
  g_cond_signal (&request->done);
  if (request->notify)
    request->notify (request->data);
}

static gboolean
is_read (const Request *request)
{
  return request->left.kind == VYRE_TRANSFER_READ;
}

static void
count_submission (VyreFileIo *self, Request *request, guint64 *path)
{
  /* A transfer that is only tried again is still the same one. */
  if (request->counted)
    return;
  request->counted = TRUE;
  if (is_read (request)) {
    self->counters.reads_submitted++;
    self->counters.direct_reads += request->direct_fd >= 0;
    (*path)++;
  } else {
    self->counters.writes_submitted++;
  }
}

/* Counts what the kernel answered, as settle() takes it. */
static void
count_completion (VyreFileIo *self, const Request *request, gssize result)
{
  VyreFileIoCounters *counters = &self->counters;
  guint64 *completed = is_read (request) ? &counters->reads_completed : &counters->writes_completed;
  guint64 *failed = is_read (request) ? &counters->reads_failed : &counters->writes_failed;
  guint64 *bytes = is_read (request) ? &counters->bytes_completed : &counters->bytes_written;

  if (result < 0) {
    (*failed)++;
    return;
  }
  (*completed)++;
  *bytes += (gsize)result;
}

/* What is to be read next, and from which descriptor. */
static VyreTransfer
get_next (const Request *request)
{
  VyreTransfer next = request->left;

  if (request->direct_fd >= 0)
    next.fd = request->direct_fd;
  return next;
}

/* Takes in what the kernel answered: a count of bytes or a negative errno. Returns whether there is
 * more to read. */
static gboolean
settle (VyreFileIo *self, Request *request, gssize result)
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
    result = -ENOSPC; /* nothing more fits, and nobody says why */
  count_completion (self, request, result);
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
  if ((gsize)result < request->asked && is_read (request)) {
    self->counters.short_reads++;
    request->direct_fd = -1; /* the rest starts anywhere */
  }
  return TRUE;
}

static Request *
take_pending (VyreFileIo *self)
{
  GList *link = g_queue_pop_head_link (&self->pending);
  Request *request = link->data;

  if (is_read (request))
    self->counters.bytes_submitted += request->left.length;
  return request;
}

static void
prepare (VyreFileIo *self, Request *request)
{
  VyreFileIoCounters *counters = &self->counters;
  const VyreTransfer next = get_next (request);
  gboolean fixed;

  /* A file that says EAGAIN would say so again at once; a kernel thread can wait for it. */
  request->asked = vyre_uring_prepare (&self->ring, &next, request->tries > 0, request, &fixed);
  count_submission (self, request, fixed ? &counters->fixed_reads : &counters->ring_reads);
}

static void
take_completion (VyreFileIo *self, struct io_uring_cqe *cqe)
{
  Request *request = io_uring_cqe_get_data (cqe);

  if (!request) {
    self->wake_armed = FALSE;
  } else if (settle (self, request, cqe->res)) {
    prepare (self, request);
  } else {
    g_queue_unlink (&self->active, &request->link);
    finish (request);
  }
}

static void
take_completions (VyreFileIo *self)
{
  struct io_uring_cqe *cqe;
  unsigned head, n = 0;

  io_uring_for_each_cqe (&self->ring.uring, head, cqe)
  {
    take_completion (self, cqe);
    n++;
  }
  io_uring_cq_advance (&self->ring.uring, n);
}

static void
prepare_pending (VyreFileIo *self)
{
  while (self->active.length < VYRE_RING_MAX_TRANSFERS && !g_queue_is_empty (&self->pending)) {
    Request *request = take_pending (self);

    g_queue_push_tail_link (&self->active, &request->link);
    prepare (self, request);
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

/* The ring itself failed: nobody may wait for what it will not deliver, but whoever waits owns a
 * destination that Linux may still write, and is told when that is over. */
static void
break_down (VyreFileIo *self, int error)
{
  GList *link;

  self->broken = error;
  g_mutex_unlock (&self->lock);
  vyre_uring_abandon (&self->ring);
  g_mutex_lock (&self->lock);
  while ((link = g_queue_pop_head_link (&self->active))) {
    Request *request = link->data;
    request->direct_fd = -1; /* nothing is tried again */
    request->tries = MAX_TRIES;
    settle (self, request, -error);
    finish (request);
  }
  while ((link = g_queue_pop_head_link (&self->pending))) {
    ((Request *)link->data)->error = error;
    finish (link->data);
  }
}

/* Submits what was prepared and waits for a completion. Returns 0, or the errno with which the ring
 * failed for good. */
static int
enter_ring (VyreFileIo *self)
{
  int result;

  g_mutex_unlock (&self->lock);
  result = io_uring_submit_and_wait (&self->ring.uring, 1);
  if (result == -EAGAIN || result == -EBUSY)
    g_usleep (BACK_OFF_US);
  g_mutex_lock (&self->lock);
  if (result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY)
    return 0;
  return -result;
}

/* Returns 0 at the end, or the errno with which the ring failed. */
static int
run_ring (VyreFileIo *self)
{
  int error = 0;

  while (TRUE) {
    take_completions (self);
    prepare_pending (self);
    if (ring_is_done (self))
      return 0;
    /* With the ring full, a completion has to come before a request can be taken. Who queues a
     * request under the lock after this point finds asleep set and writes to the eventfd, which
     * keeps the count until the armed read takes it: no wake-up is lost. */
    self->asleep = self->active.length < VYRE_RING_MAX_TRANSFERS;
    error = enter_ring (self);
    self->asleep = FALSE;
    if (error)
      return error;
  }
}

static gssize
write_plainly (const VyreTransfer *left)
{
  VyreSizeGuard guard;

  vyre_size_guard_begin (&guard);
  gssize n = pwrite (left->fd, left->memory, left->length, (off_t)left->offset);
  vyre_size_guard_end (&guard);
  return n;
}

static gssize
transfer_plainly (const VyreTransfer *left)
{
  switch (left->kind) {
    case VYRE_TRANSFER_READ:
      return pread (left->fd, left->memory, left->length, (off_t)left->offset);
    case VYRE_TRANSFER_WRITE:
      return write_plainly (left);
    default:
      return fdatasync (left->fd);
  }
}

static void
do_plainly (VyreFileIo *self, Request *request)
{
  gssize result;

  do {
    const VyreTransfer next = get_next (request);

    request->asked = next.length;
    count_submission (self, request, &self->counters.plain_reads);
    g_mutex_unlock (&self->lock);
    result = transfer_plainly (&next);
    if (result < 0)
      result = -errno;
    g_mutex_lock (&self->lock);
  } while (settle (self, request, result));
  finish (request);
}

static void
run_plainly (VyreFileIo *self)
{
  while (TRUE) {
    while (!g_queue_is_empty (&self->pending))
      do_plainly (self, take_pending (self));
    if (self->stopping)
      return;
    self->asleep = TRUE;
    g_cond_wait (&self->changed, &self->lock);
    self->asleep = FALSE;
  }
}

static void
set_up (VyreFileIo *self)
{
  VyreUringReason reason = { g_string_new (NULL), g_string_new (NULL) };

  vyre_uring_open (&self->ring, self->wake_fd, self->first_rung, &reason);
  if (self->ring.mode != VYRE_READ_MODE_PREAD)
    vyre_uring_register (&self->ring, self->arena, self->arena_size, &reason);
  if (reason.what->len > 0)
    self->reason = g_strdup_printf ("%s. Fix: %s.", reason.what->str, reason.fix->str);
  g_string_free (reason.what, TRUE);
  g_string_free (reason.fix, TRUE);
}

static gpointer
run_thread (gpointer data)
{
  VyreFileIo *self = data;
  int error = 0;

  set_up (self);
  g_mutex_lock (&self->lock);
  self->ready = TRUE;
  g_cond_broadcast (&self->changed);
  if (self->ring.mode == VYRE_READ_MODE_PREAD)
    run_plainly (self);
  else
    error = run_ring (self);
  if (error)
    break_down (self, error);
  g_mutex_unlock (&self->lock);
  if (!error)
    vyre_uring_close (&self->ring);
  return NULL;
}

/* Called with the lock held. */
static void
wake_thread (VyreFileIo *self)
{
  if (self->ring.mode == VYRE_READ_MODE_PREAD)
    g_cond_broadcast (&self->changed);
  else
    eventfd_write (self->wake_fd, 1);
}

/* Has the I/O thread do @request. Where there is none, it is done now. */
static void
queue (VyreFileIo *self, Request *request)
{
  g_mutex_lock (&self->lock);
  self->n_callers++;
  if (self->broken) {
    request->error = self->broken;
    request->finished = TRUE;
  } else {
    g_queue_push_tail_link (&self->pending, &request->link);
    if (!self->thread)
      do_plainly (self, take_pending (self));
    else if (self->asleep)
      wake_thread (self);
    self->asleep = FALSE;
  }
  g_mutex_unlock (&self->lock);
}

static void
await (VyreFileIo *self, Request *request)
{
  g_mutex_lock (&self->lock);
  while (!request->finished)
    g_cond_wait (&request->done, &self->lock);
  if (--self->n_callers == 0)
    g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static const char *
get_fix (int error)
{
  switch (error) {
    case EBADF:
      return "pass a descriptor that is open for that";
    case EISDIR:
      return "pass a file, not a directory";
    case ESPIPE:
      return "pass a file that has offsets; copy what a pipe or socket delivers into one";
    case EFAULT:
      return "pass a destination with that many writable bytes";
    case EINVAL:
      return "align offset, length and destination as O_DIRECT needs it, or open without O_DIRECT";
    case EINTR:
    case EAGAIN:
      return "pass a file that is ready to be read";
    case EPERM:
    case ENOSYS:
      return "leave io_uring allowed for as long as the ingest is used";
    default:
      return "check the file and the storage that it is on";
  }
}

static void
set_transfer_error (GError **error, const VyreTransfer *left, int code)
{
  static const char *const what[] = {
    [VYRE_TRANSFER_READ] = "reading",
    [VYRE_TRANSFER_WRITE] = "writing",
    [VYRE_TRANSFER_SYNC] = "syncing",
  };

  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "%s %" G_GSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT
      " of file descriptor %d failed: %s. Fix: %s.",
      what[left->kind], left->length, left->offset, left->fd, g_strerror (code), get_fix (code));
}

static gboolean
check_transfer (const VyreTransfer *read, GError **error)
{
  /* To the kernel, offset -1 means "wherever the descriptor stands", which two threads share. */
  if (read->offset > G_MAXINT64 || read->length > G_MAXINT64 - read->offset) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "%" G_GSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT
        " end beyond the largest offset, %" G_GINT64_FORMAT
        ". Fix: read at an offset inside the file.",
        read->length, read->offset, G_MAXINT64);
    return FALSE;
  }
  /* A read from a pipe would ignore the offset, and could block the file I/O's last read for ever.
   */
  if (lseek (read->fd, 0, SEEK_CUR) < 0) {
    set_transfer_error (error, read, errno);
    return FALSE;
  }
  return TRUE;
}

/* Without a thread, whoever wants a transfer makes it. */
static void
start_thread (VyreFileIo *self)
{
  g_autoptr (GError) error = NULL;

  self->thread = vyre_thread_new ("vyre-ingest", run_thread, self, &error);
  if (!self->thread) {
    self->ring.mode = VYRE_READ_MODE_PREAD;
    self->reason = g_strdup (error->message);
    return;
  }
  g_mutex_lock (&self->lock);
  while (!self->ready)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

VyreFileIo *
vyre_file_io_new (void *arena, gsize size, VyreReadMode first_rung)
{
  VyreFileIo *self;

  g_return_val_if_fail (first_rung <= VYRE_READ_MODE_PREAD, NULL);

  self = g_new0 (VyreFileIo, 1);
  self->generation = vyre_fork_generation;
  self->arena = arena;
  self->arena_size = size;
  self->first_rung = first_rung;
  /* Without one, every rung but the last refuses its first wake-up. */
  self->wake_fd = eventfd (0, EFD_CLOEXEC);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->pending);
  g_queue_init (&self->active);
  start_thread (self);
  return self;
}

void
vyre_file_io_free (VyreFileIo *file_io)
{
  if (!file_io || vyre_is_inherited (file_io->generation))
    return;

  g_mutex_lock (&file_io->lock);
  file_io->stopping = TRUE;
  wake_thread (file_io);
  /* A caller whose read is done still has to leave the lock that is about to go. */
  while (file_io->n_callers > 0)
    g_cond_wait (&file_io->changed, &file_io->lock);
  g_mutex_unlock (&file_io->lock);
  if (file_io->thread)
    g_thread_join (file_io->thread);

  if (file_io->wake_fd >= 0)
    close (file_io->wake_fd);
  g_cond_clear (&file_io->changed);
  g_mutex_clear (&file_io->lock);
  g_free (file_io->reason);
  g_free (file_io);
}

VyreFileRead *
vyre_file_io_start (
    VyreFileIo *file_io, int fd, guint64 offset, void *destination, gsize length, GError **error)
{
  return vyre_file_io_start_direct (file_io, fd, -1, offset, destination, length, error);
}

static VyreFileRead *
start (VyreFileIo *file_io, const VyreTransfer *transfer, int direct_fd, VyreFileIoNotify notify,
    gpointer data, GError **error)
{
  if (!vyre_check_own (file_io->generation, "ingest", error) || !check_transfer (transfer, error))
    return NULL;
  Request *request = g_new (Request, 1);
  *request = (Request){
    .left = *transfer,
    .direct_fd = direct_fd,
    .length = transfer->length,
    .finished = transfer->length == 0 && transfer->kind != VYRE_TRANSFER_SYNC,
    .notify = notify,
    .data = data,
  };
  g_cond_init (&request->done);
  request->link.data = request;
  if (!request->finished)
    queue (file_io, request);
  return request;
}

VyreFileRead *
vyre_file_io_start_direct (VyreFileIo *file_io, int fd, int direct_fd, guint64 offset,
    void *destination, gsize length, GError **error)
{
  const VyreTransfer read = {
    .kind = VYRE_TRANSFER_READ,
    .fd = fd,
    .offset = offset,
    .memory = destination,
    .length = length,
  };

  g_return_val_if_fail (file_io, NULL);
  g_return_val_if_fail (destination || length == 0, NULL);
  g_return_val_if_fail (!error || !*error, NULL);

  return start (file_io, &read, direct_fd, NULL, NULL, error);
}

/* As vyre_file_io_start(), with any kind of transfer. When it is through, @notify, which may
 * be NULL, is called with the file I/O's lock held: it may not call the file I/O. */
VyreFileRead *
vyre_file_io_submit (VyreFileIo *file_io, const VyreTransfer *transfer, VyreFileIoNotify notify,
    gpointer data, GError **error)
{
  return start (file_io, transfer, -1, notify, data, error);
}

/* Whether vyre_file_io_finish() would not have to wait. */
gboolean
vyre_file_io_is_finished (VyreFileIo *file_io, const VyreFileRead *read)
{
  g_mutex_lock (&file_io->lock);
  gboolean finished = read->finished;
  g_mutex_unlock (&file_io->lock);
  return finished;
}

gboolean
vyre_file_io_finish (VyreFileIo *file_io, VyreFileRead *read, gsize *bytes_read, GError **error)
{
  g_return_val_if_fail (file_io, FALSE);
  g_return_val_if_fail (read, FALSE);
  g_return_val_if_fail (!error || !*error, FALSE);

  if (vyre_is_inherited (file_io->generation)) {
    if (bytes_read)
      *bytes_read = 0;
    return vyre_check_own (file_io->generation, "read", error);
  }
  if (read->length > 0 || read->left.kind == VYRE_TRANSFER_SYNC)
    await (file_io, read);
  if (bytes_read)
    *bytes_read = read->length - read->left.length;
  gboolean fine = read->error == 0;
  if (!fine)
    set_transfer_error (error, &read->left, read->error);
  g_cond_clear (&read->done);
  g_free (read);
  return fine;
}

gboolean
vyre_file_io_read (VyreFileIo *file_io, int fd, guint64 offset, void *destination, gsize length,
    gsize *bytes_read, GError **error)
{
  if (bytes_read)
    *bytes_read = 0;
  VyreFileRead *read = vyre_file_io_start (file_io, fd, offset, destination, length, error);
  return read && vyre_file_io_finish (file_io, read, bytes_read, error);
}

VyreReadMode
vyre_file_io_get_mode (const VyreFileIo *file_io)
{
  g_return_val_if_fail (file_io, VYRE_READ_MODE_PREAD);

  return file_io->ring.mode;
}

gboolean
vyre_file_io_is_registered (const VyreFileIo *file_io)
{
  g_return_val_if_fail (file_io, FALSE);

  return file_io->ring.registered;
}

const char *
vyre_file_io_get_reason (const VyreFileIo *file_io)
{
  g_return_val_if_fail (file_io, NULL);

  return file_io->reason;
}

void
vyre_file_io_get_counters (VyreFileIo *file_io, VyreFileIoCounters *counters)
{
  g_return_if_fail (file_io);
  g_return_if_fail (counters);

  *counters = (VyreFileIoCounters){ 0 };
  if (vyre_is_inherited (file_io->generation))
    return;
  g_mutex_lock (&file_io->lock);
  *counters = file_io->counters;
  g_mutex_unlock (&file_io->lock);
}

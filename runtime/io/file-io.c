/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The functions of the file I/O that callers use: they queue requests and wait for them. Any thread
 * may call them.
 */
#include "io/file-io-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fork.h"

/* Queues @request for the I/O thread. Without one the calling thread makes the transfer now. */
static void
file_io_queue (VyreFileIo *self, VyreFileRead *request)
{
  g_mutex_lock (&self->lock);
  self->n_callers++;
  if (self->broken) {
    request->error = self->broken;
    request->finished = TRUE;
  } else {
    g_queue_push_tail_link (&self->pending, &request->link);
    if (!self->thread)
      vyre_file_io_do_pending (self);
    else if (self->asleep)
      vyre_file_io_wake_thread (self);
    self->asleep = FALSE;
  }
  g_mutex_unlock (&self->lock);
}

static void
file_io_await (VyreFileIo *self, VyreFileRead *request)
{
  g_mutex_lock (&self->lock);
  while (!request->finished)
    g_cond_wait (&request->done, &self->lock);
  if (--self->n_callers == 0)
    g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static const char *
file_io_get_fix (int error)
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
      return "leave io_uring allowed for as long as the file I/O is used";
    default:
      return "check the file and the storage that it is on";
  }
}

static void
file_io_set_error (GError **error, const VyreTransfer *left, int code)
{
  static const char *const what[] = {
    [VYRE_TRANSFER_READ] = "reading",
    [VYRE_TRANSFER_WRITE] = "writing",
    [VYRE_TRANSFER_SYNC] = "syncing",
  };

  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "%s %" G_GSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT
      " of file descriptor %d failed: %s. Fix: %s.",
      what[left->kind], left->length, left->offset, left->fd, g_strerror (code),
      file_io_get_fix (code));
}

static gboolean
file_io_check_transfer (const VyreTransfer *read, GError **error)
{
  /* To Linux, offset -1 means the position of the descriptor, which two threads share. */
  if (read->offset > G_MAXINT64 || read->length > G_MAXINT64 - read->offset) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "%" G_GSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT
        " end beyond the largest offset, %" G_GINT64_FORMAT
        ". Fix: read at an offset inside the file.",
        read->length, read->offset, G_MAXINT64);
    return FALSE;
  }
  /* A read from a pipe ignores the offset, and can block the file I/O's last read for ever. */
  if (lseek (read->fd, 0, SEEK_CUR) < 0) {
    file_io_set_error (error, read, errno);
    return FALSE;
  }
  return TRUE;
}

/* Starts the I/O thread and waits for its set-up. Where no thread can be made, callers make their
 * transfers themselves. */
static void
file_io_start_thread (VyreFileIo *self)
{
  g_autoptr (GError) error = NULL;

  self->thread = vyre_thread_new ("vyre-file-io", vyre_file_io_run_thread, self, &error);
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
vyre_file_io_new (void *staging, gsize size, VyreReadMode first_rung)
{
  g_return_val_if_fail (first_rung <= VYRE_READ_MODE_PREAD, NULL);

  VyreFileIo *self = g_new0 (VyreFileIo, 1);
  self->generation = vyre_fork_generation;
  self->staging = staging;
  self->staging_size = size;
  self->first_rung = first_rung;
  /* Without an eventfd every rung but the last refuses its first wake-up. */
  self->wake_fd = eventfd (0, EFD_CLOEXEC);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->pending);
  g_queue_init (&self->active);
  file_io_start_thread (self);
  return self;
}

void
vyre_file_io_free (VyreFileIo *file_io)
{
  if (!file_io || vyre_is_inherited (file_io->generation))
    return;

  g_mutex_lock (&file_io->lock);
  file_io->stopping = TRUE;
  vyre_file_io_wake_thread (file_io);
  /* A caller whose read is done still holds, or waits for, the lock that is cleared below. */
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
file_io_start (VyreFileIo *file_io, const VyreTransfer *transfer, int direct_fd,
    VyreFileIoNotify notify, gpointer data, GError **error)
{
  if (!vyre_check_own (file_io->generation, "file I/O", error)
      || !file_io_check_transfer (transfer, error))
    return NULL;
  VyreFileRead *request = g_new (VyreFileRead, 1);
  *request = (VyreFileRead){
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
    file_io_queue (file_io, request);
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

  return file_io_start (file_io, &read, direct_fd, NULL, NULL, error);
}

/* As vyre_file_io_start(), with any kind of transfer. The I/O thread calls @notify, which may be
 * NULL, when the transfer is over, with the file I/O's lock held: it may not call the file I/O. */
VyreFileRead *
vyre_file_io_submit (VyreFileIo *file_io, const VyreTransfer *transfer, VyreFileIoNotify notify,
    gpointer data, GError **error)
{
  return file_io_start (file_io, transfer, -1, notify, data, error);
}

/* TRUE when vyre_file_io_finish() returns without a wait. */
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
    file_io_await (file_io, read);
  if (bytes_read)
    *bytes_read = read->length - read->left.length;
  gboolean fine = read->error == 0;
  if (!fine)
    file_io_set_error (error, &read->left, read->error);
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

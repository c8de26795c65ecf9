/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "abi/replay-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vyre/file.h"
#include "files/size-guard.h"

#define FILE_MAGIC "VRRL0001"
#define FILE_VERSION 1u

/* Words of the header behind the magic. */
#define LOG_HEADER_VERSION 2
#define LOG_HEADER_FLAGS 3
#define LOG_HEADER_CAPACITY 4

static gboolean
log_set_io_error (GError **error, const char *name, const char *what, int code)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "%s: %s failed: %s. Fix: check the path, its permissions and the space on its disk.", name,
      what, g_strerror (code));
  return FALSE;
}

gboolean
vyre_replay_log_read_at (
    const VyreReplayLog *log, void *data, gsize size, guint64 offset, GError **error)
{
  for (gsize done = 0; done < size;) {
    gssize n = pread (log->fd, (guint8 *)data + done, size - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return log_set_io_error (error, log->name, "reading", errno);
    if (n == 0) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
          "%s ends after %" G_GUINT64_FORMAT " bytes, inside its %s. Fix: it is no replay log, or "
          "it was cut; record again.",
          log->name, offset + done, offset < LOG_HEADER_SIZE ? "header" : "records");
      return FALSE;
    }
    done += (gsize)n;
  }
  return TRUE;
}

gboolean
vyre_replay_log_write_at (
    const VyreReplayLog *log, const void *data, gsize size, guint64 offset, GError **error)
{
  VyreSizeGuard guard;

  for (gsize done = 0; done < size;) {
    vyre_size_guard_begin (&guard);
    gssize n = pwrite (log->fd, (const guint8 *)data + done, size - done, (off_t)(offset + done));
    vyre_size_guard_end (&guard);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) /* 0: nothing more fits, and Linux gives no errno */
      return log_set_io_error (error, log->name, "writing", n < 0 ? errno : ENOSPC);
    done += (gsize)n;
  }
  return TRUE;
}

static gboolean
log_check_capacity (const char *name, guint64 capacity, GError **error)
{
  if (capacity == 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "%s: a log of 0 records has no room for any. Fix: give it a capacity of 1 or more.", name);
    return FALSE;
  }
  if (capacity > VYRE_REPLAY_MAX_RECORDS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%s: a log of %" G_GUINT64_FORMAT " records is above the limit of %u. Fix: use a smaller "
        "capacity; it is circular.",
        name, capacity, VYRE_REPLAY_MAX_RECORDS);
    return FALSE;
  }
  return TRUE;
}

/* Opens the file; a new one has mode 0600, as only its owner may know the stream. */
static VyreReplayLog *
log_open_file (const char *path, int flags, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  int fd = vyre_file_open (path, flags);

  if (fd < 0 && (errno == ENODEV || errno == EISDIR))
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
        "%s is not a regular file. Fix: give the path of a regular file.", shown);
  else if (fd < 0)
    log_set_io_error (error, shown, "opening", errno);
  if (fd < 0)
    return NULL;
  VyreReplayLog *log = g_new0 (VyreReplayLog, 1);
  log->name = g_steal_pointer (&shown);
  log->fd = fd;
  return log;
}

/* Gives the file all its records at once, as the reference has it; the file system need not store
 * those that were not written. */
static gboolean
log_write_empty (VyreReplayLog *log, GError **error)
{
  guint8 header[LOG_HEADER_SIZE] = FILE_MAGIC;
  VyreSizeGuard guard;

  vyre_write_word (header, LOG_HEADER_VERSION, FILE_VERSION);
  replay_log_write_pair (header, LOG_HEADER_CAPACITY, log->capacity);
  vyre_size_guard_begin (&guard);
  int failed = ftruncate (log->fd, (off_t)(LOG_HEADER_SIZE + log->capacity * LOG_RECORD_SIZE));
  vyre_size_guard_end (&guard);
  if (failed)
    return log_set_io_error (error, log->name, "making room", errno);
  return vyre_replay_log_write_at (log, header, sizeof header, 0, error);
}

VyreReplayLog *
vyre_replay_log_create (const char *path, guint64 capacity, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);

  if (!log_check_capacity (shown, capacity, error))
    return NULL;
  g_autoptr (VyreReplayLog) log = log_open_file (path, O_RDWR | O_CREAT | O_TRUNC, error);
  if (!log)
    return NULL;
  log->capacity = capacity;
  return log_write_empty (log, error) ? g_steal_pointer (&log) : NULL;
}

static gboolean
log_read_header (VyreReplayLog *log, GError **error)
{
  guint8 header[LOG_HEADER_SIZE];

  if (!vyre_replay_log_read_at (log, header, sizeof header, 0, error))
    return FALSE;
  guint32 version = vyre_read_word (header, LOG_HEADER_VERSION);
  guint32 flags = vyre_read_word (header, LOG_HEADER_FLAGS);
  if (memcmp (header, FILE_MAGIC, strlen (FILE_MAGIC)) != 0 || version != FILE_VERSION
      || flags != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "%s does not start like a replay log of version %u without flags. Fix: pass a file that "
        "was recorded as one.",
        log->name, FILE_VERSION);
    return FALSE;
  }
  log->capacity = vyre_read_word_pair (header, LOG_HEADER_CAPACITY);
  log->cursor = vyre_read_word_pair (header, LOG_HEADER_CURSOR);
  if (!log_check_capacity (log->name, log->capacity, error))
    return FALSE;
  if (log->cursor < log->capacity)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "%s: the cursor %" G_GUINT64_FORMAT " is outside of its %" G_GUINT64_FORMAT " records. Fix: "
      "the file was damaged; record again.",
      log->name, log->cursor, log->capacity);
  return FALSE;
}

VyreReplayLog *
vyre_replay_log_open (const char *path, gboolean writable, GError **error)
{
  g_autoptr (VyreReplayLog) log = log_open_file (path, writable ? O_RDWR : O_RDONLY, error);

  return log && log_read_header (log, error) ? g_steal_pointer (&log) : NULL;
}

void
vyre_replay_log_free (VyreReplayLog *log)
{
  if (!log)
    return;
  close (log->fd);
  g_free (log->name);
  g_free (log);
}

guint64
vyre_replay_log_get_capacity (const VyreReplayLog *log)
{
  return log->capacity;
}

guint64
vyre_replay_log_get_cursor (const VyreReplayLog *log)
{
  return log->cursor;
}

/* Records that @batch takes in a log. */
gsize
vyre_replay_batch_count_records (const VyreReplayBatch *batch)
{
  gsize values = ((gsize)batch->n_observables + LOG_RECORD_VALUES - 1) / LOG_RECORD_VALUES;

  return 2 + 2 * (gsize)batch->n_logged + values + (batch->initial ? values : 0);
}

gboolean
vyre_replay_batch_is_valid (const VyreReplayBatch *batch)
{
  return batch->n_slots >= 1 && batch->n_slots <= VYRE_ENCODE_MAX
         && batch->n_logged <= batch->n_slots && batch->n_observables <= VYRE_MAX_OBSERVABLES
         && (batch->payload_size > 0 || !(batch->has_previous || batch->has_reference));
}

void
vyre_replay_batch_free (VyreReplayBatch *batch)
{
  if (!batch)
    return;
  g_free (batch->slots);
  g_free (batch->observables);
  g_free (batch->initial);
  g_free (batch);
}

void
vyre_replay_digest (const void *payload, gsize size, guint8 *digest)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = VYRE_REPLAY_DIGEST_SIZE;

  if (size > 0)
    g_checksum_update (checksum, payload, (gssize)size);
  g_checksum_get_digest (checksum, digest, &length);
}

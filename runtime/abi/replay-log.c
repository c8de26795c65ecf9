/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/replay-log.h"
#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vyre/parts.h"
#include "vyre/file.h"
#include "files/size-guard.h"

#define FILE_MAGIC "VRRL0001"
#define FILE_VERSION 1u
#define HEADER_SIZE 32u
#define RECORD_SIZE 64u

/* words of the header, behind the magic */
#define HEADER_VERSION 2
#define HEADER_FLAGS 3
#define HEADER_CAPACITY 4
#define HEADER_CURSOR 6

/* word 0 of a record */
#define RECORD_NONE 0u
#define RECORD_SLOT 0xDEADBEEFu

/* word 1 of a record of ours */
#define KIND_BATCH 0x42525256u  /* "VRRB" */
#define KIND_DIGEST 0x44525256u /* "VRRD" */
#define KIND_REST 0x53525256u   /* "VRRS" */
#define KIND_VALUES 0x4F525256u /* "VRRO" */

#define BODY 4 /* first word of a record of ours behind kind, epoch and index */
#define REST_ARGS (VYRE_SLOT_MAX_ARGS - VYRE_REPLAY_RECORD_ARGS)
#define RECORD_VALUES 12u

struct _VyreReplayLog {
  char *name; /* for messages */
  int fd;
  guint64 capacity;
  guint64 cursor;
};

/* ---- the file ---------------------------------------------------------- */

static gboolean
set_io_error (GError **error, const char *name, const char *what, int code)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "%s: %s failed: %s. Fix: check the path, its permissions and the space on its disk.", name,
      what, g_strerror (code));
  return FALSE;
}

static gboolean
read_at (const VyreReplayLog *log, void *data, gsize size, guint64 offset, GError **error)
{
  for (gsize done = 0; done < size;) {
    gssize n = pread (log->fd, (guint8 *)data + done, size - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return set_io_error (error, log->name, "reading", errno);
    if (n == 0) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
          "%s ends after %" G_GUINT64_FORMAT " bytes, inside its %s. Fix: it is no replay log, or "
          "it was cut; record again.",
          log->name, offset + done, offset < HEADER_SIZE ? "header" : "records");
      return FALSE;
    }
    done += (gsize)n;
  }
  return TRUE;
}

static gboolean
write_at (const VyreReplayLog *log, const void *data, gsize size, guint64 offset, GError **error)
{
  VyreSizeGuard guard;

  for (gsize done = 0; done < size;) {
    vyre_size_guard_begin (&guard);
    gssize n = pwrite (log->fd, (const guint8 *)data + done, size - done, (off_t)(offset + done));
    vyre_size_guard_end (&guard);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) /* 0: nothing more fits, and nobody says why */
      return set_io_error (error, log->name, "writing", n < 0 ? errno : ENOSPC);
    done += (gsize)n;
  }
  return TRUE;
}

static void
write_word_pair (guint8 *buffer, gsize word, guint64 value)
{
  vyre_write_word (buffer, word, (guint32)value);
  vyre_write_word (buffer, word + 1, (guint32)(value >> 32));
}

static gboolean
check_capacity (const char *name, guint64 capacity, GError **error)
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

/* What a stream was and came to is its owner's affair, and so is a new file. */
static VyreReplayLog *
open_file (const char *path, int flags, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  int fd = vyre_file_open (path, flags);

  if (fd < 0 && (errno == ENODEV || errno == EISDIR))
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
        "%s is not a regular file. Fix: give the path of a regular file.", shown);
  else if (fd < 0)
    set_io_error (error, shown, "opening", errno);
  if (fd < 0)
    return NULL;
  VyreReplayLog *log = g_new0 (VyreReplayLog, 1);
  log->name = g_steal_pointer (&shown);
  log->fd = fd;
  return log;
}

/* All records are there from the start, as the reference has it; the file system
 * need not store what was not written. */
static gboolean
write_empty (VyreReplayLog *log, GError **error)
{
  guint8 header[HEADER_SIZE] = FILE_MAGIC;
  VyreSizeGuard guard;

  vyre_write_word (header, HEADER_VERSION, FILE_VERSION);
  write_word_pair (header, HEADER_CAPACITY, log->capacity);
  vyre_size_guard_begin (&guard);
  int failed = ftruncate (log->fd, (off_t)(HEADER_SIZE + log->capacity * RECORD_SIZE));
  vyre_size_guard_end (&guard);
  if (failed)
    return set_io_error (error, log->name, "making room", errno);
  return write_at (log, header, sizeof header, 0, error);
}

VyreReplayLog *
vyre_replay_log_create (const char *path, guint64 capacity, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);

  if (!check_capacity (shown, capacity, error))
    return NULL;
  g_autoptr (VyreReplayLog) log = open_file (path, O_RDWR | O_CREAT | O_TRUNC, error);
  if (!log)
    return NULL;
  log->capacity = capacity;
  return write_empty (log, error) ? g_steal_pointer (&log) : NULL;
}

static gboolean
read_header (VyreReplayLog *log, GError **error)
{
  guint8 header[HEADER_SIZE];

  if (!read_at (log, header, sizeof header, 0, error))
    return FALSE;
  guint32 version = vyre_read_word (header, HEADER_VERSION);
  guint32 flags = vyre_read_word (header, HEADER_FLAGS);
  if (memcmp (header, FILE_MAGIC, strlen (FILE_MAGIC)) != 0 || version != FILE_VERSION
      || flags != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "%s does not start like a replay log of version %u without flags. Fix: pass a file that "
        "was recorded as one.",
        log->name, FILE_VERSION);
    return FALSE;
  }
  log->capacity = vyre_read_word_pair (header, HEADER_CAPACITY);
  log->cursor = vyre_read_word_pair (header, HEADER_CURSOR);
  if (!check_capacity (log->name, log->capacity, error))
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
  g_autoptr (VyreReplayLog) log = open_file (path, writable ? O_RDWR : O_RDONLY, error);

  return log && read_header (log, error) ? g_steal_pointer (&log) : NULL;
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

/* ---- writing ----------------------------------------------------------- */

static gboolean
write_records (const VyreReplayLog *log, const guint8 *records, guint64 at, gsize n, GError **error)
{
  at %= log->capacity;
  gsize size = MIN (n, log->capacity - at) * RECORD_SIZE;

  return write_at (log, records, size, HEADER_SIZE + at * RECORD_SIZE, error)
         && write_at (log, records + size, n * RECORD_SIZE - size, HEADER_SIZE, error);
}

/* The first record comes after the others, and the cursor moves last: what could not
 * be written to its end is the oldest for a reader, and has no beginning. */
static gboolean
append_records (VyreReplayLog *log, const guint8 *records, gsize n, GError **error)
{
  guint64 cursor = (log->cursor + n) % log->capacity;
  guint8 pair[8];

  write_word_pair (pair, 0, cursor);
  if (!write_records (log, records + RECORD_SIZE, log->cursor + 1, n - 1, error)
      || !write_records (log, records, log->cursor, 1, error)
      || !write_at (log, pair, sizeof pair, 4 * HEADER_CURSOR, error))
    return FALSE;
  log->cursor = cursor;
  return TRUE;
}

static void
encode_record (guint8 *at, const VyreReplayRecord *record)
{
  vyre_write_word (at, 0, RECORD_SLOT);
  write_word_pair (at, 1, record->time);
  vyre_write_word (at, 3, record->slot);
  vyre_write_word (at, 4, record->tenant);
  vyre_write_word (at, 5, record->opcode);
  for (guint i = 0; i < VYRE_REPLAY_RECORD_ARGS; i++)
    vyre_write_word (at, 6 + i, record->args[i]);
  vyre_write_word (at, 10, record->epoch);
}

gboolean
vyre_replay_log_append (VyreReplayLog *log, const VyreReplayRecord *record, GError **error)
{
  guint8 bytes[RECORD_SIZE] = { 0 };

  encode_record (bytes, record);
  return append_records (log, bytes, 1, error);
}

static gsize
count_records (const VyreReplayBatch *batch)
{
  return 2 + 2 * (gsize)batch->n_logged
         + ((gsize)batch->n_observables + RECORD_VALUES - 1) / RECORD_VALUES;
}

static guint8 *
begin_part (guint8 *records, gsize index, guint32 kind, const VyreReplayBatch *batch)
{
  guint8 *at = records + index * RECORD_SIZE;

  vyre_write_word (at, 1, kind);
  vyre_write_word (at, 2, batch->epoch);
  vyre_write_word (at, 3, (guint32)index);
  return at;
}

static void
encode_head (guint8 *records, const VyreReplayBatch *batch)
{
  guint8 *at = begin_part (records, 0, KIND_BATCH, batch);

  vyre_write_word (at, BODY, batch->n_slots);
  vyre_write_word (at, BODY + 1, batch->n_logged);
  vyre_write_word (at, BODY + 2, batch->n_observables);
  write_word_pair (at, BODY + 4, batch->payload_size);
  write_word_pair (at, BODY + 6, batch->payload_offset);
  write_word_pair (at, BODY + 8, batch->time);
  at = begin_part (records, 1, KIND_DIGEST, batch);
  memcpy (at + 4 * BODY, batch->payload_digest, VYRE_REPLAY_DIGEST_SIZE);
}

static void
encode_slot (guint8 *records, gsize index, const VyreReplayBatch *batch, guint slot)
{
  const guint32 *words = batch->slots + (gsize)slot * VYRE_SLOT_WORDS;
  const guint32 *args = words + VYRE_SLOT_ARGS;
  VyreReplayRecord record = { .time = batch->time,
    .slot = slot,
    .tenant = words[VYRE_SLOT_TENANT],
    .opcode = words[VYRE_SLOT_OPCODE],
    .epoch = batch->epoch };

  memcpy (record.args, args, sizeof record.args);
  encode_record (records + index * RECORD_SIZE, &record);
  guint8 *at = begin_part (records, index + 1, KIND_REST, batch);
  vyre_write_word (at, BODY, words[VYRE_SLOT_STATUS]);
  vyre_write_word (at, BODY + 1, words[VYRE_SLOT_PRIORITY]);
  for (guint i = 0; i < REST_ARGS; i++)
    vyre_write_word (at, BODY + 2 + i, args[VYRE_REPLAY_RECORD_ARGS + i]);
}

static void
encode_batch (guint8 *records, const VyreReplayBatch *batch)
{
  gsize index = 2;

  encode_head (records, batch);
  for (guint slot = 0; slot < batch->n_logged; slot++, index += 2)
    encode_slot (records, index, batch, slot);
  for (guint i = 0; i < batch->n_observables; i += RECORD_VALUES, index++) {
    guint8 *at = begin_part (records, index, KIND_VALUES, batch);
    for (guint v = 0; v < MIN (RECORD_VALUES, batch->n_observables - i); v++)
      vyre_write_word (at, BODY + v, batch->observables[i + v]);
  }
}

static gboolean
has_valid_sizes (const VyreReplayBatch *batch)
{
  return batch->n_slots >= 1 && batch->n_slots <= VYRE_ENCODE_MAX
         && batch->n_logged <= batch->n_slots && batch->n_observables <= VYRE_MAX_OBSERVABLES;
}

gboolean
vyre_replay_log_append_batch (VyreReplayLog *log, const VyreReplayBatch *batch, GError **error)
{
  gsize n = count_records (batch);

  if (!has_valid_sizes (batch)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "A batch with %u of %u slots and %u observables cannot be logged. Fix: log at least one "
        "slot's ring, and no more slots than it has.",
        batch->n_logged, batch->n_slots, batch->n_observables);
    return FALSE;
  }
  if (n > log->capacity) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%s: a batch takes %" G_GSIZE_FORMAT " of the log's %" G_GUINT64_FORMAT " records. Fix: "
        "create the log with a larger capacity, or publish fewer slots and observables.",
        log->name, n, log->capacity);
    return FALSE;
  }
  g_autofree guint8 *records = vyre_alloc0 (n, RECORD_SIZE, error);
  if (!records)
    return FALSE;
  encode_batch (records, batch);
  return append_records (log, records, n, error);
}

/* ---- reading ----------------------------------------------------------- */

/* All records, the oldest first. */
static guint8 *
read_records (VyreReplayLog *log, GError **error)
{
  gsize older = (gsize)(log->capacity - log->cursor) * RECORD_SIZE;
  gsize newer = (gsize)log->cursor * RECORD_SIZE;
  g_autofree guint8 *records = vyre_alloc (1, older + newer, error);

  if (!records || !read_at (log, records, older, HEADER_SIZE + newer, error)
      || !read_at (log, records + older, newer, HEADER_SIZE, error))
    return NULL;
  return g_steal_pointer (&records);
}

/* The record AT, counted from the oldest, is not what it has to be. */
static void
set_damaged (GError **error, const VyreReplayLog *log, gsize at)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "%s: record %" G_GUINT64_FORMAT " is not what has to be there. Fix: the file was damaged; "
      "record again.",
      log->name, (log->cursor + at) % log->capacity);
}

static void
decode_record (const guint8 *at, VyreReplayRecord *record)
{
  record->time = vyre_read_word_pair (at, 1);
  record->slot = vyre_read_word (at, 3);
  record->tenant = vyre_read_word (at, 4);
  record->opcode = vyre_read_word (at, 5);
  for (guint i = 0; i < VYRE_REPLAY_RECORD_ARGS; i++)
    record->args[i] = vyre_read_word (at, 6 + i);
  record->epoch = vyre_read_word (at, 10);
}

GArray *
vyre_replay_log_read (VyreReplayLog *log, GError **error)
{
  g_autofree guint8 *bytes = read_records (log, error);
  g_autoptr (GArray) records = g_array_new (FALSE, FALSE, sizeof (VyreReplayRecord));

  if (!bytes)
    return NULL;
  for (gsize i = 0; i < log->capacity; i++) {
    const guint8 *at = bytes + i * RECORD_SIZE;
    guint32 magic = vyre_read_word (at, 0);
    if (magic == RECORD_NONE)
      continue;
    if (magic != RECORD_SLOT) {
      set_damaged (error, log, i);
      return NULL;
    }
    VyreReplayRecord record;
    decode_record (at, &record);
    g_array_append_val (records, record);
  }
  return g_steal_pointer (&records);
}

static gboolean
is_unused (const guint8 *record)
{
  static const guint8 zeros[RECORD_SIZE];

  return memcmp (record, zeros, RECORD_SIZE) == 0;
}

static gboolean
is_kind (const guint8 *record, guint32 kind)
{
  return vyre_read_word (record, 0) == RECORD_NONE && vyre_read_word (record, 1) == kind;
}

static gboolean
is_part (const guint8 *records, gsize index, guint32 kind, const VyreReplayBatch *batch)
{
  const guint8 *record = records + index * RECORD_SIZE;

  return is_kind (record, kind) && vyre_read_word (record, 2) == batch->epoch
         && vyre_read_word (record, 3) == index;
}

static gboolean
decode_head (const guint8 *records, gsize n_left, VyreReplayBatch *batch)
{
  batch->epoch = vyre_read_word (records, 2);
  batch->n_slots = vyre_read_word (records, BODY);
  batch->n_logged = vyre_read_word (records, BODY + 1);
  batch->n_observables = vyre_read_word (records, BODY + 2);
  batch->payload_size = vyre_read_word_pair (records, BODY + 4);
  batch->payload_offset = vyre_read_word_pair (records, BODY + 6);
  batch->time = vyre_read_word_pair (records, BODY + 8);
  if (!has_valid_sizes (batch) || count_records (batch) > n_left
      || !is_part (records, 0, KIND_BATCH, batch) || !is_part (records, 1, KIND_DIGEST, batch))
    return FALSE;
  memcpy (batch->payload_digest, records + RECORD_SIZE + 4 * BODY, VYRE_REPLAY_DIGEST_SIZE);
  return TRUE;
}

static gboolean
decode_slot (const guint8 *records, gsize index, VyreReplayBatch *batch, guint slot)
{
  const guint8 *first = records + index * RECORD_SIZE;
  const guint8 *rest = first + RECORD_SIZE;
  guint32 *words = batch->slots + (gsize)slot * VYRE_SLOT_WORDS;
  guint32 *args = words + VYRE_SLOT_ARGS;
  VyreReplayRecord record;

  decode_record (first, &record);
  if (vyre_read_word (first, 0) != RECORD_SLOT || record.slot != slot
      || record.epoch != batch->epoch || !is_part (records, index + 1, KIND_REST, batch))
    return FALSE;
  words[VYRE_SLOT_STATUS] = vyre_read_word (rest, BODY);
  words[VYRE_SLOT_OPCODE] = record.opcode;
  words[VYRE_SLOT_TENANT] = record.tenant;
  words[VYRE_SLOT_PRIORITY] = vyre_read_word (rest, BODY + 1);
  memcpy (args, record.args, sizeof record.args);
  for (guint i = 0; i < REST_ARGS; i++)
    args[VYRE_REPLAY_RECORD_ARGS + i] = vyre_read_word (rest, BODY + 2 + i);
  return TRUE;
}

/* The batch that starts with the first of the @n_left records, NULL if it is not whole, or, with
 * @error, if there is no memory for it. */
static VyreReplayBatch *
decode_batch (const guint8 *records, gsize n_left, GError **error)
{
  g_autoptr (VyreReplayBatch) batch = g_new0 (VyreReplayBatch, 1);
  gsize index = 2;

  if (!decode_head (records, n_left, batch))
    return NULL;
  batch->slots = vyre_alloc (batch->n_logged, 4 * VYRE_SLOT_WORDS, error);
  if (!batch->slots)
    return NULL;
  batch->observables = vyre_alloc (batch->n_observables, 4, error);
  if (!batch->observables)
    return NULL;
  for (guint slot = 0; slot < batch->n_logged; slot++, index += 2) {
    if (!decode_slot (records, index, batch, slot))
      return NULL;
  }
  for (guint i = 0; i < batch->n_observables; i++) {
    gsize at = index + i / RECORD_VALUES;
    if (!is_part (records, at, KIND_VALUES, batch))
      return NULL;
    batch->observables[i] = vyre_read_word (records + at * RECORD_SIZE, BODY + i % RECORD_VALUES);
  }
  return g_steal_pointer (&batch);
}

/* What may lie between batches: nothing, slots of the reference's kind, and at the tail
 * what newer records, or an append that failed, left of others. */
static gboolean
may_pass_over (const guint8 *record, gboolean at_tail)
{
  static const guint32 kinds[] = { KIND_BATCH, KIND_DIGEST, KIND_REST, KIND_VALUES };

  if (is_unused (record) || vyre_read_word (record, 0) == RECORD_SLOT)
    return TRUE;
  for (guint i = 0; at_tail && i < G_N_ELEMENTS (kinds); i++) {
    if (is_kind (record, kinds[i]))
      return TRUE;
  }
  return FALSE;
}

GPtrArray *
vyre_replay_log_read_batches (VyreReplayLog *log, GError **error)
{
  g_autofree guint8 *bytes = read_records (log, error);
  g_autoptr (GPtrArray) batches
      = g_ptr_array_new_with_free_func ((GDestroyNotify)vyre_replay_batch_free);

  if (!bytes)
    return NULL;
  gboolean at_tail = TRUE;
  for (gsize i = 0; i < log->capacity;) {
    const guint8 *record = bytes + i * RECORD_SIZE;
    GError *reason = NULL;
    VyreReplayBatch *batch
        = is_kind (record, KIND_BATCH) ? decode_batch (record, log->capacity - i, &reason) : NULL;
    if (reason) {
      g_propagate_error (error, reason);
      return NULL;
    }
    if (!batch && !may_pass_over (record, at_tail)) {
      set_damaged (error, log, i);
      return NULL;
    }
    at_tail = at_tail && !batch && (i == 0 || !is_unused (record));
    i += batch ? count_records (batch) : 1;
    if (batch)
      g_ptr_array_add (batches, batch);
  }
  return g_steal_pointer (&batches);
}

void
vyre_replay_batch_free (VyreReplayBatch *batch)
{
  if (!batch)
    return;
  g_free (batch->slots);
  g_free (batch->observables);
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

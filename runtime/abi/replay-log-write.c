/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "abi/replay-log-private.h"

#include <string.h>

#include "base/alloc.h"

static gboolean
log_write_records (
    const VyreReplayLog *log, const guint8 *records, guint64 at, gsize n, GError **error)
{
  at %= log->capacity;
  gsize size = MIN (n, log->capacity - at) * LOG_RECORD_SIZE;

  return vyre_replay_log_write_at (
             log, records, size, LOG_HEADER_SIZE + at * LOG_RECORD_SIZE, error)
         && vyre_replay_log_write_at (
             log, records + size, n * LOG_RECORD_SIZE - size, LOG_HEADER_SIZE, error);
}

/* Writes the first record after the others, and the cursor last: for a reader, a batch that could
 * not be written to its end is the oldest and has no beginning. */
static gboolean
log_append_records (VyreReplayLog *log, const guint8 *records, gsize n, GError **error)
{
  guint64 cursor = (log->cursor + n) % log->capacity;
  guint8 pair[8];

  replay_log_write_pair (pair, 0, cursor);
  if (!log_write_records (log, records + LOG_RECORD_SIZE, log->cursor + 1, n - 1, error)
      || !log_write_records (log, records, log->cursor, 1, error)
      || !vyre_replay_log_write_at (log, pair, sizeof pair, 4 * LOG_HEADER_CURSOR, error))
    return FALSE;
  log->cursor = cursor;
  return TRUE;
}

static void
log_encode_record (guint8 *at, const VyreReplayRecord *record)
{
  vyre_write_word (at, 0, LOG_RECORD_SLOT);
  replay_log_write_pair (at, 1, record->time);
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
  guint8 bytes[LOG_RECORD_SIZE] = { 0 };

  log_encode_record (bytes, record);
  return log_append_records (log, bytes, 1, error);
}

static guint8 *
log_begin_part (guint8 *records, gsize index, guint32 kind, const VyreReplayBatch *batch)
{
  guint8 *at = records + index * LOG_RECORD_SIZE;

  vyre_write_word (at, 1, kind);
  vyre_write_word (at, 2, batch->epoch);
  vyre_write_word (at, 3, (guint32)index);
  return at;
}

static void
log_encode_head (guint8 *records, const VyreReplayBatch *batch)
{
  guint8 *at = log_begin_part (records, 0, LOG_KIND_BATCH, batch);

  vyre_write_word (at, LOG_BODY, batch->n_slots);
  vyre_write_word (at, LOG_BODY + 1, batch->n_logged);
  vyre_write_word (at, LOG_BODY + 2, batch->n_observables);
  vyre_write_word (at, LOG_BODY + 3, batch->initial ? batch->n_observables : 0);
  replay_log_write_pair (at, LOG_BODY + 4, batch->payload_size);
  replay_log_write_pair (at, LOG_BODY + 6, batch->payload_offset);
  replay_log_write_pair (at, LOG_BODY + 8, batch->time);
  replay_log_write_pair (at, LOG_BODY + 10, batch->has_previous ? batch->previous_offset + 1 : 0);
  at = log_begin_part (records, 1, LOG_KIND_DIGEST, batch);
  memcpy (at + 4 * LOG_BODY, batch->payload_digest, VYRE_REPLAY_DIGEST_SIZE);
  replay_log_write_pair (at, LOG_BODY + 8, batch->has_reference ? batch->reference_offset + 1 : 0);
}

static void
log_encode_slot (guint8 *records, gsize index, const VyreReplayBatch *batch, guint slot)
{
  const guint32 *words = batch->slots + (gsize)slot * VYRE_SLOT_WORDS;
  const guint32 *args = words + VYRE_SLOT_ARGS;
  VyreReplayRecord record = { .time = batch->time,
    .slot = slot,
    .tenant = words[VYRE_SLOT_TENANT],
    .opcode = words[VYRE_SLOT_OPCODE],
    .epoch = batch->epoch };

  memcpy (record.args, args, sizeof record.args);
  log_encode_record (records + index * LOG_RECORD_SIZE, &record);
  guint8 *at = log_begin_part (records, index + 1, LOG_KIND_REST, batch);
  vyre_write_word (at, LOG_BODY, words[VYRE_SLOT_STATUS]);
  vyre_write_word (at, LOG_BODY + 1, words[VYRE_SLOT_PRIORITY]);
  for (guint i = 0; i < LOG_REST_ARGS; i++)
    vyre_write_word (at, LOG_BODY + 2 + i, args[VYRE_REPLAY_RECORD_ARGS + i]);
}

/* Writes the observables of the batch; returns the index behind their records. */
static gsize
log_encode_values (guint8 *records, gsize index, guint32 kind, const VyreReplayBatch *batch,
    const guint32 *observables)
{
  for (guint i = 0; i < batch->n_observables; i += LOG_RECORD_VALUES, index++) {
    guint8 *at = log_begin_part (records, index, kind, batch);
    for (guint v = 0; v < MIN (LOG_RECORD_VALUES, batch->n_observables - i); v++)
      vyre_write_word (at, LOG_BODY + v, observables[i + v]);
  }
  return index;
}

static void
log_encode_batch (guint8 *records, const VyreReplayBatch *batch)
{
  gsize index = 2;

  log_encode_head (records, batch);
  for (guint slot = 0; slot < batch->n_logged; slot++, index += 2)
    log_encode_slot (records, index, batch, slot);
  index = log_encode_values (records, index, LOG_KIND_VALUES, batch, batch->observables);
  if (batch->initial)
    log_encode_values (records, index, LOG_KIND_START, batch, batch->initial);
}

gboolean
vyre_replay_log_append_batch (VyreReplayLog *log, const VyreReplayBatch *batch, GError **error)
{
  gsize n = vyre_replay_batch_count_records (batch);

  if (!vyre_replay_batch_is_valid (batch)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "A batch with %u of %u slots and %u observables cannot be logged. Fix: log at least one "
        "slot's ring, no more slots than it has, and no older payloads without a payload.",
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
  g_autofree guint8 *records = vyre_alloc0 (n, LOG_RECORD_SIZE, error);
  if (!records)
    return FALSE;
  log_encode_batch (records, batch);
  return log_append_records (log, records, n, error);
}

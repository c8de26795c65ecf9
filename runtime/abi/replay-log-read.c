/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "abi/replay-log-private.h"

#include <string.h>

#include "base/alloc.h"

/* All records, the oldest first. */
static guint8 *
log_read_records (VyreReplayLog *log, GError **error)
{
  gsize older = (gsize)(log->capacity - log->cursor) * LOG_RECORD_SIZE;
  gsize newer = (gsize)log->cursor * LOG_RECORD_SIZE;
  g_autofree guint8 *records = vyre_alloc (1, older + newer, error);

  if (!records || !vyre_replay_log_read_at (log, records, older, LOG_HEADER_SIZE + newer, error)
      || !vyre_replay_log_read_at (log, records + older, newer, LOG_HEADER_SIZE, error))
    return NULL;
  return g_steal_pointer (&records);
}

/* Sets the error of a record of another kind than its place needs; @at counts from the oldest. */
static void
log_set_damaged (GError **error, const VyreReplayLog *log, gsize at)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "%s: record %" G_GUINT64_FORMAT " is not what has to be there. Fix: the file was damaged; "
      "record again.",
      log->name, (log->cursor + at) % log->capacity);
}

static void
log_decode_record (const guint8 *at, VyreReplayRecord *record)
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
  g_autofree guint8 *bytes = log_read_records (log, error);
  g_autoptr (GArray) records = g_array_new (FALSE, FALSE, sizeof (VyreReplayRecord));

  if (!bytes)
    return NULL;
  for (gsize i = 0; i < log->capacity; i++) {
    const guint8 *at = bytes + i * LOG_RECORD_SIZE;
    guint32 magic = vyre_read_word (at, 0);
    if (magic == LOG_RECORD_NONE)
      continue;
    if (magic != LOG_RECORD_SLOT) {
      log_set_damaged (error, log, i);
      return NULL;
    }
    VyreReplayRecord record;
    log_decode_record (at, &record);
    g_array_append_val (records, record);
  }
  return g_steal_pointer (&records);
}

static gboolean
log_is_unused (const guint8 *record)
{
  static const guint8 zeros[LOG_RECORD_SIZE];

  return memcmp (record, zeros, LOG_RECORD_SIZE) == 0;
}

static gboolean
log_is_kind (const guint8 *record, guint32 kind)
{
  return vyre_read_word (record, 0) == LOG_RECORD_NONE && vyre_read_word (record, 1) == kind;
}

static gboolean
log_is_part (const guint8 *records, gsize index, guint32 kind, const VyreReplayBatch *batch)
{
  const guint8 *record = records + index * LOG_RECORD_SIZE;

  return log_is_kind (record, kind) && vyre_read_word (record, 2) == batch->epoch
         && vyre_read_word (record, 3) == index;
}

/* Reads the offset of an older payload; FALSE: there is none. */
static gboolean
log_decode_offset (const guint8 *record, guint word, guint64 *offset)
{
  guint64 above = vyre_read_word_pair (record, word);

  *offset = MAX (above, 1) - 1;
  return above > 0;
}

/* Reads the head of a batch and gets memory for its initial observables, if it has any. FALSE
 * without @error: it is none. */
static gboolean
log_decode_head (const guint8 *records, gsize n_left, VyreReplayBatch *batch, GError **error)
{
  guint32 n_initial = vyre_read_word (records, LOG_BODY + 3);

  batch->epoch = vyre_read_word (records, 2);
  batch->n_slots = vyre_read_word (records, LOG_BODY);
  batch->n_logged = vyre_read_word (records, LOG_BODY + 1);
  batch->n_observables = vyre_read_word (records, LOG_BODY + 2);
  batch->payload_size = vyre_read_word_pair (records, LOG_BODY + 4);
  batch->payload_offset = vyre_read_word_pair (records, LOG_BODY + 6);
  batch->time = vyre_read_word_pair (records, LOG_BODY + 8);
  batch->has_previous = log_decode_offset (records, LOG_BODY + 10, &batch->previous_offset);
  batch->has_reference
      = log_decode_offset (records + LOG_RECORD_SIZE, LOG_BODY + 8, &batch->reference_offset);
  if (!vyre_replay_batch_is_valid (batch) || (n_initial != 0 && n_initial != batch->n_observables))
    return FALSE;
  if (n_initial > 0 && !(batch->initial = vyre_alloc (n_initial, 4, error)))
    return FALSE;
  if (vyre_replay_batch_count_records (batch) > n_left
      || !log_is_part (records, 0, LOG_KIND_BATCH, batch)
      || !log_is_part (records, 1, LOG_KIND_DIGEST, batch))
    return FALSE;
  memcpy (batch->payload_digest, records + LOG_RECORD_SIZE + 4 * LOG_BODY, VYRE_REPLAY_DIGEST_SIZE);
  return TRUE;
}

static gboolean
log_decode_slot (const guint8 *records, gsize index, VyreReplayBatch *batch, guint slot)
{
  const guint8 *first = records + index * LOG_RECORD_SIZE;
  const guint8 *rest = first + LOG_RECORD_SIZE;
  guint32 *words = batch->slots + (gsize)slot * VYRE_SLOT_WORDS;
  guint32 *args = words + VYRE_SLOT_ARGS;
  VyreReplayRecord record;

  log_decode_record (first, &record);
  if (vyre_read_word (first, 0) != LOG_RECORD_SLOT || record.slot != slot
      || record.epoch != batch->epoch || !log_is_part (records, index + 1, LOG_KIND_REST, batch))
    return FALSE;
  words[VYRE_SLOT_STATUS] = vyre_read_word (rest, LOG_BODY);
  words[VYRE_SLOT_OPCODE] = record.opcode;
  words[VYRE_SLOT_TENANT] = record.tenant;
  words[VYRE_SLOT_PRIORITY] = vyre_read_word (rest, LOG_BODY + 1);
  memcpy (args, record.args, sizeof record.args);
  for (guint i = 0; i < LOG_REST_ARGS; i++)
    args[VYRE_REPLAY_RECORD_ARGS + i] = vyre_read_word (rest, LOG_BODY + 2 + i);
  return TRUE;
}

static gboolean
log_decode_values (const guint8 *records, gsize index, guint32 kind, const VyreReplayBatch *batch,
    guint32 *observables)
{
  for (guint i = 0; i < batch->n_observables; i++) {
    gsize at = index + i / LOG_RECORD_VALUES;
    if (!log_is_part (records, at, kind, batch))
      return FALSE;
    observables[i]
        = vyre_read_word (records + at * LOG_RECORD_SIZE, LOG_BODY + i % LOG_RECORD_VALUES);
  }
  return TRUE;
}

/* Decodes the batch that starts with the first of the @n_left records. NULL without @error: the
 * batch is not whole; NULL with @error: there is no memory for it. */
static VyreReplayBatch *
log_decode_batch (const guint8 *records, gsize n_left, GError **error)
{
  g_autoptr (VyreReplayBatch) batch = g_new0 (VyreReplayBatch, 1);
  gsize index = 2;

  if (!log_decode_head (records, n_left, batch, error))
    return NULL;
  batch->slots = vyre_alloc (batch->n_logged, 4 * VYRE_SLOT_WORDS, error);
  if (!batch->slots)
    return NULL;
  batch->observables = vyre_alloc (batch->n_observables, 4, error);
  if (!batch->observables)
    return NULL;
  for (guint slot = 0; slot < batch->n_logged; slot++, index += 2) {
    if (!log_decode_slot (records, index, batch, slot))
      return NULL;
  }
  gsize start = index + (batch->n_observables + LOG_RECORD_VALUES - 1) / LOG_RECORD_VALUES;
  if (!log_decode_values (records, index, LOG_KIND_VALUES, batch, batch->observables)
      || (batch->initial
          && !log_decode_values (records, start, LOG_KIND_START, batch, batch->initial)))
    return NULL;
  return g_steal_pointer (&batch);
}

/* TRUE for a record that may lie between batches: an unused one, a slot record of the reference,
 * and at the tail the rest of a batch that newer records overwrote or that could not be written. */
static gboolean
log_may_pass_over (const guint8 *record, gboolean at_tail)
{
  static const guint32 kinds[]
      = { LOG_KIND_BATCH, LOG_KIND_DIGEST, LOG_KIND_REST, LOG_KIND_VALUES, LOG_KIND_START };

  if (log_is_unused (record) || vyre_read_word (record, 0) == LOG_RECORD_SLOT)
    return TRUE;
  for (guint i = 0; at_tail && i < G_N_ELEMENTS (kinds); i++) {
    if (log_is_kind (record, kinds[i]))
      return TRUE;
  }
  return FALSE;
}

GPtrArray *
vyre_replay_log_read_batches (VyreReplayLog *log, GError **error)
{
  g_autofree guint8 *bytes = log_read_records (log, error);
  g_autoptr (GPtrArray) batches
      = g_ptr_array_new_with_free_func ((GDestroyNotify)vyre_replay_batch_free);

  if (!bytes)
    return NULL;
  gboolean at_tail = TRUE;
  for (gsize i = 0; i < log->capacity;) {
    const guint8 *record = bytes + i * LOG_RECORD_SIZE;
    GError *reason = NULL;
    VyreReplayBatch *batch = log_is_kind (record, LOG_KIND_BATCH)
                                 ? log_decode_batch (record, log->capacity - i, &reason)
                                 : NULL;
    if (reason) {
      g_propagate_error (error, reason);
      return NULL;
    }
    if (!batch && !log_may_pass_over (record, at_tail)) {
      log_set_damaged (error, log, i);
      return NULL;
    }
    at_tail = at_tail && !batch && (i == 0 || !log_is_unused (record));
    i += batch ? vyre_replay_batch_count_records (batch) : 1;
    if (batch)
      g_ptr_array_add (batches, batch);
  }
  return g_steal_pointer (&batches);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:replay-log
 * @title: Replay log
 * @short_description: Records batches to run them again
 *
 * A replay log is a circular file of 64-byte records of the slots that were published. Where whole
 * batches are logged, it holds all that it takes to run them again and compare.
 *
 * All numbers in the file are little-endian. It starts with a header of 32 bytes: "VRRL0001", u32
 * version 1, u32 flags 0, u64 capacity in records, u64 cursor, the record that is written next.
 * Then follow capacity × 64 bytes, zero where no record was written. From the cursor on, around
 * the end of the file, records are in the order of time.
 *
 * A slot record is that of the reference: u32 0xDEADBEEF, u64 time in ns since the epoch of Unix,
 * u32 slot, tenant, opcode, the first four arguments, u32 epoch, zeros. The reference knows no
 * other record. It passes over a record whose first word is 0, and refuses a file with any other
 * first word. So the other data of a batch is in records that start with 0:
 *
 * |[<!-- language="plain" -->
 * word   0   1       2      3      4 …
 * batch  0   "VRRB"  epoch  index  ring slots, logged slots, observables, initial observables,
 *                                  u64 payload bytes, u64 payload offset, u64 time,
 *                                  u64 1 + previous payload offset, or 0
 * digest 0   "VRRD"  epoch  index  SHA-256 of the payload, 8 words,
 *                                  u64 1 + reference payload offset, or 0
 * rest   0   "VRRS"  epoch  index  status, priority, arguments 4 to 11
 * values 0   "VRRO"  epoch  index  12 observables
 * start  0   "VRRI"  epoch  index  12 observables before the run
 * ]|
 *
 * A batch is a batch record, its digest, for each logged slot a slot record and its rest, as many
 * value records as its observables fill, and as many start records as its initial observables: all
 * of them for a batch with state, and none for others, whose observables start as 0. The index
 * counts the records of a batch from 0, slot records included. A reader of the reference sees one
 * slot record per slot. Newer records overwrite the oldest. The writer writes the first record of a
 * batch after its others, and the cursor after that; so a part of a batch may precede the oldest
 * whole one, and readers pass over it. The logged slots are the first of the ring; the others are
 * empty. The control part is as vyre_encode_control() makes it for one tenant.
 *
 * The digest is SHA-256 rather than a CRC, because it stands for a payload that is kept elsewhere,
 * and GLib has it.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VYRE_REPLAY_MAX_RECORDS:
 *
 * The most records of a log.
 */
#define VYRE_REPLAY_MAX_RECORDS 1048576

/**
 * VYRE_REPLAY_DIGEST_SIZE:
 *
 * Bytes of the digest of a payload.
 */
#define VYRE_REPLAY_DIGEST_SIZE 32

/**
 * VYRE_REPLAY_RECORD_ARGS:
 *
 * Arguments in a slot record.
 */
#define VYRE_REPLAY_RECORD_ARGS 4

/**
 * VyreReplayRecord:
 * @time: its time, in nanoseconds since the epoch of Unix
 * @slot: index in the ring
 * @tenant: tenant
 * @opcode: opcode
 * @args: the first four arguments
 * @epoch: the number of its batch
 *
 * A slot record: a published slot, as far as the reference logs it.
 */
typedef struct {
  guint64 time;
  guint32 slot;
  guint32 tenant;
  guint32 opcode;
  guint32 args[VYRE_REPLAY_RECORD_ARGS];
  guint32 epoch;
} VyreReplayRecord;

/**
 * VyreReplayBatch:
 * @time: the time of its result, in nanoseconds since the epoch of Unix
 * @epoch: its number, from 1
 * @n_slots: slots of the ring, 1 to 1048576
 * @n_logged: how many slots, from the first, are in @slots; the others are empty
 * @slots: (array): VYRE_SLOT_WORDS words for each of the @n_logged, as published
 * @n_observables: observable words, at most VYRE_MAX_OBSERVABLES
 * @observables: (array length=n_observables): their values after the run
 * @initial: (array length=n_observables) (nullable): their values before the run; %NULL for zeros
 * @payload_size: bytes of its payload
 * @payload_offset: bytes of the payloads before it, logged or not
 * @has_previous: whether the batch had a previous payload, of as many bytes
 * @previous_offset: bytes of the payloads before that one
 * @has_reference: whether the batch had a reference payload, of as many bytes
 * @reference_offset: bytes of the payloads before that one
 * @payload_digest: SHA-256 of the payload
 *
 * A batch, with its result.
 */
typedef struct {
  guint64 time;
  guint32 epoch;
  guint n_slots;
  guint n_logged;
  guint32 *slots;
  guint n_observables;
  guint32 *observables;
  guint32 *initial;
  guint64 payload_size;
  guint64 payload_offset;
  gboolean has_previous;
  guint64 previous_offset;
  gboolean has_reference;
  guint64 reference_offset;
  guint8 payload_digest[VYRE_REPLAY_DIGEST_SIZE];
} VyreReplayBatch;

/**
 * VyreReplayLog:
 *
 * An open log. One thread at a time may use a log.
 */
typedef struct _VyreReplayLog VyreReplayLog;

/**
 * vyre_replay_log_create:
 * @path: (type filename): a regular file, which is emptied if it is there, and made with mode
 *   0600 if it is not
 * @capacity: records of the log, 1 to VYRE_REPLAY_MAX_RECORDS
 * @error: return location
 *
 * Makes a log.
 *
 * Returns: (transfer full) (nullable): an empty log, or %NULL with
 *   %VYRE_ERROR_NO_SPACE (a capacity of 0), %VYRE_ERROR_TOO_LARGE (one above the
 *   limit) or %VYRE_ERROR_IO
 */
VyreReplayLog *vyre_replay_log_create (const char *path, guint64 capacity, GError **error);

/**
 * vyre_replay_log_open:
 * @path: (type filename): a log
 * @writable: whether to append to it
 * @error: return location
 *
 * Opens an existing log, and reads its header alone.
 *
 * Returns: (transfer full) (nullable): the log, or %NULL with %VYRE_ERROR_IO (the
 *   header is cut, or cannot be read), %VYRE_ERROR_INVALID (the file is no log), or
 *   %VYRE_ERROR_NO_SPACE and %VYRE_ERROR_TOO_LARGE as from vyre_replay_log_create()
 */
VyreReplayLog *vyre_replay_log_open (const char *path, gboolean writable, GError **error);

/**
 * vyre_replay_log_free:
 * @log: (nullable) (transfer full): a log
 *
 * Closes a log.
 */
void vyre_replay_log_free (VyreReplayLog *log);

/**
 * vyre_replay_log_get_capacity:
 * @log: a log
 *
 * Gets the capacity of a log.
 *
 * Returns: records it holds
 */
guint64 vyre_replay_log_get_capacity (const VyreReplayLog *log);

/**
 * vyre_replay_log_get_cursor:
 * @log: a log
 *
 * Gets the cursor of a log.
 *
 * Returns: the record that is written next
 */
guint64 vyre_replay_log_get_cursor (const VyreReplayLog *log);

/**
 * vyre_replay_log_append:
 * @log: a log that is writable
 * @record: a slot
 * @error: return location
 *
 * Logs a slot, in the place of the oldest record when the log is full.
 *
 * Returns: whether it was written; otherwise %VYRE_ERROR_IO
 */
gboolean vyre_replay_log_append (
    VyreReplayLog *log, const VyreReplayRecord *record, GError **error);

/**
 * vyre_replay_log_append_batch:
 * @log: a log that is writable
 * @batch: a batch with its result
 * @error: return location
 *
 * Logs a batch, over the oldest records if the log is full. A batch takes 2 records, 2 for each
 * slot and one for every 12 observables; initial values take one more for every 12.
 *
 * Returns: whether the batch was written; otherwise %VYRE_ERROR_INVALID (numbers of slots
 *   or observables out of their ranges), %VYRE_ERROR_TOO_LARGE (more records than
 *   the log has) or %VYRE_ERROR_IO
 */
gboolean vyre_replay_log_append_batch (
    VyreReplayLog *log, const VyreReplayBatch *batch, GError **error);

/**
 * vyre_replay_log_read:
 * @log: a log
 * @error: return location
 *
 * Reads the slot records of a log.
 *
 * Returns: (transfer full) (element-type VyreReplayRecord) (nullable): the slot
 *   records, those of batches too, the oldest first; or %NULL with %VYRE_ERROR_IO
 *   (the file is cut) or %VYRE_ERROR_INVALID (a record is of no known kind)
 */
GArray *vyre_replay_log_read (VyreReplayLog *log, GError **error);

/**
 * vyre_replay_log_read_batches:
 * @log: a log
 * @error: return location
 *
 * Reads the batches of a log.
 *
 * Returns: (transfer full) (element-type VyreReplayBatch) (nullable): the batches, the
 *   oldest first, without a batch that newer records overwrote in part, and without
 *   a batch that could not be written to its end; or %NULL with
 *   %VYRE_ERROR_IO (the file is cut) or %VYRE_ERROR_INVALID (a batch is not whole)
 */
GPtrArray *vyre_replay_log_read_batches (VyreReplayLog *log, GError **error);

/**
 * vyre_replay_batch_free:
 * @batch: (nullable) (transfer full): a batch from vyre_replay_log_read_batches()
 *
 * Frees a batch.
 */
void vyre_replay_batch_free (VyreReplayBatch *batch);

/**
 * vyre_replay_digest:
 * @payload: (nullable): bytes, %NULL only if @size is 0
 * @size: how many
 * @digest: (out caller-allocates): VYRE_REPLAY_DIGEST_SIZE bytes
 *
 * Computes the digest that identifies a payload.
 */
void vyre_replay_digest (const void *payload, gsize size, guint8 *digest);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreReplayLog, vyre_replay_log_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreReplayBatch, vyre_replay_batch_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The replay log: a circular file of 64-byte records of the published slots. Where whole batches
 * are logged, the records suffice to run the batches again and to compare the results.
 *
 * The file. All numbers are little-endian. A header of 32 bytes: "VRRL0001", u32
 * version 1, u32 flags 0, u64 capacity in records, u64 cursor, the record that is
 * written next. Then capacity × 64 bytes, zero where nothing was written. From the
 * cursor on, around the end of the file, is the order of time.
 *
 * A slot record is that of the reference: u32 0xDEADBEEF, u64 time in ns since the
 * epoch of Unix, u32 slot, tenant, opcode, the first four arguments, u32 epoch,
 * zeros. That is all the reference knows. It takes a record whose first word is 0 for
 * one never written, and passes over it; it refuses a file with any other word there.
 * So the other words of a batch are in records of their own, which start with 0:
 *
 *   word   0   1       2      3      4 …
 *   batch  0   "VRRB"  epoch  index  ring slots, logged slots, observables, 0,
 *                                    u64 payload bytes, u64 payload offset, u64 time
 *   digest 0   "VRRD"  epoch  index  SHA-256 of the payload, 8 words
 *   rest   0   "VRRS"  epoch  index  status, priority, arguments 4 to 11
 *   values 0   "VRRO"  epoch  index  12 observables
 *
 * A batch is, one behind the other: batch, digest, for each logged slot a slot record
 * and its rest, and as many values as its observables fill. The index counts them from
 * 0, slot records included. A reader of the reference sees one slot record per
 * slot. Newer records overwrite the oldest; the first record of a batch is written
 * after its others, and the cursor after that. So in front of the oldest whole batch
 * there may be a part of one, and it is passed over. The slots are the first ones of the ring; the
 * others are empty. The control part was that of vyre_encode_control() with one tenant.
 *
 * SHA-256 rather than a CRC, since it has to stand for a payload that is kept
 * elsewhere, and GLib has it.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/* Records that a log may hold at most. */
#define VYRE_REPLAY_MAX_RECORDS 1048576

/* Bytes of the digest of a payload. */
#define VYRE_REPLAY_DIGEST_SIZE 32

/* Arguments in a slot record. */
#define VYRE_REPLAY_RECORD_ARGS 4

/**
 * VyreReplayRecord:
 * @time: when, in nanoseconds since the epoch of Unix
 * @slot: index in the ring
 * @tenant: tenant
 * @opcode: opcode
 * @args: the first four arguments
 * @epoch: number of its batch
 *
 * A slot record: the words of a published slot that the reference logs.
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
 * @time: when its result arrived, in nanoseconds since the epoch of Unix
 * @epoch: its number, from 1
 * @n_slots: slots of the ring, 1 to 1048576
 * @n_logged: number of them, from the first, that are in @slots; the others are empty
 * @slots: (array): VYRE_SLOT_WORDS words for each of the @n_logged, as published
 * @n_observables: observable words, at most VYRE_MAX_OBSERVABLES
 * @observables: (array length=n_observables): their values when it had run
 * @payload_size: bytes of its payload
 * @payload_offset: bytes of the payloads that came before it, logged or not
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
  guint64 payload_size;
  guint64 payload_offset;
  guint8 payload_digest[VYRE_REPLAY_DIGEST_SIZE];
} VyreReplayBatch;

/**
 * VyreReplayLog:
 *
 * An open log. One thread at a time may use it.
 */
typedef struct _VyreReplayLog VyreReplayLog;

/**
 * vyre_replay_log_create:
 * @path: (type filename): a regular file. An existing one is emptied, a new one has mode
 *   0600
 * @capacity: records it holds, 1 to VYRE_REPLAY_MAX_RECORDS
 * @error: return location
 *
 * Returns: (transfer full) (nullable): an empty log, or %NULL with
 *   %VYRE_ERROR_NO_SPACE (a capacity of 0), %VYRE_ERROR_TOO_LARGE (one above the
 *   limit) or %VYRE_ERROR_IO
 */
VyreReplayLog *vyre_replay_log_create (const char *path, guint64 capacity, GError **error);

/**
 * vyre_replay_log_open:
 * @path: (type filename): a log
 * @writable: %TRUE to append to it
 * @error: return location
 *
 * Opens an existing log. Only its header is checked.
 *
 * Returns: (transfer full) (nullable): the log, or %NULL with %VYRE_ERROR_IO (the
 *   header is cut, or cannot be read), %VYRE_ERROR_INVALID (it is no header of a log), or
 *   %VYRE_ERROR_NO_SPACE and %VYRE_ERROR_TOO_LARGE as from vyre_replay_log_create()
 */
VyreReplayLog *vyre_replay_log_open (const char *path, gboolean writable, GError **error);

/**
 * vyre_replay_log_free:
 * @log: (nullable) (transfer full): a log
 */
void vyre_replay_log_free (VyreReplayLog *log);

/**
 * vyre_replay_log_get_capacity:
 * @log: a log
 *
 * Returns: records it holds
 */
guint64 vyre_replay_log_get_capacity (const VyreReplayLog *log);

/**
 * vyre_replay_log_get_cursor:
 * @log: a log
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
 * Returns: %TRUE when it was written; otherwise %VYRE_ERROR_IO
 */
gboolean vyre_replay_log_append (
    VyreReplayLog *log, const VyreReplayRecord *record, GError **error);

/**
 * vyre_replay_log_append_batch:
 * @log: a log that is writable
 * @batch: a batch with its result
 * @error: return location
 *
 * Logs a batch, in the place of the oldest records when there are not enough others.
 * It takes 2 records, 2 for each slot and one for every 12 observables.
 *
 * Returns: %TRUE when it was written; otherwise %VYRE_ERROR_INVALID (numbers of slots
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
 * Returns: (transfer full) (element-type VyreReplayBatch) (nullable): the batches, the
 *   oldest first, without those that newer records overwrote in part, and without
 *   one that could not be written to its end; or %NULL with
 *   %VYRE_ERROR_IO (the file is cut) or %VYRE_ERROR_INVALID (a batch is not whole)
 */
GPtrArray *vyre_replay_log_read_batches (VyreReplayLog *log, GError **error);

/**
 * vyre_replay_batch_free:
 * @batch: (nullable) (transfer full): a batch from vyre_replay_log_read_batches()
 */
void vyre_replay_batch_free (VyreReplayBatch *batch);

/**
 * vyre_replay_digest:
 * @payload: (nullable): bytes, %NULL only if there are none
 * @size: number of bytes
 * @digest: (out caller-allocates): VYRE_REPLAY_DIGEST_SIZE bytes
 *
 * Computes the digest that identifies a payload.
 */
void vyre_replay_digest (const void *payload, gsize size, guint8 *digest);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreReplayLog, vyre_replay_log_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreReplayBatch, vyre_replay_batch_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the open log and the layout of its records, for the three files of the replay log.
 * abi/replay-log.c has the file, abi/replay-log-write.c the writing of records and
 * abi/replay-log-read.c the reading. vyre/replay-log.h describes the format.
 */
#pragma once

#include <glib.h>

#include "vyre/parts.h"
#include "vyre/replay-log.h"

G_BEGIN_DECLS

#define LOG_HEADER_SIZE 32u
#define LOG_RECORD_SIZE 64u

/* The word of the header that holds the cursor, a pair. */
#define LOG_HEADER_CURSOR 6

/* Word 0 of a record. */
#define LOG_RECORD_NONE 0u
#define LOG_RECORD_SLOT 0xDEADBEEFu

/* Word 1 of a record that starts with LOG_RECORD_NONE. */
#define LOG_KIND_BATCH 0x42525256u  /* "VRRB" */
#define LOG_KIND_DIGEST 0x44525256u /* "VRRD" */
#define LOG_KIND_REST 0x53525256u   /* "VRRS" */
#define LOG_KIND_VALUES 0x4F525256u /* "VRRO" */
#define LOG_KIND_START 0x49525256u  /* "VRRI" */

/* First word behind the kind, the epoch and the index of such a record. */
#define LOG_BODY 4

/* Arguments of a slot that its slot record has no room for. */
#define LOG_REST_ARGS (VYRE_SLOT_MAX_ARGS - VYRE_REPLAY_RECORD_ARGS)

/* Observables in one record. */
#define LOG_RECORD_VALUES 12u

struct _VyreReplayLog {
  char *name; /* for messages */
  int fd;
  guint64 capacity;
  guint64 cursor;
};

static inline void
replay_log_write_pair (guint8 *buffer, gsize word, guint64 value)
{
  vyre_write_word (buffer, word, (guint32)value);
  vyre_write_word (buffer, word + 1, (guint32)(value >> 32));
}

gboolean vyre_replay_log_read_at (
    const VyreReplayLog *log, void *data, gsize size, guint64 offset, GError **error);
gboolean vyre_replay_log_write_at (
    const VyreReplayLog *log, const void *data, gsize size, guint64 offset, GError **error);
gsize vyre_replay_batch_count_records (const VyreReplayBatch *batch);
gboolean vyre_replay_batch_is_valid (const VyreReplayBatch *batch);

G_END_DECLS

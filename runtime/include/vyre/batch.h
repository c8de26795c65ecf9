/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:batch
 * @title: Batch
 * @short_description: One run of a plan, and what comes of it
 *
 * vyre_megakernel_publish() returns a batch. Its owner waits for it, reads its readback, and frees
 * it before the reference to its kernel.
 */

#include <glib.h>

#include "vyre/error.h"
#include "vyre/tenants.h"

G_BEGIN_DECLS

/**
 * VyreCompletion:
 * @tag: the tag that the publisher gave the batch; also the default tag of BATCH_FENCE
 * @faults: slots that ended FAULT
 * @dropped_records: PRINTF records that found the log full
 * @payload_bytes: payload bytes that the kernel read; a byte counts as often as it
 *   was read
 * @latency: nanoseconds from publishing until the host saw the completion
 *
 * The facts about a completed batch besides its readback.
 */
typedef struct {
  guint32 tag;
  guint32 faults;
  guint32 dropped_records;
  guint64 payload_bytes;
  guint64 latency;
} VyreCompletion;

/**
 * VyreBatch:
 *
 * A published batch.
 */
typedef struct _VyreBatch VyreBatch;

/**
 * vyre_batch_set_tenant:
 * @batch: a batch that was just published, and has no tenant yet
 * @tenant: the tenant that published it
 *
 * Counts the batch as published by @tenant, and as drained once the kernel has completed it, even
 * if the batch is freed before, or the kernel is taken down with it.
 */
void vyre_batch_set_tenant (VyreBatch *batch, VyreTenant *tenant);

/**
 * vyre_batch_poll:
 * @batch: a batch
 *
 * Looks once whether the kernel has completed a batch. Without news the call takes no lock, so it
 * can be repeated; a kernel that has failed is no news, unlike in vyre_batch_wait(). One thread at
 * a time may poll or wait for the same batch.
 *
 * Returns: whether the batch completed
 */
gboolean vyre_batch_poll (VyreBatch *batch);

/**
 * vyre_batch_wait:
 * @batch: a batch
 * @end_time: deadline in g_get_monotonic_time(), later by the time that the process stands
 *   still meanwhile
 * @error: return location
 *
 * Waits until the kernel has completed a batch. One thread at a time may wait for the same batch.
 *
 * Returns: whether the batch completed; otherwise %VYRE_ERROR_TIMEOUT (the caller may wait
 *   again), the error that ended the kernel, or %VYRE_ERROR_FORKED: a parent of this process
 *   published the batch
 */
gboolean vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error);

/**
 * vyre_batch_free:
 * @batch: (transfer full): a batch
 *
 * Frees a batch. If it is in flight, the kernel runs only the tickets that it has begun, finishes
 * only the writes to sinks that have begun, and releases the payload after them. If the kernel has
 * failed, the payload is released at once: no result of it will be read. In a child of the process
 * that published the batch, the call touches neither the batch nor its payload.
 */
void vyre_batch_free (VyreBatch *batch);

/**
 * vyre_batch_get_completion:
 * @batch: a completed batch
 *
 * Gets the facts about a batch.
 *
 * Returns: (transfer none): the facts about the batch besides its readback
 */
const VyreCompletion *vyre_batch_get_completion (VyreBatch *batch);

/**
 * vyre_batch_check:
 * @batch: a completed batch
 * @error: return location
 *
 * Compares the payload bytes that the kernel read with those of the slots that have run. Programs
 * cannot write to either count, unlike the counts in the control part.
 *
 * Returns: whether they are the same; otherwise %VYRE_ERROR_STUCK: the driver ended loops
 *   early, and no result can be trusted
 */
gboolean vyre_batch_check (VyreBatch *batch, GError **error);

/**
 * vyre_batch_get_readback:
 * @batch: a completed batch
 *
 * Gets the readback of a batch.
 *
 * Returns: (transfer none) (nullable): its four parts, in the layout of its plan; %NULL if a
 *   parent of this process published the batch and its parts cannot be read here
 */
const guint8 *vyre_batch_get_readback (VyreBatch *batch);

/**
 * vyre_batch_steal_readback:
 * @batch: a completed batch
 *
 * Makes the caller the owner of the readback: it outlives the batch until
 * vyre_store_free() of the readback store.
 *
 * Returns: its offset in the readback store, in bytes
 */
gsize vyre_batch_steal_readback (VyreBatch *batch);

/**
 * vyre_batch_is_copied:
 * @batch: a batch
 *
 * Gets whether a copy engine moves the payload. May be called from any thread.
 *
 * Returns: %TRUE if it does, or did
 */
gboolean vyre_batch_is_copied (const VyreBatch *batch);

/**
 * vyre_batch_is_parked:
 * @batch: a batch that has not completed
 *
 * Tells whether a batch waits for files.
 *
 * Returns: whether the batch waits for the host to read or write files, rather than for the
 *   device
 */
gboolean vyre_batch_is_parked (VyreBatch *batch);

/**
 * vyre_batch_get_state:
 * @batch: a completed batch
 * @n_words: (out): their number; 0 without state
 *
 * Gets the words of state that a batch started from: with them and its payload, it runs again.
 *
 * Returns: (transfer none) (array length=n_words) (nullable): the words, in the order in which the
 *   program declares them, valid until the batch is freed; %NULL for a batch without a stream
 */
const guint32 *vyre_batch_get_state (VyreBatch *batch, guint *n_words);

/**
 * vyre_batch_has_older:
 * @batch: a completed batch
 * @from: VYRE_FROM_PREVIOUS or VYRE_FROM_REFERENCE
 *
 * Tells whether there was an older payload.
 *
 * Returns: whether the program reads that payload, and the stream had one of the same size;
 *   otherwise regions of it were empty
 */
gboolean vyre_batch_has_older (VyreBatch *batch, guint from);

/**
 * vyre_batch_is_reference:
 * @batch: a completed batch
 *
 * Tells whether the payload of a batch has become the reference.
 *
 * Returns: whether it is that of the batches behind it, until another one becomes it
 */
gboolean vyre_batch_is_reference (VyreBatch *batch);

/**
 * vyre_batch_get_io_error:
 * @batch: a completed batch
 *
 * Gets the error of a failed request.
 *
 * Returns: (transfer none) (nullable): the error of the first of its requests that failed, whose
 *   slot ended FAULT; %NULL if none failed
 */
const GError *vyre_batch_get_io_error (VyreBatch *batch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreBatch, vyre_batch_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The megakernel: a kernel that stays on the device, takes batches from a
 * doorbell and answers in memory the host reads. One object owns the queue, the
 * submission and completion structures, the staging and readback stores, and a
 * launcher thread that launches, renews and parks the kernel. Any number of
 * producers share it from any thread. docs/architecture.md says why it is built
 * as it is.
 */
#pragma once

#include "vyre/device.h"
#include "vyre/file-io.h"
#include "vyre/plan.h"
#include "vyre/store.h"
#include "vyre/tenants.h"

G_BEGIN_DECLS

/**
 * VyreResidency:
 * @VYRE_RESIDENCY_AUTO: the first of the others that the device proves to support
 * @VYRE_RESIDENCY_PERSISTENT: the kernel runs until it is parked; a successor is
 *   queued before its lease ends
 * @VYRE_RESIDENCY_RELAY: launches with a bounded number of loop iterations,
 *   relaunched while there is work
 * @VYRE_RESIDENCY_DISPATCH: one launch per batch
 *
 * How long a launch of the kernel stays on the device.
 */
typedef enum {
  VYRE_RESIDENCY_AUTO,
  VYRE_RESIDENCY_PERSISTENT,
  VYRE_RESIDENCY_RELAY,
  VYRE_RESIDENCY_DISPATCH,
} VyreResidency;

/**
 * VyrePlacement:
 * @VYRE_PLACEMENT_AUTO: on a GPU with memory of its own %VYRE_PLACEMENT_SPLIT, or
 *   %VYRE_PLACEMENT_BAR if it has no copy engine; else %VYRE_PLACEMENT_UNIFIED
 * @VYRE_PLACEMENT_UNIFIED: the kernel reads payloads where they were staged, and
 *   batches run where their readbacks are wanted
 * @VYRE_PLACEMENT_BAR: batches and payloads lie in memory of the device, where the
 *   CPU stores them
 * @VYRE_PLACEMENT_COPY: the same, but a copy engine moves the payloads and rings
 *   the doorbell behind them
 * @VYRE_PLACEMENT_SPLIT: small payloads are stored by the CPU, large ones moved by a
 *   copy engine
 *
 * Where batches and payloads lie, and how payloads get there.
 */
typedef enum {
  VYRE_PLACEMENT_AUTO,
  VYRE_PLACEMENT_UNIFIED,
  VYRE_PLACEMENT_BAR,
  VYRE_PLACEMENT_COPY,
  VYRE_PLACEMENT_SPLIT,
} VyrePlacement;

/**
 * VYRE_IDLE_TIMEOUT_AUTO:
 *
 * The idle timeout that suits the device. On a GPU it is 100 ms. On a CPU, where a kernel that
 * waits takes a core, a kernel waits for 2 ms, and not at all once two gaps between batches in a
 * row have been longer than 1 ms: from then on each batch has a launch of its own until one comes
 * sooner.
 */
#define VYRE_IDLE_TIMEOUT_AUTO G_MAXUINT64

/**
 * VyreMegakernelParams:
 * @residency: wanted residency
 * @placement: wanted placement
 * @copy_threshold: bytes from which on %VYRE_PLACEMENT_SPLIT takes the copy engine;
 *   0 to measure at start from which on it is faster
 * @import_threshold: bytes from which on memory of others is imported rather than
 *   copied; 0 for what measurements say of such devices
 * @staging_size: bytes of the payload store, rounded up to whole pages of 4096; also the
 *   largest payload
 * @readback_size: bytes of the readback store
 * @idle_timeout: nanoseconds without a batch after which the kernel is parked, or
 *   %VYRE_IDLE_TIMEOUT_AUTO
 * @resource_size: bytes of the staging store that files which programs name may take;
 *   0 for a quarter of it
 * @lease: nanoseconds a persistent launch stays before its successor takes over,
 *   and after some four times as many of which it ends by itself when the host has
 *   died; 0
 *   for a launch without end
 * @max_batch_time: nanoseconds that a batch may hold the device, by what the proof at start
 *   takes for a piece of work; longer ones let others in between. 0 for 100 ms, %G_MAXUINT64
 *   for no limit
 *
 * How to run a megakernel.
 */
typedef struct {
  VyreResidency residency;
  VyrePlacement placement;
  gsize copy_threshold;
  gsize import_threshold;
  gsize staging_size;
  gsize readback_size;
  gsize resource_size;
  guint64 idle_timeout;
  guint64 lease;
  guint64 max_batch_time;
} VyreMegakernelParams;

/**
 * VyreMegakernelCounters:
 * @launches: kernel launches submitted
 * @renewals: of these, successors queued before a lease ended
 * @parks: times the kernel was let go, or left by itself, for want of work
 * @batches: batches published
 * @completed: batches completed
 * @tickets: tickets of completed batches; a small batch on a device of its own is
 *   one
 * @dropped: of these, tickets that were not run, because their batch was freed before
 * @turns: times that a batch which was cut let others in before it went on
 * @progress: changes whenever a workgroup starts on a ticket of a large batch
 * @idle_polls: times a workgroup looked for work and found none
 * @spin_time: nanoseconds that threads waited awake for completions
 * @in_place_bytes: payload bytes that the kernel reads where they were staged, or in an
 *   import
 * @stored_bytes: payload bytes that the CPU stored into memory of the device
 * @copied_bytes: payload bytes that a copy engine moved there
 * @in_flight: batches published and not completed now, or not collected, see
 *   vyre_megakernel_get_counters()
 *
 * Since the megakernel was made; all but @in_flight and @progress only grow.
 */
typedef struct {
  guint64 launches;
  guint64 renewals;
  guint64 parks;
  guint64 batches;
  guint64 completed;
  guint64 tickets;
  guint64 dropped;
  guint64 turns;
  guint64 progress;
  guint64 idle_polls;
  guint64 spin_time;
  guint64 in_place_bytes;
  guint64 stored_bytes;
  guint64 copied_bytes;
  guint64 in_flight;
} VyreMegakernelCounters;

/**
 * VyreResourceCounters:
 * @requests: requests of batches that were served, whatever came of them
 * @parked: times a batch was parked until what it asked for was served
 * @prefetches: requests that no batch waited for
 * @loads: files read because they were not resident
 * @loaded_bytes: bytes of these that arrived
 * @hits: resident files that batches were published with
 * @evictions: files that had to make room for others
 * @failures: files that could not be read
 * @appends: writes to sinks
 * @appended_bytes: bytes of these
 * @syncs: sinks brought to their storage
 * @resident_bytes: bytes that resident files take now
 *
 * What a megakernel served since it was made; all but @resident_bytes only grow.
 */
typedef struct {
  guint64 requests;
  guint64 parked;
  guint64 prefetches;
  guint64 loads;
  guint64 loaded_bytes;
  guint64 hits;
  guint64 evictions;
  guint64 failures;
  guint64 appends;
  guint64 appended_bytes;
  guint64 syncs;
  guint64 resident_bytes;
} VyreResourceCounters;

/**
 * VyreCompletion:
 * @tag: what the publisher called the batch; BATCH_FENCE's default tag
 * @faults: slots that ended FAULT
 * @dropped_records: PRINTF records that found the log full
 * @payload_bytes: payload bytes the kernel read, a byte counted as often as it
 *   was read
 * @latency: nanoseconds from publishing to the host seeing the completion
 *
 * What a completed batch says of itself besides its readback.
 */
typedef struct {
  guint32 tag;
  guint32 faults;
  guint32 dropped_records;
  guint64 payload_bytes;
  guint64 latency;
} VyreCompletion;

typedef struct _VyreImport VyreImport;

/**
 * VyrePayload:
 * @offset: where it lies in the staging store, in bytes, a multiple of
 *   VYRE_GRANULE; the rest of its last granule is readable
 * @data: (nullable): where it lies instead, anywhere in memory; only for payloads
 *   that vyre_megakernel_stores_payload(), or in @import. Never a mapping of a file that
 *   others can cut: a look at what is gone ends the process
 * @import: (nullable): an import of the kernel that @data lies in; only for payloads that
 *   vyre_megakernel_can_import(). The batch takes a reference.
 * @release: (nullable): called once with @owner, from any thread, when the kernel
 *   needs the payload no longer
 * @owner: (nullable): what @release takes
 *
 * A staged payload. Its size is that of the plan.
 */
typedef struct {
  gsize offset;
  const guint8 *data;
  VyreImport *import;
  GDestroyNotify release;
  gpointer owner;
} VyrePayload;

typedef struct _VyreMegakernel VyreMegakernel;
typedef struct _VyreBatch VyreBatch;

/**
 * vyre_megakernel_new:
 * @device: the device to run on
 * @params: how to run
 * @error: return location
 *
 * Makes a megakernel and proves, with a real kernel under a deadline, that the
 * placement and the residency work. Takes tenths of a second, most of it the
 * driver's compiler, and more where something has to be tried in vain.
 *
 * Returns: (transfer full) (nullable): the megakernel, parked, or %NULL with
 *   %VYRE_ERROR_UNSUPPORTED (what was asked for does not work here),
 *   %VYRE_ERROR_TOO_LARGE, %VYRE_ERROR_NO_SPACE, %VYRE_ERROR_NO_THREAD, %VYRE_ERROR_STUCK,
 *   %VYRE_ERROR_DEVICE_LOST, %VYRE_ERROR_DEVICE or %VYRE_ERROR_FORKED
 */
VyreMegakernel *vyre_megakernel_new (
    VyreDevice *device, const VyreMegakernelParams *params, GError **error);

/**
 * vyre_megakernel_ref:
 * @kernel: a megakernel
 *
 * Returns: (transfer full): @kernel with one more reference
 */
VyreMegakernel *vyre_megakernel_ref (VyreMegakernel *kernel);

/**
 * vyre_megakernel_unref:
 * @kernel: (transfer full): a megakernel; the last reference stops the kernel and
 *   its threads. Its stores live on while anybody holds them. One of a process that
 *   this one was forked from is left alone: that may run it still
 *
 * The last reference waits for the end of the kernel, 1 s at most: tickets that the kernel has
 * begun are run to their end, others are not run. If the device, a file that is being written
 * or the driver's compiler takes longer, the rest is left to a thread, with a warning in the
 * log unless it is the compiler; payloads that the device may still read are released there, later.
 * A process that exits meanwhile waits for such threads for up to 30 s.
 */
void vyre_megakernel_unref (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_device:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): the device it runs on
 */
VyreDevice *vyre_megakernel_get_device (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_staging:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): the store payloads lie in; slices are whole pages
 */
VyreStore *vyre_megakernel_get_staging (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_readbacks:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): the store that batches are answered in
 */
VyreStore *vyre_megakernel_get_readbacks (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_resource_size:
 * @kernel: a megakernel
 *
 * Returns: bytes of the staging store that files which programs name may take
 */
gsize vyre_megakernel_get_resource_size (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_file_io:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): the reader of files into the staging store
 */
VyreFileIo *vyre_megakernel_get_file_io (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_residency:
 * @kernel: a megakernel
 *
 * Returns: the residency in use, never %VYRE_RESIDENCY_AUTO
 */
VyreResidency vyre_megakernel_get_residency (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_placement:
 * @kernel: a megakernel
 *
 * Returns: the placement in use, never %VYRE_PLACEMENT_AUTO
 */
VyrePlacement vyre_megakernel_get_placement (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_copy_threshold:
 * @kernel: a megakernel
 *
 * Returns: bytes from which on payloads go by copy engine, %G_MAXSIZE when none does
 */
gsize vyre_megakernel_get_copy_threshold (VyreMegakernel *kernel);

/**
 * vyre_megakernel_stores_payload:
 * @kernel: a megakernel
 * @size: bytes
 *
 * Returns: whether publishing stores payloads of that size into memory of the
 *   device by the CPU, from wherever they are, so that they need not be staged
 */
gboolean vyre_megakernel_stores_payload (VyreMegakernel *kernel, gsize size);

/**
 * vyre_megakernel_can_import:
 * @kernel: a megakernel
 * @size: bytes
 *
 * Returns: whether payloads of that size may come in a #VyreImport, worth it or not
 */
gboolean vyre_megakernel_can_import (VyreMegakernel *kernel, gsize size);

/**
 * vyre_megakernel_get_import_threshold:
 * @kernel: a megakernel
 *
 * Returns: bytes from which on memory of others is imported, %G_MAXSIZE when none is
 */
gsize vyre_megakernel_get_import_threshold (VyreMegakernel *kernel);

/**
 * vyre_megakernel_imports_once:
 * @kernel: a megakernel
 *
 * Returns: whether memory is worth an import that only one payload comes in, or somebody
 *   wants it so, by a threshold of his own. A GPU pins pages for an import, which takes
 *   several times as long as copying them, so there it is worth it with the second
 */
gboolean vyre_megakernel_imports_once (VyreMegakernel *kernel);

/**
 * vyre_megakernel_imports_payload:
 * @kernel: a megakernel
 * @size: bytes
 *
 * Returns: whether payloads of that size may come in a #VyreImport, and sooner so than
 *   by a copy into the staging store
 */
gboolean vyre_megakernel_imports_payload (VyreMegakernel *kernel, gsize size);

/**
 * vyre_megakernel_get_workgroups:
 * @kernel: a megakernel
 *
 * Returns: workgroups of a launch, as many as the device keeps at the same time
 */
guint vyre_megakernel_get_workgroups (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_verdict:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): in words, what was tried at start and what came of it
 */
const char *vyre_megakernel_get_verdict (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_workgroup:
 * @kernel: a megakernel
 *
 * Returns: invocations per workgroup, which plans are made for
 */
guint vyre_megakernel_get_workgroup (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_counters:
 * @kernel: a megakernel
 * @counters: (out): a snapshot
 *
 * Never waits for the device, nor for whom a payload goes back to: what is through and was not
 * collected yet counts as in flight, and as outstanding of its tenant, until a thread of the kernel
 * has done that, which this asks it to. May be called from any thread. Of a kernel of a process
 * that this one was forked from, all are 0.
 */
void vyre_megakernel_get_counters (VyreMegakernel *kernel, VyreMegakernelCounters *counters);

/**
 * vyre_megakernel_get_resource_counters:
 * @kernel: a megakernel
 * @counters: (out): a snapshot
 *
 * May be called from any thread. Of a kernel of a process that this one was forked from, all
 * are 0.
 */
void vyre_megakernel_get_resource_counters (VyreMegakernel *kernel, VyreResourceCounters *counters);

/**
 * vyre_megakernel_check:
 * @kernel: a megakernel
 * @error: return location
 *
 * Returns: whether it still works; otherwise the error that ended it for good, or
 *   %VYRE_ERROR_FORKED
 */
gboolean vyre_megakernel_check (VyreMegakernel *kernel, GError **error);

/**
 * vyre_megakernel_set_active:
 * @kernel: a megakernel
 * @active: %TRUE when a producer starts (PLAYING), %FALSE when the same one stops
 *
 * Counts the producers that may publish soon. Without any, the kernel is parked
 * at once instead of after the idle timeout. Nothing happens to a kernel of a process that
 * this one was forked from.
 */
void vyre_megakernel_set_active (VyreMegakernel *kernel, gboolean active);

/**
 * vyre_megakernel_publish:
 * @kernel: a megakernel
 * @plan: what to run; made for this kernel's workgroup size
 * @tag: what BATCH_FENCE writes to observable 0 unless the program says otherwise
 * @payload: the staged payload
 * @end_time: g_get_monotonic_time() at which to give up waiting for room, and for a
 *   kernel that can run @plan, or later by what the process stands still meanwhile; 0 not to
 *   wait
 * @error: return location
 *
 * Publishes one batch: writes it, then rings the doorbell. The caller must not
 * change the payload until it is released, which may be before this returns, and
 * frees the batch before it drops its reference to @kernel.
 *
 * The first plan with priorities, handlers or requests to the host has the kernel for such plans
 * compiled in the background, which takes tenths of a second up to many seconds. Whoever
 * publishes one waits for that, and nobody else.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL with
 *   %VYRE_ERROR_TOO_LARGE (it can never fit the readback store),
 *   %VYRE_ERROR_TIMEOUT (no room, or its kernel is still being compiled; nothing
 *   happened, the payload is still the caller's), the error that ended the kernel,
 *   the one that kept what the plan wants from being built, or %VYRE_ERROR_FORKED
 */
VyreBatch *vyre_megakernel_publish (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error);

/**
 * vyre_batch_set_tenant:
 * @batch: a batch that was just published, and has no tenant yet
 * @tenant: who published it
 *
 * Counts the batch as published by @tenant, and as drained once the kernel has
 * completed it: also when it is freed before, or when the kernel is taken down with it.
 */
void vyre_batch_set_tenant (VyreBatch *batch, VyreTenant *tenant);

/**
 * vyre_batch_wait:
 * @batch: a batch
 * @end_time: g_get_monotonic_time() at which to give up, or later by what the process stands
 *   still meanwhile
 * @error: return location
 *
 * Waits for the kernel to complete a batch. One thread at a time may wait for
 * the same batch.
 *
 * Returns: whether it completed; otherwise %VYRE_ERROR_TIMEOUT (wait again if
 *   you like), the error that ended the kernel, or %VYRE_ERROR_FORKED: it was seen to
 *   complete in the process that this one was forked from, or never will be
 */
gboolean vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error);

/**
 * vyre_batch_free:
 * @batch: (transfer full): a batch; of one in flight the kernel runs no more than the
 *   tickets that it has begun to, and its payload is released when those are through; of a
 *   kernel that has failed, nobody will see what it makes of the payload, which is released
 *   at once. What one that is dropped wants to write is written only if that has begun. One of a
 *   process that this one was forked from is left alone, and so is its payload
 */
void vyre_batch_free (VyreBatch *batch);

/**
 * vyre_batch_get_completion:
 * @batch: a completed batch
 *
 * Returns: (transfer none): what the kernel and the clock say of it
 */
const VyreCompletion *vyre_batch_get_completion (VyreBatch *batch);

/**
 * vyre_batch_check:
 * @batch: a completed batch
 * @error: return location
 *
 * Holds the payload bytes that the kernel says it read against those of the slots that have
 * run. Both are kept where programs cannot write, unlike the counts in the control part.
 *
 * Returns: whether they are the same; otherwise %VYRE_ERROR_STUCK: the driver ended loops
 *   before they were through, and no result can be trusted
 */
gboolean vyre_batch_check (VyreBatch *batch, GError **error);

/**
 * vyre_batch_get_readback:
 * @batch: a completed batch
 *
 * Returns: (transfer none) (nullable): its four parts, laid out as its plan's layout says;
 *   %NULL of one of a process that this one was forked from, if they cannot be read here
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
 * vyre_batch_is_parked:
 * @batch: a batch that has not completed
 *
 * Returns: whether it waits for the host to read or write files, rather than for the device
 */
gboolean vyre_batch_is_parked (VyreBatch *batch);

/**
 * vyre_batch_get_io_error:
 * @batch: a completed batch
 *
 * Returns: (transfer none) (nullable): why the first of its requests that failed did so;
 *   the slot that made it ended FAULT. %NULL when none did
 */
const GError *vyre_batch_get_io_error (VyreBatch *batch);

/**
 * vyre_residency_name:
 * @residency: a residency
 *
 * Returns: (transfer none): its name, as properties and messages have it
 */
const char *vyre_residency_name (VyreResidency residency);

/**
 * vyre_placement_name:
 * @placement: a placement
 *
 * Returns: (transfer none) (nullable): its name, as properties and messages have it; %NULL for the
 *     number behind the last placement
 */
const char *vyre_placement_name (VyrePlacement placement);

/**
 * vyre_placement_blurb:
 * @placement: a placement
 *
 * Returns: (transfer none): one line about it, for property descriptions
 */
const char *vyre_placement_blurb (VyrePlacement placement);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreMegakernel, vyre_megakernel_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreBatch, vyre_batch_free)

G_END_DECLS

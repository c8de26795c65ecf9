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

VyreMegakernel *vyre_megakernel_new (
    VyreDevice *device, const VyreMegakernelParams *params, GError **error);
VyreMegakernel *vyre_megakernel_ref (VyreMegakernel *kernel);
void vyre_megakernel_unref (VyreMegakernel *kernel);
VyreDevice *vyre_megakernel_get_device (VyreMegakernel *kernel);
VyreStore *vyre_megakernel_get_staging (VyreMegakernel *kernel);
VyreStore *vyre_megakernel_get_readbacks (VyreMegakernel *kernel);
gsize vyre_megakernel_get_resource_size (VyreMegakernel *kernel);
VyreFileIo *vyre_megakernel_get_file_io (VyreMegakernel *kernel);
VyreResidency vyre_megakernel_get_residency (VyreMegakernel *kernel);
VyrePlacement vyre_megakernel_get_placement (VyreMegakernel *kernel);
gsize vyre_megakernel_get_copy_threshold (VyreMegakernel *kernel);
gboolean vyre_megakernel_stores_payload (VyreMegakernel *kernel, gsize size);
gboolean vyre_megakernel_can_import (VyreMegakernel *kernel, gsize size);
gsize vyre_megakernel_get_import_threshold (VyreMegakernel *kernel);
gboolean vyre_megakernel_imports_once (VyreMegakernel *kernel);
gboolean vyre_megakernel_imports_payload (VyreMegakernel *kernel, gsize size);
guint vyre_megakernel_get_workgroups (VyreMegakernel *kernel);
const char *vyre_megakernel_get_verdict (VyreMegakernel *kernel);
guint vyre_megakernel_get_workgroup (VyreMegakernel *kernel);
void vyre_megakernel_get_counters (VyreMegakernel *kernel, VyreMegakernelCounters *counters);
void vyre_megakernel_get_resource_counters (VyreMegakernel *kernel, VyreResourceCounters *counters);
gboolean vyre_megakernel_check (VyreMegakernel *kernel, GError **error);
void vyre_megakernel_set_active (VyreMegakernel *kernel, gboolean active);

VyreBatch *vyre_megakernel_publish (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error);
void vyre_batch_set_tenant (VyreBatch *batch, VyreTenant *tenant);
gboolean vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error);
void vyre_batch_free (VyreBatch *batch);
const VyreCompletion *vyre_batch_get_completion (VyreBatch *batch);
gboolean vyre_batch_check (VyreBatch *batch, GError **error);
const guint8 *vyre_batch_get_readback (VyreBatch *batch);
gsize vyre_batch_steal_readback (VyreBatch *batch);
gboolean vyre_batch_is_parked (VyreBatch *batch);
const GError *vyre_batch_get_io_error (VyreBatch *batch);

const char *vyre_residency_name (VyreResidency residency);
const char *vyre_placement_name (VyrePlacement placement);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreMegakernel, vyre_megakernel_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreBatch, vyre_batch_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:megakernel
 * @title: Megakernel
 * @short_description: A kernel that stays on the device
 *
 * A megakernel stays on the device, takes batches from a doorbell and answers in memory that the
 * host reads. One object owns the queue, the structures of submission and completion, the staging
 * and readback stores, and the launcher, a thread that launches, renews and parks the kernel. Any
 * number of producers share it from any thread. docs/architecture.md gives the reasons for this
 * design.
 */

#include "vyre/batch.h"
#include "vyre/device.h"
#include "vyre/file-io.h"
#include "vyre/plan.h"
#include "vyre/store.h"
#include "vyre/tenants.h"

G_BEGIN_DECLS

/**
 * VyreResidency:
 * @VYRE_RESIDENCY_AUTO: the first of the others that the device passes the proof with
 * @VYRE_RESIDENCY_PERSISTENT: the kernel runs until it is parked; a successor is
 *   queued before its lease ends
 * @VYRE_RESIDENCY_RELAY: launches with a bounded number of loop iterations,
 *   relaunched while there is work
 * @VYRE_RESIDENCY_DISPATCH: one launch per batch
 *
 * How long one launch of the kernel stays on the device.
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
 * @VYRE_PLACEMENT_UNIFIED: the kernel reads payloads in the staging store, and runs batches in
 *   the readback store
 * @VYRE_PLACEMENT_BAR: batches and payloads lie in memory of the device, and the CPU stores
 *   them there
 * @VYRE_PLACEMENT_COPY: the same, but a copy engine moves the payloads and rings
 *   the doorbell after them
 * @VYRE_PLACEMENT_SPLIT: the CPU stores small payloads, a copy engine moves large ones
 *
 * The memory of batches and payloads, and the way of payloads into it.
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
 * waits takes a core, a kernel waits for 2 ms. After two gaps in a row between batches of more
 * than 1 ms it does not wait at all: each batch has its own launch until a batch comes sooner.
 */
#define VYRE_IDLE_TIMEOUT_AUTO G_MAXUINT64

/**
 * VyreMegakernelParams:
 * @residency: wanted residency
 * @placement: wanted placement
 * @copy_threshold: smallest payload in bytes that %VYRE_PLACEMENT_SPLIT moves by copy engine;
 *   0 to measure at start where the copy engine is faster
 * @import_threshold: smallest payload in bytes that is imported rather than copied; 0 = device
 *   default
 * @staging_size: bytes of the staging store, rounded up to whole pages of 4096; also the
 *   largest payload
 * @readback_size: bytes of the readback store
 * @idle_timeout: nanoseconds without a batch after which the kernel is parked, or
 *   %VYRE_IDLE_TIMEOUT_AUTO
 * @resource_size: bytes of the staging store for files that programs name;
 *   0 for a quarter of it
 * @lease: nanoseconds that a persistent launch stays before its successor takes over; when the
 *   host has died the launch ends by itself after some four times as long. 0 for a launch
 *   without end
 * @max_batch_time: nanoseconds that a batch may hold the device before it lets other batches in,
 *   estimated from the proof at start. 0 for 100 ms, %G_MAXUINT64 for no limit
 *
 * The settings of a megakernel.
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
 * @parks: times the kernel left the device for want of work
 * @batches: batches published
 * @completed: batches completed
 * @tickets: tickets of completed batches; a small batch on a device with its own memory is
 *   one ticket
 * @dropped: of these, tickets that did not run because their batch was freed before
 * @turns: times that a batch that was cut let other batches in before it went on
 * @progress: changes whenever a workgroup starts on a ticket of a large batch
 * @idle_polls: times that a workgroup looked for work and found none
 * @spin_time: nanoseconds that threads waited awake for completions
 * @sleeps: waits for completions in which the thread slept
 * @locked: batches that the kernel's lock guarded, and not that of their lane alone
 * @lanes: lanes there are now, that of vyre_megakernel_publish() included
 * @awake: threads of the process that wait awake now, on any kernel: no more than there are
 *   cores to spare
 * @in_place_bytes: payload bytes that the kernel reads in the staging store or in an import
 * @stored_bytes: payload bytes that the CPU stored into memory of the device
 * @copied_bytes: payload bytes that a copy engine moved there
 * @in_flight: batches that are published and not collected, see
 *   vyre_megakernel_get_counters()
 *
 * Counts since the megakernel was made; all but @in_flight, @lanes, @awake and @progress only
 * grow.
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
  guint64 sleeps;
  guint64 locked;
  guint64 lanes;
  guint64 awake;
  guint64 in_place_bytes;
  guint64 stored_bytes;
  guint64 copied_bytes;
  guint64 in_flight;
} VyreMegakernelCounters;

/**
 * VyreResourceCounters:
 * @requests: requests of batches that were served, with or without success
 * @parked: times that a batch was parked until its requests were served
 * @prefetches: requests that no batch waited for
 * @loads: files read because they were not resident
 * @loaded_bytes: bytes of these files that arrived
 * @hits: resident files that batches were published with
 * @evictions: files that made room for others
 * @failures: files that could not be read
 * @appends: writes to sinks
 * @appended_bytes: bytes of these writes
 * @syncs: syncs of sinks to their storage
 * @resident_bytes: bytes that resident files take now
 *
 * The requests that a megakernel served since it was made; all but @resident_bytes only grow.
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
 * VyreImport:
 *
 * Memory of the process as a buffer of the device.
 */
typedef struct _VyreImport VyreImport;

/**
 * VyrePayload:
 * @offset: its place in the staging store, in bytes, a multiple of
 *   VYRE_GRANULE; the rest of its last granule is readable
 * @data: (nullable): its address instead, anywhere in memory; only where
 *   vyre_megakernel_stores_payload() is %TRUE, or in @import. Never a mapping of a file that
 *   another process can cut: a read behind the new end ends the process
 * @import: (nullable): an import of the kernel that contains @data; only where
 *   vyre_megakernel_can_import() is %TRUE. The batch takes a reference
 * @release: (nullable): called once with @owner, from any thread, when the kernel
 *   no longer needs the payload
 * @owner: (nullable): the argument of @release
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

/**
 * VyreMegakernel:
 *
 * A megakernel.
 */
typedef struct _VyreMegakernel VyreMegakernel;
/**
 * vyre_megakernel_new:
 * @device: the device to run on
 * @params: its settings
 * @error: return location
 *
 * Makes a megakernel and proves, with a real kernel under a deadline, that the placement and the
 * residency work. The call takes tenths of a second, mostly in the driver's compiler, and longer
 * where a candidate fails and the next is tried.
 *
 * Returns: (transfer full) (nullable): the megakernel, parked, or %NULL with
 *   %VYRE_ERROR_UNSUPPORTED (the settings do not work on this device),
 *   %VYRE_ERROR_TOO_LARGE, %VYRE_ERROR_NO_SPACE, %VYRE_ERROR_NO_THREAD, %VYRE_ERROR_STUCK,
 *   %VYRE_ERROR_DEVICE_LOST, %VYRE_ERROR_DEVICE or %VYRE_ERROR_FORKED
 */
VyreMegakernel *vyre_megakernel_new (
    VyreDevice *device, const VyreMegakernelParams *params, GError **error);

/**
 * vyre_megakernel_ref:
 * @kernel: a megakernel
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @kernel with one more reference
 */
VyreMegakernel *vyre_megakernel_ref (VyreMegakernel *kernel);

/**
 * vyre_megakernel_unref:
 * @kernel: (transfer full): a megakernel
 *
 * Drops a reference. The last one stops the kernel and its threads; its stores live on while they
 * have references. In a child of the process that made the kernel the call does nothing: the parent
 * may still run it.
 *
 * The last reference waits for the end of the kernel, 1 s at most. Tickets that the kernel has
 * begun run to their end, others do not run. If the device, a file that is being written or the
 * driver's compiler takes longer, a thread does the rest, with a warning in the log unless it
 * waits for the compiler; that thread later releases the payloads that the device may still read.
 * A process that exits meanwhile waits for such threads for up to 30 s.
 */
void vyre_megakernel_unref (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_device:
 * @kernel: a megakernel
 *
 * Gets the device.
 *
 * Returns: (transfer none): the device that the kernel runs on
 */
VyreDevice *vyre_megakernel_get_device (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_staging:
 * @kernel: a megakernel
 *
 * Gets the staging store.
 *
 * Returns: (transfer none): the store of the payloads; its slices are whole pages
 */
VyreStore *vyre_megakernel_get_staging (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_readbacks:
 * @kernel: a megakernel
 *
 * Gets the readback store.
 *
 * Returns: (transfer none): the store of the readbacks
 */
VyreStore *vyre_megakernel_get_readbacks (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_payloads:
 * @kernel: a megakernel
 *
 * Gets the store that payloads are stored or copied into.
 *
 * Returns: (transfer none) (nullable): the store, or %NULL where the kernel reads payloads in the
 *   staging store
 */
VyreStore *vyre_megakernel_get_payloads (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_resource_size:
 * @kernel: a megakernel
 *
 * Gets the room for resident files.
 *
 * Returns: bytes of the staging store for files that programs name
 */
gsize vyre_megakernel_get_resource_size (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_file_io:
 * @kernel: a megakernel
 *
 * Gets the file I/O of the staging store.
 *
 * Returns: (transfer none): the reader of files into the staging store
 */
VyreFileIo *vyre_megakernel_get_file_io (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_residency:
 * @kernel: a megakernel
 *
 * Gets the residency.
 *
 * Returns: the residency in use, never %VYRE_RESIDENCY_AUTO
 */
VyreResidency vyre_megakernel_get_residency (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_placement:
 * @kernel: a megakernel
 *
 * Gets the placement.
 *
 * Returns: the placement in use, never %VYRE_PLACEMENT_AUTO
 */
VyrePlacement vyre_megakernel_get_placement (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_copy_threshold:
 * @kernel: a megakernel
 *
 * Gets the copy threshold.
 *
 * Returns: the smallest payload in bytes that goes by copy engine, %G_MAXSIZE when none does
 */
gsize vyre_megakernel_get_copy_threshold (VyreMegakernel *kernel);

/**
 * vyre_megakernel_stores_payload:
 * @kernel: a megakernel
 * @size: bytes
 *
 * Tells whether payloads need no staging.
 *
 * Returns: whether publishing stores payloads of that size into memory of the
 *   device by the CPU, from any address
 */
gboolean vyre_megakernel_stores_payload (VyreMegakernel *kernel, gsize size);

/**
 * vyre_megakernel_can_import:
 * @kernel: a megakernel
 * @size: bytes
 *
 * Tells whether payloads may be imported.
 *
 * Returns: whether payloads of that size may come in a #VyreImport, even if a copy is faster
 */
gboolean vyre_megakernel_can_import (VyreMegakernel *kernel, gsize size);

/**
 * vyre_megakernel_get_import_threshold:
 * @kernel: a megakernel
 *
 * Gets the import threshold.
 *
 * Returns: the smallest payload in bytes that is imported rather than copied, %G_MAXSIZE when
 *   none is
 */
gsize vyre_megakernel_get_import_threshold (VyreMegakernel *kernel);

/**
 * vyre_megakernel_imports_once:
 * @kernel: a megakernel
 *
 * Tells whether memory is imported with its first payload. A GPU pins the pages of an import, which
 * takes several times as long as a copy, so there only memory that comes again is worth it.
 *
 * Returns: whether memory is imported for a single payload, as on a CPU device or with an import
 *   threshold that was set
 */
gboolean vyre_megakernel_imports_once (VyreMegakernel *kernel);

/**
 * vyre_megakernel_imports_payload:
 * @kernel: a megakernel
 * @size: bytes
 *
 * Tells whether payloads should be imported.
 *
 * Returns: whether payloads of that size may come in a #VyreImport, and an import is faster than
 *   a copy into the staging store
 */
gboolean vyre_megakernel_imports_payload (VyreMegakernel *kernel, gsize size);

/**
 * vyre_megakernel_get_workgroups:
 * @kernel: a megakernel
 *
 * Gets the number of workgroups.
 *
 * Returns: workgroups of a launch, as many as the device runs at the same time
 */
guint vyre_megakernel_get_workgroups (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_verdict:
 * @kernel: a megakernel
 *
 * Gets the verdict of the proof at start.
 *
 * Returns: (transfer none): the candidates that the proof tried and their outcome, in words
 */
const char *vyre_megakernel_get_verdict (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_workgroup:
 * @kernel: a megakernel
 *
 * Gets the size of a workgroup.
 *
 * Returns: invocations per workgroup; an argument of vyre_plan_new()
 */
guint vyre_megakernel_get_workgroup (VyreMegakernel *kernel);

/**
 * vyre_megakernel_get_counters:
 * @kernel: a megakernel
 * @counters: (out): a snapshot
 *
 * Reads the counters. May be called from any thread. The call waits neither for the device nor for
 * the release of a payload: it asks a thread of the kernel to collect completed batches, and until
 * that has happened such a batch counts as in flight, and as outstanding of its tenant. In a child
 * of the process that made the kernel all are 0.
 */
void vyre_megakernel_get_counters (VyreMegakernel *kernel, VyreMegakernelCounters *counters);

/**
 * vyre_megakernel_get_resource_counters:
 * @kernel: a megakernel
 * @counters: (out): a snapshot
 *
 * Reads the counters. May be called from any thread. In a child of the process that made the kernel
 * all are 0.
 */
void vyre_megakernel_get_resource_counters (VyreMegakernel *kernel, VyreResourceCounters *counters);

/**
 * vyre_megakernel_check:
 * @kernel: a megakernel
 * @error: return location
 *
 * Checks that a megakernel works.
 *
 * Returns: whether the kernel works; otherwise the error that ended it for good, or
 *   %VYRE_ERROR_FORKED
 */
gboolean vyre_megakernel_check (VyreMegakernel *kernel, GError **error);

/**
 * vyre_megakernel_set_active:
 * @kernel: a megakernel
 * @active: %TRUE when a producer starts (PLAYING), %FALSE when the same one stops
 *
 * Counts the producers that may publish soon. Without any, the kernel is parked at once instead of
 * after the idle timeout. In a child of the process that made the kernel the call does nothing.
 */
void vyre_megakernel_set_active (VyreMegakernel *kernel, gboolean active);

/**
 * vyre_megakernel_publish:
 * @kernel: a megakernel
 * @plan: the plan to run; made for this kernel's workgroup size
 * @tag: the word that BATCH_FENCE writes to observable 0 unless the program names another
 * @payload: the staged payload
 * @end_time: deadline in g_get_monotonic_time() of the wait for room and for a kernel that can
 *   run @plan, later by the time that the process stands still meanwhile; 0 to not wait
 * @error: return location
 *
 * Publishes one batch on a lane that the kernel has for all callers of this function: as
 * vyre_lane_publish(), which threads use that shall not wait for each other.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL with an error of vyre_lane_publish()
 */
VyreBatch *vyre_megakernel_publish (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error);

/**
 * vyre_residency_name:
 * @residency: a residency
 *
 * Names a residency.
 *
 * Returns: (transfer none) (nullable): its name in properties and messages; %NULL for a number that
 *   is no residency's
 */
const char *vyre_residency_name (VyreResidency residency);

/**
 * vyre_placement_name:
 * @placement: a placement
 *
 * Names a placement.
 *
 * Returns: (transfer none) (nullable): its name in properties and messages; %NULL for a
 *   number that is no placement's, as the one behind the last placement
 */
const char *vyre_placement_name (VyrePlacement placement);

/**
 * vyre_placement_blurb:
 * @placement: a placement
 *
 * Describes a placement.
 *
 * Returns: (transfer none) (nullable): one line about it, for property descriptions; %NULL as
 *   of vyre_placement_name()
 */
const char *vyre_placement_blurb (VyrePlacement placement);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreMegakernel, vyre_megakernel_unref)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The megakernel: a kernel that stays on the device, takes batches from a
 * doorbell and answers in memory the host reads. One object owns the queue, the
 * submission and completion structures, the staging and readback stores, and a
 * keeper thread that launches, renews and parks the kernel. Any number of
 * producers share it from any thread. docs/architecture.md says why it is built
 * as it is.
 */
#pragma once

#include "vyre-device.h"
#include "vyre-ingest.h"
#include "vyre-plan.h"
#include "vyre-store.h"

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
 * VyreMegakernelParams:
 * @residency: wanted residency
 * @staging_size: bytes of the payload store; also the largest payload
 * @readback_size: bytes of the readback store
 * @idle_timeout: nanoseconds without a batch after which the kernel is parked
 * @lease: nanoseconds a persistent launch stays before its successor takes over
 *
 * How to run a megakernel.
 */
typedef struct {
  VyreResidency residency;
  gsize staging_size;
  gsize readback_size;
  guint64 idle_timeout;
  guint64 lease;
} VyreMegakernelParams;

/**
 * VyreMegakernelCounters:
 * @launches: kernel launches submitted
 * @renewals: of these, successors queued before a lease ended
 * @parks: times the kernel was let go for want of work
 * @batches: batches published
 * @completed: batches completed
 * @tickets: tickets taken by workgroups
 * @idle_polls: times a workgroup looked for work and found none
 * @spin_time: nanoseconds that threads waited awake for completions
 * @in_flight: batches published and not completed now
 *
 * Since the megakernel was made; all but @in_flight only grow.
 */
typedef struct {
  guint64 launches;
  guint64 renewals;
  guint64 parks;
  guint64 batches;
  guint64 completed;
  guint64 tickets;
  guint64 idle_polls;
  guint64 spin_time;
  guint64 in_flight;
} VyreMegakernelCounters;

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

/**
 * VyrePayload:
 * @offset: where it lies in the staging store, in bytes, a multiple of
 *   VYRE_GRANULE; the rest of its last granule is readable
 * @release: (nullable): called once with @owner, from any thread, when the kernel
 *   needs the payload no longer
 * @owner: (nullable): what @release takes
 *
 * A staged payload. Its size is that of the plan.
 */
typedef struct {
  gsize offset;
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
VyreIngest *vyre_megakernel_get_ingest (VyreMegakernel *kernel);
VyreResidency vyre_megakernel_get_residency (VyreMegakernel *kernel);
const char *vyre_megakernel_get_verdict (VyreMegakernel *kernel);
guint vyre_megakernel_get_workgroup (VyreMegakernel *kernel);
void vyre_megakernel_get_counters (VyreMegakernel *kernel, VyreMegakernelCounters *counters);
gboolean vyre_megakernel_check (VyreMegakernel *kernel, GError **error);
void vyre_megakernel_set_active (VyreMegakernel *kernel, gboolean active);

VyreBatch *vyre_megakernel_publish (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error);
gboolean vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error);
void vyre_batch_free (VyreBatch *batch);
const VyreCompletion *vyre_batch_get_completion (VyreBatch *batch);
const guint8 *vyre_batch_get_readback (VyreBatch *batch);
gsize vyre_batch_steal_readback (VyreBatch *batch);

const char *vyre_residency_name (VyreResidency residency);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreMegakernel, vyre_megakernel_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreBatch, vyre_batch_free)

G_END_DECLS

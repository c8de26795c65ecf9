/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The state of a ring, read from a readback: the statuses of its slots, the tickets and their
 * windows, counters, and progress since an earlier readback. No state is kept between two calls: a
 * snapshot is a value, and every result is a function of snapshots.
 */
#pragma once

#include <glib.h>

#include "vyre/control.h"

G_BEGIN_DECLS

/**
 * VyreSlotSnapshot:
 * @status: the status word, known or not
 * @tenant: the tenant
 * @opcode: the opcode
 * @args: the first three arguments
 *
 * One slot of a ring.
 */
typedef struct {
  guint32 status;
  guint32 tenant;
  guint32 opcode;
  guint32 args[3];
} VyreSlotSnapshot;

/**
 * VyreOccupancy:
 * @n_slots: slots of the ring
 * @by_status: slots in each status, by VYRE_STATUS_…
 * @n_unknown: slots with a status that is none of these
 *
 * The statuses of the slots of a ring.
 */
typedef struct {
  guint32 n_slots;
  guint32 by_status[VYRE_STATUSES];
  guint32 n_unknown;
} VyreOccupancy;

/**
 * VyreTelemetry:
 * @control: counters of the control buffer
 * @occupancy: of the ring
 *
 * A snapshot of control and ring.
 */
typedef struct {
  VyreControl control;
  VyreOccupancy occupancy;
} VyreTelemetry;

/**
 * VyreTicketWindow:
 * @ticket: the ticket, argument 0 of its slots
 * @opcode: their opcode
 * @tenant: of the first of them
 * @n_required: slots whose argument 1 is 0
 * @n_lookahead: slots whose argument 1 is 1
 * @by_status: slots in each status, by VYRE_STATUS_…
 *
 * The slots of one ticket and opcode.
 */
typedef struct {
  guint32 ticket;
  guint32 opcode;
  guint32 tenant;
  guint32 n_required;
  guint32 n_lookahead;
  guint32 by_status[VYRE_STATUSES];
} VyreTicketWindow;

/**
 * VyreRuntimeCounters:
 * @n_slots: slots of the ring
 * @queue_depth: slots that are neither EMPTY nor DONE
 * @n_drained: slots drained so far, modulo 2^32
 * @n_unreclaimed: DONE slots that were not published again
 * @n_requeued: slots in REQUEUE
 * @n_faults: slots in FAULT
 * @n_idle: EMPTY slots
 * @idle_ppm: EMPTY slots per million
 * @queue_depth_bps: @queue_depth per ten thousand slots
 * @occupied_bps: slots that are not EMPTY, per ten thousand
 * @tenant_fairness_total: sum over the tenants' fairness counters
 * @tenant_fairness_skew: largest less smallest of those that are not 0
 * @priority_fairness_total: sum over the priorities' fairness counters
 *
 * Values of a snapshot for a monitor. The ratios of a ring without slots are 0, and
 * all of them are rounded down.
 */
typedef struct {
  guint32 n_slots;
  guint32 queue_depth;
  guint32 n_drained;
  guint32 n_unreclaimed;
  guint32 n_requeued;
  guint32 n_faults;
  guint32 n_idle;
  guint32 idle_ppm;
  guint32 queue_depth_bps;
  guint32 occupied_bps;
  guint64 tenant_fairness_total;
  guint32 tenant_fairness_skew;
  guint64 priority_fairness_total;
} VyreRuntimeCounters;

/**
 * VyreHealth:
 * @done_delta: slots drained between two snapshots, modulo 2^32
 * @queue_depth: slots of the later one that are neither EMPTY nor DONE
 * @n_requeued: its slots in REQUEUE
 * @n_faults: its slots in FAULT
 * @idle_ppm: its EMPTY slots per million
 * @suspected_stall: work is queued, none was drained, and there is no fault
 *
 * The verdict of the watchdog over two snapshots.
 */
typedef struct {
  guint32 done_delta;
  guint32 queue_depth;
  guint32 n_requeued;
  guint32 n_faults;
  guint32 idle_ppm;
  gboolean suspected_stall;
} VyreHealth;

/**
 * vyre_telemetry_read:
 * @telemetry: (out caller-allocates): the snapshot
 * @control: a control buffer, any alignment
 * @control_size: its bytes
 * @ring: a ring, any alignment
 * @ring_size: its bytes
 * @error: return location
 *
 * Returns: %TRUE when the sizes are those of a control buffer and a ring; otherwise
 *   @telemetry is as it was and @error is %VYRE_ERROR_MISALIGNED or
 *   %VYRE_ERROR_MISSING_WORD
 */
gboolean vyre_telemetry_read (VyreTelemetry *telemetry, const void *control, gsize control_size,
    const void *ring, gsize ring_size, GError **error);

/**
 * vyre_telemetry_read_slot:
 * @ring: a ring, any alignment
 * @slot: index of one of its slots
 * @snapshot: (out caller-allocates): its words
 */
void vyre_telemetry_read_slot (const void *ring, guint32 slot, VyreSlotSnapshot *snapshot);

/**
 * vyre_telemetry_read_windows:
 * @ring: a ring, any alignment
 * @size: its bytes
 * @opcodes: (array length=n_opcodes): opcodes whose argument 0 is a ticket
 * @n_opcodes: number of opcodes
 * @error: return location
 *
 * Groups the slots that have one of @opcodes by ticket and opcode, whatever their
 * status is: an EMPTY slot keeps its last words.
 *
 * Returns: (transfer full) (nullable) (element-type VyreTicketWindow): the windows,
 *   by ticket, then opcode, or %NULL with %VYRE_ERROR_MISALIGNED
 */
GArray *vyre_telemetry_read_windows (
    const void *ring, gsize size, const guint32 *opcodes, guint n_opcodes, GError **error);

/**
 * vyre_ticket_window_is_active:
 * @window: a window
 *
 * Returns: %TRUE when the kernel or the host still has work for it; slots
 *   that are EMPTY, DONE or in FAULT have ended
 */
gboolean vyre_ticket_window_is_active (const VyreTicketWindow *window);

/**
 * vyre_occupancy_get_queue_depth:
 * @occupancy: of a ring
 *
 * Returns: slots that are neither EMPTY nor DONE, those in FAULT or an unknown
 *   status included
 */
guint32 vyre_occupancy_get_queue_depth (const VyreOccupancy *occupancy);

/**
 * vyre_telemetry_count:
 * @telemetry: a snapshot
 * @counters: (out caller-allocates): its counters
 */
void vyre_telemetry_count (const VyreTelemetry *telemetry, VyreRuntimeCounters *counters);

/**
 * vyre_telemetry_watch:
 * @now: a snapshot
 * @before: an earlier one of the same control buffer
 * @health: (out caller-allocates): the verdict
 *
 * The watchdog. DONE_COUNT may wrap between the two, once.
 */
void vyre_telemetry_watch (
    const VyreTelemetry *now, const VyreTelemetry *before, VyreHealth *health);

G_END_DECLS

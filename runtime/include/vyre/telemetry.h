/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:telemetry
 * @title: Telemetry
 * @short_description: The state of a ring, from a readback
 *
 * A readback tells how the slots of a ring are occupied, the state of its tickets, the counters
 * that follow, and whether anything moved since the readback before. No state is kept between two
 * calls: a snapshot is a value, and everything else is a function of snapshots.
 */

#include <glib.h>

#include "vyre/control.h"

G_BEGIN_DECLS

/**
 * VyreSlotSnapshot:
 * @status: the status word, even if it has no meaning
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
 * @n_unknown: slots with an unknown status
 *
 * The number of slots of a ring in each status.
 */
typedef struct {
  guint32 n_slots;
  guint32 by_status[VYRE_STATUSES];
  guint32 n_unknown;
} VyreOccupancy;

/**
 * VyreTelemetry:
 * @control: counters of the control part
 * @occupancy: occupancy of the ring
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
 * @tenant: the tenant of the first of them
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
 * @n_unreclaimed: DONE slots that were not published into since
 * @n_requeued: slots in REQUEUE
 * @n_faults: slots in FAULT
 * @n_idle: EMPTY slots
 * @idle_ppm: EMPTY slots per million
 * @queue_depth_bps: @queue_depth per ten thousand slots
 * @occupied_bps: slots that are not EMPTY, per ten thousand
 * @tenant_fairness_total: sum over the tenants' fairness counters
 * @tenant_fairness_skew: largest minus smallest of the counters that are not 0
 * @priority_fairness_total: sum over the priorities' fairness counters
 *
 * The numbers that a monitor shows of a snapshot. Ratios are rounded down, and 0 for a ring without
 * slots.
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
 * @suspected_stall: whether there is work, none of it was drained, and no slot faulted
 *
 * The watchdog's result for two snapshots.
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
 * @control: a control part, any alignment
 * @control_size: its bytes
 * @ring: a ring, any alignment
 * @ring_size: its bytes
 * @error: return location
 *
 * Takes a snapshot of a control part and a ring.
 *
 * Returns: whether the sizes are those of a control part and a ring; otherwise
 *   @telemetry is as before and @error is %VYRE_ERROR_MISALIGNED or
 *   %VYRE_ERROR_MISSING_WORD
 */
gboolean vyre_telemetry_read (VyreTelemetry *telemetry, const void *control, gsize control_size,
    const void *ring, gsize ring_size, GError **error);

/**
 * vyre_telemetry_read_slot:
 * @ring: a ring, any alignment
 * @slot: index of one of its slots
 * @snapshot: (out caller-allocates): its words
 *
 * Reads one slot.
 */
void vyre_telemetry_read_slot (const void *ring, guint32 slot, VyreSlotSnapshot *snapshot);

/**
 * vyre_telemetry_read_windows:
 * @ring: a ring, any alignment
 * @size: its bytes
 * @opcodes: (array length=n_opcodes): opcodes whose argument 0 is a ticket
 * @n_opcodes: how many
 * @error: return location
 *
 * Groups the slots with one of @opcodes by ticket and opcode. Slots of every status count: an EMPTY
 * slot keeps the words of its last operation.
 *
 * Returns: (transfer full) (nullable) (element-type VyreTicketWindow): the windows,
 *   ordered by ticket, then opcode, or %NULL with %VYRE_ERROR_MISALIGNED
 */
GArray *vyre_telemetry_read_windows (
    const void *ring, gsize size, const guint32 *opcodes, guint n_opcodes, GError **error);

/**
 * vyre_ticket_window_is_active:
 * @window: a window
 *
 * Tells whether a window has work left.
 *
 * Returns: whether any slot of the window has not ended; slots that are EMPTY, DONE or in
 *   FAULT have ended
 */
gboolean vyre_ticket_window_is_active (const VyreTicketWindow *window);

/**
 * vyre_occupancy_get_queue_depth:
 * @occupancy: the occupancy of a ring
 *
 * Computes the queue depth.
 *
 * Returns: slots that are neither EMPTY nor DONE; slots in FAULT and slots with an unknown
 *   status count
 */
guint32 vyre_occupancy_get_queue_depth (const VyreOccupancy *occupancy);

/**
 * vyre_telemetry_count:
 * @telemetry: a snapshot
 * @counters: (out caller-allocates): the numbers for a monitor
 *
 * Computes the numbers that a monitor shows.
 */
void vyre_telemetry_count (const VyreTelemetry *telemetry, VyreRuntimeCounters *counters);

/**
 * vyre_telemetry_watch:
 * @now: a snapshot
 * @before: an earlier snapshot of the same control part
 * @health: (out caller-allocates): the result
 *
 * Compares two snapshots; this is the watchdog. DONE_COUNT may wrap once between the two.
 */
void vyre_telemetry_watch (
    const VyreTelemetry *now, const VyreTelemetry *before, VyreHealth *health);

G_END_DECLS

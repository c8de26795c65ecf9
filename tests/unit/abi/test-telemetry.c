/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/vyre.h"

#include <string.h>

#define SLOTS 8
#define RING_BYTES (SLOTS * 4 * VYRE_SLOT_WORDS)
#define CONTROL_BYTES (4 * VYRE_CONTROL_OBSERVABLES)

typedef struct {
  guint32 control[VYRE_CONTROL_OBSERVABLES];
  guint32 ring[SLOTS * VYRE_SLOT_WORDS];
} Buffers;

static void
init (Buffers *buffers)
{
  memset (buffers, 0, sizeof *buffers);
  g_assert_true (
      vyre_encode_control_into (buffers->control, sizeof buffers->control, 0, 1, FALSE, NULL));
}

static void
set_control (Buffers *buffers, guint word, guint32 value)
{
  buffers->control[word] = GUINT32_TO_LE (value);
}

static void
set_slot (Buffers *buffers, guint slot, guint word, guint32 value)
{
  buffers->ring[slot * VYRE_SLOT_WORDS + word] = GUINT32_TO_LE (value);
}

static void
set_status (Buffers *buffers, guint slot, guint32 status)
{
  set_slot (buffers, slot, VYRE_SLOT_STATUS, status);
}

/* A slot in a status, as part of a ticket. */
static void
set_ticket (
    Buffers *buffers, guint slot, guint32 status, guint32 opcode, guint32 ticket, guint32 class)
{
  set_status (buffers, slot, status);
  set_slot (buffers, slot, VYRE_SLOT_OPCODE, opcode);
  set_slot (buffers, slot, VYRE_SLOT_TENANT, slot);
  set_slot (buffers, slot, VYRE_SLOT_ARGS, ticket);
  set_slot (buffers, slot, VYRE_SLOT_ARGS + 1, class);
}

static VyreTelemetry
read_buffers (const Buffers *buffers)
{
  g_autoptr (GError) error = NULL;
  VyreTelemetry telemetry;

  vyre_telemetry_read (
      &telemetry, buffers->control, CONTROL_BYTES, buffers->ring, RING_BYTES, &error);
  g_assert_no_error (error);
  return telemetry;
}

static VyreRuntimeCounters
count (const Buffers *buffers)
{
  VyreTelemetry telemetry = read_buffers (buffers);
  VyreRuntimeCounters counters;

  vyre_telemetry_count (&telemetry, &counters);
  return counters;
}

/* The call reads the first and the last word of each table, and not their neighbours. */
static void
test_control (void)
{
  Buffers buffers;

  init (&buffers);
  set_control (&buffers, 0, 0x80000000);
  set_control (&buffers, 1, 11);
  set_control (&buffers, 63, 1);
  set_control (&buffers, 64, 12);
  set_control (&buffers, 95, 13);
  set_control (&buffers, 96, 14);
  set_control (&buffers, 127, 15);
  set_control (&buffers, 128, 16);
  set_control (&buffers, 135, 1);
  set_control (&buffers, 136, 17);
  set_control (&buffers, 140, 18);
  set_control (&buffers, 141, 1);
  VyreTelemetry telemetry = read_buffers (&buffers);
  g_assert_true (telemetry.control.shutdown);
  g_assert_cmpuint (telemetry.control.done_count, ==, 11);
  g_assert_cmpuint (telemetry.control.tenant_fairness[0], ==, 12);
  g_assert_cmpuint (telemetry.control.tenant_fairness[31], ==, 13);
  g_assert_cmpuint (telemetry.control.metrics[0], ==, 14);
  g_assert_cmpuint (telemetry.control.metrics[31], ==, 15);
  g_assert_cmpuint (telemetry.control.epoch, ==, 16);
  g_assert_cmpuint (telemetry.control.priority_fairness[0], ==, 17);
  g_assert_cmpuint (telemetry.control.priority_fairness[4], ==, 18);
}

static void
test_fairness (void)
{
  Buffers buffers;

  init (&buffers);
  VyreRuntimeCounters counters = count (&buffers);
  g_assert_cmpuint (counters.tenant_fairness_total, ==, 0);
  g_assert_cmpuint (counters.tenant_fairness_skew, ==, 0);
  set_control (&buffers, VYRE_CONTROL_FAIRNESS + 7, G_MAXUINT32);
  counters = count (&buffers);
  g_assert_cmpuint (counters.tenant_fairness_skew, ==, 0);
  set_control (&buffers, VYRE_CONTROL_FAIRNESS + 9, 5);
  set_control (&buffers, VYRE_CONTROL_PRIORITY_FAIRNESS, G_MAXUINT32);
  set_control (&buffers, VYRE_CONTROL_PRIORITY_FAIRNESS + 1, 1);
  counters = count (&buffers);
  g_assert_cmpuint (counters.tenant_fairness_skew, ==, G_MAXUINT32 - 5);
  g_assert_cmpuint (counters.tenant_fairness_total, ==, G_MAXUINT32 + G_GUINT64_CONSTANT (5));
  g_assert_cmpuint (counters.priority_fairness_total, ==, G_GUINT64_CONSTANT (1) << 32);
}

/* One slot in each status: those that are not EMPTY or DONE count as waiting. */
static void
test_occupancy (void)
{
  Buffers buffers;

  init (&buffers);
  for (guint slot = 0; slot < SLOTS; slot++)
    set_status (&buffers, slot, slot);
  VyreTelemetry telemetry = read_buffers (&buffers);
  for (guint status = 0; status < VYRE_STATUSES; status++)
    g_assert_cmpuint (telemetry.occupancy.by_status[status], ==, 1);
  VyreRuntimeCounters counters = count (&buffers);
  g_assert_cmpuint (counters.queue_depth, ==, 6);
  g_assert_cmpuint (counters.idle_ppm, ==, 125000);
  g_assert_cmpuint (counters.queue_depth_bps, ==, 7500);
  g_assert_cmpuint (counters.occupied_bps, ==, 8750);
  set_status (&buffers, VYRE_STATUS_DONE, VYRE_STATUSES);
  set_status (&buffers, VYRE_STATUS_EMPTY, G_MAXUINT32);
  telemetry = read_buffers (&buffers);
  g_assert_cmpuint (telemetry.occupancy.n_unknown, ==, 2);
  g_assert_cmpuint (vyre_occupancy_get_queue_depth (&telemetry.occupancy), ==, SLOTS);
}

static void
test_no_slots (void)
{
  Buffers buffers;
  VyreTelemetry telemetry;
  VyreRuntimeCounters counters;

  init (&buffers);
  g_assert_true (vyre_telemetry_read (&telemetry, buffers.control, CONTROL_BYTES, NULL, 0, NULL));
  vyre_telemetry_count (&telemetry, &counters);
  g_assert_cmpuint (counters.idle_ppm + counters.queue_depth_bps + counters.occupied_bps, ==, 0);
}

static void
assert_refused (gsize control_size, gsize ring_size, VyreError code)
{
  g_autofree guint8 *control = g_malloc0 (control_size);
  g_autofree guint8 *ring = g_malloc0 (ring_size);
  g_autoptr (GError) error = NULL;
  VyreTelemetry telemetry, before;

  memset (&telemetry, 0x5A, sizeof telemetry);
  before = telemetry;
  g_assert_false (vyre_telemetry_read (&telemetry, control, control_size, ring, ring_size, &error));
  g_assert_error (error, VYRE_ERROR, (int)code);
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_assert_cmpmem (&telemetry, sizeof telemetry, &before, sizeof before);
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  Buffers buffers;

  init (&buffers);
  assert_refused (CONTROL_BYTES - 4, RING_BYTES, VYRE_ERROR_MISSING_WORD);
  assert_refused (CONTROL_BYTES + 2, RING_BYTES, VYRE_ERROR_MISALIGNED);
  assert_refused (CONTROL_BYTES, RING_BYTES - 4, VYRE_ERROR_MISALIGNED);
  g_assert_null (vyre_telemetry_read_windows (buffers.ring, RING_BYTES - 1, NULL, 0, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_MISALIGNED);
}

/* Little-endian words at an odd address give the same telemetry. */
static void
test_unaligned (void)
{
  guint8 control[CONTROL_BYTES + 1], ring[RING_BYTES + 1];
  VyreTelemetry aligned, unaligned;
  VyreSlotSnapshot slot;
  Buffers buffers;

  init (&buffers);
  set_control (&buffers, VYRE_CONTROL_DONE_COUNT, 0x01020304);
  set_ticket (&buffers, 3, VYRE_STATUS_YIELD, 0x11121314, 0x21222324, 0x31323334);
  memcpy (control + 1, buffers.control, CONTROL_BYTES);
  memcpy (ring + 1, buffers.ring, RING_BYTES);
  aligned = read_buffers (&buffers);
  g_assert_true (
      vyre_telemetry_read (&unaligned, control + 1, CONTROL_BYTES, ring + 1, RING_BYTES, NULL));
  g_assert_cmpmem (&unaligned, sizeof unaligned, &aligned, sizeof aligned);
  vyre_telemetry_read_slot (ring + 1, 3, &slot);
  g_assert_cmpuint (slot.status, ==, VYRE_STATUS_YIELD);
  g_assert_cmpuint (slot.opcode, ==, 0x11121314);
  g_assert_cmpuint (slot.tenant, ==, 3);
  g_assert_cmpuint (slot.args[0], ==, 0x21222324);
  g_assert_cmpuint (slot.args[1], ==, 0x31323334);
  g_assert_cmpuint (slot.args[2], ==, 0);
}

static void
test_windows (void)
{
  const guint32 opcodes[] = { 40, 41, 40 };
  const VyreTicketWindow *window;
  Buffers buffers;

  init (&buffers);
  set_ticket (&buffers, 0, VYRE_STATUS_DONE, 41, 0x80000000, 0);
  set_ticket (&buffers, 1, VYRE_STATUS_FAULT, 41, 9, 1);
  set_ticket (&buffers, 2, VYRE_STATUS_EMPTY, 40, 9, 0);
  set_ticket (&buffers, 3, VYRE_STATUS_WAIT_IO, 40, 9, 1);
  set_ticket (&buffers, 4, VYRE_STATUSES, 40, 9, 2);
  set_ticket (&buffers, 5, VYRE_STATUS_PUBLISHED, 42, 9, 0);
  set_ticket (&buffers, 6, VYRE_STATUS_PUBLISHED, 0, 9, 0);
  g_autoptr (GArray) windows = vyre_telemetry_read_windows (
      buffers.ring, RING_BYTES, opcodes, G_N_ELEMENTS (opcodes), NULL);
  g_assert_cmpuint (windows->len, ==, 3);

  window = &g_array_index (windows, VyreTicketWindow, 0);
  g_assert_cmpuint (window->ticket, ==, 9);
  g_assert_cmpuint (window->opcode, ==, 40);
  g_assert_cmpuint (window->tenant, ==, 2);
  g_assert_cmpuint (window->n_required, ==, 1);
  g_assert_cmpuint (window->n_lookahead, ==, 1);
  g_assert_cmpuint (window->by_status[VYRE_STATUS_WAIT_IO], ==, 1);
  g_assert_true (vyre_ticket_window_is_active (window));

  window = &g_array_index (windows, VyreTicketWindow, 1);
  g_assert_cmpuint (window->opcode, ==, 41);
  g_assert_cmpuint (window->by_status[VYRE_STATUS_FAULT], ==, 1);
  g_assert_false (vyre_ticket_window_is_active (window));

  window = &g_array_index (windows, VyreTicketWindow, 2);
  g_assert_cmpuint (window->ticket, ==, 0x80000000);
  g_assert_false (vyre_ticket_window_is_active (window));
}

static VyreHealth
watch (const Buffers *now, const Buffers *before)
{
  VyreTelemetry later = read_buffers (now), earlier = read_buffers (before);
  VyreHealth health;

  vyre_telemetry_watch (&later, &earlier, &health);
  return health;
}

/* DONE_COUNT wraps around; a stall is waiting slots, no progress and no fault. */
static void
test_watchdog (void)
{
  Buffers before, now;

  init (&before);
  set_control (&before, VYRE_CONTROL_DONE_COUNT, G_MAXUINT32 - 1);
  now = before;
  g_assert_false (watch (&now, &before).suspected_stall);
  set_status (&now, 5, VYRE_STATUS_WAIT_IO);
  VyreHealth health = watch (&now, &before);
  g_assert_cmpuint (health.done_delta, ==, 0);
  g_assert_cmpuint (health.queue_depth, ==, 1);
  g_assert_cmpuint (health.idle_ppm, ==, 875000);
  g_assert_true (health.suspected_stall);
  set_control (&now, VYRE_CONTROL_DONE_COUNT, 3);
  health = watch (&now, &before);
  g_assert_cmpuint (health.done_delta, ==, 5);
  g_assert_false (health.suspected_stall);
  now = before;
  set_status (&now, 5, VYRE_STATUS_REQUEUE);
  set_status (&now, 6, VYRE_STATUS_FAULT);
  health = watch (&now, &before);
  g_assert_cmpuint (health.n_requeued, ==, 1);
  g_assert_cmpuint (health.n_faults, ==, 1);
  g_assert_false (health.suspected_stall);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/telemetry/control", test_control);
  g_test_add_func ("/telemetry/fairness", test_fairness);
  g_test_add_func ("/telemetry/occupancy", test_occupancy);
  g_test_add_func ("/telemetry/no-slots", test_no_slots);
  g_test_add_func ("/telemetry/refused", test_refused);
  g_test_add_func ("/telemetry/unaligned", test_unaligned);
  g_test_add_func ("/telemetry/windows", test_windows);
  g_test_add_func ("/telemetry/watchdog", test_watchdog);
  return g_test_run ();
}

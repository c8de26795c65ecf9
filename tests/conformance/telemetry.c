/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance.h"

#define WATCHDOG_RULE 8

/* What the reference calls the statuses of a ring slot. */
static const char *const status_names[VYRE_STATUSES] = { [VYRE_STATUS_EMPTY] = "empty",
  [VYRE_STATUS_PUBLISHED] = "published",
  [VYRE_STATUS_CLAIMED] = "claimed",
  [VYRE_STATUS_DONE] = "done",
  [VYRE_STATUS_WAIT_IO] = "wait_io",
  [VYRE_STATUS_YIELD] = "yield",
  [VYRE_STATUS_REQUEUE] = "requeue",
  [VYRE_STATUS_FAULT] = "fault" };

static void
check_words (Case *c, JsonObject *expected, const char *member, const guint32 *words, guint n)
{
  g_autoptr (GArray) wanted = get_words (expected, member);

  if (wanted->len != n)
    case_fail (c, "%s has %u words, not %u", member, n, wanted->len);
  for (guint i = 0; i < MIN (n, wanted->len); i++) {
    if (words[i] != g_array_index (wanted, guint32, i))
      case_fail (c, "%s[%u] is %u", member, i, words[i]);
  }
}

/* [[opcode, count], …] of those that are not 0 */
static void
check_metrics (Case *c, JsonObject *expected, const guint32 *metrics)
{
  JsonArray *wanted = json_object_get_array_member (expected, "metrics");
  guint32 all[VYRE_CONTROL_METRICS_COUNT] = { 0 };

  for (guint i = 0; i < json_array_get_length (wanted); i++) {
    JsonArray *pair = json_array_get_array_element (wanted, i);
    all[json_array_get_int_element (pair, 0)] = (guint32)json_array_get_int_element (pair, 1);
  }
  for (guint opcode = 0; opcode < VYRE_CONTROL_METRICS_COUNT; opcode++) {
    if (metrics[opcode] != all[opcode])
      case_fail (c, "the metric of opcode %u is %u, not %u", opcode, metrics[opcode], all[opcode]);
  }
}

static void
check_control (Case *c, JsonObject *expected, const VyreControl *control)
{
  check_flag (c, expected, "shutdown", control->shutdown);
  check_number (c, expected, "done_count", control->done_count);
  check_number (c, expected, "epoch", control->epoch);
  check_metrics (c, expected, control->metrics);
  check_words (c, expected, "tenant_fairness", control->tenant_fairness,
      G_N_ELEMENTS (control->tenant_fairness));
  check_words (c, expected, "priority_fairness", control->priority_fairness,
      G_N_ELEMENTS (control->priority_fairness));
}

static void
check_occupancy (Case *c, JsonObject *expected, const VyreOccupancy *occupancy)
{
  for (guint status = 0; status < VYRE_STATUSES; status++)
    check_number (c, expected, status_names[status], occupancy->by_status[status]);
  check_number (c, expected, "unknown", occupancy->n_unknown);
  check_number (c, expected, "total_slots", occupancy->n_slots);
  check_number (c, expected, "queue_depth", vyre_occupancy_get_queue_depth (occupancy));
}

static void
check_counters (Case *c, JsonObject *expected, const VyreTelemetry *telemetry)
{
  VyreRuntimeCounters counters;

  vyre_telemetry_count (telemetry, &counters);
  check_number (c, expected, "total_slots", counters.n_slots);
  check_number (c, expected, "queue_depth", counters.queue_depth);
  check_number (c, expected, "drained_slots", counters.n_drained);
  check_number (c, expected, "unreclaimed_done_slots", counters.n_unreclaimed);
  check_number (c, expected, "requeue_slots", counters.n_requeued);
  check_number (c, expected, "fault_slots", counters.n_faults);
  check_number (c, expected, "gpu_idle_slots", counters.n_idle);
  check_number (c, expected, "gpu_idle_ppm", counters.idle_ppm);
  check_number (c, expected, "frontier_density_bps", counters.queue_depth_bps);
  check_number (c, expected, "occupancy_proxy_bps", counters.occupied_bps);
  check_number (c, expected, "tenant_fairness_total", counters.tenant_fairness_total);
  check_number (c, expected, "tenant_fairness_skew", counters.tenant_fairness_skew);
  check_number (c, expected, "priority_fairness_total", counters.priority_fairness_total);
}

/* Rows are [slot, status, tenant, opcode, arg0, arg1, arg2]. */
static void
check_slots (Case *c, const GByteArray *ring)
{
  JsonArray *rows = json_object_get_array_member (c->out, "slots");

  if (json_array_get_length (rows) != ring->len / (4 * VYRE_SLOT_WORDS))
    case_fail (c, "the ring should have %u slots", json_array_get_length (rows));
  for (guint i = 0; i < json_array_get_length (rows); i++) {
    JsonArray *row = json_array_get_array_element (rows, i);
    VyreSlotSnapshot slot;
    vyre_telemetry_read_slot (ring->data, (guint32)json_array_get_int_element (row, 0), &slot);
    const guint32 words[]
        = { slot.status, slot.tenant, slot.opcode, slot.args[0], slot.args[1], slot.args[2] };
    for (guint j = 0; j < G_N_ELEMENTS (words); j++) {
      if (words[j] != json_array_get_int_element (row, j + 1))
        case_fail (c, "slot %u: number %u of its row is %u", i, j + 1, words[j]);
    }
  }
}

static void
check_window (Case *c, JsonObject *expected, const VyreTicketWindow *window)
{
  check_number (c, expected, "ticket", window->ticket);
  check_number (c, expected, "opcode", window->opcode);
  check_number (c, expected, "tenant_id", window->tenant);
  check_number (c, expected, "required_slots", window->n_required);
  check_number (c, expected, "lookahead_slots", window->n_lookahead);
  check_flag (c, expected, "is_active", vyre_ticket_window_is_active (window));
  for (guint status = VYRE_STATUS_PUBLISHED; status < VYRE_STATUSES; status++)
    check_number (c, expected, status_names[status], window->by_status[status]);
}

static void
check_windows (Case *c, const GByteArray *ring)
{
  g_autoptr (GArray) opcodes = get_words (c->in, "window_opcodes");
  g_autoptr (GArray) windows = vyre_telemetry_read_windows (
      ring->data, ring->len, (guint32 *)(gpointer)opcodes->data, opcodes->len, NULL);
  JsonArray *wanted = json_object_get_array_member (c->out, "windows");

  if (windows == NULL || windows->len != json_array_get_length (wanted)) {
    case_fail (c, "there should be %u windows", json_array_get_length (wanted));
    return;
  }
  for (guint i = 0; i < windows->len; i++)
    check_window (c, json_array_get_object_element (wanted, i),
        &g_array_index (windows, VyreTicketWindow, i));
}

static gboolean
read_telemetry (JsonObject *buffers, VyreTelemetry *telemetry, GError **error)
{
  g_autoptr (GByteArray) control = get_bytes (buffers, "control");
  g_autoptr (GByteArray) ring = get_bytes (buffers, "ring");

  return vyre_telemetry_read (telemetry, control->data, control->len, ring->data, ring->len, error);
}

static void
run_telemetry (Case *c)
{
  g_autoptr (GByteArray) ring = get_bytes (c->in, "ring");
  g_autoptr (GError) error = NULL;
  VyreTelemetry telemetry;

  gboolean ok = read_telemetry (c->in, &telemetry, &error);
  check_result (c, c->out, ok, error);
  if (!ok || !get_flag (c->out, "ok"))
    return;
  check_control (c, json_object_get_object_member (c->out, "control"), &telemetry.control);
  check_occupancy (c, json_object_get_object_member (c->out, "occupancy"), &telemetry.occupancy);
  check_counters (c, json_object_get_object_member (c->out, "runtime_counters"), &telemetry);
  check_slots (c, ring);
  check_windows (c, ring);
}

/* The reference gives up where DONE_COUNT goes down; ours went around. */
static void
check_wrapped (
    Case *c, const VyreTelemetry *now, const VyreTelemetry *before, const VyreHealth *health)
{
  guint64 done = now->control.done_count + (G_GUINT64_CONSTANT (1) << 32);

  if (now->control.done_count >= before->control.done_count)
    case_fail (c, "was accepted, and should not have been");
  if (health->done_delta != done - before->control.done_count)
    case_fail (c, "done_delta is %u", health->done_delta);
  if (health->suspected_stall)
    case_fail (c, "what moved around is no stall");
  case_differs (c, WATCHDOG_RULE);
}

static void
run_watchdog (Case *c)
{
  g_autoptr (GError) error = NULL;
  VyreTelemetry now, before;
  VyreHealth health;

  if (!read_telemetry (json_object_get_object_member (c->in, "current"), &now, &error)
      || !read_telemetry (json_object_get_object_member (c->in, "previous"), &before, &error)) {
    check_result (c, c->out, FALSE, error);
    return;
  }
  vyre_telemetry_watch (&now, &before, &health);
  if (!get_flag (c->out, "ok")) {
    check_wrapped (c, &now, &before, &health);
    return;
  }
  check_number (c, c->out, "done_delta", health.done_delta);
  check_number (c, c->out, "queue_depth", health.queue_depth);
  check_number (c, c->out, "requeue_slots", health.n_requeued);
  check_number (c, c->out, "fault_slots", health.n_faults);
  check_number (c, c->out, "gpu_idle_ppm", health.idle_ppm);
  check_flag (c, c->out, "suspected_stall", health.suspected_stall);
}

const Operation telemetry_operations[] = {
  { "ring_telemetry", run_telemetry },
  { "watchdog_health_since", run_watchdog },
  { NULL },
};

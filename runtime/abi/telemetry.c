/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/telemetry.h"

#include "vyre/parts.h"

#define SLOT_BYTES (4 * VYRE_SLOT_WORDS)
#define PER_MILLION 1000000
#define PER_TEN_THOUSAND 10000

/* The ticket of a slot, its argument 1. */
#define CLASS_REQUIRED 0
#define CLASS_LOOKAHEAD 1

static gboolean
telemetry_check_ring (gsize size, GError **error)
{
  if (size % SLOT_BYTES == 0 && size / SLOT_BYTES <= G_MAXUINT32)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISALIGNED,
      "A snapshot of %" G_GSIZE_FORMAT " ring bytes is not a ring's. Fix: take whole slots of %d "
      "bytes.",
      size, SLOT_BYTES);
  return FALSE;
}

static void
telemetry_read_occupancy (const void *ring, gsize size, VyreOccupancy *occupancy)
{
  *occupancy = (VyreOccupancy){ .n_slots = (guint32)(size / SLOT_BYTES) };
  for (guint32 slot = 0; slot < occupancy->n_slots; slot++) {
    guint32 status = vyre_read_word (ring, (gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS);
    if (status < VYRE_STATUSES)
      occupancy->by_status[status]++;
    else
      occupancy->n_unknown++;
  }
}

gboolean
vyre_telemetry_read (VyreTelemetry *telemetry, const void *control, gsize control_size,
    const void *ring, gsize ring_size, GError **error)
{
  if (!telemetry_check_ring (ring_size, error)
      || !vyre_read_control (control, control_size, &telemetry->control, error))
    return FALSE;
  telemetry_read_occupancy (ring, ring_size, &telemetry->occupancy);
  return TRUE;
}

void
vyre_telemetry_read_slot (const void *ring, guint32 slot, VyreSlotSnapshot *snapshot)
{
  gsize base = (gsize)slot * VYRE_SLOT_WORDS;

  snapshot->status = vyre_read_word (ring, base + VYRE_SLOT_STATUS);
  snapshot->tenant = vyre_read_word (ring, base + VYRE_SLOT_TENANT);
  snapshot->opcode = vyre_read_word (ring, base + VYRE_SLOT_OPCODE);
  for (guint i = 0; i < G_N_ELEMENTS (snapshot->args); i++)
    snapshot->args[i] = vyre_read_word (ring, base + VYRE_SLOT_ARGS + i);
}

static gboolean
telemetry_is_one_of (guint32 opcode, const guint32 *opcodes, guint n_opcodes)
{
  for (guint i = 0; i < n_opcodes; i++) {
    if (opcodes[i] == opcode)
      return TRUE;
  }
  return FALSE;
}

static guint64
telemetry_get_key (const VyreTicketWindow *window)
{
  return (guint64)window->ticket << 32 | window->opcode;
}

static guint
telemetry_hash_window (gconstpointer window)
{
  guint64 key = telemetry_get_key (window);

  return g_int64_hash (&key);
}

static gboolean
telemetry_same_window (gconstpointer a, gconstpointer b)
{
  return telemetry_get_key (a) == telemetry_get_key (b);
}

static int
telemetry_compare_windows (gconstpointer a, gconstpointer b)
{
  guint64 left = telemetry_get_key (a), right = telemetry_get_key (b);

  return (left > right) - (left < right);
}

/* The window of a slot; the first slot of a ticket and opcode makes it. */
static VyreTicketWindow *
telemetry_find_window (GHashTable *windows, const VyreSlotSnapshot *slot)
{
  VyreTicketWindow wanted
      = { .ticket = slot->args[0], .opcode = slot->opcode, .tenant = slot->tenant };
  VyreTicketWindow *window = g_hash_table_lookup (windows, &wanted);

  if (!window) {
    window = g_memdup2 (&wanted, sizeof wanted);
    g_hash_table_add (windows, window);
  }
  return window;
}

static void
telemetry_add_to_window (VyreTicketWindow *window, const VyreSlotSnapshot *slot)
{
  window->n_required += slot->args[1] == CLASS_REQUIRED;
  window->n_lookahead += slot->args[1] == CLASS_LOOKAHEAD;
  if (slot->status < VYRE_STATUSES)
    window->by_status[slot->status]++;
}

/* Orders windows by tickets, then by opcodes. */
static GArray *
telemetry_sort_windows (GHashTable *windows)
{
  GArray *sorted
      = g_array_sized_new (FALSE, FALSE, sizeof (VyreTicketWindow), g_hash_table_size (windows));
  GHashTableIter iter;
  gpointer window;

  g_hash_table_iter_init (&iter, windows);
  while (g_hash_table_iter_next (&iter, &window, NULL))
    g_array_append_vals (sorted, window, 1);
  g_array_sort (sorted, telemetry_compare_windows);
  return sorted;
}

GArray *
vyre_telemetry_read_windows (
    const void *ring, gsize size, const guint32 *opcodes, guint n_opcodes, GError **error)
{
  if (!telemetry_check_ring (size, error))
    return NULL;
  g_autoptr (GHashTable) windows
      = g_hash_table_new_full (telemetry_hash_window, telemetry_same_window, g_free, NULL);
  for (guint32 i = 0; i < size / SLOT_BYTES; i++) {
    VyreSlotSnapshot slot;
    vyre_telemetry_read_slot (ring, i, &slot);
    if (telemetry_is_one_of (slot.opcode, opcodes, n_opcodes))
      telemetry_add_to_window (telemetry_find_window (windows, &slot), &slot);
  }
  return telemetry_sort_windows (windows);
}

gboolean
vyre_ticket_window_is_active (const VyreTicketWindow *window)
{
  return window->by_status[VYRE_STATUS_PUBLISHED] > 0 || window->by_status[VYRE_STATUS_CLAIMED] > 0
         || window->by_status[VYRE_STATUS_WAIT_IO] > 0 || window->by_status[VYRE_STATUS_YIELD] > 0
         || window->by_status[VYRE_STATUS_REQUEUE] > 0;
}

guint32
vyre_occupancy_get_queue_depth (const VyreOccupancy *occupancy)
{
  return occupancy->n_slots - occupancy->by_status[VYRE_STATUS_EMPTY]
         - occupancy->by_status[VYRE_STATUS_DONE];
}

static guint32
telemetry_get_ratio (guint32 part, guint32 whole, guint32 scale)
{
  return whole > 0 ? (guint32)((guint64)part * scale / whole) : 0;
}

static guint32
telemetry_get_idle_ppm (const VyreOccupancy *occupancy)
{
  return telemetry_get_ratio (
      occupancy->by_status[VYRE_STATUS_EMPTY], occupancy->n_slots, PER_MILLION);
}

static guint64
telemetry_get_sum (const guint32 *counters, gsize n)
{
  guint64 sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += counters[i];
  return sum;
}

/* A counter of 0 belongs to a tenant that never published. */
static guint32
telemetry_get_skew (const guint32 *counters, gsize n)
{
  guint32 least = G_MAXUINT32, most = 0;

  for (gsize i = 0; i < n; i++) {
    if (counters[i] == 0)
      continue;
    least = MIN (least, counters[i]);
    most = MAX (most, counters[i]);
  }
  return most > 0 ? most - least : 0;
}

void
vyre_telemetry_count (const VyreTelemetry *telemetry, VyreRuntimeCounters *counters)
{
  const VyreControl *control = &telemetry->control;
  const VyreOccupancy *occupancy = &telemetry->occupancy;
  guint32 n_idle = occupancy->by_status[VYRE_STATUS_EMPTY];
  guint32 depth = vyre_occupancy_get_queue_depth (occupancy);

  *counters = (VyreRuntimeCounters){
    .n_slots = occupancy->n_slots,
    .queue_depth = depth,
    .n_drained = control->done_count,
    .n_unreclaimed = occupancy->by_status[VYRE_STATUS_DONE],
    .n_requeued = occupancy->by_status[VYRE_STATUS_REQUEUE],
    .n_faults = occupancy->by_status[VYRE_STATUS_FAULT],
    .n_idle = n_idle,
    .idle_ppm = telemetry_get_idle_ppm (occupancy),
    .queue_depth_bps = telemetry_get_ratio (depth, occupancy->n_slots, PER_TEN_THOUSAND),
    .occupied_bps
    = telemetry_get_ratio (occupancy->n_slots - n_idle, occupancy->n_slots, PER_TEN_THOUSAND),
    .tenant_fairness_total
    = telemetry_get_sum (control->tenant_fairness, G_N_ELEMENTS (control->tenant_fairness)),
    .tenant_fairness_skew
    = telemetry_get_skew (control->tenant_fairness, G_N_ELEMENTS (control->tenant_fairness)),
    .priority_fairness_total
    = telemetry_get_sum (control->priority_fairness, G_N_ELEMENTS (control->priority_fairness)),
  };
}

void
vyre_telemetry_watch (const VyreTelemetry *now, const VyreTelemetry *before, VyreHealth *health)
{
  *health = (VyreHealth){
    .done_delta = now->control.done_count - before->control.done_count,
    .queue_depth = vyre_occupancy_get_queue_depth (&now->occupancy),
    .n_requeued = now->occupancy.by_status[VYRE_STATUS_REQUEUE],
    .n_faults = now->occupancy.by_status[VYRE_STATUS_FAULT],
    .idle_ppm = telemetry_get_idle_ppm (&now->occupancy),
  };
  health->suspected_stall
      = health->queue_depth > 0 && health->done_delta == 0 && health->n_faults == 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything that reads the parts of a batch, on bytes that anybody may have
 * written. Readers that say the same in two ways have to agree.
 */
#include "fuzz.h"

#include "vyre/control.h"
#include "vyre/host-ring.h"
#include "vyre/io-queue.h"
#include "vyre/publish-slots.h"
#include "vyre/readback.h"
#include "vyre/tasks.h"
#include "vyre/telemetry.h"

#define SLOT_BYTES (4 * (gsize)VYRE_SLOT_WORDS)
#define MAX_RECORDS 70

/* ---- encoders and lengths ---------------------------------------------- */

static void
try_encoders (FuzzInput *input)
{
  VyrePart part = fuzz_choose (input, VYRE_N_PARTS);
  guint32 count = fuzz_number (input);
  g_autoptr (GError) error = NULL;
  gsize length = 0, encoded = 0;

  gboolean fits = fuzz_check (vyre_part_length (part, count, &length, &error), &error);
  if (count > 4096 && count <= VYRE_ENCODE_MAX)
    return; /* megabytes of nothing take time and show nothing */
  g_autofree guint8 *made = vyre_encode_empty (part, count, &encoded, &error);
  g_auto (FuzzBuffer) room = fuzz_buffer_new (input, fuzz_number (input) % 8192);
  if (!fuzz_check (made != NULL, &error)) {
    fuzz_check (vyre_encode_empty_into (room.data, room.size, part, count, &error), &error);
    return;
  }
  g_assert_true (fits && encoded == length);
  memset (room.data, 0xA5, room.size);
  if (fuzz_check (vyre_encode_empty_into (room.data, room.size, part, count, &error), &error))
    g_assert_cmpmem (made, encoded, room.data, length);
  else
    length = 0;
  for (gsize i = length; i < room.size; i++)
    g_assert_true (room.data[i] == 0xA5);
}

static void
try_encode_control (FuzzInput *input)
{
  guint32 n_observables = fuzz_number (input) % 4096, n_tenants = fuzz_number (input);
  gboolean shutdown = fuzz_choose (input, 2);
  guint32 n_slots = fuzz_number (input);
  g_autoptr (GError) error = NULL;
  VyreControl control;
  gsize length;

  g_autofree guint8 *part
      = vyre_encode_control (n_observables, n_tenants, shutdown, &length, &error);
  g_assert_true (fuzz_check (part != NULL, &error));
  g_assert_true (vyre_read_control (part, length, &control, NULL));
  g_assert_true (control.shutdown == shutdown && control.done_count == 0 && control.epoch == 0);
  g_assert_true (vyre_write_priority_offsets (part, length, n_slots, NULL));
  g_assert_cmpuint (vyre_read_word (part, VYRE_CONTROL_PRIORITY_OFFSETS), ==, 0);
  for (guint i = 0; i < VYRE_PRIORITY_LEVELS; i++)
    g_assert_cmpuint (vyre_read_word (part, VYRE_CONTROL_PRIORITY_OFFSETS + i), <=,
        vyre_read_word (part, VYRE_CONTROL_PRIORITY_OFFSETS + i + 1));
  g_assert_cmpuint (
      vyre_read_word (part, VYRE_CONTROL_PRIORITY_OFFSETS + VYRE_PRIORITY_LEVELS), ==, n_slots);
}

static void
try_probes (FuzzInput *input)
{
  guint32 n_slots = fuzz_number (input), workgroup = fuzz_number (input), n_workgroups;
  g_autoptr (GError) error = NULL;
  VyrePartitionProbes probes;

  vyre_partition_probes (n_slots, workgroup, &probes);
  g_assert_true (probes.lanes <= MAX (workgroup, 1) && probes.lanes <= n_slots);
  g_assert_true (probes.total >= n_slots && probes.total - n_slots <= probes.lanes);
  if (fuzz_check (vyre_geometry_validate (n_slots, workgroup, &n_workgroups, &error), &error))
    g_assert_cmpuint ((guint64)n_workgroups * workgroup, ==, n_slots);
}

/* ---- the control part and the debug log -------------------------------- */

static void
try_control_word (const FuzzBuffer *part, guint32 word)
{
  g_autoptr (GError) error = NULL;
  guint32 value = 0;

  gboolean ok
      = fuzz_check (vyre_read_control_word (part->data, part->size, word, &value, &error), &error);
  g_assert_true (ok == (part->size % 4 == 0 && word < part->size / 4));
  g_assert_cmpuint (vyre_peek_control_word (part->data, part->size, word), ==, value);
}

static void
try_observable (const FuzzBuffer *part, guint32 index)
{
  g_autoptr (GError) error = NULL;
  guint32 value = 0;

  if (fuzz_check (vyre_read_observable (part->data, part->size, index, &value, &error), &error))
    g_assert_cmpuint (value, ==,
        vyre_peek_control_word (part->data, part->size, VYRE_CONTROL_OBSERVABLES + index));
  g_assert_cmpuint (vyre_peek_observable (part->data, part->size, index), ==, value);
}

static void
try_write_offsets (const FuzzBuffer *part, guint32 n_slots)
{
  g_auto (FuzzBuffer) written = fuzz_buffer_copy (part);
  g_autoptr (GError) error = NULL;

  gboolean ok = fuzz_check (
      vyre_write_priority_offsets (written.data, written.size, n_slots, &error), &error);
  g_assert_true (ok
                 == (part->size % 4 == 0
                     && part->size / 4 > VYRE_CONTROL_PRIORITY_OFFSETS + VYRE_PRIORITY_LEVELS));
  for (gsize i = 0; i < part->size; i++)
    g_assert_true (written.data[i] == part->data[i]
                   || (i / 4 >= VYRE_CONTROL_PRIORITY_OFFSETS
                       && i / 4 <= VYRE_CONTROL_PRIORITY_OFFSETS + VYRE_PRIORITY_LEVELS));
}

static void
try_control (FuzzInput *input)
{
  g_auto (FuzzBuffer) part = fuzz_buffer_new (input, fuzz_number (input) % 4096);
  guint32 word = fuzz_number (input), n_slots = fuzz_number (input);
  guint32 strict[VYRE_CONTROL_METRICS_COUNT], lenient[VYRE_CONTROL_METRICS_COUNT];
  g_autoptr (GError) error = NULL;
  VyreControl control;

  fuzz_buffer_fill (&part, input);
  try_control_word (&part, word);
  try_observable (&part, word);
  try_write_offsets (&part, n_slots);
  vyre_peek_metrics (part.data, part.size, lenient);
  if (fuzz_check (vyre_read_metrics (part.data, part.size, strict, &error), &error))
    g_assert_cmpmem (strict, sizeof strict, lenient, sizeof lenient);
  if (!fuzz_check (vyre_read_control (part.data, part.size, &control, &error), &error))
    return;
  g_assert_cmpmem (control.metrics, sizeof control.metrics, strict, sizeof strict);
  g_assert_cmpuint (control.done_count, ==,
      vyre_peek_control_word (part.data, part.size, VYRE_CONTROL_DONE_COUNT));
}

static void
try_debug_log (FuzzInput *input)
{
  g_auto (FuzzBuffer) log = fuzz_buffer_new (input, fuzz_number (input) % 2048);
  guint room = fuzz_choose (input, MAX_RECORDS), n;
  g_autofree VyreDebugRecord *strict = g_new (VyreDebugRecord, room);
  g_autofree VyreDebugRecord *lenient = g_new (VyreDebugRecord, room);
  g_autoptr (GError) error = NULL;

  fuzz_buffer_fill (&log, input);
  guint n_peeked = vyre_peek_debug_log (log.data, log.size, lenient, room);
  g_assert_cmpuint (n_peeked, <=, room);
  if (fuzz_check (vyre_read_debug_log (log.data, log.size, strict, room, &n, &error), &error))
    g_assert_cmpmem (strict, n * sizeof *strict, lenient, n_peeked * sizeof *lenient);
  else
    g_assert_cmpuint (n, ==, 0);
}

/* ---- slots ------------------------------------------------------------- */

/* A packed slot that passed the check is what publishing its operations makes. */
static void
try_pack_again (const guint8 *slot)
{
  const guint8 *args = slot + 4 * VYRE_SLOT_ARGS;
  guint n_ops = args[0], total = args[1], first = (2 + 2 * n_ops + 3) / 4;
  guint32 words[VYRE_SLOT_WORDS] = { 0 }, values[VYRE_SLOT_MAX_ARGS];
  VyreOp ops[VYRE_PACKED_MAX_OPS];

  g_assert_cmpuint (n_ops, <=, VYRE_PACKED_MAX_OPS);
  g_assert_cmpuint (first + total, <=, VYRE_SLOT_MAX_ARGS);
  for (guint i = 0; i < total; i++)
    values[i] = vyre_read_word (args, first + i);
  for (guint i = 0; i < n_ops; i++) {
    guint begin = args[3 + 2 * i], end = i + 1 < n_ops ? args[5 + 2 * i] : total;
    ops[i] = (VyreOp){ args[2 + 2 * i], values + begin, end - begin };
  }
  g_assert_true (vyre_publish_packed (words, sizeof words, 0, 0, ops, n_ops, NULL));
  for (guint i = 0; i < first + total; i++)
    g_assert_cmpuint (words[VYRE_SLOT_ARGS + i], ==, vyre_read_word (args, i));
}

static void
try_slots_check (const FuzzBuffer *ring)
{
  g_autoptr (GError) error = NULL;
  gsize n_fine = 0, n_slots = ring->size / SLOT_BYTES;

  gboolean ok = vyre_slots_check (ring->data, ring->size, &error);
  while (n_fine < n_slots && vyre_slots_check (ring->data + SLOT_BYTES * n_fine, SLOT_BYTES, NULL))
    n_fine++;
  g_assert_true (ok == (ring->size % SLOT_BYTES == 0 && n_fine == n_slots));
  if (error && ring->size % SLOT_BYTES == 0) {
    g_autofree char *prefix = g_strdup_printf ("Slot %" G_GSIZE_FORMAT ": ", n_fine);
    g_assert_true (g_str_has_prefix (error->message, prefix));
  }
  fuzz_check (ok, &error);
  for (gsize i = 0; i < n_fine; i++) {
    const guint8 *slot = ring->data + SLOT_BYTES * i;
    if (vyre_read_word (slot, VYRE_SLOT_STATUS) == VYRE_STATUS_PUBLISHED
        && vyre_read_word (slot, VYRE_SLOT_OPCODE) == VYRE_OP_PACKED_SLOT)
      try_pack_again (slot);
  }
}

static void
try_count_done (const FuzzBuffer *ring, guint64 n_slots)
{
  guint64 strict = 0, lenient = 0, all = 0;
  g_autoptr (GError) error = NULL;

  gboolean counted = fuzz_check (
      vyre_count_done_slots (ring->data, ring->size, n_slots, &strict, &error), &error);
  gboolean peeked = vyre_peek_done_slots (ring->data, ring->size, n_slots, &lenient);
  if (ring->size % 4 == 0)
    g_assert_true (peeked == (counted && n_slots > 0));
  if (counted)
    g_assert_cmpuint (strict, ==, lenient);
  vyre_peek_done_slots (ring->data, ring->size, ring->size / SLOT_BYTES, &all);
  g_assert_cmpuint (vyre_host_ring_count_done (ring->data, ring->size), ==, all);
}

static void
try_load_miss (const FuzzBuffer *ring, guint32 slot, guint32 id)
{
  guint32 resource = 1, encoded[VYRE_SLOT_WORDS];
  gboolean prefetch = -1;

  if (!vyre_decode_load_miss (ring->data, ring->size, slot, &resource, &prefetch))
    g_assert_true (resource == 1 && prefetch == -1);
  vyre_encode_load_miss (encoded, id, slot & 1);
  g_assert_true (vyre_slots_check (encoded, sizeof encoded, NULL));
  g_assert_true (vyre_decode_load_miss (encoded, sizeof encoded, 0, &resource, &prefetch));
  g_assert_true (resource == id && prefetch == (slot & 1));
}

/* Reads a slot and writes it elsewhere; nothing else changes. */
static void
try_host_ring (const FuzzBuffer *ring, guint32 from, guint32 to, gsize raw_size)
{
  g_auto (FuzzBuffer) changed = fuzz_buffer_copy (ring);
  g_autofree guint8 *raw = g_malloc0 (raw_size);
  g_autoptr (GError) error = NULL;

  gboolean ok = fuzz_check (
      vyre_host_ring_read (ring->data, ring->size, from, raw, raw_size, &error), &error);
  if (ok)
    g_assert_cmpmem (raw, raw_size, ring->data + SLOT_BYTES * from, SLOT_BYTES);
  ok = fuzz_check (
      vyre_host_ring_publish (changed.data, changed.size, to, raw, raw_size, &error), &error);
  if (ok) {
    g_assert_cmpmem (changed.data + SLOT_BYTES * to, SLOT_BYTES, raw, raw_size);
    memcpy (changed.data + SLOT_BYTES * to, ring->data + SLOT_BYTES * to, SLOT_BYTES);
  }
  g_assert_cmpmem (changed.data, changed.size, ring->data, ring->size);
}

static void
try_ring (FuzzInput *input)
{
  g_auto (FuzzBuffer) ring = fuzz_buffer_new (input, fuzz_number (input) % 2049);
  guint32 from = fuzz_number (input), to = fuzz_number (input), words[VYRE_SLOT_WORDS];
  gsize raw_size = fuzz_choose (input, 4) ? SLOT_BYTES : fuzz_number (input) % 256;

  for (guint n = fuzz_choose (input, 8), i = 0; i < n; i++) {
    fuzz_slot (input, words);
    vyre_host_ring_publish (ring.data, ring.size, i, words, sizeof words, NULL);
  }
  fuzz_buffer_fill (&ring, input);
  try_count_done (&ring, from == G_MAXUINT32 ? G_MAXUINT64 / (to + 1ull) : from);
  try_slots_check (&ring);
  try_load_miss (&ring, from, to);
  try_host_ring (&ring, from, to, raw_size);
}

/* ---- tasks and telemetry ----------------------------------------------- */

static void
change_task (FuzzInput *input, guint8 *slot)
{
  guint what = fuzz_choose (input, 7);
  guint32 at = fuzz_number (input), detail = fuzz_number (input), number = fuzz_number (input);
  VyreTask task = { number, at, detail, number % 8, at, detail, number };
  guint8 before[4 * VYRE_SLOT_WORDS];
  g_autoptr (GError) error = NULL;

  memcpy (before, slot, sizeof before);
  if (what == 0)
    vyre_task_pause (slot, at, detail, number);
  else if (what == 1)
    vyre_task_resume (slot);
  else if (what == 2)
    vyre_task_yield (slot, at, detail);
  else if (what == 3)
    vyre_task_complete (slot);
  else if (what == 4)
    vyre_task_fault (slot, at);
  else if (!fuzz_check (what == 5 ? vyre_task_requeue (slot, at, detail, number % 8, &error)
                                  : vyre_task_publish (slot, &task, &error),
               &error))
    g_assert_cmpmem (before, sizeof before, slot, sizeof before);
}

static void
try_tasks (FuzzInput *input)
{
  g_auto (FuzzBuffer) ring = fuzz_buffer_new (input, fuzz_number (input) % 1025);
  gsize n_slots = ring.size / SLOT_BYTES;
  VyreTaskCounts counts;
  g_autoptr (GError) error = NULL;

  for (guint n = fuzz_byte (input); n > 0 && n_slots > 0 && input->left > 0; n--)
    change_task (input, ring.data + SLOT_BYTES * fuzz_choose (input, (guint)n_slots));
  gboolean whole = ring.size % SLOT_BYTES == 0;
  gboolean ok = fuzz_check (vyre_tasks_count (ring.data, ring.size, &counts, &error), &error);
  g_assert_true (ok == whole); /* the functions for tasks know all statuses they set */
  fuzz_buffer_fill (&ring, input);
  if (!fuzz_check (vyre_tasks_count (ring.data, ring.size, &counts, &error), &error))
    return;
  g_assert_cmpuint (
      counts.n_schedulable, ==, counts.n_ready + counts.n_yielded + counts.n_requeued);
  g_assert_cmpuint (
      counts.n_schedulable + counts.n_running + counts.n_paused + counts.n_faulted, <=, n_slots);
}

static void
try_windows (const FuzzBuffer *ring, const guint32 *opcodes, guint n_opcodes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) windows
      = vyre_telemetry_read_windows (ring->data, ring->size, opcodes, n_opcodes, &error);
  guint64 previous = 0, n_slots = 0;

  if (!fuzz_check (windows != NULL, &error))
    return;
  for (guint i = 0; i < windows->len; i++) {
    const VyreTicketWindow *window = &g_array_index (windows, VyreTicketWindow, i);
    guint64 key = (guint64)window->ticket << 32 | window->opcode;
    g_assert_true (i == 0 || key > previous);
    previous = key;
    n_slots += window->n_required + window->n_lookahead;
    guint n_left = 0;
    for (guint status = 0; status < VYRE_STATUSES; status++)
      n_left += window->by_status[status];
    n_left -= window->by_status[VYRE_STATUS_EMPTY] + window->by_status[VYRE_STATUS_DONE]
              + window->by_status[VYRE_STATUS_FAULT];
    g_assert_true (vyre_ticket_window_is_active (window) == (n_left > 0));
  }
  g_assert_cmpuint (n_slots, <=, ring->size / SLOT_BYTES);
}

static void
try_telemetry (FuzzInput *input)
{
  g_auto (FuzzBuffer) control = fuzz_buffer_new (input, 636 + fuzz_choose (input, 16));
  g_auto (FuzzBuffer) ring = fuzz_buffer_new (input, fuzz_number (input) % 1025);
  guint32 opcodes[3];
  VyreTelemetry now, before = { 0 };
  VyreRuntimeCounters counters;
  VyreHealth health;
  VyreControl values;
  g_autoptr (GError) error = NULL;

  fuzz_numbers (input, opcodes, G_N_ELEMENTS (opcodes));
  fuzz_buffer_fill (&control, input);
  fuzz_buffer_fill (&ring, input);
  try_windows (&ring, opcodes, fuzz_choose (input, G_N_ELEMENTS (opcodes) + 1));
  if (!fuzz_check (
          vyre_telemetry_read (&now, control.data, control.size, ring.data, ring.size, &error),
          &error))
    return;
  g_assert_true (vyre_read_control (control.data, control.size, &values, NULL));
  g_assert_cmpuint (now.control.done_count, ==, values.done_count);
  g_assert_cmpmem (
      now.control.metrics, sizeof values.metrics, values.metrics, sizeof values.metrics);
  vyre_telemetry_count (&now, &counters);
  g_assert_cmpuint (
      counters.queue_depth + counters.n_unreclaimed + counters.n_idle, ==, ring.size / SLOT_BYTES);
  g_assert_cmpuint (counters.idle_ppm, <=, 1000000);
  g_assert_cmpuint (counters.n_unreclaimed, ==, vyre_host_ring_count_done (ring.data, ring.size));
  vyre_telemetry_watch (&now, &before, &health);
  g_assert_true (!health.suspected_stall || (health.done_delta == 0 && health.queue_depth > 0));
  vyre_telemetry_watch (&now, &now, &health);
  g_assert_cmpuint (health.done_delta, ==, 0);
}

/* ---- the io queue ------------------------------------------------------ */

static gboolean
change_queue (FuzzInput *input, FuzzBuffer *queue, GError **error)
{
  VyreIoRequest requests[VYRE_IO_SLOTS], request = { 0 };
  VyreIoCompletion completions[3];
  guint n = fuzz_choose (input, G_N_ELEMENTS (completions) + 1), n_polled, n_claimed;

  if (fuzz_choose (input, 3) == 0) {
    gboolean polled = vyre_io_queue_poll (queue->data, queue->size, requests, &n_polled, NULL);
    gboolean ok = vyre_io_queue_claim (queue->data, queue->size, requests, &n_claimed, error);
    g_assert_true (ok == polled && n_claimed == n_polled);
    if (ok)
      vyre_io_queue_poll (queue->data, queue->size, requests, &n_polled, NULL);
    g_assert_cmpuint (n_polled, ==, 0);
    return ok;
  }
  if (n == 0) {
    request.slot = fuzz_number (input);
    request.op = fuzz_number (input);
    request.offset = (guint64)fuzz_number (input) << 32 | fuzz_number (input);
    return vyre_io_queue_publish (queue->data, queue->size, &request, error);
  }
  for (guint i = 0; i < n; i++)
    completions[i] = (VyreIoCompletion){ fuzz_number (input), fuzz_choose (input, 2) };
  return vyre_io_queue_complete (queue->data, queue->size, completions, n, error);
}

static void
try_io_queue (FuzzInput *input)
{
  g_auto (FuzzBuffer) queue = fuzz_buffer_new (input, fuzz_number (input) % 2113);
  guint32 slot = fuzz_number (input), status;
  VyreIoRequest request;
  g_autoptr (GError) error = NULL;

  guint n_changes = fuzz_choose (input, 32);
  fuzz_buffer_fill (&queue, input);
  for (; n_changes > 0; n_changes--) {
    g_auto (FuzzBuffer) before = fuzz_buffer_copy (&queue);
    if (!fuzz_check (change_queue (input, &queue, &error), &error))
      g_assert_cmpmem (before.data, before.size, queue.data, queue.size);
  }
  gboolean valid = fuzz_check (vyre_io_queue_validate (queue.size, &error), &error);
  gboolean ok = fuzz_check (
      vyre_io_queue_inspect (queue.data, queue.size, slot, &status, &request, &error), &error);
  g_assert_true (ok == (valid && slot < queue.size / (4 * VYRE_IO_SLOT_WORDS)));
}

/* ---- whole readbacks --------------------------------------------------- */

static gsize
choose_length (FuzzInput *input, gsize usual)
{
  return fuzz_choose (input, 8) ? usual : fuzz_number (input) % 4096;
}

static void
assert_filled (const VyreReadback *readback, const FuzzBuffer *parts, const VyreLayout *layout)
{
  gsize length, at = 0;

  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    const guint8 *data = vyre_readback_get_part (readback, part, &length);
    g_assert_cmpmem (data, length, parts[part].data, parts[part].size);
    g_assert_true (layout->offset[part] == at && layout->size[part] == length);
    at += length;
  }
  g_assert_true (layout->total == at && vyre_readback_get_total (readback) == at);
}

static gboolean
try_fill (FuzzInput *input, VyreReadback *readback)
{
  guint n_slots = fuzz_choose (input, 33), n_buffers = fuzz_choose (input, 64) ? VYRE_N_PARTS : 3;
  const gsize usual[VYRE_N_PARTS] = { 4 * VYRE_CONTROL_OBSERVABLES, SLOT_BYTES * n_slots,
    4 * VYRE_DEBUG_WORDS, 4 * VYRE_IO_WORDS };
  FuzzBuffer parts[VYRE_N_PARTS];
  const void *buffers[VYRE_N_PARTS];
  gsize lengths[VYRE_N_PARTS], total = vyre_readback_get_total (readback);
  guint32 workgroup = fuzz_number (input);
  VyreLayout layout;
  g_autoptr (GError) error = NULL;

  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    lengths[part] = choose_length (input, usual[part]);
    parts[part] = fuzz_buffer_new (input, lengths[part]);
    fuzz_buffer_fill (&parts[part], input);
    buffers[part] = parts[part].data;
  }
  gboolean valid
      = fuzz_check (vyre_readback_validate (lengths, n_buffers, n_slots, &layout, &error), &error);
  gboolean geometry = vyre_geometry_validate (n_slots, workgroup, NULL, NULL);
  gboolean dispatch = fuzz_check (
      vyre_dispatch_validate (lengths, n_buffers, n_slots, workgroup, NULL, &error), &error);
  gboolean filled = fuzz_check (
      vyre_readback_fill (readback, buffers, lengths, n_buffers, n_slots, &error), &error);
  g_assert_true (filled == valid && dispatch == (geometry && valid));
  if (filled)
    assert_filled (readback, parts, &layout);
  else
    g_assert_cmpuint (vyre_readback_get_total (readback), ==, total);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    fuzz_buffer_clear (&parts[part]);
  return filled;
}

static void
try_readback (FuzzInput *input)
{
  g_autoptr (VyreReadback) readback = vyre_readback_new ();
  g_autoptr (VyreReadback) other = vyre_readback_new ();
  gboolean filled = FALSE;

  for (guint n = 1 + fuzz_choose (input, 3); n > 0; n--)
    filled |= try_fill (input, readback);
  g_assert_true (vyre_readback_is_empty (readback) == !filled);
  vyre_readback_swap (readback, other);
  g_assert_true (vyre_readback_is_empty (readback) && vyre_readback_get_total (readback) == 0);
  vyre_readback_clear (other);
  g_assert_true (vyre_readback_is_empty (other) && vyre_readback_get_n_slots (other) == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static void (*const areas[]) (FuzzInput *) = { try_encoders, try_encode_control, try_probes,
    try_control, try_debug_log, try_ring, try_tasks, try_telemetry, try_io_queue, try_readback };
  FuzzInput input = { data, size };

  areas[fuzz_choose (&input, G_N_ELEMENTS (areas))](&input);
  return 0;
}

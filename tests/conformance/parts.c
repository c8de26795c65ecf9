/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parts of a batch: lengths, encoders, validation and readers. An encoder is
 * checked in both its forms.
 */
#include "conformance.h"

#include <string.h>

/* Storage that a caller has used before, and a byte behind it that is not the encoder's. */
static guint8 *
used_storage (gsize length)
{
  guint8 *storage = g_malloc (length + 1);

  memset (storage, 0xA5, length + 1);
  return storage;
}

static void
check_into (Case *c, gboolean ok, const guint8 *storage, const guint8 *wanted, gsize length)
{
  if (!ok || (length > 0 && memcmp (storage, wanted, length) != 0))
    case_fail (c, "the form into the caller's storage differs");
  if (storage[length] != 0xA5)
    case_fail (c, "the form into the caller's storage writes past its end");
}

static void
encode_control (Case *c)
{
  guint32 n_observables = get_word (c->in, "observable_slots");
  guint32 n_tenants = get_word (c->in, "tenant_count");
  gboolean shutdown = get_flag (c->in, "shutdown");
  g_autoptr (GError) error = NULL;
  gsize length;

  g_autofree guint8 *control
      = vyre_encode_control (n_observables, n_tenants, shutdown, &length, &error);
  check_result (c, c->out, control != NULL, error);
  if (control == NULL)
    return;
  check_number (c, c->out, "len", length);
  check_bytes (c, c->out, "bytes", control, length, NULL);
  g_autofree guint8 *storage = used_storage (length);
  gboolean ok
      = vyre_encode_control_into (storage, length, n_observables, n_tenants, shutdown, &error);
  check_into (c, ok, storage, control, length);
}

/* A length that there is not is null, or an error with its class. */
static void
part_byte_len (Case *c, VyrePart part, const char *argument, const char *result)
{
  g_autoptr (GError) error = NULL;
  gsize length;
  gboolean ok = vyre_part_length (part, get_word (c->in, argument), &length, &error);

  if (json_object_has_member (c->out, "ok"))
    check_result (c, c->out, ok, error);
  else if (json_object_get_null_member (c->out, result))
    check_refused (c, ok, error);
  else if (!ok)
    case_fail (c, "was refused: %s", error->message);
  if (ok && c->outcome == OUTCOME_PASSED)
    check_number (c, c->out, result, length);
}

static void
control_byte_len (Case *c)
{
  part_byte_len (c, VYRE_PART_CONTROL, "count", "byte_len");
}

static void
debug_log_byte_len (Case *c)
{
  part_byte_len (c, VYRE_PART_DEBUG_LOG, "count", "byte_len");
}

/* Some vectors call the count and the length what those of the other parts do. */
static void
ring_byte_len (Case *c)
{
  part_byte_len (c, VYRE_PART_RING,
      json_object_has_member (c->in, "slot_count") ? "slot_count" : "count",
      json_object_has_member (c->out, "bytes") ? "bytes" : "byte_len");
}

static void
encode_empty (Case *c, VyrePart part)
{
  guint32 count = get_word (c->in, "count");
  g_autoptr (GError) error = NULL;
  gsize length;

  g_autofree guint8 *bytes = vyre_encode_empty (part, count, &length, &error);
  check_result (c, c->out, bytes != NULL, error);
  if (bytes == NULL)
    return;
  check_number (c, c->out, "len", length);
  g_autofree guint8 *zeros = g_malloc0 (length + 1);
  if (get_flag (c->out, "all_zero") && memcmp (bytes, zeros, length) != 0)
    case_fail (c, "is not all zero");
  g_autofree guint8 *storage = used_storage (length);
  gboolean ok = vyre_encode_empty_into (storage, length, part, count, &error);
  check_into (c, ok, storage, bytes, length);
}

static void
encode_empty_ring (Case *c)
{
  encode_empty (c, VYRE_PART_RING);
}

static void
encode_empty_debug_log (Case *c)
{
  encode_empty (c, VYRE_PART_DEBUG_LOG);
}

static void
encode_empty_io_queue (Case *c)
{
  encode_empty (c, VYRE_PART_IO_QUEUE);
}

static void
check_record (Case *c, JsonArray *wanted, guint record, const guint32 *words)
{
  for (guint w = 0; w < VYRE_DEBUG_RECORD_WORDS; w++) {
    if (words[w] != (guint32)json_array_get_int_element (wanted, w))
      case_fail (c, "word %u of record %u is %u", w, record, words[w]);
  }
}

static void
try_read_debug_log (Case *c)
{
  g_autoptr (GByteArray) log = get_bytes (c->in, "debug_log");
  g_autofree VyreDebugRecord *records = g_new (VyreDebugRecord, log->len / 16 + 1);
  g_autofree VyreDebugRecord *peeked = g_new (VyreDebugRecord, log->len / 16 + 1);
  g_autoptr (GError) error = NULL;
  guint n;

  gboolean ok = vyre_read_debug_log (log->data, log->len, records, log->len / 16 + 1, &n, &error);
  guint n_peeked = vyre_peek_debug_log (log->data, log->len, peeked, log->len / 16 + 1);
  check_result (c, c->out, ok, error);
  if (!ok)
    return;
  JsonArray *wanted = json_object_get_array_member (c->out, "records");
  if (n != json_array_get_length (wanted)) {
    case_fail (c, "there are %u records", n);
    return;
  }
  for (guint i = 0; i < n; i++)
    check_record (c, json_array_get_array_element (wanted, i), i, records[i].words);
  if (n_peeked != n || (n > 0 && memcmp (peeked, records, n * sizeof *records) != 0))
    case_fail (c, "the lenient reader differs");
}

/* [[opcode, count], …] of the opcodes that were run at all */
static void
check_metrics (Case *c, JsonArray *wanted, const guint32 *metrics)
{
  guint32 all[VYRE_CONTROL_METRICS_COUNT] = { 0 };

  for (guint i = 0; i < json_array_get_length (wanted); i++) {
    JsonArray *pair = json_array_get_array_element (wanted, i);
    all[json_array_get_int_element (pair, 0)] = (guint32)json_array_get_int_element (pair, 1);
  }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    if (metrics[i] != all[i])
      case_fail (c, "metric %u is %u, not %u", i, metrics[i], all[i]);
  }
}

static void
check_counters (Case *c, JsonArray *wanted, const char *what, const guint32 *counters, guint n)
{
  if (json_array_get_length (wanted) != n)
    case_fail (c, "there are %u %s counters", n, what);
  for (guint i = 0; c->outcome != OUTCOME_FAILED && i < n; i++) {
    if (counters[i] != (guint32)json_array_get_int_element (wanted, i))
      case_fail (c, "%s %u is %u", what, i, counters[i]);
  }
}

static void
check_control_word (Case *c, const GByteArray *control, const char *member, guint32 word)
{
  JsonObject *wanted = json_object_get_object_member (c->out, member);
  g_autoptr (GError) error = NULL;
  guint32 value;
  gboolean ok = vyre_read_control_word (control->data, control->len, word, &value, &error);

  check_result (c, wanted, ok, error);
  if (ok)
    check_number (c, wanted, "value", value);
  if (vyre_peek_control_word (control->data, control->len, word) != (ok ? value : 0))
    case_fail (c, "the lenient reader of %s differs", member);
}

static void
check_observables (Case *c, const GByteArray *control)
{
  JsonArray *strict = json_object_get_array_member (c->out, "try_read_observable");
  JsonArray *lenient = json_object_get_array_member (c->out, "read_observable_lenient");
  g_autoptr (GArray) indices = get_words (c->in, "observable_indices");

  for (guint i = 0; i < indices->len; i++) {
    guint32 index = g_array_index (indices, guint32, i);
    JsonObject *wanted = json_array_get_object_element (strict, i);
    g_autoptr (GError) error = NULL;
    guint32 value;
    gboolean ok = vyre_read_observable (control->data, control->len, index, &value, &error);
    check_result (c, wanted, ok, error);
    if (ok)
      check_number (c, wanted, "value", value);
    value = vyre_peek_observable (control->data, control->len, index);
    if (value != (guint32)json_array_get_int_element (lenient, i))
      case_fail (c, "observable %u is %u to the lenient reader", index, value);
  }
}

static void
check_all_metrics (Case *c, const GByteArray *control)
{
  JsonObject *strict = json_object_get_object_member (c->out, "try_read_metrics");
  guint32 metrics[VYRE_CONTROL_METRICS_COUNT];
  g_autoptr (GError) error = NULL;
  gboolean ok = vyre_read_metrics (control->data, control->len, metrics, &error);

  check_result (c, strict, ok, error);
  if (ok)
    check_metrics (c, json_object_get_array_member (strict, "metrics"), metrics);
  vyre_peek_metrics (control->data, control->len, metrics);
  check_metrics (c, json_object_get_array_member (c->out, "read_metrics_lenient"), metrics);
}

static void
check_snapshot (Case *c, const GByteArray *control)
{
  JsonObject *wanted = json_object_get_object_member (c->out, "control_snapshot");
  g_autoptr (GError) error = NULL;
  VyreControl values;
  gboolean ok = vyre_read_control (control->data, control->len, &values, &error);

  check_result (c, wanted, ok, error);
  if (!ok)
    return;
  check_flag (c, wanted, "shutdown", values.shutdown);
  check_number (c, wanted, "done_count", values.done_count);
  check_number (c, wanted, "epoch", values.epoch);
  check_metrics (c, json_object_get_array_member (wanted, "metrics"), values.metrics);
  check_counters (c, json_object_get_array_member (wanted, "tenant_fairness"), "tenant fairness",
      values.tenant_fairness, G_N_ELEMENTS (values.tenant_fairness));
  check_counters (c, json_object_get_array_member (wanted, "priority_fairness"),
      "priority fairness", values.priority_fairness, G_N_ELEMENTS (values.priority_fairness));
}

static void
read_control (Case *c)
{
  g_autoptr (GByteArray) control = get_bytes (c->in, "control");

  check_control_word (c, control, "try_read_done_count", VYRE_CONTROL_DONE_COUNT);
  check_control_word (c, control, "try_read_epoch", VYRE_CONTROL_EPOCH);
  check_observables (c, control);
  check_all_metrics (c, control);
  check_snapshot (c, control);
}

static void
count_done_ring_slots (Case *c)
{
  JsonObject *strict = json_object_get_object_member (c->out, "strict");
  g_autoptr (GByteArray) ring = get_bytes (c->in, "ring");
  guint64 n_slots = get_number (c->in, "item_count");
  g_autoptr (GError) error = NULL;
  guint64 n_done;

  gboolean ok = vyre_count_done_slots (ring->data, ring->len, n_slots, &n_done, &error);
  check_result (c, strict, ok, error);
  if (ok)
    check_number (c, strict, "value", n_done);
  ok = vyre_peek_done_slots (ring->data, ring->len, n_slots, &n_done);
  if (ok == json_object_get_null_member (c->out, "lenient"))
    case_fail (c, "the lenient reader %s", ok ? "accepts it" : "refuses it");
  else if (ok)
    check_number (c, c->out, "lenient", n_done);
}

static void
default_priority_offsets (Case *c)
{
  guint32 offsets[VYRE_PRIORITY_LEVELS + 1];

  vyre_priority_offsets (get_word (c->in, "total_slots"), offsets);
  check_counters (c, json_object_get_array_member (c->out, "offsets"), "offset", offsets,
      G_N_ELEMENTS (offsets));
}

static void
write_default_priority_offsets (Case *c)
{
  g_autoptr (GByteArray) before = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  g_byte_array_set_size (before, get_word (c->in, "control_len"));
  if (before->len > 0)
    memset (before->data, (int)get_word (c->in, "control_fill_byte"), before->len);
  g_autofree guint8 *control = g_memdup2 (before->data, before->len);
  gboolean ok
      = vyre_write_priority_offsets (control, before->len, get_word (c->in, "total_slots"), &error);
  check_result (c, c->out, ok, error);
  check_bytes (c, c->out, "control", control, before->len, before);
}

static void
priority_partition_helpers (Case *c)
{
  VyrePartitionProbes probes;

  vyre_partition_probes (
      get_word (c->in, "partition_slots"), get_word (c->in, "worker_width"), &probes);
  check_number (c, c->out, "active_lane_count", probes.lanes);
  check_number (c, c->out, "probe_count", probes.per_lane);
  check_number (c, c->out, "probe_budget", probes.total);
}

static GArray *
get_lengths (JsonObject *in)
{
  g_autoptr (GArray) words = get_words (in, "buffer_lens");
  GArray *lengths = g_array_new (FALSE, FALSE, sizeof (gsize));

  for (guint i = 0; i < words->len; i++) {
    gsize length = g_array_index (words, guint32, i);
    g_array_append_val (lengths, length);
  }
  return lengths;
}

static void
readback_from_outputs (Case *c)
{
  static const char *const members[VYRE_N_PARTS]
      = { "control_bytes", "ring_bytes", "debug_log_bytes", "io_queue_bytes" };
  g_autoptr (GArray) lengths = get_lengths (c->in);
  g_autoptr (GPtrArray) buffers = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (VyreReadback) readback = vyre_readback_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < lengths->len; i++)
    g_ptr_array_add (buffers, g_malloc0 (g_array_index (lengths, gsize, i)));
  gboolean ok = vyre_readback_fill (readback, (const void *const *)buffers->pdata,
      (const gsize *)(void *)lengths->data, lengths->len, get_word (c->in, "slot_count"), &error);
  check_result (c, c->out, ok, error);
  if (!ok)
    return;
  JsonObject *counters = json_object_get_object_member (c->out, "counters");
  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    gsize length;
    vyre_readback_get_part (readback, part, &length);
    check_number (c, counters, members[part], length);
  }
  check_number (c, counters, "total_bytes", vyre_readback_get_total (readback));
  check_number (c, c->out, "slot_count", vyre_readback_get_n_slots (readback));
}

/* The sizing helper answers the same as the check of bootstrap does. */
static void
bootstrap_geometry (Case *c)
{
  JsonObject *bootstrap = json_object_get_object_member (c->out, "bootstrap_sharded");
  JsonObject *helper = json_object_get_object_member (c->out, "worker_groups_for_geometry");
  guint32 n_slots = get_word (c->in, "slot_count");
  g_autoptr (GError) error = NULL;
  guint32 n_workgroups;

  gboolean ok = vyre_geometry_validate (
      n_slots, get_word (c->in, "workgroup_size_x"), &n_workgroups, &error);
  check_result (c, bootstrap, ok, error);
  check_result (c, helper, ok, error);
  if (!ok)
    return;
  check_number (c, bootstrap, "worker_groups", n_workgroups);
  check_number (c, helper, "worker_groups", n_workgroups);
}

/* The runtime accepts what the reference's CPU back end then cannot run. */
static gboolean
is_refused_by_back_end (JsonObject *out)
{
  if (!json_object_has_member (out, "error"))
    return FALSE;
  return g_str_has_prefix (
      json_object_get_string_member (json_object_get_object_member (out, "error"), "text"),
      "backend error: cpu-ref");
}

static void
dispatch_buffer_lengths (Case *c)
{
  g_autoptr (GArray) lengths = get_lengths (c->in);
  g_autoptr (GError) error = NULL;
  VyreLayout layout;

  gboolean ok = vyre_dispatch_validate ((const gsize *)(void *)lengths->data, lengths->len,
      get_word (c->in, "slot_count"), get_word (c->in, "workgroup_size_x"), &layout, &error);
  if (is_refused_by_back_end (c->out)) {
    if (!ok)
      case_fail (c, "was refused: %s", error->message);
    return;
  }
  check_result (c, c->out, ok, error);
  if (!ok)
    return;
  JsonArray *output = json_object_get_array_member (c->out, "output_lens");
  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    if (layout.size[part] != (gsize)json_array_get_int_element (output, part))
      case_fail (c, "part %u has %" G_GSIZE_FORMAT " bytes", part, layout.size[part]);
  }
  check_number (c, c->out, "input_bytes", layout.total);
  check_number (c, c->out, "readback_bytes", layout.total);
}

const Operation part_operations[] = {
  { "encode_control", encode_control },
  { "control_byte_len", control_byte_len },
  { "debug_log_byte_len", debug_log_byte_len },
  { "ring_byte_len", ring_byte_len },
  { "encode_empty_ring", encode_empty_ring },
  { "encode_empty_debug_log", encode_empty_debug_log },
  { "encode_empty_io_queue", encode_empty_io_queue },
  { "MegakernelIoQueue::new", encode_empty_io_queue },
  { "try_read_debug_log", try_read_debug_log },
  { "read_control", read_control },
  { "count_done_ring_slots", count_done_ring_slots },
  { "default_priority_offsets", default_priority_offsets },
  { "write_default_priority_offsets", write_default_priority_offsets },
  { "priority_partition_helpers", priority_partition_helpers },
  { "readback_from_outputs", readback_from_outputs },
  { "bootstrap_geometry", bootstrap_geometry },
  { "dispatch_buffer_lengths", dispatch_buffer_lengths },
  { NULL },
};

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parts of a batch, beyond the cases of the reference: limits, refusals that must not touch
 * anything, words at odd addresses, and memory that is kept.
 */
#include "vyre/vyre.h"

#include <string.h>

#include "refused-common.h"

static void
write_word (guint8 *buffer, gsize word, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (buffer + 4 * word, &value, 4);
}

/* @n words that tell their index, at an odd address. */
static guint8 *
new_numbered (guint n, guint8 **memory)
{
  *memory = g_malloc (4 * (gsize)n + 1);
  for (guint i = 0; i < n; i++)
    write_word (*memory + 1, i, 1000 + i);
  return *memory + 1;
}

static gboolean
is_filled (const guint8 *bytes, gsize length, guint8 value)
{
  for (gsize i = 0; i < length; i++) {
    if (bytes[i] != value)
      return FALSE;
  }
  return TRUE;
}

/* ---- lengths and empty parts */

static void
test_length (void)
{
  static const struct {
    VyrePart part;
    guint32 longest;
    gsize bytes;
  } parts[] = { { VYRE_PART_CONTROL, 4294967135u, 17179869180 },
    { VYRE_PART_RING, 268435455u, 17179869120 }, { VYRE_PART_DEBUG_LOG, 1073741823u, 17179869172 },
    { VYRE_PART_IO_QUEUE, 64, 2048 } };
  static const gsize none[] = { 640, 0, 4, 0 };
  GError *error = NULL;
  gsize length;

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_assert_true (vyre_part_length (parts[i].part, 0, &length, NULL));
    g_assert_cmpuint (length, ==, none[i]);
    g_assert_true (vyre_part_length (parts[i].part, parts[i].longest, &length, NULL));
    g_assert_cmpuint (length, ==, parts[i].bytes);
    length = 12345;
    assert_refused (vyre_part_length (parts[i].part, parts[i].longest + 1, &length, &error), &error,
        VYRE_ERROR_TOO_LARGE);
    assert_refused (vyre_part_length (parts[i].part, G_MAXUINT32, &length, &error), &error,
        VYRE_ERROR_TOO_LARGE);
    g_assert_cmpuint (length, ==, 12345);
  }
}

static void
test_layout (void)
{
  static const gsize sizes[] = { 4 * 167, 64 * 5, 1028, 2048 };
  VyreLayout layout, validated;
  gsize at = 0;

  vyre_layout_init (&layout, 7, 5);
  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    g_assert_cmpuint (layout.size[part], ==, sizes[part]);
    g_assert_cmpuint (layout.offset[part], ==, at);
    at += sizes[part];
  }
  g_assert_cmpuint (layout.total, ==, at);
  g_assert_true (vyre_readback_validate (layout.size, VYRE_N_PARTS, 5, &validated, NULL));
  g_assert_cmpmem (&validated, sizeof validated, &layout, sizeof layout);
}

static void
test_empty (void)
{
  static const guint32 most[] = { 1048576, 1048576, 1048576, 64 };
  GError *error = NULL;
  gsize length, expected;

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    g_autofree guint8 *empty = vyre_encode_empty (part, most[part], &length, &error);
    g_assert_no_error (error);
    g_assert_true (vyre_part_length (part, most[part], &expected, NULL));
    g_assert_cmpuint (length, ==, expected);
    g_assert_true (is_filled (empty, length, 0));
    g_assert_null (vyre_encode_empty (part, most[part] + 1, &length, &error));
    assert_refused (FALSE, &error, VYRE_ERROR_TOO_LARGE);
  }
  g_autofree guint8 *ring = vyre_encode_empty (VYRE_PART_RING, 0, &length, &error);
  g_assert_nonnull (ring); /* an empty ring is no failure */
  g_assert_cmpuint (length, ==, 0);
  g_assert_null (vyre_encode_empty (VYRE_PART_IO_QUEUE, 0, &length, &error));
  assert_refused (FALSE, &error, VYRE_ERROR_QUEUE_FULL);
}

static void
test_empty_into (void)
{
  guint8 storage[200];
  GError *error = NULL;

  memset (storage, 0xA5, sizeof storage);
  assert_refused (vyre_encode_empty_into (storage, 127, VYRE_PART_RING, 2, &error), &error,
      VYRE_ERROR_NO_SPACE);
  assert_refused (vyre_encode_empty_into (storage, sizeof storage, VYRE_PART_RING, 1048577, &error),
      &error, VYRE_ERROR_TOO_LARGE);
  assert_refused (vyre_encode_empty_into (storage, sizeof storage, VYRE_PART_IO_QUEUE, 0, &error),
      &error, VYRE_ERROR_QUEUE_FULL);
  g_assert_true (is_filled (storage, sizeof storage, 0xA5));
  g_assert_true (vyre_encode_empty_into (storage + 1, 150, VYRE_PART_RING, 2, &error));
  g_assert_true (is_filled (storage, 1, 0xA5));
  g_assert_true (is_filled (storage + 1, 128, 0));
  g_assert_true (is_filled (storage + 129, sizeof storage - 129, 0xA5));
  g_assert_true (vyre_encode_empty_into (NULL, 0, VYRE_PART_RING, 0, &error));
}

/* ---- control */

static void
test_encode_control (void)
{
  static const guint32 tenants[] = { 0, 1, 28, 29, 30, 32, 33, 1000, G_MAXUINT32 };
  guint8 storage[4 * 163 + 2];

  for (guint i = 0; i < G_N_ELEMENTS (tenants); i++) {
    const guint8 *control = storage + 1;
    memset (storage, 0xA5, sizeof storage);
    g_assert_true (
        vyre_encode_control_into (storage + 1, 4 * 163, 3, tenants[i], i % 2 == 1, NULL));
    g_assert_true (storage[0] == 0xA5 && storage[sizeof storage - 1] == 0xA5);
    for (guint32 w = 0; w < 163; w++) {
      guint32 expected = 0;
      if (w == 0)
        expected = i % 2;
      else if (w == 2)
        expected = 3;
      else if (w >= 3 && w < 32 && w - 3 < tenants[i])
        expected = G_MAXUINT32;
      else if (w >= 32 && w < 64 && w - 32 < tenants[i])
        expected = 1000000;
      g_assert_cmpuint (vyre_read_word (control, w), ==, expected);
    }
  }
}

static void
test_encode_control_forms (void)
{
  guint8 storage[700];
  GError *error = NULL;
  gsize length;

  g_autofree guint8 *control = vyre_encode_control (10, 40, TRUE, &length, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (length, ==, 680);
  g_assert_true (vyre_encode_control_into (storage, sizeof storage, 10, 40, TRUE, &error));
  g_assert_cmpmem (storage, 680, control, length);
  g_assert_null (vyre_encode_control (1048577, 1, FALSE, &length, &error));
  assert_refused (FALSE, &error, VYRE_ERROR_TOO_LARGE);
  memset (storage, 0xA5, sizeof storage);
  assert_refused (
      vyre_encode_control_into (storage, 639, 0, 1, FALSE, &error), &error, VYRE_ERROR_NO_SPACE);
  assert_refused (vyre_encode_control_into (storage, sizeof storage, G_MAXUINT32, 1, FALSE, &error),
      &error, VYRE_ERROR_TOO_LARGE);
  g_assert_true (is_filled (storage, sizeof storage, 0xA5));
}

static void
test_read_control (void)
{
  g_autofree guint8 *memory = NULL;
  const guint8 *control = new_numbered (160, &memory);
  GError *error = NULL;
  VyreControl values;

  g_assert_true (vyre_read_control (control, 640, &values, &error));
  g_assert_no_error (error);
  g_assert_true (values.shutdown);
  g_assert_cmpuint (values.done_count, ==, 1001);
  g_assert_cmpuint (values.epoch, ==, 1128);
  for (guint i = 0; i < 32; i++) {
    g_assert_cmpuint (values.metrics[i], ==, 1096 + i);
    g_assert_cmpuint (values.tenant_fairness[i], ==, 1064 + i);
  }
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (values.priority_fairness[i], ==, 1136 + i);
  memset (&values, 0xA5, sizeof values);
  assert_refused (
      vyre_read_control (control, 636, &values, &error), &error, VYRE_ERROR_MISSING_WORD);
  assert_refused (vyre_read_control (control, 641, &values, &error), &error, VYRE_ERROR_MISALIGNED);
  assert_refused (vyre_read_control (NULL, 0, &values, &error), &error, VYRE_ERROR_MISSING_WORD);
  g_assert_true (is_filled ((const guint8 *)&values, sizeof values, 0xA5));
}

static void
test_control_word (void)
{
  g_autofree guint8 *memory = NULL;
  const guint8 *control = new_numbered (129, &memory);
  GError *error = NULL;
  guint32 value = 5;

  g_assert_true (vyre_read_control_word (control, 4 * 129, VYRE_CONTROL_EPOCH, &value, &error));
  g_assert_cmpuint (value, ==, 1128);
  g_assert_cmpuint (vyre_peek_control_word (control, 4 * 129, VYRE_CONTROL_EPOCH), ==, 1128);
  value = 5;
  assert_refused (vyre_read_control_word (control, 4 * 128, VYRE_CONTROL_EPOCH, &value, &error),
      &error, VYRE_ERROR_MISSING_WORD);
  assert_refused (
      vyre_read_control_word (control, 4 * 129 - 1, VYRE_CONTROL_DONE_COUNT, &value, &error),
      &error, VYRE_ERROR_MISALIGNED);
  assert_refused (vyre_read_control_word (control, 4 * 129, G_MAXUINT32, &value, &error), &error,
      VYRE_ERROR_MISSING_WORD);
  g_assert_cmpuint (value, ==, 5);
  g_assert_cmpuint (vyre_peek_control_word (control, 4 * 128, VYRE_CONTROL_EPOCH), ==, 0);
  g_assert_cmpuint (vyre_peek_control_word (control, 4 * 129 - 1, VYRE_CONTROL_DONE_COUNT), ==, 0);
  g_assert_cmpuint (vyre_peek_control_word (NULL, 0, 0), ==, 0);
}

static void
test_observables (void)
{
  g_autofree guint8 *memory = NULL;
  const guint8 *control = new_numbered (163, &memory);
  GError *error = NULL;
  guint32 value;

  g_assert_true (vyre_read_observable (control, 4 * 163, 2, &value, &error));
  g_assert_cmpuint (value, ==, 1162);
  g_assert_cmpuint (vyre_peek_observable (control, 4 * 163, 0), ==, 1160);
  assert_refused (
      vyre_read_observable (control, 4 * 163, 3, &value, &error), &error, VYRE_ERROR_MISSING_WORD);
  /* the last index that has a word; the next one would wrap around to word 0 */
  assert_refused (vyre_read_observable (control, 4 * 163, G_MAXUINT32 - 160, &value, &error),
      &error, VYRE_ERROR_MISSING_WORD);
  assert_refused (vyre_read_observable (control, 4 * 163, G_MAXUINT32 - 159, &value, &error),
      &error, VYRE_ERROR_TOO_LARGE);
  assert_refused (vyre_read_observable (control, 4 * 163 - 2, 0, &value, &error), &error,
      VYRE_ERROR_MISALIGNED);
  g_assert_cmpuint (vyre_peek_observable (control, 4 * 163, 3), ==, 0);
  g_assert_cmpuint (vyre_peek_observable (control, 4 * 163, G_MAXUINT32 - 159), ==, 0);
  g_assert_cmpuint (vyre_peek_observable (control, 4 * 163 - 2, 0), ==, 0);
}

static void
test_metrics (void)
{
  g_autofree guint8 *memory = NULL;
  const guint8 *control = new_numbered (160, &memory);
  guint32 metrics[VYRE_CONTROL_METRICS_COUNT];
  GError *error = NULL;

  g_assert_true (vyre_read_metrics (control, 4 * 128, metrics, &error));
  for (guint i = 0; i < 32; i++)
    g_assert_cmpuint (metrics[i], ==, 1096 + i);
  memset (metrics, 0xA5, sizeof metrics);
  assert_refused (
      vyre_read_metrics (control, 4 * 127, metrics, &error), &error, VYRE_ERROR_MISSING_WORD);
  assert_refused (
      vyre_read_metrics (control, 4 * 160 - 3, metrics, &error), &error, VYRE_ERROR_MISALIGNED);
  g_assert_true (is_filled ((const guint8 *)metrics, sizeof metrics, 0xA5));
  for (gsize size = 0; size <= 640; size++) {
    memset (metrics, 0xA5, sizeof metrics);
    vyre_peek_metrics (control, size, metrics);
    for (guint i = 0; i < 32; i++)
      g_assert_cmpuint (metrics[i], ==, 4 * (96 + i + 1) <= size ? 1096 + i : 0);
  }
}

static void
test_priority_offsets (void)
{
  static const guint32 rings[] = { 0, 1, 4, 5, 9, 64, 1048576, G_MAXUINT32 - 1, G_MAXUINT32 };

  for (guint i = 0; i < G_N_ELEMENTS (rings); i++) {
    guint32 offsets[VYRE_PRIORITY_LEVELS + 1];
    vyre_priority_offsets (rings[i], offsets);
    g_assert_cmpuint (offsets[0], ==, 0);
    g_assert_cmpuint (offsets[VYRE_PRIORITY_LEVELS], ==, rings[i]);
    for (guint level = 0; level < VYRE_PRIORITY_LEVELS; level++)
      g_assert_cmpuint (offsets[level + 1] - offsets[level], ==,
          rings[i] / 5 + (level == VYRE_PRIORITY_NORMAL ? rings[i] % 5 : 0));
  }
}

static void
test_write_priority_offsets (void)
{
  g_autofree guint8 *memory = NULL;
  guint8 *control = new_numbered (160, &memory);
  GError *error = NULL;

  g_assert_true (vyre_write_priority_offsets (control, 640, 13, &error));
  for (guint w = 0; w < 160; w++) {
    static const guint32 table[] = { 0, 2, 4, 9, 11, 13 };
    g_assert_cmpuint (
        vyre_read_word (control, w), ==, w < 129 || w > 134 ? 1000 + w : table[w - 129]);
  }
  g_assert_true (vyre_write_priority_offsets (control, 540, 20, &error)); /* the table alone */
  g_assert_cmpuint (vyre_read_word (control, 134), ==, 20);
  assert_refused (
      vyre_write_priority_offsets (control, 536, 30, &error), &error, VYRE_ERROR_QUEUE_FULL);
  g_assert_cmpuint (vyre_read_word (control, 134), ==, 20); /* past the end given */
  write_word (control, 129, 77);
  assert_refused (
      vyre_write_priority_offsets (control, 639, 30, &error), &error, VYRE_ERROR_QUEUE_FULL);
  assert_refused (
      vyre_write_priority_offsets (control, 516, 30, &error), &error, VYRE_ERROR_QUEUE_FULL);
  assert_refused (vyre_write_priority_offsets (NULL, 0, 30, &error), &error, VYRE_ERROR_QUEUE_FULL);
  g_assert_cmpuint (vyre_read_word (control, 129), ==, 77);
}

/* A lane looks at each slot of a partition, and no lane looks beyond it. */
static void
test_partition_probes (void)
{
  VyrePartitionProbes probes;

  for (guint32 n = 0; n < 70; n++) {
    for (guint32 workgroup = 0; workgroup < 70; workgroup++) {
      vyre_partition_probes (n, workgroup, &probes);
      g_assert_cmpuint (probes.lanes, ==, MIN (n, MAX (workgroup, 1)));
      g_assert_cmpuint (probes.total, ==, probes.lanes * probes.per_lane);
      g_assert_cmpuint (probes.total, >=, n);
      g_assert_cmpuint (probes.total, <, n + MAX (probes.lanes, 1));
    }
  }
  vyre_partition_probes (G_MAXUINT32, 2, &probes);
  g_assert_cmpuint (probes.total, ==, G_GUINT64_CONSTANT (0x100000000));
}

/* ---- debug log and ring */

static void
test_debug_log (void)
{
  g_autofree guint8 *memory = NULL;
  guint8 *log = new_numbered (14, &memory); /* three records, and a word */
  VyreDebugRecord records[4];
  GError *error = NULL;
  guint n;

  write_word (log, 0, 12);
  memset (records, 0xA5, sizeof records);
  g_assert_true (vyre_read_debug_log (log, 4 * 14, records, 3, &n, &error));
  g_assert_cmpuint (n, ==, 3);
  for (guint i = 0; i < 12; i++)
    g_assert_cmpuint (records[i / 4].words[i % 4], ==, 1001 + i);
  g_assert_true (is_filled ((const guint8 *)&records[3], sizeof records[3], 0xA5));
  assert_refused (
      vyre_read_debug_log (log, 4 * 14, records, 2, &n, &error), &error, VYRE_ERROR_NO_SPACE);
  g_assert_cmpuint (n, ==, 0);
  assert_refused (
      vyre_read_debug_log (log, 4 * 12, records, 4, &n, &error), &error, VYRE_ERROR_MISSING_WORD);
  assert_refused (
      vyre_read_debug_log (log, 4 * 14 - 1, records, 4, &n, &error), &error, VYRE_ERROR_MISALIGNED);
  assert_refused (
      vyre_read_debug_log (NULL, 0, records, 4, &n, &error), &error, VYRE_ERROR_MISSING_WORD);
  for (guint32 cursor = 9; cursor < 12; cursor++) {
    write_word (log, 0, cursor);
    assert_refused (
        vyre_read_debug_log (log, 4 * 14, records, 4, &n, &error), &error, VYRE_ERROR_MISSING_WORD);
  }
  write_word (log, 0, G_MAXUINT32 - 3); /* whole records, but none of them in the log */
  assert_refused (
      vyre_read_debug_log (log, 4 * 14, records, 4, &n, &error), &error, VYRE_ERROR_MISSING_WORD);
}

/* The reference's kernels leave the cursor of a full log past its end. */
static void
test_peek_debug_log (void)
{
  g_autofree guint8 *memory = NULL;
  guint8 *log = new_numbered (VYRE_DEBUG_WORDS, &memory);
  VyreDebugRecord records[VYRE_DEBUG_RECORDS];

  write_word (log, 0, 4 * 80);
  g_assert_cmpuint (vyre_peek_debug_log (log, 1028, records, VYRE_DEBUG_RECORDS), ==, 64);
  g_assert_cmpuint (records[0].words[0], ==, 1001);
  g_assert_cmpuint (records[63].words[3], ==, 1256);
  write_word (log, 0, G_MAXUINT32);
  g_assert_cmpuint (vyre_peek_debug_log (log, 1028, records, VYRE_DEBUG_RECORDS), ==, 64);
  g_assert_cmpuint (vyre_peek_debug_log (log, 1028, records, 5), ==, 5);
  g_assert_cmpuint (vyre_peek_debug_log (log, 4 + 16 + 15, records, VYRE_DEBUG_RECORDS), ==, 1);
  write_word (log, 0, 11);
  g_assert_cmpuint (vyre_peek_debug_log (log, 1028, records, VYRE_DEBUG_RECORDS), ==, 2);
  g_assert_cmpuint (vyre_peek_debug_log (log, 4, records, VYRE_DEBUG_RECORDS), ==, 0);
  g_assert_cmpuint (vyre_peek_debug_log (log, 3, records, VYRE_DEBUG_RECORDS), ==, 0);
}

static void
test_done_slots (void)
{
  guint8 memory[4 * 64 + 1];
  guint8 *ring = memory + 1;
  GError *error = NULL;
  guint64 n;

  for (guint w = 0; w < 64; w++) /* only the status counts, and only DONE */
    write_word (ring, w, w % 16 == 0 ? VYRE_STATUS_DONE + 1 : VYRE_STATUS_DONE);
  write_word (ring, 16, VYRE_STATUS_DONE);
  write_word (ring, 48, VYRE_STATUS_DONE);
  g_assert_true (vyre_count_done_slots (ring, 256, 4, &n, &error));
  g_assert_cmpuint (n, ==, 2);
  g_assert_true (vyre_count_done_slots (ring, 256, 3, &n, &error));
  g_assert_cmpuint (n, ==, 1);
  g_assert_true (vyre_count_done_slots (NULL, 0, 0, &n, &error));
  g_assert_cmpuint (n, ==, 0);
  assert_refused (
      vyre_count_done_slots (ring, 252, 4, &n, &error), &error, VYRE_ERROR_MISSING_WORD);
  assert_refused (vyre_count_done_slots (ring, 255, 4, &n, &error), &error, VYRE_ERROR_MISALIGNED);
  assert_refused (vyre_count_done_slots (ring, 256, G_MAXUINT64 / 64, &n, &error), &error,
      VYRE_ERROR_MISSING_WORD);
  assert_refused (vyre_count_done_slots (ring, 256, G_MAXUINT64 / 64 + 1, &n, &error), &error,
      VYRE_ERROR_TOO_LARGE);
  g_assert_true (vyre_peek_done_slots (ring, 255, 3, &n));
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (vyre_peek_done_slots (ring, 255, 4, &n));
  g_assert_false (vyre_peek_done_slots (ring, 256, G_MAXUINT64, &n));
  g_assert_false (vyre_peek_done_slots (ring, 256, 0, &n));
}

/* ---- validation */

static void
test_validate (void)
{
  static const struct {
    gsize lengths[VYRE_N_PARTS];
    guint32 n_slots;
    VyreError code;
    const char *part; /* the part that the error names when several are wrong */
  } bad[] = {
    { { 636, 1, 1, 1 }, 4, VYRE_ERROR_INVALID, "control" },
    { { 641, 1, 1, 1 }, 4, VYRE_ERROR_MISALIGNED, "control" },
    { { G_MAXSIZE - 3, 256, 1028, 2048 }, 4, VYRE_ERROR_INVALID, "control" },
    { { 640, 1, 1027, 1 }, 4, VYRE_ERROR_INVALID, "debug log" },
    { { 640, 1, 1044, 1 }, 4, VYRE_ERROR_INVALID, "debug log" },
    { { 640, 1, 1028, 31 }, 4, VYRE_ERROR_MISALIGNED, "io queue" },
    { { 640, 1, 1028, 36 }, 4, VYRE_ERROR_MISALIGNED, "io queue" },
    { { 640, 1, 1028, 2080 }, 4, VYRE_ERROR_TOO_LARGE, "io queue" },
    { { 640, 252, 1028, 2048 }, 4, VYRE_ERROR_INVALID, "ring" },
    { { 640, 320, 1028, 2048 }, 4, VYRE_ERROR_INVALID, "ring" },
    { { 640, (gsize)64 << 28, 1028, 2048 }, 1u << 28, VYRE_ERROR_INVALID, "ring" },
    { { 640, 0, 1028, 2048 }, 1u << 28, VYRE_ERROR_INVALID, "ring" },
  };
  GError *error = NULL;
  VyreLayout layout;

  memset (&layout, 0xA5, sizeof layout);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_assert_false (
        vyre_readback_validate (bad[i].lengths, VYRE_N_PARTS, bad[i].n_slots, &layout, &error));
    g_autofree char *start = g_strdup_printf ("The %s", bad[i].part);
    g_assert_true (g_str_has_prefix (error->message, start));
    assert_refused (FALSE, &error, bad[i].code);
  }
  for (guint n = 0; n < 6; n++) {
    static const gsize lengths[6] = { 640, 256, 1028, 2048 };
    if (n != VYRE_N_PARTS)
      assert_refused (
          vyre_readback_validate (lengths, n, 4, &layout, &error), &error, VYRE_ERROR_INVALID);
  }
  g_assert_true (is_filled ((const guint8 *)&layout, sizeof layout, 0xA5));
}

static void
test_validate_counts (void)
{
  static const gsize lengths[] = { 644, 128, 1028, 32 };
  static const gsize long_ring[] = { 640, (gsize)64 * 268435455, 1028, 0 };
  VyreLayout layout;

  g_assert_true (vyre_readback_validate (lengths, VYRE_N_PARTS, 2, NULL, NULL));
  g_assert_true (vyre_readback_validate (lengths, VYRE_N_PARTS, 2, &layout, NULL));
  g_assert_cmpmem (layout.size, sizeof layout.size, lengths, sizeof lengths);
  g_assert_cmpuint (layout.total, ==, 644 + 128 + 1028 + 32);
  g_assert_true (vyre_readback_validate (long_ring, VYRE_N_PARTS, 268435455, NULL, NULL));
}

static void
test_dispatch (void)
{
  static const gsize lengths[] = { 640, 64 * 12, 1028, 2048 };
  static const guint32 bad[][2] = { { 0, 0 }, { 0, 4 }, { 12, 0 }, { 12, 5 }, { 12, 24 } };
  GError *error = NULL;
  VyreLayout layout;
  guint32 n;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    assert_refused (
        vyre_geometry_validate (bad[i][0], bad[i][1], &n, &error), &error, VYRE_ERROR_QUEUE_FULL);
    assert_refused (
        vyre_dispatch_validate (lengths, VYRE_N_PARTS, bad[i][0], bad[i][1], NULL, &error), &error,
        VYRE_ERROR_QUEUE_FULL);
  }
  g_assert_true (vyre_geometry_validate (12, 4, &n, &error));
  g_assert_cmpuint (n, ==, 3);
  g_assert_true (vyre_geometry_validate (G_MAXUINT32, G_MAXUINT32, NULL, &error));
  g_assert_true (vyre_dispatch_validate (lengths, VYRE_N_PARTS, 12, 4, &layout, &error));
  g_assert_cmpuint (layout.total, ==, 640 + 64 * 12 + 1028 + 2048);
  assert_refused (vyre_dispatch_validate (lengths, VYRE_N_PARTS, 8, 4, NULL, &error), &error,
      VYRE_ERROR_INVALID);
}

/* ---- a readback that is kept */

typedef struct {
  guint8 *buffers[VYRE_N_PARTS];
  gsize lengths[VYRE_N_PARTS];
} Batch;

static void
batch_init (Batch *batch, guint n_observables, guint n_slots, guint8 value)
{
  VyreLayout layout;

  vyre_layout_init (&layout, n_observables, n_slots);
  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    batch->lengths[part] = layout.size[part];
    batch->buffers[part] = g_malloc (layout.size[part]);
    if (layout.size[part] > 0)
      memset (batch->buffers[part], value + (int)part, layout.size[part]);
  }
}

static void
batch_clear (Batch *batch)
{
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    g_free (batch->buffers[part]);
}

/* Fills a readback from buffers that are gone afterwards. */
static void
fill (VyreReadback *readback, guint n_observables, guint n_slots, guint8 value)
{
  GError *error = NULL;
  Batch batch;

  batch_init (&batch, n_observables, n_slots, value);
  vyre_readback_fill (
      readback, (const void *const *)batch.buffers, batch.lengths, VYRE_N_PARTS, n_slots, &error);
  g_assert_no_error (error);
  batch_clear (&batch);
}

static void
assert_holds (const VyreReadback *readback, guint n_observables, guint n_slots, guint8 value)
{
  VyreLayout layout;

  vyre_layout_init (&layout, n_observables, n_slots);
  g_assert_false (vyre_readback_is_empty (readback));
  g_assert_cmpuint (vyre_readback_get_n_slots (readback), ==, n_slots);
  g_assert_cmpuint (vyre_readback_get_total (readback), ==, layout.total);
  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    gsize length;
    const guint8 *bytes = vyre_readback_get_part (readback, part, &length);
    g_assert_cmpuint (length, ==, layout.size[part]);
    g_assert_true (is_filled (bytes, length, (guint8)(value + part)));
  }
}

static void
assert_empty (const VyreReadback *readback)
{
  g_assert_true (vyre_readback_is_empty (readback));
  g_assert_cmpuint (vyre_readback_get_n_slots (readback), ==, 0);
  g_assert_cmpuint (vyre_readback_get_total (readback), ==, 0);
}

static void
get_addresses (const VyreReadback *readback, const guint8 **addresses)
{
  gsize length;

  for (guint part = 0; part < VYRE_N_PARTS; part++)
    addresses[part] = vyre_readback_get_part (readback, part, &length);
}

static void
test_readback_fill (void)
{
  g_autoptr (VyreReadback) readback = vyre_readback_new ();
  GError *error = NULL;
  Batch batch;

  assert_empty (readback);
  fill (readback, 3, 5, 10);
  assert_holds (readback, 3, 5, 10);
  batch_init (&batch, 9, 7, 50);
  assert_refused (vyre_readback_fill (readback, (const void *const *)batch.buffers, batch.lengths,
                      VYRE_N_PARTS, 8, &error),
      &error, VYRE_ERROR_INVALID);
  assert_refused (vyre_readback_fill (
                      readback, (const void *const *)batch.buffers, batch.lengths, 3, 7, &error),
      &error, VYRE_ERROR_INVALID);
  batch_clear (&batch);
  assert_holds (readback, 3, 5, 10);
  fill (readback, 0, 0, 20); /* a ring may have no slots */
  assert_holds (readback, 0, 0, 20);
}

static void
test_readback_keeps_memory (void)
{
  g_autoptr (VyreReadback) readback = vyre_readback_new ();
  const guint8 *before[VYRE_N_PARTS], *after[VYRE_N_PARTS];

  fill (readback, 100, 50, 1);
  get_addresses (readback, before);
  fill (readback, 3, 2, 2);
  assert_holds (readback, 3, 2, 2);
  vyre_readback_clear (readback);
  assert_empty (readback);
  fill (readback, 100, 50, 3);
  assert_holds (readback, 100, 50, 3);
  get_addresses (readback, after);
  g_assert_cmpmem (after, sizeof after, before, sizeof before);
}

/* One readback holds batches and another takes them over: two sets of buffers serve any number of
 * batches. */
static void
test_readback_drain (void)
{
  g_autoptr (VyreReadback) holder = vyre_readback_new ();
  g_autoptr (VyreReadback) mine = vyre_readback_new ();
  const guint8 *first[VYRE_N_PARTS], *second[VYRE_N_PARTS], *now[VYRE_N_PARTS];

  fill (holder, 4, 6, 1);
  fill (mine, 4, 6, 2);
  get_addresses (holder, first);
  get_addresses (mine, second);
  for (guint8 i = 0; i < 10; i++) {
    fill (holder, 4, 6, 30 + i);
    vyre_readback_clear (mine);
    vyre_readback_swap (holder, mine);
    assert_empty (holder);
    assert_holds (mine, 4, 6, 30 + i);
    get_addresses (mine, now);
    g_assert_cmpmem (now, sizeof now, i % 2 == 0 ? first : second, sizeof now);
  }
  vyre_readback_swap (mine, mine);
  assert_holds (mine, 4, 6, 39);
}

static void
expect_refusal (const char *function)
{
  g_autofree char *pattern = g_strdup_printf ("*%s*part < VYRE_N_PARTS*", function);

  g_test_expect_message ("vyre", G_LOG_LEVEL_CRITICAL, pattern);
}

/* A number that is no part is the caller's fault, and nothing is read for it. */
static void
test_no_part (void)
{
  const VyrePart no_parts[] = { VYRE_N_PARTS, (VyrePart)G_MAXUINT32 };
  g_autoptr (VyreReadback) readback = vyre_readback_new ();
  guint8 storage[64];
  gsize length;

  for (guint i = 0; i < G_N_ELEMENTS (no_parts); i++) {
    expect_refusal ("vyre_part_length");
    g_assert_false (vyre_part_length (no_parts[i], 1, &length, NULL));
    expect_refusal ("vyre_part_check_word");
    g_assert_false (vyre_part_check_word (no_parts[i], 4, 0, NULL));
    expect_refusal ("parts_check_encodable");
    g_assert_null (vyre_encode_empty (no_parts[i], 1, &length, NULL));
    expect_refusal ("parts_check_encodable");
    g_assert_false (vyre_encode_empty_into (storage, sizeof storage, no_parts[i], 1, NULL));
    expect_refusal ("vyre_readback_get_part");
    g_assert_null (vyre_readback_get_part (readback, no_parts[i], &length));
    g_test_assert_expected_messages ();
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/part-sizes/length", test_length);
  g_test_add_func ("/part-sizes/layout", test_layout);
  g_test_add_func ("/part-sizes/empty", test_empty);
  g_test_add_func ("/part-sizes/empty-into", test_empty_into);
  g_test_add_func ("/part-sizes/no-part", test_no_part);
  g_test_add_func ("/part-sizes/validate", test_validate);
  g_test_add_func ("/part-sizes/validate-counts", test_validate_counts);
  g_test_add_func ("/part-sizes/dispatch", test_dispatch);
  g_test_add_func ("/control/encode", test_encode_control);
  g_test_add_func ("/control/encode-forms", test_encode_control_forms);
  g_test_add_func ("/control/read", test_read_control);
  g_test_add_func ("/control/word", test_control_word);
  g_test_add_func ("/control/observables", test_observables);
  g_test_add_func ("/control/metrics", test_metrics);
  g_test_add_func ("/control/priority-offsets", test_priority_offsets);
  g_test_add_func ("/control/write-priority-offsets", test_write_priority_offsets);
  g_test_add_func ("/control/partition-probes", test_partition_probes);
  g_test_add_func ("/readback/debug-log", test_debug_log);
  g_test_add_func ("/readback/peek-debug-log", test_peek_debug_log);
  g_test_add_func ("/readback/done-slots", test_done_slots);
  g_test_add_func ("/readback/fill", test_readback_fill);
  g_test_add_func ("/readback/keeps-memory", test_readback_keeps_memory);
  g_test_add_func ("/readback/drain", test_readback_drain);
  return g_test_run ();
}

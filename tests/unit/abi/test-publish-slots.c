/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishing into a ring, and slots as raw bytes, beyond the vectors of the reference: limits,
 * every refusal with its order and its words, rings that stay as they were, buffers of any
 * alignment, and the order in which a reader sees stores.
 */
#include "vyre/vyre.h"

#include <string.h>

#define SLOT_BYTES 64
#define N_SLOTS 4
#define NO_RING_HAS G_MAXUINT32

static const guint32 numbers[]
    = { 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112 };
static const guint32 busy[] = { VYRE_STATUS_PUBLISHED, VYRE_STATUS_CLAIMED, VYRE_STATUS_WAIT_IO,
  VYRE_STATUS_YIELD, VYRE_STATUS_REQUEUE, VYRE_STATUS_FAULT, 8, G_MAXUINT32 };

/* A ring of EMPTY slots with noise in their words, and a copy of it. */
typedef struct {
  guint32 words[N_SLOTS * VYRE_SLOT_WORDS];
  guint32 before[N_SLOTS * VYRE_SLOT_WORDS];
} Ring;

static void
ring_reset (Ring *ring)
{
  for (guint i = 0; i < G_N_ELEMENTS (ring->words); i++)
    ring->words[i] = i % VYRE_SLOT_WORDS == 0 ? VYRE_STATUS_EMPTY : 0xABCD0000 + i;
  memcpy (ring->before, ring->words, sizeof ring->words);
}

static void
ring_set_status (Ring *ring, guint slot, guint32 status)
{
  ring->words[slot * VYRE_SLOT_WORDS] = status;
  ring->before[slot * VYRE_SLOT_WORDS] = status;
}

static const guint32 *
ring_slot (const Ring *ring, guint slot)
{
  return ring->words + slot * VYRE_SLOT_WORDS;
}

static void
assert_error (GError **error, int code, const char *part)
{
  g_assert_error (*error, VYRE_ERROR, code);
  g_assert_nonnull (strstr ((*error)->message, part));
  g_assert_nonnull (strstr ((*error)->message, " Fix: "));
  g_assert_true (g_str_has_suffix ((*error)->message, "."));
  g_clear_error (error);
}

static void
assert_refused (Ring *ring, gboolean ok, GError **error, const char *part)
{
  g_assert_false (ok);
  assert_error (error, VYRE_ERROR_QUEUE_FULL, part);
  g_assert_cmpmem (ring->words, sizeof ring->words, ring->before, sizeof ring->before);
}

/* Expects a published slot with @args and otherwise zeros. */
static void
assert_slot (const guint32 *slot, guint32 opcode, guint32 tenant, const guint32 *args, guint n_args)
{
  guint32 wanted[VYRE_SLOT_WORDS] = { VYRE_STATUS_PUBLISHED, opcode, tenant, VYRE_PRIORITY_NORMAL };

  for (guint i = 0; i < n_args; i++)
    wanted[VYRE_SLOT_ARGS + i] = args[i];
  g_assert_cmpmem (slot, SLOT_BYTES, wanted, sizeof wanted);
}

static void
assert_same_slot (const Ring *ring, guint slot)
{
  g_assert_cmpmem (
      ring_slot (ring, slot), SLOT_BYTES, ring->before + slot * VYRE_SLOT_WORDS, SLOT_BYTES);
}

static void
test_opcodes (void)
{
  static const struct {
    guint32 opcode;
    gboolean system, builtin, publishable;
  } cases[] = {
    { 0, TRUE, TRUE, TRUE },
    { 7, TRUE, TRUE, TRUE },
    { 8, FALSE, FALSE, TRUE },
    { 0xFFEF, FALSE, FALSE, TRUE },
    { 0xFFF0, TRUE, FALSE, FALSE },
    { 0xFFFC, TRUE, FALSE, FALSE },
    { VYRE_OP_LOAD_MISS, TRUE, FALSE, TRUE },
    { VYRE_OP_PRINTF, TRUE, TRUE, TRUE },
    { 0xFFFF, TRUE, FALSE, FALSE },
    { 0x10000, FALSE, FALSE, TRUE },
    { VYRE_OP_U8_STATS, FALSE, FALSE, TRUE },
    { 0x7FFFFFFF, FALSE, FALSE, TRUE },
    { 0x80000000, TRUE, FALSE, FALSE },
    { VYRE_OP_PACKED_SLOT, TRUE, TRUE, TRUE },
    { 0x80000002, TRUE, FALSE, FALSE },
    { 0xFFFFFFFE, TRUE, FALSE, FALSE },
    { VYRE_OP_SHUTDOWN, TRUE, TRUE, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint32 opcode = cases[i].opcode;
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (vyre_opcode_is_system (opcode), ==, cases[i].system);
    g_assert_cmpint (vyre_opcode_is_builtin (opcode), ==, cases[i].builtin);
    g_assert_cmpint (vyre_opcode_check_user (opcode, &error), ==, !cases[i].system);
    if (cases[i].system)
      assert_error (&error, VYRE_ERROR_QUEUE_FULL, "reserved");
    g_assert_cmpint (vyre_opcode_check_publish (opcode, &error), ==, cases[i].publishable);
    if (!cases[i].publishable)
      assert_error (&error, VYRE_ERROR_QUEUE_FULL, "reserved");
    g_assert_no_error (error);
  }
}

static void
test_slot (void)
{
  VyreOp full = { VYRE_OP_PRINTF, numbers, VYRE_SLOT_MAX_ARGS };
  VyreOp bare = { 0x40000100, NULL, 0 };
  g_autoptr (GError) error = NULL;
  Ring ring;

  ring_reset (&ring);
  ring_set_status (&ring, 3, VYRE_STATUS_DONE);
  g_assert_true (vyre_publish_slot (ring.words, sizeof ring.words, 1, 5, &full, &error));
  g_assert_true (vyre_publish_slot (ring.words, sizeof ring.words, 3, G_MAXUINT32, &bare, &error));
  g_assert_no_error (error);
  assert_same_slot (&ring, 0);
  assert_slot (ring_slot (&ring, 1), VYRE_OP_PRINTF, 5, numbers, VYRE_SLOT_MAX_ARGS);
  assert_same_slot (&ring, 2);
  assert_slot (ring_slot (&ring, 3), 0x40000100, G_MAXUINT32, NULL, 0);
}

/* Begins with every argument wrong, and puts one right after the other. */
static void
test_slot_order (void)
{
  VyreOp op = { 0xFFF0, numbers, VYRE_SLOT_MAX_ARGS + 1 };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  ring_set_status (&ring, 2, VYRE_STATUS_CLAIMED);
  assert_refused (&ring,
      vyre_publish_slot (ring.words, sizeof ring.words - 4, NO_RING_HAS, 0, &op, &error), &error,
      "not whole slots");
  assert_refused (&ring, vyre_publish_slot (ring.words, sizeof ring.words, N_SLOTS, 0, &op, &error),
      &error, "no room for 1 from slot 4");
  assert_refused (&ring, vyre_publish_slot (ring.words, sizeof ring.words, 2, 0, &op, &error),
      &error, "Slot 2: 13 arguments");
  op.n_args = G_MAXUINT;
  assert_refused (&ring, vyre_publish_slot (ring.words, sizeof ring.words, 2, 0, &op, &error),
      &error, "4294967295 arguments");
  op.n_args = 1;
  assert_refused (&ring, vyre_publish_slot (ring.words, sizeof ring.words, 2, 0, &op, &error),
      &error, "Slot 2: Opcode 0xfff0");
  op.opcode = VYRE_OP_LOAD_MISS;
  for (guint i = 0; i < G_N_ELEMENTS (busy); i++) {
    g_autofree char *status = g_strdup_printf ("Slot 2: Status %u ", busy[i]);
    ring_set_status (&ring, 2, busy[i]);
    assert_refused (&ring, vyre_publish_slot (ring.words, sizeof ring.words, 2, 0, &op, &error),
        &error, status);
  }
  ring_set_status (&ring, 2, VYRE_STATUS_EMPTY);
  g_assert_true (vyre_publish_slot (ring.words, sizeof ring.words, 2, 0, &op, &error));
  assert_slot (ring_slot (&ring, 2), VYRE_OP_LOAD_MISS, 0, numbers, 1);
}

/* The call looks at the length before any byte of the ring, which has none here. */
static void
test_large_ring (void)
{
  gsize size = ((gsize)1 << 28) * SLOT_BYTES;
  VyreOp op = { VYRE_OP_NOP, NULL, 0 };
  VyreWorkItem item = { VYRE_OP_NOP, 0, 0, 0 };
  GError *error = NULL;

  g_assert_false (vyre_publish_slot (NULL, size, 0, 0, &op, &error));
  assert_error (&error, VYRE_ERROR_TOO_LARGE, "268435456 slots");
  g_assert_false (vyre_publish_slot (NULL, 0, 0, 0, &op, &error));
  assert_error (&error, VYRE_ERROR_QUEUE_FULL, "no room");
  size = ((gsize)VYRE_ENCODE_MAX + 1) * SLOT_BYTES;
  g_assert_false (vyre_encode_work_items (NULL, size, 0, &item, 1, &error));
  assert_error (&error, VYRE_ERROR_TOO_LARGE, "1048577 slots");
  g_assert_false (vyre_reencode_work_items (NULL, size, 0, &item, 1, &error));
  assert_error (&error, VYRE_ERROR_TOO_LARGE, "1048577 slots");
}

static void
test_unaligned (void)
{
  guint8 bytes[3 + 2 * SLOT_BYTES] = { 0 };
  VyreOp op = { VYRE_OP_MEMCPY, numbers, 3 };
  VyreOp packed[] = { { 1, numbers, 2 }, { 2, numbers + 2, 1 } };
  GError *error = NULL;
  guint32 aligned[2 * VYRE_SLOT_WORDS] = { 0 };

  g_assert_true (vyre_publish_slot (aligned, sizeof aligned, 0, 1, &op, NULL));
  g_assert_true (vyre_publish_packed (aligned, sizeof aligned, 1, 1, packed, 2, NULL));
  for (guint shift = 1; shift <= 3; shift++) {
    memset (bytes, 0, sizeof bytes);
    g_assert_true (vyre_publish_slot (bytes + shift, sizeof aligned, 0, 1, &op, NULL));
    g_assert_true (vyre_publish_packed (bytes + shift, sizeof aligned, 1, 1, packed, 2, NULL));
    g_assert_cmpmem (bytes + shift, sizeof aligned, aligned, sizeof aligned);
    g_assert_true (vyre_slots_check (bytes + shift, sizeof aligned, NULL));
    g_assert_false (vyre_publish_slot (bytes + shift, sizeof aligned, 1, 1, &op, &error));
    assert_error (&error, VYRE_ERROR_QUEUE_FULL, "Status 1 ");
  }
}

static void
test_packed (void)
{
  static const guint32 wanted[] = { 0x00FE0303, 0x02070005, 0, 0 };
  VyreOp ops[] = { { 254, numbers, 0 }, { 5, numbers + 1, 2 }, { 7, numbers + 3, 1 } };
  guint32 args[VYRE_SLOT_MAX_ARGS];
  GError *error = NULL;
  Ring ring;

  memcpy (args, wanted, sizeof wanted);
  memcpy (args + 2, numbers + 1, 3 * sizeof *args);
  ring_reset (&ring);
  g_assert_true (vyre_publish_packed (ring.words, sizeof ring.words, 0, 9, ops, 3, &error));
  g_assert_true (vyre_publish_packed (ring.words, sizeof ring.words, 1, 9, NULL, 0, &error));
  g_assert_no_error (error);
  assert_slot (ring_slot (&ring, 0), VYRE_OP_PACKED_SLOT, 9, args, 5);
  assert_slot (ring_slot (&ring, 1), VYRE_OP_PACKED_SLOT, 9, NULL, 0);
}

static void
test_packed_limits (void)
{
  VyreOp ops[VYRE_PACKED_MAX_OPS + 1] = { { 0 } };
  GError *error = NULL;
  Ring ring;

  for (guint n = 0; n <= VYRE_PACKED_MAX_OPS; n++) {
    guint room = VYRE_SLOT_MAX_ARGS - (2 + 2 * n + 3) / 4;

    ring_reset (&ring);
    ops[n / 2] = (VyreOp){ 1, numbers, room + 1 };
    if (n > 0)
      assert_refused (&ring,
          vyre_publish_packed (ring.words, sizeof ring.words, 0, 0, ops, n, &error), &error,
          "do not fit behind");
    ops[n / 2].n_args = room;
    g_assert_true (vyre_publish_packed (ring.words, sizeof ring.words, 0, 0, ops, n, &error));
    g_assert_true (vyre_slots_check (ring.words, SLOT_BYTES, &error));
    g_assert_no_error (error);
    memset (ops, 0, sizeof ops);
  }
  ring_reset (&ring);
  assert_refused (&ring,
      vyre_publish_packed (
          ring.words, sizeof ring.words, 0, 0, ops, VYRE_PACKED_MAX_OPS + 1, &error),
      &error, "24 operations");
  assert_refused (&ring,
      vyre_publish_packed (ring.words, sizeof ring.words, 0, 0, ops, G_MAXUINT, &error), &error,
      "4294967295 operations");
  ops[1].n_args = G_MAXUINT;
  assert_refused (&ring, vyre_publish_packed (ring.words, sizeof ring.words, 0, 0, ops, 2, &error),
      &error, "operation 1");
  ops[1] = (VyreOp){ 256, NULL, 0 };
  assert_refused (&ring, vyre_publish_packed (ring.words, sizeof ring.words, 0, 0, ops, 2, &error),
      &error, "Opcode 0x100 of operation 1");
}

static void
test_batch (void)
{
  VyreOp ops[] = { { VYRE_OP_NOP, NULL, 0 }, { VYRE_OP_STORE_U32, numbers, 2 } };
  const guint32 fence[] = { 2, 77 }, empty_fence[] = { 0, 5 };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  ring_set_status (&ring, 2, VYRE_STATUS_DONE);
  g_assert_true (vyre_publish_batch (ring.words, sizeof ring.words, 1, 3, ops, 2, 77, &error));
  assert_same_slot (&ring, 0);
  assert_slot (ring_slot (&ring, 1), VYRE_OP_NOP, 3, NULL, 0);
  assert_slot (ring_slot (&ring, 2), VYRE_OP_STORE_U32, 3, numbers, 2);
  assert_slot (ring_slot (&ring, 3), VYRE_OP_BATCH_FENCE, 3, fence, 2);
  g_assert_true (vyre_publish_batch (ring.words, sizeof ring.words, 0, 3, NULL, 0, 5, &error));
  assert_slot (ring_slot (&ring, 0), VYRE_OP_BATCH_FENCE, 3, empty_fence, 2);
  g_assert_no_error (error);
}

static void
test_batch_refused (void)
{
  VyreOp ops[] = { { VYRE_OP_NOP, NULL, 0 }, { 0xFFFF, numbers, 13 }, { VYRE_OP_NOP, NULL, 0 } };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  ring_set_status (&ring, 3, VYRE_STATUS_WAIT_IO);
  assert_refused (&ring,
      vyre_publish_batch (ring.words, sizeof ring.words - 1, 1, 0, ops, 3, 0, &error), &error,
      "not whole slots");
  assert_refused (&ring,
      vyre_publish_batch (ring.words, sizeof ring.words, 1, 0, ops, 3, 0, &error), &error,
      "no room for 4 from slot 1");
  assert_refused (&ring,
      vyre_publish_batch (ring.words, sizeof ring.words, N_SLOTS, 0, NULL, 0, 0, &error), &error,
      "no room for 1 from slot 4");
  assert_refused (&ring,
      vyre_publish_batch (ring.words, sizeof ring.words, 0, 0, ops, G_MAXUINT, 0, &error), &error,
      "no room for 4294967296");
  assert_refused (&ring,
      vyre_publish_batch (ring.words, sizeof ring.words, 0, 0, ops, 3, 0, &error), &error,
      "Slot 1: 13 arguments");
  ops[1].n_args = 0;
  assert_refused (&ring,
      vyre_publish_batch (ring.words, sizeof ring.words, 0, 0, ops, 3, 0, &error), &error,
      "Slot 1: Opcode 0xffff");
  ops[1].opcode = 0x10000;
  assert_refused (&ring,
      vyre_publish_batch (ring.words, sizeof ring.words, 0, 0, ops, 3, 0, &error), &error,
      "Slot 3: Status 4 ");
}

static void
test_work_items (void)
{
  VyreWorkItem items[] = { { 8, 100, 101, 102 }, { 0xFFF1, 1, 2, 3 } };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  ring_set_status (&ring, 1, VYRE_STATUS_YIELD);
  assert_refused (&ring, vyre_publish_work_items (ring.words, 1, 9, 0, items, 2, &error), &error,
      "Work item 1: Opcode 0xfff1");
  items[1].op = VYRE_OP_LOAD_MISS;
  assert_refused (&ring, vyre_publish_work_items (ring.words, 1, 9, 0, items, 2, &error), &error,
      "not whole slots");
  assert_refused (&ring,
      vyre_publish_work_items (ring.words, sizeof ring.words, 3, 0, items, 2, &error), &error,
      "no room for 2 from slot 3");
  assert_refused (&ring,
      vyre_publish_work_items (ring.words, sizeof ring.words, 5, 0, NULL, 0, &error), &error,
      "no room for 0 from slot 5");
  assert_refused (&ring,
      vyre_publish_work_items (ring.words, sizeof ring.words, 0, 0, items, 2, &error), &error,
      "Slot 1: Status 5 ");
  g_assert_true (vyre_publish_work_items (ring.words, sizeof ring.words, 4, 0, NULL, 0, &error));
  g_assert_true (vyre_publish_work_items (ring.words, sizeof ring.words, 2, 6, items, 2, &error));
  g_assert_no_error (error);
  assert_same_slot (&ring, 0);
  assert_same_slot (&ring, 1);
  assert_slot (ring_slot (&ring, 2), 8, 6, numbers, 3);
  assert_slot (ring_slot (&ring, 3), VYRE_OP_LOAD_MISS, 6, (guint32[]){ 1, 2, 3 }, 3);
}

/* Both calls start over, whatever is in flight; one of them clears words that the other leaves. */
static void
test_encode_work_items (void)
{
  VyreWorkItem items[] = { { 8, 100, 101, 102 }, { VYRE_OP_NOP, 0, 0, 0 } };
  guint32 idle[VYRE_SLOT_WORDS] = { 0 };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  ring_set_status (&ring, 0, VYRE_STATUS_CLAIMED);
  ring_set_status (&ring, 3, VYRE_STATUS_CLAIMED);
  g_assert_true (vyre_encode_work_items (ring.words, sizeof ring.words, 4, items, 2, &error));
  assert_slot (ring_slot (&ring, 0), 8, 4, numbers, 3);
  assert_slot (ring_slot (&ring, 1), VYRE_OP_NOP, 4, NULL, 0);
  g_assert_cmpmem (ring_slot (&ring, 2), SLOT_BYTES, idle, sizeof idle);
  g_assert_cmpmem (ring_slot (&ring, 3), SLOT_BYTES, idle, sizeof idle);

  memcpy (ring.words, ring.before, sizeof ring.words);
  g_assert_true (vyre_reencode_work_items (ring.words, sizeof ring.words, 4, items, 1, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (ring_slot (&ring, 0), 28,
      ((guint32[]){ VYRE_STATUS_PUBLISHED, 8, 4, VYRE_PRIORITY_NORMAL, 100, 101, 102 }), 28);
  g_assert_cmpmem (ring_slot (&ring, 0) + 7, 36, ring.before + 7, 36);
  ring_set_status (&ring, 3, VYRE_STATUS_EMPTY);
  for (guint slot = 1; slot < N_SLOTS; slot++)
    assert_same_slot (&ring, slot);
}

static void
test_encode_work_items_refused (void)
{
  static gboolean (*const encoders[]) (
      void *, gsize, guint32, const VyreWorkItem *, guint, GError **)
      = { vyre_encode_work_items, vyre_reencode_work_items };
  VyreWorkItem items[N_SLOTS + 1] = { { 0 } };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  ring_set_status (&ring, 0, VYRE_STATUS_PUBLISHED);
  items[4].op = 0x80000000;
  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    assert_refused (&ring, encoders[i](ring.words, sizeof ring.words, 0, items, 5, &error), &error,
        "Work item 4: Opcode 0x80000000");
    assert_refused (&ring, encoders[i](ring.words, SLOT_BYTES, 0, items, 2, &error), &error,
        "no room for 2 from slot 0");
    assert_refused (&ring, encoders[i](ring.words, SLOT_BYTES - 1, 0, items, 0, &error), &error,
        "not whole slots");
    g_assert_true (encoders[i](NULL, 0, 0, NULL, 0, &error));
  }
}

static void
test_descriptors (void)
{
  VyreOp ops[] = { { VYRE_OP_STORE_U32, numbers, 2 }, { VYRE_OP_NOP, NULL, 0 } };
  VyreDescriptor descriptors[]
      = { { 1, FALSE, ops, 1 }, { 2, TRUE, ops, 2 }, { 3, FALSE, ops, 1 } };
  guint32 packed[] = { 0x00010202, 0x00000200, 100, 101 };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  g_assert_true (vyre_publish_descriptors (NULL, 1, NO_RING_HAS, NULL, 0, &error));
  g_assert_true (
      vyre_publish_descriptors (ring.words, sizeof ring.words, 1, descriptors, 3, &error));
  g_assert_no_error (error);
  assert_same_slot (&ring, 0);
  assert_slot (ring_slot (&ring, 1), VYRE_OP_STORE_U32, 1, numbers, 2);
  assert_slot (ring_slot (&ring, 2), VYRE_OP_PACKED_SLOT, 2, packed, 4);
  assert_slot (ring_slot (&ring, 3), VYRE_OP_STORE_U32, 3, numbers, 2);
}

/* The last descriptor is wrong, and the call publishes none of the others either. */
static void
test_descriptors_refused (void)
{
  VyreOp good = { VYRE_OP_NOP, NULL, 0 }, bad = { 0xFFF0, NULL, 0 };
  VyreOp long_op = { VYRE_OP_NOP, numbers, 13 };
  VyreDescriptor descriptors[] = { { 0, FALSE, &good, 1 }, { 0, TRUE, NULL, 0 }, { 0 } };
  const struct {
    VyreDescriptor last;
    const char *part;
  } cases[] = {
    { { 0, FALSE, &bad, 1 }, "Slot 2: Opcode" },
    { { 0, FALSE, &long_op, 1 }, "Slot 2: 13 arguments" },
    { { 0, FALSE, NULL, 0 }, "Slot 2: A slot holds one operation, not 0" },
    { { 0, FALSE, &good, 2 }, "Slot 2: A slot holds one operation, not 2" },
    { { 0, TRUE, &bad, 1 }, "Slot 2: Opcode" },
    { { 0, TRUE, &good, 24 }, "Slot 2: 24 operations" },
  };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    descriptors[2] = cases[i].last;
    assert_refused (&ring,
        vyre_publish_descriptors (ring.words, sizeof ring.words, 0, descriptors, 3, &error), &error,
        cases[i].part);
  }
  descriptors[2] = descriptors[0];
  assert_refused (&ring,
      vyre_publish_descriptors (ring.words, sizeof ring.words, 2, descriptors, 3, &error), &error,
      "no room for 3 from slot 2");
  assert_refused (&ring,
      vyre_publish_descriptors (ring.words, sizeof ring.words, G_MAXUINT32, descriptors, 3, &error),
      &error, "no room for 3 from slot 4294967295");
  ring_set_status (&ring, 2, VYRE_STATUS_FAULT);
  assert_refused (&ring,
      vyre_publish_descriptors (ring.words, sizeof ring.words, 0, descriptors, 3, &error), &error,
      "Slot 2: Status 7 ");
}

static void
test_window (void)
{
  const VyreArgs required[] = { { numbers, 10 }, { NULL, 0 } }, lookahead[] = { { numbers, 1 } };
  VyreWindow window = { 7, 0x40000100, 55, required, 2, lookahead, 1 };
  VyreWindow empty = { 0 };
  guint32 args[VYRE_SLOT_MAX_ARGS] = { 55, 0 };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  memcpy (args + 2, numbers, 10 * sizeof *args);
  g_assert_true (vyre_publish_window (NULL, 1, NO_RING_HAS, &empty, &error));
  g_assert_true (vyre_publish_window (ring.words, sizeof ring.words, 1, &window, &error));
  g_assert_no_error (error);
  assert_same_slot (&ring, 0);
  assert_slot (ring_slot (&ring, 1), 0x40000100, 7, args, 12);
  assert_slot (ring_slot (&ring, 2), 0x40000100, 7, args, 2);
  args[1] = 1;
  assert_slot (ring_slot (&ring, 3), 0x40000100, 7, args, 3);
}

static void
test_window_refused (void)
{
  const VyreArgs fits[] = { { numbers, 10 } }, too_long[] = { { numbers, 11 } };
  VyreWindow window = { 7, VYRE_OP_NOP, 55, fits, 1, too_long, 1 };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  assert_refused (&ring, vyre_publish_window (ring.words, sizeof ring.words, 0, &window, &error),
      &error, "Slot 1: 11 arguments are more than a slot takes. Fix: pass at most 10");
  window.lookahead = fits;
  window.opcode = 0xFFFFFFFE;
  assert_refused (&ring, vyre_publish_window (ring.words, sizeof ring.words, 0, &window, &error),
      &error, "Slot 0: Opcode 0xfffffffe");
  window.opcode = VYRE_OP_NOP;
  ring_set_status (&ring, 1, VYRE_STATUS_REQUEUE);
  assert_refused (&ring, vyre_publish_window (ring.words, sizeof ring.words, 0, &window, &error),
      &error, "Slot 1: Status 6 ");
  window.n_required = window.n_lookahead = G_MAXUINT;
  assert_refused (&ring, vyre_publish_window (ring.words, sizeof ring.words, 0, &window, &error),
      &error, "no room for 8589934590");
}

static void
test_load_miss (void)
{
  guint8 bytes[1 + 2 * SLOT_BYTES] = { 0 };
  guint32 resource = 1;
  gboolean prefetch = TRUE;

  vyre_encode_load_miss (bytes + 1 + SLOT_BYTES, 0xFEDCBA98, FALSE);
  g_assert_true (vyre_slots_check (bytes + 1, 2 * SLOT_BYTES, NULL));
  g_assert_true (vyre_decode_load_miss (bytes + 1, 2 * SLOT_BYTES, 1, &resource, &prefetch));
  g_assert_cmphex (resource, ==, 0xFEDCBA98);
  g_assert_false (prefetch);
  g_assert_false (vyre_decode_load_miss (bytes + 1, 2 * SLOT_BYTES - 1, 1, &resource, &prefetch));
  g_assert_false (vyre_decode_load_miss (bytes + 1, 2 * SLOT_BYTES, 0, &resource, &prefetch));
  g_assert_false (vyre_decode_load_miss (bytes + 1, 2 * SLOT_BYTES, 2, &resource, &prefetch));
  g_assert_false (vyre_decode_load_miss (NULL, 0, G_MAXUINT32, &resource, &prefetch));
  g_assert_cmphex (resource, ==, 0xFEDCBA98);
}

static void
test_host_ring (void)
{
  guint8 bytes[1 + 2 * SLOT_BYTES + 8], slot[SLOT_BYTES], copy[SLOT_BYTES];
  GError *error = NULL;

  memset (bytes, 0x11, sizeof bytes);
  for (guint i = 0; i < sizeof slot; i++)
    slot[i] = (guint8)i;
  vyre_write_word (slot, VYRE_SLOT_STATUS, VYRE_STATUS_DONE);
  g_assert_true (
      vyre_host_ring_publish (bytes + 1, 2 * SLOT_BYTES + 8, 1, slot, sizeof slot, &error));
  g_assert_cmpmem (bytes + 1 + SLOT_BYTES, SLOT_BYTES, slot, SLOT_BYTES);
  g_assert_true (vyre_host_ring_read (bytes + 1, 2 * SLOT_BYTES + 8, 1, copy, sizeof copy, &error));
  g_assert_cmpmem (copy, sizeof copy, slot, sizeof slot);
  g_assert_no_error (error);
  for (guint i = 0; i < SLOT_BYTES; i++)
    g_assert_cmphex (bytes[1 + i], ==, 0x11);
  g_assert_cmphex (bytes[0], ==, 0x11);
  g_assert_cmphex (bytes[1 + 2 * SLOT_BYTES], ==, 0x11);
  vyre_write_word (bytes + 1, 2 * VYRE_SLOT_WORDS, VYRE_STATUS_DONE);
  g_assert_cmpuint (vyre_host_ring_count_done (bytes + 1, 2 * SLOT_BYTES + 8), ==, 1);
  vyre_write_word (bytes + 1, 0, VYRE_STATUS_DONE);
  g_assert_cmpuint (vyre_host_ring_count_done (bytes + 1, 2 * SLOT_BYTES + 8), ==, 2);
  g_assert_cmpuint (vyre_host_ring_count_done (NULL, 0), ==, 0);
}

static void
test_host_ring_refused (void)
{
  guint8 slot[SLOT_BYTES] = { 0 };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  g_assert_false (vyre_host_ring_publish (ring.words, 0, 9, slot, 63, &error));
  assert_error (&error, VYRE_ERROR_MISALIGNED, "63 bytes");
  g_assert_false (vyre_host_ring_read (ring.words, 0, 9, slot, 65, &error));
  assert_error (&error, VYRE_ERROR_MISALIGNED, "65 bytes");
  g_assert_false (
      vyre_host_ring_publish (ring.words, sizeof ring.words - 1, 3, slot, sizeof slot, &error));
  assert_error (&error, VYRE_ERROR_MISSING_WORD, "ends before slot 3");
  g_assert_false (vyre_host_ring_read (ring.words, 0, G_MAXUINT32, slot, sizeof slot, &error));
  assert_error (&error, VYRE_ERROR_MISSING_WORD, "slot 4294967295");
  g_assert_cmpmem (ring.words, sizeof ring.words, ring.before, sizeof ring.before);
}

static void
assert_slots (Ring *ring, int code, const char *part)
{
  GError *error = NULL;

  g_assert_false (vyre_slots_check (ring->words, sizeof ring->words, &error));
  g_assert_true (g_str_has_prefix (error->message, "Slot 2: "));
  assert_error (&error, code, part);
}

/* Every slot that publishing makes passes the check, and so do idle slots with noise in them. */
static void
test_slots_check (void)
{
  VyreOp ops[] = { { VYRE_OP_NOP, numbers, 2 }, { VYRE_OP_SHUTDOWN, NULL, 0 } };
  GError *error = NULL;
  Ring ring;

  ring_reset (&ring);
  g_assert_true (vyre_slots_check (NULL, 0, &error));
  g_assert_true (vyre_slots_check (ring.words, sizeof ring.words, &error));
  g_assert_true (vyre_publish_batch (ring.words, sizeof ring.words, 0, 3, ops, 2, 77, &error));
  g_assert_true (vyre_publish_packed (ring.words, sizeof ring.words, 3, 3, ops, 1, &error));
  for (guint32 priority = 0; priority < VYRE_PRIORITY_LEVELS; priority++) {
    ring.words[priority % N_SLOTS * VYRE_SLOT_WORDS + VYRE_SLOT_PRIORITY] = priority;
    g_assert_true (vyre_slots_check (ring.words, sizeof ring.words, &error));
  }
  g_assert_no_error (error);
  for (gsize cut = 1; cut < SLOT_BYTES; cut++) {
    g_assert_false (vyre_slots_check (ring.words, sizeof ring.words - cut, &error));
    assert_error (&error, VYRE_ERROR_MISALIGNED, "not whole slots");
  }
}

static void
test_slots_check_refused (void)
{
  VyreOp op = { VYRE_OP_NOP, NULL, 0 };
  guint32 *slot;
  Ring ring;

  ring_reset (&ring);
  slot = ring.words + 2 * VYRE_SLOT_WORDS;
  g_assert_true (vyre_publish_slot (ring.words, sizeof ring.words, 2, 0, &op, NULL));
  for (guint32 status = VYRE_STATUS_CLAIMED; status < 10; status++) {
    slot[VYRE_SLOT_STATUS] = status;
    assert_slots (&ring, VYRE_ERROR_INVALID, "status");
  }
  slot[VYRE_SLOT_STATUS] = VYRE_STATUS_PUBLISHED;
  slot[VYRE_SLOT_OPCODE] = 0xFFF0;
  assert_slots (&ring, VYRE_ERROR_QUEUE_FULL, "Opcode 0xfff0");
  slot[VYRE_SLOT_OPCODE] = VYRE_OP_LOAD_MISS;
  slot[VYRE_SLOT_PRIORITY] = VYRE_PRIORITY_LEVELS;
  assert_slots (&ring, VYRE_ERROR_INVALID, "priority");
  slot[VYRE_SLOT_PRIORITY] = G_MAXUINT32;
  assert_slots (&ring, VYRE_ERROR_INVALID, "priority");
  slot[VYRE_SLOT_PRIORITY] = VYRE_PRIORITY_IDLE;
  g_assert_true (vyre_slots_check (ring.words, sizeof ring.words, NULL));
}

static void
test_slots_check_packed (void)
{
  static const struct {
    guint32 args[2];
    const char *part;
  } cases[] = {
    { { 0x00010018 }, "do not fit" },                       /* 24 operations */
    { { 0x000000FF }, "do not fit" },                       /* 255 */
    { { 0x00010C01 }, "do not fit" },                       /* 12 words behind one of metadata */
    { { 0x00000100 }, "no operation" },                     /* an argument of no operation */
    { { 0x01000000 }, "are not 0" },                        /* behind no operations */
    { { 0x00010002, 0x00010001 }, "are not 0" },            /* behind two operations */
    { { 0x01010201 }, "one behind the other" },             /* the first does not start at 0 */
    { { 0x00010102, 0x00000201 }, "one behind the other" }, /* the second starts behind the end */
    { { 0x00010203, 0x01010201 }, "one behind the other" }, /* the third before the second */
  };
  VyreOp op = { VYRE_OP_PACKED_SLOT, NULL, 0 };
  Ring ring;

  ring_reset (&ring);
  g_assert_true (vyre_publish_slot (ring.words, sizeof ring.words, 2, 0, &op, NULL));
  g_assert_true (vyre_slots_check (ring.words, sizeof ring.words, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    memcpy (ring.words + 2 * VYRE_SLOT_WORDS + VYRE_SLOT_ARGS, cases[i].args, 8);
    assert_slots (&ring, VYRE_ERROR_INVALID, cases[i].part);
  }
}

/* Packs the operations of some metadata again; FALSE when these cannot be packed. */
static gboolean
repack (const guint8 *metadata, guint32 *again)
{
  VyreOp ops[VYRE_PACKED_MAX_OPS];
  guint n = metadata[0];

  if (n > VYRE_PACKED_MAX_OPS)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    guint start = metadata[3 + 2 * i], end = i + 1 < n ? metadata[5 + 2 * i] : metadata[1];

    if (end < start || end > VYRE_SLOT_MAX_ARGS)
      return FALSE;
    ops[i] = (VyreOp){ metadata[2 + 2 * i], numbers, end - start };
  }
  return vyre_publish_packed (again, SLOT_BYTES, 0, 0, ops, n, NULL);
}

/* Metadata is well formed exactly when packing its operations again makes the same metadata. */
static void
test_slots_check_repacked (void)
{
  guint n_accepted = 0;

  for (guint round = 0; round < 50000; round++) {
    guint32 slot[VYRE_SLOT_WORDS] = { 0 }, again[VYRE_SLOT_WORDS] = { 0 };
    VyreOp op = { VYRE_OP_PACKED_SLOT, NULL, 0 };
    guint8 *metadata = (guint8 *)(slot + VYRE_SLOT_ARGS);
    guint n = (guint)g_test_rand_int_range (0, 5), size = 4 * ((2 + 2 * n + 3) / 4), at = 0;

    g_assert_true (vyre_publish_slot (slot, sizeof slot, 0, 0, &op, NULL));
    metadata[0] = (guint8)n;
    for (guint i = 0; i < n; i++) {
      metadata[2 + 2 * i] = (guint8)g_test_rand_int_range (0, 256);
      metadata[3 + 2 * i] = (guint8)at;
      at += (guint)g_test_rand_int_range (0, 4);
    }
    metadata[1] = (guint8)at;
    if (g_test_rand_bit ())
      metadata[g_test_rand_int_range (0, (gint32)size)] = (guint8)g_test_rand_int_range (0, 16);
    size = MIN (4 * ((2 + 2 * (guint)metadata[0] + 3) / 4), 4 * VYRE_SLOT_MAX_ARGS);
    gboolean same
        = repack (metadata, again) && memcmp (metadata, again + VYRE_SLOT_ARGS, size) == 0;
    g_assert_cmpint (vyre_slots_check (slot, sizeof slot, NULL), ==, same);
    n_accepted += same;
  }
  g_assert_cmpuint (n_accepted, >, 5000);
  g_assert_cmpuint (n_accepted, <, 45000);
}

/* A thread takes each PUBLISHED slot and gives it back DONE. */
static gpointer
consume (gpointer data)
{
  guint32 *slot = data;

  for (guint32 round = 1; round <= 20000; round++) {
    while (__atomic_load_n (slot, __ATOMIC_ACQUIRE) != VYRE_STATUS_PUBLISHED)
      g_thread_yield ();
    for (guint i = 0; i < VYRE_SLOT_MAX_ARGS; i++)
      g_assert_cmpuint (slot[VYRE_SLOT_ARGS + i], ==, round + i);
    g_assert_cmpuint (slot[VYRE_SLOT_TENANT], ==, round);
    __atomic_store_n (slot, VYRE_STATUS_DONE, __ATOMIC_RELEASE);
  }
  return NULL;
}

/* A reader that sees a slot PUBLISHED sees all of it; publishing refuses slots that are not DONE.
 */
static void
test_order (void)
{
  guint32 slot[VYRE_SLOT_WORDS] = { 0 };
  GThread *consumer = g_thread_new ("consumer", consume, slot);

  for (guint32 round = 1; round <= 20000; round++) {
    guint32 args[VYRE_SLOT_MAX_ARGS];
    VyreOp op = { VYRE_OP_NOP, args, VYRE_SLOT_MAX_ARGS };

    for (guint i = 0; i < VYRE_SLOT_MAX_ARGS; i++)
      args[i] = round + i;
    while (!vyre_publish_slot (slot, sizeof slot, 0, round, &op, NULL))
      g_thread_yield ();
  }
  g_thread_join (consumer);
  g_assert_cmpuint (vyre_host_ring_count_done (slot, sizeof slot), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/publish/opcodes", test_opcodes);
  g_test_add_func ("/publish/slot", test_slot);
  g_test_add_func ("/publish/slot-order", test_slot_order);
  g_test_add_func ("/publish/large-ring", test_large_ring);
  g_test_add_func ("/publish/unaligned", test_unaligned);
  g_test_add_func ("/publish/packed", test_packed);
  g_test_add_func ("/publish/packed-limits", test_packed_limits);
  g_test_add_func ("/publish/batch", test_batch);
  g_test_add_func ("/publish/batch-refused", test_batch_refused);
  g_test_add_func ("/publish/work-items", test_work_items);
  g_test_add_func ("/publish/encode-work-items", test_encode_work_items);
  g_test_add_func ("/publish/encode-work-items-refused", test_encode_work_items_refused);
  g_test_add_func ("/publish/descriptors", test_descriptors);
  g_test_add_func ("/publish/descriptors-refused", test_descriptors_refused);
  g_test_add_func ("/publish/window", test_window);
  g_test_add_func ("/publish/window-refused", test_window_refused);
  g_test_add_func ("/publish/load-miss", test_load_miss);
  g_test_add_func ("/publish/host-ring", test_host_ring);
  g_test_add_func ("/publish/host-ring-refused", test_host_ring_refused);
  g_test_add_func ("/publish/slots-check", test_slots_check);
  g_test_add_func ("/publish/slots-check-refused", test_slots_check_refused);
  g_test_add_func ("/publish/slots-check-packed", test_slots_check_packed);
  g_test_add_func ("/publish/slots-check-repacked", test_slots_check_repacked);
  g_test_add_func ("/publish/order", test_order);
  return g_test_run ();
}

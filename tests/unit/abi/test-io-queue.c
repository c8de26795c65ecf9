/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/vyre.h"

#include <string.h>

#include "refused-common.h"

#define SLOTS 4
#define SLOT_BYTES 32

typedef struct {
  guint8 room[SLOTS * SLOT_BYTES + 8];
  guint8 *bytes; /* in room, at the alignment of the test */
} Queue;

static const VyreIoRequest request = { .slot = 2,
  .op = VYRE_IO_OP_WRITE,
  .source = 0x01020304,
  .destination = 0x11121314,
  .offset = G_GUINT64_CONSTANT (0x2122232425262728),
  .n_bytes = 0x31323334,
  .tag = 0x41424344 };

static void
init (Queue *queue, guint misalignment)
{
  memset (queue->room, 0, sizeof queue->room);
  queue->bytes = queue->room;
  while ((guintptr)queue->bytes % 4 != misalignment)
    queue->bytes++;
}

static void
set_status (Queue *queue, guint slot, guint8 status)
{
  queue->bytes[slot * SLOT_BYTES + 24] = status;
}

static guint32
get_status (const Queue *queue, guint slot)
{
  return vyre_read_word (queue->bytes + slot * SLOT_BYTES, 6);
}

static gboolean
publish (Queue *queue, guint32 slot, guint32 op, GError **error)
{
  VyreIoRequest asked = request;

  asked.slot = slot;
  asked.op = op;
  return vyre_io_queue_publish (queue->bytes, SLOTS * SLOT_BYTES, &asked, error);
}

static gboolean
complete (Queue *queue, const VyreIoCompletion *completions, guint n, GError **error)
{
  return vyre_io_queue_complete (queue->bytes, SLOTS * SLOT_BYTES, completions, n, error);
}

/* Every word is where the contract has it, at any alignment. */
static void
test_layout (gconstpointer misalignment)
{
  static const guint8 wanted[SLOT_BYTES]
      = { 2, 0, 0, 0, 4, 3, 2, 1, 0x14, 0x13, 0x12, 0x11, 0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22,
          0x21, 0x34, 0x33, 0x32, 0x31, 1, 0, 0, 0, 0x44, 0x43, 0x42, 0x41 };
  VyreIoRequest found[VYRE_IO_SLOTS];
  Queue queue;
  guint n;

  init (&queue, GPOINTER_TO_UINT (misalignment));
  g_assert_true (vyre_io_queue_publish (queue.bytes, SLOTS * SLOT_BYTES, &request, NULL));
  g_assert_cmpmem (queue.bytes + 2 * SLOT_BYTES, SLOT_BYTES, wanted, SLOT_BYTES);
  for (guint i = 0; i < SLOTS * SLOT_BYTES; i++)
    g_assert_true (i / SLOT_BYTES == 2 || queue.bytes[i] == 0);
  g_assert_true (vyre_io_queue_claim (queue.bytes, SLOTS * SLOT_BYTES, found, &n, NULL));
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (found[0].slot, ==, 2);
  g_assert_cmpuint (found[0].op, ==, request.op);
  g_assert_cmpuint (found[0].source, ==, request.source);
  g_assert_cmpuint (found[0].destination, ==, request.destination);
  g_assert_cmpuint (found[0].offset, ==, request.offset);
  g_assert_cmpuint (found[0].n_bytes, ==, request.n_bytes);
  g_assert_cmpuint (found[0].tag, ==, request.tag);
  g_assert_cmpuint (get_status (&queue, 2), ==, VYRE_STATUS_CLAIMED);
}

/* A request is found until it is claimed, and is claimed once. */
static void
test_life (void)
{
  VyreIoRequest found[VYRE_IO_SLOTS];
  VyreIoCompletion completion = { 1, FALSE };
  guint32 status;
  Queue queue;
  guint n;

  init (&queue, 0);
  for (guint op = VYRE_IO_OP_READ; op <= VYRE_IO_OP_FENCE; op++)
    g_assert_true (publish (&queue, op, op, NULL));
  for (guint times = 0; times < 2; times++) {
    g_assert_true (vyre_io_queue_poll (queue.bytes, SLOTS * SLOT_BYTES, found, &n, NULL));
    g_assert_cmpuint (n, ==, 3);
  }
  g_assert_true (vyre_io_queue_claim (queue.bytes, 2 * SLOT_BYTES, found, &n, NULL));
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (found[0].slot, ==, 1);
  g_assert_true (vyre_io_queue_claim (queue.bytes, SLOTS * SLOT_BYTES, found, &n, NULL));
  g_assert_cmpuint (n, ==, 2);
  g_assert_true (vyre_io_queue_claim (queue.bytes, SLOTS * SLOT_BYTES, found, &n, NULL));
  g_assert_cmpuint (n, ==, 0);
  g_assert_true (complete (&queue, &completion, 1, NULL));
  g_assert_true (
      vyre_io_queue_inspect (queue.bytes, SLOTS * SLOT_BYTES, 1, &status, &found[0], NULL));
  g_assert_cmpuint (status, ==, VYRE_IO_STATUS_ERROR);
  g_assert_cmpuint (found[0].tag, ==, request.tag);
  set_status (&queue, 1, VYRE_STATUS_EMPTY); /* as the kernel gives the slot back */
  g_assert_true (vyre_io_queue_inspect (queue.bytes, SLOTS * SLOT_BYTES, 1, &status, NULL, NULL));
  g_assert_cmpuint (status, ==, VYRE_STATUS_EMPTY);
  g_assert_true (publish (&queue, 1, VYRE_IO_OP_READ, NULL));
}

/* Only an EMPTY io slot takes a request, not one with an answer. */
static void
test_publish_refused (void)
{
  static const guint8 taken[] = { VYRE_STATUS_PUBLISHED, VYRE_STATUS_CLAIMED, VYRE_STATUS_DONE,
    VYRE_IO_STATUS_OK, VYRE_IO_STATUS_ERROR, 0xFF };
  g_autoptr (GError) error = NULL;
  Queue queue, before;

  for (guint i = 0; i < G_N_ELEMENTS (taken); i++) {
    init (&queue, 0);
    set_status (&queue, 1, taken[i]);
    before = queue;
    assert_refused (publish (&queue, 1, VYRE_IO_OP_READ, &error), &error, VYRE_ERROR_QUEUE_FULL);
    g_assert_cmpmem (queue.room, sizeof queue.room, before.room, sizeof before.room);
  }
  init (&queue, 0);
  assert_refused (publish (&queue, SLOTS, VYRE_IO_OP_READ, &error), &error, VYRE_ERROR_QUEUE_FULL);
  assert_refused (
      publish (&queue, G_MAXUINT32, VYRE_IO_OP_READ, &error), &error, VYRE_ERROR_QUEUE_FULL);
  assert_refused (publish (&queue, 0, 0, &error), &error, VYRE_ERROR_INVALID);
  assert_refused (publish (&queue, 0, VYRE_IO_OP_FENCE + 1, &error), &error, VYRE_ERROR_INVALID);
  for (guint slot = 0; slot < SLOTS; slot++)
    g_assert_cmpuint (get_status (&queue, slot), ==, VYRE_STATUS_EMPTY);
}

/* One report that cannot be made keeps the call from making the others. */
static void
test_complete_all_or_nothing (void)
{
  const VyreIoCompletion unclaimed[] = { { 0, TRUE }, { 1, TRUE } };
  const VyreIoCompletion outside[] = { { 0, TRUE }, { SLOTS, TRUE } };
  const VyreIoCompletion twice[] = { { 0, TRUE }, { 0, FALSE } };
  g_autoptr (GError) error = NULL;
  Queue queue;

  init (&queue, 0);
  set_status (&queue, 0, VYRE_STATUS_CLAIMED);
  set_status (&queue, 1, VYRE_STATUS_PUBLISHED);
  assert_refused (complete (&queue, unclaimed, 2, &error), &error, VYRE_ERROR_QUEUE_FULL);
  assert_refused (complete (&queue, outside, 2, &error), &error, VYRE_ERROR_QUEUE_FULL);
  g_assert_cmpuint (get_status (&queue, 0), ==, VYRE_STATUS_CLAIMED);
  g_assert_true (complete (&queue, NULL, 0, NULL));
  g_assert_true (complete (&queue, twice, 2, NULL));
  g_assert_cmpuint (get_status (&queue, 0), ==, VYRE_IO_STATUS_ERROR);
  assert_refused (complete (&queue, twice, 1, &error), &error, VYRE_ERROR_QUEUE_FULL);
}

static void
assert_length_refused (gsize size, VyreError code)
{
  g_autofree guint8 *bytes = g_malloc0 (size);
  VyreIoRequest found[VYRE_IO_SLOTS];
  VyreIoRequest asked = { .op = VYRE_IO_OP_READ };
  VyreIoCompletion completion = { 0, TRUE };
  g_autoptr (GError) error = NULL;
  guint32 status;
  guint n;

  assert_refused (vyre_io_queue_validate (size, &error), &error, code);
  assert_refused (vyre_io_queue_publish (bytes, size, &asked, &error), &error, code);
  assert_refused (vyre_io_queue_poll (bytes, size, found, &n, &error), &error, code);
  assert_refused (vyre_io_queue_claim (bytes, size, found, &n, &error), &error, code);
  g_assert_cmpuint (n, ==, 0);
  assert_refused (vyre_io_queue_complete (bytes, size, &completion, 1, &error), &error, code);
  assert_refused (vyre_io_queue_complete (bytes, size, NULL, 0, &error), &error, code);
  assert_refused (vyre_io_queue_inspect (bytes, size, 0, &status, NULL, &error), &error, code);
}

static void
test_lengths (void)
{
  g_autoptr (GError) error = NULL;
  guint32 status;

  assert_length_refused (1, VYRE_ERROR_MISALIGNED);
  assert_length_refused (SLOT_BYTES + 4, VYRE_ERROR_MISALIGNED);
  assert_length_refused ((VYRE_IO_SLOTS + 1) * SLOT_BYTES, VYRE_ERROR_TOO_LARGE);
  g_assert_true (vyre_io_queue_validate (0, NULL));
  g_assert_true (vyre_io_queue_validate (VYRE_IO_SLOTS * SLOT_BYTES, NULL));
  assert_refused (
      vyre_io_queue_inspect (NULL, 0, 0, &status, NULL, &error), &error, VYRE_ERROR_QUEUE_FULL);
}

#define ROUNDS 20000u

/* A thread in the place of the kernel asks, and takes answers back. */
static gpointer
ask (gpointer data)
{
  guint8 *bytes = data;
  guint32 status, asked = 0;

  while (asked < ROUNDS) {
    VyreIoRequest next = { .op = VYRE_IO_OP_READ, .source = asked, .offset = asked, .tag = asked };
    if (vyre_io_queue_publish (bytes, SLOT_BYTES, &next, NULL))
      asked++;
    g_assert_true (vyre_io_queue_inspect (bytes, SLOT_BYTES, 0, &status, NULL, NULL));
    if (status == VYRE_IO_STATUS_OK)
      __atomic_store_n ((guint32 *)(gpointer)bytes + VYRE_IO_SLOT_STATUS, 0, __ATOMIC_RELEASE);
    else
      g_thread_yield ();
  }
  return NULL;
}

/* A reader that sees a request sees all of it, and serves it once. */
static void
test_handover (void)
{
  guint32 words[VYRE_IO_SLOT_WORDS] = { 0 };
  GThread *thread = g_thread_new ("asks", ask, words);
  VyreIoRequest found[VYRE_IO_SLOTS];
  VyreIoCompletion completion = { 0, TRUE };
  guint n;

  for (guint served = 0; served < ROUNDS;) {
    g_assert_true (vyre_io_queue_claim (words, SLOT_BYTES, found, &n, NULL));
    if (n == 0) {
      g_thread_yield ();
      continue;
    }
    g_assert_cmpuint (found[0].source, ==, served);
    g_assert_cmpuint (found[0].offset, ==, served);
    g_assert_cmpuint (found[0].tag, ==, served);
    g_assert_true (vyre_io_queue_complete (words, SLOT_BYTES, &completion, 1, NULL));
    served++;
  }
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/io-queue/layout/aligned", GUINT_TO_POINTER (0), test_layout);
  g_test_add_data_func ("/io-queue/layout/unaligned", GUINT_TO_POINTER (1), test_layout);
  g_test_add_func ("/io-queue/life", test_life);
  g_test_add_func ("/io-queue/publish-refused", test_publish_refused);
  g_test_add_func ("/io-queue/complete-all-or-nothing", test_complete_all_or_nothing);
  g_test_add_func ("/io-queue/lengths", test_lengths);
  g_test_add_func ("/io-queue/handover", test_handover);
  return g_test_run ();
}

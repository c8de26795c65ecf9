/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams of raw slots: what a buffer's slots do, which buffers are refused, and
 * that such a stream is a stream like any other.
 */
#include "common.h"

#include <string.h>

#define CAPS "application/x-vyre-slots"
#define SLOT_BYTES (4 * VYRE_SLOT_WORDS)
#define DEFAULT_OBSERVABLES 256
#define MAX_SLOTS ((gsize)393216)

enum { CONTROL, RING, DEBUG_LOG, IO_QUEUE };

typedef struct {
  guint32 words[VYRE_SLOT_WORDS];
} Slot;

/* A published slot of tenant 0, with up to four arguments. */
#define SLOT(opcode, ...)                                                                          \
  {                                                                                                \
    {                                                                                              \
      VYRE_STATUS_PUBLISHED, opcode, 0, VYRE_PRIORITY_NORMAL, __VA_ARGS__                          \
    }                                                                                              \
  }
#define STORE(value, observable)                                                                   \
  SLOT (VYRE_OP_STORE_U32, value, VYRE_CONTROL_OBSERVABLES + (observable))
#define NOP SLOT (VYRE_OP_NOP, 0)

static GstBuffer *
slots_buffer (const Slot *slots, gsize n)
{
  Slot *encoded = g_new (Slot, n);

  for (gsize i = 0; i < n * VYRE_SLOT_WORDS; i++)
    encoded[i / VYRE_SLOT_WORDS].words[i % VYRE_SLOT_WORDS]
        = GUINT32_TO_LE (slots[i / VYRE_SLOT_WORDS].words[i % VYRE_SLOT_WORDS]);
  GstBuffer *buffer = buffer_of (encoded, n * SLOT_BYTES);
  g_free (encoded);
  return buffer;
}

/* One slot that stores @value. */
static GstBuffer *
store_buffer (guint32 value)
{
  Slot slot = STORE (value, 1);

  return slots_buffer (&slot, 1);
}

static GstBuffer *
numbered_slots (guint64 number, guint n)
{
  Slot *slots = g_new (Slot, n);

  for (guint i = 0; i < n; i++)
    slots[i] = (Slot)STORE ((guint32)number + i, i);
  GstBuffer *buffer = slots_buffer (slots, n);
  GST_BUFFER_OFFSET (buffer) = number;
  GST_BUFFER_PTS (buffer) = number * GST_MSECOND;
  g_free (slots);
  return buffer;
}

static GstHarness *
new_slots (void)
{
  GstHarness *h = filter_new_with (NULL, "results-interval", (guint64)0, NULL);

  filter_start (h, CAPS);
  return h;
}

static guint32
ring_word (GstBuffer *readback, guint slot, guint word)
{
  return readback_word (readback, RING, slot * VYRE_SLOT_WORDS + word);
}

static guint32
status_of (GstBuffer *readback, guint slot)
{
  return ring_word (readback, slot, VYRE_SLOT_STATUS);
}

static void
check_statuses (GstBuffer *readback, const guint32 *statuses, guint n)
{
  for (guint slot = 0; slot < n; slot++)
    fail_unless (status_of (readback, slot) == statuses[slot], "slot %u has status %u, not %u",
        slot, status_of (readback, slot), statuses[slot]);
}

static void
check_caps (GstHarness *h, gint n_slots, gint n_observables)
{
  GstCaps *caps = readback_caps (h);
  GstCaps *expected = gst_caps_new_simple ("application/x-vyre-readback", "abi", G_TYPE_INT, 1,
      "slot-count", G_TYPE_INT, n_slots, "observable-slots", G_TYPE_INT, n_observables, NULL);
  gchar *text = gst_caps_to_string (caps);

  fail_unless (gst_caps_is_equal (caps, expected), "caps are %s", text);
  g_free (text);
  gst_caps_unref (expected);
  gst_caps_unref (caps);
}

static void
check_part_size (GstBuffer *readback, guint part, gsize size)
{
  GstMemory *memory = gst_buffer_peek_memory (readback, part);

  fail_unless_equals_uint64 (gst_memory_get_sizes (memory, NULL, NULL), size);
}

/* ---- what slots do ----------------------------------------------------- */

/* Two operations: metadata (how many, their argument words, then opcode and first
 * argument of each), two words of it, then the arguments. */
#define PACKED                                                                                     \
  SLOT (VYRE_OP_PACKED_SLOT, 2 | 4 << 8 | VYRE_OP_STORE_U32 << 16 | 0u << 24,                      \
      VYRE_OP_ATOMIC_ADD | 2 << 8, 42, VYRE_CONTROL_OBSERVABLES + 20, 43,                          \
      VYRE_CONTROL_OBSERVABLES + 21)

static const Slot all_opcodes[] = {
  NOP, STORE (0xDEADBEEF, 3), SLOT (VYRE_OP_ATOMIC_ADD, 5, VYRE_CONTROL_OBSERVABLES + 4),
  SLOT (VYRE_OP_ATOMIC_ADD, 6, VYRE_CONTROL_OBSERVABLES + 4),
  SLOT (VYRE_OP_LOAD_U32, VYRE_CONTROL_TENANT_BASE, 5),
  SLOT (VYRE_OP_COMPARE_SWAP, VYRE_CONTROL_OBSERVABLES + 6, 0, 77),
  SLOT (VYRE_OP_MEMCPY, VYRE_CONTROL_QUOTAS, VYRE_CONTROL_OBSERVABLES + 10, 2),
  SLOT (VYRE_OP_PRINTF, 9, 11, 12), PACKED, SLOT (VYRE_OP_BATCH_FENCE, 9, 0x1234),
  { { VYRE_STATUS_EMPTY } },
  { { VYRE_STATUS_EMPTY, 0xFFF00000, 7, 99 } }, /* idle slots may hold anything */
};
#define N_OPCODES G_N_ELEMENTS (all_opcodes)
#define N_RUN 10

static void
check_results (GstBuffer *readback)
{
  static const struct {
    guint observable;
    guint32 value;
  } results[] = { { 0, 0x1234 }, { 1, 0 }, { 3, 0xDEADBEEF }, { 4, 11 }, { 5, 3 }, { 6, 77 },
    { VYRE_CONTROL_OBSERVABLES + 6, 0 }, { 10, VYRE_QUOTA_DEFAULT }, { 11, 0 }, { 20, 42 },
    { 21, 43 }, { 255, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    fail_unless (readback_observable (readback, results[i].observable) == results[i].value,
        "observable %u is %u", results[i].observable,
        readback_observable (readback, results[i].observable));
}

static void
check_control (GstBuffer *readback)
{
  static const guint32 metrics[] = { 1, 2, 3, 1, 1, 1, 0, 1 }; /* of NOP and on; packed ones, too */

  fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_SHUTDOWN), 0);
  fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_DONE_COUNT), N_RUN);
  fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_EPOCH), 1);
  for (guint i = 0; i < G_N_ELEMENTS (metrics); i++)
    fail_unless (readback_word (readback, CONTROL, VYRE_CONTROL_METRICS + i) == metrics[i],
        "metric %u is %u", i, readback_word (readback, CONTROL, VYRE_CONTROL_METRICS + i));
  /* one tenant */
  fail_unless_equals_uint64 (
      readback_word (readback, CONTROL, VYRE_CONTROL_TENANT_MASKS), G_MAXUINT32);
  fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_TENANT_MASKS + 1), 0);
}

static void
check_ring (GstBuffer *readback)
{
  for (guint slot = 0; slot < N_OPCODES; slot++) {
    fail_unless_equals_int (
        status_of (readback, slot), slot < N_RUN ? VYRE_STATUS_DONE : VYRE_STATUS_EMPTY);
    for (guint word = 1; word < VYRE_SLOT_WORDS; word++)
      fail_unless_equals_uint64 (ring_word (readback, slot, word), all_opcodes[slot].words[word]);
  }
}

static void
check_debug_log (GstBuffer *readback)
{
  static const guint32 record[] = { 4, 9, 11, 12, 7 * VYRE_SLOT_WORDS };

  for (guint i = 0; i < G_N_ELEMENTS (record); i++)
    fail_unless_equals_int (readback_word (readback, DEBUG_LOG, i), record[i]);
}

GST_START_TEST (slots_do_what_their_opcodes_say)
{
  GstHarness *h = new_slots ();
  GstBuffer *readback = filter_run (h, slots_buffer (all_opcodes, N_OPCODES));

  check_caps (h, N_OPCODES, DEFAULT_OBSERVABLES);
  check_part_size (readback, CONTROL, 4 * (VYRE_CONTROL_OBSERVABLES + DEFAULT_OBSERVABLES));
  check_part_size (readback, RING, N_OPCODES * SLOT_BYTES);
  check_part_size (readback, DEBUG_LOG, 4 * VYRE_DEBUG_WORDS);
  check_part_size (readback, IO_QUEUE, 4 * VYRE_IO_WORDS);
  check_results (readback);
  check_control (readback);
  check_ring (readback);
  check_debug_log (readback);
  for (guint word = 0; word < VYRE_IO_WORDS; word++)
    fail_unless_equals_int (readback_word (readback, IO_QUEUE, word), 0);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* A region without bytes lies in every payload, also in none. */
GST_START_TEST (payload_opcodes_have_no_payload)
{
  static const Slot slots[] = {
    SLOT (VYRE_OP_U8_STATS, 0, 0, 0, 0, 1),
    SLOT (VYRE_OP_U8_STATS, 0, 1, 1, 1, 10),
    SLOT (VYRE_OP_CRC32, 0, SLOT_BYTES, 1, SLOT_BYTES, 20),
  };
  static const guint32 statuses[] = { VYRE_STATUS_DONE, VYRE_STATUS_FAULT, VYRE_STATUS_FAULT };
  GstHarness *h = new_slots ();
  GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));

  check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
  fail_unless_equals_int (readback_observable (readback, 1 + VYRE_U8_STATS_MIN), 255);
  fail_unless_equals_int (readback_observable (readback, 20), 0);
  fail_unless_equals_uint64 (stat_of (h->element, "processed-bytes"), 0);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (one_tenant_is_authorised)
{
  static const Slot slots[] = {
    { { VYRE_STATUS_PUBLISHED, VYRE_OP_STORE_U32, 1, 0, 5, VYRE_CONTROL_OBSERVABLES } },
    STORE (6, 1),
  };
  static const guint32 statuses[] = { VYRE_STATUS_PUBLISHED, VYRE_STATUS_DONE };
  GstHarness *h = new_slots ();
  GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));

  check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
  fail_unless_equals_int (readback_observable (readback, 0), 0);
  fail_unless_equals_int (readback_observable (readback, 1), 6);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* What is asked of the host is in the io queue, and nobody waits for it. */
GST_START_TEST (load_misses_are_parked)
{
  static const Slot slots[] = {
    NOP,
    SLOT (VYRE_OP_LOAD_MISS, 4711, 1),
    STORE (6, 1),
  };
  static const guint32 statuses[] = { VYRE_STATUS_DONE, VYRE_STATUS_WAIT_IO, VYRE_STATUS_DONE };
  static const guint32 request[]
      = { VYRE_IO_OP_READ, 4711, 0, 0, 0, 0, VYRE_STATUS_PUBLISHED, 1 /* its slot */, 0 };
  GstHarness *h = new_slots ();
  GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));

  check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
  for (guint word = 0; word < G_N_ELEMENTS (request); word++)
    fail_unless_equals_int (readback_word (readback, IO_QUEUE, word), request[word]);
  fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_DONE_COUNT), 2);
  fail_unless_equals_uint64 (stat_of (h->element, "done-count"), 2);
  fail_unless_equals_uint64 (stat_of (h->element, "faults"), 0);
  gst_buffer_unref (readback);
  gst_buffer_unref (filter_run (h, store_buffer (1)));
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (more_load_misses_than_the_queue_holds_stay_published)
{
  Slot slots[VYRE_IO_SLOTS + 3];
  GstHarness *h = new_slots ();
  guint n_waiting = 0;

  for (guint i = 0; i < G_N_ELEMENTS (slots); i++)
    slots[i] = (Slot)SLOT (VYRE_OP_LOAD_MISS, i);
  GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));
  for (guint i = 0; i < G_N_ELEMENTS (slots); i++) {
    fail_unless (status_of (readback, i) == VYRE_STATUS_WAIT_IO
                 || status_of (readback, i) == VYRE_STATUS_PUBLISHED);
    n_waiting += status_of (readback, i) == VYRE_STATUS_WAIT_IO;
  }
  fail_unless_equals_int (n_waiting, VYRE_IO_SLOTS);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* A shutdown is for the batch that has it. */
GST_START_TEST (a_shutdown_is_over_with_its_batch)
{
  static const Slot slots[] = { SLOT (VYRE_OP_SHUTDOWN, 0), STORE (5, 1) };
  static const guint32 statuses[] = { VYRE_STATUS_DONE, VYRE_STATUS_DONE };
  GstHarness *h = new_slots ();

  for (guint i = 0; i < 2; i++) {
    GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));
    check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
    fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_SHUTDOWN), 1);
    gst_buffer_unref (readback);
  }
  GstBuffer *readback = filter_run (h, store_buffer (7));
  fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_SHUTDOWN), 0);
  fail_unless_equals_int (readback_observable (readback, 1), 7);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (slots_may_lie_in_several_memories)
{
  static const gsize cuts[] = { 0, 1, 60, 64, 65, 191, 192 };
  GstHarness *h = new_slots ();
  GstBuffer *whole = numbered_slots (100, 3), *cut = gst_buffer_new ();

  for (guint i = 0; i + 1 < G_N_ELEMENTS (cuts); i++)
    cut = gst_buffer_append (cut,
        gst_buffer_copy_region (whole, GST_BUFFER_COPY_MEMORY, cuts[i], cuts[i + 1] - cuts[i]));
  fail_unless_equals_int (gst_buffer_n_memory (cut), G_N_ELEMENTS (cuts) - 1);
  gst_buffer_unref (whole);
  GstBuffer *readback = filter_run (h, cut);
  for (guint i = 0; i < 3; i++)
    fail_unless_equals_int (readback_observable (readback, i), 100 + i);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* ---- geometry ---------------------------------------------------------- */

GST_START_TEST (the_number_of_slots_may_change_with_every_buffer)
{
  static const guint counts[] = { 1, 3, 3, 200, 200, 1 };
  GstHarness *h = filter_new_with (NULL, "post-messages", 0, NULL);
  FlowLog *log = flow_log_new (h);

  filter_start (h, CAPS);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    GstBuffer *readback = filter_run (h, numbered_slots (i, counts[i]));
    check_caps (h, (gint)counts[i], DEFAULT_OBSERVABLES);
    check_part_size (readback, RING, counts[i] * SLOT_BYTES);
    for (guint slot = 0; slot < counts[i]; slot++) {
      fail_unless_equals_int (status_of (readback, slot), VYRE_STATUS_DONE);
      fail_unless_equals_int (readback_observable (readback, slot), i + slot);
    }
    gst_buffer_unref (readback);
  }
  gchar *text = flow_log_text (log), *start = strstr (text, "caps");
  fail_unless_equals_string (start, "caps segment #0 caps #1 #2 caps #3 #4 caps #5");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (observable_slots_are_as_many_as_set)
{
  static const Slot slots[] = { STORE (5, 1), STORE (6, 2) };
  static const guint32 few[] = { VYRE_STATUS_DONE, VYRE_STATUS_FAULT };
  static const guint32 enough[] = { VYRE_STATUS_DONE, VYRE_STATUS_DONE };
  GstHarness *h = filter_new_with (NULL, "observable-slots", 2, NULL);

  filter_start (h, CAPS);
  GstBuffer *readback = filter_run (h, slots_buffer (slots, 2));
  check_caps (h, 2, 2);
  check_statuses (readback, few, 2);
  gst_buffer_unref (readback);
  g_object_set (h->element, "observable-slots", 3, NULL);
  readback = filter_run (h, slots_buffer (slots, 2));
  check_caps (h, 2, 3);
  check_statuses (readback, enough, 2);
  fail_unless_equals_int (readback_observable (readback, 2), 6);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* The same bytes again, with what is there for programs changed in between. */
GST_START_TEST (neither_program_nor_slot_count_is_used)
{
  GstHarness *h = filter_new_with (NULL, "slot-count", 9, "post-messages", 0, NULL);
  FlowLog *log = flow_log_new (h);

  filter_start (h, CAPS);
  for (guint i = 0; i < 4; i++) {
    GstBuffer *readback = filter_run (h, numbered_slots (7, 2));
    check_caps (h, 2, DEFAULT_OBSERVABLES);
    fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_DONE_COUNT), 2);
    fail_unless_equals_int (readback_observable (readback, 0), 7);
    fail_unless_equals_int (readback_observable (readback, 1), 8);
    gst_buffer_unref (readback);
    g_object_set (
        h->element, "program", i % 2 ? "nop" : "crc32 payload -> crc", "slot-count", 20 + i, NULL);
  }
  gchar *text = flow_log_text (log), *start = strstr (text, "caps");
  fail_unless_equals_string (start, "caps segment #7 #7 #7 #7");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

static void
push_caps (GstHarness *h, const gchar *text)
{
  GstCaps *caps = gst_caps_from_string (text);

  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

/* Bytes that are slots are a payload as soon as the caps say so. */
GST_START_TEST (caps_say_whether_buffers_are_slots)
{
  GstHarness *h = filter_new ("u8_stats payload -> stats");

  filter_start (h, "application/octet-stream");
  for (guint i = 0; i < 4; i++) {
    gboolean slots = i % 2;
    GstBuffer *readback = filter_run (h, store_buffer (i));
    fail_unless_equals_int (readback_observable (readback, 1), slots ? i : SLOT_BYTES);
    GstCaps *caps = readback_caps (h);
    fail_unless_equals_int (
        gst_structure_has_field (gst_caps_get_structure (caps, 0), "program"), !slots);
    gst_caps_unref (caps);
    gst_buffer_unref (readback);
    push_caps (h, slots ? "application/octet-stream" : CAPS);
  }
  filter_finish (h);
}
GST_END_TEST;

/* ---- what is refused --------------------------------------------------- */

/* Slots with one word changed; the rest are NOPs that may run, or EMPTY if there are
 * so many that their work would be too much for some devices. */
typedef struct {
  gsize size; /* bytes of the buffer */
  guint word; /* of the buffer */
  guint32 value;
  const gchar *part; /* of what is said */
} Refusal;

/* As many as there may be, and one lane's work each. */
GST_START_TEST (the_largest_ring_runs)
{
  GstHarness *h = filter_new_with (NULL, "observable-slots", VYRE_MAX_OBSERVABLES, NULL);
  Slot *slots = g_new (Slot, MAX_SLOTS);

  for (gsize i = 0; i < MAX_SLOTS; i++)
    slots[i] = (Slot)SLOT (VYRE_OP_ATOMIC_ADD, 1, VYRE_CONTROL_OBSERVABLES + 1);
  filter_start (h, CAPS);
  if (!stat_is (h->element, "placement", "unified") && is_on_cpu (h->element)) {
    g_free (slots); /* there, a readback that is copied out is 1 MiB at most */
    filter_finish (h);
    return;
  }
  for (guint i = 0; i < 2; i++) {
    GstBuffer *readback = filter_run (h, slots_buffer (slots, MAX_SLOTS));
    fail_unless_equals_int (readback_observable (readback, 1), (gint)MAX_SLOTS);
    fail_unless_equals_int (status_of (readback, MAX_SLOTS - 1), VYRE_STATUS_DONE);
    gst_buffer_unref (readback);
  }
  check_caps (h, (gint)MAX_SLOTS, VYRE_MAX_OBSERVABLES);
  g_free (slots);
  filter_finish (h);
}
GST_END_TEST;

#define IN_SLOT(slot, word) ((slot)*VYRE_SLOT_WORDS + (word))

static const Refusal refusals[] = {
  { 0, 0, 0, "0 bytes" },
  { 1, 0, 0, "1 bytes" },
  { 63, 0, 0, "slot 0 has 63" },
  { 65, 0, 0, "slot 1 has 1" },
  { 64, IN_SLOT (0, VYRE_SLOT_OPCODE), 0xFFF0, "Slot 0: " },
  { 128, IN_SLOT (1, VYRE_SLOT_OPCODE), 0xFFFFFFFE, "Slot 1: " },
  { 128, IN_SLOT (1, VYRE_SLOT_OPCODE), 0x80000000, "Slot 1: " },
  { 192, IN_SLOT (2, VYRE_SLOT_STATUS), VYRE_STATUS_CLAIMED, "Slot 2: " },
  { 192, IN_SLOT (2, VYRE_SLOT_STATUS), VYRE_STATUS_DONE, "Slot 2: " },
  { 192, IN_SLOT (1, VYRE_SLOT_STATUS), VYRE_STATUS_WAIT_IO, "Slot 1: " },
  { 192, IN_SLOT (0, VYRE_SLOT_STATUS), 8, "Slot 0: " },
  { 64, IN_SLOT (0, VYRE_SLOT_PRIORITY), VYRE_PRIORITY_LEVELS, "Slot 0: " },
  { (gsize)600000 * SLOT_BYTES, 0, 1, "slot 393216" },
  { (MAX_SLOTS + 1) * SLOT_BYTES, 0, 1, "slot 393216" },
};

static GstBuffer *
refused_buffer (const Refusal *refusal)
{
  guint32 *words = g_malloc0 (refusal->size + 3);

  for (gsize slot = 0; slot < MIN (refusal->size / SLOT_BYTES, 16); slot++)
    words[slot * VYRE_SLOT_WORDS] = GUINT32_TO_LE (VYRE_STATUS_PUBLISHED);
  if (refusal->value)
    words[refusal->word] = GUINT32_TO_LE (refusal->value);
  GstBuffer *buffer = buffer_of (words, refusal->size);
  g_free (words);
  return buffer;
}

/* One error of this domain and code, with @part and a remedy. */
static void
expect_error (GstHarness *h, gint code, const gchar *part)
{
  GstMessage *message = bus_wait (h, GST_MESSAGE_ERROR);
  GError *error = NULL;

  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR, code), "%s", error->message);
  fail_unless (strstr (error->message, part) != NULL, "'%s' is not in '%s'", part, error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "no remedy in '%s'", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
}

static void
push_refused (GstHarness *h, const Refusal *refusal)
{
  GstFlowReturn flow = gst_harness_push (h, refused_buffer (refusal));

  fail_unless (
      flow == GST_FLOW_ERROR, "instead of '%s', %s", refusal->part, gst_flow_get_name (flow));
  expect_error (h, GST_STREAM_ERROR_FORMAT, refusal->part);
}

GST_START_TEST (slots_that_cannot_be_published_are_an_error)
{
  GstHarness *h = new_slots ();

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    push_refused (h, &refusals[i]);
    GstBuffer *readback = filter_run (h, store_buffer (i));
    fail_unless_equals_int (readback_observable (readback, 1), i);
    gst_buffer_unref (readback);
  }
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), G_N_ELEMENTS (refusals));
  filter_finish (h);
}
GST_END_TEST;

/* A refused buffer takes nothing along: those before and behind it come through. */
GST_START_TEST (a_refusal_costs_no_other_slots)
{
  GstHarness *h = filter_new_with (NULL, "max-in-flight", 8, "post-messages", 0, NULL);
  Dam dam;

  filter_start (h, CAPS);
  dam_build (&dam, h);
  filter_push (h, store_buffer (1));
  filter_push (h, store_buffer (2));
  dam_wait (&dam);
  push_refused (h, &refusals[4]);
  filter_push (h, store_buffer (3));
  dam_break (&dam);
  for (guint i = 1; i <= 3; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_int (readback_observable (readback, 1), i);
    gst_buffer_unref (readback);
  }
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), 3);
  fail_unless_equals_uint64 (stat_of (h->element, "flushed"), 0);
  filter_finish (h);
}
GST_END_TEST;

static const gchar *const refused_caps[] = {
  CAPS ",abi=2",
  CAPS ",abi=0",
  CAPS ",abi=(string)1",
};

GST_START_TEST (slots_of_another_abi_are_refused)
{
  GstHarness *h = filter_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (refused_caps); i++) {
    push_caps (h, refused_caps[i]);
    expect_error (h, GST_STREAM_ERROR_FORMAT, "ABI");
  }
  filter_push_segment (h);
  fail_unless_equals_int (gst_harness_push (h, store_buffer (1)), GST_FLOW_NOT_NEGOTIATED);
  push_caps (h, CAPS ",abi=1");
  gst_buffer_unref (filter_run (h, store_buffer (1)));
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (slots_in_memory_of_a_device_are_refused)
{
  GstHarness *h = filter_new (NULL);

  push_caps (h, CAPS "(memory:GLMemory)");
  bus_assert_error (h, "download");
  filter_finish (h);
}
GST_END_TEST;

/* ---- faults ------------------------------------------------------------ */

GST_START_TEST (a_fault_warns_once_and_the_stream_goes_on)
{
  static const Slot slots[] = {
    NOP,
    SLOT (VYRE_OP_DFA_STEP, 3, 4),
    SLOT (0x40000200, 1, 2, 3), /* in the window of the tenant, without a handler */
    SLOT (VYRE_OP_STORE_U32, 1, VYRE_CONTROL_OBSERVABLES + DEFAULT_OBSERVABLES),
    STORE (9, DEFAULT_OBSERVABLES - 1),
  };
  static const guint32 statuses[] = { VYRE_STATUS_DONE, VYRE_STATUS_FAULT, VYRE_STATUS_FAULT,
    VYRE_STATUS_FAULT, VYRE_STATUS_DONE };
  GstHarness *h = new_slots ();
  GError *error = NULL;
  gchar *debug = NULL;

  for (guint i = 0; i < 3; i++) {
    GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));
    check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
    fail_unless_equals_int (readback_observable (readback, DEFAULT_OBSERVABLES - 1), 9);
    gst_buffer_unref (readback);
  }
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, &debug);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED));
  fail_unless (strstr (error->message, "Slot 1 ") != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "%s", error->message);
  fail_unless (strstr (debug, "dfa_step 3, 4") != NULL, "%s", debug);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING), 0);
  fail_unless_equals_uint64 (stat_of (h->element, "faults"), 9);
  filter_finish (h);
}
GST_END_TEST;

/* ---- messages ---------------------------------------------------------- */

GST_START_TEST (messages_do_without_a_program)
{
  GstHarness *h = new_slots ();
  GstBuffer *buffer = slots_buffer (all_opcodes, N_OPCODES);

  GST_BUFFER_OFFSET (buffer) = 77;
  GST_BUFFER_PTS (buffer) = 2 * GST_SECOND;
  gst_buffer_unref (filter_run (h, buffer));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *fields = gst_message_get_structure (message);
  fail_unless_equals_int (gst_structure_n_fields (fields), 8);
  fail_unless_equals_uint64 (field_u64 (fields, "timestamp"), 2 * GST_SECOND);
  fail_unless_equals_uint64 (field_u64 (fields, "offset"), 77);
  fail_unless_equals_uint64 (field_u64 (fields, "sequence"), 1);
  fail_unless_equals_uint64 (field_u64 (fields, "payload-bytes"), N_OPCODES * SLOT_BYTES);
  fail_unless_equals_uint64 (field_u64 (fields, "processed-bytes"), 0);
  gst_message_unref (message);
  message = bus_wait_element (h, "vyre-debug");
  fields = gst_message_get_structure (message);
  fail_unless_equals_uint64 (field_u64 (fields, "slot"), 7);
  fail_unless_equals_uint64 (field_u64 (fields, "format"), 9);
  fail_unless_equals_uint64 (field_u64 (fields, "arg0"), 11);
  fail_unless_equals_uint64 (field_u64 (fields, "arg1"), 12);
  gst_message_unref (message);
  filter_push_eos (h);
  message = bus_wait_element (h, "vyre-counters");
  fields = gst_message_get_structure (message);
  fail_unless_equals_uint64 (field_u64 (fields, "batches"), 1);
  fail_unless_equals_uint64 (field_u64 (fields, "done-count"), N_RUN);
  fail_unless_equals_uint64 (field_u64 (fields, "epoch"), 1);
  gst_message_unref (message);
  filter_finish (h);
}
GST_END_TEST;

/* The CPU reads slots, so their stream never passes for one without copies. */
GST_START_TEST (slots_are_counted_as_copied)
{
  GstHarness *h = new_slots ();

  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (filter_run (h, numbered_slots (5, 4)));
  fail_unless_equals_uint64 (stat_of (h->element, "payload-bytes"), 3 * 4 * SLOT_BYTES);
  fail_unless_equals_uint64 (stat_of (h->element, "cpu-bounce-bytes"), 3 * 4 * SLOT_BYTES);
  fail_unless_equals_uint64 (
      stat_nested (h->element, "ingest", "cpu-bounce-bytes"), 3 * 4 * SLOT_BYTES);
  fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "arena-bytes"), 0);
  fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "direct-bytes"), 0);
  filter_finish (h);
}
GST_END_TEST;

/* ---- streaming --------------------------------------------------------- */

GST_START_TEST (readbacks_have_the_time_of_their_slots)
{
  GstHarness *h = new_slots ();
  GstBuffer *buffer = numbered_slots (12, 1);

  GST_BUFFER_DTS (buffer) = 3;
  GST_BUFFER_DURATION (buffer) = 4 * GST_MSECOND;
  GST_BUFFER_OFFSET_END (buffer) = 13;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_MARKER);
  GstBuffer *readback = filter_run (h, buffer);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (readback), 12 * GST_MSECOND);
  fail_unless_equals_uint64 (GST_BUFFER_DTS (readback), 3);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (readback), 4 * GST_MSECOND);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 12);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (readback), 13);
  fail_unless (GST_BUFFER_FLAG_IS_SET (readback, GST_BUFFER_FLAG_MARKER));
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* As long as no slot came, a gap has the caps of the least that can come. */
GST_START_TEST (a_gap_may_come_before_any_slot)
{
  GstHarness *h = filter_new_with (NULL, "post-messages", 0, NULL);
  FlowLog *log = flow_log_new (h);

  filter_start (h, CAPS);
  fail_unless (gst_harness_push_event (h, gst_event_new_gap (0, GST_SECOND)));
  flow_log_wait (log, "gap");
  check_caps (h, 1, DEFAULT_OBSERVABLES);
  filter_push (h, numbered_slots (0, 1));
  filter_push (h, numbered_slots (1, 2));
  filter_push_eos (h);
  flow_log_wait (log, "eos");
  gchar *text = flow_log_text (log), *start = strstr (text, "caps");
  fail_unless_equals_string (start, "caps segment gap #0 caps #1 eos");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (eos_comes_behind_the_last_slots)
{
  GstHarness *h = filter_new_with (NULL, "max-in-flight", 64, "post-messages", 0, NULL);
  FlowLog *log = flow_log_new (h);

  filter_start (h, CAPS);
  for (guint i = 0; i < 5; i++)
    filter_push (h, numbered_slots (i, 3));
  filter_push_eos (h);
  flow_log_wait (log, "eos");
  gchar *text = flow_log_text (log), *start = strstr (text, "caps");
  fail_unless_equals_string (start, "caps segment #0 #1 #2 #3 #4 eos");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

/* An empty stream ends, too. */
GST_START_TEST (eos_may_come_without_any_slot)
{
  GstHarness *h = new_slots ();

  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_flush_drops_slots_and_the_next_ones_run)
{
  GstHarness *h = filter_new_with (NULL, "max-in-flight", 16, "post-messages", 0, NULL);
  Dam dam;

  filter_start (h, CAPS);
  dam_build (&dam, h);
  for (guint i = 0; i < 10; i++)
    filter_push (h, numbered_slots (i, 1 + i));
  dam_wait (&dam);
  filter_flush (h);
  dam_break (&dam);
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  filter_push_segment (h);
  GstBuffer *readback = filter_run (h, numbered_slots (100, 3));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 100);
  fail_unless_equals_int (readback_observable (readback, 2), 102);
  check_caps (h, 3, DEFAULT_OBSERVABLES);
  gst_buffer_unref (readback);
  fail_unless (stat_of (h->element, "flushed") > 0);
  fail_unless_equals_uint64 (stat_of (h->element, "queue-depth"), 0);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
slots_suite (void)
{
  Suite *s = suite_create ("slots");
  TCase *run = tcase_create ("run"), *geometry = tcase_create ("geometry");
  TCase *refused = tcase_create ("refused"), *stream = tcase_create ("stream");

  suite_add_tcase (s, run);
  tcase_add_test (run, slots_do_what_their_opcodes_say);
  tcase_add_test (run, payload_opcodes_have_no_payload);
  tcase_add_test (run, one_tenant_is_authorised);
  tcase_add_test (run, load_misses_are_parked);
  tcase_add_test (run, more_load_misses_than_the_queue_holds_stay_published);
  tcase_add_test (run, a_shutdown_is_over_with_its_batch);
  tcase_add_test (run, slots_may_lie_in_several_memories);
  tcase_add_test (run, a_fault_warns_once_and_the_stream_goes_on);
  suite_add_tcase (s, geometry);
  tcase_add_test (geometry, the_number_of_slots_may_change_with_every_buffer);
  tcase_add_test (geometry, the_largest_ring_runs);
  tcase_add_test (geometry, observable_slots_are_as_many_as_set);
  tcase_add_test (geometry, neither_program_nor_slot_count_is_used);
  tcase_add_test (geometry, caps_say_whether_buffers_are_slots);
  suite_add_tcase (s, refused);
  tcase_add_test (refused, slots_that_cannot_be_published_are_an_error);
  tcase_add_test (refused, a_refusal_costs_no_other_slots);
  tcase_add_test (refused, slots_of_another_abi_are_refused);
  tcase_add_test (refused, slots_in_memory_of_a_device_are_refused);
  suite_add_tcase (s, stream);
  tcase_add_test (stream, messages_do_without_a_program);
  tcase_add_test (stream, slots_are_counted_as_copied);
  tcase_add_test (stream, readbacks_have_the_time_of_their_slots);
  tcase_add_test (stream, a_gap_may_come_before_any_slot);
  tcase_add_test (stream, eos_comes_behind_the_last_slots);
  tcase_add_test (stream, eos_may_come_without_any_slot);
  tcase_add_test (stream, a_flush_drops_slots_and_the_next_ones_run);
  return s;
}

GST_CHECK_MAIN (slots);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams of raw slots: what a buffer's slots do, how many there may be, and what is said of them.
 */
#include "slots.h"

#include <string.h>

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
        slots_status (readback, slot), slot < N_RUN ? VYRE_STATUS_DONE : VYRE_STATUS_EMPTY);
    for (guint word = 1; word < VYRE_SLOT_WORDS; word++)
      fail_unless_equals_uint64 (
          slots_ring_word (readback, slot, word), all_opcodes[slot].words[word]);
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
  GstHarness *h = slots_filter_new ();
  GstBuffer *readback = filter_run (h, slots_buffer (all_opcodes, N_OPCODES));

  slots_check_caps (h, N_OPCODES, DEFAULT_OBSERVABLES);
  slots_check_part_size (readback, CONTROL, 4 * (VYRE_CONTROL_OBSERVABLES + DEFAULT_OBSERVABLES));
  slots_check_part_size (readback, RING, N_OPCODES * SLOT_BYTES);
  slots_check_part_size (readback, DEBUG_LOG, 4 * VYRE_DEBUG_WORDS);
  slots_check_part_size (readback, IO_QUEUE, 4 * VYRE_IO_WORDS);
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
  GstHarness *h = slots_filter_new ();
  GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));

  slots_check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
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
  GstHarness *h = slots_filter_new ();
  GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));

  slots_check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
  fail_unless_equals_int (readback_observable (readback, 0), 0);
  fail_unless_equals_int (readback_observable (readback, 1), 6);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* A request to the host is in the io queue, and the batch does not wait for it. */
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
  GstHarness *h = slots_filter_new ();
  GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));

  slots_check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
  for (guint word = 0; word < G_N_ELEMENTS (request); word++)
    fail_unless_equals_int (readback_word (readback, IO_QUEUE, word), request[word]);
  fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_DONE_COUNT), 2);
  fail_unless_equals_uint64 (stat_of (h->element, "done-count"), 2);
  fail_unless_equals_uint64 (stat_of (h->element, "faults"), 0);
  gst_buffer_unref (readback);
  gst_buffer_unref (filter_run (h, slots_store_buffer (1)));
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (more_load_misses_than_the_queue_holds_stay_published)
{
  Slot slots[VYRE_IO_SLOTS + 3];
  GstHarness *h = slots_filter_new ();
  guint n_waiting = 0;

  for (guint i = 0; i < G_N_ELEMENTS (slots); i++)
    slots[i] = (Slot)SLOT (VYRE_OP_LOAD_MISS, i);
  GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));
  for (guint i = 0; i < G_N_ELEMENTS (slots); i++) {
    fail_unless (slots_status (readback, i) == VYRE_STATUS_WAIT_IO
                 || slots_status (readback, i) == VYRE_STATUS_PUBLISHED);
    n_waiting += slots_status (readback, i) == VYRE_STATUS_WAIT_IO;
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
  GstHarness *h = slots_filter_new ();

  for (guint i = 0; i < 2; i++) {
    GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));
    slots_check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
    fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_SHUTDOWN), 1);
    gst_buffer_unref (readback);
  }
  GstBuffer *readback = filter_run (h, slots_store_buffer (7));
  fail_unless_equals_int (readback_word (readback, CONTROL, VYRE_CONTROL_SHUTDOWN), 0);
  fail_unless_equals_int (readback_observable (readback, 1), 7);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (slots_may_lie_in_several_memories)
{
  static const gsize cuts[] = { 0, 1, 60, 64, 65, 191, 192 };
  GstHarness *h = slots_filter_new ();
  GstBuffer *whole = slots_numbered_buffer (100, 3), *cut = gst_buffer_new ();

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
    GstBuffer *readback = filter_run (h, slots_numbered_buffer (i, counts[i]));
    slots_check_caps (h, (gint)counts[i], DEFAULT_OBSERVABLES);
    slots_check_part_size (readback, RING, counts[i] * SLOT_BYTES);
    for (guint slot = 0; slot < counts[i]; slot++) {
      fail_unless_equals_int (slots_status (readback, slot), VYRE_STATUS_DONE);
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
  slots_check_caps (h, 2, 2);
  slots_check_statuses (readback, few, 2);
  gst_buffer_unref (readback);
  g_object_set (h->element, "observable-slots", 3, NULL);
  readback = filter_run (h, slots_buffer (slots, 2));
  slots_check_caps (h, 2, 3);
  slots_check_statuses (readback, enough, 2);
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
    GstBuffer *readback = filter_run (h, slots_numbered_buffer (7, 2));
    slots_check_caps (h, 2, DEFAULT_OBSERVABLES);
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

/* Bytes that are slots are a payload as soon as the caps say so. */
GST_START_TEST (caps_say_whether_buffers_are_slots)
{
  GstHarness *h = filter_new ("u8_stats payload -> stats");

  filter_start (h, "application/octet-stream");
  for (guint i = 0; i < 4; i++) {
    gboolean slots = i % 2;
    GstBuffer *readback = filter_run (h, slots_store_buffer (i));
    fail_unless_equals_int (readback_observable (readback, 1), slots ? i : SLOT_BYTES);
    GstCaps *caps = readback_caps (h);
    fail_unless_equals_int (
        gst_structure_has_field (gst_caps_get_structure (caps, 0), "program"), !slots);
    gst_caps_unref (caps);
    gst_buffer_unref (readback);
    slots_push_caps (h, slots ? "application/octet-stream" : CAPS);
  }
  filter_finish (h);
}
GST_END_TEST;

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
    fail_unless_equals_int (slots_status (readback, MAX_SLOTS - 1), VYRE_STATUS_DONE);
    gst_buffer_unref (readback);
  }
  slots_check_caps (h, (gint)MAX_SLOTS, VYRE_MAX_OBSERVABLES);
  g_free (slots);
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
  GstHarness *h = slots_filter_new ();
  GError *error = NULL;
  gchar *debug = NULL;

  for (guint i = 0; i < 3; i++) {
    GstBuffer *readback = filter_run (h, slots_buffer (slots, G_N_ELEMENTS (slots)));
    slots_check_statuses (readback, statuses, G_N_ELEMENTS (statuses));
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
  GstHarness *h = slots_filter_new ();
  GstBuffer *buffer = slots_buffer (all_opcodes, N_OPCODES);

  GST_BUFFER_OFFSET (buffer) = 77;
  GST_BUFFER_PTS (buffer) = 2 * GST_SECOND;
  gst_buffer_unref (filter_run (h, buffer));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *fields = gst_message_get_structure (message);
  fail_unless_equals_int (gst_structure_n_fields (fields), 9);
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
  GstHarness *h = slots_filter_new ();

  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (filter_run (h, slots_numbered_buffer (5, 4)));
  fail_unless_equals_uint64 (stat_of (h->element, "payload-bytes"), 3 * 4 * SLOT_BYTES);
  fail_unless_equals_uint64 (stat_of (h->element, "cpu-bounce-bytes"), 3 * 4 * SLOT_BYTES);
  fail_unless_equals_uint64 (
      stat_nested (h->element, "ingest", "cpu-bounce-bytes"), 3 * 4 * SLOT_BYTES);
  fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "arena-bytes"), 0);
  fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "direct-bytes"), 0);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
slots_suite (void)
{
  Suite *s = suite_create ("slots");
  TCase *run = tcase_create ("run"), *geometry = tcase_create ("geometry");
  TCase *messages = tcase_create ("messages");

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
  suite_add_tcase (s, messages);
  tcase_add_test (messages, messages_do_without_a_program);
  tcase_add_test (messages, slots_are_counted_as_copied);
  return s;
}

GST_CHECK_MAIN (slots);

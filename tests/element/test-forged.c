/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Programs and slots that write whatever they like to wherever they can: it is in their own
 * readbacks, and nothing comes of it. No stream ends, and none says what is not so.
 */
#include "common.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define N_OBSERVABLES 96
#define N_WORDS (VYRE_CONTROL_OBSERVABLES + N_OBSERVABLES)
#define SLOTS 16
#define SIZE 5000

/* A slot over the payload is refused, and the program says of as many slots as it has that
 * they ran. */
GST_START_TEST (a_forged_count_does_not_end_the_stream)
{
  gchar *text = g_strdup_printf ("u8_stats payload -> stats @tenant=7; crc32 bytes(0, 100) -> crc\n"
                                 "op %u, %d, %u",
      VYRE_OP_STORE_U32, __i__, VYRE_CONTROL_DONE_COUNT);
  GstHarness *h = filter_new_with (text, "interval", (guint64)0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, SIZE)));
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
  fail_unless_equals_uint64 (stat_of (h->element, "processed-bytes"), 3 * 100);
  fail_unless_equals_uint64 (stat_of (h->element, "batches"), 3);
  filter_push_eos (h);
  filter_wait_eos (h);
  g_free (text);
  filter_finish (h);
}
GST_END_TEST;

static guint32
random_word (GRand *rand)
{
  static const guint32 edges[] = { 0, 1, 7, 31, 32, N_WORDS, G_MAXINT32, G_MAXUINT32 };

  return g_rand_boolean (rand) ? edges[g_rand_int_range (rand, 0, G_N_ELEMENTS (edges))]
                               : g_rand_int (rand);
}

static void
random_slot (GRand *rand, guint32 *slot, guint32 target)
{
  static const guint32 opcodes[] = { VYRE_OP_STORE_U32, VYRE_OP_ATOMIC_ADD, VYRE_OP_MEMCPY,
    VYRE_OP_COMPARE_SWAP, VYRE_OP_LOAD_U32, VYRE_OP_PRINTF, VYRE_OP_LOAD_MISS, VYRE_OP_BATCH_FENCE,
    VYRE_OP_SHUTDOWN };
  gint pick = g_rand_int_range (rand, 0, 2 * G_N_ELEMENTS (opcodes));

  memset (slot, 0, 4 * VYRE_SLOT_WORDS);
  slot[VYRE_SLOT_STATUS] = VYRE_STATUS_PUBLISHED;
  slot[VYRE_SLOT_OPCODE] = opcodes[pick < (gint)G_N_ELEMENTS (opcodes) ? pick : pick % 2];
  slot[VYRE_SLOT_PRIORITY] = VYRE_PRIORITY_NORMAL;
  slot[VYRE_SLOT_ARGS] = random_word (rand);
  slot[VYRE_SLOT_ARGS + 1] = target;
  slot[VYRE_SLOT_ARGS + 2] = random_word (rand);
  if (slot[VYRE_SLOT_OPCODE] == VYRE_OP_COMPARE_SWAP)
    slot[VYRE_SLOT_ARGS] = target;
}

static GstBuffer *
random_slots (GRand *rand, guint32 target)
{
  guint32 slots[SLOTS * VYRE_SLOT_WORDS];

  for (guint i = 0; i < SLOTS; i++)
    random_slot (rand, &slots[i * VYRE_SLOT_WORDS],
        i % 2 ? (guint32)g_rand_int_range (rand, 0, N_WORDS) : target);
  return buffer_of (slots, sizeof slots);
}

/* Every word of the control part in turn, looked at by all that looks at readbacks. */
GST_START_TEST (anything_in_any_control_word_is_taken)
{
  GRand *rand = g_rand_new_with_seed (17);
  gchar *log = g_build_filename (g_get_tmp_dir (), "vyre-forged-XXXXXX", NULL);
  gint fd = g_mkstemp (log);
  GstHarness *h = filter_new_with (NULL, "observable-slots", N_OBSERVABLES, "interval", (guint64)0,
      "results-interval", (guint64)0, "replay-log", log, NULL);

  filter_start (h, "application/x-vyre-slots");
  for (guint32 word = 0; word < N_WORDS; word++) {
    gst_buffer_unref (filter_run (h, random_slots (rand, word)));
    GstMessage *message = bus_try (h, GST_MESSAGE_ERROR);
    fail_unless (message == NULL, "word %u ended the stream", word);
    gst_structure_free (stats_of (h->element));
  }
  fail_unless_equals_uint64 (stat_of (h->element, "batches"), N_WORDS);
  filter_push_eos (h);
  filter_wait_eos (h);
  filter_finish (h);
  close (fd);
  g_unlink (log);
  g_free (log);
  g_rand_free (rand);
}
GST_END_TEST;

static Suite *
forged_suite (void)
{
  Suite *s = suite_create ("forged");
  TCase *control = tcase_create ("control");

  suite_add_tcase (s, control);
  tcase_add_loop_test (control, a_forged_count_does_not_end_the_stream, 0, 8);
  tcase_add_test (control, anything_in_any_control_word_is_taken);
  return s;
}

GST_CHECK_MAIN (forged);

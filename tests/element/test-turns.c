/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Elements that share a kernel let each other in, and elements that do not want that have
 * one of their own.
 */
#include "common.h"

#include <string.h>

#define NOP "nop"
#define DEAR_WORDS 180000
#define DEAR_SLOTS 1500
#define SLOT_BYTES (4 * VYRE_SLOT_WORDS)

/* Slots that take the device a second or two. */
static GstBuffer *
dear_slots (void)
{
  const guint32 copy[] = { VYRE_STATUS_PUBLISHED, VYRE_OP_MEMCPY, 0, VYRE_PRIORITY_NORMAL,
    VYRE_CONTROL_OBSERVABLES, VYRE_CONTROL_OBSERVABLES, DEAR_WORDS };
  guint8 *slots = g_malloc0 (DEAR_SLOTS * SLOT_BYTES);

  for (guint i = 0; i < DEAR_SLOTS; i++)
    memcpy (slots + i * SLOT_BYTES, copy, sizeof copy);
  GstBuffer *buffer = buffer_of (slots, DEAR_SLOTS * SLOT_BYTES);
  g_free (slots);
  return buffer;
}

static gboolean
runs_dear_slots (GstHarness *h)
{
  return stat_is (h->element, "placement", "unified") && is_on_cpu (h->element);
}

/* What is published last would come last. */
GST_START_TEST (dear_slots_let_other_elements_in)
{
  GstHarness *dear = filter_new_with (NULL, "observable-slots", DEAR_WORDS, NULL);
  GstHarness *other = filter_new (NOP);

  filter_start (dear, "application/x-vyre-slots");
  filter_start (other, NULL);
  if (runs_dear_slots (dear)) {
    for (guint i = 0; i < 3; i++)
      filter_push (dear, dear_slots ());
    for (guint i = 0; i < 5; i++)
      gst_buffer_unref (filter_run (other, numbered_buffer (i, 100)));
    fail_unless_equals_int (gst_harness_buffers_received (dear), 0);
    fail_unless (stat_of (other->element, "turns") > 0);
  }
  filter_finish (dear);
  filter_finish (other);
}
GST_END_TEST;

GST_START_TEST (dear_slots_come_out_right)
{
  GstHarness *h = filter_new_with (NULL, "observable-slots", DEAR_WORDS, NULL);

  filter_start (h, "application/x-vyre-slots");
  if (runs_dear_slots (h)) {
    GstBuffer *readback = filter_run (h, dear_slots ());
    fail_unless_equals_int (readback_word (readback, 0, VYRE_CONTROL_DONE_COUNT), DEAR_SLOTS);
    gst_buffer_unref (readback);
    fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  }
  filter_finish (h);
}
GST_END_TEST;

static guint64
count_users (GstHarness *h)
{
  return stat_of (h->element, "kernel-tenants");
}

GST_START_TEST (a_group_has_a_kernel_of_its_own)
{
  GstHarness *none = filter_new (NOP);
  const guint64 of_none = count_users (none);
  GstHarness *one = filter_new_with (NOP, "kernel-group", "one", NULL);
  GstHarness *same = filter_new_with (NOP, "kernel-group", "one", NULL);
  GstHarness *two = filter_new_with (NOP, "kernel-group", "two", NULL);
  GstHarness *patient = filter_new_with (NOP, "max-batch-time", G_MAXUINT64, NULL);
  GstHarness *all[] = { none, one, same, two, patient };
  const guint64 users[] = { of_none, 2, 2, 1, 1 };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    filter_start (all[i], NULL);
    gst_buffer_unref (filter_run (all[i], numbered_buffer (i, 100)));
  }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    fail_unless_equals_uint64 (count_users (all[i]), users[i]);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    filter_finish (all[i]);
}
GST_END_TEST;

static Suite *
turns_suite (void)
{
  Suite *s = suite_create ("turns");
  TCase *time = tcase_create ("time"), *groups = tcase_create ("groups");

  suite_add_tcase (s, time);
  tcase_add_test (time, dear_slots_let_other_elements_in);
  tcase_add_test (time, dear_slots_come_out_right);
  suite_add_tcase (s, groups);
  tcase_add_test (groups, a_group_has_a_kernel_of_its_own);
  return s;
}

GST_CHECK_MAIN (turns);

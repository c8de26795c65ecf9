/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/vyre.h"

#include <string.h>

#include "refused-common.h"

#define SLOT_BYTES (4 * VYRE_SLOT_WORDS)

/* Words of a task's slot, as the reference lays them out. */
#define STATUS 0
#define PRIORITY 3
#define DETAIL 8
#define AGE 12
#define REQUEUES 13
#define YIELDS 14
#define FLAGS 15

static const VyreTask task = { .id = 0x01020304,
  .opcode = 0x40000005,
  .tenant = 6,
  .priority = VYRE_PRIORITY_LOW,
  .input = 7,
  .output = 8,
  .param = 9 };

static void
assert_words (const void *slot, const guint32 *wanted)
{
  for (guint i = 0; i < VYRE_SLOT_WORDS; i++)
    g_assert_cmpuint (vyre_read_word (slot, i), ==, wanted[i]);
}

/* Publishing leaves none of the old words of a slot; at an odd address too. */
static void
test_publish (void)
{
  static const guint32 wanted[] = { 1, 0x40000005, 6, 3, 7, 8, 9, 0, 0, 0, 0x01020304 };
  guint32 padded[VYRE_SLOT_WORDS] = { 0 };
  guint8 room[SLOT_BYTES + 2];

  memcpy (padded, wanted, sizeof wanted);
  memset (room, 0xEE, sizeof room);
  memset (room + 1, 0, 4);
  room[1] = VYRE_STATUS_DONE;
  g_assert_true (vyre_task_publish (room + 1, &task, NULL));
  assert_words (room + 1, padded);
  g_assert_cmpuint (room[0], ==, 0xEE);
  g_assert_cmpuint (room[SLOT_BYTES + 1], ==, 0xEE);
}

static void
test_publish_refused (void)
{
  g_autoptr (GError) error = NULL;
  VyreTask wrong = task;

  for (guint32 status = VYRE_STATUS_PUBLISHED; status <= VYRE_STATUSES; status++) {
    guint32 slot[VYRE_SLOT_WORDS] = { GUINT32_TO_LE (status) };
    const guint32 before[VYRE_SLOT_WORDS] = { status };
    if (status == VYRE_STATUS_DONE)
      continue;
    assert_refused (vyre_task_publish (slot, &task, &error), &error, VYRE_ERROR_QUEUE_FULL);
    assert_words (slot, before);
  }
  guint32 slot[VYRE_SLOT_WORDS] = { 0 };
  wrong.priority = VYRE_PRIORITY_LEVELS;
  assert_refused (vyre_task_publish (slot, &wrong, &error), &error, VYRE_ERROR_INVALID);
  g_assert_cmpuint (slot[STATUS], ==, VYRE_STATUS_EMPTY);
}

static void
test_requeue_refused (void)
{
  guint32 slot[VYRE_SLOT_WORDS] = { 0 }, before[VYRE_SLOT_WORDS];
  g_autoptr (GError) error = NULL;

  g_assert_true (vyre_task_publish (slot, &task, NULL));
  memcpy (before, slot, sizeof before);
  assert_refused (
      vyre_task_requeue (slot, 1, 2, VYRE_PRIORITY_LEVELS, &error), &error, VYRE_ERROR_INVALID);
  g_assert_cmpmem (slot, sizeof slot, before, sizeof before);
  g_assert_true (vyre_task_requeue (slot, 1, 2, VYRE_PRIORITY_IDLE, NULL));
  g_assert_cmpuint (vyre_read_word (slot, PRIORITY), ==, VYRE_PRIORITY_IDLE);
}

/* The meaning of each flag, over a life in which all of them come and go. */
static void
test_flags (void)
{
  guint32 slot[VYRE_SLOT_WORDS] = { 0 };

  g_assert_true (vyre_task_publish (slot, &task, NULL));
  vyre_task_pause (slot, 1, 2, 3);
  vyre_task_yield (slot, 1, 2);
  g_assert_true (vyre_task_requeue (slot, 1, 2, VYRE_PRIORITY_HIGH, NULL));
  g_assert_cmpuint (
      vyre_read_word (slot, FLAGS), ==, VYRE_TASK_PAUSED | VYRE_TASK_YIELDED | VYRE_TASK_REQUEUED);
  vyre_task_resume (slot);
  g_assert_cmpuint (vyre_read_word (slot, FLAGS), ==, VYRE_TASK_RESUMED | VYRE_TASK_REQUEUED);
  vyre_task_pause (slot, 1, 2, 3);
  g_assert_cmpuint (vyre_read_word (slot, FLAGS), ==, VYRE_TASK_PAUSED | VYRE_TASK_REQUEUED);
  vyre_task_fault (slot, 77);
  g_assert_cmpuint (vyre_read_word (slot, FLAGS), ==, VYRE_TASK_PAUSED | VYRE_TASK_REQUEUED);
  g_assert_cmpuint (vyre_read_word (slot, DETAIL), ==, 77);
  g_assert_false (vyre_task_is_schedulable (slot));
  vyre_task_complete (slot);
  g_assert_cmpuint (vyre_read_word (slot, FLAGS), ==, 0);
  g_assert_cmpuint (vyre_read_word (slot, YIELDS), ==, 1);
  g_assert_cmpuint (vyre_read_word (slot, AGE), ==, 1);
}

/* A task that was queued again 2^32 times does not look young. */
static void
test_counts_stay (void)
{
  guint32 slot[VYRE_SLOT_WORDS] = { 0 };

  slot[AGE] = slot[REQUEUES] = slot[YIELDS] = G_MAXUINT32;
  vyre_task_yield (slot, 1, 2);
  g_assert_true (vyre_task_requeue (slot, 1, 2, 0, NULL));
  g_assert_cmpuint (slot[AGE], ==, G_MAXUINT32);
  g_assert_cmpuint (slot[REQUEUES], ==, G_MAXUINT32);
  g_assert_cmpuint (slot[YIELDS], ==, G_MAXUINT32);
}

static void
test_count (void)
{
  guint32 ring[3 * VYRE_SLOT_WORDS] = { 0 };
  VyreTaskCounts counts;

  for (guint i = 0; i < 3; i++) {
    ring[i * VYRE_SLOT_WORDS + STATUS] = GUINT32_TO_LE (VYRE_STATUS_YIELD + i);
    ring[i * VYRE_SLOT_WORDS + REQUEUES] = G_MAXUINT32;
  }
  g_assert_true (vyre_tasks_count (ring, sizeof ring, &counts, NULL));
  g_assert_cmpuint (counts.n_yielded, ==, 1);
  g_assert_cmpuint (counts.n_requeued, ==, 1);
  g_assert_cmpuint (counts.n_faulted, ==, 1);
  g_assert_cmpuint (counts.n_schedulable, ==, 2);
  g_assert_cmpuint (counts.n_requeues, ==, 3 * (guint64)G_MAXUINT32);
  g_assert_cmpuint (counts.continuation_pressure, ==, 3 * (guint64)G_MAXUINT32 + 2);
  g_assert_true (vyre_tasks_count (NULL, 0, &counts, NULL));
  g_assert_cmpuint (counts.n_requeues, ==, 0);
}

static void
test_count_refused (void)
{
  guint32 ring[2 * VYRE_SLOT_WORDS] = { 0 };
  VyreTaskCounts counts = { .n_ready = 42 };
  g_autoptr (GError) error = NULL;

  ring[STATUS] = GUINT32_TO_LE (VYRE_STATUS_PUBLISHED);
  ring[VYRE_SLOT_WORDS + STATUS] = GUINT32_TO_LE (VYRE_STATUSES);
  assert_refused (
      vyre_tasks_count (ring, sizeof ring, &counts, &error), &error, VYRE_ERROR_INVALID);
  assert_refused (
      vyre_tasks_count (ring, SLOT_BYTES + 4, &counts, &error), &error, VYRE_ERROR_MISALIGNED);
  g_assert_cmpuint (counts.n_ready, ==, 42);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tasks/publish", test_publish);
  g_test_add_func ("/tasks/publish-refused", test_publish_refused);
  g_test_add_func ("/tasks/requeue-refused", test_requeue_refused);
  g_test_add_func ("/tasks/flags", test_flags);
  g_test_add_func ("/tasks/counts-stay", test_counts_stay);
  g_test_add_func ("/tasks/count", test_count);
  g_test_add_func ("/tasks/count-refused", test_count_refused);
  return g_test_run ();
}

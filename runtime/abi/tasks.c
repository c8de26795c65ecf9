/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/tasks.h"

#include "kernel.h"
#include "abi/shared-words.h"

#define SLOT_BYTES (4 * VYRE_SLOT_WORDS)

/* Arguments of a task's slot. Word 11 stays 0. */
enum {
  TASK_INPUT = VYRE_SLOT_ARGS,
  TASK_OUTPUT,
  TASK_PARAM,
  TASK_RESUME_AT,
  TASK_DETAIL, /* the code of a fault */
  TASK_WAIT_FOR,
  TASK_ID,
  TASK_AGE = TASK_ID + 2,
  TASK_REQUEUES,
  TASK_YIELDS,
  TASK_FLAGS,
};
G_STATIC_ASSERT (TASK_FLAGS == VYRE_SLOT_WORDS - 1);

static gboolean
task_check_priority (guint32 priority, GError **error)
{
  if (priority < VYRE_PRIORITY_LEVELS)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "There is no priority %u. Fix: use one from 0 (critical) to %d (idle).", priority,
      VYRE_PRIORITY_IDLE);
  return FALSE;
}

static void
task_change_flags (void *slot, guint32 clear, guint32 set)
{
  vyre_write_word (slot, TASK_FLAGS, (vyre_read_word (slot, TASK_FLAGS) & ~clear) | set);
}

/* Counts up to the largest number and stays there. */
static void
task_count (void *slot, guint word)
{
  guint32 count = vyre_read_word (slot, word);

  vyre_write_word (slot, word, count < G_MAXUINT32 ? count + 1 : count);
}

static void
task_set_status (void *slot, guint32 status)
{
  vyre_word_release (slot, VYRE_SLOT_STATUS, status);
}

gboolean
vyre_task_publish (void *slot, const VyreTask *task, GError **error)
{
  guint32 status = vyre_word_acquire (slot, VYRE_SLOT_STATUS);

  if (!task_check_priority (task->priority, error))
    return FALSE;
  if (status != VYRE_STATUS_EMPTY && status != VYRE_STATUS_DONE) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
        "The slot for task %u is in use, with status %u. Fix: publish into a slot that is empty "
        "or done.",
        task->id, status);
    return FALSE;
  }
  for (guint word = VYRE_SLOT_ARGS; word < VYRE_SLOT_WORDS; word++)
    vyre_write_word (slot, word, 0);
  vyre_write_word (slot, VYRE_SLOT_OPCODE, task->opcode);
  vyre_write_word (slot, VYRE_SLOT_TENANT, task->tenant);
  vyre_write_word (slot, VYRE_SLOT_PRIORITY, task->priority);
  vyre_write_word (slot, TASK_INPUT, task->input);
  vyre_write_word (slot, TASK_OUTPUT, task->output);
  vyre_write_word (slot, TASK_PARAM, task->param);
  vyre_write_word (slot, TASK_ID, task->id);
  task_set_status (slot, VYRE_STATUS_PUBLISHED);
  return TRUE;
}

void
vyre_task_pause (void *slot, guint32 resume_at, guint32 detail, guint32 wait_for)
{
  vyre_write_word (slot, TASK_RESUME_AT, resume_at);
  vyre_write_word (slot, TASK_DETAIL, detail);
  vyre_write_word (slot, TASK_WAIT_FOR, wait_for);
  task_change_flags (slot, VYRE_TASK_RESUMED, VYRE_TASK_PAUSED);
  task_set_status (slot, VYRE_STATUS_WAIT_IO);
}

void
vyre_task_resume (void *slot)
{
  task_change_flags (slot, VYRE_TASK_PAUSED | VYRE_TASK_YIELDED, VYRE_TASK_RESUMED);
  task_set_status (slot, VYRE_STATUS_PUBLISHED);
}

void
vyre_task_yield (void *slot, guint32 resume_at, guint32 detail)
{
  vyre_write_word (slot, TASK_RESUME_AT, resume_at);
  vyre_write_word (slot, TASK_DETAIL, detail);
  task_count (slot, TASK_YIELDS);
  task_change_flags (slot, 0, VYRE_TASK_YIELDED);
  task_set_status (slot, VYRE_STATUS_YIELD);
}

gboolean
vyre_task_requeue (void *slot, guint32 resume_at, guint32 detail, guint32 priority, GError **error)
{
  if (!task_check_priority (priority, error))
    return FALSE;
  vyre_write_word (slot, VYRE_SLOT_PRIORITY, priority);
  vyre_write_word (slot, TASK_RESUME_AT, resume_at);
  vyre_write_word (slot, TASK_DETAIL, detail);
  task_count (slot, TASK_AGE);
  task_count (slot, TASK_REQUEUES);
  task_change_flags (slot, 0, VYRE_TASK_REQUEUED);
  task_set_status (slot, VYRE_STATUS_REQUEUE);
  return TRUE;
}

void
vyre_task_complete (void *slot)
{
  vyre_write_word (slot, TASK_FLAGS, 0);
  task_set_status (slot, VYRE_STATUS_DONE);
}

void
vyre_task_fault (void *slot, guint32 code)
{
  vyre_write_word (slot, TASK_DETAIL, code);
  task_set_status (slot, VYRE_STATUS_FAULT);
}

gboolean
vyre_task_is_schedulable (const void *slot)
{
  guint32 status = vyre_word_acquire (slot, VYRE_SLOT_STATUS);

  return VYRE_IS_SCHEDULABLE (status);
}

static void
task_add_to (VyreTaskCounts *counts, const guint8 *slot, guint32 status)
{
  guint32 requeues = vyre_read_word (slot, TASK_REQUEUES);

  counts->n_ready += status == VYRE_STATUS_PUBLISHED;
  counts->n_running += status == VYRE_STATUS_CLAIMED;
  counts->n_paused += status == VYRE_STATUS_WAIT_IO;
  counts->n_yielded += status == VYRE_STATUS_YIELD;
  counts->n_requeued += status == VYRE_STATUS_REQUEUE;
  counts->n_faulted += status == VYRE_STATUS_FAULT;
  counts->n_schedulable += VYRE_IS_SCHEDULABLE (status);
  counts->max_age = MAX (counts->max_age, vyre_read_word (slot, TASK_AGE));
  counts->n_requeues += requeues;
  counts->continuation_pressure
      += (guint64)requeues + (status == VYRE_STATUS_YIELD || status == VYRE_STATUS_REQUEUE);
}

gboolean
vyre_tasks_count (const void *ring, gsize size, VyreTaskCounts *counts, GError **error)
{
  VyreTaskCounts found = { 0 };

  if (size % SLOT_BYTES != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISALIGNED,
        "%" G_GSIZE_FORMAT " bytes of tasks end inside a slot. Fix: pass whole slots of %d bytes.",
        size, SLOT_BYTES);
    return FALSE;
  }
  for (gsize i = 0; i < size / SLOT_BYTES; i++) {
    const guint8 *slot = (const guint8 *)ring + i * SLOT_BYTES;
    guint32 status = vyre_word_acquire (slot, VYRE_SLOT_STATUS);
    if (status >= VYRE_STATUSES) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
          "Task slot %" G_GSIZE_FORMAT " has the unknown status %u. Fix: let only the functions "
          "for tasks and the kernel write to the slots.",
          i, status);
      return FALSE;
    }
    task_add_to (&found, slot, status);
  }
  *counts = found;
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:tasks
 * @title: Tasks
 * @short_description: Slots that pause, yield and go on
 *
 * A task slot carries a task in its arguments: the task can pause, yield and be queued again, and
 * the slot holds where it goes on. Any status may follow any other; the scheduler decides. Every
 * word but the status is written first, so a slot that becomes schedulable is whole. A slot in
 * memory of the host alone may have any alignment.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VYRE_TASK_PAUSED:
 *
 * A flag of a task: it was paused and not resumed since.
 */
#define VYRE_TASK_PAUSED 1u

/**
 * VYRE_TASK_YIELDED:
 *
 * A flag of a task: it yielded and was not resumed since.
 */
#define VYRE_TASK_YIELDED 2u

/**
 * VYRE_TASK_REQUEUED:
 *
 * A flag of a task: it was queued again.
 */
#define VYRE_TASK_REQUEUED 4u

/**
 * VYRE_TASK_RESUMED:
 *
 * A flag of a task: it was resumed and not paused since.
 */
#define VYRE_TASK_RESUMED 8u

/**
 * VyreTask:
 * @id: its number, for the scheduler
 * @opcode: its opcode
 * @tenant: its tenant
 * @priority: VYRE_PRIORITY_…
 * @input: handle of its input
 * @output: handle of its output
 * @param: one parameter
 *
 * A task that has not run.
 */
typedef struct {
  guint32 id;
  guint32 opcode;
  guint32 tenant;
  guint32 priority;
  guint32 input;
  guint32 output;
  guint32 param;
} VyreTask;

/**
 * VyreTaskCounts:
 * @n_ready: tasks in PUBLISHED
 * @n_running: tasks in CLAIMED
 * @n_paused: tasks in WAIT_IO
 * @n_yielded: tasks in YIELD
 * @n_requeued: tasks in REQUEUE
 * @n_faulted: tasks in FAULT
 * @n_schedulable: tasks that a kernel may claim
 * @max_age: the most times that a task was passed over
 * @n_requeues: times that tasks were queued again, the sum over all tasks
 * @continuation_pressure: @n_requeues plus the tasks that yielded or are queued again
 *
 * The state of a ring of tasks.
 */
typedef struct {
  guint32 n_ready;
  guint32 n_running;
  guint32 n_paused;
  guint32 n_yielded;
  guint32 n_requeued;
  guint32 n_faulted;
  guint32 n_schedulable;
  guint32 max_age;
  guint64 n_requeues;
  guint64 continuation_pressure;
} VyreTaskCounts;

/**
 * vyre_task_publish:
 * @slot: VYRE_SLOT_WORDS words of a ring
 * @task: the task
 * @error: return location
 *
 * Writes a task that has not run into a slot that is EMPTY or DONE.
 *
 * Returns: whether the task was published; otherwise nothing was written and @error is
 *   %VYRE_ERROR_INVALID (no such priority) or %VYRE_ERROR_QUEUE_FULL (the slot is
 *   in use)
 */
gboolean vyre_task_publish (void *slot, const VyreTask *task, GError **error);

/**
 * vyre_task_pause:
 * @slot: the slot of a task
 * @resume_at: the point at which it goes on
 * @detail: a word for that point
 * @wait_for: tag of the event that it waits for
 *
 * Pauses a task: its status is WAIT_IO, and it is not schedulable until it is resumed.
 */
void vyre_task_pause (void *slot, guint32 resume_at, guint32 detail, guint32 wait_for);

/**
 * vyre_task_resume:
 * @slot: the slot of a task
 *
 * Resumes a task: it is PUBLISHED again, to go on at its resume point.
 */
void vyre_task_resume (void *slot);

/**
 * vyre_task_yield:
 * @slot: the slot of a task
 * @resume_at: the point at which it goes on
 * @detail: a word for that point
 *
 * Lets other tasks go first: the status of the task is YIELD, which is schedulable.
 */
void vyre_task_yield (void *slot, guint32 resume_at, guint32 detail);

/**
 * vyre_task_requeue:
 * @slot: the slot of a task
 * @resume_at: the point at which it goes on
 * @detail: a word for that point
 * @priority: its new VYRE_PRIORITY_…
 * @error: return location
 *
 * Queues a task again, one turn older: its status is REQUEUE, which is schedulable.
 *
 * Returns: whether the task was queued; otherwise nothing was written and @error is
 *   %VYRE_ERROR_INVALID (no such priority)
 */
gboolean vyre_task_requeue (
    void *slot, guint32 resume_at, guint32 detail, guint32 priority, GError **error);

/**
 * vyre_task_complete:
 * @slot: the slot of a task
 *
 * Completes a task: its status is DONE and its flags are cleared. Its counts stay readable.
 */
void vyre_task_complete (void *slot);

/**
 * vyre_task_fault:
 * @slot: the slot of a task
 * @code: the code of the failure
 *
 * Ends a task in FAULT. Its flags and counts stay readable.
 */
void vyre_task_fault (void *slot, guint32 code);

/**
 * vyre_task_is_schedulable:
 * @slot: the slot of a task
 *
 * Tells whether a task is schedulable.
 *
 * Returns: whether a kernel may claim the slot
 */
gboolean vyre_task_is_schedulable (const void *slot);

/**
 * vyre_tasks_count:
 * @ring: task slots, one behind the other
 * @size: their bytes
 * @counts: (out caller-allocates): their state
 * @error: return location
 *
 * Counts the tasks of a ring. Ages and requeues count for every status, also for DONE.
 *
 * Returns: whether all slots have a known status; otherwise @counts is as before and
 *   @error is %VYRE_ERROR_MISALIGNED (not whole slots) or %VYRE_ERROR_INVALID (an
 *   unknown status)
 */
gboolean vyre_tasks_count (const void *ring, gsize size, VyreTaskCounts *counts, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Task slots: slots of a ring whose arguments carry a task that can be paused, can
 * yield and be queued again, and where it goes on then. Any status may follow any
 * other; the program that runs the tasks decides. All words but the status are written
 * first, so that a slot that becomes schedulable is whole. Any alignment will do
 * for a slot that only the host has.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/* What happened to a task, in its flags word: paused or yielded and not resumed
 * since, was queued again, was resumed and not paused since. */
#define VYRE_TASK_PAUSED 1u
#define VYRE_TASK_YIELDED 2u
#define VYRE_TASK_REQUEUED 4u
#define VYRE_TASK_RESUMED 8u

/**
 * VyreTask:
 * @id: a number of the task for its handler
 * @opcode: the opcode to run
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
 * @n_schedulable: those of them that a kernel may claim
 * @max_age: most times that a task was passed over
 * @n_requeues: times that tasks were queued again, summed up
 * @continuation_pressure: @n_requeues and the tasks that yielded or are queued again
 *
 * The states of the tasks of a ring.
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
 * Returns: %TRUE when it was published; otherwise nothing was written and @error is
 *   %VYRE_ERROR_INVALID (no such priority) or %VYRE_ERROR_QUEUE_FULL (the slot is
 *   in use)
 */
gboolean vyre_task_publish (void *slot, const VyreTask *task, GError **error);

/**
 * vyre_task_pause:
 * @slot: the slot of a task
 * @resume_at: the point at which it goes on
 * @detail: a word that it needs there
 * @wait_for: tag of the event that it waits for
 *
 * The task is not schedulable before it is resumed: its status is WAIT_IO.
 */
void vyre_task_pause (void *slot, guint32 resume_at, guint32 detail, guint32 wait_for);

/**
 * vyre_task_resume:
 * @slot: the slot of a task
 *
 * The task is PUBLISHED again, to go on where it paused.
 */
void vyre_task_resume (void *slot);

/**
 * vyre_task_yield:
 * @slot: the slot of a task
 * @resume_at: the point at which it goes on
 * @detail: a word that it needs there
 *
 * The task leaves its turn to others; its status is YIELD, which is schedulable.
 */
void vyre_task_yield (void *slot, guint32 resume_at, guint32 detail);

/**
 * vyre_task_requeue:
 * @slot: the slot of a task
 * @resume_at: the point at which it goes on
 * @detail: a word that it needs there
 * @priority: VYRE_PRIORITY_… from now on
 * @error: return location
 *
 * Queues the task again, one turn older; its status is REQUEUE, which is
 * schedulable.
 *
 * Returns: %TRUE when it was queued; otherwise nothing was written and @error is
 *   %VYRE_ERROR_INVALID (no such priority)
 */
gboolean vyre_task_requeue (
    void *slot, guint32 resume_at, guint32 detail, guint32 priority, GError **error);

/**
 * vyre_task_complete:
 * @slot: the slot of a task
 *
 * The task is DONE and its flags are cleared; its counts can still be read.
 */
void vyre_task_complete (void *slot);

/**
 * vyre_task_fault:
 * @slot: the slot of a task
 * @code: the cause
 *
 * The task ends in FAULT; its flags and counts still tell its progress.
 */
void vyre_task_fault (void *slot, guint32 code);

/**
 * vyre_task_is_schedulable:
 * @slot: the slot of a task
 *
 * Returns: %TRUE when a kernel may claim it
 */
gboolean vyre_task_is_schedulable (const void *slot);

/**
 * vyre_tasks_count:
 * @ring: task slots, one behind the other
 * @size: their bytes
 * @counts: (out caller-allocates): their states
 * @error: return location
 *
 * Ages and requeues are counted in every status, DONE included.
 *
 * Returns: %TRUE when all slots have a status; otherwise @counts is as it was and
 *   @error is %VYRE_ERROR_MISALIGNED (not whole slots) or %VYRE_ERROR_INVALID (an
 *   unknown status)
 */
gboolean vyre_tasks_count (const void *ring, gsize size, VyreTaskCounts *counts, GError **error);

G_END_DECLS

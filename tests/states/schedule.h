/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A scheduler that lets one thread of a run go at a time, and plays a run again in
 * every order with no more than a given number of deviations: a thread goes on until it
 * has to wait, then the next one does; any other decision is a deviation.
 *
 * It stands in for GMutex, GRecMutex, GCond and g_get_monotonic_time() of the whole
 * process, so GStreamer's own threads wait where they always do, and for the thread that the
 * element opens a lost device with. Threads switch where
 * they wait, and where the scheduler is asked: at the element's lock, at stream locks,
 * and at schedule_point().
 */
#pragma once

#include <glib.h>

typedef void (*ScheduleFunc) (gpointer data);

/* Runs @func in every order with up to @bound deviations. @name is printed with what fails. */
void schedule_explore (const char *name, ScheduleFunc func, gpointer data, guint bound);

/* Runs @func for so many @seconds in orders with up to @bound deviations, by chance. */
void schedule_wander (
    const char *name, ScheduleFunc func, gpointer data, guint bound, gdouble seconds);

/* Runs @func in the order that a failed run has printed. */
void schedule_replay (const char *name, ScheduleFunc func, gpointer data, const char *order);

guint64 schedule_runs (void);

/* ---- of a run -------------------------------------------------------------------- */

typedef struct _ScheduleThread ScheduleThread;

ScheduleThread *schedule_start (ScheduleFunc func, gpointer data);
void schedule_join (ScheduleThread *thread);

/* Another thread may go on here. */
void schedule_point (void);

/* So much of the time that g_get_monotonic_time() tells passes, in µs. It stands still otherwise,
 * but for the deadlines of threads that wait for one. */
void schedule_pass_time (gint64 time);

/* Any number below @n; all but 0 are deviations. */
guint schedule_choose (guint n);

/* Ends the process with the order that led here. */
void schedule_fail (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;

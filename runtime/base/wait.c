/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/wait.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/spin-lock.h"

/* How long a thread stays awake before it sleeps, and for how long if others wait for it to go on,
 * ns. There is no sched_yield() step: with a CPU
 * device it hands the core to the polling kernel for a whole time slice, while a sleeper is woken
 * on whichever core is free. */
#define AWAKE_NS 60000
#define AWAKE_PRESSED_NS 600000

/* A sleep lasts half of the wait so far or, where the thread knows how long such waits last, until
 * shortly before that; within these bounds, ns: a thread is late by no more. */
#define SHORTEST_SLEEP_NS 10000
#define LONGEST_SLEEP_NS 500000

/* Threads of the process that wait awake; atomic, and orders nothing */
static guint wait_n_awake;

/* A child has one thread, which does not wait. */
static void
wait_enter_child (void)
{
  __atomic_store_n (&wait_n_awake, 0, __ATOMIC_RELAXED);
}

__attribute__ ((constructor)) static void
wait_watch_forks (void)
{
  pthread_atfork (NULL, NULL, wait_enter_child);
}

/* Takes one of @most places for threads that wait awake. */
static gboolean
wait_take_place (guint most)
{
  guint n = __atomic_load_n (&wait_n_awake, __ATOMIC_RELAXED);

  while (n < most) {
    if (__atomic_compare_exchange_n (
            &wait_n_awake, &n, n + 1, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      return TRUE;
  }
  return FALSE;
}

static void
wait_leave_place (VyreWait *wait, gint64 now)
{
  if (!wait->awake)
    return;
  __atomic_sub_fetch (&wait_n_awake, 1, __ATOMIC_RELAXED);
  wait->awake = FALSE;
  wait->awake_time = now - wait->start;
}

/* Linux adds the slack of a thread, 50 µs unless it was set, to each of its sleeps. A sandbox may
 * forbid to change it: sleeps are longer then. Where the device is the CPU, sleepers that are woken
 * sooner take its cores: with 16 streams on two cores a buffer cost a quarter more CPU time. */
static void
wait_tighten_slack (VyreWait *wait)
{
  int slack = prctl (PR_GET_TIMERSLACK, 0, 0, 0, 0);

  if (slack > 1 && prctl (PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0)
    wait->slack = slack;
}

/* TRUE if the thread knows how long the wait lasts, and not to stay awake for that. */
static gboolean
wait_is_known (const VyreWait *wait)
{
  return wait->usual > 2 * AWAKE_NS;
}

/* How long the next sleep of a thread would last without bounds, ns. */
static gint64
wait_next_sleep (const VyreWait *wait, gint64 waited)
{
  gint64 shortly_before = wait->usual - wait->usual / 8;

  if (!wait_is_known (wait) || waited >= 2 * wait->usual)
    return waited / 2;
  return shortly_before - waited;
}

static void
wait_sleep (VyreWait *wait, gint64 waited, gint64 now)
{
  gint64 length = wait_next_sleep (wait, waited);
  gint64 longest = CLAMP (wait->end - now, SHORTEST_SLEEP_NS, LONGEST_SLEEP_NS);

  if (!wait->slept && wait->exact)
    wait_tighten_slack (wait);
  wait->slept = TRUE;
  nanosleep (&(struct timespec){ .tv_nsec = CLAMP (length, SHORTEST_SLEEP_NS, longest) }, NULL);
}

/* Begins a wait at @now, in ns of CLOCK_MONOTONIC, in a process of which @most_awake threads may
 * wait awake at a time. With @exact, sleeps end on time. */
void
vyre_wait_begin (VyreWait *wait, guint most_awake, gboolean exact, gint64 now)
{
  *wait = (VyreWait){
    .start = now, .end = G_MAXINT64, .awake = wait_take_place (most_awake), .exact = exact
  };
}

/* Tells a wait that just began how long it usually lasts, ns; 0: that is not known. */
void
vyre_wait_expect (VyreWait *wait, gint64 usual)
{
  wait->usual = usual;
  if (wait_is_known (wait))
    wait_leave_place (wait, wait->start);
}

/* Between two looks: stays awake or sleeps. A thread is @pressed if work waits for it to go on. */
void
vyre_wait_step (VyreWait *wait, gboolean pressed, gint64 now)
{
  gint64 waited = now - wait->start;

  if (wait->awake && waited < (pressed ? AWAKE_PRESSED_NS : AWAKE_NS)) {
    vyre_relax ();
    return;
  }
  wait_leave_place (wait, now);
  wait_sleep (wait, waited, now);
}

/* Ends the wait: the thread is as it was. */
void
vyre_wait_end (VyreWait *wait, gint64 now)
{
  wait_leave_place (wait, now);
  if (wait->slack > 0)
    prctl (PR_SET_TIMERSLACK, wait->slack, 0, 0, 0);
}

/* How long waits usually last, when one more @took so long, ns: shorter ones count at once, for a
 * thread that sleeps too long makes others wait, and a single long one for little. */
gint64
vyre_wait_learn (gint64 usual, gint64 took)
{
  if (usual == 0)
    return took;
  return took < usual ? usual - (usual - took) / 4 : usual + MIN (took - usual, usual) / 16;
}

/* Returns how many threads of the process wait awake now. */
guint
vyre_wait_count_awake (void)
{
  return __atomic_load_n (&wait_n_awake, __ATOMIC_RELAXED);
}

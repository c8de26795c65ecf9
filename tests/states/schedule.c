/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schedule.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_THREADS 16
#define MAX_LOCKS 64
#define MAX_STEPS 4000

/* Times a thread may find, with nobody else to go on, that a deadline has passed. */
#define MAX_TIMEOUTS 200

typedef enum { FREE, WANTS_LOCK, WAITS, WAITS_FOR_TIME, JOINS, OVER } Want;

struct _ScheduleThread {
  guint id;
  pthread_t pthread;
  sem_t turn;
  ScheduleFunc func;
  gpointer data;
  Want want;
  gpointer object; /* the lock, the condition or the thread that it waits for */
  gpointer lock;   /* that goes with the condition */
  gint64 deadline; /* of a thread that waits for time */
  gboolean signalled;
};

typedef struct {
  gpointer address;
  ScheduleThread *owner;
  guint count;
} Lock;

/* What was decided at a step, of how many; all but 0 cost a deviation. */
typedef struct {
  guint8 chosen;
  guint8 n;
} Step;

static struct {
  const char *name;
  gboolean running;
  ScheduleThread threads[MAX_THREADS];
  guint n_threads;
  ScheduleThread *current;
  Lock locks[MAX_LOCKS];
  guint n_locks;
  Step steps[MAX_STEPS];
  guint n_steps;
  guint n_given; /* decisions that this run repeats */
  GRand *rand;   /* what decides, or NULL */
  guint n_left;  /* deviations that are left to it */
  guint length;  /* of the run before */
  guint n_timeouts;
  gint64 now; /* µs */
  sem_t over;
  guint64 runs;
} schedule;

static __thread ScheduleThread *self;

/* ---- what fails --------------------------------------------------------------------- */

static void
print_order (void)
{
  guint end = schedule.n_steps;

  while (end > 0 && schedule.steps[end - 1].chosen == 0)
    end--;
  fprintf (stderr, "%s: run %" G_GUINT64_FORMAT ", thread %u, order ", schedule.name, schedule.runs,
      self ? self->id : 0);
  for (guint i = 0; i < end; i++)
    fputc ("0123456789abcdef"[schedule.steps[i].chosen & 15], stderr);
  fputs (end == 0 ? "-\n" : "\n", stderr);
}

static const char *
describe_want (const ScheduleThread *thread)
{
  static const char *const names[] = { "can go on", "waits for a lock", "waits for a condition",
    "waits for time", "waits for a thread", "is over" };

  return names[thread->want];
}

void
schedule_fail (const char *format, ...)
{
  va_list list;

  va_start (list, format);
  vfprintf (stderr, format, list);
  va_end (list);
  fputc ('\n', stderr);
  print_order ();
  for (guint i = 0; i < schedule.n_threads; i++)
    fprintf (stderr, "  thread %u %s\n", i, describe_want (&schedule.threads[i]));
  fflush (stderr);
  _exit (1);
}

static void
crashed (int number)
{
  signal (number, SIG_DFL);
  fprintf (stderr, "signal %d\n", number);
  print_order ();
  raise (number);
}

/* ---- whose turn it is ------------------------------------------------------------------ */

static Lock *
find_lock (gpointer address)
{
  for (guint i = 0; i < schedule.n_locks; i++) {
    if (schedule.locks[i].address == address)
      return &schedule.locks[i];
  }
  return NULL;
}

static gboolean
is_free (gpointer address, const ScheduleThread *thread)
{
  const Lock *lock = find_lock (address);

  return !lock || lock->owner == thread;
}

static gboolean
can_go_on (const ScheduleThread *thread)
{
  switch (thread->want) {
    case FREE:
      return TRUE;
    case WANTS_LOCK:
      return is_free (thread->object, thread);
    case WAITS:
      return thread->signalled && is_free (thread->lock, thread);
    case WAITS_FOR_TIME: /* a pause may have gone beyond its deadline */
      return (thread->signalled || schedule.now >= thread->deadline)
             && is_free (thread->lock, thread);
    case JOINS:
      return ((ScheduleThread *)thread->object)->want == OVER;
    default:
      return FALSE;
  }
}

/* Spreads what deviations are left over the rest of the run, if it is as long as the last. */
static guint8
deviate (guint n)
{
  guint rest = schedule.length > schedule.n_steps ? schedule.length - schedule.n_steps : 1;

  if (schedule.n_left == 0
      || (guint)g_rand_int_range (schedule.rand, 0, (gint)rest) >= schedule.n_left)
    return 0;
  schedule.n_left--;
  return (guint8)g_rand_int_range (schedule.rand, 1, (gint)n);
}

guint
schedule_choose (guint n)
{
  if (schedule.n_steps == MAX_STEPS)
    schedule_fail ("The run does not come to an end.");
  Step *step = &schedule.steps[schedule.n_steps];
  if (schedule.rand)
    step->chosen = deviate (n);
  else if (schedule.n_steps >= schedule.n_given)
    step->chosen = 0;
  else if (step->chosen >= n)
    schedule_fail ("The run differs from the one before it.");
  step->n = (guint8)n;
  schedule.n_steps++;
  return step->chosen;
}

/* The deadline of a thread that waits for one passes when nothing else happens. */
static ScheduleThread *
let_time_pass (void)
{
  for (guint i = 0; i < schedule.n_threads; i++) {
    ScheduleThread *thread = &schedule.threads[i];
    if (thread->want != WAITS_FOR_TIME || !is_free (thread->lock, thread)
        || schedule.n_timeouts++ >= MAX_TIMEOUTS)
      continue;
    schedule.now = MAX (schedule.now, thread->deadline);
    return thread;
  }
  schedule_fail ("No thread can go on.");
}

/* First the one that goes on, then the others in turn. */
static ScheduleThread *
pick (void)
{
  ScheduleThread *list[MAX_THREADS];
  guint n = 0;

  for (guint i = 0; i < schedule.n_threads; i++) {
    ScheduleThread *thread = &schedule.threads[(schedule.current->id + i) % schedule.n_threads];
    if (can_go_on (thread))
      list[n++] = thread;
  }
  if (n == 0)
    return let_time_pass ();
  return n == 1 ? list[0] : list[schedule_choose (n)];
}

static void
wait_for_turn (ScheduleThread *thread)
{
  while (sem_wait (&thread->turn) != 0)
    ;
}

static gboolean
all_are_over (void)
{
  for (guint i = 0; i < schedule.n_threads; i++) {
    if (schedule.threads[i].want != OVER)
      return FALSE;
  }
  return TRUE;
}

/* Lets the next thread go on, and returns when that is the caller. */
static void
yield (void)
{
  ScheduleThread *me = self;

  if (me->want == OVER && all_are_over ()) {
    sem_post (&schedule.over);
    return;
  }
  ScheduleThread *next = pick ();
  schedule.current = next;
  if (next == me)
    return;
  sem_post (&next->turn);
  if (me->want != OVER)
    wait_for_turn (me);
}

static gboolean
is_scheduled (void)
{
  return schedule.running && self;
}

void
schedule_pass_time (gint64 time)
{
  schedule.now += time;
}

gint64
g_get_monotonic_time (void)
{
  return is_scheduled () ? schedule.now : 0;
}

void
schedule_point (void)
{
  if (is_scheduled ())
    yield ();
}

/* ---- threads -------------------------------------------------------------------------- */

static void *
thread_main (void *data)
{
  self = data;
  wait_for_turn (self);
  self->func (self->data);
  self->want = OVER;
  yield ();
  return NULL;
}

ScheduleThread *
schedule_start (ScheduleFunc func, gpointer data)
{
  pthread_attr_t attributes;

  if (schedule.n_threads == MAX_THREADS)
    schedule_fail ("There are too many threads.");
  ScheduleThread *thread = &schedule.threads[schedule.n_threads];
  *thread = (ScheduleThread){ .id = schedule.n_threads++, .func = func, .data = data };
  sem_init (&thread->turn, 0, 0);
  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, 256 * 1024);
  if (pthread_create (&thread->pthread, &attributes, thread_main, thread) != 0)
    schedule_fail ("A thread cannot be made.");
  pthread_attr_destroy (&attributes);
  return thread;
}

void
schedule_join (ScheduleThread *thread)
{
  self->want = JOINS;
  self->object = thread;
  yield ();
  self->want = FREE;
}

/* What a thread that the element makes does */
typedef struct {
  GThreadFunc func;
  gpointer data;
} Work;

static void
do_work (gpointer data)
{
  Work work = *(Work *)data;

  g_free (data);
  work.func (work.data);
}

/* The thread that opens a device again is one of the schedule. Those of GStreamer's tasks come by
 * another way, and others do nothing. */
GThread *
g_thread_try_new (const gchar *name, GThreadFunc func, gpointer data, GError **error)
{
  GThread *(*real) (const gchar *, GThreadFunc, gpointer, GError **)
      = dlsym (RTLD_NEXT, "g_thread_try_new");

  if (!is_scheduled () || !g_str_equal (name, "vyre-opener"))
    return real (name, func, data, error);
  Work *work = g_new (Work, 1);
  *work = (Work){ func, data };
  return (GThread *)schedule_start (do_work, work);
}

gpointer
g_thread_join (GThread *thread)
{
  gpointer (*real) (GThread *) = dlsym (RTLD_NEXT, "g_thread_join");
  ScheduleThread *own = (ScheduleThread *)thread;

  if (own < schedule.threads || own >= schedule.threads + MAX_THREADS)
    return real (thread);
  schedule_join (own);
  return NULL;
}

/* ---- runs ----------------------------------------------------------------------------- */

static void
run_once (ScheduleFunc func, gpointer data)
{
  schedule.n_threads = schedule.n_steps = schedule.n_locks = schedule.n_timeouts = 0;
  schedule.now = G_USEC_PER_SEC;
  schedule.runs++;
  ScheduleThread *first = schedule_start (func, data);
  schedule.current = first;
  schedule.running = TRUE;
  sem_post (&first->turn);
  while (sem_wait (&schedule.over) != 0)
    ;
  schedule.running = FALSE;
  for (guint i = 0; i < schedule.n_threads; i++) {
    pthread_join (schedule.threads[i].pthread, NULL);
    sem_destroy (&schedule.threads[i].turn);
  }
}

/* Turns to the last decision that can be another one within @bound; FALSE without any. */
static gboolean
next_order (guint bound)
{
  guint cost = 0, at = 0;
  gboolean found = FALSE;

  for (guint i = 0; i < schedule.n_steps; i++) {
    const Step *step = &schedule.steps[i];
    if (step->chosen + 1 < step->n && cost < bound) {
      found = TRUE;
      at = i;
    }
    cost += step->chosen > 0;
  }
  if (!found)
    return FALSE;
  schedule.steps[at].chosen++;
  schedule.n_given = at + 1;
  return TRUE;
}

static void
prepare (const char *name)
{
  static const int signals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGTRAP, SIGFPE, SIGILL };

  schedule.name = name;
  schedule.n_given = 0;
  sem_init (&schedule.over, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    signal (signals[i], crashed);
}

void
schedule_explore (const char *name, ScheduleFunc func, gpointer data, guint bound)
{
  prepare (name);
  do
    run_once (func, data);
  while (next_order (bound));
}

void
schedule_wander (const char *name, ScheduleFunc func, gpointer data, guint bound, gdouble seconds)
{
  GTimer *timer = g_timer_new ();

  prepare (name);
  schedule.rand = g_rand_new ();
  schedule.length = 0;
  while (g_timer_elapsed (timer, NULL) < seconds) {
    schedule.n_left = (guint)g_rand_int_range (schedule.rand, 1, (gint)bound + 1);
    run_once (func, data);
    schedule.length = schedule.n_steps;
  }
  g_clear_pointer (&schedule.rand, g_rand_free);
  g_timer_destroy (timer);
}

void
schedule_replay (const char *name, ScheduleFunc func, gpointer data, const char *order)
{
  prepare (name);
  for (; order[schedule.n_given] && g_ascii_isxdigit (order[schedule.n_given]); schedule.n_given++)
    schedule.steps[schedule.n_given].chosen
        = (guint8)g_ascii_xdigit_value (order[schedule.n_given]);
  run_once (func, data);
}

guint64
schedule_runs (void)
{
  return schedule.runs;
}

/* ---- locks, for all of the process ---------------------------------------------------- */

static void
take (gpointer address)
{
  Lock *lock = find_lock (address);

  if (lock && lock->owner != self) {
    self->want = WANTS_LOCK;
    self->object = address;
    yield ();
    self->want = FREE;
    lock = find_lock (address);
  }
  if (!lock) {
    if (schedule.n_locks == MAX_LOCKS)
      schedule_fail ("There are too many locks.");
    lock = &schedule.locks[schedule.n_locks++];
    *lock = (Lock){ .address = address, .owner = self };
  }
  lock->count++;
}

static void
give (gpointer address)
{
  Lock *lock = find_lock (address);

  if (!lock || lock->owner != self)
    schedule_fail ("A lock is dropped by a thread that does not hold it.");
  if (--lock->count == 0)
    *lock = schedule.locks[--schedule.n_locks];
}

static void
take_once (gpointer address)
{
  const Lock *lock = find_lock (address);

  if (lock && lock->owner == self)
    schedule_fail ("A thread waits for a lock that it holds.");
  take (address);
}

/* Nothing else runs while there is no schedule, so that a lock need not be one then. */
void
g_mutex_init (GMutex *mutex)
{
}

void
g_mutex_clear (GMutex *mutex)
{
}

void
g_mutex_lock (GMutex *mutex)
{
  if (is_scheduled ())
    take_once (mutex);
}

/* Only the element tries locks. */
gboolean
g_mutex_trylock (GMutex *mutex)
{
  if (!is_scheduled ())
    return TRUE;
  yield ();
  take_once (mutex);
  return TRUE;
}

void
g_mutex_unlock (GMutex *mutex)
{
  if (is_scheduled ())
    give (mutex);
}

void
g_rec_mutex_init (GRecMutex *mutex)
{
}

void
g_rec_mutex_clear (GRecMutex *mutex)
{
}

void
g_rec_mutex_lock (GRecMutex *mutex)
{
  if (!is_scheduled ())
    return;
  yield ();
  take (mutex);
}

gboolean
g_rec_mutex_trylock (GRecMutex *mutex)
{
  if (is_scheduled () && !is_free (mutex, self))
    return FALSE;
  g_rec_mutex_lock (mutex);
  return TRUE;
}

void
g_rec_mutex_unlock (GRecMutex *mutex)
{
  if (is_scheduled ())
    give (mutex);
}

void
g_cond_init (GCond *cond)
{
}

void
g_cond_clear (GCond *cond)
{
}

static gboolean
wait_on (GCond *cond, GMutex *mutex, Want want)
{
  if (!is_scheduled ())
    return FALSE;
  give (mutex);
  self->want = want;
  self->object = cond;
  self->lock = mutex;
  self->signalled = FALSE;
  yield ();
  self->want = FREE;
  take (mutex);
  return self->signalled;
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  wait_on (cond, mutex, WAITS);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  if (self)
    self->deadline = end_time;
  return wait_on (cond, mutex, WAITS_FOR_TIME);
}

static void
wake (GCond *cond, guint n)
{
  for (guint i = 0; i < schedule.n_threads && n > 0; i++) {
    ScheduleThread *thread = &schedule.threads[i];
    if ((thread->want == WAITS || thread->want == WAITS_FOR_TIME) && thread->object == cond
        && !thread->signalled) {
      thread->signalled = TRUE;
      n--;
    }
  }
}

void
g_cond_signal (GCond *cond)
{
  wake (cond, 1);
}

void
g_cond_broadcast (GCond *cond)
{
  wake (cond, G_MAXUINT);
}

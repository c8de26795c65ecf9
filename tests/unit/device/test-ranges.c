/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/ranges.h"

#include <string.h>

#include "patient.h"

#define UNIT 64
#define UNITS 256
#define NO_OFFSET G_MAXSIZE

static gint64
in_seconds (int seconds)
{
  return g_get_monotonic_time () + seconds * G_TIME_SPAN_SECOND;
}

static gsize
alloc (VyreRanges *ranges, gsize size)
{
  gsize offset = NO_OFFSET;

  g_assert_true (vyre_ranges_alloc (ranges, size, &offset));
  g_assert_cmpuint (offset, !=, NO_OFFSET);
  return offset;
}

static void
assert_full (VyreRanges *ranges)
{
  gsize offset = NO_OFFSET;

  g_assert_false (vyre_ranges_alloc (ranges, 1, &offset));
  g_assert_cmpuint (offset, ==, NO_OFFSET);
}

static void
test_rounding (void)
{
  VyreRanges *ranges = vyre_ranges_new (4 * 4096 + 4095, 4096, NULL);
  gsize one, nothing, more;

  g_assert_cmpuint (vyre_ranges_get_size (ranges), ==, 4 * 4096);
  g_assert_cmpuint (vyre_ranges_get_used (ranges), ==, 0);
  one = alloc (ranges, 1);
  nothing = alloc (ranges, 0);
  more = alloc (ranges, 4097);
  g_assert_cmpuint (vyre_ranges_get_used (ranges), ==, 4 * 4096);
  g_assert_cmpuint (one % 4096 + nothing % 4096 + more % 4096, ==, 0);
  g_assert_cmpuint (one, !=, nothing);
  assert_full (ranges);
  vyre_ranges_free (ranges, nothing);
  g_assert_cmpuint (alloc (ranges, 4096), ==, nothing);
  vyre_ranges_destroy (ranges);
}

static void
test_every_alignment (void)
{
  for (guint shift = 0; shift < 20; shift++) {
    gsize alignment = (gsize)1 << shift;
    VyreRanges *ranges = vyre_ranges_new (3 * alignment, alignment, NULL);

    for (guint i = 0; i < 3; i++)
      g_assert_cmpuint (alloc (ranges, alignment) % alignment, ==, 0);
    assert_full (ranges);
    vyre_ranges_destroy (ranges);
  }
}

static void
test_empty (void)
{
  VyreRanges *ranges = vyre_ranges_new (4095, 4096, NULL);

  g_assert_cmpuint (vyre_ranges_get_size (ranges), ==, 0);
  assert_full (ranges);
  vyre_ranges_destroy (ranges);
  vyre_ranges_destroy (NULL);
}

static void
test_too_large (void)
{
  VyreRanges *ranges = vyre_ranges_new (4096, 64, NULL);
  gint64 start = g_get_monotonic_time ();
  gsize offset;

  g_assert_false (vyre_ranges_alloc_wait (ranges, 4097, G_MAXINT64, &offset));
  g_assert_false (vyre_ranges_alloc_wait (ranges, G_MAXSIZE, G_MAXINT64, &offset));
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (alloc (ranges, 4096), ==, 0);
  vyre_ranges_destroy (ranges);
}

/* Lent ranges lie at the end, and leave room for the largest range that was asked for. */
static void
test_lending (void)
{
  VyreRanges *ranges = vyre_ranges_new (16 * UNIT, UNIT, NULL);
  VyreLoans loans = { 0 };
  gsize lent[3], offset;

  for (guint i = 0; i < 3; i++) {
    g_assert_true (vyre_ranges_can_lend (ranges, &loans, 4 * UNIT));
    g_assert_true (vyre_ranges_lend (ranges, &loans, 4 * UNIT, &lent[i]));
    g_assert_cmpuint (lent[i], ==, (12 - 4 * i) * UNIT);
  }
  g_assert_false (vyre_ranges_can_lend (ranges, &loans, 4 * UNIT));
  g_assert_false (vyre_ranges_lend (ranges, &loans, 4 * UNIT, &offset));
  g_assert_false (vyre_ranges_lend (ranges, &loans, 1, &offset));
  g_assert_cmpuint (alloc (ranges, 4 * UNIT), ==, 0);
  vyre_ranges_free (ranges, 0);
  vyre_ranges_return (ranges, &loans, lent[1]);
  g_assert_false (
      vyre_ranges_alloc (ranges, 9 * UNIT, &offset)); /* but its size counts from now on */
  vyre_ranges_return (ranges, &loans, lent[2]);
  g_assert_true (vyre_ranges_lend (ranges, &loans, 3 * UNIT, &lent[1]));
  g_assert_cmpuint (lent[1], ==, 9 * UNIT);
  g_assert_false (vyre_ranges_can_lend (ranges, &loans, 1));
  g_assert_cmpuint (alloc (ranges, 9 * UNIT), ==, 0);
  g_assert_false (vyre_ranges_lend (ranges, &loans, 17 * UNIT, &offset));
  vyre_ranges_return (ranges, &loans, lent[0]);
  g_assert_true (vyre_ranges_lend (ranges, &loans, UNIT, &lent[0]));
  g_assert_cmpuint (lent[0], ==, 15 * UNIT);
  vyre_ranges_leave (ranges, &loans);
  vyre_ranges_destroy (ranges);
}

/* A borrower that keeps what it has takes no part of another; what others never wanted is there for
 * whoever wants it. */
static void
test_sharing (void)
{
  VyreRanges *ranges = vyre_ranges_new (17 * UNIT, UNIT, NULL);
  VyreLoans hoarder = { 0 }, modest = { 0 }, late = { 0 };
  gsize small, offset, lent[15];

  g_assert_true (vyre_ranges_lend (ranges, &modest, UNIT, &small));
  for (guint i = 0; i < 15; i++)
    g_assert_true (vyre_ranges_lend (ranges, &hoarder, UNIT, &lent[i]));
  vyre_ranges_return (ranges, &modest, small);
  g_assert_false (vyre_ranges_lend (ranges, &hoarder, UNIT, &offset)); /* it was wanted once */
  g_assert_true (vyre_ranges_lend (ranges, &late, UNIT, &offset));
  g_assert_false (vyre_ranges_lend (ranges, &late, UNIT, &offset)); /* there is none */
  for (guint i = 0; i < 4; i++)
    vyre_ranges_return (ranges, &hoarder, lent[i]);
  for (guint i = 0; i < 4; i++)
    g_assert_true (vyre_ranges_lend (ranges, &late, UNIT, &offset));
  g_assert_cmpuint (late.lent, ==, 5 * UNIT);
  vyre_ranges_return (ranges, &hoarder, lent[4]);
  g_assert_false (vyre_ranges_can_lend (ranges, &hoarder, UNIT));
  g_assert_false (vyre_ranges_lend (ranges, &hoarder, UNIT, &offset));
  g_assert_true (vyre_ranges_can_lend (ranges, &modest, UNIT));
  g_assert_cmpuint (vyre_ranges_get_need (ranges, &late, UNIT), ==, 18 * UNIT);
  vyre_ranges_leave (ranges, &late);
  vyre_ranges_leave (ranges, &modest);
  vyre_ranges_leave (ranges, &hoarder);
  vyre_ranges_destroy (ranges);
}

typedef struct {
  VyreRanges *ranges;
  VyreLoans loans;
  gsize size, offset;
  gint n_looks; /* atomic */
  gint goes_on; /* atomic */
  gboolean lent;
} Borrower;

static gboolean
borrower_goes_on (guint n_returned, gsize lent, gpointer data)
{
  Borrower *borrower = data;

  g_atomic_int_inc (&borrower->n_looks);
  return g_atomic_int_get (&borrower->goes_on);
}

static gpointer
borrow (gpointer data)
{
  Borrower *borrower = data;

  borrower->lent = vyre_ranges_lend_wait (borrower->ranges, &borrower->loans, borrower->size,
      borrower_goes_on, borrower, &borrower->offset);
  return NULL;
}

/* Starts a thread that waits for @size bytes. */
static GThread *
borrower_start (Borrower *borrower, VyreRanges *ranges, gsize size)
{
  *borrower = (Borrower){ .ranges = ranges, .size = size, .goes_on = TRUE };
  GThread *thread = g_thread_new ("borrower", borrow, borrower);
  while (g_atomic_int_get (&borrower->n_looks) == 0)
    g_thread_yield ();
  return thread;
}

/* What comes back goes to the borrower that has waited longest, however much it wants, and to
 * nobody who comes later. */
static void
test_borrowers_in_line (void)
{
  VyreRanges *ranges = vyre_ranges_new (16 * UNIT, UNIT, NULL);
  VyreLoans loans = { 0 };
  Borrower first, second;
  gsize lent[12], offset;

  for (guint i = 0; i < 12; i++)
    g_assert_true (vyre_ranges_lend (ranges, &loans, UNIT, &lent[i]));
  GThread *threads[2] = { borrower_start (&first, ranges, 4 * UNIT) };
  threads[1] = borrower_start (&second, ranges, UNIT);
  for (guint i = 0; i < 4; i++) {
    g_assert_false (vyre_ranges_can_lend (ranges, &loans, UNIT));
    g_assert_false (vyre_ranges_lend (ranges, &loans, UNIT, &offset));
    vyre_ranges_return (ranges, &loans, lent[i]);
  }
  g_thread_join (threads[0]);
  g_assert_true (first.lent);
  vyre_ranges_return (ranges, &loans, lent[4]);
  g_thread_join (threads[1]);
  g_assert_true (second.lent);
  vyre_ranges_leave (ranges, &first.loans);
  vyre_ranges_leave (ranges, &second.loans);
  vyre_ranges_leave (ranges, &loans);
  vyre_ranges_destroy (ranges);
}

/* No wait makes room for what can never be lent. */
static void
test_borrowing_too_much (void)
{
  VyreRanges *ranges = vyre_ranges_new (16 * UNIT, UNIT, NULL);
  Borrower borrower = { .ranges = ranges, .size = 9 * UNIT, .goes_on = TRUE };

  borrow (&borrower);
  g_assert_false (borrower.lent);
  g_assert_cmpint (borrower.n_looks, ==, 0);
  vyre_ranges_leave (ranges, &borrower.loans);
  vyre_ranges_destroy (ranges);
}

/* A borrower that gives up lets those behind it in. */
static void
test_borrower_gives_up (void)
{
  VyreRanges *ranges = vyre_ranges_new (16 * UNIT, UNIT, NULL);
  VyreLoans loans = { 0 };
  Borrower first, second;
  gsize lent[14];

  for (guint i = 0; i < 14; i++)
    g_assert_true (vyre_ranges_lend (ranges, &loans, UNIT, &lent[i]));
  GThread *threads[2] = { borrower_start (&first, ranges, 2 * UNIT) };
  threads[1] = borrower_start (&second, ranges, UNIT);
  vyre_ranges_return (ranges, &loans, lent[0]);
  g_assert_false (vyre_ranges_can_lend (ranges, &loans, UNIT)); /* kept for the first */
  g_atomic_int_set (&first.goes_on, FALSE);
  g_thread_join (threads[0]);
  g_assert_false (first.lent);
  g_thread_join (threads[1]);
  g_assert_true (second.lent);
  vyre_ranges_leave (ranges, &first.loans);
  vyre_ranges_leave (ranges, &second.loans);
  vyre_ranges_leave (ranges, &loans);
  vyre_ranges_destroy (ranges);
}

/* A range may be kept if half of the space stays free in one piece, or as much as was asked for if
 * that is more. */
static void
test_sparing (void)
{
  VyreRanges *ranges = vyre_ranges_new (16 * UNIT, UNIT, NULL);
  gsize offsets[16], offset;

  for (guint i = 0; i < 16; i++) {
    offsets[i] = alloc (ranges, UNIT);
    g_assert_cmpint (vyre_ranges_can_spare (ranges, offsets[i]), ==, i < 8);
  }
  for (guint i = 8; i < 16; i++)
    vyre_ranges_free (ranges, offsets[i]);
  g_assert_true (vyre_ranges_alloc (ranges, 8 * UNIT, &offset));
  g_assert_false (vyre_ranges_can_spare (ranges, offset));
  vyre_ranges_free (ranges, offset);
  g_assert_false (vyre_ranges_alloc (ranges, 10 * UNIT, &offset));
  for (guint i = 0; i < 8; i++)
    g_assert_cmpint (vyre_ranges_can_spare (ranges, offsets[i]), ==, i < 6);
  vyre_ranges_destroy (ranges);
}

static gpointer
wait_for_half (gpointer ranges)
{
  gsize offset;

  g_assert_true (vyre_ranges_alloc_wait (ranges, 8 * UNIT, in_seconds (20), &offset));
  return NULL;
}

/* Space that a thread waits for is not lent. */
static void
test_lending_behind_waiters (void)
{
  VyreRanges *ranges = vyre_ranges_new (16 * UNIT, UNIT, NULL);
  VyreLoans loans = { 0 };
  gsize offset, whole = alloc (ranges, 12 * UNIT), one = alloc (ranges, UNIT);
  GThread *thread = g_thread_new ("waiter", wait_for_half, ranges);

  while (vyre_ranges_alloc (ranges, UNIT, &offset)) { /* until the thread waits */
    vyre_ranges_free (ranges, offset);
    g_thread_yield ();
  }
  g_assert_false (vyre_ranges_can_lend (ranges, &loans, UNIT));
  g_assert_false (vyre_ranges_lend (ranges, &loans, UNIT, &offset));
  vyre_ranges_free (ranges, whole);
  g_thread_join (thread);
  vyre_ranges_free (ranges, one);
  vyre_ranges_destroy (ranges);
}

/* Four neighbours that are freed in any order become one range. */
static void
test_coalescing (void)
{
  VyreRanges *ranges = vyre_ranges_new (4 * UNIT, UNIT, NULL);

  for (guint code = 0; code < 256; code++) {
    guint order[4] = { code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 };
    gsize offsets[4];
    guint seen = 0;

    for (guint i = 0; i < 4; i++)
      seen |= 1u << order[i];
    if (seen != 15)
      continue;
    for (guint i = 0; i < 4; i++)
      offsets[i] = alloc (ranges, UNIT);
    for (guint i = 0; i < 4; i++)
      vyre_ranges_free (ranges, offsets[order[i]]);
    g_assert_cmpuint (vyre_ranges_get_used (ranges), ==, 0);
    vyre_ranges_free (ranges, alloc (ranges, 4 * UNIT));
  }
  vyre_ranges_destroy (ranges);
}

/* The simplest allocator: the owner of each unit, 0 for none. */
typedef struct {
  guint owner[UNITS];
  gsize offsets[UNITS + 1];
  gsize used;
} Model;

static gboolean
model_has_room (const Model *model, guint units)
{
  guint run = 0;

  for (guint i = 0; i < UNITS; i++) {
    run = model->owner[i] ? 0 : run + 1;
    if (run == units)
      return TRUE;
  }
  return FALSE;
}

static void
model_free (Model *model, VyreRanges *ranges, guint id)
{
  vyre_ranges_free (ranges, model->offsets[id]);
  for (guint i = 0; i < UNITS; i++) {
    if (model->owner[i] == id) {
      model->owner[i] = 0;
      model->used -= UNIT;
    }
  }
  model->offsets[id] = NO_OFFSET;
}

static void
model_alloc (Model *model, VyreRanges *ranges, guint id, gsize size)
{
  guint units = (guint)((MAX (size, 1) + UNIT - 1) / UNIT);
  gsize offset = NO_OFFSET;
  gboolean done = vyre_ranges_alloc (ranges, size, &offset);

  g_assert_cmpint (done, ==, model_has_room (model, units));
  if (!done)
    return;
  g_assert_cmpuint (offset % UNIT, ==, 0);
  g_assert_cmpuint (offset / UNIT + units, <=, UNITS);
  for (guint i = 0; i < units; i++) {
    g_assert_cmpuint (model->owner[offset / UNIT + i], ==, 0);
    model->owner[offset / UNIT + i] = id;
  }
  model->offsets[id] = offset;
  model->used += units * UNIT;
}

static void
test_against_model (void)
{
  VyreRanges *ranges = vyre_ranges_new (UNITS * UNIT, UNIT, NULL);
  Model *model = g_new0 (Model, 1);
  guint n_refused = 0;

  memset (model->offsets, 0xff, sizeof model->offsets);
  for (guint i = 0; i < 200000; i++) {
    guint id = (guint)g_test_rand_int_range (1, UNITS + 1);
    int limit = g_test_rand_bit () ? 4 * UNIT : 40 * UNIT;

    if (model->offsets[id] != NO_OFFSET) {
      model_free (model, ranges, id);
    } else {
      model_alloc (model, ranges, id, (gsize)g_test_rand_int_range (0, limit));
      n_refused += model->offsets[id] == NO_OFFSET;
    }
    g_assert_cmpuint (vyre_ranges_get_used (ranges), ==, model->used);
  }
  g_assert_cmpuint (n_refused, >, 0);
  for (guint id = 1; id <= UNITS; id++) {
    if (model->offsets[id] != NO_OFFSET)
      model_free (model, ranges, id);
  }
  g_assert_cmpuint (alloc (ranges, UNITS * UNIT), ==, 0);
  g_free (model);
  vyre_ranges_destroy (ranges);
}

static void
test_free_not_live (void)
{
  if (g_test_subprocess ()) {
    VyreRanges *ranges = vyre_ranges_new (4 * UNIT, UNIT, NULL);
    gsize offset = alloc (ranges, 2 * UNIT);

    g_log_set_always_fatal (G_LOG_FATAL_MASK);
    vyre_ranges_free (ranges, offset + UNIT);
    g_assert_cmpuint (vyre_ranges_get_used (ranges), ==, 2 * UNIT);
    vyre_ranges_free (ranges, offset);
    vyre_ranges_free (ranges, offset);
    g_assert_cmpuint (vyre_ranges_get_used (ranges), ==, 0);
    g_assert_cmpuint (alloc (ranges, 4 * UNIT), ==, 0);
    vyre_ranges_destroy (ranges);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*CRITICAL*is_live*CRITICAL*is_live*");
}

static void
test_does_not_wait (void)
{
  VyreRanges *ranges = vyre_ranges_new (UNIT, UNIT, NULL);
  gsize offset;

  alloc (ranges, UNIT);
  g_assert_false (vyre_ranges_alloc_wait (ranges, UNIT, G_MININT64, &offset));
  g_assert_false (vyre_ranges_alloc_wait (ranges, UNIT, g_get_monotonic_time (), &offset));
  vyre_ranges_destroy (ranges);
}

static void
test_time_out (void)
{
  VyreRanges *ranges = vyre_ranges_new (2 * UNIT, UNIT, NULL);
  gsize first = alloc (ranges, UNIT), offset = NO_OFFSET;
  gint64 end_time = g_get_monotonic_time () + 20 * G_TIME_SPAN_MILLISECOND;

  g_assert_false (vyre_ranges_alloc_wait (ranges, 2 * UNIT, end_time, &offset));
  g_assert_cmpint (g_get_monotonic_time (), >=, end_time);
  g_assert_cmpuint (offset, ==, NO_OFFSET);
  /* A waiter that gave up holds up no other waiter. */
  alloc (ranges, UNIT);
  vyre_ranges_free (ranges, first);
  vyre_ranges_destroy (ranges);
}

typedef struct {
  VyreRanges *ranges;
  gsize size;
  gint64 end_time;
  gsize offset;
  gboolean served;
  int *turn;
  int my_turn;
} Request;

static gpointer
run_request (gpointer data)
{
  Request *request = data;

  request->served = vyre_ranges_alloc_wait (
      request->ranges, request->size, request->end_time, &request->offset);
  if (request->turn)
    request->my_turn = g_atomic_int_add (request->turn, 1);
  return NULL;
}

/* Waits until a thread waits, which refuses free space to others. */
static void
await_waiter (VyreRanges *ranges)
{
  gsize offset;

  while (vyre_ranges_alloc (ranges, 1, &offset)) {
    vyre_ranges_free (ranges, offset);
    g_thread_yield ();
  }
}

static void
test_wakes_up (void)
{
  VyreRanges *ranges = vyre_ranges_new (2 * UNIT, UNIT, NULL);
  Request request = { .ranges = ranges, .size = 2 * UNIT, .end_time = in_seconds (60) };
  gsize offset = alloc (ranges, UNIT);
  g_atomic_int_set (&patient, TRUE);
  GThread *thread = g_thread_new ("waiter", run_request, &request);

  await_waiter (ranges);
  vyre_ranges_free (ranges, offset);
  g_thread_join (thread);
  g_atomic_int_set (&patient, FALSE);
  g_assert_true (request.served);
  g_assert_cmpuint (request.offset, ==, 0);
  vyre_ranges_destroy (ranges);
}

static void
test_waits_for_ever (void)
{
  VyreRanges *ranges = vyre_ranges_new (2 * UNIT, UNIT, NULL);
  Request request = { .ranges = ranges, .size = 2 * UNIT, .end_time = G_MAXINT64 };
  gsize offset = alloc (ranges, UNIT);
  GThread *thread = g_thread_new ("waiter", run_request, &request);

  await_waiter (ranges);
  vyre_ranges_free (ranges, offset);
  g_thread_join (thread);
  g_assert_true (request.served);
  vyre_ranges_destroy (ranges);
}

/* A big request waits for two ranges; a small one that would fit comes later and waits its turn. */
static void
test_fairness (void)
{
  VyreRanges *ranges = vyre_ranges_new (4 * UNIT, UNIT, NULL);
  int turn = 0;
  Request big = { .ranges = ranges, .size = 3 * UNIT, .end_time = in_seconds (60), .turn = &turn };
  Request small = { .ranges = ranges, .size = UNIT, .end_time = in_seconds (60), .turn = &turn };
  gsize first = alloc (ranges, UNIT), second = alloc (ranges, UNIT), third = alloc (ranges, UNIT);
  GThread *big_thread, *small_thread;

  big_thread = g_thread_new ("big", run_request, &big);
  await_waiter (ranges);
  small_thread = g_thread_new ("small", run_request, &small);
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  vyre_ranges_free (ranges, second);
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint (g_atomic_int_get (&turn), ==, 0);
  assert_full (ranges);

  vyre_ranges_free (ranges, third);
  g_thread_join (big_thread);
  g_assert_true (big.served);
  g_assert_cmpint (g_atomic_int_get (&turn), ==, 1);
  vyre_ranges_free (ranges, first);
  g_thread_join (small_thread);
  g_assert_true (small.served);
  g_assert_cmpint (small.my_turn, ==, 1);
  vyre_ranges_destroy (ranges);
}

/* A thread that waits for as long as it is asked less than @most times. */
typedef struct {
  VyreRanges *ranges;
  gsize size;
  gint most;
  gint asked; /* atomic */
  gsize offset;
  gint served; /* atomic */
} Persistent;

static gboolean
persist (gpointer data)
{
  Persistent *p = data;

  return g_atomic_int_add (&p->asked, 1) < p->most;
}

static gpointer
run_persistent (gpointer data)
{
  Persistent *p = data;

  g_atomic_int_set (
      &p->served, vyre_ranges_alloc_while (p->ranges, p->size, persist, p, &p->offset));
  return NULL;
}

static void
await_asked (Persistent *p, gint n)
{
  while (g_atomic_int_get (&p->asked) < n)
    g_thread_yield ();
}

/* A request that is asked again and again whether it waits stays in front of a later one, for which
 * there would be space all the time. */
static void
test_keeps_its_place (void)
{
  VyreRanges *ranges = vyre_ranges_new (2 * UNIT, UNIT, NULL);
  Persistent first = { .ranges = ranges, .size = 2 * UNIT, .most = G_MAXINT };
  Persistent second = { .ranges = ranges, .size = UNIT, .most = G_MAXINT };
  gsize taken = alloc (ranges, UNIT);
  GThread *first_thread = g_thread_new ("first", run_persistent, &first);

  await_asked (&first, 1);
  GThread *second_thread = g_thread_new ("second", run_persistent, &second);
  await_asked (&second, 1);
  await_asked (&first, g_atomic_int_get (&first.asked) + 3);
  g_assert_false (g_atomic_int_get (&second.served));
  vyre_ranges_free (ranges, taken);
  g_thread_join (first_thread);
  g_assert_true (first.served);
  vyre_ranges_free (ranges, first.offset);
  g_thread_join (second_thread);
  g_assert_true (second.served);
  vyre_ranges_destroy (ranges);
}

/* A request that goes on no longer gets nothing, and lets the next one in. */
static void
test_goes_on_no_longer (void)
{
  VyreRanges *ranges = vyre_ranges_new (2 * UNIT, UNIT, NULL);
  Persistent first = { .ranges = ranges, .size = 2 * UNIT, .most = 3 };
  gsize taken = alloc (ranges, UNIT);

  run_persistent (&first);
  g_assert_false (first.served);
  g_assert_cmpint (first.asked, ==, first.most + 1);
  vyre_ranges_free (ranges, alloc (ranges, UNIT));
  vyre_ranges_free (ranges, taken);
  vyre_ranges_destroy (ranges);
}

/* When the first waiter gives up, the next may get its range although no range was freed. */
static void
test_time_out_lets_next_in (void)
{
  VyreRanges *ranges = vyre_ranges_new (4 * UNIT, UNIT, NULL);
  gint64 soon = g_get_monotonic_time () + 100 * G_TIME_SPAN_MILLISECOND;
  Request big = { .ranges = ranges, .size = 4 * UNIT, .end_time = soon };
  Request small = { .ranges = ranges, .size = UNIT, .end_time = in_seconds (60) };
  GThread *big_thread, *small_thread;

  alloc (ranges, UNIT);
  big_thread = g_thread_new ("big", run_request, &big);
  await_waiter (ranges);
  small_thread = g_thread_new ("small", run_request, &small);
  g_thread_join (big_thread);
  g_thread_join (small_thread);
  g_assert_false (big.served);
  g_assert_true (small.served);
  g_assert_cmpint (g_get_monotonic_time (), <, small.end_time);
  vyre_ranges_destroy (ranges);
}

typedef struct {
  VyreRanges *ranges;
  int *owner;
  int id;
} Worker;

static void
use_range (Worker *worker, gsize first, gsize units)
{
  for (gsize i = first; i < first + units; i++)
    g_assert_true (g_atomic_int_compare_and_exchange (&worker->owner[i], 0, worker->id));
  for (gsize i = first; i < first + units; i++)
    g_assert_true (g_atomic_int_compare_and_exchange (&worker->owner[i], worker->id, 0));
}

static gpointer
run_worker (gpointer data)
{
  Worker *worker = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32)worker->id);

  for (guint i = 0; i < 5000; i++) {
    gsize units = (gsize)g_rand_int_range (rand, 1, i % 16 == 0 ? UNITS + 1 : 17);
    gsize offset;

    g_assert_true (vyre_ranges_alloc_wait (worker->ranges, units * UNIT, G_MAXINT64, &offset));
    use_range (worker, offset / UNIT, units);
    vyre_ranges_free (worker->ranges, offset);
  }
  return NULL;
}

/* Threads compete for the space: no range overlaps another, and every waiter is served. */
static void
test_many_threads (void)
{
  VyreRanges *ranges = vyre_ranges_new (UNITS * UNIT, UNIT, NULL);
  int *owner = g_new0 (int, UNITS);
  Worker workers[4];
  GThread *threads[4];

  for (int i = 0; i < 4; i++) {
    workers[i] = (Worker){ .ranges = ranges, .owner = owner, .id = i + 1 };
    threads[i] = g_thread_new ("worker", run_worker, &workers[i]);
  }
  for (int i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (vyre_ranges_get_used (ranges), ==, 0);
  g_assert_cmpuint (alloc (ranges, UNITS * UNIT), ==, 0);
  g_free (owner);
  vyre_ranges_destroy (ranges);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ranges/rounding", test_rounding);
  g_test_add_func ("/ranges/every-alignment", test_every_alignment);
  g_test_add_func ("/ranges/empty", test_empty);
  g_test_add_func ("/ranges/too-large", test_too_large);
  g_test_add_func ("/ranges/lending", test_lending);
  g_test_add_func ("/ranges/sharing", test_sharing);
  g_test_add_func ("/ranges/borrowers-in-line", test_borrowers_in_line);
  g_test_add_func ("/ranges/borrowing-too-much", test_borrowing_too_much);
  g_test_add_func ("/ranges/borrower-gives-up", test_borrower_gives_up);
  g_test_add_func ("/ranges/sparing", test_sparing);
  g_test_add_func ("/ranges/lending-behind-waiters", test_lending_behind_waiters);
  g_test_add_func ("/ranges/coalescing", test_coalescing);
  g_test_add_func ("/ranges/against-model", test_against_model);
  g_test_add_func ("/ranges/free-not-live", test_free_not_live);
  g_test_add_func ("/ranges/does-not-wait", test_does_not_wait);
  g_test_add_func ("/ranges/time-out", test_time_out);
  g_test_add_func ("/ranges/wakes-up", test_wakes_up);
  g_test_add_func ("/ranges/waits-for-ever", test_waits_for_ever);
  g_test_add_func ("/ranges/fairness", test_fairness);
  g_test_add_func ("/ranges/keeps-its-place", test_keeps_its_place);
  g_test_add_func ("/ranges/goes-on-no-longer", test_goes_on_no_longer);
  g_test_add_func ("/ranges/time-out-lets-next-in", test_time_out_lets_next_in);
  g_test_add_func ("/ranges/many-threads", test_many_threads);
  return g_test_run ();
}

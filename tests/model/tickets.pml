/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From the memory of a batch to its end: two producers write batches and tickets, two workgroups take
 * and run tickets, and a collector takes batches that have ended out of flight, for all threads that
 * may. Every ticket is taken once and whole, every workgroup finds the batch of its ticket, and an
 * end that is seen is the end of that batch, with its results. docs/lanes-model.md maps the steps to
 * runtime/kernel and shaders/loop.
 *
 * A lane has one place in the answer, which all its batches use, and one slice of each kind. A batch
 * of lane 0 is two tickets, a batch of lane 1 is one. Workgroups take tickets by the head (held.pml has
 * the other way). Numbers are taken in one step (numbers.pml), and there is always a launch
 * (launches.pml).
 *
 * Stores into memory of the device stay in write-combining buffers until a flush, and leave them in
 * any order. Stores of the device into memory of the host arrive in any order.
 *
 * variant UNIFIED: batches run in their readbacks, which have no marks
 *
 * fault LIMIT_IGNORED: numbers are taken whose places batches in flight have
 * fault NO_FLUSH: nothing orders the batch before its tickets
 * fault MARKS_LATE: the marks of the readback are written behind the tickets
 * fault NO_MARKS: the completion word alone tells that the readback has arrived
 * fault DROP_KEPT: the words that drop tickets are stored when the lane's lock is no longer held
 * fault ONE_MARK: the kernel looks at the mark of the first quarter alone
 * fault NO_EXCHANGE: a workgroup moves the head without a comparison
 * fault NO_BARRIER_D: a ticket is counted before its results are there
 * fault UNIFIED NO_BARRIER_E: the completion word overtakes the results
 * fault UNIFIED LOADS_SWAPPED: the host reads the results before the completion word
 * fault UNIFIED NO_SEQUENCE: all batches of a place have the same sequence
 */
#define LANES 2
#define BATCHES 2 /* of each lane */
#define RING 2    /* VYRE_MAX_TICKETS */

#define BIT(n) (1 << (n))
#define PLACE(number) ((number) % RING)
#define N_TICKETS(lane) (2 - (lane))
#define ALL_OF(lane) (BIT (N_TICKETS (lane)) - 1)

/* Batches have numbers from 1; the results of one are its number, too. */
#define BATCH(lane, n) (1 + (lane) * BATCHES + (n))
#define LANE_OF(batch) (((batch) - 1) / BATCHES)
#ifdef NO_SEQUENCE
#define SEQUENCE(batch) 1
#else
#define SEQUENCE(batch) (((batch) - 1) % BATCHES + 1) /* a place's batches count up */
#endif
#define NOTHING 0 /* a mark: the result has not arrived */

/* The door: tickets of two quarters, each with its mark. The first has the kind; each has a part of
 * the rest, by which the kernel finds the batch. */
byte mark_a[RING], batch_a[RING], mark_b[RING], batch_b[RING];
#define MARK(number) ((number) + 1)

/* The state: how workgroups share tickets out */
byte head;

/* The work: a slice for each lane, with the results of its tickets. */
byte slice[LANES], tickets_left[LANES], results[LANES];

/* The answer, and the readback. */
byte completion[LANES], readback[LANES];

/* The host. Batches and their fields are guarded by the lane's lock. */
byte tail, first_ticket[LANES], batch[LANES];
bit lane_lock[LANES], in_flight[LANES];

/* What has happened to the tickets, by number: for the assertions. */
byte taken;

#ifdef LIMIT_IGNORED
#define IS_BELOW_LIMIT(lane, other) true
#else
#define IS_BELOW_LIMIT(lane, other) \
  (tail + N_TICKETS (lane) <= (in_flight[other] -> first_ticket[other] : tail) + RING)
#endif

/* vyre_lane_enter() and vyre_completion_expect() */
inline enter (lane) {
  IS_BELOW_LIMIT (lane, 1 - lane);
  number = tail;
  tail = tail + N_TICKETS (lane);
  first_ticket[lane] = number;
  batch[lane] = BATCH (lane, n);
  in_flight[lane] = 1
}

/* vyre_readback_marks_expect() */
inline write_marks (lane) {
#ifdef UNIFIED
  skip
#else
  readback[lane] = NOTHING
#endif
}

/* What the write-combining buffers hold: a set. */
#define SLICE BIT (0)
#define A(ticket) BIT (1 + 2 * (ticket))
#define B(ticket) BIT (2 + 2 * (ticket))

inline commit_a (lane, ticket) {
  mark_a[PLACE (number + ticket)] = MARK (number + ticket);
  batch_a[PLACE (number + ticket)] = batch[lane]
}

inline commit_b (lane, ticket) {
  mark_b[PLACE (number + ticket)] = MARK (number + ticket);
  batch_b[PLACE (number + ticket)] = batch[lane]
}

inline commit_slice (lane) {
  slice[lane] = batch[lane];
  tickets_left[lane] = N_TICKETS (lane);
  results[lane] = 0
}

/* vyre_buffer_flush(): all of them, in any order */
inline flush (lane) {
  do
#ifdef NO_FLUSH
  :: atomic {
       (stored & SLICE) -> commit_slice (lane);
       stored = stored & ~SLICE
     }
#endif
  :: atomic {
       (stored & A (0)) -> commit_a (lane, 0);
       stored = stored & ~A (0)
     }
  :: atomic {
       (stored & B (0)) -> commit_b (lane, 0);
       stored = stored & ~B (0)
     }
  :: atomic {
       (stored & A (1)) -> commit_a (lane, 1);
       stored = stored & ~A (1)
     }
  :: atomic {
       (stored & B (1)) -> commit_b (lane, 1);
       stored = stored & ~B (1)
     }
  :: !stored -> break
  od
}

/* publish_store(). The first flush has nothing but the slice to order. */
inline publish (lane) {
  atomic {
    enter (lane);
#ifndef MARKS_LATE
    write_marks (lane);
#endif
#ifdef NO_FLUSH
    stored = SLICE;
#else
    commit_slice (lane); /* publish_fill_slice(), vyre_buffer_flush() */
#endif
    stored = stored | A (0) | B (0); /* vyre_tickets_write() */
    if
    :: N_TICKETS (lane) == 2 -> stored = stored | A (1) | B (1)
    :: else
    fi
  };
  flush (lane);
#ifdef MARKS_LATE
  write_marks (lane)
#endif
}

/* vyre_tickets_drop(): the word KIND of each ticket once more, and a flush behind it. Whether the
 * kernel sees it makes no difference to what is checked here. */
inline drop (lane) {
  ticket = 0;
  do
  :: ticket < N_TICKETS (lane) ->
     atomic {
       batch_a[PLACE (number + ticket)] = BATCH (lane, n);
       ticket++
     }
  :: else -> break
  od;
  ticket = 0
}

/* vyre_batch_free(). One that is in flight has its tickets dropped. */
inline free (lane) {
  atomic {
    !lane_lock[lane];
    lane_lock[lane] = 1
  };
  if
  :: in_flight[lane] ->
#ifdef DROP_KEPT
     lane_lock[lane] = 0;
#endif
     drop (lane)
  :: else
  fi;
  lane_lock[lane] = 0
}

proctype producer (byte lane) {
  byte n, number, stored, ticket;

  do
  :: n < BATCHES ->
     publish (lane);
     if
     :: free (lane)
     :: true
     fi;
     !in_flight[lane]; /* vyre_batch_wait() */
     n++
  :: else -> break
  od
}

/* vyre_batch_has_ended(), vyre_batch_retire(): when the completion word has the batch's sequence and
 * no mark is left. */
#ifdef UNIFIED
#define HAS_ARRIVED(lane) true
#elif defined(NO_MARKS)
#define HAS_ARRIVED(lane) true
#else
#define HAS_ARRIVED(lane) (readback[lane] != NOTHING)
#endif
#define IS_COMPLETED(lane) (completion[lane] == SEQUENCE (batch[lane]))
inline collect (lane) {
#ifdef LOADS_SWAPPED
  result = readback[lane];
#endif
  atomic {
    in_flight[lane] && IS_COMPLETED (lane) && HAS_ARRIVED (lane) && !lane_lock[lane];
#ifndef LOADS_SWAPPED
    result = readback[lane];
#endif
    assert (result == batch[lane]);
    assert (((taken >> first_ticket[lane]) & ALL_OF (lane)) == ALL_OF (lane));
    result = 0;
    in_flight[lane] = 0
  }
}

proctype collector (byte lane) {
  byte result;

end_nothing_left:
  do
  :: collect (lane)
  od
}

/* read_ticket() and look(): a load reads a quarter. */
inline read_a () {
  whole = mark_a[PLACE (number)] == MARK (number);
  ticket_batch = batch_a[PLACE (number)]
}

inline read_b () {
#ifndef ONE_MARK
  whole = whole && mark_b[PLACE (number)] == MARK (number);
#endif
  other_batch = batch_b[PLACE (number)]
}

/* take(): the ticket at the head. A ticket at the head stays as it is, so that the looks before
 * read_ticket() are one step with it, and the exchange with its end. */
inline find_ticket () {
  if
  :: atomic {
       mark_a[PLACE (head)] == MARK (head) -> /* is_published() */
       number = head;
       read_a ()
     }
  fi;
  atomic {
    read_b ();
    if
#ifdef NO_EXCHANGE
    :: whole -> head = number + 1
#else
    :: whole && head == number -> head = number + 1
    :: whole && head != number -> whole = 0
#endif
    :: else
    fi
  }
}

/* run_large(), end_ticket(): the last one ends the batch. */
inline run_ticket () {
  atomic {
    assert (ticket_batch == other_batch);
    assert (!(taken & BIT (number)));
    taken = taken | BIT (number);
    other_batch = 0;
    lane = LANE_OF (ticket_batch);
    assert (slice[lane] == ticket_batch); /* load_about() and the rest of the batch */
    ticket = number - first_ticket[lane]
  };
  atomic {
#ifndef NO_BARRIER_D
    results[lane] = results[lane] | BIT (ticket); /* publish_lanes() */
#endif
    tickets_left[lane]--;
    last = tickets_left[lane] == 0
  };
#ifdef NO_BARRIER_D
  results[lane] = results[lane] | BIT (ticket);
#endif
  if
  :: last -> end_batch ()
  :: else
  fi
}

/* end_batch(): copy_out() and complete_batch(). The sequence comes out of the ticket. */
inline end_batch () {
  assert (results[lane] == ALL_OF (lane));
#if defined(UNIFIED) && !defined(NO_BARRIER_E)
  readback[lane] = ticket_batch;
  completion[lane] = SEQUENCE (ticket_batch)
#else
  if
  :: readback[lane] = ticket_batch;
     completion[lane] = SEQUENCE (ticket_batch)
  :: completion[lane] = SEQUENCE (ticket_batch);
     readback[lane] = ticket_batch
  fi
#endif
}

proctype workgroup () {
  byte number, ticket_batch, other_batch, lane, ticket;
  bit whole, last;

end_nothing_to_do:
  do
  :: find_ticket ();
     if
     :: whole -> run_ticket ()
     :: else
     fi;
     atomic {
       number = 0;
       ticket_batch = 0;
       other_batch = 0;
       whole = 0;
       lane = 0;
       ticket = 0;
       last = 0
     }
  od
}

init {
  atomic {
    run producer (0);
    run producer (1);
    run collector (0);
    run collector (1);
    run workgroup ();
    run workgroup ()
  }
}

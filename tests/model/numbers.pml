/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ticket numbers: producers take them from one word without a common lock, below a limit that a
 * thread with the kernel's lock moves on meanwhile. No two batches in flight have the same place in
 * the ring. docs/lanes-model.md maps the steps to runtime/kernel.
 *
 * The atomics here are sequentially consistent in the code, and one step each. Numbers wrap at 32,
 * and start in front of that. A batch of lane 0 is one ticket, a batch of lane 1 is two.
 *
 * fault LIMIT_IGNORED: numbers are taken whose places batches in flight have
 * fault NO_EXCHANGE: two lanes may take the same numbers
 * fault COUNTED_LATE: a lane says that it is in flight behind its exchange
 * fault OLDEST_SAID_LATE: a lane says its oldest number behind its exchange
 * fault TAIL_READ_LAST: the tail is read behind what the lanes say
 */
#define LANES 2
#define BATCHES 3 /* of each lane */
#define RING 4    /* VYRE_MAX_TICKETS */
#define START 29

#define NUMBER(n) ((n) & 31)
#define IS_NEGATIVE(n) (NUMBER (n) >= 16) /* (gint32)(n) < 0 */
#define N_TICKETS(lane) ((lane) + 1)

/* Atomics */
byte tail = START, ticket_limit = NUMBER (START + RING);
byte n_in_flight[LANES], oldest[LANES];

/* The locks; a lane's guards the numbers of its batches in flight, the lowest first. */
bit kernel_lock, lane_lock[LANES];
chan in_flight[LANES] = [BATCHES] of { byte };

/* What has to hold: batches in flight have their places to themselves. A set of places. */
byte taken;
#define PLACES(lane, n) \
  ((1 << ((n) % RING)) | (lane -> 1 << (((n) + 1) % RING) : 0))

inline lock (which) {
  atomic {
    !which;
    which = 1
  }
}

/* lanes_is_below_limit(); the comparison looks at the limit as it is now. */
#ifdef LIMIT_IGNORED
#define IS_BELOW_LIMIT(lane, t) true
#else
#define IS_BELOW_LIMIT(lane, t) (!IS_NEGATIVE (ticket_limit - ((t) + N_TICKETS (lane))))
#endif

/* The numbers are taken: the exchange of lanes_take_tickets() */
inline take (lane, t) {
  tail = NUMBER (t + N_TICKETS (lane));
  assert (!(taken & PLACES (lane, t)));
  taken = taken | PLACES (lane, t);
  in_flight[lane] ! t
}

/* lanes_take_tickets(), and vyre_lane_enter() around it. Lane's lock held. */
inline enter (lane, entered) {
#ifndef COUNTED_LATE
  n_in_flight[lane]++;
#endif
  t = tail;
  do
  :: true ->
#ifndef OLDEST_SAID_LATE
     if
     :: empty (in_flight[lane]) -> oldest[lane] = t
     :: nempty (in_flight[lane])
     fi;
#endif
     if
     :: IS_BELOW_LIMIT (lane, t) -> skip
     :: else -> break
     fi;
     if
#ifdef NO_EXCHANGE
     :: atomic { true -> take (lane, t) }; entered = 1; break
#else
     :: atomic { tail == t -> take (lane, t) }; entered = 1; break
     :: atomic { tail != t -> t = tail }
#endif
     fi
  od;
#ifdef OLDEST_SAID_LATE
  if
  :: entered && len (in_flight[lane]) == 1 -> oldest[lane] = t
  :: else
  fi;
#endif
#ifdef COUNTED_LATE
  n_in_flight[lane]++;
#endif
  if
  :: entered
  :: else -> n_in_flight[lane]--
  fi;
  t = 0
}

/* lanes_raise_limit(). Kernel's lock held. */
inline look_at_lane (lane) {
  if
  :: n_in_flight[lane] == 0 -> skip
  :: else ->
     first = oldest[lane];
     if
     :: IS_NEGATIVE (first - lowest) -> lowest = first
     :: else
     fi
  fi
}

inline raise_limit () {
#ifdef TAIL_READ_LAST
  lowest = NUMBER (START + 15); /* behind every number */
  look_at_lane (0);
  look_at_lane (1);
  if
  :: IS_NEGATIVE (tail - lowest) -> lowest = tail
  :: else
  fi;
#else
  lowest = tail;
  look_at_lane (0);
  look_at_lane (1);
#endif
  ticket_limit = NUMBER (lowest + RING);
  first = 0;
  lowest = 0
}

/* vyre_batch_reserve() and vyre_batch_publish(): once more, when there may be room. */
inline wait_for_room (lane) {
  lock (kernel_lock);
  lock (lane_lock[lane]);
  if
  :: IS_BELOW_LIMIT (lane, tail) -> skip /* vyre_lane_has_tickets() */
  :: else -> raise_limit ()
  fi;
  enter (lane, entered);
  lane_lock[lane] = 0;
  kernel_lock = 0
}

proctype producer (byte lane) {
  byte n_published, t, first, lowest;
  bit entered;

  do
  :: n_published < BATCHES ->
     lock (lane_lock[lane]);
     enter (lane, entered);
     lane_lock[lane] = 0;
     do
     :: entered -> break
     :: else -> wait_for_room (lane)
     od;
     entered = 0;
     n_published++
  :: else -> break
  od
}

/* vyre_lane_leave(), by whichever thread sees that a batch has ended: any one may. */
inline leave (lane) {
  atomic {
    nempty (in_flight[lane]) && !lane_lock[lane];
    lane_lock[lane] = 1;
    if
    :: in_flight[lane] ? n
    :: len (in_flight[lane]) == 2 -> /* the second */
       in_flight[lane] ? lowest;
       in_flight[lane] ? n;
       in_flight[lane] ! lowest
    fi;
    taken = taken & ~PLACES (lane, n)
  };
  if
  :: in_flight[lane] ? [lowest] ->
     in_flight[lane] ? <lowest>;
     oldest[lane] = lowest
  :: else
  fi;
  n_in_flight[lane]--;
  atomic {
    n = 0;
    lowest = 0;
    lane_lock[lane] = 0
  }
}

proctype collector () {
  byte n, lowest;

end_nothing_left:
  do
  :: leave (0)
  :: leave (1)
  od
}

init {
  atomic {
    /* what a lane said long ago may be any number by now */
    if
    :: oldest[0] = START - 1
    :: oldest[0] = START + 4
    :: oldest[0] = NUMBER (START + 17)
    fi;
    run producer (0);
    run producer (1);
    run collector ()
  }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pair G: no batch in flight stays without a launch. Two producers publish plain batches on lanes of
 * their own, the launcher launches, renews and parks, and the device runs one launch after the
 * other. docs/lanes-model.md maps the steps to runtime/kernel.
 *
 * An orphan shows as a state without a way out: the producer waits for its batch, the launcher for a
 * launch, and the device has none. So spin's search for such states is the check.
 *
 * Numbers are taken in one step here (numbers.pml has the steps), and a ticket that is taken has
 * run (tickets.pml). A step of a thread with the kernel's lock is one with the step before it if no
 * other thread can see the difference without the lock: what such threads see are the atomics. The
 * lanes' locks are left out, as they guard nothing that the launcher reads.
 *
 * fault SERVES_RELAXED: the store to `serves` is an ordinary one
 * fault END_RINGING_RELAXED: so is the one that ends ringing
 * fault ONE_LOOK: a thread looks at `serves` before it ends to ring, and not behind
 * fault COUNTED_LATE: a batch is counted as in flight behind the looks at `serves`
 * fault NO_MAKE_UP: a thread that rang, but found no room, leaves it at that
 * fault NO_ORPHANS: the launcher launches for no batches that are in flight
 * fault ENDED_LOOKS_FIRST: it looks for them before it says that no launch serves
 * fault ENDED_IN_SILENCE: it does not say so
 * fault PARK_LOOKS_FIRST: a launch is told to leave under batches that count on it
 */
#define LANES 2
#define BATCHES 2 /* of each lane */
#define RING 2    /* VYRE_MAX_TICKETS */
#define FLYING 2  /* VYRE_PIPELINE_LAUNCHES */

#define BIT(n) (1 << (n))

/* The kernel's lock, and what it guards. Launches are a queue; the first n_over have ended. */
bit kernel_lock;
byte n_flying, n_over;
bit launch_stays[FLYING];  /* it waits for more tickets than it is made for */
byte launch_limit[FLYING]; /* VYRE_LAUNCH_LIMIT; 0 where that does not matter */
bit told;                  /* the last launch was told to leave */
bit stays;                 /* of the last launch, kernel->stays */

/* Sets of ticket numbers, one for each batch. A batch counts on a launch if its thread found that
 * one serves it, and has left it to that. */
byte in_flight, rung, of_lane_1, counts_on_launch;

/* Atomics. */
bit serves;
byte n_in_flight[LANES], n_ringing[LANES];
byte tail, ticket_limit = RING;

/* What the device reads and writes. */
byte written, head;

#define IS_RUNNING (n_flying > 0 && !told) /* launcher_is_running() */
#define IS_RESIDENT (IS_RUNNING && stays)  /* launcher_is_resident() */
#define LANE_OF(n) ((of_lane_1 >> (n)) & 1)
#define CAN_LEAVE(n) ((in_flight & rung & BIT (n)) && head > (n)) /* vyre_batch_has_ended() */

/* x86's store buffer. A locked instruction, as those of locks and of sequentially consistent stores,
 * waits until its thread's is empty. A mutation makes a store of pair G a plain one, which the
 * buffer keeps for a while. */
bit kept_serves, kept_serves_value, kept_ringing[LANES];

#ifdef SERVES_RELAXED
#define STORE_SERVES(value) \
  kept_serves_value = value; \
  kept_serves = 1
#define IS_DRAINED (!kept_serves)
#else
#define STORE_SERVES(value) serves = value
#define IS_DRAINED true
#endif

inline lock_kernel () {
  !kernel_lock;
  kernel_lock = 1
}

inline unlock_kernel () {
  IS_DRAINED;
  kernel_lock = 0
}

/* launcher_launch(). It may be one that stays, or not: a kernel that follows gaps decides anew each
 * time, and one with residency=dispatch never has one that stays. */
inline launch () {
  if
  :: n_flying < FLYING ->
     if
     :: stays = 1
     :: stays = 0 -> launch_limit[n_flying] = tail
     fi;
     launch_stays[n_flying] = stays;
     told = 0;
     n_flying++;
     STORE_SERVES (stays) /* launcher_tell_serves() */
  :: else
  fi
}

/* vyre_launcher_published(), with the lock that is held */
inline published () {
  if
  :: IS_RESIDENT -> /* launcher_follow_gap(): a long gap before the batch replaces the launch */
     told = 1;
     STORE_SERVES (0);
     IS_DRAINED
  :: true
  fi;
  if
  :: !IS_RESIDENT -> launch ()
  :: else
  fi
}

/* launcher_has_orphans(): one word after the other. The counts of vyre_lanes_count_in_flight() and
 * of vyre_lanes_count_ringing() need not be finished where the answer is known. */
inline look_for_orphans (any) {
  any = n_in_flight[0] > 0;
  any = any || n_in_flight[1] > 0;
  any = any && n_ringing[0] == 0;
  any = any && n_ringing[1] == 0
}

/* vyre_lane_leave() */
inline leave (n) {
  in_flight = in_flight & ~BIT (n);
  counts_on_launch = counts_on_launch & ~BIT (n);
  n_in_flight[LANE_OF (n)]--
}

/* vyre_megakernel_reap(), or with the batches of a lane, vyre_batch_wait() for each of them */
#define ANY_LANE true
inline reap (which) {
  i = 0;
  do
  :: i < tail ->
     if
     :: CAN_LEAVE (i) && which -> leave (i)
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0
}

/* lanes_raise_limit(): up to the oldest in flight, or the tail, and a ring more. */
inline raise_limit () {
  i = 0;
  do
  :: i < tail && !(in_flight & BIT (i)) -> i++
  :: else -> break
  od;
  ticket_limit = i + RING;
  i = 0
}

/* lanes_take_tickets() */
inline take_number (lane) {
  number = tail;
  tail++;
  in_flight = in_flight | BIT (number);
  of_lane_1 = of_lane_1 | (lane << number)
}

/* vyre_tickets_write(), and publish_note_rung() behind it */
inline write_tickets () {
  atomic {
    written = written | BIT (number);
    rung = rung | BIT (number)
  }
}

/* vyre_launcher_serves(): a gap before the batch is a reason of its own to say no. */
inline look_at_serves (answer) {
  if
  :: answer = serves
  :: answer = 0
  fi
}

/* publish_ring_plain() */
inline ring_plain (lane) {
  write_tickets ();
  look_at_serves (served);
  if
  :: served ->
#ifdef END_RINGING_RELAXED
     kept_ringing[lane] = 1;
#else
     n_ringing[lane]--; /* publish_end_ringing() */
#endif
     atomic {
#ifdef ONE_LOOK
       again = 1;
#else
       again = serves;
#endif
       counts_on_launch = counts_on_launch | ((again << number) & in_flight)
     }
  :: else
  fi;
#ifdef COUNTED_LATE
  n_in_flight[lane]++;
#endif
  if
  :: again
  :: else ->
     atomic {
       !kept_ringing[lane];
       lock_kernel ();
       if
       :: served
       :: else -> n_ringing[lane]--
       fi;
       published ();
       unlock_kernel ()
     }
  fi
}

/* vyre_launcher_make_up(), with the lock taken before and dropped behind it */
inline make_up () {
#ifdef NO_MAKE_UP
  skip
#else
  atomic {
    lock_kernel ()
  };
  if
  :: n_flying == 0 -> look_for_orphans (again)
  :: else
  fi;
  atomic {
    if
    :: again -> launch ()
    :: else
    fi;
    again = 0;
    unlock_kernel ()
  }
#endif
}

/* vyre_batch_reserve() up to vyre_lane_enter(): a thread that finds no room takes out what has
 * ended, moves the limit, and sleeps until there is room. A batch that loses its room to another
 * lane waits in the line in truth. */
#define HAS_ROOM \
  (tail < RING || !(in_flight & BIT (tail - RING)) || CAN_LEAVE (tail - RING))
inline reserve (lane) {
  atomic {
    !kernel_lock && HAS_ROOM;
    reap (ANY_LANE);
    raise_limit ();
    take_number (lane);
    n_ringing[lane]++;
#ifndef COUNTED_LATE
    n_in_flight[lane]++
#endif
  }
}

/* publish_in_turn() */
inline in_turn (lane) {
  make_up ();
  reserve (lane);
  write_tickets (); /* publish_ring() */
#ifdef COUNTED_LATE
  n_in_flight[lane]++;
#endif
  atomic {
    lock_kernel ();
    n_ringing[lane]--;
    published ();
    unlock_kernel ()
  }
}

/* vyre_lane_publish(). What the lane says comes before the number: vyre_lane_enter(). */
inline publish (lane) {
  n_ringing[lane]++;
#ifndef COUNTED_LATE
  n_in_flight[lane]++;
#endif
  if
  :: atomic {
       tail < ticket_limit -> take_number (lane)
     };
     ring_plain (lane)
  :: atomic {
       tail >= ticket_limit ->
#ifndef COUNTED_LATE
       n_in_flight[lane]--
#endif
     };
     n_ringing[lane]--;
     in_turn (lane)
  fi
}

/* vyre_batch_wait(): a batch is through when this thread, or another, has taken it out. */
#define IS_THROUGH(n) (!(in_flight & BIT (n)) || CAN_LEAVE (n))
#define LEFT_OF(lane) (in_flight & (lane -> of_lane_1 : ~of_lane_1))
proctype producer (byte lane) {
  byte number, n_published, i;
  bit served, again;

  do
  :: n_published < BATCHES ->
     publish (lane);
     atomic {
       served = 0;
       again = 0;
       n_published++;
       if
       :: IS_THROUGH (number) -> reap (LANE_OF (i) == lane)
       :: true /* later */
       fi;
       number = 0
     }
  :: else -> break
  od;
  atomic {
    (LEFT_OF (lane) & ~(rung & (BIT (head) - 1))) == 0 -> reap (LANE_OF (i) == lane)
  }
}

/* launcher_launch_ended(), behind vyre_megakernel_collect() */
inline launch_ended (any) {
#ifdef ENDED_LOOKS_FIRST
  look_for_orphans (any);
#endif
  atomic {
    told = told || n_flying == 1;
    launch_stays[0] = launch_stays[1];
    launch_limit[0] = launch_limit[1];
    launch_stays[1] = 0;
    launch_limit[1] = 0;
    n_flying--;
    n_over--;
#ifndef ENDED_IN_SILENCE
    STORE_SERVES (IS_RESIDENT) /* launcher_tell_serves() */
#endif
  };
#ifndef ENDED_LOOKS_FIRST
  if
  :: n_flying == 0 -> look_for_orphans (any)
  :: else
  fi;
#endif
#ifdef NO_ORPHANS
  any = 0;
#endif
  atomic {
    if
    :: n_flying == 0 && (any || stays) -> launch () /* for them, or as there were some just now */
    :: n_flying > 0 || !any
    fi
  }
}

/* vyre_launcher_park(), of a launch that runs */
inline park (any) {
#ifndef PARK_LOOKS_FIRST
  STORE_SERVES (0);
#endif
  any = n_in_flight[0] > 0;
  any = any || n_in_flight[1] > 0;
#ifdef PARK_LOOKS_FIRST
  STORE_SERVES (0);
#endif
  atomic {
    if
    :: any ->
       STORE_SERVES (stays) /* launcher_tell_serves() */
    :: else ->
       assert (!counts_on_launch);
       told = 1; /* launcher_retire_below(): the device sees the word at some time */
       STORE_SERVES (0)
    fi
  }
}

/* vyre_launcher_run(). The launch that it waits for may have ended, the idle timeout may be over, or
 * the lease, whenever it looks. launcher_renew() tells those before the new launch to leave. */
proctype launcher () {
  byte i;
  bit any;

end_idle:
  do
  :: atomic {
       n_over > 0 && !kernel_lock ->
       kernel_lock = 1;
       reap (ANY_LANE)
     };
     launch_ended (any);
     atomic {
       any = 0;
       unlock_kernel ()
     }
  :: atomic {
       IS_RUNNING && !kernel_lock ->
       kernel_lock = 1;
       reap (ANY_LANE)
     };
     park (any);
     atomic {
       any = 0;
       unlock_kernel ()
     }
  :: atomic {
       IS_RUNNING && n_flying < FLYING && !kernel_lock ->
       kernel_lock = 1;
       launch ();
       unlock_kernel ()
     }
  od
}

/* Launches run one after the other. One takes the ticket at the head if it stays or was made for it,
 * and leaves between two tickets: told to, out of budget, or with nothing left to do. */
#define TAKES_HEAD(launch) (launch_stays[launch] || head < launch_limit[launch])
proctype device () {
end_nothing:
  do
  :: atomic {
       n_over < n_flying && (written & BIT (head)) && TAKES_HEAD (n_over) ->
       head++
     }
  :: atomic {
       n_over < n_flying ->
       n_over++
     }
  od
}

#if defined(SERVES_RELAXED) || defined(END_RINGING_RELAXED)
/* Commits kept stores at any time. */
active proctype store_buffers () {
end_empty:
  do
  :: atomic {
       kept_serves ->
       serves = kept_serves_value;
       kept_serves = 0
     }
  :: atomic {
       kept_ringing[0] ->
       n_ringing[0]--;
       kept_ringing[0] = 0
     }
  :: atomic {
       kept_ringing[1] ->
       n_ringing[1]--;
       kept_ringing[1] = 0
     }
  od
}
#endif

init {
  atomic {
    run producer (0);
    run producer (1);
    run launcher ();
    run device ()
  }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The record of a batch, which several threads hold: its owner publishes the first run, waits for the
 * batch or frees it at any time; the service thread publishes the second run; a collector takes runs
 * that have ended out of flight. No thread touches a record that has gone back, or goes on with a run
 * that is over, and no ticket is dropped that is not in flight. docs/lanes-model.md maps the steps to
 * runtime/kernel.
 *
 * The batch is not plain, so the kernel's lock guards it; its lane's is taken within that. The thread
 * that writes a run's tickets has no lock meanwhile. A lane has one record, for one batch after the
 * other.
 *
 * fault RUNG_IGNORED: a run is over when the device says so, whether or not it is rung
 * fault RUNG_EARLY: a batch is rung before its tickets are written
 * fault RUNG_IN_LINE: a batch that waits for its turn is rung
 * fault DROPPED_UNASKED: a batch that is freed is dropped, whether or not it is rung
 * fault FREED_IN_FLIGHT: a batch that is freed gives its record back at once
 */
#define BATCHES 2
#define RUNS 2

#define NOWHERE 0 /* a spare record */
#define ENTERING 1
#define FLIGHT 2
#define LINE 3
#define DONE 4

bit kernel_lock;

/* The record, and the batch and the run in it */
byte place = NOWHERE, generation, n_run;
bit rung, orphaned;

/* What the device sees, and says */
bit written, completed;

inline unlock () {
  atomic {
    kernel_lock = 0;
    my_generation = 0;
    my_run = 0
  }
}

/* Any look at the record by a thread that publishes a run. */
inline touch () {
  assert (place == FLIGHT && generation == my_generation && n_run == my_run)
}

/* vyre_batch_destroy(), vyre_lane_give_record() */
inline destroy () {
  place = NOWHERE;
  orphaned = 0;
  rung = 0;
  n_run = 0
}

/* vyre_tickets_drop(): their places have to be the batch's. */
inline drop () {
  assert (place == FLIGHT && written)
}

/* publish_enter() */
inline enter () {
  atomic {
    place = FLIGHT;
    written = 0;
    completed = 0;
#ifdef RUNG_EARLY
    rung = 1;
#else
    rung = 0;
#endif
    my_generation = generation;
    my_run = n_run
  }
}

/* publish_ring(): lock held on entry and exit */
inline ring () {
  kernel_lock = 0;
  atomic {
    touch ();
    written = 1 /* publish_store() */
  };
  atomic {
    !kernel_lock;
    kernel_lock = 1;
    touch ();
    rung = 1; /* publish_note_rung() */
    if
    :: orphaned -> drop ()
    :: else
    fi
  };
  touch () /* vyre_launcher_published() */
}

/* vyre_batch_publish() */
inline publish () {
  enter ();
  ring ()
}

/* vyre_batch_free() */
inline free () {
  atomic {
    !kernel_lock;
    if
    :: place == DONE -> destroy ()
    :: else ->
       orphaned = 1;
       if
#ifdef DROPPED_UNASKED
       :: true -> drop ()
#else
       :: rung -> drop ()
#endif
       :: else
       fi
#ifdef FREED_IN_FLIGHT
       ; destroy ()
#endif
    fi
  }
}

proctype owner () {
  byte n, my_generation, my_run;

  do
  :: n < BATCHES ->
     atomic {
       !kernel_lock && place == NOWHERE; /* vyre_lane_take_record() */
       kernel_lock = 1;
       place = ENTERING;
       generation++
     };
     publish (); /* publish_in_turn() */
     unlock ();
     if
     :: place == DONE /* vyre_batch_wait() */
     :: true
     fi;
     free ();
     n++
  :: else -> break
  od;
  place == NOWHERE
}

/* vyre_turns_proceed(): a batch in the line that was freed goes, and any other goes on. */
proctype service () {
  byte my_generation, my_run;

end_no_line:
  do
  :: atomic {
       !kernel_lock && place == LINE && orphaned -> /* resume_drop_unwanted() */
       destroy ()
     }
  :: atomic {
       !kernel_lock && place == LINE && !orphaned -> /* resume_publish_next() */
       kernel_lock = 1
     };
     publish ();
     unlock ()
  od
}

/* vyre_batch_has_ended(), vyre_batch_retire() */
#ifdef RUNG_IGNORED
#define HAS_ENDED completed
#else
#define HAS_ENDED (completed && rung)
#endif
proctype collector () {
end_nothing_left:
  do
  :: atomic {
       !kernel_lock && place == FLIGHT && HAS_ENDED;
       n_run++;
       completed = 0;
       written = 0;
       if
       :: n_run < RUNS && !orphaned -> /* vyre_turns_go_on() */
          place = LINE;
#ifndef RUNG_IN_LINE
          rung = 0
#endif
       :: else -> /* vyre_batch_complete() */
          if
          :: orphaned -> destroy ()
          :: else -> place = DONE
          fi
       fi
     }
  od
}

/* Runs what is written. */
proctype device () {
end_no_ticket:
  do
  :: atomic {
       written && !completed;
       completed = 1
     }
  od
}

init {
  atomic {
    run owner ();
    run service ();
    run collector ();
    run device ()
  }
}

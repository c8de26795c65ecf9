/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Held tickets: two workgroups each hold a ticket in advance and look at that alone, through several
 * launches. The workgroups of one leave at any time, told to or not, and hand their tickets over to
 * the next. Every ticket is taken once, and none is lost: a ticket that no workgroup holds shows as a
 * state without a way out. docs/lanes-model.md maps the steps to shaders/loop.
 *
 * Two producers take numbers and publish them in any order. Tickets are whole (tickets.pml).
 *
 * fault NOT_HANDED_OVER: the next launch does not look at what the last one left
 * fault GONE_EARLY: a workgroup counts itself as gone before it writes its ticket down
 * fault CLAIMS_FORGOTTEN: the numbers that were claimed start anew with each launch
 * fault CLAIM_IN_PARTS: claims are counted without an atomic
 */
#define TICKETS 5
#define GROUPS 2
#define LAUNCHES 3

#define BIT(n) (1 << (n))

/* The host: the tickets that are there, a set */
byte tail, published;

/* The state of the kernel */
byte claims, n_held, first, held[GROUPS];
byte left_over[GROUPS], n_left, n_gone;

/* The launch that runs: the next begins when all workgroups of one have gone. */
byte launch;

/* What has happened, for the assertions: a set of tickets */
byte taken;

proctype producer () {
  byte number;

  do
  :: atomic {
       tail < TICKETS ->
       number = tail;
       tail++
     };
     atomic {
       published = published | BIT (number); /* vyre_tickets_write() */
       number = 0
     }
  :: else -> break
  od;
  taken == BIT (TICKETS) - 1 /* vyre_batch_wait() */
}

/* claim() */
inline claim () {
#ifdef CLAIM_IN_PARTS
  i = claims;
  claims = i + 1;
#else
  atomic {
    i = claims;
    claims++
  };
#endif
  atomic {
    if
    :: i < n_held -> number = held[i]
    :: else -> number = first + i - n_held
    fi;
    i = 0
  }
}

/* look(), run_ticket() */
inline take () {
  atomic {
    published & BIT (number);
    assert (!(taken & BIT (number)));
    taken = taken | BIT (number);
    number = 0
  }
}

/* hand_back(): the last workgroup to go puts the tickets of all in order. */
inline hand_back () {
#ifdef GONE_EARLY
  n_gone++;
#endif
  atomic {
    i = n_left;
    n_left++
  };
  left_over[i] = number;
#ifndef GONE_EARLY
  n_gone++;
#endif
  atomic {
    number = 0;
    i = 0;
    if
    :: n_gone == GROUPS ->
       i = left_over[0] > left_over[1];
       held[0] = left_over[i];
       held[1] = left_over[1 - i];
       i = 0;
#ifdef CLAIMS_FORGOTTEN
       first = claims;
#else
       first = first + claims - n_held;
#endif
#ifndef NOT_HANDED_OVER
       n_held = GROUPS;
#endif
       claims = 0;
       n_left = 0;
       n_gone = 0;
       launch++ /* the pipeline barrier of a launch is its end */
    :: else
    fi;
    my_launch++
  }
}

proctype workgroup () {
  byte number, i, my_launch;

end_not_launched:
  do
  :: launch == my_launch ->
     claim ();
end_nothing_to_do:
     do
     :: take ();
        claim ()
     :: my_launch < LAUNCHES - 1 -> break
     od;
     hand_back ()
  od
}

init {
  atomic {
    run producer ();
    run producer ();
    run workgroup ();
    run workgroup ()
  }
}

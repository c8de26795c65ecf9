/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The structures that the files of the kernel share. docs/protocol.md has the order of their
 * stores, docs/architecture.md the order of the files. Private to libvyre.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "kernel/placement.h"
#include "kernel/readback-marks.h"
#include "kernel/resident-files.h"
#include "device/buffer.h"
#include "device/copy-engine.h"
#include "device/pipeline.h"
#include "device/store-private.h"
#include "plan/plan-private.h"
#include "vyre/import.h"
#include "vyre/lane.h"
#include "vyre/megakernel.h"
#include "vyre/stream.h"

/* Loop iterations after which some devices end every loop, without a word;
 * the budget stays below with room for what a ticket's cost rounds. */
#define VYRE_LOOP_LIMIT 65535u
#define VYRE_RELAY_BUDGET 60000u

/* Places for batches that a lane takes from the kernel, and gives back, at a time. */
#define VYRE_LANE_STEP 16

/* Keeps what every producer writes away from what every producer reads: a cache line. */
#define VYRE_APART(name) char apart_##name[64]

struct _VyreLane {
  gatomicrefcount refs;
  VyreMegakernel *kernel; /* has a reference until the lane is closed, but for the kernel's own */
  GList link;             /* of the kernel's lanes, under the kernel's lock */
  GMutex lock;            /* taken behind the kernel's; guards what follows */
  gboolean closed;        /* there is no reference: it goes with its last batch */
  guint n_batches;        /* that were not freed */
  GQueue in_flight;       /* of VyreBatch, in the order of their tickets */
  GPtrArray *spare;       /* of VyreBatch, for the next batches */
  GArray *places;         /* guint, indices that no batch has */
  guint64 batches;
  guint64 completed;
  guint64 tickets;
  guint64 in_place_bytes;
  guint64 stored_bytes;
  guint64 copied_bytes;
  /* other threads read these without the lock */
  atomic_uint n_in_flight;
  atomic_uint n_ringing;      /* batches in flight that no launch was made for yet */
  atomic_uint oldest;         /* no ticket of its batches in flight has a lower number */
  atomic_llong last_activity; /* ns */
  atomic_ullong spin_time;    /* ns */
  atomic_ullong n_sleeps;
  atomic_llong usual_wait; /* for a batch that others follow, ns; 0: there was none */
};

/* A payload that outlives its batch: the previous one of a stream, its reference, or both. */
typedef struct _VyreKept VyreKept;
struct _VyreKept {
  guint users; /* in the stream */
  gsize size;
  gsize base;                                  /* where the kernel reads it */
  gsize stored_at;                             /* as of its batch; so below */
  void (*let_go) (const VyrePayload *payload); /* or NULL: nothing to give back */
  VyrePayload payload;
  VyreKept *next; /* of those to drop */
};

/* The run of a batch that needs nothing of the batch before it in its stream, and that may be
 * published before that ends. */
typedef enum {
  VYRE_EARLY_NONE, /* there was none, or the batch has gone on behind it */
  VYRE_EARLY_RUNS,
  VYRE_EARLY_OVER,
} VyreEarly;

/* The older payloads that a batch may read: numbers below are VYRE_FROM_… */
#define VYRE_N_OLDER 3

/* Batches that follow one another, kernel/stream.c. The kernel's lock guards what its batches
 * share: none of them is plain. */
struct _VyreStream {
  gatomicrefcount refs; /* of its owner, and of each batch that is not through */
  guint generation;     /* of the process */
  VyreMegakernel *kernel;
  VyreLane *lane; /* not owned: the owner of the stream keeps it alive, and batches do not */
  void (*follow) (VyreBatch *next); /* publishes it, without a lock */
  VyreBatch *running;               /* is published, or about to be, and not through */
  GQueue waiting;                   /* of VyreBatch, for the end of the one before */
  VyreKept *older[VYRE_N_OLDER];    /* payloads, or NULL */
  guint32 *words;                   /* of state, as the last batch that ended left them */
  guint n_words;
};

struct _VyreBatch {
  VyreMegakernel *kernel; /* not owned: the owner of the batch keeps it alive */
  VyreLane *lane;         /* the same */
  gboolean plain;         /* its lane's lock guards it, and not the kernel's; see lanes.c */
  gboolean live;          /* it comes some time after the one before it */
  VyrePlan *plan;         /* of what is left to run, once the batch was parked */
  guint index;
  guint32 first_ticket;
  VyreRun run;         /* in flight, or the next to be */
  gboolean cut;        /* there are several runs */
  gboolean is_written; /* its plan is where it runs, and its readback marked, for the next run */
  gboolean started;    /* its slice is where it runs; FALSE for the rest of a parked batch */
  gboolean small;
  gsize readback;
  gsize work;              /* slice of the work store, unless small or the readback is it */
  gsize stored_at;         /* slice of the payload store, unless payloads are read in place */
  gsize arrived;           /* granules of the readback found to be there */
  gboolean copied;         /* a copy engine moves its payload */
  gboolean in_row;         /* its plan follows, and so does the rest of it; constant */
  gboolean by_copy_engine; /* its payload and tickets, in the run that is in flight */
  gboolean ahead;          /* its payload, before its turn in its stream */
  guint64 copy;            /* the number of the last such copy */
  atomic_bool rung;        /* the publishing thread is through with it */
  gboolean parked;         /* waits for the host, and is not in flight */
  gboolean asked;          /* its last run made requests */
  gboolean resumed;        /* its payload is where the kernel reads it */
  guint32 number;          /* in the order in which batches are published */
  VyreResidentFile **pins; /* what its table says is resident; one for each resource, or NULL */
  GError *io_error;        /* the first request that could not be served */
  gboolean stolen;
  gboolean orphaned;
  atomic_bool done;
  gint64 published;             /* ns */
  guint32 sequence;             /* of the batches under its index, never 0 */
  atomic_ullong completion_key; /* index and sequence, for waiting without the lock */
  VyreCompletion completion;
  VyrePayload payload;
  void (*let_go) (const VyrePayload *payload); /* gives it back; NULL: nothing to give back */
  VyreTenant *tenant;                          /* told when the batch is through, or NULL */
  VyreStream *stream;                          /* until the batch is through, or NULL */
  guint32 *state;                              /* the words that it starts from, or NULL */
  gboolean follows;                            /* waits for the end of the one before */
  GList follow_link;                           /* of those that do, in its stream */
  gboolean due; /* the one before has ended, and a thread is about to see to it */
  VyreEarly early;
  guint missing;             /* older payloads that it has not, as bits */
  gsize older[VYRE_N_OLDER]; /* where the kernel reads the others, and its own payload */
  gboolean spares_twins;     /* its previous payload is its reference */
  gboolean is_reference;     /* its payload has become the reference */
  GList link;
};

/* All imports of a kernel, kernel/import.c. */
typedef struct _VyreImports VyreImports;

struct _VyreImport {
  gatomicrefcount refs;
  guint generation;     /* of the process */
  VyreImports *imports; /* that it is or was among */
  guint8 *base;         /* whole pages, from here */
  gsize size;
  gboolean abandoned; /* no reference is left, but the device may still read it */
  guint32 number;     /* from 1, among those of the kernel; tickets carry it */
  VyreBuffer memory;
  VyreSource source;                        /* where the kernel reads it itself */
  guint64 copied[VYRE_MAX_TRANSFER_QUEUES]; /* copies up to the last that reads it, by queue */
};

/* The thread that serves requests of batches, kernel/host-requests.c. */
typedef struct _VyreHostRequests VyreHostRequests;

/* How files below kernel/host-requests.c reach it. It installs them before a batch can need
 * them: batches of the proof do not. */
typedef struct {
  gpointer data;
  void (*park) (gpointer data, VyreBatch *batch);
  void (*prefetch) (gpointer data, const VyreFileName *name);
  void (*wake) (gpointer data);
} VyreHostHooks;

struct _VyreMegakernel {
  gatomicrefcount refs;
  guint generation; /* of the process */
  VyreDevice *device;
  VyreMegakernelParams params;
  char *verdict;
  VyrePlacement placement;
  const VyrePlacementTraits *traits; /* of the placement */
  gsize copy_threshold;              /* payloads of so many bytes go by copy engine */
  gsize train_threshold;             /* the same, for payloads behind others of their lane */
  VyreMark mark;                     /* of what has not arrived */
  VyreStore *staging;
  VyreStore *readbacks;
  VyreStore *work;     /* batches as they run and templates; NULL: in the readbacks */
  VyreStore *payloads; /* NULL: where they are staged */
  VyreCopyEngine copy_engine;
  VyreFileIo *file_io;
  VyreHostRequests *service;   /* NULL until the kernel is proven */
  VyreHostHooks host;          /* the same */
  VyreResidentFiles *resident; /* the same */
  VyreBuffer door;
  VyreBuffer state;
  VyreBuffer answer;
  VyrePipeline pipeline;
  VyreImports *imports;
  GThread *launcher;
  GThread *builder; /* of a pipeline with more extras, or NULL */
  guint n_groups;
  guint most_awake;  /* threads of the process that wait awake at a time */
  guint most_copied; /* tickets behind copies, from which on no other copy begins */
  gboolean limited;  /* the device cuts loops short */

  GMutex lock; /* guards what follows, and batches that are not plain */
  GCond wake_launcher;
  GCond room;
  atomic_uint n_waiting; /* threads waiting for it */
  VyreResidency residency;
  guint32 budget;
  guint32 n_templates;
  guint32 launch_sequence;
  guint32 launch_source; /* of the last launch: the number of an import, 0 for the store */
  guint32 retired;       /* launches numbered below leave */
  guint32 expected_exits;
  guint32 dropped; /* tickets taken and not run, as last counted */
  gint64 launched; /* time of the last launch, ns */
  gboolean stays;  /* the last launch waits for more than it was made for */
  gint64 last_activity;
  gboolean follows_gaps;   /* and not the idle timeout alone */
  atomic_uint n_long_gaps; /* between batches, in a row */
  guint active;
  guint n_releasing; /* completed batches whose payloads are going back */
  gboolean collect;  /* counters were read: the service thread collects completions */
  gboolean quit;
  gboolean building;     /* a pipeline with more extras */
  guint32 wanted_extras; /* of that pipeline */
  GError *build_error;   /* not reported yet */
  GError *failure;
  atomic_bool failed;      /* there is one; no lock */
  atomic_bool serves;      /* a launch takes new tickets; set under the lock */
  atomic_uint extras;      /* that it was built with; set under the lock */
  atomic_uint n_in_line;   /* batches in the line of turns; no lock */
  atomic_size_t kept;      /* bytes of the payload store that streams keep; no lock */
  atomic_uint n_leaving;   /* batches that have yet to drop their streams; no lock */
  atomic_uint n_following; /* batches that wait for the one before; set under the lock */
  GQueue lanes;            /* of VyreLane */
  VyreLane *lane;          /* of callers of vyre_megakernel_publish() */
  GQueue turns;            /* of VyreBatch, which wait until what is in flight is cheap enough */
  guint n_copied;          /* tickets in flight that a copy engine brings */
  guint n_cut;             /* batches in flight with more to come */
  guint64 n_turns;         /* numbers of turns */
  guint64 last_turn;       /* of batches without a tenant */
  guint64 load;            /* cost of the dear runs in flight */
  guint64 most;            /* limit of load, unless a single run is more */
  guint lane_part;         /* so much of what lanes cost takes as long as one of anything else */
  guint32 n_published;
  guint64 n_early; /* early runs */
  GArray *places; /* guint, indices that no lane has */
  /* of the last batch under each index, under the lock of the lane that has it */
  guint32 sequences[VYRE_MAX_BATCHES];
  VyreMegakernelCounters counters;
  atomic_uint ticket_limit; /* tickets below it have a place in the ring; no lock */

  VYRE_APART (before_tail);
  atomic_uint tail; /* the number of the next ticket; no lock */
  VYRE_APART (behind_tail);
};

/* Steps that a batch leaves for the time after the lock is dropped: the next batch of its stream is
 * published, the payload goes back, then the tenant is told, for which all payloads have gone back
 * by then. */
typedef struct {
  void (*let_go) (const VyrePayload *payload);
  VyrePayload payload;
  VyreTenant *tenant;
  VyreStream *stream; /* a reference to drop, or NULL */
  VyreKept *kept;     /* payloads that the stream no longer keeps, or NULL */
  VyreBatch *next;    /* of the stream, or NULL */
} VyreRelease;

/* Batches that are taken out of flight while a lock is held. */
#define VYRE_MOST_RELEASES 256

/* Too large to be zeroed. */
typedef struct {
  guint n;
  VyreRelease list[VYRE_MOST_RELEASES];
} VyreReleases;

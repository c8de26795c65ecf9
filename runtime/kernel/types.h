/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The megakernel between its own files: batches in kernel/publish.c up to the doorbell and
 * in kernel/completion.c from there on, what waits its turn in kernel/turns.c, residency in
 * vyre-launcher.c, the proof at start in kernel/proof.c, what few batches want of it in
 * kernel/rare-operations.c, the end in kernel/teardown.c, the rest in kernel/megakernel.c.
 * Everything below the lock is guarded by it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "kernel/readback-marks.h"
#include "device/copy-engine.h"
#include "vyre/megakernel.h"
#include "device/buffer.h"
#include "device/pipeline.h"
#include "plan/plan-private.h"
#include "kernel/host-requests.h"
#include "device/store-private.h"

/* Loop iterations after which some devices end every loop, without a word;
 * the budget stays below with room for what a ticket's cost rounds. */
#define VYRE_LOOP_LIMIT 65535u
#define VYRE_RELAY_BUDGET 60000u

struct _VyreBatch {
  VyreMegakernel *kernel; /* not owned: the owner of the batch keeps it alive */
  VyrePlan *plan;         /* of what is left of it, once it was parked */
  guint index;
  guint32 first_ticket;
  VyreRun run;      /* what of it is in flight, or will be next */
  gboolean cut;     /* there are several */
  gboolean started; /* its slice is where it runs; not so of the rest of one that was parked */
  gboolean small;
  gsize readback;
  gsize work;              /* slice of the work store, unless small or the readback is it */
  gsize stored_at;         /* slice of the payload store, unless payloads are read in place */
  gsize arrived;           /* how much of the readback was found to be there */
  gboolean by_copy_engine; /* its payload and tickets, in the run that is in flight */
  guint64 copy;            /* which copy that is */
  gboolean rung;           /* its publisher is through with it */
  gboolean parked;         /* with the service, and not in flight */
  gboolean asked;          /* the last run of it made requests */
  gboolean resumed;        /* its payload is where the kernel reads it */
  guint32 number;          /* of the batches as published */
  VyreResidentFile **pins; /* what its table says is resident; one for each resource, or NULL */
  GError *io_error;        /* the first request that could not be served */
  gboolean stolen;
  gboolean orphaned;
  atomic_bool done;
  gint64 published;             /* ns */
  guint32 sequence;             /* of the kernel's batches, from 1 */
  atomic_ullong completion_key; /* index and sequence, for who waits without the lock */
  VyreCompletion completion;
  VyrePayload payload;
  VyreTenant *tenant; /* who waits for it to be drained, or NULL */
  GList link;
};

/* What a kernel knows of its imports, kernel/import.c. */
typedef struct _VyreImports VyreImports;

struct _VyreMegakernel {
  gatomicrefcount refs;
  guint generation; /* of the process */
  VyreDevice *device;
  VyreMegakernelParams params;
  char *verdict;
  VyrePlacement placement;
  gsize copy_threshold; /* payloads of so many bytes go by copy engine */
  VyreMark mark;        /* of what has not arrived */
  VyreStore *staging;
  VyreStore *readbacks;
  VyreStore *work;     /* batches as they run and templates; NULL: in the readbacks */
  VyreStore *payloads; /* NULL: where they are staged */
  VyreCopyEngine copy_engine;
  VyreFileIo *file_io;
  VyreHostRequests *service; /* NULL until the kernel is proven */
  VyreBuffer door;
  VyreBuffer state;
  VyreBuffer answer;
  VyrePipeline pipeline;
  VyreImports *imports;
  GThread *launcher;
  GThread *builder; /* of the pipeline in full, or NULL */
  guint n_groups;
  gboolean limited; /* the device cuts loops short */

  GMutex lock;
  GCond wake_launcher;
  GCond room;
  guint n_waiting; /* threads waiting for it */
  VyreResidency residency;
  guint32 budget;
  guint32 tail;
  guint32 batch_sequence;
  guint32 n_templates;
  guint32 launch_sequence;
  guint32 launch_source; /* of the last launch: the number of an import, 0 for the store */
  guint32 retired;       /* launches numbered below leave */
  guint32 expected_exits;
  guint32 dropped; /* tickets taken and not run, as last counted */
  gint64 launched; /* time of the last launch, ns */
  gboolean stays;  /* the last launch waits for more than it was made for */
  gint64 last_activity;
  gboolean follows_gaps; /* and not the idle timeout alone */
  guint n_long_gaps;     /* between batches, in a row */
  guint active;
  guint n_releasing; /* batches that are through, and whose payloads are going back */
  gboolean collect;  /* somebody wants to know what is through: the service looks */
  guint n_ringing;   /* batches in flight that their publisher has not launched for yet */
  gboolean quit;
  gboolean building;   /* the pipeline in full */
  GError *build_error; /* nobody has been told of */
  GError *failure;
  GQueue in_flight;  /* of VyreBatch, as they took their places */
  GQueue turns;      /* of VyreBatch, which wait until what is in flight is cheap enough */
  guint n_cut;       /* batches in flight with more to come */
  guint64 n_turns;   /* numbers of turns */
  guint64 last_turn; /* of those without a tenant */
  guint64 load;      /* cost of the dear runs in flight */
  guint64 most;      /* that it may be, unless a single run is more */
  guint lane_part;   /* so much of what lanes cost takes as long as one of anything else */
  guint32 n_published;
  guint free_indices[VYRE_MAX_BATCHES];
  guint32 sequences[VYRE_MAX_BATCHES]; /* of the last batch under each index */
  guint n_free;
  VyreMegakernelCounters counters;
  atomic_ullong spin_time;
};

/* Who is told, after the lock is dropped, that a batch is through: the payload's owner
 * before the tenant, who may take it that all payloads have gone back. */
typedef struct {
  VyrePayload payload;
  VyreTenant *tenant;
} VyreRelease;

/* Too large to be zeroed. */
typedef struct {
  guint n;
  VyreRelease list[VYRE_MAX_BATCHES];
} VyreReleases;

gint64 vyre_now (void);
void vyre_batch_destroy (VyreBatch *batch);
void vyre_batch_free_memory (VyreBatch *batch);
guint vyre_batch_count_tickets (const VyreBatch *batch);
void vyre_batch_drop (const VyreBatch *batch);
guint8 *vyre_batch_readback (const VyreBatch *batch);
guint8 *vyre_batch_get_io_queue (VyreBatch *batch);
gboolean vyre_batch_may_write (VyreBatch *batch);
gboolean vyre_batch_has_writes_left (VyreBatch *batch);
void vyre_batch_resume (VyreBatch *batch, gboolean writes);
gboolean vyre_batch_has_room (const VyreBatch *batch);
void vyre_batch_enter (VyreBatch *batch);
void vyre_batch_ring (VyreBatch *batch, VyrePayload *done_with);
VyreRelease vyre_batch_give_up (VyreBatch *batch);
void vyre_batch_complete (VyreBatch *batch, VyreReleases *releases);
void vyre_batch_end (VyreBatch *batch);
gboolean vyre_batch_is_completed (VyreBatch *batch);
VyreRelease vyre_batch_take_release (VyreBatch *batch);
void vyre_release_run (const VyreRelease *release);
void vyre_megakernel_reap (VyreMegakernel *kernel, VyreReleases *releases);
void vyre_megakernel_collect (VyreMegakernel *kernel);
void vyre_releases_run (VyreReleases *releases);
void vyre_megakernel_fail (VyreMegakernel *kernel, GError *error);
gboolean vyre_megakernel_set_failure (const VyreMegakernel *kernel, GError **error);

gboolean vyre_megakernel_is_discrete (const VyreMegakernel *kernel);
gboolean vyre_megakernel_take_down (VyreMegakernel *kernel, gint64 limit);

gboolean vyre_rare_wait (VyreMegakernel *kernel, gint64 end_time, GError **error);
void vyre_rare_join (VyreMegakernel *kernel);

void vyre_turns_begin (VyreBatch *batch);
gboolean vyre_turns_may_enter (const VyreBatch *batch);
void vyre_turns_entered (VyreBatch *batch);
void vyre_turns_left (VyreBatch *batch);
void vyre_turns_queue (VyreBatch *batch);
gboolean vyre_turns_go_on (VyreBatch *batch, const guint8 *report);
gboolean vyre_turns_proceed (VyreMegakernel *kernel);
void vyre_turns_end (VyreMegakernel *kernel);

void vyre_launcher_set_idle_timeout (VyreMegakernel *kernel, guint64 idle_timeout);
void vyre_launcher_follow_gaps (VyreMegakernel *kernel, guint64 idle_timeout);
void vyre_launcher_published (VyreMegakernel *kernel, const VyreBatch *batch);
void vyre_launcher_park (VyreMegakernel *kernel);
void vyre_launcher_replace (VyreMegakernel *kernel);
void vyre_launcher_retire (VyreMegakernel *kernel, guint32 sequence);
gpointer vyre_launcher_run (gpointer data);

gboolean vyre_prove (VyreMegakernel *kernel, VyreResidency *next, GString *verdict, GError **error);

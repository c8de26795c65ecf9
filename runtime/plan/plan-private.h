/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plan as the megakernel publishes it.
 */
#pragma once

#include "program/file-name.h"
#include "program/handler-words.h"
#include "vyre/plan.h"

typedef struct {
  guint32 words[VYRE_TICKET_WORDS];
} VyreTicket;

/* Older payloads that a batch without a stream lacks: all of them. */
#define VYRE_ALL_MISSING 0xEu

/* A run takes a small part of the ticket ring, so that many find room. */
#define VYRE_RUN_MAX_TICKETS 4096u

/* Fences that one lane runs together may cost so much. */
#define VYRE_FENCES_COST_MAX (VYRE_COST_MAX / 2)

/* What a slot does, as far as its cost goes: operations, the words that they copy, and whether one
 * of them is a fence. */
typedef struct {
  guint ops;
  guint64 copy_words;
  gboolean fence;
} VyreSlotWork;

/* The part of a batch that is published at a time: tickets of its plan or, behind all of them, one
 * ticket for fences alone. */
typedef struct {
  gboolean spares_twins; /* of every run of a batch whose previous payload is its reference */
  guint ticket;          /* the first one's index in the plan */
  guint n_tickets;
  guint fence_first; /* of the slots whose fences the last ticket to end runs */
  guint fence_end;
  gboolean solo; /* the fence before fence_end is run by a workgroup, as the ticket */
  guint64 cost;
} VyreRun;

/* The word VYRE_TICKET_PAYLOAD of a plan's ticket, in whose place a batch puts an address: the
 * payload that the region of a tile is of, the older ones that its slot reads, as bits, whether the
 * slot is the second of twins, and whether it needs nothing of the batch before. */
#define VYRE_TILE_READS(from, older) ((from) | (older) << 2)
#define VYRE_TILE_FROM(word) ((word)&3u)
#define VYRE_TILE_OLDER(word) ((word) >> 2 & 0xFu)
#define VYRE_TILE_OF_TWIN 0x100u
#define VYRE_TILE_EARLY 0x200u

/* The state that the first kernel to run a plan keeps with it; only that kernel knows more of it
 * than how to free it. */
typedef struct _VyreTemplate VyreTemplate;
struct _VyreTemplate {
  void (*free) (VyreTemplate *template);
};

struct _VyrePlan {
  gatomicrefcount refs;
  VyreBoundProgram *bound;
  VyreAccess *access; /* to the files of the bound program, of which there are none without */
  gsize payload_size;
  guint workgroup;
  VyreLayout layout;
  VyreSchedule schedule;
  guint max_passes;
  guint32 extras;     /* that the kernel needs, VYRE_EXTRA_… */
  gboolean shut_down; /* from the start: nothing runs */
  gboolean served;    /* the megakernel serves what its batches ask for, and has them go on */
  guint n_state;      /* words that start as the batch before left them */
  guint older;        /* payloads that its regions are of, but for its own: bits by VYRE_FROM_… */
  gboolean writes;    /* to files, in the order of the batches */
  guint writes_end;   /* the slot before which others may ask for writes */
  VyrePlan *origin;   /* of the rest of a batch: the plan that it began with, or NULL */
  guint n_handlers;
  guint handler_words;
  gsize scratch_offset;  /* of the scratch in the slice, bytes */
  gsize report_size;     /* of what the host reads of it: the readback and the report */
  gsize copied_granules; /* of the readback's first parts, as far as the kernel changes them */
  gsize slice_size;
  guint32 *slice;      /* initial contents of a batch */
  GArray *tickets;     /* of VyreTicket, as far as they do not depend on the batch */
  guint16 *twins;      /* one word for each slot, see plan/twins.c; or NULL: there are none */
  guint early_tickets; /* of slots that need nothing of the batch before: the first ones */
  guint64 early_cost;  /* of these */
  guint twin_tickets;  /* of second twins: the last ones */
  guint64 twin_cost;   /* of these */
  guint64 twin_bytes;  /* that second twins read */
  guint64 cost;        /* of all of them */
  guint64 lane_cost;   /* of those of lanes */
  guint dearest;       /* of one of them */
  gboolean small;      /* small: small_ticket does the same as all of them */
  VyreTicket small_ticket;
  gsize small_size;       /* of the slice with the steps, bytes */
  VyreTemplate *template; /* or NULL; atomic, since kernels publish a plan at the same time */
  guint fence_first;
  guint fence_end;
  guint64 fence_cost;
  gboolean fences_apart; /* run behind all tickets, in runs of their own */
  guint copy_cost;       /* of copying the readback out, where that is done */
  guint64 region_bytes;  /* the kernel reads this many if no slot faults or is refused */
};

/* Whether batches of the plan that have a stream follow one another. */
static inline gboolean
vyre_plan_follows (const VyrePlan *plan)
{
  return plan->n_state > 0 || plan->older != 0;
}

static inline guint32
vyre_plan_slot_word (const VyreBoundProgram *bound, guint slot, guint word)
{
  return bound->slots[slot * VYRE_SLOT_WORDS + word];
}

/* The word of the slice with the verdict of a slot. */
static inline gsize
vyre_plan_verdict_word (const VyrePlan *plan, guint slot)
{
  return plan->scratch_offset / 4 + VYRE_SCRATCH_SLOTS + (gsize)slot * VYRE_SCRATCH_SLOT_WORDS
         + VYRE_SCRATCH_SLOT_VERDICT;
}

static inline guint32
vyre_plan_slot_arg (const VyreBoundProgram *bound, guint slot, guint arg)
{
  return vyre_plan_slot_word (bound, slot, VYRE_SLOT_ARGS + arg);
}

/* plan/state.c */
guint vyre_plan_count_state (const VyreBoundProgram *bound);
guint vyre_plan_find_older (const VyrePlan *plan);
guint32 vyre_plan_tile_reads (const VyrePlan *plan, guint slot);
gboolean vyre_plan_is_early (const VyrePlan *plan, guint slot);
gboolean vyre_plan_may_run_early (const VyrePlan *plan);
gboolean vyre_plan_lacks_payload (const VyrePlan *plan, guint slot, guint missing);
void vyre_plan_write_payloads (
    const VyrePlan *plan, const gsize *payloads, guint n, guint32 *slice);
void vyre_plan_empty_regions (const VyrePlan *plan, guint missing, guint32 *slice);
void vyre_plan_write_state (const VyrePlan *plan, const guint32 *words, guint32 *slice);

/* plan/requests.c */
gboolean vyre_plan_may_run (const VyrePlan *plan, guint slot);
guint32 vyre_plan_find_extras (const VyrePlan *plan);
gboolean vyre_plan_writes_queues (const VyrePlan *plan);
void vyre_plan_find_requests (const VyreBoundProgram *bound, gboolean *reads, gboolean *writes);
guint vyre_plan_find_writes_end (const VyrePlan *plan, const guint32 *slice, guint first);

/* plan/cost.c */
VyreSlotWork vyre_plan_scan_slot (const VyreBoundProgram *bound, guint slot);
guint64 vyre_plan_solo_cost (const VyrePlan *plan, guint slot);
guint64 vyre_plan_lane_cost (const VyrePlan *plan, guint slot);
guint64 vyre_plan_round_cost (const VyrePlan *plan, guint first, guint count);
guint64 vyre_plan_fence_cost (const VyrePlan *plan, guint slot, gboolean *solo);

/* plan/tickets.c */
void vyre_plan_append_ticket (VyrePlan *plan, const VyreTicket *ticket);
gboolean vyre_plan_add_ticket (
    VyrePlan *plan, guint64 cost, const VyreTicket *ticket, GError **error);
gboolean vyre_plan_add_nothing (VyrePlan *plan, GError **error);

/* plan/tiles.c */
gboolean vyre_plan_add_tiles (VyrePlan *plan, guint slot, guint n_tiled, GError **error);
guint64 vyre_plan_count_bytes_read (
    const VyrePlan *plan, const guint8 *readback, guint missing, gboolean spares_twins);

/* plan/twins.c */
gboolean vyre_plan_find_twins (VyrePlan *plan, GError **error);
guint vyre_plan_twin_behind (const VyrePlan *plan, guint slot);
gboolean vyre_plan_is_twin (const VyrePlan *plan, guint slot);

/* plan/order.c */
void vyre_plan_order_tickets (VyrePlan *plan);

/* plan/cut.c */
gboolean vyre_plan_cut (VyrePlan *plan, GError **error);

/* plan/small.c */
gint64 vyre_plan_tag_word (const VyrePlan *plan);
void vyre_plan_make_small (VyrePlan *plan);

/* plan/run.c */
gboolean vyre_plan_early_run (const VyrePlan *plan, VyreRun *run);
void vyre_plan_end_run (const VyrePlan *plan, VyreRun *run);
gboolean vyre_plan_next_run (const VyrePlan *plan, guint64 limit, guint lane_part, VyreRun *run);
gboolean vyre_plan_is_last_run (const VyrePlan *plan, const VyreRun *run);
gboolean vyre_plan_runs_at_once (const VyrePlan *plan, const VyreRun *run);
void vyre_plan_write_run (const VyrePlan *plan, const VyreRun *run, guint32 *slice);
void vyre_plan_write_ticket (const VyrePlan *plan, const VyreRun *run, guint index, guint32 *words);

/* plan/plan.c */
VyreFileName vyre_plan_resource_name (const VyrePlan *plan, guint resource);
gsize vyre_plan_resource_word (const VyrePlan *plan, guint resource);
VyrePlan *vyre_plan_alloc (VyreBoundProgram *bound, gsize payload_size, guint workgroup,
    const VyreHandlers *handlers, gboolean served, GError **error);
void vyre_plan_write_scratch (VyrePlan *plan);

/* plan/continue.c */
VyrePlan *vyre_plan_continue (
    VyrePlan *plan, const guint8 *readback, gboolean writes, GError **error);

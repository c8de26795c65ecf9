/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the runtime and the megakernel say to each other besides the wire ABI:
 * the doorbell, tickets, batch descriptors, scratch and completions. Read by C
 * and GLSL. None of it is seen outside libvyre.
 *
 * A ticket is the unit of work one workgroup takes. The host plans the tickets
 * of a batch, writes them to the ticket ring and then stores the new tail;
 * workgroups advance the head by compare-and-swap. A workgroup never owns a
 * ticket it cannot start at once, so a kernel that ends leaves none behind and
 * no batch waits for a workgroup that may not be running.
 */
#ifndef VYRE_KERNEL_H
#define VYRE_KERNEL_H

/* bindings */
#define VYRE_BIND_DOOR 0
#define VYRE_BIND_STATE 1
#define VYRE_BIND_WORK 2
#define VYRE_BIND_PAYLOAD 3
#define VYRE_BIND_ANSWER 4
#define VYRE_N_BINDINGS 5

/* door, host to kernel, in words; tail and retire on cache lines of their own */
#define VYRE_DOOR_TAIL 0
#define VYRE_DOOR_RETIRE 32
#define VYRE_DOOR_BATCHES 64
#define VYRE_MAX_BATCHES 256
#define VYRE_BATCH_WORDS 16
#define VYRE_DOOR_TICKETS (VYRE_DOOR_BATCHES + VYRE_MAX_BATCHES * VYRE_BATCH_WORDS)
#define VYRE_MAX_TICKETS 8192
#define VYRE_TICKET_WORDS 8
#define VYRE_DOOR_WORDS (VYRE_DOOR_TICKETS + VYRE_MAX_TICKETS * VYRE_TICKET_WORDS)

/* batch descriptor */
#define VYRE_BATCH_BASE 0
#define VYRE_BATCH_CONTROL_WORDS 1
#define VYRE_BATCH_SLOTS 2
#define VYRE_BATCH_SCRATCH 3
#define VYRE_BATCH_PAYLOAD_GRANULE 4
#define VYRE_BATCH_PAYLOAD_BYTES 5
#define VYRE_BATCH_FENCE_FIRST 6
#define VYRE_BATCH_FENCE_END 7
#define VYRE_BATCH_SEQUENCE 8

/* ticket: LANES runs COUNT cheap slots from SLOT, a lane each; SOLO runs one
 * slot with the whole workgroup; TILE runs a payload slot over a rectangle of
 * its region. COST is an upper bound of the loop iterations it takes. */
#define VYRE_TICKET_BATCH 0
#define VYRE_TICKET_KIND 1
#define VYRE_TICKET_SLOT 2
#define VYRE_TICKET_COST 3
#define VYRE_TICKET_COUNT 4
#define VYRE_TICKET_ROW 4
#define VYRE_TICKET_ROWS 5
#define VYRE_TICKET_COLUMN 6
#define VYRE_TICKET_WIDTH 7
#define VYRE_KIND_LANES 0
#define VYRE_KIND_SOLO 1
#define VYRE_KIND_TILE 2

/* scratch of a batch, behind its io queue, written by the host with the image */
#define VYRE_SCRATCH_TICKETS_LEFT 0
#define VYRE_SCRATCH_FAULTS 1
#define VYRE_SCRATCH_DROPPED 2
#define VYRE_SCRATCH_BYTES 3
#define VYRE_SCRATCH_SLOTS 8
#define VYRE_SCRATCH_SLOT_WORDS 2
#define VYRE_SCRATCH_SLOT_TILES_LEFT 0
#define VYRE_SCRATCH_SLOT_VERDICT 1

/* verdict of a slot: whether it may run is decided once, by its first tile */
#define VYRE_VERDICT_OPEN 0
#define VYRE_VERDICT_RUN 1
#define VYRE_VERDICT_REFUSED 2
#define VYRE_VERDICT_FENCE 3

/* state, private to the kernel */
#define VYRE_STATE_HEAD 0
#define VYRE_STATE_ALIVE 32
#define VYRE_STATE_WORDS 64

/* answer, kernel to host: a completion per batch, then totals */
#define VYRE_COMPLETION_WORDS 8
#define VYRE_COMPLETION_SEQUENCE 0
#define VYRE_COMPLETION_FAULTS 1
#define VYRE_COMPLETION_DROPPED 2
#define VYRE_COMPLETION_BYTES 3
#define VYRE_ANSWER_IDLE_POLLS (VYRE_MAX_BATCHES * VYRE_COMPLETION_WORDS)
#define VYRE_ANSWER_EXITS (VYRE_ANSWER_IDLE_POLLS + 2)
#define VYRE_ANSWER_PROBE (VYRE_ANSWER_IDLE_POLLS + 3)
#define VYRE_ANSWER_WORDS (VYRE_ANSWER_IDLE_POLLS + 16)

/* push constants of a launch */
#define VYRE_LAUNCH_SEQUENCE 0
#define VYRE_LAUNCH_FLAGS 1
#define VYRE_LAUNCH_BUDGET 2
#define VYRE_LAUNCH_LIMIT 3
#define VYRE_LAUNCH_LINGER 4
#define VYRE_LAUNCH_BACKLOG 5
#define VYRE_LAUNCH_WORDS 6

/* Without POLL a launch runs the tickets before LIMIT and ends: one dispatch.
 * With it, workgroups wait for more until retired or out of budget. PROBE only
 * counts BUDGET iterations, to find out whether the device lets a loop run. */
#define VYRE_FLAG_POLL 1u
#define VYRE_FLAG_PROBE 2u

/* A region is read in granules of 16 bytes, aligned in memory whatever the
 * alignment of the region; a row of w bytes touches at most this many. */
#define VYRE_ROW_GRANULES(w) (((w) + 30u) / VYRE_GRANULE)

/* The granules inside a tile of one row are taken so many at a step by
 * U8_STATS and U8_BELOW. */
#define VYRE_INNER_STEPS 4u

/* Above this many words a MEMCPY takes the whole workgroup. */
#define VYRE_LANE_MEMCPY_WORDS 64u

/* Upper bounds of loop iterations, for the planner: taking a ticket, an
 * operation of a lane, one of a whole workgroup, anything around a tile's main
 * loop, a step of U8_HISTOGRAM's, and the most one ticket may cost. A device that executes masked-off code
 * runs every loop's body once even when it has nothing to do. The last also
 * keeps a lane's 32-bit sum of squares from overflowing: 4096 granules of 16
 * bytes are 65 536 * 255 * 255 < 2^32. */
#define VYRE_COST_TICKET 64u
#define VYRE_COST_LANE_OP 8u
#define VYRE_COST_OP 80u
#define VYRE_COST_TILE 96u
#define VYRE_COST_HISTOGRAM_STEP 7u
#define VYRE_COST_TILE_LOOP_MAX 4096u
#define VYRE_COST_MAX 24000u

#endif /* VYRE_KERNEL_H */

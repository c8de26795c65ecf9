/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The interface between the runtime and the megakernel beside the wire ABI: the doorbell, tickets,
 * batch descriptors, scratch, completions, and rules that both sides apply. Read by C and GLSL, and
 * not installed.
 *
 * A ticket is the unit of work one workgroup takes. docs/protocol.md says who
 * writes these words before what.
 */
#ifndef VYRE_KERNEL_H
#define VYRE_KERNEL_H

/* bindings; without a store of its own for batches READBACK is WORK, and batches
 * run where their readback is wanted */
#define VYRE_BIND_DOOR 0
#define VYRE_BIND_STATE 1
#define VYRE_BIND_WORK 2
#define VYRE_BIND_PAYLOAD 3
#define VYRE_BIND_ANSWER 4
#define VYRE_BIND_READBACK 5
#define VYRE_BIND_STORE 6 /* the payload store, also where a launch reads payloads of an import */
#define VYRE_N_BUFFERS 7
#define VYRE_BIND_TEXELS 7 /* PAYLOAD once more, where it is the host's memory */

/* specialization constants */
#define VYRE_SPEC_WORKGROUP 0
#define VYRE_SPEC_WORKGROUP_BITS 1
#define VYRE_SPEC_EXTRAS 2
#define VYRE_SPEC_TEXELS 3
#define VYRE_N_SPECS 4

/* Extras: code that few batches need, and that a kernel may be built without, as bits. RARE:
 * priorities, handlers, requests to the host; SAMPLES: opcodes over samples; AUDIO: opcodes over
 * channels of audio, and CRC32C; PICTURES: opcodes over one or two components of a picture;
 * PACKED: samples of 10 bits, three in a word, for opcodes over samples and pictures; JOINT: the
 * joint histogram of a picture. */
#define VYRE_EXTRA_RARE 1u
#define VYRE_EXTRA_SAMPLES 2u
#define VYRE_EXTRA_AUDIO 4u
#define VYRE_EXTRA_PICTURES 8u
#define VYRE_EXTRA_PACKED 16u
#define VYRE_EXTRA_JOINT 32u
#define VYRE_EXTRAS 63u

/* A CPU's workgroups are not larger, a GPU's are. */
#define VYRE_CPU_WORKGROUP 32u

/* door, host to kernel, in granules: the word that retires launches, then the
 * ticket ring, a cache line each */
#define VYRE_DOOR_RETIRE 0
#define VYRE_DOOR_TICKETS 8
#define VYRE_MAX_TICKETS 65536
#define VYRE_TICKET_GRANULES 4
#define VYRE_TICKET_BYTES 64
#define VYRE_DOOR_GRANULES (VYRE_DOOR_TICKETS + VYRE_MAX_TICKETS * VYRE_TICKET_GRANULES)
#define VYRE_MAX_BATCHES 8192

/* The mark of ticket n: its first word, and every fourth from there. */
#define VYRE_TICKET_MARK(n) ((n) + 1u)

/* ticket, without the marks: LANES runs COUNT cheap slots from SLOT, a lane each;
 * SOLO runs one slot with the whole workgroup; TILE runs a payload slot over a
 * rectangle of its region; PASSES runs a ring with priorities; LOCAL runs all STEPS
 * of a small batch, whose initial state is the template at BASE, in shared memory. COST is an upper
 * bound of the loop iterations it takes. */
#define VYRE_TICKET_KIND 0 /* of it, from bit 10 the batch's index, from bit 23 the source */
#define VYRE_TICKET_COST 1
#define VYRE_TICKET_BASE 2    /* word of WORK where the slice starts */
#define VYRE_TICKET_SCRATCH 3 /* words from there to the scratch */
#define VYRE_TICKET_PAYLOAD 4 /* byte of the source */
#define VYRE_TICKET_SEQUENCE 5
#define VYRE_TICKET_READBACK 6 /* granule */
#define VYRE_TICKET_SLOT 7 /* of a TILE, from bit 20 how far behind it its twin is, or 0 */
#define VYRE_TICKET_COUNT 8
#define VYRE_TICKET_PASSES 9
#define VYRE_TICKET_ROW 8
#define VYRE_TICKET_ROWS 9
#define VYRE_TICKET_COLUMN 10
#define VYRE_TICKET_WIDTH 11
#define VYRE_TICKET_WORDS 12
#define VYRE_TICKET_TAG 7 /* of LOCAL, from here */
#define VYRE_TICKET_TAG_WORD 8
#define VYRE_TICKET_TEMPLATE 9
#define VYRE_TICKET_LOCAL_WORDS 10
#define VYRE_TICKET_STEPS 11
#define VYRE_KIND_OF(word) ((word) & 7u)
#define VYRE_SLOT_OF(word) ((word) & 0xFFFFFu) /* below VYRE_ENCODE_MAX */
#define VYRE_TWIN_BEHIND(slots) ((slots) << 20)
#define VYRE_TWIN_OF(word) ((word) >> 20)
#define VYRE_MAX_TWIN_BEHIND 0xFFFu
#define VYRE_KIND_NEEDS(extras) ((extras) << 3) /* only a kernel that has these can run it */
#define VYRE_KIND_INDEX(index) ((index) << 10)
#define VYRE_KIND_SOURCE(source) ((source) << 23)
#define VYRE_NEEDS_OF(word) ((word) >> 3 & VYRE_EXTRAS)
#define VYRE_KIND_DROPPED 0x200u /* its batch was abandoned: it is taken, and not run */
#define VYRE_INDEX_OF(word) ((word) >> 10 & 0x1FFFu) /* below VYRE_MAX_BATCHES */
#define VYRE_SOURCE_OF(word) ((word) >> 23)
#define VYRE_MAX_SOURCES 0x1FFu
#define VYRE_KIND_LANES 0
#define VYRE_KIND_SOLO 1
#define VYRE_KIND_TILE 2
#define VYRE_KIND_LOCAL 3
#define VYRE_KIND_PASSES 4

/* a step of a LOCAL ticket: its kind, then SLOT to WIDTH as in a ticket */
#define VYRE_STEP_KIND 0
#define VYRE_STEP_SLOT 1
#define VYRE_STEP_WORDS 6
#define VYRE_NO_TAG_WORD 0xFFFFFFFFu

/* scratch of a batch, on the first granule behind its io queue: the report that the host reads with
 * the readback, facts about the batch for the kernel, then two words for each slot */
#define VYRE_SCRATCH_TICKETS_LEFT 0
#define VYRE_SCRATCH_FAULTS 1
#define VYRE_SCRATCH_DROPPED 2
#define VYRE_SCRATCH_BYTES 3
#define VYRE_SCRATCH_WAITING 5 /* slots that wait for the host, or for room to ask it */
#define VYRE_SCRATCH_SERVED 6 /* 0: the host does not have the batch go on; else, below */
#define VYRE_SCRATCH_ASKED 7 /* requests made */
#define VYRE_SCRATCH_REPORT_WORDS 8
#define VYRE_SCRATCH_ABOUT 8
#define VYRE_ABOUT_CONTROL_WORDS 0
#define VYRE_ABOUT_SLOTS 1
#define VYRE_ABOUT_PAYLOAD_BYTES 2
#define VYRE_ABOUT_FENCE_FIRST 3
#define VYRE_ABOUT_FENCE_END 4
#define VYRE_ABOUT_HANDLERS 5      /* how many */
#define VYRE_ABOUT_HANDLER_WORDS 6 /* and what they take, behind the slots' words */
#define VYRE_ABOUT_COPIED 7        /* granules of the readback that are copied out */
#define VYRE_ABOUT_WORDS 8
/* where the payload of the batch and those older ones start, by VYRE_FROM_...: bytes of the source,
 * of a plan that reads older ones */
#define VYRE_SCRATCH_PAYLOADS 16
#define VYRE_SCRATCH_SLOTS 20
#define VYRE_SCRATCH_SLOT_WORDS 2
#define VYRE_SCRATCH_SLOT_TILES_LEFT 0
#define VYRE_SCRATCH_SLOT_PASS 0 /* of the worker of that number, under PASSES */
#define VYRE_SCRATCH_SLOT_VERDICT 1

/* of a batch that goes on: 1 and the number of resources, and the slot before which others may
 * ask for writes */
#define VYRE_SERVED(resources, writes_end) ((1u + (resources)) | ((writes_end) << 8))
#define VYRE_SERVED_RESOURCES(word) ((word) & 0xFFu)
#define VYRE_SERVED_WRITES_END(word) ((word) >> 8)

/* entry of a resource, behind the handlers: the granule of the payload store where it lies, and its
 * bytes, or NOT_RESIDENT */
#define VYRE_RESOURCE_GRANULE 0
#define VYRE_RESOURCE_BYTES 1
#define VYRE_RESOURCE_TABLE_WORDS 2
#define VYRE_NOT_RESIDENT 0xFFFFFFFFu

/* a handler of an opcode: the opcode, words from the first handler to its
 * instructions, and how many those are; an instruction is an operation, a result and
 * two operands, a byte each, and an immediate. The operations are those of
 * VyreOperation. */
#define VYRE_HANDLER_WORDS 3
#define VYRE_INSTRUCTION_WORDS 2
#define VYRE_HANDLER_REGISTERS 16
#define VYRE_HANDLER_INSTRUCTIONS 32
#define VYRE_DO_SET 0u
#define VYRE_DO_ADD 1u
#define VYRE_DO_SUBTRACT 2u
#define VYRE_DO_MULTIPLY 3u
#define VYRE_DO_AND 4u
#define VYRE_DO_OR 5u
#define VYRE_DO_XOR 6u
#define VYRE_DO_SHIFT_LEFT 7u
#define VYRE_DO_SHIFT_RIGHT 8u
#define VYRE_DO_RUN 9u

/* After so many urgent slots of a ring with priorities in a row, others have their
 * turn. */
#define VYRE_STARVATION_LIMIT 16

/* verdict of a slot: whether it may run is decided once, by its first tile */
#define VYRE_VERDICT_OPEN 0
#define VYRE_VERDICT_RUN 1
#define VYRE_VERDICT_REFUSED 2
#define VYRE_VERDICT_FENCE 3

/* state, private to the kernel. HEAD is the next ticket where workgroups take
 * what is there; where they hold a ticket before it is there, the CLAIMS-th claim
 * of a launch gets one of the N_HELD that the last launch left behind, lowest
 * first, and then those from FIRST on. */
#define VYRE_MAX_GROUPS 1024
#define VYRE_STATE_HEAD 0
#define VYRE_STATE_ALIVE 32
#define VYRE_STATE_CLAIMS 64
#define VYRE_STATE_N_HELD 96
#define VYRE_STATE_FIRST 97
#define VYRE_STATE_N_LEFT 128
#define VYRE_STATE_N_GONE 160
#define VYRE_STATE_HELD 192
#define VYRE_STATE_LEFT (VYRE_STATE_HELD + VYRE_MAX_GROUPS)
#define VYRE_STATE_WORDS (VYRE_STATE_LEFT + VYRE_MAX_GROUPS)

/* answer, kernel to host: the sequence number of the last batch completed under
 * each index, a cache line apart, then totals */
#define VYRE_COMPLETION_WORDS 16
#define VYRE_ANSWER_IDLE_POLLS (VYRE_MAX_BATCHES * VYRE_COMPLETION_WORDS)
#define VYRE_ANSWER_EXITS (VYRE_ANSWER_IDLE_POLLS + 2)
#define VYRE_ANSWER_PROBE (VYRE_ANSWER_IDLE_POLLS + 3)
#define VYRE_ANSWER_PROBE_HASH (VYRE_ANSWER_IDLE_POLLS + 4)
#define VYRE_ANSWER_RESIDENT (VYRE_ANSWER_IDLE_POLLS + 5)
#define VYRE_ANSWER_DROPPED (VYRE_ANSWER_IDLE_POLLS + 6) /* tickets taken and not run */
#define VYRE_ANSWER_PROGRESS (VYRE_ANSWER_IDLE_POLLS + 16)
#define VYRE_ANSWER_WORDS (VYRE_ANSWER_IDLE_POLLS + 32)

/* push constants of a launch */
#define VYRE_LAUNCH_SEQUENCE 0
#define VYRE_LAUNCH_FLAGS 1
#define VYRE_LAUNCH_BUDGET 2
#define VYRE_LAUNCH_LIMIT 3
#define VYRE_LAUNCH_LINGER 4
#define VYRE_LAUNCH_BACKLOG 5
#define VYRE_LAUNCH_SOURCE 6 /* whose payloads it reads, of an import; 0 for the store */
#define VYRE_LAUNCH_WORDS 7

/* Without POLL a launch runs the tickets before LIMIT and ends: one dispatch.
 * With it, workgroups wait for more until retired or out of budget, and with HOLD
 * as well each waits for a ticket of its own. PROBE only counts BUDGET iterations,
 * to find out whether the device lets a loop run; CENSUS counts the workgroups
 * that are there at the same time. */
#define VYRE_FLAG_POLL 1u
#define VYRE_FLAG_PROBE 2u
#define VYRE_FLAG_HOLD 4u
#define VYRE_FLAG_CENSUS 8u

/* A step of the probe's hash, for both sides: no compiler can leave the loop out. */
#define VYRE_PROBE_STEP(x) ((x)*1664525u + 1013904223u)

/* A region is read in granules of 16 bytes, aligned in memory whatever the
 * alignment of the region; a row of w bytes touches at most this many. */
#define VYRE_ROW_GRANULES(w) (((w) + 30u) / VYRE_GRANULE)

/* The shapes of regions that a payload opcode takes. */
#define VYRE_SHAPE_ANY 0u
#define VYRE_SHAPE_LINEAR 1u

/* How the region of a picture opcode is cut into tiles: any, whole rows or whole columns. A tile has
 * so many of these at most, and each so many samples. */
#define VYRE_CUT_TILES 0u
#define VYRE_CUT_ROWS 1u
#define VYRE_CUT_COLUMNS 2u
#define VYRE_CUT_MAX_LINES 1024u
#define VYRE_CUT_MAX_SAMPLES 65536u

/* The least number of granules that U8_STATS and U8_BELOW take at a step inside a tile of one
 * row. */
#define VYRE_INNER_STEPS 2u

/* Whether a slot may run that a ring with priorities holds. */
#define VYRE_IS_SCHEDULABLE(status)                                                                \
  ((status) == VYRE_STATUS_PUBLISHED || (status) == VYRE_STATUS_YIELD                              \
      || (status) == VYRE_STATUS_REQUEUE)

/* The argument words of a packed slot in front of its operations' arguments: two bytes for the
 * slot and two for each operation. FITS: whether a slot has room for them at all. */
#define VYRE_PACKED_METADATA_WORDS(ops) ((2u + 2u * (ops) + 3u) / 4u)
#define VYRE_PACKED_FITS(ops) (2u + 2u * (ops) <= 4u * VYRE_SLOT_MAX_ARGS)

/* A region that has no bytes, and one whose rows touch: one run of bytes. */
#define VYRE_REGION_IS_EMPTY(width, rows) ((width) == 0u || (rows) == 0u)
#define VYRE_REGION_IS_LINEAR(width, rows, stride) ((rows) == 1u || (stride) == (width))

/* Whether a region lies in a payload of so many bytes, in 32 bits: the last row has to start early
 * enough, and (rows - 1) * stride must not wrap on the way there. Rows may not overlap. */
#define VYRE_REGION_FITS(size, offset, width, rows, stride)                                        \
  ((offset) <= (size)                                                                              \
      && (VYRE_REGION_IS_EMPTY (width, rows)                                                       \
          || ((width) <= (size) - (offset)                                                         \
              && ((rows) == 1u                                                                     \
                  || ((stride) >= (width)                                                          \
                      && (stride) <= ((size) - (offset) - (width)) / ((rows) - 1u))))))

/* Samples of 10 bits, three in a word: the first of the two bytes that number n of a row lies in,
 * how many a row of so many bytes has, and whether each so manieth of them is a component. */
#ifndef VYRE_SAMPLES_ARE_PACKED
#define VYRE_SAMPLES_ARE_PACKED(word) (VYRE_SAMPLES_BYTES (word) == 3u)
#endif
#define VYRE_PACKED_BITS 10u
#define VYRE_PACKED_PLACE(n) ((n) + (n) / 3u)
#define VYRE_PACKED_IN(width) ((width) < 2u ? 0u : ((width) - 1u) / 4u * 3u + ((width) - 1u) % 4u)
#define VYRE_PACKED_NUMBERS 12u /* in 16 bytes */
#define VYRE_PACKED_FIT(word)                                                                      \
  (VYRE_SAMPLES_ARE_PACKED (word) && VYRE_SAMPLES_SWAPPED (word) == 0u                             \
      && VYRE_SAMPLES_DEPTH (word) == VYRE_PACKED_BITS && VYRE_SAMPLES_APART (word) <= 12u         \
      && (0x105Eu >> VYRE_SAMPLES_APART (word) & 1u) == 1u                                         \
      && VYRE_SAMPLES_SHIFT (word) < VYRE_SAMPLES_APART (word))

/* Whether a word tells how samples lie. */
#define VYRE_SAMPLES_FIT(word) (VYRE_PACKED_FIT (word) || VYRE_CONTAINERS_FIT (word))
#define VYRE_CONTAINERS_FIT(word)                                                                  \
  ((VYRE_SAMPLES_BYTES (word) == 1u || VYRE_SAMPLES_BYTES (word) == 2u                             \
       || VYRE_SAMPLES_BYTES (word) == 4u)                                                         \
      && VYRE_SAMPLES_APART (word) != 0u                                                           \
      && (VYRE_SAMPLES_APART (word) & (VYRE_SAMPLES_BYTES (word) - 1u)) == 0u                      \
      && (VYRE_SAMPLES_SWAPPED (word) == 0u || VYRE_SAMPLES_BYTES (word) == 2u)                    \
      && VYRE_SAMPLES_DEPTH (word) >= 1u && VYRE_SAMPLES_DEPTH (word) <= 16u                       \
      && VYRE_SAMPLES_SHIFT (word) + VYRE_SAMPLES_DEPTH (word) <= 8u * VYRE_SAMPLES_BYTES (word))

/* Whether a word tells how the samples of a channel lie. */
#define VYRE_AUDIO_FIT(word)                                                                       \
  (VYRE_AUDIO_BYTES (word) >= 1u && VYRE_AUDIO_BYTES (word) <= 4u                                  \
      && VYRE_AUDIO_APART (word) >= VYRE_AUDIO_BYTES (word)                                        \
      && VYRE_AUDIO_KIND (word) <= VYRE_AUDIO_FLOAT && VYRE_AUDIO_DEPTH (word) >= 2u               \
      && VYRE_AUDIO_DEPTH (word) <= 8u * VYRE_AUDIO_BYTES (word)                                   \
      && (VYRE_AUDIO_KIND (word) != VYRE_AUDIO_FLOAT || VYRE_AUDIO_DEPTH (word) == 32u))

/* The operands that an extra opcode works on: a region, or a channel of audio. */
#define VYRE_WORKS_ON_REGION 0u
#define VYRE_WORKS_ON_CHANNEL 1u

/* Samples of a row. */
#define VYRE_SAMPLES_IN(width, word)                                                               \
  (VYRE_SAMPLES_ARE_PACKED (word)                                                                  \
          ? (VYRE_PACKED_IN (width) <= VYRE_SAMPLES_SHIFT (word)                                   \
                    ? 0u                                                                           \
                    : (VYRE_PACKED_IN (width) - VYRE_SAMPLES_SHIFT (word) - 1u)                    \
                              / VYRE_SAMPLES_APART (word)                                          \
                          + 1u)                                                                    \
      : (width) < VYRE_SAMPLES_BYTES (word)                                                        \
          ? 0u                                                                                     \
          : ((width) - VYRE_SAMPLES_BYTES (word)) / VYRE_SAMPLES_APART (word) + 1u)

/* Whether two components can be held against each other, sample by sample: their words differ in
 * byte order and in the place inside of a container at most. */
#define VYRE_SAMPLES_ARE_ALIKE(a, b) ((((a) ^ (b)) & ~VYRE_SAMPLES (0u, 0u, 1u, 0x1Fu, 0u)) == 0u)

/* The rows or columns of chroma for those of luma, which are halved so often. Luma has at most so
 * many columns, and halves so often: byte offsets do not wrap. */
#define VYRE_CHROMA_LINES(lines, shift) (((lines) + (1u << (shift)) - 1u) >> (shift))
#define VYRE_CHROMA_MAX_LINES 0x1000000u
#define VYRE_CHROMA_MAX_SHIFT 3u
#define VYRE_CHROMA_ACROSS(shifts) ((shifts) & 0xFFu)
#define VYRE_CHROMA_DOWN(shifts) ((shifts) >> 8)

/* Bytes of a row of so many samples. */
#define VYRE_SAMPLES_SPAN(n, word)                                                                 \
  ((n) == 0u ? 0u                                                                                  \
   : VYRE_SAMPLES_ARE_PACKED (word)                                                                \
       ? VYRE_PACKED_PLACE (VYRE_SAMPLES_SHIFT (word) + ((n) - 1u) * VYRE_SAMPLES_APART (word))    \
             + 2u                                                                                  \
       : ((n) - 1u) * VYRE_SAMPLES_APART (word) + VYRE_SAMPLES_BYTES (word))

/* Whether samples of chroma go with those of luma in a broadcast. */
#define VYRE_CHROMA_FITS(luma, chroma)                                                             \
  (VYRE_SAMPLES_FIT (chroma) && VYRE_SAMPLES_DEPTH (luma) == VYRE_SAMPLES_DEPTH (chroma)           \
      && VYRE_SAMPLES_DEPTH (luma) >= 8u)

/* Whether a grid has cells, and not too many. */
#define VYRE_GRID_FITS(columns, rows)                                                              \
  ((columns) - 1u < VYRE_GRID_MAX_CELLS && (rows) - 1u < VYRE_GRID_MAX_CELLS                       \
      && (columns) * (rows) <= VYRE_GRID_MAX_CELLS)

/* Above this many words a MEMCPY takes the whole workgroup. */
#define VYRE_LANE_MEMCPY_WORDS 64u

/* Upper bounds of loop iterations, for the planner: taking a ticket, an operation
 * of a lane, an instruction of a handler, an operation of a whole workgroup, anything
 * around a tile's main loop (whose own bound opcodes.def has), and the most one ticket may
 * cost; what a LOCAL ticket costs beyond its steps and its copies, and the most that
 * copying a readback out may cost. A device that executes masked-off code runs every
 * loop's body once even when it has nothing to do.
 * TILE_LOOP_MAX also keeps a lane's 32-bit sums of squares from overflowing: 4 bytes of
 * each of 16 384 granules are 65 536 * 255 * 255 < 2^32. */
#define VYRE_COST_TICKET 64u
#define VYRE_COST_LANE_OP 40u
#define VYRE_COST_INSTRUCTION 6u
#define VYRE_COST_OP 80u
#define VYRE_COST_TILE 96u
#define VYRE_COST_TILE_LINEAR 128u  /* more for checksums, which are shifted to their places */
#define VYRE_COST_TILE_SAMPLES 288u /* as much again for samples: 1024 bins, twice, by 8 lanes */
#define VYRE_COST_TILE_LOOP_MAX 16384u
#define VYRE_COST_MAX 24000u
#define VYRE_COST_LOCAL 64u
#define VYRE_COST_COPY_OUT_MAX 8192u

/* The most bytes of a tile: 255 times as much is less than 2^32, and any distance in it an int. */
#define VYRE_TILE_MAX_BYTES (16u << 20)

/* Tickets that cost less are no reason to call for more workgroups. */
#define VYRE_COST_WORTH_COMPANY 440u

/* A batch is small enough to be run by one workgroup in shared memory with at
 * most so many words of state and bytes of payload. Beyond that the bytes are
 * read faster by many workgroups than they save in passing work around. */
#define VYRE_LOCAL_WORDS 1520u /* with all else that is shared less than 16 384 bytes */
#define VYRE_LOCAL_BYTES 131072u
#define VYRE_LOCAL_STEPS 64u

#endif /* VYRE_KERNEL_H */

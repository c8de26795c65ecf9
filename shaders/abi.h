/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The wire ABI: every word index, status and opcode that the host and the
 * kernel agree on. Plain #defines only, so that C and GLSL read the same file
 * and no constant is written twice. "Word i" is byte offset 4 * i of a buffer
 * of little-endian 32-bit words. The prose is in docs/abi.md.
 */
#ifndef VYRE_ABI_H
#define VYRE_ABI_H

#define VYRE_ABI_VERSION 1

/* control */
#define VYRE_CONTROL_SHUTDOWN 0
#define VYRE_CONTROL_DONE_COUNT 1
#define VYRE_CONTROL_TENANT_BASE 2
#define VYRE_CONTROL_TENANT_MASKS 3
#define VYRE_CONTROL_TENANT_MASKS_END 32
#define VYRE_CONTROL_QUOTAS 32
#define VYRE_CONTROL_FAIRNESS 64
#define VYRE_CONTROL_FAIRNESS_COUNT 32
#define VYRE_CONTROL_METRICS 96
#define VYRE_CONTROL_METRICS_COUNT 32
#define VYRE_CONTROL_EPOCH 128
#define VYRE_CONTROL_PRIORITY_OFFSETS 129
#define VYRE_CONTROL_STARVATION 135
#define VYRE_CONTROL_PRIORITY_FAIRNESS 136
#define VYRE_CONTROL_OBSERVABLES 160
#define VYRE_QUOTA_DEFAULT 1000000
#define VYRE_MAX_OBSERVABLES 1048576

/* ring */
#define VYRE_SLOT_WORDS 16
#define VYRE_SLOT_STATUS 0
#define VYRE_SLOT_OPCODE 1
#define VYRE_SLOT_TENANT 2
#define VYRE_SLOT_PRIORITY 3
#define VYRE_SLOT_ARGS 4
#define VYRE_SLOT_MAX_ARGS 12

#define VYRE_STATUS_EMPTY 0
#define VYRE_STATUS_PUBLISHED 1
#define VYRE_STATUS_CLAIMED 2
#define VYRE_STATUS_DONE 3
#define VYRE_STATUS_WAIT_IO 4
#define VYRE_STATUS_YIELD 5
#define VYRE_STATUS_REQUEUE 6
#define VYRE_STATUS_FAULT 7

#define VYRE_PRIORITY_CRITICAL 0
#define VYRE_PRIORITY_HIGH 1
#define VYRE_PRIORITY_NORMAL 2
#define VYRE_PRIORITY_LOW 3
#define VYRE_PRIORITY_IDLE 4
#define VYRE_PRIORITY_LEVELS 5

/* debug log: a cursor word, then records of four words */
#define VYRE_DEBUG_RECORD_WORDS 4
#define VYRE_DEBUG_RECORDS 64
#define VYRE_DEBUG_WORDS (1 + VYRE_DEBUG_RECORD_WORDS * VYRE_DEBUG_RECORDS)

/* io queue */
#define VYRE_IO_SLOT_WORDS 8
#define VYRE_IO_SLOTS 64
#define VYRE_IO_WORDS (VYRE_IO_SLOT_WORDS * VYRE_IO_SLOTS)
#define VYRE_IO_OP_TYPE 0
#define VYRE_IO_SRC_HANDLE 1
#define VYRE_IO_DST_HANDLE 2
#define VYRE_IO_OFFSET_LO 3
#define VYRE_IO_OFFSET_HI 4
#define VYRE_IO_BYTE_COUNT 5
#define VYRE_IO_STATUS 6
#define VYRE_IO_TAG 7

#define VYRE_IO_READ 1
#define VYRE_IO_WRITE 2
#define VYRE_IO_FENCE 3

/* Status of an io slot: EMPTY, PUBLISHED and CLAIMED as of a ring slot, then: */
#define VYRE_IO_STATUS_OK 0x10
#define VYRE_IO_STATUS_ERROR 0x11

/* opcodes of the reference */
#define VYRE_OP_NOP 0u
#define VYRE_OP_STORE_U32 1u
#define VYRE_OP_ATOMIC_ADD 2u
#define VYRE_OP_LOAD_U32 3u
#define VYRE_OP_COMPARE_SWAP 4u
#define VYRE_OP_MEMCPY 5u
#define VYRE_OP_DFA_STEP 6u
#define VYRE_OP_BATCH_FENCE 7u
#define VYRE_OP_LOAD_MISS 0xFFFDu
#define VYRE_OP_PRINTF 0xFFFEu
#define VYRE_OP_PACKED_SLOT 0x80000001u
#define VYRE_OP_SHUTDOWN 0xFFFFFFFFu

/* Tenant opcode windows: tenant k owns [BASE + k * SIZE, + SIZE). Tenant 0 is
 * the runtime itself; its window holds the payload opcodes. */
#define VYRE_TENANT_WINDOW_BASE 0x40000000u
#define VYRE_TENANT_WINDOW_SIZE 0x00100000u

/* Payload opcodes. ARG0 byte offset in the payload, ARG1 bytes per row, ARG2
 * rows, ARG3 bytes from one row to the next, ARG4 first observable written,
 * ARG5 the threshold of U8_BELOW. */
#define VYRE_OP_U8_STATS 0x40000100u
#define VYRE_OP_U8_HISTOGRAM 0x40000101u
#define VYRE_OP_U8_BELOW 0x40000102u
#define VYRE_OP_CRC32 0x40000103u

#define VYRE_REGION_ARG_OFFSET 0
#define VYRE_REGION_ARG_WIDTH 1
#define VYRE_REGION_ARG_ROWS 2
#define VYRE_REGION_ARG_STRIDE 3
#define VYRE_REGION_ARG_OBSERVABLE 4
#define VYRE_REGION_ARG_THRESHOLD 5

/* Payloads are read in granules: they start on one, and the last one can be read
 * to its end. */
#define VYRE_GRANULE 16u

/* Observables of U8_STATS, from the first: a sum is two words, low first. */
#define VYRE_U8_STATS_COUNT 0
#define VYRE_U8_STATS_MIN 1
#define VYRE_U8_STATS_MAX 2
#define VYRE_U8_STATS_SUM 3
#define VYRE_U8_STATS_SUM_SQUARES 5
#define VYRE_U8_STATS_WORDS 7
#define VYRE_U8_HISTOGRAM_WORDS 256
#define VYRE_U8_BELOW_WORDS 1
#define VYRE_CRC32_WORDS 1

#endif /* VYRE_ABI_H */

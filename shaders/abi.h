/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The wire ABI: every word index, status and opcode that the host and the
 * kernel share. Plain #defines only, so that C and GLSL read the same file
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
#define VYRE_STATUSES 8

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
#define VYRE_IO_SLOT_OP 0
#define VYRE_IO_SLOT_SOURCE 1
#define VYRE_IO_SLOT_DESTINATION 2
#define VYRE_IO_SLOT_OFFSET 3 /* two words, low first */
#define VYRE_IO_SLOT_BYTES 5
#define VYRE_IO_SLOT_STATUS 6
#define VYRE_IO_SLOT_TAG 7
#define VYRE_IO_OP_READ 1
#define VYRE_IO_OP_WRITE 2
#define VYRE_IO_OP_FENCE 3
/* A request is EMPTY, PUBLISHED or CLAIMED as a ring slot is, then one of these. */
#define VYRE_IO_STATUS_OK 0x10
#define VYRE_IO_STATUS_ERROR 0x11

/* The opcodes of the reference, the payload opcodes and the resource opcodes. */
#include "opcodes.def"

/* Tenant opcode windows: tenant k owns [BASE + k * SIZE, + SIZE). Tenant 0 is
 * the runtime itself; its window holds the payload opcodes. */
#define VYRE_TENANT_WINDOW_BASE 0x40000000u
#define VYRE_TENANT_WINDOW_SIZE 0x00100000u

/* Payload opcodes. ARG0 byte offset in the payload, ARG1 bytes per row, ARG2
 * rows, ARG3 bytes from one row to the next, ARG4 first observable written,
 * ARG5 the threshold of U8_BELOW, how samples or those of a channel lie; ARG6 the limit of an
 * opcode over samples; ARG7 to ARG11 the other component of an opcode over two: its offset,
 * width, rows, stride and samples. ARG6 and ARG7 of SAMPLE_GRID: cells in a row, and rows of
 * cells; of SAMPLE_REPEATS: rows to the one above, and the limit. ARG6 to ARG11 of SAMPLE_RANGE:
 * offsets of u and v, how their samples lie, their stride, and how often luma's width and, from
 * bit 8, its height are halved. */
#define VYRE_REGION_ARG_OFFSET 0
#define VYRE_REGION_ARG_WIDTH 1
#define VYRE_REGION_ARG_ROWS 2
#define VYRE_REGION_ARG_STRIDE 3
#define VYRE_REGION_ARG_OBSERVABLE 4 /* and from bit 28 on the payload that the region is of */
#define VYRE_REGION_OBSERVABLE(word) ((word) & ~(3u << 28))
#define VYRE_REGION_FROM(word) ((word) >> 28 & 3u)
#define VYRE_PAIR_OBSERVABLE(word) ((word) & ~(15u << 28)) /* of an opcode over two components */
#define VYRE_OTHER_FROM(word) ((word) >> 30)               /* the payload of the other one */
#define VYRE_FROM_OWN 0u
#define VYRE_FROM_PREVIOUS 1u
#define VYRE_FROM_REFERENCE 2u
#define VYRE_REGION_ARG_THRESHOLD 5
#define VYRE_REGION_ARG_SAMPLES 5
#define VYRE_REGION_ARG_LIMIT 6
#define VYRE_GRID_ARG_COLUMNS 6
#define VYRE_GRID_ARG_ROWS 7
#define VYRE_REPEATS_ARG_DISTANCE 6
#define VYRE_REPEATS_ARG_LIMIT 7
#define VYRE_CHROMA_ARG_U 6
#define VYRE_CHROMA_ARG_V 7
#define VYRE_CHROMA_ARG_U_SAMPLES 8
#define VYRE_CHROMA_ARG_V_SAMPLES 9
#define VYRE_CHROMA_ARG_STRIDE 10
#define VYRE_CHROMA_ARG_SHIFTS 11
#define VYRE_OTHER_ARG_OFFSET 7
#define VYRE_OTHER_ARG_WIDTH 8
#define VYRE_OTHER_ARG_ROWS 9
#define VYRE_OTHER_ARG_STRIDE 10
#define VYRE_OTHER_ARG_SAMPLES 11

/* How the samples of a region lie. Each is DEPTH bits, 1 to 16, from bit SHIFT on, of a container of
 * BYTES bytes (1, 2 or 4), little endian unless a container of 2 is SWAPPED. Containers start APART
 * bytes apart, a multiple of their size below 256, the first of a row with the row.
 *
 * BYTES of 3 stand for three samples of 10 bits in each little-endian word of 4 bytes, the first in
 * its lowest bits: every APARTth of them is one of the component, from number SHIFT of a row on,
 * which is below APART. APART divides 12, so that 16 bytes are like the next. A row has a sample if
 * it has the two bytes that the sample lies in. */
#define VYRE_SAMPLES(apart, bytes, swapped, shift, depth)                                          \
  ((apart) | (bytes) << 8 | (swapped) << 11 | (shift) << 12 | (depth) << 17)
#define VYRE_SAMPLES_APART(word) ((word) & 0xFFu)
#define VYRE_SAMPLES_BYTES(word) ((word) >> 8 & 7u)
#define VYRE_SAMPLES_SWAPPED(word) ((word) >> 11 & 1u)
#define VYRE_SAMPLES_SHIFT(word) ((word) >> 12 & 0x1Fu)
#define VYRE_SAMPLES_DEPTH(word) ((word) >> 17)
#define VYRE_SAMPLES_ARE_BYTES VYRE_SAMPLES (1u, 1u, 0u, 0u, 8u) /* side by side */

/* How the samples of a channel of audio lie: each is the lowest DEPTH bits, 2 to 32, of BYTES
 * bytes, 1 to 4, little endian unless SWAPPED, at any alignment. They start APART bytes apart,
 * below 65536, and do not overlap. A float has 32 bits. */
#define VYRE_AUDIO(apart, bytes, swapped, kind, depth)                                             \
  ((apart) | (bytes) << 16 | (swapped) << 19 | (kind) << 20 | (depth) << 22)
#define VYRE_AUDIO_APART(word) ((word) & 0xFFFFu)
#define VYRE_AUDIO_BYTES(word) ((word) >> 16 & 7u)
#define VYRE_AUDIO_SWAPPED(word) ((word) >> 19 & 1u)
#define VYRE_AUDIO_KIND(word) ((word) >> 20 & 3u)
#define VYRE_AUDIO_DEPTH(word) ((word) >> 22)
#define VYRE_AUDIO_SIGNED 0u
#define VYRE_AUDIO_UNSIGNED 1u /* silence is in the middle */
#define VYRE_AUDIO_FLOAT 2u
#define VYRE_AUDIO_FLOAT_BITS 24u /* the level of 1.0 is 2 to the power of these */
#define VYRE_AUDIO_FULL_SCALE_BITS(word)                                                           \
  (VYRE_AUDIO_KIND (word) == VYRE_AUDIO_FLOAT ? VYRE_AUDIO_FLOAT_BITS                              \
                                              : VYRE_AUDIO_DEPTH (word) - 1u)

/* Resource opcodes, of the same window: they ask the host through the io queue, wait in WAIT_IO,
 * and go on with the answer. A resource is the number that a program gave to a file. LOAD_WORDS
 * copies WORDS words of a resident file, from WORD on, to observables from OBSERVABLE on. APPEND
 * adds WORDS control words from WORD on to the end of a file. SYNC waits until all appended words
 * are on the file's storage. */
#define VYRE_RESOURCE_ARG_HANDLE 0
#define VYRE_RESOURCE_ARG_PREFETCH 1 /* of LOAD_MISS: ask, and do not wait */
#define VYRE_RESOURCE_ARG_WORD 1
#define VYRE_RESOURCE_ARG_WORDS 2
#define VYRE_RESOURCE_ARG_OBSERVABLE 3

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
#define VYRE_SAMPLE_HISTOGRAM_BITS 10u
#define VYRE_SAMPLE_HISTOGRAM_WORDS 1024
/* Observables of SAMPLE_DIFFERENCE: those of SAMPLE_STATS, of differences, and how many of them are
 * above the limit. */
#define VYRE_DIFFERENCE_ABOVE 7
#define VYRE_DIFFERENCE_WORDS 8
/* Observables of SAMPLE_ROWS and SAMPLE_COLUMNS: how many rows or columns have a mean above the
 * limit, the first of them, and the one behind the last. */
#define VYRE_BOUNDS_COUNT 0
#define VYRE_BOUNDS_BEGIN 1
#define VYRE_BOUNDS_END 2
#define VYRE_BOUNDS_WORDS 3
/* Observables of SAMPLE_GRID for each cell, row by row: its samples, and their sum in two words. */
#define VYRE_GRID_CELL_COUNT 0
#define VYRE_GRID_CELL_SUM 1
#define VYRE_GRID_CELL_WORDS 3
#define VYRE_GRID_MAX_CELLS 512u
#define VYRE_HUE_WORDS 360
/* Observables of SAMPLE_JOINT: so many parts of the levels of the one component for each of as many
 * parts of the other. 64 by 64 would be all of the shared memory that Vulkan promises. */
#define VYRE_JOINT_BITS 5u
#define VYRE_JOINT_WORDS 1024
/* Observables of SAMPLE_SSIM: how many windows there are, and the sum of their similarities, which
 * is signed, in units of 2^-30. */
#define VYRE_SSIM_COUNT 0
#define VYRE_SSIM_SUM 1
#define VYRE_SSIM_WORDS 3
#define VYRE_SSIM_BITS 30u
#define VYRE_U8_BELOW_WORDS 1
#define VYRE_CRC32_WORDS 1

/* Observables of AUDIO_STATS, from the first. A level is signed, and the one of full scale is 2 to
 * the power of the sample's bits less 1, of a float 2^24. The sum has two words, signed, and the
 * sum of squares three, low first. */
#define VYRE_AUDIO_STATS_COUNT 0
#define VYRE_AUDIO_STATS_MIN 1
#define VYRE_AUDIO_STATS_MAX 2
#define VYRE_AUDIO_STATS_PEAK 3
#define VYRE_AUDIO_STATS_SUM 4
#define VYRE_AUDIO_STATS_SUM_SQUARES 6
#define VYRE_AUDIO_STATS_CLIPPED 9
#define VYRE_AUDIO_STATS_CROSSINGS 10
#define VYRE_AUDIO_STATS_NANS 11
#define VYRE_AUDIO_STATS_FULL_SCALE 12
#define VYRE_AUDIO_STATS_WORDS 13

/* Observables of AUDIO_LOUD: how many samples there are and, for each of VYRE_LOUD_PARTS parts of
 * them, where those are that are loud. Parts have as many samples, the count divided by their
 * number and rounded up; the last ones have what is left. FROM is the distance of the first loud
 * sample from the end of its part, were that whole, UPTO that of the end of the last one from the
 * part's begin: both are 0 of a part without any, and both are the larger of those of several
 * channels. */
#define VYRE_LOUD_COUNT 0
#define VYRE_LOUD_FIRST_PART 1
#define VYRE_LOUD_FROM 0
#define VYRE_LOUD_UPTO 1
#define VYRE_LOUD_PART_WORDS 2
#define VYRE_LOUD_PARTS 32u
#define VYRE_LOUD_WORDS 65
#define VYRE_LOUD_PART_SAMPLES(count) (((count) + VYRE_LOUD_PARTS - 1u) / VYRE_LOUD_PARTS)

#endif /* VYRE_ABI_H */

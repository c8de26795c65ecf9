/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:parts
 * @title: Parts
 * @short_description: The four parts of a batch
 *
 * The four parts of a batch on the host's side: the length of each, empty parts, the check that
 * given lengths are those of a batch, and the words in them. These are pure functions over bytes,
 * without Vulkan. vyre/control.h reads the control part, vyre/readback.h the parts that a kernel
 * left.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VYRE_ENCODE_MAX:
 *
 * The most observables, ring slots or debug records that an encoder makes room for.
 */
#define VYRE_ENCODE_MAX 1048576

/**
 * VyrePart:
 * @VYRE_PART_CONTROL: control words, tenant table, metrics, observables
 * @VYRE_PART_RING: slots
 * @VYRE_PART_DEBUG_LOG: PRINTF records
 * @VYRE_PART_IO_QUEUE: io requests
 * @VYRE_N_PARTS: the number of parts
 *
 * The parts of a batch, in ABI order. They are counted in observables, slots, records and slots.
 */
typedef enum {
  VYRE_PART_CONTROL,
  VYRE_PART_RING,
  VYRE_PART_DEBUG_LOG,
  VYRE_PART_IO_QUEUE,
  VYRE_N_PARTS,
} VyrePart;

/**
 * VyreLayout:
 * @offset: bytes from the start of the readback to each part
 * @size: bytes of each part
 * @total: bytes of all of them; the parts are adjacent
 *
 * The places of the parts in a readback.
 */
typedef struct {
  gsize offset[VYRE_N_PARTS];
  gsize size[VYRE_N_PARTS];
  gsize total;
} VyreLayout;

/**
 * vyre_layout_init:
 * @layout: (out): layout to fill in
 * @n_observables: observable words, at most VYRE_MAX_OBSERVABLES
 * @n_slots: ring slots
 *
 * Lays the four parts out one behind the other, without gaps. The debug log and the io queue have
 * the sizes that kernels use.
 */
void vyre_layout_init (VyreLayout *layout, guint n_observables, guint n_slots);

/**
 * vyre_part_length:
 * @part: a part
 * @count: observables, slots or records
 * @length: (out): its bytes
 * @error: return location
 *
 * Computes the length of a part.
 *
 * Returns: whether there is such a part: %VYRE_ERROR_TOO_LARGE above 2^32 - 161
 *   observables, 2^28 - 1 ring slots, 2^30 - 1 debug records or 64 io slots
 */
gboolean vyre_part_length (VyrePart part, guint32 count, gsize *length, GError **error);

/**
 * vyre_part_check_word:
 * @part: the part that a buffer holds; the message names it
 * @size: bytes of the buffer
 * @word: index of a word
 * @error: return location
 *
 * Checks that a buffer has a word.
 *
 * Returns: whether the buffer is whole words and has that one; otherwise
 *   %VYRE_ERROR_MISALIGNED or %VYRE_ERROR_MISSING_WORD
 */
gboolean vyre_part_check_word (VyrePart part, gsize size, guint64 word, GError **error);

/**
 * vyre_encode_empty:
 * @part: a part
 * @count: observables, slots or records: at most %VYRE_ENCODE_MAX, and 1 to 64 of
 *   an io queue
 * @length: (out): its bytes
 * @error: return location
 *
 * Makes a part that is all zero: slots are EMPTY, a log has no records. A control part that is all
 * zero authorises no tenant; see vyre_encode_control().
 *
 * Returns: (transfer full) (array length=length) (nullable): the part, to be
 *   freed with g_free(), or %NULL with %VYRE_ERROR_TOO_LARGE, %VYRE_ERROR_NO_SPACE, or with
 *   %VYRE_ERROR_QUEUE_FULL for an io queue without slots
 */
guint8 *vyre_encode_empty (VyrePart part, guint32 count, gsize *length, GError **error);

/**
 * vyre_encode_empty_into:
 * @storage: (out caller-allocates): where the part goes, at any alignment
 * @size: bytes of @storage; the bytes behind the part stay as they are
 * @part: a part
 * @count: as for vyre_encode_empty()
 * @error: return location
 *
 * As vyre_encode_empty(), into memory of the caller.
 *
 * Returns: whether the part was written; otherwise nothing was written, and the error is one of
 *   vyre_encode_empty() or %VYRE_ERROR_NO_SPACE
 */
gboolean vyre_encode_empty_into (
    void *storage, gsize size, VyrePart part, guint32 count, GError **error);

/**
 * vyre_geometry_validate:
 * @n_slots: ring slots
 * @workgroup: invocations of a workgroup
 * @n_workgroups: (out) (optional): workgroups with an invocation for each slot
 * @error: return location
 *
 * Checks the size of a ring against that of a workgroup.
 *
 * Returns: whether the ring is a whole number of workgroups, at least one;
 *   otherwise %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_geometry_validate (
    guint32 n_slots, guint32 workgroup, guint32 *n_workgroups, GError **error);

/**
 * vyre_dispatch_validate:
 * @lengths: (array length=n_lengths): bytes of each buffer, in ABI order
 * @n_lengths: how many buffers there are
 * @n_slots: ring slots
 * @workgroup: invocations of a workgroup
 * @layout: (out) (optional): the bytes of each part and of all
 * @error: return location
 *
 * Checks that a batch can be dispatched: its ring is a whole number of workgroups, and its buffers
 * are those of a readback.
 *
 * Returns: whether the batch can be dispatched; otherwise an error of vyre_geometry_validate() or
 *   vyre_readback_validate()
 */
gboolean vyre_dispatch_validate (const gsize *lengths, guint n_lengths, guint32 n_slots,
    guint32 workgroup, VyreLayout *layout, GError **error);

/**
 * vyre_readback_validate:
 * @lengths: (array length=n_lengths): bytes of each buffer, in ABI order
 * @n_lengths: how many buffers there are
 * @n_slots: slots the ring should have
 * @layout: (out) (optional): the bytes of each part and of all, and their places if
 *   they are adjacent
 * @error: return location
 *
 * Checks strictly that there are four buffers, then, in this order, that they are a control part
 * of whole words from 640 bytes up, a debug log of 1028 bytes, an io queue of up to 64 whole slots
 * and a ring of 64 bytes for each slot.
 *
 * Returns: whether these are the parts of one batch; otherwise
 *   %VYRE_ERROR_MISALIGNED, %VYRE_ERROR_INVALID, or %VYRE_ERROR_TOO_LARGE for too
 *   many io slots
 */
gboolean vyre_readback_validate (
    const gsize *lengths, guint n_lengths, guint32 n_slots, VyreLayout *layout, GError **error);

/**
 * vyre_read_word:
 * @buffer: little-endian words, any alignment
 * @word: index
 *
 * Reads one word.
 *
 * Returns: the word
 */
guint32 vyre_read_word (const void *buffer, gsize word);

/**
 * vyre_write_word:
 * @buffer: little-endian words, any alignment
 * @word: index
 * @value: the new value
 *
 * Writes one word.
 */
void vyre_write_word (void *buffer, gsize word, guint32 value);

/**
 * vyre_read_word_pair:
 * @buffer: little-endian words, any alignment
 * @word: index of the low word
 *
 * Reads two words as one number.
 *
 * Returns: the 64-bit number in two words
 */
guint64 vyre_read_word_pair (const void *buffer, gsize word);

G_END_DECLS

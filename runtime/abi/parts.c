/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every part is some words and then so many items of some words each: one table
 * says all there is to know about lengths.
 */
#include "vyre/parts.h"
#include "base/alloc.h"

#include <string.h>

static const struct {
  const char *name;
  const char *items;
  guint header_words;
  guint item_words;
  guint32 longest; /* items of the longest part whose words a 32-bit index reaches */
  guint32 least;   /* items of an encoded part */
  guint32 most;
} parts[VYRE_N_PARTS] = {
  [VYRE_PART_CONTROL] = { "control part", "observables", VYRE_CONTROL_OBSERVABLES, 1,
      G_MAXUINT32 - VYRE_CONTROL_OBSERVABLES, 0, VYRE_ENCODE_MAX },
  [VYRE_PART_RING]
  = { "ring", "slots", 0, VYRE_SLOT_WORDS, G_MAXUINT32 / VYRE_SLOT_WORDS, 0, VYRE_ENCODE_MAX },
  [VYRE_PART_DEBUG_LOG] = { "debug log", "records", 1, VYRE_DEBUG_RECORD_WORDS,
      G_MAXUINT32 / VYRE_DEBUG_RECORD_WORDS, 0, VYRE_ENCODE_MAX },
  [VYRE_PART_IO_QUEUE]
  = { "io queue", "slots", 0, VYRE_IO_SLOT_WORDS, VYRE_IO_SLOTS, 1, VYRE_IO_SLOTS },
};

static gsize
part_bytes (VyrePart part, guint32 count)
{
  return 4 * (parts[part].header_words + parts[part].item_words * (gsize)count);
}

static void
set_sizes (VyreLayout *layout, const gsize *sizes)
{
  gsize at = 0;

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    layout->offset[part] = at;
    layout->size[part] = sizes[part];
    at += sizes[part];
  }
  layout->total = at;
}

/**
 * vyre_layout_init:
 * @layout: (out): layout to fill in
 * @n_observables: observable words, at most VYRE_MAX_OBSERVABLES
 * @n_slots: ring slots
 *
 * Lays the four parts out one behind the other, without gaps; the debug log and
 * the io queue have the sizes that a kernel knows.
 */
void
vyre_layout_init (VyreLayout *layout, guint n_observables, guint n_slots)
{
  const gsize sizes[VYRE_N_PARTS] = {
    [VYRE_PART_CONTROL] = part_bytes (VYRE_PART_CONTROL, n_observables),
    [VYRE_PART_RING] = part_bytes (VYRE_PART_RING, n_slots),
    [VYRE_PART_DEBUG_LOG] = part_bytes (VYRE_PART_DEBUG_LOG, VYRE_DEBUG_RECORDS),
    [VYRE_PART_IO_QUEUE] = part_bytes (VYRE_PART_IO_QUEUE, VYRE_IO_SLOTS),
  };

  set_sizes (layout, sizes);
}

/**
 * vyre_part_length:
 * @part: a part
 * @count: observables, slots or records
 * @length: (out): its bytes
 * @error: return location
 *
 * Returns: whether there is such a part: %VYRE_ERROR_TOO_LARGE above 2^32 - 161
 *   observables, 2^28 - 1 ring slots, 2^30 - 1 debug records or 64 io slots
 */
gboolean
vyre_part_length (VyrePart part, guint32 count, gsize *length, GError **error)
{
  if (count > parts[part].longest) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "There is no %s of %u %s; the longest has %u. Fix: split the work over several batches.",
        parts[part].name, count, parts[part].items, parts[part].longest);
    return FALSE;
  }
  *length = part_bytes (part, count);
  return TRUE;
}

/**
 * vyre_part_check_word:
 * @part: the part that a buffer holds; the message names it
 * @size: bytes of the buffer
 * @word: index of a word
 * @error: return location
 *
 * Returns: whether the buffer is whole words and has this one; otherwise
 *   %VYRE_ERROR_MISALIGNED or %VYRE_ERROR_MISSING_WORD
 */
gboolean
vyre_part_check_word (VyrePart part, gsize size, guint64 word, GError **error)
{
  if (size % 4 != 0)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISALIGNED,
        "A %s of %" G_GSIZE_FORMAT " bytes is not whole words. Fix: pass the whole part.",
        parts[part].name, size);
  else if (word >= size / 4)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISSING_WORD,
        "A %s of %" G_GSIZE_FORMAT " bytes has no word %" G_GUINT64_FORMAT
        ". Fix: pass the whole part, and read what the batch was made with.",
        parts[part].name, size, word);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_encodable (VyrePart part, guint32 count, gsize *length, GError **error)
{
  if (count < parts[part].least) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
        "Nothing fits in a %s of %u %s. Fix: ask for at least %u.", parts[part].name, count,
        parts[part].items, parts[part].least);
    return FALSE;
  }
  if (count > parts[part].most) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "A %s of %u %s was asked for; %u is the most. Fix: split the work over several batches.",
        parts[part].name, count, parts[part].items, parts[part].most);
    return FALSE;
  }
  *length = part_bytes (part, count);
  return TRUE;
}

/**
 * vyre_encode_empty:
 * @part: a part
 * @count: observables, slots or records: at most %VYRE_ENCODE_MAX, and 1 to 64 of
 *   an io queue
 * @length: (out): its bytes
 * @error: return location
 *
 * Makes a part that is all zero: slots are EMPTY, a log has no records. A
 * control part that is all zero authorises nobody; see vyre_encode_control().
 *
 * Returns: (transfer full) (array length=length) (nullable): the part, to be
 *   freed with g_free(), or %NULL with %VYRE_ERROR_TOO_LARGE, %VYRE_ERROR_NO_SPACE, or with
 *   %VYRE_ERROR_QUEUE_FULL for an io queue without slots
 */
guint8 *
vyre_encode_empty (VyrePart part, guint32 count, gsize *length, GError **error)
{
  if (!check_encodable (part, count, length, error))
    return NULL;
  return vyre_alloc0 (1, *length, error);
}

/**
 * vyre_encode_empty_into:
 * @storage: (out caller-allocates): where the part goes, at any alignment
 * @size: bytes there are; those behind the part are not touched
 * @part: a part
 * @count: as for vyre_encode_empty()
 * @error: return location
 *
 * vyre_encode_empty() into memory of the caller's.
 *
 * Returns: whether it was written; nothing was otherwise, and the error is one of
 *   vyre_encode_empty() or %VYRE_ERROR_NO_SPACE
 */
gboolean
vyre_encode_empty_into (void *storage, gsize size, VyrePart part, guint32 count, GError **error)
{
  gsize length;

  if (!check_encodable (part, count, &length, error))
    return FALSE;
  if (size < length) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "A %s of %u %s needs %" G_GSIZE_FORMAT " bytes, and there are %" G_GSIZE_FORMAT
        ". Fix: allocate what vyre_part_length() says.",
        parts[part].name, count, parts[part].items, length, size);
    return FALSE;
  }
  if (length > 0)
    memset (storage, 0, length);
  return TRUE;
}

static gboolean
set_length_error (GError **error, VyreError code, VyrePart part, gsize length, const char *rule)
{
  g_set_error (error, VYRE_ERROR, code,
      "The %s has %" G_GSIZE_FORMAT " bytes; %s. Fix: pass the four parts of one batch, as they "
      "were encoded or read back.",
      parts[part].name, length, rule);
  return FALSE;
}

static gboolean
check_control (gsize length, GError **error)
{
  if (length % 4 != 0)
    return set_length_error (
        error, VYRE_ERROR_MISALIGNED, VYRE_PART_CONTROL, length, "that is not whole words");
  if (length < part_bytes (VYRE_PART_CONTROL, 0))
    return set_length_error (
        error, VYRE_ERROR_INVALID, VYRE_PART_CONTROL, length, "it needs at least 640");
  if (length > part_bytes (VYRE_PART_CONTROL, parts[VYRE_PART_CONTROL].longest))
    return set_length_error (
        error, VYRE_ERROR_INVALID, VYRE_PART_CONTROL, length, "no word index reaches that far");
  return TRUE;
}

static gboolean
check_io_queue (gsize length, GError **error)
{
  if (length % (4 * VYRE_IO_SLOT_WORDS) != 0)
    return set_length_error (error, VYRE_ERROR_MISALIGNED, VYRE_PART_IO_QUEUE, length,
        "that is not whole slots of 32 bytes");
  if (length > part_bytes (VYRE_PART_IO_QUEUE, VYRE_IO_SLOTS))
    return set_length_error (error, VYRE_ERROR_TOO_LARGE, VYRE_PART_IO_QUEUE, length,
        "64 slots, 2048 bytes, are the most that a kernel looks at");
  return TRUE;
}

static gboolean
check_ring (gsize length, guint32 n_slots, GError **error)
{
  g_autofree char *rule = NULL;

  if (n_slots <= parts[VYRE_PART_RING].longest && length == part_bytes (VYRE_PART_RING, n_slots))
    return TRUE;
  rule = g_strdup_printf ("%u slots of 64 bytes are not that, or too many for one ring", n_slots);
  return set_length_error (error, VYRE_ERROR_INVALID, VYRE_PART_RING, length, rule);
}

/**
 * vyre_readback_validate:
 * @lengths: (array length=n_lengths): bytes of each buffer, in ABI order
 * @n_lengths: how many buffers there are
 * @n_slots: slots the ring should have
 * @layout: (out) (optional): the bytes of each part and of all, and where they lie
 *   when they are adjacent
 * @error: return location
 *
 * Strict validation: four buffers; then, in this order, a control part of whole
 * words from 640 bytes up, a debug log of 1028 bytes, an io queue of up to 64
 * whole slots and a ring of 64 bytes for each slot.
 *
 * Returns: whether these are the parts of one batch; otherwise
 *   %VYRE_ERROR_MISALIGNED, %VYRE_ERROR_INVALID, or %VYRE_ERROR_TOO_LARGE for too
 *   many io slots
 */
gboolean
vyre_readback_validate (
    const gsize *lengths, guint n_lengths, guint32 n_slots, VyreLayout *layout, GError **error)
{
  if (n_lengths != VYRE_N_PARTS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "There are %u buffers, not four. Fix: pass control, ring, debug log and io queue.",
        n_lengths);
    return FALSE;
  }
  if (!check_control (lengths[VYRE_PART_CONTROL], error))
    return FALSE;
  if (lengths[VYRE_PART_DEBUG_LOG] != part_bytes (VYRE_PART_DEBUG_LOG, VYRE_DEBUG_RECORDS))
    return set_length_error (error, VYRE_ERROR_INVALID, VYRE_PART_DEBUG_LOG,
        lengths[VYRE_PART_DEBUG_LOG], "a log of 64 records has 1028");
  if (!check_io_queue (lengths[VYRE_PART_IO_QUEUE], error)
      || !check_ring (lengths[VYRE_PART_RING], n_slots, error))
    return FALSE;
  if (layout)
    set_sizes (layout, lengths);
  return TRUE;
}

/**
 * vyre_geometry_validate:
 * @n_slots: ring slots
 * @workgroup: invocations of a workgroup
 * @n_workgroups: (out) (optional): workgroups with an invocation for each slot
 * @error: return location
 *
 * Returns: whether the ring is a whole number of workgroups, and not none;
 *   otherwise %VYRE_ERROR_QUEUE_FULL
 */
gboolean
vyre_geometry_validate (guint32 n_slots, guint32 workgroup, guint32 *n_workgroups, GError **error)
{
  if (n_slots == 0 || workgroup == 0 || n_slots % workgroup != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
        "%u slots are no whole number of workgroups of %u. Fix: make the ring a multiple of the "
        "workgroup, and at least one.",
        n_slots, workgroup);
    return FALSE;
  }
  if (n_workgroups)
    *n_workgroups = n_slots / workgroup;
  return TRUE;
}

/**
 * vyre_dispatch_validate:
 * @lengths: (array length=n_lengths): bytes of each buffer, in ABI order
 * @n_lengths: how many buffers there are
 * @n_slots: ring slots
 * @workgroup: invocations of a workgroup
 * @layout: (out) (optional): the bytes of each part and of all
 * @error: return location
 *
 * Whether a batch can be dispatched: its ring is a whole number of workgroups, and
 * its buffers are what is read back of it.
 *
 * Returns: whether it can; otherwise an error of vyre_geometry_validate() or
 *   vyre_readback_validate()
 */
gboolean
vyre_dispatch_validate (const gsize *lengths, guint n_lengths, guint32 n_slots, guint32 workgroup,
    VyreLayout *layout, GError **error)
{
  return vyre_geometry_validate (n_slots, workgroup, NULL, error)
         && vyre_readback_validate (lengths, n_lengths, n_slots, layout, error);
}

/**
 * vyre_read_word:
 * @buffer: little-endian words, any alignment
 * @word: index
 *
 * Returns: the word
 */
guint32
vyre_read_word (const void *buffer, gsize word)
{
  guint32 value;

  memcpy (&value, (const guint8 *)buffer + 4 * word, sizeof value);
  return GUINT32_FROM_LE (value);
}

/**
 * vyre_write_word:
 * @buffer: little-endian words, any alignment
 * @word: index
 * @value: what to write there
 */
void
vyre_write_word (void *buffer, gsize word, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy ((guint8 *)buffer + 4 * word, &value, sizeof value);
}

/**
 * vyre_read_word_pair:
 * @buffer: little-endian words, any alignment
 * @word: index of the low word
 *
 * Returns: the 64-bit number in two words
 */
guint64
vyre_read_word_pair (const void *buffer, gsize word)
{
  return vyre_read_word (buffer, word) | (guint64)vyre_read_word (buffer, word + 1) << 32;
}

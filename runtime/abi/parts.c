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
parts_get_bytes (VyrePart part, guint32 count)
{
  return 4 * (parts[part].header_words + parts[part].item_words * (gsize)count);
}

static void
parts_set_sizes (VyreLayout *layout, const gsize *sizes)
{
  gsize at = 0;

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    layout->offset[part] = at;
    layout->size[part] = sizes[part];
    at += sizes[part];
  }
  layout->total = at;
}

void
vyre_layout_init (VyreLayout *layout, guint n_observables, guint n_slots)
{
  const gsize sizes[VYRE_N_PARTS] = {
    [VYRE_PART_CONTROL] = parts_get_bytes (VYRE_PART_CONTROL, n_observables),
    [VYRE_PART_RING] = parts_get_bytes (VYRE_PART_RING, n_slots),
    [VYRE_PART_DEBUG_LOG] = parts_get_bytes (VYRE_PART_DEBUG_LOG, VYRE_DEBUG_RECORDS),
    [VYRE_PART_IO_QUEUE] = parts_get_bytes (VYRE_PART_IO_QUEUE, VYRE_IO_SLOTS),
  };

  parts_set_sizes (layout, sizes);
}

gboolean
vyre_part_length (VyrePart part, guint32 count, gsize *length, GError **error)
{
  g_return_val_if_fail (part < VYRE_N_PARTS, FALSE);

  if (count > parts[part].longest) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "There is no %s of %u %s; the longest has %u. Fix: split the work over several batches.",
        parts[part].name, count, parts[part].items, parts[part].longest);
    return FALSE;
  }
  *length = parts_get_bytes (part, count);
  return TRUE;
}

gboolean
vyre_part_check_word (VyrePart part, gsize size, guint64 word, GError **error)
{
  g_return_val_if_fail (part < VYRE_N_PARTS, FALSE);

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
parts_check_encodable (VyrePart part, guint32 count, gsize *length, GError **error)
{
  g_return_val_if_fail (part < VYRE_N_PARTS, FALSE);

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
  *length = parts_get_bytes (part, count);
  return TRUE;
}

guint8 *
vyre_encode_empty (VyrePart part, guint32 count, gsize *length, GError **error)
{
  if (!parts_check_encodable (part, count, length, error))
    return NULL;
  return vyre_alloc0 (1, *length, error);
}

gboolean
vyre_encode_empty_into (void *storage, gsize size, VyrePart part, guint32 count, GError **error)
{
  gsize length;

  if (!parts_check_encodable (part, count, &length, error))
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
parts_set_length_error (
    GError **error, VyreError code, VyrePart part, gsize length, const char *rule)
{
  g_set_error (error, VYRE_ERROR, code,
      "The %s has %" G_GSIZE_FORMAT " bytes; %s. Fix: pass the four parts of one batch, as they "
      "were encoded or read back.",
      parts[part].name, length, rule);
  return FALSE;
}

static gboolean
parts_check_control (gsize length, GError **error)
{
  if (length % 4 != 0)
    return parts_set_length_error (
        error, VYRE_ERROR_MISALIGNED, VYRE_PART_CONTROL, length, "that is not whole words");
  if (length < parts_get_bytes (VYRE_PART_CONTROL, 0))
    return parts_set_length_error (
        error, VYRE_ERROR_INVALID, VYRE_PART_CONTROL, length, "it needs at least 640");
  if (length > parts_get_bytes (VYRE_PART_CONTROL, parts[VYRE_PART_CONTROL].longest))
    return parts_set_length_error (
        error, VYRE_ERROR_INVALID, VYRE_PART_CONTROL, length, "no word index reaches that far");
  return TRUE;
}

static gboolean
parts_check_io_queue (gsize length, GError **error)
{
  if (length % (4 * VYRE_IO_SLOT_WORDS) != 0)
    return parts_set_length_error (error, VYRE_ERROR_MISALIGNED, VYRE_PART_IO_QUEUE, length,
        "that is not whole slots of 32 bytes");
  if (length > parts_get_bytes (VYRE_PART_IO_QUEUE, VYRE_IO_SLOTS))
    return parts_set_length_error (error, VYRE_ERROR_TOO_LARGE, VYRE_PART_IO_QUEUE, length,
        "64 slots, 2048 bytes, are the most that a kernel looks at");
  return TRUE;
}

static gboolean
parts_check_ring (gsize length, guint32 n_slots, GError **error)
{
  g_autofree char *rule = NULL;

  if (n_slots <= parts[VYRE_PART_RING].longest
      && length == parts_get_bytes (VYRE_PART_RING, n_slots))
    return TRUE;
  rule = g_strdup_printf ("%u slots of 64 bytes are not that, or too many for one ring", n_slots);
  return parts_set_length_error (error, VYRE_ERROR_INVALID, VYRE_PART_RING, length, rule);
}

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
  if (!parts_check_control (lengths[VYRE_PART_CONTROL], error))
    return FALSE;
  if (lengths[VYRE_PART_DEBUG_LOG] != parts_get_bytes (VYRE_PART_DEBUG_LOG, VYRE_DEBUG_RECORDS))
    return parts_set_length_error (error, VYRE_ERROR_INVALID, VYRE_PART_DEBUG_LOG,
        lengths[VYRE_PART_DEBUG_LOG], "a log of 64 records has 1028");
  if (!parts_check_io_queue (lengths[VYRE_PART_IO_QUEUE], error)
      || !parts_check_ring (lengths[VYRE_PART_RING], n_slots, error))
    return FALSE;
  if (layout)
    parts_set_sizes (layout, lengths);
  return TRUE;
}

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

gboolean
vyre_dispatch_validate (const gsize *lengths, guint n_lengths, guint32 n_slots, guint32 workgroup,
    VyreLayout *layout, GError **error)
{
  return vyre_geometry_validate (n_slots, workgroup, NULL, error)
         && vyre_readback_validate (lengths, n_lengths, n_slots, layout, error);
}

guint32
vyre_read_word (const void *buffer, gsize word)
{
  guint32 value;

  memcpy (&value, (const guint8 *)buffer + 4 * word, sizeof value);
  return GUINT32_FROM_LE (value);
}

void
vyre_write_word (void *buffer, gsize word, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy ((guint8 *)buffer + 4 * word, &value, sizeof value);
}

guint64
vyre_read_word_pair (const void *buffer, gsize word)
{
  return vyre_read_word (buffer, word) | (guint64)vyre_read_word (buffer, word + 1) << 32;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre-codec.h"

#include <string.h>

/**
 * vyre_layout_init:
 * @layout: (out): layout to fill in
 * @n_observables: observable words, at most VYRE_MAX_OBSERVABLES
 * @n_slots: ring slots
 *
 * Lays the four parts out one behind the other, without gaps.
 */
void
vyre_layout_init (VyreLayout *layout, guint n_observables, guint n_slots)
{
  gsize at = 0;

  layout->size[VYRE_PART_CONTROL] = 4 * ((gsize)VYRE_CONTROL_OBSERVABLES + n_observables);
  layout->size[VYRE_PART_RING] = 4 * VYRE_SLOT_WORDS * (gsize)n_slots;
  layout->size[VYRE_PART_DEBUG_LOG] = 4 * VYRE_DEBUG_WORDS;
  layout->size[VYRE_PART_IO_QUEUE] = 4 * VYRE_IO_WORDS;
  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    layout->offset[part] = at;
    at += layout->size[part];
  }
  layout->total = at;
}

/**
 * vyre_encode_control:
 * @words: (out caller-allocates): VYRE_CONTROL_OBSERVABLES + @n_observables words
 * @n_observables: observable words
 * @n_tenants: how many tenants, from 0, are authorised and get a quota
 *
 * Writes the control words of a batch that has not run. Tenants beyond the
 * table of 29 masks or 32 quotas get none.
 */
void
vyre_encode_control (guint32 *words, guint n_observables, guint n_tenants)
{
  memset (words, 0, 4 * ((gsize)VYRE_CONTROL_OBSERVABLES + n_observables));
  words[VYRE_CONTROL_TENANT_BASE] = GUINT32_TO_LE (VYRE_CONTROL_TENANT_MASKS);
  for (guint i = 0; i < n_tenants; i++) {
    if (VYRE_CONTROL_TENANT_MASKS + i < VYRE_CONTROL_TENANT_MASKS_END)
      words[VYRE_CONTROL_TENANT_MASKS + i] = G_MAXUINT32;
    if (VYRE_CONTROL_QUOTAS + i < VYRE_CONTROL_FAIRNESS)
      words[VYRE_CONTROL_QUOTAS + i] = GUINT32_TO_LE (VYRE_QUOTA_DEFAULT);
  }
}

static gboolean
set_part_error (GError **error, VyreError code, const char *part, gsize size, const char *rule)
{
  g_set_error (error, VYRE_ERROR, code,
      "Readback %s has %" G_GSIZE_FORMAT " bytes; %s. Fix: hand over the readback unchanged, all "
      "four parts of one batch.",
      part, size, rule);
  return FALSE;
}

/**
 * vyre_readback_validate:
 * @layout: sizes of the four parts
 * @n_slots: slots the ring should have
 * @error: return location
 *
 * Strict readback validation, in the order control, debug log, io queue, ring.
 *
 * Returns: whether the sizes are those of a readback; otherwise
 *   %VYRE_ERROR_MISALIGNED or %VYRE_ERROR_INVALID
 */
gboolean
vyre_readback_validate (const VyreLayout *layout, guint n_slots, GError **error)
{
  gsize control = layout->size[VYRE_PART_CONTROL];
  gsize debug = layout->size[VYRE_PART_DEBUG_LOG];
  gsize io = layout->size[VYRE_PART_IO_QUEUE];
  gsize ring = layout->size[VYRE_PART_RING];

  if (control % 4 != 0)
    return set_part_error (error, VYRE_ERROR_MISALIGNED, "control", control, "not whole words");
  if (control < 4 * VYRE_CONTROL_OBSERVABLES)
    return set_part_error (
        error, VYRE_ERROR_INVALID, "control", control, "at least 640 are needed");
  if (debug != 4 * VYRE_DEBUG_WORDS)
    return set_part_error (
        error, VYRE_ERROR_INVALID, "debug log", debug, "exactly 1028 are needed");
  if (io % (4 * VYRE_IO_SLOT_WORDS) != 0)
    return set_part_error (error, VYRE_ERROR_MISALIGNED, "io queue", io, "not whole 32-byte slots");
  if (io > 4 * VYRE_IO_WORDS)
    return set_part_error (error, VYRE_ERROR_INVALID, "io queue", io, "at most 2048 are allowed");
  if (ring != 4 * VYRE_SLOT_WORDS * (gsize)n_slots)
    return set_part_error (
        error, VYRE_ERROR_INVALID, "ring", ring, "not 64 bytes for each of the slots");
  return TRUE;
}

/**
 * vyre_read_debug_log:
 * @log: a debug log
 * @size: its bytes
 * @records: (out caller-allocates): room for VYRE_DEBUG_RECORDS records
 * @n: (out): records read
 * @error: return location
 *
 * Returns: whether the log could be read; otherwise %VYRE_ERROR_MISALIGNED (not
 *   whole words) or %VYRE_ERROR_INVALID (a cursor outside the log, or inside a
 *   record)
 */
gboolean
vyre_read_debug_log (
    const void *log, gsize size, VyreDebugRecord *records, guint *n, GError **error)
{
  *n = 0;
  if (size % 4 != 0 || size < 4) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISALIGNED,
        "Debug log of %" G_GSIZE_FORMAT " bytes is not whole words. Fix: pass the whole part.",
        size);
    return FALSE;
  }
  guint32 cursor = vyre_read_word (log, 0);
  if (cursor > MIN (size / 4 - 1, VYRE_DEBUG_WORDS - 1) || cursor % VYRE_DEBUG_RECORD_WORDS != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "Debug log cursor %u is not at the end of a record inside the log. Fix: do not let a "
        "program write to the log other than by PRINTF.",
        cursor);
    return FALSE;
  }
  *n = cursor / VYRE_DEBUG_RECORD_WORDS;
  for (guint i = 0; i < *n * VYRE_DEBUG_RECORD_WORDS; i++)
    records[i / VYRE_DEBUG_RECORD_WORDS].words[i % VYRE_DEBUG_RECORD_WORDS]
        = vyre_read_word (log, 1 + i);
  return TRUE;
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

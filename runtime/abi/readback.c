/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/readback.h"
#include "base/alloc.h"

#include <string.h>

/* Storage never shrinks: after its largest batch a stream reads back without allocations. */
typedef struct {
  guint8 *data;
  gsize length;
  gsize allocated;
} Storage;

struct _VyreReadback {
  Storage parts[VYRE_N_PARTS];
  guint32 n_slots;
};

static void
readback_copy_records (const void *log, VyreDebugRecord *records, guint n)
{
  for (gsize i = 0; i < (gsize)n * VYRE_DEBUG_RECORD_WORDS; i++)
    records[i / VYRE_DEBUG_RECORD_WORDS].words[i % VYRE_DEBUG_RECORD_WORDS]
        = vyre_read_word (log, 1 + i);
}

gboolean
vyre_read_debug_log (const void *log, gsize size, VyreDebugRecord *records, guint n_records,
    guint *n, GError **error)
{
  *n = 0;
  if (!vyre_part_check_word (VYRE_PART_DEBUG_LOG, size, 0, error))
    return FALSE;
  /* the cursor counts from word 1: its value is the index of the last word in use */
  guint32 cursor = vyre_read_word (log, 0);
  if (!vyre_part_check_word (VYRE_PART_DEBUG_LOG, size, cursor, error))
    return FALSE;
  if (cursor % VYRE_DEBUG_RECORD_WORDS != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISSING_WORD,
        "Debug log cursor %u is inside a record of four words. Fix: do not let a program write to "
        "the log other than by PRINTF.",
        cursor);
    return FALSE;
  }
  if (cursor / VYRE_DEBUG_RECORD_WORDS > n_records) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "The debug log has %u records, and there is room for %u. Fix: make room for as many as "
        "the log was made for.",
        cursor / VYRE_DEBUG_RECORD_WORDS, n_records);
    return FALSE;
  }
  *n = cursor / VYRE_DEBUG_RECORD_WORDS;
  readback_copy_records (log, records, *n);
  return TRUE;
}

guint
vyre_peek_debug_log (const void *log, gsize size, VyreDebugRecord *records, guint n_records)
{
  if (size < 4)
    return 0;
  gsize n = MIN (vyre_read_word (log, 0), size / 4 - 1) / VYRE_DEBUG_RECORD_WORDS;
  n = MIN (n, n_records);
  readback_copy_records (log, records, (guint)n);
  return (guint)n;
}

static guint64
readback_count_done (const void *ring, guint64 n_slots)
{
  guint64 n = 0;

  for (guint64 slot = 0; slot < n_slots; slot++)
    n += vyre_read_word (ring, slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS) == VYRE_STATUS_DONE;
  return n;
}

gboolean
vyre_count_done_slots (
    const void *ring, gsize size, guint64 n_slots, guint64 *n_done, GError **error)
{
  if (n_slots > G_MAXUINT64 / (4 * VYRE_SLOT_WORDS)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "No ring has %" G_GUINT64_FORMAT " slots. Fix: count those that were published.", n_slots);
    return FALSE;
  }
  if (n_slots > 0
      && !vyre_part_check_word (VYRE_PART_RING, size, n_slots * VYRE_SLOT_WORDS - 1, error))
    return FALSE;
  *n_done = readback_count_done (ring, n_slots);
  return TRUE;
}

gboolean
vyre_peek_done_slots (const void *ring, gsize size, guint64 n_slots, guint64 *n_done)
{
  *n_done = 0;
  if (n_slots == 0 || n_slots > size / (4 * VYRE_SLOT_WORDS))
    return FALSE;
  *n_done = readback_count_done (ring, n_slots);
  return TRUE;
}

VyreReadback *
vyre_readback_new (void)
{
  return g_new0 (VyreReadback, 1);
}

void
vyre_readback_free (VyreReadback *readback)
{
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    g_free (readback->parts[part].data);
  g_free (readback);
}

/* Makes room and keeps the contents. */
static gboolean
readback_grow (Storage *storage, gsize length, GError **error)
{
  if (storage->allocated >= length)
    return TRUE;
  guint8 *data = vyre_alloc (1, length, error);
  if (!data)
    return FALSE;
  if (storage->length > 0)
    memcpy (data, storage->data, storage->length);
  g_free (storage->data);
  storage->data = data;
  storage->allocated = length;
  return TRUE;
}

static void
readback_copy (Storage *storage, const void *data, gsize length)
{
  storage->length = length;
  if (length > 0)
    memcpy (storage->data, data, length);
}

gboolean
vyre_readback_fill (VyreReadback *readback, const void *const *buffers, const gsize *lengths,
    guint n_buffers, guint32 n_slots, GError **error)
{
  if (!vyre_readback_validate (lengths, n_buffers, n_slots, NULL, error))
    return FALSE;
  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    if (!readback_grow (&readback->parts[part], lengths[part], error))
      return FALSE;
  }
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    readback_copy (&readback->parts[part], buffers[part], lengths[part]);
  readback->n_slots = n_slots;
  return TRUE;
}

void
vyre_readback_swap (VyreReadback *a, VyreReadback *b)
{
  VyreReadback taken = *a;

  *a = *b;
  *b = taken;
}

void
vyre_readback_clear (VyreReadback *readback)
{
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    readback->parts[part].length = 0;
  readback->n_slots = 0;
}

gboolean
vyre_readback_is_empty (const VyreReadback *readback)
{
  return readback->parts[VYRE_PART_CONTROL].length == 0; /* a batch always has one */
}

const guint8 *
vyre_readback_get_part (const VyreReadback *readback, VyrePart part, gsize *length)
{
  g_return_val_if_fail (part < VYRE_N_PARTS, NULL);

  *length = readback->parts[part].length;
  return readback->parts[part].data;
}

gsize
vyre_readback_get_total (const VyreReadback *readback)
{
  gsize total = 0;

  for (guint part = 0; part < VYRE_N_PARTS; part++)
    total += readback->parts[part].length;
  return total;
}

guint32
vyre_readback_get_n_slots (const VyreReadback *readback)
{
  return readback->n_slots;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/control.h"

#include <string.h>

#include "vyre/parts.h"

static void
read_words (const void *control, guint32 first, guint32 *values, guint n)
{
  for (guint i = 0; i < n; i++)
    values[i] = vyre_read_word (control, first + i);
}

/* Masks and quotas of the tenants from 0, as many as their tables hold. */
static void
authorise (void *control, guint32 n_tenants)
{
  guint32 n_masks = MIN (n_tenants, VYRE_CONTROL_TENANT_MASKS_END - VYRE_CONTROL_TENANT_MASKS);
  guint32 n_quotas = MIN (n_tenants, VYRE_CONTROL_FAIRNESS - VYRE_CONTROL_QUOTAS);

  vyre_write_word (control, VYRE_CONTROL_TENANT_BASE, VYRE_CONTROL_TENANT_MASKS);
  for (guint32 i = 0; i < n_masks; i++)
    vyre_write_word (control, VYRE_CONTROL_TENANT_MASKS + i, G_MAXUINT32);
  for (guint32 i = 0; i < n_quotas; i++)
    vyre_write_word (control, VYRE_CONTROL_QUOTAS + i, VYRE_QUOTA_DEFAULT);
}

/**
 * vyre_encode_control:
 * @n_observables: observable words, at most %VYRE_ENCODE_MAX
 * @n_tenants: how many tenants, from 0, are authorised and get a quota; those
 *   beyond the table of 29 masks or 32 quotas get none
 * @shutdown: whether execution is to end at once
 * @length: (out): bytes of the part
 * @error: return location
 *
 * Makes the control part of a batch that has not run. Its priority table is
 * zero; see vyre_write_priority_offsets().
 *
 * Returns: (transfer full) (array length=length) (nullable): the part, to be
 *   freed with g_free(), or %NULL with %VYRE_ERROR_TOO_LARGE or %VYRE_ERROR_NO_SPACE
 */
guint8 *
vyre_encode_control (
    guint32 n_observables, guint32 n_tenants, gboolean shutdown, gsize *length, GError **error)
{
  guint8 *control = vyre_encode_empty (VYRE_PART_CONTROL, n_observables, length, error);

  if (control == NULL)
    return NULL;
  vyre_write_word (control, VYRE_CONTROL_SHUTDOWN, shutdown ? 1 : 0);
  authorise (control, n_tenants);
  return control;
}

/**
 * vyre_encode_control_into:
 * @storage: (out caller-allocates): where the part goes, at any alignment
 * @size: bytes there are; those behind the part are not touched
 * @n_observables: as for vyre_encode_control()
 * @n_tenants: as for vyre_encode_control()
 * @shutdown: as for vyre_encode_control()
 * @error: return location
 *
 * vyre_encode_control() into memory of the caller's.
 *
 * Returns: whether it was written; nothing was otherwise, and the error is
 *   %VYRE_ERROR_TOO_LARGE or %VYRE_ERROR_NO_SPACE
 */
gboolean
vyre_encode_control_into (void *storage, gsize size, guint32 n_observables, guint32 n_tenants,
    gboolean shutdown, GError **error)
{
  if (!vyre_encode_empty_into (storage, size, VYRE_PART_CONTROL, n_observables, error))
    return FALSE;
  vyre_write_word (storage, VYRE_CONTROL_SHUTDOWN, shutdown ? 1 : 0);
  authorise (storage, n_tenants);
  return TRUE;
}

/**
 * vyre_priority_offsets:
 * @n_slots: ring slots
 * @offsets: (out caller-allocates): first slot of each priority, then @n_slots
 *
 * Shares a ring out among the priorities: a fifth each, and the rest for NORMAL.
 */
void
vyre_priority_offsets (guint32 n_slots, guint32 offsets[VYRE_PRIORITY_LEVELS + 1])
{
  guint32 share = n_slots / VYRE_PRIORITY_LEVELS;

  for (guint level = 0; level <= VYRE_PRIORITY_LEVELS; level++)
    offsets[level]
        = level * share + (level > VYRE_PRIORITY_NORMAL ? n_slots % VYRE_PRIORITY_LEVELS : 0);
}

/**
 * vyre_write_priority_offsets:
 * @control: (inout): a control part
 * @size: its bytes
 * @n_slots: ring slots
 * @error: return location
 *
 * Writes vyre_priority_offsets() into the priority table.
 *
 * Returns: whether it was written; nothing was otherwise, unless the part ends
 *   inside the table, which then holds the offsets it has room for. The error is
 *   %VYRE_ERROR_QUEUE_FULL
 */
gboolean
vyre_write_priority_offsets (void *control, gsize size, guint32 n_slots, GError **error)
{
  guint32 offsets[VYRE_PRIORITY_LEVELS + 1];

  if (size % 4 != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
        "A control part of %" G_GSIZE_FORMAT " bytes is not whole words. Fix: pass the whole part.",
        size);
    return FALSE;
  }
  vyre_priority_offsets (n_slots, offsets);
  for (guint i = 0; i <= VYRE_PRIORITY_LEVELS; i++) {
    if (VYRE_CONTROL_PRIORITY_OFFSETS + i >= size / 4) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
          "A control part of %" G_GSIZE_FORMAT " bytes ends before the priority table does. Fix: "
          "make it with vyre_encode_control().",
          size);
      return FALSE;
    }
    vyre_write_word (control, VYRE_CONTROL_PRIORITY_OFFSETS + i, offsets[i]);
  }
  return TRUE;
}

/**
 * vyre_partition_probes:
 * @n_slots: slots of one priority
 * @workgroup: lanes of a workgroup; 0 counts as 1
 * @probes: (out): how the lanes share the slots
 *
 * No lane has more to look at than another one; a lane without a slot does not
 * look.
 */
void
vyre_partition_probes (guint32 n_slots, guint32 workgroup, VyrePartitionProbes *probes)
{
  guint32 lanes = MIN (n_slots, MAX (workgroup, 1));
  guint32 per_lane = lanes > 0 ? n_slots / lanes + (n_slots % lanes > 0) : 0;

  *probes = (VyrePartitionProbes){ lanes, per_lane, (guint64)lanes * per_lane };
}

/**
 * vyre_read_control:
 * @control: a control part
 * @size: its bytes
 * @values: (out): what it counts
 * @error: return location
 *
 * Returns: whether it could be read; otherwise %VYRE_ERROR_MISALIGNED, or
 *   %VYRE_ERROR_MISSING_WORD when it has fewer than 640 bytes
 */
gboolean
vyre_read_control (const void *control, gsize size, VyreControl *values, GError **error)
{
  if (!vyre_part_check_word (VYRE_PART_CONTROL, size, VYRE_CONTROL_OBSERVABLES - 1, error))
    return FALSE;
  values->shutdown = vyre_read_word (control, VYRE_CONTROL_SHUTDOWN) != 0;
  values->done_count = vyre_read_word (control, VYRE_CONTROL_DONE_COUNT);
  values->epoch = vyre_read_word (control, VYRE_CONTROL_EPOCH);
  read_words (control, VYRE_CONTROL_METRICS, values->metrics, G_N_ELEMENTS (values->metrics));
  read_words (control, VYRE_CONTROL_FAIRNESS, values->tenant_fairness,
      G_N_ELEMENTS (values->tenant_fairness));
  read_words (control, VYRE_CONTROL_PRIORITY_FAIRNESS, values->priority_fairness,
      G_N_ELEMENTS (values->priority_fairness));
  return TRUE;
}

/**
 * vyre_read_control_word:
 * @control: a control part, which may end early
 * @size: its bytes
 * @word: index of a word, as VYRE_CONTROL_DONE_COUNT or VYRE_CONTROL_EPOCH
 * @value: (out): the word
 * @error: return location
 *
 * Returns: whether it could be read; otherwise %VYRE_ERROR_MISALIGNED or
 *   %VYRE_ERROR_MISSING_WORD
 */
gboolean
vyre_read_control_word (
    const void *control, gsize size, guint32 word, guint32 *value, GError **error)
{
  if (!vyre_part_check_word (VYRE_PART_CONTROL, size, word, error))
    return FALSE;
  *value = vyre_read_word (control, word);
  return TRUE;
}

/**
 * vyre_read_observable:
 * @control: a control part, which may end early
 * @size: its bytes
 * @index: an observable, from 0
 * @value: (out): its word
 * @error: return location
 *
 * Returns: whether it could be read; otherwise %VYRE_ERROR_TOO_LARGE when no part
 *   can have so many, %VYRE_ERROR_MISALIGNED or %VYRE_ERROR_MISSING_WORD
 */
gboolean
vyre_read_observable (
    const void *control, gsize size, guint32 index, guint32 *value, GError **error)
{
  if (index > G_MAXUINT32 - VYRE_CONTROL_OBSERVABLES) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "Observable %u has no word: indices of words have 32 bits. Fix: read an observable that "
        "the batch was made with.",
        index);
    return FALSE;
  }
  return vyre_read_control_word (control, size, VYRE_CONTROL_OBSERVABLES + index, value, error);
}

/**
 * vyre_read_metrics:
 * @control: a control part, which may end early
 * @size: its bytes
 * @metrics: (out caller-allocates): how often each opcode below 32 was run
 * @error: return location
 *
 * Returns: whether all of them could be read; otherwise %VYRE_ERROR_MISALIGNED or
 *   %VYRE_ERROR_MISSING_WORD, and nothing was written
 */
gboolean
vyre_read_metrics (
    const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT], GError **error)
{
  guint32 last = VYRE_CONTROL_METRICS + VYRE_CONTROL_METRICS_COUNT - 1;

  if (!vyre_part_check_word (VYRE_PART_CONTROL, size, last, error))
    return FALSE;
  read_words (control, VYRE_CONTROL_METRICS, metrics, VYRE_CONTROL_METRICS_COUNT);
  return TRUE;
}

/**
 * vyre_peek_control_word:
 * @control: a control part, whatever is left of it
 * @size: its bytes
 * @word: index of a word
 *
 * Returns: what vyre_read_control_word() reads; 0 where it refuses
 */
guint32
vyre_peek_control_word (const void *control, gsize size, guint32 word)
{
  guint32 value = 0;

  vyre_read_control_word (control, size, word, &value, NULL);
  return value;
}

/**
 * vyre_peek_observable:
 * @control: a control part, whatever is left of it
 * @size: its bytes
 * @index: an observable, from 0
 *
 * Returns: what vyre_read_observable() reads; 0 where it refuses
 */
guint32
vyre_peek_observable (const void *control, gsize size, guint32 index)
{
  guint32 value = 0;

  vyre_read_observable (control, size, index, &value, NULL);
  return value;
}

/**
 * vyre_peek_metrics:
 * @control: a control part, whatever is left of it, whole words or not
 * @size: its bytes
 * @metrics: (out caller-allocates): how often each opcode below 32 was run; 0 for
 *   those whose word is not there
 */
void
vyre_peek_metrics (const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT])
{
  gsize n_words
      = CLAMP (size / 4, VYRE_CONTROL_METRICS, VYRE_CONTROL_METRICS + VYRE_CONTROL_METRICS_COUNT);

  memset (metrics, 0, 4 * VYRE_CONTROL_METRICS_COUNT);
  read_words (control, VYRE_CONTROL_METRICS, metrics, (guint)(n_words - VYRE_CONTROL_METRICS));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/control.h"

#include <string.h>

#include "vyre/parts.h"

static void
control_read_words (const void *control, guint32 first, guint32 *values, guint n)
{
  for (guint i = 0; i < n; i++)
    values[i] = vyre_read_word (control, first + i);
}

/* Writes the masks and quotas of the tenants from 0, up to the ends of their tables. */
static void
control_authorise (void *control, guint32 n_tenants)
{
  guint32 n_masks = MIN (n_tenants, VYRE_CONTROL_TENANT_MASKS_END - VYRE_CONTROL_TENANT_MASKS);
  guint32 n_quotas = MIN (n_tenants, VYRE_CONTROL_FAIRNESS - VYRE_CONTROL_QUOTAS);

  vyre_write_word (control, VYRE_CONTROL_TENANT_BASE, VYRE_CONTROL_TENANT_MASKS);
  for (guint32 i = 0; i < n_masks; i++)
    vyre_write_word (control, VYRE_CONTROL_TENANT_MASKS + i, G_MAXUINT32);
  for (guint32 i = 0; i < n_quotas; i++)
    vyre_write_word (control, VYRE_CONTROL_QUOTAS + i, VYRE_QUOTA_DEFAULT);
}

guint8 *
vyre_encode_control (
    guint32 n_observables, guint32 n_tenants, gboolean shutdown, gsize *length, GError **error)
{
  guint8 *control = vyre_encode_empty (VYRE_PART_CONTROL, n_observables, length, error);

  if (!control)
    return NULL;
  vyre_write_word (control, VYRE_CONTROL_SHUTDOWN, shutdown ? 1 : 0);
  control_authorise (control, n_tenants);
  return control;
}

gboolean
vyre_encode_control_into (void *storage, gsize size, guint32 n_observables, guint32 n_tenants,
    gboolean shutdown, GError **error)
{
  if (!vyre_encode_empty_into (storage, size, VYRE_PART_CONTROL, n_observables, error))
    return FALSE;
  vyre_write_word (storage, VYRE_CONTROL_SHUTDOWN, shutdown ? 1 : 0);
  control_authorise (storage, n_tenants);
  return TRUE;
}

void
vyre_priority_offsets (guint32 n_slots, guint32 *offsets)
{
  guint32 share = n_slots / VYRE_PRIORITY_LEVELS;

  for (guint level = 0; level <= VYRE_PRIORITY_LEVELS; level++)
    offsets[level]
        = level * share + (level > VYRE_PRIORITY_NORMAL ? n_slots % VYRE_PRIORITY_LEVELS : 0);
}

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

void
vyre_partition_probes (guint32 n_slots, guint32 workgroup, VyrePartitionProbes *probes)
{
  guint32 lanes = MIN (n_slots, MAX (workgroup, 1));
  guint32 per_lane = lanes > 0 ? n_slots / lanes + (n_slots % lanes > 0) : 0;

  *probes = (VyrePartitionProbes){ lanes, per_lane, (guint64)lanes * per_lane };
}

gboolean
vyre_read_control (const void *control, gsize size, VyreControl *values, GError **error)
{
  if (!vyre_part_check_word (VYRE_PART_CONTROL, size, VYRE_CONTROL_OBSERVABLES - 1, error))
    return FALSE;
  values->shutdown = vyre_read_word (control, VYRE_CONTROL_SHUTDOWN) != 0;
  values->done_count = vyre_read_word (control, VYRE_CONTROL_DONE_COUNT);
  values->epoch = vyre_read_word (control, VYRE_CONTROL_EPOCH);
  control_read_words (
      control, VYRE_CONTROL_METRICS, values->metrics, G_N_ELEMENTS (values->metrics));
  control_read_words (control, VYRE_CONTROL_FAIRNESS, values->tenant_fairness,
      G_N_ELEMENTS (values->tenant_fairness));
  control_read_words (control, VYRE_CONTROL_PRIORITY_FAIRNESS, values->priority_fairness,
      G_N_ELEMENTS (values->priority_fairness));
  return TRUE;
}

gboolean
vyre_read_control_word (
    const void *control, gsize size, guint32 word, guint32 *value, GError **error)
{
  if (!vyre_part_check_word (VYRE_PART_CONTROL, size, word, error))
    return FALSE;
  *value = vyre_read_word (control, word);
  return TRUE;
}

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

gboolean
vyre_read_metrics (
    const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT], GError **error)
{
  guint32 last = VYRE_CONTROL_METRICS + VYRE_CONTROL_METRICS_COUNT - 1;

  if (!vyre_part_check_word (VYRE_PART_CONTROL, size, last, error))
    return FALSE;
  control_read_words (control, VYRE_CONTROL_METRICS, metrics, VYRE_CONTROL_METRICS_COUNT);
  return TRUE;
}

guint32
vyre_peek_control_word (const void *control, gsize size, guint32 word)
{
  guint32 value = 0;

  vyre_read_control_word (control, size, word, &value, NULL);
  return value;
}

guint32
vyre_peek_observable (const void *control, gsize size, guint32 index)
{
  guint32 value = 0;

  vyre_read_observable (control, size, index, &value, NULL);
  return value;
}

void
vyre_peek_metrics (const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT])
{
  gsize n_words
      = CLAMP (size / 4, VYRE_CONTROL_METRICS, VYRE_CONTROL_METRICS + VYRE_CONTROL_METRICS_COUNT);

  memset (metrics, 0, 4 * VYRE_CONTROL_METRICS_COUNT);
  control_read_words (
      control, VYRE_CONTROL_METRICS, metrics, (guint)(n_words - VYRE_CONTROL_METRICS));
}

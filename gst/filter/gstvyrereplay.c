/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrereplay.h"

#include "common/gstvyrebytes.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* Opens the log of a stream if the property names one. */
gboolean
gst_vyre_replay_start (GstVyreFilter *self)
{
  g_autoptr (GError) error = NULL;

  gst_vyre_replay_stop (self);
  GST_OBJECT_LOCK (self);
  g_autofree gchar *path = g_strdup (self->replay_path);
  GST_OBJECT_UNLOCK (self);
  if (!path || !*path)
    return TRUE;
  self->replay = vyre_replay_log_create (path, VYRE_REPLAY_MAX_RECORDS, &error);
  if (!self->replay)
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", error->message), (NULL));
  return self->replay != NULL;
}

void
gst_vyre_replay_stop (GstVyreFilter *self)
{
  g_clear_pointer (&self->replay, vyre_replay_log_free);
}

/* Returns the number of slots up to the last published one; with a program, all of them. */
static guint
replay_count_logged (const VyreBoundProgram *bound)
{
  guint n = bound->n_slots;

  while (
      n > 0 && bound->slots[(n - 1) * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS] != VYRE_STATUS_PUBLISHED)
    n--;
  return n;
}

/* Returns a copy of the slots as they were published. */
static guint32 *
replay_copy_slots (const VyreBoundProgram *bound, guint n, guint32 tag)
{
  guint32 *slots = g_try_new (guint32, VYRE_SLOT_WORDS * (gsize)n);

  if (!slots)
    return NULL;
  memcpy (slots, bound->slots, 4 * VYRE_SLOT_WORDS * (gsize)n);
  if (bound->sequence_slot >= 0)
    slots[bound->sequence_slot * VYRE_SLOT_WORDS + VYRE_SLOT_ARGS + 1] = tag;
  return slots;
}

static guint32 *
replay_copy_observables (const VyreBoundProgram *bound, const guint8 *readback)
{
  guint32 *words = g_try_new (guint32, MAX (bound->n_observables, 1));

  for (guint i = 0; words && i < bound->n_observables; i++)
    words[i] = vyre_read_word (readback, VYRE_CONTROL_OBSERVABLES + i);
  return words;
}

/* Sets @initial to a copy of the observables that the batch started from; NULL where they were all
 * 0. FALSE without memory. */
static gboolean
replay_copy_state (VyreBatch *batch, const VyreBoundProgram *bound, guint32 **initial)
{
  guint n_words;
  const guint32 *words = vyre_batch_get_state (batch, &n_words);

  if (n_words == 0)
    return TRUE;
  *initial = g_try_new0 (guint32, bound->n_observables);
  for (guint i = 0; *initial && i < bound->n_states; words += bound->states[i++].n_words)
    memcpy (*initial + bound->states[i].observable, words, 4 * (gsize)bound->states[i].n_words);
  return *initial != NULL;
}

/* Digests a copy of bytes that must not be read through a mapping. */
static gboolean
replay_digest_copy (GstBuffer *buffer, guint8 *digest, GError **error)
{
  gsize size = gst_buffer_get_size (buffer);
  g_autofree guint8 *bytes = g_try_malloc (size);

  if (!bytes) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "There is no memory for the %" G_GSIZE_FORMAT " bytes of a buffer. Fix: send smaller "
        "buffers.",
        size);
    return FALSE;
  }
  if (!gst_vyre_bytes_copy (buffer, bytes, error))
    return FALSE;
  vyre_replay_digest (bytes, size, digest);
  return TRUE;
}

/* A batch without a payload may still have a buffer: its slots. */
static gboolean
replay_digest_payload (const GstVyreItem *item, guint8 *digest, GError **error)
{
  GstBuffer *buffer = item->buffer;
  GstMapInfo map;

  if (vyre_plan_get_payload_size (item->plan) == 0) {
    vyre_replay_digest (NULL, 0, digest);
    return TRUE;
  }
  if (!gst_vyre_bytes_are_mappable (buffer))
    return replay_digest_copy (buffer, digest, error);
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "A buffer could not be read for its digest. Fix: put an element in front that maps its "
        "memory for the CPU.");
    return FALSE;
  }
  vyre_replay_digest (map.data, map.size, digest);
  gst_buffer_unmap (buffer, &map);
  return TRUE;
}

static gboolean
replay_record (GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback, GError **error)
{
  const VyreBoundProgram *bound = vyre_plan_get_bound_program (item->plan);
  guint n_logged = replay_count_logged (bound);
  g_autofree guint32 *slots = replay_copy_slots (bound, n_logged, item->sequence);
  g_autofree guint32 *observables = replay_copy_observables (bound, readback);
  g_autofree guint32 *initial = NULL;
  gboolean copied = replay_copy_state (item->batch, bound, &initial);
  VyreReplayBatch batch = { .time = (guint64)g_get_real_time () * 1000,
    .epoch = item->sequence,
    .n_slots = bound->n_slots,
    .n_logged = n_logged,
    .slots = slots,
    .n_observables = bound->n_observables,
    .observables = observables,
    .initial = initial,
    .payload_size = vyre_plan_get_payload_size (item->plan),
    .payload_offset = item->timing.position,
    .has_previous = vyre_batch_has_older (item->batch, VYRE_FROM_PREVIOUS),
    .has_reference = vyre_batch_has_older (item->batch, VYRE_FROM_REFERENCE) };

  if (batch.has_previous)
    batch.previous_offset = item->previous;
  if (batch.has_reference)
    batch.reference_offset = item->reference;
  if (!slots || !observables || !copied) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "There is no memory to log a batch of %u slots and %u observables. Fix: free memory.",
        n_logged, bound->n_observables);
    return FALSE;
  }
  return replay_digest_payload (item, batch.payload_digest, error)
         && vyre_replay_log_append_batch (self->replay, &batch, error);
}

/* Logs a completed batch. The worker calls it, in order. */
void
gst_vyre_replay_record (GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback)
{
  g_autoptr (GError) error = NULL;

  if (!self->replay || replay_record (self, item, readback, &error))
    return;
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE, ("%s", error->message),
      ("nothing is recorded from batch %u on", item->sequence));
  gst_vyre_replay_stop (self);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrequiet.h"

#include "common/gstvyrefields.h"

static GQuark quiet_count, quiet_head, quiet_tail, quiet_longest;

/* Before any element. */
void
gst_vyre_quiet_init (void)
{
  quiet_count = g_quark_from_static_string ("count");
  quiet_head = g_quark_from_static_string ("head");
  quiet_tail = g_quark_from_static_string ("tail");
  quiet_longest = g_quark_from_static_string ("longest");
}

/* The result of audio_loud, as a message has it. */
GstStructure *
gst_vyre_quiet_new_fields (GQuark name, const guint32 *words)
{
  GstStructure *fields = gst_structure_new_id_empty (name);
  guint32 head = 0, tail = 0, longest = 0;
  VyreQuiet quiet = { 0, 0 };

  while (vyre_quiet_find (words, quiet.end, &quiet)) {
    guint32 samples = quiet.end - quiet.begin;
    head = quiet.begin == 0 ? samples : head;
    tail = quiet.end == words[VYRE_LOUD_COUNT] ? samples : 0;
    longest = MAX (longest, samples);
  }
  gst_vyre_fields_set_number (fields, quiet_count, words[VYRE_LOUD_COUNT]);
  gst_vyre_fields_set_number (fields, quiet_head, head);
  gst_vyre_fields_set_number (fields, quiet_tail, tail);
  gst_vyre_fields_set_number (fields, quiet_longest, longest);
  return fields;
}

/* Copies the words of the result that an event of quiet samples names. */
void
gst_vyre_quiet_read (const VyreEvent *event, const guint8 *readback, guint32 *words)
{
  for (guint i = 0; i < VYRE_LOUD_WORDS; i++)
    words[i] = vyre_read_word (readback, VYRE_CONTROL_OBSERVABLES + event->loud + i);
}

/* How many quiet samples make an event. */
guint64
gst_vyre_quiet_count_samples (const VyreEvent *event)
{
  return gst_util_uint64_scale_ceil (event->time, event->rate, GST_SECOND);
}

/* How long so many samples last. */
GstClockTime
gst_vyre_quiet_get_time (const VyreEvent *event, guint32 samples)
{
  return gst_util_uint64_scale (samples, GST_SECOND, event->rate);
}

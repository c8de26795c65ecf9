/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreeventstates.h"

#include "library/gstvyrefields.h"
#include "library/gstvyrehead.h"

static GQuark states_quark;

/* Before any element. */
void
gst_vyre_event_states_init (void)
{
  states_quark = g_quark_from_static_string (GST_VYRE_EVENT_STATES);
}

/* Each buffer but that which becomes the reference is in the interval of the reference. */
static const gchar *
states_name (const VyreEvent *event, const GstVyreInterval *interval, guint32 sequence)
{
  if (!interval->is_open || (event->of_reference && interval->start.sequence == sequence))
    return "none";
  return interval->is_reported ? "event" : "open";
}

/* Returns what the last batch has made of each event; NULL for a program without events. */
GstStructure *
gst_vyre_event_states_new (const GstVyreEvents *events)
{
  if (events->n == 0)
    return NULL;
  GstStructure *states = gst_structure_new_id_empty (states_quark);

  for (guint i = 0; i < events->n; i++) {
    const VyreEvent *event = &vyre_plan_get_bound_program (events->plan)->events[i];
    gst_vyre_fields_set_text (
        states, events->names[i], states_name (event, &events->intervals[i], events->sequence));
  }
  return states;
}

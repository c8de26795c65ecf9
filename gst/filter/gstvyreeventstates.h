/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The states of events, as results have them. The worker alone asks, without a lock.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

void gst_vyre_event_states_init (void);
GstStructure *gst_vyre_event_states_new (const GstVyreEvents *events);

G_END_DECLS

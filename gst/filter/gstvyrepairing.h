/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pairs: a buffer of the sink pad and, behind it in one payload, its partner from the pad
 * "reference". Only times decide which that is, never the order in which two threads come.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

GstFlowReturn gst_vyre_pairing_join (
    GstVyreFilter *self, GstBuffer *buffer, gint64 *deadline, GstBuffer **joined);
void gst_vyre_pairing_keep (GstVyreFilter *self, GstVyreItem *item);
void gst_vyre_pairing_end (GstVyreFilter *self);
void gst_vyre_pairing_reset (GstVyreFilter *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The request pad "reference" and its buffers, the partners of those of the sink pad. One partner
 * waits for the buffers that it belongs to, and the pad's thread keeps the one behind it.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

#define GST_VYRE_PARTNERS_PAD "reference"

GstPad *gst_vyre_partners_add_pad (GstVyreFilter *self, GstPadTemplate *template);
void gst_vyre_partners_remove_pad (GstVyreFilter *self, GstPad *pad);
GstPad *gst_vyre_partners_get_pad (GstVyreFilter *self);
gboolean gst_vyre_partners_seek (GstVyreFilter *self, GstEvent *event);
gboolean gst_vyre_partner_find_span (const GstSegment *segment, GstClockTime pts,
    GstClockTime duration, GstClockTime *start, GstClockTime *length);
GstVyrePartner *gst_vyre_partner_ref (GstVyrePartner *partner);
void gst_vyre_partners_count (GstVyreFilter *self, GstVyrePartner *partner);
void gst_vyre_partner_unref (GstVyrePartner *partner);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVyrePartner, gst_vyre_partner_unref)

G_END_DECLS

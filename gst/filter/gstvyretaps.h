/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The request pads readback_%u: readbacks beside what leaves the source pad, each a stream of its
 * own.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

#define GST_VYRE_TAPS_PADS "readback_%u"

GstPad *gst_vyre_taps_add_pad (GstVyreFilter *self, GstPadTemplate *templ, const gchar *name);
void gst_vyre_taps_remove_pad (GstVyreFilter *self, GstPad *pad);
gboolean gst_vyre_taps_are_there (const GstVyreFilter *self);
gboolean gst_vyre_taps_are_linked (GstVyreFilter *self);
GstFlowReturn gst_vyre_taps_push (GstVyreFilter *self, const GstVyreItem *item, GstBuffer *buffer);
GstFlowReturn gst_vyre_taps_combine (GstFlowReturn flow, GstFlowReturn taps);
void gst_vyre_taps_send (GstVyreFilter *self, GstEvent *event);
void gst_vyre_taps_ensure_flush (GstVyreFilter *self, const GstEvent *stop);
void gst_vyre_taps_begin_stream (GstVyreFilter *self);
void gst_vyre_taps_end (GstVyreFilter *self, GstEvent *eos);
void gst_vyre_taps_leave (GstVyreFilter *self);
void gst_vyre_taps_become_inherited (GstVyreFilter *self);
gboolean gst_vyre_taps_answer_caps (GstPad *pad, GstQuery *query);

G_END_DECLS

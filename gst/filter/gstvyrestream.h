/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stream through vyrefilter. The sink pad's thread (gstvyresinkpad.c) stages payloads,
 * publishes batches and pushes the readbacks of those that are through in a moment; the source
 * pad's task (gstvyresourcepad.c) waits for the others and pushes theirs. One queue lies between
 * them, which also carries the serialized events: everything leaves in the order in which it came.
 * The thread that has taken an item out of it is the worker.
 */
#pragma once

#include "filter/gstvyreitem.h"

G_BEGIN_DECLS

/* Waits for the device or for memory have slices of this length: after each, the thread notices a
 * flush or a state change. */
#define GST_VYRE_WAIT_SLICE (20 * G_TIME_SPAN_MILLISECOND)

/* The kernel or the source pad was replaced: try again with the new one. */
#define GST_VYRE_FLOW_AGAIN GST_FLOW_CUSTOM_SUCCESS_2

/* The item may wait no longer: its buffer goes on without results. */
#define GST_VYRE_FLOW_LATE ((GstFlowReturn)(GST_FLOW_CUSTOM_SUCCESS_2 + 1))

void gst_vyre_stream_init (GstVyreFilter *self);

/* The caller of the first ten and of gst_vyre_stream_choose_kernel() holds the lock. */
void gst_vyre_stream_note_dropped (GstVyreFilter *self, const GstVyreItem *item);
gboolean gst_vyre_stream_is_open (const GstVyreFilter *self);
GstFlowReturn gst_vyre_stream_get_flow (const GstVyreFilter *self);
void gst_vyre_stream_sleep (GstVyreFilter *self);
void gst_vyre_stream_sleep_until (GstVyreFilter *self, gint64 end);
void gst_vyre_stream_wake (GstVyreFilter *self);
void gst_vyre_stream_wake_others (GstVyreFilter *self);
void gst_vyre_stream_wake_task (GstVyreFilter *self);
gboolean gst_vyre_stream_has_next (const GstVyreFilter *self);
gboolean gst_vyre_stream_has_work (const GstVyreFilter *self);
gboolean gst_vyre_stream_is_flushing (GstVyreFilter *self);
gboolean gst_vyre_stream_is_worker (GstVyreFilter *self);
void gst_vyre_stream_activate_source (GstVyreFilter *self, gboolean active);
gboolean gst_vyre_stream_meets_new_source (GstVyreFilter *self);
void gst_vyre_stream_forget_beginning (GstVyreFilter *self);
void gst_vyre_stream_shut (GstVyreFilter *self);
void gst_vyre_stream_start_flush (GstVyreFilter *self);
void gst_vyre_stream_await_worker (GstVyreFilter *self);
void gst_vyre_stream_await_hands (GstVyreFilter *self);
void gst_vyre_stream_reopen (GstVyreFilter *self, gboolean keep_sticky);
void gst_vyre_stream_restart (GstVyreFilter *self);
void gst_vyre_stream_relinked (GstVyreFilter *self);
gboolean gst_vyre_stream_drain (GstVyreFilter *self);
gboolean gst_vyre_stream_drain_late (GstVyreFilter *self);
gboolean gst_vyre_stream_is_idle (GstVyreFilter *self);
GstFlowReturn gst_vyre_stream_push (GstVyreFilter *self, GstVyreItem *item);
GstFlowReturn gst_vyre_stream_push_event (GstVyreFilter *self, GstEvent *event);
GstFlowReturn gst_vyre_stream_push_eos (GstVyreFilter *self, GstEvent *event);
void gst_vyre_stream_end (GstVyreFilter *self, const GstVyreItem *item, GstFlowReturn flow);
GstVyreShared *gst_vyre_stream_choose_kernel (GstVyreFilter *self, GstVyreItem *item);
GError *gst_vyre_no_memory (gsize size);
GstFlowReturn gst_vyre_stream_fail (GstVyreFilter *self, GError *error);
void gst_vyre_stream_keep_sticky (GstVyreFilter *self, GstEvent *event);

G_END_DECLS

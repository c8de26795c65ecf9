/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stream through vyrefilter. The sink pad's thread (gstvyresinkpad.c) stages payloads,
 * publishes batches and pushes the readbacks of those that are through in a moment; the source
 * pad's task (gstvyresourcepad.c) waits for the others and pushes theirs. One queue lies between
 * them, which also carries the serialized events: everything leaves in the order in which it came.
 * The thread that has taken an item out of it is the worker.
 */
#pragma once

#include "common/gstvyretracer.h"
#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

/* Waits for the device or for memory have slices of this length: after each, the thread notices a
 * flush or a state change. */
#define GST_VYRE_WAIT_SLICE (20 * G_TIME_SPAN_MILLISECOND)

/* The kernel or the source pad was replaced: try again with the new one. */
#define GST_VYRE_FLOW_AGAIN GST_FLOW_CUSTOM_SUCCESS_2

/* The item may wait no longer: its buffer goes on without results. */
#define GST_VYRE_FLOW_LATE ((GstFlowReturn)(GST_FLOW_CUSTOM_SUCCESS_2 + 1))

/* When a kernel was last seen to make progress */
typedef struct {
  guint64 tickets;
  gint64 moved;
  gint64 looked;
  gint64 longest;  /* without progress, µs */
  VyreClock clock; /* the clock of @moved and @looked */
} GstVyreProgress;

typedef struct {
  GstEvent *event;         /* an event, or else a batch, or a buffer that has none: */
  GstBuffer *buffer;       /* its payload, kept for a rerun; in passthrough it goes on */
  guint32 sequence;        /* number of the buffer in the stream, from 1; 0 for an event */
  guint64 arrival;         /* buffers that came in up to this item, itself included */
  guint32 epoch;           /* epoch of the queue when the worker took the item */
  guint32 era;             /* of the sink pad: items of one have the same caps and program */
  gboolean is_rerun;       /* its first kernel was lost */
  gboolean is_kept;        /* its partner's bytes are its own, if the program keeps payloads */
  gboolean is_behind_lost; /* buffers right in front of it came, and are not among the items */
  gboolean is_behind_late; /* late batches are, as the worker took it */
  gboolean is_late;        /* its buffer has gone on */
  gint64 deadline;         /* when its buffer goes on, µs; G_MAXINT64: there is none; events: 0 */
  gint64 until;            /* how long a thread waits for its batch, µs; the same */
  GstVyreProgress progress;
  GstVyreShared *shared; /* the kernel that it was published on */
  VyreLane *lane;        /* of the kernel chosen for it */
  VyreTenant *tenant;    /* the tenant that its batch counts for, or NULL */
  VyreBatch *batch;
  VyrePlan *plan;
  GstCaps *caps;       /* of its readback, or NULL: nobody asked for it */
  GstVyreCarry *carry; /* of a program with state, or NULL */
  guint64 previous;    /* payload bytes of the stream before its previous one, once it is done */
  guint64 reference;   /* the same before its reference */
  GstVyreTiming timing;
  GstVyreSpans spans;
  gint64 taken;  /* when the item had its turn, µs; 0: the stream was not live */
  gint64 queued; /* when the task was woken for the item, µs; 0: it was not */
} GstVyreItem;

void gst_vyre_stream_init (GstVyreFilter *self);

/* The caller of the first nine and of gst_vyre_stream_choose_kernel() holds the lock. */
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
GstFlowReturn gst_vyre_stream_push (GstVyreFilter *self, GstVyreItem *item);
GstFlowReturn gst_vyre_stream_push_event (GstVyreFilter *self, GstEvent *event);
GstFlowReturn gst_vyre_stream_push_eos (GstVyreFilter *self, GstEvent *event);
void gst_vyre_stream_end (GstVyreFilter *self, const GstVyreItem *item, GstFlowReturn flow);
GstVyreShared *gst_vyre_stream_choose_kernel (GstVyreFilter *self, GstVyreItem *item);
GError *gst_vyre_no_memory (gsize size);
GstFlowReturn gst_vyre_stream_fail (GstVyreFilter *self, GError *error);
void gst_vyre_stream_keep_sticky (GstVyreFilter *self, GstEvent *event);
void gst_vyre_item_free (GstVyreItem *item);
void gst_vyre_item_forget_batch (GstVyreItem *item);
gboolean gst_vyre_item_is_batch (const GstVyreItem *item);

G_END_DECLS

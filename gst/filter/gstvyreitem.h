/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An item of the queue between the pads: an event, or a buffer with its batch. It belongs to the
 * thread that has taken it out of the queue, which needs no lock for it.
 */
#pragma once

#include "common/gstvyretracer.h"
#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

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
  GstBuffer *buffer;       /* its payload, kept for a rerun; in passthrough it goes on, but for: */
  GstBuffer *passing;      /* the buffer that goes on, where the payload has its partner, too */
  guint32 sequence;        /* number of the buffer in the stream, from 1; 0 for an event */
  guint64 arrival;         /* buffers that came in up to this item, itself included */
  guint32 epoch;           /* epoch of the queue when the worker took the item */
  guint32 era;             /* of the sink pad: items of one have the same caps and program */
  gboolean is_rerun;       /* its first kernel was lost */
  gboolean is_unpaired;    /* it has no partner, and goes on without a batch */
  gboolean is_kept;        /* its partner's bytes are its own, if the program keeps payloads */
  gboolean is_behind_lost; /* buffers right in front of it came, and have no batch */
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

GstVyreItem *gst_vyre_item_new_event (GstEvent *event);
void gst_vyre_item_free (GstVyreItem *item);
void gst_vyre_item_forget_batch (GstVyreItem *item);
gboolean gst_vyre_item_is_batch (const GstVyreItem *item);
gboolean gst_vyre_item_is_eos (const GstVyreItem *item);
gboolean gst_vyre_item_begins_stream (const GstVyreItem *item);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A carry: the words and payloads that batches of a program with state hand on, from its first
 * batch until caps, a flush, another program or another stream begin anew. It outlives a lost
 * kernel: the batches that this has left run again from the words, and with the payloads, of the
 * last batch whose result counted.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

/* Older payloads, by VYRE_FROM_…; each is a reference or NULL. */
#define GST_VYRE_N_OLDER 3

typedef struct {
  GstBuffer *buffers[GST_VYRE_N_OLDER];
} GstVyreOlder;

GstVyreCarry *gst_vyre_carry_new (guint beginning, guint n_words);
GstVyreCarry *gst_vyre_carry_ref (GstVyreCarry *carry);
void gst_vyre_carry_unref (GstVyreCarry *carry);
void gst_vyre_carry_leave (GstVyreFilter *self, GstVyreCarry *carry);
void gst_vyre_carry_end (GstVyreFilter *self, GstVyreCarry *carry);
void gst_vyre_carry_detach (GstVyreFilter *self, GstVyreCarry *carry);
gboolean gst_vyre_carry_is_of (const GstVyreCarry *carry, guint beginning, guint n_words);
void gst_vyre_older_clear (GstVyreOlder *older);
VyreStream *gst_vyre_carry_get_stream (
    GstVyreFilter *self, GstVyreCarry *carry, VyreLane *lane, GstVyreOlder *older);
guint64 gst_vyre_carry_note (GstVyreCarry *carry, const VyrePlan *plan, VyreBatch *batch,
    GstBuffer *buffer, guint64 position, GstVyreOlder *former, guint64 *previous);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstVyreOlder, gst_vyre_older_clear)

G_END_DECLS

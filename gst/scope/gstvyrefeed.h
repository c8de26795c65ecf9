/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A feed gives a model the results of buffers, with their times, and counts times for buffers that
 * have none. One thread at a time may use a feed.
 */
#pragma once

#include "library/gst/vyre/table.h"
#include "scope/gstvyremodel.h"
#include "scope/gstvyreticks.h"

G_BEGIN_DECLS

typedef struct {
  GstVyreModel model;
  GstVyreTable *table; /* of readbacks; NULL where buffers have metas */
  gint rate_n, rate_d; /* of the video that comes; 0 of anything else */
  GstSegment segment;
  GstVyreTicks count; /* of buffers, behind the last one that had a time */
  gboolean has_news;  /* no frame shows the last results yet */
} GstVyreFeed;

void gst_vyre_feed_init (GstVyreFeed *feed, gdouble history);
void gst_vyre_feed_clear (GstVyreFeed *feed);
void gst_vyre_feed_flush (GstVyreFeed *feed);
gboolean gst_vyre_feed_take_caps (
    GstVyreFeed *feed, GstCaps *caps, gboolean is_new, GError **error);
void gst_vyre_feed_take_segment (GstVyreFeed *feed, const GstSegment *segment);
GstClockTime gst_vyre_feed_find_time (GstVyreFeed *feed, GstClockTime time);
gboolean gst_vyre_feed_take (
    GstVyreFeed *feed, GstBuffer *buffer, GstClockTime time, GError **error);
void gst_vyre_feed_go_on (GstVyreFeed *feed, GstClockTime time);

G_END_DECLS

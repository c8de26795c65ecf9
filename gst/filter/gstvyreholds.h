/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_VYRE_HOLDS 16

/* For how long the last batches of a stream were held, a ring. */
typedef struct {
  GstClockTime times[GST_VYRE_HOLDS];
  guint n; /* ever */
} GstVyreHolds;

GstClockTime gst_vyre_holds_add (GstVyreHolds *holds, GstClockTime time, GstClockTime reported);

G_END_DECLS

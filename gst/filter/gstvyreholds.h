/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_VYRE_HOLDS 16

/* How long the last batches of a stream were held, as a ring */
typedef struct {
  GstClockTime times[GST_VYRE_HOLDS];
  guint n; /* recorded ever */
} GstVyreHolds;

GstClockTime gst_vyre_holds_add (GstVyreHolds *holds, GstClockTime time, GstClockTime reported);

G_END_DECLS

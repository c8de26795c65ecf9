/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

void gst_vyre_stamp (GstBuffer *readback, const GstVyreItem *item);

G_END_DECLS

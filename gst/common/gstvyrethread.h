/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

gboolean gst_vyre_thread_check (GstElement *element);
void gst_vyre_thread_adopt (GstMessage *message);

G_END_DECLS

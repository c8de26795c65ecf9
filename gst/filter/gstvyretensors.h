/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Results that are arrays as tensors: a GstTensorMeta of a buffer has one for each. Builds without
 * GstTensorMeta refuse the property.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

gboolean gst_vyre_tensors_start (GstVyreFilter *self);
void gst_vyre_tensors_attach (const GstVyreFilter *self, GstBuffer *buffer);

G_END_DECLS

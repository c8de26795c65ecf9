/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The launches of a pipeline: a ring of command buffers, each with a fence. Launches are made and
 * retired under the megakernel's lock. Private to libvyre.
 */
#pragma once

#include "device/pipeline.h"

gboolean vyre_pipeline_create_launches (VyrePipeline *pipeline, GError **error);
gboolean vyre_pipeline_launch (VyrePipeline *pipeline, const guint32 constants[VYRE_LAUNCH_WORDS],
    const VyreSource *source, guint groups, GError **error);
gboolean vyre_pipeline_has_ended (const VyrePipeline *pipeline, const VyreLaunch *launch);
VkResult vyre_pipeline_wait (VyrePipeline *pipeline, const VyreLaunch *launch, guint64 timeout);
gboolean vyre_pipeline_drain (VyrePipeline *pipeline);
VyreLaunch *vyre_pipeline_oldest (VyrePipeline *pipeline);
void vyre_pipeline_retire_oldest (VyrePipeline *pipeline);

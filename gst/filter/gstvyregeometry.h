/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where the samples of a stream lie in its buffers, by the caps and by the GstVideoMeta,
 * GstVideoCropMeta or GstAudioMeta of a buffer that has one, and the symbols that programs get from
 * this. The sink pad's streaming thread owns it.
 */
#pragma once

#include <gst/video/video.h>

#include "filter/gstvyrechannels.h"
#include "filter/gstvyrecomponents.h"

G_BEGIN_DECLS

/* The planes of a frame, and the picture in it, in pixels. */
typedef struct {
  gsize offset[GST_VIDEO_MAX_PLANES];
  gint stride[GST_VIDEO_MAX_PLANES];
  guint x, y, width, height;
} GstVyreLayout;

typedef struct {
  VyreSymbols *symbols;
  gsize least_size;    /* bytes that a buffer needs, 0 when nothing is known */
  gboolean has_slots;  /* buffers are slots to run, not payloads */
  gboolean has_video;  /* components, whose rows lie apart */
  gboolean has_planes; /* planes that are rows of pixels */
  GstVideoInfo video;  /* as the caps say */
  GstVyreChannels channels;
  GstVyreComponent components[GST_VIDEO_MAX_COMPONENTS];
  GstVyreLayout regular; /* of frames without metas */
  GstVyreLayout layout;  /* of the last buffer */
} GstVyreGeometry;

void gst_vyre_geometry_clear (GstVyreGeometry *geometry);
gboolean gst_vyre_geometry_set_caps (GstVyreGeometry *geometry, GstCaps *caps, GError **error);
gboolean gst_vyre_geometry_check (
    GstVyreGeometry *geometry, GstBuffer *buffer, gboolean *changed, GError **error);
void gst_vyre_geometry_propose (const GstVyreGeometry *geometry, GstQuery *query);

G_END_DECLS

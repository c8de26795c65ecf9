/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where the samples of the channels of raw audio lie in a buffer, by the caps, the size of the
 * buffer, and the GstAudioMeta of a buffer with planes.
 */
#pragma once

#include <gst/audio/audio.h>

#include "vyre/vyre.h"

G_BEGIN_DECLS

typedef struct {
  GstAudioInfo info;
  guint n;                           /* channels that programs can name; 0 without audio */
  guint32 samples;                   /* how those of one channel lie */
  guint32 offset[VYRE_MAX_CHANNELS]; /* of channels in the last buffer, and their bytes */
  guint32 length;
} GstVyreChannels;

void gst_vyre_channels_set_caps (
    GstVyreChannels *channels, VyreSymbols *symbols, const GstAudioInfo *info);
gboolean gst_vyre_channels_follow (GstVyreChannels *channels, VyreSymbols *symbols,
    GstBuffer *buffer, gboolean *changed, GError **error);

G_END_DECLS

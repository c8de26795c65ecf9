/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A readback takes over from its buffer everything about the place in the stream, and nothing that
 * describes bytes. docs/messages.md has the list.
 */
#include "filter/gstvyrestamp.h"

#include <gst/video/video.h>

#include "common/gstvyrereadback.h"

/* All flags that every buffer may have, without TAG_MEMORY, which is about memory. Flags from
 * GST_BUFFER_FLAG_LAST on mean something else for each kind of media. */
#define KEPT_FLAGS                                                                                 \
  (GST_BUFFER_FLAG_LIVE | GST_BUFFER_FLAG_DECODE_ONLY | GST_BUFFER_FLAG_DISCONT                    \
      | GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_MARKER                \
      | GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE                   \
      | GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_SYNC_AFTER | GST_BUFFER_FLAG_NON_DROPPABLE)

/* TRUE for the meta of readbacks: a readback has one of its own. */
static gboolean
stamp_is_of_readback (GstMeta *meta)
{
  return gst_meta_info_is_custom (meta->info)
         && gst_custom_meta_has_name ((GstCustomMeta *)meta, GST_VYRE_READBACK_META);
}

/* TRUE for metas that describe bytes without a tag that says so: pictures to be drawn onto a frame,
 * and the encryption of bytes. */
static gboolean
stamp_is_of_bytes (const GstMeta *meta)
{
  return meta->info->api == GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE
         || meta->info->api == GST_PROTECTION_META_API_TYPE;
}

/* TRUE if the readback gets a copy of @meta. The tags of a meta say what it describes, such as
 * memory, size or colours, none of which a readback has; a meta without tags describes the moment.
 * A meta of a pool stays with its buffer. */
static gboolean
stamp_is_kept (GstMeta *meta)
{
  const gchar *const *tags = gst_meta_api_type_get_tags (meta->info->api);

  return !GST_META_FLAG_IS_SET (meta, GST_META_FLAG_POOLED) && (!tags || !tags[0])
         && meta->info->transform_func && !stamp_is_of_bytes (meta) && !stamp_is_of_readback (meta);
}

static gboolean
stamp_keep_meta (GstBuffer *buffer, GstMeta **meta, gpointer readback)
{
  GstMetaTransformCopy whole = { FALSE, 0, (gsize)-1 };

  if (stamp_is_kept (*meta))
    (*meta)->info->transform_func (readback, *meta, buffer, _gst_meta_transform_copy, &whole);
  return TRUE;
}

/* Copies what @readback, which has no other user, takes over from the item's buffer. */
void
gst_vyre_stamp (GstBuffer *readback, const GstVyreItem *item)
{
  const GstVyreTiming *timing = &item->timing;

  GST_BUFFER_PTS (readback) = timing->pts;
  GST_BUFFER_DTS (readback) = timing->dts;
  GST_BUFFER_DURATION (readback) = timing->duration;
  GST_BUFFER_OFFSET (readback) = timing->offset;
  GST_BUFFER_OFFSET_END (readback) = timing->offset_end;
  GST_BUFFER_FLAG_SET (readback, timing->flags & KEPT_FLAGS);
  gst_buffer_foreach_meta (item->buffer, stamp_keep_meta, readback);
}

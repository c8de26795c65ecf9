/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyreframepool.h"

void
gst_vyre_frame_pool_drop (GstBufferPool **pool)
{
  if (*pool)
    gst_buffer_pool_set_active (*pool, FALSE);
  gst_clear_object (pool);
}

/* Has frames of @caps come from @pool; FALSE where it does not have such. */
static gboolean
frame_pool_start (GstBufferPool *pool, GstCaps *caps, guint size, guint least, guint most)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, least, most);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  return gst_buffer_pool_set_config (pool, config) && gst_buffer_pool_set_active (pool, TRUE);
}

/* Returns an active pool of frames of @size bytes, or NULL. */
GstBufferPool *
gst_vyre_frame_pool_choose (GstPad *srcpad, GstCaps *caps, guint size)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
  g_autoptr (GstBufferPool) pool = NULL;
  guint wanted = 0, least = 0, most = 0;

  if (gst_pad_peer_query (srcpad, query) && gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &wanted, &least, &most);
  if (pool && frame_pool_start (pool, caps, MAX (wanted, size), least, most))
    return g_steal_pointer (&pool);
  g_autoptr (GstBufferPool) own = gst_video_buffer_pool_new ();
  return frame_pool_start (own, caps, size, 0, 0) ? g_steal_pointer (&own) : NULL;
}

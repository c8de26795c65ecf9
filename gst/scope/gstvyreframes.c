/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyreframes.h"

/* Chooses what @allowed, which it takes, leaves open: 1280 × 720, at the rate of the video that
 * comes, or 30 where that is 0. */
GstCaps *
gst_vyre_frames_fixate (GstCaps *allowed, gint rate_n, gint rate_d)
{
  GstCaps *caps = gst_caps_truncate (gst_caps_make_writable (allowed));
  GstStructure *structure = gst_caps_get_structure (caps, 0);

  gst_structure_fixate_field_nearest_int (structure, "width", 1280);
  gst_structure_fixate_field_nearest_int (structure, "height", 720);
  gst_structure_fixate_field_nearest_fraction (
      structure, "framerate", rate_n > 0 ? rate_n : 30, rate_n > 0 ? rate_d : 1);
  if (gst_structure_has_field (structure, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction (structure, "pixel-aspect-ratio", 1, 1);
  return gst_caps_fixate (caps);
}

void
gst_vyre_frames_drop_pool (GstBufferPool **pool)
{
  if (*pool)
    gst_buffer_pool_set_active (*pool, FALSE);
  gst_clear_object (pool);
}

/* Has frames of @caps come from @pool; FALSE where it does not have such. */
static gboolean
frames_start_pool (GstBufferPool *pool, GstCaps *caps, guint size, guint least, guint most)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, least, most);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  return gst_buffer_pool_set_config (pool, config) && gst_buffer_pool_set_active (pool, TRUE);
}

/* Returns an active pool of frames of @size bytes, or NULL. */
GstBufferPool *
gst_vyre_frames_choose_pool (GstPad *srcpad, GstCaps *caps, guint size)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
  g_autoptr (GstBufferPool) pool = NULL;
  guint wanted = 0, least = 0, most = 0;

  if (gst_pad_peer_query (srcpad, query) && gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &wanted, &least, &most);
  if (pool && frames_start_pool (pool, caps, MAX (wanted, size), least, most))
    return g_steal_pointer (&pool);
  g_autoptr (GstBufferPool) own = gst_video_buffer_pool_new ();
  return frames_start_pool (own, caps, size, 0, 0) ? g_steal_pointer (&own) : NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrepairing.h"

#include "filter/gstvyrepartners.h"
#include "filter/gstvyrestream.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* A buffer that looks for its partner */
typedef struct {
  GstClockTime start; /* running time, or NONE */
  GstClockTime slack; /* half of its duration: how much earlier than a partner it may be */
} Seeker;

/* FALSE: the buffer lies outside of the segment. */
static gboolean
seeker_init (Seeker *seeker, const GstSegment *segment, GstBuffer *buffer)
{
  GstClockTime length;
  gboolean is_inside = gst_vyre_partner_find_span (
      segment, GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer), &seeker->start, &length);

  seeker->slack = GST_CLOCK_TIME_IS_VALID (length) ? length / 2 : 0;
  return is_inside;
}

/* TRUE if times decide over a pair. Otherwise each partner has one buffer, in order. */
static gboolean
seeker_has_time (const Seeker *seeker, const GstVyrePartner *partner)
{
  return GST_CLOCK_TIME_IS_VALID (seeker->start) && GST_CLOCK_TIME_IS_VALID (partner->start);
}

/* TRUE if @partner starts in time for the buffer. */
static gboolean
seeker_reaches (const Seeker *seeker, const GstVyrePartner *partner)
{
  return !seeker_has_time (seeker, partner) || partner->start <= seeker->start + seeker->slack;
}

/* TRUE if @partner is the buffer's, and none behind it can be. */
static gboolean
seeker_is_within (const Seeker *seeker, const GstVyrePartner *partner)
{
  return seeker_has_time (seeker, partner) && seeker_reaches (seeker, partner)
         && GST_CLOCK_TIME_IS_VALID (partner->end) && partner->end > seeker->start + seeker->slack;
}

/* TRUE if @partner, behind which none is the buffer's, has not ended before it. */
static gboolean
seeker_accepts (const Seeker *seeker, const GstVyrePartner *partner)
{
  return seeker_has_time (seeker, partner) && seeker_reaches (seeker, partner)
         && (!GST_CLOCK_TIME_IS_VALID (partner->end) || partner->end > seeker->start);
}

/* The lock is held. Makes the next partner the last one, if it starts in time for the buffer; the
 * one before goes to @former. */
static gboolean
pairing_advance (GstVyreFilter *self, const Seeker *seeker, GSList **former)
{
  GstVyrePartners *partners = &self->partners;

  if (!partners->next || !seeker_reaches (seeker, partners->next))
    return FALSE;
  if (partners->last) {
    gst_vyre_partners_count (self, partners->last);
    *former = g_slist_prepend (*former, partners->last);
  }
  partners->last = g_steal_pointer (&partners->next);
  gst_vyre_stream_wake_others (self);
  return TRUE;
}

/* The lock is held. TRUE once it is known which partner the buffer has; @found gets a reference to
 * it, or NULL. A partner that is there already decides no more than one that comes later would. */
static gboolean
pairing_decide (GstVyreFilter *self, const Seeker *seeker, GstVyrePartner **found, GSList **former)
{
  const GstVyrePartners *partners = &self->partners;

  if (partners->obsolete)
    return FALSE;
  gboolean fits = partners->last && seeker_is_within (seeker, partners->last);
  if (!fits && pairing_advance (self, seeker, former))
    fits = !seeker_has_time (seeker, partners->last) || seeker_is_within (seeker, partners->last);
  if (!fits && !partners->next && !partners->ended)
    return FALSE;
  fits = fits || (partners->last && seeker_accepts (seeker, partners->last));
  *found = fits && partners->last->buffer ? gst_vyre_partner_ref (partners->last) : NULL;
  if (*found)
    partners->last->has_had = TRUE;
  return TRUE;
}

/* The lock is held. Says how the wait for a partner goes on, as pairing_await() returns, or
 * GST_VYRE_FLOW_AGAIN. */
static GstFlowReturn
pairing_look (GstVyreFilter *self, const Seeker *seeker, gint64 deadline, GstVyrePartner **found,
    GSList **former)
{
  GstFlowReturn flow = gst_vyre_stream_get_flow (self);

  if (flow != GST_FLOW_OK)
    return flow;
  if (!self->partners.pad || pairing_decide (self, seeker, found, former))
    return GST_FLOW_OK;
  return deadline != G_MAXINT64 && g_get_monotonic_time () >= deadline ? GST_VYRE_FLOW_LATE
                                                                       : GST_VYRE_FLOW_AGAIN;
}

/* Waits until it is known which partner the buffer has, NULL if it has none; @alone gets whether
 * there is no second stream. GST_VYRE_FLOW_LATE: it is not known at the @deadline, in µs. */
static GstFlowReturn
pairing_await (GstVyreFilter *self, const Seeker *seeker, gint64 deadline, GstVyrePartner **found,
    gboolean *alone)
{
  GSList *former = NULL;
  GstFlowReturn flow;

  vyre_mutex_lock (&self->lock);
  while ((flow = pairing_look (self, seeker, deadline, found, &former)) == GST_VYRE_FLOW_AGAIN)
    gst_vyre_stream_sleep_until (self, deadline);
  *alone = !self->partners.pad;
  g_mutex_unlock (&self->lock);
  g_slist_free_full (former, (GDestroyNotify)gst_vyre_partner_unref);
  return flow;
}

/* Returns when the wait of a buffer ends if the one before has waited in vain, in µs: as much later
 * as it starts later. 0: the one before did not, or their times do not say. */
static gint64
pairing_find_earlier (const GstVyrePairing *pairing, const Seeker *seeker)
{
  if (pairing->ended == 0 || !GST_CLOCK_TIME_IS_VALID (seeker->start)
      || !GST_CLOCK_TIME_IS_VALID (pairing->waiting) || seeker->start < pairing->waiting)
    return 0;
  return pairing->ended + (gint64)((seeker->start - pairing->waiting) / GST_USECOND);
}

/* Waits until the buffer's own @deadline, or earlier where the one before has waited in vain, which
 * kept this one from coming: a stream without partners is delayed, and not slowed down. Where the
 * stream itself has been as slow since then as a buffer may wait, a buffer has its own. */
static GstFlowReturn
pairing_await_own (GstVyreFilter *self, const Seeker *seeker, gint64 *deadline,
    GstVyrePartner **found, gboolean *alone)
{
  GstVyrePairing *pairing = &self->pairing;
  gint64 earlier = pairing_find_earlier (pairing, seeker), now = g_get_monotonic_time ();

  if (earlier > 0 && *deadline != G_MAXINT64 && now - earlier < *deadline - now)
    *deadline = MIN (*deadline, earlier);
  GstFlowReturn flow = pairing_await (self, seeker, *deadline, found, alone);
  pairing->ended = flow == GST_VYRE_FLOW_LATE ? *deadline : 0;
  pairing->waiting = seeker->start;
  return flow;
}

/* Counts a buffer that has no partner, and warns of the first one. */
static void
pairing_leave_out (GstVyreFilter *self, GstBuffer *buffer)
{
  vyre_mutex_lock (&self->lock);
  self->stats.unpaired++;
  g_mutex_unlock (&self->lock);
  if (self->pairing.told)
    return;
  self->pairing.told = TRUE;
  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      ("The pad reference has no buffer for the one with PTS %" GST_TIME_FORMAT
       ", which %s; 'unpaired' counts those. Fix: have both streams start and "
       "end together, or put videorate in front of both.",
          GST_TIME_ARGS (GST_BUFFER_PTS (buffer)),
          g_atomic_int_get (&self->passes) ? "goes on without results" : "is left out"),
      (NULL));
}

static gboolean
pairing_check_caps (GstVyreFilter *self, const GstVyrePartner *partner, GError **error)
{
  const GstVyreGeometry *own = &self->geometry;
  const GstVideoInfo *a = &own->video, *b = &partner->video;

  if (own->has_video == partner->has_video
      && (!own->has_video
          || (GST_VIDEO_INFO_FORMAT (a) == GST_VIDEO_INFO_FORMAT (b)
              && GST_VIDEO_INFO_WIDTH (a) == GST_VIDEO_INFO_WIDTH (b)
              && GST_VIDEO_INFO_HEIGHT (a) == GST_VIDEO_INFO_HEIGHT (b))))
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNBOUND,
      "The stream of the pad reference has pictures of another format or size than that of the pad "
      "sink. Fix: put videoconvert ! videoscale in front of the pad reference.");
  return FALSE;
}

/* Has paired( ) name the regions of @partner, which lies at @offset of a payload. */
static void
pairing_bind (GstVyreFilter *self, const GstVyrePartner *partner, gsize offset)
{
  GstVyrePairing *pairing = &self->pairing;
  gsize size = gst_buffer_get_size (partner->buffer);

  if (pairing->era == partner->era && pairing->offset == offset && pairing->size == size)
    return;
  if (offset + size > G_MAXUINT32) /* the plan fails */
    return;
  vyre_symbols_set_paired (
      self->geometry.symbols, partner->symbols, (guint32)offset, (guint32)size);
  pairing->era = partner->era;
  pairing->offset = offset;
  pairing->size = size;
  self->plan_stale = TRUE;
}

/* There is no second stream, or no longer. */
static GstBuffer *
pairing_leave_alone (GstVyreFilter *self, GstBuffer *buffer)
{
  if (self->pairing.era != 0) {
    vyre_symbols_set_paired (self->geometry.symbols, NULL, 0, 0);
    gst_vyre_pairing_reset (self);
    self->plan_stale = TRUE;
  }
  return gst_buffer_ref (buffer);
}

/* Returns a buffer of the bytes of both, which keeps the partner. */
static GstBuffer *
pairing_append (GstBuffer *buffer, GstBuffer *partner)
{
  GstBuffer *joined = gst_buffer_append (gst_buffer_copy (buffer), gst_buffer_ref (partner));

  gst_buffer_add_parent_buffer_meta (joined, partner);
  return joined;
}

/* Takes the partner off the parents that a buffer keeps: it is the last of them. */
static void
pairing_drop_partner (GstBuffer *joined)
{
  GstMeta *meta, *last = NULL;
  gpointer state = NULL;

  while (
      (meta = gst_buffer_iterate_meta_filtered (joined, &state, GST_PARENT_BUFFER_META_API_TYPE))) {
    if (!last || gst_meta_get_seqnum (meta) > gst_meta_get_seqnum (last))
      last = meta;
  }
  if (last)
    gst_buffer_remove_meta (joined, last);
}

/* The sink pad's stream lock is held. Has @item keep bytes of its own for those of the partner: its
 * program keeps the payload for later ones, and the second stream may be drained meanwhile. Without
 * memory for them a drain waits longer. */
void
gst_vyre_pairing_keep (GstVyreFilter *self, GstVyreItem *item)
{
  guint first, n;
  gsize skip;

  if (self->pairing.era == 0 || vyre_plan_get_older (item->plan) == 0
      || !gst_buffer_find_memory (
          item->buffer, self->pairing.offset, self->pairing.size, &first, &n, &skip)
      || skip != 0)
    return;
  GstBuffer *kept = gst_buffer_copy (item->buffer);
  GstMemory *theirs = gst_buffer_get_memory_range (kept, first, (gint)n);
  GstMemory *copy = gst_memory_copy (theirs, 0, -1);
  gst_memory_unref (theirs);
  if (!copy) {
    gst_buffer_unref (kept);
    return;
  }
  gst_buffer_replace_memory_range (kept, first, (gint)n, copy);
  pairing_drop_partner (kept);
  gst_buffer_replace (&item->buffer, kept);
  gst_buffer_unref (kept);
}

static GstFlowReturn
pairing_refuse_slots (GstVyreFilter *self)
{
  return gst_vyre_stream_fail (self,
      g_error_new (VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
          "Raw slots have no partners in a second stream. Fix: release the pad reference, or send "
          "other caps than application/x-vyre-slots."));
}

/* The sink pad's stream lock is held. Waits for the partner of @buffer; @joined gets a buffer of
 * the bytes of both, or NULL if there is no partner. Without a second stream it gets @buffer.
 * GST_VYRE_FLOW_LATE: the partner is not known at the @deadline, in µs, which gets the buffer's own
 * where that is earlier. */
GstFlowReturn
gst_vyre_pairing_join (GstVyreFilter *self, GstBuffer *buffer, gint64 *deadline, GstBuffer **joined)
{
  g_autoptr (GstVyrePartner) partner = NULL;
  Seeker seeker;
  GError *error = NULL;
  gboolean alone = !g_atomic_pointer_get (&self->partners.pad);
  GstFlowReturn flow = GST_FLOW_OK;

  *joined = NULL;
  if (!alone && self->geometry.has_slots)
    return pairing_refuse_slots (self);
  if (!alone && seeker_init (&seeker, &self->segment, buffer))
    flow = pairing_await_own (self, &seeker, deadline, &partner, &alone);
  if (flow != GST_FLOW_OK)
    return flow;
  if (!partner && alone)
    *joined = pairing_leave_alone (self, buffer);
  else if (!partner)
    pairing_leave_out (self, buffer);
  if (!partner)
    return GST_FLOW_OK;
  if (!pairing_check_caps (self, partner, &error))
    return gst_vyre_stream_fail (self, error);
  pairing_bind (self, partner, gst_buffer_get_size (buffer));
  *joined = pairing_append (buffer, partner->buffer);
  return GST_FLOW_OK;
}

/* The sink pad's stream has ended: no buffer comes for the partners that are there. */
void
gst_vyre_pairing_end (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  gst_vyre_partners_count (self, self->partners.last);
  gst_vyre_partners_count (self, self->partners.next);
  g_mutex_unlock (&self->lock);
}

/* The sink pad's stream lock is held. The symbols of the sink pad are new. */
void
gst_vyre_pairing_reset (GstVyreFilter *self)
{
  self->pairing = (GstVyrePairing){ .told = self->pairing.told };
}

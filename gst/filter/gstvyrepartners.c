/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrepartners.h"

#include "filter/gstvyrestream.h"

#define GST_CAT_DEFAULT gst_vyre_debug

GstVyrePartner *
gst_vyre_partner_ref (GstVyrePartner *partner)
{
  return g_atomic_rc_box_acquire (partner);
}

static void
partner_clear (gpointer data)
{
  GstVyrePartner *partner = data;

  gst_clear_buffer (&partner->buffer);
  vyre_symbols_free (partner->symbols);
}

void
gst_vyre_partner_unref (GstVyrePartner *partner)
{
  g_atomic_rc_box_release_full (partner, partner_clear);
}

/* Finds the running time at which a buffer starts, and how long it lasts, either NONE where it is
 * not known. FALSE: the buffer lies outside of the segment. Backwards, a buffer starts with its
 * end. */
gboolean
gst_vyre_partner_find_span (const GstSegment *segment, GstClockTime pts, GstClockTime duration,
    GstClockTime *start, GstClockTime *length)
{
  GstClockTime first = pts;

  *start = *length = GST_CLOCK_TIME_NONE;
  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (pts))
    return TRUE;
  if (GST_CLOCK_TIME_IS_VALID (duration)) {
    *length = (GstClockTime)((gdouble)duration / ABS (segment->rate));
    first = segment->rate < 0 ? pts + duration : pts;
  }
  *start = gst_segment_to_running_time (segment, GST_FORMAT_TIME, first);
  if (!GST_CLOCK_TIME_IS_VALID (*start)) /* the last one may reach beyond the segment */
    *start = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  return GST_CLOCK_TIME_IS_VALID (*start);
}

/* The pad's stream lock is held. Describes @buffer, or a gap, which starts at @start of the running
 * time. */
static GstVyrePartner *
partner_new (
    const GstVyrePartners *partners, GstBuffer *buffer, GstClockTime start, GstClockTime length)
{
  GstVyrePartner *partner = g_atomic_rc_box_new0 (GstVyrePartner);
  gboolean has_end = GST_CLOCK_TIME_IS_VALID (start) && GST_CLOCK_TIME_IS_VALID (length);

  partner->buffer = buffer ? gst_buffer_ref (buffer) : NULL;
  partner->start = start;
  partner->end = has_end ? start + length : GST_CLOCK_TIME_NONE;
  partner->symbols = vyre_symbols_copy (partners->geometry.symbols);
  partner->has_video = partners->geometry.has_video;
  partner->video = partners->geometry.video;
  partner->era = partners->era;
  return partner;
}

/* The lock is held. No buffer will have @partner, or NULL, any more: counts it if none has had it.
 */
void
gst_vyre_partners_count (GstVyreFilter *self, GstVyrePartner *partner)
{
  if (!partner || partner->has_had || !partner->buffer)
    return;
  self->stats.passed_over++;
  partner->has_had = TRUE;
}

/* The lock is held. Returns the answer to a partner that comes now. A flush of the sink pad keeps
 * partners, which may not be flushed. */
static GstFlowReturn
partners_get_flow (const GstVyreFilter *self)
{
  if (self->partners.flushing)
    return GST_FLOW_FLUSHING;
  if (self->failed)
    return GST_FLOW_ERROR;
  return self->eos ? GST_FLOW_EOS : self->flow;
}

/* Leaves @partner, which it takes, to the sink pad's thread, once that has had the one before. */
static GstFlowReturn
partners_hand_over (GstVyreFilter *self, GstVyrePartner *partner)
{
  GstVyrePartners *partners = &self->partners;

  vyre_mutex_lock (&self->lock);
  while (partners_get_flow (self) == GST_FLOW_OK && partners->next) {
    self->n_sleeping++;
    g_cond_wait (&self->changed, &self->lock);
    self->n_sleeping--;
  }
  GstFlowReturn flow = partners_get_flow (self);
  if (flow == GST_FLOW_OK) {
    partners->next = g_steal_pointer (&partner);
    gst_vyre_stream_wake_others (self);
  } else if (flow == GST_FLOW_EOS) {
    gst_vyre_partners_count (self, partner);
  }
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&partner, gst_vyre_partner_unref);
  return flow;
}

static GstFlowReturn
partners_take (GstVyreFilter *self, GstBuffer *buffer)
{
  GstVyrePartners *partners = &self->partners;
  GError *error = NULL;
  GstClockTime start, length;
  gboolean changed;

  gboolean fits = gst_vyre_geometry_check (&partners->geometry, buffer, &changed, &error);
  partners->era += changed;
  if (!fits)
    return gst_vyre_stream_fail (self, error);
  if (!gst_vyre_partner_find_span (&partners->segment, GST_BUFFER_PTS (buffer),
          GST_BUFFER_DURATION (buffer), &start, &length))
    return GST_FLOW_OK;
  return partners_hand_over (self, partner_new (partners, buffer, start, length));
}

/* For the time of a gap there are no partners. */
static void
partners_take_gap (GstVyreFilter *self, GstEvent *event)
{
  GstVyrePartners *partners = &self->partners;
  GstClockTime pts, duration, start, length;

  gst_event_parse_gap (event, &pts, &duration);
  if (gst_vyre_partner_find_span (&partners->segment, pts, duration, &start, &length)
      && GST_CLOCK_TIME_IS_VALID (length))
    partners_hand_over (self, partner_new (partners, NULL, start, length));
}

static GstFlowReturn
partners_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);
  GstFlowReturn flow = self->partners.refused ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_ERROR;

  if (!self->partners.refused && gst_vyre_state_check_own (self))
    flow = partners_take (self, buffer);
  gst_buffer_unref (buffer);
  return flow;
}

static gboolean
partners_set_caps (GstVyreFilter *self, GstCaps *caps)
{
  GstVyrePartners *partners = &self->partners;
  GError *error = NULL;

  partners->era++;
  partners->refused = !gst_vyre_geometry_set_caps (&partners->geometry, caps, &error);
  if (partners->refused)
    gst_vyre_stream_fail (self, error);
  return !partners->refused;
}

/* Says whether the stream has ended. */
static void
partners_set_ended (GstVyreFilter *self, gboolean ended)
{
  vyre_mutex_lock (&self->lock);
  self->partners.ended = ended;
  self->partners.obsolete = FALSE;
  gst_vyre_stream_wake_others (self);
  g_mutex_unlock (&self->lock);
}

/* Has the pad's thread leave, unless the pad has become inactive since it let a FLUSH_START in. */
static void
partners_start_flush (GstVyreFilter *self, GstPad *pad, guint32 seqnum)
{
  vyre_mutex_lock (&self->lock);
  self->partners.seqnum = seqnum;
  GST_OBJECT_LOCK (pad);
  if (GST_PAD_IS_ACTIVE (pad) && GST_PAD_IS_FLUSHING (pad))
    self->partners.flushing = TRUE;
  GST_OBJECT_UNLOCK (pad);
  gst_vyre_stream_wake_others (self);
  g_mutex_unlock (&self->lock);
}

/* The pad's stream lock is held. Forgets the buffers so far, and lets others in. */
static void
partners_forget (GstVyreFilter *self)
{
  GstVyrePartners *partners = &self->partners;

  gst_segment_init (&partners->segment, GST_FORMAT_UNDEFINED);
  vyre_mutex_lock (&self->lock);
  GstVyrePartner *next = g_steal_pointer (&partners->next);
  GstVyrePartner *last = g_steal_pointer (&partners->last);
  partners->flushing = partners->ended = partners->obsolete = FALSE;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&next, gst_vyre_partner_unref);
  g_clear_pointer (&last, gst_vyre_partner_unref);
}

/* Nothing of this stream goes downstream: its buffers go with those of the sink pad. */
static gboolean
partners_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);
  gboolean done = !g_atomic_int_get (&self->inherited);
  GstCaps *caps;

  switch (done ? GST_EVENT_TYPE (event) : GST_EVENT_UNKNOWN) {
    case GST_EVENT_FLUSH_START:
      partners_start_flush (self, pad, gst_event_get_seqnum (event));
      break;
    case GST_EVENT_FLUSH_STOP:
      partners_forget (self);
      break;
    case GST_EVENT_STREAM_START:
      partners_set_ended (self, FALSE);
      break;
    case GST_EVENT_EOS:
    case GST_EVENT_SEGMENT_DONE:
      partners_set_ended (self, TRUE);
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &self->partners.segment);
      partners_set_ended (self, FALSE);
      break;
    case GST_EVENT_GAP:
      partners_take_gap (self, event);
      break;
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      done = partners_set_caps (self, caps);
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return done;
}

/* Puts a copy into the place of the partner in @slot: upstream may wait for all of its memory. */
static void
partners_detach (GstVyreFilter *self, GstVyrePartner **slot)
{
  vyre_mutex_lock (&self->lock);
  g_autoptr (GstVyrePartner) partner = *slot ? gst_vyre_partner_ref (*slot) : NULL;
  g_mutex_unlock (&self->lock);
  GstBuffer *buffer = partner && partner->buffer ? gst_buffer_copy_deep (partner->buffer) : NULL;
  if (!buffer) /* none, or no memory: upstream waits */
    return;
  GstVyrePartner *copy = g_atomic_rc_box_dup (sizeof *partner, partner);
  copy->buffer = buffer;
  copy->symbols = vyre_symbols_copy (partner->symbols);
  vyre_mutex_lock (&self->lock);
  gboolean is_there = *slot == partner;
  if (is_there)
    *slot = copy;
  g_mutex_unlock (&self->lock);
  gst_vyre_partner_unref (is_there ? partner : copy);
}

/* Upstream waits for all of its memory: batches give theirs back, and the partners that are kept
 * are copied. */
static void
partners_drain (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  while (!self->partners.flushing && self->n_batches + self->n_late > 0
         && self->worker != g_thread_self () && gst_vyre_stream_get_flow (self) == GST_FLOW_OK)
    gst_vyre_stream_sleep (self);
  g_mutex_unlock (&self->lock);
  partners_detach (self, &self->partners.next);
  partners_detach (self, &self->partners.last);
}

/* The caps that pictures have to have, of those of the sink pad; NULL: any do. */
static GstCaps *
partners_find_caps (GstVyreFilter *self)
{
  static const gchar *const wanted[] = { "format", "width", "height" };
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);
  const GstStructure *all = caps ? gst_caps_get_structure (caps, 0) : NULL;

  if (!all || !gst_structure_has_name (all, "video/x-raw"))
    return NULL;
  GstStructure *some = gst_structure_new_empty ("video/x-raw");
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    gst_structure_set_value (some, wanted[i], gst_structure_get_value (all, wanted[i]));
  GstCaps *result = gst_caps_new_full (some, NULL);
  gst_caps_set_features (result, 0, gst_caps_features_copy (gst_caps_get_features (caps, 0)));
  return result;
}

static gboolean
partners_query_caps (GstVyreFilter *self, GstPad *pad, GstQuery *query)
{
  g_autoptr (GstCaps) caps = partners_find_caps (self);
  GstCaps *filter;

  if (!caps)
    return gst_pad_query_default (pad, GST_OBJECT_CAST (self), query);
  gst_query_parse_caps (query, &filter);
  g_autoptr (GstCaps) result
      = filter ? gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST)
               : gst_caps_ref (caps);
  gst_query_set_caps_result (query, result);
  return TRUE;
}

static gboolean
partners_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);

  if (g_atomic_int_get (&self->inherited))
    return FALSE;
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      return partners_query_caps (self, pad, query);
    case GST_QUERY_ACCEPT_CAPS: /* the error of a pair says more */
      gst_query_set_accept_caps_result (query, TRUE);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
      return TRUE;
    case GST_QUERY_DRAIN:
      partners_drain (self);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* TRUE unless the pad was released: a change of state that had met it may still deactivate it,
 * beside the pad that came after. With the pad's stream lock the answer holds until that goes. */
static gboolean
partners_has_pad (GstVyreFilter *self, const GstPad *pad)
{
  return g_atomic_pointer_get (&self->partners.pad) == pad;
}

/* Deactivation leaves everything ready for the next stream, as that of the sink pad does. */
static gboolean
partners_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active)
    return TRUE;
  vyre_mutex_lock (&self->lock);
  self->partners.flushing |= partners_has_pad (self, pad);
  gst_vyre_stream_wake_others (self);
  g_mutex_unlock (&self->lock);
  GST_PAD_STREAM_LOCK (pad); /* the chain function has returned */
  if (partners_has_pad (self, pad)) {
    gst_vyre_geometry_clear (&self->partners.geometry);
    self->partners.era++;
    self->partners.refused = FALSE;
    partners_forget (self);
  }
  GST_PAD_STREAM_UNLOCK (pad);
  return TRUE;
}

/* Returns the pad, newly made and added; NULL if there is one. */
GstPad *
gst_vyre_partners_add_pad (GstVyreFilter *self, GstPadTemplate *template)
{
  GstPad *pad = gst_pad_new_from_template (template, GST_VYRE_PARTNERS_PAD);
  gst_pad_set_activatemode_function (pad, partners_activate);
  gst_pad_set_chain_function (pad, partners_chain);
  gst_pad_set_event_function (pad, partners_event);
  gst_pad_set_query_function (pad, partners_query);
  vyre_mutex_lock (&self->lock);
  gboolean is_first = !self->partners.pad;
  if (is_first) {
    gst_vyre_geometry_clear (&self->partners.geometry);
    gst_segment_init (&self->partners.segment, GST_FORMAT_UNDEFINED);
    self->partners.era++; /* 0 stands for none */
    g_atomic_pointer_set (&self->partners.pad, gst_object_ref (pad));
  }
  g_mutex_unlock (&self->lock);
  if (!is_first) {
    gst_object_ref_sink (pad);
    gst_object_unref (pad);
    return NULL;
  }
  gst_pad_set_active (pad, GST_PAD_IS_ACTIVE (self->sinkpad));
  gst_element_add_pad (GST_ELEMENT_CAST (self), pad);
  return pad;
}

void
gst_vyre_partners_remove_pad (GstVyreFilter *self, GstPad *pad)
{
  gst_pad_set_active (pad, FALSE);
  GST_PAD_STREAM_LOCK (pad);
  vyre_mutex_lock (&self->lock);
  g_atomic_pointer_set (&self->partners.pad, NULL);
  gst_vyre_stream_wake_others (self);
  g_mutex_unlock (&self->lock);
  partners_forget (self); /* a change of state may have begun to deactivate it again */
  g_clear_pointer (&self->partners.geometry.symbols, vyre_symbols_free);
  GST_PAD_STREAM_UNLOCK (pad);
  gst_element_remove_pad (GST_ELEMENT_CAST (self), pad);
  gst_object_unref (pad);
}

/* A flush that has come already, by the way of another sink, makes nothing obsolete. */
static void
partners_set_obsolete (GstVyreFilter *self, gboolean obsolete, guint32 seqnum)
{
  GstVyrePartners *partners = &self->partners;

  vyre_mutex_lock (&self->lock);
  partners->obsolete = obsolete && partners->pad && partners->seqnum != seqnum;
  gst_vyre_stream_wake_others (self);
  g_mutex_unlock (&self->lock);
}

/* Sends a seek, which it takes, up both streams. The first one may begin anew before the second is
 * flushed: its buffers wait, and meet none of the partners from before. */
gboolean
gst_vyre_partners_seek (GstVyreFilter *self, GstEvent *event)
{
  g_autoptr (GstPad) pad = gst_vyre_partners_get_pad (self);
  GstSeekFlags flags;

  gst_event_parse_seek (event, NULL, NULL, &flags, NULL, NULL, NULL, NULL);
  guint32 seqnum = gst_event_get_seqnum (event);
  partners_set_obsolete (self, flags & GST_SEEK_FLAG_FLUSH, seqnum);
  gboolean done = gst_pad_push_event (self->sinkpad, gst_event_ref (event));
  if (!pad || !gst_pad_push_event (pad, gst_event_ref (event)))
    partners_set_obsolete (self, FALSE, seqnum);
  gst_event_unref (event);
  return done;
}

/* Returns a reference to the pad, or NULL. */
GstPad *
gst_vyre_partners_get_pad (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  GstPad *pad = self->partners.pad ? gst_object_ref (self->partners.pad) : NULL;
  g_mutex_unlock (&self->lock);
  return pad;
}

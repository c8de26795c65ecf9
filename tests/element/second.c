/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "second.h"

#include <string.h>

void
second_begin (Second *other, const gchar *text)
{
  GstCaps *caps = gst_caps_from_string (text);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (other->source, gst_event_new_stream_start ("second"));
  gst_pad_push_event (other->source, gst_event_new_caps (caps));
  gst_pad_push_event (other->source, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

void
second_init (Second *other, GstHarness *h)
{
  *other = (Second){ .h = h, .source = gst_pad_new ("second", GST_PAD_SRC) };
  other->sink = gst_element_request_pad_simple (h->element, "reference");
  fail_unless_equals_int (gst_pad_link (other->source, other->sink), GST_PAD_LINK_OK);
  gst_pad_set_active (other->source, TRUE);
}

void
second_clear (Second *other)
{
  gst_pad_set_active (other->source, FALSE);
  gst_pad_unlink (other->source, other->sink);
  gst_element_release_request_pad (other->h->element, other->sink);
  gst_object_unref (other->sink);
  gst_object_unref (other->source);
}

/* A picture at @time, in ms, if it is not negative, and 10 ms long. */
GstBuffer *
second_picture (guint8 level, gint time)
{
  guint8 data[SECOND_STRIDE * SECOND_ROWS];
  memset (data, level, sizeof data);
  GstBuffer *buffer = buffer_of (data, sizeof data);

  if (time >= 0) {
    GST_BUFFER_PTS (buffer) = (guint)time * GST_MSECOND;
    GST_BUFFER_DURATION (buffer) = 10 * GST_MSECOND;
  }
  return buffer;
}

/* Pushes a picture for each time, whose level is its number, and EOS. */
gpointer
second_run (gpointer data)
{
  Second *other = data;

  for (guint i = 0; other->times[i] >= 0 && other->flow == GST_FLOW_OK; i++)
    other->flow = gst_pad_push (other->source, second_picture ((guint8)i, other->times[i]));
  gst_pad_push_event (other->source, gst_event_new_eos ());
  return NULL;
}

static gpointer
second_waiter_run (gpointer data)
{
  SecondWaiter *waiter = data;

  waiter->flow = gst_pad_push (waiter->pad, second_picture (1, 10));
  g_atomic_int_set (&waiter->over, TRUE);
  return NULL;
}

/* The chain function has the buffer, and waits, or has returned. */
void
second_waiter_start (SecondWaiter *waiter, GstPad *pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  *waiter = (SecondWaiter){ .pad = pad };
  waiter->thread = g_thread_new ("waiter", second_waiter_run, waiter);
  gboolean is_in = FALSE;
  for (guint i = 0; i < PATIENCE * 1000 && !is_in && !g_atomic_int_get (&waiter->over); i++) {
    is_in = !GST_PAD_STREAM_TRYLOCK (peer);
    if (!is_in)
      GST_PAD_STREAM_UNLOCK (peer);
    g_usleep (1000);
  }
  gst_object_unref (peer);
}

GstFlowReturn
second_waiter_join (SecondWaiter *waiter)
{
  g_thread_join (waiter->thread);
  return waiter->flow;
}

void
second_flush (GstPad *pad)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_pad_push_event (pad, gst_event_new_flush_start ()));
  fail_unless (gst_pad_push_event (pad, gst_event_new_flush_stop (TRUE)));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

static void
second_end_wait (SecondEnd end, GstHarness *h, Second *other)
{
  switch (end) {
    case SECOND_ENDS_RELEASE:
      second_clear (other);
      break;
    case SECOND_ENDS_EOS:
      gst_pad_push_event (other->source, gst_event_new_eos ());
      break;
    case SECOND_ENDS_FIRST_EOS:
      filter_push_eos (h);
      filter_wait_eos (h);
      break;
    case SECOND_ENDS_LEAVE:
      gst_pad_set_active (other->sink, FALSE);
      gst_element_set_state (h->element, GST_STATE_READY);
      break;
    default:
      gst_element_set_state (h->element, GST_STATE_READY);
      break;
  }
}

/* Has a buffer wait, which @end ends, and expects what the buffer is told. The second stream is
 * gone then. */
void
second_check_end (SecondEnd end, GstHarness *h, Second *other)
{
  static const GstFlowReturn flows[SECOND_N_ENDS] = {
    [SECOND_ENDS_STATE] = GST_FLOW_FLUSHING,
    [SECOND_ENDS_RELEASE] = GST_FLOW_ERROR,
    [SECOND_ENDS_EOS] = GST_FLOW_OK,
    [SECOND_ENDS_LEAVE] = GST_FLOW_FLUSHING,
    [SECOND_ENDS_OWN_STATE] = GST_FLOW_FLUSHING,
    [SECOND_ENDS_FIRST_EOS] = GST_FLOW_EOS,
  };
  gboolean is_second = end >= SECOND_ENDS_OWN_STATE;
  SecondWaiter waiter;

  if (is_second)
    fail_unless_equals_int (gst_pad_push (other->source, second_picture (5, 0)), GST_FLOW_OK);
  second_waiter_start (&waiter, is_second ? other->source : h->srcpad);
  second_end_wait (end, h, other);
  fail_unless_equals_int (second_waiter_join (&waiter), flows[end]);
  if (end == SECOND_ENDS_RELEASE)
    bus_assert_error (h, "link a second stream");
  else
    second_clear (other);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vyrefilter
 * @title: vyrefilter
 *
 * Runs a program over every buffer on a Vulkan kernel that is already running,
 * and sends the readback of each run downstream: control, ring, debug log and io
 * queue, one #GstMemory each, with their places in a custom meta named
 * "GstVyreReadbackMeta". Results and counters go onto the bus as element
 * messages: `vyre-results` with a field for every named result of the program,
 * `vyre-counters`, and `vyre-debug` with the records of PRINTF.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=100 ! video/x-raw,format=I420 ! \
 *   vyrefilter program=builtin:frame-stats ! fakesink
 * ]| Brightness statistics of a test picture, in `vyre-results` messages.
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=100 ! video/x-raw,format=I420 ! \
 *   vyrefilter output-mode=passthrough program=builtin:video-qc ! vp8enc ! webmmux ! \
 *   filesink location=film.webm
 * ]| A film that is measured while it is encoded. The request pads `readback_%u` give the readbacks
 * beside the buffers.
 * |[
 * gst-launch-1.0 -m filesrc location=film.webm ! \
 *   vyrefilter program='crc32 payload -> crc32' results-interval=0 ! fakesink
 * ]| A CRC32 for every block of a file.
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=30 ! video/x-raw,format=I420 ! queue ! \
 *   vyrefilter name=f program=builtin:compare ! fakesink \
 *   videotestsrc num-buffers=30 pattern=ball ! video/x-raw,format=I420 ! queue ! f.reference
 * ]| The differences of two streams. The second one comes in at the request pad `reference`, and
 * with output-mode=passthrough the first goes on with the differences in its metas.
 * |[
 * gst-launch-1.0 -m filesrc location=slots.bin blocksize=640 ! application/x-vyre-slots ! \
 *   vyrefilter ! filesink location=readbacks.bin
 * ]| Slots that somebody else encoded, ten in a batch. They are checked as publishing does, and
 * run without a program.
 */
#include "filter/gstvyrefilter.h"

#include "common/gstvyrefork.h"
#include "common/gstvyrethread.h"
#include "filter/gstvyreaccess.h"
#include "filter/gstvyreanalytics.h"
#include "filter/gstvyreevents.h"
#include "filter/gstvyrelatency.h"
#include "filter/gstvyremessages.h"
#include "filter/gstvyreparams.h"
#include "filter/gstvyrepartners.h"
#include "filter/gstvyrepassthrough.h"
#include "filter/gstvyreproperties.h"
#include "filter/gstvyrerecovery.h"
#include "filter/gstvyresinkpad.h"
#include "filter/gstvyreslots.h"
#include "filter/gstvyrestaging.h"
#include "filter/gstvyresourcepad.h"
#include "filter/gstvyrestream.h"
#include "filter/gstvyretaps.h"
#include "filter/gstvyretensors.h"

#define GST_CAT_DEFAULT gst_vyre_debug

static GstStaticPadTemplate sink_template
    = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate reference_template = GST_STATIC_PAD_TEMPLATE (
    GST_VYRE_PARTNERS_PAD, GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate readback_template = GST_STATIC_PAD_TEMPLATE (GST_VYRE_TAPS_PADS,
    GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS ("application/x-vyre-readback"));
static GstStaticPadTemplate source_template
    = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstVyreFilter, gst_vyre_filter, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_CHILD_PROXY, gst_vyre_params_init_interface)
        gst_vyre_debug_init ())
GST_ELEMENT_REGISTER_DEFINE (vyrefilter, "vyrefilter", GST_RANK_NONE, GST_TYPE_VYRE_FILTER)

/* In a child. Batches, readbacks, the pool and the log are left alone. */
static void
filter_become_inherited (gpointer element)
{
  GstVyreFilter *self = element;

  g_atomic_int_set (&self->inherited, TRUE);
  g_mutex_init (GST_OBJECT_GET_LOCK (self));
  gst_vyre_params_become_inherited (self);
  g_mutex_init (&self->lock);
  g_mutex_init (&self->program_lock);
  g_mutex_init (&self->activation);
  g_cond_init (&self->changed);
  g_cond_init (&self->work);
  self->n_sleeping = 0;
  self->task_state = GST_VYRE_TASK_RUNS;
  self->worker = NULL;
  self->lent = FALSE;
  self->readbacks = NULL;
  self->opener = NULL; /* and it has done its work */
  self->recovering = self->settling = FALSE;
  self->replay = NULL;
  self->lines = NULL;
  gst_vyre_fork_forget_thread (self->sinkpad);
  gst_vyre_fork_forget_thread (self->srcpad);
  if (self->partners.pad)
    gst_vyre_fork_forget_thread (self->partners.pad);
  gst_vyre_taps_become_inherited (self);
}

static void
gst_vyre_filter_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (object);

  GST_OBJECT_LOCK (self);
  guint beginning = self->settings.beginning;
  GST_OBJECT_UNLOCK (self);
  gst_vyre_properties_set (object, gst_vyre_filter_properties, id, value);
  GST_OBJECT_LOCK (self);
  g_atomic_int_inc (&self->settings.serial);
  gboolean begins = self->settings.beginning != beginning;
  GST_OBJECT_UNLOCK (self);
  if (begins)
    gst_vyre_params_follow (self);
}

static void
gst_vyre_filter_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  gst_vyre_properties_get (object, gst_vyre_filter_properties, id, value);
}

/* NULL to READY: opens the device, which proves its residency, and joins the kernel. */
static gboolean
filter_open_kernel (GstVyreFilter *self)
{
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  if (self->program_error)
    error = g_error_copy (self->program_error);
  else
    gst_vyre_access_check (self, self->settings.program, &error);
  GstVyreKernelParams params;
  gst_vyre_kernel_params_copy (&params, &self->kernel);
  GST_OBJECT_UNLOCK (self);
  GstVyreShared *shared = error ? NULL : gst_vyre_shared_acquire (&params, &error);
  gst_vyre_kernel_params_clear (&params);
  if (!shared) {
    gst_vyre_state_post_error (self, error);
    g_error_free (error);
    return FALSE;
  }
  VyreTenant *tenant = gst_vyre_shared_join (shared, GST_ELEMENT_CAST (self));
  gst_vyre_fork_watch (self, filter_become_inherited); /* before there is a kernel to inherit */
  vyre_mutex_lock (&self->lock);
  self->shared = shared;
  self->lane = vyre_lane_new (shared->kernel);
  self->lender = gst_vyre_staging_new_lender (self, shared);
  self->tenant = tenant;
  g_mutex_unlock (&self->lock);
  VyreMegakernel *kernel = shared->kernel;
  GST_INFO_OBJECT (self, "%s, %s, %s (%s)",
      vyre_device_get_name (vyre_megakernel_get_device (kernel)),
      vyre_placement_name (vyre_megakernel_get_placement (kernel)),
      vyre_residency_name (vyre_megakernel_get_residency (kernel)),
      vyre_megakernel_get_verdict (kernel));
  const char *reason = gst_vyre_shared_take_news (shared, GST_ELEMENT_CAST (self));
  if (reason)
    GST_ELEMENT_WARNING (self, RESOURCE, NOT_AUTHORIZED, ("%s", reason), (NULL));
  return TRUE;
}

static void
filter_close_kernel (GstVyreFilter *self)
{
  gst_vyre_recovery_end (self);
  vyre_mutex_lock (&self->lock);
  GstVyreShared *shared = g_steal_pointer (&self->shared);
  VyreLane *lane = g_steal_pointer (&self->lane);
  VyreTenant *tenant = g_steal_pointer (&self->tenant);
  GstAllocator *lender = g_steal_pointer (&self->lender);
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
  if (!shared)
    return;
  vyre_lane_unref (lane);
  gst_vyre_staging_free_lender (self, lender);
  gst_vyre_fork_unwatch (self);
  gst_vyre_shared_leave (shared, tenant);
  gst_vyre_shared_unref (shared);
  g_atomic_int_set (&self->inherited, FALSE);
}

static void
filter_reset_stats (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  self->stats = (GstVyreStats){ 0 };
  gst_clear_structure (&self->event_counts);
  gst_clear_structure (&self->event_times);
  gst_clear_structure (&self->event_values);
  g_mutex_unlock (&self->lock);
}

/* An element in PLAYING keeps the kernel from parking at once. */
static void
filter_set_active (GstVyreFilter *self, gboolean active)
{
  vyre_mutex_lock (&self->lock);
  if (self->active != active)
    vyre_megakernel_set_active (self->shared->kernel, active);
  self->active = active;
  g_mutex_unlock (&self->lock);
}

/* Does the element's part of a change upwards, before the pads are activated. */
static gboolean
filter_go_up (GstVyreFilter *self, GstStateChange transition)
{
  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      return filter_open_kernel (self);
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      filter_reset_stats (self);
      gst_vyre_passthrough_start (self);
      return gst_vyre_analytics_start (self) && gst_vyre_tensors_start (self)
             && gst_vyre_thread_check (GST_ELEMENT_CAST (self)) && gst_vyre_access_start (self);
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      filter_set_active (self, TRUE);
      return TRUE;
    default:
      return TRUE;
  }
}

/* Does the element's part of a change downwards, after the pads are deactivated. */
static void
filter_go_down (GstVyreFilter *self, GstStateChange transition)
{
  switch (transition) {
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      filter_set_active (self, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      gst_vyre_recovery_end (self);
      gst_vyre_access_stop (self);
      break;
    case GST_STATE_CHANGE_READY_TO_NULL:
      filter_close_kernel (self);
      break;
    default:
      break;
  }
}

static GstStateChangeReturn
gst_vyre_filter_change_state (GstElement *element, GstStateChange transition)
{
  GstVyreFilter *self = GST_VYRE_FILTER (element);
  gboolean starts
      = GST_STATE_TRANSITION_NEXT (transition) > GST_STATE_TRANSITION_CURRENT (transition);

  if (starts && (!gst_vyre_state_check_own (self) || !filter_go_up (self, transition)))
    return GST_STATE_CHANGE_FAILURE;
  GstStateChangeReturn result
      = GST_ELEMENT_CLASS (gst_vyre_filter_parent_class)->change_state (element, transition);
  if (result == GST_STATE_CHANGE_FAILURE && transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    filter_set_active (self, FALSE);
  if (!starts)
    filter_go_down (self, transition);
  return result;
}

static void
gst_vyre_filter_dispose (GObject *object)
{
  gst_vyre_params_leave (GST_VYRE_FILTER_CAST (object));
  gst_vyre_taps_leave (GST_VYRE_FILTER_CAST (object));
  G_OBJECT_CLASS (gst_vyre_filter_parent_class)->dispose (object);
}

static void
gst_vyre_filter_finalize (GObject *object)
{
  GstVyreFilter *self = GST_VYRE_FILTER (object);

  gst_vyre_access_stop (self);
  filter_close_kernel (self);
  gst_vyre_source_pad_clear (self);
  gst_vyre_sink_pad_clear (self);
  gst_vyre_state_clear (self);
  gst_clear_structure (&self->event_counts);
  gst_clear_structure (&self->event_times);
  gst_clear_structure (&self->event_values);
  g_array_unref (self->last.words);
  g_ptr_array_unref (self->children);
  gst_vyre_filter_properties_clear (self);
  G_OBJECT_CLASS (gst_vyre_filter_parent_class)->finalize (object);
}

static gboolean
gst_vyre_filter_post_message (GstElement *element, GstMessage *message)
{
  gst_vyre_thread_adopt (message);
  return GST_ELEMENT_CLASS (gst_vyre_filter_parent_class)->post_message (element, message);
}

static GstPad *
gst_vyre_filter_request_pad (
    GstElement *element, GstPadTemplate *template, const gchar *name, const GstCaps *caps)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (element);

  if (GST_PAD_TEMPLATE_DIRECTION (template) == GST_PAD_SRC)
    return gst_vyre_taps_add_pad (self, template, name);
  GstPad *pad = gst_vyre_partners_add_pad (self, template);
  gst_vyre_latency_tell_changes (self);
  return pad;
}

static void
gst_vyre_filter_release_pad (GstElement *element, GstPad *pad)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (element);

  if (GST_PAD_IS_SRC (pad)) {
    gst_vyre_taps_remove_pad (self, pad);
    return;
  }
  gst_vyre_partners_remove_pad (self, pad);
  gst_vyre_latency_tell_changes (self);
}

static void
gst_vyre_filter_class_init (GstVyreFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_vyre_filter_set_property;
  object_class->get_property = gst_vyre_filter_get_property;
  object_class->dispose = gst_vyre_filter_dispose;
  object_class->finalize = gst_vyre_filter_finalize;
  gst_vyre_kernel_params_init ();
  gst_vyre_messages_init ();
  gst_vyre_events_init ();
  gst_vyre_properties_install (object_class, gst_vyre_filter_properties);
  element_class->change_state = gst_vyre_filter_change_state;
  element_class->post_message = gst_vyre_filter_post_message;
  element_class->request_new_pad = gst_vyre_filter_request_pad;
  element_class->release_pad = gst_vyre_filter_release_pad;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &reference_template);
  gst_element_class_add_static_pad_template (element_class, &source_template);
  gst_element_class_add_static_pad_template (element_class, &readback_template);
  gst_element_class_set_static_metadata (element_class, "Vyre byte program filter",
      "Filter/Analyzer",
      "Runs a program over every buffer on a resident Vulkan kernel; sends its readbacks or, with "
      "output-mode=passthrough, the buffers themselves",
      "The gst-vyre authors");
  gst_element_class_add_static_metadata (
      element_class, GST_ELEMENT_METADATA_DOC_URI, GST_VYRE_DOC_URI "messages.md");
}

static void
gst_vyre_filter_init (GstVyreFilter *self)
{
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  self->srcpad = gst_pad_new_from_static_template (&source_template, "src");
  gst_pad_use_fixed_caps (self->srcpad);
  self->last.words = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->children = g_ptr_array_new_with_free_func (gst_object_unref);
  gst_vyre_filter_properties_init (self);
  gst_vyre_params_follow (self);
  gst_vyre_state_init (self);
  gst_vyre_stream_init (self);
  gst_vyre_sink_pad_init (self);
  gst_vyre_source_pad_init (self);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->srcpad);
}

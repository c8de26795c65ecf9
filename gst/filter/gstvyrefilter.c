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
 * gst-launch-1.0 -m filesrc location=film.webm ! \
 *   vyrefilter program='crc32 payload -> crc32' results-interval=0 ! fakesink
 * ]| A CRC32 for every block of a file.
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
#include "filter/gstvyrelatency.h"
#include "filter/gstvyremessages.h"
#include "filter/gstvyresinkpad.h"
#include "filter/gstvyreslots.h"
#include "filter/gstvyresourcepad.h"
#include "filter/gstvyrestream.h"

#define GST_CAT_DEFAULT gst_vyre_debug

#define DEFAULT_PROGRAM "builtin:bytes"
#define DEFAULT_DEVICE "auto"
#define DEFAULT_RESIDENCY VYRE_RESIDENCY_AUTO
#define DEFAULT_PLACEMENT VYRE_PLACEMENT_AUTO
#define DEFAULT_COPY_THRESHOLD 0
#define DEFAULT_IMPORT_THRESHOLD 0
#define DEFAULT_MAX_IN_FLIGHT 4
#define DEFAULT_STAGING_SIZE (64 * 1024 * 1024)
#define DEFAULT_POST_MESSAGES (GST_VYRE_POST_RESULTS | GST_VYRE_POST_COUNTERS | GST_VYRE_POST_DEBUG)
#define DEFAULT_INTERVAL GST_SECOND
#define DEFAULT_RESULTS_INTERVAL GST_SECOND
#define DEFAULT_DEBUG_INTERVAL GST_SECOND
#define DEFAULT_IDLE_TIMEOUT VYRE_IDLE_TIMEOUT_AUTO
#define DEFAULT_MAX_BATCH_TIME (100 * GST_MSECOND)

/* Watchdogs of desktop drivers count in seconds. */
#define DEFAULT_LEASE (500 * GST_MSECOND)

enum {
  PROP_0,
  PROP_PROGRAM,
  PROP_PROGRAM_LOCATION,
  PROP_DEVICE,
  PROP_RESIDENCY,
  PROP_PLACEMENT,
  PROP_COPY_THRESHOLD,
  PROP_IMPORT_THRESHOLD,
  PROP_LEASE,
  PROP_MAX_IN_FLIGHT,
  PROP_STAGING_SIZE,
  PROP_RESOURCE_SIZE,
  PROP_RESOURCE_ACCESS,
  PROP_RESOURCE_ROOT,
  PROP_SLOT_COUNT,
  PROP_OBSERVABLE_SLOTS,
  PROP_POST_MESSAGES,
  PROP_INTERVAL,
  PROP_RESULTS_INTERVAL,
  PROP_DEBUG_INTERVAL,
  PROP_IDLE_TIMEOUT,
  PROP_MAX_BATCH_TIME,
  PROP_KERNEL_GROUP,
  PROP_REPLAY_LOG,
  PROP_STATS,
};

static GstStaticPadTemplate sink_template
    = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate source_template
    = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("application/x-vyre-readback, abi = (int) 1, "
                         "slot-count = (int) [ 1, " G_STRINGIFY (
                             GST_VYRE_MAX_SLOTS) " ], "
                                                 "observable-slots = (int) [ 0, " G_STRINGIFY (
                                                     VYRE_MAX_OBSERVABLES) " ]"));

G_DEFINE_FINAL_TYPE_WITH_CODE (
    GstVyreFilter, gst_vyre_filter, GST_TYPE_ELEMENT, gst_vyre_debug_init ())
GST_ELEMENT_REGISTER_DEFINE (vyrefilter, "vyrefilter", GST_RANK_NONE, GST_TYPE_VYRE_FILTER)

#define GST_TYPE_VYRE_RESIDENCY (gst_vyre_residency_get_type ())
static GType
gst_vyre_residency_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { VYRE_RESIDENCY_AUTO, "The first that the device proves to support", "auto" },
    { VYRE_RESIDENCY_PERSISTENT, "The kernel runs until it is parked", "persistent" },
    { VYRE_RESIDENCY_RELAY, "Bounded launches, relaunched while there is work", "relay" },
    { VYRE_RESIDENCY_DISPATCH, "One launch per buffer", "dispatch" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVyreResidency", values));
  return type;
}

#define GST_TYPE_VYRE_PLACEMENT (gst_vyre_placement_get_type ())
static GType
gst_vyre_placement_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { VYRE_PLACEMENT_AUTO, "split on a GPU with memory of its own, else unified", "auto" },
    { VYRE_PLACEMENT_UNIFIED, "The kernel reads payloads where they were staged", "unified" },
    { VYRE_PLACEMENT_BAR, "The CPU stores payloads into memory of the device", "bar" },
    { VYRE_PLACEMENT_COPY, "A copy engine moves payloads into memory of the device", "copy" },
    { VYRE_PLACEMENT_SPLIT, "Small payloads are stored, large ones go by copy engine", "split" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVyrePlacement", values));
  return type;
}

#define GST_TYPE_VYRE_POST_MESSAGES (gst_vyre_post_messages_get_type ())
static GType
gst_vyre_post_messages_get_type (void)
{
  static gsize type;
  static const GFlagsValue values[] = {
    { GST_VYRE_POST_RESULTS, "Named results of the program (vyre-results)", "results" },
    { GST_VYRE_POST_COUNTERS, "Counters (vyre-counters)", "counters" },
    { GST_VYRE_POST_DEBUG, "PRINTF records (vyre-debug)", "debug" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_flags_register_static ("GstVyrePostMessages", values));
  return type;
}

/* In a child. Batches, readbacks, pool and log are left alone. */
static void
become_inherited (gpointer element)
{
  GstVyreFilter *self = element;

  g_atomic_int_set (&self->inherited, TRUE);
  g_mutex_init (GST_OBJECT_GET_LOCK (self));
  g_mutex_init (&self->lock);
  g_mutex_init (&self->activation);
  g_cond_init (&self->changed);
  self->n_sleeping = 0;
  self->worker = NULL;
  self->readbacks = NULL;
  self->replay = NULL;
  gst_vyre_fork_forget_thread (self->sinkpad);
  gst_vyre_fork_forget_thread (self->srcpad);
}

/* Takes a new program with the property it came from, or remembers why there is
 * none. A running stream keeps the program it has, and its properties; to others the
 * files that they name are granted, or not, when they start. */
static void
take_program (
    GstVyreFilter *self, VyreProgram *program, const gchar *text, const gchar *path, GError *error)
{
  GST_OBJECT_LOCK (self);
  gboolean running = GST_STATE (self) > GST_STATE_NULL;
  VyreProgram *refused = NULL;
  if (program && running && !gst_vyre_access_check (self, program, &error))
    refused = g_steal_pointer (&program);
  if (program || !running) {
    g_free (self->program_text);
    self->program_text = g_strdup (text);
    g_free (self->program_location);
    self->program_location = g_strdup (path);
    g_clear_error (&self->program_error);
  }
  if (program) {
    VyreProgram *old = self->settings.program;
    self->settings.program = program;
    program = old;
  } else if (!running) {
    self->program_error = g_error_copy (error);
  }
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&program, vyre_program_unref);
  g_clear_pointer (&refused, vyre_program_unref);
  if (error && running)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s", error->message),
        ("the program that was set before stays"));
  g_clear_error (&error);
}

static void
set_program (GstVyreFilter *self, const gchar *text)
{
  GError *error = NULL;
  const gchar *wanted = text ? text : DEFAULT_PROGRAM;
  VyreProgram *program = vyre_program_from_string (wanted, &error);

  take_program (self, program, wanted, NULL, error);
}

/* Without a path, the default program. */
static void
set_program_location (GstVyreFilter *self, const gchar *path)
{
  GError *error = NULL;

  if (!path) {
    set_program (self, NULL);
    return;
  }
  VyreProgram *program = vyre_program_load (path, &error);
  if (error) {
    g_autofree gchar *shown = g_filename_display_name (path);
    g_prefix_error (&error, "%s: ", shown);
  }
  take_program (self, program, NULL, path, error);
}

static void
gst_vyre_filter_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstVyreFilter *self = GST_VYRE_FILTER (object);

  if (id == PROP_PROGRAM) {
    set_program (self, g_value_get_string (value));
    return;
  }
  if (id == PROP_PROGRAM_LOCATION) {
    set_program_location (self, g_value_get_string (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      if (!self->device)
        self->device = g_strdup (DEFAULT_DEVICE);
      break;
    case PROP_RESIDENCY:
      self->residency = (VyreResidency)g_value_get_enum (value);
      break;
    case PROP_PLACEMENT:
      self->placement = (VyrePlacement)g_value_get_enum (value);
      break;
    case PROP_COPY_THRESHOLD:
      self->copy_threshold = g_value_get_uint64 (value);
      break;
    case PROP_IMPORT_THRESHOLD:
      self->import_threshold = g_value_get_uint64 (value);
      break;
    case PROP_LEASE:
      self->lease = g_value_get_uint64 (value);
      break;
    case PROP_MAX_IN_FLIGHT:
      self->settings.max_in_flight = g_value_get_uint (value);
      break;
    case PROP_STAGING_SIZE:
      self->staging_size = g_value_get_uint64 (value);
      break;
    case PROP_RESOURCE_SIZE:
      self->resource_size = g_value_get_uint64 (value);
      break;
    case PROP_RESOURCE_ACCESS:
      self->resource_access = (VyreAccessLevel)g_value_get_enum (value);
      break;
    case PROP_RESOURCE_ROOT:
      g_free (self->resource_root);
      self->resource_root = g_value_dup_string (value);
      break;
    case PROP_SLOT_COUNT:
      self->settings.slot_count = g_value_get_uint (value);
      break;
    case PROP_OBSERVABLE_SLOTS:
      self->settings.observable_slots = g_value_get_uint (value);
      break;
    case PROP_POST_MESSAGES:
      self->settings.post_messages = g_value_get_flags (value);
      break;
    case PROP_INTERVAL:
      self->settings.interval = g_value_get_uint64 (value);
      break;
    case PROP_RESULTS_INTERVAL:
      self->settings.results_interval = g_value_get_uint64 (value);
      break;
    case PROP_DEBUG_INTERVAL:
      self->settings.debug_interval = g_value_get_uint64 (value);
      break;
    case PROP_IDLE_TIMEOUT:
      self->idle_timeout = g_value_get_uint64 (value);
      break;
    case PROP_MAX_BATCH_TIME:
      self->max_batch_time = g_value_get_uint64 (value);
      break;
    case PROP_KERNEL_GROUP:
      g_free (self->kernel_group);
      self->kernel_group = g_value_dup_string (value);
      break;
    case PROP_REPLAY_LOG:
      g_free (self->replay_path);
      self->replay_path = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
  if (id == PROP_MAX_IN_FLIGHT)
    gst_vyre_latency_tell_changes (self);
}

static void
gst_vyre_filter_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstVyreFilter *self = GST_VYRE_FILTER (object);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, gst_vyre_messages_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_PROGRAM:
      g_value_set_string (value, self->program_text);
      break;
    case PROP_PROGRAM_LOCATION:
      g_value_set_string (value, self->program_location);
      break;
    case PROP_DEVICE:
      g_value_set_string (value, self->device);
      break;
    case PROP_RESIDENCY:
      g_value_set_enum (value, self->residency);
      break;
    case PROP_PLACEMENT:
      g_value_set_enum (value, self->placement);
      break;
    case PROP_COPY_THRESHOLD:
      g_value_set_uint64 (value, self->copy_threshold);
      break;
    case PROP_IMPORT_THRESHOLD:
      g_value_set_uint64 (value, self->import_threshold);
      break;
    case PROP_LEASE:
      g_value_set_uint64 (value, self->lease);
      break;
    case PROP_MAX_IN_FLIGHT:
      g_value_set_uint (value, self->settings.max_in_flight);
      break;
    case PROP_STAGING_SIZE:
      g_value_set_uint64 (value, self->staging_size);
      break;
    case PROP_RESOURCE_SIZE:
      g_value_set_uint64 (value, self->resource_size);
      break;
    case PROP_RESOURCE_ACCESS:
      g_value_set_enum (value, self->resource_access);
      break;
    case PROP_RESOURCE_ROOT:
      g_value_set_string (value, self->resource_root);
      break;
    case PROP_SLOT_COUNT:
      g_value_set_uint (value, self->settings.slot_count);
      break;
    case PROP_OBSERVABLE_SLOTS:
      g_value_set_uint (value, self->settings.observable_slots);
      break;
    case PROP_POST_MESSAGES:
      g_value_set_flags (value, self->settings.post_messages);
      break;
    case PROP_INTERVAL:
      g_value_set_uint64 (value, self->settings.interval);
      break;
    case PROP_RESULTS_INTERVAL:
      g_value_set_uint64 (value, self->settings.results_interval);
      break;
    case PROP_DEBUG_INTERVAL:
      g_value_set_uint64 (value, self->settings.debug_interval);
      break;
    case PROP_IDLE_TIMEOUT:
      g_value_set_uint64 (value, self->idle_timeout);
      break;
    case PROP_MAX_BATCH_TIME:
      g_value_set_uint64 (value, self->max_batch_time);
      break;
    case PROP_KERNEL_GROUP:
      g_value_set_string (value, self->kernel_group);
      break;
    case PROP_REPLAY_LOG:
      g_value_set_string (value, self->replay_path);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* NULL to READY: the device, and the proof of its residency. */
static gboolean
open_kernel (GstVyreFilter *self)
{
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  if (self->program_error)
    error = g_error_copy (self->program_error);
  else
    gst_vyre_access_check (self, self->settings.program, &error);
  g_autofree gchar *device = g_strdup (self->device);
  g_autofree gchar *group = g_strdup (self->kernel_group);
  VyreMegakernelParams params = {
    .residency = self->residency,
    .placement = self->placement,
    .copy_threshold = self->copy_threshold,
    .import_threshold = self->import_threshold,
    .staging_size = self->staging_size,
    .readback_size = GST_VYRE_READBACK_SIZE,
    .resource_size = self->resource_size,
    .idle_timeout = self->idle_timeout,
    .lease = self->lease,
    .max_batch_time = self->max_batch_time,
  };
  GST_OBJECT_UNLOCK (self);
  GstVyreShared *shared = error ? NULL : gst_vyre_shared_acquire (device, group, &params, &error);
  if (!shared) {
    gst_vyre_state_post_error (self, error);
    g_error_free (error);
    return FALSE;
  }
  VyreTenant *tenant = gst_vyre_shared_join (shared, GST_ELEMENT_CAST (self));
  gst_vyre_fork_watch (self, become_inherited); /* before there is something to inherit */
  vyre_mutex_lock (&self->lock);
  self->shared = shared;
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
close_kernel (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  GstVyreShared *shared = g_steal_pointer (&self->shared);
  VyreTenant *tenant = g_steal_pointer (&self->tenant);
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
  if (!shared)
    return;
  gst_vyre_fork_unwatch (self);
  gst_vyre_shared_leave (shared, tenant);
  gst_vyre_shared_unref (shared);
  g_atomic_int_set (&self->inherited, FALSE);
}

static void
reset_stats (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  self->stats = (GstVyreStats){ 0 };
  g_mutex_unlock (&self->lock);
}

/* Only a producer in PLAYING keeps the kernel from parking at once. */
static void
set_active (GstVyreFilter *self, gboolean active)
{
  vyre_mutex_lock (&self->lock);
  if (self->active != active)
    vyre_megakernel_set_active (self->shared->kernel, active);
  self->active = active;
  g_mutex_unlock (&self->lock);
}

static GstStateChangeReturn
gst_vyre_filter_change_state (GstElement *element, GstStateChange transition)
{
  GstVyreFilter *self = GST_VYRE_FILTER (element);
  gboolean starts
      = GST_STATE_TRANSITION_NEXT (transition) > GST_STATE_TRANSITION_CURRENT (transition);

  if (starts && !gst_vyre_state_check_own (self))
    return GST_STATE_CHANGE_FAILURE;
  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      if (!open_kernel (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      reset_stats (self);
      if (!gst_vyre_thread_check (element) || !gst_vyre_access_start (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      set_active (self, TRUE);
      break;
    default:
      break;
  }
  GstStateChangeReturn result
      = GST_ELEMENT_CLASS (gst_vyre_filter_parent_class)->change_state (element, transition);
  if (result == GST_STATE_CHANGE_FAILURE && transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    set_active (self, FALSE);
  switch (transition) {
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      set_active (self, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      gst_vyre_access_stop (self);
      break;
    case GST_STATE_CHANGE_READY_TO_NULL:
      close_kernel (self);
      break;
    default:
      break;
  }
  return result;
}

static void
gst_vyre_filter_finalize (GObject *object)
{
  GstVyreFilter *self = GST_VYRE_FILTER (object);

  gst_vyre_access_stop (self);
  close_kernel (self);
  gst_vyre_source_pad_clear (self);
  gst_vyre_sink_pad_clear (self);
  gst_vyre_state_clear (self);
  g_array_unref (self->last.words);
  vyre_program_unref (self->settings.program);
  g_clear_error (&self->program_error);
  g_free (self->program_text);
  g_free (self->program_location);
  g_free (self->device);
  g_free (self->resource_root);
  g_free (self->kernel_group);
  g_free (self->replay_path);
  G_OBJECT_CLASS (gst_vyre_filter_parent_class)->finalize (object);
}

#define READY_FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING_FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_program_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_PROGRAM,
      g_param_spec_string ("program", "Program",
          "Program to run on every buffer: its text, or builtin:NAME (frame-stats, bytes, nop); "
          "has no effect on application/x-vyre-slots, which run themselves",
          DEFAULT_PROGRAM, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_PROGRAM_LOCATION,
      g_param_spec_string ("program-location", "Program location",
          "File to read the program from, instead of setting its text", NULL, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_RESOURCE_ACCESS,
      g_param_spec_enum ("resource-access", "Resource access",
          "What programs may do with files: a program that needs more is refused",
          GST_TYPE_VYRE_RESOURCE_ACCESS, VYRE_ACCESS_NONE, READY_FLAGS));
  g_object_class_install_property (klass, PROP_RESOURCE_ROOT,
      g_param_spec_string ("resource-root", "Resource root",
          "Folder that paths in programs start in and do not leave, by '..' or by links (no "
          "folder: all files that the process can open)",
          NULL, READY_FLAGS));
  g_object_class_install_property (klass, PROP_SLOT_COUNT,
      g_param_spec_uint ("slot-count", "Slot count",
          "Slots in the ring of a readback (0 = as many as the program uses); those of "
          "application/x-vyre-slots are as many as come",
          0, GST_VYRE_MAX_SLOTS, 0, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_OBSERVABLE_SLOTS,
      g_param_spec_uint ("observable-slots", "Observable slots",
          "Observable words in the control part of a readback (0 = as many as the program uses, "
          "256 for application/x-vyre-slots)",
          0, VYRE_MAX_OBSERVABLES, 0, PLAYING_FLAGS));
}

static void
install_device_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_DEVICE,
      g_param_spec_string ("device", "Device",
          "Vulkan device: auto (a GPU before a CPU), index, part of the name, or UUID",
          DEFAULT_DEVICE, READY_FLAGS));
  g_object_class_install_property (klass, PROP_RESIDENCY,
      g_param_spec_enum ("residency", "Residency", "How long the kernel stays on the device",
          GST_TYPE_VYRE_RESIDENCY, DEFAULT_RESIDENCY, READY_FLAGS));
  g_object_class_install_property (klass, PROP_PLACEMENT,
      g_param_spec_enum ("placement", "Placement",
          "Where buffers lie while the kernel reads them, and how they get there",
          GST_TYPE_VYRE_PLACEMENT, DEFAULT_PLACEMENT, READY_FLAGS));
  g_object_class_install_property (klass, PROP_COPY_THRESHOLD,
      g_param_spec_uint64 ("copy-threshold", "Copy threshold",
          "Bytes from which on placement=split takes the copy engine (0 = measured at start)", 0,
          G_MAXUINT64, DEFAULT_COPY_THRESHOLD, READY_FLAGS));
  g_object_class_install_property (klass, PROP_IMPORT_THRESHOLD,
      g_param_spec_uint64 ("import-threshold", "Import threshold",
          "Bytes from which on memory of other elements is read where it is rather than copied "
          "(0 = as measured for such devices; by a GPU only what comes again)",
          0, G_MAXUINT64, DEFAULT_IMPORT_THRESHOLD, READY_FLAGS));
  g_object_class_install_property (klass, PROP_LEASE,
      g_param_spec_uint64 ("lease", "Lease",
          "Longest time that a launch of a persistent kernel stays before the next takes over "
          "(0 = no limit) (ns)",
          0, DEFAULT_LEASE, DEFAULT_LEASE, READY_FLAGS));
  g_object_class_install_property (klass, PROP_STAGING_SIZE,
      g_param_spec_uint64 ("staging-size", "Staging size",
          "Bytes of memory that payloads are staged in; also the largest buffer. Less where the "
          "device cannot address so much: stats has the size in use",
          65536, G_GUINT64_CONSTANT (4) << 30, DEFAULT_STAGING_SIZE, READY_FLAGS));
  g_object_class_install_property (klass, PROP_RESOURCE_SIZE,
      g_param_spec_uint64 ("resource-size", "Resource size",
          "Bytes of staging memory that files which programs name may take, 0 for a quarter of it",
          0, G_GUINT64_CONSTANT (4) << 30, 0, READY_FLAGS));
  g_object_class_install_property (klass, PROP_IDLE_TIMEOUT,
      g_param_spec_uint64 ("idle-timeout", "Idle timeout",
          "Time without buffers after which the kernel leaves the device until the next "
          "(18446744073709551615 = 100 ms on a GPU, and on a CPU by the gaps between buffers) (ns)",
          0, G_MAXUINT64, DEFAULT_IDLE_TIMEOUT, READY_FLAGS));
  g_object_class_install_property (klass, PROP_MAX_BATCH_TIME,
      g_param_spec_uint64 ("max-batch-time", "Maximum batch time",
          "Time for which a buffer may hold the device, as measured at start; one that takes "
          "longer lets others in between (18446744073709551615 = no limit) (ns)",
          1, G_MAXUINT64, DEFAULT_MAX_BATCH_TIME, READY_FLAGS));
  g_object_class_install_property (klass, PROP_KERNEL_GROUP,
      g_param_spec_string ("kernel-group", "Kernel group",
          "Elements of a process share a kernel with those that have the same name here and the "
          "same settings, and with no others (NULL = with those that have none)",
          NULL, READY_FLAGS));
  g_object_class_install_property (klass, PROP_MAX_IN_FLIGHT,
      g_param_spec_uint ("max-in-flight", "Maximum in flight",
          "Most buffers under execution or waiting to be pushed", 1, 64, DEFAULT_MAX_IN_FLIGHT,
          PLAYING_FLAGS));
}

static void
install_message_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_POST_MESSAGES,
      g_param_spec_flags ("post-messages", "Post messages", "Element messages to post",
          GST_TYPE_VYRE_POST_MESSAGES, DEFAULT_POST_MESSAGES, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_INTERVAL,
      g_param_spec_uint64 ("interval", "Interval",
          "Least real time between two vyre-counters messages; one more follows at EOS (ns)", 0,
          G_MAXUINT64, DEFAULT_INTERVAL, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_RESULTS_INTERVAL,
      g_param_spec_uint64 ("results-interval", "Results interval",
          "Least real time between two vyre-results messages (0 = one for every buffer); the first "
          "and the last buffer always report (ns)",
          0, G_MAXUINT64, DEFAULT_RESULTS_INTERVAL, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_DEBUG_INTERVAL,
      g_param_spec_uint64 ("debug-interval", "Debug interval",
          "Least real time between the vyre-debug messages of two buffers (0 = those of every "
          "buffer); the field left-out counts the PRINTF records in between (ns)",
          0, G_MAXUINT64, DEFAULT_DEBUG_INTERVAL, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_REPLAY_LOG,
      g_param_spec_string ("replay-log", "Replay log",
          "File to record every batch of a stream in, for vyre-replay; replaced when a stream "
          "starts (no file: an error; writing fails later: a warning, and the stream goes on)",
          NULL, READY_FLAGS));
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "The counters, as in vyre-counters",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static gboolean
post_message (GstElement *element, GstMessage *message)
{
  gst_vyre_thread_adopt (message);
  return GST_ELEMENT_CLASS (gst_vyre_filter_parent_class)->post_message (element, message);
}

static void
gst_vyre_filter_class_init (GstVyreFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_vyre_filter_set_property;
  object_class->get_property = gst_vyre_filter_get_property;
  object_class->finalize = gst_vyre_filter_finalize;
  install_program_properties (object_class);
  install_device_properties (object_class);
  install_message_properties (object_class);
  element_class->change_state = gst_vyre_filter_change_state;
  element_class->post_message = post_message;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &source_template);
  gst_element_class_set_static_metadata (element_class, "Vyre byte program filter",
      "Filter/Analyzer", "Runs a program over every buffer on a resident Vulkan kernel",
      "The gst-vyre authors");
  gst_type_mark_as_plugin_api (GST_TYPE_VYRE_RESIDENCY, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_VYRE_PLACEMENT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_VYRE_POST_MESSAGES, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_VYRE_RESOURCE_ACCESS, 0);
}

static void
gst_vyre_filter_init (GstVyreFilter *self)
{
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  self->srcpad = gst_pad_new_from_static_template (&source_template, "src");
  gst_pad_use_fixed_caps (self->srcpad);
  self->last.words = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->device = g_strdup (DEFAULT_DEVICE);
  self->residency = DEFAULT_RESIDENCY;
  self->placement = DEFAULT_PLACEMENT;
  self->copy_threshold = DEFAULT_COPY_THRESHOLD;
  self->import_threshold = DEFAULT_IMPORT_THRESHOLD;
  self->lease = DEFAULT_LEASE;
  self->staging_size = DEFAULT_STAGING_SIZE;
  self->idle_timeout = DEFAULT_IDLE_TIMEOUT;
  self->max_batch_time = DEFAULT_MAX_BATCH_TIME;
  self->settings = (GstVyreSettings){
    .max_in_flight = DEFAULT_MAX_IN_FLIGHT,
    .post_messages = DEFAULT_POST_MESSAGES,
    .interval = DEFAULT_INTERVAL,
    .results_interval = DEFAULT_RESULTS_INTERVAL,
    .debug_interval = DEFAULT_DEBUG_INTERVAL,
  };
  set_program (self, DEFAULT_PROGRAM);
  gst_vyre_state_init (self);
  gst_vyre_stream_init (self);
  gst_vyre_sink_pad_init (self);
  gst_vyre_source_pad_init (self);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->srcpad);
}

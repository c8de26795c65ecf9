/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-job.h"

#include <string.h>

#include "common/terminal.h"
#include "qc-formats.h"

/* All files of a run share the kernel of this group. */
#define KERNEL_GROUP "vyre-qc"

struct _QcJob {
  QcFile *file;
  const QcOwner *owner;
  GstElement *pipeline;
  GPtrArray *filters; /* parts of the pipeline, one for each stream; owner->lock */
  GPtrArray *loose;   /* of GstPad: sinks of branches whose pad the decoder took; owner->lock */
  guint n_branches;   /* made so far */
  guint watch, alarm, idle; /* sources of the main loop */
  guint64 n_heard;          /* buffers that had come or gone at the last alarm */
};

/* The filters so far. An element that is asked for its counters may wait for a thread that wants
 * the lock of the owner. */
static GPtrArray *
job_copy_filters (QcJob *job)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (job->owner->lock);

  return g_ptr_array_copy (job->filters, NULL, NULL);
}

/* Reads the counters of vyrefilter, which are gone when it stops. On the thread of the main loop.
 */
void
qc_job_read_counters (QcJob *job)
{
  g_autoptr (GPtrArray) filters = job_copy_filters (job);

  for (guint n = 0; n < filters->len; n++) {
    QcStream *stream = job->file->streams->pdata[n];
    g_autoptr (GstStructure) stats = NULL;
    g_object_get (filters->pdata[n], "stats", &stats, NULL);
    g_mutex_lock (job->owner->lock);
    job->owner->add_counters (job->file, stream, stats, job->owner->user_data);
    g_mutex_unlock (job->owner->lock);
  }
}

static void
job_finish (QcJob *job)
{
  qc_job_read_counters (job);
  qc_job_query_duration (job);
  if (job->pipeline)
    gst_element_set_state (job->pipeline, GST_STATE_NULL);
  if (job->file->problems->len == 0 && job->filters->len == 0)
    qc_file_add_problem (
        job->file, "There is no video and no audio in it. Fix: name a film or a sound.");
  qc_file_finish (job->file);
  job->owner->done (job->file, job->owner->user_data);
}

static gboolean
job_finish_later (gpointer data)
{
  QcJob *job = data;

  job->idle = 0;
  job_finish (job);
  return G_SOURCE_REMOVE;
}

/* Ends the job from the main loop, once. */
static void
job_end (QcJob *job)
{
  if (job->idle)
    return;
  g_clear_handle_id (&job->watch, g_source_remove);
  g_clear_handle_id (&job->alarm, g_source_remove);
  job->idle = g_idle_add (job_finish_later, job);
}

/* Ends a job to which nothing has happened since the last alarm. */
static gboolean
job_take_alarm (gpointer data)
{
  QcJob *job = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (job->owner->lock);
  guint64 n_heard = 0;

  for (guint i = 0; i < job->file->streams->len; i++) {
    const QcStream *stream = job->file->streams->pdata[i];
    n_heard += stream->frames_in + stream->frames_seen;
  }
  if (n_heard > job->n_heard) {
    job->n_heard = n_heard;
    return G_SOURCE_CONTINUE;
  }
  qc_file_add_problem (job->file,
      "No buffer came for %u s. Fix: check its source, or pass a longer --timeout.",
      job->owner->settings->timeout);
  job_end (job);
  return G_SOURCE_CONTINUE;
}

static const char *
get_remedy (const GError *error)
{
  if (error->domain == GST_PARSE_ERROR)
    return "install the plugin that has it, or name its folder in GST_PLUGIN_PATH";
  if (error->domain == GST_RESOURCE_ERROR)
    return "check that it can be read";
  return "check that the file is whole, and that its decoder is installed";
}

static void
job_add_gst_problem (QcJob *job, const GError *error)
{
  const char *remedy = get_remedy (error);
  g_autofree char *text = g_strchomp (g_strdup (error->message));
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (job->owner->lock);

  /* A message of the missing plugin has come before. */
  if (g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN)
      && job->file->problems->len > 0)
    return;
  if (strstr (text, "Fix: "))
    qc_file_add_problem (job->file, "%s", text);
  else
    qc_file_add_problem (
        job->file, "%s%s Fix: %s.", text, g_str_has_suffix (text, ".") ? "" : ".", remedy);
}

/* Returns: (nullable): the stream that @object measures; the lock is held */
static QcStream *
job_find_stream (const QcJob *job, gconstpointer object)
{
  guint index;

  return g_ptr_array_find (job->filters, object, &index) ? job->file->streams->pdata[index] : NULL;
}

/* Warnings of decoders are of damage. Those of vyrefilter are, too, where they are about the
 * stream; others are about speed. */
static void
job_take_warning (QcJob *job, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  g_autofree char *name = app_make_printable (job->file->name);
  g_mutex_lock (job->owner->lock);
  gboolean is_own = job_find_stream (job, GST_MESSAGE_SRC (message)) != NULL;
  g_mutex_unlock (job->owner->lock);
  if (is_own && error->domain != GST_STREAM_ERROR)
    g_printerr ("vyre-qc: %s: warning: %s\n", name, error->message);
  else
    job_add_gst_problem (job, error);
}

static void
job_take_missing_plugin (QcJob *job, const GstStructure *structure)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (job->owner->lock);
  const char *name = gst_structure_get_string (structure, "name");

  qc_file_add_problem (job->file, "Part of it needs a plugin that is missing: %s. Fix: install it.",
      name ? name : "unknown");
}

static gboolean
job_take_message (GstBus *bus, GstMessage *message, gpointer data)
{
  QcJob *job = data;
  g_autoptr (GError) error = NULL;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, &error, NULL);
      job_add_gst_problem (job, error);
      job_end (job);
      break;
    case GST_MESSAGE_WARNING:
      job_take_warning (job, message);
      break;
    case GST_MESSAGE_ELEMENT:
      if (gst_message_has_name (message, "missing-plugin"))
        job_take_missing_plugin (job, gst_message_get_structure (message));
      break;
    case GST_MESSAGE_EOS:
      job_end (job);
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

/* Runs on the threads of the pipeline: results are used where they are posted, so that no more of
 * them wait than the kernel has batches in flight. */
static GstBusSyncReply
job_take_results (GstBus *bus, GstMessage *message, gpointer data)
{
  QcJob *job = data;

  gboolean is_event = gst_message_has_name (message, "vyre-event");
  if (!is_event && !gst_message_has_name (message, "vyre-results"))
    return GST_BUS_PASS;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (job->owner->lock);
  QcStream *stream = job_find_stream (job, GST_MESSAGE_SRC (message));
  if (!stream)
    return GST_BUS_PASS;
  QcMessageFunc add = is_event ? job->owner->add_event : job->owner->add_results;
  add (job->file, stream, gst_message_get_structure (message), job->owner->user_data);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
job_take_caps (QcStream *stream, GstEvent *event)
{
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  if (!gst_structure_get_int (structure, "channels", &stream->channels))
    gst_video_info_from_caps (&stream->video, caps);
}

/* Counts what comes in, in front of vyrefilter. */
static GstPadProbeReturn
job_count (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  QcJob *job = data;
  g_autoptr (GstObject) filter = gst_pad_get_parent (pad);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (job->owner->lock);
  QcStream *stream = job_find_stream (job, filter);

  if (!stream)
    return GST_PAD_PROBE_OK;
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    stream->frames_in++;
    stream->bytes_in += gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info));
  } else if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);
    stream->frames_in += gst_buffer_list_length (list);
    stream->bytes_in += gst_buffer_list_calculate_size (list);
  } else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_CAPS) {
    job_take_caps (stream, GST_PAD_PROBE_INFO_EVENT (info));
  }
  return GST_PAD_PROBE_OK;
}

static void
job_set_up_filter (QcJob *job, QcKind kind, GstElement *filter)
{
  const QcSettings *settings = job->owner->settings;
  g_autoptr (GstPad) sink = gst_element_get_static_pad (filter, "sink");

  g_object_set (filter, "program", qc_params_get_program (kind), "results-interval", (guint64)0,
      "kernel-group", KERNEL_GROUP, NULL);
  gst_util_set_object_arg (G_OBJECT (filter), "post-messages", "results+events");
  if (settings->device)
    g_object_set (filter, "device", settings->device, NULL);
  if (settings->params[kind])
    g_object_set (filter, "params", settings->params[kind], NULL);
  gst_pad_add_probe (sink,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST
          | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      job_count, job, NULL);
  g_mutex_lock (job->owner->lock);
  g_ptr_array_add (job->filters, filter);
  qc_file_add_stream (job->file, kind);
  g_mutex_unlock (job->owner->lock);
}

/* Has the kernel of all files stay between two of them. An element that gets none says so nowhere:
 * those of the files do. */
static void
job_keep_kernel (QcJob *job)
{
  GstElement **keeper = job->owner->keeper, *made = NULL;

  g_mutex_lock (job->owner->lock);
  if (!*keeper && (made = gst_element_factory_make ("vyrefilter", NULL)))
    *keeper = gst_object_ref_sink (made);
  g_mutex_unlock (job->owner->lock);
  if (!made)
    return;
  g_object_set (made, "program", "nop", "kernel-group", KERNEL_GROUP, NULL);
  if (job->owner->settings->device)
    g_object_set (made, "device", job->owner->settings->device, NULL);
  gst_element_set_state (made, GST_STATE_READY);
}

/* A bin that measures a stream, with the pad that it takes it at. */
static GstElement *
job_make_branch (QcJob *job, QcKind kind, GError **error)
{
  g_autoptr (GstCaps) caps = qc_formats_make_caps (kind);
  g_autofree char *filter_caps = gst_caps_to_string (caps);
  g_autofree char *text
      = g_strdup_printf ("%s ! %s ! vyrefilter name=measure ! fakesink sync=false",
          kind == QC_VIDEO ? "videoconvert" : "audioconvert", filter_caps);
  GstElement *bin
      = gst_parse_bin_from_description_full (text, TRUE, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!bin)
    return NULL;
  GstElement *filter = gst_bin_get_by_name (GST_BIN (bin), "measure");
  job_set_up_filter (job, kind, filter);
  job_keep_kernel (job);
  gst_object_unref (filter);
  return bin;
}

static gboolean
pad_has_kind (GstPad *pad, QcKind kind)
{
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);

  return !gst_caps_is_any (caps) && !gst_caps_is_empty (caps)
         && g_str_has_prefix (
             gst_structure_get_name (gst_caps_get_structure (caps, 0)), qc_kind_name (kind));
}

/* Returns: the kind of the stream at @pad, QC_N_KINDS for any other */
static QcKind
pad_find_kind (GstPad *pad)
{
  QcKind kind = 0;

  while (kind < QC_N_KINDS && !pad_has_kind (pad, kind))
    kind++;
  return kind;
}

/* Notes how far a stream goes that is not measured. */
static GstPadProbeReturn
job_follow (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  QcJob *job = data;
  const GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  if (!event || !GST_BUFFER_PTS_IS_VALID (buffer) || !GST_BUFFER_DURATION_IS_VALID (buffer))
    return GST_PAD_PROBE_OK;
  gst_event_parse_segment (event, &segment);
  guint64 end = gst_segment_to_stream_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer));
  g_mutex_lock (job->owner->lock);
  if (GST_CLOCK_TIME_IS_VALID (end))
    job->file->other_end = MAX (job->file->other_end, end);
  g_mutex_unlock (job->owner->lock);
  return GST_PAD_PROBE_OK;
}

/* A bin that drops a stream. */
static GstElement *
job_make_drop (QcJob *job)
{
  GstElement *bin = gst_parse_bin_from_description ("fakesink sync=false", TRUE, NULL);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (bin, "sink");

  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, job_follow, job, NULL);
  return bin;
}

static guint
pad_get_number (GstPad *pad, const char *name)
{
  return GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (pad), name));
}

/* Returns: (nullable): the sink of the first branch that has lost its stream of @kind */
static GstPad *
job_take_loose (QcJob *job, QcKind kind)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (job->owner->lock);
  GstPad *first = NULL;

  for (guint i = 0; i < job->loose->len; i++) {
    GstPad *pad = job->loose->pdata[i];
    if (pad_get_number (pad, "kind") == kind
        && (!first || pad_get_number (pad, "branch") < pad_get_number (first, "branch")))
      first = pad;
  }
  if (first) {
    gst_object_ref (first);
    g_ptr_array_remove_fast (job->loose, first);
  }
  return first;
}

/* Returns: the sink of a new branch, which runs; NULL with the error set */
static GstPad *
job_add_branch (QcJob *job, QcKind kind, GError **error)
{
  GstElement *branch = kind < QC_N_KINDS ? job_make_branch (job, kind, error) : job_make_drop (job);

  if (!branch)
    return NULL;
  GstPad *sink = gst_element_get_static_pad (branch, "sink");
  g_object_set_data (G_OBJECT (sink), "kind", GUINT_TO_POINTER (kind));
  g_object_set_data (G_OBJECT (sink), "branch", GUINT_TO_POINTER (job->n_branches++));
  gst_bin_add (GST_BIN (job->pipeline), branch);
  gst_element_sync_state_with_parent (branch);
  return sink;
}

/* Measures streams of video and audio, and drops others. All pads come before any data. Those of
 * the next part of a chained file go on where those of the last one were taken away. */
static void
job_add_pad (GstElement *decoder, GstPad *pad, gpointer data)
{
  QcJob *job = data;
  g_autoptr (GError) error = NULL;
  QcKind kind = pad_find_kind (pad);
  GstPad *sink = job_take_loose (job, kind);

  if (!sink)
    sink = job_add_branch (job, kind, &error);
  if (!sink) {
    gst_element_post_message (
        job->pipeline, gst_message_new_error (GST_OBJECT_CAST (job->pipeline), error, "branch"));
    return;
  }
  gst_pad_link (pad, sink);
  g_object_set_data_full (G_OBJECT (pad), "sink", sink, gst_object_unref);
}

static void
job_remove_pad (GstElement *decoder, GstPad *pad, gpointer data)
{
  QcJob *job = data;
  GstPad *sink = g_object_steal_data (G_OBJECT (pad), "sink");

  if (!sink)
    return;
  g_mutex_lock (job->owner->lock);
  g_ptr_array_add (job->loose, sink);
  g_mutex_unlock (job->owner->lock);
}

/* Ends the branches whose streams the next part of a chained file does not have. */
static void
job_end_loose (GstElement *decoder, gpointer data)
{
  QcJob *job = data;
  g_autoptr (GPtrArray) ended = NULL;

  g_mutex_lock (job->owner->lock);
  ended = job->loose;
  job->loose = g_ptr_array_new_with_free_func (gst_object_unref);
  g_mutex_unlock (job->owner->lock);
  for (guint i = 0; i < ended->len; i++)
    gst_pad_send_event (ended->pdata[i], gst_event_new_eos ());
}

/* Whether there is a file, as far as can be told before it is opened. Opening a pipe could wait for
 * ever. */
static gboolean
job_find_file (QcJob *job)
{
  g_autofree char *path = job->file->uri ? g_filename_from_uri (job->file->uri, NULL, NULL) : NULL;

  if (!job->file->uri || (path && !g_file_test (path, G_FILE_TEST_EXISTS)))
    qc_file_add_problem (job->file, "There is no such file. Fix: name a file that is there.");
  else if (path && !g_file_test (path, G_FILE_TEST_IS_REGULAR | G_FILE_TEST_IS_DIR))
    qc_file_add_problem (
        job->file, "It is a pipe, a socket or a device. Fix: copy its data to a file.");
  else
    return TRUE;
  return FALSE;
}

static gboolean
job_make_pipeline (QcJob *job)
{
  GstElement *decoder = gst_element_factory_make ("uridecodebin", NULL);

  if (!decoder) {
    qc_file_add_problem (
        job->file, "There is no uridecodebin. Fix: install the base plugins of GStreamer.");
    return FALSE;
  }
  job->pipeline = gst_pipeline_new (NULL);
  g_object_set (decoder, "uri", job->file->uri, NULL);
  g_signal_connect (decoder, "pad-added", G_CALLBACK (job_add_pad), job);
  g_signal_connect (decoder, "pad-removed", G_CALLBACK (job_remove_pad), job);
  g_signal_connect (decoder, "no-more-pads", G_CALLBACK (job_end_loose), job);
  gst_bin_add (GST_BIN (job->pipeline), decoder);
  g_autoptr (GstBus) bus = gst_element_get_bus (job->pipeline);
  gst_bus_set_sync_handler (bus, job_take_results, job, NULL);
  job->watch = gst_bus_add_watch (bus, job_take_message, job);
  job->alarm = g_timeout_add_seconds (job->owner->settings->timeout, job_take_alarm, job);
  return TRUE;
}

/* Starts on @file, which the caller keeps as long as the job; ends with a call of owner->done. */
QcJob *
qc_job_new (QcFile *file, const QcOwner *owner)
{
  QcJob *job = g_new0 (QcJob, 1);

  job->file = file;
  job->owner = owner;
  job->filters = g_ptr_array_new ();
  job->loose = g_ptr_array_new_with_free_func (gst_object_unref);
  if (!job_find_file (job) || !job_make_pipeline (job))
    job_end (job);
  else
    gst_element_set_state (job->pipeline, GST_STATE_PLAYING);
  return job;
}

/* Ends @job before its file does. */
void
qc_job_stop (QcJob *job)
{
  g_mutex_lock (job->owner->lock);
  qc_file_add_problem (job->file, "It was interrupted. Fix: run it again.");
  g_mutex_unlock (job->owner->lock);
  job_end (job);
}

/* Asks for the duration that the container claims. */
void
qc_job_query_duration (QcJob *job)
{
  gint64 duration;

  if (job->pipeline && gst_element_query_duration (job->pipeline, GST_FORMAT_TIME, &duration))
    job->file->duration = (GstClockTime)duration;
}

/* Frees the pipeline, which has descriptors; after the end of @job. */
void
qc_job_close (QcJob *job)
{
  gst_clear_object (&job->pipeline);
}

/* After its end. */
void
qc_job_free (QcJob *job)
{
  qc_job_close (job);
  g_ptr_array_unref (job->filters);
  g_ptr_array_unref (job->loose);
  g_free (job);
}

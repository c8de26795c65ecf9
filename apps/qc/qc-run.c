/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-run.h"

#include <glib-unix.h>
#include <signal.h>

#include "common/terminal.h"
#include "qc-measure.h"
#include "qc-progress.h"
#include "qc-report.h"

/* The signals that stop a run. */
static const int signal_numbers[] = { SIGHUP, SIGINT, SIGTERM };

typedef struct {
  const QcPlan *plan;
  GPtrArray *files; /* of QcFile */
  GPtrArray *jobs;  /* of QcJob, as many as were started */
  gboolean *is_done;
  guint n_running, n_reported;
  gboolean is_interrupted;
  guint signals[G_N_ELEMENTS (signal_numbers)]; /* their sources; 0 once one came */
  QcVerdict worst;
  GMutex lock;
  GstElement *keeper; /* of the kernel */
  QcOwner owner;
  GMainLoop *loop;
  QcProgress *progress;
} QcRun;

static void
run_add_results (QcFile *file, QcStream *stream, const GstStructure *results, gpointer data)
{
  QcRun *run = data;
  QcSample sample = { .time = GST_CLOCK_TIME_NONE };
  g_autoptr (GArray) signalstats = NULL;
  guint64 bytes = 0;

  gst_structure_get_uint64 (results, "stream-time", &sample.time);
  gst_structure_get_uint64 (results, "duration", &sample.duration);
  gst_structure_get_uint64 (results, "payload-bytes", &bytes);
  if (!GST_CLOCK_TIME_IS_VALID (sample.duration))
    sample.duration = 0;
  stream->frames_seen++;
  stream->bytes_seen += bytes;
  if (stream->kind == QC_VIDEO) {
    signalstats = qc_measure_signalstats (results, &stream->video);
    qc_measure_video (results, signalstats, stream, &sample);
  } else {
    qc_measure_audio (results, &sample);
  }
  g_array_append_val (stream->samples, sample);
  for (guint i = 0; i < run->plan->reports->len; i++) {
    QcReport *report = run->plan->reports->pdata[i];
    if (report->add_frame)
      report->add_frame (report, file, stream, &sample, results, signalstats);
  }
}

static void
run_add_event (QcFile *file, QcStream *stream, const GstStructure *message, gpointer data)
{
  QcRun *run = data;

  qc_file_add_event (file, stream, message);
  for (guint i = 0; i < run->plan->reports->len; i++) {
    QcReport *report = run->plan->reports->pdata[i];
    if (report->add_event)
      report->add_event (report, file, stream, message);
  }
}

/* The file keeps what tells whether a stream was seen as a whole. */
static void
run_add_counters (QcFile *file, QcStream *stream, const GstStructure *counters, gpointer data)
{
  static const char *const names[] = { "faults", "dropped-records", "flushed", "undecided" };
  guint64 *const counts[]
      = { &stream->faults, &stream->dropped_records, &stream->flushed, &stream->undecided };
  QcRun *run = data;
  gboolean complete = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    gst_structure_get_uint64 (counters, names[i], counts[i]);
  gst_structure_get_boolean (counters, "complete", &complete);
  g_free (stream->incomplete);
  stream->incomplete
      = complete ? NULL : g_strdup (gst_structure_get_string (counters, "complete-verdict"));
  for (guint i = 0; i < run->plan->reports->len; i++) {
    QcReport *report = run->plan->reports->pdata[i];
    if (report->add_counters)
      report->add_counters (report, file, stream, counters);
  }
}

static void
print_problem (const QcFile *file, const char *text)
{
  g_autofree char *name = app_make_printable (file->name);
  g_autofree char *problem = app_make_printable (text);

  g_printerr ("vyre-qc: %s: %s\n", name, problem);
}

static void
run_report_file (QcRun *run, const QcFile *file)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->lock);

  for (guint i = 0; i < run->plan->reports->len; i++) {
    QcReport *report = run->plan->reports->pdata[i];
    if (report->add_progress)
      report->add_progress (report, file);
    report->add_file (report, file);
  }
  for (guint i = 0; i < file->problems->len; i++)
    print_problem (file, file->problems->pdata[i]);
  run->worst = MAX (run->worst, qc_file_get_verdict (file));
}

/* Reports a file, and keeps no more of it than its counts. A file that was not begun has no job. */
static void
run_report_next (QcRun *run)
{
  guint index = run->n_reported++;

  run_report_file (run, run->files->pdata[index]);
  if (index < run->jobs->len)
    qc_job_close (run->jobs->pdata[index]);
  qc_file_forget (run->files->pdata[index]);
}

/* Starts as many files as may run. */
static void
run_start (QcRun *run)
{
  while (!run->is_interrupted && run->n_running < run->plan->n_parallel
         && run->jobs->len < run->files->len) {
    run->n_running++;
    g_ptr_array_add (run->jobs, qc_job_new (run->files->pdata[run->jobs->len], &run->owner));
  }
}

static void
run_take_done (QcFile *file, gpointer data)
{
  QcRun *run = data;
  guint index;

  g_ptr_array_find (run->files, file, &index);
  run->is_done[index] = TRUE;
  run->n_running--;
  qc_progress_clear (run->progress);
  while (run->n_reported < run->files->len && run->is_done[run->n_reported])
    run_report_next (run);
  run_start (run);
  if (run->n_running == 0)
    g_main_loop_quit (run->loop);
}

/* Whether a report wants to know of counters while files run. */
static gboolean
run_is_live (const QcRun *run)
{
  for (guint i = 0; i < run->plan->reports->len; i++) {
    const QcReport *report = run->plan->reports->pdata[i];
    if (report->add_progress)
      return TRUE;
  }
  return FALSE;
}

/* Reports how far a file is, with the duration that is known by now; the lock is not held. */
static void
run_follow_job (QcRun *run, QcJob *job, const QcFile *file)
{
  qc_job_query_duration (job);
  if (!run_is_live (run))
    return;
  qc_job_read_counters (job);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->lock);
  for (guint i = 0; i < run->plan->reports->len; i++) {
    QcReport *report = run->plan->reports->pdata[i];
    if (report->add_progress)
      report->add_progress (report, file);
  }
}

/* Shows the progress of the files that run. */
static gboolean
run_show_progress (gpointer data)
{
  QcRun *run = data;

  for (guint i = 0; i < run->jobs->len; i++) {
    if (!run->is_done[i])
      run_follow_job (run, run->jobs->pdata[i], run->files->pdata[i]);
  }
  if (!run->progress)
    return G_SOURCE_CONTINUE;
  g_mutex_lock (&run->lock);
  qc_progress_show (run->progress, run->files, run->is_done);
  g_mutex_unlock (&run->lock);
  return G_SOURCE_CONTINUE;
}

static void
run_unwatch_signals (QcRun *run)
{
  for (guint i = 0; i < G_N_ELEMENTS (signal_numbers); i++)
    g_clear_handle_id (&run->signals[i], g_source_remove);
}

/* Stops what runs. Files that were not begun are incomplete. A second signal ends the process. */
static gboolean
run_interrupt (gpointer data)
{
  QcRun *run = data;

  run->is_interrupted = TRUE;
  run_unwatch_signals (run);
  for (guint i = 0; i < run->files->len; i++) {
    if (i < run->jobs->len && !run->is_done[i]) {
      qc_job_stop (run->jobs->pdata[i]);
    } else if (!run->is_done[i]) {
      qc_file_add_problem (run->files->pdata[i], "It was not begun. Fix: run it again.");
      run->is_done[i] = TRUE;
    }
  }
  if (run->n_running == 0)
    g_main_loop_quit (run->loop);
  return G_SOURCE_REMOVE;
}

/* Signals that are ignored, as by nohup, remain so. */
static void
run_watch_signals (QcRun *run)
{
  struct sigaction action;

  for (guint i = 0; i < G_N_ELEMENTS (signal_numbers); i++) {
    if (sigaction (signal_numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
      run->signals[i] = g_unix_signal_add (signal_numbers[i], run_interrupt, run);
  }
}

static void
run_init (QcRun *run, const QcPlan *plan)
{
  guint n = g_strv_length (plan->names);

  run->plan = plan;
  run->files = g_ptr_array_new_with_free_func ((GDestroyNotify)qc_file_free);
  run->jobs = g_ptr_array_new_with_free_func ((GDestroyNotify)qc_job_free);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (run->files, qc_file_new (plan->names[i]));
  run->is_done = g_new0 (gboolean, n);
  g_mutex_init (&run->lock);
  run->owner = (QcOwner){ &run->lock, &plan->settings, &run->keeper, run_add_results, run_add_event,
    run_add_counters, run_take_done, run };
  run->loop = g_main_loop_new (NULL, FALSE);
  run->progress = qc_progress_new ();
}

static void
run_clear (QcRun *run)
{
  if (run->keeper)
    gst_element_set_state (run->keeper, GST_STATE_NULL);
  gst_clear_object (&run->keeper);
  qc_progress_free (run->progress);
  g_main_loop_unref (run->loop);
  g_mutex_clear (&run->lock);
  g_free (run->is_done);
  g_ptr_array_unref (run->jobs);
  g_ptr_array_unref (run->files);
}

static void
run_finish_reports (QcRun *run)
{
  for (guint i = 0; i < run->plan->reports->len; i++) {
    QcReport *report = run->plan->reports->pdata[i];
    g_autoptr (GError) error = NULL;
    if (report->finish (report, &error))
      continue;
    g_printerr ("vyre-qc: %s\n", error->message);
    run->worst = QC_INCOMPLETE;
  }
}

/* Goes on until a signal comes, so that who serves the results of a run that was not interrupted
 * still does. */
static void
run_linger (QcRun *run)
{
  if (run->is_interrupted)
    return;
  g_printerr ("vyre-qc: All files are measured. The page stays until Ctrl-C.\n");
  g_main_loop_run (run->loop);
}

/* Measures all files, and finishes the reports. Returns: the worst verdict */
QcVerdict
qc_run (const QcPlan *plan)
{
  QcRun run = { 0 };

  run_init (&run, plan);
  run_watch_signals (&run);
  gboolean follows = run.progress || run_is_live (&run);
  guint progress = follows ? g_timeout_add (QC_PROGRESS_INTERVAL, run_show_progress, &run) : 0;
  run_start (&run);
  g_main_loop_run (run.loop);
  g_clear_handle_id (&progress, g_source_remove);
  run_finish_reports (&run);
  if (plan->lingers)
    run_linger (&run);
  run_unwatch_signals (&run);
  run_clear (&run);
  return run.worst;
}

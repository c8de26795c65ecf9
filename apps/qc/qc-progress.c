/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-progress.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 30

struct _QcProgress {
  gint64 start; /* of the run, in µs */
};

QcProgress *
qc_progress_new (void)
{
  if (!isatty (STDERR_FILENO))
    return NULL;
  QcProgress *progress = g_new0 (QcProgress, 1);
  progress->start = g_get_monotonic_time ();
  return progress;
}

/* The share of a file that has been seen; 0 if its duration is unknown. */
static double
find_share (const QcFile *file)
{
  if (!GST_CLOCK_TIME_IS_VALID (file->duration) || file->duration == 0)
    return 0;
  return MIN (1, (double)qc_file_get_end (file) / (double)file->duration);
}

void
qc_progress_show (QcProgress *progress, const GPtrArray *files, const gboolean *is_done)
{
  double share = 0, seconds = (double)(g_get_monotonic_time () - progress->start) / G_USEC_PER_SEC;
  guint64 frames = 0;
  char bar[BAR_WIDTH + 1] = "";

  for (guint i = 0; i < files->len; i++) {
    const QcFile *file = files->pdata[i];
    gboolean has_video = qc_file_find_stream (file, QC_VIDEO) != NULL;
    share += (is_done[i] ? 1 : find_share (file)) / files->len;
    frames += qc_file_count_seen (file, has_video ? QC_VIDEO : QC_AUDIO);
  }
  for (guint i = 0; i < BAR_WIDTH; i++)
    bar[i] = i < share * BAR_WIDTH ? '#' : '.';
  fprintf (stderr, "\r[%s] %3.0f %%  %.1f frames/s\033[K", bar, 100 * share,
      (double)frames / MAX (seconds, 0.001));
  fflush (stderr);
}

void
qc_progress_clear (QcProgress *progress)
{
  if (progress)
    fputs ("\r\033[K", stderr);
}

void
qc_progress_free (QcProgress *progress)
{
  g_free (progress);
}

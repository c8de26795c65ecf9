/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The table of events on standard output.
 */
#include "common/terminal.h"
#include "qc-report.h"

typedef struct {
  QcReport report;
  int name_width;
  gboolean has_head;
} QcTable;

static void
table_add_row (QcTable *table, const char *const *cells)
{
  int padding = table->name_width - (int)g_utf8_strlen (cells[0], -1);

  printf ("%s%*s  %-10s  %-12s  %-12s  %-12s  %s\n", cells[0], padding, "", cells[1], cells[2],
      cells[3], cells[4], cells[5]);
}

static void
table_add_event (QcTable *table, const QcFile *file, const QcEvent *event)
{
  gboolean open = !GST_CLOCK_TIME_IS_VALID (event->end);
  g_autofree char *name = app_make_printable (file->name);
  g_autofree char *start = qc_report_format_time (event->start);
  g_autofree char *end = qc_report_format_time (event->end);
  g_autofree char *duration
      = qc_report_format_time (open ? GST_CLOCK_TIME_NONE : event->end - event->start);
  gboolean first = event->stream == qc_file_find_stream (file, event->stream->kind);
  g_autofree char *kind
      = g_strconcat (event->name, first ? NULL : " of ", event->stream->name, NULL);
  g_autofree char *value = qc_event_describe_value (event);
  const char *const head[] = { "file", "kind", "start", "end", "duration", "value" };
  const char *const cells[] = { name, kind, start, end, duration, value };

  if (!table->has_head)
    table_add_row (table, head);
  table->has_head = TRUE;
  table_add_row (table, cells);
}

static void
table_add_file (QcReport *report, const QcFile *file)
{
  g_autofree char *name = app_make_printable (file->name);

  for (guint i = 0; i < file->events->len; i++)
    table_add_event ((QcTable *)report, file, file->events->pdata[i]);
  printf ("%s: %s, %" G_GUINT64_FORMAT " frames of video, %" G_GUINT64_FORMAT " buffers of audio\n",
      name, qc_verdict_name (qc_file_get_verdict (file)), qc_file_count_seen (file, QC_VIDEO),
      qc_file_count_seen (file, QC_AUDIO));
  fflush (stdout);
}

static gboolean
table_finish (QcReport *report, GError **error)
{
  g_free (report);
  return qc_report_close (stdout, "Standard output", TRUE, error);
}

QcReport *
qc_table_new (guint name_width)
{
  QcTable *table = g_new0 (QcTable, 1);

  table->report.add_file = table_add_file;
  table->report.finish = table_finish;
  table->name_width = (int)name_width;
  return &table->report;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-report.h"

#include <gio/gio.h>

/* Fails, too, where something was not @written before. */
gboolean
qc_report_close (FILE *out, const char *path, gboolean written, GError **error)
{
  if (fflush (out) != 0 || ferror (out))
    written = FALSE;
  if (out != stdout && fclose (out) != 0)
    written = FALSE;
  if (!written)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "%s could not be written. Fix: check the room on its disk.", path);
  return written;
}

/* HH:MM:SS.mmm, rounded down; "-" of an unknown time. */
char *
qc_report_format_time (GstClockTime time)
{
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return g_strdup ("-");
  guint64 ms = time / GST_MSECOND;
  return g_strdup_printf ("%02" G_GUINT64_FORMAT ":%02u:%02u.%03u", ms / 3600000,
      (guint)(ms / 60000 % 60), (guint)(ms / 1000 % 60), (guint)(ms % 1000));
}

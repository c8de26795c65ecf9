/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-report.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>

/* "-" is standard output. */
FILE *
qc_report_open (const char *path, GError **error)
{
  if (g_str_equal (path, "-"))
    return stdout;
  FILE *out = g_fopen (path, "we");
  if (!out)
    g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (errno),
        "%s: %s. Fix: name a file that can be written.", path, g_strerror (errno));
  return out;
}

gboolean
qc_report_close (FILE *out, const char *path, GError **error)
{
  gboolean written = fflush (out) == 0 && !ferror (out);

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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrelines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json/gstvyrejson.h"

#define GST_CAT_DEFAULT gst_vyre_debug

struct _GstVyreLines {
  int fd; /* -1: the file failed, and the bus has been told */
  gchar *name;
  gboolean is_file;  /* a write to it never waits for a reader */
  gboolean is_ended; /* its last line is an end */
  guint64 n;         /* its lines */
  guint n_waiting;   /* of these, lines in @text */
  GString *text;     /* not written yet: the current line, and those that a flush cut off */
};

/* Sets the error of a file that cannot be opened. */
static void
lines_set_open_error (GError **error, const gchar *name, int code)
{
  if (code == ENODEV || code == EISDIR)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
        "%s is not a regular file. Fix: give results-location a regular file; for a pipe or a "
        "device, set it to - and redirect standard output.",
        name);
  else if (code == ELOOP)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
        "%s is a symbolic link. Fix: give results-location the path of the file itself.", name);
  else
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
        "%s: opening failed: %s. Fix: check the path of results-location and its permissions.",
        name, g_strerror (code));
}

/* Opens @path, and empties a file. A file that cannot be opened is one that failed: @error says
 * why. */
static GstVyreLines *
lines_new (const gchar *path, GError **error)
{
  gboolean is_stdout = g_str_equal (path, "-");
  GstVyreLines *lines = g_new0 (GstVyreLines, 1);
  struct stat status;

  lines->name = is_stdout ? g_strdup ("standard output") : g_filename_display_name (path);
  lines->text = g_string_new (NULL);
  lines->fd = is_stdout ? STDOUT_FILENO
                        : vyre_file_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
  if (lines->fd < 0)
    lines_set_open_error (error, lines->name, errno);
  else
    lines->is_file = fstat (lines->fd, &status) == 0 && S_ISREG (status.st_mode);
  return lines;
}

static void
lines_close (GstVyreLines *lines)
{
  if (lines->fd >= 0 && lines->fd != STDOUT_FILENO)
    close (lines->fd);
  lines->fd = -1;
}

static void
lines_free (GstVyreLines *lines)
{
  lines_close (lines);
  g_string_free (lines->text, TRUE);
  g_free (lines->name);
  g_free (lines);
}

/* The property was set: what comes next belongs to another file. */
void
gst_vyre_lines_turn (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  self->settings.results_turn++;
  GST_OBJECT_UNLOCK (self);
}

/* Begins the file that the property names now, if it names one. */
static gboolean
lines_begin (GstVyreFilter *self, GError **error)
{
  GST_OBJECT_LOCK (self);
  g_autofree gchar *path = g_strdup (self->results_path);
  self->lines_turn = self->settings.results_turn;
  GST_OBJECT_UNLOCK (self);
  if (!path || !*path)
    return TRUE;
  self->lines = lines_new (path, error);
  return self->lines->fd >= 0;
}

static void
lines_count (GstVyreFilter *self, guint written, guint lost)
{
  vyre_mutex_lock (&self->lock);
  self->stats.lines += written;
  self->stats.lost_lines += lost;
  g_mutex_unlock (&self->lock);
}

/* Nothing more is written to the file. */
static void
lines_fail (GstVyreFilter *self, int code)
{
  GstVyreLines *lines = self->lines;

  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
      ("%s: writing failed: %s. Fix: check the space on the disk and the reader of the pipe, then "
       "set results-location again.",
          lines->name, g_strerror (code)),
      ("lines from %" G_GUINT64_FORMAT " on are lost", lines->n + 1 - lines->n_waiting));
  lines_close (lines);
  lines_count (self, 0, lines->n_waiting);
  lines->n_waiting = 0;
}

/* Waits until a pipe has room for PIPE_BUF bytes, as filesink would. FALSE when flushing. */
static gboolean
lines_await_room (GstVyreFilter *self)
{
  struct pollfd reader = { .fd = self->lines->fd, .events = POLLOUT };

  while (!self->lines->is_file && poll (&reader, 1, GST_VYRE_WAIT_SLICE / 1000) <= 0) {
    if (gst_vyre_stream_is_flushing (self))
      return FALSE;
  }
  return TRUE;
}

/* Writes the text: at once to a file, and to a pipe in pieces that do not wait inside of write().
 * A flush leaves the rest to the next line. */
static void
lines_write (GstVyreFilter *self)
{
  GstVyreLines *lines = self->lines;
  GString *text = lines->text;
  gsize done = 0;

  while (done < text->len && lines_await_room (self)) {
    gsize most = lines->is_file ? text->len : PIPE_BUF;
    gssize n = vyre_file_write (lines->fd, text->str + done, MIN (text->len - done, most));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n <= 0) { /* 0: nothing more fits, and Linux gives no errno */
      lines_fail (self, n < 0 ? errno : ENOSPC);
      return;
    }
    done += (gsize)n;
  }
  g_string_erase (text, 0, (gssize)done);
  if (text->len == 0) {
    lines_count (self, lines->n_waiting, 0);
    lines->n_waiting = 0;
  }
}

/* Writes a message as a line, if there is a file. */
void
gst_vyre_lines_add (GstVyreFilter *self, const GstStructure *structure)
{
  GstVyreLines *lines = self->lines;

  if (!lines)
    return;
  if (lines->fd < 0) {
    lines_count (self, 0, 1);
    return;
  }
  gst_vyre_json_add_message (lines->text, structure);
  g_string_append_c (lines->text, '\n');
  lines->is_ended = FALSE;
  lines->n++;
  lines->n_waiting++;
  lines_write (self);
}

/* Writes the line that tells a whole file from a cut one. */
static void
lines_add_end (GstVyreFilter *self, const gchar *reason)
{
  GstVyreLines *lines = self->lines;

  if (!lines || lines->is_ended)
    return;
  vyre_mutex_lock (&self->lock);
  g_autofree gchar *gap
      = gst_vyre_stats_explain_incomplete (&self->stats, self->n_batches + self->n_late);
  g_mutex_unlock (&self->lock);
  g_autoptr (GstStructure) end
      = gst_structure_new ("vyre-end", "reason", G_TYPE_STRING, reason, "lines", G_TYPE_UINT64,
          lines->n, "complete", G_TYPE_BOOLEAN, !gap, "complete-verdict", G_TYPE_STRING, gap, NULL);
  gst_vyre_lines_add (self, end);
  lines->is_ended = TRUE;
}

/* The stream has ended. */
void
gst_vyre_lines_end (GstVyreFilter *self)
{
  lines_add_end (self, "eos");
}

static void
lines_finish (GstVyreFilter *self, const gchar *reason)
{
  lines_add_end (self, reason);
  if (self->lines && self->lines->n_waiting > 0)
    lines_count (self, 0, self->lines->n_waiting);
  g_clear_pointer (&self->lines, lines_free);
}

/* The source pad is inactive, and there is no worker: a pipe without room loses what waits. */
void
gst_vyre_lines_stop (GstVyreFilter *self)
{
  lines_finish (self, "stopped");
}

/* The source pad becomes active. A file that cannot be opened is an error. */
gboolean
gst_vyre_lines_start (GstVyreFilter *self)
{
  g_autoptr (GError) error = NULL;

  gst_vyre_lines_stop (self);
  if (lines_begin (self, &error))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", error->message), (NULL));
  g_clear_pointer (&self->lines, lines_free);
  return FALSE;
}

/* Ends the file and begins the next one if the property was set since. The copy of the settings may
 * be older than the file, which is then the right one. */
void
gst_vyre_lines_follow (GstVyreFilter *self)
{
  g_autoptr (GError) error = NULL;

  if ((gint32)(self->out_settings.results_turn - self->lines_turn) <= 0)
    return;
  lines_finish (self, "rotated");
  if (!lines_begin (self, &error))
    GST_ELEMENT_WARNING (self, RESOURCE, OPEN_WRITE, ("%s", error->message), (NULL));
}

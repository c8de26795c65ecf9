/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "serve-lines.h"

#include <string.h>

/* The lines kept, at most, and their bytes. */
#define MOST_LINES 4096
#define MOST_BYTES (8 * 1024 * 1024)

/* Bytes of one read, but for its last line. */
#define READ_BYTES (256 * 1024)

struct _ServeLines {
  GMutex lock;
  GQueue kept;   /* of char *, the last one with the number @last */
  guint64 last;  /* the number of lines that were added */
  gsize n_bytes; /* of the lines that are kept */
  gboolean ended;
  guint32 run; /* tells the numbers of this run from those of another one */
};

ServeLines *
serve_lines_new (void)
{
  ServeLines *lines = g_new0 (ServeLines, 1);

  g_mutex_init (&lines->lock);
  g_queue_init (&lines->kept);
  lines->run = g_random_int ();
  return lines;
}

void
serve_lines_free (ServeLines *lines)
{
  g_queue_clear_full (&lines->kept, g_free);
  g_mutex_clear (&lines->lock);
  g_free (lines);
}

/* Adds an object that has no line break, and forgets the oldest ones where there is no room. */
void
serve_lines_add (ServeLines *lines, const char *json)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lines->lock);

  g_queue_push_tail (&lines->kept, g_strdup (json));
  lines->last++;
  lines->n_bytes += strlen (json);
  while (
      lines->kept.length > MOST_LINES || (lines->n_bytes > MOST_BYTES && lines->kept.length > 1)) {
    g_autofree char *oldest = g_queue_pop_head (&lines->kept);
    lines->n_bytes -= strlen (oldest);
  }
}

/* No line comes any more. */
void
serve_lines_end (ServeLines *lines)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lines->lock);

  lines->ended = TRUE;
}

static void
append_id (GString *text, const ServeLines *lines, guint64 number)
{
  g_string_append_printf (text, "%08x-%" G_GUINT64_FORMAT, lines->run, number);
}

/* The id of the last line; number 0 before the first one. */
char *
serve_lines_get_last_id (ServeLines *lines)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lines->lock);
  GString *id = g_string_new (NULL);

  append_id (id, lines, lines->last);
  return g_string_free (id, FALSE);
}

/* Sets @cursor to the line of @id; to the beginning where @id is NULL, or of another run. Returns
 * FALSE for an id that this run has not given out. */
gboolean
serve_lines_find (ServeLines *lines, const char *id, guint64 *cursor)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lines->lock);
  g_autofree char *run = g_strdup_printf ("%08x-", lines->run);
  guint64 number = 0;

  *cursor = 0;
  if (!id)
    return TRUE;
  if (!g_str_has_prefix (id, run)
      || !g_ascii_string_to_unsigned (id + strlen (run), 10, 0, lines->last, &number, NULL))
    return FALSE;
  *cursor = number;
  return TRUE;
}

/* Tells of the lines behind @cursor that are gone, and moves it in front of the first one that is
 * there. */
static void
skip_lost (const ServeLines *lines, guint64 *cursor, GString *events)
{
  guint64 before_first = lines->last - lines->kept.length;

  if (*cursor >= before_first)
    return;
  g_string_append (events, "id: ");
  append_id (events, lines, before_first);
  g_string_append_printf (events, "\ndata: {\"type\":\"lost\",\"lines\":%" G_GUINT64_FORMAT "}\n\n",
      before_first - *cursor);
  *cursor = before_first;
}

/* Appends the next lines behind @cursor, which it moves, as server-sent events. Of lines that are
 * gone an event has the number. Returns FALSE where none is left and no more will come. */
gboolean
serve_lines_read (ServeLines *lines, guint64 *cursor, GString *events)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lines->lock);

  skip_lost (lines, cursor, events);
  guint n_left = (guint)(lines->last - *cursor);
  for (const GList *link = g_queue_peek_nth_link (&lines->kept, lines->kept.length - n_left);
       link && events->len < READ_BYTES; link = link->next) {
    g_string_append (events, "id: ");
    append_id (events, lines, ++*cursor);
    g_string_append_printf (events, "\ndata: %s\n\n", (const char *)link->data);
  }
  return events->len > 0 || !lines->ended;
}

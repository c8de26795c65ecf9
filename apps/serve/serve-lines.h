/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The last lines of a run, each with its number. A lock of its own guards them: any thread may call
 * these functions, and none of them waits for a client.
 */
#pragma once

#include <glib.h>

typedef struct _ServeLines ServeLines;

ServeLines *serve_lines_new (void);
void serve_lines_free (ServeLines *lines);
void serve_lines_add (ServeLines *lines, const char *json);
void serve_lines_end (ServeLines *lines);
char *serve_lines_get_last_id (ServeLines *lines);
gboolean serve_lines_find (ServeLines *lines, const char *id, guint64 *cursor);
gboolean serve_lines_read (ServeLines *lines, guint64 *cursor, GString *events);

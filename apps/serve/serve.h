/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A page that shows a run in browsers. A thread of its own, vyre-serve, answers all clients; other
 * threads add lines, and never wait for a client. GET / is the page, GET /events the lines as
 * server-sent events, and GET /results.json the state that the lines behind it go on from.
 */
#pragma once

#include <gio/gio.h>

typedef struct _Serve Serve;

/* Returns the state as a JSON object; called on the thread vyre-serve. */
typedef char *(*ServeStateFunc) (gpointer data);

/* Listens at @address; see serve_address_parse(). Loopback takes a token where there is a file of
 * it; any other address takes one anyway, which is made where there is no file. Fails with a
 * remedy. */
Serve *serve_new (const char *address, const char *token_path, GError **error);

/* The URL of the page, with the token. */
const char *serve_get_url (const Serve *serve);

/* Begins to answer. @make_state has to work until serve_free(). */
void serve_start (Serve *serve, ServeStateFunc make_state, gpointer data);

/* Adds a line, which is a JSON object without a line break. Any thread. */
void serve_add_line (Serve *serve, const char *json);

/* The id of the last line, for the state. Any thread. */
char *serve_get_last_id (Serve *serve);

/* No line comes any more: the stream of each client ends behind the last one. */
void serve_end (Serve *serve);

/* Waits until the clients have all lines, up to 2 s, and closes their connections. */
void serve_free (Serve *serve);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The server of a build without libsoup: serve_new() fails.
 */
#include "serve.h"

Serve *
serve_new (const char *address, const char *token_path, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "This build serves no page. Fix: build it with libsoup 3 (Debian: libsoup-3.0-dev), or write "
      "a page with --html.");
  return NULL;
}

const char *
serve_get_url (const Serve *serve)
{
  return NULL;
}

void
serve_start (Serve *serve, ServeStateFunc make_state, gpointer data)
{
}

void
serve_add_line (Serve *serve, const char *json)
{
}

char *
serve_get_last_id (Serve *serve)
{
  return NULL;
}

void
serve_end (Serve *serve)
{
}

void
serve_free (Serve *serve)
{
}

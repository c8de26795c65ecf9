/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serve-lines ADDRESS [TOKEN_FILE]: serves the lines of standard input until its end, as vyre-qc
 * serves its own ones, and prints the URL. The state has the id of the last line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/serve.h"

static char *
make_state (gpointer data)
{
  g_autofree char *id = serve_get_last_id (data);

  return g_strdup_printf ("{\"last-id\":\"%s\"}", id);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Serve *serve = serve_new (argv[1], argc > 2 ? argv[2] : NULL, &error);
  char *line = NULL;
  size_t size = 0;

  if (!serve) {
    g_printerr ("%s\n", error->message);
    return EXIT_FAILURE;
  }
  serve_start (serve, make_state, serve);
  printf ("%s\n", serve_get_url (serve));
  fflush (stdout);
  while (getline (&line, &size, stdin) > 0) {
    g_strchomp (line);
    serve_add_line (serve, line);
  }
  free (line);
  serve_free (serve);
  return EXIT_SUCCESS;
}

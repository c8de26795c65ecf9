/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "child.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "series.h"

/* Reads up to the end of the output or of the time. */
static gboolean
read_all (int fd, GString *output, gint64 end)
{
  char block[4096];

  for (;;) {
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    gint64 left = (end - bench_now ()) / 1000000;
    if (left <= 0 || poll (&poller, 1, (int)left) == 0)
      return FALSE;
    ssize_t n = read (fd, block, sizeof block);
    if (n > 0)
      g_string_append_len (output, block, n);
    else if (n == 0 || errno != EINTR)
      return n == 0;
  }
}

static void
parse (BenchChild *child)
{
  g_auto (GStrv) lines = g_strsplit (child->output, "\n", -1);

  child->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (char **line = lines; *line; line++) {
    char *value = strchr (*line, ' ');
    if (!value)
      continue;
    *value++ = '\0';
    g_hash_table_replace (child->lines, g_strdup (*line), g_strdup (value));
  }
}

/* A child that closed its output is about to end; one that did not is ended. */
static int
reap (GPid pid, gboolean finished)
{
  int status = 0;

  if (!finished)
    kill (pid, SIGKILL);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  g_spawn_close_pid (pid);
  return finished && WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

/* Its errors go where ours go. */
gboolean
bench_child_run (
    BenchChild *child, char **arguments, char **environment, double seconds, GError **error)
{
  GPid pid;
  int fd;

  *child = (BenchChild){ .status = -1, .started = bench_now () };
  if (!g_spawn_async_with_pipes (NULL, arguments, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
          NULL, &pid, NULL, &fd, NULL, error))
    return FALSE;
  GString *output = g_string_new (NULL);
  gboolean finished = read_all (fd, output, child->started + (gint64)(seconds * 1e9));
  close (fd);
  child->status = reap (pid, finished);
  child->output = g_string_free (output, FALSE);
  parse (child);
  return TRUE;
}

void
bench_child_clear (BenchChild *child)
{
  g_clear_pointer (&child->lines, g_hash_table_unref);
  g_clear_pointer (&child->output, g_free);
}

/* NAN when it did not say. */
double
bench_child_number (const BenchChild *child, const char *key)
{
  const char *value = child->lines ? g_hash_table_lookup (child->lines, key) : NULL;

  return value ? g_ascii_strtod (value, NULL) : NAN;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A child process that prints lines of "key value", under a deadline.
 */
#pragma once

#include <glib.h>

typedef struct {
  int status;     /* its exit status; -1 when it did not exit by itself in time */
  gint64 started; /* ns, just before it was made */
  char *output;
  GHashTable *lines; /* of the output; key: value, both strings */
} BenchChild;

gboolean bench_child_run (
    BenchChild *child, char **arguments, char **environment, double seconds, GError **error);
void bench_child_clear (BenchChild *child);
double bench_child_number (const BenchChild *child, const char *key);

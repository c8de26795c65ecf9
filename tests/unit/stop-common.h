/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stops the process of a test for a while, as a debugger does.
 */
#pragma once

#include <glib.h>
#include <unistd.h>

typedef struct {
  GPid pid;
  gint trigger; /* a byte that is written here starts the countdown */
} Stopper;

/* Starts a stopper: it stops the process for @seconds, 0.1 s after stopper_stop(). */
static inline void
stopper_start (Stopper *stopper, guint seconds)
{
  g_autofree char *script
      = g_strdup_printf ("read line; sleep 0.1; kill -STOP %d; sleep %u; kill -CONT %d", getpid (),
          seconds, getpid ());
  char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
  GError *error = NULL;

  g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
      NULL, &stopper->pid, &stopper->trigger, NULL, NULL, &error);
  g_assert_no_error (error);
}

static inline void
stopper_stop (Stopper *stopper)
{
  g_assert_cmpint (write (stopper->trigger, "\n", 1), ==, 1);
}

static inline void
stopper_clear (Stopper *stopper)
{
  close (stopper->trigger);
  g_spawn_close_pid (stopper->pid);
}

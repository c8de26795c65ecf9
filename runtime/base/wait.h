/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a thread waits for what a device stores: awake for a moment, if there is a core to spare for
 * it in this process, then asleep for ever longer. Private to libvyre.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gint64 start;   /* ns */
  gint64 end;     /* no sleep is planned past it, ns; G_MAXINT64: there is none */
  gboolean awake; /* counted as one of the process's threads that are */
  gboolean exact; /* sleeps end on time, which costs more of them */
  gboolean slept;
  gint64 usual;      /* how long such a wait lasts, ns; 0: the thread does not know */
  int slack;         /* of the thread's timer, ns, where the wait has changed it; else 0 */
  gint64 awake_time; /* ns */
} VyreWait;

void vyre_wait_begin (VyreWait *wait, guint most_awake, gboolean exact, gint64 now);
void vyre_wait_expect (VyreWait *wait, gint64 usual);
void vyre_wait_step (VyreWait *wait, gboolean pressed, gint64 now);
void vyre_wait_end (VyreWait *wait, gint64 now);
gint64 vyre_wait_learn (gint64 usual, gint64 took);
guint vyre_wait_count_awake (void);

G_END_DECLS

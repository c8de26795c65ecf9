/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Elements of the parent in a child of fork(). The child has none of their threads, and copies of
 * their locks in any state. So owners of locks are watched, and get new locks in the child; the
 * child forgets resources that it shares with the parent (control sockets of pools, files); and
 * requests to an inherited element are errors until it has been in NULL.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Number of forks between the process that loaded the plugin and this one */
extern guint gst_vyre_fork_generation;

/* Called in a child, in its only thread, for each owner of locks that is watched: an element, or a
 * file of this plugin. */
typedef void (*GstVyreForked) (gpointer owner);

void gst_vyre_fork_init (void);
void gst_vyre_fork_watch (gpointer owner, GstVyreForked forked);
void gst_vyre_fork_unwatch (gpointer owner);
void gst_vyre_fork_forget_thread (GstPad *pad);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Residency: when the kernel is launched, renewed, parked and let go. The launcher thread sleeps in
 * the fence of the oldest launch, or on a condition while nothing runs; publishing threads launch a
 * parked kernel themselves.
 *
 * A launch reads payloads from one source, the store or an import. Each batch that needs an import
 * has a launch of its own, which does not stay: what a launch is bound to must not live longer than
 * it has to. Launches leave when they come to a ticket of another source, so whatever order they
 * run in, the last to end is followed by the right one.
 *
 * Called with the kernel's lock held, but for vyre_launcher_set_idle_timeout(),
 * vyre_launcher_follow_gaps() and vyre_launcher_run(). Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

void vyre_launcher_set_idle_timeout (VyreMegakernel *kernel, guint64 idle_timeout);
void vyre_launcher_follow_gaps (VyreMegakernel *kernel, guint64 idle_timeout);
gboolean vyre_launcher_serves (VyreBatch *batch);
void vyre_launcher_make_up (VyreMegakernel *kernel);
void vyre_launcher_published (VyreMegakernel *kernel, const VyreBatch *batch);
void vyre_launcher_park (VyreMegakernel *kernel);
void vyre_launcher_replace (VyreMegakernel *kernel);
void vyre_launcher_retire (VyreMegakernel *kernel, guint32 sequence);
void vyre_launcher_trim (VyreMegakernel *kernel);
gpointer vyre_launcher_run (gpointer data);

G_END_DECLS

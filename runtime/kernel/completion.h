/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches whose run has ended on the device: each goes on to its next run, is parked until the host
 * has served its requests, or is complete and gives back what it holds. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

void vyre_completion_expect (VyreBatch *batch);
gboolean vyre_batch_is_completed (const VyreBatch *batch);
gboolean vyre_batch_has_ended (VyreBatch *batch);
void vyre_batch_retire (VyreBatch *batch, gint64 now, VyreReleases *releases);
void vyre_batch_complete (VyreBatch *batch, VyreReleases *releases);
void vyre_batch_end (VyreBatch *batch);
void vyre_batch_free_memory (VyreBatch *batch);
void vyre_batch_destroy (VyreBatch *batch);
gboolean vyre_batch_may_write (VyreBatch *batch);
VyreRelease vyre_batch_take_release (VyreBatch *batch);
VyreRelease vyre_batch_give_up (VyreBatch *batch);
VyreRelease vyre_stream_release (VyreStream *stream, VyreBatch *next);
void vyre_release_run (const VyreRelease *release);
void vyre_releases_run (VyreReleases *releases);
void vyre_megakernel_note_room (VyreMegakernel *kernel);
void vyre_megakernel_reap (VyreMegakernel *kernel, VyreReleases *releases);
void vyre_megakernel_collect (VyreMegakernel *kernel);

G_END_DECLS

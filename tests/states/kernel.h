/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device and a kernel that run nothing: their batches complete when a schedule says so. They
 * take the place of libvyre's own in the process of a test, as far as the element calls them.
 */
#pragma once

#include <glib.h>

/* What may become of batches in a run: with @may_wait a first look at a batch may find it
 * not done; @n_losses devices may be lost. Forgets the run before. */
void kernel_reset (gboolean may_wait, guint n_losses);

/* Fails unless everything that was made in this run is gone. */
void kernel_check_leaks (void);

/* From now on no device is lost. */
void kernel_last_loss (void);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device and a kernel that run nothing: their batches complete when a schedule says so. They
 * take the place of libvyre's own in the process of a test, as far as the element calls them.
 */
#pragma once

#include <glib.h>

/* How soon batches end in a run. With KERNEL_MAY_WAIT the first wait for a batch may end before the
 * batch does. With KERNEL_WAITS each first wait does, and no look before it finds the batch done.
 * With KERNEL_STALLS several waits for a batch do. */
typedef enum { KERNEL_IS_QUICK, KERNEL_MAY_WAIT, KERNEL_WAITS, KERNEL_STALLS } KernelPace;

/* Begins a run, in which @n_losses devices may be lost. */
void kernel_reset (KernelPace pace, guint n_losses);

/* Fails unless everything that was made in this run is gone. */
void kernel_check_leaks (void);

/* From now on no device is lost. */
void kernel_last_loss (void);

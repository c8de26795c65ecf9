/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/state.h"

#include <time.h>

/* The time in ns. */
gint64
vyre_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

const char *
vyre_residency_name (VyreResidency residency)
{
  static const char *const names[] = { "auto", "persistent", "relay", "dispatch" };

  return (guint)residency < G_N_ELEMENTS (names) ? names[residency] : NULL;
}

/* Lock held. Ends the kernel with @error, which it takes; the first failure stays, and every
 * waiter gets a copy of it. */
void
vyre_megakernel_fail (VyreMegakernel *kernel, GError *error)
{
  if (kernel->failure)
    g_error_free (error);
  else
    kernel->failure = error;
  atomic_store (&kernel->failed, true); /* pairs with the load in vyre_megakernel_has_failed() */
  g_cond_broadcast (&kernel->room);
}

/* Any thread. Whether the kernel has ended with an error, which is kernel->failure. */
gboolean
vyre_megakernel_has_failed (VyreMegakernel *kernel)
{
  return atomic_load (&kernel->failed); /* pairs with the store in vyre_megakernel_fail() */
}

/* Lock held. Returns FALSE with the error that ended the kernel. */
gboolean
vyre_megakernel_set_failure (const VyreMegakernel *kernel, GError **error)
{
  if (error)
    *error = g_error_copy (kernel->failure);
  return FALSE;
}

/* Any thread. Has the thread of kernel/host-requests.c look for work. */
void
vyre_megakernel_wake_host (VyreMegakernel *kernel)
{
  kernel->host.wake (kernel->host.data);
}

/* Payloads of so many bytes go by copy engine, whatever is ahead of them. */
void
vyre_megakernel_set_copy_threshold (VyreMegakernel *kernel, gsize threshold)
{
  kernel->copy_threshold = kernel->train_threshold = threshold;
}

guint8 *
vyre_batch_readback (const VyreBatch *batch)
{
  return vyre_store_get_data (batch->kernel->readbacks) + batch->readback;
}

guint8 *
vyre_batch_get_io_queue (const VyreBatch *batch)
{
  return vyre_batch_readback (batch) + batch->plan->layout.offset[VYRE_PART_IO_QUEUE];
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel.h"

/* Four payloads of 64 MiB, where the device addresses that much. */
#define STAGING_SIZE (256 << 20)
#define READBACK_SIZE (32 << 20)

/* How long a kernel that was told to leave may take to be gone, in microseconds. */
#define SETTLE 3000

/* A kernel that stays until bench_kernel_stop(). */
VyreMegakernelParams
bench_kernel_params (VyreResidency residency)
{
  return (VyreMegakernelParams){
    .residency = residency,
    .staging_size = STAGING_SIZE,
    .readback_size = READBACK_SIZE,
    .idle_timeout = 60 * G_GUINT64_CONSTANT (1000000000),
    .lease = 500 * 1000 * 1000,
  };
}

BenchKernel *
bench_kernel_open (const VyreMegakernelParams *params, const char *placement, GError **error)
{
  VyreMegakernelParams cut = *params;
  VyreDevice *device = vyre_device_open ("auto", error);

  if (!device)
    return NULL;
  cut.staging_size = MIN (cut.staging_size, vyre_device_get_max_payload (device));
  bench_placement_set (&cut, placement);
  VyreMegakernel *kernel = vyre_megakernel_new (device, &cut, error);
  if (!kernel) {
    vyre_device_unref (device);
    return NULL;
  }
  BenchKernel *self = g_new0 (BenchKernel, 1);
  self->device = device;
  self->kernel = kernel;
  return self;
}

void
bench_kernel_close (BenchKernel *self)
{
  vyre_megakernel_unref (self->kernel);
  vyre_device_unref (self->device);
  g_free (self);
}

void
bench_kernel_start (BenchKernel *self)
{
  vyre_megakernel_set_active (self->kernel, TRUE);
}

/* Parks it, so that it takes nothing from who is measured next. */
void
bench_kernel_stop (BenchKernel *self)
{
  vyre_megakernel_set_active (self->kernel, FALSE);
  g_usleep (SETTLE);
}

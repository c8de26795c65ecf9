/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvyre without GStreamer: write slots of the wire ABI into a ring, let the kernel
 * on the GPU run them, and read their results back.
 *
 *     cc publish.c $(pkg-config --cflags --libs vyre-1) -o publish
 */
#include <stdio.h>
#include <stdlib.h>
#include <vyre/vyre.h>

#define N_OBSERVABLES 4
#define N_SLOTS 4
#define SECONDS G_TIME_SPAN_SECOND

/* The message of an error ends in its remedy. */
static void
check (GError *error)
{
  if (!error)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (EXIT_FAILURE);
}

/* Two additions to observable 1, one of them packed with a store to observable 2, and
 * the fence that ends the batch. */
static void
publish (void *ring, gsize size)
{
  const guint32 six[] = { 6, VYRE_CONTROL_OBSERVABLES + 1 };
  const guint32 thirty_six[] = { 36, VYRE_CONTROL_OBSERVABLES + 1 };
  const guint32 store[] = { 2026, VYRE_CONTROL_OBSERVABLES + 2 };
  const VyreOp add = { VYRE_OP_ATOMIC_ADD, six, 2 };
  const VyreOp packed[]
      = { { VYRE_OP_ATOMIC_ADD, thirty_six, 2 }, { VYRE_OP_STORE_U32, store, 2 } };
  const guint32 tenant = 0, tag = 7;
  GError *error = NULL;

  vyre_publish_packed (ring, size, 0, tenant, packed, 2, &error);
  check (error);
  vyre_publish_batch (ring, size, 1, tenant, &add, 1, tag, &error);
  check (error);
}

/* A batch is planned once and may be published any number of times. */
static VyrePlan *
plan (VyreMegakernel *kernel)
{
  VyreParts parts = { 0 };
  guint8 *data[VYRE_N_PARTS];
  GError *error = NULL;

  data[VYRE_PART_CONTROL]
      = vyre_encode_control (N_OBSERVABLES, 1, FALSE, &parts.size[VYRE_PART_CONTROL], &error);
  check (error);
  static const guint32 counts[] = { [VYRE_PART_RING] = N_SLOTS,
    [VYRE_PART_DEBUG_LOG] = VYRE_DEBUG_RECORDS,
    [VYRE_PART_IO_QUEUE] = VYRE_IO_SLOTS };
  for (VyrePart part = VYRE_PART_RING; part < VYRE_N_PARTS; part++) {
    data[part] = vyre_encode_empty (part, counts[part], &parts.size[part], &error);
    check (error);
  }
  publish (data[VYRE_PART_RING], parts.size[VYRE_PART_RING]);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    parts.data[part] = data[part];
  VyrePlan *planned
      = vyre_plan_new_from_parts (&parts, 0, vyre_megakernel_get_workgroup (kernel), &error);
  check (error);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    g_free (data[part]);
  return planned;
}

int
main (void)
{
  const VyreMegakernelParams params = { .staging_size = 1 << 20,
    .readback_size = 1 << 20,
    .idle_timeout = VYRE_IDLE_TIMEOUT_AUTO,
    .lease = 100 * 1000 * 1000 };
  const VyrePayload no_payload = { 0 };
  const gint64 deadline = g_get_monotonic_time () + 30 * SECONDS;
  GError *error = NULL;
  VyreControl control;

  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);
  check (error);
  g_autoptr (VyreMegakernel) kernel = vyre_megakernel_new (device, &params, &error);
  check (error);
  vyre_megakernel_set_active (kernel, TRUE);
  g_autoptr (VyrePlan) planned = plan (kernel);
  g_autoptr (VyreBatch) batch
      = vyre_megakernel_publish (kernel, planned, 0, &no_payload, deadline, &error);
  check (error);
  vyre_batch_wait (batch, deadline, &error);
  check (error);

  const VyreLayout *layout = vyre_plan_get_layout (planned);
  const guint8 *readback = vyre_batch_get_readback (batch);
  vyre_read_control (readback, layout->size[VYRE_PART_CONTROL], &control, &error);
  check (error);
  printf ("%s: %u slots done, epoch %u, tag %u, sum %u, year %u\n", vyre_device_get_name (device),
      control.done_count, control.epoch, vyre_peek_observable (readback, layout->total, 0),
      vyre_peek_observable (readback, layout->total, 1),
      vyre_peek_observable (readback, layout->total, 2));
  vyre_megakernel_set_active (kernel, FALSE);
  return EXIT_SUCCESS;
}

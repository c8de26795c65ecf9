/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A CPU device's driver compiles at the first launch, on the device's only queue, where all other
 * batches wait. So the first launch happens on a device that is opened for it and closed again,
 * which leaves the compiled code in the driver's cache.
 */
#include "device/launches.h"

#include "device/buffer.h"

/* Enough for what a probe writes; no power of two, like the stores of payloads, see
 * kernel/megakernel.c. */
#define MEMORY_SIZE (3 * 262144)

G_STATIC_ASSERT (4 * VYRE_ANSWER_WORDS <= MEMORY_SIZE);

/* Launches the pipeline on nothing. */
static gboolean
rehearsal_launch (VyrePipeline *p, const VyreBuffer *memory, GError **error)
{
  const guint32 constants[VYRE_LAUNCH_WORDS]
      = { [VYRE_LAUNCH_FLAGS] = VYRE_FLAG_PROBE, [VYRE_LAUNCH_BUDGET] = 1 };
  VkBuffer buffers[VYRE_N_BUFFERS];

  for (guint i = 0; i < VYRE_N_BUFFERS; i++)
    buffers[i] = memory->buffer;
  return vyre_pipeline_bind (p, buffers, memory->size, error)
         && vyre_pipeline_launch (p, constants, &p->store, 1, error)
         && vyre_vk_check (vyre_pipeline_wait (p, vyre_pipeline_oldest (p), G_MAXUINT64),
             "vkWaitForFences", p->device, error);
}

/* Without the lock. Has the driver compile the pipeline with @extras as a launch needs it.
 * Fails in silence: the launch compiles it then. */
void
vyre_pipeline_rehearse_extras (const VyrePipeline *p, guint32 extras)
{
  g_autoptr (GError) error = NULL;
  VyreDevice *device = vyre_device_open (vyre_device_get_uuid (p->device), &error);
  VyreBuffer memory = { NULL };
  VyrePipeline trial = { NULL };

  if (!device || !vyre_pipeline_init_extras (&trial, p, extras, device, &error)
      || !vyre_buffer_init (&memory, device, MEMORY_SIZE, VYRE_BUFFER_HOST, &error)
      || !rehearsal_launch (&trial, &memory, &error))
    g_debug ("%s", error->message);
  vyre_pipeline_clear (&trial);
  vyre_buffer_clear (&memory);
  g_clear_pointer (&device, vyre_device_unref);
}

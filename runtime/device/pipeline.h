/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What launches of the kernel are made of: shader, pipeline and descriptor sets. Owned by one
 * megakernel. Sources are added and removed under a lock of the pipeline's own;
 * vyre_pipeline_build_extras() and vyre_pipeline_rehearse_extras() need none. Private to libvyre.
 */
#pragma once

#include "kernel.h"
#include "device/device-private.h"

#define VYRE_PIPELINE_LAUNCHES 64

/* Most sources besides the payload store. */
#define VYRE_PIPELINE_SOURCES VYRE_MAX_SOURCES

typedef struct {
  VkCommandBuffer commands;
  VkFence fence;
  guint32 sequence;
  guint32 source; /* its number */
  guint groups;
} VyreLaunch;

/* A buffer that launches read payloads from, with all the others that are bound. */
typedef struct {
  VkDescriptorSet set;
  VkBufferView texels;
} VyreSource;

typedef struct {
  VyreDevice *device;
  guint workgroup;
  gboolean discrete;
  gboolean reads_texels; /* the kernel's payload loads: a CPU's are many times faster */
  gboolean cache_hit;    /* the driver got what an earlier opening stored */
  VkShaderModule shader;
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkPipeline built[VYRE_EXTRAS + 1]; /* by their extras, VK_NULL_HANDLE until a batch needs them */
  guint32 extras;                    /* of the next launches */
  GMutex source_lock;                /* a leaf: guards the pool of descriptors */
  VkDescriptorPool descriptors;
  VkBuffer buffers[VYRE_N_BUFFERS];
  gsize store_size; /* of the payload store, bytes */
  VyreSource store; /* the payload store, one of the buffers */
  VkCommandPool commands;
  VyreLaunch launches[VYRE_PIPELINE_LAUNCHES];
  guint first;    /* oldest launch in flight */
  guint n_flying; /* launches in flight, consecutive from there */
} VyrePipeline;

gboolean vyre_pipeline_init (VyrePipeline *pipeline, VyreDevice *device, gsize payload_size,
    gboolean discrete, GError **error);
gboolean vyre_pipeline_init_extras (VyrePipeline *pipeline, const VyrePipeline *like,
    guint32 extras, VyreDevice *device, GError **error);
gboolean vyre_pipeline_bind (
    VyrePipeline *pipeline, const VkBuffer buffers[VYRE_N_BUFFERS], gsize size, GError **error);
gboolean vyre_pipeline_build_extras (
    const VyrePipeline *pipeline, guint32 extras, VkPipeline *built, GError **error);
void vyre_pipeline_rehearse_extras (const VyrePipeline *pipeline, guint32 extras);
void vyre_pipeline_clear (VyrePipeline *pipeline);
gboolean vyre_pipeline_add_source (
    VyrePipeline *pipeline, VkBuffer payload, gsize size, VyreSource *source, GError **error);
void vyre_pipeline_remove_source (VyrePipeline *pipeline, VyreSource *source);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/pipeline.h"

#include <string.h>

#include "abi.h"
#include "device/launches.h"
#include "device/pipeline-cache.h"

static const guint32 unified_spirv[] = {
#include "megakernel-unified.spv.h"
};
static const guint32 discrete_spirv[] = {
#include "megakernel-discrete.spv.h"
};

static const guint32 *
pipeline_code (const VyrePipeline *p)
{
  return p->discrete ? discrete_spirv : unified_spirv;
}

static gsize
pipeline_code_size (const VyrePipeline *p)
{
  return p->discrete ? sizeof discrete_spirv : sizeof unified_spirv;
}

/* Counts bindings: the buffers, then the texels unless the code has none. */
static guint32
pipeline_n_bindings (const VyrePipeline *p)
{
  return p->discrete ? VYRE_N_BUFFERS : VYRE_N_BUFFERS + 1;
}

static VkDescriptorType
pipeline_binding_type (guint32 binding)
{
  return binding == VYRE_BIND_TEXELS ? VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER
                                     : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

static gboolean
pipeline_create_layouts (VyrePipeline *p, GError **error)
{
  VkDescriptorSetLayoutBinding bindings[VYRE_N_BUFFERS + 1];
  VkDescriptorSetLayoutCreateInfo set_info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
    .bindingCount = pipeline_n_bindings (p),
    .pBindings = bindings,
  };
  VkPushConstantRange constants = {
    .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    .size = 4 * VYRE_LAUNCH_WORDS,
  };
  VkPipelineLayoutCreateInfo layout_info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
    .setLayoutCount = 1,
    .pSetLayouts = &p->set_layout,
    .pushConstantRangeCount = 1,
    .pPushConstantRanges = &constants,
  };

  for (guint32 i = 0; i < pipeline_n_bindings (p); i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){
      .binding = i,
      .descriptorType = pipeline_binding_type (i),
      .descriptorCount = 1,
      .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    };
  return vyre_vk_check (
             vkCreateDescriptorSetLayout (p->device->handle, &set_info, NULL, &p->set_layout),
             "vkCreateDescriptorSetLayout", p->device, error)
         && vyre_vk_check (
             vkCreatePipelineLayout (p->device->handle, &layout_info, NULL, &p->layout),
             "vkCreatePipelineLayout", p->device, error);
}

static VyrePipelineKey
pipeline_cache_key (const VyrePipeline *p, const guint32 *specialization, gsize size)
{
  const VyreDevice *device = p->device;
  const VkPhysicalDeviceProperties *properties = &device->properties;
  VyrePipelineKey key = {
    .vendor = properties->vendorID,
    .device = properties->deviceID,
    .driver = properties->driverVersion,
  };
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize digest_size = sizeof key.code;

  G_STATIC_ASSERT (sizeof key.device_uuid == sizeof device->uuid);
  G_STATIC_ASSERT (sizeof key.cache_uuid == VK_UUID_SIZE);
  memcpy (key.device_uuid, device->uuid, sizeof key.device_uuid);
  memcpy (key.cache_uuid, properties->pipelineCacheUUID, sizeof key.cache_uuid);
  g_checksum_update (checksum, (const guchar *)pipeline_code (p), (gssize)pipeline_code_size (p));
  g_checksum_update (checksum, (const guchar *)specialization, (gssize)size);
  g_checksum_get_digest (checksum, key.code, &digest_size);
  return key;
}

/* Opens a cache with @loaded, which an earlier opening stored, or an empty one. VK_NULL_HANDLE:
 * the driver has none and compiles without. */
static VkPipelineCache
pipeline_open_cache (const VyrePipeline *p, GBytes *loaded)
{
  gsize size = 0;
  gconstpointer data = loaded ? g_bytes_get_data (loaded, &size) : NULL;
  VkPipelineCacheCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
    .initialDataSize = size,
    .pInitialData = data,
  };
  VkPipelineCache cache = VK_NULL_HANDLE;
  VkResult result = vkCreatePipelineCache (p->device->handle, &info, NULL, &cache);

  if (result == VK_SUCCESS)
    return cache;
  g_debug ("vkCreatePipelineCache over %" G_GSIZE_FORMAT " bytes: %d", size, result);
  return loaded ? pipeline_open_cache (p, NULL) : VK_NULL_HANDLE;
}

/* Reads what the driver wants back at the next opening. */
static GBytes *
pipeline_read_cache (const VyrePipeline *p, VkPipelineCache cache)
{
  VkDevice device = p->device->handle;
  gsize size = 0;

  if (!cache || vkGetPipelineCacheData (device, cache, &size, NULL) != VK_SUCCESS)
    return NULL;
  g_autofree guint8 *data = g_try_malloc (MAX (size, 1));
  if (!data || vkGetPipelineCacheData (device, cache, &size, data) != VK_SUCCESS)
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

/* Compiles, or has the driver take an earlier result. */
static VkResult
pipeline_compile (const VyrePipeline *p, const VkComputePipelineCreateInfo *info,
    VkPipeline *pipeline, gboolean *cache_hit)
{
  const VkSpecializationInfo *specialization = info->stage.pSpecializationInfo;
  VyrePipelineKey key = pipeline_cache_key (p, specialization->pData, specialization->dataSize);
  g_autofree char *path = vyre_pipeline_cache_path (&key);
  g_autoptr (GBytes) loaded = vyre_pipeline_cache_load (path, &key);
  VkPipelineCache cache = pipeline_open_cache (p, loaded);
  VkResult result = vkCreateComputePipelines (p->device->handle, cache, 1, info, NULL, pipeline);
  g_autoptr (GBytes) blob = result == VK_SUCCESS ? pipeline_read_cache (p, cache) : NULL;

  *cache_hit = cache && loaded;
  if (blob)
    vyre_pipeline_cache_store (path, &key, blob, *cache_hit ? loaded : NULL);
  vkDestroyPipelineCache (p->device->handle, cache, NULL);
  return result;
}

static gboolean
pipeline_create_shader (VyrePipeline *p, GError **error)
{
  VkShaderModuleCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
    .codeSize = pipeline_code_size (p),
    .pCode = pipeline_code (p),
  };

  return vyre_vk_check (vkCreateShaderModule (p->device->handle, &info, NULL, &p->shader),
      "vkCreateShaderModule", p->device, error);
}

static gboolean
pipeline_create_pipeline (const VyrePipeline *p, guint32 extras, VkPipeline *pipeline,
    gboolean *cache_hit, GError **error)
{
  guint32 specialization[VYRE_N_SPECS] = {
    [VYRE_SPEC_WORKGROUP] = p->workgroup,
    [VYRE_SPEC_WORKGROUP_BITS] = g_bit_nth_msf (p->workgroup, -1),
    [VYRE_SPEC_EXTRAS] = extras,
    [VYRE_SPEC_TEXELS] = p->reads_texels,
  };
  VkSpecializationMapEntry entries[VYRE_N_SPECS];
  VkSpecializationInfo specialization_info = {
    .mapEntryCount = VYRE_N_SPECS,
    .pMapEntries = entries,
    .dataSize = sizeof specialization,
    .pData = specialization,
  };

  for (guint32 i = 0; i < VYRE_N_SPECS; i++)
    entries[i] = (VkSpecializationMapEntry){ .constantID = i, .offset = 4 * i, .size = 4 };
  VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .stage = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
      .stage = VK_SHADER_STAGE_COMPUTE_BIT,
      .module = p->shader,
      .pName = "main",
      .pSpecializationInfo = &specialization_info,
    },
    .layout = p->layout,
  };
  return vyre_vk_check (pipeline_compile (p, &info, pipeline, cache_hit),
      "vkCreateComputePipelines", p->device, error);
}

/* Without the lock. Compiles the pipeline with @extras, which may take tenths of a second. */
gboolean
vyre_pipeline_build_extras (
    const VyrePipeline *p, guint32 extras, VkPipeline *pipeline, GError **error)
{
  gboolean cache_hit;

  return pipeline_create_pipeline (p, extras, pipeline, &cache_hit, error);
}

static gboolean
pipeline_create_descriptors (VyrePipeline *p, GError **error)
{
  guint32 n_sets = 1 + (p->discrete ? 0 : VYRE_PIPELINE_SOURCES);
  VkDescriptorPoolSize sizes[] = { { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, n_sets * VYRE_N_BUFFERS },
    { VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, n_sets } };
  VkDescriptorPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
    .flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
    .maxSets = n_sets,
    .poolSizeCount = G_N_ELEMENTS (sizes),
    .pPoolSizes = sizes,
  };

  return vyre_vk_check (vkCreateDescriptorPool (p->device->handle, &info, NULL, &p->descriptors),
      "vkCreateDescriptorPool", p->device, error);
}

/* Makes a view of the payload as texels; of a single one for code that reads none. */
static gboolean
pipeline_create_texels (
    const VyrePipeline *p, VkBuffer payload, gsize size, VkBufferView *texels, GError **error)
{
  VkBufferViewCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
    .buffer = payload,
    .format = VK_FORMAT_R32G32B32A32_UINT,
    .range = p->reads_texels ? size : VYRE_GRANULE,
  };

  return p->discrete
         || vyre_vk_check (vkCreateBufferView (p->device->handle, &info, NULL, texels),
             "vkCreateBufferView", p->device, error);
}

static VkResult
pipeline_allocate_set (VyrePipeline *p, VkDescriptorSet *set)
{
  VkDescriptorSetAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
    .descriptorPool = p->descriptors,
    .descriptorSetCount = 1,
    .pSetLayouts = &p->set_layout,
  };

  g_mutex_lock (&p->source_lock);
  VkResult result = vkAllocateDescriptorSets (p->device->handle, &info, set);
  g_mutex_unlock (&p->source_lock);
  return result;
}

static gboolean
pipeline_create_set (
    VyrePipeline *p, VkBuffer payload, gsize size, VyreSource *source, GError **error)
{
  VkDescriptorBufferInfo infos[VYRE_N_BUFFERS];
  VkWriteDescriptorSet writes[VYRE_N_BUFFERS + 1];

  if (!vyre_vk_check (
          pipeline_allocate_set (p, &source->set), "vkAllocateDescriptorSets", p->device, error))
    return FALSE;
  for (guint32 i = 0; i < VYRE_N_BUFFERS; i++)
    infos[i] = (VkDescriptorBufferInfo){
      .buffer = i == VYRE_BIND_PAYLOAD ? payload : p->buffers[i],
      .range = i == VYRE_BIND_PAYLOAD ? size
               : i == VYRE_BIND_STORE ? p->store_size
                                      : VK_WHOLE_SIZE,
    };
  for (guint32 i = 0; i < pipeline_n_bindings (p); i++) {
    gboolean texels = i == VYRE_BIND_TEXELS;
    writes[i] = (VkWriteDescriptorSet){
      .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
      .dstSet = source->set,
      .dstBinding = i,
      .descriptorCount = 1,
      .descriptorType = pipeline_binding_type (i),
      .pBufferInfo = texels ? NULL : &infos[i],
      .pTexelBufferView = texels ? &source->texels : NULL,
    };
  }
  vkUpdateDescriptorSets (p->device->handle, pipeline_n_bindings (p), writes, 0, NULL);
  return TRUE;
}

/* Compiles the kernel, which may take tenths of a second; @discrete for batches that run
 * in memory of the device, @payload_size the most bytes its payloads lie in. */
gboolean
vyre_pipeline_init (
    VyrePipeline *p, VyreDevice *device, gsize payload_size, gboolean discrete, GError **error)
{
  const VkPhysicalDeviceLimits *limits = &device->properties.limits;
  guint most = MIN (limits->maxComputeWorkGroupInvocations, limits->maxComputeWorkGroupSize[0]);

  /* Small groups suit lanes that are vector elements of a CPU core; 128 is the
   * least that a device has to offer. */
  *p = (VyrePipeline){ .device = device,
    .discrete = discrete,
    .reads_texels = !discrete && vyre_device_is_cpu (device)
                    && payload_size / VYRE_GRANULE <= limits->maxTexelBufferElements,
    .workgroup = vyre_device_is_cpu (device) ? 8
                 : most >= 256               ? 256
                                             : 128 };
  g_mutex_init (&p->source_lock);
  if (limits->maxPerStageDescriptorStorageBuffers < VYRE_N_BUFFERS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
        "%s binds only %u storage buffers, %u are needed. Fix: choose another device.",
        device->properties.deviceName, limits->maxPerStageDescriptorStorageBuffers, VYRE_N_BUFFERS);
    return FALSE;
  }
  return pipeline_create_layouts (p, error) && pipeline_create_shader (p, error)
         && pipeline_create_pipeline (p, 0, &p->built[0], &p->cache_hit, error)
         && vyre_pipeline_create_launches (p, error);
}

/* Compiles on @device what vyre_pipeline_build_extras() would compile for @like. */
gboolean
vyre_pipeline_init_extras (
    VyrePipeline *p, const VyrePipeline *like, guint32 extras, VyreDevice *device, GError **error)
{
  *p = (VyrePipeline){ .device = device,
    .extras = extras,
    .discrete = like->discrete,
    .reads_texels = like->reads_texels,
    .workgroup = like->workgroup };
  g_mutex_init (&p->source_lock);
  return pipeline_create_layouts (p, error) && pipeline_create_shader (p, error)
         && pipeline_create_pipeline (p, extras, &p->built[extras], &p->cache_hit, error)
         && vyre_pipeline_create_launches (p, error);
}

/* What the kernel works on: buffers in binding order, the payloads in the first @size bytes
 * of theirs. */
gboolean
vyre_pipeline_bind (
    VyrePipeline *p, const VkBuffer buffers[VYRE_N_BUFFERS], gsize size, GError **error)
{
  memcpy (p->buffers, buffers, sizeof p->buffers);
  p->store_size = size;
  return pipeline_create_descriptors (p, error)
         && vyre_pipeline_add_source (p, buffers[VYRE_BIND_PAYLOAD], size, &p->store, error);
}

/* Any thread. Adds a buffer that launches may read payloads from, instead of the one that was
 * bound; @size is whole granules. Each source is removed once. */
gboolean
vyre_pipeline_add_source (
    VyrePipeline *p, VkBuffer payload, gsize size, VyreSource *source, GError **error)
{
  *source = (VyreSource){ 0 };
  if (p->reads_texels
      && size / VYRE_GRANULE > p->device->properties.limits.maxTexelBufferElements) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%s reads %u texels at most. Fix: let so much memory be copied.",
        p->device->properties.deviceName, p->device->properties.limits.maxTexelBufferElements);
    return FALSE;
  }
  if (pipeline_create_texels (p, payload, size, &source->texels, error)
      && pipeline_create_set (p, payload, size, source, error))
    return TRUE;
  vyre_pipeline_remove_source (p, source);
  return FALSE;
}

/* Any thread. No launch of the source is in flight. */
void
vyre_pipeline_remove_source (VyrePipeline *p, VyreSource *source)
{
  if (source->set) {
    g_mutex_lock (&p->source_lock);
    vkFreeDescriptorSets (p->device->handle, p->descriptors, 1, &source->set);
    g_mutex_unlock (&p->source_lock);
  }
  vkDestroyBufferView (p->device->handle, source->texels, NULL);
  *source = (VyreSource){ 0 };
}

/* No launch is in flight. */
void
vyre_pipeline_clear (VyrePipeline *p)
{
  VkDevice device = p->device ? p->device->handle : VK_NULL_HANDLE;

  if (!device)
    return;
  for (guint i = 0; i < VYRE_PIPELINE_LAUNCHES; i++)
    vkDestroyFence (device, p->launches[i].fence, NULL);
  vkDestroyCommandPool (device, p->commands, NULL);
  vyre_pipeline_remove_source (p, &p->store);
  vkDestroyDescriptorPool (device, p->descriptors, NULL);
  for (guint i = 0; i <= VYRE_EXTRAS; i++)
    vkDestroyPipeline (device, p->built[i], NULL);
  vkDestroyPipelineLayout (device, p->layout, NULL);
  vkDestroyDescriptorSetLayout (device, p->set_layout, NULL);
  vkDestroyShaderModule (device, p->shader, NULL);
  g_mutex_clear (&p->source_lock);
  *p = (VyrePipeline){ 0 };
}

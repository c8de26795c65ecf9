/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lost.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

typedef struct Instance {
  struct Instance *next;
  void *key;
  VkInstance handle;
  PFN_vkGetInstanceProcAddr get_proc_addr;
  PFN_vkDestroyInstance destroy;
} Instance;

typedef struct Device {
  struct Device *next;
  void *key;
  bool lost;
  unsigned calls; /* of what the plan counts */
  PFN_vkGetDeviceProcAddr get_proc_addr;
  PFN_vkDestroyDevice destroy;
  PFN_vkQueueSubmit queue_submit;
  PFN_vkWaitForFences wait_for_fences;
  PFN_vkGetFenceStatus get_fence_status;
  PFN_vkCreateComputePipelines create_compute_pipelines;
  PFN_vkDeviceWaitIdle wait_idle;
} Device;

typedef struct {
  Device *device;
  VkQueue queue;
  VkCommandBuffer commands;
  VkFence fence;
} Submission;

#define EXPORT __attribute__ ((visibility ("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned n_lost;
static bool hold, held, forbid_import;
static bool stalled;
static Submission submissions[16]; /* while it is */
static unsigned n_submissions;
static Instance *instances;
static Device *devices;
static unsigned creations; /* while the plan counts vkCreateDevice */
static struct {
  char call[32];
  unsigned after;
  unsigned devices;
} plan;

/* A handle starts with a pointer to the loader's table, which queues share with
 * their device, and physical devices with their instance. */
static void *
key_of (const void *handle)
{
  return *(void *const *)handle;
}

static Device *
find_device (const void *handle)
{
  pthread_mutex_lock (&lock);
  Device *device = devices;
  while (device->key != key_of (handle))
    device = device->next;
  pthread_mutex_unlock (&lock);
  return device;
}

static Instance *
find_instance (const void *handle)
{
  pthread_mutex_lock (&lock);
  Instance *instance = instances;
  while (instance->key != key_of (handle))
    instance = instance->next;
  pthread_mutex_unlock (&lock);
  return instance;
}

/* Counts a call; whether it is the one that is to fail. The lock is held. */
static bool
is_due (unsigned *calls, const char *call)
{
  if (plan.devices == 0 || strcmp (plan.call, call) != 0 || ++*calls < plan.after)
    return false;
  plan.devices--;
  n_lost++;
  return true;
}

static bool
is_lost (Device *device, const char *call)
{
  pthread_mutex_lock (&lock);
  device->lost = device->lost || is_due (&device->calls, call);
  bool lost = device->lost;
  pthread_mutex_unlock (&lock);
  return lost;
}

EXPORT void
vyre_lost_arm (const char *call, unsigned after, unsigned n)
{
  pthread_mutex_lock (&lock);
  strncpy (plan.call, call ? call : "", sizeof plan.call - 1);
  plan.after = after;
  plan.devices = call ? n : 0;
  creations = 0;
  for (Device *device = devices; device; device = device->next)
    device->calls = 0;
  pthread_mutex_unlock (&lock);
}

EXPORT unsigned
vyre_lost_count (void)
{
  pthread_mutex_lock (&lock);
  unsigned n = n_lost;
  pthread_mutex_unlock (&lock);
  return n;
}

EXPORT void
vyre_lost_hold (bool wanted)
{
  pthread_mutex_lock (&lock);
  hold = wanted;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

EXPORT void
vyre_lost_wait_held (void)
{
  pthread_mutex_lock (&lock);
  while (!held)
    pthread_cond_wait (&changed, &lock);
  pthread_mutex_unlock (&lock);
}

EXPORT void
vyre_lost_forbid_import (void)
{
  pthread_mutex_lock (&lock);
  forbid_import = true;
  pthread_mutex_unlock (&lock);
}

/* Queues are only used by one thread at a time. */
static pthread_mutex_t submitting = PTHREAD_MUTEX_INITIALIZER;

static void
submit_late (const Submission *late)
{
  VkSubmitInfo info = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .commandBufferCount = 1,
    .pCommandBuffers = &late->commands };

  late->device->queue_submit (late->queue, 1, &info, late->fence);
}

EXPORT void
vyre_lost_stall (bool wanted)
{
  pthread_mutex_lock (&submitting);
  stalled = wanted;
  for (unsigned i = 0; !stalled && i < n_submissions; i++)
    submit_late (&submissions[i]);
  n_submissions = 0;
  pthread_mutex_unlock (&submitting);
}

/* Whether a launch is kept for later. */
static bool
is_kept (Device *device, VkQueue queue, const VkSubmitInfo *info, VkFence fence)
{
  if (!stalled || n_submissions == sizeof submissions / sizeof *submissions)
    return false;
  submissions[n_submissions++] = (Submission){ device, queue, info->pCommandBuffers[0], fence };
  return true;
}

static unsigned
number_from (const char *variable)
{
  const char *text = getenv (variable);

  return text ? (unsigned)strtoul (text, NULL, 10) : 1;
}

static void
arm_from_environment (void)
{
  const char *call = getenv ("VYRE_LOST_CALL");

  if (call)
    vyre_lost_arm (call, number_from ("VYRE_LOST_AFTER"), number_from ("VYRE_LOST_DEVICES"));
}

/* ---- calls of a device ------------------------------------------------- */

static VKAPI_ATTR VkResult VKAPI_CALL
queue_submit (VkQueue queue, uint32_t n, const VkSubmitInfo *infos, VkFence fence)
{
  Device *device = find_device (queue);

  if (is_lost (device, "vkQueueSubmit"))
    return VK_ERROR_DEVICE_LOST;
  pthread_mutex_lock (&submitting);
  VkResult result = is_kept (device, queue, infos, fence)
                        ? VK_SUCCESS
                        : device->queue_submit (queue, n, infos, fence);
  pthread_mutex_unlock (&submitting);
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
wait_for_fences (VkDevice handle, uint32_t n, const VkFence *fences, VkBool32 all, uint64_t timeout)
{
  Device *device = find_device (handle);
  bool lost = is_lost (device, "vkWaitForFences");
  VkResult result = device->wait_for_fences (handle, n, fences, all, timeout);

  return lost ? VK_ERROR_DEVICE_LOST : result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_compute_pipelines (VkDevice handle, VkPipelineCache cache, uint32_t n,
    const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *allocator,
    VkPipeline *pipelines)
{
  Device *device = find_device (handle);

  if (!is_lost (device, "vkCreateComputePipelines"))
    return device->create_compute_pipelines (handle, cache, n, infos, allocator, pipelines);
  memset (pipelines, 0, n * sizeof *pipelines);
  return VK_ERROR_DEVICE_LOST;
}

static VKAPI_ATTR VkResult VKAPI_CALL
get_fence_status (VkDevice handle, VkFence fence)
{
  Device *device = find_device (handle);
  bool lost = is_lost (device, "vkGetFenceStatus");

  return lost ? VK_ERROR_DEVICE_LOST : device->get_fence_status (handle, fence);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wait_idle (VkDevice handle)
{
  Device *device = find_device (handle);
  bool lost = is_lost (device, "vkDeviceWaitIdle");
  VkResult result = device->wait_idle (handle);

  return lost ? VK_ERROR_DEVICE_LOST : result;
}

static VKAPI_ATTR void VKAPI_CALL
destroy_device (VkDevice handle, const VkAllocationCallbacks *allocator)
{
  if (!handle)
    return;
  Device *device = find_device (handle);
  pthread_mutex_lock (&lock);
  Device **link = &devices;
  while (*link != device)
    link = &(*link)->next;
  *link = device->next;
  pthread_mutex_unlock (&lock);
  device->destroy (handle, allocator);
  free (device);
}

/* ---- the chain --------------------------------------------------------- */

static bool
may_create (void)
{
  pthread_mutex_lock (&lock);
  held = hold;
  pthread_cond_broadcast (&changed);
  while (hold)
    pthread_cond_wait (&changed, &lock);
  held = false;
  bool due = is_due (&creations, "vkCreateDevice");
  pthread_mutex_unlock (&lock);
  return !due;
}

#define NEXT(object, handle, name) (PFN_##name) (object)->get_proc_addr (handle, #name)

static const void *
find_link (const void *chain, VkStructureType type)
{
  const VkLayerDeviceCreateInfo *info = chain; /* an instance's begins in the same way */

  while (info && !(info->sType == type && info->function == VK_LAYER_LINK_INFO))
    info = info->pNext;
  return info;
}

/* The first process to create a device is the only one, if forks are not taken. */
static bool
is_refused_child (void)
{
  static pid_t first;

  pthread_mutex_lock (&lock);
  if (!first)
    first = getpid ();
  bool refused = first != getpid () && getenv ("VYRE_LOST_FORKS");
  pthread_mutex_unlock (&lock);
  return refused;
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_device (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
    const VkAllocationCallbacks *allocator, VkDevice *handle)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  VkLayerDeviceCreateInfo *link
      = (void *)find_link (info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
  VkLayerDeviceLink layer = *link->u.pLayerInfo;
  Instance *instance = find_instance (physical);

  pthread_once (&once, arm_from_environment);
  if (!may_create ())
    return VK_ERROR_DEVICE_LOST;
  if (is_refused_child ())
    return VK_ERROR_INITIALIZATION_FAILED;
  link->u.pLayerInfo = layer.pNext; /* for the layer below */
  PFN_vkCreateDevice create
      = (PFN_vkCreateDevice)layer.pfnNextGetInstanceProcAddr (instance->handle, "vkCreateDevice");
  VkResult result = create (physical, info, allocator, handle);
  if (result != VK_SUCCESS)
    return result;
  Device *device = calloc (1, sizeof *device);
  device->key = key_of (*handle);
  device->get_proc_addr = layer.pfnNextGetDeviceProcAddr;
  device->destroy = NEXT (device, *handle, vkDestroyDevice);
  device->queue_submit = NEXT (device, *handle, vkQueueSubmit);
  device->wait_for_fences = NEXT (device, *handle, vkWaitForFences);
  device->get_fence_status = NEXT (device, *handle, vkGetFenceStatus);
  device->create_compute_pipelines = NEXT (device, *handle, vkCreateComputePipelines);
  device->wait_idle = NEXT (device, *handle, vkDeviceWaitIdle);
  pthread_mutex_lock (&lock);
  device->next = devices;
  devices = device;
  pthread_mutex_unlock (&lock);
  return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_instance (
    const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator, VkInstance *handle)
{
  VkLayerInstanceCreateInfo *link
      = (void *)find_link (info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
  PFN_vkGetInstanceProcAddr next = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;

  link->u.pLayerInfo = link->u.pLayerInfo->pNext; /* for the layer below */
  VkResult result
      = ((PFN_vkCreateInstance)next (NULL, "vkCreateInstance")) (info, allocator, handle);
  if (result != VK_SUCCESS)
    return result;
  Instance *instance = calloc (1, sizeof *instance);
  instance->key = key_of (*handle);
  instance->handle = *handle;
  instance->get_proc_addr = next;
  instance->destroy = NEXT (instance, *handle, vkDestroyInstance);
  pthread_mutex_lock (&lock);
  instance->next = instances;
  instances = instance;
  pthread_mutex_unlock (&lock);
  return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL
destroy_instance (VkInstance handle, const VkAllocationCallbacks *allocator)
{
  if (!handle)
    return;
  Instance *instance = find_instance (handle);
  pthread_mutex_lock (&lock);
  Instance **link = &instances;
  while (*link != instance)
    link = &(*link)->next;
  *link = instance->next;
  pthread_mutex_unlock (&lock);
  instance->destroy (handle, allocator);
  free (instance);
}

static PFN_vkVoidFunction get_device_proc_addr (VkDevice handle, const char *name);
static PFN_vkVoidFunction get_instance_proc_addr (VkInstance handle, const char *name);

static const struct {
  const char *name;
  PFN_vkVoidFunction function;
} calls[] = {
  { "vkGetInstanceProcAddr", (PFN_vkVoidFunction)get_instance_proc_addr },
  { "vkCreateInstance", (PFN_vkVoidFunction)create_instance },
  { "vkDestroyInstance", (PFN_vkVoidFunction)destroy_instance },
  { "vkCreateDevice", (PFN_vkVoidFunction)create_device },
  { "vkGetDeviceProcAddr", (PFN_vkVoidFunction)get_device_proc_addr },
  { "vkDestroyDevice", (PFN_vkVoidFunction)destroy_device },
  { "vkQueueSubmit", (PFN_vkVoidFunction)queue_submit },
  { "vkWaitForFences", (PFN_vkVoidFunction)wait_for_fences },
  { "vkGetFenceStatus", (PFN_vkVoidFunction)get_fence_status },
  { "vkCreateComputePipelines", (PFN_vkVoidFunction)create_compute_pipelines },
  { "vkDeviceWaitIdle", (PFN_vkVoidFunction)wait_idle },
};

static PFN_vkVoidFunction
find_call (const char *name)
{
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (strcmp (calls[i].name, name) == 0)
      return calls[i].function;
  }
  return NULL;
}

static bool
may_not_import (void)
{
  pthread_mutex_lock (&lock);
  bool forbidden = forbid_import;
  pthread_mutex_unlock (&lock);
  return forbidden;
}

static PFN_vkVoidFunction
get_device_proc_addr (VkDevice handle, const char *name)
{
  PFN_vkVoidFunction ours = find_call (name);

  if (strcmp (name, "vkGetMemoryHostPointerPropertiesEXT") == 0 && may_not_import ())
    return NULL;
  return ours ? ours : find_device (handle)->get_proc_addr (handle, name);
}

static PFN_vkVoidFunction
get_instance_proc_addr (VkInstance handle, const char *name)
{
  PFN_vkVoidFunction ours = find_call (name);

  if (ours || !handle)
    return ours;
  return find_instance (handle)->get_proc_addr (handle, name);
}

EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion (VkNegotiateLayerInterface *interface)
{
  interface->loaderLayerInterfaceVersion = CURRENT_LOADER_LAYER_INTERFACE_VERSION;
  interface->pfnGetInstanceProcAddr = get_instance_proc_addr;
  interface->pfnGetDeviceProcAddr = get_device_proc_addr;
  interface->pfnGetPhysicalDeviceProcAddr = NULL;
  return VK_SUCCESS;
}

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
  PFN_vkGetPhysicalDeviceQueueFamilyProperties get_families;
  PFN_vkGetPhysicalDeviceProperties get_properties;
} Instance;

typedef struct Device {
  struct Device *next;
  void *key;
  bool lost;
  unsigned calls; /* of the call that the plan counts */
  PFN_vkGetDeviceProcAddr get_proc_addr;
  PFN_vkDestroyDevice destroy;
  PFN_vkQueueSubmit queue_submit;
  PFN_vkQueueWaitIdle queue_wait_idle;
  PFN_vkWaitForFences wait_for_fences;
  PFN_vkGetFenceStatus get_fence_status;
  PFN_vkCreateComputePipelines create_compute_pipelines;
  PFN_vkDeviceWaitIdle wait_idle;
  PFN_vkAllocateMemory allocate_memory;
  PFN_vkCreateFence create_fence;
  PFN_vkCreateCommandPool create_command_pool;
  PFN_vkGetDeviceQueue get_queue;
} Device;

/* A queue that a thread uses. */
typedef struct {
  VkQueue queue;
  unsigned n;
} Use;

typedef struct {
  Device *device;
  VkQueue queue;
  VkCommandBuffer commands;
  VkFence fence;
} Submission;

/* Calls that a test holds: while it is shut, those that reach it wait. */
typedef struct {
  bool shut;
  bool reached;
} Gate;

#define EXPORT __attribute__ ((visibility ("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned n_lost;
static Gate creation, end, import;
static bool forbid_import, refuse_imports, copy_engine, hold_copies, show_gpu;
static unsigned n_instances;
static bool stalled;
static unsigned until_stall; /* submissions; 0: none is counted */
static bool dawdles;
static unsigned n_collisions;
static Submission submissions[16]; /* during a stall */
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

/* Counts a call, with the lock held. TRUE for the call that has to fail. */
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

static void
flag_set (bool *flag, bool value)
{
  pthread_mutex_lock (&lock);
  *flag = value;
  pthread_mutex_unlock (&lock);
}

static bool
flag_get (const bool *flag)
{
  pthread_mutex_lock (&lock);
  bool value = *flag;
  pthread_mutex_unlock (&lock);
  return value;
}

static void
gate_shut (Gate *gate, bool shut)
{
  pthread_mutex_lock (&lock);
  gate->shut = shut;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

static void
gate_await (Gate *gate)
{
  pthread_mutex_lock (&lock);
  while (!gate->reached)
    pthread_cond_wait (&changed, &lock);
  pthread_mutex_unlock (&lock);
}

/* With the lock held. */
static void
gate_pass (Gate *gate)
{
  while (gate->shut) {
    gate->reached = true;
    pthread_cond_broadcast (&changed);
    pthread_cond_wait (&changed, &lock);
  }
  gate->reached = false;
}

EXPORT void
vyre_lost_hold (bool wanted)
{
  gate_shut (&creation, wanted);
}

EXPORT void
vyre_lost_wait_held (void)
{
  gate_await (&creation);
}

EXPORT void
vyre_lost_hold_end (bool wanted)
{
  gate_shut (&end, wanted);
}

EXPORT void
vyre_lost_wait_end_held (void)
{
  gate_await (&end);
}

EXPORT void
vyre_lost_forbid_import (void)
{
  flag_set (&forbid_import, true);
}

EXPORT void
vyre_lost_refuse_imports (bool refuse)
{
  flag_set (&refuse_imports, refuse);
}

EXPORT void
vyre_lost_hold_import (bool wanted)
{
  gate_shut (&import, wanted);
}

EXPORT void
vyre_lost_wait_import_held (void)
{
  gate_await (&import);
}

EXPORT void
vyre_lost_add_copy_engine (void)
{
  flag_set (&copy_engine, true);
}

EXPORT void
vyre_lost_hold_copies (bool wanted)
{
  flag_set (&hold_copies, wanted);
}

/* One thread at a time may use a queue. */
static pthread_mutex_t submitting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t resumed = PTHREAD_COND_INITIALIZER;

/* Notes the use of a queue, and counts a collision with another thread. */
static void
use_queue (VkQueue queue, int by)
{
  static Use uses[16]; /* more than there are threads */
  Use *use = uses, *unused = uses;

  pthread_mutex_lock (&lock);
  while (use < uses + 16 && (use->queue != queue || use->n == 0))
    use++;
  while (unused->n > 0)
    unused++;
  if (use == uses + 16)
    use = unused;
  use->queue = queue;
  n_collisions += by > 0 && use->n > 0;
  use->n += (unsigned)by;
  pthread_mutex_unlock (&lock);
}

EXPORT unsigned
vyre_lost_count_collisions (void)
{
  pthread_mutex_lock (&lock);
  unsigned n = n_collisions;
  pthread_mutex_unlock (&lock);
  return n;
}

EXPORT void
vyre_lost_dawdle (bool wanted)
{
  flag_set (&dawdles, wanted);
}

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
  pthread_cond_broadcast (&resumed);
  pthread_mutex_unlock (&submitting);
}

EXPORT bool
vyre_lost_is_stalled (void)
{
  pthread_mutex_lock (&submitting);
  bool is_stalled = n_submissions > 0;
  if (is_stalled)
    submissions[0].device->queue_wait_idle (submissions[0].queue);
  pthread_mutex_unlock (&submitting);
  return is_stalled;
}

EXPORT void
vyre_lost_stall_after (unsigned n)
{
  pthread_mutex_lock (&submitting);
  until_stall = n;
  pthread_mutex_unlock (&submitting);
}

/* TRUE when a launch is kept back. */
static bool
is_kept (Device *device, VkQueue queue, const VkSubmitInfo *info, VkFence fence)
{
  if (until_stall > 0)
    stalled = --until_stall == 0;
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

/* ---- a GPU that is none -------------------------------------------------- */

EXPORT void
vyre_lost_show_gpu (void)
{
  flag_set (&show_gpu, true);
}

EXPORT unsigned
vyre_lost_count_instances (void)
{
  pthread_mutex_lock (&lock);
  unsigned n = n_instances;
  pthread_mutex_unlock (&lock);
  return n;
}

static VKAPI_ATTR void VKAPI_CALL
get_properties (VkPhysicalDevice physical, VkPhysicalDeviceProperties *properties)
{
  find_instance (physical)->get_properties (physical, properties);
  pthread_mutex_lock (&lock);
  if (show_gpu)
    properties->deviceType = VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU;
  if (getenv ("VYRE_LOST_OLD"))
    properties->apiVersion = VK_API_VERSION_1_0;
  pthread_mutex_unlock (&lock);
}

/* ---- a copy engine that is not there ------------------------------------ */

#define ENGINE_FAMILY 77 /* no device has it */

/* Places up to its own have no queues. */
static VKAPI_ATTR void VKAPI_CALL
get_families (VkPhysicalDevice physical, uint32_t *n, VkQueueFamilyProperties *families)
{
  Instance *instance = find_instance (physical);
  uint32_t room = *n;

  instance->get_families (physical, n, families);
  if (!flag_get (&copy_engine))
    return;
  if (families && room > ENGINE_FAMILY) {
    memset (families + *n, 0, (room - *n) * sizeof *families);
    families[ENGINE_FAMILY].queueFlags = VK_QUEUE_TRANSFER_BIT;
    families[ENGINE_FAMILY].queueCount = 2;
  }
  *n = ENGINE_FAMILY + 1;
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_command_pool (VkDevice handle, const VkCommandPoolCreateInfo *info,
    const VkAllocationCallbacks *allocator, VkCommandPool *pool)
{
  VkCommandPoolCreateInfo real = *info;

  if (real.queueFamilyIndex == ENGINE_FAMILY)
    real.queueFamilyIndex = 0;
  return find_device (handle)->create_command_pool (handle, &real, allocator, pool);
}

static VKAPI_ATTR void VKAPI_CALL
get_queue (VkDevice handle, uint32_t family, uint32_t index, VkQueue *queue)
{
  bool engine = family == ENGINE_FAMILY;

  find_device (handle)->get_queue (handle, engine ? 0 : family, engine ? 0 : index, queue);
}

/* Makes the fences of copies signalled. */
static struct {
  VkFence fence;
  bool held;
} copies[256];

static VKAPI_ATTR VkResult VKAPI_CALL
create_fence (VkDevice handle, const VkFenceCreateInfo *info,
    const VkAllocationCallbacks *allocator, VkFence *fence)
{
  static unsigned n;
  VkResult result = find_device (handle)->create_fence (handle, info, allocator, fence);

  pthread_mutex_lock (&lock);
  if (result == VK_SUCCESS && (info->flags & VK_FENCE_CREATE_SIGNALED_BIT))
    copies[n++ % 256].fence = *fence;
  pthread_mutex_unlock (&lock);
  return result;
}

/* TRUE for a fence of a copy that was submitted while copies are held. With @submit it is now. */
static bool
is_held_copy (VkFence fence, bool submit)
{
  bool is = false;

  pthread_mutex_lock (&lock);
  for (unsigned i = 0; i < 256; i++) {
    copies[i].held = hold_copies && (copies[i].held || (submit && copies[i].fence == fence));
    is = is || (copies[i].held && copies[i].fence == fence);
  }
  pthread_mutex_unlock (&lock);
  return is;
}

/* ---- calls of a device ------------------------------------------------- */

/* Holds the first import after vyre_lost_hold_import(), and refuses all after
 * vyre_lost_refuse_imports(); others pass. */
static VKAPI_ATTR VkResult VKAPI_CALL
allocate_memory (VkDevice handle, const VkMemoryAllocateInfo *info,
    const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  const VkBaseInStructure *next = info->pNext;
  bool imports = next && next->sType == VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;

  pthread_mutex_lock (&lock);
  bool refuses = imports && refuse_imports;
  if (imports && !import.reached)
    gate_pass (&import);
  pthread_mutex_unlock (&lock);
  return refuses ? VK_ERROR_INVALID_EXTERNAL_HANDLE
                 : find_device (handle)->allocate_memory (handle, info, allocator, memory);
}

static VKAPI_ATTR VkResult VKAPI_CALL
queue_submit (VkQueue queue, uint32_t n, const VkSubmitInfo *infos, VkFence fence)
{
  Device *device = find_device (queue);

  if (is_lost (device, "vkQueueSubmit"))
    return VK_ERROR_DEVICE_LOST;
  is_held_copy (fence, true);
  use_queue (queue, 1);
  if (flag_get (&dawdles))
    usleep (500);
  pthread_mutex_lock (&submitting);
  VkResult result = is_kept (device, queue, infos, fence)
                        ? VK_SUCCESS
                        : device->queue_submit (queue, n, infos, fence);
  pthread_mutex_unlock (&submitting);
  use_queue (queue, -1);
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
wait_for_fences (VkDevice handle, uint32_t n, const VkFence *fences, VkBool32 all, uint64_t timeout)
{
  Device *device = find_device (handle);
  bool lost = is_lost (device, "vkWaitForFences");

  if (is_held_copy (fences[0], false)) {
    usleep (timeout < 20000000 ? (unsigned)(timeout / 1000) : 20000);
    return VK_TIMEOUT;
  }
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

  if (is_held_copy (fence, false))
    return VK_NOT_READY;
  return lost ? VK_ERROR_DEVICE_LOST : device->get_fence_status (handle, fence);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wait_idle (VkDevice handle)
{
  Device *device = find_device (handle);
  bool lost = is_lost (device, "vkDeviceWaitIdle");
  pthread_mutex_lock (&submitting);
  while (n_submissions > 0)
    pthread_cond_wait (&resumed, &submitting);
  pthread_mutex_unlock (&submitting);
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
  gate_pass (&end);
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
  gate_pass (&creation);
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

/* With VYRE_LOST_FORKS only the first process that creates a device may create any. */
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

/* @info without the queue of the copy engine that is not there, which comes last. */
static VkDeviceCreateInfo
without_engine (const VkDeviceCreateInfo *info)
{
  VkDeviceCreateInfo real = *info;
  uint32_t last = real.queueCreateInfoCount - 1;

  if (real.pQueueCreateInfos[last].queueFamilyIndex == ENGINE_FAMILY)
    real.queueCreateInfoCount = last;
  return real;
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
  VkDeviceCreateInfo real = without_engine (info);
  PFN_vkCreateDevice create
      = (PFN_vkCreateDevice)layer.pfnNextGetInstanceProcAddr (instance->handle, "vkCreateDevice");
  VkResult result = create (physical, &real, allocator, handle);
  if (result != VK_SUCCESS)
    return result;
  Device *device = calloc (1, sizeof *device);
  device->key = key_of (*handle);
  device->get_proc_addr = layer.pfnNextGetDeviceProcAddr;
  device->destroy = NEXT (device, *handle, vkDestroyDevice);
  device->queue_submit = NEXT (device, *handle, vkQueueSubmit);
  device->queue_wait_idle = NEXT (device, *handle, vkQueueWaitIdle);
  device->wait_for_fences = NEXT (device, *handle, vkWaitForFences);
  device->get_fence_status = NEXT (device, *handle, vkGetFenceStatus);
  device->create_compute_pipelines = NEXT (device, *handle, vkCreateComputePipelines);
  device->wait_idle = NEXT (device, *handle, vkDeviceWaitIdle);
  device->allocate_memory = NEXT (device, *handle, vkAllocateMemory);
  device->create_fence = NEXT (device, *handle, vkCreateFence);
  device->create_command_pool = NEXT (device, *handle, vkCreateCommandPool);
  device->get_queue = NEXT (device, *handle, vkGetDeviceQueue);
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
  instance->get_families = NEXT (instance, *handle, vkGetPhysicalDeviceQueueFamilyProperties);
  instance->get_properties = NEXT (instance, *handle, vkGetPhysicalDeviceProperties);
  pthread_mutex_lock (&lock);
  n_instances++;
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
  { "vkAllocateMemory", (PFN_vkVoidFunction)allocate_memory },
  { "vkCreateFence", (PFN_vkVoidFunction)create_fence },
  { "vkCreateCommandPool", (PFN_vkVoidFunction)create_command_pool },
  { "vkGetDeviceQueue", (PFN_vkVoidFunction)get_queue },
  { "vkGetPhysicalDeviceQueueFamilyProperties", (PFN_vkVoidFunction)get_families },
  { "vkGetPhysicalDeviceProperties", (PFN_vkVoidFunction)get_properties },
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

static PFN_vkVoidFunction
get_device_proc_addr (VkDevice handle, const char *name)
{
  PFN_vkVoidFunction ours = find_call (name);

  if (strcmp (name, "vkGetMemoryHostPointerPropertiesEXT") == 0 && flag_get (&forbid_import))
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

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A Vulkan layer that loses devices at the command of a test. It is enabled with
 * VK_INSTANCE_LAYERS=VK_LAYER_VYRE_lost and VK_LAYER_PATH. A process that does not link the layer
 * commands it in the environment:
 *
 *   VYRE_LOST_CALL     vkQueueSubmit, vkWaitForFences, vkGetFenceStatus,
 *                      vkDeviceWaitIdle or vkCreateDevice
 *   VYRE_LOST_AFTER    the number of the call that fails, from 1; 1 unless set
 *   VYRE_LOST_DEVICES  the number of devices that are lost that way; 1 unless set
 *
 * With VYRE_LOST_OLD in the environment, all devices have Vulkan 1.0.
 *
 * With VYRE_LOST_FORKS in the environment, a child of a process that has created a device cannot
 * create any, as with drivers that do not support fork().
 *
 * From its loss on, every call of a device that can return VK_ERROR_DEVICE_LOST returns it. The
 * device below goes on: waits still wait, but nothing more is submitted. Any thread may call the
 * functions below.
 */
#pragma once

#include <stdbool.h>

/* Loses a device at its @after-th @call from now on, and @devices of them one after the other. NULL
 * disarms the layer. */
void vyre_lost_arm (const char *call, unsigned after, unsigned devices);

/* Returns the number of devices that this process has lost. */
unsigned vyre_lost_count (void);

/* With TRUE, keeps submissions back: the devices do nothing more. FALSE submits them. */
void vyre_lost_stall (bool stall);

/* TRUE once a submission is kept back. All that were under way have ended then. */
bool vyre_lost_is_stalled (void);

/* Stalls from the @n-th submission on. */
void vyre_lost_stall_after (unsigned n);

/* Slows every submission down, and counts those that began while another thread used the same
 * queue, which Vulkan forbids. */
void vyre_lost_dawdle (bool dawdle);
unsigned vyre_lost_count_collisions (void);

/* With TRUE, holds vkCreateDevice until FALSE. vyre_lost_wait_held() returns once a call is held.
 */
void vyre_lost_hold (bool hold);
void vyre_lost_wait_held (void);

/* With TRUE, holds vkDestroyDevice until FALSE. vyre_lost_wait_end_held() returns once a call is
 * held. */
void vyre_lost_hold_end (bool hold);
void vyre_lost_wait_end_held (void);

/* Devices that are opened from now on cannot import host memory, and map their own. */
void vyre_lost_forbid_import (void);

/* With TRUE, holds the next import of host memory until FALSE, and no other import.
 * vyre_lost_wait_import_held() returns once it is held. */
void vyre_lost_hold_import (bool hold);
void vyre_lost_wait_import_held (void);

/* With TRUE, devices refuse to import host memory, although they say that they can. */
void vyre_lost_refuse_imports (bool refuse);

/* Devices that are found from now on have a copy engine on the device's own queue: copies and
 * launches take turns. While copies are held, none is reported as ended. */
void vyre_lost_add_copy_engine (void);
void vyre_lost_hold_copies (bool hold);

/* Devices call themselves virtual GPUs from now on. */
void vyre_lost_show_gpu (void);

/* Returns the number of instances that this process has made. */
unsigned vyre_lost_count_instances (void);

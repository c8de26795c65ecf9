/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A Vulkan layer under which devices get lost when a test wants it. Enabled with
 * VK_INSTANCE_LAYERS=VK_LAYER_VYRE_lost and VK_LAYER_PATH; a process that does
 * not link it says what to lose in its environment instead:
 *
 *   VYRE_LOST_CALL     vkQueueSubmit, vkWaitForFences, vkGetFenceStatus,
 *                      vkDeviceWaitIdle or vkCreateDevice
 *   VYRE_LOST_AFTER    which call of these, from 1; 1 unless set
 *   VYRE_LOST_DEVICES  how many devices are lost that way; 1 unless set
 *
 * With VYRE_LOST_FORKS in the environment a child of a process that has created a device cannot
 * create any, as with drivers that do not take forks.
 *
 * From its loss on, every call of a device that can say so says that it is lost.
 * The device below goes on: waits still wait, but nothing more is submitted.
 */
#pragma once

#include <stdbool.h>

/* From now on, the @after-th @call of a device that is not lost yet loses it,
 * @devices times; NULL: nothing more is lost. From any thread. */
void vyre_lost_arm (const char *call, unsigned after, unsigned devices);

/* Devices lost in this process so far. */
unsigned vyre_lost_count (void);

/* Keeps what is submitted from the devices, which then do nothing more, until they
 * are let go on. */
void vyre_lost_stall (bool stall);

/* As that, from the @n-th submission on. */
void vyre_lost_stall_after (unsigned n);

/* Makes each submission take a while; and how many were begun while another thread was at the
 * same queue, which Vulkan forbids. */
void vyre_lost_dawdle (bool dawdle);
unsigned vyre_lost_count_collisions (void);

/* Makes vkCreateDevice wait until it is let go; wait_held returns once one does. */
void vyre_lost_hold (bool hold);
void vyre_lost_wait_held (void);

/* Devices opened from now on cannot import host memory: theirs is mapped. */
void vyre_lost_forbid_import (void);

/* Makes the next import of host memory wait until it is let go, and no other;
 * wait_import_held returns once it does. */
void vyre_lost_hold_import (bool hold);
void vyre_lost_wait_import_held (void);

/* Devices found from now on have a copy engine, whose queues are the device's own: what is
 * copied and what is launched take turns. With copies held, none is said to have ended. */
void vyre_lost_add_copy_engine (void);
void vyre_lost_hold_copies (bool hold);

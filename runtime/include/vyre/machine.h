/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:machine
 * @title: Machine
 * @short_description: What the machine offers before a device is opened
 *
 * These functions tell what there is: the Vulkan devices and their loader, and the folder for
 * compiled kernels. They open no device. Any thread may call them.
 */

#include <glib.h>

#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreDeviceInfo:
 * @index: its place in the loader's list, from 0; as text a selector of vyre_device_open()
 * @name: the name that its driver gives it
 * @uuid: (nullable): its UUID in lower-case hex with dashes, which is a selector, too; %NULL where
 *   the device has Vulkan 1.0, which runs no kernel
 * @kind: "discrete-gpu", "integrated-gpu", "virtual-gpu", "cpu" or "other"
 * @vulkan: the version of Vulkan that it has, "1.3.230" for example
 * @driver: (nullable): the name and the version of its driver, %NULL where the driver does not
 *   tell
 *
 * A Vulkan device of the machine, as it was listed.
 */
typedef struct {
  guint index;
  char *name;
  char *uuid;
  const char *kind;
  char *vulkan;
  char *driver;
} VyreDeviceInfo;

/**
 * vyre_machine_list_devices:
 * @selector: (nullable): %NULL for all devices, or a selector of vyre_device_open() for the one
 *   that it opens
 * @error: return location
 *
 * Lists the Vulkan devices, in the loader's order. Without a selector the list has devices that no
 * kernel runs on, too. As with vyre_device_open(), the drivers of a machine with a GPU stay loaded
 * until the process ends.
 *
 * Returns: (transfer full) (element-type VyreDeviceInfo) (nullable): one device at least, or %NULL
 *   with %VYRE_ERROR_NO_LOADER, %VYRE_ERROR_NO_DEVICE, %VYRE_ERROR_NO_SPACE or %VYRE_ERROR_DEVICE
 */
GPtrArray *vyre_machine_list_devices (const char *selector, GError **error);

/**
 * vyre_machine_get_loader_version:
 *
 * Gets the version of the Vulkan loader. It takes no driver.
 *
 * Returns: (transfer full): the version of Vulkan that the loader knows, "1.3.239" for example
 */
char *vyre_machine_get_loader_version (void);

/**
 * vyre_machine_get_cache_folder:
 *
 * Gets the folder for compiled kernels, below the user's cache folder (XDG_CACHE_HOME). A kernel
 * that is made for the first time with a driver leaves a file there, kernel-….bin, and makes the
 * folder if need be. Where that fails, each process compiles its kernels.
 *
 * Returns: (transfer full): its path, in the encoding of file names
 */
char *vyre_machine_get_cache_folder (void);

G_END_DECLS

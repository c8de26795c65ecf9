/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "info-gpu.h"

#include <glob.h>
#include <unistd.h>

/* Files of devices that render, of Linux and of NVIDIA's driver. */
static const char *const gpu_files[] = { "/dev/dri/renderD*", "/dev/nvidia[0-9]*" };

/* Returns: (transfer full) (nullable): the file of a GPU, if there is one */
static char *
gpu_find_file (void)
{
  char *path = NULL;

  for (guint i = 0; !path && i < G_N_ELEMENTS (gpu_files); i++) {
    glob_t found = { 0 };
    if (glob (gpu_files[i], 0, NULL, &found) == 0)
      path = g_strdup (found.gl_pathv[0]);
    globfree (&found);
  }
  return path;
}

static gboolean
gpu_all_are_cpus (const GPtrArray *devices)
{
  for (guint i = 0; i < devices->len; i++) {
    const VyreDeviceInfo *info = devices->pdata[i];
    if (!g_str_equal (info->kind, "cpu"))
      return FALSE;
  }
  return TRUE;
}

/* Finds out whether a GPU of the machine is missing from @devices, all that there are. Variables
 * that choose drivers may leave it out on purpose.
 *
 * Returns: (transfer full) (nullable): the problem, if there is one */
char *
info_gpu_find_problem (const GPtrArray *devices)
{
  if (devices->len == 0 || g_getenv ("VK_DRIVER_FILES") || g_getenv ("VK_ICD_FILENAMES")
      || !gpu_all_are_cpus (devices))
    return NULL;
  g_autofree char *file = gpu_find_file ();
  if (!file)
    return NULL;
  if (access (file, R_OK | W_OK) != 0)
    return g_strdup_printf (
        "Vulkan lists CPUs alone, and this user may not open the GPU's file %s. Fix: add the user "
        "to the group of the file, such as render, or give the container the file.",
        file);
  return g_strdup_printf (
      "Vulkan lists CPUs alone, but the machine has a GPU: %s. Fix: install its Vulkan driver, "
      "such as mesa-vulkan-drivers or libnvidia-gl, and see 'vulkaninfo --summary'.",
      file);
}

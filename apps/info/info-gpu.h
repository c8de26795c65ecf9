/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GPUs that the machine has and Vulkan does not list.
 */
#pragma once

#include <vyre/vyre.h>

char *info_gpu_find_problem (const GPtrArray *devices);

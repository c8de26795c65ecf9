/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The sections about Vulkan and its devices.
 */
#pragma once

#include "info-report.h"

typedef struct {
  const char *selector;      /* NULL: all devices */
  gboolean quick;            /* no kernel is made */
  const char *files_problem; /* NULL: none; what the report has said of files */
} InfoDevices;

gboolean info_devices_add (InfoReport *report, const InfoDevices *devices);

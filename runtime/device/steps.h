/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Memory of the process that a copy engine reads, imported in steps of VYRE_PIN_STEP bytes: a GPU
 * pins what it imports, so each step is imported by the first copy from there. Any thread, but for
 * vyre_steps_drop(). Private to libvyre.
 */
#pragma once

#include "device/buffer.h"

typedef struct _VyreSteps VyreSteps;

VyreSteps *vyre_steps_new (const VyreBuffer *memory);
void vyre_steps_free (VyreSteps *steps);
gboolean vyre_steps_import (VyreSteps *steps, gsize offset, gsize size, GError **error);
VkBuffer vyre_steps_get_buffer (const VyreSteps *steps, gsize offset);
void vyre_steps_drop (VyreSteps *steps, gsize offset);

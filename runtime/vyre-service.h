/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The service: a thread that does what batches ask the host for. It reads the files that
 * they miss, appends to others what they found, and has each batch go on when all of its
 * requests are through. Nothing that takes long is waited for, so a slow file holds up
 * nobody but those who want it. Private to libvyre.
 */
#pragma once

#include "vyre-resources.h"

G_BEGIN_DECLS

typedef struct _VyreService VyreService;

VyreService *vyre_service_new (VyreMegakernel *kernel, gsize budget, GError **error);
void vyre_service_stop (VyreService *service);
void vyre_service_free (VyreService *service);
VyreResources *vyre_service_get_resources (VyreService *service);
void vyre_service_park (VyreService *service, VyreBatch *batch);
void vyre_service_prefetch (VyreService *service, const VyreFileName *name);
void vyre_service_wake (VyreService *service);
void vyre_service_count (VyreService *service, VyreResourceCounters *counters);

G_END_DECLS

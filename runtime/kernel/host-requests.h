/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The service: a thread that does what batches ask the host for. It reads the files that
 * they miss, appends to others what they found, and has each batch go on when all of its
 * requests are through. Nothing that takes long is waited for, so a slow file holds up
 * nobody but those who want it. Private to libvyre.
 */
#pragma once

#include "kernel/resident-files.h"

G_BEGIN_DECLS

typedef struct _VyreHostRequests VyreHostRequests;

VyreHostRequests *vyre_host_requests_new (VyreMegakernel *kernel, gsize budget, GError **error);
void vyre_host_requests_stop (VyreHostRequests *service);
void vyre_host_requests_free (VyreHostRequests *service);
VyreResidentFiles *vyre_host_requests_get_resources (VyreHostRequests *service);
void vyre_host_requests_park (VyreHostRequests *service, VyreBatch *batch);
void vyre_host_requests_prefetch (VyreHostRequests *service, const VyreFileName *name);
void vyre_host_requests_wake (VyreHostRequests *service);
void vyre_host_requests_count (VyreHostRequests *service, VyreResourceCounters *counters);

G_END_DECLS

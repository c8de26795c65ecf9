/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Host requests: the service thread does what batches ask the host for. It reads the files that
 * batches miss, appends to others what they found, and has each batch go on when all of its
 * requests are through. It never waits for a file, so a slow one holds up only the batches that
 * need it. Files below this one reach it by VyreHostHooks. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

VyreHostRequests *vyre_host_requests_new (VyreMegakernel *kernel, gsize budget, GError **error);
void vyre_host_requests_stop (VyreHostRequests *service);
void vyre_host_requests_free (VyreHostRequests *service);

G_END_DECLS

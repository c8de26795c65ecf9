/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that programs name, as far as they are resident: read as a whole into the payload
 * store, where the kernel finds them, and kept until others need the room. One thread, the
 * service's, wants and collects; any thread pins. Private to libvyre.
 */
#pragma once

#include "vyre-access-private.h"
#include "vyre-ingest-private.h"
#include "vyre-megakernel.h"

G_BEGIN_DECLS

typedef enum {
  VYRE_RESIDENCE_FAILED,
  VYRE_RESIDENCE_LOADING,
  VYRE_RESIDENCE_FULL, /* it has to wait until others are not in use */
  VYRE_RESIDENCE_RESIDENT,
} VyreResidence;

typedef struct _VyreResources VyreResources;
typedef struct _VyreResident VyreResident;

VyreResources *vyre_resources_new (VyreIngest *ingest, VyreStore *staging, VyreStore *payloads,
    gsize budget, VyreIngestNotify notify, gpointer data);
void vyre_resources_free (VyreResources *resources);
VyreResidence vyre_resources_want (
    VyreResources *resources, const VyreFileName *name, guint64 since, GError **error);
void vyre_resources_collect (VyreResources *resources);
void vyre_resources_forget (VyreResources *resources);
guint64 vyre_resources_now (VyreResources *resources);
VyreResident *vyre_resources_pin (
    VyreResources *resources, const VyreFileName *name, guint32 *granule, guint32 *bytes);
void vyre_resources_unpin (VyreResources *resources, VyreResident *resident);
void vyre_resources_count (VyreResources *resources, VyreResourceCounters *counters);

G_END_DECLS

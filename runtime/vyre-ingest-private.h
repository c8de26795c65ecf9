/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ingest for those inside of libvyre: transfers of every kind, and being told when one
 * is through instead of waiting for it.
 */
#pragma once

#include "vyre-ingest.h"
#include "vyre-ring.h"

G_BEGIN_DECLS

typedef void (*VyreIngestNotify) (gpointer data);

VyreIngestRead *vyre_ingest_submit (VyreIngest *ingest, const VyreTransfer *transfer,
    VyreIngestNotify notify, gpointer data, GError **error);
gboolean vyre_ingest_is_finished (VyreIngest *ingest, const VyreIngestRead *read);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Templates: the initial state of a plan's small batches, kept in memory of the device.
 * Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

/* Where the template of a plan lies in the work store, and the number that tickets know it by. */
typedef struct {
  gsize offset;
  guint32 id;
} VyreTemplatePlace;

gboolean vyre_template_is_there (const VyreBatch *batch);
gboolean vyre_template_find (const VyreBatch *batch);
VyreTemplatePlace vyre_template_get_place (const VyreBatch *batch);

G_END_DECLS

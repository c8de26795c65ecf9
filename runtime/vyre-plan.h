/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plan: everything about a bound program that is the same for every batch of
 * one payload size, worked out once. It holds the batch as it is copied into a
 * readback slice (the four ABI parts and the kernel's scratch) and the tickets.
 * Immutable and reference counted; needs no Vulkan.
 */
#pragma once

#include "vyre-codec.h"
#include "vyre-program.h"

G_BEGIN_DECLS

typedef struct _VyrePlan VyrePlan;

VyrePlan *vyre_plan_new (VyreImage *image, gsize payload_size, guint workgroup, GError **error);
VyrePlan *vyre_plan_ref (VyrePlan *plan);
void vyre_plan_unref (VyrePlan *plan);
const VyreImage *vyre_plan_get_image (const VyrePlan *plan);
const VyreLayout *vyre_plan_get_layout (const VyrePlan *plan);
guint64 vyre_plan_get_region_bytes (const VyrePlan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyrePlan, vyre_plan_unref)

G_END_DECLS

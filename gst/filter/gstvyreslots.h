/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Raw slots: buffers that are the ring itself, whole slots in the encoding of the ABI, instead of a
 * payload for a program. These functions make a batch of such bytes, or say why they cannot.
 */
#pragma once

#include <gst/gst.h>

#include "common/gstvyreshared.h"

G_BEGIN_DECLS

/* The most slots of a ring. A readback of so many, with 64 bytes each and 8 of the kernel, and with
 * the most observables fits into the readback store. */
#define GST_VYRE_MAX_SLOTS 393216
G_STATIC_ASSERT (
    72 * GST_VYRE_MAX_SLOTS + 4 * VYRE_MAX_OBSERVABLES + 8192 < GST_VYRE_READBACK_SIZE);

#define GST_VYRE_SLOTS_CAPS "application/x-vyre-slots"

/* The default number of observables: which ones slots will write is not known before they run. With
 * these, a few slots are still a small batch. */
#define GST_VYRE_SLOTS_OBSERVABLES 256

gboolean gst_vyre_slots_check_caps (const GstStructure *fields, GError **error);
gboolean gst_vyre_slots_check_size (gsize size, GError **error);
VyrePlan *gst_vyre_slots_plan (
    const void *slots, gsize size, guint n_observables, guint workgroup, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The four parts of a batch, on the host's side: how long each of them is, empty
 * ones, whether given lengths are those of a batch, and the words in them. Pure
 * functions over bytes; no Vulkan. What is in a control part is in
 * vyre/control.h, what a kernel left behind in vyre/readback.h.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VYRE_ENCODE_MAX:
 *
 * The most observables, ring slots or debug records an encoder makes room for.
 */
#define VYRE_ENCODE_MAX 1048576

/**
 * VyrePart:
 * @VYRE_PART_CONTROL: control words, tenant table, metrics, observables
 * @VYRE_PART_RING: slots
 * @VYRE_PART_DEBUG_LOG: PRINTF records
 * @VYRE_PART_IO_QUEUE: io requests
 *
 * The parts of a batch, in ABI order. What is counted in them is observables,
 * slots, records and slots.
 */
typedef enum {
  VYRE_PART_CONTROL,
  VYRE_PART_RING,
  VYRE_PART_DEBUG_LOG,
  VYRE_PART_IO_QUEUE,
  VYRE_N_PARTS,
} VyrePart;

/**
 * VyreLayout:
 * @offset: bytes from the start of the readback to each part
 * @size: bytes of each part
 * @total: bytes of all of them; the parts are adjacent
 *
 * Where the parts of a readback lie.
 */
typedef struct {
  gsize offset[VYRE_N_PARTS];
  gsize size[VYRE_N_PARTS];
  gsize total;
} VyreLayout;

void vyre_layout_init (VyreLayout *layout, guint n_observables, guint n_slots);

gboolean vyre_part_length (VyrePart part, guint32 count, gsize *length, GError **error);
gboolean vyre_part_check_word (VyrePart part, gsize size, guint64 word, GError **error);

guint8 *vyre_encode_empty (VyrePart part, guint32 count, gsize *length, GError **error);
gboolean vyre_encode_empty_into (
    void *storage, gsize size, VyrePart part, guint32 count, GError **error);

gboolean vyre_geometry_validate (
    guint32 n_slots, guint32 workgroup, guint32 *n_workgroups, GError **error);
gboolean vyre_dispatch_validate (const gsize *lengths, guint n_lengths, guint32 n_slots,
    guint32 workgroup, VyreLayout *layout, GError **error);
gboolean vyre_readback_validate (
    const gsize *lengths, guint n_lengths, guint32 n_slots, VyreLayout *layout, GError **error);

guint32 vyre_read_word (const void *buffer, gsize word);
void vyre_write_word (void *buffer, gsize word, guint32 value);
guint64 vyre_read_word_pair (const void *buffer, gsize word);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The wire ABI on the host's side: lengths of the four readback buffers, the
 * control encoder, strict readback validation and the readers of what a kernel
 * left in them. Pure functions over bytes; no Vulkan.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre-error.h"

G_BEGIN_DECLS

/**
 * VyrePart:
 * @VYRE_PART_CONTROL: control words, tenant table, metrics, observables
 * @VYRE_PART_RING: slots
 * @VYRE_PART_DEBUG_LOG: PRINTF records
 * @VYRE_PART_IO_QUEUE: io requests
 *
 * The parts of a readback, in ABI order.
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

/**
 * VyreDebugRecord:
 * @words: format id and three arguments
 *
 * A PRINTF record.
 */
typedef struct {
  guint32 words[VYRE_DEBUG_RECORD_WORDS];
} VyreDebugRecord;

void vyre_layout_init (VyreLayout *layout, guint n_observables, guint n_slots);
void vyre_encode_control (guint32 *words, guint n_observables, guint n_tenants);
gboolean vyre_readback_validate (const VyreLayout *layout, guint n_slots, GError **error);
gboolean vyre_read_debug_log (
    const void *log, gsize size, VyreDebugRecord *records, guint *n, GError **error);
guint32 vyre_read_word (const void *buffer, gsize word);
void vyre_write_word (void *buffer, gsize word, guint32 value);
guint64 vyre_read_word_pair (const void *buffer, gsize word);

G_END_DECLS

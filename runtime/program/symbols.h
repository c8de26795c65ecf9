/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the fixed vocabulary of symbols, and the values one stream gives
 * them. Symbols 0 to VYRE_N_REGIONS * VYRE_N_FIELDS - 1 are the numbers of a
 * region, the others stand alone.
 */
#pragma once

#include <glib.h>

#include "vyre/program.h"

G_BEGIN_DECLS

typedef enum {
  VYRE_FIELD_OFFSET,
  VYRE_FIELD_WIDTH,
  VYRE_FIELD_ROWS,
  VYRE_FIELD_STRIDE,
  VYRE_FIELD_SIZE,
  VYRE_N_FIELDS,
} VyreField;

#define VYRE_REGION_PAYLOAD 0
#define VYRE_N_REGIONS 8
#define VYRE_N_SYMBOLS (VYRE_N_REGIONS * VYRE_N_FIELDS + 6)

struct _VyreSymbols {
  guint64 defined; /* bit i: numbers[i] has a value */
  guint32 numbers[VYRE_N_SYMBOLS];
  char *stream; /* what it is of, or NULL */
};

gint vyre_region_find (const char *word, gsize length);
gint vyre_symbol_find (const char *word, gsize length);
const char *vyre_symbol_fix (guint symbol);
void vyre_symbols_define_region (VyreSymbols *symbols, guint region, const VyreRegion *geometry);
gboolean vyre_payload_size_check (gsize payload_size, GError **error);
VyreBoundProgram *vyre_bound_program_new_from_ring (
    const void *ring, guint n_slots, guint n_observables, GError **error);

G_END_DECLS

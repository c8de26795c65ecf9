/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the fixed vocabulary of symbols, and the values one stream gives
 * them. Symbols 0 to VYRE_N_REGIONS * VYRE_N_FIELDS - 1 are the numbers of a
 * region, those from VYRE_FIRST_COMPONENT on the numbers of a component, those
 * from VYRE_FIRST_CHANNEL on of a channel, the others stand alone. From
 * VYRE_FIRST_PAIRED on all but those of channels come once more, for the paired
 * buffer.
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
  VYRE_FIELD_BOTTOM,
  VYRE_N_FIELDS,
} VyreField;

/* Those that a program can name, the first ones. */
#define VYRE_N_NAMED_FIELDS VYRE_FIELD_BOTTOM

/* 1 of a region or component whose first row is of the bottom field, so many symbols behind its
 * offset. */
#define VYRE_BOTTOM_OF(offset) ((offset) + VYRE_FIELD_BOTTOM)

/* Numbers of a component: those of the region that its samples lie in, how they lie, and the
 * weight of a level of 8 bits. A program can name the last one alone. */
typedef enum {
  VYRE_COMPONENT_OFFSET,
  VYRE_COMPONENT_WIDTH,
  VYRE_COMPONENT_ROWS,
  VYRE_COMPONENT_STRIDE,
  VYRE_COMPONENT_SAMPLES,
  VYRE_COMPONENT_BOTTOM,
  VYRE_COMPONENT_SCALE,
  VYRE_N_COMPONENT_FIELDS,
} VyreComponentField;

/* Numbers of a channel. A program can name the last one alone. */
typedef enum {
  VYRE_CHANNEL_OFFSET,
  VYRE_CHANNEL_LENGTH,
  VYRE_CHANNEL_SAMPLES,
  VYRE_CHANNEL_FULL_SCALE,
  VYRE_N_CHANNEL_FIELDS,
} VyreChannelField;

#define VYRE_REGION_PAYLOAD 0
#define VYRE_N_REGIONS 8
#define VYRE_N_SCALARS 6
#define VYRE_N_COMPONENTS 7
#define VYRE_FIRST_SCALAR (VYRE_N_REGIONS * VYRE_N_FIELDS)
#define VYRE_FIRST_COMPONENT (VYRE_FIRST_SCALAR + VYRE_N_SCALARS)
#define VYRE_FIRST_CHANNEL (VYRE_FIRST_COMPONENT + VYRE_N_COMPONENTS * VYRE_N_COMPONENT_FIELDS)
#define VYRE_FIRST_PAIRED (VYRE_FIRST_CHANNEL + VYRE_MAX_CHANNELS * VYRE_N_CHANNEL_FIELDS)
#define VYRE_N_SYMBOLS (VYRE_FIRST_PAIRED + VYRE_FIRST_CHANNEL)

struct _VyreSymbols {
  gboolean defined[VYRE_N_SYMBOLS]; /* which numbers have a value */
  guint32 numbers[VYRE_N_SYMBOLS];
  char *stream;        /* what it is of, or NULL */
  guint32 paired_size; /* bytes at the end of a payload that are the paired buffer's */
};

gint vyre_region_find (const char *word, gsize length);
gint vyre_component_find (const char *word, gsize length);
gint vyre_channel_find (const char *word, gsize length);
gint vyre_symbol_find (const char *word, gsize length);
gboolean vyre_symbols_are_of_audio (const VyreSymbols *symbols);
const char *vyre_symbol_fix (guint symbol, gboolean is_audio);
void vyre_symbols_define_region (VyreSymbols *symbols, guint region, const VyreRegion *geometry);
gboolean vyre_payload_size_check (gsize payload_size, GError **error);
VyreBoundProgram *vyre_bound_program_new_from_ring (
    const void *ring, guint n_slots, guint n_observables, GError **error);

G_END_DECLS

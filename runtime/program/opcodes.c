/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/opcodes.h"

#include <string.h>

#include "kernel.h"
#include "vyre/publish-slots.h"

static const VyreOpcode opcodes[] = {
#define VYRE_OPCODE(NAME, name, a, b, c, least, TARGET, TYPE, words, usage, effect)                \
  { #name, VYRE_OP_##NAME, { VYRE_OPERAND_##a, VYRE_OPERAND_##b, VYRE_OPERAND_##c }, least,        \
    VYRE_TARGET_##TARGET, VYRE_RESULT_##TYPE, words, { 0 }, usage },
#define VYRE_HOST_OPCODE VYRE_OPCODE
#define VYRE_PAYLOAD_OPCODE(NAME, name, b, TYPE, words, SHAPE, cost, deep, usage, effect)          \
  VYRE_EXTRA_OPCODE (NAME, name, NONE, REGION, b, TYPE, words, SHAPE, cost, deep, usage, effect)
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect)                 \
  { #name, VYRE_OP_##NAME, { VYRE_OPERAND_COMPONENT, VYRE_OPERAND_##b },                           \
    VYRE_OPERAND_##b == VYRE_OPERAND_NONE ? 1 : 2, VYRE_TARGET_PAYLOAD, VYRE_RESULT_##TYPE, words, \
    { FALSE, cost, 1, TRUE, VYRE_CUT_TILES }, usage, VYRE_OP_##BYTES },
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect)  \
  { #name, VYRE_OP_##NAME, { VYRE_OPERAND_##a, VYRE_OPERAND_##b },                                 \
    VYRE_OPERAND_##b == VYRE_OPERAND_NONE ? 1 : 2, VYRE_TARGET_PAYLOAD, VYRE_RESULT_##TYPE, words, \
    { VYRE_SHAPE_##SHAPE == VYRE_SHAPE_LINEAR, cost, deep }, usage },
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect)               \
  { #name, VYRE_OP_##NAME, { VYRE_OPERAND_COMPONENT, VYRE_OPERAND_##b, VYRE_OPERAND_##c },         \
    VYRE_OPERAND_##b == VYRE_OPERAND_NONE   ? 1                                                    \
    : VYRE_OPERAND_##c == VYRE_OPERAND_NONE ? 2                                                    \
                                            : 3,                                                   \
    VYRE_TARGET_PAYLOAD, VYRE_RESULT_##TYPE, words, { FALSE, cost, 1, TRUE, VYRE_CUT_##CUT },      \
    usage, 0 },
#include "opcodes.def"
};

const char *const vyre_priority_names[VYRE_PRIORITY_LEVELS]
    = { "critical", "high", "normal", "low", "idle" };

/* Finds an opcode by its name, in any case; NULL when there is none. */
const VyreOpcode *
vyre_opcode_find (const char *word, gsize length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (opcodes); i++) {
    const char *name = opcodes[i].name;

    if (strlen (name) == length && g_ascii_strncasecmp (name, word, length) == 0)
      return &opcodes[i];
  }
  return NULL;
}

/* The rows of the table, by name. */
enum {
#define VYRE_OPCODE(NAME, name, a, b, c, least, TARGET, TYPE, words, usage, effect) ROW_##NAME,
#define VYRE_HOST_OPCODE VYRE_OPCODE
#define VYRE_PAYLOAD_OPCODE(NAME, name, b, TYPE, words, SHAPE, cost, deep, usage, effect)          \
  ROW_##NAME,
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect) ROW_##NAME,
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect)  \
  ROW_##NAME,
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect) ROW_##NAME,
#include "opcodes.def"
};

/* Finds an opcode by its number; NULL when it has no name. Each ticket of a batch asks. */
const VyreOpcode *
vyre_opcode_get (guint32 opcode)
{
  switch (opcode) {
#define VYRE_OPCODE(NAME, name, a, b, c, least, TARGET, TYPE, words, usage, effect)                \
  case VYRE_OP_##NAME:                                                                             \
    return &opcodes[ROW_##NAME];
#define VYRE_HOST_OPCODE VYRE_OPCODE
#define VYRE_PAYLOAD_OPCODE(NAME, name, b, TYPE, words, SHAPE, cost, deep, usage, effect)          \
  case VYRE_OP_##NAME:                                                                             \
    return &opcodes[ROW_##NAME];
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect)                 \
  case VYRE_OP_##NAME:                                                                             \
    return &opcodes[ROW_##NAME];
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect)  \
  case VYRE_OP_##NAME:                                                                             \
    return &opcodes[ROW_##NAME];
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect)               \
  case VYRE_OP_##NAME:                                                                             \
    return &opcodes[ROW_##NAME];
#include "opcodes.def"
    default:
      return NULL;
  }
}

/* Units of the results of payload opcodes: of what they count, and of values */
static const struct {
  guint32 opcode;
  const char *units;
} opcode_units[] = {
  { VYRE_OP_U8_STATS, "bytes levels" },
  { VYRE_OP_U8_HISTOGRAM, "bytes" },
  { VYRE_OP_U8_BELOW, "bytes" },
  { VYRE_OP_SAMPLE_STATS, "samples levels" },
  { VYRE_OP_SAMPLE_BELOW, "samples" },
  { VYRE_OP_SAMPLE_HISTOGRAM, "samples" },
  { VYRE_OP_AUDIO_STATS, "samples levels" },
  { VYRE_OP_AUDIO_LOUD, "samples" },
  { VYRE_OP_SAMPLE_DIFFERENCE, "samples levels" },
  { VYRE_OP_SAMPLE_ROWS, "rows" },
  { VYRE_OP_SAMPLE_COLUMNS, "columns" },
  { VYRE_OP_SAMPLE_GRID, "samples levels" },
  { VYRE_OP_SAMPLE_SATURATION, "samples" },
  { VYRE_OP_SAMPLE_HUE, "samples" },
  { VYRE_OP_SAMPLE_OUTLIERS, "samples" },
  { VYRE_OP_SAMPLE_REPEATS, "rows" },
  { VYRE_OP_SAMPLE_RANGE, "samples" },
  { VYRE_OP_SAMPLE_SSIM, "windows 2^-30" },
  { VYRE_OP_SAMPLE_JOINT, "samples" },
};
G_STATIC_ASSERT (VYRE_SSIM_BITS == 30);

/* The units of the result of an opcode, as in VyreResult; NULL where it has none. */
const char *
vyre_opcode_get_units (guint32 opcode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (opcode_units); i++)
    if (opcode_units[i].opcode == opcode)
      return opcode_units[i].units;
  return NULL;
}

/* The number of operands that an opcode takes at most, without "-> result". */
guint
vyre_opcode_max_operands (const VyreOpcode *info)
{
  guint n = 0;

  while (info->operands[n] != VYRE_OPERAND_NONE)
    n++;
  return n;
}

/* All names, "nop, store_u32, …", for error messages; free with g_free(). */
char *
vyre_opcode_list (void)
{
  GString *list = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (opcodes); i++)
    g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", opcodes[i].name);
  return g_string_free (list, FALSE);
}

/* The names of the payload opcodes, "u8_stats, … and crc32"; free with g_free(). */
char *
vyre_opcode_list_payload (void)
{
  GString *list = g_string_new (NULL);
  const char *last = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (opcodes); i++) {
    if (opcodes[i].target != VYRE_TARGET_PAYLOAD)
      continue;
    if (last)
      g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", last);
    last = opcodes[i].name;
  }
  g_string_append_printf (list, " and %s", last);
  return g_string_free (list, FALSE);
}

/* Whether a slot with @opcode may be parked until the host has served its request. */
gboolean
vyre_opcode_asks_host (guint32 opcode)
{
  switch (opcode) {
#define VYRE_HOST_OPCODE(NAME, name, a, b, c, least, TARGET, TYPE, words, usage, effect)           \
  case VYRE_OP_##NAME:
#include "opcodes.def"
    return TRUE;
    default:
      return FALSE;
  }
}

/* Whether a slot with @opcode is cut into tiles of a region. */
gboolean
vyre_opcode_reads_payload (guint32 opcode)
{
  switch (opcode) {
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect)               \
  case VYRE_OP_##NAME:
#define VYRE_PAYLOAD_OPCODE(NAME, name, b, TYPE, words, SHAPE, cost, deep, usage, effect)          \
  case VYRE_OP_##NAME:
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect)                 \
  case VYRE_OP_##NAME:
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect)  \
  case VYRE_OP_##NAME:
#include "opcodes.def"
    return TRUE;
    default:
      return FALSE;
  }
}

/* The extra that a kernel needs for @opcode, 0 for none. */
static guint32
opcode_get_extra (guint32 opcode)
{
  switch (opcode) {
#define VYRE_HOST_OPCODE(NAME, name, a, b, c, least, TARGET, TYPE, words, usage, effect)           \
  case VYRE_OP_##NAME:                                                                             \
    return VYRE_EXTRA_RARE;
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect)                 \
  case VYRE_OP_##NAME:                                                                             \
    return VYRE_EXTRA_SAMPLES;
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect)  \
  case VYRE_OP_##NAME:                                                                             \
    return VYRE_EXTRA_##EXTRA;
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect)               \
  case VYRE_OP_##NAME:                                                                             \
    return VYRE_EXTRA_PICTURES;
#include "opcodes.def"
    default:
      return 0;
  }
}

/* Whether a slot reads packed samples. Two components that differ in that are refused, luma and its
 * chroma are not. */
static gboolean
opcode_reads_packed (guint32 opcode, const guint32 *args)
{
  return VYRE_SAMPLES_ARE_PACKED (args[VYRE_REGION_ARG_SAMPLES])
         || (vyre_opcode_takes_chroma (vyre_opcode_get (opcode))
             && (VYRE_SAMPLES_ARE_PACKED (args[VYRE_CHROMA_ARG_U_SAMPLES])
                 || VYRE_SAMPLES_ARE_PACKED (args[VYRE_CHROMA_ARG_V_SAMPLES])));
}

/* The extras that a kernel needs for a slot with @opcode and @args, 0 for none. */
guint32
vyre_opcode_get_extras (guint32 opcode, const guint32 *args)
{
  guint32 extras = opcode_get_extra (opcode);

  if ((extras & (VYRE_EXTRA_SAMPLES | VYRE_EXTRA_PICTURES)) && opcode_reads_packed (opcode, args))
    extras |= VYRE_EXTRA_PACKED;
  return extras | (opcode == VYRE_OP_SAMPLE_JOINT ? VYRE_EXTRA_JOINT : 0);
}

/* Whether an opcode reads a second component. */
gboolean
vyre_opcode_takes_other (const VyreOpcode *info)
{
  return info->operands[1] == VYRE_OPERAND_OTHER;
}

/* Whether the region of @args has the shape that a payload opcode needs: a checksum is defined
 * over one run of bytes and cannot skip a row's padding. */
gboolean
vyre_opcode_takes_region (const VyreOpcode *info, const guint32 *args)
{
  return !info->tile.linear
         || VYRE_REGION_IS_LINEAR (
             args[VYRE_REGION_ARG_WIDTH], args[VYRE_REGION_ARG_ROWS], args[VYRE_REGION_ARG_STRIDE]);
}

/* Whether the two components of @args have as many samples, and those are alike. */
gboolean
vyre_opcode_takes_pair (const guint32 *args)
{
  guint32 samples = args[VYRE_REGION_ARG_SAMPLES], other = args[VYRE_OTHER_ARG_SAMPLES];

  return VYRE_SAMPLES_ARE_ALIKE (samples, other)
         && args[VYRE_REGION_ARG_ROWS] == args[VYRE_OTHER_ARG_ROWS]
         && VYRE_SAMPLES_IN (args[VYRE_REGION_ARG_WIDTH], samples)
                == VYRE_SAMPLES_IN (args[VYRE_OTHER_ARG_WIDTH], other);
}

/* Whether an opcode reads luma and its chroma. */
gboolean
vyre_opcode_takes_chroma (const VyreOpcode *info)
{
  return info->operands[1] == VYRE_OPERAND_CHROMA;
}

/* How often luma's lines are halved to give those of chroma; above VYRE_CHROMA_MAX_SHIFT when they
 * do not. */
guint32
vyre_opcode_find_shift (guint32 luma, guint32 chroma)
{
  guint32 shift = 0;

  while (shift <= VYRE_CHROMA_MAX_SHIFT && VYRE_CHROMA_LINES (luma, shift) != chroma)
    shift++;
  return luma <= VYRE_CHROMA_MAX_LINES ? shift : VYRE_CHROMA_MAX_SHIFT + 1;
}

/* The observables of a slot over samples; 0 when its grid does not fit. */
guint
vyre_opcode_count_words (const VyreOpcode *info, const guint32 *args)
{
  guint32 columns = args[VYRE_GRID_ARG_COLUMNS], rows = args[VYRE_GRID_ARG_ROWS];

  if (info->operands[1] != VYRE_OPERAND_CELLS)
    return info->words;
  return VYRE_GRID_FITS (columns, rows) ? columns * rows * VYRE_GRID_CELL_WORDS : 0;
}

const char *
vyre_opcode_name (guint32 opcode)
{
  const VyreOpcode *info = vyre_opcode_get (opcode);

  return info ? info->name : NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/opcodes.h"

#include <string.h>

#include "vyre/publish-slots.h"

#define VALUE VYRE_OPERAND_VALUE

static const VyreOpcode opcodes[] = {
  { "nop", VYRE_OP_NOP, { VYRE_OPERAND_END }, 0, VYRE_TARGET_NONE, VYRE_RESULT_U32, 0, "nop" },
  { "store_u32", VYRE_OP_STORE_U32, { VALUE, VALUE }, 2, VYRE_TARGET_WORD, VYRE_RESULT_U32, 1,
      "store_u32 value, word' or 'store_u32 value -> result" },
  { "atomic_add", VYRE_OP_ATOMIC_ADD, { VALUE, VALUE }, 2, VYRE_TARGET_WORD, VYRE_RESULT_U32, 1,
      "atomic_add value, word' or 'atomic_add value -> result" },
  { "load_u32", VYRE_OP_LOAD_U32, { VALUE, VALUE }, 2, VYRE_TARGET_INDEX, VYRE_RESULT_U32, 1,
      "load_u32 word, observable' or 'load_u32 word -> result" },
  { "compare_swap", VYRE_OP_COMPARE_SWAP, { VALUE, VALUE, VALUE }, 3, VYRE_TARGET_NONE,
      VYRE_RESULT_U32, 0, "compare_swap word, expected, new" },
  { "memcpy", VYRE_OP_MEMCPY, { VALUE, VALUE, VALUE }, 3, VYRE_TARGET_NONE, VYRE_RESULT_U32, 0,
      "memcpy source, destination, count" },
  { "dfa_step", VYRE_OP_DFA_STEP, { VALUE, VALUE }, 2, VYRE_TARGET_NONE, VYRE_RESULT_U32, 0,
      "dfa_step state, byte" },
  { "batch_fence", VYRE_OP_BATCH_FENCE, { VYRE_OPERAND_COUNT, VYRE_OPERAND_TAG }, 0,
      VYRE_TARGET_NONE, VYRE_RESULT_U32, 0, "batch_fence [count [, tag]]" },
  { "load_miss", VYRE_OP_LOAD_MISS, { VALUE, VALUE }, 1, VYRE_TARGET_NONE, VYRE_RESULT_U32, 0,
      "load_miss resource [, prefetch]" },
  { "load_words", VYRE_OP_LOAD_WORDS, { VALUE, VALUE, VYRE_OPERAND_WORDS }, 3, VYRE_TARGET_WORDS,
      VYRE_RESULT_WORDS, 0, "load_words resource, first word, number of words -> result" },
  { "append", VYRE_OP_APPEND, { VALUE, VALUE, VALUE }, 3, VYRE_TARGET_NONE, VYRE_RESULT_U32, 0,
      "append resource, word, count" },
  { "sync", VYRE_OP_SYNC, { VALUE }, 1, VYRE_TARGET_NONE, VYRE_RESULT_U32, 0, "sync resource" },
  { "printf", VYRE_OP_PRINTF, { VALUE, VALUE, VALUE }, 1, VYRE_TARGET_NONE, VYRE_RESULT_U32, 0,
      "printf format [, a [, b]]" },
  { "packed_slot", VYRE_OP_PACKED_SLOT, { VYRE_OPERAND_BLOCK }, 1, VYRE_TARGET_NONE,
      VYRE_RESULT_U32, 0, "packed_slot { operation | operation }" },
  { "shutdown", VYRE_OP_SHUTDOWN, { VYRE_OPERAND_END }, 0, VYRE_TARGET_NONE, VYRE_RESULT_U32, 0,
      "shutdown" },
  { "u8_stats", VYRE_OP_U8_STATS, { VYRE_OPERAND_REGION }, 1, VYRE_TARGET_PAYLOAD,
      VYRE_RESULT_STATS, VYRE_U8_STATS_WORDS, "u8_stats region -> result" },
  { "u8_histogram", VYRE_OP_U8_HISTOGRAM, { VYRE_OPERAND_REGION }, 1, VYRE_TARGET_PAYLOAD,
      VYRE_RESULT_HISTOGRAM, VYRE_U8_HISTOGRAM_WORDS, "u8_histogram region -> result" },
  { "u8_below", VYRE_OP_U8_BELOW, { VYRE_OPERAND_REGION, VYRE_OPERAND_THRESHOLD }, 2,
      VYRE_TARGET_PAYLOAD, VYRE_RESULT_U32, VYRE_U8_BELOW_WORDS,
      "u8_below region, threshold -> result" },
  { "crc32", VYRE_OP_CRC32, { VYRE_OPERAND_REGION }, 1, VYRE_TARGET_PAYLOAD, VYRE_RESULT_U32,
      VYRE_CRC32_WORDS, "crc32 region -> result" },
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

/* Finds an opcode by its number; NULL when it has no name. */
const VyreOpcode *
vyre_opcode_get (guint32 opcode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (opcodes); i++) {
    if (opcodes[i].opcode == opcode)
      return &opcodes[i];
  }
  return NULL;
}

/* The number of operands that an opcode takes at most, without "-> result". */
guint
vyre_opcode_max_operands (const VyreOpcode *info)
{
  guint n = 0;

  while (info->operands[n] != VYRE_OPERAND_END)
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

/* Whether a slot with @opcode may be parked until the host has served its request. */
gboolean
vyre_opcode_asks_host (guint32 opcode)
{
  return opcode == VYRE_OP_LOAD_MISS || (opcode >= VYRE_OP_LOAD_WORDS && opcode <= VYRE_OP_SYNC);
}

/* A checksum is defined over one run of bytes: CRC32 cannot skip a row's padding. */
gboolean
vyre_crc32_is_contiguous (const guint32 *args)
{
  return args[VYRE_REGION_ARG_ROWS] == 1
         || args[VYRE_REGION_ARG_STRIDE] == args[VYRE_REGION_ARG_WIDTH];
}

const char *
vyre_opcode_name (guint32 opcode)
{
  const VyreOpcode *info = vyre_opcode_get (opcode);

  return info ? info->name : NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/opcodes.h"
#include "abi/publish-each.h"

/* The metadata of a packed_slot. */
typedef struct {
  guint n;     /* operations */
  guint words; /* argument words in front of the operations' arguments */
  guint8 opcodes[VYRE_SLOT_MAX_ARGS * 2];
  guint8 offsets[VYRE_SLOT_MAX_ARGS * 2 + 1]; /* [n] is the total */
} Packed;

static const char *const disassemble_status_names[]
    = { "EMPTY", "PUBLISHED", "CLAIMED", "DONE", "WAIT_IO", "YIELD", "REQUEUE", "FAULT" };

/* The number of argument words up to the last that is not zero. */
static guint
disassemble_count_args (const guint32 *args)
{
  guint n = VYRE_SLOT_MAX_ARGS;

  while (n > 0 && args[n - 1] == 0)
    n--;
  return n;
}

static void
disassemble_append_args (GString *text, const guint32 *args, guint n_args, const char *separator)
{
  for (guint i = 0; i < n_args; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? ", " : separator, args[i]);
}

static void
disassemble_append_raw (GString *text, guint32 opcode, const guint32 *args, guint n_args)
{
  g_string_append_printf (text, "op 0x%x", opcode);
  disassemble_append_args (text, args, n_args, ", ");
}

/* The arguments that a statement of samples fills. */
static guint
disassemble_count_sample_args (const VyreOpcode *info)
{
  guint n = vyre_opcode_max_operands (info);

  return vyre_opcode_takes_other (info) || vyre_opcode_takes_chroma (info)
             ? VYRE_SLOT_MAX_ARGS
             : VYRE_REGION_ARG_SAMPLES + n;
}

/* Whether binding would make such a slot of luma and chroma: with the least shifts. */
static gboolean
disassemble_has_chroma (const guint32 *args)
{
  guint32 luma = args[VYRE_REGION_ARG_SAMPLES], shifts = args[VYRE_CHROMA_ARG_SHIFTS];
  guint32 columns = VYRE_SAMPLES_IN (args[VYRE_REGION_ARG_WIDTH], luma);
  guint32 rows = args[VYRE_REGION_ARG_ROWS];
  guint32 across = VYRE_CHROMA_ACROSS (shifts), down = VYRE_CHROMA_DOWN (shifts);

  return MAX (across, down) <= VYRE_CHROMA_MAX_SHIFT
         && vyre_opcode_find_shift (columns, VYRE_CHROMA_LINES (columns, across)) == across
         && vyre_opcode_find_shift (rows, VYRE_CHROMA_LINES (rows, down)) == down
         && VYRE_CHROMA_FITS (luma, args[VYRE_CHROMA_ARG_U_SAMPLES])
         && VYRE_CHROMA_FITS (luma, args[VYRE_CHROMA_ARG_V_SAMPLES]);
}

/* Whether a statement names the payloads that a slot with samples reads. A program has a reference
 * by a statement that is no slot, so slots over one have no text. */
static gboolean
disassemble_has_payloads (const VyreOpcode *info, guint32 word)
{
  gboolean older = VYRE_REGION_FROM (word) <= VYRE_FROM_PREVIOUS;

  if (vyre_opcode_takes_chroma (info))
    return VYRE_REGION_FROM (word) == VYRE_FROM_OWN;
  return older && (!vyre_opcode_takes_other (info) || VYRE_OTHER_FROM (word) <= VYRE_FROM_PREVIOUS);
}

/* The first observable that a slot with samples writes. */
static guint32
disassemble_get_index (const VyreOpcode *info, const guint32 *args)
{
  guint32 word = args[VYRE_REGION_ARG_OBSERVABLE];

  return vyre_opcode_takes_other (info) ? VYRE_PAIR_OBSERVABLE (word)
                                        : VYRE_REGION_OBSERVABLE (word);
}

/* Whether binding would make such a slot of samples. Those that are bytes may have other opcodes.
 */
static gboolean
disassemble_has_samples (const VyreOpcode *info, const guint32 *args)
{
  guint32 samples = args[VYRE_REGION_ARG_SAMPLES];
  guint words = vyre_opcode_count_words (info, args);

  if (disassemble_count_args (args) > disassemble_count_sample_args (info) || words == 0
      || disassemble_get_index (info, args) > VYRE_MAX_OBSERVABLES - words
      || !disassemble_has_payloads (info, args[VYRE_REGION_ARG_OBSERVABLE])
      || !VYRE_SAMPLES_FIT (samples) || (info->bytes != 0 && samples == VYRE_SAMPLES_ARE_BYTES))
    return FALSE;
  if (vyre_opcode_takes_chroma (info))
    return disassemble_has_chroma (args);
  if (!vyre_opcode_takes_other (info))
    return TRUE;
  gboolean limited = info->operands[2] == VYRE_OPERAND_LIMIT;
  return VYRE_SAMPLES_FIT (args[VYRE_OTHER_ARG_SAMPLES]) && vyre_opcode_takes_pair (args)
         && (limited || args[VYRE_REGION_ARG_LIMIT] == 0);
}

/* Appends a component of the payload with the number @from. */
static void
disassemble_append_component (GString *text, guint32 from, const guint32 *region, guint32 samples)
{
  if (from == VYRE_FROM_PREVIOUS)
    g_string_append (text, "previous(");
  g_string_append (text, "samples");
  disassemble_append_args (text, region, VYRE_REGION_ARG_STRIDE + 1, "(");
  g_string_append_printf (text, from == VYRE_FROM_PREVIOUS ? ", 0x%x))" : ", 0x%x)", samples);
}

/* The region of a component of chroma in a slot. */
static VyreRegion
disassemble_find_chroma (const guint32 *args, guint offset, guint samples)
{
  guint32 shifts = args[VYRE_CHROMA_ARG_SHIFTS];
  guint32 columns = VYRE_SAMPLES_IN (args[VYRE_REGION_ARG_WIDTH], args[VYRE_REGION_ARG_SAMPLES]);

  columns = VYRE_CHROMA_LINES (columns, VYRE_CHROMA_ACROSS (shifts));
  return (VyreRegion){ args[offset], VYRE_SAMPLES_SPAN (columns, args[samples]),
    VYRE_CHROMA_LINES (args[VYRE_REGION_ARG_ROWS], VYRE_CHROMA_DOWN (shifts)),
    args[VYRE_CHROMA_ARG_STRIDE] };
}

static void
disassemble_append_chroma (GString *text, const guint32 *args, guint offset, guint samples)
{
  VyreRegion r = disassemble_find_chroma (args, offset, samples);
  guint32 region[] = { r.offset, r.width, r.rows, r.stride };

  disassemble_append_component (text, VYRE_FROM_OWN, region, args[samples]);
}

/* Appends "opcode samples(...), ... -> index", or returns FALSE when binding makes no such slot. */
static gboolean
disassemble_append_samples (GString *text, const VyreOpcode *info, const guint32 *args)
{
  const guint32 *value = args + VYRE_REGION_ARG_LIMIT;
  guint32 word = args[VYRE_REGION_ARG_OBSERVABLE];

  if (!disassemble_has_samples (info, args))
    return FALSE;
  g_string_append_printf (text, "%s ", info->name);
  disassemble_append_component (text, VYRE_REGION_FROM (word), args, args[VYRE_REGION_ARG_SAMPLES]);
  for (guint i = 1; i < vyre_opcode_max_operands (info); i++) {
    g_string_append (text, ", ");
    if (info->operands[i] == VYRE_OPERAND_OTHER)
      disassemble_append_component (
          text, VYRE_OTHER_FROM (word), args + VYRE_OTHER_ARG_OFFSET, args[VYRE_OTHER_ARG_SAMPLES]);
    else if (info->operands[i] == VYRE_OPERAND_CHROMA)
      disassemble_append_chroma (
          text, args, VYRE_CHROMA_ARG_U + i - 1, VYRE_CHROMA_ARG_U_SAMPLES + i - 1);
    else
      g_string_append_printf (text, "%u", *value++);
  }
  g_string_append_printf (text, " -> %u", disassemble_get_index (info, args));
  return TRUE;
}

/* Appends "opcode audio(...) -> index", or returns FALSE as above. */
static gboolean
disassemble_append_audio (GString *text, const VyreOpcode *info, const guint32 *args)
{
  guint32 how = args[VYRE_REGION_ARG_SAMPLES], index = args[VYRE_REGION_ARG_OBSERVABLE];
  guint most = VYRE_REGION_ARG_SAMPLES + vyre_opcode_max_operands (info);

  if (disassemble_count_args (args) > most || !VYRE_AUDIO_FIT (how)
      || index > VYRE_MAX_OBSERVABLES - info->words || args[VYRE_REGION_ARG_ROWS] != 1
      || args[VYRE_REGION_ARG_STRIDE] != args[VYRE_REGION_ARG_WIDTH])
    return FALSE;
  g_string_append_printf (text, "%s audio(%u, %u, 0x%x)", info->name, args[VYRE_REGION_ARG_OFFSET],
      args[VYRE_REGION_ARG_WIDTH], how);
  if (most > VYRE_REGION_ARG_LIMIT)
    g_string_append_printf (text, ", %u", args[VYRE_REGION_ARG_LIMIT]);
  g_string_append_printf (text, " -> %u", index);
  return TRUE;
}

/* Appends "opcode region(...) -> index", or returns FALSE when binding would refuse it. */
static gboolean
disassemble_append_payload (GString *text, const VyreOpcode *info, const guint32 *args)
{
  gboolean below = info->operands[1] == VYRE_OPERAND_THRESHOLD;
  guint32 index = VYRE_REGION_OBSERVABLE (args[VYRE_REGION_ARG_OBSERVABLE]);
  guint32 threshold = args[VYRE_REGION_ARG_THRESHOLD];

  if (disassemble_count_args (args)
          > (below ? VYRE_REGION_ARG_THRESHOLD : VYRE_REGION_ARG_OBSERVABLE) + 1u
      || VYRE_REGION_FROM (args[VYRE_REGION_ARG_OBSERVABLE]) > VYRE_FROM_PREVIOUS
      || index > VYRE_MAX_OBSERVABLES - info->words || threshold > 256
      || !vyre_opcode_takes_region (info, args))
    return FALSE;
  gboolean older = VYRE_REGION_FROM (args[VYRE_REGION_ARG_OBSERVABLE]) == VYRE_FROM_PREVIOUS;
  g_string_append_printf (text, "%s %sregion", info->name, older ? "previous(" : "");
  disassemble_append_args (text, args, VYRE_REGION_ARG_STRIDE + 1, "(");
  g_string_append (text, older ? "))" : ")");
  if (below)
    g_string_append_printf (text, ", %u", threshold);
  g_string_append_printf (text, " -> %u", index);
  return TRUE;
}

/* Appends "load_words resource, first, words -> index", or returns FALSE as above. */
static gboolean
disassemble_append_words (GString *text, const VyreOpcode *info, const guint32 *args)
{
  guint32 words = args[VYRE_RESOURCE_ARG_WORDS], index = args[VYRE_RESOURCE_ARG_OBSERVABLE];

  if (disassemble_count_args (args) > VYRE_RESOURCE_ARG_OBSERVABLE + 1 || words == 0
      || words > VYRE_LOAD_WORDS_MAX || index > VYRE_MAX_OBSERVABLES - words)
    return FALSE;
  g_string_append (text, info->name);
  disassemble_append_args (text, args, VYRE_RESOURCE_ARG_OBSERVABLE, " ");
  g_string_append_printf (text, " -> %u", index);
  return TRUE;
}

/* Reads a packed_slot's metadata; FALSE when it is not as the assembler writes it. */
static gboolean
disassemble_decode_packed (const guint32 *args, Packed *packed)
{
  guint8 bytes[4 * VYRE_SLOT_MAX_ARGS];

  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8)(args[i / 4] >> (8 * (i % 4)));
  packed->n = bytes[0];
  guint total = bytes[1];
  packed->words = VYRE_PACKED_METADATA_WORDS (packed->n);
  if (packed->n == 0 || packed->words + total > VYRE_SLOT_MAX_ARGS
      || disassemble_count_args (args) > packed->words + total)
    return FALSE;
  for (guint i = 2 + 2 * packed->n; i < 4 * packed->words; i++) {
    if (bytes[i] != 0)
      return FALSE;
  }
  for (guint i = 0; i < packed->n; i++) {
    packed->opcodes[i] = bytes[2 + 2 * i];
    packed->offsets[i] = bytes[3 + 2 * i];
    if (packed->opcodes[i] == VYRE_OP_BATCH_FENCE
        || packed->offsets[i] < (i > 0 ? packed->offsets[i - 1] : 0))
      return FALSE;
  }
  packed->offsets[packed->n] = (guint8)total;
  return packed->offsets[0] == 0 && packed->offsets[packed->n - 1] <= total;
}

static gboolean
disassemble_append_packed (GString *text, const VyreOpcode *info, const guint32 *args)
{
  Packed packed;

  if (!disassemble_decode_packed (args, &packed))
    return FALSE;
  g_string_append_printf (text, "%s {", info->name);
  for (guint i = 0; i < packed.n; i++) {
    const VyreOpcode *inner = vyre_opcode_get (packed.opcodes[i]);
    const guint32 *inner_args = args + packed.words + packed.offsets[i];
    guint n_args = (guint)packed.offsets[i + 1] - packed.offsets[i];

    g_string_append (text, i > 0 ? " | " : " ");
    if (inner && n_args == inner->min_operands) {
      g_string_append (text, inner->name);
      disassemble_append_args (text, inner_args, n_args, " ");
    } else {
      disassemble_append_raw (text, packed.opcodes[i], inner_args, n_args);
    }
  }
  g_string_append (text, " }");
  return TRUE;
}

/* Appends the form with the opcode's name, or returns FALSE when there is none. */
static gboolean
disassemble_append_named (GString *text, guint32 opcode, const guint32 *args)
{
  const VyreOpcode *info = vyre_opcode_get (opcode);
  guint n_args = disassemble_count_args (args);

  if (!info)
    return FALSE;
  if (info->operands[0] == VYRE_OPERAND_COMPONENT)
    return disassemble_append_samples (text, info, args);
  if (info->operands[0] == VYRE_OPERAND_CHANNEL)
    return disassemble_append_audio (text, info, args);
  if (info->target == VYRE_TARGET_PAYLOAD)
    return disassemble_append_payload (text, info, args);
  if (info->target == VYRE_TARGET_WORDS)
    return disassemble_append_words (text, info, args);
  if (opcode == VYRE_OP_PACKED_SLOT)
    return disassemble_append_packed (text, info, args);
  if (n_args > vyre_opcode_max_operands (info))
    return FALSE;
  /* Without its tag a fence would get the batch's sequence number. */
  if (opcode == VYRE_OP_BATCH_FENCE)
    n_args = 2;
  g_string_append (text, info->name);
  disassemble_append_args (text, args, MAX (n_args, info->min_operands), " ");
  return TRUE;
}

static void
disassemble_append_statement (GString *text, const guint32 *slot)
{
  const guint32 *args = slot + VYRE_SLOT_ARGS;
  guint32 priority = slot[VYRE_SLOT_PRIORITY];

  if (!disassemble_append_named (text, slot[VYRE_SLOT_OPCODE], args))
    disassemble_append_raw (text, slot[VYRE_SLOT_OPCODE], args, disassemble_count_args (args));
  if (slot[VYRE_SLOT_TENANT] != 0)
    g_string_append_printf (text, " @tenant=%u", slot[VYRE_SLOT_TENANT]);
  if (priority < VYRE_PRIORITY_LEVELS && priority != VYRE_PRIORITY_NORMAL)
    g_string_append_printf (text, " @priority=%s", vyre_priority_names[priority]);
  else if (priority >= VYRE_PRIORITY_LEVELS)
    g_string_append_printf (text, " @priority=%u", priority);
}

/* Appends one slot's line: a comment when no statement makes such a slot. */
static void
disassemble_append_slot (GString *text, guint index, const guint32 *slot)
{
  guint32 status = slot[VYRE_SLOT_STATUS];

  if (status != VYRE_STATUS_PUBLISHED || slot[VYRE_SLOT_PRIORITY] >= VYRE_PRIORITY_LEVELS) {
    g_string_append_printf (text, "# slot %u: ", index);
    if (status < G_N_ELEMENTS (disassemble_status_names))
      g_string_append (text, disassemble_status_names[status]);
    else
      g_string_append_printf (text, "status %u", status);
    g_string_append_c (text, ' ');
  }
  if (status == VYRE_STATUS_EMPTY)
    g_string_truncate (text, text->len - 1);
  else
    disassemble_append_statement (text, slot);
  g_string_append_c (text, '\n');
}

/* Whether the text of this slot keeps the assembler from appending a fence. */
static gboolean
disassemble_is_named_fence (const guint32 *slot)
{
  return slot[VYRE_SLOT_STATUS] == VYRE_STATUS_PUBLISHED
         && slot[VYRE_SLOT_OPCODE] == VYRE_OP_BATCH_FENCE
         && slot[VYRE_SLOT_PRIORITY] < VYRE_PRIORITY_LEVELS
         && disassemble_count_args (slot + VYRE_SLOT_ARGS) <= 2;
}

char *
vyre_disassemble (const guint32 *slots, guint n_slots)
{
  g_return_val_if_fail (slots || n_slots == 0, g_strdup (""));
  gboolean has_fence = FALSE;
  guint n_used = 0;
  for (guint i = 0; i < n_slots; i++) {
    const guint32 *slot = slots + (gsize)i * VYRE_SLOT_WORDS;

    has_fence |= disassemble_is_named_fence (slot);
    if (slot[VYRE_SLOT_STATUS] != VYRE_STATUS_EMPTY)
      n_used = i + 1;
  }
  GString *text = g_string_new (NULL);
  if (!has_fence)
    g_string_append (text, "no_fence\n");
  for (guint i = 0; i < n_used; i++)
    disassemble_append_slot (text, i, slots + (gsize)i * VYRE_SLOT_WORDS);
  return g_string_free (text, FALSE);
}

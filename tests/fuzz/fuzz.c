/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <stdlib.h>

#include "vyre/publish-slots.h"

/* Bytes from here on stand for numbers that are worth a try, or for a whole word. */
#define FIRST_EDGE 160u

static const guint32 edges[] = { 160, 161, 255, 256, 257, 639, 640, 1023, 1024, 1028, 2048, 2080,
  4095, 0x7FFF, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0xFFFFF, 0x100000, 0x100001, 0x0FFFFFFF,
  0x10000000, 0x40000000, VYRE_OP_U8_STATS, VYRE_OP_U8_HISTOGRAM, VYRE_OP_U8_BELOW, VYRE_OP_CRC32,
  0x40100000, 0x7FFFFFFF, 0x80000000, VYRE_OP_PACKED_SLOT, G_MAXUINT32 - 160, G_MAXUINT32 - 159,
  G_MAXUINT32 - 1, G_MAXUINT32, VYRE_OP_ADLER32 };

/* A failed g_return_if_fail() is a finding as well. */
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  return 0;
}

guint
fuzz_byte (FuzzInput *input)
{
  if (input->left == 0)
    return 0;
  input->left--;
  return *input->at++;
}

/* A number below @n. */
guint
fuzz_choose (FuzzInput *input, guint n)
{
  return fuzz_byte (input) % n;
}

guint32
fuzz_word (FuzzInput *input)
{
  guint32 word = 0;

  for (guint i = 0; i < 4; i++)
    word |= fuzz_byte (input) << (8 * i);
  return word;
}

/* A small number, one at some limit, or any. */
guint32
fuzz_number (FuzzInput *input)
{
  guint byte = fuzz_byte (input);

  if (byte < FIRST_EDGE)
    return byte;
  return byte - FIRST_EDGE < G_N_ELEMENTS (edges) ? edges[byte - FIRST_EDGE] : fuzz_word (input);
}

void
fuzz_numbers (FuzzInput *input, guint32 *words, guint n)
{
  for (guint i = 0; i < n; i++)
    words[i] = fuzz_number (input);
}

/* Metadata of a packed slot, right or almost. */
static void
pack (FuzzInput *input, guint32 *args)
{
  guint8 bytes[4 * VYRE_SLOT_MAX_ARGS] = { 0 };
  guint size = fuzz_byte (input), at = 0;
  guint n_ops = size % (size < 192 ? 5 : VYRE_PACKED_MAX_OPS + 2);

  bytes[0] = (guint8)n_ops;
  for (guint i = 0; i < MIN (n_ops, VYRE_PACKED_MAX_OPS); i++) {
    bytes[2 + 2 * i] = (guint8)fuzz_byte (input);
    bytes[3 + 2 * i] = (guint8)at;
    at += fuzz_choose (input, 4);
  }
  bytes[1] = (guint8)at;
  if (fuzz_choose (input, 4) == 3) {
    guint wrong = fuzz_choose (input, 4 + 2 * n_ops) % sizeof bytes;
    bytes[wrong] = (guint8)fuzz_byte (input);
  }
  for (guint i = 0; i < MIN ((2 + 2 * n_ops + 3) / 4, VYRE_SLOT_MAX_ARGS); i++)
    args[i] = vyre_read_word (bytes, i);
}

static guint32
choose_opcode (FuzzInput *input)
{
  static const guint32 opcodes[]
      = { VYRE_OP_NOP, VYRE_OP_STORE_U32, VYRE_OP_MEMCPY, VYRE_OP_BATCH_FENCE, VYRE_OP_LOAD_MISS,
          VYRE_OP_PRINTF, VYRE_OP_PACKED_SLOT, VYRE_OP_U8_STATS, VYRE_OP_U8_HISTOGRAM,
          VYRE_OP_CRC32, VYRE_OP_LOAD_WORDS, VYRE_OP_APPEND, VYRE_OP_SYNC, VYRE_OP_ADLER32 };
  guint choice = fuzz_choose (input, 2 * G_N_ELEMENTS (opcodes));

  return choice < G_N_ELEMENTS (opcodes) ? opcodes[choice] : fuzz_number (input);
}

/* A slot, most of the time one that could run. */
void
fuzz_slot (FuzzInput *input, guint32 *words)
{
  guint header = fuzz_byte (input);
  guint n_args = fuzz_choose (input, VYRE_SLOT_MAX_ARGS + 1);

  memset (words, 0, 4 * VYRE_SLOT_WORDS);
  words[VYRE_SLOT_STATUS] = header & 1 ? VYRE_STATUS_PUBLISHED : header >> 1 & 7;
  words[VYRE_SLOT_OPCODE] = choose_opcode (input);
  words[VYRE_SLOT_TENANT] = header & 16 ? fuzz_number (input) : 0;
  words[VYRE_SLOT_PRIORITY] = header & 32 ? fuzz_number (input) : VYRE_PRIORITY_NORMAL;
  fuzz_numbers (input, words + VYRE_SLOT_ARGS, n_args);
  if (words[VYRE_SLOT_OPCODE] == VYRE_OP_PACKED_SLOT)
    pack (input, words + VYRE_SLOT_ARGS);
}

/* Memory that ends with its last byte, and starts at any byte of a word. All zero. */
FuzzBuffer
fuzz_buffer_new (FuzzInput *input, gsize size)
{
  gsize shift = fuzz_choose (input, 4);
  FuzzBuffer buffer = { .size = size, .allocated = malloc (shift + size) };

  buffer.data = buffer.allocated + shift;
  memset (buffer.data, 0, size);
  return buffer;
}

FuzzBuffer
fuzz_buffer_copy (const FuzzBuffer *buffer)
{
  gsize shift = (gsize)(buffer->data - buffer->allocated);
  FuzzBuffer copy = { .size = buffer->size, .allocated = malloc (buffer->size + shift) };

  copy.data = copy.allocated + shift;
  memcpy (copy.data, buffer->data, buffer->size);
  return copy;
}

/* Either with what the input has left, or a few words here and there. */
void
fuzz_buffer_fill (FuzzBuffer *buffer, FuzzInput *input)
{
  guint how = fuzz_byte (input);

  if (how == 0) {
    gsize n = MIN (buffer->size, input->left);
    memcpy (buffer->data, input->at, n);
    input->at += n;
    input->left -= n;
    return;
  }
  for (guint i = 0; i < how && buffer->size >= 4 && input->left > 0; i++) {
    gsize word = (fuzz_byte (input) | fuzz_byte (input) << 8) % (buffer->size / 4);
    vyre_write_word (buffer->data, word, fuzz_number (input));
  }
}

void
fuzz_buffer_clear (FuzzBuffer *buffer)
{
  free (buffer->allocated);
}

/* Passes @ok on. A failure has to say what is wrong and what to do about it. */
gboolean
fuzz_check (gboolean ok, GError **error)
{
  g_assert_true (ok == (*error == NULL));
  if (ok)
    return TRUE;
  const char *message = (*error)->message;
  const char *fix = strstr (message, " Fix: ");
  g_assert_true ((*error)->domain == VYRE_ERROR);
  g_assert_true (g_utf8_validate (message, -1, NULL));
  g_assert_true (fix != NULL && fix > message && strlen (fix) > strlen (" Fix: x"));
  g_assert_true (g_str_has_suffix (message, "."));
  g_clear_error (error);
  return FALSE;
}

/* A plan has something to publish, and no run of it is more than the ring of tickets takes. */
void
fuzz_check_runs (const VyrePlan *plan)
{
  VyreRun run = { 0 };
  guint n = 0;

  for (; vyre_plan_next_run (plan, G_MAXUINT64, 1, &run); n++)
    g_assert_true (run.n_tickets > 0 && run.n_tickets <= VYRE_RUN_MAX_TICKETS);
  g_assert_cmpuint (n, >, 0);
}

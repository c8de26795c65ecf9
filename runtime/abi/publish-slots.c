/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every publisher is an encoder, which makes the words of its i-th slot or says why
 * it cannot, and vyre_publish_each(), which asks it about all of them and looks at the
 * whole ring before it stores the first.
 */
#include "abi/publish-each.h"

typedef struct {
  guint32 tenant;
  const VyreOp *ops;
  guint n_ops;
  guint32 tag;
} Batch;

/* Every reason for which a ring does not take a slot has the one code. */
gboolean
vyre_publish_refuse (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL, message);
  return FALSE;
}

/* Stores the first @n_words of a slot, the status last. */
void
vyre_slot_store (void *ring, gsize slot, const guint32 *words, guint n_words)
{
  for (guint i = VYRE_SLOT_STATUS + 1; i < n_words; i++)
    vyre_write_word (ring, slot * VYRE_SLOT_WORDS + i, words[i]);
  vyre_word_release (ring, slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS, words[VYRE_SLOT_STATUS]);
}

/* Writes the words in front of the arguments. */
void
vyre_slot_encode_header (guint32 *words, guint32 opcode, guint32 tenant)
{
  words[VYRE_SLOT_STATUS] = VYRE_STATUS_PUBLISHED;
  words[VYRE_SLOT_OPCODE] = opcode;
  words[VYRE_SLOT_TENANT] = tenant;
  words[VYRE_SLOT_PRIORITY] = VYRE_PRIORITY_NORMAL;
}

static void
slots_copy_args (guint32 *to, const guint32 *args, guint n_args)
{
  for (guint i = 0; i < n_args; i++)
    to[i] = args[i];
}

/* Copies the arguments behind the @n_fixed ones that the publisher itself writes. */
static gboolean
slots_encode_args (guint32 *words, guint n_fixed, const guint32 *args, guint n_args, GError **error)
{
  if (n_args > VYRE_SLOT_MAX_ARGS - n_fixed)
    return vyre_publish_refuse (error,
        "%u arguments are more than a slot takes. Fix: pass at most %u.", n_args,
        VYRE_SLOT_MAX_ARGS - n_fixed);
  slots_copy_args (words + VYRE_SLOT_ARGS + n_fixed, args, n_args);
  return TRUE;
}

static gboolean
slots_encode_op (guint32 *words, guint32 tenant, const VyreOp *op, GError **error)
{
  vyre_slot_encode_header (words, op->opcode, tenant);
  return slots_encode_args (words, 0, op->args, op->n_args, error)
         && vyre_opcode_check_publish (op->opcode, error);
}

static gboolean
slots_encode_packed (guint32 *words, guint32 tenant, const VyreOp *ops, guint n_ops, GError **error)
{
  guint8 metadata[4 * VYRE_SLOT_MAX_ARGS] = { (guint8)n_ops };
  guint first = VYRE_SLOT_ARGS + VYRE_PACKED_METADATA_WORDS (MIN (n_ops, VYRE_PACKED_MAX_OPS));
  guint end = first;

  if (n_ops > VYRE_PACKED_MAX_OPS)
    return vyre_publish_refuse (error,
        "%u operations do not fit a packed slot. Fix: pack at most %u, or fewer with arguments.",
        n_ops, VYRE_PACKED_MAX_OPS);
  vyre_slot_encode_header (words, VYRE_OP_PACKED_SLOT, tenant);
  for (guint i = 0; i < n_ops; i++) {
    if (ops[i].opcode > G_MAXUINT8)
      return vyre_publish_refuse (error,
          "Opcode 0x%x of operation %u does not fit a packed slot's byte. Fix: publish it in a "
          "slot of its own.",
          ops[i].opcode, i);
    if (ops[i].n_args > VYRE_SLOT_WORDS - end)
      return vyre_publish_refuse (error,
          "The %u arguments of operation %u do not fit behind those before. Fix: pack what needs "
          "at most %u argument words together.",
          ops[i].n_args, i, VYRE_SLOT_WORDS - first);
    metadata[2 + 2 * i] = (guint8)ops[i].opcode;
    metadata[3 + 2 * i] = (guint8)(end - first);
    slots_copy_args (words + end, ops[i].args, ops[i].n_args);
    end += ops[i].n_args;
  }
  metadata[1] = (guint8)(end - first);
  for (guint i = VYRE_SLOT_ARGS; i < first; i++)
    words[i] = vyre_read_word (metadata, i - VYRE_SLOT_ARGS);
  return TRUE;
}

static gboolean
slots_encode_descriptor (gconstpointer source, guint i, guint32 *words, GError **error)
{
  const VyreDescriptor *descriptor = (const VyreDescriptor *)source + i;

  if (descriptor->packed)
    return slots_encode_packed (
        words, descriptor->tenant, descriptor->ops, descriptor->n_ops, error);
  if (descriptor->n_ops != 1)
    return vyre_publish_refuse (error,
        "A slot holds one operation, not %u. Fix: pack them, or pass as many "
        "descriptors.",
        descriptor->n_ops);
  return slots_encode_op (words, descriptor->tenant, descriptor->ops, error);
}

/* The fence follows the operations. */
static gboolean
slots_encode_batch (gconstpointer source, guint i, guint32 *words, GError **error)
{
  const Batch *batch = source;
  guint32 args[] = { batch->n_ops, batch->tag };
  VyreOp fence = { VYRE_OP_BATCH_FENCE, args, G_N_ELEMENTS (args) };

  return slots_encode_op (words, batch->tenant, i < batch->n_ops ? &batch->ops[i] : &fence, error);
}

static gboolean
slots_encode_window (gconstpointer source, guint i, guint32 *words, GError **error)
{
  const VyreWindow *window = source;
  gboolean lookahead = i >= window->n_required;
  const VyreArgs *args
      = lookahead ? &window->lookahead[i - window->n_required] : &window->required[i];

  vyre_slot_encode_header (words, window->opcode, window->tenant);
  words[VYRE_SLOT_ARGS] = window->ticket;
  words[VYRE_SLOT_ARGS + 1] = lookahead;
  return slots_encode_args (words, 2, args->args, args->n_args, error)
         && vyre_opcode_check_publish (window->opcode, error);
}

/* TRUE when @n slots from @start on lie in a ring of @size bytes. */
gboolean
vyre_publish_check_room (gsize size, guint32 start, guint64 n, GError **error)
{
  gsize n_slots = size / VYRE_SLOT_BYTES;

  if (n_slots > G_MAXUINT32 / VYRE_SLOT_WORDS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "A ring of %" G_GSIZE_FORMAT " slots has words that no 32-bit index reaches. Fix: use at "
        "most %u slots.",
        n_slots, G_MAXUINT32 / VYRE_SLOT_WORDS);
    return FALSE;
  }
  if (size % VYRE_SLOT_BYTES != 0)
    return vyre_publish_refuse (error,
        "A ring of %" G_GSIZE_FORMAT " bytes is not whole slots. Fix: pass the whole ring, "
        "64 bytes for each slot.",
        size);
  if (start > n_slots || n > n_slots - start)
    return vyre_publish_refuse (error,
        "A ring of %" G_GSIZE_FORMAT " slots has no room for %" G_GUINT64_FORMAT " from slot %u "
        "on. Fix: publish fewer at once, start at a lower slot or make the ring larger.",
        n_slots, n, start);
  return TRUE;
}

static gboolean
slots_check_status (const void *ring, gsize slot, GError **error)
{
  guint32 status = vyre_word_acquire (ring, slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS);

  if (status == VYRE_STATUS_EMPTY || status == VYRE_STATUS_DONE)
    return TRUE;
  return vyre_publish_refuse (error,
      "Status %u is neither EMPTY nor DONE. Fix: wait until the kernel is done with the slot, or "
      "use another.",
      status);
}

static gboolean
slots_name_slot (GError **error, gsize slot)
{
  g_prefix_error (error, "Slot %" G_GSIZE_FORMAT ": ", slot);
  return FALSE;
}

/* Stores the first @n_words of slot @i of @source. */
void
vyre_slot_store_encoded (
    void *ring, gsize slot, VyreSlotEncoder encode, gconstpointer source, guint i, guint n_words)
{
  guint32 words[VYRE_SLOT_WORDS] = { 0 };

  encode (source, i, words, NULL);
  vyre_slot_store (ring, slot, words, n_words);
}

/* Checks the ring's length, its room, and the words and status of every slot; then writes. */
gboolean
vyre_publish_each (void *ring, gsize size, guint32 start, guint64 n, VyreSlotEncoder encode,
    gconstpointer source, GError **error)
{
  if (!vyre_publish_check_room (size, start, n, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    guint32 words[VYRE_SLOT_WORDS] = { 0 };

    if (!encode (source, i, words, error))
      return slots_name_slot (error, (gsize)start + i);
  }
  for (guint i = 0; i < n; i++) {
    if (!slots_check_status (ring, (gsize)start + i, error))
      return slots_name_slot (error, (gsize)start + i);
  }
  for (guint i = 0; i < n; i++)
    vyre_slot_store_encoded (ring, (gsize)start + i, encode, source, i, VYRE_SLOT_WORDS);
  return TRUE;
}

gboolean
vyre_publish_slot (
    void *ring, gsize size, guint32 slot, guint32 tenant, const VyreOp *op, GError **error)
{
  VyreDescriptor descriptor = { tenant, FALSE, op, 1 };

  return vyre_publish_each (ring, size, slot, 1, slots_encode_descriptor, &descriptor, error);
}

gboolean
vyre_publish_packed (void *ring, gsize size, guint32 slot, guint32 tenant, const VyreOp *ops,
    guint n_ops, GError **error)
{
  VyreDescriptor descriptor = { tenant, TRUE, ops, n_ops };

  return vyre_publish_each (ring, size, slot, 1, slots_encode_descriptor, &descriptor, error);
}

gboolean
vyre_publish_batch (void *ring, gsize size, guint32 start, guint32 tenant, const VyreOp *ops,
    guint n_ops, guint32 tag, GError **error)
{
  Batch batch = { tenant, ops, n_ops, tag };

  return vyre_publish_each (
      ring, size, start, (guint64)n_ops + 1, slots_encode_batch, &batch, error);
}

gboolean
vyre_publish_descriptors (void *ring, gsize size, guint32 start, const VyreDescriptor *descriptors,
    guint n_descriptors, GError **error)
{
  if (n_descriptors == 0)
    return TRUE;
  return vyre_publish_each (
      ring, size, start, n_descriptors, slots_encode_descriptor, descriptors, error);
}

gboolean
vyre_publish_window (
    void *ring, gsize size, guint32 start, const VyreWindow *window, GError **error)
{
  guint64 n = (guint64)window->n_required + window->n_lookahead;

  return n == 0 || vyre_publish_each (ring, size, start, n, slots_encode_window, window, error);
}

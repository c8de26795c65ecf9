/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A slot that comes as bytes is taken as it is, wherever it came from; whether it is
 * one that publishing would have made is a question of its own.
 */
#include "vyre/host-ring.h"

#include "abi/publish-each.h"

static gboolean
ring_has_slot (gsize size, guint32 slot)
{
  return slot < size / VYRE_SLOT_BYTES;
}

static void
ring_copy_words (guint32 *words, const void *slot)
{
  for (guint i = 0; i < VYRE_SLOT_WORDS; i++)
    words[i] = vyre_read_word (slot, i);
}

static gboolean
ring_check_raw (gsize size, guint32 slot, gsize raw_size, GError **error)
{
  if (raw_size != VYRE_SLOT_BYTES) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISALIGNED,
        "A buffer of %" G_GSIZE_FORMAT " bytes is not one slot. Fix: pass exactly 64 bytes.",
        raw_size);
    return FALSE;
  }
  if (!ring_has_slot (size, slot)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISSING_WORD,
        "A ring of %" G_GSIZE_FORMAT " bytes ends before slot %u does. Fix: use a slot that the "
        "ring has.",
        size, slot);
    return FALSE;
  }
  return TRUE;
}

gboolean
vyre_host_ring_publish (
    void *ring, gsize size, guint32 slot, const void *encoded, gsize encoded_size, GError **error)
{
  guint32 words[VYRE_SLOT_WORDS];

  if (!ring_check_raw (size, slot, encoded_size, error))
    return FALSE;
  ring_copy_words (words, encoded);
  vyre_slot_store (ring, slot, words, VYRE_SLOT_WORDS);
  return TRUE;
}

gboolean
vyre_host_ring_read (
    const void *ring, gsize size, guint32 slot, void *buffer, gsize buffer_size, GError **error)
{
  if (!ring_check_raw (size, slot, buffer_size, error))
    return FALSE;
  vyre_write_word (buffer, VYRE_SLOT_STATUS,
      vyre_word_acquire (ring, slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS));
  for (guint i = VYRE_SLOT_STATUS + 1; i < VYRE_SLOT_WORDS; i++)
    vyre_write_word (buffer, i, vyre_read_word (ring, (gsize)slot * VYRE_SLOT_WORDS + i));
  return TRUE;
}

guint32
vyre_host_ring_count_done (const void *ring, gsize size)
{
  guint32 done = 0;

  for (gsize slot = 0; slot < size / VYRE_SLOT_BYTES; slot++)
    done += vyre_word_acquire (ring, slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS) == VYRE_STATUS_DONE;
  return done;
}

void
vyre_encode_load_miss (void *slot, guint32 resource, gboolean prefetch)
{
  guint32 words[VYRE_SLOT_WORDS] = { 0 };

  vyre_slot_encode_header (words, VYRE_OP_LOAD_MISS, 0);
  words[VYRE_SLOT_PRIORITY] = VYRE_PRIORITY_CRITICAL;
  words[VYRE_SLOT_ARGS] = resource;
  words[VYRE_SLOT_ARGS + 1] = prefetch ? 1 : 0;
  vyre_slot_store (slot, 0, words, VYRE_SLOT_WORDS);
}

gboolean
vyre_decode_load_miss (
    const void *ring, gsize size, guint32 slot, guint32 *resource, gboolean *prefetch)
{
  gsize word = (gsize)slot * VYRE_SLOT_WORDS;

  if (!ring_has_slot (size, slot)
      || vyre_read_word (ring, word + VYRE_SLOT_OPCODE) != VYRE_OP_LOAD_MISS)
    return FALSE;
  *resource = vyre_read_word (ring, word + VYRE_SLOT_ARGS);
  *prefetch = vyre_read_word (ring, word + VYRE_SLOT_ARGS + 1) != 0;
  return TRUE;
}

static gboolean
ring_set_invalid (GError **error, const char *what)
{
  g_set_error_literal (error, VYRE_ERROR, VYRE_ERROR_INVALID, what);
  return FALSE;
}

/* Two bytes for each operation follow the two for the slot: opcode, first argument. */
static gboolean
ring_check_offsets (const guint8 *metadata, GError **error)
{
  guint n_ops = metadata[0], total = metadata[1], previous = 0;

  for (guint i = 0; i < n_ops; i++) {
    guint offset = metadata[3 + 2 * i];

    if (offset < previous || offset > total || (i == 0 && offset != 0))
      return ring_set_invalid (error,
          "The arguments of its packed operations do not lie one behind the "
          "other. Fix: encode it with vyre_publish_packed().");
    previous = offset;
  }
  if (n_ops == 0 && total != 0)
    return ring_set_invalid (error,
        "It packs arguments, but no operation that they belong to. Fix: encode "
        "it with vyre_publish_packed().");
  return TRUE;
}

static gboolean
ring_check_packed (const guint32 *args, GError **error)
{
  guint8 metadata[4 * VYRE_SLOT_MAX_ARGS];

  for (guint i = 0; i < VYRE_SLOT_MAX_ARGS; i++)
    vyre_write_word (metadata, i, args[i]);
  guint words = VYRE_PACKED_METADATA_WORDS (metadata[0]);
  if (words + metadata[1] > VYRE_SLOT_MAX_ARGS)
    return ring_set_invalid (error,
        "Its packed operations do not fit 12 argument words. Fix: pack fewer, "
        "or fewer arguments.");
  for (guint i = 2 + 2 * metadata[0]; i < 4 * words; i++) {
    if (metadata[i] != 0)
      return ring_set_invalid (error,
          "The bytes behind the last of its packed operations are not 0. Fix: "
          "encode it with vyre_publish_packed().");
  }
  return ring_check_offsets (metadata, error);
}

static gboolean
ring_check_slot (const guint32 *words, GError **error)
{
  if (words[VYRE_SLOT_STATUS] == VYRE_STATUS_EMPTY)
    return TRUE;
  if (words[VYRE_SLOT_STATUS] != VYRE_STATUS_PUBLISHED)
    return ring_set_invalid (error,
        "Its status is neither EMPTY nor PUBLISHED. Fix: set it to 0 or 1; a "
        "slot that has run has to be published anew.");
  if (!vyre_opcode_check_publish (words[VYRE_SLOT_OPCODE], error))
    return FALSE;
  if (words[VYRE_SLOT_PRIORITY] >= VYRE_PRIORITY_LEVELS)
    return ring_set_invalid (error, "Its priority is above 4. Fix: use 0 (critical) to 4 (idle).");
  return words[VYRE_SLOT_OPCODE] != VYRE_OP_PACKED_SLOT
         || ring_check_packed (words + VYRE_SLOT_ARGS, error);
}

gboolean
vyre_slots_check (const void *slots, gsize size, GError **error)
{
  if (size % VYRE_SLOT_BYTES != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_MISALIGNED,
        "%" G_GSIZE_FORMAT " bytes are not whole slots. Fix: pass 64 bytes for each slot.", size);
    return FALSE;
  }
  for (gsize slot = 0; slot < size / VYRE_SLOT_BYTES; slot++) {
    guint32 words[VYRE_SLOT_WORDS];

    ring_copy_words (words, (const guint8 *)slots + VYRE_SLOT_BYTES * slot);
    if (!ring_check_slot (words, error)) {
      g_prefix_error (error, "Slot %" G_GSIZE_FORMAT ": ", slot);
      return FALSE;
    }
  }
  return TRUE;
}

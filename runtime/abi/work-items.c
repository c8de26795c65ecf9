/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Work items: slots whose words all come from four numbers. Only their opcodes can be wrong.
 */
#include "abi/publish-each.h"

#include <string.h>

typedef struct {
  guint32 tenant;
  const VyreWorkItem *items;
} WorkItems;

/* Words of a slot that a work item sets; the words behind them are 0. */
#define WORK_ITEM_WORDS (VYRE_SLOT_ARGS + 3)

/* Cannot fail: items_check() has looked at the opcodes. */
static gboolean
items_encode (gconstpointer source, guint i, guint32 *words, GError **error)
{
  const WorkItems *work = source;
  const VyreWorkItem *item = &work->items[i];

  (void)error;
  vyre_slot_encode_header (words, item->op, work->tenant);
  words[VYRE_SLOT_ARGS] = item->input;
  words[VYRE_SLOT_ARGS + 1] = item->output;
  words[VYRE_SLOT_ARGS + 2] = item->param;
  return TRUE;
}

static gboolean
items_check (const VyreWorkItem *items, guint n_items, GError **error)
{
  for (guint i = 0; i < n_items; i++) {
    if (!vyre_opcode_check_publish (items[i].op, error)) {
      g_prefix_error (error, "Work item %u: ", i);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
vyre_publish_work_items (void *ring, gsize size, guint32 start, guint32 tenant,
    const VyreWorkItem *items, guint n_items, GError **error)
{
  WorkItems work = { tenant, items };

  return items_check (items, n_items, error)
         && vyre_publish_each (ring, size, start, n_items, items_encode, &work, error);
}

static gboolean
items_check_encode (gsize size, const VyreWorkItem *items, guint n_items, GError **error)
{
  if (!items_check (items, n_items, error) || !vyre_publish_check_room (size, 0, n_items, error))
    return FALSE;
  if (size / VYRE_SLOT_BYTES <= VYRE_ENCODE_MAX)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "A ring of %" G_GSIZE_FORMAT " slots is more than is encoded at once. Fix: use at most %d.",
      size / VYRE_SLOT_BYTES, VYRE_ENCODE_MAX);
  return FALSE;
}

gboolean
vyre_encode_work_items (void *ring, gsize size, guint32 tenant, const VyreWorkItem *items,
    guint n_items, GError **error)
{
  WorkItems work = { tenant, items };

  if (!items_check_encode (size, items, n_items, error))
    return FALSE;
  if (size > 0)
    memset (ring, 0, size);
  for (guint i = 0; i < n_items; i++)
    vyre_slot_store_encoded (ring, i, items_encode, &work, i, VYRE_SLOT_WORDS);
  return TRUE;
}

gboolean
vyre_reencode_work_items (void *ring, gsize size, guint32 tenant, const VyreWorkItem *items,
    guint n_items, GError **error)
{
  WorkItems work = { tenant, items };

  if (!items_check_encode (size, items, n_items, error))
    return FALSE;
  for (gsize slot = 0; slot < size / VYRE_SLOT_BYTES; slot++)
    vyre_word_release (ring, slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS, VYRE_STATUS_EMPTY);
  for (guint i = 0; i < n_items; i++)
    vyre_slot_store_encoded (ring, i, items_encode, &work, i, WORK_ITEM_WORDS);
  return TRUE;
}

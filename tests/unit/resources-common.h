/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files whose words tell their file and their place, and the states of the slots that load them.
 */
#pragma once

#include "kernel-common.h"

/* Word @i of file @id. */
static inline guint32
word_of (guint id, guint i)
{
  return (id + 1) * 0x9E3779B9u ^ i * 0x85EBCA6Bu;
}

static inline char *
make_path (const char *dir, guint id)
{
  return g_strdup_printf ("%s/file-%u", dir, id);
}

static inline void
write_words (const char *path, guint id, guint n_words)
{
  g_autofree guint32 *words = g_new (guint32, n_words + 1);
  GError *error = NULL;

  for (guint i = 0; i < n_words; i++)
    words[i] = GUINT32_TO_LE (word_of (id, i));
  g_file_set_contents (path, (const char *)words, 4 * (gssize)n_words, &error);
  g_assert_no_error (error);
}

static inline guint32
status_of (VyreBatch *batch, const VyrePlan *plan, guint slot)
{
  return vyre_read_word (vyre_batch_get_readback (batch),
      vyre_plan_get_layout (plan)->offset[VYRE_PART_RING] / 4 + slot * VYRE_SLOT_WORDS);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Quiet samples in a row, from what audio_loud has of the loud ones.
 */
#include "abi.h"
#include "vyre/events.h"

/* The loud samples of a part: the first and the one behind the last; FALSE without any. */
static gboolean
quiet_read_part (const guint32 *words, guint part, VyreQuiet *loud)
{
  guint32 size = VYRE_LOUD_PART_SAMPLES (words[VYRE_LOUD_COUNT]);
  const guint32 *of_part = words + VYRE_LOUD_FIRST_PART + part * VYRE_LOUD_PART_WORDS;

  loud->begin = (part + 1) * size - of_part[VYRE_LOUD_FROM];
  loud->end = part * size + of_part[VYRE_LOUD_UPTO];
  return of_part[VYRE_LOUD_UPTO] > 0;
}

gboolean
vyre_quiet_find (const guint32 *words, guint32 from, VyreQuiet *quiet)
{
  g_return_val_if_fail (words && quiet, FALSE);
  guint32 count = words[VYRE_LOUD_COUNT];
  VyreQuiet loud;

  for (guint part = 0; part < VYRE_LOUD_PARTS && from < count; part++) {
    if (!quiet_read_part (words, part, &loud) || loud.end <= from)
      continue;
    if (loud.begin > from) {
      *quiet = (VyreQuiet){ from, MIN (loud.begin, count) };
      return TRUE;
    }
    from = loud.end;
  }
  *quiet = (VyreQuiet){ from, count };
  return from < count;
}

guint32
vyre_quiet_hides (const guint32 *words)
{
  g_return_val_if_fail (words, 0);
  guint32 most = 0;
  VyreQuiet loud;

  for (guint part = 0; part < VYRE_LOUD_PARTS; part++) {
    if (quiet_read_part (words, part, &loud) && loud.end - loud.begin > 2)
      most = MAX (most, loud.end - loud.begin - 2);
  }
  return most;
}

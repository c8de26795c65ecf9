/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where payloads go, by name. "auto" leaves it to the library.
 */
#include "kernel.h"

static VyrePlacement
find (const char *name)
{
  for (VyrePlacement p = VYRE_PLACEMENT_AUTO; p <= VYRE_PLACEMENT_SPLIT; p++) {
    if (g_str_equal (name, vyre_placement_name (p)))
      return p;
  }
  return VYRE_PLACEMENT_AUTO;
}

/* All but auto. */
const char *const *
bench_placements (void)
{
  static const char *names[VYRE_PLACEMENT_SPLIT + 1];

  for (VyrePlacement p = VYRE_PLACEMENT_UNIFIED; p <= VYRE_PLACEMENT_SPLIT; p++)
    names[p - VYRE_PLACEMENT_UNIFIED] = vyre_placement_name (p);
  return names;
}

void
bench_placement_set (VyreMegakernelParams *params, const char *name)
{
  params->placement = find (name);
}

/* The placement in use, in words. */
char *
bench_placement_describe (VyreMegakernel *kernel)
{
  VyrePlacement placement = vyre_megakernel_get_placement (kernel);

  if (placement != VYRE_PLACEMENT_SPLIT)
    return g_strdup (vyre_placement_name (placement));
  return g_strdup_printf ("%s at %" G_GSIZE_FORMAT, vyre_placement_name (placement),
      (gsize)vyre_megakernel_get_copy_threshold (kernel));
}

/* Which way payload bytes went between two moments: "stored 20 %, copied 80 %". */
char *
bench_placement_shares (const VyreMegakernelCounters *before, const VyreMegakernelCounters *after)
{
  const guint64 bytes[] = { after->in_place_bytes - before->in_place_bytes,
    after->stored_bytes - before->stored_bytes, after->copied_bytes - before->copied_bytes };
  const char *const names[] = { "read in place", "stored", "copied" };
  double total = (double)MAX (bytes[0] + bytes[1] + bytes[2], 1);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (bytes); i++) {
    if (bytes[i] > 0)
      g_string_append_printf (
          text, "%s%s %.0f %%", text->len ? ", " : "", names[i], (double)bytes[i] * 100 / total);
  }
  return g_string_free (text, FALSE);
}

gboolean
bench_placement_known (const char *name)
{
  return g_str_equal (name, "auto") || g_strv_contains (bench_placements (), name);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where payloads go: the one place that knows which placements the library has.
 * "auto" leaves it to the library.
 */
#include "kernel.h"

#include <string.h>

#ifdef HAVE_PLACEMENT

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

/* Which way payload bytes went between two moments. */
char *
bench_placement_bytes (const VyreMegakernelCounters *before, const VyreMegakernelCounters *after)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT " bytes stored, %" G_GUINT64_FORMAT
                          " copied, %" G_GUINT64_FORMAT " read in place",
      after->stored_bytes - before->stored_bytes, after->copied_bytes - before->copied_bytes,
      after->in_place_bytes - before->in_place_bytes);
}

#else

const char *const *
bench_placements (void)
{
  static const char *const none[] = { NULL };

  return none;
}

void
bench_placement_set (VyreMegakernelParams *params, const char *name)
{
}

char *
bench_placement_describe (VyreMegakernel *kernel)
{
  return g_strdup ("unified");
}

char *
bench_placement_bytes (const VyreMegakernelCounters *before, const VyreMegakernelCounters *after)
{
  return NULL;
}

#endif

gboolean
bench_placement_known (const char *name)
{
  return g_str_equal (name, "auto") || g_strv_contains (bench_placements (), name);
}

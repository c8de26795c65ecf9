/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/staging-run.h"

static gboolean
run_set_unfinished (const VyreStagingRun *run, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
      "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " payloads were completed, %" G_GUINT64_FORMAT
      " are in flight. Fix: ask again when the run is over, and look for what was dropped if "
      "nothing is in flight then.",
      run->completed, run->submitted, run->in_flight);
  return FALSE;
}

static gboolean
run_set_failed (const VyreStagingRun *run, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "%" G_GUINT64_FORMAT " failures in a run of %" G_GUINT64_FORMAT
      " payloads. Fix: look for the faults and failed reads that were reported; what failed says "
      "nothing of how it came.",
      run->failed, run->submitted);
  return FALSE;
}

static gboolean
run_set_crowded (const VyreStagingRun *run, const char *producer, GError **error)
{
  g_autofree char *fix
      = run->demand > 0
            ? g_strdup_printf ("set staging-size=%" G_GUINT64_FORMAT " or more", run->demand)
            : g_strdup ("send smaller buffers, or have fewer of them under way");

  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "%" G_GUINT64_FORMAT
      " bytes were copied by the CPU: the staging memory had no room for %" G_GUINT64_FORMAT
      " of them when %s asked for it. Fix: %s.",
      run->bounced_bytes, run->crowded_bytes, producer, fix);
  return FALSE;
}

static gboolean
run_set_scattered (const VyreStagingRun *run, const char *producer, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "%" G_GUINT64_FORMAT " bytes were copied by the CPU: %" G_GUINT64_FORMAT
      " of them came from %s in buffers of several memories. Fix: have it send each buffer in one "
      "memory.",
      run->bounced_bytes, run->scattered_bytes, producer);
  return FALSE;
}

static gboolean
run_set_foreign (const VyreStagingRun *run, const char *producer, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "%" G_GUINT64_FORMAT
      " bytes were copied by the CPU: %s used neither the memory it was offered "
      "nor memory that the device imports. Fix: have %s allocate from the proposed pool or "
      "allocator, in one piece, or send buffers of the import threshold and more.",
      run->bounced_bytes, producer, producer);
  return FALSE;
}

/* Sets the error for the reason that accounts for most of the bytes. */
static gboolean
run_set_bounced (const VyreStagingRun *run, const char *producer, GError **error)
{
  guint64 foreign
      = run->bounced_bytes - MIN (run->crowded_bytes + run->scattered_bytes, run->bounced_bytes);

  if (run->crowded_bytes > 0 && run->crowded_bytes >= MAX (run->scattered_bytes, foreign))
    return run_set_crowded (run, producer, error);
  if (run->scattered_bytes > 0 && run->scattered_bytes >= foreign)
    return run_set_scattered (run, producer, error);
  return run_set_foreign (run, producer, error);
}

gboolean
vyre_staging_run_check (const VyreStagingRun *run, const char *producer, GError **error)
{
  if (run->in_flight > 0 || run->completed != run->submitted)
    return run_set_unfinished (run, error);
  if (run->failed > 0)
    return run_set_failed (run, error);
  if (run->bounced_bytes > 0)
    return run_set_bounced (run, producer ? producer : "the producer", error);
  return TRUE;
}

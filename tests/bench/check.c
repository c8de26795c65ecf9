/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

/* Counts a check, and keeps the words of the first that failed; returns @fine. */
gboolean
bench_check (BenchCheck *check, gboolean fine, const char *format, ...)
{
  va_list list;

  check->done++;
  if (fine)
    return TRUE;
  check->failed++;
  if (check->first)
    return FALSE;
  va_start (list, format);
  check->first = g_strdup_vprintf (format, list);
  va_end (list);
  return FALSE;
}

/* No error is a check that passed; takes @error. */
gboolean
bench_check_error (BenchCheck *check, GError *error)
{
  gboolean fine = bench_check (check, !error, "%s", error ? error->message : "");

  g_clear_error (&error);
  return fine;
}

/* A row that checked nothing proved nothing. */
gboolean
bench_check_passed (const BenchCheck *check)
{
  return check->done > 0 && check->failed == 0;
}

void
bench_check_clear (BenchCheck *check)
{
  g_free (check->first);
  *check = (BenchCheck){ 0 };
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fio.h"

#include <math.h>

#include "bench.h"

/* Of fio's terse output, version 3, from 0. */
enum {
  FIELD_ERROR = 4,
  FIELD_KIB = 5,
  FIELD_KIB_PER_SECOND = 6,
  FIELD_MS = 8,
  FIELD_USER = 87, /* %, with the sign */
  FIELD_SYSTEM = 88,
  N_FIELDS
};

gboolean
bench_fio_found (void)
{
  g_autofree char *path = g_find_program_in_path ("fio");

  return path != NULL;
}

static double
number (char **fields, guint field)
{
  return g_ascii_strtod (fields[field], NULL);
}

static BenchFioResult
parse (BenchCheck *check, const char *output)
{
  g_auto (GStrv) fields = g_strsplit (output, ";", -1);

  if (!bench_check (check, g_strv_length (fields) >= N_FIELDS && number (fields, FIELD_ERROR) == 0,
          "fio says '%s'", output))
    return (BenchFioResult){ NAN, NAN };
  double seconds = number (fields, FIELD_MS) / 1000, bytes = number (fields, FIELD_KIB) * 1024;
  double busy = (number (fields, FIELD_USER) + number (fields, FIELD_SYSTEM)) / 100;
  return (BenchFioResult){ bytes / seconds, busy * seconds / bytes };
}

/* Once through the file, with memory and file registered. Its memory is aligned as ours is: 16
 * bytes into a page, where malloc() puts it, some CPUs copy at an eighth of the speed. */
BenchFioResult
bench_fio_read (BenchCheck *check, const char *path, gsize blocksize, guint depth, gboolean direct)
{
  g_autofree char *command = g_strdup_printf (
      "fio --name=read --rw=read --ioengine=io_uring --fixedbufs=1 --registerfiles=1 "
      "--invalidate=0 --iomem_align=4096 "
      "--output-format=terse --terse-version=3 --filename=%s --bs=%zu "
      "--iodepth=%u --direct=%d",
      path, blocksize, depth, direct);
  g_autofree char *output = NULL;
  GError *error = NULL;

  if (!g_spawn_command_line_sync (command, &output, NULL, NULL, &error)) {
    bench_check_error (check, error);
    return (BenchFioResult){ NAN, NAN };
  }
  return parse (check, output);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process with a limit on its memory: an allocation beyond the limit is an error, and the
 * process lives.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "vyre/vyre.h"

#define ROOM (16 << 20)

static void
limit_memory (void)
{
  FILE *file = fopen ("/proc/self/statm", "re");
  unsigned long pages;

  g_assert_nonnull (file);
  g_assert_cmpint (fscanf (file, "%lu", &pages), ==, 1);
  fclose (file);
  rlim_t most = pages * (rlim_t)sysconf (_SC_PAGESIZE) + ROOM;
  g_assert_cmpint (setrlimit (RLIMIT_AS, &(struct rlimit){ most, RLIM_INFINITY }), ==, 0);
}

static void
allow_memory (void)
{
  const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

  g_assert_cmpint (setrlimit (RLIMIT_AS, &none), ==, 0);
}

static void
assert_no_space (GError **error)
{
  g_assert_error (*error, VYRE_ERROR, VYRE_ERROR_NO_SPACE);
  g_assert_nonnull (strstr ((*error)->message, "Fix: "));
  g_clear_error (error);
}

static void
test_parts (void)
{
  GError *error = NULL;
  gsize length;

  limit_memory ();
  g_assert_null (vyre_encode_empty (VYRE_PART_RING, VYRE_ENCODE_MAX, &length, &error));
  assert_no_space (&error);
  g_assert_null (vyre_duplicate (&error, G_MAXSIZE / 2, &error));
  assert_no_space (&error);
  g_assert_null (vyre_alloc (G_MAXSIZE, G_MAXSIZE, &error));
  assert_no_space (&error);
  allow_memory ();
}

/* A readback that cannot take a batch keeps all of the batch before. */
static void
test_readback (void)
{
  g_autofree guint8 *bytes = g_malloc (64 * VYRE_ENCODE_MAX);
  gsize lengths[VYRE_N_PARTS]
      = { 4 * (VYRE_CONTROL_OBSERVABLES + 4), 64, 4 * VYRE_DEBUG_WORDS, 4 * VYRE_IO_WORDS },
      length;
  const void *const parts[VYRE_N_PARTS] = { bytes, bytes, bytes, bytes };
  VyreReadback *readback = vyre_readback_new ();
  GError *error = NULL;

  memset (bytes, 0x5A, 64 * VYRE_ENCODE_MAX);
  vyre_readback_fill (readback, parts, lengths, VYRE_N_PARTS, 1, &error);
  g_assert_no_error (error);
  g_autofree guint8 *before = g_memdup2 (bytes, lengths[VYRE_PART_CONTROL]);
  memset (bytes, 0xA5, lengths[VYRE_PART_CONTROL]);
  const gsize larger[VYRE_N_PARTS] = { 4 * (VYRE_CONTROL_OBSERVABLES + 5), 64 * VYRE_ENCODE_MAX,
    4 * VYRE_DEBUG_WORDS, 4 * VYRE_IO_WORDS };
  limit_memory ();
  g_assert_false (
      vyre_readback_fill (readback, parts, larger, VYRE_N_PARTS, VYRE_ENCODE_MAX, &error));
  assert_no_space (&error);
  allow_memory ();
  const guint8 *control = vyre_readback_get_part (readback, VYRE_PART_CONTROL, &length);
  g_assert_cmpmem (control, length, before, lengths[VYRE_PART_CONTROL]);
  g_assert_cmpuint (vyre_readback_get_n_slots (readback), ==, 1);
  vyre_readback_free (readback);
}

static void
test_programs (void)
{
  GError *error = NULL;
  g_autoptr (VyreProgram) program = vyre_program_from_string ("nop", &error);

  limit_memory ();
  g_assert_null (vyre_program_bind (program, NULL, 0, VYRE_ENCODE_MAX, 0, &error));
  assert_no_space (&error);
  allow_memory ();
  g_autoptr (VyreBoundProgram) bound
      = vyre_program_bind (program, NULL, 0, VYRE_ENCODE_MAX / 2, 0, &error);
  g_assert_no_error (error);
  limit_memory ();
  g_assert_null (vyre_plan_new (bound, 0, 8, NULL, &error));
  assert_no_space (&error);
  allow_memory ();
}

static void
test_batches_of_bytes (void)
{
  VyreParts parts = { 0 };
  guint8 *data[VYRE_N_PARTS];
  const guint counts[] = { 16, VYRE_ENCODE_MAX / 2, VYRE_DEBUG_RECORDS, VYRE_IO_SLOTS };
  GError *error = NULL;

  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    parts.data[part] = data[part]
        = vyre_encode_empty (part, counts[part], &parts.size[part], &error);
    g_assert_no_error (error);
  }
  VyreReadback *readback = vyre_readback_new ();
  limit_memory ();
  g_assert_null (vyre_plan_new_from_parts (&parts, 0, 8, &error));
  assert_no_space (&error);
  g_assert_false (vyre_readback_fill (
      readback, (const void *const *)data, parts.size, VYRE_N_PARTS, counts[1], &error));
  assert_no_space (&error);
  g_assert_true (vyre_readback_is_empty (readback));
  allow_memory ();
  g_assert_true (vyre_readback_fill (
      readback, (const void *const *)data, parts.size, VYRE_N_PARTS, counts[1], &error));
  vyre_readback_free (readback);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    g_free (data[part]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/no-memory/parts", test_parts);
  g_test_add_func ("/no-memory/readback", test_readback);
  g_test_add_func ("/no-memory/programs", test_programs);
  g_test_add_func ("/no-memory/batches-of-bytes", test_batches_of_bytes);
  return g_test_run ();
}

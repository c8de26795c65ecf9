/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A kernel and a folder for tests of programs that use files.
 */
#pragma once

#include "resources-common.h"

#include <glib/gstdio.h>

typedef struct {
  TestKernel t;
  char *dir;
  VyreResourceCounters before;
} Fixture;

static inline void
set_up_on (Fixture *f, const TestKernel *t)
{
  GError *error = NULL;

  f->t = *t;
  f->dir = g_dir_make_tmp ("vyre-resources-XXXXXX", &error);
  g_assert_no_error (error);
  vyre_megakernel_get_resource_counters (t->kernel, &f->before);
}

static inline void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (f->dir, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (f->dir, name, NULL);
    g_remove (path);
  }
  g_rmdir (f->dir);
  g_free (f->dir);
}

static inline char *
path_of (const Fixture *f, guint id)
{
  return make_path (f->dir, id);
}

static inline void
make_file (const Fixture *f, guint id, guint n_words)
{
  g_autofree char *path = path_of (f, id);

  write_words (path, id, n_words);
}

/* Counters since the test began. */
static inline VyreResourceCounters
counters_of (Fixture *f)
{
  VyreResourceCounters counters;
  guint64 *now = (guint64 *)&counters;
  const guint64 *before = (const guint64 *)&f->before;

  vyre_megakernel_get_resource_counters (f->t.kernel, &counters);
  for (guint i = 0; i < sizeof counters / sizeof *now; i++)
    now[i] -= before[i];
  return counters;
}

static inline VyrePlan *plan_of (Fixture *f, gsize size, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static inline VyrePlan *
plan_of (Fixture *f, gsize size, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  return test_plan (&f->t, text, size, 0, 0);
}

static inline VyreBatch *
run (Fixture *f, VyrePlan *plan, guint32 tag)
{
  VyrePayload none = { 0 };

  return test_run (&f->t, plan, tag, &none);
}

/* Expects that every slot is DONE and counted once, and that the fence ran last. */
static inline void
assert_through (VyreBatch *batch, const VyrePlan *plan, guint32 tag)
{
  const guint8 *readback = vyre_batch_get_readback (batch);
  guint n = vyre_plan_get_bound_program (plan)->n_slots;

  for (guint slot = 0; slot < n; slot++)
    g_assert_cmpuint (status_of (batch, plan, slot), ==, VYRE_STATUS_DONE);
  g_assert_cmpuint (vyre_read_word (readback, VYRE_CONTROL_DONE_COUNT), ==, n);
  g_assert_cmpuint (vyre_read_word (readback, VYRE_CONTROL_EPOCH), ==, 1);
  g_assert_cmpuint (test_observable (batch, 0), ==, tag);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  g_assert_null (vyre_batch_get_io_error (batch));
}

static inline void
assert_words (VyreBatch *batch, guint observable, guint id, guint first, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_cmphex (test_observable (batch, observable + i), ==, word_of (id, first + i));
}

static inline gsize
read_words (const char *path, guint32 **words)
{
  char *bytes;
  gsize size;
  GError *error = NULL;

  g_file_get_contents (path, &bytes, &size, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (size % 4, ==, 0);
  *words = (guint32 *)bytes;
  return size / 4;
}

static inline void
open_kernel (TestKernel *t, gsize resource_size)
{
  VyreMegakernelParams params = test_params ();

  params.resource_size = resource_size;
  test_kernel_open (t, &params);
}

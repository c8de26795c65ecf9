/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A megakernel for tests, and plain-C oracles for the payload opcodes.
 */
#pragma once

#include <glib.h>
#include <string.h>
#include <zlib.h>

#include "age.h"
#include "vyre/vyre.h"

#define TEST_DEADLINE (20 * G_TIME_SPAN_SECOND)

/* The deadline of a batch that may be the first of its kind: drivers compile as late as they can,
 * which takes minutes where a core has half of its time. */
#define TEST_COMPILE_DEADLINE (240 * G_TIME_SPAN_SECOND)

typedef struct {
  VyreDevice *device;
  VyreMegakernel *kernel;
} TestKernel;

/* Returns @thoroughly with VYRE_TEST_THOROUGH set, otherwise @usually. */
static inline guint
test_times (guint usually, guint thoroughly)
{
  return g_getenv ("VYRE_TEST_THOROUGH") ? thoroughly : usually;
}

/* The residency under test, from VYRE_TEST_RESIDENCY. */
static inline VyreResidency
test_residency (void)
{
  const char *wanted = g_getenv ("VYRE_TEST_RESIDENCY");

  for (VyreResidency r = VYRE_RESIDENCY_AUTO; wanted && r <= VYRE_RESIDENCY_DISPATCH; r++) {
    if (g_str_equal (wanted, vyre_residency_name (r)))
      return r;
  }
  return VYRE_RESIDENCY_AUTO;
}

/* FALSE where a set-up asks for a kernel that stays: SwiftShader, on which it runs, keeps nothing
 * of what it compiled, and takes most of a minute for another kernel with all of its extras. */
static inline gboolean
test_has_another_kernel (void)
{
  return test_residency () != VYRE_RESIDENCY_PERSISTENT;
}

/* The placement under test, from VYRE_TEST_PLACEMENT. */
static inline VyrePlacement
test_placement (void)
{
  const char *wanted = g_getenv ("VYRE_TEST_PLACEMENT");

  for (VyrePlacement p = VYRE_PLACEMENT_AUTO; wanted && p <= VYRE_PLACEMENT_SPLIT; p++) {
    if (g_str_equal (wanted, vyre_placement_name (p)))
      return p;
  }
  return VYRE_PLACEMENT_AUTO;
}

/* The time that a batch may hold the device, from VYRE_TEST_BATCH_TIME. */
static inline guint64
test_batch_time (void)
{
  const char *wanted = g_getenv ("VYRE_TEST_BATCH_TIME");

  return wanted ? g_ascii_strtoull (wanted, NULL, 10) : 0;
}

static inline VyreMegakernelParams
test_params (void)
{
  return (VyreMegakernelParams){
    .residency = test_residency (),
    .placement = test_placement (),
    .staging_size = 80 << 20,
    .readback_size = 32 << 20,
    .idle_timeout = 50 * 1000 * 1000,
    .lease = 100 * 1000 * 1000,
    .max_batch_time = test_batch_time (),
  };
}

static inline void
test_kernel_open (TestKernel *t, const VyreMegakernelParams *params)
{
  GError *error = NULL;

  t->device = vyre_device_open ("auto", &error);
  g_assert_no_error (error);
  t->kernel = vyre_megakernel_new (t->device, params, &error);
  g_assert_no_error (error);
  g_test_message ("%s, %s: %s", vyre_device_get_name (t->device),
      vyre_residency_name (vyre_megakernel_get_residency (t->kernel)),
      vyre_megakernel_get_verdict (t->kernel));
  age_kernel (t->kernel);
  vyre_megakernel_set_active (t->kernel, TRUE);
}

static inline void
test_kernel_close (TestKernel *t)
{
  vyre_megakernel_set_active (t->kernel, FALSE);
  vyre_megakernel_unref (t->kernel);
  vyre_device_unref (t->device);
}

static inline VyreMegakernelCounters
test_counters (TestKernel *t)
{
  VyreMegakernelCounters counters;

  vyre_megakernel_get_counters (t->kernel, &counters);
  return counters;
}

/* A payload's release function, which adds 1 to the gint that owns the payload. */
static inline void
test_count_release (gpointer owner)
{
  g_atomic_int_inc ((gint *)owner);
}

static inline VyrePlan *
test_plan (TestKernel *t, const char *text, gsize size, guint slots, guint observables)
{
  GError *error = NULL;
  g_autoptr (VyreProgram) program = vyre_program_from_string (text, &error);
  g_assert_no_error (error);
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  g_autoptr (VyreBoundProgram) bound
      = vyre_program_bind (program, symbols, size, slots, observables, &error);
  g_assert_no_error (error);
  g_autoptr (VyreAccess) access = vyre_access_new (VYRE_ACCESS_ALL, NULL, &error);
  VyrePlan *plan
      = vyre_plan_new (bound, size, vyre_megakernel_get_workgroup (t->kernel), access, &error);
  g_assert_no_error (error);
  return plan;
}

/* Stages a copy of @data at an offset of @shift granules into its slice. */
static inline VyrePayload
test_stage (TestKernel *t, const guint8 *data, gsize size, guint shift, gsize *slice)
{
  VyreStore *store = vyre_megakernel_get_staging (t->kernel);

  g_assert_true (vyre_store_alloc (
      store, size + (shift + 1) * VYRE_GRANULE, g_get_monotonic_time () + TEST_DEADLINE, slice));
  VyrePayload payload = { .offset = *slice + shift * VYRE_GRANULE };
  if (size)
    memcpy (vyre_store_get_data (store) + payload.offset, data, size);
  /* bytes behind the payload must not count */
  memset (vyre_store_get_data (store) + payload.offset + size, 0xA5, VYRE_GRANULE);
  return payload;
}

/* Waits for a batch, whose kernel may have to be compiled first. */
static inline void
test_wait (VyreBatch *batch)
{
  GError *error = NULL;

  vyre_batch_wait (batch, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  g_assert_no_error (error);
}

/* Waits for a batch of which every slot runs over all of its bytes. */
static inline void
test_wait_through (VyreBatch *batch)
{
  GError *error = NULL;

  test_wait (batch);
  vyre_batch_check (batch, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
}

/* Runs one batch and waits for it. */
static inline VyreBatch *
test_run (TestKernel *t, VyrePlan *plan, guint32 tag, const VyrePayload *payload)
{
  GError *error = NULL;
  gint64 end = g_get_monotonic_time () + TEST_COMPILE_DEADLINE;
  VyreBatch *batch = vyre_megakernel_publish (t->kernel, plan, tag, payload, end, &error);

  g_assert_no_error (error);
  test_wait (batch);
  return batch;
}

/* Runs @text over @data; the caller frees the batch. */
static inline VyreBatch *
test_run_text (TestKernel *t, const char *text, const guint8 *data, gsize size)
{
  g_autoptr (VyrePlan) plan = test_plan (t, text, size, 0, 0);
  gsize slice;
  VyrePayload payload = test_stage (t, data, size, 0, &slice);
  VyreBatch *batch = test_run (t, plan, 1, &payload);

  vyre_store_free (vyre_megakernel_get_staging (t->kernel), slice);
  return batch;
}

static inline guint32
test_observable (VyreBatch *batch, guint index)
{
  return vyre_read_word (vyre_batch_get_readback (batch), VYRE_CONTROL_OBSERVABLES + index);
}

/* Runs the single slot of @text, which has to fault: it ends as such, is counted, reads nothing and
 * changes none of @n observables. */
static inline void
test_fault (TestKernel *t, const char *text, gsize size, guint n)
{
  g_autofree guint8 *data = g_malloc (size);
  gsize slice;

  memset (data, 0x5A, size);
  g_test_message ("%s", text);
  g_autoptr (VyrePlan) plan = test_plan (t, text, size, 0, n);
  VyrePayload payload = test_stage (t, data, size, 0, &slice);
  g_autoptr (VyreBatch) batch = test_run (t, plan, 0, &payload);
  const guint8 *readback = vyre_batch_get_readback (batch);
  const guint8 *ring = readback + vyre_plan_get_layout (plan)->offset[VYRE_PART_RING];
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 1);
  g_assert_cmpuint (vyre_read_word (ring, VYRE_SLOT_STATUS), ==, VYRE_STATUS_FAULT);
  g_assert_cmpuint (vyre_read_word (readback, VYRE_CONTROL_DONE_COUNT), ==, 2);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, 0);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (test_observable (batch, i), ==, 0);
  vyre_store_free (vyre_megakernel_get_staging (t->kernel), slice);
}

/* The checksums, by the names of their opcodes, as zlib computes them. */
static const struct {
  const char *opcode;
  uLong (*update) (uLong checksum, const Bytef *bytes, uInt size);
} test_checksums[] = {
  { "crc32", crc32 },
  { "adler32", adler32 },
};

/* The checksum with index @index over the bytes of a region, row by row. */
static inline guint32
test_checksum (guint index, const guint8 *data, const VyreRegion *r)
{
  uLong checksum = test_checksums[index].update (0, NULL, 0);

  for (guint32 row = 0; row < r->rows; row++)
    checksum = test_checksums[index].update (
        checksum, data + r->offset + (gsize)row * r->stride, r->width);
  return (guint32)checksum;
}

typedef struct {
  guint64 count, min, max, sum, squares, below;
  guint64 bins[256];
  guint32 crc;
} TestOracle;

/* Computes the results of the payload opcodes over a region. */
static inline void
test_oracle (TestOracle *o, const guint8 *data, const VyreRegion *r, guint threshold)
{
  *o = (TestOracle){ .min = 255, .crc = (guint32)crc32 (0, NULL, 0) };
  for (guint32 row = 0; row < r->rows; row++) {
    const guint8 *p = data + r->offset + (gsize)row * r->stride;
    o->crc = (guint32)crc32 (o->crc, p, r->width);
    for (guint32 i = 0; i < r->width; i++) {
      o->count++;
      o->min = MIN (o->min, p[i]);
      o->max = MAX (o->max, p[i]);
      o->sum += p[i];
      o->squares += p[i] * p[i];
      o->below += p[i] < threshold;
      o->bins[p[i]]++;
    }
  }
}

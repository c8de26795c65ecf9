/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Staging memory that follows need: nothing of an idle kernel's is resident, steps of it are pinned
 * when a device or a file wants them, and what is free goes back to Linux.
 */
#include "kernel-common.h"

#include <sys/mman.h>

#include "base/pins.h"
#include "device/store-private.h"

#define MIB ((gsize)1 << 20)
#define PAGE ((gsize)4096)

/* Bytes of the store that are in memory now. */
static gsize
count_resident (VyreStore *store)
{
  gsize n = vyre_store_get_size (store) / PAGE, resident = 0;
  g_autofree unsigned char *pages = g_malloc (n);

  g_assert_cmpint (mincore (vyre_store_get_data (store), n * PAGE, pages), ==, 0);
  for (gsize i = 0; i < n; i++)
    resident += pages[i] & 1 ? PAGE : 0;
  return resident;
}

/* TRUE if the pages of the store are the process' own, and nothing has to keep them. */
static gboolean
can_be_trimmed (const TestKernel *test)
{
  VyreStore *staging = vyre_megakernel_get_staging (test->kernel);

  return vyre_store_survives_loss (staging)
         && (vyre_device_is_cpu (test->device) || vyre_store_get_steps (staging));
}

static void
open_kernel (TestKernel *test)
{
  const VyreMegakernelParams params = test_params ();

  test_kernel_open (test, &params);
}

/* A rest of the kernel begins behind a batch. */
static void
run_batch (TestKernel *test)
{
  vyre_batch_free (test_run_text (test, "nop", NULL, 0));
}

/* Linux may give a slice more pages around it than it touches. */
static gboolean
is_resident (VyreStore *store, gsize bytes)
{
  gsize resident = count_resident (store);

  return resident >= bytes && resident - bytes < (bytes > 0 ? 2 * MIB : 1);
}

static void
await_resident (VyreStore *store, gsize bytes)
{
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;

  while (!is_resident (store, bytes) && g_get_monotonic_time () < end)
    g_usleep (5000);
  g_assert_true (is_resident (store, bytes));
}

/* The proof uses some, and gives it back. */
static void
test_idle (void)
{
  TestKernel test;

  open_kernel (&test);
  VyreStore *staging = vyre_megakernel_get_staging (test.kernel);
  g_assert_cmpuint (vyre_store_get_pinned (staging), ==, 0);
  if (can_be_trimmed (&test))
    g_assert_cmpuint (count_resident (staging), ==, 0);
  test_kernel_close (&test);
}

/* After a while without a batch, what no slice holds goes back; what one holds stays as it is. */
static void
test_trimmed (void)
{
  TestKernel test;
  gsize kept, freed;

  open_kernel (&test);
  VyreStore *staging = vyre_megakernel_get_staging (test.kernel);
  if (can_be_trimmed (&test)) {
    g_assert_true (vyre_store_alloc (staging, 20 * MIB, 0, &freed));
    g_assert_true (vyre_store_alloc (staging, PAGE, 0, &kept));
    memset (vyre_store_get_data (staging) + freed, 1, 20 * MIB);
    memset (vyre_store_get_data (staging) + kept, 2, PAGE);
    vyre_store_free (staging, freed);
    run_batch (&test);
    gsize step = kept / VYRE_PIN_STEP * VYRE_PIN_STEP;
    await_resident (staging, kept + PAGE - step); /* whole steps alone */
    g_assert_cmpint (vyre_store_get_data (staging)[kept + PAGE - 1], ==, 2);
    g_assert_cmpint (vyre_store_get_data (staging)[0], ==, 0);
    vyre_store_free (staging, kept);
    run_batch (&test);
    await_resident (staging, 0);
  }
  test_kernel_close (&test);
}

/* Steps that somebody has pinned stay. */
static void
test_pinned (void)
{
  TestKernel test;
  gsize slice;

  open_kernel (&test);
  VyreStore *staging = vyre_megakernel_get_staging (test.kernel);
  guint8 *data = vyre_store_get_data (staging);
  if (can_be_trimmed (&test)) {
    g_assert_true (vyre_store_alloc (staging, 3 * VYRE_PIN_STEP, 0, &slice));
    memset (data + slice, 1, 3 * VYRE_PIN_STEP);
    vyre_store_free (staging, slice);
    vyre_pins_add (data + VYRE_PIN_STEP, VYRE_PIN_STEP, &test);
    g_assert_cmpuint (vyre_store_get_pinned (staging), ==, VYRE_PIN_STEP);
    run_batch (&test);
    await_resident (staging, VYRE_PIN_STEP);
    g_assert_cmpint (data[VYRE_PIN_STEP], ==, 1);
    vyre_pins_forget (&test);
    g_assert_cmpuint (vyre_store_get_pinned (staging), ==, 0);
    run_batch (&test);
    await_resident (staging, 0);
  }
  test_kernel_close (&test);
}

/* A store of steps is imported where a slice is copied from, each step once. */
static void
test_imported (void)
{
  VyreDevice *device = vyre_device_open ("auto", NULL);
  gsize size = 5 * VYRE_PIN_STEP / 2, first, second;
  VyreStore *store = vyre_store_new_kind (device, size, 0, PAGE, VYRE_BUFFER_STEPS, NULL);
  VyreSteps *steps = vyre_store_get_steps (store);

  g_assert_nonnull (store);
  if (steps) {
    g_assert_null (vyre_store_get_buffer (store));
    g_assert_true (vyre_store_alloc (store, VYRE_PIN_STEP + PAGE, 0, &first));
    g_assert_true (vyre_store_alloc (store, VYRE_PIN_STEP, 0, &second));
    g_assert_cmpuint (vyre_store_get_pinned (store), ==, 0);
    g_assert_true (vyre_steps_import (steps, first, VYRE_PIN_STEP, NULL));
    g_assert_cmpuint (vyre_store_get_pinned (store), ==, VYRE_PIN_STEP);
    VkBuffer buffer = vyre_steps_get_buffer (steps, first);
    g_assert_true (vyre_steps_import (steps, first, VYRE_PIN_STEP + 1, NULL));
    g_assert_cmpuint (vyre_store_get_pinned (store), ==, 2 * VYRE_PIN_STEP);
    g_assert_true (vyre_steps_get_buffer (steps, first) == buffer);
    g_assert_true (vyre_steps_get_buffer (steps, VYRE_PIN_STEP) != buffer);
    g_assert_true (vyre_steps_import (steps, second, VYRE_PIN_STEP, NULL));
    g_assert_cmpuint (vyre_store_get_pinned (store), ==, size);
    vyre_store_free (store, first);
    vyre_store_trim (store, FALSE); /* copies may be under way */
    g_assert_cmpuint (vyre_store_get_pinned (store), ==, size);
    vyre_store_trim (store, TRUE);
    g_assert_cmpuint (vyre_store_get_pinned (store), ==, size - VYRE_PIN_STEP);
    g_assert_true (vyre_steps_import (steps, first, PAGE, NULL));
    g_assert_cmpuint (vyre_store_get_pinned (store), ==, size);
    vyre_store_free (store, second);
  }
  vyre_store_unref (store);
  vyre_device_unref (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/staging/idle", test_idle);
  g_test_add_func ("/staging/trimmed", test_trimmed);
  g_test_add_func ("/staging/pinned", test_pinned);
  g_test_add_func ("/staging/imported", test_imported);
  return g_test_run ();
}

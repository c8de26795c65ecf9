/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Advice in errors: the call that failed works with the numbers that its error names.
 */
#include "kernel-common.h"

/* Takes @error and returns the number behind @words in its message. */
static gsize
take_number (GError *error, const char *words)
{
  g_assert_nonnull (error);
  const char *at = strstr (error->message, words);
  if (!at)
    g_error ("'%s' is not in '%s'", words, error->message);
  gsize number = g_ascii_strtoull (at + strlen (words), NULL, 10);
  g_error_free (error);
  return number;
}

static void
test_store (void)
{
  GError *error = NULL;
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);

  g_assert_no_error (error);
  gsize asked = vyre_device_get_max_payload (device) + 1;
  g_assert_null (vyre_store_new (device, asked, 4096, &error));
  gsize most = take_number (g_steal_pointer (&error), "ask for at most ");
  g_autoptr (VyreStore) store = vyre_store_new (device, most, 4096, &error);
  if (!store) /* the machine may lack so much memory, but the call may ask for it */
    g_assert_false (g_error_matches (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE));
  else
    g_assert_cmpuint (vyre_store_get_size (store), ==, most);
  g_clear_error (&error);
}

/* A store has room for as many bytes as were asked for, although it consists of whole pages. */
static void
test_kernel (void)
{
  GError *error = NULL;
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);
  VyreMegakernelParams params = test_params ();

  g_assert_no_error (error);
  params.staging_size = 4096;
  g_assert_null (vyre_megakernel_new (device, &params, &error));
  params.staging_size = take_number (g_steal_pointer (&error), "use at least ") + 1;
  g_autoptr (VyreMegakernel) kernel = vyre_megakernel_new (device, &params, &error);
  g_assert_no_error (error);
  VyreStore *store = vyre_megakernel_get_staging (kernel);
  g_assert_cmpuint (vyre_store_get_size (store), >=, params.staging_size);
  gsize offset;
  g_assert_true (vyre_store_alloc (store, params.staging_size, 0, &offset));
  vyre_store_free (store, offset);
}

/* A payload outside of the staging memory, which publishing stores. */
static void
test_payload (void)
{
  VyreMegakernelParams params = test_params ();
  const gsize size = 100001;
  g_autofree guint8 *data = g_malloc0 (size);
  VyrePayload payload = { .data = data };
  GError *error = NULL;
  TestKernel t;

  params.staging_size = 65536;
  test_kernel_open (&t, &params);
  if (!vyre_megakernel_stores_payload (t.kernel, size)) {
    g_test_skip ("payloads are not stored here");
    test_kernel_close (&t);
    return;
  }
  g_autoptr (VyrePlan) plan = test_plan (&t, "crc32 payload -> 1", size, 0, 0);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  g_assert_null (vyre_megakernel_publish (t.kernel, plan, 1, &payload, end, &error));
  params.staging_size = take_number (g_steal_pointer (&error), "use staging memory of ");
  test_kernel_close (&t);
  test_kernel_open (&t, &params);
  VyreBatch *batch = test_run (&t, plan, 1, &payload);
  g_assert_cmphex (test_observable (batch, 1), ==, crc32 (0, data, (uInt)size));
  vyre_batch_free (batch);
  test_kernel_close (&t);
}

static void
test_parts (void)
{
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    GError *error = NULL;
    gsize length;
    g_autofree guint8 *none = vyre_encode_empty (part, 0, &length, &error);
    guint32 least = none ? 0 : (guint32)take_number (g_steal_pointer (&error), "at least ");
    g_autofree guint8 *some = vyre_encode_empty (part, least, &length, &error);
    g_assert_no_error (error);
    g_assert_nonnull (some);
    g_assert_false (vyre_part_length (part, G_MAXUINT32, &length, &error));
    guint32 longest = (guint32)take_number (g_steal_pointer (&error), "the longest has ");
    g_assert_true (vyre_part_length (part, longest, &length, &error));
    g_assert_no_error (error);
    g_assert_false (vyre_part_length (part, longest + 1, &length, NULL));
  }
}

static void
test_io_queue (void)
{
  GError *error = NULL;

  g_assert_false (vyre_io_queue_validate (1 << 20, &error));
  gsize slots = take_number (g_steal_pointer (&error), "pass at most ");
  g_assert_true (vyre_io_queue_validate (slots * 4 * VYRE_IO_SLOT_WORDS, &error));
  g_assert_no_error (error);
  g_assert_false (vyre_io_queue_validate ((slots + 1) * 4 * VYRE_IO_SLOT_WORDS, NULL));
}

/* The advice names the least number or the limit; a size of 0 needs no advice. */
static void
test_bound_program (void)
{
  static const char *const names[] = { "set slot-count=", "set observable-slots=" };
  GError *error = NULL;
  g_autoptr (VyreProgram) program
      = vyre_program_assemble ("nop; nop; u8_histogram payload -> h", &error);
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();

  g_assert_no_error (error);
  for (guint i = 0; i < 4; i++) {
    guint asked[2] = { 0, 0 };
    asked[i % 2] = i < 2 ? 1 : G_MAXUINT32;
    g_assert_null (vyre_program_bind (program, symbols, 9, asked[0], asked[1], &error));
    asked[i % 2] = (guint)take_number (g_steal_pointer (&error), names[i % 2]);
    g_autoptr (VyreBoundProgram) bound
        = vyre_program_bind (program, symbols, 9, asked[0], asked[1], &error);
    g_assert_no_error (error);
    g_assert_nonnull (bound);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/advice/store", test_store);
  g_test_add_func ("/advice/kernel", test_kernel);
  g_test_add_func ("/advice/payload", test_payload);
  g_test_add_func ("/advice/parts", test_parts);
  g_test_add_func ("/advice/io-queue", test_io_queue);
  g_test_add_func ("/advice/bound-program", test_bound_program);
  return g_test_run ();
}

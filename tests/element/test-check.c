/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A kernel that read less than it was asked to: no result of it goes downstream. Devices that
 * are whole do not do that, so what the library finds out about a batch passes through here.
 */
#include "common.h"
#include "vyre.h"

static gint doubtful;

/* In the place of the library's own. */
gboolean
vyre_batch_check (VyreBatch *batch, GError **error)
{
  if (!g_atomic_int_get (&doubtful))
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
      "The kernel processed 984 of 1000 bytes of a batch. Fix: report the driver.");
  return FALSE;
}

GST_START_TEST (a_result_that_cannot_be_trusted_ends_the_stream)
{
  GstHarness *h = filter_new_with ("crc32 payload -> crc32", "max-in-flight", 1, NULL);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 1000)));
  g_atomic_int_set (&doubtful, TRUE);
  filter_push (h, numbered_buffer (1, 1000));
  bus_assert_error (h, "984 of 1000 bytes");
  while (gst_harness_push (h, numbered_buffer (2, 1000)) == GST_FLOW_OK)
    ;
  fail_unless_equals_int (gst_harness_buffers_received (h), 1);
  fail_unless_equals_uint64 (stat_of (h->element, "batches"), 1);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
check_suite (void)
{
  Suite *s = suite_create ("check");
  TCase *batches = tcase_create ("batches");

  suite_add_tcase (s, batches);
  tcase_add_test (batches, a_result_that_cannot_be_trusted_ends_the_stream);
  return s;
}

GST_CHECK_MAIN (check);

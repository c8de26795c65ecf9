/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Twenty thousand buffers of one stream through everything an application may do to a filter
 * in between. Runs under the leaks tracer, so that whatever is left when the process
 * ends fails the test. VYRE_TEST_SEED repeats a run.
 */
#include "soaker.h"

#define N_BUFFERS 20000

GST_START_TEST (nothing_is_lost_mixed_up_or_leaked)
{
  GstElement *kernel_holder = filter_make (NULL); /* the kernel stays open through NULL */

  gst_element_set_state (kernel_holder, GST_STATE_READY);
  Soaker *soaker = soaker_new (0, soaker_prepare (), N_BUFFERS, SOAKER_RESTLESS);
  soaker_start (soaker);
  soaker_join (soaker);
  fail_unless (soaker_count_received (soaker) > N_BUFFERS / 2, "most buffers were lost");
  soaker_free (soaker);
  gst_element_set_state (kernel_holder, GST_STATE_NULL);
  gst_object_unref (kernel_holder);
}
GST_END_TEST;

static Suite *
soak_suite (void)
{
  Suite *s = suite_create ("soak");
  TCase *tc = tcase_create ("soak");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, nothing_is_lost_mixed_up_or_leaked);
  return s;
}

GST_CHECK_MAIN (soak);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A kernel that read less than it was asked to, or not what was there: it is not taken, and no
 * result of it goes downstream. Devices that are whole do not do that, so what is known about a
 * batch passes through here.
 */
#include "common.h"

#include <dlfcn.h>

#include "vyre/vyre.h"

static gint doubtful;

/* A word of all readbacks that is wrong, or 0; or how many bytes too many were read. */
static guint wrong_word;
static guint wrong_bytes;

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

/* The same; it is looked at before a kernel is taken. */
const VyreCompletion *
vyre_batch_get_completion (VyreBatch *batch)
{
  static const VyreCompletion *(*real) (VyreBatch *);
  static VyreCompletion changed;

  if (!real)
    real = (const VyreCompletion *(*)(VyreBatch *))dlsym (RTLD_NEXT, "vyre_batch_get_completion");
  if (wrong_bytes == 0)
    return real (batch);
  changed = *real (batch);
  changed.payload_bytes += wrong_bytes;
  return &changed;
}

const guint8 *
vyre_batch_get_readback (VyreBatch *batch)
{
  static const guint8 *(*real) (VyreBatch *);

  if (!real)
    real = (const guint8 *(*)(VyreBatch *))dlsym (RTLD_NEXT, "vyre_batch_get_readback");
  guint32 *words = (guint32 *)real (batch);
  if (wrong_word > 0)
    words[wrong_word] ^= 1;
  return (const guint8 *)words;
}

#define STATS_AT (VYRE_CONTROL_OBSERVABLES + 1)

/* The sum of bytes, how many, the number of the batch, and counts: each by itself. */
static const guint proven_words[] = { STATS_AT + VYRE_U8_STATS_COUNT, STATS_AT + VYRE_U8_STATS_SUM,
  STATS_AT + VYRE_U8_STATS_SUM + 1, VYRE_CONTROL_OBSERVABLES, VYRE_CONTROL_DONE_COUNT,
  VYRE_CONTROL_EPOCH };

GST_START_TEST (a_kernel_that_computes_wrong_is_not_taken)
{
  gboolean words = __i__ < (gint)G_N_ELEMENTS (proven_words);
  GstElement *element = filter_make (NULL);
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;

  wrong_word = words ? proven_words[__i__] : 0;
  wrong_bytes = words ? 0 : 16;
  gst_element_set_bus (element, bus);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "stale data") != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  wrong_word = wrong_bytes = 0;
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

GST_START_TEST (a_result_that_cannot_be_trusted_ends_the_stream)
{
  GstHarness *h = filter_new_with ("crc32 payload -> crc32", "max-in-flight", 1, NULL);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 1000)));
  g_atomic_int_set (&doubtful, TRUE);
  GstFlowReturn flow = gst_harness_push (h, numbered_buffer (1, 1000));
  fail_unless (flow == GST_FLOW_OK || flow == GST_FLOW_ERROR); /* the task, or this thread */
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
  tcase_add_loop_test (
      batches, a_kernel_that_computes_wrong_is_not_taken, 0, G_N_ELEMENTS (proven_words) + 1);
  tcase_add_test (batches, a_result_that_cannot_be_trusted_ends_the_stream);
  return s;
}

GST_CHECK_MAIN (check);

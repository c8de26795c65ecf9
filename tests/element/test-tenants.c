/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Elements as tenants of the kernel that they share.
 */
#include "common.h"

#include <dlfcn.h>

#define CHEAP "u8_stats payload -> stats"
#define ALL 2 /* of resource-access */

/* Numbers that a kernel has for tenants. */
#define NUMBERS 1023

/* Entries that the process adds to lists */
static gint n_listed;

/* In front of GLib's, also for libraries. */
void
g_ptr_array_add (GPtrArray *array, gpointer entry)
{
  static gsize real;

  if (g_once_init_enter (&real))
    g_once_init_leave (&real, (gsize)dlsym (RTLD_NEXT, "g_ptr_array_add"));
  g_atomic_int_inc (&n_listed);
  ((void (*) (GPtrArray *, gpointer))real) (array, entry);
}

static guint64
tenant (GstElement *element, const gchar *name)
{
  return stat_nested (element, "tenant", name);
}

static void
assert_label (GstElement *element, const gchar *label)
{
  GstStructure *stats = stats_of (element), *fields = NULL;

  fail_unless (gst_structure_get (stats, "tenant", GST_TYPE_STRUCTURE, &fields, NULL));
  fail_unless_equals_string (gst_structure_get_string (fields, "label"), label);
  gst_structure_free (fields);
  gst_structure_free (stats);
}

/* Each element publishes on a lane of its own: the first batch of each takes places from the
 * kernel, under the lock of all, and the batches behind it do not. */
GST_START_TEST (elements_on_a_kernel_have_lanes_of_their_own)
{
  GstHarness *one = filter_new (CHEAP);
  guint64 lanes = stat_of (one->element, "lanes");
  GstHarness *two = filter_new (CHEAP);

  fail_unless_equals_uint64 (stat_of (one->element, "lanes"), lanes + 1);
  filter_start (one, NULL);
  filter_start (two, NULL);
  guint64 locked = stat_of (one->element, "locked-batches");
  for (guint i = 0; i < 20; i++) {
    gst_buffer_unref (filter_run (one, numbered_buffer (i, 100)));
    gst_buffer_unref (filter_run (two, numbered_buffer (i, 100)));
  }
  locked = stat_of (one->element, "locked-batches") - locked;
  fail_unless (locked >= 2, "%" G_GUINT64_FORMAT " batches", locked);
  fail_unless (locked < 10, "%" G_GUINT64_FORMAT " batches", locked);
  filter_finish (two);
  fail_unless_equals_uint64 (stat_of (one->element, "lanes"), lanes);
  filter_finish (one);
}
GST_END_TEST;

GST_START_TEST (elements_on_a_kernel_are_tenants_of_their_own)
{
  GstHarness *one = filter_new (CHEAP);
  guint64 others = stat_of (one->element, "kernel-tenants");
  GstHarness *two = filter_new (CHEAP);

  fail_unless_equals_uint64 (stat_of (one->element, "kernel-tenants"), others + 1);
  fail_unless (tenant (one->element, "id") > 0);
  fail_unless (tenant (two->element, "id") > tenant (one->element, "id"));
  gchar *name = gst_element_get_name (two->element);
  assert_label (two->element, name);
  g_free (name);
  filter_start (one, NULL);
  filter_start (two, NULL);
  for (guint i = 0; i < 7; i++)
    gst_buffer_unref (filter_run (one, numbered_buffer (i, 100)));
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (filter_run (two, numbered_buffer (i, 100)));
  stat_wait_quiet (one->element);
  stat_wait_quiet (two->element);
  fail_unless_equals_uint64 (tenant (one->element, "published"), 7);
  fail_unless_equals_uint64 (tenant (one->element, "drained"), 7);
  fail_unless_equals_uint64 (tenant (two->element, "drained"), 3);
  gst_element_set_state (two->element, GST_STATE_NULL);
  fail_unless_equals_uint64 (stat_of (one->element, "kernel-tenants"), others);
  assert_label (two->element, "none");
  filter_finish (two);
  filter_finish (one);
}
GST_END_TEST;

/* Runs a buffer, and returns the message behind it. */
static GstMessage *
run_for_counters (GstHarness *h)
{
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 100)));
  return bus_wait_element (h, "vyre-counters");
}

static guint64
lanes_in_message (GstHarness *h)
{
  GstMessage *message = run_for_counters (h);
  guint64 lanes = field_u64 (gst_message_get_structure (message), "lanes");

  gst_message_unref (message);
  return lanes;
}

static guint64
hits_in_message (GstHarness *h)
{
  GstMessage *message = run_for_counters (h);
  GstStructure *resources = NULL;

  fail_unless (gst_structure_get (
      gst_message_get_structure (message), "resources", GST_TYPE_STRUCTURE, &resources, NULL));
  guint64 hits = field_u64 (resources, "hits");
  gst_structure_free (resources);
  gst_message_unref (message);
  return hits;
}

/* A message has the kernel as it was counted for another element a moment ago, when it had a lane
 * less. A busy machine may be too slow for that moment, but not each time. */
GST_START_TEST (elements_that_post_together_share_a_count)
{
  GstHarness *one = filter_new (CHEAP);
  GstHarness *two = filter_new_with (CHEAP, "interval", G_GUINT64_CONSTANT (0), NULL);
  gboolean shared = FALSE;

  filter_start (two, NULL);
  gst_buffer_unref (
      filter_run (two, numbered_buffer (0, 100))); /* no message comes with the first */
  for (guint i = 0; i < 100 && !shared; i++) {
    guint64 lanes = stat_of (one->element, "lanes");
    GstHarness *three = filter_new (CHEAP);
    shared = lanes_in_message (two) == lanes;
    fail_unless_equals_uint64 (stat_of (two->element, "lanes"), lanes + 1);
    /* that count was for itself, so the next one is anew */
    fail_unless_equals_uint64 (lanes_in_message (two), lanes + 1);
    filter_finish (three);
  }
  fail_unless (shared);
  filter_finish (two);
  filter_finish (one);
}
GST_END_TEST;

/* So are the files that the kernel loaded, and all else that has a lock of its own. */
GST_START_TEST (elements_that_post_together_share_a_count_of_files)
{
  GstHarness *one = filter_new (CHEAP);
  GstHarness *two = filter_new_with (CHEAP, "interval", G_GUINT64_CONSTANT (0), NULL);
  GstHarness *three
      = filter_new_with ("resource env = file \"/usr/bin/env\"; load_words env, 0, 1 -> word",
          "resource-access", ALL, NULL);
  gboolean shared = FALSE;

  filter_start (two, NULL);
  filter_start (three, NULL);
  gst_buffer_unref (
      filter_run (two, numbered_buffer (0, 100))); /* no message comes with the first */
  for (guint i = 0; i < 100 && !shared; i++) {
    guint64 hits = stat_nested (one->element, "resources", "hits");
    gst_buffer_unref (filter_run (three, numbered_buffer (0, 100)));
    shared = hits_in_message (two) == hits;
    fail_unless_equals_uint64 (stat_nested (two->element, "resources", "hits"), hits + 1);
    fail_unless_equals_uint64 (hits_in_message (two), hits + 1);
  }
  fail_unless (shared);
  filter_finish (three);
  filter_finish (two);
  filter_finish (one);
}
GST_END_TEST;

/* A list of all would take a reference to each, which its own thread counts with every batch. */
GST_START_TEST (elements_are_counted_and_not_listed)
{
  GstHarness *harnesses[20];

  for (guint i = 0; i < G_N_ELEMENTS (harnesses); i++)
    harnesses[i] = filter_new (CHEAP);
  fail_unless (g_atomic_int_get (&n_listed) > 0);
  g_atomic_int_set (&n_listed, 0);
  guint64 tenants = stat_of (harnesses[0]->element, "kernel-tenants");
  gint listed = g_atomic_int_get (&n_listed);
  fail_unless_equals_uint64 (tenants, G_N_ELEMENTS (harnesses));
  fail_unless (listed < (gint)G_N_ELEMENTS (harnesses), "%d entries", listed);
  for (guint i = 0; i < G_N_ELEMENTS (harnesses); i++)
    filter_finish (harnesses[i]);
}
GST_END_TEST;

/* They count until the kernel is through with them, seen or not. */
GST_START_TEST (batches_that_a_flush_drops_are_drained)
{
  GstHarness *h = filter_new_with (SLOW_PROGRAM, "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 3; i++)
    filter_push (h, numbered_buffer (i, SLOW_SIZE));
  filter_flush (h);
  fail_unless_equals_uint64 (stat_of (h->element, "queue-depth"), 0);
  fail_unless_equals_uint64 (tenant (h->element, "published"), 3);
  stat_wait_quiet (h->element);
  fail_unless_equals_uint64 (tenant (h->element, "drained"), 3);
  filter_finish (h);
}
GST_END_TEST;

static GstBuffer *
proposed_buffer (GstHarness *h, gsize size)
{
  GstQuery *query = gst_query_new_allocation (NULL, TRUE);
  GstAllocationParams params;
  GstAllocator *allocator;

  fail_unless (gst_pad_peer_query (h->srcpad, query));
  gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  GstBuffer *buffer = gst_buffer_new_allocate (allocator, size, &params);
  gst_buffer_memset (buffer, 0, 1, size);
  gst_object_unref (allocator);
  gst_query_unref (query);
  return buffer;
}

static void
note_freed (gpointer freed, GstMiniObject *object)
{
  g_atomic_int_inc ((gint *)freed);
}

/* The kernel goes on for another; what runs on it for us is waited for. */
GST_START_TEST (in_null_an_element_holds_no_payload)
{
  GstElement *other = filter_make (CHEAP);
  gint freed = 0;

  gst_element_set_state (other, GST_STATE_READY);
  for (guint round = 1; round <= 5; round++) {
    GstHarness *h = filter_new_with (SLOW_PROGRAM, "post-messages", 0, NULL);
    filter_start (h, NULL);
    for (guint i = 0; i < 2; i++) {
      GstBuffer *buffer = proposed_buffer (h, SLOW_SIZE);
      gst_mini_object_weak_ref (GST_MINI_OBJECT_CAST (buffer), note_freed, &freed);
      filter_push (h, buffer);
    }
    gst_element_set_state (h->element, GST_STATE_NULL);
    fail_unless_equals_int (g_atomic_int_get (&freed), 2 * round);
    filter_finish (h);
  }
  gst_element_set_state (other, GST_STATE_NULL);
  gst_object_unref (other);
}
GST_END_TEST;

/* More elements than numbers: those without one work all the same. */
GST_START_TEST (an_element_without_a_number_works)
{
  GstElement *elements[NUMBERS];

  for (guint i = 0; i < NUMBERS; i++) {
    elements[i] = filter_make (NULL);
    fail_unless_equals_int (
        gst_element_set_state (elements[i], GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  }
  GstHarness *h = filter_new (CHEAP);
  filter_start (h, NULL);
  for (guint i = 0; i < 5; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 100)));
  fail_unless_equals_uint64 (stat_of (h->element, "batches"), 5);
  fail_unless_equals_uint64 (stat_of (h->element, "kernel-tenants"), NUMBERS);
  fail_unless_equals_uint64 (tenant (h->element, "id"), 0);
  fail_unless_equals_uint64 (tenant (h->element, "published"), 0);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  for (guint i = 0; i < NUMBERS; i++) {
    gst_element_set_state (elements[i], GST_STATE_NULL);
    gst_object_unref (elements[i]);
  }
  gst_element_set_state (h->element, GST_STATE_NULL);
  gst_element_set_state (h->element, GST_STATE_READY);
  fail_unless (tenant (h->element, "id") > 0);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
tenants_suite (void)
{
  Suite *s = suite_create ("tenants");
  TCase *tc = tcase_create ("tenants");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, elements_on_a_kernel_have_lanes_of_their_own);
  tcase_add_test (tc, elements_on_a_kernel_are_tenants_of_their_own);
  tcase_add_test (tc, elements_that_post_together_share_a_count);
  tcase_add_test (tc, elements_that_post_together_share_a_count_of_files);
  tcase_add_test (tc, elements_are_counted_and_not_listed);
  tcase_add_test (tc, batches_that_a_flush_drops_are_drained);
  tcase_add_test (tc, in_null_an_element_holds_no_payload);
  tcase_add_test (tc, an_element_without_a_number_works);
  return s;
}

GST_CHECK_MAIN (tenants);

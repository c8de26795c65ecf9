/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An element whose buffers need more than the kernel that it shares was built with, where
 * nothing is cached.
 */
#include "common.h"

#include <glib/gstdio.h>

#define CHEAP "crc32 payload -> c"

/* Nothing that was compiled before is to be found. */
static void
forget_caches (void)
{
  const gchar *parent = g_getenv ("XDG_CACHE_HOME"); /* of the build */
  gchar *home = g_build_filename (parent ? parent : g_get_tmp_dir (), "cold-XXXXXX", NULL);

  if (parent)
    g_mkdir_with_parents (parent, 0700);
  fail_unless (g_mkdtemp (home) != NULL);
  g_setenv ("XDG_CACHE_HOME", home, TRUE);
  g_unsetenv ("MESA_SHADER_CACHE_DIR");
  g_free (home);
}

/* A slot that asks the host. */
static GstBuffer *
asking_slot (void)
{
  guint32 slot[VYRE_SLOT_WORDS] = { 0 };

  slot[VYRE_SLOT_STATUS] = GUINT32_TO_LE (VYRE_STATUS_PUBLISHED);
  slot[VYRE_SLOT_OPCODE] = GUINT32_TO_LE (VYRE_OP_LOAD_MISS);
  return buffer_of (slot, sizeof slot);
}

static gpointer
push_asking (gpointer data)
{
  return GINT_TO_POINTER (gst_harness_push (data, asking_slot ()));
}

static GstHarness *
asking_new (void)
{
  GstHarness *h = filter_new_with (NULL, "post-messages", 0, NULL);

  filter_start (h, "application/x-vyre-slots");
  return h;
}

GST_START_TEST (others_stream_while_it_is_compiled)
{
  forget_caches ();
  GstHarness *other = filter_new (CHEAP), *h = asking_new ();
  gint64 start, longest = 0, end = g_get_monotonic_time () + 6 * PATIENCE * G_TIME_SPAN_SECOND;
  GstBuffer *readback = NULL;
  guint n = 0;

  filter_start (other, NULL);
  gst_buffer_unref (filter_run (other, numbered_buffer (0, 1000)));
  start = g_get_monotonic_time ();
  GThread *thread = g_thread_new ("asking", push_asking, h);
  while (!(readback = gst_harness_try_pull (h))) {
    gint64 before = g_get_monotonic_time ();
    fail_unless (before < end, "it is not compiled");
    gst_buffer_unref (filter_run (other, numbered_buffer (++n, 1000)));
    longest = MAX (longest, g_get_monotonic_time () - before);
  }
  gint64 took = g_get_monotonic_time () - start;
  GST_INFO (
      "%u buffers in %" G_GINT64_FORMAT " us, the longest in %" G_GINT64_FORMAT, n, took, longest);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_OK);
  fail_unless (n > 20, "%u buffers", n);
  fail_unless (longest < MAX (took / 3, 100000), "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " us",
      longest, took);
  gst_buffer_unref (readback);
  filter_finish (h);
  filter_finish (other);
}
GST_END_TEST;

static gboolean
has_thread (const gchar *name)
{
  GDir *tasks = g_dir_open ("/proc/self/task", 0, NULL);
  gboolean found = FALSE;
  const gchar *id;

  while ((id = g_dir_read_name (tasks))) {
    gchar *path = g_build_filename ("/proc/self/task", id, "comm", NULL), *comm = NULL;
    found |= g_file_get_contents (path, &comm, NULL, NULL) && g_str_has_prefix (comm, name);
    g_free (comm);
    g_free (path);
  }
  g_dir_close (tasks);
  return found;
}

static void
wait_for_compiler (void)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  while (!has_thread ("vyre-builder"))
    fail_unless (g_get_monotonic_time () < end, "nothing is compiled");
}

/* The chain function waits for the compiler, and not longer than a flush or a state change
 * lets it. */
GST_START_TEST (nobody_waits_for_what_is_given_up)
{
  forget_caches ();
  GstHarness *h = asking_new ();
  GThread *thread = g_thread_new ("asking", push_asking, h);

  wait_for_compiler ();
  gint64 start = g_get_monotonic_time ();
  if (__i__ == 0)
    filter_flush (h);
  else
    gst_element_set_state (h->element, GST_STATE_NULL);
  GstFlowReturn flow = GPOINTER_TO_INT (g_thread_join (thread));
  gint64 took = g_get_monotonic_time () - start;
  fail_unless_equals_int (flow, GST_FLOW_FLUSHING);
  fail_unless (took < 2 * G_TIME_SPAN_SECOND, "%" G_GINT64_FORMAT " us", took);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
full_suite (void)
{
  Suite *s = suite_create ("full");
  TCase *tc = tcase_create ("full");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, others_stream_while_it_is_compiled);
  tcase_add_loop_test (tc, nobody_waits_for_what_is_given_up, 0, 2);
  return s;
}

GST_CHECK_MAIN (full);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who does what a message says has a pipeline that runs: each "Fix: set NAME=VALUE" is taken
 * at its word, and what it was said of must be gone.
 */
#include <string.h>

#include "common.h"
#include "file.h"
#include "restriction.h"

#define NEVER "18446744073709551615"

/* Sets every property that is named with a value behind "Fix: "; returns how many. */
static guint
follow (GstElement *element, const gchar *text)
{
  const gchar *fix = strstr (text, "Fix: ");
  gchar **words;
  guint n = 0;

  fail_unless (fix != NULL, "no remedy in '%s'", text);
  words = g_strsplit_set (fix, " ,;()", -1);
  for (guint i = 0; words[i]; i++) {
    gchar *value = strchr (words[i], '=');
    if (!value)
      continue;
    *value++ = '\0';
    g_strdelimit (value, ".", '\0');
    fail_unless (g_object_class_find_property (G_OBJECT_GET_CLASS (element), words[i]) != NULL,
        "'%s' in '%s' is no property", words[i], text);
    gst_util_set_object_arg (G_OBJECT (element), words[i], value);
    n++;
  }
  g_strfreev (words);
  return n;
}

/* What the bus says of an error or a warning, NULL if there is none. */
static gchar *
take_complaint (GstHarness *h)
{
  GstMessage *message = bus_try (h, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  GError *error = NULL;

  if (!message)
    return NULL;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  gchar *text = g_strdup (error->message);
  g_error_free (error);
  gst_message_unref (message);
  return text;
}

/* A filter with so little memory that something is wrong, or with what @advice says instead. */
static GstHarness *
patient_new (const gchar *program, const gchar *property, guint64 value, const gchar *advice,
    guint n_settings)
{
  GstElement *element = filter_make (program);

  g_object_set (element, property, value, "resource-access", 1, NULL);
  if (advice)
    fail_unless_equals_int (follow (element, advice), n_settings);
  return filter_wrap (element);
}

/* Has a buffer of @size bytes run; returns what there is to complain of. */
static gchar *
try_buffer (GstHarness *h, gsize size)
{
  filter_start (h, NULL);
  if (gst_harness_push (h, noise_buffer (size, 1)) == GST_FLOW_OK) {
    filter_push_eos (h);
    filter_wait_eos (h);
  }
  return take_complaint (h);
}

/* A buffer of @size bytes does not run with @property at @value, and does with what the error or
 * warning says instead, in @n_settings. */
static void
check_cure (
    const gchar *program, const gchar *property, guint64 value, gsize size, guint n_settings)
{
  GstHarness *ill = patient_new (program, property, value, NULL, 0);
  gchar *complaint = try_buffer (ill, size);

  fail_unless (complaint != NULL, "%s: nothing is wrong", program);
  GstHarness *cured = patient_new (program, property, value, complaint, n_settings);
  gchar *relapse = try_buffer (cured, size);
  fail_unless (relapse == NULL, "'%s', and then '%s'", complaint, relapse);
  g_free (complaint);
  filter_finish (cured);
  filter_finish (ill);
}

/* Also of sizes that are no whole pages. */
GST_START_TEST (a_buffer_too_large)
{
  static const gsize sizes[] = { 65537, 96000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    check_cure ("crc32 payload -> crc", "staging-size", 65536, sizes[i], 1);
}
GST_END_TEST;

/* The file has room, and what the buffer had before it has still. */
GST_START_TEST (a_file_too_large)
{
  static const gsize sizes[] = { 16385, 100000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    File file;
    file_init (&file, sizes[i]);
    gchar *program = g_strdup_printf (
        "resource f = file '%s'; load_words f, 0, 1 -> word; crc32 payload -> crc", file.path);
    check_cure (program, "staging-size", 65536, 49152, 2);
    g_free (program);
    file_clear (&file);
  }
}
GST_END_TEST;

GST_START_TEST (too_few_slots) { check_cure ("nop; nop; nop", "slot-count", 2, 100, 1); }
GST_END_TEST;

GST_START_TEST (too_few_observables)
{
  check_cure ("u8_histogram payload -> h", "observable-slots", 10, 100, 1);
}
GST_END_TEST;

/* ---- the verdict ------------------------------------------------------------- */

/* The verdict in @stats, which it takes, on what was copied; NULL if nothing was. */
static gchar *
take_verdict (GstStructure *stats)
{
  const GstStructure *file_io = g_value_get_boxed (gst_structure_get_value (stats, "ingest"));
  gboolean fine = FALSE;
  gchar *verdict = NULL;

  fail_unless (gst_structure_get_boolean (file_io, "zero-copy", &fine));
  if (!fine)
    verdict = g_strdup (gst_structure_get_string (file_io, "zero-copy-verdict"));
  gst_structure_free (stats);
  return verdict;
}

#define HELD 12

/* Upstream takes so many buffers of @size bytes from a filter before it sends the first. Returns
 * the verdict, and whether payloads are stored. */
static gchar *
hold_and_send (guint64 staging_size, const gchar *advice, gsize size, gboolean *stored)
{
  GstElement *element = filter_make ("crc32 payload -> crc");
  GstAllocationParams params;
  GstAllocator *allocator;
  GstBuffer *held[HELD];
  GstQuery *query = gst_query_new_allocation (NULL, FALSE);

  g_object_set (element, "staging-size", staging_size, "import-threshold", G_MAXUINT64, NULL);
  if (advice)
    fail_unless_equals_int (follow (element, advice), 1);
  GstHarness *h = filter_wrap (element);
  filter_start (h, NULL);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  for (guint i = 0; i < HELD; i++) {
    held[i] = gst_buffer_new_allocate (allocator, size, &params);
    gst_buffer_memset (held[i], 0, (guint8)i, size);
  }
  for (guint i = 0; i < HELD; i++)
    gst_buffer_unref (filter_run (h, held[i]));
  gst_object_unref (allocator);
  gst_query_unref (query);
  stat_wait_quiet (h->element);
  gchar *verdict = take_verdict (stats_of (h->element));
  *stored = !stat_is (h->element, "placement", "unified");
  filter_finish (h);
  return verdict;
}

/* A store that is too small is called that, and one of the size that is said is enough. */
GST_START_TEST (a_store_too_small)
{
  static const gsize sizes[] = { 65536, 65537 };
  gboolean stored;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gchar *verdict = hold_and_send (200000, NULL, sizes[i], &stored);
    /* where payloads are stored from wherever they are, nothing is copied to be stored */
    fail_unless ((verdict == NULL) == stored);
    if (verdict) {
      fail_unless (strstr (verdict, "no room") != NULL, "%s", verdict);
      gchar *relapse = hold_and_send (200000, verdict, sizes[i], &stored);
      fail_unless (relapse == NULL, "'%s', and then '%s'", verdict, relapse);
    }
    g_free (verdict);
  }
}
GST_END_TEST;

/* Reads a file of large blocks through a filter; returns the verdict. */
static gchar *
read_blocks (const File *file, const gchar *source, const gchar *advice)
{
  gchar *text = g_strdup_printf ("%s location=%s blocksize=262144 ! vyrefilter name=filter "
                                 "import-threshold=" NEVER " staging-size=262144 "
                                 "program=\"u8_histogram payload -> h\" post-messages=0 ! fakesink",
      source, file->path);
  GstElement *pipeline = gst_parse_launch (text, NULL);
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");

  gst_util_set_object_arg (
      G_OBJECT (filter), "placement", g_getenv ("VYRE_TEST_PLACEMENT") ?: "auto");
  if (advice)
    fail_unless_equals_int (follow (filter, advice), 1);
  GstMessage *end = file_run_pipeline (pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (end), GST_MESSAGE_EOS);
  gchar *verdict = take_verdict (stats_of (filter));
  gst_message_unref (end);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (filter);
  gst_object_unref (pipeline);
  g_free (text);
  return verdict;
}

GST_START_TEST (a_store_too_small_for_blocks_of_a_file)
{
  static const gchar *const sources[] = { "vyresrc", "vyresrc queue-depth=1", "filesrc" };
  File file;

  file_init (&file, 6000000);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    gchar *verdict = read_blocks (&file, sources[i], NULL);
    gchar *relapse = verdict ? read_blocks (&file, sources[i], verdict) : NULL;
    fail_unless (relapse == NULL, "'%s', and then '%s'", verdict, relapse);
    g_free (verdict);
  }
  file_clear (&file);
}
GST_END_TEST;

GST_START_TEST (buffers_in_pieces)
{
  GstHarness *h = filter_new ("crc32 payload -> crc");

  filter_start (h, NULL);
  gst_buffer_unref (
      filter_run (h, gst_buffer_append (noise_buffer (500, 1), noise_buffer (600, 2))));
  stat_wait_quiet (h->element);
  gchar *verdict = take_verdict (stats_of (h->element));
  fail_unless (verdict && strstr (verdict, "several memories"), "%s", verdict);
  fail_unless (strstr (verdict, "Fix: ") != NULL, "%s", verdict);
  g_free (verdict);
  filter_finish (h);
}
GST_END_TEST;

/* ---- memory that may be locked ------------------------------------------------ */

/* The warnings of a pipeline that reads @file, as one text; how many they are in @n. */
static gchar *
collect_warnings (const File *file, const gchar *advice, guint *n)
{
  GString *text = g_string_new (NULL);
  gchar *launch = g_strdup_printf ("vyresrc location=%s ! vyrefilter name=filter program=nop "
                                   "post-messages=0 ! fakesink",
      file->path);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = NULL;

  if (advice)
    fail_unless_equals_int (follow (filter, advice), 1);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (*n = 0; !message || GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING;) {
    gst_clear_message (&message);
    message = gst_bus_timed_pop_filtered (
        bus, PATIENCE * GST_SECOND, GST_MESSAGE_WARNING | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless (message != NULL);
    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_WARNING)
      continue;
    GError *error = NULL;
    gst_message_parse_warning (message, &error, NULL);
    g_string_append (text, error->message);
    g_error_free (error);
    (*n)++;
  }
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (filter);
  gst_object_unref (pipeline);
  g_free (launch);
  return g_string_free (text, FALSE);
}

/* What an ordinary user has. */
GST_START_TEST (little_memory_to_lock)
{
  File file;
  guint n;

  if (g_getenv ("VYRE_TEST_RESTRICTION"))
    return;
  file_init (&file, 100000);
  fail_unless (restriction_limit_memlock (8 << 20));
  gchar *warning = collect_warnings (&file, NULL, &n);
  fail_unless (n <= 1, "%s", warning);
  if (n == 1) { /* some kernels do not count what is registered */
    fail_unless (strstr (warning, "staging memory") != NULL, "%s", warning);
    gchar *relapse = collect_warnings (&file, warning, &n);
    fail_unless_equals_int (n, 0);
    g_free (relapse);
  }
  g_free (warning);
  file_clear (&file);
}
GST_END_TEST;

static Suite *
advice_suite (void)
{
  Suite *s = suite_create ("advice");
  TCase *tc = tcase_create ("cures");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, a_buffer_too_large);
  tcase_add_test (tc, a_file_too_large);
  tcase_add_test (tc, too_few_slots);
  tcase_add_test (tc, too_few_observables);
  tcase_add_test (tc, a_store_too_small);
  tcase_add_test (tc, a_store_too_small_for_blocks_of_a_file);
  tcase_add_test (tc, buffers_in_pieces);
  tcase_add_test (tc, little_memory_to_lock);
  return s;
}

GST_CHECK_MAIN (advice);

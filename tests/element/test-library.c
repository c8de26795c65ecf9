/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library gstreamer-vyre-1.0 without the plugin: readbacks of every type of result, made by
 * hand, the caps that it refuses, and programs that it builds.
 */
#include <gst/check/gstcheck.h>
#include <gst/vyre/vyre.h>

#include "abi.h"

#define N_OBSERVABLES 64
#define CONTROL_SIZE (4 * (VYRE_CONTROL_OBSERVABLES + N_OBSERVABLES))
#define RING_SIZE 64
#define SIZE (CONTROL_SIZE + RING_SIZE + 8)
#define CAPS                                                                                       \
  "application/x-vyre-readback, abi=1, slot-count=1, observable-slots=64, control-size=896, "      \
  "ring-size=64, debug-log-size=4, io-queue-size=4, has-sequence=true"
#define RESULTS(texts) CAPS ", results=(string)<" texts ">"

/* Each type, at the word that its number makes easy to find */
#define ALL_TYPES                                                                                  \
  RESULTS ("\"a u32 1 1 bytes\", \"b u64 2 2\", \"c i32 4 1 degrees\", \"d i64 5 2 2^-16\", "      \
           "\"e f32 7 1 Hz\", \"f f64 8 2\", \"g stats 10 7 samples levels\", "                    \
           "\"h bounds 17 3 rows\", \"i ssim 20 3 windows 2^-30\", \"j histogram 23 3 samples\", " \
           "\"k words 26 2\", \"l grid 28 6 samples levels\", \"m audio 34 13 samples levels\", "  \
           "\"n difference 47 8 samples levels\", \"o i32 4 3 2^-1\", \"p f64 8 2 s\", "           \
           "\"q u64 10 4 B\"")

static GstVyreTable *
table_of (const gchar *text, GError **error)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  fail_unless (caps != NULL, "%s", text);
  return gst_vyre_table_new_from_caps (caps, error);
}

/* A readback whose observables are their own indices, and that ran one slot. */
static GstBuffer *
readback_new (void)
{
  guint32 *words = g_new0 (guint32, SIZE / 4);

  for (guint i = 0; i < N_OBSERVABLES; i++)
    words[VYRE_CONTROL_OBSERVABLES + i] = GUINT32_TO_LE (i);
  words[VYRE_CONTROL_DONE_COUNT] = GUINT32_TO_LE (1);
  words[CONTROL_SIZE / 4 + VYRE_SLOT_STATUS] = GUINT32_TO_LE (VYRE_STATUS_DONE);
  return gst_buffer_new_wrapped (words, SIZE);
}

static void
set_word (GstBuffer *readback, guint word, guint32 value)
{
  guint32 stored = GUINT32_TO_LE (value);

  fail_unless_equals_uint64 (gst_buffer_fill (readback, word * 4, &stored, 4), 4);
}

static void
set_observable (GstBuffer *readback, guint observable, guint32 value)
{
  set_word (readback, VYRE_CONTROL_OBSERVABLES + observable, value);
}

/* Numbers whose bits show how they were read */
static GstVyreResults *
read_all (void)
{
  g_autoptr (GstVyreTable) table = table_of (ALL_TYPES, NULL);
  GstBuffer *readback = readback_new ();
  gfloat single = 440.5f;
  gdouble real = -1e300;
  guint32 bits;
  guint64 wide;

  fail_unless (table != NULL);
  set_observable (readback, 4, (guint32)-90);
  set_observable (readback, 5, (guint32)-32768);
  set_observable (readback, 6, G_MAXUINT32);
  memcpy (&bits, &single, 4);
  set_observable (readback, 7, bits);
  memcpy (&wide, &real, 8);
  set_observable (readback, 8, (guint32)wide);
  set_observable (readback, 9, (guint32)(wide >> 32));
  GstVyreResults *results = gst_vyre_table_read (table, readback, NULL, NULL);
  gst_buffer_unref (readback);
  return results;
}

static void
check_number (const GstVyreResults *results, const gchar *path, guint64 expected)
{
  guint64 number = 0;

  fail_unless (gst_vyre_results_get_uint64 (results, path, &number), "no number %s", path);
  fail_unless_equals_uint64 (number, expected);
}

static void
check_real (const GstVyreResults *results, const gchar *path, gdouble expected)
{
  gdouble number = 0;

  fail_unless (gst_vyre_results_get_double (results, path, &number), "no number %s", path);
  fail_unless (number == expected, "%s is %.17g", path, number);
}

GST_START_TEST (every_type_is_read)
{
  const guint64 high = (guint64)1 << 32;
  g_autoptr (GstVyreResults) results = read_all ();
  gsize n;

  fail_unless_equals_int (gst_vyre_results_get_n (results), 17);
  fail_unless_equals_string (gst_vyre_results_get_name (results, 13), "n");
  check_number (results, "sequence", 0);
  check_number (results, "payload-bytes", G_MAXUINT64);
  check_number (results, "a", 1);
  check_number (results, "b", 2 + 3 * high);
  check_real (results, "c", -90);
  check_real (results, "d", -0.5);
  check_real (results, "e", 440.5);
  check_real (results, "f", -1e300);
  check_number (results, "g.sum-squares", 15 + 16 * high);
  check_number (results, "h.end", 19);
  check_real (results, "i.sum", (21 + 22 * (gdouble)high) / (1 << 30));
  check_number (results, "l.sum-1", 32 + 33 * high);
  check_number (results, "m.full-scale", 46);
  check_number (results, "n.above", 54);
  guint64 *bins = gst_vyre_results_get_array (results, "j", &n);
  fail_unless (bins && n == 3 && bins[0] == 23 && bins[2] == 25);
  g_free (bins);
  guint64 *words = gst_vyre_results_get_array (results, "k", &n);
  fail_unless (words && n == 2 && words[1] == 27);
  g_free (words);
}
GST_END_TEST;

GST_START_TEST (arrays_have_numbers_of_any_type)
{
  g_autoptr (GstVyreResults) results = read_all ();
  gint64 number;
  gsize n;

  fail_unless (gst_vyre_results_get_int64 (results, "c", &number) && number == -90);
  fail_unless (gst_vyre_results_get_int64 (results, "d", &number) && number == -32768);
  fail_unless (gst_vyre_results_get_int64 (results, "o.item-1", &number) && number == -32768);
  fail_if (gst_vyre_results_get_int64 (results, "a", &number)); /* it has no sign */
  fail_if (gst_vyre_results_get_int64 (results, "z", &number));
  g_autofree gdouble *halves = gst_vyre_results_get_doubles (results, "o", &n);
  fail_unless (halves && n == 3 && halves[0] == -45 && halves[1] == -16384 && halves[2] == -0.5);
  g_autofree guint64 *wide = gst_vyre_results_get_array (results, "q", &n);
  fail_unless (wide && n == 2 && wide[1] == ((guint64)13 << 32 | 12));
  g_autofree gdouble *bins = gst_vyre_results_get_doubles (results, "j", &n);
  fail_unless (bins && n == 3 && bins[2] == 25);
  fail_if (gst_vyre_results_get_array (results, "o", &n)); /* it has signs */
  fail_if (gst_vyre_results_get_doubles (results, "l", &n));
  fail_if (gst_vyre_results_get_doubles (results, "p", &n)); /* it is one number */
  fail_unless_equals_uint64 (n, 0);
}
GST_END_TEST;

/* Copies are those of what is lent, and outlive it. */
GST_START_TEST (copies_outlive_their_owners)
{
  GstVyreTable *table = table_of (ALL_TYPES, NULL);
  GstVyreResults *results = read_all ();
  g_auto (GValue) number = G_VALUE_INIT, none = G_VALUE_INIT, fields = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  g_autoptr (GstVyreEntry) entry = gst_vyre_table_dup_entry (table, 2);
  g_autoptr (GstCaps) caps = gst_vyre_table_dup_caps (table);
  g_autoptr (GstStructure) structure = gst_vyre_results_dup_structure (results);
  g_autoptr (GstStructure) stats = gst_vyre_results_get_fields (results, "g");
  gst_vyre_results_dup_value (results, "g.max", &number, NULL);
  gst_vyre_results_dup_value (results, "z", &none, NULL);
  gst_vyre_results_dup_value (results, "g", &fields, &error);
  fail_unless (error && strstr (error->message, "Fix: "), "a structure is no number");
  fail_if (gst_vyre_results_get_fields (results, "a"));
  gst_vyre_results_unref (results);
  gst_vyre_table_unref (table);
  fail_unless_equals_string (entry->name, "c");
  fail_unless_equals_string (entry->units, "degrees");
  fail_unless (gst_caps_is_fixed (caps) && gst_structure_has_field (structure, "g"));
  fail_unless (gst_structure_has_field (stats, "sum-squares"));
  fail_unless_equals_uint64 (g_value_get_uint64 (&number), 12);
  fail_unless (G_VALUE_HOLDS_STRING (&none) && !g_value_get_string (&none));
}
GST_END_TEST;

GST_START_TEST (what_is_not_there_has_no_value)
{
  g_autoptr (GstVyreResults) results = read_all ();
  guint64 number;
  gdouble real;
  gsize n;

  fail_if (gst_vyre_results_get_value (results, "z"));
  fail_if (gst_vyre_results_get_value (results, "a.sum"));
  fail_if (gst_vyre_results_get_uint64 (results, "c", &number)); /* it has a sign */
  fail_if (gst_vyre_results_get_double (results, "g", &real));
  fail_if (gst_vyre_results_get_double (results, "z", &real));
  fail_if (gst_vyre_results_get_array (results, "l", &n));
  fail_if (gst_vyre_results_get_array (results, "a", &n));
  g_autoptr (GstMessage) message = gst_message_new_eos (NULL);
  fail_if (gst_vyre_results_from_message (message));
  g_autoptr (GstStructure) other = gst_structure_new_empty ("level");
  fail_if (gst_vyre_results_from_structure (other));
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  fail_if (gst_vyre_results_from_buffer (buffer));
}
GST_END_TEST;

GST_START_TEST (values_have_units)
{
  static const gchar *const units[][2] = {
    { "a", "bytes" },
    { "b", NULL },
    { "c", "degrees" },
    { "d", "2^-16" },
    { "e", "Hz" },
    { "g", NULL },
    { "g.count", "samples" },
    { "g.max", "levels" },
    { "g.sum-squares", "levels^2" },
    { "g.nothing", NULL },
    { "h.begin", "rows" },
    { "i.count", "windows" },
    { "i.sum", "2^-30" },
    { "j.bin-2", "samples" },
    { "l.sum-1", "levels" },
    { "m.zero-crossings", NULL },
    { "n.above", "samples" },
    { "o", "2^-1" },
    { "o.item-2", "2^-1" },
    { "q.sum", NULL },
    { "z", NULL },
  };
  g_autoptr (GstVyreResults) results = read_all ();

  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    g_autofree gchar *unit = gst_vyre_results_dup_unit (results, units[i][0]);
    fail_unless (g_strcmp0 (unit, units[i][1]) == 0, "%s has the unit %s", units[i][0], unit);
  }
}
GST_END_TEST;

GST_START_TEST (results_are_written_down_and_read_again)
{
  g_autoptr (GstVyreResults) results = read_all ();
  const GstStructure *fields = gst_vyre_results_get_structure (results);
  g_autofree gchar *text = gst_structure_to_string (fields);
  g_autoptr (GstStructure) again = gst_structure_from_string (text, NULL);
  g_autoptr (GstVyreResults) others = gst_vyre_results_from_structure (again);
  g_autofree gchar *unit = gst_vyre_results_dup_unit (others, "g.max");
  g_autofree gchar *json = gst_vyre_results_to_json (others);

  fail_unless (gst_structure_is_equal (gst_vyre_results_get_structure (others), fields));
  fail_unless_equals_string (unit, "levels");
  fail_unless (
      g_str_has_prefix (json, "{\"type\":\"vyre-results\",\"timestamp\":null,"), "%s", json);
  fail_unless (strstr (json, "\"c\":-90,") && strstr (json, "\"j\":[23,24,25]"), "%s", json);
  fail_unless (strstr (json, "\"o\":[-90,-32768,-1]"), "%s", json);
}
GST_END_TEST;

GST_START_TEST (a_slot_that_did_not_run_is_no_verdict)
{
  static const guint32 statuses[] = { VYRE_STATUS_PUBLISHED, VYRE_STATUS_FAULT };
  g_autoptr (GstVyreTable) table = table_of (ALL_TYPES, NULL);
  g_autoptr (GstVyreResults) whole = read_all ();

  fail_unless (g_value_get_boolean (gst_vyre_results_get_value (whole, "complete")));
  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_autoptr (GstBuffer) readback = readback_new ();
    set_word (readback, CONTROL_SIZE / 4 + VYRE_SLOT_STATUS, statuses[i]);
    g_autoptr (GstVyreResults) results = gst_vyre_table_read (table, readback, NULL, NULL);
    fail_if (g_value_get_boolean (gst_vyre_results_get_value (results, "complete")));
  }
}
GST_END_TEST;

GST_START_TEST (a_buffer_of_another_size_is_refused)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (ALL_TYPES);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, SIZE - 4, NULL);
  g_autoptr (GError) error = NULL;

  fail_if (gst_vyre_results_from_readback (caps, buffer, &error));
  fail_unless (strstr (error->message, "Fix: ") != NULL);
}
GST_END_TEST;

GST_START_TEST (caps_that_contradict_themselves_are_refused)
{
  static const gchar *const refused[][2] = {
    { "video/x-raw", "not those of readbacks" },
    { "application/x-vyre-readback, control-size=[ 1, 2 ]", "not those of readbacks" },
    { "application/x-vyre-readback, control-size=896, ring-size=64", "debug-log-size" },
    { "application/x-vyre-readback, control-size=636, ring-size=64, debug-log-size=4, "
      "io-queue-size=4",
        "control part of 636 bytes" },
    { "application/x-vyre-readback, control-size=896, ring-size=65, debug-log-size=4, "
      "io-queue-size=4",
        "ring of 65" },
    { RESULTS ("\"a u32 1\""), "'a u32 1'" },
    { RESULTS ("\"a u33 1 1\""), "'a u33 1 1'" },
    { RESULTS ("\"a u32 -1 1\""), "'a u32 -1 1'" },
    { CAPS ", results=<4711>", "NAME TYPE OBSERVABLE WORDS" },
    { RESULTS ("\"A u32 1 1\""), "the result 'A'" },
    { RESULTS ("\"caps u32 1 1\""), "the result 'caps'" },
    { RESULTS ("\"a u32 64 1\""), "at observable 64" },
    { RESULTS ("\"a words 4294967295 4\""), "at observable 4294967295" },
    { RESULTS ("\"a stats 1 6\""), "of 6 words" },
    { RESULTS ("\"a grid 1 4\""), "of 4 words" },
    { RESULTS ("\"a words 1 0\""), "of 0 words" },
    { RESULTS ("\"a i64 1 3\""), "of 3 words" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;
    fail_if (table_of (refused[i][0], &error), "%s", refused[i][0]);
    fail_unless (strstr (error->message, refused[i][1]) && strstr (error->message, "Fix: "), "%s",
        error->message);
  }
}
GST_END_TEST;

/* A table and its caps say the same. */
GST_START_TEST (a_table_is_that_of_its_caps)
{
  const gsize sizes[GST_VYRE_N_PARTS] = { CONTROL_SIZE, RING_SIZE, 4, 4 };
  const GstVyreEntry entries[] = {
    { "luma", GST_VYRE_RESULT_STATS, 1, 7, "samples levels" },
    { "dark", GST_VYRE_RESULT_U32, 8, 1, NULL },
  };
  g_autoptr (GstVyreTable) table = gst_vyre_table_new (entries, 2, sizes, TRUE, "builtin:x", NULL);
  g_autoptr (GstVyreTable) again
      = gst_vyre_table_new_from_caps (gst_vyre_table_get_caps (table), NULL);

  fail_unless (
      gst_caps_is_equal (gst_vyre_table_get_caps (table), gst_vyre_table_get_caps (again)));
  fail_unless_equals_int (gst_vyre_table_get_n_entries (again), 2);
  fail_unless (gst_vyre_table_is_of (again, entries, 2, sizes, TRUE, "builtin:x"));
  fail_if (gst_vyre_table_is_of (again, entries, 1, sizes, TRUE, "builtin:x"));
  fail_if (gst_vyre_table_is_of (again, entries, 2, sizes, TRUE, NULL));
  fail_if (gst_vyre_table_is_of (again, entries, 2, sizes, FALSE, "builtin:x"));
  const GstVyreEntry *entry = gst_vyre_table_get_entry (again, 0);
  fail_unless_equals_string (entry->name, "luma");
  fail_unless_equals_string (entry->units, "samples levels");
  fail_unless_equals_int (entry->type, GST_VYRE_RESULT_STATS);
  fail_unless_equals_int (gst_vyre_table_get_entry (again, 1)->observable, 8);
}
GST_END_TEST;

static gpointer
look_often (gpointer results)
{
  for (guint i = 0; i < 1000; i++) {
    GstVyreResults *mine = gst_vyre_results_ref (results);
    g_autofree gchar *unit = gst_vyre_results_dup_unit (mine, "g.max");
    check_number (mine, "a", 1);
    fail_unless_equals_string (unit, "levels");
    gst_vyre_results_unref (mine);
  }
  return NULL;
}

GST_START_TEST (threads_share_results)
{
  g_autoptr (GstVyreResults) results = read_all ();
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("look", look_often, results);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}
GST_END_TEST;

GST_START_TEST (programs_are_built_and_checked)
{
  g_autoptr (GstVyreBuilder) builder = gst_vyre_builder_new ();
  g_autoptr (GError) error = NULL;

  gst_vyre_builder_add_param (builder, "black", 17);
  gst_vyre_builder_add (builder, "u8_below payload, black", "dark");
  gst_vyre_builder_add_text (builder, "event night when $dark > 100");
  g_autofree gchar *text = gst_vyre_builder_to_text (builder, &error);
  fail_unless (text != NULL, "%s", error ? error->message : "");
  fail_unless_equals_string (
      text, "param black = 17\nu8_below payload, black -> dark\nevent night when $dark > 100\n");
  gst_vyre_builder_add (builder, "no_operation", NULL);
  fail_if (gst_vyre_builder_to_text (builder, &error));
  fail_unless (g_str_has_prefix (error->message, "4:1: "), "%s", error->message);
}
GST_END_TEST;

GST_START_TEST (builtins_and_devices_are_listed)
{
  g_autoptr (GError) error = NULL;
  GList *devices = gst_vyre_list_devices (&error);

  fail_unless (g_strv_contains (gst_vyre_list_builtins (), "frame-stats"));
  fail_unless (devices != NULL, "%s", error ? error->message : "");
  fail_unless (gst_structure_get_string (devices->data, "name") != NULL);
  g_list_free_full (devices, (GDestroyNotify)gst_structure_free);
}
GST_END_TEST;

static Suite *
library_suite (void)
{
  Suite *suite = suite_create ("library");
  TCase *results = tcase_create ("results"), *programs = tcase_create ("programs");

  tcase_add_test (results, every_type_is_read);
  tcase_add_test (results, arrays_have_numbers_of_any_type);
  tcase_add_test (results, copies_outlive_their_owners);
  tcase_add_test (results, what_is_not_there_has_no_value);
  tcase_add_test (results, values_have_units);
  tcase_add_test (results, results_are_written_down_and_read_again);
  tcase_add_test (results, a_slot_that_did_not_run_is_no_verdict);
  tcase_add_test (results, a_buffer_of_another_size_is_refused);
  tcase_add_test (results, caps_that_contradict_themselves_are_refused);
  tcase_add_test (results, a_table_is_that_of_its_caps);
  tcase_add_test (results, threads_share_results);
  tcase_add_test (programs, programs_are_built_and_checked);
  tcase_add_test (programs, builtins_and_devices_are_listed);
  suite_add_tcase (suite, results);
  suite_add_tcase (suite, programs);
  return suite;
}

GST_CHECK_MAIN (library);

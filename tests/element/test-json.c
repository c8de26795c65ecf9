/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The JSON of a structure, to the character.
 */
#include "json/gstvyrejson.h"

#include <math.h>

static void
assert_json (GstStructure *structure, const gchar *expected)
{
  g_autoptr (GString) json = g_string_new (NULL);

  gst_vyre_json_add_message (json, structure);
  g_assert_cmpstr (json->str, ==, expected);
  gst_structure_free (structure);
}

static GstStructure *
numbers (const gchar *name, const gchar *a, guint64 x, const gchar *b, guint64 y)
{
  return gst_structure_new (name, a, G_TYPE_UINT64, x, b, G_TYPE_UINT64, y, NULL);
}

static void
assert_nested (const gchar *message, GstStructure *nested, const gchar *expected)
{
  assert_json (gst_structure_new (message, "r", GST_TYPE_STRUCTURE, nested, NULL), expected);
  gst_structure_free (nested);
}

static void
test_integers (void)
{
  assert_json (gst_structure_new ("m", "a", G_TYPE_UINT64, (guint64)0, "b", G_TYPE_UINT64,
                   G_MAXUINT64 - 1, "c", G_TYPE_INT64, G_MININT64, "d", G_TYPE_UINT64, G_MAXUINT64,
                   "e", G_TYPE_BOOLEAN, TRUE, NULL),
      "{\"type\":\"m\",\"a\":0,\"b\":18446744073709551614,\"c\":-9223372036854775808,\"d\":null,"
      "\"e\":true}");
  assert_nested ("m", numbers ("r", "sum", G_MAXUINT64, "n", 10),
      "{\"type\":\"m\",\"r\":{\"sum\":18446744073709551615,\"n\":10}}");
}

/* A result has its number, whatever that is; a time may be unknown. */
static void
test_unknown (void)
{
  assert_json (numbers ("vyre-results", "timestamp", G_MAXUINT64, "r", G_MAXUINT64),
      "{\"type\":\"vyre-results\",\"timestamp\":null,\"r\":18446744073709551615}");
  assert_json (numbers ("vyre-event", "timestamp", G_MAXUINT64, "r", G_MAXUINT64),
      "{\"type\":\"vyre-event\",\"timestamp\":null,\"r\":null}");
}

static void
test_reals (void)
{
  assert_json (gst_structure_new ("m", "a", G_TYPE_DOUBLE, 0.5, "b", G_TYPE_DOUBLE, (gdouble)NAN,
                   "c", G_TYPE_DOUBLE, (gdouble)-INFINITY, NULL),
      "{\"type\":\"m\",\"a\":0.5,\"b\":null,\"c\":null}");
}

static void
test_texts (void)
{
  assert_json (gst_structure_new ("m", "a", G_TYPE_STRING, "\"\\\n\x1f\x7f\xc3\xa9", NULL),
      "{\"type\":\"m\",\"a\":\"\\\"\\\\\\u000a\\u001f\\u007f\xc3\xa9\"}");
  g_autoptr (GString) json = g_string_new (NULL);
  gst_vyre_json_add_text (json, "a\xff");
  gst_vyre_json_add_text (json, NULL);
  g_assert_cmpstr (json->str, ==, "\"a\xef\xbf\xbd\"null");
}

/* Names that a program gives make no list. */
static void
test_lists (void)
{
  assert_nested ("vyre-results", numbers ("r", "bin-0", 7, "bin-1", 8),
      "{\"type\":\"vyre-results\",\"r\":[7,8]}");
  assert_nested ("vyre-results", numbers ("r", "word-0", 7, "word-1", 8),
      "{\"type\":\"vyre-results\",\"r\":[7,8]}");
  assert_nested ("vyre-results", numbers ("r", "item-0", G_MAXUINT64, "item-1", 8),
      "{\"type\":\"vyre-results\",\"r\":[18446744073709551615,8]}");
  assert_nested ("vyre-results",
      gst_structure_new (
          "r", "item-0", G_TYPE_INT64, (gint64)-7, "item-1", G_TYPE_DOUBLE, (gdouble)NAN, NULL),
      "{\"type\":\"vyre-results\",\"r\":[-7,null]}");
  assert_nested ("vyre-results", numbers ("r", "count-0", 7, "sum-0", 8),
      "{\"type\":\"vyre-results\",\"r\":[{\"count\":7,\"sum\":8}]}");
  assert_nested ("vyre-event", numbers ("r", "bin-0", 7, "bin-1", 8),
      "{\"type\":\"vyre-event\",\"r\":{\"bin-0\":7,\"bin-1\":8}}");
}

static void
test_histograms (void)
{
  GstStructure *bins = numbers ("h", "bin-0", 7, "bin-1", 8);
  g_autoptr (GstStructure) results = gst_structure_new (
      "vyre-results", "h", GST_TYPE_STRUCTURE, bins, "n", G_TYPE_UINT64, (guint64)1, NULL);
  g_autoptr (GString) json = g_string_new ("{");

  gst_vyre_json_add_fields (json, results, GST_VYRE_JSON_WITHOUT_HISTOGRAMS);
  g_assert_cmpstr (json->str, ==, "{\"n\":1");
  gst_structure_free (bins);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/json/integers", test_integers);
  g_test_add_func ("/json/unknown", test_unknown);
  g_test_add_func ("/json/reals", test_reals);
  g_test_add_func ("/json/texts", test_texts);
  g_test_add_func ("/json/lists", test_lists);
  g_test_add_func ("/json/histograms", test_histograms);
  return g_test_run ();
}

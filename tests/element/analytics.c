/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "metas.h"

#include <gst/analytics/analytics.h>

#define GRAY_SIZE (64 * 32)

/* Has @buffer carry a label as of another element; "" is none. */
static void
add_label (GstBuffer *buffer, const gchar *name)
{
  GstAnalyticsClsMtd label;

  if (*name)
    gst_analytics_relation_meta_add_one_cls_mtd (
        gst_buffer_add_analytics_relation_meta (buffer), 1, g_quark_from_string (name), &label);
}

/* The labels of @buffer, all of them certain, each with a space behind it. */
static gchar *
list_labels (GstBuffer *buffer)
{
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
  GString *names = g_string_new (NULL);
  GstAnalyticsClsMtd label;
  gpointer state = NULL;

  while (meta
         && gst_analytics_relation_meta_iterate (
             meta, &state, gst_analytics_cls_mtd_get_mtd_type (), &label)) {
    fail_unless_equals_int ((gint)gst_analytics_cls_mtd_get_length (&label), 1);
    fail_unless (gst_analytics_cls_mtd_get_level (&label, 0) == 1);
    g_string_append_printf (
        names, "%s ", g_quark_to_string (gst_analytics_cls_mtd_get_quark (&label, 0)));
  }
  return g_string_free (names, FALSE);
}

/* A picture of one level, the number @i of its stream. */
static GstBuffer *
level_buffer (guint8 level, guint i)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, GRAY_SIZE, NULL);

  gst_buffer_memset (buffer, 0, level, GRAY_SIZE);
  GST_BUFFER_PTS (buffer) = i * GST_SECOND / 25;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  return buffer;
}

/* Labels last from the moment when an event is known until it ends, and join those of others. */
GST_START_TEST (events_that_last_are_labels)
{
  static const struct {
    guint8 level;
    const gchar *before;
    const gchar *behind;
  } pictures[] = { { 0, "", "" }, { 0, "cat", "cat " }, { 0, "", "dark " },
    { 0, "cat", "cat dark " }, { 255, "", "bright " }, { 255, "dog", "dog bright " },
    { 100, "", "" }, { 255, "", "bright " } };

  for (guint labels = 0; labels < 2; labels++) {
    GstHarness *h = filter_new_with (EVENTS, "output-mode", 1, "analytics-meta", labels, NULL);
    filter_start (h, GRAY);
    for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
      GstBuffer *buffer = level_buffer (pictures[i].level, i);
      add_label (buffer, pictures[i].before);
      filter_push (h, buffer);
      GstBuffer *passed = filter_pull (h);
      g_autofree gchar *found = list_labels (passed);
      const gchar *expected = pictures[i].behind;
      if (!labels)
        expected = i % 2 == 1 && i < 6 ? (i == 5 ? "dog " : "cat ") : "";
      fail_unless (g_strcmp0 (found, expected) == 0, "picture %u has '%s'", i, found);
      gst_buffer_unref (passed);
    }
    filter_finish (h);
  }
}
GST_END_TEST;

void
analytics_add_tests (TCase *tests)
{
  tcase_add_test (tests, events_that_last_are_labels);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "metas.h"

/* With the boolean @property the element does not start, and says how to go on. */
void
metas_check_refused (const gchar *property)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (filter_make (EVENTS));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autofree gchar *fix = g_strdup_printf ("Fix: set %s=false", property);
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (element, "output-mode", 1, property, TRUE, NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, fix), "%s", error->message);
  g_object_set (element, property, FALSE, NULL);
  fail_unless (gst_element_set_state (element, GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Watches and holds back the output of a filter, and feeds the filter from a second thread.
 */
#include "common.h"

#include <string.h>

struct _FlowLog {
  GMutex lock;
  GString *text;
  GstPad *pad;
  GstBus *bus;
  gulong probe;
};

static void append (FlowLog *log, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
append (FlowLog *log, const gchar *format, ...)
{
  va_list list;

  g_mutex_lock (&log->lock);
  if (log->text->len > 0)
    g_string_append_c (log->text, ' ');
  va_start (list, format);
  g_string_append_vprintf (log->text, format, list);
  va_end (list);
  g_mutex_unlock (&log->lock);
}

static GstPadProbeReturn
note_item (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  FlowLog *log = data;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    append (log, "#%" G_GUINT64_FORMAT, GST_BUFFER_OFFSET (GST_PAD_PROBE_INFO_BUFFER (info)));
  else
    append (log, "%s", GST_EVENT_TYPE_NAME (GST_PAD_PROBE_INFO_EVENT (info)));
  return GST_PAD_PROBE_OK;
}

static GstBusSyncReply
note_message (GstBus *bus, GstMessage *message, gpointer data)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
    append (data, "%s", gst_structure_get_name (gst_message_get_structure (message)));
  return GST_BUS_PASS;
}

/* Entries are event names, "#OFFSET" for buffers and the names of element messages, with a space
 * between. A buffer is logged before it is sent. */
FlowLog *
flow_log_new (GstHarness *h)
{
  FlowLog *log = g_new0 (FlowLog, 1);

  g_mutex_init (&log->lock);
  log->text = g_string_new (NULL);
  log->pad = gst_object_ref (h->sinkpad);
  log->bus = gst_element_get_bus (h->element);
  log->probe = gst_pad_add_probe (log->pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM
          | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      note_item, log, NULL);
  gst_bus_set_sync_handler (log->bus, note_message, log, NULL);
  return log;
}

void
flow_log_free (FlowLog *log)
{
  gst_bus_set_sync_handler (log->bus, NULL, NULL, NULL);
  gst_pad_remove_probe (log->pad, log->probe);
  gst_object_unref (log->bus);
  gst_object_unref (log->pad);
  g_string_free (log->text, TRUE);
  g_mutex_clear (&log->lock);
  g_free (log);
}

void
flow_log_clear (FlowLog *log)
{
  g_mutex_lock (&log->lock);
  g_string_truncate (log->text, 0);
  g_mutex_unlock (&log->lock);
}

gchar *
flow_log_text (FlowLog *log)
{
  g_mutex_lock (&log->lock);
  gchar *text = g_strdup (log->text->str);
  g_mutex_unlock (&log->lock);
  return text;
}

static gboolean
has_entry (FlowLog *log, const gchar *entry)
{
  gchar *text = flow_log_text (log);
  gchar **entries = g_strsplit (text, " ", -1);
  gboolean found = g_strv_contains ((const gchar *const *)entries, entry);

  g_strfreev (entries);
  g_free (text);
  return found;
}

void
flow_log_wait (FlowLog *log, const gchar *entry)
{
  for (guint i = 0; i < PATIENCE * 500 && !has_entry (log, entry); i++)
    g_usleep (2000);
  if (!has_entry (log, entry)) {
    gchar *text = flow_log_text (log);
    fail ("'%s' did not come, only: %s", entry, text);
  }
}

static GstPadProbeReturn
hold (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Dam *dam = data;

  g_atomic_int_set (&dam->reached, TRUE);
  return GST_PAD_PROBE_OK;
}

void
dam_build (Dam *dam, GstHarness *h)
{
  dam->pad = filter_pad (h, "src");
  g_atomic_int_set (&dam->reached, FALSE);
  dam->id = gst_pad_add_probe (
      dam->pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, hold, dam, NULL);
}

/* Waits until a buffer is being held. */
void
dam_wait (Dam *dam)
{
  for (guint i = 0; i < PATIENCE * 1000 && !g_atomic_int_get (&dam->reached); i++)
    g_usleep (1000);
  fail_unless (g_atomic_int_get (&dam->reached), "no buffer reached the source pad");
}

void
dam_break (Dam *dam)
{
  gst_pad_remove_probe (dam->pad, dam->id);
  gst_object_unref (dam->pad);
}

static gpointer
push_all (gpointer data)
{
  Pusher *pusher = data;

  for (guint i = 0; i < pusher->n && pusher->flow == GST_FLOW_OK; i++) {
    pusher->flow = gst_harness_push (pusher->h, numbered_buffer (i, pusher->size));
    if (pusher->flow == GST_FLOW_OK)
      g_atomic_int_inc (&pusher->pushed);
  }
  g_atomic_int_set (&pusher->returned, TRUE);
  return NULL;
}

void
pusher_start (Pusher *pusher, GstHarness *h, guint n, gsize size)
{
  *pusher = (Pusher){ .h = h, .n = n, .size = size, .flow = GST_FLOW_OK };
  pusher->thread = g_thread_new ("pusher", push_all, pusher);
}

GstFlowReturn
pusher_join (Pusher *pusher)
{
  for (guint i = 0; i < PATIENCE * 500 && !g_atomic_int_get (&pusher->returned); i++)
    g_usleep (2000);
  fail_unless (g_atomic_int_get (&pusher->returned), "the chain function is stuck");
  g_thread_join (pusher->thread);
  return pusher->flow;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

#define DEADLINE_US (20 * G_TIME_SPAN_SECOND)

void
file_init_in (File *file, const gchar *directory, gsize size)
{
  *file = (File){ .bytes = noise_new (size, (guint32)size), .size = size };
  file->path = g_build_filename (directory, "vyresrc-XXXXXX", NULL);
  gint fd = g_mkstemp (file->path);
  fail_unless (fd >= 0, "%s: %s", file->path, g_strerror (errno));
  for (gsize at = 0; at < size;) {
    gssize written = write (fd, file->bytes + at, size - at);
    fail_unless (written > 0);
    at += (gsize)written;
  }
  close (fd);
}

void
file_init (File *file, gsize size)
{
  file_init_in (file, g_get_tmp_dir (), size);
}

void
file_clear (File *file)
{
  g_unlink (file->path);
  g_free (file->path);
  g_free (file->bytes);
}

/* The alignment of offset and length of a direct read, in bytes; 0: direct reads are refused. */
guint
file_direct_alignment (const gchar *path)
{
  struct statx status;

  fail_unless (statx (AT_FDCWD, path, 0, STATX_DIOALIGN, &status) == 0);
  return status.stx_mask & STATX_DIOALIGN ? status.stx_dio_offset_align : 0;
}

GstHarness *
file_source_new (const gchar *path, guint blocksize, guint depth)
{
  GstHarness *h = gst_harness_new_with_padnames ("vyresrc", NULL, "src");

  g_object_set (h->element, "location", path, "blocksize", blocksize, "queue-depth", depth, NULL);
  return h;
}

/* The next buffer, NULL at the end. */
GstBuffer *
file_pull (GstHarness *h)
{
  gint64 end = g_get_monotonic_time () + DEADLINE_US;

  while (g_get_monotonic_time () < end) {
    GstBuffer *buffer = gst_harness_try_pull (h);
    if (buffer)
      return buffer;
    GstEvent *event = gst_harness_try_pull_event (h);
    gboolean eos = event && GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    if (event)
      gst_event_unref (event);
    if (eos)
      return gst_harness_try_pull (h); /* events and buffers are in queues of their own */
    if (!event)
      g_usleep (200);
  }
  fail ("neither a buffer nor the end came");
  return NULL;
}

/* The buffer from @offset on. Buffers from before a flush, and an EOS from before it, are skipped.
 */
GstBuffer *
file_pull_from (GstHarness *h, guint64 offset)
{
  gint64 end = g_get_monotonic_time () + DEADLINE_US;
  GstBuffer *buffer = NULL;
  GstEvent *event;

  while ((!buffer || GST_BUFFER_OFFSET (buffer) != offset) && g_get_monotonic_time () < end) {
    gst_clear_buffer (&buffer);
    buffer = gst_harness_try_pull (h);
    if (!buffer)
      g_usleep (200);
  }
  fail_unless (buffer != NULL, "nothing from %" G_GUINT64_FORMAT " on came", offset);
  while ((event = gst_harness_try_pull_event (h)))
    gst_event_unref (event);
  return buffer;
}

/* Expects the bytes of the file from @at on. */
gsize
file_check_rest (GstHarness *h, const File *file, gsize at, gsize end)
{
  GstBuffer *buffer;

  while (at < end && (buffer = file_pull (h))) {
    gsize size = gst_buffer_get_size (buffer);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), at);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (buffer), at + size);
    fail_unless (at + size <= file->size);
    fail_unless (
        gst_buffer_memcmp (buffer, 0, file->bytes + at, size) == 0, "wrong bytes from %zu on", at);
    at += size;
    gst_buffer_unref (buffer);
  }
  return at;
}

GstMessage *
file_run_pipeline (GstElement *pipeline, GstMessageType types)
{
  GstBus *bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, types);
  fail_unless (message != NULL, "the pipeline does not end");
  gst_object_unref (bus);
  return message;
}

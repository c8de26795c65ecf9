/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "readback/gstvyrereadbackfile.h"

#include <string.h>

/* The most bytes of a record: no forged head makes a reader wait for more. */
#define MOST_CAPS (1024 * 1024)
#define MOST_DATA (128 * 1024 * 1024)
#define MOST_INDEX (1024 * 1024 * 1024)

static const gchar index_end[8] = "VYREINDX";

void
gst_vyre_record_write (const GstVyreRecord *record, guint8 *head)
{
  GST_WRITE_UINT32_LE (head, GST_VYRE_RECORD_MAGIC);
  GST_WRITE_UINT32_LE (head + 4, record->kind);
  GST_WRITE_UINT32_LE (head + 8, record->size);
  GST_WRITE_UINT32_LE (head + 12, 0);
  GST_WRITE_UINT64_LE (head + 16, record->pts);
  GST_WRITE_UINT64_LE (head + 24, record->duration);
  GST_WRITE_UINT64_LE (head + 32, record->offset);
  GST_WRITE_UINT64_LE (head + 40, record->caps_at);
}

static guint32
record_get_most (GstVyreRecordKind kind)
{
  switch (kind) {
    case GST_VYRE_RECORD_CAPS:
      return MOST_CAPS;
    case GST_VYRE_RECORD_DATA:
      return MOST_DATA;
    case GST_VYRE_RECORD_INDEX:
      return MOST_INDEX;
  }
  return 0;
}

/* FALSE where no record begins. */
gboolean
gst_vyre_record_read (const guint8 *head, GstVyreRecord *record)
{
  *record = (GstVyreRecord){
    .kind = (GstVyreRecordKind)GST_READ_UINT32_LE (head + 4),
    .size = GST_READ_UINT32_LE (head + 8),
    .pts = GST_READ_UINT64_LE (head + 16),
    .duration = GST_READ_UINT64_LE (head + 24),
    .offset = GST_READ_UINT64_LE (head + 32),
    .caps_at = GST_READ_UINT64_LE (head + 40),
  };
  return GST_READ_UINT32_LE (head) == GST_VYRE_RECORD_MAGIC && record->size > 0
         && record->size <= record_get_most (record->kind);
}

/* Returns a buffer with the head alone. */
GstBuffer *
gst_vyre_record_new_buffer (const GstVyreRecord *record)
{
  guint8 *head = g_malloc (GST_VYRE_RECORD_HEAD);

  gst_vyre_record_write (record, head);
  return gst_buffer_new_wrapped (head, GST_VYRE_RECORD_HEAD);
}

void
gst_vyre_index_write_entry (GByteArray *index, guint64 pts, guint64 at)
{
  guint8 entry[GST_VYRE_INDEX_ENTRY];

  GST_WRITE_UINT64_LE (entry, pts);
  GST_WRITE_UINT64_LE (entry + 8, at);
  g_byte_array_append (index, entry, sizeof entry);
}

/* Ends the index, whose record is at @at. */
void
gst_vyre_index_write_end (GByteArray *index, guint64 at)
{
  guint8 end[GST_VYRE_INDEX_END];

  GST_WRITE_UINT64_LE (end, at);
  memcpy (end + 8, index_end, sizeof index_end);
  g_byte_array_append (index, end, sizeof end);
}

/* FALSE where no index ends. */
gboolean
gst_vyre_index_read_end (const guint8 *end, guint64 *at)
{
  *at = GST_READ_UINT64_LE (end);
  return memcmp (end + 8, index_end, sizeof index_end) == 0;
}

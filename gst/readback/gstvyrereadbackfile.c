/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "readback/gstvyrereadbackfile.h"

#include <string.h>

/* The most bytes of a record: no forged head makes a reader wait for more. */
#define MOST_CAPS (1024 * 1024)
#define MOST_DATA (128 * 1024 * 1024)
#define MOST_INDEX (1024 * 1024 * 1024)

static const gchar index_end[8] = "VYREINDX";

/* Records stand at any place: their numbers are not aligned. */
guint32
gst_vyre_record_get_word (const guint8 *bytes)
{
  guint32 word;

  memcpy (&word, bytes, sizeof word);
  return GUINT32_FROM_LE (word);
}

guint64
gst_vyre_record_get_number (const guint8 *bytes)
{
  guint64 number;

  memcpy (&number, bytes, sizeof number);
  return GUINT64_FROM_LE (number);
}

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
    .kind = (GstVyreRecordKind)gst_vyre_record_get_word (head + 4),
    .size = gst_vyre_record_get_word (head + 8),
    .pts = gst_vyre_record_get_number (head + 16),
    .duration = gst_vyre_record_get_number (head + 24),
    .offset = gst_vyre_record_get_number (head + 32),
    .caps_at = gst_vyre_record_get_number (head + 40),
  };
  return gst_vyre_record_get_word (head) == GST_VYRE_RECORD_MAGIC && record->size > 0
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
  const guint64 entry[] = { GUINT64_TO_LE (pts), GUINT64_TO_LE (at) };

  g_byte_array_append (index, (const guint8 *)entry, sizeof entry);
}

/* Ends the index, whose record is at @at. */
void
gst_vyre_index_write_end (GByteArray *index, guint64 at)
{
  const guint64 place = GUINT64_TO_LE (at);

  g_byte_array_append (index, (const guint8 *)&place, sizeof place);
  g_byte_array_append (index, (const guint8 *)index_end, sizeof index_end);
}

/* FALSE where no index ends. */
gboolean
gst_vyre_index_read_end (const guint8 *end, guint64 *at)
{
  *at = gst_vyre_record_get_number (end);
  return memcmp (end + 8, index_end, sizeof index_end) == 0;
}

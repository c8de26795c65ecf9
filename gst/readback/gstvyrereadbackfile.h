/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files of readbacks: records with a head each, docs/results.md. All numbers are little endian.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_VYRE_READBACK_FILE_CAPS "application/x-vyre-readback-file"
#define GST_VYRE_READBACK_CAPS "application/x-vyre-readback"

/* Bytes of a head, of an entry of the index, and of the end of the index, which ends the file */
#define GST_VYRE_RECORD_HEAD 48
#define GST_VYRE_INDEX_ENTRY 16
#define GST_VYRE_INDEX_END 16

/* The first word of each head */
#define GST_VYRE_RECORD_MAGIC GST_MAKE_FOURCC (0x89, 'V', 'Y', 'R')

typedef enum {
  GST_VYRE_RECORD_CAPS = GST_MAKE_FOURCC ('C', 'A', 'P', 'S'),  /* caps, as text */
  GST_VYRE_RECORD_DATA = GST_MAKE_FOURCC ('D', 'A', 'T', 'A'),  /* a readback */
  GST_VYRE_RECORD_INDEX = GST_MAKE_FOURCC ('I', 'N', 'D', 'X'), /* an entry for each readback */
} GstVyreRecordKind;

/* The head of a record. The fields from `pts` on are those of a readback. */
typedef struct {
  GstVyreRecordKind kind;
  guint32 size; /* of the bytes behind the head */
  guint64 pts, duration, offset;
  guint64 caps_at; /* the place of the record with its caps */
} GstVyreRecord;

guint32 gst_vyre_record_get_word (const guint8 *bytes);
guint64 gst_vyre_record_get_number (const guint8 *bytes);
void gst_vyre_record_write (const GstVyreRecord *record, guint8 *head);
gboolean gst_vyre_record_read (const guint8 *head, GstVyreRecord *record);
GstBuffer *gst_vyre_record_new_buffer (const GstVyreRecord *record);
void gst_vyre_index_write_entry (GByteArray *index, guint64 pts, guint64 at);
void gst_vyre_index_write_end (GByteArray *index, guint64 at);
gboolean gst_vyre_index_read_end (const guint8 *end, guint64 *at);

G_END_DECLS

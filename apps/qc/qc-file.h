/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The knowledge of one input: its streams, its events and its problems. The lock of the run guards
 * all of it while its pipeline runs.
 */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

typedef enum { QC_VIDEO, QC_AUDIO, QC_N_KINDS } QcKind;

/* Numbers of a frame, or of a buffer of audio. */
typedef enum {
  QC_LUMA_MIN,
  QC_LUMA_LOW,
  QC_LUMA_AVG,
  QC_LUMA_HIGH,
  QC_LUMA_MAX,
  QC_LUMA_DIFFERENCE, /* mean, to the frame before */
  QC_SCENE_SCORE,     /* 0 to 100 */
  QC_BLACK_SHARE,     /* percent */
  QC_N_LEVELS,
  QC_PEAK = 0, /* dB of full scale, of all channels */
  QC_RMS,      /* the same */
  QC_CLIPPED,  /* samples */
} QcLevel;

typedef struct {
  GstClockTime time; /* stream time */
  GstClockTime duration;
  double level[QC_N_LEVELS];
} QcSample;

typedef struct {
  QcKind kind;
  char *name;  /* "video", "audio", "audio-2" */
  guint index; /* in the file */
  GstVideoInfo video;
  int channels;
  guint64 frames_in, bytes_in;
  guint64 frames_seen, bytes_seen;
  guint64 faults, dropped_records, flushed, undecided;
  char *incomplete;  /* why vyrefilter did not see all that came, with its remedy; or NULL */
  double difference; /* percent, of the frame before */
  GArray *samples;   /* of QcSample */
} QcStream;

typedef struct {
  char *name;
  const QcStream *stream;
  GstClockTime start;
  GstClockTime end;     /* GST_CLOCK_TIME_NONE: open when the stream stopped */
  gboolean has_last;    /* the buffer at its end belongs to it: it is the last of the stream */
  GstStructure *values; /* the numbers that it carries; NULL: none */
} QcEvent;

typedef enum { QC_PASS, QC_FINDINGS, QC_INCOMPLETE } QcVerdict;

typedef struct {
  char *name;             /* as the user gave it */
  char *uri;              /* NULL: there is none */
  GPtrArray *streams;     /* of QcStream */
  GPtrArray *events;      /* of QcEvent */
  GPtrArray *problems;    /* of char *, each with its remedy */
  GstClockTime duration;  /* that the container claims */
  GstClockTime other_end; /* of streams that are not measured; 0: unknown */
} QcFile;

QcFile *qc_file_new (const char *name);
void qc_file_free (QcFile *file);
void qc_file_forget (QcFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (QcFile, qc_file_free)

const char *qc_kind_name (QcKind kind);
QcStream *qc_file_add_stream (QcFile *file, QcKind kind);
const QcStream *qc_file_find_stream (const QcFile *file, QcKind kind);
guint64 qc_file_count_seen (const QcFile *file, QcKind kind);
void qc_file_add_problem (QcFile *file, const char *format, ...) G_GNUC_PRINTF (2, 3);
void qc_file_add_event (QcFile *file, const QcStream *stream, const GstStructure *message);
GstClockTime qc_file_get_end (const QcFile *file);
void qc_file_finish (QcFile *file);
QcVerdict qc_file_get_verdict (const QcFile *file);
const char *qc_verdict_name (QcVerdict verdict);
char *qc_event_describe_value (const QcEvent *event);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is known of one input: its streams, its events and its problems. The lock of the run guards
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
  char *name;
  QcKind kind;
  GstClockTime start;
  GstClockTime end; /* GST_CLOCK_TIME_NONE: open when the stream stopped */
} QcEvent;

typedef struct {
  gboolean exists;
  GstVideoInfo video;
  int channels;
  guint64 frames_in, bytes_in;
  guint64 frames_seen, bytes_seen;
  guint64 faults, dropped_records, flushed, undecided;
  double difference; /* percent, of the frame before */
  GArray *samples;   /* of QcSample */
} QcStream;

typedef enum { QC_PASS, QC_FINDINGS, QC_INCOMPLETE } QcVerdict;

typedef struct {
  char *name; /* as the user gave it */
  char *uri;  /* NULL: there is none */
  QcStream streams[QC_N_KINDS];
  guint n_left_out;      /* streams behind the first of their kind */
  GPtrArray *events;     /* of QcEvent */
  GPtrArray *problems;   /* of char *, each with its remedy */
  GstClockTime duration; /* that the container claims */
} QcFile;

QcFile *qc_file_new (const char *name);
void qc_file_free (QcFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (QcFile, qc_file_free)

const char *qc_kind_name (QcKind kind);
void qc_file_add_problem (QcFile *file, const char *format, ...) G_GNUC_PRINTF (2, 3);
void qc_file_add_event (QcFile *file, QcKind kind, const GstStructure *message);
GstClockTime qc_file_get_end (const QcFile *file);
void qc_file_finish (QcFile *file);
QcVerdict qc_file_get_verdict (const QcFile *file);
const char *qc_verdict_name (QcVerdict verdict);
char *qc_file_describe_value (const QcFile *file, const QcEvent *event);

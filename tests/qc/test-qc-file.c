/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Verdicts and values of events, of counts that no film makes.
 */
#include <glib/gstdio.h>

#include "qc-file.h"

static QcFile *
file_new (void)
{
  QcFile *file = qc_file_new ("/nowhere/film.mkv");
  QcStream *video = qc_file_add_stream (file, QC_VIDEO);

  video->frames_in = video->frames_seen = 5;
  video->bytes_in = video->bytes_seen = 500;
  return file;
}

/* The first stream of @kind, which is made with a buffer if there is none. */
static QcStream *
file_get_stream (QcFile *file, QcKind kind)
{
  const QcStream *stream = qc_file_find_stream (file, kind);

  if (stream)
    return (QcStream *)stream;
  QcStream *made = qc_file_add_stream (file, kind);
  made->frames_in = made->frames_seen = 1;
  return made;
}

static void
file_add_sample (QcFile *file, QcKind kind, QcLevel level, guint seconds, double value)
{
  QcSample sample = { .time = seconds * GST_SECOND, .duration = GST_SECOND };

  sample.level[level] = value;
  g_array_append_val (file_get_stream (file, kind)->samples, sample);
}

/* Checks the file, which has one problem, with a remedy, that matches. */
static void
file_assert_incomplete (QcFile *file, const char *pattern)
{
  qc_file_finish (file);
  g_assert_cmpint (qc_file_get_verdict (file), ==, QC_INCOMPLETE);
  g_assert_cmpuint (file->problems->len, ==, 1);
  if (!g_pattern_match_simple (pattern, file->problems->pdata[0]))
    g_error ("'%s' is not '%s'", (char *)file->problems->pdata[0], pattern);
  qc_file_free (file);
}

static void
test_pass (void)
{
  g_autoptr (QcFile) file = file_new ();

  qc_file_finish (file);
  g_assert_cmpint (qc_file_get_verdict (file), ==, QC_PASS);
  g_assert_cmpuint (file->problems->len, ==, 0);
}

static void
test_frames_missing (void)
{
  QcFile *file = file_new ();

  file_get_stream (file, QC_VIDEO)->frames_seen = 4;
  file_assert_incomplete (file, "4 of 5 buffers and 500 of 500 bytes of video *Fix: *.");
}

static void
test_bytes_missing (void)
{
  QcFile *file = file_new ();

  file_get_stream (file, QC_VIDEO)->bytes_seen = 499;
  file_assert_incomplete (file, "5 of 5 buffers and 499 of 500 bytes of video *Fix: *.");
}

static void
test_nothing_came (void)
{
  QcFile *file = file_new ();

  qc_file_add_stream (file, QC_AUDIO);
  file_assert_incomplete (file, "The audio stream has no buffer. Fix: *.");
}

/* The verdict of vyrefilter, and its remedy, become those of the file. */
static void
test_incomplete (void)
{
  QcFile *file = file_new ();

  file_get_stream (file, QC_VIDEO)->incomplete = g_strdup ("a slot faulted. Fix: mend it.");
  file_assert_incomplete (file, "Of the video: a slot faulted. Fix: mend it.");
}

/* The last buffer may end a quarter of a second early, and not more. */
static void
test_duration (void)
{
  for (guint early = 0; early < 2; early++) {
    QcFile *file = file_new ();
    for (guint second = 0; second < 10; second++)
      file_add_sample (file, QC_VIDEO, QC_BLACK_SHARE, second, 0);
    file->duration = 10 * GST_SECOND + 250 * GST_MSECOND + early;
    if (early) {
      file_assert_incomplete (file, "It ends after 10.000 s of the 10.250 s *Fix: *.");
      continue;
    }
    qc_file_finish (file);
    g_assert_cmpint (qc_file_get_verdict (file), ==, QC_PASS);
    qc_file_free (file);
  }
}

static void
test_gap (void)
{
  QcFile *file = file_new ();

  for (guint second = 0; second < 10; second += second == 4 ? 2 : 1)
    file_add_sample (file, QC_VIDEO, QC_BLACK_SHARE, second, 0);
  file_assert_incomplete (file, "There is no video from 5.000 s to 6.000 s. Fix: *.");
}

/* Where the duration of a buffer is unknown, it is not a gap. */
static void
test_no_duration (void)
{
  g_autoptr (QcFile) file = file_new ();

  for (guint second = 0; second < 10; second += 3)
    file_add_sample (file, QC_VIDEO, QC_BLACK_SHARE, second, 0);
  for (guint i = 0; i < 4; i++)
    g_array_index (file_get_stream (file, QC_VIDEO)->samples, QcSample, i).duration = 0;
  qc_file_finish (file);
  g_assert_cmpint (qc_file_get_verdict (file), ==, QC_PASS);
}

static void
test_short_stream (void)
{
  QcFile *file = file_new ();

  for (guint second = 0; second < 10; second++)
    file_add_sample (file, QC_VIDEO, QC_BLACK_SHARE, second, 0);
  file_add_sample (file, QC_AUDIO, QC_PEAK, 0, 0);
  file_assert_incomplete (file, "Its audio ends after 1.000 s of 10.000 s. Fix: *.");
}

/* A name with a colon is that of a file, if there is one. */
static void
test_colon (void)
{
  g_autofree char *folder = g_dir_make_tmp ("test-qc-file-XXXXXX", NULL);

  g_assert_cmpint (g_chdir (folder), ==, 0);
  for (guint exists = 0; exists < 2; exists++) {
    g_autoptr (QcFile) file = qc_file_new ("take:1.mkv");
    g_assert_true (g_str_has_prefix (file->uri, exists ? "file:///" : "take:1.mkv"));
    g_assert_true (exists || g_file_set_contents ("take:1.mkv", "", 0, NULL));
  }
  g_assert_cmpint (g_unlink ("take:1.mkv"), ==, 0);
  g_assert_cmpint (g_chdir ("/"), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* Opening a pipe that nobody writes would wait for ever. */
static void
test_pipe (void)
{
  g_autofree char *folder = g_dir_make_tmp ("test-qc-file-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "pipe", NULL);
  g_autoptr (QcFile) file = qc_file_new (path);

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  qc_file_finish (file);
  g_assert_cmpuint (file->problems->len, ==, 0);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
file_post (QcFile *file, QcKind kind, const char *name, const char *state, double seconds)
{
  GstStructure *message = gst_structure_new ("vyre-event", "event", G_TYPE_STRING, name, "state",
      G_TYPE_STRING, state, "stream-time", G_TYPE_UINT64, (guint64)(seconds * GST_SECOND), NULL);

  qc_file_add_event (file, file_get_stream (file, kind), message);
  gst_structure_free (message);
}

/* An end belongs to the last start of its name and stream, and events come in order. */
static void
test_events (void)
{
  g_autoptr (QcFile) file = file_new ();

  file_post (file, QC_VIDEO, "black", "start", 1);
  file_post (file, QC_VIDEO, "black", "end", 2);
  file_post (file, QC_VIDEO, "black", "start", 3);
  file_post (file, QC_AUDIO, "black", "start", 4);
  file_post (file, QC_VIDEO, "freeze", "start", 5);
  file_post (file, QC_VIDEO, "black", "end", 6);
  file_post (file, QC_AUDIO, "silence", "start", 3);
  file_post (file, QC_AUDIO, "clipping", "start", 0);
  qc_file_finish (file);
  const guint starts[] = { 0, 1, 3, 3, 4, 5 }, ends[] = { 0, 2, 6, 0, 0, 0 };
  g_assert_cmpuint (file->events->len, ==, G_N_ELEMENTS (starts));
  for (guint i = 0; i < file->events->len; i++) {
    const QcEvent *event = file->events->pdata[i];
    g_assert_cmpuint (event->start, ==, starts[i] * GST_SECOND);
    g_assert_cmpuint (event->end, ==, ends[i] > 0 ? ends[i] * GST_SECOND : GST_CLOCK_TIME_NONE);
  }
  g_assert_cmpint (qc_file_get_verdict (file), ==, QC_FINDINGS);
}

/* Events of one start and one name come in the order of their streams. */
static void
test_order (void)
{
  g_autoptr (QcFile) file = file_new ();

  for (guint i = 0; i < 8; i++)
    qc_file_add_stream (file, QC_AUDIO);
  for (guint i = 0; i < 8; i++) {
    g_autoptr (GstStructure) message = gst_structure_new ("vyre-event", "event", G_TYPE_STRING,
        "silence", "state", G_TYPE_STRING, "start", "stream-time", G_TYPE_UINT64, (guint64)0, NULL);
    qc_file_add_event (file, file->streams->pdata[1 + (3 * i + 5) % 8], message);
  }
  qc_file_finish (file);
  for (guint i = 0; i < 8; i++)
    g_assert_true (((QcEvent *)file->events->pdata[i])->stream == file->streams->pdata[1 + i]);
}

/* A file that was reported keeps its counts alone. */
static void
test_forget (void)
{
  g_autoptr (QcFile) file = file_new ();

  file_add_sample (file, QC_VIDEO, QC_BLACK_SHARE, 0, 0);
  file_post (file, QC_VIDEO, "black", "start", 0);
  qc_file_forget (file);
  g_assert_cmpuint (file_get_stream (file, QC_VIDEO)->samples->len, ==, 0);
  g_assert_cmpuint (file->events->len, ==, 0);
  g_assert_cmpuint (qc_file_count_seen (file, QC_VIDEO), ==, 5);
}

/* A value is over the buffers of the interval, from its start on. That at its end counts where it
 * is the last of the film and did not end it. A freeze starts with a frame that differs. */
static void
test_values (void)
{
  static const struct {
    const char *event;
    QcKind kind;
    QcLevel level;
    const char *value, *value_to_end;
  } cases[] = {
    { "black", QC_VIDEO, QC_BLACK_SHARE, "3.00 %", "2.00 %" },
    { "freeze", QC_VIDEO, QC_LUMA_DIFFERENCE, "5.0000", "5.0000" },
    { "cut", QC_VIDEO, QC_SCENE_SCORE, "6.000", "6.000" },
    { "silence", QC_AUDIO, QC_PEAK, "6.0 dB", "6.0 dB" },
    { "clipping", QC_AUDIO, QC_CLIPPED, "14 samples", "16 samples" },
    { "letterbox", QC_VIDEO, QC_LUMA_MIN, "-", "-" },
  };
  const double levels[] = { 1, 6, 5, 3, 2 };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    guint row = i / 2, to_end = i % 2;
    g_autoptr (QcFile) file = file_new ();
    for (guint second = 0; second < 4 + to_end; second++)
      file_add_sample (file, cases[row].kind, cases[row].level, second, levels[second]);
    file_post (file, cases[row].kind, cases[row].event, "start", 1);
    file_post (file, cases[row].kind, cases[row].event, "end", 4);
    if (!to_end)
      file_add_sample (file, cases[row].kind, cases[row].level, 4, levels[4]);
    g_autofree char *value = qc_event_describe_value (file->events->pdata[0]);
    g_assert_cmpstr (value, ==, to_end ? cases[row].value_to_end : cases[row].value);
  }
}

/* Silence begins and ends inside of buffers, which are loud. */
static void
test_silence (void)
{
  static const double levels[] = { -3, -70, -80, -4 };
  static const struct {
    double start, end;
    const char *value;
  } cases[] = { { 0.5, 3.5, "-70.0 dB" }, { 1.5, 3.1, "-80.0 dB" }, { 0.5, 1.5, "-" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (QcFile) file = file_new ();
    for (guint second = 0; second < G_N_ELEMENTS (levels); second++)
      file_add_sample (file, QC_AUDIO, QC_PEAK, second, levels[second]);
    file_post (file, QC_AUDIO, "silence", "start", cases[i].start);
    file_post (file, QC_AUDIO, "silence", "end", cases[i].end);
    g_autofree char *value = qc_event_describe_value (file->events->pdata[0]);
    g_assert_cmpstr (value, ==, cases[i].value);
  }
}

/* An event may carry numbers of its own. */
static void
test_numbers (void)
{
  g_autoptr (QcFile) file = file_new ();
  GstStructure *message = gst_structure_new_from_string (
      "vyre-event, event=borders, state=start, stream-time=(guint64)0, "
      "values=(structure)\"values, x=(gint64)-8, width=(guint64)5000000000\"");

  g_assert_nonnull (message);
  qc_file_add_event (file, file_get_stream (file, QC_VIDEO), message);
  gst_structure_free (message);
  g_autofree char *value = qc_event_describe_value (file->events->pdata[0]);
  g_assert_cmpstr (value, ==, "x=-8 width=5000000000");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/qc-file/pass", test_pass);
  g_test_add_func ("/qc-file/frames-missing", test_frames_missing);
  g_test_add_func ("/qc-file/bytes-missing", test_bytes_missing);
  g_test_add_func ("/qc-file/nothing-came", test_nothing_came);
  g_test_add_func ("/qc-file/incomplete", test_incomplete);
  g_test_add_func ("/qc-file/duration", test_duration);
  g_test_add_func ("/qc-file/gap", test_gap);
  g_test_add_func ("/qc-file/no-duration", test_no_duration);
  g_test_add_func ("/qc-file/short-stream", test_short_stream);
  g_test_add_func ("/qc-file/colon", test_colon);
  g_test_add_func ("/qc-file/pipe", test_pipe);
  g_test_add_func ("/qc-file/events", test_events);
  g_test_add_func ("/qc-file/forget", test_forget);
  g_test_add_func ("/qc-file/order", test_order);
  g_test_add_func ("/qc-file/values", test_values);
  g_test_add_func ("/qc-file/silence", test_silence);
  g_test_add_func ("/qc-file/numbers", test_numbers);
  return g_test_run ();
}

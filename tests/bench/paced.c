/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "paced.h"

#include <string.h>
#include <time.h>

#include "kernel.h"
#include "series.h"

/* Buffers at the start of a run that are not timed: threads and caches warm up. */
#define WARM 4

/* Time between two looks whether all results are there, µs. */
#define LOOK_US 1000

/* Threads are made meanwhile, ns. */
#define HEAD_START 100000000

static gboolean
is_right (const BenchPaced *paced, GstBuffer *buffer, guint64 index)
{
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  guint place = index % BENCH_PACED_POOL;
  GstMapInfo map;

  if (!paced->analyses)
    return memory == gst_buffer_peek_memory (paced->pool[place], 0);
  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return FALSE;
  gboolean fine = vyre_read_word (map.data, VYRE_CONTROL_OBSERVABLES) == (guint32)(index + 1)
                  && bench_stats_match (&paced->stats[place], map.data, 1);
  gst_memory_unmap (memory, &map);
  return fine;
}

/* The sink's chain function. */
static GstFlowReturn
take (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  BenchPaced *paced = gst_pad_get_element_private (pad);
  guint64 index = paced->received;
  gint64 now = bench_now ();
  double latency = (double)(now - paced->pushed_at[index % BENCH_PACED_RING]) / 1000;

  if (!is_right (paced, buffer, index))
    paced->wrong++;
  gst_buffer_unref (buffer);
  g_array_append_val (paced->latencies, latency);
  paced->latest = MAX (paced->latest, now - paced->due[index % BENCH_PACED_RING]);
  __atomic_store_n (&paced->received, index + 1, __ATOMIC_RELEASE);
  return GST_FLOW_OK;
}

static GstPad *
make_pad (BenchPaced *paced, GstPadDirection direction, const char *peer)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (paced->pipeline), "element");
  GstPad *pad = gst_pad_new (NULL, direction), *other = gst_element_get_static_pad (element, peer);

  gst_object_ref_sink (pad);
  gst_pad_set_element_private (pad, paced);
  if (direction == GST_PAD_SINK)
    gst_pad_set_chain_function (pad, take);
  gst_pad_set_active (pad, TRUE);
  bench_check (&paced->check,
      (direction == GST_PAD_SINK ? gst_pad_link (other, pad) : gst_pad_link (pad, other))
          == GST_PAD_LINK_OK,
      "a pad cannot be linked");
  gst_object_unref (other);
  gst_object_unref (element);
  return pad;
}

static void
begin_stream (BenchPaced *paced)
{
  GstCaps *caps = gst_caps_new_empty_simple ("application/octet-stream");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (paced->source, gst_event_new_stream_start ("paced"));
  gst_pad_push_event (paced->source, gst_event_new_caps (caps));
  gst_pad_push_event (paced->source, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

static void
fill_pool (BenchPaced *paced, gsize size, guint seed)
{
  for (guint i = 0; i < BENCH_PACED_POOL; i++) {
    GstMapInfo map;
    paced->pool[i] = gst_buffer_new_allocate (NULL, size, NULL);
    gst_buffer_map (paced->pool[i], &map, GST_MAP_WRITE);
    bench_noise (map.data, size, seed + i, (guint8)(seed + i), (guint8)(2 * i));
    paced->stats[i] = BENCH_STATS_NONE;
    bench_stats_add (&paced->stats[i], map.data, size);
    gst_buffer_unmap (paced->pool[i], &map);
  }
}

/* Makes a stream of buffers of @size bytes through @element, vyrefilter or identity, one each
 * @period ns. Close it also when this fails: its check says why. */
gboolean
bench_paced_open (BenchPaced *paced, const char *element, gsize size, gint64 period, guint seed)
{
  GError *error = NULL;

  *paced = (BenchPaced){ .analyses = g_str_has_prefix (element, "vyrefilter")
                                     && !strstr (element, "output-mode=passthrough"),
    .period = period };
  paced->pipeline = gst_pipeline_new (NULL);
  paced->latencies = g_array_new (FALSE, FALSE, sizeof (double));
  g_autofree char *text = g_strdup_printf ("%s name=element", element);
  GstElement *made = gst_parse_launch (text, &error);
  if (!bench_check_error (&paced->check, error))
    return FALSE;
  gst_bin_add (GST_BIN (paced->pipeline), made);
  paced->source = make_pad (paced, GST_PAD_SRC, "sink");
  paced->sink = make_pad (paced, GST_PAD_SINK, "src");
  fill_pool (paced, size, seed);
  gst_element_set_state (paced->pipeline, GST_STATE_PLAYING);
  GstStateChangeReturn result
      = gst_element_get_state (paced->pipeline, NULL, NULL, BENCH_DEADLINE * GST_USECOND);
  bench_check (&paced->check, result == GST_STATE_CHANGE_SUCCESS, "%s does not play", element);
  begin_stream (paced);
  return paced->check.failed == 0;
}

static void
close_pad (GstPad **pad)
{
  if (*pad)
    gst_pad_set_active (*pad, FALSE);
  gst_clear_object (pad);
}

void
bench_paced_close (BenchPaced *paced)
{
  if (!paced->pipeline)
    return;
  close_pad (&paced->source);
  gst_element_set_state (paced->pipeline, GST_STATE_NULL);
  close_pad (&paced->sink);
  gst_clear_object (&paced->pipeline);
  for (guint i = 0; i < BENCH_PACED_POOL; i++)
    gst_clear_buffer (&paced->pool[i]);
  g_clear_pointer (&paced->latencies, g_array_unref);
  bench_check_clear (&paced->check);
}

static void
sleep_until (gint64 time)
{
  struct timespec until = { .tv_sec = time / 1000000000, .tv_nsec = time % 1000000000 };

  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
    ;
}

/* Waits for what is in flight, which is little. */
static void
await_rest (BenchPaced *paced)
{
  gint64 deadline = g_get_monotonic_time () + BENCH_DEADLINE;

  while (__atomic_load_n (&paced->received, __ATOMIC_ACQUIRE) < paced->pushed
         && g_get_monotonic_time () < deadline)
    g_usleep (LOOK_US);
  bench_check (&paced->check, paced->received == paced->pushed,
      "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " buffers came out", paced->received,
      paced->pushed);
  bench_check (&paced->check, paced->wrong == 0, "%" G_GUINT64_FORMAT " buffers came out wrong",
      paced->wrong);
}

/* The function of the stream's thread: pushes from the start of the run to its end. */
static gpointer
run (gpointer data)
{
  BenchPaced *paced = data;
  guint64 first = paced->pushed;
  GstFlowReturn flow = GST_FLOW_OK;

  g_array_set_size (paced->latencies, 0);
  paced->latest = 0;
  for (gint64 due = paced->start; due < paced->end && flow == GST_FLOW_OK; paced->pushed++) {
    guint place = paced->pushed % BENCH_PACED_RING;
    if (paced->period > 0)
      sleep_until (due);
    paced->due[place] = due;
    paced->pushed_at[place] = bench_now ();
    flow = gst_pad_push (
        paced->source, gst_buffer_ref (paced->pool[paced->pushed % BENCH_PACED_POOL]));
    due = paced->period > 0 ? due + paced->period : bench_now ();
  }
  bench_check (
      &paced->check, flow == GST_FLOW_OK, "a stream ended with %s", gst_flow_get_name (flow));
  await_rest (paced);
  paced->check.done += paced->received - first;
  if (paced->latencies->len > WARM)
    g_array_remove_range (paced->latencies, 0, WARM);
  return NULL;
}

/* Runs @n streams side by side for @seconds, each in a thread of its own. The buffers of streams
 * of one period are due at evenly spaced times. How many buffers came out. */
guint64
bench_paced_run (BenchPaced *streams, guint n, double seconds, BenchCheck *check)
{
  g_autofree GThread **threads = g_new (GThread *, n);
  gint64 start = bench_now () + HEAD_START;
  guint64 buffers = 0;

  for (guint i = 0; i < n; i++) {
    BenchPaced *paced = &streams[i];
    paced->start = start + paced->period * i / n;
    paced->end = start + (gint64)(seconds * 1e9);
    buffers -= paced->received;
    threads[i] = g_thread_new (paced->period > 0 ? "paced" : "flood", run, paced);
  }
  for (guint i = 0; i < n; i++) {
    BenchPaced *paced = &streams[i];
    g_thread_join (threads[i]);
    buffers += paced->received;
    bench_check (check, paced->check.failed == 0, "%s",
        paced->check.first ? paced->check.first : "a stream failed");
  }
  check->done += buffers;
  return buffers;
}

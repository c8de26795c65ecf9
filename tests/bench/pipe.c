/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipe.h"

#include <math.h>

#include "kernel.h"
#include "oracle.h"
#include "series.h"

/* The kernel is away soon after a round: it must take nothing from the next. */
#define IDLE_TIMEOUT_NS 20000000
#define SETTLE_US 50000

#define SOURCE "appsrc block=true format=time name="

static GstFlowReturn
take_sample (GstAppSink *sink, gpointer data)
{
  BenchPipe *pipe = data;
  GstSample *sample = gst_app_sink_pull_sample (sink);

  if (!sample)
    return GST_FLOW_EOS;
  if (!pipe->is_right (pipe, gst_sample_get_buffer (sample), pipe->received))
    pipe->wrong++;
  gst_sample_unref (sample);
  pipe->last = bench_now ();
  __atomic_store_n (&pipe->received, pipe->received + 1, __ATOMIC_RELEASE);
  return GST_FLOW_OK;
}

/* A vyrefilter for bench_pipe_open(), but for what follows it. */
char *
bench_pipe_filter (const char *program, const char *residency, const char *placement)
{
  g_autoptr (GstElement) probe = gst_element_factory_make ("vyrefilter", NULL);
  GString *text = g_string_new (NULL);

  if (probe)
    gst_object_ref_sink (probe);
  g_string_append_printf (text, "vyrefilter program=\"%s\" residency=%s idle-timeout=%d", program,
      residency, IDLE_TIMEOUT_NS);
  if (probe && g_object_class_find_property (G_OBJECT_GET_CLASS (probe), "placement"))
    g_string_append_printf (text, " placement=%s", placement);
  return g_string_free (text, FALSE);
}

/* Sources that an error stopped take nothing any more: pushing must not wait for them. */
static GstBusSyncReply
watch (GstBus *bus, GstMessage *message, gpointer data)
{
  BenchPipe *pipe = data;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return GST_BUS_PASS;
  gst_app_src_end_of_stream (pipe->source);
  if (pipe->second)
    gst_app_src_end_of_stream (pipe->second);
  return GST_BUS_PASS;
}

static GstAppSrc *
find_source (BenchPipe *pipe, const char *name, gsize queued)
{
  GstAppSrc *source = GST_APP_SRC (gst_bin_get_by_name (GST_BIN (pipe->pipeline), name));

  gst_app_src_set_caps (source, pipe->caps);
  gst_app_src_set_max_bytes (source, queued);
  return source;
}

static gboolean
connect (BenchPipe *pipe, const char *caps, gsize queued)
{
  static GstAppSinkCallbacks callbacks = { .new_sample = take_sample };
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipe->pipeline), "sink");

  pipe->caps = gst_caps_from_string (caps);
  pipe->source = find_source (pipe, "source", queued);
  if (pipe->paired)
    pipe->second = find_source (pipe, "second", queued);
  pipe->element = gst_bin_get_by_name (GST_BIN (pipe->pipeline), "element");
  pipe->bus = gst_element_get_bus (pipe->pipeline);
  gst_bus_set_sync_handler (pipe->bus, watch, pipe, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, pipe, NULL);
  gst_object_unref (sink);
  gst_element_set_state (pipe->pipeline, GST_STATE_PLAYING);
  GstStateChangeReturn result
      = gst_element_get_state (pipe->pipeline, NULL, NULL, BENCH_DEADLINE * GST_USECOND);
  return bench_check (
      pipe->check, result == GST_STATE_CHANGE_SUCCESS, "a pipeline does not get to PLAYING");
}

/* To PLAYING with @element in the middle, and @queued bytes in front of it at the
 * most. Close it also when this fails. */
gboolean
bench_pipe_open (
    BenchPipe *pipe, const char *element, const char *caps, gsize queued, BenchCheck *check)
{
  g_autofree char *text = g_strdup_printf (SOURCE
      "source ! %s name=element ! "
      "appsink name=sink sync=false async=false enable-last-sample=false %s",
      element, pipe->paired ? SOURCE "second ! element.reference" : "");
  GError *error = NULL;

  pipe->check = check;
  pipe->pipeline = gst_parse_launch (text, &error);
  if (!bench_check_error (check, error))
    return FALSE;
  return connect (pipe, caps, queued);
}

void
bench_pipe_close (BenchPipe *pipe)
{
  if (pipe->pipeline)
    gst_element_set_state (pipe->pipeline, GST_STATE_NULL);
  for (guint i = 0; i < pipe->n_pool; i++)
    gst_buffer_unref (pipe->pool[i]);
  g_free (pipe->pool);
  gst_clear_object (&pipe->source);
  gst_clear_object (&pipe->second);
  gst_clear_object (&pipe->element);
  gst_clear_object (&pipe->bus);
  gst_clear_caps (&pipe->caps);
  gst_clear_object (&pipe->pipeline);
}

/* The allocator that the element proposes, or NULL: the system's. */
static GstAllocator *
propose (BenchPipe *pipe, GstAllocationParams *params)
{
  GstPad *pad = gst_element_get_static_pad (pipe->element, "sink");
  GstQuery *query = gst_query_new_allocation (pipe->caps, FALSE);
  GstAllocator *allocator = NULL;

  if (gst_pad_query (pad, query) && gst_query_get_n_allocation_params (query) > 0)
    gst_query_parse_nth_allocation_param (query, 0, &allocator, params);
  gst_query_unref (query);
  gst_object_unref (pad);
  bench_check (pipe->check, allocator != NULL, "no allocator was proposed");
  return allocator;
}

/* Makes the pool: in system memory, or in memory that the element lends. */
void
bench_pipe_fill (BenchPipe *pipe, guint8 *const *contents, guint n, gsize size, gboolean lent)
{
  GstAllocationParams params;
  gst_allocation_params_init (&params);
  GstAllocator *allocator = lent ? propose (pipe, &params) : NULL;

  pipe->pool = g_new (GstBuffer *, n);
  pipe->n_pool = n;
  for (guint i = 0; i < n; i++) {
    pipe->pool[i] = gst_buffer_new_allocate (allocator, size, &params);
    gst_buffer_fill (pipe->pool[i], 0, contents[i], size);
  }
  gst_clear_object (&allocator);
}

/* Feeds it with the buffers of @other, too. */
void
bench_pipe_share (BenchPipe *pipe, const BenchPipe *other)
{
  pipe->pool = g_new (GstBuffer *, other->n_pool);
  pipe->n_pool = other->n_pool;
  for (guint i = 0; i < other->n_pool; i++)
    pipe->pool[i] = gst_buffer_ref (other->pool[i]);
}

/* The pool's buffer, or one of its own with the same memory and metas, and with its time. */
static GstBuffer *
take (const BenchPipe *pipe, guint64 content, guint64 index)
{
  GstBuffer *pooled = pipe->pool[content % pipe->n_pool];

  if (pipe->duration == 0)
    return gst_buffer_ref (pooled);
  GstBuffer *buffer = gst_buffer_new ();
  gst_buffer_copy_into (buffer, pooled, GST_BUFFER_COPY_META, 0, (gsize)-1);
  gst_buffer_append_memory (buffer, gst_buffer_get_memory (pooled, 0));
  GST_BUFFER_PTS (buffer) = index * pipe->duration;
  GST_BUFFER_DURATION (buffer) = pipe->duration;
  return buffer;
}

static GstFlowReturn
push_one (BenchPipe *pipe)
{
  guint64 index = pipe->pushed++;
  GstFlowReturn flow = gst_app_src_push_buffer (pipe->source, take (pipe, index, index));

  if (flow == GST_FLOW_OK && pipe->second)
    flow = gst_app_src_push_buffer (pipe->second, take (pipe, index + 1, index));
  return flow;
}

static GstFlowReturn
push (BenchPipe *pipe)
{
  GstBufferList *list;

  if (pipe->list == 1)
    return push_one (pipe);
  list = gst_buffer_list_new_sized (pipe->list);
  for (guint i = 0; i < pipe->list; i++, pipe->pushed++)
    gst_buffer_list_add (list, take (pipe, pipe->pushed, pipe->pushed));
  return gst_app_src_push_buffer_list (pipe->source, list);
}

/* Empties the bus; FALSE when there was an error. */
static gboolean
hear (BenchPipe *pipe)
{
  GstMessage *message;
  gboolean fine = TRUE;

  while ((message = gst_bus_pop (pipe->bus))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      GError *error = NULL;
      gst_message_parse_error (message, &error, NULL);
      fine = bench_check_error (pipe->check, error);
    } else if (pipe->heard) {
      pipe->heard (pipe, message);
    }
    gst_message_unref (message);
  }
  return fine;
}

static void
await_all (BenchPipe *pipe)
{
  gint64 end = g_get_monotonic_time () + BENCH_DEADLINE;

  while (__atomic_load_n (&pipe->received, __ATOMIC_ACQUIRE) < pipe->pushed
         && g_get_monotonic_time () < end)
    g_usleep (50);
}

static gboolean
check_all (BenchPipe *pipe, GstFlowReturn flow)
{
  BenchCheck *check = pipe->check;

  return hear (pipe)
         && bench_check (check, flow == GST_FLOW_OK, "pushing gave %s", gst_flow_get_name (flow))
         && bench_check (check, pipe->received == pipe->pushed,
             "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " buffers came out", pipe->received,
             pipe->pushed)
         && bench_check (check, pipe->wrong == 0,
             "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " buffers came out wrong", pipe->wrong,
             pipe->received);
}

/* Feeds it for @seconds; from the first push to the last buffer's coming out. */
BenchFlow
bench_pipe_feed (BenchPipe *pipe, double seconds)
{
  guint64 first = pipe->pushed;
  double cpu = bench_cpu_seconds ();
  gint64 start = bench_now ();
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK && (double)(bench_now () - start) < seconds * 1e9)
    flow = push (pipe);
  if (flow == GST_FLOW_OK)
    await_all (pipe);
  double n = (double)(pipe->pushed - first), elapsed = (double)(pipe->last - start) / 1e9;
  BenchFlow result = { n / elapsed, (bench_cpu_seconds () - cpu) * 1e6 / n };
  g_usleep (SETTLE_US);
  pipe->check->done += pipe->received - first; /* each was looked at */
  return check_all (pipe, flow) ? result : (BenchFlow){ NAN, NAN };
}

/* vyrefilter has to have seen each buffer, as a whole and from where it lay. */
void
bench_pipe_check_complete (BenchPipe *pipe)
{
  GstStructure *stats = NULL;
  gboolean complete = FALSE;
  guint64 bounced = 0;

  g_object_get (pipe->element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "cpu-bounce-bytes", &bounced);
  gst_structure_get_boolean (stats, "complete", &complete);
  bench_check (pipe->check, complete, "not all was seen: %s",
      gst_structure_get_string (stats, "complete-verdict"));
  bench_check (
      pipe->check, bounced == 0, "%" G_GUINT64_FORMAT " bytes of lent memory were copied", bounced);
  gst_structure_free (stats);
}

/* The readback of the right buffer, with its own results: a BenchPipeCheck for `u8_stats payload`,
 * where the pipe's data are BenchStats of its pool. */
gboolean
bench_pipe_is_stats (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  const BenchStats *stats = pipe->data;
  GstMapInfo map;

  if (!gst_memory_map (gst_buffer_peek_memory (buffer, 0), &map, GST_MAP_READ))
    return FALSE;
  gboolean fine = vyre_read_word (map.data, VYRE_CONTROL_OBSERVABLES) == (guint32)(index + 1)
                  && bench_stats_match (&stats[index % pipe->n_pool], map.data, 1);
  gst_memory_unmap (gst_buffer_peek_memory (buffer, 0), &map);
  return fine;
}

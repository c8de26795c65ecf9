/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stage.h"

#include "kernel.h"
#include "schedule.h"

/* Of the buffer that has to arrive at the end, whatever happened before. */
#define LAST_NUMBER 1000000

#define BUFFER_SIZE 8
#define CONTENT "abcdefgh"

#define FIRST_CAPS "application/octet-stream"
#define NEXT_CAPS "audio/x-raw"

static struct {
  StageSetup setup;
  GstElement *element;
  GstPad *upstream;   /* sends to the element */
  GstPad *downstream; /* gets what it sends */
  GstPad *sink;       /* of the element */
  GstPad *source;
  GstPad *beside;    /* sends the second stream, or NULL */
  GstPad *partners;  /* of the element */
  GstPad *tap;       /* gets the readbacks, or NULL */
  GstPad *readbacks; /* of the element */

  GMutex lock;
  GCond changed;
  GRecMutex streaming; /* upstream's thread holds it while it pushes, as sources do */
  GRecMutex streaming_beside;
  guint number; /* of the last buffer pushed */
  guint first;  /* of what comes after the last flush */
  guint recaps; /* the first with other caps; 0: none */
  guint least;  /* that may arrive now */
  guint last_arrived;
  guint last_readback;
  guint n_arrived;
  gboolean released;
  gboolean sought;
  gboolean is_seek_over;
  gboolean eos;
  guint n_errors;
  gboolean slipped; /* something came before what upstream has to send first */
} stage;

/* ---- tasks ------------------------------------------------------------------------------ */

/* Threads of tasks are threads of the schedule. */
typedef struct {
  GstTaskPool parent;
} StagePool;

typedef struct {
  GstTaskPoolClass parent;
} StagePoolClass;

static GType stage_pool_get_type (void);
G_DEFINE_TYPE (StagePool, stage_pool, GST_TYPE_TASK_POOL)

static void
pool_prepare (GstTaskPool *pool, GError **error)
{
}

static void
pool_cleanup (GstTaskPool *pool)
{
}

static gpointer
pool_push (GstTaskPool *pool, GstTaskPoolFunction func, gpointer data, GError **error)
{
  return schedule_start (func, data);
}

static void
pool_join (GstTaskPool *pool, gpointer id)
{
  if (id)
    schedule_join (id);
}

static void
stage_pool_class_init (StagePoolClass *klass)
{
  GstTaskPoolClass *pool_class = GST_TASK_POOL_CLASS (klass);

  pool_class->prepare = pool_prepare;
  pool_class->cleanup = pool_cleanup;
  pool_class->push = pool_push;
  pool_class->join = pool_join;
}

static void
stage_pool_init (StagePool *self)
{
}

static void
adopt_task (GstMessage *message)
{
  GstStreamStatusType type;

  gst_message_parse_stream_status (message, &type, NULL);
  if (type != GST_STREAM_STATUS_TYPE_CREATE)
    return;
  GstTask *task = g_value_get_object (gst_message_get_stream_status_object (message));
  GstTaskPool *pool = g_object_new (stage_pool_get_type (), NULL);
  gst_task_set_pool (task, pool);
  gst_object_unref (pool);
}

static GstBusSyncReply
handle_message (GstBus *bus, GstMessage *message, gpointer data)
{
  schedule_point ();
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_STREAM_STATUS)
    adopt_task (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    stage.n_errors++;
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/* ---- downstream --------------------------------------------------------------------------- */

static void
wait_for_release (void)
{
  g_mutex_lock (&stage.lock);
  while (!stage.released)
    g_cond_wait (&stage.changed, &stage.lock);
  g_mutex_unlock (&stage.lock);
}

/* Nobody can seek while downstream does, from a thread that a seek has to stop. */
static void
wait_for_seek (void)
{
  g_mutex_lock (&stage.lock);
  while (!stage.is_seek_over)
    g_cond_wait (&stage.changed, &stage.lock);
  g_mutex_unlock (&stage.lock);
}

static void
note_arrival (guint number)
{
  if (number < stage.least)
    schedule_fail ("Buffer %u arrived behind the flush that drops it.", number);
  if (number <= stage.last_arrived)
    schedule_fail ("Buffer %u arrived behind buffer %u.", number, stage.last_arrived);
  if (stage.eos)
    schedule_fail ("Buffer %u arrived behind EOS.", number);
  stage.last_arrived = number;
  stage.n_arrived++;
  g_cond_broadcast (&stage.changed);
}

/* A buffer of a passthrough has its own bytes, caps and results, or goes on without because of its
 * deadline, or of a second stream. */
static void
check_passed (GstPad *pad, GstBuffer *buffer, guint number)
{
  gboolean next = stage.recaps > 0 && number >= stage.recaps;
  GstCaps *caps = gst_pad_get_current_caps (pad);

  gboolean has_own
      = caps
        && gst_structure_has_name (gst_caps_get_structure (caps, 0), next ? NEXT_CAPS : FIRST_CAPS);
  if (!has_own && !stage.slipped)
    schedule_fail ("Buffer %u has caps of other ones.", number);
  if (gst_buffer_memcmp (buffer, 0, CONTENT, BUFFER_SIZE) != 0
      || gst_buffer_get_size (buffer) != BUFFER_SIZE)
    schedule_fail ("Buffer %u has other bytes.", number);
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstVyreResultsMeta");
  if (!meta
      || (!gst_structure_has_field (gst_custom_meta_get_structure (meta), "crc")
          && stage.setup.max_latency == 0 && !stage.setup.has_partners))
    schedule_fail ("Buffer %u has no results.", number);
  gst_clear_caps (&caps);
}

static GstFlowReturn
downstream_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  guint number = (guint)GST_BUFFER_OFFSET (buffer);

  schedule_point ();
  if (stage.setup.downstream_blocks && number != LAST_NUMBER)
    wait_for_release ();
  note_arrival (number);
  if (stage.setup.passes)
    check_passed (pad, buffer, number);
  gst_buffer_unref (buffer);
  if (stage.setup.downstream_seeks && !stage.sought && number >= stage.setup.seeks_at) {
    stage.sought = TRUE;
    stage_flush ();
    stage.is_seek_over = TRUE;
    g_cond_broadcast (&stage.changed);
  }
  return stage.n_arrived >= 2 && number != LAST_NUMBER ? stage.setup.answer : GST_FLOW_OK;
}

/* Readbacks come in order; those of buffers that a flush drops do not come behind it. */
static GstFlowReturn
tap_chain (GstPad *pad, GstObject *parent, GstBuffer *readback)
{
  guint number = (guint)GST_BUFFER_OFFSET (readback);

  schedule_point ();
  if (number <= stage.last_readback)
    schedule_fail ("Readback %u arrived behind readback %u.", number, stage.last_readback);
  if (!gst_buffer_get_custom_meta (readback, "GstVyreReadbackMeta"))
    schedule_fail ("Readback %u is none.", number);
  stage.last_readback = number;
  gst_buffer_unref (readback);
  return GST_FLOW_OK;
}

static gboolean
tap_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  schedule_point ();
  gst_event_unref (event);
  return TRUE;
}

void
stage_release_readbacks (void)
{
  GstPad *readbacks = g_steal_pointer (&stage.readbacks);

  if (!readbacks)
    return;
  gst_element_release_request_pad (stage.element, readbacks);
  gst_object_unref (readbacks);
}

void
stage_request_readbacks (void)
{
  GstPad *readbacks = gst_element_request_pad_simple (stage.element, "readback_%u");

  stage.tap = gst_pad_new ("tap", GST_PAD_SINK);
  gst_pad_set_chain_function (stage.tap, tap_chain);
  gst_pad_set_event_function (stage.tap, tap_event);
  gst_pad_set_active (stage.tap, TRUE);
  gst_pad_link (readbacks, stage.tap);
  stage.readbacks = readbacks;
}

void
stage_release_downstream (void)
{
  g_mutex_lock (&stage.lock);
  stage.released = TRUE;
  g_cond_broadcast (&stage.changed);
  g_mutex_unlock (&stage.lock);
}

void
stage_block_downstream (void)
{
  g_mutex_lock (&stage.lock);
  stage.released = FALSE;
  g_mutex_unlock (&stage.lock);
}

static gboolean
downstream_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  schedule_point ();
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      stage_release_downstream ();
      break;
    case GST_EVENT_FLUSH_STOP:
      stage.least = stage.first;
      stage.eos = FALSE;
      break;
    case GST_EVENT_STREAM_START:
      stage.eos = FALSE;
      break;
    case GST_EVENT_EOS:
      stage.eos = TRUE;
      g_cond_broadcast (&stage.changed);
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

/* ---- upstream ------------------------------------------------------------------------------ */

static GstFlowReturn
push_number (guint number)
{
  GstBuffer *buffer = gst_buffer_new_memdup (CONTENT, BUFFER_SIZE);

  GST_BUFFER_OFFSET (buffer) = number;
  return gst_pad_push (stage.upstream, buffer);
}

/* Pushes until the element has had enough. */
void
stage_push (guint n)
{
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; i < n && flow == GST_FLOW_OK; i++) {
    g_rec_mutex_lock (&stage.streaming);
    flow = push_number (++stage.number);
    g_rec_mutex_unlock (&stage.streaming);
  }
}

static void
push_event (GstEvent *event)
{
  g_rec_mutex_lock (&stage.streaming);
  gst_pad_push_event (stage.upstream, event);
  g_rec_mutex_unlock (&stage.streaming);
}

static void
push_segment (void)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  push_event (gst_event_new_segment (&segment));
}

static void
push_caps (const gchar *text)
{
  GstCaps *caps = gst_caps_from_string (text);

  push_event (gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

void
stage_push_caps (void)
{
  g_rec_mutex_lock (&stage.streaming);
  stage.recaps = stage.number + 1;
  push_caps (NEXT_CAPS ",format=U8,layout=interleaved,channels=1,rate=8000");
  g_rec_mutex_unlock (&stage.streaming);
}

void
stage_push_eos (void)
{
  push_event (gst_event_new_eos ());
}

void
stage_push_gap (void)
{
  push_event (gst_event_new_gap (0, GST_SECOND));
}

void
stage_push_stream (void)
{
  g_rec_mutex_lock (&stage.streaming);
  push_event (gst_event_new_stream_start ("next"));
  push_segment ();
  g_rec_mutex_unlock (&stage.streaming);
}

static void
push_query (GstQuery *query)
{
  g_rec_mutex_lock (&stage.streaming);
  gst_pad_peer_query (stage.upstream, query);
  g_rec_mutex_unlock (&stage.streaming);
  gst_query_unref (query);
}

void
stage_query (void)
{
  push_query (stage.setup.passes ? gst_query_new_allocation (NULL, TRUE) : gst_query_new_drain ());
}

void
stage_drain (void)
{
  push_query (gst_query_new_drain ());
}

/* The second half of a seek: upstream's thread is out, and starts anew. */
static void
end_seek (void)
{
  g_rec_mutex_lock (&stage.streaming);
  stage.first = stage.number + 1;
  gst_pad_push_event (stage.upstream, gst_event_new_flush_stop (TRUE));
  push_segment ();
  g_rec_mutex_unlock (&stage.streaming);
}

void
stage_flush (void)
{
  gst_pad_push_event (stage.upstream, gst_event_new_flush_start ());
  end_seek ();
}

void
stage_flush_stop_alone (void)
{
  end_seek ();
}

/* ---- the second stream -------------------------------------------------------------------------
 */

static void
push_segment_beside (void)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (stage.beside, gst_event_new_segment (&segment));
}

static void
begin_beside (void)
{
  GstCaps *caps = gst_caps_new_empty_simple ("application/octet-stream");

  gst_pad_push_event (stage.beside, gst_event_new_stream_start ("beside"));
  gst_pad_push_event (stage.beside, gst_event_new_caps (caps));
  push_segment_beside ();
  gst_caps_unref (caps);
}

void
stage_push_partners (guint n)
{
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; i < n && flow == GST_FLOW_OK; i++) {
    g_rec_mutex_lock (&stage.streaming_beside);
    flow = gst_pad_push (stage.beside, gst_buffer_new_memdup ("ijklmnop", BUFFER_SIZE));
    g_rec_mutex_unlock (&stage.streaming_beside);
  }
}

void
stage_end_partners (void)
{
  g_rec_mutex_lock (&stage.streaming_beside);
  gst_pad_push_event (stage.beside, gst_event_new_eos ());
  g_rec_mutex_unlock (&stage.streaming_beside);
}

void
stage_flush_partners (void)
{
  gst_pad_push_event (stage.beside, gst_event_new_flush_start ());
  g_rec_mutex_lock (&stage.streaming_beside);
  gst_pad_push_event (stage.beside, gst_event_new_flush_stop (TRUE));
  push_segment_beside ();
  g_rec_mutex_unlock (&stage.streaming_beside);
}

void
stage_release_partners (void)
{
  GstPad *partners = g_steal_pointer (&stage.partners);

  if (!partners)
    return;
  gst_element_release_request_pad (stage.element, partners);
  gst_object_unref (partners);
}

/* ---- an application ---------------------------------------------------------------------- */

void
stage_set_state (GstState state)
{
  if (gst_element_set_state (stage.element, state) == GST_STATE_CHANGE_FAILURE)
    schedule_fail ("The state cannot be set to %s.", gst_element_state_get_name (state));
}

void
stage_set_sink_active (gboolean active)
{
  gst_pad_set_active (stage.sink, active);
}

void
stage_set_source_active (gboolean active)
{
  gst_pad_set_active (stage.source, active);
}

void
stage_relink (void)
{
  gst_pad_unlink (stage.source, stage.downstream);
  schedule_point ();
  gst_pad_link (stage.source, stage.downstream);
}

void
stage_set_program (void)
{
  g_object_set (stage.element, "program", "nop; crc32 payload -> crc", NULL);
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* Warnings are faults. Only where the sink pad is activated beside a push, the buffer or event
 * meets a pad that has forgotten the events that were sent to it; GStreamer warns then, and later
 * if a pad gets them in the wrong order for that. */
static void
handle_log (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
  if (strstr (message, ":sink> "))
    stage.slipped = TRUE;
  if (!(level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)))
    return;
  if (!stage.slipped || level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR))
    schedule_fail ("%s", message);
}

void
stage_init (void)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_default_handler (handle_log, NULL);
  g_type_class_ref (stage_pool_get_type ());
}

static void
make_element (void)
{
  GstBus *bus = gst_bus_new ();

  stage.element = gst_element_factory_make ("vyrefilter", NULL);
  if (!stage.element)
    schedule_fail ("There is no vyrefilter.");
  gst_util_set_object_arg (G_OBJECT (stage.element), "post-messages", "results");
  g_object_set (stage.element, "program", "crc32 payload -> crc", "results-interval", (guint64)0,
      "max-in-flight", MAX (stage.setup.max_in_flight, 1 + (stage.setup.max_in_flight == 0)), NULL);
  if (stage.setup.passes)
    gst_util_set_object_arg (G_OBJECT (stage.element), "output-mode", "passthrough");
  if (stage.setup.max_latency > 0)
    g_object_set (stage.element, "max-latency", stage.setup.max_latency, NULL);
  gst_bus_set_sync_handler (bus, handle_message, NULL, NULL);
  gst_element_set_bus (stage.element, bus);
  gst_object_unref (bus);
  stage.sink = gst_element_get_static_pad (stage.element, "sink");
  stage.source = gst_element_get_static_pad (stage.element, "src");
}

static GstStaticPadTemplate any_caps
    = GST_STATIC_PAD_TEMPLATE ("downstream", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void
make_pads (void)
{
  stage.upstream = gst_pad_new ("upstream", GST_PAD_SRC);
  stage.downstream = gst_pad_new_from_static_template (&any_caps, "downstream");
  gst_pad_set_chain_function (stage.downstream, downstream_chain);
  gst_pad_set_event_function (stage.downstream, downstream_event);
  gst_pad_set_active (stage.upstream, TRUE);
  gst_pad_set_active (stage.downstream, TRUE);
  gst_pad_link (stage.upstream, stage.sink);
  gst_pad_link (stage.source, stage.downstream);
}

static void
make_partners (void)
{
  stage.beside = gst_pad_new ("beside", GST_PAD_SRC);
  stage.partners = gst_element_request_pad_simple (stage.element, "reference");
  gst_pad_set_active (stage.beside, TRUE);
  gst_pad_link (stage.beside, stage.partners);
}

static KernelPace
get_pace (const StageSetup *setup)
{
  if (setup->batches_stall)
    return KERNEL_STALLS;
  if (setup->batches_are_late)
    return KERNEL_WAITS;
  return setup->downstream_blocks ? KERNEL_IS_QUICK : KERNEL_MAY_WAIT;
}

/* With an element in PLAYING, where a stream has begun. */
void
stage_open (const StageSetup *setup)
{
  memset (&stage, 0, sizeof stage);
  stage.setup = *setup;
  kernel_reset (get_pace (setup), setup->n_losses);
  make_element ();
  make_pads ();
  if (setup->has_partners)
    make_partners ();
  if (setup->has_readbacks)
    stage_request_readbacks ();
  stage_set_state (setup->ready_only ? GST_STATE_READY : GST_STATE_PLAYING);
  push_event (gst_event_new_stream_start ("first"));
  push_caps (FIRST_CAPS);
  push_segment ();
  if (setup->has_partners)
    begin_beside ();
}

/* A stream survives one loss, also if that is only noticed at the end. */
static gboolean
may_fail (void)
{
  return stage.setup.n_losses >= 2 || stage.setup.answer != GST_FLOW_OK;
}

/* Nobody but the task, or upstream's next buffer, comes for what is in the queue. */
static void
wait_for_all (void)
{
  g_mutex_lock (&stage.lock);
  while (stage.n_arrived < stage.number)
    g_cond_wait (&stage.changed, &stage.lock);
  g_mutex_unlock (&stage.lock);
}

static guint64
stat_of (const GstStructure *stats, const gchar *name)
{
  guint64 value = 0;

  if (!gst_structure_get_uint64 (stats, name, &value))
    schedule_fail ("There is no counter %s.", name);
  return value;
}

/* Each buffer that was taken has come out, or is counted as flushed. */
static void
check_counts (void)
{
  GstStructure *stats = NULL;

  g_object_get (stage.element, "stats", &stats, NULL);
  guint64 buffers = stat_of (stats, "buffers"), batches = stat_of (stats, "batches");
  guint64 flushed = stat_of (stats, "flushed"), depth = stat_of (stats, "queue-depth");
  if (buffers != batches + flushed || depth != 0)
    schedule_fail ("Of %" G_GUINT64_FORMAT " buffers %" G_GUINT64_FORMAT
                   " came through, %" G_GUINT64_FORMAT " were flushed and %" G_GUINT64_FORMAT
                   " are left.",
        buffers, batches, flushed, depth);
  gst_structure_free (stats);
}

/* However the element was left, a buffer goes through it after a flush, and EOS. */
static void
check_life (void)
{
  stage.setup.answer = GST_FLOW_OK;
  stage.sought = TRUE;
  kernel_last_loss ();
  stage_release_partners ();
  stage_set_sink_active (TRUE);
  stage_set_source_active (TRUE);
  stage_set_state (GST_STATE_PLAYING);
  stage_flush ();
  stage_push_stream ();
  if (push_number (LAST_NUMBER) != GST_FLOW_OK && !(stage.n_errors > 0 && may_fail ()))
    schedule_fail ("The element takes no buffer any more.");
  stage_push_eos ();
  g_mutex_lock (&stage.lock);
  while (!stage.eos)
    g_cond_wait (&stage.changed, &stage.lock);
  g_mutex_unlock (&stage.lock);
  if (stage.last_arrived != LAST_NUMBER && stage.n_errors == 0)
    schedule_fail ("The last buffer did not arrive.");
}

/* The other threads are over. */
void
stage_close (void)
{
  GstElement *element = stage.element;

  stage_release_downstream ();
  if (stage.setup.downstream_seeks)
    wait_for_seek ();
  if (stage.setup.all_arrive && stage.n_errors == 0)
    wait_for_all ();
  if (stage.n_errors == 0)
    check_life ();
  else if (!may_fail ())
    schedule_fail ("The element has failed.");
  stage_set_state (GST_STATE_NULL);
  if (stage.n_errors == 0)
    check_counts ();
  stage_release_partners ();
  if (stage.tap && stage.n_errors == 0 && stage.readbacks && stage.last_readback != LAST_NUMBER)
    schedule_fail ("The last readback did not arrive.");
  stage_release_readbacks ();
  g_clear_pointer (&stage.tap, gst_object_unref);
  g_clear_pointer (&stage.beside, gst_object_unref);
  gst_object_unref (stage.sink);
  gst_object_unref (stage.source);
  gst_object_unref (stage.upstream);
  gst_object_unref (stage.downstream);
  g_object_add_weak_pointer (G_OBJECT (element), (gpointer *)&element);
  gst_object_unref (stage.element);
  if (element)
    schedule_fail ("The element is still held.");
  kernel_check_leaks ();
}

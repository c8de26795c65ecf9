/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "soaker.h"

#include <string.h>

#include "content.h"

/* More than a filter and its harness hold at a time, and a power of two. */
#define N_SENT 256

/* Buffers between two looks at the bus. */
#define BUS_INTERVAL 64

/* One readback of so many is kept, and read once more when the next one takes its place. */
#define HOLD_INTERVAL 16

/* So many buffers in a row have one size, and so one plan, on average. */
#define SIZE_RUN 8

/* Between two buffers of a live stream, at most, in µs. */
#define LIVE_PAUSE 40000

#define PATIENCE_US (PATIENCE * 3 * G_TIME_SPAN_SECOND)

typedef struct {
  guint64 number;
  guint epoch;
  ContentWords words;
} Sent;

struct _Soaker {
  guint index;
  guint32 seed;
  SoakerFlags flags;
  GThread *thread;

  /* Whoever has the turn owns these: the pusher, except while another thread wants it. */
  GMutex turn;
  GCond given_back;
  gint wanted; /* atomic */
  GRand *rand;
  GstHarness *h;
  guint program;
  guint rate;
  gsize size;
  GstAllocator *allocator; /* of the kernel, or NULL */
  GstAllocationParams params;

  /* Held for whatever begins an epoch. Only threads without the turn wait for it. */
  GMutex calm;

  gint renewal; /* atomic: that is wanted */
  gint renewed; /* atomic: that has been made */
  gint done;    /* atomic */
  gint losses;  /* atomic: that the filter told the bus of */

  GMutex lock;
  GCond changed;
  guint64 n_buffers; /* to be sent */
  guint epoch;
  guint64 n_sent;
  guint64 next; /* number of the next readback */
  guint64 n_received;
  gboolean released; /* the sink lets go */
  gboolean flushing;
  gboolean eos;
  Sent sent[N_SENT];
  GstBuffer *held;
  Sent held_sent;
};

guint64
soaker_pick_number (const gchar *variable, guint64 usual)
{
  const gchar *given = g_getenv (variable);

  return given ? g_ascii_strtoull (given, NULL, 10) : usual;
}

/* Call it before there are streams. Returns the seed of the run, which it prints. */
guint32
soaker_prepare (void)
{
  guint32 seed = (guint32)soaker_pick_number ("VYRE_TEST_SEED", g_random_int ());

  content_init ();
  g_print ("VYRE_TEST_SEED=%u\n", seed);
  return seed;
}

static void soaker_fail (Soaker *self, guint64 number, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4) G_GNUC_NORETURN;

/* Ends the process: any thread may find a fault. */
static void
soaker_fail (Soaker *self, guint64 number, const gchar *format, ...)
{
  va_list list;

  va_start (list, format);
  gchar *text = g_strdup_vprintf (format, list);
  va_end (list);
  g_error ("VYRE_TEST_SEED=%u: stream %u, buffer %" G_GUINT64_FORMAT ": %s", self->seed,
      self->index, number, text);
}

/* ---- the sink ---------------------------------------------------------- */

static void
check_words (Soaker *self, const Sent *sent, GstBuffer *readback, const gchar *when)
{
  guint32 observables[1 + CONTENT_MAX_WORDS];
  gsize wanted = (1 + sent->words.n) * sizeof *observables;
  gsize offset = VYRE_CONTROL_OBSERVABLES * sizeof *observables;
  GstMemory *control = gst_buffer_peek_memory (readback, 0);
  gsize size = gst_memory_get_sizes (control, NULL, NULL);
  GstMapInfo map;

  if (size != offset + wanted)
    soaker_fail (self, sent->number, "%s: expected %" G_GSIZE_FORMAT " bytes, got %" G_GSIZE_FORMAT,
        when, offset + wanted, size);
  gst_memory_map (control, &map, GST_MAP_READ);
  memcpy (observables, map.data + offset, wanted);
  gst_memory_unmap (control, &map);
  for (guint i = 0; i < sent->words.n; i++) {
    guint32 found = GUINT32_FROM_LE (observables[1 + i]);
    if (found != sent->words.words[i])
      soaker_fail (self, sent->number, "%s: observable %u: expected %u, got %u", when, 1 + i,
          sent->words.words[i], found);
  }
}

static void
check_caps (Soaker *self, const Sent *sent, GstPad *pad)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  gint n = 0;

  gst_structure_get_int (gst_caps_get_structure (caps, 0), "observable-slots", &n);
  if (n != (gint)(1 + sent->words.n))
    soaker_fail (self, sent->number, "caps: expected %u observables, got %d", 1 + sent->words.n, n);
  gst_caps_unref (caps);
}

/* The lock is held. Returns what was sent of the next readback, which has to be @number. */
static const Sent *
soaker_expect (Soaker *self, guint64 number)
{
  const Sent *sent = &self->sent[number % N_SENT];

  if (number >= self->n_sent || sent->number != number)
    soaker_fail (
        self, number, "nothing of the kind is on its way: expected %" G_GUINT64_FORMAT, self->next);
  if (sent->epoch != self->epoch)
    soaker_fail (self, number, "stale: expected one of epoch %u, got %u", self->epoch, sent->epoch);
  if (number != self->next)
    soaker_fail (self, number, "%s: expected %" G_GUINT64_FORMAT,
        number < self->next ? "doubled" : "out of order, or others are lost", self->next);
  return sent;
}

/* The lock is held. A readback that somebody keeps does not change. */
static void
soaker_hold (Soaker *self, GstBuffer *readback, const Sent *sent)
{
  if (self->held)
    check_words (self, &self->held_sent, self->held, "kept");
  gst_clear_buffer (&self->held);
  if (!readback)
    return;
  self->held = gst_buffer_ref (readback);
  self->held_sent = *sent;
}

static GstFlowReturn
soaker_receive (GstPad *pad, GstObject *parent, GstBuffer *readback)
{
  Soaker *self = pad->chaindata;

  g_mutex_lock (&self->lock);
  const Sent *sent = soaker_expect (self, GST_BUFFER_OFFSET (readback));
  check_words (self, sent, readback, "readback");
  check_caps (self, sent, pad);
  if (sent->number % HOLD_INTERVAL == 0)
    soaker_hold (self, readback, sent);
  self->next++;
  self->n_received++;
  while (self->flags & SOAKER_BLOCKS && !self->released && !self->flushing)
    g_cond_wait (&self->changed, &self->lock);
  GstFlowReturn flow = self->flushing ? GST_FLOW_FLUSHING : GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  gst_buffer_unref (readback);
  return flow;
}

static gboolean
soaker_take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Soaker *self = pad->eventdata;

  g_mutex_lock (&self->lock);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    self->flushing = TRUE;
  else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    self->flushing = FALSE;
  else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    self->eos = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  gst_event_unref (event);
  return TRUE;
}

/* ---- epochs ------------------------------------------------------------ */

static void
soaker_release (Soaker *self)
{
  g_mutex_lock (&self->lock);
  self->released = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Nothing of what was sent before arrives any more. */
static void
soaker_begin_epoch (Soaker *self)
{
  g_mutex_lock (&self->lock);
  self->epoch++;
  self->next = self->n_sent;
  self->released = FALSE;
  self->eos = FALSE;
  g_mutex_unlock (&self->lock);
}

/* Everything that was sent in this epoch arrives. */
static void
soaker_drain (Soaker *self)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_US;

  soaker_release (self);
  if (!gst_harness_push_event (self->h, gst_event_new_eos ()))
    soaker_fail (self, self->n_sent, "EOS was refused");
  g_mutex_lock (&self->lock);
  while (!self->eos) {
    if (!g_cond_wait_until (&self->changed, &self->lock, end))
      soaker_fail (
          self, self->next, "lost, and EOS with it: %" G_GUINT64_FORMAT " were sent", self->n_sent);
  }
  if (self->next != self->n_sent)
    soaker_fail (
        self, self->next, "lost: EOS came after %" G_GUINT64_FORMAT " were sent", self->n_sent);
  g_mutex_unlock (&self->lock);
}

static void
soaker_restart (Soaker *self)
{
  filter_flush (self->h);
  soaker_begin_epoch (self);
  filter_push_segment (self->h);
}

static void
soaker_set_state (Soaker *self, GstState state)
{
  if (gst_element_set_state (self->h->element, state) != GST_STATE_CHANGE_SUCCESS)
    soaker_fail (
        self, self->n_sent, "the filter cannot go to %s", gst_element_state_get_name (state));
}

static void
soaker_bounce (Soaker *self, GstState state)
{
  if (state < GST_STATE_PAUSED)
    soaker_release (self);
  soaker_set_state (self, state);
  if (state < GST_STATE_PAUSED)
    soaker_begin_epoch (self);
  soaker_set_state (self, GST_STATE_PLAYING);
}

/* ---- the pusher -------------------------------------------------------- */

static gint
pick (Soaker *self, gint n)
{
  return g_rand_int_range (self->rand, 0, n);
}

static void
soaker_change_caps (Soaker *self)
{
  self->rate = 8000 + (guint)pick (self, 10);
  gchar *caps
      = g_strdup_printf ("audio/x-raw,format=U8,layout=interleaved,channels=1,rate=%u", self->rate);
  filter_start (self->h, caps);
  g_free (caps);
}

static void
soaker_change_program (Soaker *self)
{
  self->program = (guint)pick (self, CONTENT_N_PROGRAMS);
  g_object_set (self->h->element, "program", content_get_program (self->program), NULL);
}

/* Buffers come from the kernel's memory, or from the system's. */
static void
soaker_change_allocator (Soaker *self)
{
  GstQuery *query = gst_query_new_allocation (NULL, TRUE);

  gst_clear_object (&self->allocator);
  gst_allocation_params_init (&self->params);
  if (pick (self, 2) && gst_pad_peer_query (self->h->srcpad, query)
      && gst_query_get_n_allocation_params (query) > 0)
    gst_query_parse_nth_allocation_param (query, 0, &self->allocator, &self->params);
  gst_query_unref (query);
}

static void
soaker_change_size (Soaker *self)
{
  gint kind = pick (self, 1000);
  gint most = kind == 0 ? CONTENT_MAX_SIZE : kind < 50 ? 8192 : 512;

  self->size = (gsize)g_rand_int_range (self->rand, CONTENT_MIN_SIZE, most + 1);
}

static GstBuffer *
soaker_make_buffer (Soaker *self)
{
  Sent sent = { .number = self->n_sent, .epoch = self->epoch };
  guint8 *data = content_new (self->index, sent.number, self->size);
  GstBuffer *buffer = gst_buffer_new_allocate (self->allocator, self->size, &self->params);

  gst_buffer_fill (buffer, 0, data, self->size);
  GST_BUFFER_OFFSET (buffer) = sent.number;
  GST_BUFFER_PTS (buffer) = sent.number * GST_USECOND;
  sent.words = content_expect (self->program, self->rate, data, self->size);
  g_free (data);
  g_mutex_lock (&self->lock);
  self->sent[sent.number % N_SENT] = sent;
  self->n_sent++;
  g_mutex_unlock (&self->lock);
  return buffer;
}

static void
soaker_take_warning (Soaker *self, GstMessage *message)
{
  GError *error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  if (strstr (error->message, "the device was lost"))
    g_atomic_int_inc (&self->losses);
  g_error_free (error);
}

static void
soaker_check_bus (Soaker *self)
{
  GstMessage *message;

  while ((message = bus_try (self->h, GST_MESSAGE_ANY))) {
    GError *error = NULL;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &error, NULL);
      soaker_fail (self, self->n_sent, "%s", error->message);
    }
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
      soaker_take_warning (self, message);
    gst_message_unref (message);
  }
}

static void
soaker_send (Soaker *self)
{
  if (pick (self, SIZE_RUN) == 0)
    soaker_change_size (self);
  GstBuffer *buffer = soaker_make_buffer (self);
  GstFlowReturn flow = gst_harness_push (self->h, buffer);

  if (flow == GST_FLOW_OK || (flow == GST_FLOW_FLUSHING && g_atomic_int_get (&self->wanted)))
    return;
  soaker_check_bus (self);
  soaker_fail (self, self->n_sent - 1, "the answer is %s", gst_flow_get_name (flow));
}

/* The thread of a stream does one of these things to it. */
static void
soaker_disturb (Soaker *self, gint kind)
{
  switch (kind) {
    case 0 ... 2:
      soaker_restart (self);
      break;
    case 3 ... 5:
      soaker_drain (self);
      soaker_restart (self);
      break;
    case 6 ... 8:
      soaker_bounce (self, GST_STATE_PAUSED);
      break;
    case 9 ... 10:
      soaker_bounce (self, GST_STATE_READY);
      break;
    case 11:
      soaker_bounce (self, GST_STATE_NULL);
      break;
    case 20 ... 29:
      soaker_change_allocator (self);
      break;
    case 30 ... 39:
      soaker_change_caps (self);
      break;
    case 40 ... 69:
      soaker_change_program (self);
      break;
    case 70 ... 79:
      g_object_set (self->h->element, "max-in-flight", 1 + pick (self, 64), NULL);
      break;
    default:
      gst_harness_push_event (self->h, gst_event_new_gap (0, GST_SECOND));
      break;
  }
}

/* Ends the stream, with nothing lost, and begins another, which has no lost device. */
static void
soaker_renew_now (Soaker *self, gint renewal)
{
  soaker_drain (self);
  soaker_restart (self);
  gst_clear_object (&self->allocator);
  soaker_bounce (self, GST_STATE_NULL);
  g_atomic_int_set (&self->renewed, renewal);
}

static gboolean
soaker_has_sent_all (Soaker *self)
{
  g_mutex_lock (&self->lock);
  gboolean all = self->n_sent >= self->n_buffers;
  g_mutex_unlock (&self->lock);
  return all;
}

/* The thread has the turn, and the stream is calm. */
static void
soaker_step_aside (Soaker *self, gint kind)
{
  gint renewal = g_atomic_int_get (&self->renewal);

  if (renewal != g_atomic_int_get (&self->renewed)) {
    soaker_renew_now (self, renewal);
  } else if (soaker_has_sent_all (self)) {
    soaker_drain (self);
    g_atomic_int_set (&self->done, TRUE);
  } else if (kind < 90) {
    soaker_disturb (self, kind);
  }
}

/* The thread has the turn. */
static void
soaker_step (Soaker *self)
{
  gboolean all = soaker_has_sent_all (self);

  if (!all)
    soaker_send (self);
  if (self->n_sent % BUS_INTERVAL == 0)
    soaker_check_bus (self);
  gint kind = self->flags & SOAKER_RESTLESS ? pick (self, 1000) : 1000;
  gboolean aside
      = all || kind < 90 || g_atomic_int_get (&self->renewal) != g_atomic_int_get (&self->renewed);
  if (aside && g_mutex_trylock (&self->calm)) {
    soaker_step_aside (self, kind);
    g_mutex_unlock (&self->calm);
  }
}

static gpointer
soaker_push (gpointer data)
{
  Soaker *self = data;

  g_mutex_lock (&self->turn);
  while (!soaker_is_done (self)) {
    while (g_atomic_int_get (&self->wanted))
      g_cond_wait (&self->given_back, &self->turn);
    soaker_step (self);
    if (self->flags & SOAKER_LIVE)
      g_usleep ((gulong)pick (self, LIVE_PAUSE));
  }
  g_mutex_unlock (&self->turn);
  return NULL;
}

/* ---- other threads ----------------------------------------------------- */

/* Gives @element, in NULL, a kernel whose staging memory one buffer fills. */
void
soaker_tighten (GstElement *element)
{
  g_object_set (element, "staging-size", (guint64)SOAKER_STAGING_SIZE, NULL);
}

static void
soaker_open (Soaker *self)
{
  GstElement *element = filter_make (content_get_program (self->program));
  gboolean tight = self->flags & SOAKER_TIGHT;

  if (tight)
    soaker_tighten (element);
  g_object_set (element, "max-in-flight", 1 + pick (self, tight ? 4 : 64), NULL);
  self->h = filter_wrap (element);
  gst_pad_set_chain_function_full (self->h->sinkpad, soaker_receive, self, NULL);
  gst_pad_set_event_function_full (self->h->sinkpad, soaker_take_event, self, NULL);
  soaker_change_caps (self);
}

Soaker *
soaker_new (guint index, guint32 seed, guint64 n_buffers, SoakerFlags flags)
{
  Soaker *self = g_new0 (Soaker, 1);

  self->index = index;
  self->seed = seed;
  self->n_buffers = n_buffers;
  self->flags = flags;
  self->rand = g_rand_new_with_seed (seed + index);
  g_mutex_init (&self->turn);
  g_cond_init (&self->given_back);
  g_mutex_init (&self->calm);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  gst_allocation_params_init (&self->params);
  soaker_change_size (self);
  soaker_open (self);
  return self;
}

void
soaker_start (Soaker *self)
{
  self->thread = g_thread_new ("soaker", soaker_push, self);
}

/* Keeps the stream from beginning an epoch by itself. FALSE if it is done. */
static gboolean
soaker_calm (Soaker *self)
{
  g_mutex_lock (&self->calm);
  if (!soaker_is_done (self))
    return TRUE;
  g_mutex_unlock (&self->calm);
  return FALSE;
}

static void
soaker_give_turn_back (Soaker *self)
{
  g_atomic_int_set (&self->wanted, FALSE);
  g_cond_signal (&self->given_back);
  g_mutex_unlock (&self->turn);
  g_mutex_unlock (&self->calm);
}

/* Flushes the stream as a seek does: from another thread, which waits for the pusher in between. */
void
soaker_flush (Soaker *self)
{
  if (!soaker_calm (self))
    return;
  g_atomic_int_set (&self->wanted, TRUE);
  gst_harness_push_event (self->h, gst_event_new_flush_start ());
  g_mutex_lock (&self->turn);
  gst_harness_push_event (self->h, gst_event_new_flush_stop (TRUE));
  soaker_begin_epoch (self);
  filter_push_segment (self->h);
  soaker_give_turn_back (self);
}

static void
soaker_close (Soaker *self)
{
  soaker_check_bus (self);
  gst_clear_object (&self->allocator);
  filter_finish (self->h);
}

/* Sets the filter to NULL while buffers come, frees it, and goes on with another. */
void
soaker_kill (Soaker *self)
{
  if (!soaker_calm (self))
    return;
  g_atomic_int_set (&self->wanted, TRUE);
  soaker_release (self);
  soaker_set_state (self, GST_STATE_NULL);
  g_mutex_lock (&self->turn);
  soaker_close (self);
  soaker_begin_epoch (self);
  soaker_open (self);
  soaker_give_turn_back (self);
}

/* Has the stream end and begin again, after which it may lose a device. */
void
soaker_renew (Soaker *self)
{
  g_atomic_int_inc (&self->renewal);
  soaker_release (self);
}

gboolean
soaker_is_renewed (Soaker *self)
{
  return soaker_is_done (self)
         || g_atomic_int_get (&self->renewed) == g_atomic_int_get (&self->renewal);
}

gboolean
soaker_is_done (Soaker *self)
{
  return g_atomic_int_get (&self->done);
}

/* Returns the number of losses that the stream has noticed. */
guint64
soaker_count_losses (Soaker *self)
{
  return (guint64)g_atomic_int_get (&self->losses);
}

guint64
soaker_count_sent (Soaker *self)
{
  g_mutex_lock (&self->lock);
  guint64 n = self->n_sent;
  g_mutex_unlock (&self->lock);
  return n;
}

guint64
soaker_count_received (Soaker *self)
{
  g_mutex_lock (&self->lock);
  guint64 n = self->n_received;
  g_mutex_unlock (&self->lock);
  return n;
}

/* Has the stream send no more. */
void
soaker_stop (Soaker *self)
{
  g_mutex_lock (&self->lock);
  self->n_buffers = 0;
  self->released = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Waits for the end of the stream, of which nothing may be left. */
void
soaker_join (Soaker *self)
{
  g_thread_join (self->thread);
  soaker_hold (self, NULL, NULL);
  soaker_check_bus (self);
  stat_wait_quiet (self->h->element);
  if (stat_of (self->h->element, "queue-depth") != 0 || stat_of (self->h->element, "faults") != 0)
    soaker_fail (self, self->n_sent, "batches or faults are left");
}

void
soaker_free (Soaker *self)
{
  soaker_close (self);
  g_rand_free (self->rand);
  g_mutex_clear (&self->turn);
  g_cond_clear (&self->given_back);
  g_mutex_clear (&self->calm);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Twenty thousand buffers through everything an application may do to a filter
 * in between. Runs under the leaks tracer, so that whatever is left when the process
 * ends fails the test. VYRE_TEST_SEED repeats a run.
 */
#include "common.h"
#include "oracle.h"

#define N_BUFFERS 20000
#define MAX_SIZE 8192

typedef enum { PROGRAM_CRC, PROGRAM_STATS, N_PROGRAMS } Program;

static const gchar *const programs[N_PROGRAMS]
    = { "crc32 payload -> crc32", "u8_stats payload -> stats" };
static const guint observables[N_PROGRAMS] = { 2, 8 };

typedef struct {
  guint64 number;
  guint32 word;
  guint observables;     /* by the size of the readback */
  gint caps_observables; /* by the caps */
} Received;

typedef struct {
  guint32 word;
  Program program;
} Sent;

typedef struct {
  guint first;      /* number of its first buffer */
  gboolean drained; /* ended by EOS: nothing may be missing */
} Epoch;

typedef struct {
  GRand *rand;
  GstHarness *h;
  Program program;
  guint8 *noise;
  GArray *sent;
  GArray *epochs;
  GMutex lock;
  GArray *received;
} Soak;

static Soak *soak; /* the sink's chain function has no other way to it */

static GstFlowReturn
receive (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  Received received = {
    .number = GST_BUFFER_OFFSET (buffer),
    .word = readback_observable (buffer, 1),
    .observables
    = (guint)(gst_memory_get_sizes (gst_buffer_peek_memory (buffer, 0), NULL, NULL) / 4 - 160),
  };

  gst_structure_get_int (
      gst_caps_get_structure (caps, 0), "observable-slots", &received.caps_observables);
  g_mutex_lock (&soak->lock);
  g_array_append_val (soak->received, received);
  g_mutex_unlock (&soak->lock);
  gst_caps_unref (caps);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
send_buffer (void)
{
  gsize size = (gsize)g_rand_int_range (soak->rand, 0, MAX_SIZE + 1);
  const guint8 *data = soak->noise + g_rand_int_range (soak->rand, 0, MAX_SIZE);
  GstBuffer *buffer = buffer_of (data, size);
  Sent sent = { .program = soak->program };

  sent.word = soak->program == PROGRAM_CRC ? oracle_crc32 (data, size) : (guint32)size;
  GST_BUFFER_OFFSET (buffer) = soak->sent->len;
  GST_BUFFER_PTS (buffer) = soak->sent->len * GST_MSECOND;
  g_array_append_val (soak->sent, sent);
  filter_push (soak->h, buffer);
}

static void
begin_epoch (gboolean drained)
{
  Epoch epoch = { .first = soak->sent->len };

  if (soak->epochs->len > 0)
    g_array_index (soak->epochs, Epoch, soak->epochs->len - 1).drained = drained;
  g_array_append_val (soak->epochs, epoch);
}

static void
restart_after_flush (gboolean drained)
{
  filter_flush (soak->h);
  filter_push_segment (soak->h);
  begin_epoch (drained);
}

static void
bounce (GstState state)
{
  fail_unless_equals_int (
      gst_element_set_state (soak->h->element, state), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (
      gst_element_set_state (soak->h->element, GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  if (state < GST_STATE_PAUSED)
    begin_epoch (FALSE);
}

static void
change_caps (void)
{
  gchar *caps = g_strdup_printf ("audio/x-raw,format=U8,layout=interleaved,channels=1,rate=%d",
      g_rand_int_range (soak->rand, 8000, 8010));

  filter_start (soak->h, caps);
  g_free (caps);
}

static void
disturb (void)
{
  switch (g_rand_int_range (soak->rand, 0, 1000)) {
    case 0 ... 4:
      restart_after_flush (FALSE);
      break;
    case 5 ... 7:
      filter_push_eos (soak->h);
      filter_wait_eos (soak->h);
      restart_after_flush (TRUE);
      break;
    case 8 ... 12:
      bounce (GST_STATE_PAUSED);
      break;
    case 13 ... 14:
      bounce (GST_STATE_READY);
      break;
    case 15:
      bounce (GST_STATE_NULL);
      break;
    case 20 ... 39:
      change_caps ();
      break;
    case 40 ... 79:
      soak->program = (Program)g_rand_int_range (soak->rand, 0, N_PROGRAMS);
      g_object_set (soak->h->element, "program", programs[soak->program], NULL);
      break;
    case 80 ... 99:
      g_object_set (soak->h->element, "max-in-flight", g_rand_int_range (soak->rand, 1, 65), NULL);
      break;
    case 100 ... 109:
      fail_unless (gst_harness_push_event (soak->h, gst_event_new_gap (0, GST_SECOND)));
      break;
    case 110 ... 119:
      bus_count (soak->h, NULL);
      break;
    default:
      break;
  }
}

/* Of an epoch that was cut short, the end may be missing and nothing else. */
static void
check_epoch (guint index, guint *at)
{
  Epoch *epoch = &g_array_index (soak->epochs, Epoch, index);
  guint end = index + 1 < soak->epochs->len ? epoch[1].first : soak->sent->len;
  guint number = epoch->first;

  for (; *at < soak->received->len; (*at)++, number++) {
    Received *received = &g_array_index (soak->received, Received, *at);
    if (received->number >= end)
      break;
    Sent *sent = &g_array_index (soak->sent, Sent, number);
    fail_unless_equals_uint64 (received->number, number);
    fail_unless_equals_uint64 (received->word, sent->word);
    fail_unless_equals_int (received->observables, observables[sent->program]);
    fail_unless_equals_int (received->caps_observables, observables[sent->program]);
  }
  fail_unless (!epoch->drained || number == end, "%u of %u buffers are missing", end - number,
      end - epoch->first);
}

static void
check_all (void)
{
  guint at = 0;

  for (guint i = 0; i < soak->epochs->len; i++)
    check_epoch (i, &at);
  fail_unless_equals_int (at, soak->received->len);
  fail_unless (soak->received->len > N_BUFFERS / 2, "most buffers were lost");
  fail_unless_equals_uint64 (stat_of (soak->h->element, "faults"), 0);
  fail_unless_equals_uint64 (stat_of (soak->h->element, "queue-depth"), 0);
}

static guint32
pick_seed (void)
{
  const gchar *given = g_getenv ("VYRE_TEST_SEED");
  guint32 seed = given ? (guint32)g_ascii_strtoull (given, NULL, 10) : g_random_int ();

  g_print ("VYRE_TEST_SEED=%u\n", seed);
  return seed;
}

static Soak *
soak_new (void)
{
  Soak *self = g_new0 (Soak, 1);

  self->rand = g_rand_new_with_seed (pick_seed ());
  self->h = filter_new (programs[PROGRAM_CRC]);
  self->noise = noise_new (2 * MAX_SIZE, 1);
  self->sent = g_array_new (FALSE, FALSE, sizeof (Sent));
  self->epochs = g_array_new (FALSE, FALSE, sizeof (Epoch));
  self->received = g_array_new (FALSE, FALSE, sizeof (Received));
  g_mutex_init (&self->lock);
  gst_pad_set_chain_function (self->h->sinkpad, receive);
  return self;
}

static void
soak_free (Soak *self)
{
  filter_finish (self->h);
  g_rand_free (self->rand);
  g_free (self->noise);
  g_array_unref (self->sent);
  g_array_unref (self->epochs);
  g_array_unref (self->received);
  g_mutex_clear (&self->lock);
  g_free (self);
}

GST_START_TEST (nothing_is_lost_mixed_up_or_leaked)
{
  GstElement *kernel_holder = filter_make (NULL); /* the kernel stays open through NULL */

  gst_element_set_state (kernel_holder, GST_STATE_READY);
  soak = soak_new ();
  change_caps ();
  begin_epoch (FALSE);
  while (soak->sent->len < N_BUFFERS) {
    send_buffer ();
    disturb ();
  }
  filter_push_eos (soak->h);
  filter_wait_eos (soak->h);
  g_array_index (soak->epochs, Epoch, soak->epochs->len - 1).drained = TRUE;
  check_all ();
  soak_free (soak);
  gst_element_set_state (kernel_holder, GST_STATE_NULL);
  gst_object_unref (kernel_holder);
}
GST_END_TEST;

static Suite *
soak_suite (void)
{
  Suite *s = suite_create ("soak");
  TCase *tc = tcase_create ("soak");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, nothing_is_lost_mixed_up_or_leaked);
  return s;
}

GST_CHECK_MAIN (soak);

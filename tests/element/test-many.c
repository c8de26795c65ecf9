/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many streams on one kernel, each of which checks every readback. They flush, end, and change
 * programs, caps, memory and states; others flush and kill them meanwhile, and lose the device
 * under all of them. The sink of one of them never lets go. VYRE_TEST_BUFFERS says how many buffers
 * each stream pushes, VYRE_TEST_STREAMS how many streams there are, and VYRE_TEST_SEED repeats the
 * decisions of a run, though not their order.
 */
#include "lost.h"
#include "soaker.h"

#define N_STREAMS 16
#define N_BUFFERS 1500

/* Buffers of all streams between two things that happen to one of them, at most. */
#define PACE 500

/* Of so many things that happen, one is a loss. */
#define EVENTS_PER_LOSS 40

/* Of all streams together, in buffers a second, even under a sanitizer on a busy machine. */
#define LEAST_RATE 200

#define PATIENCE_US (PATIENCE * 6 * G_TIME_SPAN_SECOND)

static struct {
  guint n_streams;
  Soaker **streams;
  GRand *rand;
  GstElement *holder; /* of the kernel, while streams come and go */
  guint n_flushes;
  guint n_kills;
  guint n_losses;
} many;

/* The last stream blocks, and ends with the others. */
static gboolean
all_are_done (void)
{
  for (guint i = 0; i + 1 < many.n_streams; i++) {
    if (!soaker_is_done (many.streams[i]))
      return FALSE;
  }
  return TRUE;
}

static guint64
count (guint64 (*of) (Soaker *))
{
  guint64 n = 0;

  for (guint i = 0; i < many.n_streams; i++)
    n += of (many.streams[i]);
  return n;
}

/* Waits until @is_reached, and fails if nothing is sent any more before that. */
static void
wait_until (gboolean (*is_reached) (guint64), guint64 least)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_US;
  guint64 before = 0, sent;

  while (!is_reached (least)) {
    if ((sent = count (soaker_count_sent)) != before)
      end = g_get_monotonic_time () + PATIENCE_US;
    before = sent;
    if (g_get_monotonic_time () > end)
      g_error ("the streams stand still"); /* leaves a core to look at */
    g_usleep (200);
  }
}

static gboolean
is_sent (guint64 least)
{
  return all_are_done () || count (soaker_count_sent) >= least;
}

static gboolean
is_noticed (guint64 least)
{
  return all_are_done () || count (soaker_count_losses) >= least;
}

static gboolean
all_are_renewed (guint64 least)
{
  for (guint i = 0; i < many.n_streams; i++) {
    if (!soaker_is_renewed (many.streams[i]))
      return FALSE;
  }
  return TRUE;
}

static void
hold_kernel (void)
{
  many.holder = filter_make (NULL);
  fail_unless_equals_int (
      gst_element_set_state (many.holder, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
}

static void
let_go_of_kernel (void)
{
  gst_element_set_state (many.holder, GST_STATE_NULL);
  gst_object_unref (many.holder);
}

/* A stream survives one loss; so each ends, with nothing lost, before there is another. When one
 * has noticed the loss, no stream that begins gets the lost kernel. */
static void
lose_device (void)
{
  guint64 noticed = count (soaker_count_losses);

  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  wait_until (is_noticed, noticed + 1);
  vyre_lost_arm (NULL, 0, 0);
  many.n_losses += count (soaker_count_losses) > noticed;
  for (guint i = 0; i < many.n_streams; i++)
    soaker_renew (many.streams[i]);
  wait_until (all_are_renewed, 0);
  let_go_of_kernel ();
  hold_kernel ();
}

static void
flush_one (Soaker *stream)
{
  many.n_flushes++;
  soaker_flush (stream);
}

static void
kill_one (Soaker *stream)
{
  many.n_kills++;
  soaker_kill (stream);
}

/* Everything happens in the shortest run. */
static void
let_something_happen (guint n)
{
  Soaker *stream = many.streams[g_rand_int_range (many.rand, 0, (gint)many.n_streams)];

  if (n == 0 || g_rand_int_range (many.rand, 0, EVENTS_PER_LOSS) == 0)
    lose_device ();
  else if (n == 1 || g_rand_int_range (many.rand, 0, 4) == 0)
    kill_one (stream);
  else
    flush_one (stream);
}

static void
print_figures (gint64 began)
{
  gdouble seconds = (gdouble)(g_get_monotonic_time () - began) / G_TIME_SPAN_SECOND;
  guint64 sent = count (soaker_count_sent);

  g_print ("%u streams: %" G_GUINT64_FORMAT " buffers, %" G_GUINT64_FORMAT
           " readbacks checked, %.1f s; %u flushes and %u deaths from outside, %u losses\n",
      many.n_streams, sent, count (soaker_count_received), seconds, many.n_flushes, many.n_kills,
      many.n_losses);
}

static guint64
number_of_buffers (void)
{
  return soaker_pick_number ("VYRE_TEST_BUFFERS", N_BUFFERS);
}

static void
start_streams (guint32 seed)
{
  many.n_streams = (guint)soaker_pick_number ("VYRE_TEST_STREAMS", N_STREAMS);
  many.streams = g_new (Soaker *, many.n_streams);
  many.rand = g_rand_new_with_seed (seed);
  for (guint i = 0; i < many.n_streams; i++) {
    gboolean last = i + 1 == many.n_streams;
    many.streams[i] = soaker_new (i, seed + 1, last ? G_MAXUINT64 : number_of_buffers (),
        last ? SOAKER_RESTLESS | SOAKER_BLOCKS : SOAKER_RESTLESS);
  }
  for (guint i = 0; i < many.n_streams; i++)
    soaker_start (many.streams[i]);
}

GST_START_TEST (no_stream_loses_doubles_or_mixes_up)
{
  gint64 began = g_get_monotonic_time ();

  hold_kernel ();
  start_streams (soaker_prepare ());
  for (guint n = 0; !all_are_done (); n++) {
    wait_until (
        is_sent, count (soaker_count_sent) + (guint64)g_rand_int_range (many.rand, 1, PACE));
    if (!all_are_done ())
      let_something_happen (n);
  }
  soaker_stop (many.streams[many.n_streams - 1]);
  for (guint i = 0; i < many.n_streams; i++)
    soaker_join (many.streams[i]);
  print_figures (began);
  fail_unless (2 * count (soaker_count_received) > count (soaker_count_sent), "most were dropped");
  fail_unless (many.n_losses > 0 && many.n_kills > 0 && many.n_flushes > 0);
  for (guint i = 0; i < many.n_streams; i++)
    soaker_free (many.streams[i]);
  let_go_of_kernel ();
  g_rand_free (many.rand);
  g_free (many.streams);
}
GST_END_TEST;

static Suite *
many_suite (void)
{
  Suite *s = suite_create ("many");
  TCase *tc = tcase_create ("many");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, PATIENCE * 10 + (gdouble)(N_STREAMS * number_of_buffers ()) / LEAST_RATE);
  tcase_add_test (tc, no_stream_loses_doubles_or_mixes_up);
  return s;
}

GST_CHECK_MAIN (many);

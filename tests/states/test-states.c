/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every order of what may happen to a vyrefilter at the same time: docs/states.md.
 *
 *     test-states [--bound N] [--seconds S] [SCENARIO [ORDER]]
 *
 * plays each scenario, or one, in all orders with up to N deviations (1 unless given), and then
 * for S seconds (0.5) in orders with up to DEPTH of them, by chance; or in the one order that a
 * failure has printed.
 */
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule.h"
#include "stage.h"

#define MAX_ACTORS 3
#define DEPTH 6

typedef void (*Act) (void);

typedef struct {
  const char *name;
  StageSetup setup;
  Act acts[MAX_ACTORS];
} Scenario;

static void
push_one (void)
{
  stage_push (1);
}

static void
push_two (void)
{
  stage_push (2);
}

static void
push_four (void)
{
  stage_push (4);
}

/* More than make a burst, with a look at the end. */
static void
push_burst (void)
{
  stage_push (7);
}

static void
push_burst_and_end (void)
{
  stage_push (7);
  stage_push_eos ();
}

/* No burst: upstream takes its time. */
static void
push_slowly (void)
{
  for (guint i = 0; i < 3; i++) {
    stage_push (1);
    schedule_pass_time (1000);
  }
}

/* A sink that waits for its preroll keeps the task, not upstream. */
static void
push_and_preroll (void)
{
  stage_release_downstream ();
  stage_push (7);
  stage_flush ();
  stage_block_downstream ();
  stage_push (1);
  stage_release_downstream ();
}

static void
push_and_end (void)
{
  stage_push (1);
  stage_push_eos ();
}

static void
end_and_go_on (void)
{
  stage_push (1);
  stage_push_eos ();
  stage_push_stream ();
  stage_push (1);
}

static void
push_flush_push (void)
{
  stage_push (2);
  stage_flush ();
  stage_push (2);
}

static void
push_lone_push (void)
{
  stage_push (2);
  stage_flush_stop_alone ();
  stage_push (1);
}

static void
push_caps_push (void)
{
  stage_push (1);
  stage_push_caps ();
  stage_push (1);
}

static void
gap_and_push (void)
{
  stage_push_gap ();
  stage_push (1);
}

static void
push_and_query (void)
{
  stage_push (1);
  stage_query ();
}

static void
push_and_drain (void)
{
  stage_push (2);
  stage_drain ();
}

static void
push_burst_and_query (void)
{
  stage_push (7);
  stage_query ();
}

static void
flush (void)
{
  stage_flush ();
}

static void
flush_stop_alone (void)
{
  stage_flush_stop_alone ();
}

static void
to_ready (void)
{
  stage_release_downstream (); /* sinks change first */
  stage_set_state (GST_STATE_READY);
}

static void
to_ready_and_back (void)
{
  to_ready ();
  stage_set_state (GST_STATE_PLAYING);
}

static void
to_null_and_back (void)
{
  stage_release_downstream ();
  stage_set_state (GST_STATE_NULL);
  stage_set_state (GST_STATE_PLAYING);
}

static void
to_playing (void)
{
  stage_set_state (GST_STATE_PLAYING);
}

static void
sink_off_and_on (void)
{
  stage_set_sink_active (FALSE);
  stage_set_sink_active (TRUE);
}

static void
source_off_and_on (void)
{
  stage_release_downstream ();
  stage_set_source_active (FALSE);
  stage_set_source_active (TRUE);
}

/* What the two halves of PAUSED to READY do to the pads, with nothing in between them. */
static void
pads_off (void)
{
  stage_release_downstream ();
  stage_set_source_active (FALSE);
  stage_set_sink_active (FALSE);
}

static void
push_partners (void)
{
  stage_push_partners (4);
}

static void
push_partner_and_end (void)
{
  stage_push_partners (1);
  stage_end_partners ();
}

static void
push_and_flush_partners (void)
{
  stage_push_partners (1);
  stage_flush_partners ();
  stage_push_partners (2);
  stage_end_partners ();
}

/* A seek goes to both streams. */
static void
flush_both_and_ready (void)
{
  stage_flush ();
  stage_flush_partners ();
  to_ready ();
}

/* Results come after their buffers have to go on. */
#define LATE .passes = TRUE, .max_latency = GST_MSECOND, .batches_stall = TRUE

/* No buffer waits. */
#define AT_ONCE .passes = TRUE, .max_latency = 1, .batches_stall = TRUE, .max_in_flight = 4

static const Scenario scenarios[] = {
  { "buffers", { .all_arrive = TRUE }, { push_four } },
  { "buffers-one", { .max_in_flight = 1, .all_arrive = TRUE }, { push_burst } },
  { "burst-arrives", { .max_in_flight = 4, .all_arrive = TRUE }, { push_burst } },
  { "burst-one-flush", { .max_in_flight = 1 }, { push_burst, flush } },
  { "burst-four-flush", { .max_in_flight = 4 }, { push_burst, flush } },
  { "burst-four-loss", { .n_losses = 1, .max_in_flight = 4, .all_arrive = TRUE }, { push_burst } },
  { "burst-four-ready", { .max_in_flight = 4 }, { push_burst, to_ready_and_back } },
  { "burst", { 0 }, { push_burst_and_end } },
  { "burst-flush", { 0 }, { push_burst, flush } },
  { "burst-query", { 0 }, { push_burst_and_query, flush } },
  { "burst-ready", { 0 }, { push_burst, to_ready_and_back } },
  { "burst-source-pad", { 0 }, { push_burst, source_off_and_on } },
  { "burst-loss", { .n_losses = 1 }, { push_burst_and_end } },
  { "burst-seek", { .downstream_seeks = TRUE }, { push_burst } },
  { "burst-seek-upstream", { .downstream_seeks = TRUE, .seeks_at = 4 }, { push_burst } },
  { "burst-one-seek", { .downstream_seeks = TRUE, .seeks_at = 6, .max_in_flight = 1 },
      { push_burst } },
  { "slow-arrives", { .all_arrive = TRUE }, { push_slowly } },
  { "slow", { 0 }, { push_slowly, flush } },
  { "slow-ready", { 0 }, { push_slowly, to_ready_and_back } },
  { "slow-pads", { 0 }, { push_slowly, pads_off, flush } },
  { "late", { .batches_are_late = TRUE, .all_arrive = TRUE }, { push_slowly } },
  { "late-flush", { .batches_are_late = TRUE }, { push_slowly, flush } },
  { "late-source-pad", { .batches_are_late = TRUE }, { push_slowly, source_off_and_on } },
  { "late-ready", { .batches_are_late = TRUE }, { push_slowly, to_ready_and_back } },
  { "flush", { 0 }, { push_four, flush } },
  { "flush-preroll", { .downstream_blocks = TRUE }, { push_and_preroll } },
  { "flush-in-thread", { 0 }, { push_flush_push } },
  { "flush-flush", { 0 }, { push_two, flush, flush } },
  { "flush-blocked", { .downstream_blocks = TRUE }, { push_four, flush } },
  { "flush-eos", { 0 }, { push_and_end, flush } },
  { "flush-ready", { 0 }, { push_four, flush, to_ready } },
  { "flush-ready-blocked", { .downstream_blocks = TRUE }, { push_four, flush, to_ready } },
  { "flush-playing", { .ready_only = TRUE }, { push_two, flush, to_playing } },
  { "flush-sink-pad", { 0 }, { push_two, flush, sink_off_and_on } },
  { "flush-source-pad", { 0 }, { push_two, flush, source_off_and_on } },
  { "flush-loss", { .n_losses = 1 }, { push_two, flush } },
  { "flush-relink", { 0 }, { push_two, flush, stage_relink } },
  { "seek-downstream", { .downstream_seeks = TRUE }, { push_four } },
  { "lone-flush-stop", { 0 }, { push_lone_push } },
  { "lone-flush-stop-apart", { 0 }, { push_two, flush_stop_alone } },
  { "lone-flush-stop-blocked", { .downstream_blocks = TRUE }, { push_one, flush_stop_alone } },
  { "lone-flush-stop-ready", { 0 }, { push_two, flush_stop_alone, to_ready_and_back } },
  { "eos", { 0 }, { end_and_go_on } },
  { "eos-ready", { 0 }, { end_and_go_on, to_ready_and_back } },
  { "eos-source-pad", { 0 }, { end_and_go_on, source_off_and_on } },
  { "eos-enough", { .answer = GST_FLOW_EOS }, { push_four, stage_push_eos } },
  { "eos-failure", { .answer = GST_FLOW_ERROR }, { push_four, stage_push_eos } },
  { "eos-loss", { .n_losses = 1 }, { end_and_go_on } },
  { "caps", { 0 }, { push_caps_push, flush } },
  { "caps-ready", { 0 }, { push_caps_push, to_ready_and_back } },
  { "gap", { 0 }, { gap_and_push, flush } },
  { "query", { 0 }, { push_and_query, to_ready } },
  { "query-flush", { 0 }, { push_and_query, flush } },
  { "program", { 0 }, { push_four, stage_set_program, flush } },
  { "ready", { 0 }, { push_four, to_ready_and_back } },
  { "null", { 0 }, { push_two, to_null_and_back } },
  { "pads", { 0 }, { push_four, pads_off, flush } },
  { "pads-apart", { 0 }, { push_two, sink_off_and_on, source_off_and_on } },
  { "relink", { 0 }, { push_four, stage_relink } },
  { "loss", { .n_losses = 1 }, { push_four } },
  { "loss-ready", { .n_losses = 1 }, { push_two, to_ready_and_back } },
  { "pairs", { .has_partners = TRUE }, { push_and_end, push_partners } },
  { "pairs-ended", { .has_partners = TRUE }, { push_four, push_partner_and_end } },
  { "pairs-eos", { .has_partners = TRUE }, { push_burst_and_end, push_and_flush_partners } },
  { "pairs-ready", { .has_partners = TRUE }, { push_four, push_partners, to_ready } },
  { "pairs-released", { .has_partners = TRUE },
      { push_four, push_partner_and_end, stage_release_partners } },
  { "pairs-released-ready", { .has_partners = TRUE },
      { push_two, stage_release_partners, to_ready_and_back } },
  { "pairs-flush", { .has_partners = TRUE }, { push_four, push_partners, flush_both_and_ready } },
  { "pairs-loss", { .has_partners = TRUE, .n_losses = 1 }, { push_and_end, push_partners } },
  { "losses", { .n_losses = 2 }, { push_four, flush } },
  { "pass", { .passes = TRUE, .all_arrive = TRUE }, { push_four } },
  { "pass-burst-flush", { .passes = TRUE, .max_in_flight = 4 }, { push_burst, flush } },
  { "pass-caps", { .passes = TRUE, .all_arrive = TRUE }, { push_caps_push } },
  { "pass-caps-flush", { .passes = TRUE }, { push_caps_push, flush } },
  { "pass-caps-ready", { .passes = TRUE }, { push_caps_push, to_ready_and_back } },
  { "pass-caps-source-pad", { .passes = TRUE }, { push_caps_push, source_off_and_on } },
  { "pass-eos", { .passes = TRUE }, { end_and_go_on } },
  { "pass-gap", { .passes = TRUE }, { gap_and_push, flush } },
  { "pass-loss", { .passes = TRUE, .n_losses = 1 }, { push_four } },
  { "pass-query", { .passes = TRUE }, { push_burst_and_query, to_ready } },
  { "pass-query-flush", { .passes = TRUE }, { push_burst_and_query, flush } },
  { "pass-readbacks", { .passes = TRUE, .has_readbacks = TRUE, .all_arrive = TRUE },
      { push_four } },
  { "pass-readbacks-flush", { LATE, .has_readbacks = TRUE }, { push_slowly, flush } },
  { "pass-readbacks-released", { LATE, .has_readbacks = TRUE },
      { push_four, stage_release_readbacks, flush } },
  { "pass-readbacks-requested", { .passes = TRUE },
      { push_slowly, stage_request_readbacks, to_ready_and_back } },
  { "pass-at-once", { AT_ONCE, .all_arrive = TRUE }, { push_burst } },
  { "pass-at-once-eos", { AT_ONCE }, { push_burst_and_end, flush } },
  { "pass-at-once-loss", { AT_ONCE, .n_losses = 1, .all_arrive = TRUE }, { push_burst } },
  { "pass-late", { LATE, .all_arrive = TRUE }, { push_slowly } },
  { "pass-late-caps", { LATE, .all_arrive = TRUE }, { push_caps_push } },
  { "pass-late-eos", { LATE }, { end_and_go_on } },
  { "pass-late-eos-flush", { LATE }, { push_burst_and_end, flush } },
  { "pass-late-flush", { LATE }, { push_slowly, flush } },
  { "pass-late-loss", { LATE, .n_losses = 1, .all_arrive = TRUE }, { push_burst } },
  { "pass-late-query", { LATE }, { push_burst_and_query, to_ready } },
  { "pass-late-drain", { LATE }, { push_and_drain, flush } },
  { "pass-late-ready", { LATE }, { push_slowly, to_ready_and_back } },
  { "pass-late-enough", { LATE, .answer = GST_FLOW_EOS }, { push_four, stage_push_eos } },
  { "pass-late-seek", { LATE, .downstream_seeks = TRUE, .seeks_at = 2 }, { push_burst } },
  { "pass-late-source-pad", { LATE }, { push_slowly, source_off_and_on } },
  { "pass-pairs", { .passes = TRUE, .has_partners = TRUE }, { push_and_end, push_partners } },
  { "pass-pairs-flush", { .passes = TRUE, .has_partners = TRUE },
      { push_four, push_partners, flush_both_and_ready } },
  { "pass-pairs-late", { LATE, .has_partners = TRUE, .all_arrive = TRUE },
      { push_four, push_partner_and_end } },
  { "pass-pairs-ready", { LATE, .has_partners = TRUE }, { push_four, push_partners, to_ready } },
  { "pass-seek", { .passes = TRUE, .downstream_seeks = TRUE }, { push_burst } },
};

static void
act (gpointer data)
{
  const Act *what = data;

  (*what) ();
}

static void
play (gpointer data)
{
  const Scenario *scenario = data;
  ScheduleThread *threads[MAX_ACTORS];
  guint n = 0;

  stage_open (&scenario->setup);
  for (; n < MAX_ACTORS && scenario->acts[n]; n++)
    threads[n] = schedule_start (act, (gpointer)&scenario->acts[n]);
  for (guint i = 0; i < n; i++)
    schedule_join (threads[i]);
  stage_close ();
}

static void
explore (const Scenario *scenario, guint bound, gdouble seconds)
{
  guint64 before = schedule_runs ();

  schedule_explore (scenario->name, play, (gpointer)scenario, bound);
  guint64 whole = schedule_runs () - before;
  schedule_wander (scenario->name, play, (gpointer)scenario, DEPTH, seconds);
  printf ("%-24s all %" G_GUINT64_FORMAT " orders with up to %u deviations, and %" G_GUINT64_FORMAT
          " with up to %u\n",
      scenario->name, whole, bound, schedule_runs () - before - whole, DEPTH);
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  guint bound = 1;
  gdouble seconds = 0.5;
  cpu_set_t one;

  gst_init (&argc, &argv);
  mallopt (M_PERTURB, 0xa5); /* what is freed does not look like what it was */
  CPU_ZERO (&one);
  CPU_SET (0, &one);
  sched_setaffinity (0, sizeof one, &one); /* one thread runs at a time anyway */
  stage_init ();
  for (argv++; *argv && g_str_has_prefix (*argv, "--") && argv[1]; argv += 2) {
    if (g_str_equal (*argv, "--bound"))
      bound = (guint)atoi (argv[1]);
    else
      seconds = g_ascii_strtod (argv[1], NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    if (*argv && !g_str_equal (*argv, scenarios[i].name))
      continue;
    if (*argv && argv[1])
      schedule_replay (scenarios[i].name, play, (gpointer)&scenarios[i], argv[1]);
    else
      explore (&scenarios[i], bound, seconds);
  }
  return 0;
}

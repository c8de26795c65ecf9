/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs of a plan, and the slots that run at all, as planned without a device.
 */
#include <glib.h>
#include <string.h>

#include "vyre/parts.h"
#include "kernel/turns.h"
#include "plan/plan-private.h"
#include "refused-common.h"
#include "vyre/vyre.h"

#define WORKGROUP 8
#define GPU_WORKGROUP 256
#define PAYLOAD 4096

static VyreBoundProgram *
bind_text (const char *text)
{
  GError *error = NULL;
  g_autoptr (VyreProgram) program = vyre_program_from_string (text, &error);
  g_assert_no_error (error);
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  VyreBoundProgram *bound = vyre_program_bind (program, symbols, PAYLOAD, 0, 300, &error);
  g_assert_no_error (error);
  return bound;
}

static VyrePlan *
plan_of_text (const char *text)
{
  GError *error = NULL;
  g_autoptr (VyreBoundProgram) bound = bind_text (text);
  VyrePlan *plan = vyre_plan_new (bound, PAYLOAD, WORKGROUP, NULL, &error);
  g_assert_no_error (error);
  return plan;
}

/* A plan of one slot, whose words behind its arguments are 0. */
static VyrePlan *
plan_of_slot (guint32 status, guint32 opcode, const guint32 *args, guint n_args, gboolean shut_down)
{
  guint32 ring[VYRE_SLOT_WORDS] = { [VYRE_SLOT_STATUS] = status, [VYRE_SLOT_OPCODE] = opcode };
  guint32 control[VYRE_CONTROL_OBSERVABLES + 32];
  guint32 log[VYRE_DEBUG_WORDS] = { 0 }, io[VYRE_IO_WORDS] = { 0 };
  const VyreParts parts = { .data = { control, ring, log, io },
    .size = { sizeof control, sizeof ring, sizeof log, sizeof io } };
  GError *error = NULL;

  memcpy (&ring[VYRE_SLOT_ARGS], args, 4 * n_args);
  vyre_encode_control_into (control, sizeof control, 32, 1, FALSE, &error);
  g_assert_no_error (error);
  control[VYRE_CONTROL_SHUTDOWN] = shut_down;
  VyrePlan *plan = vyre_plan_new_from_parts (&parts, PAYLOAD, WORKGROUP, &error);
  g_assert_no_error (error);
  return plan;
}

static const VyreTicket *
ticket_of (const VyrePlan *plan, guint index)
{
  return &g_array_index (plan->tickets, VyreTicket, index);
}

/* A run with any amount of time leaves room in the ring for another. */
static void
test_room (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  VyreRun run = { 0 };
  guint n = 0;

  for (guint i = 0; i < VYRE_RUN_MAX_TICKETS + 10; i++)
    g_string_append_printf (text, "memcpy 160, 160, %u\n", VYRE_LANE_MEMCPY_WORDS + 1);
  g_autoptr (VyrePlan) plan = plan_of_text (text->str);
  g_assert_cmpuint (plan->tickets->len, >, VYRE_RUN_MAX_TICKETS);
  while (vyre_plan_next_run (plan, G_MAXUINT64, 1, &run)) {
    g_assert_cmpuint (run.ticket, ==, n);
    g_assert_cmpuint (run.n_tickets, >, 0);
    g_assert_cmpuint (run.n_tickets, <=, VYRE_RUN_MAX_TICKETS);
    n += run.n_tickets;
  }
  g_assert_cmpuint (n, ==, plan->tickets->len);
}

/* A run costs no more than its limit, unless it is one ticket. The ticket of the last run that
 * ends last runs the fences, so each of its tickets may cost as much more. */
static void
test_costs (void)
{
  g_autoptr (VyrePlan) plan
      = plan_of_text ("memcpy 160, 160, 200\nmemcpy 160, 160, 250\n"
                      "u8_histogram payload -> 1\nbatch_fence; batch_fence 0, 7");
  guint n = plan->tickets->len;

  g_assert_cmpuint (n, >=, 3);
  g_assert_cmpuint (plan->fence_cost, >, 0);
  for (guint64 limit = 1; limit < 4 * plan->cost; limit *= 2) {
    for (VyreRun run = { 0 }; vyre_plan_next_run (plan, limit, 1, &run);) {
      gboolean last = run.ticket + run.n_tickets == n;
      guint64 cost = 0;
      for (guint i = 0; i < run.n_tickets; i++) {
        guint32 words[VYRE_TICKET_WORDS];
        guint32 planned = ticket_of (plan, run.ticket + i)->words[VYRE_TICKET_COST];
        vyre_plan_write_ticket (plan, &run, i, words);
        g_assert_cmpuint (
            words[VYRE_TICKET_COST], ==, planned + (last ? (guint32)plan->fence_cost : 0));
        cost += planned;
      }
      g_assert_true (cost <= limit || run.n_tickets == 1);
      g_assert_cmpint (run.fence_end > run.fence_first, ==, last);
    }
  }
}

/* A plan over @size bytes. */
static VyrePlan *
plan_of_size (const char *text, gsize size, guint workgroup)
{
  GError *error = NULL;
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  g_autoptr (VyreProgram) program = vyre_program_from_string (text, &error);
  g_assert_no_error (error);
  g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, symbols, size, 0, 300, &error);
  g_assert_no_error (error);
  VyrePlan *plan = vyre_plan_new (bound, size, workgroup, NULL, &error);
  g_assert_no_error (error);
  return plan;
}

/* How many tickets a plan of ten slots over @size bytes has on a GPU. In a stream none costs more
 * than the one before. */
static guint
count_gpu_tickets (const char *state, gsize size)
{
  g_autoptr (GString) text = g_string_new (state);

  for (guint i = 0; i < 10; i++)
    g_string_append (text, i % 2 ? "u8_histogram payload -> 10\n" : "u8_stats payload -> 1\n");
  g_autoptr (VyrePlan) plan = plan_of_size (text->str, size, GPU_WORKGROUP);
  for (guint i = 1; vyre_plan_follows (plan) && i < plan->tickets->len; i++)
    g_assert_cmpuint (ticket_of (plan, i)->words[VYRE_TICKET_COST], <=,
        ticket_of (plan, i - 1)->words[VYRE_TICKET_COST]);
  return plan->tickets->len;
}

/* Batches of a stream seldom run beside others, so each slot has enough tickets to keep a GPU busy.
 * Others leave workgroups to batches that come meanwhile. */
static void
test_stream_tickets (void)
{
  const gsize size = 2 << 20;

  g_assert_cmpuint (count_gpu_tickets ("", size), <=, 70);
  g_assert_cmpuint (count_gpu_tickets ("state n[1]\n", size), >=, 300);
  g_assert_cmpuint (count_gpu_tickets ("state n[1]\n", 8 * size), <=, 700);
}

#define EARLY_SIZE (4 << 20)

static const char early_text[]
    = "state kept[8]; u8_stats payload -> (&kept - 159); crc32 previous(payload) -> before\n"
      "sample_difference bytes(0, 4000000), previous(bytes(0, 4000000)), 0 -> d\n"
      "sample_difference bytes(0, 4000000), reference(bytes(0, 4000000)), 0 -> e\n"
      "u8_histogram payload -> h; store_u32 7 -> x; keep reference when $e.sum <= 0\n"
      "sample_difference bytes(0, 4000000), bytes(9, 4000000), 0 -> f\n"
      "sample_difference bytes(0, 4000000), bytes(9, 4000000), 0 -> g";

/* Tickets of the plan that a run has, by slot. */
static void
add_tickets (const VyrePlan *plan, const VyreRun *run, guint *slots)
{
  for (guint i = 0; i < run->n_tickets; i++) {
    guint32 words[VYRE_TICKET_WORDS];
    vyre_plan_write_ticket (plan, run, i, words);
    slots[VYRE_SLOT_OF (words[VYRE_TICKET_SLOT])]++;
    g_assert_cmpuint (VYRE_TWIN_OF (words[VYRE_TICKET_SLOT]), ==,
        run->spares_twins && VYRE_SLOT_OF (words[VYRE_TICKET_SLOT]) == 2 ? 1 : 0);
  }
}

static guint
count_tickets (const VyrePlan *plan, guint slot)
{
  guint n = 0;

  for (guint i = 0; i < plan->tickets->len; i++)
    n += VYRE_SLOT_OF (ticket_of (plan, i)->words[VYRE_TICKET_SLOT]) == slot;
  return n;
}

/* Where batches may have early runs, a slot that waits for the batch before has twice the tickets
 * of one that does not. */
static void
test_late_tickets (void)
{
  static const char text[]
      = "state n[1]; sample_difference bytes(0, 1048576), bytes(1048576, 1048576), 0 -> a;"
        "sample_difference bytes(0, 1048576), previous(bytes(1048576, 1048576)), 0 -> b";
  g_autoptr (VyrePlan) plan = plan_of_size (text, EARLY_SIZE, GPU_WORKGROUP);
  g_autoptr (VyrePlan) large = plan_of_size (text, 4 * EARLY_SIZE, GPU_WORKGROUP);

  g_assert_cmpuint (count_tickets (plan, 0), >, 8);
  g_assert_cmpuint (count_tickets (plan, 1), ==, 2 * count_tickets (plan, 0));
  g_assert_cmpuint (count_tickets (large, 1), ==, count_tickets (large, 0));
}

/* The early run of a batch has the slots that read its own payload alone and write to no state, and
 * the runs behind it all others, but for second twins where these are spared. */
static void
test_early (void)
{
  g_autoptr (VyrePlan) on_cpu = plan_of_size (early_text, EARLY_SIZE, WORKGROUP);
  g_autoptr (VyrePlan) large = plan_of_size (early_text, 4 * EARLY_SIZE, GPU_WORKGROUP);
  g_autoptr (VyrePlan) small
      = plan_of_size ("state n[1]; u8_histogram payload -> h", 65536, GPU_WORKGROUP);
  g_autoptr (VyrePlan) plan = plan_of_size (early_text, EARLY_SIZE, GPU_WORKGROUP);

  g_assert_false (vyre_plan_early_run (on_cpu, &(VyreRun){ 0 }));
  g_assert_false (vyre_plan_early_run (large, &(VyreRun){ 0 }));
  g_assert_false (vyre_plan_early_run (small, &(VyreRun){ 0 }));
  for (guint spares = 0; spares < 2; spares++) {
    guint slots[8] = { 0 };
    VyreRun run;
    g_assert_true (vyre_plan_early_run (plan, &run));
    add_tickets (plan, &run, slots);
    g_assert_cmpuint (slots[4] + slots[6] + slots[7], ==, plan->early_tickets);
    g_assert_cmpuint (run.n_tickets, ==, plan->early_tickets);
    g_assert_cmpuint (run.fence_end, ==, 0);
    run.spares_twins = spares == 1;
    while (vyre_plan_next_run (plan, G_MAXUINT64, 1, &run))
      add_tickets (plan, &run, slots);
    for (guint slot = 0; slot < G_N_ELEMENTS (slots); slot++)
      g_assert_cmpint (slots[slot] > 0, ==, slot != 3 || spares == 0);
    g_assert_cmpuint (slots[2], ==, plan->twin_tickets);
    g_assert_true (vyre_plan_is_last_run (plan, &run));
  }
}

/* Where all tickets of a batch are early, another without work ends it, and runs its fences. */
static void
test_nothing_left (void)
{
  g_autoptr (VyrePlan) plan = plan_of_size (
      "state n[1]; u8_histogram payload -> h; batch_fence", EARLY_SIZE, GPU_WORKGROUP);
  VyreRun run;
  guint slots[2] = { 0 };

  g_assert_true (vyre_plan_early_run (plan, &run));
  g_assert_cmpuint (run.n_tickets, ==, plan->tickets->len);
  g_assert_cmpuint (run.fence_end, ==, 0);
  g_assert_false (vyre_plan_next_run (plan, G_MAXUINT64, 1, &run));
  vyre_plan_end_run (plan, &run);
  g_assert_cmpuint (run.n_tickets, ==, 1);
  g_assert_cmpuint (run.fence_end, ==, plan->fence_end);
  add_tickets (plan, &run, slots);
  g_assert_true (vyre_plan_is_last_run (plan, &run));
}

/* A channel is cut by its samples, however many channels lie between them. */
static void
test_channels (void)
{
  const struct {
    guint apart;
    const char *channel;
  } cases[] = { { 4, "audio(0, 400000, 0x8240004) -> 1" },
    { 1024, "audio(0, 102400000, 0x8240400) -> 1" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    gsize size = (gsize)100000 * cases[i].apart;
    g_autofree char *text = g_strconcat ("audio_stats ", cases[i].channel, NULL);
    g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
    g_autoptr (VyreProgram) program = vyre_program_from_string (text, &error);
    g_assert_no_error (error);
    g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, symbols, size, 0, 300, &error);
    g_assert_no_error (error);
    g_autoptr (VyrePlan) plan = vyre_plan_new (bound, size, WORKGROUP, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (plan->tickets->len, <=, 8);
  }
}

/* A region whose rows overlap, or that leaves the payload, is no work. */
static void
test_regions (void)
{
  static const struct {
    guint32 args[4]; /* offset, width, rows, stride */
    guint64 bytes;
  } cases[] = { { { 0, 64, 64, 64 }, PAYLOAD }, { { 16, 48, 64, 64 }, 48 * 64 },
    { { 17, 48, 64, 64 }, 0 }, { { 0, 64, 65, 64 }, 0 }, { { 0, 64, 2, 63 }, 0 },
    { { 0, 64, 1, 63 }, 64 }, { { 0, PAYLOAD, 1, 0 }, PAYLOAD }, { { 1, PAYLOAD, 1, 0 }, 0 },
    { { 0, 2, 0x80000001, 2 }, 0 }, { { 0xFFFFFFFF, 2, 1, 0 }, 0 }, { { PAYLOAD, 0, 1, 0 }, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VyrePlan) plan
        = plan_of_slot (VYRE_STATUS_PUBLISHED, VYRE_OP_U8_STATS, cases[i].args, 4, FALSE);
    g_assert_cmpuint (vyre_plan_get_region_bytes (plan), ==, cases[i].bytes);
  }
}

/* The kernel counts the bytes of a payload in words of 32 bits: no plan has more. */
static void
test_payload_limit (void)
{
  g_autoptr (VyreBoundProgram) bound = bind_text ("u8_stats payload -> s");
  GError *error = NULL;
#if GLIB_SIZEOF_SIZE_T > 4
  static const gsize sizes[]
      = { (gsize)G_MAXUINT32 + 1, (gsize)G_MAXUINT32 + 1 + PAYLOAD, G_MAXSIZE };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    VyrePlan *plan = vyre_plan_new (bound, sizes[i], WORKGROUP, NULL, &error);
    assert_refused (plan != NULL, &error, VYRE_ERROR_TOO_LARGE);
  }
#endif
  g_autoptr (VyrePlan) largest = vyre_plan_new (bound, G_MAXUINT32, WORKGROUP, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vyre_plan_get_payload_size (largest), ==, G_MAXUINT32);
}

/* A slot that waits for the host goes on if its opcode can ask the host; after SHUTDOWN no slot
 * runs. */
static void
test_what_runs (void)
{
  static const guint32 none[1];
  static const struct {
    guint32 status, opcode;
    gboolean runs;
  } cases[] = {
    { VYRE_STATUS_PUBLISHED, VYRE_OP_STORE_U32, TRUE },
    { VYRE_STATUS_PUBLISHED, VYRE_OP_LOAD_MISS, TRUE },
    { VYRE_STATUS_WAIT_IO, VYRE_OP_LOAD_MISS, TRUE },
    { VYRE_STATUS_WAIT_IO, VYRE_OP_APPEND, TRUE },
    { VYRE_STATUS_WAIT_IO, VYRE_OP_STORE_U32, FALSE },
    { VYRE_STATUS_WAIT_IO, VYRE_OP_U8_STATS, FALSE },
    { VYRE_STATUS_EMPTY, VYRE_OP_STORE_U32, FALSE },
    { VYRE_STATUS_DONE, VYRE_OP_LOAD_MISS, FALSE },
    { VYRE_STATUS_FAULT, VYRE_OP_LOAD_MISS, FALSE },
  };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    gboolean shut_down = i % 2;
    g_autoptr (VyrePlan) plan
        = plan_of_slot (cases[i / 2].status, cases[i / 2].opcode, none, 1, shut_down);
    g_assert_cmpint (vyre_plan_may_run (plan, 0), ==, cases[i / 2].runs && !shut_down);
  }
}

/* Cheap batches pass batches that wait their turn, unless they are cut; dear batches wait for all
 * before them, and for as much room as they need. */
static void
test_who_may_enter (void)
{
  enum { MOST = 6400 };
  static const struct {
    guint64 load, cost;
    gboolean waits, cut, enters;
  } cases[] = {
    { 0, 10, FALSE, FALSE, TRUE },
    { MOST, 10, TRUE, FALSE, TRUE },
    { MOST, 10, TRUE, TRUE, FALSE },
    { 0, 10, TRUE, TRUE, FALSE },
    { 0, MOST, FALSE, FALSE, TRUE },
    { 0, 2 * MOST, FALSE, FALSE, TRUE },
    { 0, MOST, TRUE, FALSE, FALSE },
    { MOST / 2, MOST / 2, FALSE, TRUE, TRUE },
    { MOST / 2, MOST / 2 + 1, FALSE, FALSE, FALSE },
    { 2 * MOST, MOST / 2, FALSE, FALSE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    VyreMegakernel kernel = { .most = MOST, .load = cases[i].load };
    VyreBatch before = { .kernel = &kernel };
    VyreBatch batch = { .kernel = &kernel, .run.cost = cases[i].cost, .cut = cases[i].cut };
    g_queue_init (&kernel.turns);
    before.link.data = &before;
    if (cases[i].waits)
      g_queue_push_tail_link (&kernel.turns, &before.link);
    g_assert_cmpint (vyre_turns_may_enter (&batch), ==, cases[i].enters);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/runs/stream-tickets", test_stream_tickets);
  g_test_add_func ("/runs/late-tickets", test_late_tickets);
  g_test_add_func ("/runs/early", test_early);
  g_test_add_func ("/runs/nothing-left", test_nothing_left);
  g_test_add_func ("/runs/room", test_room);
  g_test_add_func ("/runs/channels", test_channels);
  g_test_add_func ("/runs/costs", test_costs);
  g_test_add_func ("/runs/regions", test_regions);
  g_test_add_func ("/runs/payload-limit", test_payload_limit);
  g_test_add_func ("/runs/what-runs", test_what_runs);
  g_test_add_func ("/runs/who-may-enter", test_who_may_enter);
  return g_test_run ();
}

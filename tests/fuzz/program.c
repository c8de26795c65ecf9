/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Programs: a text up to the first NUL, and behind it the stream that it is bound to.
 * What binds can be planned, and comes back from its disassembly as it was.
 */
#include "fuzz.h"

#include "plan/plan-private.h"
#include "program/decisions.h"
#include "vyre/control.h"
#include "vyre/program.h"

#define SLOT_BYTES (4 * (gsize)VYRE_SLOT_WORDS)

/* Messages about a place in the text start with it. */
static gboolean
names_place (const char *message)
{
  return g_regex_match_simple ("^[1-9][0-9]*:[1-9][0-9]*: ", message, 0, 0);
}

static gboolean
check_bound (const VyreBoundProgram *bound, GError **error)
{
  gboolean placed = *error == NULL || names_place ((*error)->message);

  g_assert_true (placed || g_error_matches (*error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE));
  return fuzz_check (bound != NULL, error);
}

/* One that the stream defines in ways that streams have, or in any. */
static VyreSymbols *
read_bindings (FuzzInput *input)
{
  static const char *const regions[] = { "plane0", "plane1", "plane2", "plane3", "luma", "u", "v" };
  static const char *const scalars[]
      = { "width", "height", "planes", "bits", "rate", "channels", "luma.stride" };
  VyreSymbols *symbols = vyre_symbols_new ();
  guint defined = fuzz_byte (input);

  for (guint i = 0; i < G_N_ELEMENTS (regions); i++) {
    VyreRegion region = { 0, 320, 240, 320 };
    if (defined >> i & 1)
      fuzz_numbers (input, &region.offset, 4);
    if (defined & 128 && (guint64)region.stride * region.rows + region.width <= G_MAXUINT32)
      vyre_symbols_set_region (symbols, regions[i], &region);
  }
  for (guint i = 0; i < G_N_ELEMENTS (scalars) && defined & 128; i++)
    vyre_symbols_set (symbols, scalars[i], fuzz_number (input));
  for (guint c = 0; c < 3 && defined & 128; c++)
    vyre_symbols_set_channel (
        symbols, c, fuzz_number (input), fuzz_number (input), VYRE_AUDIO (6u, 2u, 0u, 0u, 16u));
  if (defined & 1)
    vyre_symbols_set_stream (symbols, "RGB video");
  return symbols;
}

static void
check_image (const VyreBoundProgram *bound)
{
  g_assert_true (bound->n_slots >= 1 && bound->n_used <= bound->n_slots);
  for (guint i = 0; i < bound->n_slots; i++)
    g_assert_cmpuint (bound->slots[i * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS], ==,
        i < bound->n_used ? VYRE_STATUS_PUBLISHED : VYRE_STATUS_EMPTY);
  for (guint i = 0; i < bound->n_results; i++) {
    const VyreResult *result = &bound->results[i];
    g_assert_true (g_regex_match_simple ("^[a-z][a-z0-9-]*$", result->name, 0, 0));
    g_assert_cmpuint (result->observable, >=, 1);
    g_assert_cmpuint (result->observable + result->n_words, <=, bound->n_observables);
    if (i > 0)
      g_assert_cmpuint (result->observable, >=, result[-1].observable + result[-1].n_words);
  }
  if (bound->sequence_slot >= 0) {
    g_assert_cmpint (bound->sequence_slot, <, bound->n_used);
    g_assert_cmpuint (bound->slots[bound->sequence_slot * VYRE_SLOT_WORDS + VYRE_SLOT_OPCODE], ==,
        VYRE_OP_BATCH_FENCE);
  }
}

/* The disassembly makes the same words again, whatever the payload. */
static void
try_round_trip (const VyreBoundProgram *bound, gsize payload_size)
{
  g_autofree char *text = vyre_disassemble (bound->slots, bound->n_slots);
  g_autoptr (GError) error = NULL;

  if (bound->n_used == 0) /* all of it was optional, and no program is empty */
    return;
  g_autoptr (VyreProgram) program = vyre_program_assemble (text, &error);
  g_assert_no_error (error);
  g_autoptr (VyreBoundProgram) again
      = vyre_program_bind (program, NULL, payload_size / 2, bound->n_slots, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (
      again->slots, again->n_slots * SLOT_BYTES, bound->slots, bound->n_slots * SLOT_BYTES);
  g_assert_cmpuint (again->n_used, ==, bound->n_used);
  g_autofree char *same = vyre_disassemble (again->slots, again->n_slots);
  g_assert_cmpstr (text, ==, same);
}

static void
try_plan (VyreBoundProgram *bound, gsize payload_size, guint workgroup)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreAccess) access = vyre_access_new (VYRE_ACCESS_ALL, NULL, &error);
  g_autoptr (VyrePlan) plan = vyre_plan_new (bound, payload_size, workgroup, access, &error);

  if (!fuzz_check (plan != NULL, &error))
    return;
  const VyreLayout *layout = vyre_plan_get_layout (plan);
  const guint8 *ring = (const guint8 *)plan->slice + layout->offset[VYRE_PART_RING];
  g_assert_cmpmem (ring, layout->size[VYRE_PART_RING], bound->slots, bound->n_slots * SLOT_BYTES);
  fuzz_check_runs (plan);
  for (guint i = 0; i < plan->tickets->len; i++)
    g_assert_cmpuint (
        g_array_index (plan->tickets, VyreTicket, i).words[VYRE_TICKET_COST], <=, VYRE_COST_MAX);
  gint64 tag = vyre_plan_tag_word (plan);
  g_assert_true (tag == VYRE_NO_TAG_WORD || (gsize)tag < plan->slice_size / 4);
}

/* Runs of quiet samples come in order, and end. */
static void
try_quiet (const VyreEvent *event, const guint32 *readback)
{
  VyreQuiet quiet = { 0, 0 };

  if (!event->of_quiet)
    return;
  const guint32 *words = readback + VYRE_CONTROL_OBSERVABLES + event->loud;
  for (guint32 before = 0; vyre_quiet_find (words, before, &quiet); before = quiet.end)
    g_assert_true (quiet.begin >= before && quiet.end > quiet.begin);
}

/* Events have a decision, and state a number or none, whatever a readback says. */
static void
try_decisions (const VyreBoundProgram *bound, FuzzInput *input)
{
  gsize n = VYRE_CONTROL_OBSERVABLES + bound->n_observables;
  g_autofree guint32 *readback = g_new0 (guint32, n);
  guint64 values[VYRE_MOST_EVENT_VALUES];
  guint negative;
  guint n_state = vyre_plan_count_state (bound);
  g_autofree guint32 *words = g_new0 (guint32, n_state);

  fuzz_numbers (input, readback + VYRE_CONTROL_OBSERVABLES, MIN (bound->n_observables, 64));
  for (guint i = 0; i < bound->n_events; i++) {
    g_assert_cmpuint (bound->events[i].n_values, <=, VYRE_MOST_EVENT_VALUES);
    vyre_event_decide (&bound->events[i], i % 2, readback, values, &negative);
    try_quiet (&bound->events[i], readback);
  }
  vyre_states_calculate (bound, readback, words);
}

/* 0, what the program needs, most of the time. */
static guint
read_size (FuzzInput *input)
{
  guint32 size = fuzz_choose (input, 4) ? 0 : fuzz_number (input);

  return size < 8192 || size > VYRE_ENCODE_MAX ? size : size % 8192;
}

static void
try_bind (VyreProgram *program, FuzzInput *input)
{
  guint workgroup = 1u << fuzz_choose (input, 11);
  gsize payload_size = fuzz_number (input) + (fuzz_choose (input, 64) == 63 ? G_MAXUINT32 : 0ull);
  guint n_slots = read_size (input), n_observables = read_size (input);
  g_autoptr (VyreSymbols) symbols = read_bindings (input);
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreBoundProgram) bound
      = vyre_program_bind (program, symbols, payload_size, n_slots, n_observables, &error);

  if (!check_bound (bound, &error))
    return;
  g_assert_true (payload_size <= G_MAXUINT32);
  g_assert_true (n_slots == 0 || bound->n_slots == n_slots);
  g_assert_true (n_observables == 0 || bound->n_observables == n_observables);
  check_image (bound);
  try_round_trip (bound, payload_size);
  try_decisions (bound, input);
  try_plan (bound, payload_size, workgroup);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  gsize length = strlen (text);
  FuzzInput input = { data + MIN (length + 1, size), size - MIN (length + 1, size) };
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreProgram) program = vyre_program_from_string (text, &error);

  if (error && g_error_matches (error, VYRE_ERROR, VYRE_ERROR_SYNTAX))
    g_assert_true (names_place (error->message));
  if (fuzz_check (program != NULL, &error))
    try_bind (program, &input);
  return 0;
}

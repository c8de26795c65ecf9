/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Programs: a text up to the first NUL, and behind it the stream that it is bound to.
 * What binds can be planned, and comes back from its disassembly as it was.
 */
#include "fuzz.h"

#include "vyre-plan-private.h"
#include "vyre-program.h"

#define SLOT_BYTES (4 * (gsize)VYRE_SLOT_WORDS)

/* Messages about a place in the text start with it. */
static gboolean
names_place (const char *message)
{
  return g_regex_match_simple ("^[1-9][0-9]*:[1-9][0-9]*: ", message, 0, 0);
}

static gboolean
check_bound (const VyreImage *image, GError **error)
{
  gboolean placed = *error == NULL || names_place ((*error)->message);

  g_assert_true (placed || g_error_matches (*error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE));
  return fuzz_check (image != NULL, error);
}

/* One that the stream defines in ways that streams have, or in any. */
static VyreBindings *
read_bindings (FuzzInput *input)
{
  static const char *const regions[] = { "plane0", "plane1", "plane2", "plane3", "luma", "u", "v" };
  static const char *const scalars[]
      = { "width", "height", "planes", "bits", "rate", "channels", "luma.stride" };
  VyreBindings *bindings = vyre_bindings_new ();
  guint defined = fuzz_byte (input);

  for (guint i = 0; i < G_N_ELEMENTS (regions); i++) {
    VyreRegion region = { 0, 320, 240, 320 };
    if (defined >> i & 1)
      fuzz_numbers (input, &region.offset, 4);
    if (defined & 128 && (guint64)region.stride * region.rows + region.width <= G_MAXUINT32)
      vyre_bindings_set_region (bindings, regions[i], &region);
  }
  for (guint i = 0; i < G_N_ELEMENTS (scalars) && defined & 128; i++)
    vyre_bindings_set (bindings, scalars[i], fuzz_number (input));
  if (defined & 1)
    vyre_bindings_set_stream (bindings, "RGB video");
  return bindings;
}

static void
check_image (const VyreImage *image)
{
  g_assert_true (image->n_slots >= 1 && image->n_used <= image->n_slots);
  for (guint i = 0; i < image->n_slots; i++)
    g_assert_cmpuint (image->slots[i * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS], ==,
        i < image->n_used ? VYRE_STATUS_PUBLISHED : VYRE_STATUS_EMPTY);
  for (guint i = 0; i < image->n_results; i++) {
    const VyreResult *result = &image->results[i];
    g_assert_true (g_regex_match_simple ("^[a-z][a-z0-9-]*$", result->name, 0, 0));
    g_assert_cmpuint (result->observable, >=, 1);
    g_assert_cmpuint (result->observable + result->n_words, <=, image->n_observables);
    if (i > 0)
      g_assert_cmpuint (result->observable, >=, result[-1].observable + result[-1].n_words);
  }
  if (image->sequence_slot >= 0) {
    g_assert_cmpint (image->sequence_slot, <, image->n_used);
    g_assert_cmpuint (image->slots[image->sequence_slot * VYRE_SLOT_WORDS + VYRE_SLOT_OPCODE], ==,
        VYRE_OP_BATCH_FENCE);
  }
}

/* The disassembly makes the same words again, whatever the payload. */
static void
try_round_trip (const VyreImage *image, gsize payload_size)
{
  g_autofree char *text = vyre_disassemble (image->slots, image->n_slots);
  g_autoptr (GError) error = NULL;

  if (image->n_used == 0) /* all of it was optional, and no program is empty */
    return;
  g_autoptr (VyreProgram) program = vyre_program_assemble (text, &error);
  g_assert_no_error (error);
  g_autoptr (VyreImage) again
      = vyre_program_bind (program, NULL, payload_size / 2, image->n_slots, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (
      again->slots, again->n_slots * SLOT_BYTES, image->slots, image->n_slots * SLOT_BYTES);
  g_assert_cmpuint (again->n_used, ==, image->n_used);
  g_autofree char *same = vyre_disassemble (again->slots, again->n_slots);
  g_assert_cmpstr (text, ==, same);
}

static void
try_plan (VyreImage *image, gsize payload_size, guint workgroup)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreAccess) access = vyre_access_new (VYRE_ACCESS_ALL, NULL, &error);
  g_autoptr (VyrePlan) plan = vyre_plan_new (image, payload_size, workgroup, access, &error);

  if (!fuzz_check (plan != NULL, &error))
    return;
  const VyreLayout *layout = vyre_plan_get_layout (plan);
  const guint8 *ring = (const guint8 *)plan->slice + layout->offset[VYRE_PART_RING];
  g_assert_cmpmem (ring, layout->size[VYRE_PART_RING], image->slots, image->n_slots * SLOT_BYTES);
  fuzz_check_runs (plan);
  for (guint i = 0; i < plan->tickets->len; i++)
    g_assert_cmpuint (
        g_array_index (plan->tickets, VyreTicket, i).words[VYRE_TICKET_COST], <=, VYRE_COST_MAX);
  gint64 tag = vyre_plan_tag_word (plan);
  g_assert_true (tag == VYRE_NO_TAG_WORD || (gsize)tag < plan->slice_size / 4);
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
  g_autoptr (VyreBindings) bindings = read_bindings (input);
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreImage) image
      = vyre_program_bind (program, bindings, payload_size, n_slots, n_observables, &error);

  if (!check_bound (image, &error))
    return;
  g_assert_true (payload_size <= G_MAXUINT32);
  g_assert_true (n_slots == 0 || image->n_slots == n_slots);
  g_assert_true (n_observables == 0 || image->n_observables == n_observables);
  check_image (image);
  try_round_trip (image, payload_size);
  try_plan (image, payload_size, workgroup);
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

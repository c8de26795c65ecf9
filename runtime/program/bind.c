/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "program/statements.h"
#include "base/alloc.h"
#include "abi/publish-each.h"

/* The most lets of a program that binding evaluates without allocating memory. */
#define LETS_ON_STACK 32

/* A bound program with its hidden part: the results' names live as long as @program. */
typedef struct {
  VyreBoundProgram bound;
  gatomicrefcount refs;
  VyreProgram *program;
} Bound;

typedef struct {
  const VyreProgram *program;
  VyreScope scope;
  GError **error;
} Binder;

static const VyreStatement *
bind_get_statement (const VyreProgram *program, guint index)
{
  return &g_array_index (program->statements, VyreStatement, index);
}

static gboolean
bind_expr (Binder *binder, VyreExpr expr, guint32 *value)
{
  VyreFailure failure;

  if (vyre_expr_eval (&binder->scope, expr, value, &failure))
    return TRUE;
  vyre_failure_set_error (&failure, binder->program->text, VYRE_ERROR_INVALID, binder->error);
  return FALSE;
}

static gboolean
bind_args (Binder *binder, const VyreOperation *operation, guint32 *values)
{
  GArray *args = binder->program->args;

  for (guint i = 0; i < operation->n_args; i++) {
    if (!bind_expr (binder, g_array_index (args, VyreExpr, operation->first_arg + i), &values[i]))
      return FALSE;
  }
  return TRUE;
}

/* Evaluates the lets. A failure counts only where its let is used, so it is kept, not reported. */
static void
bind_lets (Binder *binder, VyreLetValue *values)
{
  GArray *lets = binder->program->lets;

  for (guint i = 0; i < lets->len; i++) {
    values[i].failure.kind = VYRE_FAILURE_NONE;
    vyre_expr_eval_exact (
        &binder->scope, g_array_index (lets, VyreExpr, i), &values[i].value, &values[i].failure);
  }
}

/* Whether @n arguments from @first on need a symbol that the stream lacks. */
static gboolean
bind_lacks_symbol (Binder *binder, const VyreStatement *statement, guint first, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint at = statement->operation.first_arg + first + i;
    VyreExpr arg = g_array_index (binder->program->args, VyreExpr, at);
    VyreFailure failure;
    guint32 ignored;

    if (!vyre_expr_eval (&binder->scope, arg, &ignored, &failure)
        && failure.kind == VYRE_FAILURE_UNBOUND)
      return TRUE;
  }
  return FALSE;
}

/* Whether the stream lacks a region or component of an optional statement. */
static gboolean
bind_leaves_out (Binder *binder, const VyreStatement *statement)
{
  const guint n = VYRE_REGION_ARG_STRIDE + 1;

  if (!statement->optional)
    return FALSE;
  if (bind_lacks_symbol (binder, statement, VYRE_REGION_ARG_OFFSET, n))
    return TRUE;
  if (vyre_opcode_takes_chroma (statement->info))
    return bind_lacks_symbol (binder, statement, VYRE_CHROMA_FIRST_ARG, 2 * VYRE_COMPONENT_ARGS);
  return vyre_opcode_takes_other (statement->info)
         && bind_lacks_symbol (binder, statement, VYRE_OTHER_ARG_OFFSET, n);
}

/* Writes a packed_slot's argument words, as bytes first: two and two per operation. */
static gboolean
bind_packed (Binder *binder, const VyreStatement *statement, guint32 *args)
{
  guint words = VYRE_PACKED_METADATA_WORDS (statement->n_inner);
  guint8 bytes[4 * VYRE_SLOT_MAX_ARGS] = { (guint8)statement->n_inner };
  guint used = 0;

  for (guint i = 0; i < statement->n_inner; i++) {
    const VyreOperation *inner
        = &g_array_index (binder->program->inner, VyreOperation, statement->first_inner + i);
    guint32 opcode;

    if (!bind_expr (binder, inner->opcode, &opcode)
        || !bind_args (binder, inner, args + words + used))
      return FALSE;
    bytes[2 + 2 * i] = (guint8)opcode;
    bytes[3 + 2 * i] = (guint8)used;
    used += inner->n_args;
  }
  bytes[1] = (guint8)used;
  for (guint i = 0; i < 4 * words; i++)
    args[i / 4] |= (guint32)bytes[i] << (8 * (i % 4));
  return TRUE;
}

static gboolean
bind_set_no_samples (
    Binder *binder, const VyreStatement *statement, const char *what, guint32 samples)
{
  vyre_set_error_at (binder->error, VYRE_ERROR_INVALID, binder->program->text, statement->offset,
      "0x%x does not tell how samples lie. Fix: name a %s, or see docs/abi.md for the number.",
      samples, what);
  return FALSE;
}

/* Checks the word that tells how the samples of a component lie. */
static gboolean
bind_check_samples (Binder *binder, const VyreStatement *statement, guint32 samples)
{
  return VYRE_SAMPLES_FIT (samples)
         || bind_set_no_samples (binder, statement, "component", samples);
}

/* Checks that the two components of a slot have one shape. */
static gboolean
bind_check_other (Binder *binder, const VyreStatement *statement, const guint32 *args)
{
  guint32 samples = args[VYRE_REGION_ARG_SAMPLES], other = args[VYRE_OTHER_ARG_SAMPLES];

  if (!bind_check_samples (binder, statement, other))
    return FALSE;
  if (vyre_opcode_takes_pair (args))
    return TRUE;
  vyre_set_error_at (binder->error, VYRE_ERROR_INVALID, binder->program->text, statement->offset,
      "%s has components of different shapes: %u rows of %u samples, 0x%x, and %u rows of %u "
      "samples, 0x%x. Fix: name components with as many samples, of the same depth, size and "
      "distance.",
      statement->info->name, args[VYRE_REGION_ARG_ROWS],
      VYRE_SAMPLES_IN (args[VYRE_REGION_ARG_WIDTH], samples), samples, args[VYRE_OTHER_ARG_ROWS],
      VYRE_SAMPLES_IN (args[VYRE_OTHER_ARG_WIDTH], other), other);
  return FALSE;
}

/* Checks how the samples of a slot lie. Where they are bytes side by side, the opcode that reads
 * bytes, if there is one, takes the place of the one that reads samples: every kernel has it, and
 * it is quicker. */
static gboolean
bind_samples (Binder *binder, const VyreStatement *statement, guint32 *slot)
{
  const VyreOpcode *info = statement->info;
  guint32 *args = slot + VYRE_SLOT_ARGS;

  if (!bind_check_samples (binder, statement, args[VYRE_REGION_ARG_SAMPLES])
      || (vyre_opcode_takes_other (info) && !bind_check_other (binder, statement, args)))
    return FALSE;
  if (args[VYRE_REGION_ARG_SAMPLES] != VYRE_SAMPLES_ARE_BYTES || info->bytes == 0)
    return TRUE;
  gboolean has_limit = info->operands[1] == VYRE_OPERAND_VALUE;
  slot[VYRE_SLOT_OPCODE] = info->bytes;
  args[VYRE_REGION_ARG_THRESHOLD] = has_limit ? MIN (args[VYRE_REGION_ARG_LIMIT], 256) : 0;
  args[VYRE_REGION_ARG_LIMIT] = 0;
  return TRUE;
}

/* Checks how the samples of a component or channel lie. */
static gboolean
bind_how_samples_lie (Binder *binder, const VyreStatement *statement, guint32 *slot)
{
  VyreOperandKind kind = statement->info ? statement->info->operands[0] : VYRE_OPERAND_NONE;
  guint32 word = slot[VYRE_SLOT_ARGS + VYRE_REGION_ARG_SAMPLES];

  if (kind == VYRE_OPERAND_COMPONENT)
    return bind_samples (binder, statement, slot);
  return kind != VYRE_OPERAND_CHANNEL || VYRE_AUDIO_FIT (word)
         || bind_set_no_samples (binder, statement, "channel", word);
}

static gboolean
bind_set_no_chroma (Binder *binder, const VyreStatement *statement)
{
  vyre_set_error_at (binder->error, VYRE_ERROR_INVALID, binder->program->text, statement->offset,
      "%s has chroma that does not go with luma. Fix: name luma, u and v of one picture of 8 bits "
      "or "
      "more, in which u and v have one size and one stride.",
      statement->info->name);
  return FALSE;
}

/* Folds the arguments of luma, u and v, VYRE_OPERATION_MAX_ARGS of them, to those of a slot. */
static gboolean
bind_chroma (Binder *binder, const VyreStatement *statement, const guint32 *values, guint32 *args)
{
  const guint32 *u = values + VYRE_CHROMA_FIRST_ARG, *v = u + VYRE_COMPONENT_ARGS;
  guint32 luma = values[VYRE_REGION_ARG_SAMPLES];
  guint32 u_samples = u[VYRE_COMPONENT_ARGS - 1], v_samples = v[VYRE_COMPONENT_ARGS - 1];

  if (!bind_check_samples (binder, statement, luma)
      || !bind_check_samples (binder, statement, u_samples)
      || !bind_check_samples (binder, statement, v_samples))
    return FALSE;
  guint32 columns = VYRE_SAMPLES_IN (u[VYRE_REGION_ARG_WIDTH], u_samples);
  guint32 across
      = vyre_opcode_find_shift (VYRE_SAMPLES_IN (values[VYRE_REGION_ARG_WIDTH], luma), columns);
  guint32 down = vyre_opcode_find_shift (values[VYRE_REGION_ARG_ROWS], u[VYRE_REGION_ARG_ROWS]);
  if (!VYRE_CHROMA_FITS (luma, u_samples) || !VYRE_CHROMA_FITS (luma, v_samples)
      || MAX (across, down) > VYRE_CHROMA_MAX_SHIFT
      || VYRE_SAMPLES_IN (v[VYRE_REGION_ARG_WIDTH], v_samples) != columns
      || v[VYRE_REGION_ARG_ROWS] != u[VYRE_REGION_ARG_ROWS]
      || v[VYRE_REGION_ARG_STRIDE] != u[VYRE_REGION_ARG_STRIDE])
    return bind_set_no_chroma (binder, statement);
  memcpy (args, values, VYRE_CHROMA_FIRST_ARG * sizeof *args);
  args[VYRE_CHROMA_ARG_U] = u[VYRE_REGION_ARG_OFFSET];
  args[VYRE_CHROMA_ARG_V] = v[VYRE_REGION_ARG_OFFSET];
  args[VYRE_CHROMA_ARG_U_SAMPLES] = u_samples;
  args[VYRE_CHROMA_ARG_V_SAMPLES] = v_samples;
  args[VYRE_CHROMA_ARG_STRIDE] = u[VYRE_REGION_ARG_STRIDE];
  args[VYRE_CHROMA_ARG_SHIFTS] = across | down << 8;
  return TRUE;
}

static gboolean
bind_statement (Binder *binder, const VyreStatement *statement, guint32 *slot)
{
  guint32 *args = slot + VYRE_SLOT_ARGS;

  slot[VYRE_SLOT_STATUS] = VYRE_STATUS_PUBLISHED;
  if (!bind_expr (binder, statement->operation.opcode, &slot[VYRE_SLOT_OPCODE])
      || !bind_expr (binder, statement->tenant, &slot[VYRE_SLOT_TENANT])
      || !bind_expr (binder, statement->priority, &slot[VYRE_SLOT_PRIORITY]))
    return FALSE;
  if (statement->n_inner > 0)
    return bind_packed (binder, statement, args);
  guint32 values[VYRE_OPERATION_MAX_ARGS] = { 0 };
  if (!bind_args (binder, &statement->operation, values))
    return FALSE;
  if (statement->info && vyre_opcode_takes_chroma (statement->info))
    return bind_chroma (binder, statement, values, args);
  memcpy (args, values, VYRE_SLOT_MAX_ARGS * sizeof *args);
  if (statement->info && !vyre_opcode_takes_region (statement->info, args)) {
    vyre_set_error_at (binder->error, VYRE_ERROR_INVALID, binder->program->text, statement->offset,
        "%s needs a region without padding between its rows. Fix: use 'bytes(offset, length)', "
        "or a region with one row or with stride equal to width.",
        statement->info->name);
    return FALSE;
  }
  if (!bind_how_samples_lie (binder, statement, slot))
    return FALSE;
  args[VYRE_REGION_ARG_OBSERVABLE] |= statement->from << 28;
  if (slot[VYRE_SLOT_OPCODE] == VYRE_OP_BATCH_FENCE)
    binder->scope.observables = MAX (binder->scope.observables, 1);
  return TRUE;
}

static gboolean
bind_slots (Binder *binder, VyreBoundProgram *bound)
{
  guint32 *slot = bound->slots;

  for (guint i = 0; i < binder->program->statements->len; i++) {
    const VyreStatement *statement = bind_get_statement (binder->program, i);

    if (bind_leaves_out (binder, statement))
      continue;
    if (!bind_statement (binder, statement, slot))
      return FALSE;
    if (statement->sequence)
      bound->sequence_slot = (gint)((slot - bound->slots) / VYRE_SLOT_WORDS);
    slot += VYRE_SLOT_WORDS;
  }
  return TRUE;
}

static void
bind_results (Binder *binder, VyreBoundProgram *bound)
{
  const VyreProgram *program = binder->program;

  bound->results = g_new (VyreResult, program->results->len);
  for (guint i = 0; i < program->results->len; i++) {
    guint32 id = g_array_index (program->results, guint32, i);
    const VyreName *name = &g_array_index (program->names, VyreName, id);
    VyreResult *result = &bound->results[bound->n_results];

    if (name->statement >= 0
        && bind_leaves_out (binder, bind_get_statement (program, (guint)name->statement)))
      continue;
    result->name = name->name;
    result->type = name->type;
    result->observable = g_array_index (program->observables, guint32, id);
    result->n_words = name->words;
    result->units = name->units;
    bound->n_results++;
  }
}

/* The slots of the bound program, less those of optional statements that are left out. */
static guint
bind_count_slots (Binder *binder)
{
  guint n = 0;

  for (guint i = 0; i < binder->program->statements->len; i++)
    n += !bind_leaves_out (binder, bind_get_statement (binder->program, i));
  return n;
}

/* Decides the size that the property @name sets: @asked or, if that is 0, @needed. */
static gboolean
bind_choose_size (guint asked, guint needed, guint limit, const char *what, const char *name,
    guint *chosen, GError **error)
{
  *chosen = asked != 0 ? asked : needed;
  if (asked > limit) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%u %s are above the limit of %u. Fix: set %s=%u or less, or 0 for what the program "
        "needs.",
        asked, what, limit, name, limit);
    return FALSE;
  }
  if (*chosen < needed) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "The program needs %u %s and has only %u. Fix: set %s=%u or more, or 0 for what the "
        "program needs.",
        needed, what, asked, name, needed);
    return FALSE;
  }
  return TRUE;
}

static gboolean
bind_fill (Binder *binder, VyreBoundProgram *bound, guint slot_count, guint observable_slots)
{
  bound->n_used = bind_count_slots (binder);
  bound->sequence_slot = -1;
  binder->scope.other_slots = MAX (bound->n_used, 1) - 1;
  if (!bind_choose_size (slot_count, MAX (bound->n_used, 1), VYRE_ENCODE_MAX, "ring slots",
          "slot-count", &bound->n_slots, binder->error))
    return FALSE;
  bound->slots = vyre_alloc0 (bound->n_slots, 4 * VYRE_SLOT_WORDS, binder->error);
  if (!bound->slots || !bind_slots (binder, bound)
      || !bind_choose_size (observable_slots, binder->scope.observables, VYRE_MAX_OBSERVABLES,
          "observables", "observable-slots", &bound->n_observables, binder->error))
    return FALSE;
  bind_results (binder, bound);
  bound->resources = (const VyreResource *)binder->program->resources->data;
  bound->n_resources = binder->program->resources->len;
  return vyre_decisions_bind (binder->program, &binder->scope, bound, binder->error);
}

static VyreBoundProgram *
bind_numbers (VyreProgram *program, const VyreSymbols *numbers, guint slot_count,
    guint observable_slots, GError **error)
{
  VyreLetValue on_stack[LETS_ON_STACK];
  g_autofree VyreLetValue *on_heap = NULL;
  VyreLetValue *lets = on_stack;

  if (program->lets->len > LETS_ON_STACK)
    lets = on_heap = g_new (VyreLetValue, program->lets->len);
  Binder binder = { .program = program, .error = error };
  binder.scope.nodes = (const VyreNode *)program->nodes->data;
  binder.scope.symbols = numbers;
  binder.scope.lets = lets;
  binder.scope.results = (const guint32 *)program->observables->data;
  binder.scope.observables = program->n_observables;
  bind_lets (&binder, lets);
  Bound *bound = g_new0 (Bound, 1);
  g_atomic_ref_count_init (&bound->refs);
  bound->program = vyre_program_ref (program);
  if (!bind_fill (&binder, &bound->bound, slot_count, observable_slots)) {
    vyre_bound_program_unref (&bound->bound);
    return NULL;
  }
  return &bound->bound;
}

/* Refuses a payload of more bytes than the words of the wire ABI can count. */
gboolean
vyre_payload_size_check (gsize payload_size, GError **error)
{
  if (payload_size <= G_MAXUINT32)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "The payload has %" G_GSIZE_FORMAT " bytes and the limit is 4294967295. Fix: send smaller "
      "buffers.",
      payload_size);
  return FALSE;
}

VyreBoundProgram *
vyre_program_bind (VyreProgram *program, const VyreSymbols *symbols, gsize payload_size,
    guint slot_count, guint observable_slots, GError **error)
{
  g_return_val_if_fail (program, NULL);
  g_return_val_if_fail (!error || !*error, NULL);
  if (!vyre_payload_size_check (payload_size, error))
    return NULL;
  VyreSymbols numbers = { 0 };
  if (symbols)
    numbers = *symbols;
  guint32 own = (guint32)(payload_size - MIN (payload_size, numbers.paired_size));
  VyreRegion payload = { 0, own, 1, own };
  vyre_symbols_define_region (&numbers, VYRE_REGION_PAYLOAD, &payload);
  return bind_numbers (program, &numbers, slot_count, observable_slots, error);
}

/* Makes a bound program of the slots of a ring, without a program. NULL with
 * %VYRE_ERROR_NO_SPACE. */
VyreBoundProgram *
vyre_bound_program_new_from_ring (
    const void *ring, guint n_slots, guint n_observables, GError **error)
{
  guint32 *slots = vyre_duplicate (ring, (gsize)n_slots * 4 * VYRE_SLOT_WORDS, error);
  if (!slots)
    return NULL;
  Bound *bound = g_new0 (Bound, 1);

  g_atomic_ref_count_init (&bound->refs);
  bound->bound = (VyreBoundProgram){
    .n_slots = n_slots, .n_observables = n_observables, .sequence_slot = -1, .slots = slots
  };
  for (guint slot = 0; slot < n_slots; slot++)
    bound->bound.n_used
        += bound->bound.slots[slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS] == VYRE_STATUS_PUBLISHED;
  return &bound->bound;
}

VyreBoundProgram *
vyre_bound_program_ref (VyreBoundProgram *bound)
{
  g_return_val_if_fail (bound, NULL);
  g_atomic_ref_count_inc (&((Bound *)bound)->refs);
  return bound;
}

void
vyre_bound_program_unref (VyreBoundProgram *bound)
{
  Bound *self = (Bound *)bound;

  if (!bound || !g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (bound->slots);
  g_free (bound->results);
  vyre_decisions_free (bound);
  vyre_program_unref (self->program);
  g_free (self);
}

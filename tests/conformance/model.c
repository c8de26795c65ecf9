/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model.h"

#include <string.h>

#define DONE VYRE_STATUS_DONE
#define FAULT VYRE_STATUS_FAULT

/* The reference skips urgent slots from this starvation on. */
#define STARVED 16

/* It runs at most so many operations of a packed slot, and one only where three
 * argument words are left. */
#define REFERENCE_INNER_OPS 4

typedef struct {
  guint32 opcode;
  guint32 args[VYRE_SLOT_MAX_ARGS];
} ModelOp;

void
model_load (Model *model, const void *const data[VYRE_N_PARTS], const gsize size[VYRE_N_PARTS])
{
  *model = (Model){ 0 };
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    model->n_words[part] = size[part] / 4;
    model->words[part] = g_memdup2 (data[part], size[part]);
  }
}

void
model_clear (Model *model)
{
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    g_free (model->words[part]);
}

static void
note (Model *model, guint rule)
{
  model->rules |= 1u << rule;
}

static guint32 *
control (Model *model, guint32 word)
{
  return word < model->n_words[VYRE_PART_CONTROL] ? &model->words[VYRE_PART_CONTROL][word] : NULL;
}

static guint32 *
slot_words (Model *model, guint slot)
{
  return &model->words[VYRE_PART_RING][slot * VYRE_SLOT_WORDS];
}

static guint
n_slots (const Model *model)
{
  return (guint)(model->n_words[VYRE_PART_RING] / VYRE_SLOT_WORDS);
}

static gboolean
is_authorised (Model *model, guint32 tenant)
{
  guint32 at = *control (model, VYRE_CONTROL_TENANT_BASE) + tenant;
  guint32 *mask = control (model, at);

  if (at >= VYRE_CONTROL_TENANT_MASKS && at < VYRE_CONTROL_TENANT_MASKS_END)
    return *mask != 0;
  if (mask && *mask != 0)
    note (model, 4);
  return FALSE;
}

static gboolean
fault (Model *model)
{
  note (model, 1);
  return FALSE;
}

static gboolean
run_memcpy (Model *model, const guint32 *args)
{
  guint64 end = model->n_words[VYRE_PART_CONTROL];

  if (args[2] > 0 && ((guint64)args[0] + args[2] > end || (guint64)args[1] + args[2] > end))
    return fault (model);
  for (guint32 i = 0; i < args[2]; i++)
    *control (model, args[1] + i) = *control (model, args[0] + i);
  return TRUE;
}

static gboolean
run_printf (Model *model, const guint32 *args, guint slot)
{
  guint32 *log = model->words[VYRE_PART_DEBUG_LOG];
  guint32 cursor = log[0];

  if (cursor > VYRE_DEBUG_WORDS - 1 - VYRE_DEBUG_RECORD_WORDS) {
    note (model, 5);
    return TRUE;
  }
  memcpy (&log[1 + cursor], args, 3 * sizeof (guint32));
  log[1 + cursor + 3] = slot * VYRE_SLOT_WORDS;
  log[0] += VYRE_DEBUG_RECORD_WORDS;
  return TRUE;
}

static gboolean
store (Model *model, guint32 word, guint32 value)
{
  if (!control (model, word))
    return fault (model);
  *control (model, word) = value;
  return TRUE;
}

static gboolean
add (Model *model, guint32 word, guint32 value)
{
  if (!control (model, word))
    return fault (model);
  *control (model, word) += value;
  return TRUE;
}

static gboolean
compare_swap (Model *model, const guint32 *args)
{
  guint32 *target = control (model, args[0]);
  guint32 *result = control (model, VYRE_CONTROL_OBSERVABLES + args[0]);

  if (!target || !result)
    return fault (model);
  guint32 before = *target;
  if (before == args[1])
    *target = args[2];
  *result = before;
  return TRUE;
}

/* The handlers of the reference's cases. */
static gboolean
run_handler (Model *model, const ModelOp *op)
{
  const guint32 *args = op->args;

  if (model->handlers && op->opcode == 0x40000001)
    return store (model, args[1], args[0] * 3 + args[2]);
  if (model->handlers && op->opcode == 9)
    return add (model, args[1], args[0] ^ args[2]);
  return fault (model);
}

static gboolean
run_op (Model *model, const ModelOp *op, guint slot)
{
  const guint32 *args = op->args;

  if (op->opcode < VYRE_CONTROL_METRICS_COUNT)
    *control (model, VYRE_CONTROL_METRICS + op->opcode) += 1;
  switch (op->opcode) {
    case VYRE_OP_NOP:
      return TRUE;
    case VYRE_OP_STORE_U32:
      return store (model, args[1], args[0]);
    case VYRE_OP_ATOMIC_ADD:
      if (model->handlers)
        note (model, 13); /* the reference runs a handler for it as well */
      return add (model, args[1], args[0]);
    case VYRE_OP_LOAD_U32:
      if (!control (model, args[0]) || !control (model, VYRE_CONTROL_OBSERVABLES + args[1]))
        return fault (model);
      return store (model, VYRE_CONTROL_OBSERVABLES + args[1], *control (model, args[0]));
    case VYRE_OP_COMPARE_SWAP:
      return compare_swap (model, args);
    case VYRE_OP_MEMCPY:
      return run_memcpy (model, args);
    case VYRE_OP_BATCH_FENCE:
      if (!control (model, VYRE_CONTROL_OBSERVABLES))
        return fault (model);
      *control (model, VYRE_CONTROL_EPOCH) += 1;
      return store (model, VYRE_CONTROL_OBSERVABLES, args[1]);
    case VYRE_OP_PRINTF:
      return run_printf (model, args, slot);
    case VYRE_OP_SHUTDOWN:
      return store (model, VYRE_CONTROL_SHUTDOWN, 1);
    default:
      return run_handler (model, op);
  }
}

/* The operations of a slot: itself, or those packed in it. */
static guint
unpack (Model *model, guint slot, ModelOp ops[32], gboolean *readable)
{
  const guint32 *words = slot_words (model, slot);
  const guint32 *args = words + VYRE_SLOT_ARGS;
  const guint8 *bytes = (const guint8 *)args;
  guint n = bytes[0], metadata = (2 + 2 * n + 3) / 4;

  *readable = TRUE;
  if (words[VYRE_SLOT_OPCODE] != VYRE_OP_PACKED_SLOT) {
    ops[0].opcode = words[VYRE_SLOT_OPCODE];
    memcpy (ops[0].args, args, sizeof ops[0].args);
    return 1;
  }
  *readable = 2 + 2 * n <= 4 * VYRE_SLOT_MAX_ARGS;
  if (!*readable) {
    fault (model);
    return 0;
  }
  for (guint i = 0; i < n; i++) {
    guint first = bytes[3 + 2 * i], end = i + 1 < n ? bytes[5 + 2 * i] : bytes[1];
    ops[i] = (ModelOp){ .opcode = bytes[2 + 2 * i] };
    for (guint a = 0; a < 3; a++) {
      if (first + a < end && metadata + first + a < VYRE_SLOT_MAX_ARGS)
        ops[i].args[a] = args[metadata + first + a];
    }
    if (n > REFERENCE_INNER_OPS || end < first + 3 || metadata + first + 3 > VYRE_SLOT_MAX_ARGS)
      note (model, 3);
  }
  return n;
}

static gboolean
is_fence (Model *model, guint slot)
{
  gboolean readable, fence = FALSE;
  ModelOp ops[32];
  guint rules = model->rules;
  guint n = unpack (model, slot, ops, &readable);

  for (guint i = 0; i < n; i++)
    fence |= ops[i].opcode == VYRE_OP_BATCH_FENCE;
  model->rules = rules;
  return fence;
}

/* Asks the host; without a free io slot it stays as it was. */
static guint32
load_miss (Model *model, guint slot)
{
  guint32 *io = model->words[VYRE_PART_IO_QUEUE];

  note (model, 6);
  for (guint i = 0; i < VYRE_IO_SLOTS; i++, io += VYRE_IO_SLOT_WORDS) {
    if (io[VYRE_IO_SLOT_STATUS] != VYRE_STATUS_EMPTY)
      continue;
    guint32 handle = slot_words (model, slot)[VYRE_SLOT_ARGS];
    memcpy (io,
        (guint32[VYRE_IO_SLOT_WORDS]){
            VYRE_IO_OP_READ, handle, 0, 0, 0, 0, VYRE_STATUS_PUBLISHED, slot },
        4 * VYRE_IO_SLOT_WORDS);
    return VYRE_STATUS_WAIT_IO;
  }
  return VYRE_STATUS_PUBLISHED;
}

static void
end_slot (Model *model, guint slot, guint32 status)
{
  slot_words (model, slot)[VYRE_SLOT_STATUS] = status;
  if (status == DONE || status == FAULT)
    *control (model, VYRE_CONTROL_DONE_COUNT) += 1;
}

/* Runs operation INDEX of a slot, or all of them; whether it was the last. */
static gboolean
run_part (Model *model, guint slot, guint index, gboolean *fine)
{
  ModelOp ops[32];
  gboolean readable;
  guint n = unpack (model, slot, ops, &readable);

  *fine = *fine && readable;
  if (index < n)
    *fine = run_op (model, &ops[index], slot) && *fine;
  return index + 1 >= n;
}

static void
run_slot (Model *model, guint slot)
{
  gboolean fine = TRUE;

  if (slot_words (model, slot)[VYRE_SLOT_OPCODE] == VYRE_OP_LOAD_MISS) {
    end_slot (model, slot, load_miss (model, slot));
    return;
  }
  for (guint i = 0; !run_part (model, slot, i, &fine); i++)
    ;
  end_slot (model, slot, fine ? DONE : FAULT);
}

static gboolean
may_run (Model *model, guint slot)
{
  const guint32 *words = slot_words (model, slot);

  return words[VYRE_SLOT_STATUS] == VYRE_STATUS_PUBLISHED
         && is_authorised (model, words[VYRE_SLOT_TENANT]);
}

static void
run_fences (Model *model)
{
  for (guint slot = 0; slot < n_slots (model); slot++) {
    if (is_fence (model, slot) && may_run (model, slot)) {
      note (model, 2);
      run_slot (model, slot);
    }
  }
}

/* As lanes do that started at the same time. */
static void
run_in_step (Model *model, const guint *slots, guint n)
{
  g_autofree gboolean *fine = g_new (gboolean, n);

  for (guint i = 0; i < n; i++)
    fine[i] = slot_words (model, slots[i])[VYRE_SLOT_OPCODE] != VYRE_OP_LOAD_MISS;
  for (guint op = 0; op < 32; op++) {
    for (guint i = 0; i < n; i++) {
      guint32 opcode = slot_words (model, slots[i])[VYRE_SLOT_OPCODE];
      if (opcode != VYRE_OP_LOAD_MISS)
        run_part (model, slots[i], op, &fine[i]);
    }
  }
  for (guint i = 0; i < n; i++) {
    if (slot_words (model, slots[i])[VYRE_SLOT_OPCODE] == VYRE_OP_LOAD_MISS)
      end_slot (model, slots[i], load_miss (model, slots[i]));
    else
      end_slot (model, slots[i], fine[i] ? DONE : FAULT);
  }
}

/* What is shut down when it starts runs nothing. */
void
model_run_slots (Model *model, const ModelOrder *order)
{
  guint n = n_slots (model), n_ready = 0;
  g_autofree guint *ready = g_new (guint, n);

  if (*control (model, VYRE_CONTROL_SHUTDOWN) != 0)
    return;
  for (guint i = 0; i < n; i++) {
    guint slot = order->slots[i];
    if (is_fence (model, slot) || !may_run (model, slot))
      continue;
    if (order->in_step)
      ready[n_ready++] = slot;
    else
      run_slot (model, slot);
  }
  run_in_step (model, ready, n_ready);
  run_fences (model);
}

static gboolean
is_schedulable (Model *model, guint slot)
{
  guint32 status = slot_words (model, slot)[VYRE_SLOT_STATUS];

  return status == VYRE_STATUS_PUBLISHED || status == VYRE_STATUS_YIELD
         || status == VYRE_STATUS_REQUEUE;
}

static gboolean
may_spend (Model *model, guint32 tenant)
{
  guint32 *spent = control (model, VYRE_CONTROL_FAIRNESS + tenant % VYRE_CONTROL_FAIRNESS_COUNT);

  if (*spent >= *control (model, VYRE_CONTROL_QUOTAS + tenant)) {
    note (model, 7);
    return FALSE;
  }
  *spent += 1;
  return TRUE;
}

static gboolean
run_worker (Model *model, guint worker, guint level)
{
  const guint32 *offsets = control (model, VYRE_CONTROL_PRIORITY_OFFSETS);
  guint32 slot = offsets[level] + worker;

  if (worker >= offsets[level + 1] - offsets[level] || slot < offsets[level]
      || slot >= n_slots (model) || is_fence (model, slot) || !is_schedulable (model, slot))
    return FALSE;
  guint32 tenant = slot_words (model, slot)[VYRE_SLOT_TENANT];
  if (!is_authorised (model, tenant) || !may_spend (model, tenant))
    return FALSE;
  *control (model, VYRE_CONTROL_PRIORITY_FAIRNESS + level) += 1;
  guint32 *starvation = control (model, VYRE_CONTROL_STARVATION);
  *starvation = level < VYRE_PRIORITY_NORMAL ? *starvation + 1 : 0;
  run_slot (model, slot);
  return TRUE;
}

static gboolean
run_pass (Model *model, guint first_level, const ModelOrder *order)
{
  guint n = n_slots (model);
  g_autofree gboolean *served = g_new0 (gboolean, n);
  gboolean any = FALSE;

  for (guint level = first_level; level < VYRE_PRIORITY_LEVELS; level++) {
    for (guint i = 0; i < n; i++) {
      guint worker = order->slots[i];
      if (!served[worker])
        any |= served[worker] = run_worker (model, worker, level);
    }
  }
  return any;
}

void
model_run_passes (Model *model, guint max_passes, const ModelOrder *order)
{
  gboolean any = TRUE;

  if (*control (model, VYRE_CONTROL_SHUTDOWN) != 0)
    return;
  for (guint pass = 0; any && pass < max_passes; pass++) {
    gboolean starved = *control (model, VYRE_CONTROL_STARVATION) >= STARVED;
    if (*control (model, VYRE_CONTROL_SHUTDOWN) != 0)
      break;
    any = run_pass (model, starved ? VYRE_PRIORITY_NORMAL : VYRE_PRIORITY_CRITICAL, order);
    if (!any && starved) {
      any = run_pass (model, VYRE_PRIORITY_CRITICAL, order);
      if (any)
        note (model, 7);
    }
  }
  run_fences (model);
}

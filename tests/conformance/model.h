/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A model of what docs/abi.md says a batch does, one slot after the other, and
 * which of its rules made the result another than the reference's.
 */
#pragma once

#include "vyre/vyre.h"

typedef struct {
  guint32 *words[VYRE_N_PARTS];
  gsize n_words[VYRE_N_PARTS];
  gboolean handlers; /* those of the reference's cases are registered */
  guint rules;       /* bit n: rule n made a difference */
} Model;

/* The order in which a model runs the slots of a batch: one after the other, or the
 * first operations of all, then the second ones, as lanes do. */
typedef struct {
  const guint *slots; /* all of them, permuted */
  gboolean in_step;
} ModelOrder;

void model_load (
    Model *model, const void *const data[VYRE_N_PARTS], const gsize size[VYRE_N_PARTS]);
void model_clear (Model *model);
void model_run_slots (Model *model, const ModelOrder *order);
void model_run_passes (Model *model, guint max_passes, const ModelOrder *order);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the fuzz targets share: an input is a stream of small choices that never runs
 * dry (behind its end everything is 0), buffers lie at any alignment with nothing
 * behind them that could be read unnoticed, and every refusal has to be a good one.
 */
#pragma once

#include <string.h>

#include <glib.h>

#include "vyre/parts.h"
#include "plan/plan-private.h"

typedef struct {
  const guint8 *at;
  gsize left;
} FuzzInput;

typedef struct {
  guint8 *data;
  gsize size;
  guint8 *allocated;
} FuzzBuffer;

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

guint fuzz_byte (FuzzInput *input);
guint fuzz_choose (FuzzInput *input, guint n);
guint32 fuzz_word (FuzzInput *input);
guint32 fuzz_number (FuzzInput *input);
void fuzz_numbers (FuzzInput *input, guint32 *words, guint n);
void fuzz_slot (FuzzInput *input, guint32 *words);

void fuzz_check_runs (const VyrePlan *plan);

FuzzBuffer fuzz_buffer_new (FuzzInput *input, gsize size);
FuzzBuffer fuzz_buffer_copy (const FuzzBuffer *buffer);
void fuzz_buffer_fill (FuzzBuffer *buffer, FuzzInput *input);
void fuzz_buffer_clear (FuzzBuffer *buffer);

gboolean fuzz_check (gboolean ok, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FuzzBuffer, fuzz_buffer_clear)

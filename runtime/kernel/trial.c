/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/trial.h"

/* A batch of many tickets. */
#define LARGE_BYTES (256 * 1024)

gboolean
vyre_trial_init (VyreTrial *trial, VyreMegakernel *kernel, const char *text, gsize size,
    guint n_observables, GError **error)
{
  g_autoptr (VyreProgram) program = vyre_program_assemble (text, error);
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();

  *trial = (VyreTrial){ .size = size };
  if (!program)
    return FALSE;
  g_autoptr (VyreBoundProgram) bound
      = vyre_program_bind (program, symbols, size, 0, n_observables, error);
  if (!bound)
    return FALSE;
  trial->plan = vyre_plan_new (bound, size, kernel->pipeline.workgroup, NULL, error);
  for (; trial->plan && trial->size > 0 && trial->n_payloads < VYRE_TRIAL_BURST;
       trial->n_payloads++) {
    if (!vyre_store_alloc (kernel->staging, size, 0, &trial->payloads[trial->n_payloads].offset)) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
          "The staging memory has no room for a proof of %u times %" G_GSIZE_FORMAT
          " bytes. Fix: use more.",
          VYRE_TRIAL_BURST, size);
      return FALSE;
    }
  }
  return trial->plan != NULL;
}

void
vyre_trial_clear (VyreTrial *trial, VyreMegakernel *kernel)
{
  for (guint i = 0; i < trial->n_payloads; i++)
    vyre_store_free (kernel->staging, trial->payloads[i].offset);
  g_clear_pointer (&trial->plan, vyre_plan_unref);
}

/* The size of a batch of many tickets, as far as there is staging memory. */
gsize
vyre_trial_large_size (const VyreMegakernel *kernel)
{
  return MIN (LARGE_BYTES, vyre_store_get_size (kernel->staging) / VYRE_TRIAL_BURST) & ~(gsize)4095;
}

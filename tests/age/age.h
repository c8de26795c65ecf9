/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ages a kernel: every counter that wraps is about to wrap. With VYRE_TEST_AGE set, unit tests age
 * each kernel that they open, and a library that is loaded ahead of the plugin ages the kernels of
 * elements.
 */
#pragma once

#include "kernel/import-private.h"
#include "kernel/types.h"

/* Steps before the wrap: fewer than any test takes. */
#define AGE_BEFORE_WRAP 3u

/* Launches that ended by themselves since the last one was told to leave. With one more, the next
 * launch would look as if it had been told. */
#define AGE_UNRETIRED 0x7FFFFFFDu

static inline void
age_launches (VyreMegakernel *kernel)
{
  guint32 *door = (guint32 *)kernel->door.data + VYRE_DOOR_RETIRE * VYRE_GRANULE / 4;
  guint32 *answer = (guint32 *)kernel->answer.data;

  kernel->launch_sequence = 0u - AGE_BEFORE_WRAP;
  kernel->retired = kernel->launch_sequence - AGE_UNRETIRED;
  *door = kernel->retired;
  kernel->expected_exits = answer[VYRE_ANSWER_EXITS] = 0u - 1;
  kernel->dropped = answer[VYRE_ANSWER_DROPPED] = 0u - 1;
  answer[VYRE_ANSWER_IDLE_POLLS] = 0u - 1;
}

/* Renumbers the tickets, and the marks that each place of the ring keeps of its last ticket. */
static inline void
age_tickets (VyreMegakernel *kernel)
{
  guint32 *state = (guint32 *)kernel->state.data;
  guint32 *ring = (guint32 *)kernel->door.data + VYRE_DOOR_TICKETS * VYRE_GRANULE / 4;
  guint32 tail = 0u - AGE_BEFORE_WRAP, older = tail - kernel->tail;

  kernel->tail = kernel->ticket_limit = tail;
  state[VYRE_STATE_HEAD] += older;
  state[VYRE_STATE_FIRST] += older;
  for (guint32 i = 0; i < state[VYRE_STATE_N_HELD]; i++)
    state[VYRE_STATE_HELD + i] += older;
  for (guint32 number = tail - VYRE_MAX_TICKETS; number != tail; number++) {
    guint32 *line = ring + (gsize)(number % VYRE_MAX_TICKETS) * VYRE_TICKET_BYTES / 4;
    for (guint quarter = 0; quarter < VYRE_TICKET_GRANULES; quarter++)
      line[4 * quarter] = VYRE_TICKET_MARK (number);
  }
}

static inline void
age_kernel (VyreMegakernel *kernel)
{
  if (!g_getenv ("VYRE_TEST_AGE"))
    return;
  g_mutex_lock (&kernel->lock);
  while (kernel->pipeline.n_flying > 0) { /* it was told to leave */
    g_mutex_unlock (&kernel->lock);
    g_thread_yield ();
    g_mutex_lock (&kernel->lock);
  }
  age_launches (kernel);
  age_tickets (kernel);
  for (guint i = 0; i < VYRE_MAX_BATCHES; i++)
    kernel->sequences[i] = 0u - AGE_BEFORE_WRAP;
  kernel->n_templates = 0u - 1;
  kernel->imports->last_number = VYRE_MAX_SOURCES - 1;
  __sync_synchronize ();
  g_mutex_unlock (&kernel->lock);
}

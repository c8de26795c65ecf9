/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams of payloads that tell their number, for plans that read older payloads.
 */
#pragma once

#include "kernel-common.h"
#include "kernel/types.h"

#define MOST_IN_FLIGHT 64
#define BATCHES 130
#define MOST_BYTES 8192

typedef struct {
  TestKernel t;
  VyreLane *lane;
  VyreStream *stream;
  VyrePlan *plans[2];                    /* for payloads of MOST_BYTES and half of it */
  gsize copy_threshold, train_threshold; /* the kernel's own */
} Stream;

/* Two of three payloads have the size of the one before. */
static inline guint
kind_of (guint number)
{
  return number % 6 >= 3;
}

static inline gsize
size_of (guint number)
{
  return MOST_BYTES >> kind_of (number);
}

static inline void
fill (guint8 *data, guint number)
{
  for (gsize i = 0; i < size_of (number); i++)
    data[i] = (guint8)(number * 131 + i * (2 * number + 1) + (i >> 5));
}

/* Drivers take tenths of a second for a kernel, so all streams share one. */
static TestKernel shared;

/* Whether batches have an early run on any device, however few its tickets. */
static gboolean runs_early;

/* The tickets of a plan that need nothing of the batch before. */
static inline guint
count_early_tickets (const VyrePlan *plan)
{
  guint n = 0;

  for (guint i = 0; i < plan->tickets->len; i++) {
    const guint32 *words = g_array_index (plan->tickets, VyreTicket, i).words;
    n += words[VYRE_TICKET_KIND] == VYRE_KIND_TILE
         && (words[VYRE_TICKET_PAYLOAD] & VYRE_TILE_EARLY) != 0;
  }
  return n;
}

static inline guint64
count_early_runs (void)
{
  g_mutex_lock (&shared.kernel->lock);
  guint64 n = shared.kernel->n_early;
  g_mutex_unlock (&shared.kernel->lock);
  return n;
}

static inline void
stream_open (Stream *s, const char *text)
{
  VyreMegakernelParams params = test_params ();

  if (!shared.kernel)
    test_kernel_open (&shared, &params);
  s->t = shared;
  s->copy_threshold = shared.kernel->copy_threshold;
  s->train_threshold = shared.kernel->train_threshold;
  s->lane = vyre_lane_new (s->t.kernel);
  s->stream = vyre_stream_new (s->lane, NULL, 0);
  for (guint i = 0; i < G_N_ELEMENTS (s->plans); i++) {
    s->plans[i] = test_plan (&s->t, text, MOST_BYTES >> i, 0, 0);
    g_assert_true (vyre_plan_get_older (s->plans[i]) != 0);
    if (runs_early)
      s->plans[i]->early_tickets = count_early_tickets (s->plans[i]);
  }
}

static inline void
stream_restart (Stream *s)
{
  vyre_stream_unref (s->stream);
  s->stream = vyre_stream_new (s->lane, NULL, 0);
}

/* Waits until no payload is kept: batches that were freed may still run. */
static inline void
wait_for_memory (Stream *s)
{
  VyreStore *staging = vyre_megakernel_get_staging (s->t.kernel);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;

  while (vyre_store_get_used (staging) > 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    test_counters (&s->t); /* collects completions */
    g_thread_yield ();
  }
}

static inline void
stream_close (Stream *s)
{
  vyre_stream_unref (s->stream);
  vyre_lane_unref (s->lane);
  for (guint i = 0; i < G_N_ELEMENTS (s->plans); i++)
    vyre_plan_unref (s->plans[i]);
  wait_for_memory (s);
  s->t.kernel->copy_threshold = s->copy_threshold;
  s->t.kernel->train_threshold = s->train_threshold;
}

static inline VyrePayload
stage (Stream *s, guint number)
{
  guint8 data[MOST_BYTES];
  gsize slice;

  fill (data, number);
  VyrePayload payload = test_stage (&s->t, data, size_of (number), 0, &slice);
  return payload;
}

/* A payload and what frees it: the library says when. */
typedef struct {
  VyreStore *store;
  gsize offset;
} Slice;

static inline void
slice_free (gpointer data)
{
  Slice *slice = data;

  /* no later payload may come to lie where one is still read */
  memset (vyre_store_get_data (slice->store) + slice->offset, 0x55, 64);
  vyre_store_free (slice->store, slice->offset);
  g_free (slice);
}

static inline VyrePayload
stage_owned (Stream *s, guint number)
{
  VyrePayload payload = stage (s, number);
  Slice *slice = g_new (Slice, 1);

  *slice = (Slice){ vyre_megakernel_get_staging (s->t.kernel), payload.offset };
  payload.release = slice_free;
  payload.owner = slice;
  return payload;
}

static inline VyreBatch *
stream_publish (Stream *s, guint number)
{
  VyrePayload payload = stage_owned (s, number);
  GError *error = NULL;
  VyreBatch *batch = vyre_stream_publish (s->stream, s->plans[kind_of (number)], number, &payload,
      g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);

  g_assert_no_error (error);
  return batch;
}

static inline guint32
observable (VyreBatch *batch, guint index)
{
  return vyre_read_word (vyre_batch_get_readback (batch), VYRE_CONTROL_OBSERVABLES + index);
}

/* The difference of @n bytes: of the payload from @a on, and the previous one from @b on. */
static inline void
check_difference (
    VyreBatch *batch, guint index, const guint8 *a, const guint8 *b, guint n, guint limit)
{
  guint32 sum = 0, above = 0;

  for (guint i = 0; i < n; i++) {
    guint apart = (guint)ABS (a[i] - b[i]);
    sum += apart;
    above += apart > limit;
  }
  g_assert_cmpuint (observable (batch, index), ==, n);
  g_assert_cmpuint (observable (batch, index + VYRE_U8_STATS_SUM), ==, sum);
  g_assert_cmpuint (observable (batch, index + VYRE_DIFFERENCE_ABOVE), ==, above);
}

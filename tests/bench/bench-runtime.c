/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a batch costs in every residency that works here, side by side in one
 * run: publish to result with one batch in flight, and batches and bytes per
 * second with eight. The peer is dispatch: the same shader, one queue submission
 * per batch. The limit for bytes is a memcpy of the same size.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel-common.h"

#define DEPTH 8

typedef struct {
  const char *name;
  const char *program;
  gsize size;
  guint n;
} Row;

static const Row rows[] = {
  { "nop slot", "nop", 0, 4000 },
  { "u8_stats 4 KiB", "u8_stats payload -> s", 4096, 4000 },
  { "crc32 4 KiB", "crc32 payload -> c", 4096, 4000 },
  { "u8_stats 64 KiB", "u8_stats payload -> s", 65536, 1000 },
  { "u8_stats 1 MiB", "u8_stats payload -> s", 1 << 20, 200 },
  { "u8_stats 8 MiB", "u8_stats payload -> s", 8 << 20, 40 },
  { "crc32 8 MiB", "crc32 payload -> c", 8 << 20, 20 },
};

static int
compare (const void *a, const void *b)
{
  const guint64 *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

static double
memcpy_rate (gsize size)
{
  g_autofree guint8 *from = g_malloc0 (size + 1), *to = g_malloc0 (size + 1);
  gint64 start = g_get_monotonic_time ();
  guint64 copied = 0;

  while (g_get_monotonic_time () - start < 50000) {
    memcpy (to, from, size);
    copied += size;
    from[copied % MAX (size, 1)]++;
  }
  return (double)copied / (double)(g_get_monotonic_time () - start) / 1000;
}

/* Eight batches in flight from one thread; microseconds per batch. */
static double
run_pipelined (TestKernel *t, VyrePlan *plan, const VyrePayload *payload, guint n)
{
  VyreBatch *flight[DEPTH] = { 0 };
  gint64 start = g_get_monotonic_time (), end = start + 60 * G_TIME_SPAN_SECOND;
  GError *error = NULL;

  for (guint i = 0; i < n + DEPTH; i++) {
    if (flight[i % DEPTH]) {
      vyre_batch_wait (flight[i % DEPTH], end, &error);
      g_assert_no_error (error);
      g_clear_pointer (&flight[i % DEPTH], vyre_batch_free);
    }
    if (i < n)
      flight[i % DEPTH] = vyre_megakernel_publish (t->kernel, plan, i, payload, end, &error);
    g_assert_no_error (error);
  }
  return (double)(g_get_monotonic_time () - start) / n;
}

static double
run_row (TestKernel *t, const Row *row, const char *residency, double peer)
{
  g_autoptr (VyrePlan) plan = test_plan (t, row->program, row->size, 0, 0);
  g_autofree guint64 *latency = g_new (guint64, row->n);
  g_autofree guint8 *data = g_malloc0 (row->size + 1);
  VyreMegakernelCounters before, after;
  gsize slice;

  VyrePayload payload = test_stage (t, data, row->size, 0, &slice);
  vyre_megakernel_get_counters (t->kernel, &before);
  for (guint i = 0; i < row->n; i++) {
    VyreBatch *batch = test_run (t, plan, i, &payload);
    g_assert_cmpuint (test_observable (batch, 0), ==, i); /* this batch, not the last one */
    g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, row->size);
    latency[i] = vyre_batch_get_completion (batch)->latency;
    vyre_batch_free (batch);
  }
  vyre_megakernel_get_counters (t->kernel, &after);
  qsort (latency, row->n, sizeof *latency, compare);
  double pipelined = run_pipelined (t, plan, &payload, row->n);
  double p50 = (double)latency[row->n / 2] / 1000;
  printf ("%-16s %-10s %9.1f %9.1f %8.2f %9.0f %8.2f %8.2f %8.4f\n", row->name, residency, p50,
      (double)latency[row->n * 99 / 100] / 1000, peer > 0 ? p50 / peer : 1.0, 1e6 / pipelined,
      (double)row->size / pipelined / 1000, row->size ? memcpy_rate (row->size) : 0.0,
      (double)(after.launches - before.launches) / row->n);
  vyre_store_free (vyre_megakernel_get_staging (t->kernel), slice);
  return p50;
}

int
main (int argc, char **argv)
{
  static const VyreResidency order[]
      = { VYRE_RESIDENCY_DISPATCH, VYRE_RESIDENCY_RELAY, VYRE_RESIDENCY_PERSISTENT };
  double peers[G_N_ELEMENTS (rows)] = { 0 };
  GError *error = NULL;
  TestKernel t;

  g_test_init (&argc, &argv, NULL);
  t.device = vyre_device_open ("auto", &error);
  if (!t.device) {
    printf ("%s\n", error->message);
    return 1;
  }
  printf ("%s\n%-16s %-10s %9s %9s %8s %9s %8s %8s %8s\n", vyre_device_get_name (t.device), "batch",
      "residency", "p50 µs", "p99 µs", "/peer", "batch/s", "GB/s", "memcpy", "launches");
  for (guint r = 0; r < G_N_ELEMENTS (order); r++) {
    VyreMegakernelParams params = test_params ();
    params.residency = order[r];
    params.idle_timeout = 1000 * 1000 * 1000;
    t.kernel = vyre_megakernel_new (t.device, &params, &error);
    if (!t.kernel) {
      printf ("%s: %s\n", vyre_residency_name (order[r]), error->message);
      g_clear_error (&error);
      continue;
    }
    vyre_megakernel_set_active (t.kernel, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
      double p50 = run_row (&t, &rows[i], vyre_residency_name (order[r]), peers[i]);
      peers[i] = r == 0 ? p50 : peers[i];
    }
    vyre_megakernel_set_active (t.kernel, FALSE);
    vyre_megakernel_unref (t.kernel);
  }
  vyre_device_unref (t.device);
  return 0;
}

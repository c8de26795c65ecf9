/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row element: what vyrefilter costs per buffer in a pipeline, beside identity in
 * the same place.
 */
#include "bench.h"
#include "pipe.h"
#include "payload.h"

#define SIZE 4096
#define POOL 64
#define LIST 32

/* What may wait in front of the element: it must never run dry. */
#define QUEUED (8 * LIST * SIZE)

typedef struct {
  const char *name;
  guint in_flight; /* 0: identity */
  gboolean lent;
} Variant;

static const Variant variants[] = {
  { "identity", 0, FALSE },
  { "1 in flight", 1, FALSE },
  { "4 in flight", 4, FALSE },
  { "16 in flight", 16, FALSE },
  { "64 in flight", 64, FALSE },
  { "16 in flight, proposed memory", 16, TRUE },
};

typedef struct {
  guint8 *contents[POOL];
  BenchStats stats[POOL];
  BenchPipe pipes[G_N_ELEMENTS (variants)];
  BenchSeries rate[G_N_ELEMENTS (variants)];
  BenchSeries cpu[G_N_ELEMENTS (variants)];
} Element;

/* The bytes that went in; the buffer around them may be another. */
static gboolean
is_same (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  return gst_buffer_peek_memory (buffer, 0)
         == gst_buffer_peek_memory (pipe->pool[index % pipe->n_pool], 0);
}

static gboolean
open_variant (Bench *bench, BenchCheck *check, Element *element, guint i)
{
  const Variant *variant = &variants[i];
  BenchPipe *pipe = &element->pipes[i];
  g_autofree char *filter = bench_pipe_filter (
      "u8_stats payload -> s", vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *text = g_strdup_printf ("%s max-in-flight=%u", filter, variant->in_flight);

  *pipe = (BenchPipe){ .list = LIST,
    .is_right = variant->in_flight ? bench_pipe_is_stats : is_same,
    .data = element->stats };
  if (!bench_pipe_open (
          pipe, variant->in_flight ? text : "identity", "application/octet-stream", QUEUED, check))
    return FALSE;
  bench_pipe_fill (pipe, element->contents, POOL, SIZE, variant->lent);
  return TRUE;
}

static void
measure (Bench *bench, BenchCheck *check, Element *element)
{
  for (guint round = 0; round < bench->rounds; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (variants) && check->failed == 0; i++) {
      BenchFlow flow = bench_pipe_feed (&element->pipes[i], bench->seconds);
      bench_series_add (&element->rate[i], flow.rate);
      bench_series_add (&element->cpu[i], flow.cpu_us);
    }
  }
}

static void
report (Bench *bench, const Element *element)
{
  for (guint i = 1; i < G_N_ELEMENTS (variants); i++)
    bench_figure_peer (bench_figure (bench, "buffers/s", &element->rate[i], "%s", variants[i].name),
        "identity", &element->rate[0]);
  for (guint i = 1; i < G_N_ELEMENTS (variants); i++)
    bench_figure_peer (
        bench_figure (bench, "CPU µs/buffer", &element->cpu[i], "%s", variants[i].name), "identity",
        &element->cpu[0]);
}

void
bench_row_element (Bench *bench, BenchCheck *check)
{
  g_autofree Element *element = g_new0 (Element, 1);
  gboolean fine = TRUE;

  for (guint i = 0; i < POOL; i++) {
    element->contents[i] = g_malloc (SIZE);
    bench_noise (element->contents[i], SIZE, i, (guint8)i, (guint8)(2 * i));
    element->stats[i] = BENCH_STATS_NONE;
    bench_stats_add (&element->stats[i], element->contents[i], SIZE);
  }
  gst_init (NULL, NULL);
  for (guint i = 0; fine && i < G_N_ELEMENTS (variants); i++)
    fine = open_variant (bench, check, element, i);
  if (fine)
    measure (bench, check, element);
  report (bench, element);
  for (guint i = 0; i < G_N_ELEMENTS (variants); i++)
    bench_pipe_close (&element->pipes[i]);
  for (guint i = 0; i < POOL; i++)
    g_free (element->contents[i]);
}

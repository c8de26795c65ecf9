/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rule that turns measured holding times into a latency to report. A new latency makes every
 * sink of a pipeline jump, so few values exist, and a single slow batch changes nothing.
 */
#include "filter/gstvyreholds.h"

/* The median is taken with every fourth batch. */
#define LOOK 4

/* Shorter times are reported as 0: sinks allow for more by themselves (processing-deadline, 20 ms).
 * */
#define LEAST (5 * GST_MSECOND)

static int
holds_compare (gconstpointer a, gconstpointer b)
{
  GstClockTime first = *(const GstClockTime *)a, second = *(const GstClockTime *)b;

  return (first > second) - (first < second);
}

/* Returns the lower median: half of the batches, such as hiccups and batches that queue up behind
 * them, may take any longer. */
static GstClockTime
holds_find_median (const GstVyreHolds *holds)
{
  guint n = MIN (holds->n, GST_VYRE_HOLDS);
  GstClockTime sorted[GST_VYRE_HOLDS];

  memcpy (sorted, holds->times, sizeof sorted);
  qsort (sorted, n, sizeof *sorted, holds_compare);
  return sorted[(n - 1) / 2];
}

/* Returns 0, or the next of 10 ms, 20 ms, 40 ms … */
static GstClockTime
holds_round_up (GstClockTime time)
{
  GstClockTime step = 2 * LEAST;

  if (time < LEAST)
    return 0;
  while (step < time)
    step *= 2;
  return step;
}

/* Records a batch that was held for @time. Returns the latency to report: it stays @reported until
 * the median is longer than that, or less than a quarter of it. */
GstClockTime
gst_vyre_holds_add (GstVyreHolds *holds, GstClockTime time, GstClockTime reported)
{
  holds->times[holds->n++ % GST_VYRE_HOLDS] = time;
  if (holds->n % LOOK != 0)
    return reported;
  GstClockTime median = holds_find_median (holds);
  return median > reported || median < reported / 4 ? holds_round_up (median) : reported;
}

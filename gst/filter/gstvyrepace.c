/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrepace.h"

/* Bounds of the time that the task takes to wake up, µs: what is shorter is luck, and what is
 * longer is another thread that has the core. */
#define SHORTEST_HANDOVER 30
#define LONGEST_HANDOVER 300

/* A measurement counts for one of so many. */
#define HANDOVER_WEIGHT 8

/* Readbacks that the task pushes after the chain function took too long, and at most, when it does
 * so again and again. */
#define FIRST_PENALTY 4
#define LONGEST_PENALTY 1024

/* The chain function may spend half of the time that lay between its last return and this buffer,
 * and at most so much, in µs: it has nothing else to do in a live stream. */
#define LONGEST_LEISURE 1000

/* A buffer that comes within so many µs of the return from the one before comes right behind it,
 * and so many in a row are a burst. */
#define CLOSE 10
#define BURST 4

void
gst_vyre_pace_init (GstVyrePace *pace)
{
  *pace = (GstVyrePace){ .handover = SHORTEST_HANDOVER };
  gst_vyre_pace_reset (pace);
}

/* A stream begins. Until its first readback has left, all are the task's: a sink may keep the
 * thread that brings it until the pipeline plays. */
void
gst_vyre_pace_reset (GstVyrePace *pace)
{
  pace->n_for_task = 1;
  pace->penalty = FIRST_PENALTY;
}

/* The chain function begins with a buffer. */
void
gst_vyre_pace_note_buffer (GstVyrePace *pace, gint64 now)
{
  gint64 gap = now - pace->left;

  pace->n_close = gap < CLOSE ? MIN (pace->n_close + 1, BURST) : 0;
  pace->leisure = MIN (gap / 2, LONGEST_LEISURE);
}

/* The chain function returns. */
void
gst_vyre_pace_note_return (GstVyrePace *pace, gint64 now)
{
  pace->left = now;
}

/* A readback has left. */
void
gst_vyre_pace_note_done (GstVyrePace *pace)
{
  if (pace->n_for_task > 0)
    pace->n_for_task--;
}

/* The task, which slept, has taken an item @time after it was woken for it, in µs. */
void
gst_vyre_pace_note_handover (GstVyrePace *pace, gint64 time)
{
  gint64 counted = CLAMP (time, SHORTEST_HANDOVER, LONGEST_HANDOVER);

  pace->handover += (counted - pace->handover) / HANDOVER_WEIGHT;
}

/* How long the chain function may spend on a readback, in µs: as long as a hand-over takes, or as
 * it has nothing else to do. */
static gint64
pace_get_bound (const GstVyrePace *pace)
{
  return MAX (pace->handover, pace->leisure);
}

/* The chain function has spent @time, in µs, on a readback. Where that is too long, waking the task
 * costs less. */
void
gst_vyre_pace_note_time (GstVyrePace *pace, gint64 time)
{
  if (time <= pace_get_bound (pace)) {
    pace->penalty = FIRST_PENALTY;
    return;
  }
  pace->n_for_task = pace->penalty;
  pace->penalty = MIN (2 * pace->penalty, LONGEST_PENALTY);
}

/* TRUE if the chain function is to push what is through. */
gboolean
gst_vyre_pace_is_quick (const GstVyrePace *pace)
{
  return pace->n_for_task == 0;
}

/* How long the chain function waits for the batch that it has published, in µs: not at all if
 * another one is @ahead, or in a burst, where it comes back at once. Batches stay in flight then,
 * up to max-in-flight. */
gint64
gst_vyre_pace_get_patience (const GstVyrePace *pace, gboolean ahead)
{
  return ahead || pace->n_close == BURST ? 0 : pace_get_bound (pace);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/readback-marks.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "abi.h"
#include "kernel.h"
#include "base/order.h"

/* Granules looked at before asking whether one of them was a mark. */
#define STRIDE 16

G_STATIC_ASSERT (sizeof (VyreMark) == VYRE_GRANULE);

/* Linux has random bits since 3.17, but a sandbox may refuse them. */
gboolean
vyre_mark_init (VyreMark *mark, GError **error)
{
  if (TEMP_FAILURE_RETRY (getrandom (mark, sizeof *mark, 0)) == sizeof *mark)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_DEVICE,
      "getrandom: %s. Fix: allow it in the seccomp profile.", g_strerror (errno));
  return FALSE;
}

/* Counts the granules that the kernel stores: the first of the readback, and those of the
 * report. */
static gsize
marks_n_stored (const VyrePlan *plan)
{
  return plan->copied_granules + VYRE_SCRATCH_REPORT_WORDS * 4 / VYRE_GRANULE;
}

static gsize
marks_nth_stored (const VyrePlan *plan, gsize n)
{
  return n < plan->copied_granules
             ? n
             : plan->scratch_offset / VYRE_GRANULE + n - plan->copied_granules;
}

/* Before the doorbell rings. Writes marks where the kernel will store, and the initial state
 * everywhere else. */
void
vyre_readback_marks_expect (guint8 *slice, const VyrePlan *plan, const VyreMark *mark)
{
  gsize copied = plan->copied_granules * VYRE_GRANULE;
  VyreMark *granules = (VyreMark *)slice;

  for (gsize i = 0; i < plan->copied_granules; i++)
    granules[i] = *mark;
  for (gsize i = plan->copied_granules; i < marks_n_stored (plan); i++)
    granules[marks_nth_stored (plan, i)] = *mark;
  if (copied < plan->layout.total)
    memcpy (slice + copied, (const guint8 *)plan->slice + copied, plan->layout.total - copied);
}

static gboolean
marks_has_mark (const VyreMark *granules, gsize n, const VyreMark *mark)
{
  gboolean found = FALSE;

  for (gsize i = 0; i < n; i++)
    found |= ((granules[i].half[0] ^ mark->half[0]) | (granules[i].half[1] ^ mark->half[1])) == 0;
  return found;
}

/* TRUE once all that the kernel stores is there. @arrived is how far the last look got, 0 at
 * first. */
gboolean
vyre_readback_marks_is_whole (
    const guint8 *slice, const VyrePlan *plan, const VyreMark *mark, gsize *arrived)
{
  const VyreMark *granules = (const VyreMark *)slice;

  for (; *arrived < plan->copied_granules; *arrived += STRIDE) {
    if (marks_has_mark (granules + *arrived, MIN (STRIDE, plan->copied_granules - *arrived), mark))
      return FALSE;
  }
  gsize report = marks_nth_stored (plan, plan->copied_granules);
  gboolean whole
      = !marks_has_mark (granules + report, marks_n_stored (plan) - plan->copied_granules, mark);
  /* pairs with the stores in copy_out(), megakernel.comp, each of which is seen as a whole; and
   * with the barrier behind them where the device is a CPU */
  vyre_order_loads ();
  return whole;
}

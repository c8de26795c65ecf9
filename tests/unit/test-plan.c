/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Plans of batches that come as bytes: what is refused before a kernel sees it.
 */
#include <glib.h>

#include "vyre-control.h"
#include "vyre-plan.h"

typedef struct {
  guint8 control[4 * VYRE_CONTROL_OBSERVABLES];
  guint32 ring[VYRE_SLOT_WORDS];
  guint8 log[4 * VYRE_DEBUG_WORDS];
  guint8 io[4 * VYRE_IO_WORDS];
} Batch;

/* One slot that reads a region of the payload. */
static VyrePlan *
plan (const VyreRegion *region, gsize payload_size, GError **error)
{
  Batch batch = { .ring = { VYRE_STATUS_PUBLISHED, VYRE_OP_U8_STATS, 0, VYRE_PRIORITY_NORMAL,
                      region->offset, region->width, region->rows, region->stride } };
  VyreParts parts = { .data = { batch.control, batch.ring, batch.log, batch.io },
    .size = { sizeof batch.control, sizeof batch.ring, sizeof batch.log, sizeof batch.io } };

  g_assert_true (vyre_encode_control_into (batch.control, sizeof batch.control, 0, 1, FALSE, NULL));
  return vyre_plan_new_from_parts (&parts, payload_size, 64, error);
}

/* A region of 2^32 bytes, whose length is 0 in the words that a kernel counts with. */
static void
test_payload_limit (void)
{
  static const VyreRegion longest = { 0, G_MAXUINT32, 1, 0 };
  static const VyreRegion longer = { 0, 65536, 65536, 65536 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VyrePlan) fits = plan (&longest, G_MAXUINT32, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (vyre_plan_get_region_bytes (fits), ==, G_MAXUINT32);
  g_assert_null (plan (&longer, (gsize)G_MAXUINT32 + 1, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE);
  g_assert_true (g_str_has_suffix (error->message, "Fix: send smaller buffers."));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/payload-limit", test_payload_limit);
  return g_test_run ();
}

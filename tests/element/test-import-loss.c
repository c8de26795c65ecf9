/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device that is lost while it reads memory of others: its imports go with it, and the
 * next kernel makes its own.
 */
#include "common.h"
#include "lost.h"
#include "oracle.h"

#define CRC "crc32 payload -> crc32"
#define SIZE 200000
#define MEMORIES 3

static GstHarness *
start (void)
{
  GstHarness *h = filter_new_with (CRC, "import-threshold", (guint64)1, "copy-threshold",
      (guint64)4096, "post-messages", 0, NULL);

  filter_start (h, NULL);
  return h;
}

/* New bytes in a memory that is used again. */
static GstBuffer *
fill (GstMemory *memory, guint seed, guint32 *crc)
{
  GstBuffer *buffer = gst_buffer_new ();
  guint8 *data = noise_new (SIZE, seed);

  gst_buffer_append_memory (buffer, gst_memory_ref (memory));
  gst_buffer_fill (buffer, 0, data, SIZE);
  *crc = oracle_crc32 (data, SIZE);
  g_free (data);
  return buffer;
}

static void
run (GstHarness *h, GstMemory **memories, guint seed, guint n)
{
  for (guint i = seed; i < seed + n; i++) {
    guint32 crc;
    GstBuffer *readback = filter_run (h, fill (memories[i % MEMORIES], i, &crc));
    fail_unless_equals_uint64 (readback_observable (readback, 1), crc);
    gst_buffer_unref (readback);
  }
}

/* As many in flight as there are memories, the device lost behind any of them. */
static void
run_into_loss (GstHarness *h, GstMemory **memories, guint after)
{
  guint32 crc[MEMORIES];

  vyre_lost_arm ("vkQueueSubmit", after, 1);
  for (guint i = 0; i < MEMORIES; i++)
    filter_push (h, fill (memories[i], 100 + i, &crc[i]));
  for (guint i = 0; i < MEMORIES; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_uint64 (readback_observable (readback, 1), crc[i]);
    gst_buffer_unref (readback);
  }
}

GST_START_TEST (imports_go_with_the_device)
{
  GstHarness *h = start ();
  GstMemory *memories[MEMORIES];

  for (guint i = 0; i < MEMORIES; i++)
    memories[i] = gst_allocator_alloc (NULL, SIZE, NULL);
  if (stat_of (h->element, "import-threshold") != G_MAXUINT64) {
    run (h, memories, 0, 9);
    fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "imports"), MEMORIES);
    run_into_loss (h, memories, 1 + __i__);
    fail_unless_equals_uint64 (stat_of (h->element, "device-losses"), 1);
    run (h, memories, 20, 9);
    fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "imports"), 2 * MEMORIES);
    fail_unless_equals_uint64 (stat_of (h->element, "cpu-bounce-bytes"), 0);
  }
  gst_memory_unref (memories[0]);
  filter_finish (h);
  for (guint i = 1; i < MEMORIES; i++) /* when both kernels are gone */
    gst_memory_unref (memories[i]);
}
GST_END_TEST;

typedef struct {
  GstHarness *h;
  GstMemory *memory;
  guint32 crc;
} Push;

static gpointer
push_held (gpointer data)
{
  Push *push = data;

  filter_push (push->h, fill (push->memory, 1, &push->crc));
  return NULL;
}

/* While a driver imports one memory for one element, others import theirs. */
GST_START_TEST (imports_are_made_side_by_side)
{
  GstHarness *other = start ();
  GstMemory *memories[2];
  Push push = { .h = start () };

  for (guint i = 0; i < 2; i++)
    memories[i] = gst_allocator_alloc (NULL, SIZE, NULL);
  push.memory = memories[1];
  if (stat_of (other->element, "import-threshold") != G_MAXUINT64) {
    vyre_lost_hold_import (true);
    GThread *thread = g_thread_new ("push", push_held, &push);
    vyre_lost_wait_import_held ();
    run (other, memories, 0, 1);
    fail_unless_equals_uint64 (stat_nested (other->element, "ingest", "imports"), 1);
    vyre_lost_hold_import (false);
    g_thread_join (thread);
    GstBuffer *readback = filter_pull (push.h);
    fail_unless_equals_uint64 (readback_observable (readback, 1), push.crc);
    gst_buffer_unref (readback);
    run (other, memories + 1, 0, 1); /* which this kernel has already, if it is one for both */
  }
  filter_finish (push.h);
  filter_finish (other);
  for (guint i = 0; i < 2; i++)
    gst_memory_unref (memories[i]);
}
GST_END_TEST;

static Suite *
import_loss_suite (void)
{
  Suite *s = suite_create ("import-loss");
  TCase *tc = tcase_create ("loss");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, imports_are_made_side_by_side);
  tcase_add_loop_test (tc, imports_go_with_the_device, 0, MEMORIES);
  return s;
}

GST_CHECK_MAIN (import_loss);

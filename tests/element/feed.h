/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbered noise on its way through a filter whose device gets lost. Every wait is bounded.
 */
#pragma once

#include "common.h"
#include "lost.h"

#define CRC "crc32 payload -> crc32"

typedef struct {
  GstHarness *h;
  GstAllocator *allocator; /* NULL: system memory */
  GstAllocationParams params;
  guint pushed;
  guint pulled;
  gboolean flushed; /* numbers and offsets have come apart */
  gboolean slots;   /* that say the same as the program would */
  gchar *file;      /* that the program reads as well, or NULL */
  gboolean state;   /* the program counts buffers, and remembers them */
  guint first;      /* the number of the first since a flush */
} Feed;

gsize feed_size_of (guint i);
GstBuffer *feed_make_input (Feed *feed, guint i);
GstFlowReturn feed_try_push (Feed *feed);
void feed_push (Feed *feed, guint n);
void feed_check_readback (GstBuffer *readback, guint i);
void feed_pull_all (Feed *feed);
void feed_run (Feed *feed, guint n);
Feed feed_new (guint max_in_flight);
Feed feed_new_of_file (guint max_in_flight);
Feed feed_new_of_slots (guint max_in_flight);
Feed feed_new_of_state (guint max_in_flight);
void feed_take_proposed_memory (Feed *feed);
void feed_finish (Feed *feed);
guint64 feed_counted (Feed *feed, const gchar *name);
GstFlowReturn feed_lose (Feed *feed, const gchar *call);
guint feed_count_reconfigures (Feed *feed);
void feed_wait_for_kernel (Feed *feed);
GThread *feed_lose_behind_a_dam (Feed *feed, Dam *dam, guint n);
void feed_expect_text (Feed *feed, GstMessageType type, const gchar *part);
void feed_check_recovered (Feed *feed);

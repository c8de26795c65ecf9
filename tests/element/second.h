/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second stream at the pad "reference" of a filter in a harness.
 */
#pragma once

#include "common.h"

#define SECOND_CAPS "video/x-raw, format=GRAY8, width=10, height=6, framerate=100/1"
#define SECOND_WIDTH 10
#define SECOND_ROWS 6
#define SECOND_STRIDE 12 /* by the caps */

/* The second stream. */
typedef struct {
  GstHarness *h;
  GstPad *source;
  GstPad *sink; /* of the filter */
  GThread *thread;
  const gint *times; /* ms, up to a negative one */
  GstFlowReturn flow;
} Second;

/* A buffer of either stream that waits for the other one's. */
typedef struct {
  GstPad *pad;
  GThread *thread;
  GstFlowReturn flow;
  gint over;
} SecondWaiter;

/* How a wait for the other stream ends: for a buffer of the first stream, and from
 * SECOND_ENDS_OWN_STATE on for one of the second. */
typedef enum {
  SECOND_ENDS_STATE,
  SECOND_ENDS_RELEASE,
  SECOND_ENDS_EOS,
  SECOND_ENDS_LEAVE,
  SECOND_ENDS_OWN_STATE,
  SECOND_ENDS_FIRST_EOS,
  SECOND_N_ENDS,
} SecondEnd;

void second_begin (Second *other, const gchar *text);
void second_init (Second *other, GstHarness *h);
void second_clear (Second *other);
GstBuffer *second_picture (guint8 level, gint time);
gpointer second_run (gpointer data);
void second_waiter_start (SecondWaiter *waiter, GstPad *pad);
GstFlowReturn second_waiter_join (SecondWaiter *waiter);
void second_flush (GstPad *pad);
void second_check_end (SecondEnd end, GstHarness *h, Second *other);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Helpers of the element tests: a vyrefilter in a harness with a bus of its own, noise to feed it
 * with, and readers of its readbacks, messages and counters. Every wait has a deadline, and a
 * deadline that passes fails the test.
 */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include "abi.h"

/* The deadline of every wait, in seconds. It is generous: a test that passes does not reach it. */
#define PATIENCE 20

/* A program and a size of buffers whose batches run long enough on a CPU to be seen in flight. */
#define SLOW_PROGRAM "u8_histogram payload -> histogram"
#define SLOW_SIZE (8 * 1024 * 1024)

GstElement *filter_make (const gchar *program);
GstHarness *filter_wrap (GstElement *element);
GstHarness *filter_new (const gchar *program);
GstHarness *filter_new_with (
    const gchar *program, const gchar *property, ...) G_GNUC_NULL_TERMINATED;
void filter_start (GstHarness *h, const gchar *caps);
void filter_push_segment (GstHarness *h);
void filter_push (GstHarness *h, GstBuffer *buffer);
void filter_push_eos (GstHarness *h);
void filter_wait_eos (GstHarness *h);
void filter_flush (GstHarness *h);
void filter_finish (GstHarness *h);
GstBuffer *filter_pull (GstHarness *h);
GstBuffer *filter_run (GstHarness *h, GstBuffer *buffer);
GstPad *filter_pad (GstHarness *h, const gchar *name);

guint8 *noise_new (gsize size, guint32 seed);
GstBuffer *noise_buffer (gsize size, guint32 seed);
GstBuffer *buffer_of (gconstpointer data, gsize size);
GstBuffer *numbered_buffer (guint64 number, gsize size);

guint32 readback_word (GstBuffer *readback, guint part, guint word);
guint32 readback_observable (GstBuffer *readback, guint observable);
GstCaps *readback_caps (GstHarness *h);

GstMessage *bus_wait (GstHarness *h, GstMessageType type);
GstMessage *bus_wait_element (GstHarness *h, const gchar *name);
GstMessage *bus_try (GstHarness *h, GstMessageType type);
guint bus_count (GstHarness *h, const gchar *name);
guint bus_count_type (GstHarness *h, GstMessageType type);
void bus_assert_error (GstHarness *h, const gchar *part);

GstStructure *stats_of (GstElement *element);
guint64 field_u64 (const GstStructure *structure, const gchar *name);
gboolean stat_is (GstElement *element, const gchar *name, const gchar *value);
gboolean is_on_cpu (GstElement *element);
guint64 stat_of (GstElement *element, const gchar *name);
guint64 stat_nested (GstElement *element, const gchar *structure, const gchar *name);
void stat_wait_quiet (GstElement *element);
void stat_wait (GstElement *element, const gchar *name, guint64 least);

/* The buffers and events that reach the sink, and the element messages among them, in order. */
typedef struct _FlowLog FlowLog;

FlowLog *flow_log_new (GstHarness *h);
void flow_log_free (FlowLog *log);
void flow_log_clear (FlowLog *log);
gchar *flow_log_text (FlowLog *log);
void flow_log_wait (FlowLog *log, const gchar *entry);

/* A probe that holds back the output of the filter until it is removed. */
typedef struct {
  GstPad *pad;
  gulong id;
  gint reached;
} Dam;

void dam_build (Dam *dam, GstHarness *h);
void dam_wait (Dam *dam);
void dam_break (Dam *dam);

/* Pushes buffers from a thread of its own. */
typedef struct {
  GstHarness *h;
  guint n;
  gsize size;
  GThread *thread;
  gint pushed;
  gint returned;
  GstFlowReturn flow;
} Pusher;

void pusher_start (Pusher *pusher, GstHarness *h, guint n, gsize size);
GstFlowReturn pusher_join (Pusher *pusher);

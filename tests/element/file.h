/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files of noise, and a vyresrc that reads them. Every wait is bounded.
 */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

typedef struct {
  gchar *path;
  guint8 *bytes;
  gsize size;
} File;

void file_init_in (File *file, const gchar *directory, gsize size);
void file_init (File *file, gsize size);
void file_clear (File *file);
guint file_direct_alignment (const gchar *path);

GstHarness *file_source_new (const gchar *path, guint blocksize, guint depth);
GstBuffer *file_pull (GstHarness *h);
GstBuffer *file_pull_from (GstHarness *h, guint64 offset);
gsize file_check_rest (GstHarness *h, const File *file, gsize at, gsize end);
GstMessage *file_run_pipeline (GstElement *pipeline, GstMessageType types);

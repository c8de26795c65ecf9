/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON of the messages of vyrefilter: the one conversion of a GstStructure, for the element and for
 * commands. docs/json-lines.md has the rules. The functions append to a text that the caller owns;
 * any thread may call them.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstVyreJsonFlags:
 * @GST_VYRE_JSON_WHOLE: each field
 * @GST_VYRE_JSON_WITHOUT_HISTOGRAMS: no histograms
 *
 * Which fields of a structure become JSON.
 */
typedef enum {
  GST_VYRE_JSON_WHOLE = 0,
  GST_VYRE_JSON_WITHOUT_HISTOGRAMS = 1 << 0,
} GstVyreJsonFlags;

void gst_vyre_json_add_text (GString *json, const gchar *text);
void gst_vyre_json_add_number (GString *json, guint64 number);
void gst_vyre_json_add_time (GString *json, guint64 time);
void gst_vyre_json_add_real (GString *json, gdouble real, guint digits);
void gst_vyre_json_add_key (GString *json, const gchar *key);
void gst_vyre_json_add_fields (
    GString *json, const GstStructure *structure, GstVyreJsonFlags flags);
void gst_vyre_json_add_message (GString *json, const GstStructure *structure);

G_END_DECLS

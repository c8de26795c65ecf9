/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fields of GstStructures by quark. All threads of a process meet at the lock of the table of
 * quarks, so streams look their names up once, and not with every message.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

void gst_vyre_fields_set_number (GstStructure *structure, GQuark field, guint64 number);
void gst_vyre_fields_set_signed (GstStructure *structure, GQuark field, gint64 number);
void gst_vyre_fields_set_real (GstStructure *structure, GQuark field, gdouble number);
void gst_vyre_fields_set_text (GstStructure *structure, GQuark field, const gchar *text);
void gst_vyre_fields_set_truth (GstStructure *structure, GQuark field, gboolean truth);
void gst_vyre_fields_set_caps (GstStructure *structure, GQuark field, const GstCaps *caps);
void gst_vyre_fields_take (GstStructure *structure, GQuark field, GstStructure *nested);

G_END_DECLS

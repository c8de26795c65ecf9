/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties that say which program the element runs: program, program-location and params. A
 * running stream keeps the program that it has if a new value is refused.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

#define GST_VYRE_DEFAULT_PROGRAM "builtin:bytes"

void gst_vyre_program_init (GstVyreFilter *self);
void gst_vyre_program_clear (GstVyreFilter *self);

void gst_vyre_program_set (GObject *object, const GValue *value);
void gst_vyre_program_set_location (GObject *object, const GValue *value);
void gst_vyre_program_set_params (GObject *object, const GValue *value);
void gst_vyre_program_get_params (GObject *object, GValue *value);
gboolean gst_vyre_program_move_params (GstVyreFilter *self, const GstStructure *numbers);
void gst_vyre_program_set_param (GstVyreFilter *self, const gchar *name, const GValue *value);
void gst_vyre_program_get_param (GstVyreFilter *self, const gchar *name, GValue *value);

G_END_DECLS

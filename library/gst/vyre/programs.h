/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:programs
 * @title: Programs
 * @short_description: Programs put together, and what there is
 *
 * A builder makes the text of a program and checks it. Builtins and devices are listed.
 */

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstVyreBuilder:
 *
 * A program that is put together. One thread at a time may use it.
 */
typedef struct _GstVyreBuilder GstVyreBuilder;

#define GST_TYPE_VYRE_BUILDER (gst_vyre_builder_get_type ())
GType gst_vyre_builder_get_type (void);

/**
 * gst_vyre_builder_new:
 *
 * Begins an empty program.
 *
 * Returns: (transfer full): a builder
 */
GstVyreBuilder *gst_vyre_builder_new (void);

/**
 * gst_vyre_builder_ref:
 * @builder: a builder
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @builder with one more reference
 */
GstVyreBuilder *gst_vyre_builder_ref (GstVyreBuilder *builder);

/**
 * gst_vyre_builder_unref:
 * @builder: (transfer full): a builder
 *
 * Drops a reference; the last one frees the builder.
 */
void gst_vyre_builder_unref (GstVyreBuilder *builder);

/**
 * gst_vyre_builder_add_param:
 * @builder: a builder
 * @name: the name of a param
 * @value: its default
 *
 * Declares a number that the property params may replace.
 */
void gst_vyre_builder_add_param (GstVyreBuilder *builder, const gchar *name, guint32 value);

/**
 * gst_vyre_builder_add:
 * @builder: a builder
 * @operation: an operation with its operands, such as "sample_below luma, 17"
 * @result: (nullable): the name of its result, which a type may follow, such as "total : u64"
 *
 * Adds an operation.
 */
void gst_vyre_builder_add (GstVyreBuilder *builder, const gchar *operation, const gchar *result);

/**
 * gst_vyre_builder_add_text:
 * @builder: a builder
 * @text: one or more lines of a program
 *
 * Adds any other statement, such as an event.
 */
void gst_vyre_builder_add_text (GstVyreBuilder *builder, const gchar *text);

/**
 * gst_vyre_builder_to_text:
 * @builder: a builder
 * @error: return location for an error, which starts with "LINE:COLUMN: "
 *
 * Checks the program.
 *
 * Returns: (transfer full) (nullable): the text, for the property program, or %NULL with @error set
 */
gchar *gst_vyre_builder_to_text (const GstVyreBuilder *builder, GError **error);

/**
 * gst_vyre_list_builtins:
 *
 * Lists the programs that come with libvyre, without "builtin:".
 *
 * Returns: (transfer none) (array zero-terminated=1): the names
 */
const gchar *const *gst_vyre_list_builtins (void);

/**
 * gst_vyre_list_devices:
 * @error: return location for an error: there is no Vulkan loader, or no device
 *
 * Lists the Vulkan devices. Each is a structure with "index" (#guint), "name", "uuid", "kind",
 * "vulkan" and "driver" (strings).
 *
 * Returns: (transfer full) (element-type GstStructure): the devices, or %NULL with @error set
 */
GList *gst_vyre_list_devices (GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVyreBuilder, gst_vyre_builder_unref)

G_END_DECLS

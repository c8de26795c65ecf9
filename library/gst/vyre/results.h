/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:results
 * @title: Results
 * @short_description: The results of one buffer
 *
 * Results come from a message, a meta, a structure or a readback, and are looked up by name.
 */

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GST_VYRE_RESULTS_META:
 *
 * The name of the custom meta with the results of a buffer.
 */
#define GST_VYRE_RESULTS_META "GstVyreResultsMeta"

/**
 * GstVyreResults:
 *
 * The results of one buffer. Immutable: any thread may use them.
 */
typedef struct _GstVyreResults GstVyreResults;

#define GST_TYPE_VYRE_RESULTS (gst_vyre_results_get_type ())
GType gst_vyre_results_get_type (void);

/**
 * gst_vyre_results_from_structure:
 * @structure: a structure vyre-results, such as gst_structure_from_string() makes
 *
 * Takes the results out of a structure.
 *
 * Returns: (transfer full) (nullable): the results, or %NULL: @structure has another name
 */
GstVyreResults *gst_vyre_results_from_structure (const GstStructure *structure);

/**
 * gst_vyre_results_from_message:
 * @message: a message of the bus
 *
 * Takes the results out of a message vyre-results.
 *
 * Returns: (transfer full) (nullable): the results, or %NULL: it is another message
 */
GstVyreResults *gst_vyre_results_from_message (GstMessage *message);

/**
 * gst_vyre_results_from_buffer:
 * @buffer: a buffer that passed vyrefilter or vyrereadbackparse
 *
 * Takes the results out of the meta of a buffer.
 *
 * Returns: (transfer full) (nullable): the results, or %NULL: the buffer has no such meta
 */
GstVyreResults *gst_vyre_results_from_buffer (GstBuffer *buffer);

/**
 * gst_vyre_results_from_readback:
 * @caps: the caps of @readback
 * @readback: a readback
 * @error: return location for the errors of gst_vyre_table_new_from_caps() and
 *   gst_vyre_table_read(), which are faster for a whole stream
 *
 * Reads a readback.
 *
 * Returns: (transfer full) (nullable): the results, or %NULL with @error set
 */
GstVyreResults *gst_vyre_results_from_readback (
    const GstCaps *caps, GstBuffer *readback, GError **error);

/**
 * gst_vyre_results_ref:
 * @results: results
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @results with one more reference
 */
GstVyreResults *gst_vyre_results_ref (GstVyreResults *results);

/**
 * gst_vyre_results_unref:
 * @results: (transfer full): results
 *
 * Drops a reference; the last one frees the results.
 */
void gst_vyre_results_unref (GstVyreResults *results);

/**
 * gst_vyre_results_get_n:
 * @results: results
 *
 * Counts the named results.
 *
 * Returns: their number
 */
guint gst_vyre_results_get_n (const GstVyreResults *results);

/**
 * gst_vyre_results_get_name:
 * @results: results
 * @index: below gst_vyre_results_get_n()
 *
 * Names a result, in the order of the program.
 *
 * Returns: (transfer none): the name
 */
const gchar *gst_vyre_results_get_name (const GstVyreResults *results, guint index);

/**
 * gst_vyre_results_get_value:
 * @results: results
 * @path: the name of a result or of another field of the message, or "RESULT.FIELD", such as
 *   "luma.sum"
 *
 * Looks a value up.
 *
 * Returns: (transfer none) (nullable): the value, or %NULL: there is none
 */
const GValue *gst_vyre_results_get_value (const GstVyreResults *results, const gchar *path);

/**
 * gst_vyre_results_dup_value: (rename-to gst_vyre_results_get_value)
 * @results: results
 * @path: as in gst_vyre_results_get_value()
 * @value: (out caller-allocates): return location, %G_VALUE_INIT; free with g_value_unset(). A
 *   string of %NULL: there is no such value
 * @error: return location for an error: the value is a structure, or caps
 *
 * Copies a number, a text or a truth, which outlives the results.
 */
void gst_vyre_results_dup_value (
    const GstVyreResults *results, const gchar *path, GValue *value, GError **error);

/**
 * gst_vyre_results_get_fields:
 * @results: results
 * @name: the name of a result that is a structure
 *
 * Copies the fields of a result, which outlive the results.
 *
 * Returns: (transfer full) (nullable): the fields, or %NULL: there is no such result, or it is one
 *   number; free with gst_structure_free()
 */
GstStructure *gst_vyre_results_get_fields (const GstVyreResults *results, const gchar *name);

/**
 * gst_vyre_results_get_uint64:
 * @results: results
 * @path: as in gst_vyre_results_get_value()
 * @value: (out): return location for the value
 *
 * Looks an unsigned integer up.
 *
 * Returns: %FALSE where there is no such value, or one of another type
 */
gboolean gst_vyre_results_get_uint64 (
    const GstVyreResults *results, const gchar *path, guint64 *value);

/**
 * gst_vyre_results_get_int64:
 * @results: results
 * @path: as in gst_vyre_results_get_value()
 * @value: (out): return location for the value, in the unit of gst_vyre_results_dup_unit()
 *
 * Looks a signed integer up.
 *
 * Returns: %FALSE where there is no such value, or one of another type
 */
gboolean gst_vyre_results_get_int64 (
    const GstVyreResults *results, const gchar *path, gint64 *value);

/**
 * gst_vyre_results_get_double:
 * @results: results
 * @path: as in gst_vyre_results_get_value()
 * @value: (out): return location for the value
 *
 * Looks any number up. Fixed point is multiplied out: its unit is 1 here.
 *
 * Returns: %FALSE where there is no such number
 */
gboolean gst_vyre_results_get_double (
    const GstVyreResults *results, const gchar *path, gdouble *value);

/**
 * gst_vyre_results_get_array:
 * @results: results
 * @name: the name of a result that is an array of numbers
 * @n: (out): return location for their number
 *
 * Copies the numbers of a histogram, of words, or of another array of unsigned integers.
 *
 * Returns: (transfer full) (array length=n) (nullable): the numbers, or %NULL: there is no such
 *   result; free with g_free()
 */
guint64 *gst_vyre_results_get_array (const GstVyreResults *results, const gchar *name, gsize *n);

/**
 * gst_vyre_results_get_doubles:
 * @results: results
 * @name: the name of a result that is an array of numbers
 * @n: (out): return location for their number
 *
 * Copies the numbers of an array of any type. Fixed point is multiplied out: its unit is 1 here.
 *
 * Returns: (transfer full) (array length=n) (nullable): the numbers, or %NULL: there is no such
 *   result; free with g_free()
 */
gdouble *gst_vyre_results_get_doubles (const GstVyreResults *results, const gchar *name, gsize *n);

/**
 * gst_vyre_results_dup_unit:
 * @results: results
 * @path: as in gst_vyre_results_get_value()
 *
 * Looks up the unit of a value, as gst_vyre_table_dup_unit() does.
 *
 * Returns: (transfer full) (nullable): the unit, or %NULL: none is known
 */
gchar *gst_vyre_results_dup_unit (const GstVyreResults *results, const gchar *path);

/**
 * gst_vyre_results_get_structure:
 * @results: results
 *
 * Gets the fields of the message vyre-results. gst_structure_to_string() writes them down.
 *
 * Returns: (transfer none): the structure, valid as long as @results
 */
const GstStructure *gst_vyre_results_get_structure (const GstVyreResults *results);

/**
 * gst_vyre_results_dup_structure: (rename-to gst_vyre_results_get_structure)
 * @results: results
 *
 * Copies the fields of the message vyre-results.
 *
 * Returns: (transfer full): the structure; free with gst_structure_free()
 */
GstStructure *gst_vyre_results_dup_structure (const GstVyreResults *results);

/**
 * gst_vyre_results_to_json:
 * @results: results
 *
 * Writes a JSON object, as a line of the property results-location.
 *
 * Returns: (transfer full): the text
 */
gchar *gst_vyre_results_to_json (const GstVyreResults *results);

/**
 * gst_vyre_results_list_reserved:
 *
 * Lists the fields of the message that are no results.
 *
 * Returns: (transfer none) (array zero-terminated=1): the names that no result may have
 */
const gchar *const *gst_vyre_results_list_reserved (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVyreResults, gst_vyre_results_unref)

G_END_DECLS

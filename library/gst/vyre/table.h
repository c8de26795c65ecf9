/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:table
 * @title: Table
 * @short_description: The results that readbacks hold
 *
 * A table says what the words of readbacks mean: caps have it, and each readback is read by it.
 */

#include <gst/gst.h>

#include <gst/vyre/results.h>

G_BEGIN_DECLS

/**
 * GST_VYRE_N_PARTS:
 *
 * The parts of a readback: control, ring, debug log and io queue. Each begins where the one before
 * it ends.
 */
#define GST_VYRE_N_PARTS 4

/**
 * GstVyreResultType:
 * @GST_VYRE_RESULT_U32: a number of one word
 * @GST_VYRE_RESULT_U64: a number of two words, the low one first
 * @GST_VYRE_RESULT_I32: a signed number of one word
 * @GST_VYRE_RESULT_I64: a signed number of two words
 * @GST_VYRE_RESULT_F32: a floating-point number of one word
 * @GST_VYRE_RESULT_F64: a floating-point number of two words
 * @GST_VYRE_RESULT_STATS: a structure: count, min, max, sum, sum-squares
 * @GST_VYRE_RESULT_DIFFERENCE: a structure: that of statistics, and above
 * @GST_VYRE_RESULT_AUDIO: a structure: statistics of a channel of audio
 * @GST_VYRE_RESULT_BOUNDS: a structure: count, begin, end
 * @GST_VYRE_RESULT_SSIM: a structure: count, sum
 * @GST_VYRE_RESULT_LOUD: a structure: count, head, tail, longest
 * @GST_VYRE_RESULT_HISTOGRAM: an array: bin-0, bin-1, …
 * @GST_VYRE_RESULT_WORDS: an array: word-0, word-1, …
 * @GST_VYRE_RESULT_GRID: an array of structures: count-0, sum-0, count-1, …
 *
 * The meaning of the words of a result. Of a number's type with more words it is an array: item-0,
 * item-1, …
 */
typedef enum {
  GST_VYRE_RESULT_U32,
  GST_VYRE_RESULT_U64,
  GST_VYRE_RESULT_I32,
  GST_VYRE_RESULT_I64,
  GST_VYRE_RESULT_F32,
  GST_VYRE_RESULT_F64,
  GST_VYRE_RESULT_STATS,
  GST_VYRE_RESULT_DIFFERENCE,
  GST_VYRE_RESULT_AUDIO,
  GST_VYRE_RESULT_BOUNDS,
  GST_VYRE_RESULT_SSIM,
  GST_VYRE_RESULT_LOUD,
  GST_VYRE_RESULT_HISTOGRAM,
  GST_VYRE_RESULT_WORDS,
  GST_VYRE_RESULT_GRID,
} GstVyreResultType;

/**
 * GstVyreEntry:
 * @name: the name of the result
 * @type: the meaning of its words
 * @observable: index of its first observable word
 * @n_words: number of words
 * @units: (nullable): the unit of what is counted, a space, and the unit of values; or one unit
 *
 * A row of a #GstVyreTable.
 */
typedef struct {
  const gchar *name;
  GstVyreResultType type;
  guint observable;
  guint n_words;
  const gchar *units;
} GstVyreEntry;

#define GST_TYPE_VYRE_ENTRY (gst_vyre_entry_get_type ())
GType gst_vyre_entry_get_type (void);

/**
 * gst_vyre_entry_copy:
 * @entry: an entry
 *
 * Copies an entry, with strings that stay valid as long as the process.
 *
 * Returns: (transfer full): the copy; free with gst_vyre_entry_free()
 */
GstVyreEntry *gst_vyre_entry_copy (const GstVyreEntry *entry);

/**
 * gst_vyre_entry_free:
 * @entry: (transfer full): an entry that gst_vyre_entry_copy() or gst_vyre_table_dup_entry() made
 *
 * Frees an entry.
 */
void gst_vyre_entry_free (GstVyreEntry *entry);

/**
 * GstVyreTable:
 *
 * The results that the readbacks of a stream hold, and their places. Immutable: any thread may use
 * it.
 */
typedef struct _GstVyreTable GstVyreTable;

#define GST_TYPE_VYRE_TABLE (gst_vyre_table_get_type ())
GType gst_vyre_table_get_type (void);

/**
 * gst_vyre_table_new:
 * @entries: (array length=n_entries): the results; copied
 * @n_entries: their number
 * @part_sizes: (array fixed-size=4): bytes of the parts of a readback
 * @has_sequence: whether observable 0 is the number of the buffer in the stream
 * @program: (nullable): the identity of the program
 * @error: return location for an error: entries that no readback of these parts can have
 *
 * Makes a table.
 *
 * Returns: (transfer full) (nullable): the table, or %NULL with @error set
 */
GstVyreTable *gst_vyre_table_new (const GstVyreEntry *entries, guint n_entries,
    const gsize *part_sizes, gboolean has_sequence, const gchar *program, GError **error);

/**
 * gst_vyre_table_new_from_caps:
 * @caps: fixed caps of readbacks
 * @error: return location for an error: other caps, or caps that contradict themselves
 *
 * Reads the table that caps describe.
 *
 * Returns: (transfer full) (nullable): the table, or %NULL with @error set
 */
GstVyreTable *gst_vyre_table_new_from_caps (const GstCaps *caps, GError **error);

/**
 * gst_vyre_table_get_caps:
 * @table: a table
 *
 * Gets the caps that describe the readbacks.
 *
 * Returns: (transfer none): the caps, valid as long as @table
 */
GstCaps *gst_vyre_table_get_caps (const GstVyreTable *table);

/**
 * gst_vyre_table_dup_caps: (rename-to gst_vyre_table_get_caps)
 * @table: a table
 *
 * Gets the caps that describe the readbacks, for languages that count references themselves.
 *
 * Returns: (transfer full): the caps
 */
GstCaps *gst_vyre_table_dup_caps (const GstVyreTable *table);

/**
 * gst_vyre_table_is_of:
 * @table: a table
 * @entries: (array length=n_entries): as in gst_vyre_table_new()
 * @n_entries: the same
 * @part_sizes: (array fixed-size=4): the same
 * @has_sequence: the same
 * @program: (nullable): the same
 *
 * Compares a table with what another would be made of.
 *
 * Returns: %TRUE where the other would be the same
 */
gboolean gst_vyre_table_is_of (const GstVyreTable *table, const GstVyreEntry *entries,
    guint n_entries, const gsize *part_sizes, gboolean has_sequence, const gchar *program);

/**
 * gst_vyre_table_ref:
 * @table: a table
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @table with one more reference
 */
GstVyreTable *gst_vyre_table_ref (GstVyreTable *table);

/**
 * gst_vyre_table_unref:
 * @table: (transfer full): a table
 *
 * Drops a reference; the last one frees the table.
 */
void gst_vyre_table_unref (GstVyreTable *table);

/**
 * gst_vyre_table_get_n_entries:
 * @table: a table
 *
 * Counts the results.
 *
 * Returns: the number of entries
 */
guint gst_vyre_table_get_n_entries (const GstVyreTable *table);

/**
 * gst_vyre_table_get_entry:
 * @table: a table
 * @index: below gst_vyre_table_get_n_entries()
 *
 * Looks at an entry.
 *
 * Returns: (transfer none): the entry, valid as long as @table
 */
const GstVyreEntry *gst_vyre_table_get_entry (const GstVyreTable *table, guint index);

/**
 * gst_vyre_table_dup_entry: (rename-to gst_vyre_table_get_entry)
 * @table: a table
 * @index: below gst_vyre_table_get_n_entries()
 *
 * Copies an entry, which outlives the table.
 *
 * Returns: (transfer full): the copy; free with gst_vyre_entry_free()
 */
GstVyreEntry *gst_vyre_table_dup_entry (const GstVyreTable *table, guint index);

/**
 * gst_vyre_table_dup_unit:
 * @table: a table
 * @path: the name of a result, or "RESULT.FIELD"
 *
 * Looks up a unit. "2^-N" is that of fixed point: the number is in units of 2 to the power of -N.
 *
 * Returns: (transfer full) (nullable): the unit, or %NULL: none is known
 */
gchar *gst_vyre_table_dup_unit (const GstVyreTable *table, const gchar *path);

/**
 * gst_vyre_table_add_results:
 * @table: a table
 * @words: (array): the words of all results, in the order of the entries
 * @structure: the structure that gets a field for each result, and "caps" if there is one
 *
 * Converts words to typed fields.
 */
void gst_vyre_table_add_results (
    const GstVyreTable *table, const guint32 *words, GstStructure *structure);

/**
 * gst_vyre_table_read:
 * @table: the table of the caps of @readback
 * @readback: a readback
 * @segment: (nullable): the segment of the stream, for the stream and running time
 * @error: return location for an error: a buffer of another size
 *
 * Reads a readback. The payload is not there any more, so "payload-bytes" and "processed-bytes"
 * are unknown.
 *
 * Returns: (transfer full) (nullable): the results, or %NULL with @error set
 */
GstVyreResults *gst_vyre_table_read (
    GstVyreTable *table, GstBuffer *readback, const GstSegment *segment, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVyreEntry, gst_vyre_entry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVyreTable, gst_vyre_table_unref)

G_END_DECLS

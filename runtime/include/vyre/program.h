/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A program: the slots to publish for every payload, with symbols for the
 * payload's geometry and for named results. The language is described in
 * docs/program-language.md. A VyreProgram is immutable and may be used from any
 * thread; binding it to the geometry of one stream gives a VyreBoundProgram, the slots
 * as they go into the ring. Both are reference counted.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreResultType:
 * @VYRE_RESULT_U32: one word
 * @VYRE_RESULT_STATS: VYRE_U8_STATS_WORDS words as U8_STATS writes them
 * @VYRE_RESULT_HISTOGRAM: VYRE_U8_HISTOGRAM_WORDS words, bin i counts the bytes of value i
 * @VYRE_RESULT_WORDS: several words of a file
 *
 * What the words of a named result mean.
 */
typedef enum {
  VYRE_RESULT_U32,
  VYRE_RESULT_STATS,
  VYRE_RESULT_HISTOGRAM,
  VYRE_RESULT_WORDS,
} VyreResultType;

/**
 * VyreResourceKind:
 * @VYRE_RESOURCE_FILE: a file that is read as a whole, and stays while there is room
 * @VYRE_RESOURCE_SINK: a file that is appended to
 *
 * What a program may do with a resource.
 */
typedef enum {
  VYRE_RESOURCE_FILE,
  VYRE_RESOURCE_SINK,
} VyreResourceKind;

/**
 * VyreResource:
 * @kind: what may be done with it
 * @path: (type filename): the file; relative to the root of what its plan is granted, or else to
 *   where the process is
 *
 * A file that a program names. Its number is its place among them.
 */
typedef struct {
  VyreResourceKind kind;
  const char *path;
} VyreResource;

/**
 * VyreResult:
 * @name: a lower-case name, [a-z][a-z0-9-]*, usable as a structure field
 * @type: what the words mean
 * @observable: index of its first observable word
 * @n_words: number of words
 *
 * A named result of a program.
 */
typedef struct {
  const char *name;
  VyreResultType type;
  guint observable;
  guint n_words;
} VyreResult;

/**
 * VyreRegion:
 * @offset: bytes from the start of the payload
 * @width: bytes per row
 * @rows: rows
 * @stride: bytes from the start of a row to the start of the next
 *
 * A rectangle of payload bytes.
 */
typedef struct {
  guint32 offset;
  guint32 width;
  guint32 rows;
  guint32 stride;
} VyreRegion;

typedef struct _VyreProgram VyreProgram;
typedef struct _VyreSymbols VyreSymbols;

/**
 * VyreBoundProgram:
 * @slots: (array length=n_slots): VYRE_SLOT_WORDS words per slot, status PUBLISHED
 *   for the program's slots, all zero (EMPTY) for those that only fill the ring up
 * @n_slots: slots in the ring, ≥ 1
 * @n_used: how many of them, from the first, the program published
 * @n_observables: observable words behind the control header
 * @results: (array length=n_results): named results that this binding really computes
 * @n_results: number of @results
 * @resources: (array length=n_resources): the files that the program names
 * @n_resources: number of @resources
 * @sequence_slot: the BATCH_FENCE slot whose ARG1 is to be the batch's sequence
 *   number, or -1
 *
 * A program bound to one stream's geometry and one payload size. Read only.
 */
typedef struct {
  guint32 *slots;
  guint n_slots;
  guint n_used;
  guint n_observables;
  VyreResult *results;
  guint n_results;
  const VyreResource *resources;
  guint n_resources;
  gint sequence_slot;
} VyreBoundProgram;

/**
 * vyre_program_assemble:
 * @text: a program, at most 1 MiB of UTF-8, behind a byte order mark or not;
 *   docs/program-language.md describes it
 * @error: return location for %VYRE_ERROR_SYNTAX, whose message starts with
 *   "LINE:COLUMN: ", or %VYRE_ERROR_TOO_LARGE: a limit of the language is exceeded
 *
 * Assembles a program. Its id is "sha256:" and the first 16 digits of its text's
 * SHA-256.
 *
 * Returns: (transfer full) (nullable): the program, or %NULL with @error set
 */
VyreProgram *vyre_program_assemble (const char *text, GError **error);

/**
 * vyre_program_load:
 * @path: (type filename): a regular file that holds a program
 * @error: return location for %VYRE_ERROR_IO or the errors of vyre_program_assemble()
 *
 * Reads a program from a file and assembles it. Of a file that is no program an error quotes
 * the word that was not understood, at most 24 bytes of it; of one that is no text, or longer
 * than a program may be, nothing.
 *
 * Returns: (transfer full) (nullable): the program, or %NULL with @error set
 */
VyreProgram *vyre_program_load (const char *path, GError **error);

/**
 * vyre_program_builtin:
 * @name: a name from vyre_program_list_builtins(), without "builtin:"
 * @error: return location for %VYRE_ERROR_INVALID: there is no such program
 *
 * Assembles a program that comes with the library. Its id is "builtin:" and @name.
 *
 * Returns: (transfer full) (nullable): the program, or %NULL with @error set
 */
VyreProgram *vyre_program_builtin (const char *name, GError **error);

/**
 * vyre_program_from_string:
 * @program: "builtin:NAME" for a built-in program, or else the text of a program
 * @error: return location for the errors of vyre_program_builtin() and
 *   vyre_program_assemble()
 *
 * Makes a program from what a user typed into one property.
 *
 * Returns: (transfer full) (nullable): the program, or %NULL with @error set
 */
VyreProgram *vyre_program_from_string (const char *program, GError **error);

/**
 * vyre_program_list_builtins:
 *
 * Returns: (transfer none) (array zero-terminated=1): the names that
 *   vyre_program_builtin() knows
 */
const char *const *vyre_program_list_builtins (void);

/**
 * vyre_program_ref:
 * @program: a program
 *
 * Returns: (transfer full): @program, with one reference more
 */
VyreProgram *vyre_program_ref (VyreProgram *program);

/**
 * vyre_program_unref:
 * @program: (nullable) (transfer full): a program
 *
 * Gives a reference back; the last one frees the program. Images keep the program
 * that they were bound from.
 */
void vyre_program_unref (VyreProgram *program);

/**
 * vyre_program_get_id:
 * @program: a program
 *
 * Returns: (transfer none): what tells this program from others in messages and
 *   logs: "builtin:NAME" or "sha256:" and 16 hexadecimal digits
 */
const char *vyre_program_get_id (const VyreProgram *program);

/**
 * vyre_program_check_results:
 * @program: a program
 * @reserved: (array zero-terminated=1): names that no result may have
 * @owner: the owner of these names, for the message: "a field of the result message"
 * @error: return location for %VYRE_ERROR_SYNTAX at the first result that has one of the names
 *
 * Refuses a program whose results the application cannot tell from fields of its own.
 *
 * Returns: %TRUE when no result of @program has a name of @reserved
 */
gboolean vyre_program_check_results (
    const VyreProgram *program, const char *const *reserved, const char *owner, GError **error);

/**
 * vyre_symbols_new:
 *
 * Makes symbols that define nothing, as for a stream whose format is not known.
 * The payload.* symbols need no binding: vyre_program_bind() derives them from
 * the payload's size.
 *
 * Returns: (transfer full): new symbols; free with vyre_symbols_free()
 */
VyreSymbols *vyre_symbols_new (void);

/**
 * vyre_symbols_copy:
 * @symbols: (nullable): the symbols to copy
 *
 * Returns: (transfer full) (nullable): a copy that changes independently, %NULL
 *   for %NULL; free with vyre_symbols_free()
 */
VyreSymbols *vyre_symbols_copy (const VyreSymbols *symbols);

/**
 * vyre_symbols_free:
 * @symbols: (nullable) (transfer full): the symbols to free
 *
 * Frees @symbols. Images that were bound with them do not need them any more.
 */
void vyre_symbols_free (VyreSymbols *symbols);

/**
 * vyre_symbols_set:
 * @symbols: the symbols to change
 * @symbol: a number of the vocabulary: width, height, planes, bits, rate, channels,
 *   or one number of a region, such as plane0.stride
 * @value: its value; lengths and offsets in bytes, rate in Hz
 *
 * Defines a number, or replaces its value. It is a programming error to pass a
 * symbol outside the vocabulary or one of payload.*, which follow the payload.
 */
void vyre_symbols_set (VyreSymbols *symbols, const char *symbol, guint32 value);

/**
 * vyre_symbols_set_region:
 * @symbols: the symbols to change
 * @symbol: plane0, plane1, plane2, plane3, luma, u or v
 * @region: where it lies in the payload, in bytes
 *
 * Defines a region and its numbers: .offset, .width, .rows, .stride as in @region,
 * and .size, the bytes from its first to its last. It is a programming error to
 * pass a symbol outside the vocabulary, payload, or a region of 4 GiB or more.
 */
void vyre_symbols_set_region (VyreSymbols *symbols, const char *symbol, const VyreRegion *region);

/**
 * vyre_symbols_set_stream:
 * @symbols: the symbols to change
 * @stream: (nullable): what the stream is of, such as "RGB video", or %NULL for what it was at
 *   first: not known
 *
 * Says what the symbols are of. Nothing is defined by that: the message of a %VYRE_ERROR_UNBOUND
 * names it beside the symbol that it does not have.
 */
void vyre_symbols_set_stream (VyreSymbols *symbols, const char *stream);

/**
 * vyre_program_bind:
 * @program: a program
 * @symbols: (nullable): what the stream defines; %NULL for nothing
 * @payload_size: bytes in the payload, at most 4 GiB - 1
 * @slot_count: slots in the ring, at most 1048576; 0 for as many as needed
 * @observable_slots: observable words, at most %VYRE_MAX_OBSERVABLES; 0 for as many
 *   as the results and the fence's tag need
 * @error: return location for %VYRE_ERROR_UNBOUND: a symbol is not defined;
 *   %VYRE_ERROR_INVALID: an expression has no value, or a region does not suit its
 *   opcode; %VYRE_ERROR_TOO_LARGE: a size is above its limit, or too small for the
 *   program. Messages about a place in the text start with "LINE:COLUMN: ".
 *
 * Computes the slots to publish for payloads of one size and geometry. May be
 * called from any thread.
 *
 * Returns: (transfer full) (nullable): the bound program, or %NULL with @error set; free
 *   with vyre_bound_program_unref()
 */
VyreBoundProgram *vyre_program_bind (VyreProgram *program, const VyreSymbols *symbols,
    gsize payload_size, guint slot_count, guint observable_slots, GError **error);

/**
 * vyre_bound_program_ref:
 * @bound: a bound program
 *
 * Returns: (transfer full): @bound, with one reference more
 */
VyreBoundProgram *vyre_bound_program_ref (VyreBoundProgram *bound);

/**
 * vyre_bound_program_unref:
 * @bound: (nullable) (transfer full): a bound program
 *
 * Gives a reference back; the last one frees the bound program, its slots and its results.
 */
void vyre_bound_program_unref (VyreBoundProgram *bound);

/**
 * vyre_disassemble:
 * @slots: (array): VYRE_SLOT_WORDS words per slot, as in a ring; may be %NULL when
 *   @n_slots is 0
 * @n_slots: number of slots
 *
 * Writes slots as a program. When all of them are PUBLISHED, up to EMPTY ones at
 * the end, and the text keeps within the limits of a program, it assembles and
 * binds to the same words again, with any payload and with @n_slots as the slot
 * count. Slots with another status, or a priority that does not exist, become
 * comments.
 *
 * Returns: (transfer full): the text, one line per slot; free with g_free()
 */
char *vyre_disassemble (const guint32 *slots, guint n_slots);

/**
 * vyre_opcode_name:
 * @opcode: an opcode, as in word VYRE_SLOT_OPCODE of a slot
 *
 * Returns: (nullable) (transfer none): the lower-case name that the program
 *   language gives @opcode, or %NULL when it has none
 */
const char *vyre_opcode_name (guint32 opcode);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreProgram, vyre_program_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreSymbols, vyre_symbols_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreBoundProgram, vyre_bound_program_unref)

G_END_DECLS

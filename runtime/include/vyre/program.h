/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:program
 * @title: Program
 * @short_description: The slots to publish for every payload
 *
 * A program has symbols for the geometry of the payload and for named results;
 * docs/program-language.md describes the language. A #VyreProgram is immutable and may be used
 * from any thread. Bound to the geometry of one stream it gives a #VyreBoundProgram, the slots as
 * they go into the ring. Both are reference counted.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"
#include "vyre/events.h"

G_BEGIN_DECLS

/**
 * VyreResultType:
 * @VYRE_RESULT_U32: one word
 * @VYRE_RESULT_STATS: VYRE_U8_STATS_WORDS words as U8_STATS and SAMPLE_STATS write them
 * @VYRE_RESULT_HISTOGRAM: a word for each bin, bin i counts the bytes or samples of value i
 * @VYRE_RESULT_WORDS: several words of a file or of state
 * @VYRE_RESULT_AUDIO: VYRE_AUDIO_STATS_WORDS words as AUDIO_STATS writes them
 * @VYRE_RESULT_DIFFERENCE: VYRE_DIFFERENCE_WORDS words as SAMPLE_DIFFERENCE writes them
 * @VYRE_RESULT_BOUNDS: VYRE_BOUNDS_WORDS words as SAMPLE_ROWS and SAMPLE_COLUMNS write them
 * @VYRE_RESULT_GRID: VYRE_GRID_CELL_WORDS words for each cell, as SAMPLE_GRID writes them
 * @VYRE_RESULT_SSIM: VYRE_SSIM_WORDS words as SAMPLE_SSIM writes them
 * @VYRE_RESULT_LOUD: VYRE_LOUD_WORDS words as AUDIO_LOUD writes them
 * @VYRE_RESULT_U64: two words, the low one first
 * @VYRE_RESULT_I32: one word, a signed number
 * @VYRE_RESULT_I64: two words, a signed number
 * @VYRE_RESULT_F32: one word, a floating-point number of IEEE 754
 * @VYRE_RESULT_F64: two words, a floating-point number of IEEE 754
 *
 * The meaning of the words of a named result. A result of a number's type that has more words is an
 * array of such numbers.
 */
typedef enum {
  VYRE_RESULT_U32,
  VYRE_RESULT_STATS,
  VYRE_RESULT_HISTOGRAM,
  VYRE_RESULT_WORDS,
  VYRE_RESULT_AUDIO,
  VYRE_RESULT_DIFFERENCE,
  VYRE_RESULT_BOUNDS,
  VYRE_RESULT_GRID,
  VYRE_RESULT_SSIM,
  VYRE_RESULT_LOUD,
  VYRE_RESULT_U64,
  VYRE_RESULT_I32,
  VYRE_RESULT_I64,
  VYRE_RESULT_F32,
  VYRE_RESULT_F64,
} VyreResultType;

/**
 * VYRE_MAX_CHANNELS:
 *
 * The most channels of audio that symbols can define.
 */
#define VYRE_MAX_CHANNELS 256

/**
 * VyreResourceKind:
 * @VYRE_RESOURCE_FILE: a file that is read as a whole, and stays resident while there is room
 * @VYRE_RESOURCE_SINK: a file that is appended to
 *
 * The use of a resource.
 */
typedef enum {
  VYRE_RESOURCE_FILE,
  VYRE_RESOURCE_SINK,
} VyreResourceKind;

/**
 * VyreResource:
 * @kind: its use
 * @path: (type filename): the file, relative to the root of the grant of its plan, or else to the
 *   working directory of the process
 *
 * A file that a program names. Its number is its index in the program.
 */
typedef struct {
  VyreResourceKind kind;
  const char *path;
} VyreResource;

/**
 * VyreResult:
 * @name: a lower-case name of letters, digits and hyphens that starts with a letter
 * @type: the meaning of its words
 * @observable: index of its first observable word
 * @n_words: number of words
 * @units: (nullable): the unit of what the statement counts, a space, and that of values; or one
 *   unit; %NULL: the numbers mean what the program makes of them
 *
 * A named result of a program. Its units are those that the program declares, or else those of the
 * opcode that it names, even where binding puts another in its place.
 */
typedef struct {
  const char *name;
  VyreResultType type;
  guint observable;
  guint n_words;
  const char *units;
} VyreResult;

/**
 * VyreState:
 * @observable: index of the first
 * @n_words: number of words
 * @source: index of the first observable of the batch before that they start as
 * @formula: (nullable): what one word starts as, from the results of the batch before; %NULL: words
 *   from @source on
 *
 * Observables in a row that live from batch to batch.
 */
typedef struct {
  guint observable;
  guint n_words;
  guint source;
  VyreFormula *formula;
} VyreState;

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

/**
 * VyreParam:
 * @name: a name of a-z, 0-9 and '_' that starts with a letter
 * @value: its number, times @divisor
 * @divisor: what @value is divided by, 1 of a whole number, 1000000000 at most; 0 counts as 1
 *
 * A number that a program declares with "param", and that a caller may replace: @value / @divisor,
 * which is exact and below 4294967296.
 */
typedef struct {
  const char *name;
  guint64 value;
  guint32 divisor;
} VyreParam;

/**
 * VyreProgram:
 *
 * A program, assembled and not bound.
 */
typedef struct _VyreProgram VyreProgram;
/**
 * VyreSymbols:
 *
 * The symbols of a stream and their values.
 */
typedef struct _VyreSymbols VyreSymbols;

/**
 * VyreBoundProgram:
 * @slots: (array length=n_slots): VYRE_SLOT_WORDS words per slot, status PUBLISHED
 *   for the program's slots, all zero (EMPTY) for those that only fill the ring up
 * @n_slots: slots in the ring, ≥ 1
 * @n_used: how many of them, from the first, the program published
 * @n_observables: observable words behind the control header
 * @results: (array length=n_results): the named results that this binding computes
 * @n_results: number of @results
 * @resources: (array length=n_resources): the files that the program names
 * @n_resources: number of @resources
 * @states: (array length=n_states): the observables that start as the batch before left them, or
 *   others
 * @n_states: number of @states
 * @keep: (nullable): the reference stays while this holds or is open; %NULL: it stays
 * @events: (array length=n_events): the events that this binding decides
 * @n_events: number of @events
 * @formulas: the named expressions that states, conditions and values share
 * @sequence_slot: the BATCH_FENCE slot whose ARG1 becomes the sequence number of the batch,
 *   or -1
 *
 * A program bound to the geometry of one stream and to one payload size. Read only.
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
  VyreState *states;
  guint n_states;
  VyreCondition *keep;
  VyreEvent *events;
  guint n_events;
  VyreFormulas *formulas;
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
 * Reads a program from a file and assembles it. If the file is no program, the error quotes at most
 * 24 bytes of it, from the word that has no meaning; if it is no text, or longer than a program may
 * be, the error quotes nothing.
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
 * Makes a program from one string, such as the value of a property.
 *
 * Returns: (transfer full) (nullable): the program, or %NULL with @error set
 */
VyreProgram *vyre_program_from_string (const char *program, GError **error);

/**
 * vyre_program_list_builtins:
 *
 * Lists the built-in programs.
 *
 * Returns: (transfer none) (array zero-terminated=1): the names that
 *   vyre_program_builtin() knows
 */
const char *const *vyre_program_list_builtins (void);

/**
 * vyre_program_get_params:
 * @program: a program
 * @n_params: (out): their number
 *
 * Lists the params that a program declares, in the order of its text, with the values that it was
 * made with.
 *
 * Returns: (transfer none) (array length=n_params): the params, valid as long as @program
 */
const VyreParam *vyre_program_get_params (const VyreProgram *program, guint *n_params);

/**
 * vyre_program_with_params:
 * @program: a program
 * @params: (array length=n_params): values for some of its params, each once; the others have their
 *   defaults
 * @n_params: their number
 * @error: return location for %VYRE_ERROR_INVALID: @program declares no param of such a name, or a
 *   number is out of range, or the errors of vyre_program_assemble(): a value does not suit the
 *   place where it is used
 *
 * Makes a program of the same text with other numbers. Its id is that of @program without params,
 * "?", and the values that @params has, such as "builtin:frame-stats?black=20" or "?black=41/2".
 *
 * Returns: (transfer full) (nullable): the program, or %NULL with @error set
 */
VyreProgram *vyre_program_with_params (
    VyreProgram *program, const VyreParam *params, guint n_params, GError **error);

/**
 * vyre_program_ref:
 * @program: a program
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @program with one more reference
 */
VyreProgram *vyre_program_ref (VyreProgram *program);

/**
 * vyre_program_unref:
 * @program: (nullable) (transfer full): a program
 *
 * Drops a reference; the last one frees the program. A bound program keeps the program that it was
 * bound from.
 */
void vyre_program_unref (VyreProgram *program);

/**
 * vyre_program_get_id:
 * @program: a program
 *
 * Gets the identity of a program.
 *
 * Returns: (transfer none): the identity of the program in messages and
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
 * Makes symbols without values, as for a stream of unknown format.
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
 * Copies symbols.
 *
 * Returns: (transfer full) (nullable): a copy that changes independently, %NULL
 *   for %NULL; free with vyre_symbols_free()
 */
VyreSymbols *vyre_symbols_copy (const VyreSymbols *symbols);

/**
 * vyre_symbols_free:
 * @symbols: (nullable) (transfer full): the symbols to free
 *
 * Frees @symbols. Programs that were bound with them no longer need them.
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
 * @region: its place in the payload, in bytes
 *
 * Defines a region and its numbers: .offset, .width, .rows, .stride as in @region,
 * and .size, the bytes from its first to its last. It is a programming error to
 * pass a symbol outside the vocabulary, payload, or a region of 4 GiB or more.
 */
void vyre_symbols_set_region (VyreSymbols *symbols, const char *symbol, const VyreRegion *region);

/**
 * vyre_symbols_set_component:
 * @symbols: the symbols to change
 * @component: luma, u, v, red, green, blue or alpha
 * @region: the place of its samples in the payload, in bytes: each row starts with the first
 *   sample's container and ends with that of the last
 * @samples: how they lie in a row, as VYRE_SAMPLES of abi.h makes it of the bytes from one
 *   container to the next (1 to 255, a multiple of the container's size), the size (1, 2 or 4
 *   bytes), whether a container of 2 bytes is big endian, the lowest bit of the sample and its
 *   bits (1 to 16); or of every how manieth of the samples that share words in threes is one of
 *   the component (1, 2, 3, 4, 6 or 12), 3, 0, the number of the first, and 10
 *
 * Defines a component and its .scale, 2 to the power of its bits less 8, or 1. Where samples are
 * bytes side by side, luma, u and v are regions, too, and vyre_symbols_set_region() of one defines
 * the component. It is a programming error to pass another name, samples that cannot lie so, or a
 * region of 4 GiB or more.
 */
void vyre_symbols_set_component (
    VyreSymbols *symbols, const char *component, const VyreRegion *region, guint32 samples);

/**
 * vyre_symbols_set_bottom:
 * @symbols: the symbols to change
 * @name: plane0 to plane3, luma, u, v, red, green, blue or alpha
 * @bottom: %TRUE: its first row is of the bottom field of an interlaced frame
 *
 * Says which rows of a region and component top( ) and bottom( ) name. The first row is of the top
 * field unless this says otherwise; it has to be said again when the region or the component is
 * defined again. It is a programming error to pass another name.
 */
void vyre_symbols_set_bottom (VyreSymbols *symbols, const char *name, gboolean bottom);

/**
 * vyre_symbols_set_paired:
 * @symbols: the symbols to change
 * @paired: (nullable): the symbols of another buffer, whose channels do not count; NULL: there is
 *   none
 * @offset: where that buffer starts in the payload, in bytes
 * @size: its size in bytes, 0 without one; the payload ends with it, below 4 GiB
 *
 * Defines the regions and components that paired( ) names: those of a buffer that lies behind the
 * own one in each payload. The region payload ends in front of it. It is a programming error to
 * pass an end of 4 GiB or more.
 */
void vyre_symbols_set_paired (
    VyreSymbols *symbols, const VyreSymbols *paired, guint32 offset, guint32 size);

/**
 * vyre_symbols_set_channel:
 * @symbols: the symbols to change
 * @channel: number of the channel, below %VYRE_MAX_CHANNELS
 * @offset: byte of the payload where the first sample of the channel starts
 * @length: bytes from there to the end of the last sample; a sample that does not fit is none
 * @samples: how they lie, as VYRE_AUDIO of abi.h makes it of the bytes from one sample to the next
 *   (up to 65535), the size of a sample (1 to 4 bytes), whether it is big endian, its kind
 *   (VYRE_AUDIO_SIGNED, _UNSIGNED or _FLOAT) and its bits (2 to 32, the lowest; 32 of a float)
 *
 * Defines channel0 to channel255 and their .full_scale, the level of full scale. It is a
 * programming error to pass samples that cannot lie so.
 */
void vyre_symbols_set_channel (
    VyreSymbols *symbols, guint channel, guint32 offset, guint32 length, guint32 samples);

/**
 * vyre_symbols_set_stream:
 * @symbols: the symbols to change
 * @stream: (nullable): the content of the stream, such as "RGB video", or %NULL for unknown, the
 *   default
 *
 * Names the content of the stream. The name defines no symbol: the message of a %VYRE_ERROR_UNBOUND
 * quotes it beside the symbol without a value.
 */
void vyre_symbols_set_stream (VyreSymbols *symbols, const char *stream);

/**
 * vyre_program_bind:
 * @program: a program
 * @symbols: (nullable): the symbols of the stream; %NULL for none
 * @payload_size: bytes in the payload, at most 4 GiB - 1
 * @slot_count: slots in the ring, at most 1048576; 0 for as many as needed
 * @observable_slots: observable words, at most VYRE_MAX_OBSERVABLES; 0 for as many
 *   as the results and the fence's tag need
 * @error: return location for %VYRE_ERROR_UNBOUND: a symbol has no value;
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
 * Takes a reference.
 *
 * Returns: (transfer full): @bound with one more reference
 */
VyreBoundProgram *vyre_bound_program_ref (VyreBoundProgram *bound);

/**
 * vyre_bound_program_unref:
 * @bound: (nullable) (transfer full): a bound program
 *
 * Drops a reference; the last one frees the bound program, its slots and its results.
 */
void vyre_bound_program_unref (VyreBoundProgram *bound);

/**
 * vyre_disassemble:
 * @slots: (array): VYRE_SLOT_WORDS words per slot, as in a ring; may be %NULL when
 *   @n_slots is 0
 * @n_slots: number of slots
 *
 * Writes slots as a program. If all of them are PUBLISHED, but for EMPTY ones at the end, and the
 * text keeps within the limits of a program, it assembles and binds to the same words, with any
 * payload and with @n_slots as the slot count. Slots with another status, or with a priority that
 * does not exist, become comments.
 *
 * Returns: (transfer full): the text, one line per slot; free with g_free()
 */
char *vyre_disassemble (const guint32 *slots, guint n_slots);

/**
 * vyre_opcode_name:
 * @opcode: an opcode, as in word VYRE_SLOT_OPCODE of a slot
 *
 * Looks up the name of an opcode.
 *
 * Returns: (nullable) (transfer none): the lower-case name that the program
 *   language gives @opcode, or %NULL when it has none
 */
const char *vyre_opcode_name (guint32 opcode);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreProgram, vyre_program_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreSymbols, vyre_symbols_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreBoundProgram, vyre_bound_program_unref)

G_END_DECLS

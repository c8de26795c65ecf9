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

VyreProgram *vyre_program_assemble (const char *text, GError **error);
VyreProgram *vyre_program_load (const char *path, GError **error);
VyreProgram *vyre_program_builtin (const char *name, GError **error);
VyreProgram *vyre_program_from_string (const char *program, GError **error);
const char *const *vyre_program_list_builtins (void);
VyreProgram *vyre_program_ref (VyreProgram *program);
void vyre_program_unref (VyreProgram *program);
const char *vyre_program_get_id (const VyreProgram *program);

VyreSymbols *vyre_symbols_new (void);
VyreSymbols *vyre_symbols_copy (const VyreSymbols *symbols);
void vyre_symbols_free (VyreSymbols *symbols);
void vyre_symbols_set (VyreSymbols *symbols, const char *symbol, guint32 value);
void vyre_symbols_set_region (VyreSymbols *symbols, const char *symbol, const VyreRegion *region);
void vyre_symbols_set_stream (VyreSymbols *symbols, const char *stream);

VyreBoundProgram *vyre_program_bind (VyreProgram *program, const VyreSymbols *symbols,
    gsize payload_size, guint slot_count, guint observable_slots, GError **error);
VyreBoundProgram *vyre_bound_program_ref (VyreBoundProgram *bound);
void vyre_bound_program_unref (VyreBoundProgram *bound);

char *vyre_disassemble (const guint32 *slots, guint n_slots);

const char *vyre_opcode_name (guint32 opcode);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreProgram, vyre_program_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreSymbols, vyre_symbols_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreBoundProgram, vyre_bound_program_unref)

G_END_DECLS

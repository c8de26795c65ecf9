/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the parsed form of a program, and the interface between the parts of the parser:
 * program/statements.c reads statements, program/operands.c and program/channels.c their operands,
 * program/result-types.c types of results, program/expressions.c expressions, program/values.c
 * fields of results, program/conditions.c
 * comparisons of them, program/state-words.c declarations of state, program/fields.c fields of
 * frames, program/part.c parts of them, program/keep.c which payload is the reference,
 * program/events.c events, program/lets.c names of numbers, program/resources.c names of files.
 * program/formulas.c and program/decisions.c bind what is calculated from results.
 */
#pragma once

#include <glib.h>

#include "program/expr.h"
#include "program/lexer.h"
#include "program/opcodes.h"

G_BEGIN_DECLS

#define VYRE_PROGRAM_MAX_SLOTS 65536u
#define VYRE_PROGRAM_MAX_RESOURCES 64u

/* The expressions every program starts with: nodes[0] is 0, nodes[1] is NORMAL. */
#define VYRE_EXPR_ZERO ((VyreExpr){ 0, 1 })
#define VYRE_EXPR_NORMAL ((VyreExpr){ 1, 1 })

/* An opcode and its argument words; args[first_arg] … are its expressions. */
typedef struct {
  VyreExpr opcode;
  guint32 first_arg;
  guint32 n_args;
} VyreOperation;

/* A statement that makes a slot. */
typedef struct {
  const VyreOpcode *info; /* NULL: "op" */
  VyreOperation operation;
  VyreExpr tenant;
  VyreExpr priority;
  guint32 offset;
  guint32 first_inner; /* of packed_slot: inner[first_inner] … */
  guint32 n_inner;
  gboolean optional;
  gboolean sequence; /* ARG1 is to be the batch's sequence number */
  guint32
      from; /* the payload that its region is of, VYRE_FROM_…, and from bit 2 on the other one */
} VyreStatement;

/* A result's name, from the first time that it is seen. */
typedef struct {
  const char *name;
  VyreResultType type;
  const char *units; /* as in VyreResult */
  guint32 words;
  guint32 offset; /* of its definition; before that, of its first use */
  gint statement; /* the optional statement that computes it, or -1 */
  gboolean defined;
  gboolean is_signed; /* a type says so, or state starts as a signed value */
  gboolean shared;    /* further statements may write the same word */
} VyreName;

/* The value of a result in a condition: words of it, low first. */
typedef struct {
  guint32 name;      /* index into names */
  const char *field; /* NULL: the result is a number */
  gboolean optional; /* 0 where the result is left out */
  guint32 offset;
  guint32 word; /* from here on known behind the whole text */
  guint32 n_words;
  gboolean is_signed;
} VyreValue;

/* "left kind right" over the results of a batch. */
typedef struct {
  VyreExpr left;
  VyreExpr right;
  guint kind; /* a token's */
} VyreComparison;

/* Comparisons, all of which have to hold; none where there is no condition. */
typedef struct {
  guint32 first; /* index into comparisons */
  guint32 n;
} VyreConditionStatement;

/* A number that an event carries. */
typedef struct {
  const char *name;
  VyreExpr expr;
} VyreValueStatement;

/* A declaration of state; @from is empty where words of a result are copied. */
typedef struct {
  VyreState state;
  VyreExpr from;
} VyreStateStatement;

/* An event; its time has a unit, in ns. */
typedef struct {
  const char *name;
  gboolean of_reference; /* the condition is the one that keeps the reference */
  gboolean of_quiet;     /* runs of quiet samples, where the condition holds */
  VyreExpr loud;         /* of_quiet: the value count of a result of audio_loud */
  VyreExpr rate;         /* of_quiet */
  VyreConditionStatement condition;
  VyreConditionStatement while_open; /* keeps an interval open in its place */
  VyreExpr time;
  guint32 unit;
  guint n_values;
  VyreValueStatement values[VYRE_MOST_EVENT_VALUES];
} VyreEventStatement;

struct _VyreProgram {
  gatomicrefcount refs;
  char *id;
  char *text;
  GStringChunk *strings;
  GArray *nodes;               /* VyreNode */
  GArray *args;                /* VyreExpr */
  GArray *inner;               /* VyreOperation */
  GArray *statements;          /* VyreStatement */
  GArray *lets;                /* VyreExpr */
  GArray *names;               /* VyreName */
  GArray *observables;         /* guint32, the first of each name */
  GArray *results;             /* guint32, indices into names, in the order of definition */
  GArray *resources;           /* VyreResource */
  GArray *states;              /* VyreStateStatement */
  GArray *params;              /* VyreParam */
  GArray *values;              /* VyreValue */
  GArray *formulas;            /* VyreExpr, the lets over results */
  GArray *events;              /* VyreEventStatement */
  GArray *comparisons;         /* VyreComparison */
  VyreConditionStatement keep; /* the reference stays while it holds */
  guint32 n_observables;
};

typedef struct {
  VyreProgram *program;
  VyreLexer lexer;
  GHashTable *lets;  /* name -> index into program->lets */
  GHashTable *names; /* name -> index into program->names */
  GError **error;
  guint depth;
  gboolean no_fence;
  gboolean has_fence;
  gboolean has_sequence;
  gboolean reads_reference; /* first at reference_offset */
  guint32 reference_offset;
  gboolean follows_reference; /* an event does, first at follows_offset */
  guint32 follows_offset;
  guint32 first_symbol; /* of the buffer that a name is of: 0, or VYRE_FIRST_PAIRED */
  guint32 next_observable;
  const VyreParam *params; /* values in the place of defaults */
  guint n_params;
} VyreParser;

/* The most params, and the most events, of a program: their names are compared one by one. */
#define VYRE_MOST_NAMED 4096

/* The most lets over results of a program: a calculation has room for their numbers. */
#define VYRE_MOST_FORMULAS 64

/* The most arguments of a statement: luma, the index, and the five of each component of chroma. */
#define VYRE_CHROMA_FIRST_ARG (VYRE_REGION_ARG_SAMPLES + 1)
#define VYRE_COMPONENT_ARGS 5
#define VYRE_OPERATION_MAX_ARGS (VYRE_CHROMA_FIRST_ARG + 2 * VYRE_COMPONENT_ARGS)

/* The arguments of an operation while it is read. */
typedef struct {
  VyreExpr args[VYRE_OPERATION_MAX_ARGS];
  guint n_args;
  guint n_operands;
  guint words;        /* of the target, where an operand says it */
  guint32 from;       /* the payload that the region is of */
  gboolean is_paired; /* the region is of the paired buffer */
  gboolean sequence;
} VyreOperands;

VyreProgram *vyre_program_new_from_text (const char *text, const char *id, GError **error);
VyreProgram *vyre_program_new_with (
    const char *text, const char *id, const VyreParam *params, guint n_params, GError **error);
gboolean vyre_program_parse (
    VyreProgram *program, const VyreParam *params, guint n_params, GError **error);
const char *vyre_builtin_text (const char *name);

gboolean vyre_parser_fail (VyreParser *parser, guint32 offset, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
gboolean vyre_parser_unexpected (VyreParser *parser, const char *expected);
gboolean vyre_parser_next (VyreParser *parser);
gboolean vyre_parser_expect (VyreParser *parser, guint kind, const char *expected);
VyreExpr vyre_parser_leaf (VyreParser *parser, VyreNodeKind kind, guint32 value, guint32 offset);
VyreExpr vyre_parser_number (VyreParser *parser, VyreNumber number, guint32 offset);
gboolean vyre_parser_expr (VyreParser *parser, VyreExpr *expr);
gboolean vyre_parser_limited_expr (
    VyreParser *parser, VyreNodeKind limit, guint32 value, VyreExpr *expr);
gboolean vyre_parser_word_count (VyreParser *parser, VyreOperands *operands);
gboolean vyre_parser_define_result (VyreParser *parser, guint32 id, guint32 offset,
    const VyreOpcode *info, guint words, gint optional_statement);
gboolean vyre_parser_list (VyreParser *parser, const char *usage, guint n, VyreExpr *exprs);
gboolean vyre_parser_channel (VyreParser *parser, VyreOperands *operands);
guint32 vyre_parser_find_result (VyreParser *parser);
gboolean vyre_parser_result_type (VyreParser *parser, guint32 id, guint32 offset);
gboolean vyre_parser_operand (VyreParser *parser, VyreOperandKind kind, VyreOperands *operands);
gboolean vyre_parser_target (
    VyreParser *parser, const VyreOpcode *info, gint optional_statement, VyreOperands *operands);
gboolean vyre_parser_is_field (const VyreParser *parser);
void vyre_parser_take_field (VyreParser *parser, gboolean bottom, VyreExpr *args);
gboolean vyre_parser_take_part (VyreParser *parser, VyreExpr *args);
gboolean vyre_parser_let (VyreParser *parser);
gboolean vyre_parser_param (VyreParser *parser);
char *vyre_parser_new_name (VyreParser *parser);
void vyre_parser_define_let (VyreParser *parser, const char *name, VyreExpr expr);
gboolean vyre_parser_resource (VyreParser *parser);
gboolean vyre_parser_state (VyreParser *parser);
gboolean vyre_parser_keep (VyreParser *parser);
gboolean vyre_parser_check_keep (VyreParser *parser);
gboolean vyre_parser_value (VyreParser *parser, gboolean optional);
gboolean vyre_parser_resolve_value (VyreParser *parser, VyreValue *value);
gboolean vyre_parser_check_values (VyreParser *parser);
gboolean vyre_parser_condition (VyreParser *parser, VyreConditionStatement *condition);
gboolean vyre_parser_event (VyreParser *parser);
gboolean vyre_parser_check_events (VyreParser *parser);
gboolean vyre_decisions_bind (
    const VyreProgram *program, VyreScope *scope, VyreBoundProgram *bound, GError **error);
void vyre_decisions_free (VyreBoundProgram *bound);

G_END_DECLS

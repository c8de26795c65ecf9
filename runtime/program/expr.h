/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: expressions. The parser writes them in postfix order into one array
 * of nodes; binding evaluates them with the numbers of a stream. Constant parts
 * are folded while parsing, by the same functions that evaluate them later.
 */
#pragma once

#include <glib.h>

#include "program/number.h"
#include "program/symbols.h"

G_BEGIN_DECLS

/* The most levels of parentheses, and the values that an evaluation keeps: every level waits for at
 * most one sum, one product and the first of two numbers in parentheses. */
#define VYRE_EXPR_MAX_DEPTH 64
#define VYRE_EXPR_STACK (3 * (VYRE_EXPR_MAX_DEPTH + 1) + 1)

typedef enum {
  /* leaves */
  VYRE_NODE_NUMBER,       /* number */
  VYRE_NODE_SYMBOL,       /* the number of symbol @value */
  VYRE_NODE_LET,          /* let number @value */
  VYRE_NODE_RESULT_WORD,  /* control word of result @value */
  VYRE_NODE_RESULT_INDEX, /* observable index of result @value */
  VYRE_NODE_OTHER_SLOTS,  /* the program's slots less one */
  VYRE_NODE_VALUE,        /* value number @value of the program; in formulas alone, as is: */
  VYRE_NODE_FORMULA,      /* let over results, of number @value */
  /* of two numbers */
  VYRE_NODE_ADD,
  VYRE_NODE_SUBTRACT,
  VYRE_NODE_MULTIPLY,
  VYRE_NODE_DIVIDE,
  VYRE_NODE_REMAINDER,
  VYRE_NODE_LEAST,
  VYRE_NODE_GREATEST,
  /* of one number: it passes when it is in range */
  VYRE_NODE_THRESHOLD,
  VYRE_NODE_PRIORITY,
  VYRE_NODE_INNER_OPCODE,
  VYRE_NODE_TARGET_INDEX, /* an observable index; value: words behind it */
  VYRE_NODE_TARGET_WORD,  /* the same, and turns it into a control word */
} VyreNodeKind;

typedef struct {
  VyreNodeKind kind;
  guint32 offset; /* in the text */
  guint32 value;
  VyreNumber number; /* of VYRE_NODE_NUMBER */
} VyreNode;

/* A run of nodes. */
typedef struct {
  guint32 first;
  guint32 n;
} VyreExpr;

typedef enum {
  VYRE_FAILURE_NONE,
  VYRE_FAILURE_UNBOUND,
  VYRE_FAILURE_ABOVE,
  VYRE_FAILURE_TOO_FINE,
  VYRE_FAILURE_BELOW,
  VYRE_FAILURE_DIVISION,
  VYRE_FAILURE_THRESHOLD,
  VYRE_FAILURE_PRIORITY,
  VYRE_FAILURE_INNER_OPCODE,
  VYRE_FAILURE_INNER_FENCE,
  VYRE_FAILURE_TARGET,
} VyreFailureKind;

/* The reason why an expression has no value. It becomes a GError only where that matters:
 * optional statements and unused lets may fail. */
typedef struct {
  VyreFailureKind kind;
  guint32 offset;
  guint32 symbol;     /* of VYRE_FAILURE_UNBOUND */
  const char *stream; /* the stream without that symbol, or NULL; owned by the symbols */
  gboolean is_audio;  /* that stream */
} VyreFailure;

/* A let, evaluated: @value counts when there is no failure. */
typedef struct {
  VyreNumber value;
  VyreFailure failure;
} VyreLetValue;

/* The values that an expression is evaluated with. */
typedef struct {
  const VyreNode *nodes;
  const VyreSymbols *symbols;
  const VyreLetValue *lets;
  const guint32 *results; /* first observable of each result */
  guint32 other_slots;
  guint32 observables; /* grows to hold every VYRE_NODE_TARGET_… seen */
} VyreScope;

VyreFailureKind vyre_node_apply (VyreNodeKind kind, VyreNumber a, VyreNumber b, VyreNumber *value);
gboolean vyre_expr_eval (VyreScope *scope, VyreExpr expr, guint32 *value, VyreFailure *failure);
gboolean vyre_expr_eval_exact (
    VyreScope *scope, VyreExpr expr, VyreNumber *value, VyreFailure *failure);
void vyre_failure_set_error (
    const VyreFailure *failure, const char *text, VyreError code, GError **error);

G_END_DECLS

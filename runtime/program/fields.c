/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * "top(C)" and "bottom(C)": the rows of one field of an interlaced frame, which are every other
 * row.
 */
#include <string.h>

#include "program/statements.h"
#include "program/symbols.h"

/* A node of an expression; the value of a symbol is the argument whose node it is. */
typedef struct {
  VyreNodeKind kind;
  guint32 value;
} FieldStep;

/* Behind the arguments of a region: which field its first row is of. */
#define FIELD_FIRST (VYRE_REGION_ARG_STRIDE + 1)

#define OFFSET                                                                                     \
  {                                                                                                \
    VYRE_NODE_SYMBOL, VYRE_REGION_ARG_OFFSET                                                       \
  }
#define ROWS                                                                                       \
  {                                                                                                \
    VYRE_NODE_SYMBOL, VYRE_REGION_ARG_ROWS                                                         \
  }
#define STRIDE                                                                                     \
  {                                                                                                \
    VYRE_NODE_SYMBOL, VYRE_REGION_ARG_STRIDE                                                       \
  }
#define NUMBER(n)                                                                                  \
  {                                                                                                \
    VYRE_NODE_NUMBER, n                                                                            \
  }
#define ADD                                                                                        \
  {                                                                                                \
    VYRE_NODE_ADD, 0                                                                               \
  }
#define TIMES                                                                                      \
  {                                                                                                \
    VYRE_NODE_MULTIPLY, 0                                                                          \
  }
#define TAKE                                                                                       \
  {                                                                                                \
    VYRE_NODE_SUBTRACT, 0                                                                          \
  }
#define FIRST                                                                                      \
  {                                                                                                \
    VYRE_NODE_SYMBOL, FIELD_FIRST                                                                  \
  }
#define BY                                                                                         \
  {                                                                                                \
    VYRE_NODE_DIVIDE, 0                                                                            \
  }

/* The first row is of the top field, or, where FIRST is 1, of the bottom one. */
#define ROWS_OF_TOP ROWS, NUMBER (1), ADD, FIRST, TAKE, NUMBER (2), BY
#define ROWS_OF_BOTTOM ROWS, FIRST, ADD, NUMBER (2), BY

/* 1, or 0 where there are no rows: n of them have 2 * n / (n + 1) = 1 from 1 on. */
#define ANY(rows) rows, NUMBER (2), TIMES, rows, NUMBER (1), ADD, BY

static const FieldStep field_rows_of_top[] = { ROWS_OF_TOP };
static const FieldStep field_rows_of_bottom[] = { ROWS_OF_BOTTOM };
static const FieldStep field_stride[] = { STRIDE, NUMBER (2), TIMES };

/* offset + stride where the field's first row is the second, or offset where it has none. */
static const FieldStep field_offset_of_top[]
    = { OFFSET, STRIDE, FIRST, TIMES, ANY (ROWS_OF_TOP), TIMES, ADD };
static const FieldStep field_offset_of_bottom[]
    = { OFFSET, STRIDE, NUMBER (1), FIRST, TAKE, TIMES, ANY (ROWS_OF_BOTTOM), TIMES, ADD };

static VyreExpr
field_build (VyreParser *parser, const VyreExpr *args, const FieldStep *steps, guint n)
{
  VyreExpr expr = { parser->program->nodes->len, n };

  for (guint i = 0; i < n; i++) {
    VyreNode of = { .offset = parser->lexer.token.offset, .value = steps[i].value };
    if (steps[i].kind == VYRE_NODE_SYMBOL)
      of = g_array_index (
          parser->program->nodes, VyreNode, args[steps[i].value % FIELD_FIRST].first);
    if (steps[i].kind == VYRE_NODE_SYMBOL && steps[i].value == FIELD_FIRST)
      of.value = VYRE_BOTTOM_OF (of.value); /* the offset's, which is the first argument */
    vyre_parser_leaf (parser, steps[i].kind, of.value, of.offset);
  }
  return expr;
}

/* Whether the current token is a field. */
gboolean
vyre_parser_is_field (const VyreParser *parser)
{
  return vyre_lexer_is (&parser->lexer, "top") || vyre_lexer_is (&parser->lexer, "bottom");
}

/* Has @args, the symbols of a component, be those of its rows in one field. */
void
vyre_parser_take_field (VyreParser *parser, gboolean bottom, VyreExpr *args)
{
  VyreExpr frame[VYRE_REGION_ARG_STRIDE + 1];

  memcpy (frame, args, sizeof frame);
  args[VYRE_REGION_ARG_STRIDE]
      = field_build (parser, frame, field_stride, G_N_ELEMENTS (field_stride));
  args[VYRE_REGION_ARG_ROWS]
      = bottom
            ? field_build (parser, frame, field_rows_of_bottom, G_N_ELEMENTS (field_rows_of_bottom))
            : field_build (parser, frame, field_rows_of_top, G_N_ELEMENTS (field_rows_of_top));
  args[VYRE_REGION_ARG_OFFSET] = bottom ? field_build (parser, frame, field_offset_of_bottom,
                                     G_N_ELEMENTS (field_offset_of_bottom))
                                        : field_build (parser, frame, field_offset_of_top,
                                            G_N_ELEMENTS (field_offset_of_top));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * "part(C, x, y, width, height)": the samples of a component in a rectangle of it. What is outside
 * of the component is left out.
 */
#include <string.h>

#include "program/statements.h"

/* Levels of parentheses that the expressions below add to those of the rectangle's numbers. */
#define PART_DEPTH 2

/* The arguments of the whole component, and the rectangle: x, y, width and height. */
typedef struct {
  VyreParser *parser;
  guint32 offset; /* in the text */
  VyreExpr whole[VYRE_REGION_ARG_SAMPLES + 1];
  VyreExpr rectangle[4];
} Part;

enum { PART_X, PART_Y, PART_WIDTH, PART_HEIGHT };

/* Appends a copy of an expression. */
static void
part_push (const Part *part, VyreExpr expr)
{
  for (guint32 i = expr.first; i < expr.first + expr.n; i++) {
    VyreNode node = g_array_index (part->parser->program->nodes, VyreNode, i);
    g_array_append_val (part->parser->program->nodes, node);
  }
}

static void
part_push_operator (const Part *part, VyreNodeKind kind)
{
  vyre_parser_leaf (part->parser, kind, 0, part->offset);
}

/* Appends "kind number". */
static void
part_push_step (const Part *part, VyreNodeKind kind, guint32 number)
{
  vyre_parser_leaf (part->parser, VYRE_NODE_NUMBER, number, part->offset);
  part_push_operator (part, kind);
}

/* Appends the bytes from one sample to the next. */
static void
part_push_apart (const Part *part)
{
  G_STATIC_ASSERT (VYRE_SAMPLES_APART (0xFFFFFFFFu) == 255);
  part_push (part, part->whole[VYRE_REGION_ARG_SAMPLES]);
  part_push_step (part, VYRE_NODE_REMAINDER, 256);
}

/* Appends the bytes of a sample. */
static void
part_push_bytes (const Part *part)
{
  G_STATIC_ASSERT (VYRE_SAMPLES_BYTES (0xFFFFFFFFu) == 7 && VYRE_SAMPLES_BYTES (256u) == 1);
  part_push (part, part->whole[VYRE_REGION_ARG_SAMPLES]);
  part_push_step (part, VYRE_NODE_DIVIDE, 256);
  part_push_step (part, VYRE_NODE_REMAINDER, 8);
}

/* Appends how many samples the component has along an axis. */
static void
part_push_length (const Part *part, guint axis)
{
  if (axis == PART_Y) {
    part_push (part, part->whole[VYRE_REGION_ARG_ROWS]);
    return;
  }
  part_push (part, part->whole[VYRE_REGION_ARG_WIDTH]);
  part_push_apart (part);
  part_push_operator (part, VYRE_NODE_ADD);
  part_push_bytes (part);
  part_push_operator (part, VYRE_NODE_SUBTRACT);
  part_push_apart (part);
  part_push_operator (part, VYRE_NODE_DIVIDE);
}

/* Appends where the part starts along an axis, in samples. */
static void
part_push_start (const Part *part, guint axis)
{
  part_push (part, part->rectangle[axis]);
  part_push_step (part, VYRE_NODE_DIVIDE, 1); /* without its fraction */
  part_push_length (part, axis);
  part_push_operator (part, VYRE_NODE_LEAST);
}

/* Appends how many samples the part has along an axis. */
static void
part_push_size (const Part *part, guint axis)
{
  part_push (part, part->rectangle[PART_WIDTH + axis]);
  part_push_step (part, VYRE_NODE_DIVIDE, 1);
  part_push_length (part, axis);
  part_push_start (part, axis);
  part_push_operator (part, VYRE_NODE_SUBTRACT);
  part_push_operator (part, VYRE_NODE_LEAST);
}

/* Appends "· min (size, 1)": 0 for a part without samples. */
static void
part_push_if_any (const Part *part, guint axis)
{
  part_push_size (part, axis);
  part_push_step (part, VYRE_NODE_LEAST, 1);
  part_push_operator (part, VYRE_NODE_MULTIPLY);
}

/* Appends offset + y * stride + x * apart, or 0 where that may be behind the payload. */
static void
part_push_offset (const Part *part)
{
  part_push (part, part->whole[VYRE_REGION_ARG_OFFSET]);
  part_push_start (part, PART_Y);
  part_push (part, part->whole[VYRE_REGION_ARG_STRIDE]);
  part_push_operator (part, VYRE_NODE_MULTIPLY);
  part_push_operator (part, VYRE_NODE_ADD);
  part_push_start (part, PART_X);
  part_push_apart (part);
  part_push_operator (part, VYRE_NODE_MULTIPLY);
  part_push_operator (part, VYRE_NODE_ADD);
  part_push_if_any (part, PART_X);
  part_push_if_any (part, PART_Y);
}

/* Appends the bytes from the first sample of a row to the end of the last, 0 without one: max (n *
 * apart + bytes, apart) - apart. */
static void
part_push_width (const Part *part)
{
  part_push_size (part, PART_X);
  part_push_apart (part);
  part_push_operator (part, VYRE_NODE_MULTIPLY);
  part_push_bytes (part);
  part_push_operator (part, VYRE_NODE_ADD);
  part_push_apart (part);
  part_push_operator (part, VYRE_NODE_GREATEST);
  part_push_apart (part);
  part_push_operator (part, VYRE_NODE_SUBTRACT);
}

/* Reads ", x, y, width, height" behind a component. */
static gboolean
part_parse_rectangle (Part *part)
{
  VyreParser *parser = part->parser;

  for (guint i = 0; i < G_N_ELEMENTS (part->rectangle); i++) {
    if (!vyre_parser_expect (parser, ',', "part(component, x, y, width, height)")
        || !vyre_parser_expr (parser, &part->rectangle[i]))
      return FALSE;
  }
  return TRUE;
}

/* Reads the rectangle of a part, and has @args, those of a component, be those of its samples
 * there. */
gboolean
vyre_parser_take_part (VyreParser *parser, VyreExpr *args)
{
  Part part = { .parser = parser, .offset = parser->lexer.token.offset };
  const GArray *nodes = parser->program->nodes;

  memcpy (part.whole, args, sizeof part.whole);
  parser->depth += PART_DEPTH;
  gboolean parsed = part_parse_rectangle (&part);
  parser->depth -= PART_DEPTH;
  if (!parsed)
    return FALSE;
  args[VYRE_REGION_ARG_OFFSET].first = nodes->len;
  part_push_offset (&part);
  args[VYRE_REGION_ARG_WIDTH].first = nodes->len;
  args[VYRE_REGION_ARG_OFFSET].n = nodes->len - args[VYRE_REGION_ARG_OFFSET].first;
  part_push_width (&part);
  args[VYRE_REGION_ARG_ROWS].first = nodes->len;
  args[VYRE_REGION_ARG_WIDTH].n = nodes->len - args[VYRE_REGION_ARG_WIDTH].first;
  part_push_size (&part, PART_Y);
  args[VYRE_REGION_ARG_ROWS].n = nodes->len - args[VYRE_REGION_ARG_ROWS].first;
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Names of numbers: "let" and "param".
 */
#include "program/statements.h"

/* Words of the grammar that no let can be called; others stand where no number can. */
static const char *const let_keywords[]
    = { "region", "bytes", "sequence", "op", "let", "optional", "no_fence", "resource" };

static gboolean
let_is_name (const char *name)
{
  if (!g_ascii_islower (name[0]))
    return FALSE;
  for (const char *at = name; *at != '\0'; at++) {
    if (!g_ascii_islower (*at) && !g_ascii_isdigit (*at) && *at != '_')
      return FALSE;
  }
  return TRUE;
}

static gboolean
let_check_name (VyreParser *parser, const char *name)
{
  guint32 offset = parser->lexer.token.offset;
  gsize length = parser->lexer.token.length;
  gboolean taken = vyre_symbol_find (name, length) >= 0 || vyre_region_find (name, length) >= 0;

  if (parser->lexer.token.kind != VYRE_TOKEN_WORD || !let_is_name (name))
    return vyre_parser_unexpected (parser, "a name of a-z, 0-9 and '_' that starts with a letter");
  for (gsize i = 0; i < G_N_ELEMENTS (let_keywords); i++)
    taken |= g_str_equal (let_keywords[i], name);
  for (gsize i = 0; i < VYRE_PRIORITY_LEVELS; i++)
    taken |= g_str_equal (vyre_priority_names[i], name);
  if (taken)
    return vyre_parser_fail (
        parser, offset, "'%s' has a meaning of its own. Fix: choose another name.", name);
  if (g_hash_table_contains (parser->lets, name))
    return vyre_parser_fail (
        parser, offset, "'%.40s' is defined twice. Fix: choose another name.", name);
  return TRUE;
}

/* Reads "name =" behind a keyword; NULL, with the error set, when there is no such thing. */
char *
vyre_parser_new_name (VyreParser *parser)
{
  const VyreToken *token = &parser->lexer.token;

  if (!vyre_parser_next (parser))
    return NULL;
  g_autofree char *name = g_strndup (parser->program->text + token->offset, token->length);
  if (!let_check_name (parser, name) || !vyre_parser_next (parser)
      || !vyre_parser_expect (parser, '=', "'=' and a value"))
    return NULL;
  return g_steal_pointer (&name);
}

/* Gives @name, of which there is none, the value of @expr. */
void
vyre_parser_define_let (VyreParser *parser, const char *name, VyreExpr expr)
{
  VyreProgram *program = parser->program;

  g_hash_table_insert (parser->lets, g_string_chunk_insert (program->strings, name),
      GUINT_TO_POINTER (program->lets->len));
  g_array_append_val (program->lets, expr);
}

static gboolean
let_names_results (const VyreParser *parser, VyreExpr expr)
{
  for (guint32 i = expr.first; i < expr.first + expr.n; i++) {
    VyreNodeKind kind = g_array_index (parser->program->nodes, VyreNode, i).kind;
    if (kind == VYRE_NODE_VALUE || kind == VYRE_NODE_FORMULA)
      return TRUE;
  }
  return FALSE;
}

/* Makes a formula of an expression that names results. */
static gboolean
let_add_formula (VyreParser *parser, guint32 offset, VyreExpr *expr)
{
  GArray *formulas = parser->program->formulas;

  if (formulas->len == VYRE_MOST_FORMULAS)
    return vyre_parser_fail (parser, offset,
        "there are more than %d lets of results. Fix: write some of them where they are used.",
        VYRE_MOST_FORMULAS);
  g_array_append_val (formulas, *expr);
  *expr = vyre_parser_leaf (parser, VYRE_NODE_FORMULA, formulas->len - 1, offset);
  return TRUE;
}

/* Reads "let name = expr". The name is known only after it. */
gboolean
vyre_parser_let (VyreParser *parser)
{
  guint32 offset = parser->lexer.token.offset;
  VyreExpr expr;

  parser->lexer.values = TRUE;
  g_autofree char *name = vyre_parser_new_name (parser);
  gboolean parsed = name && vyre_parser_expr (parser, &expr);
  parser->lexer.values = FALSE;
  if (!parsed || (let_names_results (parser, expr) && !let_add_formula (parser, offset, &expr)))
    return FALSE;
  vyre_parser_define_let (parser, name, expr);
  return TRUE;
}

/* The value that the caller gives a param, or else its default. */
static VyreNumber
let_param_value (const VyreParser *parser, const char *name, VyreNumber preset)
{
  for (guint i = 0; i < parser->n_params; i++) {
    const VyreParam *param = &parser->params[i];
    if (g_str_equal (param->name, name))
      return (VyreNumber){ param->value, MAX (param->divisor, 1) };
  }
  return preset;
}

/* Reads "param name = number", a let whose number the caller may replace. */
gboolean
vyre_parser_param (VyreParser *parser)
{
  VyreProgram *program = parser->program;
  if (program->params->len == VYRE_MOST_NAMED)
    return vyre_parser_fail (parser, parser->lexer.token.offset,
        "there are more than %u params. Fix: use fewer.", VYRE_MOST_NAMED);
  g_autofree char *name = vyre_parser_new_name (parser);
  guint32 offset = parser->lexer.token.offset;
  VyreExpr expr;

  if (!name || !vyre_parser_expr (parser, &expr))
    return FALSE;
  const VyreNode *preset = &g_array_index (program->nodes, VyreNode, expr.first);
  if (expr.n != 1 || preset->kind != VYRE_NODE_NUMBER)
    return vyre_parser_fail (parser, offset,
        "the default of a param is not a constant. Fix: write a number, and use 'let' for what "
        "depends on the stream.");
  VyreNumber number = let_param_value (parser, name, preset->number);
  VyreParam param
      = { g_string_chunk_insert (program->strings, name), number.value, number.divisor };
  vyre_parser_define_let (parser, name, vyre_parser_number (parser, number, offset));
  g_array_append_val (program->params, param);
  return TRUE;
}

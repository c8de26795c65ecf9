/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The statement that names a file.
 */
#include "program/statements.h"

#include <limits.h>

/* Reads a path, which is a string. */
static gboolean
resource_parse_path (VyreParser *parser, const char **path)
{
  const VyreToken *token = &parser->lexer.token;

  if (token->kind != VYRE_TOKEN_STRING)
    return vyre_parser_unexpected (parser, "the path of a file, in quotes");
  if (token->length == 2)
    return vyre_parser_fail (
        parser, token->offset, "the path is empty. Fix: write the path of a file.");
  if (token->length - 2 >= PATH_MAX)
    return vyre_parser_fail (parser, token->offset,
        "the path has %u bytes and the limit is %u. Fix: write a shorter one.", token->length - 2,
        PATH_MAX - 1);
  *path = g_string_chunk_insert_len (parser->program->strings,
      parser->program->text + token->offset + 1, (gssize)token->length - 2);
  return vyre_parser_next (parser);
}

/* Reads "resource name = file "path"", which defines the name as the resource's number, like a
 * let. */
gboolean
vyre_parser_resource (VyreParser *parser)
{
  GArray *resources = parser->program->resources;
  guint32 offset = parser->lexer.token.offset;
  g_autofree char *name = vyre_parser_new_name (parser);
  VyreResource resource = { VYRE_RESOURCE_FILE, NULL };

  if (!name)
    return FALSE;
  if (vyre_lexer_is (&parser->lexer, "sink"))
    resource.kind = VYRE_RESOURCE_SINK;
  else if (!vyre_lexer_is (&parser->lexer, "file"))
    return vyre_parser_unexpected (parser, "file or sink, and a path in quotes");
  if (!vyre_parser_next (parser) || !resource_parse_path (parser, &resource.path))
    return FALSE;
  if (resources->len == VYRE_PROGRAM_MAX_RESOURCES)
    return vyre_parser_fail (parser, offset,
        "the program has more than %u resources. Fix: split it into several programs.",
        VYRE_PROGRAM_MAX_RESOURCES);
  vyre_parser_define_let (
      parser, name, vyre_parser_leaf (parser, VYRE_NODE_NUMBER, resources->len, offset));
  g_array_append_val (resources, resource);
  return TRUE;
}

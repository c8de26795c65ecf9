/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/handler-words.h"

#include "program/opcodes.h"

typedef struct {
  guint32 opcode;
  guint first; /* instruction */
  guint n;
} Handler;

struct _VyreHandlers {
  GArray *handlers;     /* of Handler */
  GArray *instructions; /* of VyreInstruction, those of all handlers */
};

VyreHandlers *
vyre_handlers_new (void)
{
  VyreHandlers *extensions = g_new (VyreHandlers, 1);

  extensions->handlers = g_array_new (FALSE, FALSE, sizeof (Handler));
  extensions->instructions = g_array_new (FALSE, FALSE, sizeof (VyreInstruction));
  return extensions;
}

void
vyre_handlers_free (VyreHandlers *extensions)
{
  g_array_unref (extensions->handlers);
  g_array_unref (extensions->instructions);
  g_free (extensions);
}

static gboolean
handlers_refuse (GError **error, VyreError code, guint32 opcode, const char *why, const char *fix)
{
  g_set_error (
      error, VYRE_ERROR, code, "No handler for opcode 0x%08X: %s. Fix: %s.", opcode, why, fix);
  return FALSE;
}

static const char *
handlers_find_fault (const VyreInstruction *i)
{
  if (i->operation > VYRE_OPERATION_RUN)
    return "an instruction with an unknown operation";
  if (i->result >= VYRE_REGISTERS || i->a >= VYRE_REGISTERS || i->b >= VYRE_REGISTERS)
    return "an instruction names a register above 15";
  /* The cost of a MEMCPY could not be planned. */
  if (i->operation == VYRE_OPERATION_RUN && i->immediate > VYRE_OP_COMPARE_SWAP)
    return "an instruction runs an opcode other than NOP to COMPARE_SWAP";
  return NULL;
}

gboolean
vyre_handlers_register (VyreHandlers *extensions, guint32 opcode,
    const VyreInstruction *instructions, guint n_instructions, GError **error)
{
  Handler handler = { opcode, extensions->instructions->len, n_instructions };

  if (vyre_opcode_get (opcode))
    return handlers_refuse (error, VYRE_ERROR_INVALID, opcode, "it is built in",
        "choose an opcode that has no meaning yet");
  if (opcode >= 0x80000000u || (opcode >= 0xFFF0u && opcode <= 0xFFFFu))
    return handlers_refuse (error, VYRE_ERROR_INVALID, opcode, "it lies in the range of the system",
        "choose one below 0x80000000, and none from 0xFFF0 to 0xFFFF");
  if (vyre_handlers_handle (extensions, opcode))
    return handlers_refuse (
        error, VYRE_ERROR_INVALID, opcode, "it has one already", "choose another opcode");
  if (extensions->handlers->len == VYRE_MAX_HANDLERS)
    return handlers_refuse (error, VYRE_ERROR_TOO_LARGE, opcode, "there are 32 handlers already",
        "let one handler do several things, by an argument");
  if (n_instructions == 0 || n_instructions > VYRE_MAX_INSTRUCTIONS)
    return handlers_refuse (error, VYRE_ERROR_TOO_LARGE, opcode,
        "it has no or over 32 instructions", "split it over several opcodes");
  for (guint i = 0; i < n_instructions; i++) {
    const char *fault = handlers_find_fault (&instructions[i]);
    if (fault)
      return handlers_refuse (
          error, VYRE_ERROR_INVALID, opcode, fault, "see VyreInstruction for what there is");
  }
  g_array_append_val (extensions->handlers, handler);
  g_array_append_vals (extensions->instructions, instructions, n_instructions);
  return TRUE;
}

/* Whether @opcode has a handler; NULL has none. */
gboolean
vyre_handlers_handle (const VyreHandlers *extensions, guint32 opcode)
{
  for (guint i = 0; extensions && i < extensions->handlers->len; i++) {
    if (g_array_index (extensions->handlers, Handler, i).opcode == opcode)
      return TRUE;
  }
  return FALSE;
}

guint
vyre_handlers_count (const VyreHandlers *extensions)
{
  return extensions ? extensions->handlers->len : 0;
}

/* The words of the handlers behind the scratch. */
guint
vyre_handlers_words (const VyreHandlers *extensions)
{
  if (!extensions)
    return 0;
  return extensions->handlers->len * VYRE_HANDLER_WORDS
         + extensions->instructions->len * VYRE_INSTRUCTION_WORDS;
}

/* Writes the table of handlers, then the instructions of all. */
void
vyre_handlers_write (const VyreHandlers *extensions, guint32 *words)
{
  guint n = vyre_handlers_count (extensions);

  for (guint i = 0; i < n; i++) {
    const Handler *handler = &g_array_index (extensions->handlers, Handler, i);
    *words++ = handler->opcode;
    *words++ = n * VYRE_HANDLER_WORDS + handler->first * VYRE_INSTRUCTION_WORDS;
    *words++ = handler->n;
  }
  for (guint i = 0; n > 0 && i < extensions->instructions->len; i++) {
    const VyreInstruction *from = &g_array_index (extensions->instructions, VyreInstruction, i);
    *words++ = (guint32)from->operation | (guint32)from->result << 8 | (guint32)from->a << 16
               | (guint32)from->b << 24;
    *words++ = from->immediate;
  }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/handler-words.h"

#include "program/opcodes.h"

typedef struct {
  guint32 opcode;
  guint first; /* instruction */
  guint n;
} Handler;

struct _VyreHandlers {
  GArray *list;         /* of Handler */
  GArray *instructions; /* of VyreInstruction, those of all handlers */
};

VyreHandlers *
vyre_handlers_new (void)
{
  VyreHandlers *handlers = g_new (VyreHandlers, 1);

  handlers->list = g_array_new (FALSE, FALSE, sizeof (Handler));
  handlers->instructions = g_array_new (FALSE, FALSE, sizeof (VyreInstruction));
  return handlers;
}

void
vyre_handlers_free (VyreHandlers *handlers)
{
  g_array_unref (handlers->list);
  g_array_unref (handlers->instructions);
  g_free (handlers);
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
vyre_handlers_register (VyreHandlers *handlers, guint32 opcode, const VyreInstruction *instructions,
    guint n_instructions, GError **error)
{
  Handler handler = { opcode, handlers->instructions->len, n_instructions };

  if (vyre_opcode_get (opcode))
    return handlers_refuse (error, VYRE_ERROR_INVALID, opcode, "it is built in",
        "choose an opcode that has no meaning yet");
  if (opcode >= 0x80000000u || (opcode >= 0xFFF0u && opcode <= 0xFFFFu))
    return handlers_refuse (error, VYRE_ERROR_INVALID, opcode, "it lies in the range of the system",
        "choose one below 0x80000000, and none from 0xFFF0 to 0xFFFF");
  if (vyre_handlers_handle (handlers, opcode))
    return handlers_refuse (
        error, VYRE_ERROR_INVALID, opcode, "it has one already", "choose another opcode");
  if (handlers->list->len == VYRE_MAX_HANDLERS)
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
  g_array_append_val (handlers->list, handler);
  g_array_append_vals (handlers->instructions, instructions, n_instructions);
  return TRUE;
}

/* Whether @opcode has a handler; NULL has none. */
gboolean
vyre_handlers_handle (const VyreHandlers *handlers, guint32 opcode)
{
  for (guint i = 0; handlers && i < handlers->list->len; i++) {
    if (g_array_index (handlers->list, Handler, i).opcode == opcode)
      return TRUE;
  }
  return FALSE;
}

guint
vyre_handlers_count (const VyreHandlers *handlers)
{
  return handlers ? handlers->list->len : 0;
}

/* The words of the handlers behind the scratch. */
guint
vyre_handlers_words (const VyreHandlers *handlers)
{
  if (!handlers)
    return 0;
  return handlers->list->len * VYRE_HANDLER_WORDS
         + handlers->instructions->len * VYRE_INSTRUCTION_WORDS;
}

/* Writes the table of handlers, then the instructions of all. */
void
vyre_handlers_write (const VyreHandlers *handlers, guint32 *words)
{
  guint n = vyre_handlers_count (handlers);

  for (guint i = 0; i < n; i++) {
    const Handler *handler = &g_array_index (handlers->list, Handler, i);
    *words++ = handler->opcode;
    *words++ = n * VYRE_HANDLER_WORDS + handler->first * VYRE_INSTRUCTION_WORDS;
    *words++ = handler->n;
  }
  for (guint i = 0; n > 0 && i < handlers->instructions->len; i++) {
    const VyreInstruction *from = &g_array_index (handlers->instructions, VyreInstruction, i);
    *words++ = (guint32)from->operation | (guint32)from->result << 8 | (guint32)from->a << 16
               | (guint32)from->b << 24;
    *words++ = from->immediate;
  }
}

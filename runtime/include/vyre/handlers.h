/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opcodes of one's own. A handler is a short straight-line program over the
 * arguments of its slot: arithmetic on sixteen registers, then operations on control
 * words, which the megakernel interprets as it does the built-in ones. Built-in
 * opcodes cannot be handled: what a slot means does not depend on who runs it.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VYRE_REGISTERS:
 *
 * Registers of a handler: the first 12 hold the arguments of the slot, those that an
 * inner operation of a packed slot lacks as 0; the rest start as 0.
 */
#define VYRE_REGISTERS 16

/**
 * VYRE_MAX_INSTRUCTIONS:
 *
 * The most instructions one handler may have.
 */
#define VYRE_MAX_INSTRUCTIONS 32

/**
 * VYRE_MAX_HANDLERS:
 *
 * The most handlers there can be at a time.
 */
#define VYRE_MAX_HANDLERS 32

/**
 * VyreOperation:
 * @VYRE_OPERATION_SET: result = immediate
 * @VYRE_OPERATION_ADD: result = a + b, modulo 2^32 as all of these
 * @VYRE_OPERATION_SUBTRACT: result = a - b
 * @VYRE_OPERATION_MULTIPLY: result = a * b
 * @VYRE_OPERATION_AND: result = a & b
 * @VYRE_OPERATION_OR: result = a | b
 * @VYRE_OPERATION_XOR: result = a ^ b
 * @VYRE_OPERATION_SHIFT_LEFT: result = a << (b modulo 32)
 * @VYRE_OPERATION_SHIFT_RIGHT: result = a >> (b modulo 32)
 * @VYRE_OPERATION_RUN: the built-in opcode immediate, NOP to COMPARE_SWAP, with
 *   registers result, a and b as its arguments. The first that fails ends the
 *   handler, and its slot faults.
 *
 * What an instruction does.
 */
typedef enum {
  VYRE_OPERATION_SET,
  VYRE_OPERATION_ADD,
  VYRE_OPERATION_SUBTRACT,
  VYRE_OPERATION_MULTIPLY,
  VYRE_OPERATION_AND,
  VYRE_OPERATION_OR,
  VYRE_OPERATION_XOR,
  VYRE_OPERATION_SHIFT_LEFT,
  VYRE_OPERATION_SHIFT_RIGHT,
  VYRE_OPERATION_RUN,
} VyreOperation;

/**
 * VyreInstruction:
 * @operation: what to do
 * @result: register, 0 to 15
 * @a: register
 * @b: register
 * @immediate: a number, or the opcode to run
 *
 * A step of a handler.
 */
typedef struct {
  VyreOperation operation;
  guint8 result;
  guint8 a;
  guint8 b;
  guint32 immediate;
} VyreInstruction;

typedef struct _VyreHandlers VyreHandlers;

/**
 * vyre_handlers_new:
 *
 * Returns: (transfer full): a set of handlers, empty
 */
VyreHandlers *vyre_handlers_new (void);

/**
 * vyre_handlers_free:
 * @extensions: (transfer full): a set of handlers
 *
 * Plans made with it have copies of their own.
 */
void vyre_handlers_free (VyreHandlers *extensions);

/**
 * vyre_handlers_register:
 * @extensions: a set of handlers
 * @opcode: what slots call it: outside of the range of the system, and none of the
 *   payload opcodes
 * @instructions: (array length=n_instructions): what it does; copied
 * @n_instructions: 1 to %VYRE_MAX_INSTRUCTIONS
 * @error: return location
 *
 * Plans made from now on run slots with @opcode, and inner operations of packed
 * slots, by @instructions.
 *
 * Returns: whether it is registered; otherwise %VYRE_ERROR_INVALID (a built-in
 *   opcode, one that has a handler, a wrong instruction) or %VYRE_ERROR_TOO_LARGE
 *   (too many handlers or instructions)
 */
gboolean vyre_handlers_register (VyreHandlers *extensions, guint32 opcode,
    const VyreInstruction *instructions, guint n_instructions, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreHandlers, vyre_handlers_free)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:handlers
 * @title: Handlers
 * @short_description: Opcodes of your own
 *
 * A handler is a short straight-line program over the arguments of its slot: arithmetic on sixteen
 * registers, then operations on control words. The megakernel interprets it as it runs the
 * built-in opcodes. Built-in opcodes take no handler: the meaning of a slot does not depend on the
 * host that runs it.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VYRE_REGISTERS:
 *
 * Registers of a handler. The first 12 hold the arguments of the slot, with 0 for arguments that an
 * inner operation of a packed slot lacks; the rest start as 0.
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
 * The most handlers of one set.
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
 *   registers result, a and b as its arguments. The first one that fails ends the
 *   handler, and the slot faults.
 *
 * The operation of an instruction.
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
 * @operation: the operation
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

/**
 * VyreHandlers:
 *
 * A set of handlers.
 */
typedef struct _VyreHandlers VyreHandlers;

/**
 * vyre_handlers_new:
 *
 * Makes an empty set of handlers.
 *
 * Returns: (transfer full): the set
 */
VyreHandlers *vyre_handlers_new (void);

/**
 * vyre_handlers_free:
 * @handlers: (transfer full): a set of handlers
 *
 * Frees a set of handlers. Plans that were made with it have their own copies.
 */
void vyre_handlers_free (VyreHandlers *handlers);

/**
 * vyre_handlers_register:
 * @handlers: a set of handlers
 * @opcode: the opcode to handle: outside of the range of the system, and no
 *   payload opcode
 * @instructions: (array length=n_instructions): the instructions; copied
 * @n_instructions: 1 to %VYRE_MAX_INSTRUCTIONS
 * @error: return location
 *
 * Registers a handler. Plans that are made from now on run slots with @opcode, and inner operations
 * of packed slots, by @instructions.
 *
 * Returns: whether the handler is registered; otherwise %VYRE_ERROR_INVALID (a built-in
 *   opcode, an opcode with a handler, a wrong instruction) or %VYRE_ERROR_TOO_LARGE
 *   (too many handlers or instructions)
 */
gboolean vyre_handlers_register (VyreHandlers *handlers, guint32 opcode,
    const VyreInstruction *instructions, guint n_instructions, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreHandlers, vyre_handlers_free)

G_END_DECLS

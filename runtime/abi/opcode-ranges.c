/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ranges of opcodes: which the runtime reserves, and which a ring may be asked to run.
 */
#include "vyre/publish-slots.h"

#include "abi.h"

gboolean
vyre_opcode_is_system (guint32 opcode)
{
  return opcode <= VYRE_OP_BATCH_FENCE || (opcode >= 0xFFF0 && opcode <= 0xFFFF)
         || opcode >> 31 != 0;
}

gboolean
vyre_opcode_is_builtin (guint32 opcode)
{
  return opcode <= VYRE_OP_BATCH_FENCE || opcode == VYRE_OP_PACKED_SLOT || opcode == VYRE_OP_PRINTF
         || opcode == VYRE_OP_SHUTDOWN;
}

gboolean
vyre_opcode_check_user (guint32 opcode, GError **error)
{
  if (!vyre_opcode_is_system (opcode))
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
      "Opcode 0x%x is reserved for the runtime. Fix: use 8 to 0xffef or 0x10000 to 0x7fffffff.",
      opcode);
  return FALSE;
}

gboolean
vyre_opcode_check_publish (guint32 opcode, GError **error)
{
  if (vyre_opcode_is_builtin (opcode) || opcode == VYRE_OP_LOAD_MISS)
    return TRUE;
  return vyre_opcode_check_user (opcode, error);
}

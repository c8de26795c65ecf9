/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreslots.h"

#define SLOT_BYTES (4 * VYRE_SLOT_WORDS)

/* Caps of slots need not name an ABI; there is only one. */
gboolean
gst_vyre_slots_check_caps (const GstStructure *fields, GError **error)
{
  const GValue *abi = gst_structure_get_value (fields, "abi");

  if (!abi || (G_VALUE_HOLDS_INT (abi) && g_value_get_int (abi) == VYRE_ABI_VERSION))
    return TRUE;
  g_autofree gchar *found = gst_value_serialize (abi);
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "Slots of ABI %s cannot be run. Fix: send slots of ABI %d, with abi=%d in their caps or "
      "without abi.",
      found, VYRE_ABI_VERSION, VYRE_ABI_VERSION);
  return FALSE;
}

/* Checks the size before any byte is read: slots that cannot run are not copied either. */
gboolean
gst_vyre_slots_check_size (gsize size, GError **error)
{
  if (size == 0 || size % SLOT_BYTES != 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "A buffer of %" G_GSIZE_FORMAT
        " bytes is not one or more whole slots; slot %" G_GSIZE_FORMAT " has %" G_GSIZE_FORMAT
        " of its %d bytes. Fix: send %d bytes for each slot; from a file, "
        "with a blocksize that is a multiple of that.",
        size, size / SLOT_BYTES, size % SLOT_BYTES, SLOT_BYTES, SLOT_BYTES);
    return FALSE;
  }
  if (size / SLOT_BYTES > GST_VYRE_MAX_SLOTS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "A buffer has slot %d, and the largest readback ends before it. Fix: send at most %d "
        "slots, "
        "%d bytes, in a buffer.",
        GST_VYRE_MAX_SLOTS, GST_VYRE_MAX_SLOTS, GST_VYRE_MAX_SLOTS * SLOT_BYTES);
    return FALSE;
  }
  return TRUE;
}

/* Returns the plan of a batch that runs @slots, for the first tenant and without a payload. The
 * caller has checked the size. */
VyrePlan *
gst_vyre_slots_plan (
    const void *slots, gsize size, guint n_observables, guint workgroup, GError **error)
{
  VyreParts parts = { .size[VYRE_PART_RING] = size };

  if (!vyre_slots_check (slots, size, error))
    return NULL;
  g_autofree guint8 *control
      = vyre_encode_control (n_observables, 1, FALSE, &parts.size[VYRE_PART_CONTROL], error);
  if (!control)
    return NULL;
  g_autofree guint8 *log = vyre_encode_empty (
      VYRE_PART_DEBUG_LOG, VYRE_DEBUG_RECORDS, &parts.size[VYRE_PART_DEBUG_LOG], error);
  if (!log)
    return NULL;
  g_autofree guint8 *queue = vyre_encode_empty (
      VYRE_PART_IO_QUEUE, VYRE_IO_SLOTS, &parts.size[VYRE_PART_IO_QUEUE], error);
  if (!queue)
    return NULL;
  parts.data[VYRE_PART_CONTROL] = control;
  parts.data[VYRE_PART_RING] = slots;
  parts.data[VYRE_PART_DEBUG_LOG] = log;
  parts.data[VYRE_PART_IO_QUEUE] = queue;
  return vyre_plan_new_from_parts (&parts, 0, workgroup, error);
}

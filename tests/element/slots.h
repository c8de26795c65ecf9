/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Buffers of raw slots, a filter that runs them, and checks of their readbacks.
 */
#pragma once

#include "common.h"

#define CAPS "application/x-vyre-slots"
#define SLOT_BYTES (4 * VYRE_SLOT_WORDS)
#define DEFAULT_OBSERVABLES 256
#define MAX_SLOTS ((gsize)393216)

enum { CONTROL, RING, DEBUG_LOG, IO_QUEUE };

typedef struct {
  guint32 words[VYRE_SLOT_WORDS];
} Slot;

/* A published slot of tenant 0, with up to four arguments. */
#define SLOT(opcode, ...)                                                                          \
  {                                                                                                \
    {                                                                                              \
      VYRE_STATUS_PUBLISHED, opcode, 0, VYRE_PRIORITY_NORMAL, __VA_ARGS__                          \
    }                                                                                              \
  }
#define STORE(value, observable)                                                                   \
  SLOT (VYRE_OP_STORE_U32, value, VYRE_CONTROL_OBSERVABLES + (observable))
#define NOP SLOT (VYRE_OP_NOP, 0)

GstBuffer *slots_buffer (const Slot *slots, gsize n);
GstBuffer *slots_store_buffer (guint32 value);
GstBuffer *slots_numbered_buffer (guint64 number, guint n);
GstHarness *slots_filter_new (void);
guint32 slots_ring_word (GstBuffer *readback, guint slot, guint word);
guint32 slots_status (GstBuffer *readback, guint slot);
void slots_check_statuses (GstBuffer *readback, const guint32 *statuses, guint n);
void slots_check_caps (GstHarness *h, gint n_slots, gint n_observables);
void slots_check_part_size (GstBuffer *readback, guint part, gsize size);
void slots_push_caps (GstHarness *h, const gchar *text);

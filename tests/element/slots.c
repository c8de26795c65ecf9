/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slots.h"

GstBuffer *
slots_buffer (const Slot *slots, gsize n)
{
  Slot *encoded = g_new (Slot, n);

  for (gsize i = 0; i < n * VYRE_SLOT_WORDS; i++)
    encoded[i / VYRE_SLOT_WORDS].words[i % VYRE_SLOT_WORDS]
        = GUINT32_TO_LE (slots[i / VYRE_SLOT_WORDS].words[i % VYRE_SLOT_WORDS]);
  GstBuffer *buffer = buffer_of (encoded, n * SLOT_BYTES);
  g_free (encoded);
  return buffer;
}

/* One slot that stores @value. */
GstBuffer *
slots_store_buffer (guint32 value)
{
  Slot slot = STORE (value, 1);

  return slots_buffer (&slot, 1);
}

GstBuffer *
slots_numbered_buffer (guint64 number, guint n)
{
  Slot *slots = g_new (Slot, n);

  for (guint i = 0; i < n; i++)
    slots[i] = (Slot)STORE ((guint32)number + i, i);
  GstBuffer *buffer = slots_buffer (slots, n);
  GST_BUFFER_OFFSET (buffer) = number;
  GST_BUFFER_PTS (buffer) = number * GST_MSECOND;
  g_free (slots);
  return buffer;
}

GstHarness *
slots_filter_new (void)
{
  GstHarness *h = filter_new_with (NULL, "results-interval", (guint64)0, NULL);

  filter_start (h, CAPS);
  return h;
}

guint32
slots_ring_word (GstBuffer *readback, guint slot, guint word)
{
  return readback_word (readback, RING, slot * VYRE_SLOT_WORDS + word);
}

guint32
slots_status (GstBuffer *readback, guint slot)
{
  return slots_ring_word (readback, slot, VYRE_SLOT_STATUS);
}

void
slots_check_statuses (GstBuffer *readback, const guint32 *statuses, guint n)
{
  for (guint slot = 0; slot < n; slot++)
    fail_unless (slots_status (readback, slot) == statuses[slot], "slot %u has status %u, not %u",
        slot, slots_status (readback, slot), statuses[slot]);
}

void
slots_check_caps (GstHarness *h, gint n_slots, gint n_observables)
{
  GstCaps *caps = readback_caps (h);
  GstCaps *expected = gst_caps_new_simple ("application/x-vyre-readback", "abi", G_TYPE_INT, 1,
      "slot-count", G_TYPE_INT, n_slots, "observable-slots", G_TYPE_INT, n_observables, NULL);
  gchar *text = gst_caps_to_string (caps);

  fail_unless (gst_caps_is_subset (caps, expected), "caps are %s", text);
  g_free (text);
  gst_caps_unref (expected);
  gst_caps_unref (caps);
}

void
slots_check_part_size (GstBuffer *readback, guint part, gsize size)
{
  GstMemory *memory = gst_buffer_peek_memory (readback, part);

  fail_unless_equals_uint64 (gst_memory_get_sizes (memory, NULL, NULL), size);
}

void
slots_push_caps (GstHarness *h, const gchar *text)
{
  GstCaps *caps = gst_caps_from_string (text);

  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/steps.h"

#include "base/pins.h"

typedef struct {
  gint imported; /* atomic; the buffer is there before it is set */
  VyreBuffer buffer;
} Step;

struct _VyreSteps {
  const VyreBuffer *memory; /* whose pages they are */
  GMutex lock;              /* guards imports */
  guint n;
  Step steps[];
};

static const guint8 *
steps_get_start (const VyreSteps *steps, guint step)
{
  return steps->memory->data + step * VYRE_PIN_STEP;
}

/* The last step ends with the pages, whose number the device's alignment has rounded up. */
static gsize
steps_get_size (const VyreSteps *steps, guint step)
{
  return MIN (VYRE_PIN_STEP, steps->memory->reserved - step * VYRE_PIN_STEP);
}

/* Makes the steps of @memory, which has pages, no buffer, and a longer life. */
VyreSteps *
vyre_steps_new (const VyreBuffer *memory)
{
  guint n = (guint)((memory->reserved - 1) / VYRE_PIN_STEP + 1);
  VyreSteps *steps = g_malloc0 (sizeof *steps + n * sizeof steps->steps[0]);

  steps->memory = memory;
  steps->n = n;
  g_mutex_init (&steps->lock);
  return steps;
}

/* No copy reads from any step. */
void
vyre_steps_free (VyreSteps *steps)
{
  for (guint i = 0; i < steps->n; i++)
    vyre_steps_drop (steps, i * VYRE_PIN_STEP);
  g_mutex_clear (&steps->lock);
  g_free (steps);
}

/* The lock is held. */
static gboolean
steps_import_one (VyreSteps *steps, guint step, GError **error)
{
  Step *this = &steps->steps[step];
  guint8 *start = (guint8 *)steps_get_start (steps, step);
  gsize size = steps_get_size (steps, step);

  if (this->imported)
    return TRUE;
  if (!vyre_buffer_import (&this->buffer, steps->memory->device, start, size, error))
    return FALSE;
  vyre_pins_add (start, size, steps);
  g_atomic_int_set (&this->imported, TRUE); /* pairs with the load in vyre_steps_import() */
  return TRUE;
}

/* Has the device read the @size bytes at @offset, of a slice that stays taken. FALSE with @error:
 * it refuses. */
gboolean
vyre_steps_import (VyreSteps *steps, gsize offset, gsize size, GError **error)
{
  gboolean fine = TRUE;

  for (gsize i = offset / VYRE_PIN_STEP; fine && i <= (offset + size - 1) / VYRE_PIN_STEP; i++) {
    if (g_atomic_int_get (&steps->steps[i].imported))
      continue;
    g_mutex_lock (&steps->lock);
    fine = steps_import_one (steps, (guint)i, error);
    g_mutex_unlock (&steps->lock);
  }
  return fine;
}

/* Returns the buffer of the step at @offset, which is imported. */
VkBuffer
vyre_steps_get_buffer (const VyreSteps *steps, gsize offset)
{
  return steps->steps[offset / VYRE_PIN_STEP].buffer.buffer;
}

/* Ends the import of the step at @offset. No slice of it is taken, and no copy reads it. */
void
vyre_steps_drop (VyreSteps *steps, gsize offset)
{
  guint i = (guint)(offset / VYRE_PIN_STEP);
  Step *step = &steps->steps[i];

  g_mutex_lock (&steps->lock);
  if (step->imported) {
    vyre_buffer_clear (&step->buffer);
    vyre_pins_remove (steps_get_start (steps, i), steps);
  }
  g_atomic_int_set (&step->imported, FALSE);
  g_mutex_unlock (&steps->lock);
}

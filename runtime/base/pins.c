/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/pins.h"

#include <pthread.h>

/* A step that @owner has pinned */
typedef struct {
  const guint8 *start;
  gsize size;
  gconstpointer owner;
} Pin;

static GMutex pins_lock;
static GArray *pins; /* of Pin, in no order; a few hundred at most, looked at once a step */

/* A child has no memory that its parent pinned, and may get other memory at the same addresses. A
 * thread of the parent may have been at work on the list: the child leaves it alone, where leak
 * checkers find it. */
static GArray *volatile pins_of_parent;

static void
pins_enter_child (void)
{
  g_mutex_init (&pins_lock);
  pins_of_parent = pins;
  pins = NULL;
}

__attribute__ ((constructor)) static void
pins_watch_forks (void)
{
  pthread_atfork (NULL, NULL, pins_enter_child);
}

void
vyre_pins_add (gconstpointer start, gsize size, gconstpointer owner)
{
  const Pin pin = { start, size, owner };

  g_mutex_lock (&pins_lock);
  if (!pins)
    pins = g_array_new (FALSE, FALSE, sizeof (Pin));
  g_array_append_val (pins, pin);
  g_mutex_unlock (&pins_lock);
}

/* Removes one pin of @owner on the step at @start, or with NULL all that it has. */
static void
pins_remove (gconstpointer start, gconstpointer owner)
{
  g_mutex_lock (&pins_lock);
  for (guint i = pins ? pins->len : 0; i > 0; i--) {
    const Pin *pin = &g_array_index (pins, Pin, i - 1);
    if (pin->owner != owner || (start && pin->start != start))
      continue;
    g_array_remove_index_fast (pins, i - 1);
    if (start)
      break;
  }
  g_mutex_unlock (&pins_lock);
}

void
vyre_pins_remove (gconstpointer start, gconstpointer owner)
{
  pins_remove (start, owner);
}

void
vyre_pins_forget (gconstpointer owner)
{
  pins_remove (NULL, owner);
}

/* TRUE if any byte of the range is pinned. */
gboolean
vyre_pins_overlap (gconstpointer start, gsize size)
{
  const guint8 *first = start;
  gboolean overlaps = FALSE;

  g_mutex_lock (&pins_lock);
  for (guint i = 0; pins && i < pins->len && !overlaps; i++) {
    const Pin *pin = &g_array_index (pins, Pin, i);
    overlaps = pin->start < first + size && first < pin->start + pin->size;
  }
  g_mutex_unlock (&pins_lock);
  return overlaps;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyrelayout.h"

#include <math.h>

#define BROAD 0.45 /* the share of the height that a row of a broad panel has */

/* Places the panels @first to @end − 1 side by side in @row. */
static void
layout_place_row (const GstVyreBox *row, const gdouble *weights, guint first, guint end,
    gdouble gap, GstVyreBox *boxes)
{
  gdouble sum = 0, x = row->x;
  guint count = 0;

  for (guint i = first; i < end; i++) {
    if (weights[i] == 0)
      continue;
    sum += fabs (weights[i]);
    count++;
  }
  for (guint i = first; i < end; i++) {
    gdouble width = count > 0 ? (row->width - gap * (count - 1)) * fabs (weights[i]) / sum : 0;
    boxes[i] = (GstVyreBox){ x, row->y, width, row->height };
    x += weights[i] != 0 ? width + gap : 0;
  }
}

void
gst_vyre_layout_place (
    const GstVyreBox *area, const gdouble *weights, guint n, gdouble gap, GstVyreBox *boxes)
{
  GstVyreBox row = *area;
  guint others = 0;

  for (guint i = 1; i < n; i++)
    others += weights[i] != 0;
  if (weights[0] >= 0 || others == 0) { /* a single row */
    layout_place_row (&row, weights, 0, n, gap, boxes);
    return;
  }
  row.height = floor ((area->height - gap) * BROAD);
  layout_place_row (&row, weights, 0, 1, gap, boxes);
  row.y += row.height + gap;
  row.height = area->height - row.height - gap;
  layout_place_row (&row, weights, 1, n, gap, boxes);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A model drawn as a picture: panels, where they lie, and their still parts, which are kept. A
 * canvas belongs to one thread.
 */
#pragma once

#include "scope/gstvyrepanel.h"

G_BEGIN_DECLS

/* Bits of panels */
typedef enum {
  GST_VYRE_PANEL_TIMELINE = 1 << 0,
  GST_VYRE_PANEL_HISTOGRAM = 1 << 1,
  GST_VYRE_PANEL_VECTORSCOPE = 1 << 2,
  GST_VYRE_PANEL_METERS = 1 << 3,
  GST_VYRE_PANEL_LIGHTS = 1 << 4,
  GST_VYRE_PANEL_ENGINE = 1 << 5, /* of no results: it is drawn where it is asked for */
} GstVyrePanelFlags;

#define GST_VYRE_N_PANELS 6

typedef struct {
  guint panels; /* 0: those that have results */
  GstVyreThemeId theme;
  gint width, height; /* pixels */
  gboolean is_strip;  /* panels let what is behind them through, and lie side by side */
} GstVyreLook;

#define GST_VYRE_STRIP_PART 3 /* a strip is that part of the height of its picture */

typedef struct {
  GstVyreLook look;
  guint shape;            /* of the model that the still parts are of */
  cairo_surface_t *still; /* NULL before the first picture */
} GstVyreCanvas;

void gst_vyre_canvas_clear (GstVyreCanvas *canvas);
gboolean gst_vyre_canvas_draw (GstVyreCanvas *canvas, const GstVyreModel *model,
    const GstVyreLook *look, guint8 *pixels, gint stride);

G_END_DECLS

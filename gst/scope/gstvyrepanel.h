/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A panel of vyrescope: two functions that draw a model into a box. The still part is drawn again
 * only when the shape of the model changes. Functions keep nothing, and need no stream.
 */
#pragma once

#include "scope/gstvyremodel.h"
#include "scope/gstvyrepen.h"

G_BEGIN_DECLS

typedef struct {
  const gchar *title;
  const gchar *wants; /* which results a panel without any asks for */
  gboolean (*has_results) (const GstVyreModel *model);
  void (*draw_still) (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box);
  void (*draw) (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box);
} GstVyrePanel;

extern const GstVyrePanel gst_vyre_timeline;
extern const GstVyrePanel gst_vyre_histogram;
extern const GstVyrePanel gst_vyre_vectorscope;
extern const GstVyrePanel gst_vyre_meters;
extern const GstVyrePanel gst_vyre_lights;
extern const GstVyrePanel gst_vyre_engine;

G_END_DECLS

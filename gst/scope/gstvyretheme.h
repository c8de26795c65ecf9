/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Colours of vyrescope. Those that tell things apart are of the palette of Okabe and Ito, which
 * people with any colour blindness tell apart; a shape or a letter says the same beside them.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gdouble red, green, blue;
} GstVyreColour;

typedef enum {
  GST_VYRE_COLOUR_BACK,  /* behind all */
  GST_VYRE_COLOUR_PANEL, /* behind a panel */
  GST_VYRE_COLOUR_GRID,
  GST_VYRE_COLOUR_TEXT,
  GST_VYRE_COLOUR_DIM, /* titles, units and what is unknown */
  GST_VYRE_COLOUR_SKY,
  GST_VYRE_COLOUR_BLUE,
  GST_VYRE_COLOUR_GREEN,
  GST_VYRE_COLOUR_YELLOW,
  GST_VYRE_COLOUR_ORANGE,
  GST_VYRE_COLOUR_VERMILION,
  GST_VYRE_COLOUR_PURPLE,
  GST_VYRE_N_COLOURS,
} GstVyreColourId;

typedef enum {
  GST_VYRE_THEME_DARK,
  GST_VYRE_THEME_LIGHT,
  GST_VYRE_THEME_CONTRAST,
} GstVyreThemeId;

typedef struct {
  GstVyreColour colours[GST_VYRE_N_COLOURS];
  gdouble cover; /* how much of the picture a panel hides in overlays, from 0 to 1 */
} GstVyreTheme;

const GstVyreTheme *gst_vyre_theme_get (GstVyreThemeId id);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyretheme.h"

#define RGB(hex)                                                                                   \
  {                                                                                                \
    ((hex) >> 16) / 255.0, ((hex) >> 8 & 0xff) / 255.0, ((hex)&0xff) / 255.0                       \
  }

/* The colours of a light ground are the same hues, dark enough to stand out from it. */
static const GstVyreTheme themes[] = {
  [GST_VYRE_THEME_DARK] = {
      {
          [GST_VYRE_COLOUR_BACK] = RGB (0x0b0e12),
          [GST_VYRE_COLOUR_PANEL] = RGB (0x151a21),
          [GST_VYRE_COLOUR_GRID] = RGB (0x303a46),
          [GST_VYRE_COLOUR_TEXT] = RGB (0xe8edf2),
          [GST_VYRE_COLOUR_DIM] = RGB (0x97a3b0),
          [GST_VYRE_COLOUR_SKY] = RGB (0x56b4e9),
          [GST_VYRE_COLOUR_BLUE] = RGB (0x0072b2),
          [GST_VYRE_COLOUR_GREEN] = RGB (0x009e73),
          [GST_VYRE_COLOUR_YELLOW] = RGB (0xf0e442),
          [GST_VYRE_COLOUR_ORANGE] = RGB (0xe69f00),
          [GST_VYRE_COLOUR_VERMILION] = RGB (0xd55e00),
          [GST_VYRE_COLOUR_PURPLE] = RGB (0xcc79a7),
      },
      0.82,
  },
  [GST_VYRE_THEME_LIGHT] = {
      {
          [GST_VYRE_COLOUR_BACK] = RGB (0xe4e8ec),
          [GST_VYRE_COLOUR_PANEL] = RGB (0xfafbfc),
          [GST_VYRE_COLOUR_GRID] = RGB (0xccd3da),
          [GST_VYRE_COLOUR_TEXT] = RGB (0x1a2027),
          [GST_VYRE_COLOUR_DIM] = RGB (0x5a6673),
          [GST_VYRE_COLOUR_SKY] = RGB (0x2b87c0),
          [GST_VYRE_COLOUR_BLUE] = RGB (0x00517f),
          [GST_VYRE_COLOUR_GREEN] = RGB (0x007a59),
          [GST_VYRE_COLOUR_YELLOW] = RGB (0xb09c00),
          [GST_VYRE_COLOUR_ORANGE] = RGB (0xb87a00),
          [GST_VYRE_COLOUR_VERMILION] = RGB (0xb84f00),
          [GST_VYRE_COLOUR_PURPLE] = RGB (0xa85583),
      },
      0.88,
  },
  [GST_VYRE_THEME_CONTRAST] = {
      {
          [GST_VYRE_COLOUR_BACK] = RGB (0x000000),
          [GST_VYRE_COLOUR_PANEL] = RGB (0x000000),
          [GST_VYRE_COLOUR_GRID] = RGB (0x707070),
          [GST_VYRE_COLOUR_TEXT] = RGB (0xffffff),
          [GST_VYRE_COLOUR_DIM] = RGB (0xe0e0e0),
          [GST_VYRE_COLOUR_SKY] = RGB (0x7fd0ff),
          [GST_VYRE_COLOUR_BLUE] = RGB (0x4aa8ff),
          [GST_VYRE_COLOUR_GREEN] = RGB (0x20e0a8),
          [GST_VYRE_COLOUR_YELLOW] = RGB (0xfff04a),
          [GST_VYRE_COLOUR_ORANGE] = RGB (0xffb81a),
          [GST_VYRE_COLOUR_VERMILION] = RGB (0xff7a1a),
          [GST_VYRE_COLOUR_PURPLE] = RGB (0xff9fd0),
      },
      0.92,
  },
};

const GstVyreTheme *
gst_vyre_theme_get (GstVyreThemeId id)
{
  return &themes[id];
}

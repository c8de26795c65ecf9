/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The page, as one file that loads nothing. A browser runs the script and the style that are in it,
 * and no other ones.
 */
#pragma once

#include <glib.h>

typedef struct {
  GBytes *html;
  char *policy; /* the value of Content-Security-Policy */
} ServePage;

void serve_page_init (ServePage *page);
void serve_page_clear (ServePage *page);

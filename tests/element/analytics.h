/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of analytics-meta, of a build with GstAnalytics or of one without.
 */
#pragma once

#include "common.h"

#define EVENTS                                                                                     \
  "sample_stats luma -> s; event dark when $s.max < 20 for 80 ms; event bright when $s.min > 200"
#define GRAY "video/x-raw,format=GRAY8,width=64,height=32,framerate=25/1"

void analytics_add_tests (TCase *tests);

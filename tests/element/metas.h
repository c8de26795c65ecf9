/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of analytics-meta and tensor-meta, of a build that has them or of one that refuses them.
 */
#pragma once

#include "common.h"

#define EVENTS                                                                                     \
  "sample_stats luma -> s; event dark when $s.max < 20 for 80 ms; event bright when $s.min > 200"
#define GRAY "video/x-raw,format=GRAY8,width=64,height=32,framerate=25/1"

void metas_check_refused (const gchar *property);
void analytics_add_tests (TCase *tests);
void tensors_add_tests (TCase *tests);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "metas.h"

GST_START_TEST (labels_are_refused_without_analytics) { metas_check_refused ("analytics-meta"); }
GST_END_TEST;

void
analytics_add_tests (TCase *tests)
{
  tcase_add_test (tests, labels_are_refused_without_analytics);
}

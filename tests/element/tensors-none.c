/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "metas.h"

GST_START_TEST (tensors_are_refused_without_their_meta) { metas_check_refused ("tensor-meta"); }
GST_END_TEST;

void
tensors_add_tests (TCase *tests)
{
  tcase_add_test (tests, tensors_are_refused_without_their_meta);
}

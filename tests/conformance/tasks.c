/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance.h"

const Operation task_operations[] = {
  { NULL },
};

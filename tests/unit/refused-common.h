/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Checks of calls that refuse and name a remedy.
 */
#pragma once

#include <string.h>

#include "vyre/error.h"

/* Expects that a call returned FALSE, with @code and a remedy; clears the error. */
static inline void
assert_refused (gboolean ok, GError **error, VyreError code)
{
  g_assert_false (ok);
  g_assert_error (*error, VYRE_ERROR, (int)code);
  g_assert_nonnull (strstr ((*error)->message, "Fix: "));
  g_clear_error (error);
}

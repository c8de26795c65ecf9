/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/read-mode.h"

const char *
vyre_read_mode_name (VyreReadMode mode)
{
  static const char *const names[] = {
    [VYRE_READ_MODE_SINGLE_ISSUER] = "single-issuer",
    [VYRE_READ_MODE_COOP_TASKRUN] = "coop-taskrun",
    [VYRE_READ_MODE_PLAIN_RING] = "plain-ring",
    [VYRE_READ_MODE_PREAD] = "pread",
  };

  g_return_val_if_fail (mode < G_N_ELEMENTS (names), NULL);

  return names[mode];
}

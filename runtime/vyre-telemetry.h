/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a readback says about the state of a ring: occupancy, tickets, counters, and the watchdog.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre-error.h"

G_BEGIN_DECLS

G_END_DECLS

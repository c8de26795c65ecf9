/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registry of tenants: producers that share a kernel, their opcode windows and their limits.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre-error.h"

G_BEGIN_DECLS

G_END_DECLS

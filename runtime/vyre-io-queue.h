/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The io queue on the host's side: its state machine over 32-byte slots.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre-error.h"

G_BEGIN_DECLS

G_END_DECLS

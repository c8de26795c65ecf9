/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishing into a ring: slots, packed slots, batches, work items and descriptors, with every check before the first word is written.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre-error.h"

G_BEGIN_DECLS

G_END_DECLS

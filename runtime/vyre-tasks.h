/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Task slots: slots of a ring that carry the state of a task that can pause and resume.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre-error.h"

G_BEGIN_DECLS

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that record what was published, to be run again and compared.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre-error.h"

G_BEGIN_DECLS

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Handlers as the megakernel reads them, behind the scratch of a batch.
 */
#pragma once

#include "kernel.h"
#include "vyre/handlers.h"

guint vyre_handlers_count (const VyreHandlers *handlers);
guint vyre_handlers_words (const VyreHandlers *handlers);
void vyre_handlers_write (const VyreHandlers *handlers, guint32 *words);
gboolean vyre_handlers_handle (const VyreHandlers *handlers, guint32 opcode);

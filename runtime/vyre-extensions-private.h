/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Handlers as the megakernel reads them, behind the scratch of a batch.
 */
#pragma once

#include "kernel.h"
#include "vyre-extensions.h"

guint vyre_extensions_count (const VyreExtensions *extensions);
guint vyre_extensions_words (const VyreExtensions *extensions);
void vyre_extensions_write (const VyreExtensions *extensions, guint32 *words);
gboolean vyre_extensions_handle (const VyreExtensions *extensions, guint32 opcode);

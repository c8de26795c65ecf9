/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: characters that word processors, web pages and phones put where a program has one of
 * ASCII, and what to write instead.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

const char *vyre_text_skip_mark (const char *text);
gboolean vyre_text_is_utf16 (const char *text, gsize length);
char vyre_lookalike (gunichar c);
char *vyre_lookalike_fix (gunichar c);

G_END_DECLS

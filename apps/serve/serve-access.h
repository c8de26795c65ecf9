/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The right to read the page. Without a token, readers have it who reach an address of the loopback
 * under one of its names. Functions of texts alone; any thread may call them.
 */
#pragma once

#include <glib.h>

char *serve_access_make_token (GError **error);
char *serve_access_read_token (const char *path, GError **error);
gboolean serve_access_matches (const char *token, const char *given);
gboolean serve_access_is_loopback (const char *host);
gboolean serve_access_is_same_origin (const char *origin, const char *host);
char *serve_access_find_cookie (const char *cookies, const char *name);

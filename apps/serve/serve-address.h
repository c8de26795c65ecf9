/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The address that a page is served at, as a user writes it.
 */
#pragma once

#include <gio/gio.h>

GSocketAddress *serve_address_parse (const char *text, GError **error);
gboolean serve_address_is_loopback (GSocketAddress *address);
char *serve_address_describe (GSocketAddress *address);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "serve-address.h"

#include <string.h>

/* Cuts off a port behind the last colon of @text, if there is one. */
static gboolean
take_port (char *text, guint64 *port)
{
  char *colon = strrchr (text, ':');

  if (*text == '[' && (!colon || colon < strchr (text, ']')))
    return TRUE;
  if (!colon)
    return TRUE;
  *colon = '\0';
  return g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, port, NULL);
}

/* Takes the brackets off an IPv6 address. */
static const char *
take_host (char *text)
{
  gsize length = strlen (text);

  if (length == 0 || g_ascii_strcasecmp (text, "localhost") == 0)
    return "127.0.0.1";
  if (*text == '[' && text[length - 1] == ']') {
    text[length - 1] = '\0';
    return text + 1;
  }
  return text;
}

/* ADDRESS, ADDRESS:PORT, :PORT or PORT; without an address that of the loopback, without a port any
 * that is free.
 * Returns: (transfer full): NULL with the error set */
GSocketAddress *
serve_address_parse (const char *text, GError **error)
{
  gboolean is_port = *text && strspn (text, G_CSET_DIGITS) == strlen (text);
  g_autofree char *copy = g_strconcat (is_port ? ":" : "", text, NULL);
  guint64 port = 0;
  gboolean has_port = take_port (copy, &port);
  GSocketAddress *address
      = has_port ? g_inet_socket_address_new_from_string (take_host (copy), (guint)port) : NULL;

  if (!address)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "--serve=%s is no address. Fix: pass ADDRESS:PORT, such as 127.0.0.1:8440 or [::1]:8440.",
        text);
  return address;
}

static GInetAddress *
get_inet (GSocketAddress *address)
{
  return g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
}

gboolean
serve_address_is_loopback (GSocketAddress *address)
{
  return g_inet_address_get_is_loopback (get_inet (address));
}

/* ADDRESS:PORT as a URL has it; of all addresses, the name of this machine. */
char *
serve_address_describe (GSocketAddress *address)
{
  GInetAddress *inet = get_inet (address);
  gboolean is_v6 = g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV6;
  gboolean is_any = g_inet_address_get_is_any (inet);
  g_autofree char *host = is_any ? g_strdup (g_get_host_name ()) : g_inet_address_to_string (inet);
  guint port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));

  return g_strdup_printf (is_v6 && !is_any ? "[%s]:%u" : "%s:%u", host, port);
}

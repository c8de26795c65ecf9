/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "serve-access.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/random.h>

/* Characters of a token */
#define TOKEN_BYTES 16
#define LEAST_TOKEN 16
#define MOST_TOKEN 256

/* Characters that no part of a URL, a header or a cookie has to escape. */
#define TOKEN_LETTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._~"

/* Returns: (transfer full): a token that nobody guesses; NULL with the error set */
char *
serve_access_make_token (GError **error)
{
  guint8 bytes[TOKEN_BYTES];
  GString *token = g_string_new (NULL);

  if (getrandom (bytes, sizeof bytes, 0) != sizeof bytes) {
    g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (errno),
        "There are no random numbers for a token: %s. Fix: pass --serve-token.",
        g_strerror (errno));
    g_string_free (token, TRUE);
    return NULL;
  }
  for (guint i = 0; i < sizeof bytes; i++)
    g_string_append_printf (token, "%02x", bytes[i]);
  return g_string_free (token, FALSE);
}

/* Returns: (transfer full): the one line of a file; NULL with the error set */
char *
serve_access_read_token (const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, &reason)) {
    g_set_error (error, reason->domain, reason->code,
        "%s. Fix: name a file that has the token, or leave out --serve-token.", reason->message);
    return NULL;
  }
  g_strchomp (text);
  gsize length = strlen (text);
  if (length < LEAST_TOKEN || length > MOST_TOKEN || strspn (text, TOKEN_LETTERS) < length) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "%s has no token. Fix: write one line of %d to %d letters, digits, or -._~ into it.", path,
        LEAST_TOKEN, MOST_TOKEN);
    return NULL;
  }
  return g_steal_pointer (&text);
}

/* Whether @given, which may be NULL, is @token. The time that it takes tells nothing of @token but
 * its length. */
gboolean
serve_access_matches (const char *token, const char *given)
{
  gsize length = strlen (token), n_given = given ? strlen (given) : 0;
  volatile guint8 difference = n_given != length;

  for (gsize i = 0; i < length; i++)
    difference |= (guint8)(token[i] ^ (i < n_given ? given[i] : 0));
  return difference == 0;
}

/* The name in a Host header, without the port. */
static char *
take_name (const char *host)
{
  const char *colon = strrchr (host, ':'), *bracket = strrchr (host, ']');

  if (*host == '[' && bracket)
    return g_strndup (host + 1, (gsize)(bracket - host - 1));
  return colon ? g_strndup (host, (gsize)(colon - host)) : g_strdup (host);
}

/* Whether a Host header, which may be NULL, names this machine as such. A page of another site
 * whose name was made to lead here has that name in it. */
gboolean
serve_access_is_loopback (const char *host)
{
  g_autofree char *name = host ? take_name (host) : NULL;
  g_autoptr (GInetAddress) address = name ? g_inet_address_new_from_string (name) : NULL;

  if (!name)
    return FALSE;
  return address ? g_inet_address_get_is_loopback (address)
                 : g_ascii_strcasecmp (name, "localhost") == 0;
}

/* Whether an Origin header is that of the page itself; what is no browser has none, NULL. */
gboolean
serve_access_is_same_origin (const char *origin, const char *host)
{
  const char *scheme = "http://";

  return !origin
         || (g_str_has_prefix (origin, scheme) && host
             && g_ascii_strcasecmp (origin + strlen (scheme), host) == 0);
}

/* The value of a name in a Cookie header, to be freed, or NULL. */
char *
serve_access_find_cookie (const char *cookies, const char *name)
{
  g_auto (GStrv) pairs = g_strsplit (cookies ? cookies : "", ";", -1);
  g_autofree char *prefix = g_strconcat (name, "=", NULL);

  for (char **pair = pairs; *pair; pair++) {
    if (g_str_has_prefix (g_strstrip (*pair), prefix))
      return g_strdup (*pair + strlen (prefix));
  }
  return NULL;
}

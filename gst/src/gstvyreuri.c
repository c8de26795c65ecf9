/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "src/gstvyreuri.h"

#include <string.h>

/* The scheme of a file URI, with this in front */
#define OWNER "vyre+"

gchar *
gst_vyre_uri_from_location (const gchar *location)
{
  g_autofree gchar *path = g_canonicalize_filename (location, NULL);
  g_autofree gchar *uri = g_filename_to_uri (path, NULL, NULL);

  return uri ? g_strconcat (OWNER, uri, NULL) : NULL;
}

static gboolean
uri_set_bad (GError **error, const gchar *uri, const gchar *what)
{
  g_autofree gchar *shown = g_filename_display_name (uri);

  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "'%s' %s. Fix: write " GST_VYRE_URI_SCHEME ":///and/its/path.", shown, what);
  return FALSE;
}

/* TRUE if a file URI names this host. It has other names, but only these occur in file URIs. */
static gboolean
uri_is_here (const gchar *host)
{
  return !host || !*host || g_ascii_strcasecmp (host, "localhost") == 0;
}

/* Returns the path of @uri in @location. It is NULL for the scheme alone, which applications use to
 * find an element that knows it. */
gboolean
gst_vyre_uri_to_location (const gchar *uri, gchar **location, GError **error)
{
  g_autofree gchar *host = NULL;

  *location = NULL;
  if (g_ascii_strncasecmp (uri, GST_VYRE_URI_SCHEME ":", strlen (GST_VYRE_URI_SCHEME ":")) != 0)
    return uri_set_bad (error, uri, "names no file here");
  if (g_ascii_strcasecmp (uri, GST_VYRE_URI_SCHEME "://") == 0)
    return TRUE;
  g_autofree gchar *path = g_filename_from_uri (uri + strlen (OWNER), &host, NULL);
  if (!path)
    return uri_set_bad (error, uri, "names no file here");
  if (!uri_is_here (host))
    return uri_set_bad (error, uri, "names a file of another host");
  *location = g_steal_pointer (&path);
  return TRUE;
}

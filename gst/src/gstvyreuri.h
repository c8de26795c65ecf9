/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The URIs of vyresrc: file URIs with a scheme of their own.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_VYRE_URI_SCHEME "vyre+file"

gchar *gst_vyre_uri_from_location (const gchar *location);
gboolean gst_vyre_uri_to_location (const gchar *uri, gchar **location, GError **error);

G_END_DECLS

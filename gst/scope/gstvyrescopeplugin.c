/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plugin of its own: that of vyrefilter needs neither cairo nor pango.
 */
#include <gst/gst.h>

#include "scope/gstvyrescope.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (vyrescope, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vyrescope,
    "Results of vyrefilter as video", plugin_init, PACKAGE_VERSION, "LGPL", PACKAGE, "gst-vyre")

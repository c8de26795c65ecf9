/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>

#include "common/gstvyrefork.h"
#include "common/gstvyreimport.h"
#include "common/gstvyrereadback.h"
#include "common/gstvyreresults.h"
#include "common/gstvyreshared.h"
#include "common/gstvyretracer.h"
#include "filter/gstvyrefilter.h"
#include "library/gst/vyre/vyre.h"
#include "readback/gstvyrereadbackmux.h"
#include "readback/gstvyrereadbackparse.h"
#include "src/gstvyresrc.h"

/* Nothing here touches a device: that happens in NULL to READY, where a failure
 * can be told to the application. */
static gboolean
plugin_init (GstPlugin *plugin)
{
  gst_vyre_fork_init ();
  gst_vyre_shared_init ();
  gst_vyre_import_init ();
  gst_vyre_readback_init ();
  gst_vyre_results_init ();
  g_type_ensure (GST_TYPE_VYRE_TABLE);
  return GST_ELEMENT_REGISTER (vyrefilter, plugin) && GST_ELEMENT_REGISTER (vyresrc, plugin)
         && GST_ELEMENT_REGISTER (vyrereadbackmux, plugin)
         && GST_ELEMENT_REGISTER (vyrereadbackparse, plugin) && gst_vyre_tracer_register (plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vyre,
    "Byte programs on a resident Vulkan kernel", plugin_init, PACKAGE_VERSION, "LGPL", PACKAGE,
    "gst-vyre")

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrekernelparams.h"

#define STAGING_SIZE (64 * 1024 * 1024)
#define MOST_SIZE (G_GUINT64_CONSTANT (4) << 30)

/* Watchdogs of desktop drivers count in seconds. */
#define LEASE (500 * GST_MSECOND)

static GType
kernel_residency_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { VYRE_RESIDENCY_AUTO, "The first that the device proves to support", "auto" },
    { VYRE_RESIDENCY_PERSISTENT, "The kernel runs until it is parked", "persistent" },
    { VYRE_RESIDENCY_RELAY, "Bounded launches, relaunched while there is work", "relay" },
    { VYRE_RESIDENCY_DISPATCH, "One launch per buffer", "dispatch" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVyreResidency", values));
  return type;
}

static GType
kernel_placement_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { VYRE_PLACEMENT_AUTO, "split on a GPU with memory of its own, else unified", "auto" },
    { VYRE_PLACEMENT_UNIFIED, "The kernel reads payloads where they were staged", "unified" },
    { VYRE_PLACEMENT_BAR, "The CPU stores payloads into memory of the device", "bar" },
    { VYRE_PLACEMENT_COPY, "A copy engine moves payloads into memory of the device", "copy" },
    { VYRE_PLACEMENT_SPLIT, "Small payloads are stored, large ones go by copy engine", "split" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVyrePlacement", values));
  return type;
}

#define READY GST_VYRE_PROPERTY_READY
#define AT(field) GstVyreKernelParams, field

const GstVyreProperty gst_vyre_kernel_properties[] = {
  { GST_VYRE_STRING ("device", "Device",
      "Vulkan device: auto (a GPU before a CPU), index, part of the name, or UUID", READY, "auto",
      AT (device)) },
  { GST_VYRE_ENUM ("residency", "Residency", "How long the kernel stays on the device", READY,
      kernel_residency_get_type, VYRE_RESIDENCY_AUTO, AT (megakernel.residency)) },
  { GST_VYRE_ENUM ("placement", "Placement",
      "Where buffers lie while the kernel reads them, and how they get there", READY,
      kernel_placement_get_type, VYRE_PLACEMENT_AUTO, AT (megakernel.placement)) },
  { GST_VYRE_UINT64 ("copy-threshold", "Copy threshold",
      "Bytes from which on placement=split takes the copy engine (0 = measured at start)", READY, 0,
      G_MAXUINT64, 0, AT (megakernel.copy_threshold)) },
  { GST_VYRE_UINT64 ("import-threshold", "Import threshold",
      "Bytes from which on memory of other elements is read where it is rather than copied "
      "(0 = as measured for such devices; by a GPU only what comes again)",
      READY, 0, G_MAXUINT64, 0, AT (megakernel.import_threshold)) },
  { GST_VYRE_UINT64 ("lease", "Lease",
      "Longest time that a launch of a persistent kernel stays before the next takes over "
      "(0 = no limit) (ns)",
      READY, 0, LEASE, LEASE, AT (megakernel.lease)) },
  { GST_VYRE_UINT64 ("staging-size", "Staging size",
      "Bytes of memory that payloads are staged in; also the largest buffer. Less where the "
      "device cannot address so much: stats has the size in use",
      READY, 65536, MOST_SIZE, STAGING_SIZE, AT (megakernel.staging_size)) },
  { GST_VYRE_UINT64 ("resource-size", "Resource size",
      "Bytes of staging memory that files which programs name may take, 0 for a quarter of it",
      READY, 0, MOST_SIZE, 0, AT (megakernel.resource_size)) },
  { GST_VYRE_UINT64 ("idle-timeout", "Idle timeout",
      "Time without buffers after which the kernel leaves the device until the next "
      "(18446744073709551615 = 100 ms on a GPU, and on a CPU by the gaps between buffers) (ns)",
      READY, 0, G_MAXUINT64, VYRE_IDLE_TIMEOUT_AUTO, AT (megakernel.idle_timeout)) },
  { GST_VYRE_UINT64 ("max-batch-time", "Maximum batch time",
      "Time for which a buffer may hold the device, as measured at start; one that takes "
      "longer lets others in between (18446744073709551615 = no limit) (ns)",
      READY, 1, G_MAXUINT64, 100 * GST_MSECOND, AT (megakernel.max_batch_time)) },
  { GST_VYRE_STRING ("kernel-group", "Kernel group",
      "Elements of a process share a kernel with those that have the same name here and the "
      "same settings, and with no others (NULL = with those that have none)",
      READY, NULL, AT (group)) },
  { 0 },
};

void
gst_vyre_kernel_params_copy (GstVyreKernelParams *to, const GstVyreKernelParams *from)
{
  *to = (GstVyreKernelParams){ 0 };
  gst_vyre_fields_copy (gst_vyre_kernel_properties, to, from);
}

void
gst_vyre_kernel_params_clear (GstVyreKernelParams *params)
{
  gst_vyre_fields_clear (gst_vyre_kernel_properties, params);
}

gboolean
gst_vyre_kernel_params_equal (const GstVyreKernelParams *a, const GstVyreKernelParams *b)
{
  return gst_vyre_fields_equal (gst_vyre_kernel_properties, a, b);
}

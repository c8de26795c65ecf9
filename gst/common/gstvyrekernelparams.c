/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrekernelparams.h"

#define STAGING_SIZE (64 * 1024 * 1024)
#define MOST_SIZE (G_GUINT64_CONSTANT (4) << 30)

/* Well below the timeouts of desktop drivers, which are seconds */
#define LEASE (500 * GST_MSECOND)

static const GEnumValue kernel_residencies[] = {
  { VYRE_RESIDENCY_AUTO, "First residency that the device proves to support", "auto" },
  { VYRE_RESIDENCY_PERSISTENT, "Kernel that runs until it is parked", "persistent" },
  { VYRE_RESIDENCY_RELAY, "Launches of bounded length, repeated while there is work", "relay" },
  { VYRE_RESIDENCY_DISPATCH, "One launch per buffer", "dispatch" },
  { 0, NULL, NULL },
};

static GEnumValue kernel_placements[16]; /* the last stays empty */

#define READY GST_VYRE_PROPERTY_READY
#define AT(field) GstVyreKernelParams, field

const GstVyreProperty gst_vyre_kernel_properties[] = {
  { GST_VYRE_STRING ("device", "Device",
      "Vulkan device: auto (prefers a GPU), index, part of the name, or UUID", READY, "auto",
      AT (device)) },
  { GST_VYRE_ENUM ("residency", "Residency", "How long a launch of the kernel stays on the device",
      READY, "GstVyreResidency", kernel_residencies, VYRE_RESIDENCY_AUTO,
      AT (megakernel.residency)) },
  { GST_VYRE_ENUM ("placement", "Placement",
      "Where the kernel reads payloads, and how they get there", READY, "GstVyrePlacement",
      kernel_placements, VYRE_PLACEMENT_AUTO, AT (megakernel.placement)) },
  { GST_VYRE_UINT64 ("copy-threshold", "Copy threshold",
      "Smallest payload that placement=split moves by copy engine (0 = measured at start) (bytes)",
      READY, 0, G_MAXUINT64, 0, AT (megakernel.copy_threshold)) },
  { GST_VYRE_UINT64 ("import-threshold", "Import threshold",
      "Smallest payload that the device reads in memory of other elements, without a copy (0 = "
      "device default; on a GPU, only memory seen before is imported) (bytes)",
      READY, 0, G_MAXUINT64, 0, AT (megakernel.import_threshold)) },
  { GST_VYRE_UINT64 ("lease", "Lease",
      "Longest time that one launch of a persistent kernel runs before the next takes over (0 = no "
      "limit) (ns)",
      READY, 0, LEASE, LEASE, AT (megakernel.lease)) },
  { GST_VYRE_UINT64 ("staging-size", "Staging size",
      "Size of the memory for payloads, and so the largest buffer. Smaller if the device cannot "
      "address so much: stats has the size in use (bytes)",
      READY, 65536, MOST_SIZE, STAGING_SIZE, AT (megakernel.staging_size)) },
  { GST_VYRE_UINT64 ("resource-size", "Resource size",
      "Part of staging memory for files that programs name (0 = a quarter) (bytes)", READY, 0,
      MOST_SIZE, 0, AT (megakernel.resource_size)) },
  { GST_VYRE_UINT64 ("idle-timeout", "Idle timeout",
      "Time without buffers after which the kernel leaves the device (18446744073709551615 = 100 "
      "ms on a GPU; on a CPU, adapted to the gaps between buffers) (ns)",
      READY, 0, G_MAXUINT64, VYRE_IDLE_TIMEOUT_AUTO, AT (megakernel.idle_timeout)) },
  { GST_VYRE_UINT64 ("max-batch-time", "Maximum batch time",
      "Time for which one buffer may hold the device, by the speed measured at start; a batch that "
      "takes longer pauses for other batches (18446744073709551615 = no limit) (ns)",
      READY, 1, G_MAXUINT64, 100 * GST_MSECOND, AT (megakernel.max_batch_time)) },
  { GST_VYRE_STRING ("kernel-group", "Kernel group",
      "Name of a group: elements of a process share a kernel if group and settings are the same "
      "(NULL = elements without a group)",
      READY, NULL, AT (group)) },
  { 0 },
};

/* Fills in the placements that libvyre knows. Called before the rows are installed. */
void
gst_vyre_kernel_params_init (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kernel_placements) - 1 && vyre_placement_name (i); i++)
    kernel_placements[i]
        = (GEnumValue){ (gint)i, vyre_placement_blurb (i), vyre_placement_name (i) };
}

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

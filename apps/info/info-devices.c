/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "info-devices.h"

#include <vyre/vyre.h>

#include "info-gpu.h"
#include "info-machine.h"
#include "info-trip.h"

/* The settings that vyrefilter has unless it is told otherwise. */
static VyreMegakernel *
kernel_new (VyreDevice *device, GError **error)
{
  const VyreMegakernelParams params = {
    .staging_size = MIN (INFO_STAGING_SIZE, vyre_device_get_max_payload (device)),
    .readback_size = 32 * 1024 * 1024,
    .idle_timeout = VYRE_IDLE_TIMEOUT_AUTO,
    .lease = 500 * 1000 * 1000,
  };

  return vyre_megakernel_new (device, &params, error);
}

static guint64
threshold_to_number (gsize threshold)
{
  return threshold == G_MAXSIZE ? INFO_NONE : threshold;
}

/* Adds what the proof of @kernel found out. */
static void
devices_add_proof (InfoReport *report, VyreMegakernel *kernel)
{
  info_report_add_text (
      report, "placement", vyre_placement_name (vyre_megakernel_get_placement (kernel)));
  info_report_add_text (
      report, "residency", vyre_residency_name (vyre_megakernel_get_residency (kernel)));
  info_report_add_number (report, "workgroups", vyre_megakernel_get_workgroups (kernel), NULL);
  info_report_add_number (report, "workgroup-size", vyre_megakernel_get_workgroup (kernel), NULL);
  info_report_add_number (report, "copy-threshold",
      threshold_to_number (vyre_megakernel_get_copy_threshold (kernel)), "bytes");
  info_report_add_number (report, "import-threshold",
      threshold_to_number (vyre_megakernel_get_import_threshold (kernel)), "bytes");
  info_report_add_text (report, "verdict", vyre_megakernel_get_verdict (kernel));
}

/* Makes a kernel on a device and adds what it is like; fails where it does not run. */
static gboolean
devices_try (InfoReport *report, const InfoDevices *devices, guint index, GError **error)
{
  g_autofree char *selector = g_strdup_printf ("%u", index);
  g_autoptr (VyreDevice) device = vyre_device_open (selector, error);
  g_autoptr (VyreMegakernel) kernel = device ? kernel_new (device, error) : NULL;
  guint64 trip = INFO_NONE;

  info_report_add_truth (report, "proven", kernel != NULL);
  if (!kernel)
    return FALSE;
  devices_add_proof (report, kernel);
  const char *reason = vyre_file_io_get_reason (vyre_megakernel_get_file_io (kernel));
  if (reason && g_strcmp0 (reason, devices->files_problem) != 0)
    info_report_add_problem (report, reason);
  gboolean fine = info_trip_measure (kernel, &trip, error);
  info_report_add_number (report, "round-trip", trip, "ns");
  return fine;
}

static void
devices_add_one (InfoReport *report, const InfoDevices *devices, const VyreDeviceInfo *info)
{
  g_autoptr (GError) error = NULL;

  info_report_begin_item (report, "device", info->index);
  info_report_add_number (report, "index", info->index, NULL);
  info_report_add_text (report, "name", info->name);
  info_report_add_text (report, "uuid", info->uuid);
  info_report_add_text (report, "kind", info->kind);
  info_report_add_text (report, "vulkan", info->vulkan);
  info_report_add_text (report, "driver", info->driver);
  if (!devices->quick && !devices_try (report, devices, info->index, &error))
    info_report_add_problem (report, error->message);
  info_report_end (report);
}

/* Fails where there is no device, or no loader that works; the report tells. */
gboolean
info_devices_add (InfoReport *report, const InfoDevices *devices)
{
  g_autofree char *loader = vyre_machine_get_loader_version ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = vyre_machine_list_devices (devices->selector, &error);
  guint n = list ? list->len : 0;

  info_report_begin (report, "vulkan");
  info_report_add_text (report, "loader", loader);
  info_report_add_number (report, "devices", n, NULL);
  if (error)
    info_report_add_problem (report, error->message);
  g_autofree char *problem = list && !devices->selector ? info_gpu_find_problem (list) : NULL;
  if (problem)
    info_report_add_problem (report, problem);
  info_report_end (report);
  info_report_begin_list (report, "devices");
  for (guint i = 0; i < n; i++)
    devices_add_one (report, devices, list->pdata[i]);
  info_report_end_list (report);
  return n > 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyredevicememory.h"

#include "vyre/vyre.h"

/* For each feature, the element that takes its buffers and gives them in system memory; @other is
 * the same for machines without the first. Most of these elements pass their input on if they may,
 * so a caps filter has to follow. */
static const struct {
  const gchar *feature;
  const gchar *element;
  const gchar *other;
} device_memory_downloads[] = {
  { "memory:NVMM", "nvvideoconvert", "nvvidconv" },
  { "memory:CUDAMemory", "cudadownload", NULL },
  { "memory:GLMemory", "gldownload", NULL },
  { "memory:VAMemory", "vapostproc", NULL },
  { "memory:VASurface", "vaapipostproc", NULL },
  { "memory:DMABuf", "vapostproc", "glupload ! gldownload" },
  { "memory:VulkanImage", "vulkandownload", NULL },
  { "memory:D3D11Memory", "d3d11download", NULL },
  { "memory:D3D12Memory", "d3d12download", NULL },
  { "memory:HIPMemory", "hipdownload", NULL },
};

/* Returns the feature that keeps the CPU from buffers, or NULL. Features also name metas; only
 * memory that is not system memory is out of reach. */
static const gchar *
device_memory_find_feature (const GstCapsFeatures *features)
{
  for (guint i = 0; i < gst_caps_features_get_size (features); i++) {
    const gchar *feature = gst_caps_features_get_nth (features, i);
    if (g_str_has_prefix (feature, "memory:")
        && !g_str_equal (feature, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY))
      return feature;
  }
  return NULL;
}

/* Without a known element, the user has to ask the maker of the memory. */
static gchar *
device_memory_describe_fix (const gchar *feature, const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (device_memory_downloads); i++) {
    if (!g_str_equal (device_memory_downloads[i].feature, feature))
      continue;
    if (!device_memory_downloads[i].other)
      return g_strdup_printf ("put '%s ! %s' in front", device_memory_downloads[i].element, name);
    return g_strdup_printf ("put '%s ! %s' in front, or, where there is none, '%s ! %s'",
        device_memory_downloads[i].element, name, device_memory_downloads[i].other, name);
  }
  return g_strdup_printf ("have the element in front give plain %s, or put the element that "
                          "copies %s to system memory between",
      name, feature);
}

/* TRUE if the CPU can read buffers of @caps. */
gboolean
gst_vyre_device_memory_check (GstCaps *caps, GError **error)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  const gchar *feature = device_memory_find_feature (gst_caps_get_features (caps, 0));

  if (!feature)
    return TRUE;
  g_autofree gchar *fix = device_memory_describe_fix (feature, name);
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "Buffers of %s(%s) are not in memory that the CPU reads. Fix: %s.", name, feature, fix);
  return FALSE;
}

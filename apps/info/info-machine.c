/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "info-machine.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <vyre/vyre.h>

/* Adds the plugin that GStreamer finds, and whether it is that of this program. */
static void
versions_add_plugin (InfoReport *report)
{
  g_autoptr (GstPluginFeature) element
      = gst_registry_find_feature (gst_registry_get (), "vyrefilter", GST_TYPE_ELEMENT_FACTORY);
  g_autoptr (GstPlugin) plugin = element ? gst_plugin_feature_get_plugin (element) : NULL;
  const char *version = plugin ? gst_plugin_get_version (plugin) : NULL;

  info_report_add_text (report, "plugin", version);
  info_report_add_text (report, "plugin-file", plugin ? gst_plugin_get_filename (plugin) : NULL);
  if (!plugin)
    info_report_add_problem (report,
        "GStreamer does not find the element vyrefilter. Fix: install the plugin, or name its "
        "folder in GST_PLUGIN_PATH.");
  else if (!g_str_equal (version, PACKAGE_VERSION))
    info_report_add_problem (report,
        "The plugin and vyre-info are of different versions. Fix: install both of one build, or "
        "name the plugin's folder in GST_PLUGIN_PATH.");
}

void
info_machine_add_versions (InfoReport *report)
{
  guint major, minor, micro, nano;
  struct utsname linux_name;

  gst_version (&major, &minor, &micro, &nano);
  g_autofree char *gstreamer = g_strdup_printf ("%u.%u.%u", major, minor, micro);
  uname (&linux_name);
  g_autofree char *kernel = g_strdup_printf ("%s %s", linux_name.release, linux_name.machine);

  info_report_begin (report, "versions");
  info_report_add_text (report, "vyre-info", PACKAGE_VERSION);
  versions_add_plugin (report);
  info_report_add_text (report, "gstreamer", gstreamer);
  info_report_add_text (report, "linux", kernel);
  info_report_end (report);
}

static guint64
limit_to_number (rlim_t limit)
{
  return limit == RLIM_INFINITY ? INFO_NONE : (guint64)limit;
}

/* Tries the way that files are read, into memory as large as that of a kernel.
 *
 * Returns: (transfer full) (nullable): the problem, if there is one */
char *
info_machine_add_files (InfoReport *report)
{
  void *memory
      = mmap (NULL, INFO_STAGING_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gsize size = memory == MAP_FAILED ? 0 : INFO_STAGING_SIZE;
  g_autoptr (VyreFileIo) file_io
      = vyre_file_io_new (size ? memory : NULL, size, VYRE_READ_MODE_SINGLE_ISSUER);
  const char *reason = vyre_file_io_get_reason (file_io);
  struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

  getrlimit (RLIMIT_MEMLOCK, &limit);
  info_report_begin (report, "files");
  info_report_add_text (report, "mode", vyre_read_mode_name (vyre_file_io_get_mode (file_io)));
  info_report_add_truth (report, "registered", vyre_file_io_is_registered (file_io));
  info_report_add_number (report, "memlock", limit_to_number (limit.rlim_cur), "bytes");
  info_report_add_number (report, "memlock-most", limit_to_number (limit.rlim_max), "bytes");
  if (reason)
    info_report_add_problem (report, reason);
  info_report_end (report);
  char *problem = g_strdup (reason);
  g_clear_pointer (&file_io, vyre_file_io_free);
  if (size)
    munmap (memory, size);
  return problem;
}

/* Returns 0 where a file can be made in @folder, also if the folder has to be made before; else the
 * number of the error. */
static int
cache_try (const char *folder)
{
  g_autofree char *there = g_strdup (folder);
  GStatBuf status;

  while (g_stat (there, &status) != 0) {
    if (errno != ENOENT)
      return errno;
    char *parent = g_path_get_dirname (there);
    g_free (there);
    there = parent;
  }
  if (!S_ISDIR (status.st_mode))
    return ENOTDIR;
  return faccessat (AT_FDCWD, there, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

static void
cache_add_contents (InfoReport *report, const char *folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  guint64 n = 0, bytes = 0;
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf status;
    if (!g_str_has_prefix (name, "kernel-") || g_stat (path, &status) != 0)
      continue;
    n++;
    bytes += (guint64)status.st_size;
  }
  g_clear_pointer (&dir, g_dir_close);
  info_report_add_number (report, "kernels", n, NULL);
  info_report_add_number (report, "size", bytes, "bytes");
}

/* Adds the cache of compiled kernels as it is now. */
void
info_machine_add_cache (InfoReport *report)
{
  g_autofree char *folder = vyre_machine_get_cache_folder ();
  int refusal = cache_try (folder);

  info_report_begin (report, "cache");
  info_report_add_text (report, "folder", folder);
  info_report_add_truth (report, "writable", refusal == 0);
  cache_add_contents (report, folder);
  if (refusal) {
    g_autofree char *problem
        = g_strdup_printf ("Each process compiles its kernels, for they cannot be kept: %s. Fix: "
                           "make the folder writable, or name another one in XDG_CACHE_HOME.",
            g_strerror (refusal));
    info_report_add_problem (report, problem);
  }
  info_report_end (report);
}

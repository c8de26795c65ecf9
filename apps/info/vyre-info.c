/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyre-info [OPTION…]: says what the machine has for vyrefilter and libvyre, and what is to be
 * mended. The exit status is 0 when all is well, 1 when something is to be fixed, and 2 when there
 * is no device, or on an error.
 */
#include <gst/gst.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/options.h"
#include "common/terminal.h"
#include "info-devices.h"
#include "info-machine.h"

enum { EXIT_WELL, EXIT_FIX, EXIT_ERROR };

typedef struct {
  gboolean version, json, quick;
  char *device;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->device);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static GOptionContext *
options_make_context (Options *options)
{
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Prints one JSON object", NULL },
    { "quick", 0, 0, G_OPTION_ARG_NONE, &options->quick,
        "Lists the devices, and makes no kernel on them", NULL },
    { "device", 'd', 0, G_OPTION_ARG_STRING, &options->device,
        "Only one Vulkan device: auto, index, part of the name, or UUID", "DEVICE" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Prints the version", NULL },
    { NULL },
  };
  GOptionContext *context = g_option_context_new (NULL);

  g_option_context_set_summary (
      context, "Says what this machine has for vyrefilter, and what is to be mended.");
  g_option_context_set_description (context,
      "Exit status: 0 all is well, 1 something is to be fixed, 2 there is no device, or an error.");
  g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

/* Fails with a remedy. */
static gboolean
options_parse (Options *options, int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = options_make_context (options);

  if (!app_parse_options (context, "vyre-info", argc, argv, error))
    return FALSE;
  if (*argc == 1)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "'%s' is no option. Fix: see vyre-info --help.", (*argv)[1]);
  return FALSE;
}

static int
report (const Options *options, GError **error)
{
  InfoDevices devices = { .selector = options->device, .quick = options->quick };
  InfoReport found;

  info_report_start (&found, options->json);
  info_machine_add_versions (&found);
  g_autofree char *problem = info_machine_add_files (&found);
  devices.files_problem = problem;
  info_machine_add_cache (&found);
  int status = EXIT_ERROR;
  if (info_devices_add (&found, &devices))
    status = found.n_problems > 0 ? EXIT_FIX : EXIT_WELL;
  return info_report_finish (&found, status, error) ? status : EXIT_ERROR;
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;
  int status = EXIT_ERROR;

  app_open_standard_files ();
  setlocale (LC_ALL, "");
  if (options_parse (&options, &argc, &argv, &error)) {
    if (options.version) {
      printf ("vyre-info %s\n", PACKAGE_VERSION);
      return EXIT_SUCCESS;
    }
    gst_init (NULL, NULL);
    status = report (&options, &error);
  }
  if (error)
    g_printerr ("vyre-info: %s\n", error->message);
  return status;
}

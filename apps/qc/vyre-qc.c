/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyre-qc [OPTION…] FILE|URI…: measures the picture and the sound of films. The exit status is 0
 * when there is nothing to report, 1 when there are findings, and 2 when anything was not measured.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/terminal.h"
#include "qc-live.h"
#include "qc-outputs.h"
#include "qc-params.h"
#include "qc-report.h"
#include "qc-run.h"

#define MOST_PARALLEL 64
#define EXIT_ERROR 2

enum { OUTPUT_JSON, OUTPUT_QCTOOLS, OUTPUT_HTML, OUTPUT_TABLE, N_OUTPUTS };

typedef struct {
  gboolean version, histograms, lingers;
  QcOutput outputs[N_OUTPUTS];
  char *device, *serve, *token_path;
  char **params, **names;
  int n_parallel, timeout;
  Serve *server;
  QcLive *live;
} Options;

static GOptionContext *
options_make_context (Options *options)
{
  const GOptionEntry entries[] = {
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &options->n_parallel, "Files at a time (1)", "N" },
    { "param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options->params,
        "A number for the programs, such as border=30; may be given several times", "NAME=VALUE" },
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &options->outputs[OUTPUT_JSON].path,
        "Writes JSON lines (- is standard output, and replaces the table)", "FILE" },
    { "histograms", 0, 0, G_OPTION_ARG_NONE, &options->histograms,
        "Adds the histograms of each frame to the JSON", NULL },
    { "qctools", 0, 0, G_OPTION_ARG_FILENAME, &options->outputs[OUTPUT_QCTOOLS].path,
        "Writes signalstats of the frames of one film, which QCTools opens", "FILE.xml.gz" },
    { "html", 0, 0, G_OPTION_ARG_FILENAME, &options->outputs[OUTPUT_HTML].path,
        "Writes a page with timelines, and with pictures of the events", "FILE" },
    { "serve", 0, 0, G_OPTION_ARG_STRING, &options->serve,
        "Serves a page that shows the run (without a value at a free port of this machine)",
        "ADDRESS:PORT" },
    { "serve-token", 0, 0, G_OPTION_ARG_FILENAME, &options->token_path,
        "Has the page ask for the token in this file", "FILE" },
    { "serve-linger", 0, 0, G_OPTION_ARG_NONE, &options->lingers,
        "Serves on behind the last file, until a signal", NULL },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &options->timeout,
        "Seconds without a buffer after which a file is given up (60)", "SECONDS" },
    { "device", 'd', 0, G_OPTION_ARG_STRING, &options->device,
        "Vulkan device: auto, index, part of the name, or UUID", "DEVICE" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Prints the version", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->names, NULL, "FILE|URI…" },
    { NULL },
  };
  GOptionContext *context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "Measures the picture and the sound of films.");
  g_option_context_set_description (context,
      "Exit status: 0 nothing to report, 1 findings, 2 not all of it was measured, or an error.");
  g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

static void
options_clear (Options *options)
{
  for (guint i = 0; i < N_OUTPUTS; i++)
    g_free (options->outputs[i].path);
  serve_free (options->server);
  qc_live_free (options->live);
  g_free (options->device);
  g_free (options->serve);
  g_free (options->token_path);
  g_strfreev (options->params);
  g_strfreev (options->names);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
options_check (const Options *options, GError **error)
{
  if (!options->names)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "There is no file to measure. Fix: name one, or more; see vyre-qc --help.");
  else if (options->n_parallel < 1 || options->n_parallel > MOST_PARALLEL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "-j %d is out of range. Fix: pass 1 to %d.", options->n_parallel, MOST_PARALLEL);
  else if (options->timeout < 1)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--timeout %d is out of range. Fix: pass 1, or more.", options->timeout);
  else if (options->outputs[OUTPUT_QCTOOLS].path && options->names[1])
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--qctools is of one film. Fix: run vyre-qc once for each.");
  else if (!options->serve && (options->token_path || options->lingers))
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "%s is of a page that is served. Fix: pass --serve, too.",
        options->token_path ? "--serve-token" : "--serve-linger");
  else
    return TRUE;
  return FALSE;
}

/* Gives --serve its value where it has none. GLib would take the next argument, which is a film. */
static void
add_empty_value (char **argv)
{
  static char with_value[] = "--serve=";

  for (; *argv && !g_str_equal (*argv, "--"); argv++) {
    if (g_str_equal (*argv, "--serve"))
      *argv = with_value;
  }
}

/* Fails with a remedy. */
static gboolean
options_parse (Options *options, int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = options_make_context (options);

  add_empty_value (*argv);
  if (!app_parse_options (context, "vyre-qc", argc, argv, error))
    return FALSE;
  return options->version || options_check (options, error);
}

static guint
options_find_name_width (const Options *options)
{
  guint width = strlen ("file");

  for (char **name = options->names; *name; name++) {
    g_autofree char *printable = app_make_printable (*name);
    width = MAX (width, (guint)g_utf8_strlen (printable, -1));
  }
  return width;
}

/* Gives standard output to the table, unless an output has it. */
static void
options_add_table (Options *options)
{
  for (guint i = 0; i < OUTPUT_TABLE; i++) {
    if (g_strcmp0 (options->outputs[i].path, "-") == 0)
      return;
  }
  options->outputs[OUTPUT_TABLE].path = g_strdup ("-");
}

/* Opens the outputs that are asked for. */
static gboolean
options_open_reports (Options *options, GPtrArray *reports, GError **error)
{
  const QcOutput *outputs = options->outputs;

  options_add_table (options);
  if (!qc_outputs_open (options->outputs, N_OUTPUTS, options->names, error))
    return FALSE;
  if (outputs[OUTPUT_JSON].file)
    g_ptr_array_add (reports, qc_json_new (&outputs[OUTPUT_JSON], options->histograms));
  if (outputs[OUTPUT_QCTOOLS].file)
    g_ptr_array_add (reports, qc_xml_new (&outputs[OUTPUT_QCTOOLS]));
  if (outputs[OUTPUT_HTML].file)
    g_ptr_array_add (reports, qc_html_new (&outputs[OUTPUT_HTML]));
  if (outputs[OUTPUT_TABLE].file)
    g_ptr_array_add (reports, qc_table_new (options_find_name_width (options)));
  return TRUE;
}

/* Takes the port of the page, if one is asked for, before any output is opened. */
static gboolean
options_listen (Options *options, GError **error)
{
  if (options->serve)
    options->server = serve_new (options->serve, options->token_path, error);
  return !options->serve || options->server;
}

/* Serves the page. Its report is the last one, so that its end comes behind those of the others. */
static void
options_serve (Options *options, GPtrArray *reports)
{
  if (!options->server)
    return;
  options->live = qc_live_new (options->server, options->names);
  g_ptr_array_add (reports, qc_live_get_report (options->live));
  g_printerr ("vyre-qc: The page is at %s\n", serve_get_url (options->server));
}

static int
measure (Options *options, GError **error)
{
  g_autoptr (GPtrArray) reports = g_ptr_array_new ();
  QcPlan plan = {
    .names = options->names,
    .n_parallel = (guint)options->n_parallel,
    .settings = { .device = options->device, .timeout = (guint)options->timeout },
    .reports = reports,
    .lingers = options->lingers,
  };
  int status = EXIT_ERROR;

  if (qc_params_parse (options->params, &plan.settings, error) && options_listen (options, error)
      && options_open_reports (options, reports, error)) {
    options_serve (options, reports);
    status = (int)qc_run (&plan);
  }
  qc_params_clear (&plan.settings);
  return status;
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { .n_parallel = 1, .timeout = 60 };
  g_autoptr (GError) error = NULL;
  int status = EXIT_ERROR;

  app_open_standard_files ();
  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C");
  if (options_parse (&options, &argc, &argv, &error)) {
    if (options.version) {
      printf ("vyre-qc %s\n", PACKAGE_VERSION);
      return EXIT_SUCCESS;
    }
    gst_init (NULL, NULL);
    status = measure (&options, &error);
  }
  if (error)
    g_printerr ("vyre-qc: %s\n", error->message);
  return status;
}

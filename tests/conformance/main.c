/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyre-conformance [DIRECTORY]: runs the cases in DIRECTORY/protocol and
 * DIRECTORY/exec, or a few of them that are kept with the tests, and reports each
 * family: passed, different by design (with the rule), failed. The last line is
 * the sum; the exit status is 0 only when nothing failed.
 */
#include "exec.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#define N_RULES 13

typedef struct {
  guint passed;
  guint differs[N_RULES + 1];
  guint failed;
  guint left_out;
} Tally;

static const Operation *const tables[] = {
  part_operations,
  publish_operations,
  io_queue_operations,
  telemetry_operations,
  task_operations,
  tenant_operations,
  replay_operations,
};

/* What the library leaves out on purpose; docs/abi.md says why. */
static const char *const left_out[] = {
  "geometry",
  "recommend_launch",
  "prune_redundant_work_items",
  "count_min_sketch",
  "telemetry_sketch",
  "build_workspace_regions",
};

static CaseFunc
find_operation (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    for (const Operation *o = tables[i]; o->name != NULL; o++) {
      if (g_str_equal (o->name, name))
        return o->run;
    }
  }
  for (gsize i = 0; i < G_N_ELEMENTS (left_out); i++) {
    if (g_str_equal (left_out[i], name))
      return case_leave_out;
  }
  return NULL;
}

static void
count (Tally *tally, const Case *c)
{
  switch (c->outcome) {
    case OUTCOME_PASSED:
      tally->passed++;
      break;
    case OUTCOME_DIFFERS:
      tally->differs[c->rule]++;
      break;
    case OUTCOME_FAILED:
      tally->failed++;
      printf ("FAILED %s: %s\n", c->id, c->message);
      break;
    case OUTCOME_LEFT_OUT:
      tally->left_out++;
      break;
  }
}

static void
print_tally (const char *name, const Tally *tally)
{
  guint differs = 0;

  for (guint rule = 1; rule <= N_RULES; rule++)
    differs += tally->differs[rule];
  printf ("%-24s %5u passed  %5u differ by design  %5u failed", name, tally->passed, differs,
      tally->failed);
  for (guint rule = 1; rule <= N_RULES; rule++) {
    if (tally->differs[rule] > 0)
      printf ("  [rule %u: %u]", rule, tally->differs[rule]);
  }
  if (tally->left_out > 0)
    printf ("  [left out: %u]", tally->left_out);
  printf ("\n");
}

static void
add_tally (Tally *sum, const Tally *tally)
{
  sum->passed += tally->passed;
  sum->failed += tally->failed;
  sum->left_out += tally->left_out;
  for (guint rule = 1; rule <= N_RULES; rule++)
    sum->differs[rule] += tally->differs[rule];
}

static void
run_case (Tally *tally, JsonObject *object)
{
  Case c = { .id = json_object_get_string_member (object, "id"),
    .in = json_object_get_object_member (object, "in"),
    .out = json_object_get_object_member (object, "out") };
  const char *name = json_object_get_string_member (object, "op");
  CaseFunc run = find_operation (name);

  if (run != NULL)
    run (&c);
  else
    case_fail (&c, "operation \"%s\" is not known", name);
  count (tally, &c);
  g_free (c.message);
}

static JsonArray *
load_cases (JsonParser *parser, const char *path, GError **error)
{
  if (!json_parser_load_from_file (parser, path, error))
    return NULL;
  JsonNode *root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_ARRAY (root)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "%s is no array of cases. Fix: pass the directory of the vectors.", path);
    return NULL;
  }
  return json_node_get_array (root);
}

static gboolean
run_family (Tally *sum, const char *path, const char *file, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *name = g_strndup (file, strlen (file) - strlen (".json"));
  JsonArray *cases = load_cases (parser, path, error);
  Tally tally = { 0 };

  if (cases == NULL)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (cases); i++)
    run_case (&tally, json_array_get_object_element (cases, i));
  print_tally (name, &tally);
  add_tally (sum, &tally);
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static gboolean
run_protocol (Tally *sum, const char *directory, GError **error)
{
  g_autofree char *protocol = g_build_filename (directory, "protocol", NULL);
  g_autoptr (GDir) dir = g_dir_open (protocol, 0, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (dir == NULL)
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL) {
    if (g_str_has_suffix (name, ".json"))
      g_ptr_array_add (names, g_strdup (name));
  }
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (protocol, names->pdata[i], NULL);
    if (!run_family (sum, path, names->pdata[i], error))
      return FALSE;
  }
  return TRUE;
}

/* Cases of a family stand together. */
static gboolean
run_exec (Tally *sum, const char *directory, GError **error)
{
  ExecCases *cases = exec_load (directory, error);
  Tally tally = { 0 };

  if (cases == NULL)
    return FALSE;
  for (guint i = 0; i < exec_count (cases); i++) {
    const char *family = exec_family (cases, i);
    Case c = { 0 };

    exec_run (cases, i, &c);
    count (&tally, &c);
    g_free (c.message);
    if (i + 1 < exec_count (cases) && g_str_equal (family, exec_family (cases, i + 1)))
      continue;
    g_autofree char *name = g_strconcat ("exec/", family, NULL);
    print_tally (name, &tally);
    add_tally (sum, &tally);
    tally = (Tally){ 0 };
  }
  exec_free (cases);
  return TRUE;
}

int
main (int argc, char **argv)
{
  const char *directory = argc > 1 ? argv[1] : VYRE_CONFORMANCE_VECTORS;
  g_autoptr (GError) error = NULL;
  Tally sum = { 0 };

  setlocale (LC_ALL, "");
  if (argc > 2) {
    fprintf (stderr, "usage: %s [DIRECTORY]\n", argv[0]);
    return 2;
  }
  if (!run_protocol (&sum, directory, &error) || !run_exec (&sum, directory, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  print_tally ("all", &sum);
  return sum.failed == 0 && sum.passed > 0 ? 0 : 1;
}

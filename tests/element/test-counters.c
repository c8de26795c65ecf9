/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * docs/messages.md says of the counters what their rows say. test-counters FILE compares its tables
 * with the rows, test-counters alone prints what the tables should be.
 */
#include <glib.h>
#include <stdio.h>

#define TABLE "| counter | meaning |"
#define RULE "|---|---|"

typedef struct {
  const gchar *structure;
  const gchar *name;
  const gchar *kind;
  const gchar *meaning;
} Row;

#define COUNTER(structure, name, kind, field, meaning) { structure, name, #kind, meaning },
static const Row rows[] = {
#include "filter/gstvyrecounters.def"
};
#undef COUNTER

/* The order of the tables in the page. A structure that is not among them is an error. */
static const gchar *const structures[]
    = { "", "metrics", "runtime", "tenant", "ingest", "resources" };

static gchar *
row_print (const Row *row)
{
  const gchar *type = g_str_equal (row->kind, "TEXT")    ? " (string)"
                      : g_str_equal (row->kind, "TRUTH") ? " (boolean)"
                                                         : "";

  return g_strdup_printf ("| %s%s | %s |", row->name, type, row->meaning);
}

/* All tables, a line each. */
static GPtrArray *
print_rows (void)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;

  for (guint s = 0; s < G_N_ELEMENTS (structures); s++) {
    g_ptr_array_add (lines, g_strdup (TABLE));
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
      if (!g_str_equal (rows[i].structure, structures[s]))
        continue;
      g_ptr_array_add (lines, row_print (&rows[i]));
      n++;
    }
  }
  if (n != G_N_ELEMENTS (rows))
    g_error ("A counter is of a structure that has no table. Fix: add it to structures[].");
  return lines;
}

/* The lines of the tables of counters in a page. */
static GPtrArray *
read_tables (const gchar *path)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;
  gboolean inside = FALSE;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("%s", error->message);
  g_auto (GStrv) all = g_strsplit (text, "\n", -1);
  for (gchar **line = all; *line; line++) {
    inside = g_str_equal (*line, TABLE) || (inside && **line == '|');
    if (inside && !g_str_equal (*line, RULE))
      g_ptr_array_add (lines, g_strdup (*line));
  }
  return lines;
}

static int
compare (GPtrArray *expected, GPtrArray *found)
{
  for (guint i = 0; i < MAX (expected->len, found->len); i++) {
    const gchar *want = i < expected->len ? g_ptr_array_index (expected, i) : "nothing more";
    const gchar *have = i < found->len ? g_ptr_array_index (found, i) : "nothing more";
    if (g_str_equal (want, have))
      continue;
    fprintf (stderr,
        "The rows say:  %s\nthe page says: %s\nFix: run test-counters without arguments for the "
        "tables.\n",
        want, have);
    return 1;
  }
  return 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) expected = print_rows ();

  if (argc > 1) {
    g_autoptr (GPtrArray) found = read_tables (argv[1]);
    return compare (expected, found);
  }
  for (guint i = 0; i < expected->len; i++) {
    const gchar *line = g_ptr_array_index (expected, i);
    gboolean starts = g_str_equal (line, TABLE);
    printf ("%s%s\n%s", i > 0 && starts ? "\n" : "", line, starts ? RULE "\n" : "");
  }
  return 0;
}

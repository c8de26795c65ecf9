/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Parts of components: the places of their samples.
 */
#include "program-common.h"

#include "abi.h"

/* A part is a rectangle of the samples of a component, as far as it is inside: of 7 by 9 samples of
 * two bytes, four bytes apart. */
static void
test_parts (void)
{
  static const struct {
    const char *rectangle;
    guint32 words[4]; /* offset, width, rows, stride */
  } parts[] = {
    { "luma, 0, 0, 7, 9", { 5, 26, 9, 32 } },
    { "luma, 2, 3, 4, 5", { 5 + 3 * 32 + 8, 14, 5, 32 } },
    { "luma, 2.9, 3.9, 4.9, 5.9", { 5 + 3 * 32 + 8, 14, 5, 32 } },
    { "luma, 6, 8, 100, 100", { 5 + 8 * 32 + 24, 2, 1, 32 } },
    { "luma, 7, 9, 4294967295, 1", { 0, 0, 0, 32 } },
    { "luma, 1, 1, 0, 2", { 0, 0, 2, 32 } },
    { "bottom(luma), 1, 1, 2, 20", { 5 + 32 + 64 + 4, 6, 3, 64 } },
    { "plane0, 10, 2, 7, 3", { 1 + 2 * 50 + 10, 7, 3, 50 } },
  };
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  const VyreRegion region = { 5, 26, 9, 32 }, plane = { 1, 40, 20, 50 };

  vyre_symbols_set_component (symbols, "luma", &region, VYRE_SAMPLES (4, 2, 0, 0, 10));
  vyre_symbols_set_region (symbols, "plane0", &plane);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autofree char *text = g_strdup_printf ("sample_stats part(%s) -> a", parts[i].rectangle);
    g_autoptr (VyreProgram) program = assemble (text);
    g_autoptr (VyreBoundProgram) bound = bind_program (program, symbols, 0, 0);
    g_test_message ("%s", text);
    g_assert_cmpmem (bound->slots + VYRE_SLOT_ARGS, 16, parts[i].words, 16);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/parts-of-frames/places", test_parts);
  return g_test_run ();
}

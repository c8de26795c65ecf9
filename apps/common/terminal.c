/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/terminal.h"

#include <fcntl.h>

/* Returns a text that a terminal shows and does not obey: UTF-8, with a mark for each control
 * character. */
char *
app_make_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *printable = g_string_new ("");

  for (const char *c = valid; *c; c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);
    g_string_append_unichar (printable, g_unichar_iscntrl (character) ? 0xFFFD : character);
  }
  return g_string_free (printable, FALSE);
}

/* Opens the standard descriptors that are closed, so that no other file becomes one of them. What
 * is written to standard output fails then. */
void
app_open_standard_files (void)
{
  static const int flags[] = { O_RDONLY, O_RDONLY, O_WRONLY };

  for (int fd = 0; fd < (int)G_N_ELEMENTS (flags); fd++) {
    if (fcntl (fd, F_GETFD) < 0)
      open ("/dev/null", flags[fd]);
  }
}

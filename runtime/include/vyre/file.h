/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files as paths from outside name them: only regular ones are opened, and what is none
 * does not notice that it was named. Some regular files do not say how long they are.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

int vyre_file_open (const char *path, int flags);
gboolean vyre_file_tells_size (int fd);

G_END_DECLS

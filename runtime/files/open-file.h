/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: files beneath a root, and files that do not tell their size.
 */
#pragma once

#include "vyre/error.h"
#include "vyre/file.h"

/* The root of vyre_file_open_in() for paths of the process. */
#define VYRE_NO_ROOT (-1)

int vyre_file_open_in (int root, const char *path, int flags);
const char *vyre_file_explain (int error);
int vyre_file_copy_out (int fd, gsize most, gsize *size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vyre/error.h"
#include "vyre/file.h"

/* Of vyre_file_open_in(): paths are those of the process. */
#define VYRE_NO_ROOT (-1)

int vyre_file_open_in (int root, const char *path, int flags);
const char *vyre_file_explain (int error);
int vyre_file_copy_out (int fd, gsize most, gsize *size);

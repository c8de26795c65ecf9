/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyre-restrict seccomp|memlock COMMAND...: runs COMMAND where io_uring and openat2() are
 * forbidden, as in many containers, or where hardly any memory may be locked. VYRE_TEST_RESTRICTION
 * names the restriction to COMMAND.
 */
#include "restriction.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static gboolean
restrict_to (const char *what)
{
  if (g_str_equal (what, "seccomp"))
    return restriction_refuse (SYS_io_uring_setup, SYS_io_uring_setup, EPERM)
           && restriction_refuse (SYS_openat2, SYS_openat2, EPERM);
  errno = EINVAL;
  return g_str_equal (what, "memlock") && restriction_limit_memlock (RESTRICTION_MEMLOCK);
}

int
main (int argc, char **argv)
{
  if (argc < 3) {
    fprintf (stderr, "usage: %s seccomp|memlock COMMAND...\n", argv[0]);
    return 2;
  }
  if (!restrict_to (argv[1])) {
    fprintf (stderr, "%s: %s\n", argv[1], strerror (errno));
    return 2;
  }
  setenv ("VYRE_TEST_RESTRICTION", argv[1], 1);
  execvp (argv[2], argv + 2);
  fprintf (stderr, "%s: %s\n", argv[2], strerror (errno));
  return 2;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stands in front of the C library: glob() finds files below the folder VYRE_TEST_ROOT instead of
 * the machine's.
 */
#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

typedef int (*GlobFunction) (const char *, int, int (*) (const char *, int), glob_t *);

__attribute__ ((visibility ("default"))) int
glob (const char *pattern, int flags, int (*fail) (const char *, int), glob_t *found)
{
  GlobFunction find = (GlobFunction)dlsym (RTLD_NEXT, "glob");
  char path[4096];

  snprintf (path, sizeof path, "%s%s", getenv ("VYRE_TEST_ROOT"), pattern);
  return find (path, flags, fail, found);
}

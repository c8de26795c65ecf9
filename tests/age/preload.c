/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stands in front of the library and ages its kernels.
 */
#include "age.h"

#include <dlfcn.h>

typedef VyreMegakernel *(*NewFunction) (VyreDevice *, const VyreMegakernelParams *, GError **);

__attribute__ ((visibility ("default"))) VyreMegakernel *
vyre_megakernel_new (VyreDevice *device, const VyreMegakernelParams *params, GError **error)
{
  void *library = dlopen ("libvyre-1.so.0", RTLD_LAZY | RTLD_NOLOAD); /* the plugin has it */
  NewFunction make = (NewFunction)dlsym (library, "vyre_megakernel_new");
  VyreMegakernel *kernel = make (device, params, error);

  if (kernel)
    age_kernel (kernel);
  return kernel;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parameters of a kernel, and the table of the properties that set them. Elements share a
 * kernel when the field of every row is the same: a parameter has a row, or no element can set it.
 */
#pragma once

#include "common/gstvyreproperty.h"
#include "vyre/vyre.h"

G_BEGIN_DECLS

typedef struct {
  gchar *device; /* as the property says, not the name of the device */
  gchar *group;  /* NULL: the kernel of all elements that name none */
  VyreMegakernelParams megakernel;
} GstVyreKernelParams;

extern const GstVyreProperty gst_vyre_kernel_properties[];

void gst_vyre_kernel_params_init (void);
void gst_vyre_kernel_params_copy (GstVyreKernelParams *to, const GstVyreKernelParams *from);
void gst_vyre_kernel_params_clear (GstVyreKernelParams *params);
gboolean gst_vyre_kernel_params_equal (const GstVyreKernelParams *a, const GstVyreKernelParams *b);

G_END_DECLS

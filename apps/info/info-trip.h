/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <vyre/vyre.h>

gboolean info_trip_measure (VyreMegakernel *kernel, guint64 *median, GError **error);

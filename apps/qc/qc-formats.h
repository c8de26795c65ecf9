/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Formats that the programs measure.
 */
#pragma once

#include "qc-file.h"

GstCaps *qc_formats_make_caps (QcKind kind);
const char *qc_formats_get_pix_fmt (const GstVideoInfo *info);

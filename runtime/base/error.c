/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/error.h"

/**
 * vyre_error_quark:
 *
 * Returns: the domain of the errors of libvyre, %VYRE_ERROR
 */
G_DEFINE_QUARK (vyre - error - quark, vyre_error)

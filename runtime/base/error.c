/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/error.h"

G_DEFINE_QUARK (vyre - error - quark, vyre_error)

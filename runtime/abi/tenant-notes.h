/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a kernel notes of the tenants that publish on it.
 */
#pragma once

#include "vyre/tenants.h"

guint64 *vyre_tenant_last_turn (VyreTenant *tenant);

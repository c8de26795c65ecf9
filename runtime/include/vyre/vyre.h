/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvyre: run byte programs on a kernel that stays on the GPU. Include this.
 */
#pragma once

#include "abi.h"
#include "vyre/access.h"
#include "vyre/batch.h"
#include "vyre/clock.h"
#include "vyre/parts.h"
#include "vyre/control.h"
#include "vyre/device.h"
#include "vyre/error.h"
#include "vyre/handlers.h"
#include "vyre/file.h"
#include "vyre/host-ring.h"
#include "vyre/import.h"
#include "vyre/file-io.h"
#include "vyre/staging-run.h"
#include "vyre/io-queue.h"
#include "vyre/megakernel.h"
#include "vyre/lane.h"
#include "vyre/plan.h"
#include "vyre/program.h"
#include "vyre/publish-slots.h"
#include "vyre/read-mode.h"
#include "vyre/readback.h"
#include "vyre/replay-log.h"
#include "vyre/store.h"
#include "vyre/tasks.h"
#include "vyre/telemetry.h"
#include "vyre/tenants.h"
#include "vyre/work-items.h"

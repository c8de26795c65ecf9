/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:read-mode
 * @title: Read mode
 * @short_description: The ways to read files
 *
 * File I/O uses the best way to read files that Linux allows.
 */

#include <glib.h>

G_BEGIN_DECLS

/**
 * VyreReadMode:
 * @VYRE_READ_MODE_SINGLE_ISSUER: io_uring with SINGLE_ISSUER and DEFER_TASKRUN
 * @VYRE_READ_MODE_COOP_TASKRUN: io_uring with COOP_TASKRUN
 * @VYRE_READ_MODE_PLAIN_RING: io_uring without set-up flags
 * @VYRE_READ_MODE_PREAD: no io_uring, pread(2) on the I/O thread
 *
 * The ways to read files, best first. File I/O uses the first one that works.
 */
typedef enum {
  VYRE_READ_MODE_SINGLE_ISSUER,
  VYRE_READ_MODE_COOP_TASKRUN,
  VYRE_READ_MODE_PLAIN_RING,
  VYRE_READ_MODE_PREAD,
} VyreReadMode;

/**
 * vyre_read_mode_name:
 * @mode: a way to read
 *
 * May be called from any thread.
 *
 * Returns: (transfer none): its name, for messages: "single-issuer", "coop-taskrun",
 *     "plain-ring", "pread"
 */
const char *vyre_read_mode_name (VyreReadMode mode);

G_END_DECLS

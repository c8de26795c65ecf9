/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The time that Vulkan takes to open and close devices and to compile. A program that has this
 * exports its functions, so that the plugin's calls pass through here. Any thread.
 */
#pragma once

#include <glib.h>

/* Returns a monotonic time, in µs, that stands still while any thread is inside of such a call. */
gint64 driver_time_outside (void);

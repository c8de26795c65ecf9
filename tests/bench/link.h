/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What no payload can beat: how fast bytes get from pinned host memory into the
 * device's own, by plain Vulkan copies of one size on a transfer queue, several
 * in flight. Where host and device share their memory it is a memcpy. Also what
 * Vulkan says of the driver. A device opening of its own, so that it depends on
 * nothing it is compared with.
 */
#pragma once

#include <glib.h>

typedef struct _BenchLink BenchLink;

BenchLink *bench_link_open (const char *uuid, GError **error);
void bench_link_close (BenchLink *link);
const char *bench_link_driver (const BenchLink *link);
const char *bench_link_name (const BenchLink *link);
double bench_link_measure (BenchLink *link, gsize size, double seconds);
gboolean bench_link_prepare_copy (BenchLink *link, gsize size);
gint64 bench_link_time_copy (BenchLink *link);

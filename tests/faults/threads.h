/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A system that refuses threads, as it does at the limit of processes: who links this library
 * has pthread_create() fail, for the driver's threads as for ours.
 */
#pragma once

#include <stdbool.h>

/* From now on @after threads can be made, then @n are refused, then all can be made again. From
 * any thread. */
void vyre_threads_refuse (unsigned after, unsigned n);

/* Threads refused since then. */
unsigned vyre_threads_refused (void);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A system that refuses threads, as at the limit of processes. In a program that links this library
 * pthread_create() fails, for the driver's threads as for those of libvyre.
 */
#pragma once

#include <stdbool.h>

/* Lets @after threads be made, then refuses @n, then lets all be made again. Any thread may call
 * it. */
void vyre_threads_refuse (unsigned after, unsigned n);

/* Returns the number of threads refused since the last vyre_threads_refuse(). */
unsigned vyre_threads_refused (void);

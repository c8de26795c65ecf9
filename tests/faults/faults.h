/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Faults of storage and of Linux, at the two calls by which a file I/O reads. A program that links
 * this library gets them in io_uring_submit_and_wait(), which changes completions after they
 * arrived, and in pread(). Only threads named "vyre-file-io" are affected.
 *
 * Bytes beyond a changed completion are overwritten: a reader that does not read them again has
 * wrong ones.
 */
#pragma once

#include <stdbool.h>

typedef enum {
  VYRE_FAULT_EIO,
  VYRE_FAULT_ECANCELED,
  VYRE_FAULT_EINTR,
  VYRE_FAULT_EAGAIN,
  VYRE_FAULT_SHORT,       /* fewer bytes than arrived */
  VYRE_FAULT_REFUSED,     /* EINVAL, of descriptors with O_DIRECT only */
  VYRE_FAULT_ENTER_EINTR, /* the call itself fails and submits nothing; none of these for pread() */
  VYRE_FAULT_ENTER_EAGAIN,
  VYRE_FAULT_ENTER_EBUSY,
  VYRE_FAULT_ENTER_EPERM, /* the call itself fails, for good; reads in flight go on */
  VYRE_FAULT_WORKER,      /* no fault: a thread of Linux makes the read */
  VYRE_FAULT_SHUFFLED,    /* the completions that wait change places */
  VYRE_N_FAULTS
} VyreFault;

typedef struct {
  unsigned seed;
  unsigned permille[VYRE_N_FAULTS]; /* the chance of each */
} VyreFaultPlan;

/* Sets the faults and clears their counts. Any thread may call it. */
void vyre_faults_set (const VyreFaultPlan *plan);

/* Returns how often a fault struck. */
unsigned vyre_faults_count (VyreFault fault);

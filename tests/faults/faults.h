/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Faults of storage and kernel, at the two calls by which an ingest reads: who links this
 * library gets them in io_uring_submit_and_wait(), where completions are changed after they
 * came, and in pread(). Only threads named "vyre-file-io" are meant.
 *
 * Bytes of which a changed completion does not tell are overwritten: who does not read them
 * again has wrong ones.
 */
#pragma once

#include <stdbool.h>

typedef enum {
  VYRE_FAULT_EIO,
  VYRE_FAULT_ECANCELED,
  VYRE_FAULT_EINTR,
  VYRE_FAULT_EAGAIN,
  VYRE_FAULT_SHORT,       /* fewer bytes than came */
  VYRE_FAULT_REFUSED,     /* EINVAL, of descriptors with O_DIRECT only */
  VYRE_FAULT_ENTER_EINTR, /* of the call as a whole, which then did nothing; not, nor those below,
                             of pread() */
  VYRE_FAULT_ENTER_EAGAIN,
  VYRE_FAULT_ENTER_EBUSY,
  VYRE_FAULT_ENTER_EPERM, /* of the call as a whole, and for good: what is in flight goes on */
  VYRE_FAULT_WORKER,      /* none: a thread of Linux's makes the read, and nobody waits for it */
  VYRE_FAULT_SHUFFLED,    /* the completions that wait change places */
  VYRE_N_FAULTS
} VyreFault;

typedef struct {
  unsigned seed;
  unsigned permille[VYRE_N_FAULTS]; /* how often each strikes */
} VyreFaultPlan;

/* From now on these, and the counts are 0. From any thread. */
void vyre_faults_set (const VyreFaultPlan *plan);

/* How often one struck. */
unsigned vyre_faults_count (VyreFault fault);

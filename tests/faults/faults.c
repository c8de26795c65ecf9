/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))

/* More reads than a file I/O has in flight. */
#define N_SLOTS 256

/* A read that was submitted to the one ring of a thread. */
typedef struct {
  uint64_t user_data; /* 0: none */
  void *destination;
  int fd;
} Asked;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VyreFaultPlan plan;
static uint32_t state = 1;
static unsigned counts[VYRE_N_FAULTS];
static __thread Asked asked[N_SLOTS];
static __thread unsigned n_asked;

EXPORT void
vyre_faults_set (const VyreFaultPlan *new_plan)
{
  pthread_mutex_lock (&lock);
  plan = *new_plan;
  state = plan.seed * 2654435761u + 1;
  memset (counts, 0, sizeof counts);
  pthread_mutex_unlock (&lock);
}

EXPORT unsigned
vyre_faults_count (VyreFault fault)
{
  pthread_mutex_lock (&lock);
  unsigned n = counts[fault];
  pthread_mutex_unlock (&lock);
  return n;
}

/* xorshift32; with the lock held. */
static uint32_t
draw (uint32_t limit)
{
  state = state ? state : 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % limit;
}

static uint32_t
choose (uint32_t limit)
{
  pthread_mutex_lock (&lock);
  uint32_t n = draw (limit);
  pthread_mutex_unlock (&lock);
  return n;
}

static bool
strikes (VyreFault fault)
{
  pthread_mutex_lock (&lock);
  bool strike = plan.permille[fault] > 0 && draw (1000) < plan.permille[fault];
  counts[fault] += strike;
  pthread_mutex_unlock (&lock);
  return strike;
}

static bool
is_meant (void)
{
  char name[16] = "";

  return pthread_getname_np (pthread_self (), name, sizeof name) == 0
         && strcmp (name, "vyre-file-io") == 0;
}

/* Changes @result, the number of bytes of a read or its errno, and overwrites the bytes taken away.
 */
static int
spoil (int fd, void *destination, int result)
{
  static const struct {
    VyreFault fault;
    int error;
  } errors[] = {
    { VYRE_FAULT_EIO, EIO },
    { VYRE_FAULT_ECANCELED, ECANCELED },
    { VYRE_FAULT_EINTR, EINTR },
    { VYRE_FAULT_EAGAIN, EAGAIN },
    { VYRE_FAULT_REFUSED, EINVAL },
  };
  int spoilt = result;

  for (unsigned i = 0; spoilt >= 0 && i < sizeof errors / sizeof *errors; i++) {
    if (errors[i].fault == VYRE_FAULT_REFUSED && !(fcntl (fd, F_GETFL) & O_DIRECT))
      continue;
    if (strikes (errors[i].fault))
      spoilt = -errors[i].error;
  }
  if (spoilt > 1 && strikes (VYRE_FAULT_SHORT))
    spoilt = 1 + (int)choose ((uint32_t)spoilt - 1);
  int kept = spoilt < 0 ? 0 : spoilt;
  if (result > kept)
    memset ((char *)destination + kept, 0xf0, (size_t)(result - kept));
  return spoilt;
}

static Asked *
find (uint64_t user_data)
{
  for (unsigned i = 0; i < N_SLOTS; i++) {
    if (asked[i].user_data == user_data)
      return &asked[i];
  }
  return NULL;
}

/* Notes a submission. The note of a completion that arrives just after the call stays until its
 * place is needed. */
static void
note (const struct io_uring_sqe *sqe)
{
  Asked *request = find (sqe->user_data);

  if (!request)
    request = &asked[n_asked++ % N_SLOTS];
  *request = (Asked){ sqe->user_data, (void *)(uintptr_t)sqe->addr, sqe->fd };
}

static void
note_submissions (struct io_uring_sq *sq)
{
  for (unsigned at = sq->sqe_head; at != sq->sqe_tail; at++) {
    struct io_uring_sqe *sqe = &sq->sqes[at & sq->ring_mask];
    if (!sqe->user_data || (sqe->opcode != IORING_OP_READ && sqe->opcode != IORING_OP_READ_FIXED))
      continue;
    note (sqe);
    if (strikes (VYRE_FAULT_WORKER))
      sqe->flags |= IOSQE_ASYNC;
  }
}

static struct io_uring_cqe *
completion_at (const struct io_uring_cq *cq, unsigned at)
{
  return &cq->cqes[at & cq->ring_mask];
}

/* Shuffles the waiting completions. */
static void
shuffle (struct io_uring_cq *cq, unsigned head, unsigned n)
{
  if (n < 2 || !strikes (VYRE_FAULT_SHUFFLED))
    return;
  for (unsigned i = n - 1; i > 0; i--) {
    struct io_uring_cqe *one = completion_at (cq, head + i);
    struct io_uring_cqe *other = completion_at (cq, head + choose (i)); /* never itself */
    struct io_uring_cqe kept = *one;
    *one = *other;
    *other = kept;
  }
}

static void
spoil_completions (struct io_uring *ring)
{
  unsigned head = *ring->cq.khead;
  unsigned n = io_uring_smp_load_acquire (ring->cq.ktail) - head;

  for (unsigned i = 0; i < n; i++) {
    struct io_uring_cqe *cqe = completion_at (&ring->cq, head + i);
    Asked *request = cqe->user_data ? find (cqe->user_data) : NULL;
    if (!request)
      continue;
    cqe->res = spoil (request->fd, request->destination, cqe->res);
    request->user_data = 0;
  }
  shuffle (&ring->cq, head, n);
}

EXPORT int
io_uring_submit_and_wait (struct io_uring *ring, unsigned n)
{
  int (*real) (struct io_uring *, unsigned) = dlsym (RTLD_NEXT, "io_uring_submit_and_wait");

  if (!is_meant ())
    return real (ring, n);
  if (strikes (VYRE_FAULT_ENTER_EINTR))
    return -EINTR;
  if (strikes (VYRE_FAULT_ENTER_EAGAIN))
    return -EAGAIN;
  if (strikes (VYRE_FAULT_ENTER_EBUSY))
    return -EBUSY;
  if (strikes (VYRE_FAULT_ENTER_EPERM))
    return -EPERM;
  note_submissions (&ring->sq);
  int result = real (ring, n);
  spoil_completions (ring);
  return result;
}

/* As <unistd.h> calls it where offsets have 64 bits. */
EXPORT ssize_t
pread64 (int fd, void *destination, size_t length, off64_t offset)
{
  ssize_t (*real) (int, void *, size_t, off64_t) = dlsym (RTLD_NEXT, "pread64");
  ssize_t result = real (fd, destination, length, offset);

  if (!is_meant () || result < 0)
    return result;
  int spoilt = spoil (fd, destination, (int)result);
  if (spoilt >= 0)
    return spoilt;
  errno = -spoilt;
  return -1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: a file I/O and its requests. io/file-io-thread.c moves the requests, and io/file-io.c
 * has the functions that callers use.
 */
#pragma once

#include <glib.h>

#include "vyre/file-io.h"
#include "io/transfer.h"
#include "io/uring.h"

G_BEGIN_DECLS

/* A request: a read, a write or a sync. */
struct _VyreFileRead {
  VyreTransfer left;
  int direct_fd;    /* the O_DIRECT descriptor to read from; -1: read from left.fd */
  gsize length;     /* of the whole transfer, bytes */
  gsize asked;      /* bytes in the submission that is outstanding */
  gboolean counted; /* the counters have it as submitted */
  guint tries;      /* EINTRs and EAGAINs since the transfer last moved on */
  int error;
  gboolean finished;
  VyreFileIoNotify notify;
  gpointer data; /* of notify */
  GCond done;
  GList link; /* in pending, then in active */
};

struct _VyreFileIo {
  guint generation; /* of the process */
  GThread *thread;
  int wake_fd;

  /* The I/O thread's. The mode, the registration and the reason stay as its set-up left them. */
  VyreUring ring;
  gboolean wake_armed;
  char *reason;

  /* Set by vyre_file_io_new(). */
  void *staging;
  gsize staging_size;
  VyreReadMode first_rung;

  GMutex lock; /* guards the fields below; held for bookkeeping, and while a step of the staging
                * memory is registered, but across no other blocking call */
  GCond changed;
  gboolean ready;
  gboolean stopping;
  gboolean asleep; /* the I/O thread waits, and a new request has to wake it */
  int broken;      /* the errno with which the ring failed */
  guint n_callers;
  GQueue pending;
  GQueue active;
  VyreFileIoCounters counters;
};

gpointer vyre_file_io_run_thread (gpointer data);
void vyre_file_io_wake_thread (VyreFileIo *self);
void vyre_file_io_do_pending (VyreFileIo *self);

G_END_DECLS

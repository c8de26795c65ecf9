/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plan as the megakernel publishes it.
 */
#pragma once

#include "vyre-extensions-private.h"
#include "vyre-plan.h"

typedef struct {
  guint32 words[VYRE_TICKET_WORDS];
} VyreTicket;

struct _VyrePlan {
  gatomicrefcount refs;
  VyreImage *image;
  gsize payload_size;
  guint workgroup;
  VyreLayout layout;
  VyreSchedule schedule;
  guint max_passes;
  gboolean full;      /* runs only on a kernel that was built in full */
  gboolean shut_down; /* from the start: nothing runs */
  gboolean served;    /* the megakernel serves what its batches ask for, and has them go on */
  gboolean writes;    /* to files, in the order of the batches */
  guint writes_end;   /* the slot before which others may ask for writes */
  VyrePlan *origin;   /* of the rest of a batch: the plan that it began with, or NULL */
  guint n_handlers;
  guint handler_words;
  gsize scratch_offset;  /* of the scratch in the slice, bytes */
  gsize report_size;     /* of what the host reads of it: the readback and the report */
  gsize copied_granules; /* of the readback's first parts, as far as the kernel changes them */
  gsize slice_size;
  guint32 *slice;  /* initial contents of a batch */
  GArray *tickets; /* of VyreTicket, as far as they do not depend on the batch */
  gboolean local;  /* small: local_ticket does the same as all of them */
  VyreTicket local_ticket;
  gsize local_size;  /* of the slice with the steps, bytes */
  gpointer template; /* what the kernel that runs it keeps of it, under its lock */
  GDestroyNotify template_free;
  guint fence_first;
  guint fence_end;
  guint fence_cost;
  guint copy_cost;      /* of copying the readback out, where that is done */
  guint64 region_bytes; /* the kernel reads this many if no slot faults or is refused */
};

gint64 vyre_plan_tag_word (const VyrePlan *plan);
gsize vyre_plan_resource_word (const VyrePlan *plan, guint resource);
VyrePlan *vyre_plan_continue (
    VyrePlan *plan, const guint8 *readback, gboolean writes, GError **error);

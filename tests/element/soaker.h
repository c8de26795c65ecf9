/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A stream that checks itself: a thread pushes buffers whose content follows from the number of
 * their stream and their own, does to the filter what an application may do in between, and the
 * sink compares each readback with what plain C makes of that buffer. A readback that is lost,
 * doubled, out of order, of an earlier flush, program or caps, or wrong ends the process, with
 * stream, number, expectation and finding. Other threads may flush and kill the stream meanwhile.
 */
#pragma once

#include "common.h"

/* Of a tight kernel. */
#define SOAKER_STAGING_SIZE (8 * 1024 * 1024)

typedef struct _Soaker Soaker;

typedef enum {
  SOAKER_QUIET = 0,         /* pushes and nothing else */
  SOAKER_RESTLESS = 1 << 0, /* does what an application may do in between */
  SOAKER_LIVE = 1 << 1,     /* pauses between buffers */
  SOAKER_BLOCKS = 1 << 2,   /* the sink never lets go, until the stream has to end */
  SOAKER_TIGHT = 1 << 3,    /* on a kernel that soaker_tighten() has made small */
} SoakerFlags;

guint32 soaker_prepare (void);
guint64 soaker_pick_number (const gchar *variable, guint64 usual);
void soaker_tighten (GstElement *element);
Soaker *soaker_new (guint index, guint32 seed, guint64 n_buffers, SoakerFlags flags);
void soaker_start (Soaker *self);
void soaker_flush (Soaker *self);
void soaker_kill (Soaker *self);
void soaker_renew (Soaker *self);
gboolean soaker_is_renewed (Soaker *self);
gboolean soaker_is_done (Soaker *self);
guint64 soaker_count_losses (Soaker *self);
guint64 soaker_count_sent (Soaker *self);
guint64 soaker_count_received (Soaker *self);
void soaker_stop (Soaker *self);
void soaker_join (Soaker *self);
void soaker_free (Soaker *self);

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A vyrefilter between two pads, for the threads of a run: what upstream, downstream and
 * an application do to it, one function each.
 */
#pragma once

#include <gst/gst.h>

typedef struct {
  gboolean downstream_blocks; /* in its chain function, like a sink that has its preroll */
  gboolean downstream_seeks;  /* in its chain function, once, with a flush */
  guint seeks_at;             /* with this buffer; 0: the first */
  guint max_in_flight;        /* 0: 2 */
  gboolean all_arrive;        /* nothing drops buffers, nor sends EOS behind them */
  gboolean batches_are_late;  /* the first wait for a batch is in vain */
  GstFlowReturn answer;       /* of downstream to the second buffer */
  guint n_losses;             /* of the device */
  gboolean ready_only;        /* the element is in READY at the start */
  gboolean has_partners;      /* there is a second stream */
  gboolean passes;            /* the element is in passthrough */
  gboolean has_readbacks;     /* they leave, too, at a pad of their own */
  guint64 max_latency;        /* of it, ns; 0: none */
  gboolean batches_stall;     /* several waits for a batch are in vain */
} StageSetup;

void stage_init (void);
void stage_open (const StageSetup *setup);
void stage_close (void);

void stage_push (guint n);
void stage_push_caps (void);
void stage_push_eos (void);
void stage_push_stream (void);
void stage_push_gap (void);
void stage_flush (void);
void stage_flush_stop_alone (void);
void stage_query (void);
void stage_drain (void);
void stage_push_partners (guint n);
void stage_end_partners (void);
void stage_flush_partners (void);
void stage_release_partners (void);
void stage_request_readbacks (void);
void stage_release_readbacks (void);
void stage_set_state (GstState state);
void stage_set_sink_active (gboolean active);
void stage_set_source_active (gboolean active);
void stage_relink (void);
void stage_set_program (void);
void stage_release_downstream (void);
void stage_block_downstream (void);

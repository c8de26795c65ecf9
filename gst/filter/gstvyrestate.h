/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The instance of vyrefilter: the state that its files share, and the functions that all of them
 * need.
 *
 * Locking: the object lock guards the properties. `lock` guards what the sink pad's streaming
 * thread and the source pad's task share, including the kernel, which either thread may replace. No
 * thread holds either lock while it posts, pushes, opens a device or waits for the kernel. The sink
 * pad's stream lock guards the fields of the sink side. The fields of the worker belong to the
 * thread that `worker` names, the source pad's task or the sink pad's thread; while the source pad
 * is inactive, they belong to its activation, which holds `activation`. docs/states.md has the
 * states and the table of what changes them.
 */
#pragma once

#include <gst/gst.h>

#include "common/gstvyredebug.h"
#include "common/gstvyrereadback.h"
#include "common/gstvyreshared.h"
#include "library/gst/vyre/vyre.h"
#include "filter/gstvyregeometry.h"
#include "filter/gstvyreholds.h"
#include "filter/gstvyrestats.h"
#include "vyre/vyre.h"
#include "base/spin-lock.h"

G_BEGIN_DECLS

typedef struct _GstVyreFilter GstVyreFilter;

/* State that batches of a program hand on, filter/gstvyrecarry.c */
typedef struct _GstVyreCarry GstVyreCarry;

/* The file of JSON lines, filter/gstvyrelines.c */
typedef struct _GstVyreLines GstVyreLines;

/* Casts without a check, like GST_ELEMENT_CAST(). */
#define GST_VYRE_FILTER_CAST(object) ((GstVyreFilter *)(object))

/**
 * GstVyrePostMessages:
 * @GST_VYRE_POST_RESULTS: vyre-results messages
 * @GST_VYRE_POST_COUNTERS: vyre-counters messages
 * @GST_VYRE_POST_DEBUG: vyre-debug messages
 * @GST_VYRE_POST_EVENTS: vyre-event messages
 *
 * Which element messages are posted.
 */
typedef enum {
  GST_VYRE_POST_RESULTS = 1 << 0,
  GST_VYRE_POST_COUNTERS = 1 << 1,
  GST_VYRE_POST_DEBUG = 1 << 2,
  GST_VYRE_POST_EVENTS = 1 << 3,
} GstVyrePostMessages;

/**
 * GstVyreOutputMode:
 * @GST_VYRE_OUTPUT_READBACK: readbacks take the place of buffers
 * @GST_VYRE_OUTPUT_PASSTHROUGH: buffers go on as they are, with results as a meta
 *
 * The buffers that leave the source pad.
 */
typedef enum {
  GST_VYRE_OUTPUT_READBACK,
  GST_VYRE_OUTPUT_PASSTHROUGH,
} GstVyreOutputMode;

/* The settings. Each streaming thread has a copy, which it renews when the serial number differs.
 */
typedef struct {
  gint serial; /* of the properties, from 1; atomic */
  VyreProgram *program;
  guint beginning; /* differs where a program begins anew; a param set by its child goes on */
  guint slot_count;
  guint observable_slots;
  guint max_in_flight;
  GstVyrePostMessages post_messages;
  guint64 interval;
  guint64 results_interval;
  guint64 debug_interval;
  guint64 max_latency; /* GST_CLOCK_TIME_NONE: there is no limit */
  guint results_turn;  /* counts how often results-location was set */
} GstVyreSettings;

/* The place of a buffer in the stream, kept until its result comes */
typedef struct {
  GstClockTime pts;
  GstClockTime dts;
  GstClockTime duration;
  guint64 offset;
  guint64 offset_end;
  GstBufferFlags flags;
  gsize size;
  guint64 position; /* payload bytes of the stream before this buffer */
  GstSegment segment;
  gboolean late; /* the buffer went on without its result */
} GstVyreTiming;

/* The named results of one batch, kept until they are posted */
typedef struct {
  VyrePlan *plan;
  GstVyreTiming timing;
  VyreCompletion completion;
  GArray *words;        /* guint32: the words of all named results, in order */
  GstStructure *states; /* of the events, as that batch has left them; NULL without events */
  GstVyreTable *table;  /* of the plan if `is_described`, else of one before or NULL */
  gboolean is_described;
  gboolean is_whole;
  gboolean posted;
} GstVyreLastResults;

/* A buffer, as events see it */
typedef struct {
  GstVyreTiming timing;
  guint32 sequence;
} GstVyreMoment;

/* The numbers that an event carries */
typedef struct {
  guint64 values[VYRE_MOST_EVENT_VALUES];
  guint negative; /* a bit for each: it is below 0, and a gint64 */
} GstVyreNumbers;

/* The interval for which the condition of an event holds */
typedef struct {
  gboolean is_open;
  gboolean is_reported;   /* its start was posted */
  gboolean is_doubtful;   /* the buffer behind the last decision is missing or undecided */
  gboolean is_incomplete; /* buffers in it, or right in front of it, are missing or undecided */
  guint64 undecided;      /* buffers in it that decided nothing */
  GstVyreNumbers numbers;
  guint64 samples; /* quiet ones in it, of an event of these */
  GstVyreMoment start;
  GstVyreMoment reached; /* the end of the last quiet sample */
} GstVyreInterval;

/* The events of a program, filter/gstvyreevents.c */
typedef struct {
  VyrePlan *plan;   /* of the last batch; NULL without events */
  guint32 era;      /* of that batch */
  guint64 arrival;  /* the same; 0: it has none in front of it */
  guint32 sequence; /* the same */
  guint n;
  GstVyreInterval *intervals; /* one for each event */
  GQuark *names;              /* the same */
  GstVyreMoment last;         /* the last buffer with a PTS */
} GstVyreEvents;

/* A buffer of the pad reference */
typedef struct {
  GstBuffer *buffer;  /* NULL: there is none for this time */
  gboolean has_had;   /* a buffer has had it; the element's lock */
  GstClockTime start; /* running time, or NONE; so below */
  GstClockTime end;
  VyreSymbols *symbols;
  gboolean has_video;
  GstVideoInfo video; /* as the caps say */
  guint era;          /* counts caps and layouts */
} GstVyrePartner;

/* The second stream, filter/gstvyrepartners.c */
typedef struct {
  /* lock */
  GstPad *pad;          /* NULL without a second stream; atomic, too */
  GstVyrePartner *next; /* the latest, which no buffer has yet, or NULL */
  GstVyrePartner *last; /* the one before, or NULL */
  gboolean flushing;    /* as that of the element */
  gboolean ended;       /* EOS came */
  guint32 seqnum;       /* of the last flush */
  gboolean obsolete;    /* a seek has gone upstream, and what is here came before its flush */
  /* that pad's stream lock */
  GstVyreGeometry geometry;
  GstSegment segment;
  guint era;
  gboolean refused; /* the caps were, and the bus has been told */
} GstVyrePartners;

/* The partners that the symbols of the sink pad name */
typedef struct {
  guint era;
  gsize offset; /* in the payload, in bytes */
  gsize size;
  gboolean told;        /* the bus knows of a buffer without a partner */
  gint64 ended;         /* the deadline at which the last wait ended in vain, µs; 0: it did not */
  GstClockTime waiting; /* running time of the buffer that waited so */
} GstVyrePairing;

/* The state of the watchdog */
typedef struct {
  VyreTelemetry before;   /* the last ring that was read */
  gboolean slots_stalled; /* and the bus has been told; so below */
  gboolean batch_stalled;
  gboolean warned_of_fault;
} GstVyreWatch;

/* The share of the element in the latency of a live pipeline */
typedef struct {
  GstClockTime held;                             /* how long batches are held, as reported */
  GstClockTime interval;                         /* from one buffer to the next by the caps, or 0 */
  GstClockTime told_held, told_least, told_room; /* as in the last answer */
  GstVyreHolds holds;
} GstVyreLatency;

/* Which thread pushes the next readbacks, filter/gstvyrepace.c */
typedef struct {
  guint n_for_task; /* readbacks that the task pushes before the chain function tries again */
  guint penalty;    /* the same, after the next try that takes too long */
  gint64 handover;  /* how long the task takes to wake up, µs */
  /* the chain function's own */
  guint n_close;  /* buffers in a row that came right behind the return from the one before */
  gint64 left;    /* when the chain function last returned, µs */
  gint64 leisure; /* what it may spend on a readback of this buffer, µs */
} GstVyrePace;

typedef enum {
  GST_VYRE_TASK_RUNS,
  GST_VYRE_TASK_WATCHES, /* it looks again in a moment */
  GST_VYRE_TASK_SLEEPS,
} GstVyreTaskState;

/* Keeps fields that one thread writes off the cache lines that another thread reads all the time,
 * wherever the instance lies. */
#define GST_VYRE_APART(name) guint8 apart_##name[64]

struct _GstVyreFilter {
  GstElement parent;
  GstPad *sinkpad;
  GstPad *srcpad;

  gint inherited;    /* from READY on, in a child of the process that started it; atomic */
  gint live;         /* the stream, as the last LATENCY query said; atomic */
  gint passes;       /* passthrough; changes below PAUSED only; atomic */
  gint n_taps;       /* pads readback_%u; atomic */
  gint drops_stream; /* the begin of a stream that the pads have not seen was dropped; atomic */

  GMutex program_lock; /* outside of the object lock: one thread at a time changes the program */

  /* object lock */
  GstVyreSettings settings;
  /* program lock, too, to write them: one of the two is enough to read */
  VyreProgram *program; /* without params; settings has it with them */
  gchar *program_text;
  gchar *program_location;
  GstStructure *params;
  GstStructure *moved;   /* numbers that children have set since, or NULL */
  GstStructure *refused; /* such numbers, which the bus has been told of; or NULL */
  /* object lock alone */
  GPtrArray *children; /* of GstVyreParam: those of program */
  GError *program_error;
  GstVyreOutputMode output_mode;
  gboolean analytics_meta;
  gboolean tensor_meta;
  VyreAccessLevel resource_access;
  gchar *resource_root;
  VyreAccess *access; /* in PAUSED and above */
  gchar *replay_path;
  gchar *results_path;
  GstVyreKernelParams kernel;

  GST_VYRE_APART (settings);

  /* lock; the fields that both threads use with every buffer come first, in few cache lines */
  GMutex lock;
  guint n_sleeping;      /* threads waiting for `changed` */
  guint wake_at;         /* number of batches at which the sink pad's thread goes on */
  GstVyreShared *shared; /* the kernel, in READY and above */
  VyreLane *lane;        /* the element's own way to the kernel */
  VyreTenant *tenant;    /* the element as its user; NULL without a number */
  GstAllocator *lender;  /* of its staging memory, to upstream */
  GQueue items;          /* of GstVyreItem: batches and serialized events, in order */
  guint n_batches;       /* batches among the items, and the one that the worker has */
  guint n_undone;        /* batches that a lost kernel left and that have not run again yet */
  GQueue late;           /* of GstVyreItem: batches whose buffers went on, and ends of streams */
  guint n_late;          /* batches among these, and the one that the worker has */
  gint64 late_look;      /* when the task looks for the first of them, µs */
  gint64 late_pause;     /* from one such look to the next, µs */
  GThread *worker;       /* the thread that has taken an item out of the queue, or NULL */
  gboolean lent;         /* the chain function looks after the queue, and the task does not */
  GstVyreTaskState task_state;
  gint64 quiet;     /* until the task looks again after the chain function, in µs */
  gboolean is_busy; /* the chain function was called between the last two looks */
  GstVyrePace pace;
  guint32 n_visits;   /* buffers that the chain function has taken, ever */
  guint32 epoch;      /* of the queue: an item taken in an earlier epoch is stale */
  guint32 sequence;   /* buffers taken in this stream */
  guint32 awaited;    /* sequence of the worker's batch, 0 once it is done */
  GstFlowReturn flow; /* the worker's last; FLUSHING follows from the fields below instead */
  gboolean source_active;
  gboolean source_is_new; /* the pad has forgotten its sticky events */
  gboolean flushing;      /* from FLUSH_START to FLUSH_STOP, and while the sink pad goes inactive */
  GCond changed;
  GCond work;          /* the task alone waits for it */
  gboolean active;     /* counted as a producer of the kernel */
  gboolean recovering; /* the opener is getting a new kernel, or a thread is giving up */
  gboolean settling;   /* a new kernel is in place, and no buffer that came since is on it yet */
  GThread *opener;     /* filter/gstvyrerecovery.c; NULL: no device was lost in this stream */
  gboolean given_up;   /* no new kernel will come, and the bus has been told */
  gboolean failed;     /* the stream failed, and the bus has been told */
  gboolean broken;     /* batches were dropped: state begins anew with the next */
  gboolean eos;        /* EOS was queued */
  GstVyreStats stats;
  GstStructure *event_counts; /* intervals of each event, or NULL */
  GstStructure *event_times;  /* the start of the last of these; the same */
  GstStructure *event_values; /* the values that it carries; the same */
  GstVyreLatency latency;
  GstVyrePartners partners;
  GList *taps;    /* of GstPad: readback_%u */
  guint next_tap; /* in the name of the next one */

  GST_VYRE_APART (shared);

  /* sink pad's stream lock */
  GstVyreGeometry geometry;
  GstCaps *refused_caps; /* the last ones, and the bus has been told; or NULL */
  GstSegment segment;
  guint n_flushes;         /* after which a buffer that came before is dropped */
  guint64 position;        /* payload bytes taken in this stream */
  gboolean is_behind_lost; /* buffers that came since the last one published have no batch */
  VyrePlan *plan;
  VyreProgram *plan_program;
  guint plan_beginning;
  gsize plan_size;
  guint plan_slots;
  guint plan_observables;
  gconstpointer plan_kernel; /* the kernel of its template */
  gboolean plan_stale;
  guint32 era; /* counts caps and programs */
  GstVyrePairing pairing;
  GstVyreCarry *carry;           /* NULL: the program has no state, or it begins anew */
  GstVyreSettings sink_settings; /* copy of `settings`; empty before the first buffer */
  GstCaps *out_caps;
  GstVyreTable *out_table; /* of the last readbacks, or NULL */
  GQueue early;            /* of GstEvent: those that wait for the first caps */

  GST_VYRE_APART (sink);

  GMutex activation; /* of the source pad; held until the task has started or ended */

  /* the worker */
  GstVyreSettings out_settings;   /* copy of `settings`; empty before the first batch */
  guint32 out_epoch;              /* epoch of the last item */
  gint64 ready;                   /* when the last item was done, µs; in a live stream */
  guint tap_stream;               /* counts the streams that pads readback_%u have had */
  VyreReplayLog *replay;          /* NULL: no recording */
  GstVyreLines *lines;            /* NULL: no JSON lines */
  guint lines_turn;               /* of the settings that named their file */
  GstVyreReadbackPool *readbacks; /* of a layout that came twice in a row, or NULL */
  VyreLayout last_layout;
  GstVyreLastResults last;
  GstVyreEvents events;
  gboolean labels;  /* analytics-meta, as of the start; no other thread runs then */
  gboolean tensors; /* tensor-meta, the same */
  gint64 results_due;
  gint64 debug_due;
  guint64 debug_left_out; /* PRINTF records since the last posted one */
  gint64 counters_due;
  GstVyreWatch watch;
};

void gst_vyre_state_init (GstVyreFilter *self);
void gst_vyre_state_clear (GstVyreFilter *self);
void gst_vyre_state_follow_settings (GstVyreFilter *self, GstVyreSettings *copy);
void gst_vyre_state_clear_settings (GstVyreSettings *copy);
GstVyreShared *gst_vyre_state_get_shared (GstVyreFilter *self);
void gst_vyre_state_post_error (GstVyreFilter *self, const GError *error);
gboolean gst_vyre_state_check_own (GstVyreFilter *self);

G_END_DECLS

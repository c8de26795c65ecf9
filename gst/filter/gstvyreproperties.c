/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreproperties.h"

#include "filter/gstvyrelatency.h"
#include "filter/gstvyrelines.h"
#include "filter/gstvyremessages.h"
#include "filter/gstvyrepassthrough.h"
#include "filter/gstvyreprogram.h"
#include "filter/gstvyreslots.h"

static const GEnumValue properties_resource_access[] = {
  { VYRE_ACCESS_NONE, "Programs use no files", "none" },
  { VYRE_ACCESS_READ, "Programs read files", "read" },
  { VYRE_ACCESS_ALL, "Programs read files, and make sinks and append to them", "all" },
  { 0, NULL, NULL },
};

static const GEnumValue properties_output_mode[] = {
  { GST_VYRE_OUTPUT_READBACK, "Readbacks in place of the buffers", "readback" },
  { GST_VYRE_OUTPUT_PASSTHROUGH, "The buffers as they came, with results as GstVyreResultsMeta",
      "passthrough" },
  { 0, NULL, NULL },
};

static const GFlagsValue properties_post_messages[] = {
  { GST_VYRE_POST_RESULTS, "Named results of the program (vyre-results)", "results" },
  { GST_VYRE_POST_COUNTERS, "Counters (vyre-counters)", "counters" },
  { GST_VYRE_POST_DEBUG, "PRINTF records (vyre-debug)", "debug" },
  { GST_VYRE_POST_EVENTS, "Events of the program (vyre-event)", "events" },
  { 0, NULL, NULL },
};

/* The share of the element in the latency of a pipeline may be another one. */
static void
latency_changed (GObject *object)
{
  gst_vyre_latency_tell_changes (GST_VYRE_FILTER_CAST (object));
}

static void
output_mode_changed (GObject *object)
{
  gst_vyre_passthrough_follow (GST_VYRE_FILTER_CAST (object));
}

static void
results_location_changed (GObject *object)
{
  gst_vyre_lines_turn (GST_VYRE_FILTER_CAST (object));
}

static void
stats_get (GObject *object, GValue *value)
{
  g_value_take_boxed (value, gst_vyre_messages_stats (GST_VYRE_FILTER_CAST (object), TRUE));
}

#define READY GST_VYRE_PROPERTY_READY
#define PLAYING GST_VYRE_PROPERTY_PLAYING
#define AT(field) GstVyreFilter, field

static const GstVyreProperty filter_rows[] = {
  { GST_VYRE_STRING ("program", "Program",
        "Program to run on every buffer: its text, or builtin:NAME (frame-stats, field-stats, "
        "rgb-stats, video-qc, audio-qc, compare, scope, bytes, nop). Raw slots "
        "(application/x-vyre-slots) "
        "run without it",
        PLAYING, GST_VYRE_DEFAULT_PROGRAM, AT (program_text)),
      .set = gst_vyre_program_set },
  { GST_VYRE_STRING ("program-location", "Program location",
        "File with the text of the program, which replaces the property program", PLAYING, NULL,
        AT (program_location)),
      .set = gst_vyre_program_set_location },
  { GST_VYRE_BOXED ("params", "Params",
        "Numbers for the params that the program declares, by their names, as "
        "params,black_threshold=0.2; the others have their defaults, and events begin anew",
        PLAYING, gst_structure_get_type, gst_vyre_program_get_params),
      .set = gst_vyre_program_set_params },
  { GST_VYRE_ENUM ("output-mode", "Output mode",
        "What leaves the source pad: readbacks, or the buffers themselves, for analysis inside "
        "of a pipeline that shows, edits or encodes them",
        READY, "GstVyreOutputMode", properties_output_mode, GST_VYRE_OUTPUT_READBACK,
        AT (output_mode)),
      .changed = output_mode_changed },
  { GST_VYRE_UINT64 ("max-latency", "Maximum latency",
        "With output-mode=passthrough: longest time from a buffer's arrival until it goes on, the "
        "wait for its partner of the pad reference included; without its results then, which are "
        "posted when they come (0 = at once, "
        "18446744073709551615 = when its results are there) (ns)",
        PLAYING, 0, G_MAXUINT64, GST_CLOCK_TIME_NONE, AT (settings.max_latency)),
      .changed = latency_changed },
  { GST_VYRE_BOOLEAN ("analytics-meta", "Analytics meta",
      "With output-mode=passthrough, events of the program that last as classifications in the "
      "GstAnalyticsRelationMeta of buffers; for builds with GStreamer 1.24 or later",
      READY, FALSE, AT (analytics_meta)) },
  { GST_VYRE_BOOLEAN ("tensor-meta", "Tensor meta",
      "With output-mode=passthrough, results that are arrays as tensors in a GstTensorMeta of "
      "buffers; for builds with GStreamer 1.26 or later",
      READY, FALSE, AT (tensor_meta)) },
  { GST_VYRE_ENUM ("resource-access", "Resource access",
      "Access of programs to files; a program that needs more is refused", READY,
      "GstVyreResourceAccess", properties_resource_access, VYRE_ACCESS_NONE,
      AT (resource_access)) },
  { GST_VYRE_STRING ("resource-root", "Resource root",
      "Folder in which paths of programs start and stay, whatever '..' and links say (NULL = all "
      "files that the process can open)",
      READY, NULL, AT (resource_root)) },
  { GST_VYRE_UINT ("slot-count", "Slot count",
      "Slots in the ring of a readback (0 = as many as the program uses). A buffer of raw slots "
      "has its own number",
      PLAYING, 0, GST_VYRE_MAX_SLOTS, 0, AT (settings.slot_count)) },
  { GST_VYRE_UINT ("observable-slots", "Observable slots",
      "Observable words in the control part of a readback (0 = as many as the program uses, 256 "
      "for raw slots)",
      PLAYING, 0, VYRE_MAX_OBSERVABLES, 0, AT (settings.observable_slots)) },
  { GST_VYRE_UINT ("max-in-flight", "Maximum in flight",
        "Most buffers in execution or waiting to be pushed", PLAYING, 1, 64, 4,
        AT (settings.max_in_flight)),
      .changed = latency_changed },
  { GST_VYRE_FLAGS ("post-messages", "Post messages", "Element messages to post", PLAYING,
      "GstVyrePostMessages", properties_post_messages,
      GST_VYRE_POST_RESULTS | GST_VYRE_POST_COUNTERS | GST_VYRE_POST_DEBUG | GST_VYRE_POST_EVENTS,
      AT (settings.post_messages)) },
  { GST_VYRE_UINT64 ("interval", "Interval",
      "Shortest real time between two vyre-counters messages; EOS adds one more (ns)", PLAYING, 0,
      G_MAXUINT64, GST_SECOND, AT (settings.interval)) },
  { GST_VYRE_UINT64 ("results-interval", "Results interval",
      "Shortest real time between two vyre-results messages (0 = one for every buffer); the first "
      "and the last buffer always have one (ns)",
      PLAYING, 0, G_MAXUINT64, GST_SECOND, AT (settings.results_interval)) },
  { GST_VYRE_UINT64 ("debug-interval", "Debug interval",
      "Shortest real time between the vyre-debug messages of two buffers (0 = messages of every "
      "buffer); the field left-out counts the PRINTF records in between (ns)",
      PLAYING, 0, G_MAXUINT64, GST_SECOND, AT (settings.debug_interval)) },
  { GST_VYRE_STRING ("replay-log", "Replay log",
      "File that records every batch for vyre-replay; each stream replaces it. Failure to open it "
      "is an error; failure to write it later is a warning, and the stream goes on",
      READY, NULL, AT (replay_path)) },
  { GST_VYRE_STRING ("results-location", "Results location",
        "File of JSON lines, one for the results of every buffer and for every event; - is "
        "standard output. Setting it in PAUSED or PLAYING, to the same file as well, ends the "
        "file and empties and begins the next one. Failure to open it is an error at start and a "
        "warning later, failure to write it a warning, and the stream goes on",
        PLAYING, NULL, AT (results_path)),
      .changed = results_location_changed },
  { GST_VYRE_BOXED ("stats", "Statistics", "The counters, as in vyre-counters",
      GST_VYRE_PROPERTY_READABLE, gst_structure_get_type, stats_get) },
  { 0 },
};

const GstVyrePropertyTable gst_vyre_filter_properties[] = {
  { filter_rows, 0 },
  { gst_vyre_kernel_properties, G_STRUCT_OFFSET (GstVyreFilter, kernel) },
  { NULL, 0 },
};

/* Stores the defaults, and loads the default program. */
void
gst_vyre_filter_properties_init (GstVyreFilter *self)
{
  gst_vyre_properties_init (self, gst_vyre_filter_properties);
  gst_vyre_program_init (self);
}

void
gst_vyre_filter_properties_clear (GstVyreFilter *self)
{
  gst_vyre_properties_clear (self, gst_vyre_filter_properties);
  gst_vyre_program_clear (self);
}

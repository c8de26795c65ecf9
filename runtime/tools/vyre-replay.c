/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyre-replay [OPTION…] LOG: runs the batches of a replay log again, in order, and
 * compares every observable with the one that was recorded. The first that differs is
 * printed, and the exit status is 1; it is 0 when none does, and 2 when the log could
 * not be run. Batches whose slots race with each other may differ and be right.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vyre/vyre.h"

/* Room for one readback of any batch that could be recorded. */
#define READBACK_SIZE (32 * 1024 * 1024)
#define LEAST_STAGING 65536

/* The staging store is cut into slices of whole pages. */
#define PAGE 4096
#define IDLE_TIMEOUT (100 * 1000 * 1000)
#define LEASE (500 * 1000 * 1000)

/* Longer than any batch takes. */
#define DEADLINE (60 * G_TIME_SPAN_SECOND)

enum { EXIT_SAME, EXIT_DIVERGED, EXIT_FAILED };

static char *payload_path;
static char *device_name;
static char *residency_name;
static gboolean wants_version;

static const GOptionEntry options[] = {
  { "payload", 'p', 0, G_OPTION_ARG_FILENAME, &payload_path,
      "File with the payloads of the recorded stream, one after another", "FILE" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device_name,
      "Vulkan device: auto, index, part of the name, or UUID", "DEVICE" },
  { "residency", 'r', 0, G_OPTION_ARG_STRING, &residency_name,
      "auto, persistent, relay or dispatch", "RESIDENCY" },
  { "version", 0, 0, G_OPTION_ARG_NONE, &wants_version, "Prints the version", NULL },
  { NULL },
};

typedef struct {
  GPtrArray *batches; /* of VyreReplayBatch */
  int payloads;       /* -1: no file of payloads */
  VyreMegakernel *kernel;
  VyreLane *lane;
} Replay;

static void
replay_clear (Replay *replay)
{
  if (replay->kernel)
    vyre_megakernel_set_active (replay->kernel, FALSE);
  g_clear_pointer (&replay->lane, vyre_lane_unref);
  g_clear_pointer (&replay->kernel, vyre_megakernel_unref);
  if (replay->payloads >= 0)
    close (replay->payloads);
  g_clear_pointer (&replay->batches, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Replay, replay_clear)

static gboolean
replay_find_residency (VyreResidency *residency, GError **error)
{
  const char *wanted = residency_name ? residency_name : "auto";

  for (*residency = VYRE_RESIDENCY_AUTO; *residency <= VYRE_RESIDENCY_DISPATCH; (*residency)++) {
    if (g_str_equal (wanted, vyre_residency_name (*residency)))
      return TRUE;
  }
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "There is no residency '%s'. Fix: pass auto, persistent, relay or dispatch.", wanted);
  return FALSE;
}

static gboolean
replay_load_batches (Replay *replay, const char *path, GError **error)
{
  g_autoptr (VyreReplayLog) log = vyre_replay_log_open (path, FALSE, error);

  if (!log)
    return FALSE;
  replay->batches = vyre_replay_log_read_batches (log, error);
  if (!replay->batches)
    return FALSE;
  if (replay->batches->len > 0)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "%s holds no batches. Fix: record a stream with vyrefilter's replay-log; slots alone cannot "
      "be run again.",
      path);
  return FALSE;
}

static gboolean
replay_open_payloads (Replay *replay, GError **error)
{
  struct stat status;

  if (!payload_path)
    return TRUE;
  replay->payloads = open (payload_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  gboolean there = replay->payloads >= 0 && fstat (replay->payloads, &status) == 0;
  if (there && S_ISREG (status.st_mode))
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "%s: %s. Fix: pass the file with the payloads of the recorded stream.", payload_path,
      there ? "not a regular file" : g_strerror (errno));
  return FALSE;
}

/* The staging memory that a batch needs, in whole pages for each of its payloads. */
static gsize
replay_staging_size (const VyreReplayBatch *batch)
{
  return (batch->payload_size + PAGE - 1) / PAGE * PAGE
         * (1 + batch->has_previous + batch->has_reference);
}

static gboolean
replay_open_kernel (Replay *replay, GError **error)
{
  VyreMegakernelParams params = {
    .staging_size = LEAST_STAGING,
    .readback_size = READBACK_SIZE,
    .idle_timeout = IDLE_TIMEOUT,
    .lease = LEASE,
  };

  if (!replay_find_residency (&params.residency, error))
    return FALSE;
  g_autoptr (VyreDevice) device = vyre_device_open (device_name ? device_name : "auto", error);
  if (!device)
    return FALSE;
  for (guint i = 0; i < replay->batches->len; i++) {
    const VyreReplayBatch *batch = replay->batches->pdata[i];
    if (batch->payload_size > vyre_device_get_max_payload (device)) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
          "A payload of %" G_GUINT64_FORMAT " bytes is more than this device can address. Fix: "
          "choose another device.",
          batch->payload_size);
      return FALSE;
    }
    params.staging_size = MAX (params.staging_size, replay_staging_size (batch));
  }
  replay->kernel = vyre_megakernel_new (device, &params, error);
  if (!replay->kernel)
    return FALSE;
  vyre_megakernel_set_active (replay->kernel, TRUE);
  replay->lane = vyre_lane_new (replay->kernel);
  return TRUE;
}

/* Reads the payload of a batch, if any, or the previous one, which lies at @offset, to @data. */
static gboolean
replay_read_payload (const Replay *replay, const VyreReplayBatch *batch, guint64 offset,
    guint8 *data, GError **error)
{
  VyreFileIo *file_io = vyre_megakernel_get_file_io (replay->kernel);
  gsize n = 0;

  if (batch->payload_size == 0)
    return TRUE;
  if (replay->payloads < 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "Epoch %u has a payload of %" G_GUINT64_FORMAT " bytes. Fix: pass the file with the "
        "payloads: --payload FILE.",
        batch->epoch, batch->payload_size);
    return FALSE;
  }
  if (offset <= G_MAXINT64 - batch->payload_size
      && !vyre_file_io_read (
          file_io, replay->payloads, offset, data, batch->payload_size, &n, error))
    return FALSE;
  if (n == batch->payload_size)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "%s ends before the payload of epoch %u: %" G_GUINT64_FORMAT " bytes from byte "
      "%" G_GUINT64_FORMAT " on. Fix: pass all payloads of the recorded stream.",
      payload_path, batch->epoch, batch->payload_size, offset);
  return FALSE;
}

/* Reads the payload and compares its digest with the recorded one. */
static gboolean
replay_take_payload (
    const Replay *replay, const VyreReplayBatch *batch, guint8 *data, GError **error)
{
  guint8 digest[VYRE_REPLAY_DIGEST_SIZE];

  if (!replay_read_payload (replay, batch, batch->payload_offset, data, error))
    return FALSE;
  vyre_replay_digest (data, batch->payload_size, digest);
  if (memcmp (digest, batch->payload_digest, sizeof digest) == 0)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "The payload of epoch %u is not the one that was recorded. Fix: pass the payloads of the "
      "recorded stream, unchanged.",
      batch->epoch);
  return FALSE;
}

/* A plan for the batch as it was before it ran, with one tenant. */
static VyrePlan *
replay_make_plan (const VyreReplayBatch *batch, guint workgroup, GError **error)
{
  VyreLayout layout;

  vyre_layout_init (&layout, batch->n_observables, batch->n_slots);
  g_autofree guint8 *bytes = g_malloc0 (layout.total);
  if (!vyre_encode_control_into (bytes, layout.total, batch->n_observables, 1, FALSE, error))
    return NULL;
  for (guint i = 0; batch->initial && i < batch->n_observables; i++)
    vyre_write_word (bytes, VYRE_CONTROL_OBSERVABLES + i, batch->initial[i]);
  memcpy (bytes + layout.offset[VYRE_PART_RING], batch->slots,
      4 * VYRE_SLOT_WORDS * (gsize)batch->n_logged);
  VyreParts parts = { .schedule = VYRE_SCHEDULE_SLOTS };
  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    parts.data[part] = bytes + layout.offset[part];
    parts.size[part] = layout.size[part];
  }
  return vyre_plan_new_from_parts (&parts, batch->payload_size, workgroup, error);
}

/* A slice of staging memory that holds a payload. */
typedef struct {
  VyreStore *store;
  gsize offset;
} Slice;

static void
slice_free (gpointer data)
{
  Slice *slice = data;

  vyre_store_free (slice->store, slice->offset);
  g_free (slice);
}

/* Gets memory for a payload of the batch, which the library frees. */
static gboolean
replay_alloc_payload (
    const Replay *replay, const VyreReplayBatch *batch, VyrePayload *payload, GError **error)
{
  VyreStore *staging = vyre_megakernel_get_staging (replay->kernel);
  Slice *slice = g_new (Slice, 1);

  *slice = (Slice){ .store = staging };
  *payload = (VyrePayload){ .release = slice_free, .owner = slice };
  if (vyre_store_alloc (staging, MAX (batch->payload_size, 1), 0, &slice->offset)) {
    payload->offset = slice->offset;
    return TRUE;
  }
  g_free (slice);
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
      "No memory for the payload of epoch %u. Fix: choose another device.", batch->epoch);
  return FALSE;
}

/* Gives @stream an older payload of a batch, which lies at @offset. */
static gboolean
replay_set_older (const Replay *replay, const VyreReplayBatch *batch, VyreStream *stream,
    guint from, guint64 offset, gint64 end, GError **error)
{
  guint8 *staging = vyre_store_get_data (vyre_megakernel_get_staging (replay->kernel));
  VyrePayload payload;

  if (!replay_alloc_payload (replay, batch, &payload, error))
    return FALSE;
  if (replay_read_payload (replay, batch, offset, staging + payload.offset, error)
      && vyre_stream_set_older (stream, from, &payload, batch->payload_size, end, error))
    return TRUE;
  slice_free (payload.owner);
  return FALSE;
}

/* Publishes a batch, on a stream of its own. Takes @payload if it returns a batch. */
static VyreBatch *
replay_publish (const Replay *replay, const VyreReplayBatch *batch, VyrePlan *plan,
    const VyrePayload *payload, gint64 end, GError **error)
{
  g_autoptr (VyreStream) stream = vyre_stream_new (replay->lane, NULL, 0);

  if (batch->has_previous
      && !replay_set_older (
          replay, batch, stream, VYRE_FROM_PREVIOUS, batch->previous_offset, end, error))
    return NULL;
  if (batch->has_reference
      && !replay_set_older (
          replay, batch, stream, VYRE_FROM_REFERENCE, batch->reference_offset, end, error))
    return NULL;
  return vyre_stream_publish (stream, plan, batch->epoch, payload, end, error);
}

static VyreBatch *
replay_run_batch (Replay *replay, const VyreReplayBatch *batch, GError **error)
{
  guint8 *staging = vyre_store_get_data (vyre_megakernel_get_staging (replay->kernel));
  gint64 end = g_get_monotonic_time () + DEADLINE;
  VyrePayload payload;

  g_autoptr (VyrePlan) plan
      = replay_make_plan (batch, vyre_megakernel_get_workgroup (replay->kernel), error);
  if (!plan || !replay_alloc_payload (replay, batch, &payload, error))
    return NULL;
  g_autoptr (VyreBatch) run = NULL;
  if (replay_take_payload (replay, batch, staging + payload.offset, error))
    run = replay_publish (replay, batch, plan, &payload, end, error);
  if (!run)
    slice_free (payload.owner);
  return run && vyre_batch_wait (run, end, error) ? g_steal_pointer (&run) : NULL;
}

static gboolean
replay_is_same (const VyreReplayBatch *batch, VyreBatch *run)
{
  const guint8 *readback = vyre_batch_get_readback (run);

  for (guint i = 0; i < batch->n_observables; i++) {
    guint32 now = vyre_read_word (readback, VYRE_CONTROL_OBSERVABLES + i);
    if (now == batch->observables[i])
      continue;
    printf ("epoch %u, observable %u: recorded %u, now %u\n", batch->epoch, i,
        batch->observables[i], now);
    return FALSE;
  }
  return TRUE;
}

static int
replay_run_all (Replay *replay, GError **error)
{
  guint n = replay->batches->len;

  for (guint i = 0; i < n; i++) {
    const VyreReplayBatch *batch = replay->batches->pdata[i];
    g_autoptr (VyreBatch) run = replay_run_batch (replay, batch, error);
    if (!run)
      return EXIT_FAILED;
    if (!replay_is_same (batch, run))
      return EXIT_DIVERGED;
  }
  printf ("%u epoch%s, no divergence\n", n, n == 1 ? "" : "s");
  return EXIT_SAME;
}

static int
replay_log (const char *path, GError **error)
{
  g_auto (Replay) replay = { .payloads = -1 };

  if (!replay_load_batches (&replay, path, error) || !replay_open_payloads (&replay, error)
      || !replay_open_kernel (&replay, error))
    return EXIT_FAILED;
  return replay_run_all (&replay, error);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_autoptr (GOptionContext) context = g_option_context_new ("LOG");
  g_autoptr (GError) error = NULL;
  int status = EXIT_FAILED;

  g_option_context_set_summary (
      context, "Runs a replay log again and compares every result with the recorded one.");
  g_option_context_add_main_entries (context, options, NULL);
  if (g_option_context_parse (context, &argc, &argv, &error)) {
    if (wants_version) {
      printf ("vyre-replay %s\n", PACKAGE_VERSION);
      return EXIT_SAME;
    }
    if (argc == 2)
      status = replay_log (argv[1], &error);
    else
      fprintf (stderr, "usage: vyre-replay [OPTION…] LOG\n");
  }
  if (error)
    fprintf (stderr, "%s\n", error->message);
  return status;
}

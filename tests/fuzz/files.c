/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that anybody may have written or damaged: replay logs, pipeline caches and
 * programs. What was written comes back; what was damaged is refused, or read as far
 * as it is whole.
 */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "device/pipeline-cache.h"
#include "vyre/program.h"
#include "vyre/replay-log.h"

#define MAX_BATCHES 12

/* A file that nobody else sees, and its path. */
typedef struct {
  int fd;
  char path[32];
} File;

static void
file_clear (File *file)
{
  close (file->fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (File, file_clear)

static File
file_new (const void *data, gsize size)
{
  File file = { .fd = memfd_create ("fuzz", MFD_CLOEXEC) };

  g_assert_true (file.fd >= 0 && write (file.fd, data, size) == (gssize)size);
  g_snprintf (file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
  return file;
}

/* Overwrites some bytes, or cuts the file. */
static void
damage (FuzzInput *input, const File *file, gsize size)
{
  for (guint n = fuzz_choose (input, 8); n > 0; n--) {
    guint8 byte = (guint8)fuzz_byte (input);
    off_t at = (off_t)(fuzz_word (input) % size);
    g_assert_true (pwrite (file->fd, &byte, 1, at) == 1);
  }
  if (fuzz_choose (input, 8) == 7)
    g_assert_true (ftruncate (file->fd, (off_t)(fuzz_word (input) % size)) == 0);
}

/* ---- replay logs --------------------------------------------------------- */

/* Everything that the reader says is there can be read. */
static void
check_batch (const VyreReplayBatch *batch)
{
  guint32 sum = 0;

  g_assert_true (batch->n_slots >= 1 && batch->n_slots <= VYRE_ENCODE_MAX);
  g_assert_true (batch->n_logged <= batch->n_slots && batch->n_observables <= VYRE_MAX_OBSERVABLES);
  for (gsize i = 0; i < (gsize)batch->n_logged * VYRE_SLOT_WORDS; i++)
    sum += batch->slots[i];
  for (gsize i = 0; i < batch->n_observables; i++)
    sum += batch->observables[i];
  /* memory that was never written would decide about this */
  g_assert_true (sum != 0x5EEDF00D);
}

static void
assert_same_batch (const VyreReplayBatch *a, const VyreReplayBatch *b)
{
  g_assert_true (a->epoch == b->epoch && a->n_slots == b->n_slots);
  g_assert_true (a->payload_size == b->payload_size && a->payload_offset == b->payload_offset);
  g_assert_cmpmem (a->slots, a->n_logged * 64, b->slots, b->n_logged * 64);
  g_assert_cmpmem (a->observables, a->n_observables * 4, b->observables, b->n_observables * 4);
  g_assert_cmpmem (
      a->payload_digest, VYRE_REPLAY_DIGEST_SIZE, b->payload_digest, VYRE_REPLAY_DIGEST_SIZE);
}

/* Reads all there is to read; @expected, if any, are the batches in it. */
static void
read_log (const File *file, GPtrArray *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreReplayLog) log = vyre_replay_log_open (file->path, FALSE, &error);

  if (!fuzz_check (log != NULL, &error))
    return;
  g_assert_cmpuint (vyre_replay_log_get_cursor (log), <, vyre_replay_log_get_capacity (log));
  g_autoptr (GArray) records = vyre_replay_log_read (log, &error);
  if (fuzz_check (records != NULL, &error))
    g_assert_cmpuint (records->len, <=, vyre_replay_log_get_capacity (log));
  g_autoptr (GPtrArray) batches = vyre_replay_log_read_batches (log, &error);
  fuzz_check (batches != NULL, &error);
  for (guint i = 0; batches && i < batches->len; i++)
    check_batch (g_ptr_array_index (batches, i));
  if (!expected)
    return;
  g_assert_true (batches != NULL && batches->len == expected->len);
  for (guint i = 0; i < expected->len; i++)
    assert_same_batch (g_ptr_array_index (batches, i), g_ptr_array_index (expected, i));
}

static void
try_any_log (FuzzInput *input)
{
  g_auto (File) file = file_new (input->at, input->left);

  read_log (&file, NULL);
}

static VyreReplayBatch *
read_batch (FuzzInput *input)
{
  VyreReplayBatch *batch = g_new0 (VyreReplayBatch, 1);

  batch->epoch = fuzz_number (input);
  batch->n_logged = fuzz_choose (input, 4);
  batch->n_slots = batch->n_logged + fuzz_choose (input, 3);
  batch->n_observables = fuzz_choose (input, 30);
  batch->payload_size = fuzz_number (input);
  batch->slots = g_new0 (guint32, batch->n_logged * VYRE_SLOT_WORDS);
  batch->observables = g_new0 (guint32, batch->n_observables);
  for (guint i = 0; i < batch->n_logged; i++)
    fuzz_slot (input, batch->slots + i * VYRE_SLOT_WORDS);
  for (guint i = 0; i < batch->n_observables; i += 1 + fuzz_choose (input, 4))
    batch->observables[i] = fuzz_number (input);
  memset (batch->payload_digest, (int)batch->epoch, VYRE_REPLAY_DIGEST_SIZE);
  return batch;
}

/* Appends batches and single slots. @kept are those that are still whole: what came
 * behind the first of them, and itself, is no more than the log holds. */
static void
append (FuzzInput *input, VyreReplayLog *log, GPtrArray *kept)
{
  guint64 capacity = vyre_replay_log_get_capacity (log), end = 0;
  guint64 ends[MAX_BATCHES], begins[MAX_BATCHES];
  g_autoptr (GError) error = NULL;

  for (guint i = fuzz_choose (input, MAX_BATCHES); i > 0; i--) {
    VyreReplayRecord record = { .slot = fuzz_number (input), .opcode = fuzz_number (input) };
    VyreReplayBatch *batch = fuzz_choose (input, 4) ? read_batch (input) : NULL;
    if (!batch) {
      g_assert_true (vyre_replay_log_append (log, &record, NULL));
      end++;
    } else if (fuzz_check (vyre_replay_log_append_batch (log, batch, &error), &error)) {
      begins[kept->len] = end;
      end += 2 + 2 * batch->n_logged + (batch->n_observables + 11) / 12;
      ends[kept->len] = end;
      g_ptr_array_add (kept, batch);
    } else {
      vyre_replay_batch_free (batch);
    }
  }
  g_assert_cmpuint (vyre_replay_log_get_cursor (log), ==, end % capacity);
  guint n_lost = 0;
  while (n_lost < kept->len && end - begins[n_lost] > capacity)
    n_lost++;
  g_assert_true (kept->len == 0 || ends[kept->len - 1] <= end);
  g_ptr_array_remove_range (kept, 0, n_lost);
}

static void
try_log (FuzzInput *input)
{
  g_auto (File) file = file_new ("", 0);
  g_autoptr (GPtrArray) kept
      = g_ptr_array_new_with_free_func ((GDestroyNotify)vyre_replay_batch_free);
  guint64 capacity = fuzz_choose (input, 64);
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreReplayLog) log = vyre_replay_log_create (file.path, capacity, &error);

  if (!fuzz_check (log != NULL, &error))
    return;
  append (input, log, kept);
  read_log (&file, kept);
  damage (input, &file, 32 + 64 * capacity);
  read_log (&file, NULL);
}

/* ---- pipeline caches ----------------------------------------------------- */

static void
try_cache (FuzzInput *input)
{
  static const VyrePipelineKey key = { 1, 2, 3, "uuid", { 4 }, { 5 } };
  static const guint32 header[] = { 32, 1, 1, 2, 4, 0, 0, 0 };
  gboolean whole = fuzz_choose (input, 2);
  g_autoptr (GByteArray) data = g_byte_array_new ();

  if (whole)
    g_byte_array_append (data, (const guint8 *)header, sizeof header);
  g_byte_array_append (data, input->at, (guint)input->left);
  g_autoptr (GBytes) blob = g_bytes_new_static (data->data, data->len);
  g_autoptr (GBytes) written = vyre_pipeline_cache_encode (&key, blob);
  gsize size;
  const guint8 *bytes = g_bytes_get_data (written, &size);
  g_auto (File) file = file_new (bytes, size);
  g_autoptr (GBytes) loaded = vyre_pipeline_cache_load (file.path, &key);
  g_assert_true (!whole || loaded != NULL);
  g_assert_true (loaded == NULL || g_bytes_equal (loaded, blob));
  damage (input, &file, size);
  g_autoptr (GBytes) again = vyre_pipeline_cache_load (file.path, &key);
  g_assert_true (again == NULL || g_bytes_equal (again, blob));
}

static void
try_any_cache (FuzzInput *input)
{
  static const VyrePipelineKey key = { 1, 2, 3, "uuid", { 4 }, { 5 } };
  g_auto (File) file = file_new (input->at, input->left);
  GBytes *loaded = vyre_pipeline_cache_load (file.path, &key);

  g_clear_pointer (&loaded, g_bytes_unref);
}

/* ---- programs ------------------------------------------------------------ */

static void
try_program (FuzzInput *input)
{
  g_auto (File) file = file_new (input->at, input->left);
  g_autofree char *text = g_strndup ((const char *)input->at, input->left);
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreProgram) loaded = vyre_program_load (file.path, &error);

  fuzz_check (loaded != NULL, &error);
  if (strlen (text) < input->left) {
    g_assert_null (loaded);
    return;
  }
  g_autoptr (VyreProgram) assembled = vyre_program_assemble (text, &error);
  g_assert_true (fuzz_check (assembled != NULL, &error) == (loaded != NULL));
  if (loaded)
    g_assert_cmpstr (vyre_program_get_id (loaded), ==, vyre_program_get_id (assembled));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static void (*const kinds[]) (FuzzInput *)
      = { try_any_log, try_log, try_cache, try_any_cache, try_program };
  FuzzInput input = { data, size };

  kinds[fuzz_choose (&input, G_N_ELEMENTS (kinds))](&input);
  return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The replay log: every record that was appended and not overwritten is read back, and no file but
 * a whole log passes for one.
 */
#include "vyre/vyre.h"

#include <dlfcn.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER 32
#define RECORD 64

/* Bytes that the storage still takes; after them a write returns 0. */
static gsize room = G_MAXSIZE;

/* Stands in front of libc's function, by the name that <unistd.h> gives it where offsets have 64
 * bits. */
__attribute__ ((visibility ("default"))) ssize_t
pwrite64 (int fd, const void *bytes, size_t size, off64_t offset)
{
  ssize_t (*real) (int, const void *, size_t, off64_t) = dlsym (RTLD_NEXT, "pwrite64");
  ssize_t n = real (fd, bytes, MIN (size, room), offset);

  room -= room < G_MAXSIZE ? (gsize)n : 0;
  return n;
}

typedef struct {
  char *directory;
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  GError *error = NULL;

  f->directory = g_dir_make_tmp ("vyre-replay-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = g_build_filename (f->directory, "log", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unlink (f->path);
  g_rmdir (f->directory);
  g_free (f->path);
  g_free (f->directory);
}

static void
assert_error (GError **error, VyreError code)
{
  g_assert_error (*error, VYRE_ERROR, (gint)code);
  g_assert_nonnull (strstr ((*error)->message, "Fix: "));
  g_clear_error (error);
}

static VyreReplayLog *
create (Fixture *f, guint64 capacity)
{
  GError *error = NULL;
  VyreReplayLog *log = vyre_replay_log_create (f->path, capacity, &error);

  g_assert_no_error (error);
  return log;
}

static VyreReplayLog *
reopen (Fixture *f)
{
  GError *error = NULL;
  VyreReplayLog *log = vyre_replay_log_open (f->path, TRUE, &error);

  g_assert_no_error (error);
  return log;
}

static void
append (VyreReplayLog *log, guint32 number)
{
  VyreReplayRecord record = { .time = G_MAXUINT64 - number,
    .slot = number,
    .tenant = 2,
    .opcode = 3,
    .args = { number, 5, 6, 7 },
    .epoch = 8 };
  GError *error = NULL;

  vyre_replay_log_append (log, &record, &error);
  g_assert_no_error (error);
}

static GArray *
read_records (VyreReplayLog *log)
{
  GError *error = NULL;
  GArray *records = vyre_replay_log_read (log, &error);

  g_assert_no_error (error);
  return records;
}

static GPtrArray *
read_batches (VyreReplayLog *log)
{
  GError *error = NULL;
  GPtrArray *batches = vyre_replay_log_read_batches (log, &error);

  g_assert_no_error (error);
  return batches;
}

/* Whether make_batch() gives a batch state: some have it, next to others that have not. */
static gboolean
has_initial (guint n_observables)
{
  return n_observables % 17 == 11; /* such as 11 and 45 */
}

/* A batch with no two words alike. */
static VyreReplayBatch *
make_batch (guint32 epoch, guint n_slots, guint n_logged, guint n_observables)
{
  VyreReplayBatch *batch = g_new0 (VyreReplayBatch, 1);
  guint32 word = epoch << 16;

  batch->time = (guint64)1 << 40 | epoch;
  batch->epoch = epoch;
  batch->n_slots = n_slots;
  batch->n_logged = n_logged;
  batch->slots = g_new (guint32, MAX (n_logged, 1) * VYRE_SLOT_WORDS);
  for (guint i = 0; i < n_logged * VYRE_SLOT_WORDS; i++)
    batch->slots[i] = ++word;
  batch->n_observables = n_observables;
  batch->observables = g_new (guint32, MAX (n_observables, 1));
  for (guint i = 0; i < n_observables; i++)
    batch->observables[i] = ++word;
  if (has_initial (n_observables))
    batch->initial = g_new (guint32, n_observables);
  for (guint i = 0; batch->initial && i < n_observables; i++)
    batch->initial[i] = ++word;
  batch->payload_size = (guint64)3 << 33 | epoch;
  batch->payload_offset = (guint64)5 << 34 | epoch;
  batch->has_previous = batch->initial != NULL;
  batch->previous_offset = batch->has_previous ? (guint64)7 << 35 | epoch : 0;
  batch->has_reference = epoch % 3 == 1;
  batch->reference_offset = batch->has_reference ? (guint64)9 << 36 | epoch : 0;
  vyre_replay_digest (&epoch, sizeof epoch, batch->payload_digest);
  return batch;
}

static void
append_batch (VyreReplayLog *log, guint32 epoch, guint n_slots, guint n_logged, guint n_observables)
{
  g_autoptr (VyreReplayBatch) batch = make_batch (epoch, n_slots, n_logged, n_observables);
  GError *error = NULL;

  vyre_replay_log_append_batch (log, batch, &error);
  g_assert_no_error (error);
}

static void
assert_batch (
    const VyreReplayBatch *batch, guint32 epoch, guint n_slots, guint n_logged, guint n_observables)
{
  g_autoptr (VyreReplayBatch) wanted = make_batch (epoch, n_slots, n_logged, n_observables);

  g_assert_cmpuint (batch->time, ==, wanted->time);
  g_assert_cmpuint (batch->epoch, ==, epoch);
  g_assert_cmpuint (batch->n_slots, ==, n_slots);
  g_assert_cmpuint (batch->n_logged, ==, n_logged);
  g_assert_cmpuint (batch->n_observables, ==, n_observables);
  g_assert_cmpuint (batch->payload_size, ==, wanted->payload_size);
  g_assert_cmpuint (batch->payload_offset, ==, wanted->payload_offset);
  g_assert_cmpint (batch->has_previous, ==, wanted->has_previous);
  g_assert_cmpuint (batch->previous_offset, ==, wanted->previous_offset);
  g_assert_cmpint (batch->has_reference, ==, wanted->has_reference);
  g_assert_cmpuint (batch->reference_offset, ==, wanted->reference_offset);
  g_assert_cmpmem (batch->payload_digest, VYRE_REPLAY_DIGEST_SIZE, wanted->payload_digest,
      VYRE_REPLAY_DIGEST_SIZE);
  gsize size = 4 * VYRE_SLOT_WORDS * (gsize)n_logged;
  g_assert_cmpmem (batch->slots, size, wanted->slots, size);
  size = 4 * (gsize)n_observables;
  g_assert_cmpmem (batch->observables, size, wanted->observables, size);
  g_assert_cmpint (batch->initial != NULL, ==, wanted->initial != NULL);
  if (batch->initial)
    g_assert_cmpmem (batch->initial, size, wanted->initial, size);
}

static GByteArray *
read_file (Fixture *f)
{
  GError *error = NULL;
  char *contents;
  gsize size;

  g_file_get_contents (f->path, &contents, &size, &error);
  g_assert_no_error (error);
  return g_byte_array_new_take ((guint8 *)contents, size);
}

/* Writes a new file: some file systems wait for the disk when an old one is rewritten. */
static void
write_file (Fixture *f, const guint8 *bytes, gsize size)
{
  g_unlink (f->path);
  FILE *file = g_fopen (f->path, "wb");

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (bytes, 1, size, file), ==, size);
  g_assert_cmpint (fclose (file), ==, 0);
}

/* Opens the file and reads it, in both ways. Each call has a result, or an error that names a
 * remedy. */
static void
assert_sane (Fixture *f, gboolean *opened, gboolean *has_records, gboolean *has_batches)
{
  GError *error = NULL;
  g_autoptr (VyreReplayLog) log = vyre_replay_log_open (f->path, FALSE, &error);
  g_autoptr (GArray) records = NULL;
  g_autoptr (GPtrArray) batches = NULL;

  *opened = log != NULL;
  if (log != NULL) {
    records = vyre_replay_log_read (log, &error);
    if (records == NULL)
      assert_error (&error, (VyreError)error->code);
    batches = vyre_replay_log_read_batches (log, &error);
  }
  if (batches == NULL)
    assert_error (&error, (VyreError)error->code);
  *has_records = records != NULL;
  *has_batches = batches != NULL;
  g_assert_no_error (error);
}

/* ---- records that were appended ----------------------------------------- */

static void
test_wrap_around (Fixture *f, gconstpointer data)
{
  g_autoptr (VyreReplayLog) log = create (f, 3);

  for (guint32 n = 0; n < 8; n++) {
    g_autoptr (GArray) records = read_records (log);
    g_assert_cmpuint (vyre_replay_log_get_cursor (log), ==, n % 3);
    g_assert_cmpuint (records->len, ==, MIN (n, 3));
    for (guint i = 0; i < records->len; i++) {
      const VyreReplayRecord *record = &g_array_index (records, VyreReplayRecord, i);
      guint32 number = n - records->len + i;
      g_assert_cmpuint (record->slot, ==, number);
      g_assert_cmpuint (record->time, ==, G_MAXUINT64 - number);
    }
    append (log, n);
  }
}

static void
test_reopen (Fixture *f, gconstpointer data)
{
  VyreReplayLog *log = create (f, 20);

  append_batch (log, 1, 1, 1, 1);
  vyre_replay_log_free (log);
  log = reopen (f);
  g_assert_cmpuint (vyre_replay_log_get_capacity (log), ==, 20);
  g_assert_cmpuint (vyre_replay_log_get_cursor (log), ==, 5);
  append_batch (log, 2, 1, 1, 1);
  g_autoptr (GPtrArray) batches = read_batches (log);
  g_assert_cmpuint (batches->len, ==, 2);
  assert_batch (batches->pdata[0], 1, 1, 1, 1);
  assert_batch (batches->pdata[1], 2, 1, 1, 1);
  vyre_replay_log_free (log);
  /* a new log starts over */
  log = create (f, 20);
  g_autoptr (GPtrArray) none = read_batches (log);
  g_assert_cmpuint (none->len, ==, 0);
  vyre_replay_log_free (log);
}

static void
test_batches (Fixture *f, gconstpointer data)
{
  static const guint sizes[][3]
      = { { 1, 0, 0 }, { 1, 1, 1 }, { 3, 2, 11 }, { 2, 2, 12 }, { 1048576, 3, 13 }, { 9, 9, 500 } };
  g_autoptr (VyreReplayLog) log = create (f, 200);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    append_batch (log, i, sizes[i][0], sizes[i][1], sizes[i][2]);
  g_autoptr (GPtrArray) batches = read_batches (log);
  g_assert_cmpuint (batches->len, ==, G_N_ELEMENTS (sizes));
  for (guint i = 0; i < batches->len; i++)
    assert_batch (batches->pdata[i], i, sizes[i][0], sizes[i][1], sizes[i][2]);
}

/* A reader of slot records alone sees the slots of a batch. */
static void
test_batches_hold_slot_records (Fixture *f, gconstpointer data)
{
  g_autoptr (VyreReplayLog) log = create (f, 40);
  g_autoptr (VyreReplayBatch) batch = make_batch (7, 5, 4, 30);

  append (log, 0);
  append_batch (log, 7, 5, 4, 30);
  append (log, 1);
  g_autoptr (GArray) records = read_records (log);
  g_assert_cmpuint (records->len, ==, 6);
  for (guint slot = 0; slot < 4; slot++) {
    const VyreReplayRecord *record = &g_array_index (records, VyreReplayRecord, 1 + slot);
    const guint32 *words = batch->slots + slot * VYRE_SLOT_WORDS;
    g_assert_cmpuint (record->time, ==, batch->time);
    g_assert_cmpuint (record->slot, ==, slot);
    g_assert_cmpuint (record->tenant, ==, words[VYRE_SLOT_TENANT]);
    g_assert_cmpuint (record->opcode, ==, words[VYRE_SLOT_OPCODE]);
    g_assert_cmpuint (record->epoch, ==, 7);
    g_assert_cmpmem (record->args, sizeof record->args, words + VYRE_SLOT_ARGS, 16);
  }
  g_autoptr (GPtrArray) batches = read_batches (log);
  g_assert_cmpuint (batches->len, ==, 1);
  assert_batch (batches->pdata[0], 7, 5, 4, 30);
  /* the records in front of these are 0 in the file */
  g_autoptr (GByteArray) file = read_file (f);
  guint slots = 0;
  for (gsize at = HEADER; at < file->len; at += RECORD) {
    guint32 first = vyre_read_word (file->data + at, 0);
    g_assert_true (first == 0 || first == 0xDEADBEEF);
    slots += first != 0;
  }
  g_assert_cmpuint (slots, ==, 6);
}

/* Batches of different lengths overwrite each other; the newest that fit are whole. */
static void
test_batches_wrap_around (Fixture *f, gconstpointer data)
{
  const guint capacity = 37;
  g_autoptr (VyreReplayLog) log = create (f, capacity);

  for (guint32 epoch = 1; epoch <= 200; epoch++) {
    append_batch (log, epoch, 4, epoch % 5 % 4, epoch % 7 * 9);
    g_autoptr (GPtrArray) batches = read_batches (log);
    guint fit = 0, taken = 0;
    for (guint32 e = epoch; e > 0; e--, fit++) {
      guint values = (e % 7 * 9 + 11) / 12;
      taken += 2 + 2 * (e % 5 % 4) + (has_initial (e % 7 * 9) ? 2 : 1) * values;
      if (taken > capacity)
        break;
    }
    g_assert_cmpuint (batches->len, ==, fit);
    for (guint i = 0; i < fit; i++) {
      guint32 e = epoch - fit + 1 + i;
      assert_batch (batches->pdata[i], e, 4, e % 5 % 4, e % 7 * 9);
    }
  }
}

/* Numbers of initial observables are 0 or that of all. */
static void
test_initial_of_some (Fixture *f, gconstpointer data)
{
  g_autoptr (VyreReplayLog) log = create (f, 40);

  append_batch (log, 4, 1, 1, 45);
  g_autoptr (GByteArray) file = read_file (f);
  g_assert_cmpuint (vyre_read_word (file->data + HEADER, 7), ==, 45);
  vyre_write_word (file->data + HEADER, 7, 44);
  g_file_set_contents (f->path, (char *)file->data, file->len, NULL);
  g_autoptr (VyreReplayLog) damaged = reopen (f);
  GError *error = NULL;
  g_assert_null (vyre_replay_log_read_batches (damaged, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "record 0 is not what has to be there. Fix: "));
  g_clear_error (&error);
}

static void
test_batch_as_large_as_the_log (Fixture *f, gconstpointer data)
{
  g_autoptr (VyreReplayLog) log = create (f, 6);
  g_autoptr (VyreReplayBatch) larger = make_batch (3, 2, 2, 1);
  GError *error = NULL;

  append (log, 1);
  append_batch (log, 1, 1, 1, 24);
  append_batch (log, 2, 1, 1, 13);
  g_assert_false (vyre_replay_log_append_batch (log, larger, &error));
  assert_error (&error, VYRE_ERROR_TOO_LARGE);
  g_autoptr (GPtrArray) batches = read_batches (log);
  g_assert_cmpuint (batches->len, ==, 1);
  assert_batch (batches->pdata[0], 2, 1, 1, 13);
}

/* All other records of an append are on the disk before its first record and the cursor. Here the
 * disk is full after @written bytes of them. */
static void
assert_torn_append (Fixture *f, const GByteArray *before, const GByteArray *after, guint32 last,
    guint cursor, gsize written)
{
  g_autoptr (GByteArray) torn = g_byte_array_new ();
  gsize start = HEADER + cursor * RECORD + RECORD;

  g_byte_array_append (torn, before->data, before->len);
  memcpy (torn->data + start, after->data + start, written);
  write_file (f, torn->data, torn->len);
  g_autoptr (VyreReplayLog) log = reopen (f);
  g_autoptr (GPtrArray) batches = read_batches (log);
  guint wanted = last < 5 ? last : written > 0 ? 4 : 5;
  g_assert_cmpuint (batches->len, ==, wanted);
  for (guint i = 0; i < batches->len; i++)
    assert_batch (batches->pdata[i], last + 1 - batches->len + i, 1, 1, 13);
}

static void
test_torn_appends (Fixture *f, gconstpointer data)
{
  for (guint32 last = 0; last < 9; last++) {
    VyreReplayLog *log = create (f, 30);
    for (guint32 epoch = 1; epoch <= last; epoch++)
      append_batch (log, epoch, 1, 1, 13);
    guint cursor = (guint)vyre_replay_log_get_cursor (log);
    g_autoptr (GByteArray) before = read_file (f);
    append_batch (log, last + 1, 1, 1, 13);
    vyre_replay_log_free (log);
    g_autoptr (GByteArray) after = read_file (f);
    for (gsize written = 0; written <= 5 * RECORD; written += RECORD / 2)
      assert_torn_append (f, before, after, last, cursor, written);
  }
}

static void
test_digest (Fixture *f, gconstpointer data)
{
  static const guint8 abc[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
    0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff,
    0x61, 0xf2, 0x00, 0x15, 0xad };
  guint8 digest[VYRE_REPLAY_DIGEST_SIZE];

  vyre_replay_digest ("abc", 3, digest);
  g_assert_cmpmem (digest, sizeof digest, abc, sizeof abc);
  vyre_replay_digest (NULL, 0, digest);
  g_assert_cmphex (digest[0], ==, 0xe3);
}

/* ---- files that are refused --------------------------------------------- */

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *nowhere = g_build_filename (f->directory, "none", "log", NULL);
  GError *error = NULL;

  g_assert_null (vyre_replay_log_create (f->path, 0, &error));
  assert_error (&error, VYRE_ERROR_NO_SPACE);
  g_assert_null (vyre_replay_log_create (f->path, VYRE_REPLAY_MAX_RECORDS + 1, &error));
  assert_error (&error, VYRE_ERROR_TOO_LARGE);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  g_assert_null (vyre_replay_log_open (f->path, FALSE, &error));
  assert_error (&error, VYRE_ERROR_IO);
  g_assert_null (vyre_replay_log_create (nowhere, 1, &error));
  assert_error (&error, VYRE_ERROR_IO);
  g_assert_null (vyre_replay_log_create (f->directory, 1, &error));
  assert_error (&error, VYRE_ERROR_IO);
  g_autofree char *fifo = g_build_filename (f->directory, "fifo", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_null (vyre_replay_log_create (fifo, 1, &error));
  assert_error (&error, VYRE_ERROR_IO);
  g_assert_null (vyre_replay_log_open (fifo, FALSE, &error)); /* a FIFO without a writer */
  assert_error (&error, VYRE_ERROR_IO);
  g_assert_cmpint (g_remove (fifo), ==, 0);
  g_assert_null (vyre_replay_log_create ("/dev/null", 1, &error));
  assert_error (&error, VYRE_ERROR_IO);
}

static void
test_refused_batches (Fixture *f, gconstpointer data)
{
  static const guint sizes[][3] = { { 0, 0, 0 }, { 1, 2, 0 }, { VYRE_REPLAY_MAX_RECORDS + 1, 0, 0 },
    { 1, 1, VYRE_MAX_OBSERVABLES + 1 } };
  VyreReplayRecord record = { 0 };
  GError *error = NULL;

  mode_t mask = umask (0);
  g_autoptr (VyreReplayLog) log = create (f, VYRE_REPLAY_MAX_RECORDS);
  umask (mask);
  struct stat status;
  g_assert_cmpint (stat (f->path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    VyreReplayBatch batch
        = { .n_slots = sizes[i][0], .n_logged = sizes[i][1], .n_observables = sizes[i][2] };
    g_assert_false (vyre_replay_log_append_batch (log, &batch, &error));
    assert_error (&error, VYRE_ERROR_INVALID);
  }
  g_autoptr (VyreReplayLog) only_read = vyre_replay_log_open (f->path, FALSE, &error);
  g_assert_no_error (error);
  g_assert_false (vyre_replay_log_append (only_read, &record, &error));
  assert_error (&error, VYRE_ERROR_IO);
  g_assert_cmpuint (vyre_replay_log_get_cursor (only_read), ==, 0);
}

/* A header with one word changed is refused. */
static void
assert_header_refused (Fixture *f, guint word, guint32 value, VyreError code)
{
  GError *error = NULL;
  g_autoptr (GByteArray) file = read_file (f);
  guint32 before = vyre_read_word (file->data, word);

  value = GUINT32_TO_LE (value);
  memcpy (file->data + 4 * word, &value, 4);
  write_file (f, file->data, file->len);
  g_assert_null (vyre_replay_log_open (f->path, FALSE, &error));
  assert_error (&error, code);
  before = GUINT32_TO_LE (before);
  memcpy (file->data + 4 * word, &before, 4);
  write_file (f, file->data, file->len);
}

static void
test_foreign_headers (Fixture *f, gconstpointer data)
{
  VyreReplayLog *log = create (f, 2);

  append (log, 1);
  vyre_replay_log_free (log);
  assert_header_refused (f, 0, 0x4C525257, VYRE_ERROR_INVALID);
  assert_header_refused (f, 1, 0x32303030, VYRE_ERROR_INVALID);
  assert_header_refused (f, 2, 2, VYRE_ERROR_INVALID);
  for (guint bit = 0; bit < 32; bit++)
    assert_header_refused (f, 3, 1u << bit, VYRE_ERROR_INVALID);
  assert_header_refused (f, 4, 0, VYRE_ERROR_NO_SPACE);
  assert_header_refused (f, 4, VYRE_REPLAY_MAX_RECORDS + 1, VYRE_ERROR_TOO_LARGE);
  assert_header_refused (f, 5, 1, VYRE_ERROR_TOO_LARGE);
  assert_header_refused (f, 6, 2, VYRE_ERROR_INVALID);
  assert_header_refused (f, 7, 1, VYRE_ERROR_INVALID);
  log = reopen (f);
  vyre_replay_log_free (log);
}

static void
test_cut_files (Fixture *f, gconstpointer data)
{
  VyreReplayLog *log = create (f, 7);

  append_batch (log, 1, 1, 1, 5);
  vyre_replay_log_free (log);
  g_autoptr (GByteArray) file = read_file (f);
  g_assert_cmpuint (file->len, ==, HEADER + 7 * RECORD);
  for (gsize size = 0; size < file->len; size++) {
    GError *error = NULL;
    write_file (f, file->data, size);
    g_autoptr (VyreReplayLog) cut = vyre_replay_log_open (f->path, FALSE, &error);
    if (size < HEADER) {
      g_assert_null (cut);
      assert_error (&error, VYRE_ERROR_IO);
      continue;
    }
    g_assert_no_error (error);
    g_assert_null (vyre_replay_log_read (cut, &error));
    assert_error (&error, VYRE_ERROR_IO);
    g_assert_null (vyre_replay_log_read_batches (cut, &error));
    assert_error (&error, VYRE_ERROR_IO);
  }
}

/* In a log that is not full, every record of a batch has to be in its place. */
static void
test_damaged_batches (Fixture *f, gconstpointer data)
{
  VyreReplayLog *log = create (f, 20);
  GError *error = NULL;

  append_batch (log, 1, 2, 2, 13);
  append_batch (log, 2, 2, 2, 13);
  vyre_replay_log_free (log);
  g_autoptr (GByteArray) file = read_file (f);
  for (guint i = 0; i < 16 * 3; i++) {
    /* of a slot record its kind, number and epoch; of another record its kind, epoch and index */
    static const guint words[2][3] = { { 1, 2, 3 }, { 0, 3, 10 } };
    guint8 *record = file->data + HEADER + i / 3 * RECORD;
    guint8 *at = record + 4 * words[vyre_read_word (record, 0) != 0][i % 3];
    *at ^= 1;
    write_file (f, file->data, file->len);
    *at ^= 1;
    log = reopen (f);
    g_assert_null (vyre_replay_log_read_batches (log, &error));
    assert_error (&error, VYRE_ERROR_INVALID);
    vyre_replay_log_free (log);
  }
  /* more slots or observables than records */
  for (guint word = 4; word < 7; word++) {
    guint8 *at = file->data + HEADER + 4 * word;
    guint8 before[4];
    memcpy (before, at, 4);
    memset (at, 0xFF, 4);
    write_file (f, file->data, file->len);
    memcpy (at, before, 4);
    log = reopen (f);
    g_assert_null (vyre_replay_log_read_batches (log, &error));
    assert_error (&error, VYRE_ERROR_INVALID);
    vyre_replay_log_free (log);
  }
}

/* Bytes that are no log are refused. A log with any byte changed is refused, or reads as a log
 * with other content. */
static void
test_random_bytes (Fixture *f, gconstpointer data)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20260101);
  gboolean opened, has_records, has_batches;
  guint refused = 0;

  for (guint i = 0; i < 300; i++) {
    guint8 bytes[400];
    gsize size = (gsize)g_rand_int_range (rand, 0, sizeof bytes);
    for (gsize at = 0; at < size; at++)
      bytes[at] = (guint8)g_rand_int (rand);
    write_file (f, bytes, size);
    assert_sane (f, &opened, &has_records, &has_batches);
    g_assert_false (opened);
  }
  VyreReplayLog *log = create (f, 19);
  for (guint32 epoch = 1; epoch < 6; epoch++)
    append_batch (log, epoch, 2, 2, 13);
  vyre_replay_log_free (log);
  g_autoptr (GByteArray) file = read_file (f);
  for (guint i = 0; i < 3000; i++) {
    g_autoptr (GByteArray) changed = g_byte_array_new ();
    g_byte_array_append (changed, file->data, file->len);
    for (gint n = g_rand_int_range (rand, 1, 8); n > 0; n--)
      changed->data[g_rand_int_range (rand, 8, (gint)file->len)] = (guint8)g_rand_int (rand);
    write_file (f, changed->data, changed->len);
    assert_sane (f, &opened, &has_records, &has_batches);
    refused += !has_batches;
  }
  g_assert_cmpuint (refused, >, 300);
  g_assert_cmpuint (refused, <, 3000);
}

/* Limits the size of files; returns the limit before. */
static struct rlimit
limit_files (gsize size)
{
  struct rlimit limit, before;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  limit = before;
  limit.rlim_cur = size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  return before;
}

/* A limit on the size of files is an error, and does not end the process. */
static void
test_size_limit (Fixture *f, gconstpointer data)
{
  GError *error = NULL;

  struct rlimit before = limit_files (1000);
  g_assert_null (vyre_replay_log_create (f->path, 1000, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  assert_error (&error, VYRE_ERROR_IO);
}

/* An append ends with an error when the storage takes no more bytes, at any place. The next
 * append, with room again, works. */
static void
test_no_progress (Fixture *f, gconstpointer data)
{
  g_autoptr (VyreReplayLog) log = create (f, 10);
  VyreReplayRecord record = { .opcode = VYRE_OP_NOP };
  GError *error = NULL;

  alarm (60); /* ends a test that tries for ever */
  for (gsize left = 0; left < RECORD + 8; left += 9) {
    room = left;
    g_assert_false (vyre_replay_log_append (log, &record, &error));
    room = G_MAXSIZE;
    g_assert_nonnull (strstr (error->message, g_strerror (ENOSPC)));
    assert_error (&error, VYRE_ERROR_IO);
    g_assert_cmpuint (vyre_replay_log_get_cursor (log), ==, 0);
  }
  g_assert_true (vyre_replay_log_append (log, &record, &error));
  g_assert_cmpuint (vyre_replay_log_get_cursor (log), ==, 1);
  alarm (0);
}

/* Where the file has room for the first record of a batch alone, an append does not write that
 * record either. */
static void
test_first_comes_last (Fixture *f, gconstpointer data)
{
  g_autoptr (VyreReplayLog) log = create (f, 20);
  g_autoptr (VyreReplayBatch) batch = make_batch (2, 1, 1, 13);
  GError *error = NULL;

  append_batch (log, 1, 1, 1, 13);
  gsize cursor = (gsize)vyre_replay_log_get_cursor (log);
  g_autoptr (GByteArray) whole = read_file (f);
  struct rlimit before = limit_files (HEADER + (cursor + 1) * RECORD);
  g_assert_false (vyre_replay_log_append_batch (log, batch, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  assert_error (&error, VYRE_ERROR_IO);
  g_autoptr (GByteArray) after = read_file (f);
  g_assert_cmpmem (after->data, after->len, whole->data, whole->len);
  g_assert_cmpuint (vyre_replay_log_get_cursor (log), ==, cursor);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "wrap-around", test_wrap_around },
    { "reopen", test_reopen },
    { "batches", test_batches },
    { "batches-hold-slot-records", test_batches_hold_slot_records },
    { "batches-wrap-around", test_batches_wrap_around },
    { "batch-as-large-as-the-log", test_batch_as_large_as_the_log },
    { "torn-appends", test_torn_appends },
    { "digest", test_digest },
    { "refused", test_refused },
    { "refused-batches", test_refused_batches },
    { "foreign-headers", test_foreign_headers },
    { "cut-files", test_cut_files },
    { "damaged-batches", test_damaged_batches },
    { "initial-of-some", test_initial_of_some },
    { "random-bytes", test_random_bytes },
    { "size-limit", test_size_limit },
    { "no-progress", test_no_progress },
    { "first-comes-last", test_first_comes_last },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *path = g_strdup_printf ("/replay-log/%s", tests[i].name);
    g_test_add (path, Fixture, NULL, set_up, tests[i].run, tear_down);
  }
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that programs read: requests of the kernel, requests that cannot be served, and the room
 * that files take.
 */
#include "proc-common.h"
#include "resource-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two kernels for all tests, one with much room for resources and one with little: on some devices
 * a kernel takes seconds to compile. */
static TestKernel large, small;

static void
set_up (Fixture *f, gconstpointer data)
{
  set_up_on (f, &large);
}

static void
set_up_small (Fixture *f, gconstpointer data)
{
  set_up_on (f, &small);
}

/* Reads by the best way there is: into the registered store, where Linux registers it. */
static guint64
count_best_reads (Fixture *f)
{
  VyreFileIo *file_io = vyre_megakernel_get_file_io (f->t.kernel);
  VyreFileIoCounters counters;

  vyre_file_io_get_counters (file_io, &counters);
  if (vyre_file_io_is_registered (file_io))
    return counters.fixed_reads;
  return vyre_file_io_get_mode (file_io) == VYRE_READ_MODE_PREAD ? counters.plain_reads
                                                                 : counters.ring_reads;
}

static void
test_load (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0);
  guint64 reads = count_best_reads (f);

  make_file (f, 0, 1000);
  g_autoptr (VyrePlan) plan = plan_of (f, 0,
      "resource rules = file \"%s\"; load_words rules, 7, 100 -> words; load_miss rules; "
      "store_u32 5 -> five; load_words rules, 999, 1 -> last",
      path);
  for (guint round = 1; round <= 3; round++) {
    VyreBatch *batch = run (f, plan, round);
    VyreResourceCounters c = counters_of (f);
    assert_through (batch, plan, round);
    assert_words (batch, 1, 0, 7, 100);
    g_assert_cmpuint (test_observable (batch, 101), ==, 5);
    assert_words (batch, 102, 0, 999, 1);
    g_assert_cmpuint (c.loads, ==, 1);
    g_assert_cmpuint (c.loaded_bytes, ==, 4000);
    g_assert_cmpuint (c.resident_bytes, ==, 4096); /* whole pages */
    g_assert_cmpuint (c.parked, ==, 1);
    g_assert_cmpuint (c.requests, ==, 3);
    g_assert_cmpuint (c.hits, ==, round);
    vyre_batch_free (batch);
  }
  g_assert_cmpuint (count_best_reads (f), ==, reads + 1);
}

/* Runs a program of which every slot ends DONE; the caller frees the batch. */
static VyreBatch *
run_through (Fixture *f, guint32 tag, const char *text)
{
  g_autoptr (VyrePlan) plan = test_plan (&f->t, text, 0, 0, 0);
  VyreBatch *batch = run (f, plan, tag);

  assert_through (batch, plan, tag);
  return batch;
}

/* The start of a program whose resource r is a new file 0 of @n_words words. */
static GString *
begin_with_file (Fixture *f, guint n_words)
{
  g_autofree char *path = path_of (f, 0);
  GString *text = g_string_new (NULL);

  make_file (f, 0, n_words);
  g_string_append_printf (text, "resource r = file '%s'\n", path);
  return text;
}

/* The payload is read once, and stays in its place until the batch has ended. */
static void
check_payload (Fixture *f, gsize size)
{
  g_autofree char *path = path_of (f, 0);
  g_autofree guint8 *bytes = g_malloc (size);
  gsize slice;

  make_file (f, 0, 10);
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)(i * 31 ^ i >> 9);
  g_autoptr (VyrePlan) plan = plan_of (f, size,
      "resource rules = file '%s'; crc32 payload -> crc; load_words rules, 0, 2 -> words", path);
  VyrePayload payload = test_stage (&f->t, bytes, size, 0, &slice);
  for (guint round = 0; round < 2; round++) {
    VyreBatch *batch = test_run (&f->t, plan, 9, &payload);
    assert_through (batch, plan, 9);
    g_assert_cmphex (test_observable (batch, 1), ==, crc32 (0, bytes, (guint)size));
    assert_words (batch, 2, 0, 0, 2);
    g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, size);
    vyre_batch_free (batch);
  }
  vyre_store_free (vyre_megakernel_get_staging (f->t.kernel), slice);
}

static void
test_payload (Fixture *f, gconstpointer data)
{
  check_payload (f, 5000);
  check_payload (f, 5 << 20);
}

/* More requests than io slots take several rounds; some slots are of another kind. */
static void
test_many_slots (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint id = 0; id < 5; id++) {
    g_autofree char *path = path_of (f, id);
    make_file (f, id, 64);
    g_string_append_printf (text, "resource r%u = file '%s'\n", id, path);
  }
  for (guint i = 0; i < 500; i++)
    g_string_append_printf (text, "load_words r%u, %u, 3 -> a-%u\nnop\n", i % 5, i % 60, i);
  VyreBatch *batch = run_through (f, 77, text->str);
  for (guint i = 0; i < 500; i++)
    assert_words (batch, 1 + 3 * i, i % 5, i % 60, 3);
  g_assert_cmpuint (counters_of (f).loads, ==, 5);
  vyre_batch_free (batch);
}

/* Slots that take a lane long do not make a batch too large. */
static void
test_wide (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) text = begin_with_file (f, 5000);

  for (guint i = 0; i < 50; i++)
    g_string_append_printf (text, "load_words r, %u, 4096 -> a-%u\n", i, i);
  VyreBatch *batch = run_through (f, 1, text->str);
  for (guint i = 0; i < 50; i++)
    assert_words (batch, 1 + 4096 * i, 0, i, 4096);
  vyre_batch_free (batch);
}

/* Batches that miss the same file at the same time share one read. */
static void
test_coalesced (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0);
  VyreBatch *batches[32];
  VyrePayload none = { 0 };
  GError *error = NULL;

  make_file (f, 0, 1 << 20);
  g_autoptr (VyrePlan) plan
      = plan_of (f, 0, "resource big = file '%s'; load_words big, 1000000, 8 -> a", path);
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++) {
    batches[i] = vyre_megakernel_publish (
        f->t.kernel, plan, i, &none, g_get_monotonic_time () + TEST_DEADLINE, &error);
    g_assert_no_error (error);
  }
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++) {
    vyre_batch_wait (batches[i], g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
    g_assert_no_error (error);
    assert_through (batches[i], plan, i);
    assert_words (batches[i], 1, 0, 1000000, 8);
    vyre_batch_free (batches[i]);
  }
  g_assert_cmpuint (counters_of (f).loads, ==, 1);
}

/* ---- requests that cannot be served ---- */

static void
check_fault (Fixture *f, const char *text, const char *part)
{
  g_autofree char *whole = g_strdup_printf ("%s; store_u32 3 -> three", text);
  g_autoptr (VyrePlan) plan = test_plan (&f->t, whole, 0, 0, 16);
  VyreBatch *batch = run (f, plan, 5);
  const guint8 *readback = vyre_batch_get_readback (batch);
  const GError *error = vyre_batch_get_io_error (batch);

  g_assert_cmpuint (status_of (batch, plan, 0), ==, VYRE_STATUS_FAULT);
  g_assert_cmpuint (status_of (batch, plan, 1), ==, VYRE_STATUS_DONE);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 1);
  g_assert_cmpuint (vyre_read_word (readback, VYRE_CONTROL_DONE_COUNT), ==, 3);
  g_assert_cmpuint (test_observable (batch, 0), ==, 5);
  if (part) {
    g_assert_nonnull (error);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, part));
    g_assert_nonnull (strstr (error->message, ". Fix: "));
  } else {
    g_assert_null (error);
  }
  vyre_batch_free (batch);
}

static void
check_file_fault (
    Fixture *f, const char *declaration, const char *path, const char *statement, const char *part)
{
  g_autofree char *text
      = g_strdup_printf ("resource r = %s '%s'; %s", declaration, path, statement);

  check_fault (f, text, part);
}

static void
test_faults (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0), *missing = path_of (f, 1), *fifo = path_of (f, 2);
  g_autofree char *odd = path_of (f, 3), *below = g_build_filename (path, "below", NULL);

  make_file (f, 0, 100);
  g_assert_true (g_file_set_contents (odd, "1234567", 7, NULL));
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  check_fault (f, "load_miss 7", "no resource 7");
  check_fault (f, "load_words 7, 0, 1 -> w", "no resource 7");
  check_fault (f, "append 7, 160, 1", "no resource 7");
  check_fault (f, "sync 0xffffffff", "no resource 4294967295");
  check_fault (f, "load_miss 0", "no resource 0");
  check_file_fault (f, "file", path, "load_miss 1", "no resource 1");
  check_file_fault (f, "sink", missing, "append 1, 160, 1", "no resource 1");
  check_file_fault (f, "file", missing, "load_miss r", g_strerror (ENOENT));
  check_file_fault (f, "file", missing, "load_words r, 0, 1 -> w", missing);
  check_file_fault (f, "file", f->dir, "load_miss r", "not a regular file");
  check_file_fault (f, "file", fifo, "load_miss r", "not a regular file");
  check_file_fault (f, "sink", fifo, "append r, 160, 1", "Fix: ");
  check_file_fault (f, "sink", path, "load_miss r", "is a sink");
  check_file_fault (f, "file", path, "append r, 160, 1", "is a file to read");
  check_file_fault (f, "sink", below, "append r, 160, 1", g_strerror (ENOTDIR));
  /* the kernel finds these faults by itself */
  check_file_fault (f, "file", path, "load_words r, 99, 2 -> w", NULL);
  check_file_fault (f, "file", path, "load_words r, 0xffffffff, 2 -> w", NULL);
  check_file_fault (f, "file", odd, "load_words r, 1, 1 -> w", NULL); /* the last word is cut */
  check_file_fault (f, "file", path, "op 0x40000110, 0, 0, 15, 2", NULL);
  check_file_fault (f, "sink", missing, "append r, 170, 7", NULL);
  check_file_fault (f, "sink", missing, "append r, 0xffffffff, 2", NULL);
  g_assert_false (g_file_test (missing, G_FILE_TEST_EXISTS));
}

/* The next batch looks again for a file that was missing. */
static void
test_later (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0);
  g_autoptr (VyrePlan) plan
      = plan_of (f, 0, "resource r = file '%s'; load_words r, 0, 4 -> a", path);
  VyreBatch *batch = run (f, plan, 1);

  g_assert_cmpuint (status_of (batch, plan, 0), ==, VYRE_STATUS_FAULT);
  vyre_batch_free (batch);
  make_file (f, 0, 4);
  batch = run (f, plan, 2);
  assert_through (batch, plan, 2);
  assert_words (batch, 1, 0, 0, 4);
  vyre_batch_free (batch);
}

static void
test_empty (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0);

  make_file (f, 0, 0);
  g_autoptr (VyrePlan) plan = plan_of (f, 0, "resource r = file '%s'; load_miss r", path);
  for (guint i = 0; i < 2; i++) {
    VyreBatch *batch = run (f, plan, i);
    assert_through (batch, plan, i);
    vyre_batch_free (batch);
  }
  check_file_fault (f, "file", path, "load_words r, 0, 1 -> w", NULL);
}

/* ---- room ---- */

/* Three files of 4 KiB take turns in 8 KiB, and one batch wants all of them. */
static void
test_eviction (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint id = 0; id < 3; id++) {
    g_autofree char *path = path_of (f, id);
    make_file (f, id, 1024);
    g_string_append_printf (
        all, "resource r%u = file '%s'; load_words r%u, %u, 5 -> a-%u\n", id, path, id, id, id);
  }
  g_autoptr (VyrePlan) plan = test_plan (&f->t, all->str, 0, 0, 0);
  for (guint round = 0; round < 20; round++) {
    VyreBatch *batch = run (f, plan, round);
    assert_through (batch, plan, round);
    for (guint id = 0; id < 3; id++)
      assert_words (batch, 1 + 5 * id, id, id, 5);
    g_assert_cmpuint (f->before.resident_bytes + counters_of (f).resident_bytes, <=, 8192);
    vyre_batch_free (batch);
  }
  g_assert_cmpuint (counters_of (f).evictions, >=, 19);
}

static void
test_too_large (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0);

  make_file (f, 0, 2049);
  check_file_fault (f, "file", path, "load_miss r", "resource-size=12288");
}

/* No slot waits for a prefetch, and a later batch finds the file. */
static void
test_prefetch (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0), *missing = path_of (f, 1);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;

  make_file (f, 0, 100);
  g_autoptr (VyrePlan) plan = plan_of (f, 0,
      "resource r = file '%s'; resource m = file '%s'; load_miss r, 1; load_miss m, 1; "
      "load_miss 9, 1",
      path, missing);
  VyreBatch *batch = run (f, plan, 1);
  assert_through (batch, plan, 1);
  vyre_batch_free (batch);
  while (counters_of (f).loaded_bytes < 400 && g_get_monotonic_time () < end)
    g_thread_yield ();
  g_assert_cmpuint (counters_of (f).parked, ==, 0);
  g_assert_cmpuint (counters_of (f).prefetches, ==, 2);
  g_autoptr (VyrePlan) wants
      = plan_of (f, 0, "resource r = file '%s'; load_words r, 90, 10 -> a", path);
  batch = run (f, wants, 2);
  assert_through (batch, wants, 2);
  assert_words (batch, 1, 0, 90, 10);
  g_assert_cmpuint (counters_of (f).parked, ==, 0);
  g_assert_cmpuint (counters_of (f).loads, ==, 1);
  vyre_batch_free (batch);
}

/* Files stay until a payload needs their room. */
static void
test_room_for_payloads (Fixture *f, gconstpointer data)
{
  VyreStore *staging = vyre_megakernel_get_staging (f->t.kernel);
  gsize size = vyre_store_get_size (staging), offset;
  g_autofree char *path = path_of (f, 0);

  make_file (f, 0, 5000);
  g_autoptr (VyrePlan) plan
      = plan_of (f, 0, "resource r = file '%s'; load_words r, 4000, 9 -> a", path);
  for (guint round = 0; round < 3; round++) {
    VyreBatch *batch = run (f, plan, round);
    assert_through (batch, plan, round);
    assert_words (batch, 1, 0, 4000, 9);
    vyre_batch_free (batch);
    g_assert_true (vyre_store_alloc (staging, size, 0, &offset));
    vyre_store_free (staging, offset);
    g_autoptr (VyrePlan) whole = plan_of (f, size, "u8_below bytes(0, 16), 0 -> a");
    VyrePayload payload = { 0 };
    batch = test_run (&f->t, whole, round, &payload);
    assert_through (batch, whole, round);
    vyre_batch_free (batch);
  }
  g_assert_cmpuint (counters_of (f).loads, ==, 3);
}

/* Files take whole pages, and any number of them take turns. */
static void
test_small_files (Fixture *f, gconstpointer data)
{
  for (guint id = 0; id < 8; id++) {
    g_autofree char *path = path_of (f, id);
    g_autofree char *text
        = g_strdup_printf ("resource r = file '%s'; load_words r, 0, 1 -> a", path);
    make_file (f, id, 1);
    VyreBatch *batch = run_through (f, id, text);
    assert_words (batch, 1, id, 0, 1);
    g_assert_cmpuint (f->before.resident_bytes + counters_of (f).resident_bytes, <=, 8192);
    vyre_batch_free (batch);
  }
}

/* Prefetches beside a load that its slot waits for, more of them than io slots. */
static void
test_prefetch_beside (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) text = begin_with_file (f, 100);

  for (guint i = 0; i < 150; i++)
    g_string_append (text, "load_miss r, 1\n");
  g_string_append (text, "load_words r, 0, 1 -> a");
  VyreBatch *batch = run_through (f, 1, text->str);
  assert_words (batch, 1, 0, 0, 1);
  vyre_batch_free (batch);
}

/* ---- grants of files ---- */

static VyrePlan *
plan_below (Fixture *f, const char *root, const char *text)
{
  GError *error = NULL;
  g_autoptr (VyreProgram) program = vyre_program_assemble (text, &error);
  g_assert_no_error (error);
  g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, NULL, 0, 0, 0, &error);
  g_assert_no_error (error);
  g_autoptr (VyreAccess) access = vyre_access_new (VYRE_ACCESS_ALL, root, &error);
  g_assert_no_error (error);
  VyrePlan *plan
      = vyre_plan_new (bound, 0, vyre_megakernel_get_workgroup (f->t.kernel), access, &error);
  g_assert_no_error (error);
  return plan;
}

/* The same path below another root is another file, whether a batch reads, prefetches or appends
 * to it; below the same root it is the same file. */
static void
test_roots (Fixture *f, gconstpointer data)
{
  static const char *const text = "resource r = file 'words'; resource log = sink 'log'; load_miss "
                                  "r, 1; load_words r, 1, 2 -> a; append log, &a, 2";
  g_autofree guint32 *words = NULL;

  for (guint round = 0; round < 2; round++) {
    for (guint id = 0; id < 3; id++) {
      g_autofree char *root = path_of (f, id), *file = g_build_filename (root, "words", NULL);
      if (round == 0)
        g_assert_cmpint (g_mkdir (root, 0700), ==, 0);
      write_words (file, round == 0 ? id : 99, 4);
      g_autoptr (VyrePlan) plan = plan_below (f, root, text);
      VyreBatch *batch = run (f, plan, id);
      assert_through (batch, plan, id);
      assert_words (batch, 1, id, 1, 2);
      vyre_batch_free (batch);
    }
  }
  g_assert_cmpuint (counters_of (f).loads, ==, 3);
  for (guint id = 0; id < 3; id++) {
    g_autofree char *root = path_of (f, id), *log = g_build_filename (root, "log", NULL);
    g_autofree char *file = g_build_filename (root, "words", NULL);
    struct stat status;
    g_assert_cmpint (stat (log, &status), ==, 0);
    g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
    g_clear_pointer (&words, g_free);
    g_assert_cmpuint (read_words (log, &words), ==, 4);
    for (guint i = 0; i < 4; i++)
      g_assert_cmphex (GUINT32_FROM_LE (words[i]), ==, word_of (id, 1 + i % 2));
    g_remove (log);
    g_remove (file);
  }
}

/* A path that leads out of the root, or through a link to a sink, faults the slot. */
static void
test_escapes (Fixture *f, gconstpointer data)
{
  static const char *const texts[] = {
    "resource r = file '../file-0'; load_words r, 0, 1 -> a",
    "resource r = file 'out'; load_words r, 0, 1 -> a",
    "resource r = sink '../file-0'; append r, 0, 1; store_u32 1 -> a",
    "resource r = sink 'out'; append r, 0, 1; store_u32 1 -> a",
    "resource r = sink 'made/../../file-2'; append r, 0, 1; store_u32 1 -> a",
  };
  g_autofree char *root = path_of (f, 1), *secret = path_of (f, 0), *made = path_of (f, 2);
  g_autofree char *link = g_build_filename (root, "out", NULL);
  g_autofree guint32 *words = NULL;

  make_file (f, 0, 4);
  g_assert_cmpint (g_mkdir (root, 0700), ==, 0);
  g_assert_cmpint (symlink ("../file-0", link), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (VyrePlan) plan = plan_below (f, root, texts[i]);
    VyreBatch *batch = run (f, plan, 5);
    g_assert_cmpuint (status_of (batch, plan, 0), ==, VYRE_STATUS_FAULT);
    g_assert_nonnull (vyre_batch_get_io_error (batch));
    g_assert_nonnull (strstr (vyre_batch_get_io_error (batch)->message, ". Fix: "));
    vyre_batch_free (batch);
  }
  g_assert_cmpuint (read_words (secret, &words), ==, 4);
  g_assert_false (g_file_test (made, G_FILE_TEST_EXISTS));
  g_remove (link);
}

/* A missing file leaves no descriptor open, and neither does the folder that should have it. */
static void
test_missing_roots (Fixture *f, gconstpointer data)
{
  guint before = count_entries (PROC_FILES);

  for (guint i = 0; i < 40; i++) {
    g_autofree char *text
        = g_strdup_printf ("resource r = file 'missing-%u'; load_words r, 0, 1 -> a", i);
    g_autoptr (VyrePlan) plan = plan_below (f, f->dir, text);
    VyreBatch *batch = run (f, plan, i);
    g_assert_cmpuint (status_of (batch, plan, 0), ==, VYRE_STATUS_FAULT);
    vyre_batch_free (batch);
  }
  /* the service may be about to close the last */
  g_assert_cmpuint (count_entries (PROC_FILES), <=, before + 1);
}

/* ---- hostile programs ---- */

/* Slots that asked lose their tenant's mask and do not run again, so their answers stay in the io
 * slots: the batch ends as it is. */
static void
test_revoked (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0);
  g_autoptr (GString) text = begin_with_file (f, 10);

  g_string_append_printf (text, "resource s = file '%s'\n", path);
  for (guint i = 0; i < 100; i++)
    g_string_append_printf (text, "load_words r, 0, 1 -> a-%u\n", i);
  g_string_append (text, "store_u32 0, 3"); /* the mask of the only tenant */
  g_autoptr (VyrePlan) plan = test_plan (&f->t, text->str, 0, 0, 0);
  VyreBatch *batch = run (f, plan, 1);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 0);
  vyre_batch_free (batch);
}

/* Lanes that ask, print and copy side by side take longer than lanes of one kind: the planned cost
 * of a ticket has to hold where loops are cut short. */
static void
test_mixed_lanes (Fixture *f, gconstpointer data)
{
  g_autofree char *log = path_of (f, 1);
  g_autoptr (GString) text = begin_with_file (f, 4096);

  g_string_append_printf (text, "resource log = sink '%s'\n", log);
  for (guint i = 0; i < 600; i++)
    g_string_append_printf (text,
        "load_miss r\nload_words r, 0, %u -> a-%u\nappend log, 160, 1\nsync log\n"
        "printf 1\nmemcpy 160, 160, 64\n",
        i % 7 * 100 + 1, i);
  VyreBatch *batch = run_through (f, 1, text->str);
  vyre_batch_free (batch);
}

/* Fences that fit one run may take several, and their results are the same. */
static void
test_dear_fences (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) text = begin_with_file (f, 4096);

  g_string_append (text, "batch_fence 0, 1\n");
  for (guint i = 0; i < 15000; i++)
    g_string_append (text, "nop\n");
  g_string_append (text, "load_words r, 0, 4096 -> a\nu8_below bytes(0, 0), 0 -> x\n"
                         "load_words r, 0, 4096 -> b\nu8_below bytes(0, 0), 0 -> y\n"
                         "batch_fence 0, 2");
  g_autoptr (VyrePlan) plan = test_plan (&f->t, text->str, 0, 0, 0);
  VyreBatch *batch = run (f, plan, 1);
  assert_words (batch, 1, 0, 0, 4096);
  assert_words (batch, 4098, 0, 0, 4096);
  g_assert_cmpuint (test_observable (batch, 0), ==, 2);
  vyre_batch_free (batch);
}

/* ---- batches without a waiter, and many at a time ---- */

static void
test_given_up (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, 0), *log = path_of (f, 1);
  VyrePayload none = { 0 };
  GError *error = NULL;

  make_file (f, 0, 500);
  g_autoptr (VyrePlan) plan = plan_of (f, 0,
      "resource r = file '%s'; resource log = sink '%s'; load_words r, 0, 9 -> a; append log, &a, "
      "9",
      path, log);
  for (guint i = 0; i < 300; i++) {
    VyreBatch *batch = vyre_megakernel_publish (
        f->t.kernel, plan, i, &none, g_get_monotonic_time () + TEST_DEADLINE, &error);
    g_assert_no_error (error);
    if (i % 3 == 0)
      g_thread_yield ();
    vyre_batch_free (batch);
  }
  VyreBatch *batch = run (f, plan, 300);
  assert_through (batch, plan, 300);
  vyre_batch_free (batch);
}

typedef struct {
  Fixture *f;
  guint id;
} Worker;

/* A worker's batches want two files of three, which do not all fit. */
static gpointer
work (gpointer data)
{
  Worker *worker = data;
  Fixture *f = worker->f;
  guint a = worker->id % 3, b = (worker->id + 1) % 3;
  g_autofree char *first = path_of (f, a), *second = path_of (f, b);
  g_autoptr (VyrePlan) plan = plan_of (f, 0,
      "resource a = file '%s'; resource b = file '%s'; load_words a, 3, 4 -> a; "
      "load_words b, 1000, 4 -> b; load_miss %u, 1",
      first, second, worker->id % 2);

  for (guint i = 0; i < test_times (60, 2000); i++) {
    VyreBatch *batch = run (f, plan, i);
    assert_through (batch, plan, i);
    assert_words (batch, 1, a, 3, 4);
    assert_words (batch, 5, b, 1000, 4);
    vyre_batch_free (batch);
  }
  return NULL;
}

static void
test_crowd (Fixture *f, gconstpointer data)
{
  Worker workers[6];
  GThread *threads[G_N_ELEMENTS (workers)];

  for (guint id = 0; id < 3; id++)
    make_file (f, id, 1024);
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++) {
    workers[i] = (Worker){ f, i };
    threads[i] = g_thread_new ("worker", work, &workers[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++)
    g_thread_join (threads[i]);
}

static void
add (const char *path, void (*open) (Fixture *, gconstpointer),
    void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, open, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  open_kernel (&large, 0);
  open_kernel (&small, 8192);
  add ("/resources/load", set_up, test_load);
  add ("/resources/payload", set_up, test_payload);
  add ("/resources/many-slots", set_up, test_many_slots);
  add ("/resources/wide", set_up, test_wide);
  add ("/resources/coalesced", set_up, test_coalesced);
  add ("/resources/faults", set_up, test_faults);
  add ("/resources/later", set_up, test_later);
  add ("/resources/empty", set_up, test_empty);
  add ("/resources/eviction", set_up_small, test_eviction);
  add ("/resources/too-large", set_up_small, test_too_large);
  add ("/resources/prefetch", set_up, test_prefetch);
  add ("/resources/prefetch-beside", set_up, test_prefetch_beside);
  add ("/resources/room-for-payloads", set_up, test_room_for_payloads);
  add ("/resources/small-files", set_up_small, test_small_files);
  add ("/resources/roots", set_up, test_roots);
  add ("/resources/escapes", set_up, test_escapes);
  add ("/resources/missing-roots", set_up, test_missing_roots);
  add ("/resources/revoked", set_up, test_revoked);
  add ("/resources/mixed-lanes", set_up, test_mixed_lanes);
  add ("/resources/dear-fences", set_up, test_dear_fences);
  add ("/resources/given-up", set_up, test_given_up);
  add ("/resources/crowd", set_up_small, test_crowd);
  int failed = g_test_run ();
  test_kernel_close (&large);
  test_kernel_close (&small);
  return failed;
}

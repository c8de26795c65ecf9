/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Resident files: which of them stay, which make room, and which waiters are told. The test uses
 * the store in the place of a kernel.
 */
#include "resources-common.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "kernel/resident-files.h"

#define PAGE 4096
#define STORE_PAGES 8
#define N_FILES 5
#define N_WORDS 100

typedef struct {
  VyreDevice *device;
  VyreStore *store;
  VyreFileIo *file_io;
  VyreResidentFiles *resources;
  VyreAccess *access;
  VyreFileName names[N_FILES];
  VyreFileName missing;
  char *dir;
  gint notified;
} Fixture;

/* Bytes by which files look longer than they are, as a file does that is cut while it is read. */
static gsize cut_bytes;

int fstat (int fd, struct stat *status);

int
fstat (int fd, struct stat *status)
{
  int result = fstatat (fd, "", status, AT_EMPTY_PATH);

  status->st_size += (off_t)cut_bytes;
  return result;
}

static void
count_notes (gpointer data)
{
  g_atomic_int_inc (&((Fixture *)data)->notified);
}

/* Opens a store that gives @pages to files. */
static void
set_up (Fixture *f, gconstpointer pages)
{
  GError *error = NULL;
  gsize size = STORE_PAGES * PAGE;

  f->dir = g_dir_make_tmp ("vyre-residents-XXXXXX", &error);
  f->access = vyre_access_new (VYRE_ACCESS_ALL, NULL, &error);
  f->device = vyre_device_open ("auto", &error);
  g_assert_no_error (error);
  f->store = vyre_store_new (f->device, size, PAGE, &error);
  g_assert_no_error (error);
  f->file_io
      = vyre_file_io_new (vyre_store_get_data (f->store), size, VYRE_READ_MODE_SINGLE_ISSUER);
  f->resources = vyre_resident_files_new (
      f->file_io, f->store, NULL, GPOINTER_TO_SIZE (pages) * PAGE, count_notes, f);
  for (guint id = 0; id < N_FILES; id++) {
    f->names[id] = (VyreFileName){ f->access, make_path (f->dir, id) };
    write_words (f->names[id].path, id, N_WORDS);
  }
  f->missing = (VyreFileName){ f->access, make_path (f->dir, N_FILES) };
}

static void
tear_down (Fixture *f, gconstpointer pages)
{
  vyre_resident_files_free (f->resources);
  vyre_file_io_free (f->file_io);
  g_assert_cmpuint (vyre_store_get_used (f->store), ==, 0);
  vyre_store_unref (f->store);
  vyre_device_unref (f->device);
  for (guint id = 0; id < N_FILES; id++) {
    g_remove (f->names[id].path);
    g_free (f->names[id].path);
  }
  g_free (f->missing.path);
  g_rmdir (f->dir);
  g_free (f->dir);
  vyre_access_unref (f->access);
}

static VyreResourceCounters
count (Fixture *f)
{
  VyreResourceCounters counters = { 0 };

  vyre_resident_files_count (f->resources, &counters);
  return counters;
}

/* Wants a file until it is no longer loading; returns its state. */
static VyreResidence
want (Fixture *f, const VyreFileName *name, guint64 since, GError **error)
{
  VyreResidence state;

  while ((state = vyre_resident_files_want (f->resources, name, since, error))
         == VYRE_RESIDENCE_LOADING) {
    g_thread_yield ();
    vyre_resident_files_collect (f->resources);
  }
  return state;
}

static void
load (Fixture *f, guint id)
{
  g_assert_cmpint (want (f, &f->names[id], 0, NULL), ==, VYRE_RESIDENCE_RESIDENT);
}

/* Pins a file and compares its bytes; NULL when it is not resident. */
static VyreResidentFile *
pin (Fixture *f, guint id)
{
  guint32 granule, bytes;
  VyreResidentFile *resident
      = vyre_resident_files_pin (f->resources, &f->names[id], &granule, &bytes);

  if (!resident)
    return NULL;
  g_assert_cmpuint (bytes, ==, 4 * N_WORDS);
  const guint8 *data = vyre_store_get_data (f->store) + (gsize)granule * VYRE_GRANULE;
  for (guint i = 0; i < N_WORDS; i++)
    g_assert_cmphex (vyre_read_word (data, i), ==, word_of (id, i));
  return resident;
}

static gboolean
is_resident (Fixture *f, guint id)
{
  VyreResidentFile *resident = pin (f, id);

  if (resident)
    vyre_resident_files_unpin (f->resources, resident);
  return resident != NULL;
}

/* The files that were not used for longest make room, as many as it takes. */
static void
test_least_recent_goes (Fixture *f, gconstpointer data)
{
  for (guint id = 0; id < 4; id++)
    load (f, id);
  g_assert_true (is_resident (f, 0));
  load (f, 4);
  g_assert_cmpuint (count (f).evictions, ==, 1);
  g_assert_false (is_resident (f, 1));
  g_assert_true (is_resident (f, 0));
  for (guint id = 2; id < 5; id++)
    g_assert_true (is_resident (f, id));
  g_assert_cmpuint (count (f).resident_bytes, ==, 4 * PAGE);
}

/* A file that a batch may be reading stays, whether files or payloads need its room. */
static void
test_pinned_stay (Fixture *f, gconstpointer data)
{
  gsize slice;

  for (guint id = 0; id < 4; id++)
    load (f, id);
  VyreResidentFile *pinned = pin (f, 0);
  for (guint round = 0; round < 8; round++)
    load (f, 1 + round % 4);
  g_assert_true (is_resident (f, 0));
  g_assert_false (vyre_store_alloc (f->store, STORE_PAGES * PAGE, 0, &slice));
  g_assert_cmpuint (count (f).resident_bytes, ==, PAGE);
  g_assert_true (is_resident (f, 0));
  vyre_resident_files_unpin (f->resources, pinned);
  g_assert_true (vyre_store_alloc (f->store, STORE_PAGES * PAGE, 0, &slice));
  g_assert_cmpuint (count (f).resident_bytes, ==, 0);
  g_assert_false (is_resident (f, 0));
  vyre_store_free (f->store, slice);
}

/* A waiter for room is told once when there may be some. */
static void
test_crowd_is_told (Fixture *f, gconstpointer data)
{
  load (f, 0);
  VyreResidentFile *pinned = pin (f, 0), *again = pin (f, 0);
  g_assert_cmpint (want (f, &f->names[1], 0, NULL), ==, VYRE_RESIDENCE_FULL);
  gint before = g_atomic_int_get (&f->notified);
  vyre_resident_files_unpin (f->resources, pinned);
  g_assert_cmpint (g_atomic_int_get (&f->notified), ==, before);
  vyre_resident_files_unpin (f->resources, again);
  g_assert_cmpint (g_atomic_int_get (&f->notified), ==, before + 1);
  g_assert_true (is_resident (f, 0));
  g_assert_cmpint (g_atomic_int_get (&f->notified), ==, before + 1);
  load (f, 1);
  g_assert_false (is_resident (f, 0));
}

/* A file that cannot be loaded fails for all that wanted it by then; a later wish looks for it
 * again. */
static void
test_failure_is_shared (Fixture *f, gconstpointer data)
{
  guint64 since = vyre_resident_files_now (f->resources);

  for (guint i = 0; i < 4; i++) {
    GError *error = NULL;
    g_assert_cmpint (want (f, &f->missing, since, &error), ==, VYRE_RESIDENCE_FAILED);
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_IO);
    g_clear_error (&error);
    g_assert_cmpuint (count (f).failures, ==, 1);
  }
  write_words (f->missing.path, N_FILES, N_WORDS);
  g_assert_cmpint (want (f, &f->missing, since, NULL), ==, VYRE_RESIDENCE_FAILED);
  since = vyre_resident_files_now (f->resources);
  g_assert_cmpint (want (f, &f->missing, since, NULL), ==, VYRE_RESIDENCE_RESIDENT);
  g_assert_cmpuint (count (f).failures, ==, 1);
  g_remove (f->missing.path);
}

/* A file that ends too early is a failure, and takes no room. */
static void
test_cut_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  cut_bytes = 4096;
  VyreResidence state = want (f, &f->names[0], 0, &error);
  cut_bytes = 0;
  g_assert_cmpint (state, ==, VYRE_RESIDENCE_FAILED);
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "400 of 4496 bytes"));
  g_assert_nonnull (strstr (error->message, ". Fix: "));
  g_assert_cmpuint (count (f).resident_bytes, ==, 0);
  g_assert_cmpuint (vyre_store_get_used (f->store), ==, 0);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    gsize pages;
    void (*test) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "/resident-files/least-recent-goes", 4, test_least_recent_goes },
    { "/resident-files/pinned-stay", 4, test_pinned_stay },
    { "/resident-files/crowd-is-told", 1, test_crowd_is_told },
    { "/resident-files/failure-is-shared", 4, test_failure_is_shared },
    { "/resident-files/cut-file", 4, test_cut_file },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, GSIZE_TO_POINTER (tests[i].pages), set_up, tests[i].test,
        tear_down);
  return g_test_run ();
}

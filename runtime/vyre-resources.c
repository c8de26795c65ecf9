/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre-resources.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vyre-memory.h"

#define NOWHERE G_MAXSIZE

struct _VyreResident {
  char *path;
  VyreResidence state; /* not FULL: of that nothing is kept */
  gsize size;
  gsize staged;         /* in the staging store */
  gsize stored;         /* in the payload store of the device, if that is another */
  int fd;               /* while it is read */
  VyreIngestRead *read; /* the same */
  GError *error;        /* of FAILED */
  guint64 failed;       /* when */
  guint64 used;         /* when a batch last had it */
  guint pins;           /* batches that the kernel may be reading it for */
};

struct _VyreResources {
  VyreIngest *ingest;
  VyreStore *staging;
  VyreStore *payloads; /* NULL: they are read where they are staged */
  gsize budget;
  VyreIngestNotify notify;
  gpointer data;

  GMutex lock;
  GHashTable *residents; /* path -> VyreResident */
  guint64 now;           /* counts what happens */
  gsize used_bytes;
  gboolean crowded; /* a wish waits until something is not in use any more */
  VyreResourceCounters counters;
};

/* All but the public functions are called with the lock held. */

static void
free_slices (VyreResources *self, VyreResident *resident)
{
  if (resident->staged != NOWHERE)
    vyre_store_free (self->staging, resident->staged);
  if (resident->stored != NOWHERE)
    vyre_store_free (self->payloads, resident->stored);
  if (resident->staged != NOWHERE || resident->stored != NOWHERE)
    self->used_bytes -= resident->size;
  resident->staged = resident->stored = NOWHERE;
}

static void
resident_free (VyreResources *self, VyreResident *resident)
{
  free_slices (self, resident);
  g_clear_error (&resident->error);
  g_free (resident->path);
  g_free (resident);
}

/* The one that was not used for longest, of those that nobody uses now. */
static VyreResident *
find_victim (VyreResources *self)
{
  VyreResident *victim = NULL, *resident;
  GHashTableIter iter;

  g_hash_table_iter_init (&iter, self->residents);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&resident)) {
    if (resident->state == VYRE_RESIDENCE_RESIDENT && resident->pins == 0
        && (!victim || resident->used < victim->used))
      victim = resident;
  }
  return victim;
}

static gboolean
evict (VyreResources *self)
{
  VyreResident *victim = find_victim (self);

  if (!victim)
    return FALSE;
  g_hash_table_remove (self->residents, victim->path);
  resident_free (self, victim);
  self->counters.evictions++;
  return TRUE;
}

/* Both slices, or none. An empty file takes a granule. */
static gboolean
alloc_slices (VyreResources *self, VyreResident *resident)
{
  gsize size = MAX (resident->size, VYRE_GRANULE);

  if (!vyre_store_alloc (self->staging, size, 0, &resident->staged)) {
    resident->staged = NOWHERE;
    return FALSE;
  }
  if (self->payloads && !vyre_store_alloc (self->payloads, size, 0, &resident->stored)) {
    resident->stored = NOWHERE;
    vyre_store_free (self->staging, resident->staged);
    resident->staged = NOWHERE;
    return FALSE;
  }
  self->used_bytes += resident->size;
  return TRUE;
}

static gboolean
make_room (VyreResources *self, VyreResident *resident)
{
  while (self->used_bytes + resident->size > self->budget || !alloc_slices (self, resident)) {
    if (!evict (self))
      return FALSE;
  }
  return TRUE;
}

/* Takes @error. */
static void
fail (VyreResources *self, VyreResident *resident, GError *error)
{
  free_slices (self, resident);
  resident->state = VYRE_RESIDENCE_FAILED;
  resident->failed = ++self->now;
  g_clear_error (&resident->error);
  resident->error = error;
  self->counters.failures++;
}

static GError *
file_error (const char *path, const char *what, const char *fix)
{
  return g_error_new (VYRE_ERROR, VYRE_ERROR_IO, "%s: %s. Fix: %s.", path, what, fix);
}

static GError *
open_file (VyreResources *self, VyreResident *resident)
{
  struct stat status;

  resident->fd = open (resident->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (resident->fd < 0 || fstat (resident->fd, &status) < 0)
    return file_error (resident->path, g_strerror (errno), "name a file that can be read");
  if (!S_ISREG (status.st_mode))
    return file_error (resident->path, "not a regular file", "name a regular file");
  if ((guint64)status.st_size > self->budget)
    return g_error_new (VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%s has %" G_GINT64_FORMAT " bytes, and there are %" G_GSIZE_FORMAT
        " for resources. Fix: set resource-size=%" G_GINT64_FORMAT " or more.",
        resident->path, (gint64)status.st_size, self->budget, (gint64)status.st_size);
  resident->size = (gsize)status.st_size;
  return NULL;
}

static void
close_file (VyreResident *resident)
{
  if (resident->fd >= 0)
    close (resident->fd);
  resident->fd = -1;
}

/* From the staging store to where the kernel reads payloads. */
static void
store (VyreResources *self, VyreResident *resident)
{
  gsize size = MAX (resident->size, VYRE_GRANULE);

  if (!self->payloads)
    return;
  vyre_memory_store (vyre_store_get_data (self->payloads) + resident->stored,
      vyre_store_get_data (self->staging) + resident->staged, size);
  vyre_memory_flush ();
  vyre_store_free (self->staging, resident->staged);
  resident->staged = NOWHERE;
}

/* Takes in what became of a read. */
static void
finish_load (VyreResources *self, VyreResident *resident)
{
  GError *error = NULL;
  gsize arrived = 0;
  gboolean fine = vyre_ingest_finish (self->ingest, resident->read, &arrived, &error);

  resident->read = NULL;
  close_file (resident);
  if (fine && arrived < resident->size) {
    fine = FALSE;
    error = g_error_new (VYRE_ERROR, VYRE_ERROR_IO,
        "it ended after %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
        " bytes. Fix: do not cut files that are in use.",
        arrived, resident->size);
  }
  if (!fine) {
    g_prefix_error (&error, "%s: ", resident->path);
    fail (self, resident, error);
    return;
  }
  store (self, resident);
  resident->state = VYRE_RESIDENCE_RESIDENT;
  resident->used = ++self->now;
  self->counters.loaded_bytes += resident->size;
}

/* Starts to read a file that is not there. */
static void
load (VyreResources *self, VyreResident *resident)
{
  GError *error = open_file (self, resident);

  if (error) {
    close_file (resident);
    fail (self, resident, error);
    return;
  }
  if (!make_room (self, resident)) {
    close_file (resident);
    resident->state = VYRE_RESIDENCE_FULL;
    return;
  }
  const VyreTransfer read = {
    .kind = VYRE_TRANSFER_READ,
    .fd = resident->fd,
    .memory = vyre_store_get_data (self->staging) + resident->staged,
    .length = resident->size,
  };
  resident->read = vyre_ingest_submit (self->ingest, &read, self->notify, self->data, &error);
  if (!resident->read) {
    close_file (resident);
    fail (self, resident, error);
    return;
  }
  resident->state = VYRE_RESIDENCE_LOADING;
  self->counters.loads++;
  if (vyre_ingest_is_finished (self->ingest, resident->read)) /* of that nobody is told */
    finish_load (self, resident);
}

static VyreResident *
add (VyreResources *self, const char *path)
{
  VyreResident *resident = g_new0 (VyreResident, 1);

  resident->path = g_strdup (path);
  resident->fd = -1;
  resident->staged = resident->stored = NOWHERE;
  g_hash_table_insert (self->residents, resident->path, resident);
  return resident;
}

/* @notify is called, as by vyre_ingest_submit(), when something may have to be collected,
 * and when something is not in use any more. */
VyreResources *
vyre_resources_new (VyreIngest *ingest, VyreStore *staging, VyreStore *payloads, gsize budget,
    VyreIngestNotify notify, gpointer data)
{
  VyreResources *self = g_new0 (VyreResources, 1);

  self->ingest = ingest;
  self->staging = staging;
  self->payloads = payloads;
  self->budget = budget;
  self->notify = notify;
  self->data = data;
  g_mutex_init (&self->lock);
  self->residents = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

/* Waits for what is being read. Nothing may be pinned. */
void
vyre_resources_free (VyreResources *self)
{
  VyreResident *resident;
  GHashTableIter iter;

  g_hash_table_iter_init (&iter, self->residents);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&resident)) {
    if (resident->read)
      vyre_ingest_finish (self->ingest, resident->read, NULL, NULL);
    close_file (resident);
    resident_free (self, resident);
  }
  g_hash_table_unref (self->residents);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* A time for vyre_resources_want(). */
guint64
vyre_resources_now (VyreResources *self)
{
  g_mutex_lock (&self->lock);
  guint64 now = ++self->now;
  g_mutex_unlock (&self->lock);
  return now;
}

/* Has a file read if it is not there. Equal wishes share one read; a failure answers
 * those that were made since @since, before it. */
VyreResidence
vyre_resources_want (VyreResources *self, const char *path, guint64 since, GError **error)
{
  g_mutex_lock (&self->lock);
  VyreResident *resident = g_hash_table_lookup (self->residents, path);
  if (!resident)
    load (self, resident = add (self, path));
  else if (resident->state == VYRE_RESIDENCE_FAILED && resident->failed < since)
    load (self, resident);
  VyreResidence state = resident->state;
  if (state == VYRE_RESIDENCE_FAILED)
    g_propagate_error (error, g_error_copy (resident->error));
  self->crowded |= state == VYRE_RESIDENCE_FULL;
  if (state == VYRE_RESIDENCE_FULL) {
    g_hash_table_remove (self->residents, path);
    resident_free (self, resident);
  }
  g_mutex_unlock (&self->lock);
  return state;
}

/* Takes in all reads that are through. */
void
vyre_resources_collect (VyreResources *self)
{
  VyreResident *resident;
  GHashTableIter iter;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->residents);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&resident)) {
    if (resident->read && vyre_ingest_is_finished (self->ingest, resident->read))
      finish_load (self, resident);
  }
  g_mutex_unlock (&self->lock);
}

/* Keeps a file where it is, if it is there: NULL if not. Says where, and how long it is. */
VyreResident *
vyre_resources_pin (VyreResources *self, const char *path, guint32 *granule, guint32 *bytes)
{
  g_mutex_lock (&self->lock);
  VyreResident *resident = g_hash_table_lookup (self->residents, path);
  if (resident && resident->state != VYRE_RESIDENCE_RESIDENT)
    resident = NULL;
  if (resident) {
    gsize offset = self->payloads ? resident->stored : resident->staged;
    *granule = (guint32)(offset / VYRE_GRANULE);
    *bytes = (guint32)resident->size;
    resident->pins++;
    resident->used = ++self->now;
    self->counters.hits++;
  }
  g_mutex_unlock (&self->lock);
  return resident;
}

void
vyre_resources_unpin (VyreResources *self, VyreResident *resident)
{
  g_mutex_lock (&self->lock);
  gboolean wanted = --resident->pins == 0 && self->crowded;
  self->crowded &= !wanted;
  g_mutex_unlock (&self->lock);
  if (wanted)
    self->notify (self->data);
}

/* Adds what it counts to @counters. */
void
vyre_resources_count (VyreResources *self, VyreResourceCounters *counters)
{
  g_mutex_lock (&self->lock);
  counters->loads = self->counters.loads;
  counters->loaded_bytes = self->counters.loaded_bytes;
  counters->hits = self->counters.hits;
  counters->evictions = self->counters.evictions;
  counters->failures = self->counters.failures;
  counters->resident_bytes = self->used_bytes;
  g_mutex_unlock (&self->lock);
}

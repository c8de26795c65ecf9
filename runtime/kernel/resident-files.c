/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/resident-files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/open-file.h"
#include "device/store-private.h"

/* Slices of the staging store are whole pages, and so is what counts. */
#define PAGE ((gsize)4096)

/* An entry of a table has 32 bits for the bytes of a file. */
#define LARGEST ((gsize)G_MAXINT32 & ~(PAGE - 1))

/* LOADING and what is in it belong to the service thread, which looks at files and moves
 * bytes without the lock; RESIDENT may be pinned or evicted by anybody. */
struct _VyreResidentFile {
  VyreFileName *name;
  VyreResidence state; /* FULL: it is not there, and nobody is about to read it */
  gsize size;
  gsize staged;       /* in the staging store */
  gsize stored;       /* in the payload store of the device, if that is another */
  int fd;             /* while it is read */
  VyreFileRead *read; /* the same */
  GError *error;      /* of FAILED */
  guint64 failed;     /* when */
  guint64 used;       /* when a batch last had it */
  guint pins;         /* batches that the kernel may be reading it for */
};

struct _VyreResidentFiles {
  VyreFileIo *file_io;
  VyreStore *staging;
  VyreStore *payloads; /* NULL: they are read where they are staged */
  gsize budget;
  VyreFileIoNotify notify;
  gpointer data;

  GMutex lock;
  GHashTable *residents; /* VyreFileName -> VyreResidentFile */
  guint64 now;           /* counts what happens */
  gsize used_bytes;
  gboolean crowded; /* a wish waits until something is not in use any more */
  VyreResourceCounters counters;
};

static gsize
resident_bytes_taken (gsize size)
{
  return (MAX (size, 1) + PAGE - 1) / PAGE * PAGE;
}

/* Called with the lock held, up to resident_evict(). */
static void
resident_free_slices (VyreResidentFiles *self, VyreResidentFile *resident)
{
  if (resident->staged != VYRE_NOWHERE)
    vyre_store_free (self->staging, resident->staged);
  if (resident->stored != VYRE_NOWHERE)
    vyre_store_free (self->payloads, resident->stored);
  if (resident->staged != VYRE_NOWHERE || resident->stored != VYRE_NOWHERE)
    self->used_bytes -= resident_bytes_taken (resident->size);
  resident->staged = resident->stored = VYRE_NOWHERE;
}

static void
resident_free (VyreResidentFiles *self, VyreResidentFile *resident)
{
  resident_free_slices (self, resident);
  g_clear_error (&resident->error);
  vyre_file_name_free (resident->name);
  g_free (resident);
}

/* The one that was not used for longest, of those that nobody uses now. */
static VyreResidentFile *
resident_find_victim (VyreResidentFiles *self)
{
  VyreResidentFile *victim = NULL, *resident;
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
resident_evict (VyreResidentFiles *self)
{
  VyreResidentFile *victim = resident_find_victim (self);

  if (!victim)
    return FALSE;
  g_hash_table_remove (self->residents, victim->name);
  resident_free (self, victim);
  self->counters.evictions++;
  return TRUE;
}

/* Somebody wants the room for a payload. */
static gboolean
resident_reclaim (gpointer data)
{
  VyreResidentFiles *self = data;

  g_mutex_lock (&self->lock);
  gboolean evicted = resident_evict (self);
  g_mutex_unlock (&self->lock);
  return evicted;
}

/* Both slices, or none. */
static gboolean
resident_alloc_slices (VyreResidentFiles *self, VyreResidentFile *resident)
{
  gsize size = resident_bytes_taken (resident->size);

  if (!vyre_store_try_alloc (self->staging, size, &resident->staged)) {
    resident->staged = VYRE_NOWHERE;
    return FALSE;
  }
  if (self->payloads && !vyre_store_try_alloc (self->payloads, size, &resident->stored)) {
    resident->stored = VYRE_NOWHERE;
    vyre_store_free (self->staging, resident->staged);
    resident->staged = VYRE_NOWHERE;
    return FALSE;
  }
  self->used_bytes += size;
  return TRUE;
}

/* What nobody can make room in now. */
static gsize
resident_count_pinned_bytes (VyreResidentFiles *self)
{
  VyreResidentFile *resident;
  GHashTableIter iter;
  gsize bytes = 0;

  g_hash_table_iter_init (&iter, self->residents);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&resident)) {
    if (resident->pins > 0 || (resident->state == VYRE_RESIDENCE_LOADING && resident->read))
      bytes += resident_bytes_taken (resident->size);
  }
  return bytes;
}

/* Called with the lock held. Nothing is evicted if that would not be enough. */
static gboolean
resident_make_room (VyreResidentFiles *self, VyreResidentFile *resident)
{
  gsize size = resident_bytes_taken (resident->size);

  if (resident_count_pinned_bytes (self) + size > self->budget)
    return FALSE;
  while (self->used_bytes + size > self->budget || !resident_alloc_slices (self, resident)) {
    if (!resident_evict (self))
      return FALSE;
  }
  return TRUE;
}

/* Takes @error. Called with the lock held. */
static void
resident_fail (VyreResidentFiles *self, VyreResidentFile *resident, GError *error)
{
  resident_free_slices (self, resident);
  resident->state = VYRE_RESIDENCE_FAILED;
  resident->failed = ++self->now;
  g_clear_error (&resident->error);
  resident->error = error;
  self->counters.failures++;
}

static void
resident_close_file (VyreResidentFile *resident)
{
  if (resident->fd >= 0)
    close (resident->fd);
  resident->fd = -1;
}

/* Room for payloads stays what it is when the staging store grows by what the budget does. */
static GError *
resident_too_large (VyreResidentFiles *self, const char *path, gsize size)
{
  gsize needed = resident_bytes_taken (MIN (size, LARGEST));
  gsize staging = vyre_store_get_size (self->staging) - self->budget + needed;
  gsize most = vyre_store_get_most (self->staging);
  g_autofree char *fix = size <= LARGEST && staging <= most ? g_strdup_printf (
                             "set resource-size=%" G_GSIZE_FORMAT
                             " or more and staging-size=%" G_GSIZE_FORMAT " or more",
                             needed, staging)
                                                            : g_strdup ("split the file");

  return g_error_new (VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "%s has %" G_GSIZE_FORMAT " bytes, and there are %" G_GSIZE_FORMAT " for resources. Fix: %s.",
      path, size, self->budget, fix);
}

/* A file that does not say how long it is: a copy takes its place. */
static GError *
resident_measure (VyreResidentFiles *self, VyreResidentFile *resident)
{
  gsize size = 0;
  int copy = vyre_file_copy_out (resident->fd, self->budget, &size);

  if (copy < 0)
    return g_error_new (VYRE_ERROR, VYRE_ERROR_IO, "%s: %s. Fix: name a file that can be read.",
        resident->name->path, g_strerror (errno));
  resident_close_file (resident);
  resident->fd = copy;
  resident->size = size;
  if (size <= self->budget)
    return NULL;
  return g_error_new (VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "%s does not say how long it is, and there are %" G_GSIZE_FORMAT
      " bytes for resources, which is too little. Fix: raise resource-size, or name a copy of it.",
      resident->name->path, self->budget);
}

static GError *
resident_open_file (VyreResidentFiles *self, VyreResidentFile *resident)
{
  GError *error = NULL;
  struct stat status;

  resident->fd = vyre_file_name_open (resident->name, VYRE_RESOURCE_FILE, &error);
  if (resident->fd < 0)
    return error;
  if (fstat (resident->fd, &status) < 0)
    return g_error_new (VYRE_ERROR, VYRE_ERROR_IO, "%s: %s. Fix: name a file that can be read.",
        resident->name->path, g_strerror (errno));
  if (!vyre_file_tells_size (resident->fd))
    return resident_measure (self, resident);
  if ((guint64)status.st_size > self->budget
      || resident_bytes_taken ((gsize)status.st_size) > self->budget)
    return resident_too_large (self, resident->name->path, (gsize)status.st_size);
  resident->size = (gsize)status.st_size;
  return NULL;
}

/* From the staging store to where the kernel reads payloads. */
static void
resident_store (VyreResidentFiles *self, VyreResidentFile *resident)
{
  if (!self->payloads)
    return;
  vyre_buffer_store (vyre_store_get_data (self->payloads) + resident->stored,
      vyre_store_get_data (self->staging) + resident->staged,
      resident_bytes_taken (resident->size));
  /* pairs with the loads of a batch that pins the file, whose tickets are written later */
  vyre_buffer_flush ();
  vyre_store_free (self->staging, resident->staged);
}

/* What the read of a file came to: an error, or NULL. */
static GError *
resident_finish_read (VyreResidentFiles *self, VyreResidentFile *resident)
{
  GError *error = NULL;
  gsize arrived = 0;

  if (vyre_file_io_finish (self->file_io, g_steal_pointer (&resident->read), &arrived, &error)
      && arrived < resident->size)
    error = g_error_new (VYRE_ERROR, VYRE_ERROR_IO,
        "it ended after %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
        " bytes. Fix: do not cut files that are in use.",
        arrived, resident->size);
  if (error)
    g_prefix_error (&error, "%s: ", resident->name->path);
  return error;
}

/* Takes in what became of a read. */
static void
resident_finish_load (VyreResidentFiles *self, VyreResidentFile *resident)
{
  GError *error = resident_finish_read (self, resident);

  resident_close_file (resident);
  if (!error)
    resident_store (self, resident);
  g_mutex_lock (&self->lock);
  if (error) {
    resident_fail (self, resident, error);
  } else {
    if (self->payloads)
      resident->staged = VYRE_NOWHERE;
    resident->state = VYRE_RESIDENCE_RESIDENT;
    resident->used = ++self->now;
    self->counters.loaded_bytes += resident->size;
  }
  g_mutex_unlock (&self->lock);
}

/* Starts the read of a file that is open and has room. */
static GError *
resident_start_read (VyreResidentFiles *self, VyreResidentFile *resident)
{
  const VyreTransfer read = {
    .kind = VYRE_TRANSFER_READ,
    .fd = resident->fd,
    .memory = vyre_store_get_data (self->staging) + resident->staged,
    .length = resident->size,
  };
  GError *error = NULL;

  resident->read = vyre_file_io_submit (self->file_io, &read, self->notify, self->data, &error);
  return error;
}

/* Starts to read a file that is not there, which is LOADING. */
static void
resident_load (VyreResidentFiles *self, VyreResidentFile *resident)
{
  GError *error = resident_open_file (self, resident);
  gboolean room = FALSE;

  if (!error) {
    g_mutex_lock (&self->lock);
    room = resident_make_room (self, resident);
    g_mutex_unlock (&self->lock);
  }
  if (room)
    error = resident_start_read (self, resident);
  if (room && !error) {
    g_mutex_lock (&self->lock);
    self->counters.loads++;
    g_mutex_unlock (&self->lock);
    if (vyre_file_io_is_finished (self->file_io, resident->read)) /* of that nobody is told */
      resident_finish_load (self, resident);
    return;
  }
  resident_close_file (resident);
  g_mutex_lock (&self->lock);
  if (error)
    resident_fail (self, resident, error);
  else
    resident->state = VYRE_RESIDENCE_FULL;
  g_mutex_unlock (&self->lock);
}

/* Called with the lock held. */
static VyreResidentFile *
resident_add (VyreResidentFiles *self, const VyreFileName *name)
{
  VyreResidentFile *resident = g_new0 (VyreResidentFile, 1);

  resident->name = vyre_file_name_copy (name);
  resident->state = VYRE_RESIDENCE_FULL; /* nothing was tried yet */
  resident->fd = -1;
  resident->staged = resident->stored = VYRE_NOWHERE;
  g_hash_table_insert (self->residents, resident->name, resident);
  return resident;
}

/* @notify is called, as by vyre_file_io_submit(), when something may have to be collected,
 * and when something is not in use any more. */
VyreResidentFiles *
vyre_resident_files_new (VyreFileIo *file_io, VyreStore *staging, VyreStore *payloads, gsize budget,
    VyreFileIoNotify notify, gpointer data)
{
  VyreResidentFiles *self = g_new0 (VyreResidentFiles, 1);

  self->file_io = file_io;
  self->staging = staging;
  self->payloads = payloads;
  self->budget = MIN (MIN (budget, vyre_store_get_size (staging)), LARGEST);
  self->notify = notify;
  self->data = data;
  g_mutex_init (&self->lock);
  self->residents = g_hash_table_new (vyre_file_name_hash, vyre_file_name_equal);
  vyre_store_set_reclaim (staging, resident_reclaim, self);
  if (payloads)
    vyre_store_set_reclaim (payloads, resident_reclaim, self);
  return self;
}

/* Waits for what is being read. Nothing may be pinned. */
void
vyre_resident_files_free (VyreResidentFiles *self)
{
  VyreResidentFile *resident;
  GHashTableIter iter;

  vyre_store_set_reclaim (self->staging, NULL, NULL);
  if (self->payloads)
    vyre_store_set_reclaim (self->payloads, NULL, NULL);
  g_hash_table_iter_init (&iter, self->residents);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&resident)) {
    if (resident->read)
      vyre_file_io_finish (self->file_io, resident->read, NULL, NULL);
    resident_close_file (resident);
    resident_free (self, resident);
  }
  g_hash_table_unref (self->residents);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* A time for vyre_resident_files_want(). */
guint64
vyre_resident_files_now (VyreResidentFiles *self)
{
  g_mutex_lock (&self->lock);
  guint64 now = ++self->now;
  g_mutex_unlock (&self->lock);
  return now;
}

/* Whether a file has to be read for a wish that was made at @since. */
static gboolean
resident_is_to_load (const VyreResidentFile *resident, guint64 since)
{
  return resident->state == VYRE_RESIDENCE_FULL
         || (resident->state == VYRE_RESIDENCE_FAILED && resident->failed < since);
}

/* Has a file read if it is not there. Equal wishes share one read; a failure answers
 * those that were made since @since, before it. By the service thread. */
VyreResidence
vyre_resident_files_want (
    VyreResidentFiles *self, const VyreFileName *name, guint64 since, GError **error)
{
  g_mutex_lock (&self->lock);
  VyreResidentFile *resident = g_hash_table_lookup (self->residents, name);
  if (!resident)
    resident = resident_add (self, name);
  gboolean to_load = resident_is_to_load (resident, since);
  if (to_load)
    resident->state = VYRE_RESIDENCE_LOADING;
  g_mutex_unlock (&self->lock);
  if (to_load)
    resident_load (self, resident);
  g_mutex_lock (&self->lock);
  /* what was resident may have been evicted by now, and is wanted again then */
  resident = g_hash_table_lookup (self->residents, name);
  VyreResidence state = resident ? resident->state : VYRE_RESIDENCE_RESIDENT;
  if (state == VYRE_RESIDENCE_FAILED)
    g_propagate_error (error, g_error_copy (resident->error));
  self->crowded |= state == VYRE_RESIDENCE_FULL;
  g_mutex_unlock (&self->lock);
  return state;
}

/* The next file whose read is through, or NULL. */
static VyreResidentFile *
resident_find_finished (VyreResidentFiles *self)
{
  VyreResidentFile *resident, *found = NULL;
  GHashTableIter iter;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->residents);
  while (!found && g_hash_table_iter_next (&iter, NULL, (gpointer *)&resident)) {
    if (resident->read && vyre_file_io_is_finished (self->file_io, resident->read))
      found = resident;
  }
  g_mutex_unlock (&self->lock);
  return found;
}

/* Takes in all reads that are through. By the service thread. */
void
vyre_resident_files_collect (VyreResidentFiles *self)
{
  VyreResidentFile *resident;

  while ((resident = resident_find_finished (self)))
    resident_finish_load (self, resident);
}

/* Forgets the files that are not there, and with them the folders that they were looked for in.
 * By the service thread, when no wish is left that their failure answers. */
void
vyre_resident_files_forget (VyreResidentFiles *self)
{
  VyreResidentFile *resident;
  GHashTableIter iter;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->residents);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&resident)) {
    if (resident->state != VYRE_RESIDENCE_FAILED && resident->state != VYRE_RESIDENCE_FULL)
      continue;
    g_hash_table_iter_remove (&iter);
    resident_free (self, resident);
  }
  g_mutex_unlock (&self->lock);
}

/* Keeps a file where it is, if it is there: NULL if not. Says where, and how long it is. */
VyreResidentFile *
vyre_resident_files_pin (
    VyreResidentFiles *self, const VyreFileName *name, guint32 *granule, guint32 *bytes)
{
  g_mutex_lock (&self->lock);
  VyreResidentFile *resident = g_hash_table_lookup (self->residents, name);
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
vyre_resident_files_unpin (VyreResidentFiles *self, VyreResidentFile *resident)
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
vyre_resident_files_count (VyreResidentFiles *self, VyreResourceCounters *counters)
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/resident-files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/wide-store.h"
#include "files/open-file.h"
#include "kernel/resident-room.h"

/* Lock held. Fails a file with @error, which it takes. */
static void
resident_fail (VyreResidentFiles *self, VyreResidentFile *resident, GError *error)
{
  vyre_resident_free_slices (self, resident);
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
  gsize needed = vyre_resident_bytes_taken (MIN (size, VYRE_RESIDENT_LARGEST));
  gsize staging = vyre_store_get_size (self->staging) - self->budget + needed;
  gsize most = vyre_store_get_most (self->staging);
  g_autofree char *fix
      = size <= VYRE_RESIDENT_LARGEST && staging <= most
            ? g_strdup_printf ("set resource-size=%" G_GSIZE_FORMAT
                               " or more and staging-size=%" G_GSIZE_FORMAT " or more",
                needed, staging)
            : g_strdup ("split the file");

  return g_error_new (VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "%s has %" G_GSIZE_FORMAT " bytes, and there are %" G_GSIZE_FORMAT " for resources. Fix: %s.",
      path, size, self->budget, fix);
}

/* Replaces a file that does not say how long it is by a copy. */
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
      || vyre_resident_bytes_taken ((gsize)status.st_size) > self->budget)
    return resident_too_large (self, resident->name->path, (gsize)status.st_size);
  resident->size = (gsize)status.st_size;
  return NULL;
}

/* Moves a file from the staging store to where the kernel reads payloads. */
static void
resident_store (VyreResidentFiles *self, VyreResidentFile *resident)
{
  if (!self->payloads)
    return;
  vyre_wide_store (vyre_store_get_data (self->payloads) + resident->stored,
      vyre_store_get_data (self->staging) + resident->staged,
      vyre_resident_bytes_taken (resident->size));
  /* pairs with the loads of a batch that pins the file, whose tickets are written later */
  vyre_buffer_flush ();
  vyre_store_free (self->staging, resident->staged);
}

/* Ends the read of a file; returns an error, or NULL. */
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

/* Makes a file resident whose read has ended, or fails it. */
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

/* Starts to read a LOADING file. */
static void
resident_load (VyreResidentFiles *self, VyreResidentFile *resident)
{
  GError *error = resident_open_file (self, resident);
  gboolean room = FALSE;

  if (!error) {
    g_mutex_lock (&self->lock);
    room = vyre_resident_make_room (self, resident);
    g_mutex_unlock (&self->lock);
  }
  if (room)
    error = resident_start_read (self, resident);
  if (room && !error) {
    g_mutex_lock (&self->lock);
    self->counters.loads++;
    g_mutex_unlock (&self->lock);
    if (vyre_file_io_is_finished (self->file_io, resident->read)) /* without a notification */
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

/* Lock held. */
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

/* Calls @notify, as vyre_file_io_submit() does, when a read may have to be collected, and when a
 * file that waits for room may find some. */
VyreResidentFiles *
vyre_resident_files_new (VyreFileIo *file_io, VyreStore *staging, VyreStore *payloads, gsize budget,
    VyreFileIoNotify notify, gpointer data)
{
  VyreResidentFiles *self = g_new0 (VyreResidentFiles, 1);

  self->file_io = file_io;
  self->staging = staging;
  self->payloads = payloads;
  self->budget = MIN (MIN (budget, vyre_store_get_size (staging)), VYRE_RESIDENT_LARGEST);
  self->notify = notify;
  self->data = data;
  g_mutex_init (&self->lock);
  self->residents = g_hash_table_new (vyre_file_name_hash, vyre_file_name_equal);
  vyre_store_set_reclaim (staging, vyre_resident_reclaim, self);
  if (payloads)
    vyre_store_set_reclaim (payloads, vyre_resident_reclaim, self);
  return self;
}

/* Waits for reads under way. No file is pinned. */
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
    vyre_resident_free (self, resident);
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

/* Whether a file has to be read for a wish of time @since. */
static gboolean
resident_is_to_load (const VyreResidentFile *resident, guint64 since)
{
  return resident->state == VYRE_RESIDENCE_FULL
         || (resident->state == VYRE_RESIDENCE_FAILED && resident->failed < since);
}

/* Service thread. Has a file read if it is not there. Equal wishes share one read; a failure
 * answers the wishes that are older than it. */
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
  /* a resident file may have been evicted by now; its slot will ask again */
  resident = g_hash_table_lookup (self->residents, name);
  VyreResidence state = resident ? resident->state : VYRE_RESIDENCE_RESIDENT;
  if (state == VYRE_RESIDENCE_FAILED)
    g_propagate_error (error, g_error_copy (resident->error));
  self->crowded |= state == VYRE_RESIDENCE_FULL;
  g_mutex_unlock (&self->lock);
  return state;
}

/* Finds a file whose read has ended, or NULL. */
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

/* Service thread. Collects all reads that have ended. */
void
vyre_resident_files_collect (VyreResidentFiles *self)
{
  VyreResidentFile *resident;

  while ((resident = resident_find_finished (self)))
    resident_finish_load (self, resident);
}

/* Service thread, when no wish is left that a failure could answer. Forgets the files that are not
 * there, and the folders in which they were looked for. */
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
    vyre_resident_free (self, resident);
  }
  g_mutex_unlock (&self->lock);
}

/* Any thread. Keeps a file where it is, and says where that is and how long it is. NULL: it is not
 * resident. */
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

/* Any thread. Fills in the counters that are kept here. */
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/resident-room.h"

/* Slices of the staging store are whole pages, and so is what counts. */
#define PAGE ((gsize)4096)

gsize
vyre_resident_bytes_taken (gsize size)
{
  return (MAX (size, 1) + PAGE - 1) / PAGE * PAGE;
}

void
vyre_resident_free_slices (VyreResidentFiles *self, VyreResidentFile *resident)
{
  if (resident->staged != VYRE_NOWHERE)
    vyre_store_free (self->staging, resident->staged);
  if (resident->stored != VYRE_NOWHERE)
    vyre_store_free (self->payloads, resident->stored);
  if (resident->staged != VYRE_NOWHERE || resident->stored != VYRE_NOWHERE)
    self->used_bytes -= vyre_resident_bytes_taken (resident->size);
  resident->staged = resident->stored = VYRE_NOWHERE;
}

void
vyre_resident_free (VyreResidentFiles *self, VyreResidentFile *resident)
{
  vyre_resident_free_slices (self, resident);
  g_clear_error (&resident->error);
  vyre_file_name_free (resident->name);
  g_free (resident);
}

/* Finds the resident file that was unused for longest, of those that are not pinned. */
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
  vyre_resident_free (self, victim);
  self->counters.evictions++;
  return TRUE;
}

/* Any thread: a store calls it when it has no room for a payload. */
gboolean
vyre_resident_reclaim (gpointer data)
{
  VyreResidentFiles *self = data;

  g_mutex_lock (&self->lock);
  gboolean evicted = resident_evict (self);
  g_mutex_unlock (&self->lock);
  return evicted;
}

/* Allocates both slices, or none. */
static gboolean
resident_alloc_slices (VyreResidentFiles *self, VyreResidentFile *resident)
{
  gsize size = vyre_resident_bytes_taken (resident->size);

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

/* Counts bytes that cannot be evicted now. */
static gsize
resident_count_pinned_bytes (VyreResidentFiles *self)
{
  VyreResidentFile *resident;
  GHashTableIter iter;
  gsize bytes = 0;

  g_hash_table_iter_init (&iter, self->residents);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&resident)) {
    if (resident->pins > 0 || (resident->state == VYRE_RESIDENCE_LOADING && resident->read))
      bytes += vyre_resident_bytes_taken (resident->size);
  }
  return bytes;
}

/* Allocates the slices of a file, and evicts others for it; none if that would not be enough. */
gboolean
vyre_resident_make_room (VyreResidentFiles *self, VyreResidentFile *resident)
{
  gsize size = vyre_resident_bytes_taken (resident->size);

  if (resident_count_pinned_bytes (self) + size > self->budget)
    return FALSE;
  while (self->used_bytes + size > self->budget || !resident_alloc_slices (self, resident)) {
    if (!resident_evict (self))
      return FALSE;
  }
  return TRUE;
}

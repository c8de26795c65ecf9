/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrememory.h"

/* The allocators of a store share a demand: bytes that upstream asked for, and whether the store is
 * still of use. The fields are atomic. The struct outlives the allocators: refused memory belongs
 * to its user, and keeps no store alive. Upstream and the source task only read it as long as
 * nothing is refused, so that they do not take its cache line from each other. */
typedef struct {
  gsize refused; /* bytes refused and not freed yet */
  gsize most_asked;
  gsize largest; /* the most bytes of one request */
  gint retired;
  gboolean was_told; /* set before another thread has an allocator */
} Demand;

struct _GstVyreAllocator {
  GstAllocator parent;
  VyreStore *store;
  Demand *demand;         /* counted by GLib (g_atomic_rc_box_new0) */
  VyreBorrower *borrower; /* NULL: it only wraps slices */
  GRWLock owner_lock;     /* guards what follows; threads that wait for memory read it */
  VyreProspectFunc prospect;
  gpointer owner; /* of it */
};

typedef struct {
  GstMemory parent;
  VyreStore *store;
  gsize slice; /* byte offset in the store; only a root memory has one, and frees it */
} GstVyreMemory;

G_DEFINE_FINAL_TYPE (GstVyreAllocator, gst_vyre_allocator, GST_TYPE_ALLOCATOR)

static GstMemory *
memory_new (GstAllocator *allocator, GstMemory *parent, GstMemoryFlags flags, gsize slice,
    gsize maxsize, gsize align, gsize offset, gsize size)
{
  GstVyreMemory *memory = g_new0 (GstVyreMemory, 1);

  gst_memory_init (
      GST_MEMORY_CAST (memory), flags, allocator, parent, maxsize, align, offset, size);
  memory->store = vyre_store_ref (GST_VYRE_ALLOCATOR (allocator)->store);
  memory->slice = slice;
  return GST_MEMORY_CAST (memory);
}

/* Returns the offset of the slice of a memory, or of its root. */
static gsize
memory_slice_of (GstMemory *memory)
{
  return ((GstVyreMemory *)(memory->parent ? memory->parent : memory))->slice;
}

/* ---- what is asked for ------------------------------------------------------- */

static void
memory_raise_to (gsize *most, gsize value)
{
  gsize seen = __atomic_load_n (most, __ATOMIC_RELAXED);

  while (value > seen
         && !__atomic_compare_exchange_n (
             most, &seen, value, TRUE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

/* Counts a request of @size bytes, lent or refused. */
static void
memory_note_asked (GstVyreAllocator *self, gsize size)
{
  Demand *demand = self->demand;
  gsize refused = __atomic_load_n (&demand->refused, __ATOMIC_RELAXED);

  memory_raise_to (&demand->largest, GST_VYRE_ROOM (size));
  if (refused > 0)
    memory_raise_to (&demand->most_asked, vyre_borrower_get_need (self->borrower, 0) + refused);
}

/* Memories of the process that are marked, atomic: the marks have locks that all streams share. */
static gint memory_n_refused;

/* Marks memory of the system that upstream got instead of a slice. */
typedef struct {
  Demand *demand;
  gsize size;
} Refusal;

static void
refusal_free (gpointer data)
{
  Refusal *refusal = data;

  __atomic_sub_fetch (&refusal->demand->refused, GST_VYRE_ROOM (refusal->size), __ATOMIC_RELAXED);
  __atomic_sub_fetch (&memory_n_refused, 1, __ATOMIC_RELAXED);
  g_atomic_rc_box_release (refusal->demand);
  g_free (refusal);
}

static GQuark
refusal_quark (void)
{
  return g_quark_from_static_string ("GstVyreRefusal");
}

/* Upstream gets memory of the system: its payload is imported, or copied and counted. */
static GstMemory *
memory_refuse (GstVyreAllocator *self, gsize size, GstAllocationParams *params, gsize maxsize)
{
  GstMemory *memory = gst_allocator_alloc (NULL, size, params);
  Refusal *refusal = memory ? g_new (Refusal, 1) : NULL;

  if (!memory)
    return NULL;
  *refusal = (Refusal){ g_atomic_rc_box_acquire (self->demand), maxsize };
  __atomic_add_fetch (&self->demand->refused, GST_VYRE_ROOM (maxsize), __ATOMIC_RELAXED);
  __atomic_add_fetch (&memory_n_refused, 1, __ATOMIC_RELAXED);
  memory_note_asked (self, maxsize);
  gst_mini_object_set_qdata (
      GST_MINI_OBJECT_CAST (memory), refusal_quark (), refusal, refusal_free);
  return memory;
}

/* TRUE if @memory was requested from a store that had no room for it. */
gboolean
gst_vyre_memory_was_refused (GstMemory *memory)
{
  GstMemory *root = memory->parent ? memory->parent : memory;

  /* a thread that got @memory knows of its mark, too: the count orders nothing */
  return __atomic_load_n (&memory_n_refused, __ATOMIC_RELAXED) > 0
         && gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (root), refusal_quark ()) != NULL;
}

/* Returns the store size that would have held every request so far, and @more of the largest
 * request beside. */
gsize
gst_vyre_allocator_get_demand (GstAllocator *allocator, guint more)
{
  const Demand *demand = GST_VYRE_ALLOCATOR (allocator)->demand;

  return __atomic_load_n (&demand->most_asked, __ATOMIC_RELAXED)
         + more * __atomic_load_n (&demand->largest, __ATOMIC_RELAXED);
}

/* TRUE if a memory of @size bytes would be lent now. */
gboolean
gst_vyre_allocator_can_lend (GstAllocator *allocator, gsize size, const GstAllocationParams *params)
{
  return vyre_borrower_can_lend (
      GST_VYRE_ALLOCATOR (allocator)->borrower, params->prefix + size + params->padding);
}

/* ---- the allocator ----------------------------------------------------------- */

/* Upstream's thread, which waits for memory. Without an owner nobody says that memory will come. */
static VyreProspect
allocator_ask_owner (gpointer data)
{
  GstVyreAllocator *self = data;

  g_rw_lock_reader_lock (&self->owner_lock);
  VyreProspect prospect = self->owner ? self->prospect (self->owner) : VYRE_PROSPECT_NONE;
  g_rw_lock_reader_unlock (&self->owner_lock);
  return prospect;
}

static GstMemory *
allocator_alloc (GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
  GstVyreAllocator *self = GST_VYRE_ALLOCATOR (allocator);
  VyreStore *store = self->store;
  gsize maxsize = params->prefix + size + params->padding;
  gsize slice;

  if (params->align > 4095 || !self->borrower || g_atomic_int_get (&self->demand->retired))
    return gst_allocator_alloc (NULL, size, params); /* as from any other allocator */
  if (!vyre_borrower_lend (self->borrower, maxsize, allocator_ask_owner, self, &slice))
    return memory_refuse (self, size, params, maxsize);
  memory_note_asked (self, maxsize);
  guint8 *data = vyre_store_get_data (store) + slice;
  if (params->prefix && (params->flags & GST_MEMORY_FLAG_ZERO_PREFIXED))
    memset (data, 0, params->prefix);
  if (params->padding && (params->flags & GST_MEMORY_FLAG_ZERO_PADDED))
    memset (data + params->prefix + size, 0, params->padding);
  return memory_new (
      allocator, NULL, params->flags, slice, maxsize, params->align, params->prefix, size);
}

static void
allocator_free (GstAllocator *allocator, GstMemory *memory)
{
  GstVyreMemory *vyre = (GstVyreMemory *)memory;
  VyreBorrower *borrower = GST_VYRE_ALLOCATOR (allocator)->borrower;

  if (!memory->parent && borrower)
    vyre_borrower_give_back (borrower, vyre->slice);
  else if (!memory->parent)
    gst_vyre_memory_set_slice (memory, GST_VYRE_NO_SLICE);
  vyre_store_unref (vyre->store);
  g_free (vyre);
}

/* NULL in a child of the process that has no copy of the store. */
static gpointer
memory_map (GstMemory *memory, gsize maxsize, GstMapFlags flags)
{
  GstVyreMemory *vyre = (GstVyreMemory *)memory;
  guint8 *data = vyre_store_get_data (vyre->store);

  return data ? data + memory_slice_of (memory) : NULL;
}

static void
memory_unmap (GstMemory *memory)
{
}

static GstMemory *
memory_share (GstMemory *memory, gssize offset, gssize size)
{
  GstMemory *root = memory->parent ? memory->parent : memory;

  if (size == -1)
    size = (gssize)memory->size - offset;
  return memory_new (memory->allocator, root,
      GST_MINI_OBJECT_FLAGS (root) | GST_MINI_OBJECT_FLAG_LOCK_READONLY, GST_VYRE_NO_SLICE,
      memory->maxsize, memory->align, memory->offset + (gsize)offset, (gsize)size);
}

/* The copy lies in memory of the system: the store is not for copies of the application. */
static GstMemory *
memory_copy (GstMemory *memory, gssize offset, gssize size)
{
  GstMapInfo from, to;

  if (size == -1)
    size = (gssize)memory->size - offset;
  GstMemory *copy = gst_allocator_alloc (NULL, (gsize)size, NULL);
  if (!copy || !gst_memory_map (memory, &from, GST_MAP_READ)) {
    g_clear_pointer (&copy, gst_memory_unref);
    return NULL;
  }
  gst_memory_map (copy, &to, GST_MAP_WRITE);
  memcpy (to.data, from.data + offset, (gsize)size);
  gst_memory_unmap (copy, &to);
  gst_memory_unmap (memory, &from);
  return copy;
}

static gboolean
memory_is_span (GstMemory *first, GstMemory *second, gsize *offset)
{
  if (offset)
    *offset = first->offset - first->parent->offset;
  return first->offset + first->size == second->offset;
}

static void
gst_vyre_allocator_finalize (GObject *object)
{
  GstVyreAllocator *self = GST_VYRE_ALLOCATOR (object);

  g_clear_pointer (&self->borrower, vyre_borrower_free);
  vyre_store_unref (self->store);
  g_atomic_rc_box_release (self->demand);
  g_rw_lock_clear (&self->owner_lock);
  G_OBJECT_CLASS (gst_vyre_allocator_parent_class)->finalize (object);
}

static void
gst_vyre_allocator_class_init (GstVyreAllocatorClass *klass)
{
  GST_ALLOCATOR_CLASS (klass)->alloc = allocator_alloc;
  GST_ALLOCATOR_CLASS (klass)->free = allocator_free;
  G_OBJECT_CLASS (klass)->finalize = gst_vyre_allocator_finalize;
}

static void
gst_vyre_allocator_init (GstVyreAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR_CAST (self);

  g_rw_lock_init (&self->owner_lock);
  allocator->mem_type = GST_VYRE_MEMORY_TYPE;
  allocator->mem_map = memory_map;
  allocator->mem_unmap = memory_unmap;
  allocator->mem_share = memory_share;
  allocator->mem_copy = memory_copy;
  allocator->mem_is_span = memory_is_span;
}

/* Takes @demand. */
static GstVyreAllocator *
allocator_new (VyreStore *store, Demand *demand)
{
  GstVyreAllocator *self = g_object_new (GST_TYPE_VYRE_ALLOCATOR, NULL);

  gst_object_ref_sink (self);
  self->store = vyre_store_ref (store);
  self->demand = demand;
  return self;
}

/* Returns an allocator that wraps slices of @store in memories. */
GstAllocator *
gst_vyre_allocator_new (VyreStore *store)
{
  return GST_ALLOCATOR_CAST (allocator_new (store, g_atomic_rc_box_new0 (Demand)));
}

/* Returns an allocator that lends slices of the store of @common, to one of the streams that share
 * it. A thread that waits for memory calls @prospect with @owner. */
GstAllocator *
gst_vyre_allocator_new_lender (GstAllocator *common, VyreProspectFunc prospect, gpointer owner)
{
  const GstVyreAllocator *of = GST_VYRE_ALLOCATOR (common);
  GstVyreAllocator *self = allocator_new (of->store, g_atomic_rc_box_acquire (of->demand));

  self->borrower = vyre_borrower_new (self->store);
  self->prospect = prospect;
  self->owner = owner;
  return GST_ALLOCATOR_CAST (self);
}

/* Waits until no thread asks the owner, and has none ask it from now on: its stream is over. */
void
gst_vyre_allocator_disown (GstAllocator *allocator)
{
  GstVyreAllocator *self = GST_VYRE_ALLOCATOR (allocator);

  g_rw_lock_writer_lock (&self->owner_lock);
  self->owner = NULL;
  g_rw_lock_writer_unlock (&self->owner_lock);
  vyre_borrower_leave (self->borrower);
}

/* The element that asks @allocator for memory hands it on before it asks for more. */
void
gst_vyre_allocator_note_keeps_nothing (GstAllocator *allocator)
{
  if (gst_vyre_allocator_get_store (allocator))
    vyre_borrower_set_keeps_nothing (GST_VYRE_ALLOCATOR (allocator)->borrower);
}

/* Returns the store that @allocator lends slices of, NULL for other allocators. */
VyreStore *
gst_vyre_allocator_get_store (GstAllocator *allocator)
{
  return GST_IS_VYRE_ALLOCATOR (allocator) && GST_VYRE_ALLOCATOR (allocator)->borrower
             ? GST_VYRE_ALLOCATOR (allocator)->store
             : NULL;
}

/* Another element tells the bus why files are not read straight into the store. */
void
gst_vyre_allocator_note_told (GstAllocator *allocator)
{
  GST_VYRE_ALLOCATOR (allocator)->demand->was_told = TRUE;
}

/* TRUE after gst_vyre_allocator_note_told(); FALSE for other allocators. */
gboolean
gst_vyre_allocator_was_told (GstAllocator *allocator)
{
  return GST_IS_VYRE_ALLOCATOR (allocator) && GST_VYRE_ALLOCATOR (allocator)->demand->was_told;
}

/* The device of the store is lost: from now on, upstream gets system memory. */
void
gst_vyre_allocator_retire (GstAllocator *allocator)
{
  g_atomic_int_set (&GST_VYRE_ALLOCATOR (allocator)->demand->retired, TRUE);
}

/* TRUE if the bytes of @memory were lost with a device. */
gboolean
gst_vyre_memory_is_lost (GstMemory *memory)
{
  GstVyreAllocator *self
      = GST_IS_VYRE_ALLOCATOR (memory->allocator) ? GST_VYRE_ALLOCATOR (memory->allocator) : NULL;

  return self && g_atomic_int_get (&self->demand->retired)
         && !vyre_store_survives_loss (self->store);
}

/* Gives @whole, which shares no parts, another slice, and frees the one it had. */
void
gst_vyre_memory_set_slice (GstMemory *whole, gsize slice)
{
  GstVyreMemory *vyre = (GstVyreMemory *)whole;

  if (vyre->slice != GST_VYRE_NO_SLICE)
    vyre_store_free (vyre->store, vyre->slice);
  vyre->slice = slice;
}

/* Returns a memory over @slice, which it frees in the end. */
GstMemory *
gst_vyre_allocator_wrap (GstAllocator *allocator, gsize slice, gsize size)
{
  return memory_new (allocator, NULL, 0, slice, size, VYRE_STORE_ALIGNMENT - 1, 0, size);
}

/* TRUE if @memory lies in @store; @offset says where. */
gboolean
gst_vyre_memory_find (GstMemory *memory, VyreStore *store, gsize *offset)
{
  GstVyreMemory *vyre = (GstVyreMemory *)memory;

  if (!gst_memory_is_type (memory, GST_VYRE_MEMORY_TYPE) || vyre->store != store)
    return FALSE;
  *offset = memory_slice_of (memory) + memory->offset;
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The lock of the registry guards who is registered, and the rings that tenants publish into. The
 * counts of a tenant have a lock of their own, which is taken second: a kernel changes them with
 * every batch, and its producers meet nowhere else. Numbers are handed
 * out in ascending order and only go around when the last one was reached, so that a
 * late slot of a tenant that has left is not taken for that of a new one.
 */
#include "abi/tenant-notes.h"

#include "vyre/clock.h"
#include "base/fork.h"
#include "base/spin-lock.h"

G_STATIC_ASSERT (
    VYRE_TENANT_WINDOW_BASE + (VYRE_TENANT_LAST + 1) * VYRE_TENANT_WINDOW_SIZE == 0x80000000u);
G_STATIC_ASSERT (
    VYRE_CONTROL_TENANT_MASKS + VYRE_TENANT_LAST_AUTHORISED + 1 == VYRE_CONTROL_TENANT_MASKS_END);

struct _VyreTenants {
  gatomicrefcount refs;
  guint generation; /* of the process */
  guint32 last;

  GMutex lock; /* guards the fields below */
  guint32 newest;
  VyreTenant *registered[VYRE_TENANT_LAST + 1]; /* by number; their owners hold the references */
  gboolean taken[VYRE_TENANT_LAST + 1];         /* numbers in use */
};

struct _VyreTenant {
  VyreTenants *tenants;
  guint32 id;
  char *label;
  guint64 max_outstanding;

  guint64 last_turn; /* guarded by the lock of the kernel */

  gint refs;        /* atomic */
  guint generation; /* of the process */
  GMutex lock;      /* guards the fields below */
  GCond drained;    /* the last outstanding batch is complete */
  VyreTenantCounters counters;
};

/* Makes the registry this process' own. A registry is memory alone, so a child of fork() goes on
 * with its copy. The lock is made anew: a thread of the parent may have held it. */
static void
tenants_own_registry (VyreTenants *tenants)
{
  if (!vyre_is_inherited (tenants->generation))
    return;
  g_mutex_init (&tenants->lock);
  tenants->generation = vyre_fork_generation;
}

static void
tenants_lock_registry (VyreTenants *tenants)
{
  tenants_own_registry (tenants);
  vyre_mutex_lock (&tenants->lock);
}

/* As tenants_own_registry(), for the counts of one tenant. */
static void
tenants_own_counts (VyreTenant *tenant)
{
  if (!vyre_is_inherited (tenant->generation))
    return;
  g_mutex_init (&tenant->lock);
  tenant->generation = vyre_fork_generation;
}

static void
tenants_lock_counts (VyreTenant *tenant)
{
  tenants_own_counts (tenant);
  vyre_mutex_lock (&tenant->lock);
}

VyreTenants *
vyre_tenants_new (guint32 last)
{
  VyreTenants *tenants = g_new0 (VyreTenants, 1);

  g_atomic_ref_count_init (&tenants->refs);
  tenants->generation = vyre_fork_generation;
  g_mutex_init (&tenants->lock);
  tenants->last = MIN (last, VYRE_TENANT_LAST);
  return tenants;
}

VyreTenants *
vyre_tenants_ref (VyreTenants *tenants)
{
  g_atomic_ref_count_inc (&tenants->refs);
  return tenants;
}

void
vyre_tenants_unref (VyreTenants *tenants)
{
  if (!g_atomic_ref_count_dec (&tenants->refs))
    return;
  tenants_own_registry (tenants);
  g_mutex_clear (&tenants->lock);
  g_free (tenants);
}

/* The next free number, or 0. */
static guint32
tenants_find_free (const VyreTenants *tenants)
{
  for (guint32 i = 0; i < tenants->last; i++) {
    guint32 id = 1 + (tenants->newest + i) % tenants->last;
    if (!tenants->taken[id])
      return id;
  }
  return 0;
}

static VyreTenant *
tenants_add (VyreTenants *tenants, guint32 id, const char *label, guint64 max_outstanding)
{
  VyreTenant *tenant = g_new0 (VyreTenant, 1);

  tenant->tenants = vyre_tenants_ref (tenants);
  tenant->id = id;
  tenant->label = g_strdup (label);
  tenant->max_outstanding = MAX (max_outstanding, 1);
  g_atomic_int_set (&tenant->refs, 1);
  tenant->generation = vyre_fork_generation;
  g_mutex_init (&tenant->lock);
  g_cond_init (&tenant->drained);
  tenants->registered[id] = tenant;
  tenants->taken[id] = TRUE;
  tenants->newest = id;
  return tenant;
}

VyreTenant *
vyre_tenants_register (
    VyreTenants *tenants, const char *label, guint64 max_outstanding, GError **error)
{
  VyreTenant *tenant = NULL;

  tenants_lock_registry (tenants);
  guint32 id = tenants_find_free (tenants);
  if (id != 0)
    tenant = tenants_add (tenants, id, label, max_outstanding);
  g_mutex_unlock (&tenants->lock);
  if (!tenant)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "There is no number for tenant \"%s\": all %u are in use. Fix: drain and release tenants "
        "that are not needed.",
        label, tenants->last);
  return tenant;
}

gboolean
vyre_tenants_unregister (VyreTenants *tenants, guint32 id)
{
  gboolean found = FALSE;

  tenants_lock_registry (tenants);
  if (id <= VYRE_TENANT_LAST) {
    found = tenants->registered[id] != NULL;
    tenants->registered[id] = NULL;
  }
  g_mutex_unlock (&tenants->lock);
  return found;
}

/* Lock held. Takes a reference to a registered tenant, unless its last one is going. */
static gboolean
tenants_try_ref (VyreTenant *tenant)
{
  gint refs = g_atomic_int_get (&tenant->refs);

  while (refs > 0) {
    /* pairs with the decrement in vyre_tenant_unref() */
    if (__atomic_compare_exchange_n (
            &tenant->refs, &refs, refs + 1, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return TRUE;
  }
  return FALSE;
}

GPtrArray *
vyre_tenants_list (VyreTenants *tenants)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)vyre_tenant_unref);

  tenants_lock_registry (tenants);
  for (guint32 id = 1; id <= tenants->last; id++) {
    VyreTenant *tenant = tenants->registered[id];
    if (tenant && tenants_try_ref (tenant))
      g_ptr_array_add (list, tenant);
  }
  g_mutex_unlock (&tenants->lock);
  return list;
}

VyreTenant *
vyre_tenant_ref (VyreTenant *tenant)
{
  g_atomic_int_inc (&tenant->refs);
  return tenant;
}

/* TRUE while @tenant itself is registered: another tenant may have its number by now. */
static gboolean
tenants_is_registered (const VyreTenant *tenant)
{
  return tenant->tenants->registered[tenant->id] == tenant;
}

void
vyre_tenant_unref (VyreTenant *tenant)
{
  VyreTenants *tenants = tenant->tenants;

  if (!g_atomic_int_dec_and_test (&tenant->refs))
    return;
  tenants_lock_registry (tenants);
  if (tenants_is_registered (tenant))
    tenants->registered[tenant->id] = NULL;
  tenants->taken[tenant->id] = tenant->counters.outstanding > 0;
  g_mutex_unlock (&tenants->lock);
  tenants_own_counts (tenant);
  g_mutex_clear (&tenant->lock);
  g_cond_clear (&tenant->drained);
  g_free (tenant->label);
  g_free (tenant);
  vyre_tenants_unref (tenants);
}

guint32
vyre_tenant_get_id (const VyreTenant *tenant)
{
  return tenant->id;
}

guint32
vyre_tenant_get_base_opcode (const VyreTenant *tenant)
{
  return VYRE_TENANT_WINDOW_BASE + tenant->id * VYRE_TENANT_WINDOW_SIZE;
}

guint64
vyre_tenant_get_max_outstanding (const VyreTenant *tenant)
{
  return tenant->max_outstanding;
}

const char *
vyre_tenant_get_label (const VyreTenant *tenant)
{
  return tenant->label;
}

static gboolean
tenants_check_publish (const VyreTenant *tenant, guint32 local, GError **error)
{
  if (!tenants_is_registered (tenant)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_REVOKED,
        "Tenant %u \"%s\" is not registered any more. Fix: register again.", tenant->id,
        tenant->label);
    return FALSE;
  }
  if (local >= VYRE_TENANT_WINDOW_SIZE) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "Opcode %u of tenant %u \"%s\" is outside its window. Fix: count opcodes from its start, "
        "below %u.",
        local, tenant->id, tenant->label, VYRE_TENANT_WINDOW_SIZE);
    return FALSE;
  }
  if (tenant->counters.outstanding >= tenant->max_outstanding) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL,
        "Tenant %u \"%s\" has %" G_GUINT64_FORMAT " slots outstanding, and may not have more. Fix: "
        "wait until some are drained, or register with a higher limit.",
        tenant->id, tenant->label, tenant->counters.outstanding);
    return FALSE;
  }
  return TRUE;
}

static gboolean
tenants_publish_locked (
    VyreTenant *tenant, void *ring, gsize size, guint32 slot, const VyreOp *op, GError **error)
{
  if (!tenants_check_publish (tenant, op->opcode, error))
    return FALSE;
  VyreOp global = *op;
  global.opcode += vyre_tenant_get_base_opcode (tenant);
  if (!vyre_publish_slot (ring, size, slot, tenant->id, &global, error))
    return FALSE;
  tenant->counters.published++;
  tenant->counters.outstanding++;
  return TRUE;
}

gboolean
vyre_tenant_publish (
    VyreTenant *tenant, void *ring, gsize size, guint32 slot, const VyreOp *op, GError **error)
{
  tenants_lock_registry (tenant->tenants);
  tenants_lock_counts (tenant);
  gboolean ok = tenants_publish_locked (tenant, ring, size, slot, op, error);
  g_mutex_unlock (&tenant->lock);
  g_mutex_unlock (&tenant->tenants->lock);
  return ok;
}

void
vyre_tenant_note_published (VyreTenant *tenant, guint64 n)
{
  tenants_lock_counts (tenant);
  tenant->counters.published += n;
  tenant->counters.outstanding += n;
  g_mutex_unlock (&tenant->lock);
}

gboolean
vyre_tenant_note_drained (VyreTenant *tenant, guint64 n, GError **error)
{
  VyreTenantCounters *counters = &tenant->counters;

  tenants_lock_counts (tenant);
  guint64 outstanding = counters->outstanding;
  gboolean ok = n <= outstanding;
  if (ok) {
    counters->drained += n;
    counters->outstanding -= n;
    if (counters->outstanding == 0)
      g_cond_broadcast (&tenant->drained);
  }
  g_mutex_unlock (&tenant->lock);
  if (!ok)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "%" G_GUINT64_FORMAT
        " slots of tenant %u \"%s\" cannot be drained, it has %" G_GUINT64_FORMAT
        " outstanding. Fix: report each slot once.",
        n, tenant->id, tenant->label, outstanding);
  return ok;
}

gboolean
vyre_tenant_quiesce (VyreTenant *tenant, gint64 end_time, GError **error)
{
  VyreTenantCounters *counters = &tenant->counters;
  VyreClock clock = { 0 };

  tenants_lock_counts (tenant);
  counters->quiesces++;
  while (counters->outstanding > 0 && vyre_clock_now (&clock) < end_time)
    g_cond_wait_until (&tenant->drained, &tenant->lock, vyre_clock_next (&clock, end_time));
  guint64 outstanding = counters->outstanding;
  counters->quiesce_timeouts += outstanding > 0;
  g_mutex_unlock (&tenant->lock);
  if (outstanding > 0)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
        "Tenant %u \"%s\" still has %" G_GUINT64_FORMAT " slots outstanding. Fix: see that the "
        "kernel makes progress, or allow more time.",
        tenant->id, tenant->label, outstanding);
  return outstanding == 0;
}

void
vyre_tenant_get_counters (VyreTenant *tenant, VyreTenantCounters *counters)
{
  tenants_lock_counts (tenant);
  *counters = tenant->counters;
  g_mutex_unlock (&tenant->lock);
}

/* The time of the tenant's last turn, which a kernel notes under its own lock. */
guint64 *
vyre_tenant_last_turn (VyreTenant *tenant)
{
  return &tenant->last_turn;
}

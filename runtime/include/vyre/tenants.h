/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registry of tenants: producers that share a ring. Each has a number, a window
 * of opcodes that no other tenant can publish into, and a limit to its outstanding slots: those
 * published and not yet reported as drained. Registry and tenants are reference counted and thread
 * safe. A tenant is registered until its last reference is gone, at most, and keeps its registry
 * alive.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"
#include "vyre/publish-slots.h"

G_BEGIN_DECLS

/* Tenant numbers start at 1; 0 is the runtime. From LAST + 1 on the opcodes of a
 * window would be the system's, which no tenant may publish; from AUTHORISED + 1 on
 * there is no mask in the control words by which a kernel would run them. */
#define VYRE_TENANT_LAST 1023u
#define VYRE_TENANT_LAST_AUTHORISED 28u

typedef struct _VyreTenants VyreTenants;
typedef struct _VyreTenant VyreTenant;

/**
 * VyreTenantCounters:
 * @published: slots published
 * @drained: slots reported as drained
 * @outstanding: slots published and not drained
 * @quiesces: calls of vyre_tenant_quiesce()
 * @quiesce_timeouts: those that ended in %VYRE_ERROR_TIMEOUT
 *
 * Counters of a tenant since it was registered.
 */
typedef struct {
  guint64 published;
  guint64 drained;
  guint64 outstanding;
  guint64 quiesces;
  guint64 quiesce_timeouts;
} VyreTenantCounters;

/**
 * vyre_tenants_new:
 * @last: highest number to hand out, VYRE_TENANT_LAST at most:
 *   VYRE_TENANT_LAST_AUTHORISED where a kernel with the table of masks runs their
 *   slots
 *
 * Returns: (transfer full): a registry without tenants
 */
VyreTenants *vyre_tenants_new (guint32 last);

/**
 * vyre_tenants_ref:
 * @tenants: a registry
 *
 * Returns: (transfer full): @tenants with one more reference
 */
VyreTenants *vyre_tenants_ref (VyreTenants *tenants);

/**
 * vyre_tenants_unref:
 * @tenants: (transfer full): a registry; its tenants have references, too
 */
void vyre_tenants_unref (VyreTenants *tenants);

/**
 * vyre_tenants_register:
 * @tenants: a registry
 * @label: the name of the tenant in errors
 * @max_outstanding: slots that it may have outstanding; 0 means 1
 * @error: return location
 *
 * A number is free again when the last reference to its tenant is gone, unless that tenant left
 * slots outstanding.
 *
 * Returns: (transfer full) (nullable): a tenant, which is registered until it is
 *   unregistered or its last reference is gone; or %NULL with %VYRE_ERROR_NO_SPACE when
 *   all numbers with which it could publish are in use
 */
VyreTenant *vyre_tenants_register (
    VyreTenants *tenants, const char *label, guint64 max_outstanding, GError **error);

/**
 * vyre_tenants_unregister:
 * @tenants: a registry
 * @id: number of a tenant
 *
 * The tenant cannot publish any more. Its outstanding slots stay so until
 * they are reported as drained.
 *
 * Returns: %TRUE when there was such a tenant
 */
gboolean vyre_tenants_unregister (VyreTenants *tenants, guint32 id);

/**
 * vyre_tenants_list:
 * @tenants: a registry
 *
 * Returns: (transfer full) (element-type VyreTenant): the registered tenants, by number
 */
GPtrArray *vyre_tenants_list (VyreTenants *tenants);

/**
 * vyre_tenant_ref:
 * @tenant: a tenant
 *
 * Returns: (transfer full): @tenant with one more reference
 */
VyreTenant *vyre_tenant_ref (VyreTenant *tenant);

/**
 * vyre_tenant_unref:
 * @tenant: (transfer full): a tenant; the last reference unregisters it
 */
void vyre_tenant_unref (VyreTenant *tenant);

/**
 * vyre_tenant_get_id:
 * @tenant: a tenant
 *
 * Returns: its number, which is in the TENANT word of its slots
 */
guint32 vyre_tenant_get_id (const VyreTenant *tenant);

/**
 * vyre_tenant_get_base_opcode:
 * @tenant: a tenant
 *
 * Returns: the first of the VYRE_TENANT_WINDOW_SIZE opcodes that are its own
 */
guint32 vyre_tenant_get_base_opcode (const VyreTenant *tenant);

/**
 * vyre_tenant_get_max_outstanding:
 * @tenant: a tenant
 *
 * Returns: the number of slots that it may have outstanding
 */
guint64 vyre_tenant_get_max_outstanding (const VyreTenant *tenant);

/**
 * vyre_tenant_get_label:
 * @tenant: a tenant
 *
 * Returns: (transfer none): its label
 */
const char *vyre_tenant_get_label (const VyreTenant *tenant);

/**
 * vyre_tenant_publish:
 * @tenant: a tenant
 * @ring: a ring, @size bytes
 * @size: bytes
 * @slot: index of the slot to write
 * @op: the operation; its opcode counts from the start of the tenant's window
 * @error: return location
 *
 * As vyre_publish_slot(), within the tenant's window and limit. All tenants of a
 * registry may publish into the same ring at the same time.
 *
 * Returns: %TRUE when it was published; otherwise nothing was written and @error is
 *   %VYRE_ERROR_REVOKED, %VYRE_ERROR_INVALID (outside the window),
 *   %VYRE_ERROR_QUEUE_FULL (the limit) or one of vyre_publish_slot(), checked in
 *   this order
 */
gboolean vyre_tenant_publish (
    VyreTenant *tenant, void *ring, gsize size, guint32 slot, const VyreOp *op, GError **error);

/**
 * vyre_tenant_note_published:
 * @tenant: a tenant, registered or not
 * @n: number of slots
 *
 * Counts slots that were published for the tenant by other means than vyre_tenant_publish(), in
 * the unit in which their producer reports them as drained. None is refused: the producer keeps
 * the limit.
 */
void vyre_tenant_note_published (VyreTenant *tenant, guint64 n);

/**
 * vyre_tenant_note_drained:
 * @tenant: a tenant, registered or not
 * @n: slots of it that have ended
 * @error: return location
 *
 * Makes room for as many slots, and wakes threads in vyre_tenant_quiesce() when none is left.
 *
 * Returns: %TRUE when it had so many outstanding; otherwise none was counted and @error
 *   is %VYRE_ERROR_INVALID
 */
gboolean vyre_tenant_note_drained (VyreTenant *tenant, guint64 n, GError **error);

/**
 * vyre_tenant_quiesce:
 * @tenant: a tenant, registered or not
 * @end_time: g_get_monotonic_time() at which to give up, or later by the time that the process
 *   stands still; 0 to not wait
 * @error: return location
 *
 * Waits until the tenant has no outstanding slots. The tenant may go on publishing; unregister it
 * first to prevent that.
 *
 * Returns: %TRUE when no slot is outstanding; otherwise @error is %VYRE_ERROR_TIMEOUT
 */
gboolean vyre_tenant_quiesce (VyreTenant *tenant, gint64 end_time, GError **error);

/**
 * vyre_tenant_get_counters:
 * @tenant: a tenant, registered or not
 * @counters: (out caller-allocates): its counters, of one moment
 */
void vyre_tenant_get_counters (VyreTenant *tenant, VyreTenantCounters *counters);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreTenants, vyre_tenants_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreTenant, vyre_tenant_unref)

G_END_DECLS

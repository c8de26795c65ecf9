/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:tenants
 * @title: Tenants
 * @short_description: Producers that share a ring
 *
 * Each tenant has a number, a window of opcodes that no other tenant can publish into, and a limit
 * on its outstanding slots: those that were published and not yet reported as drained. The
 * registry and its tenants are reference counted and thread safe. A tenant keeps its registry
 * alive, and is unregistered at the latest when its last reference goes.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"
#include "vyre/publish-slots.h"

G_BEGIN_DECLS

/**
 * VYRE_TENANT_LAST:
 *
 * The highest number of a tenant. Numbers start at 1; 0 is the runtime. Opcodes of higher tenants
 * would belong to the system, so no such tenant could publish.
 */
#define VYRE_TENANT_LAST 1023u

/**
 * VYRE_TENANT_LAST_AUTHORISED:
 *
 * The highest number of a tenant with a mask in the control words; a kernel runs no slots of higher
 * tenants.
 */
#define VYRE_TENANT_LAST_AUTHORISED 28u

/**
 * VyreTenants:
 *
 * A registry of tenants.
 */
typedef struct _VyreTenants VyreTenants;
/**
 * VyreTenant:
 *
 * A tenant.
 */
typedef struct _VyreTenant VyreTenant;

/**
 * VyreTenantCounters:
 * @published: slots published
 * @drained: slots reported as drained
 * @outstanding: slots published and not drained
 * @quiesces: calls of vyre_tenant_quiesce()
 * @quiesce_timeouts: of these, calls that ended in %VYRE_ERROR_TIMEOUT
 *
 * The counters of a tenant since it was registered.
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
 * @last: highest number to hand out, VYRE_TENANT_LAST at most, or
 *   VYRE_TENANT_LAST_AUTHORISED where a kernel with the table of masks runs the slots
 *
 * Makes a registry without tenants.
 *
 * Returns: (transfer full): the registry
 */
VyreTenants *vyre_tenants_new (guint32 last);

/**
 * vyre_tenants_ref:
 * @tenants: a registry
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @tenants with one more reference
 */
VyreTenants *vyre_tenants_ref (VyreTenants *tenants);

/**
 * vyre_tenants_unref:
 * @tenants: (transfer full): a registry
 *
 * Drops a reference. The tenants of a registry have references, too.
 */
void vyre_tenants_unref (VyreTenants *tenants);

/**
 * vyre_tenants_register:
 * @tenants: a registry
 * @label: the name of the tenant in errors
 * @max_outstanding: slots that it may have outstanding; 0 means 1
 * @error: return location
 *
 * Registers a tenant. A number is free again when the last reference to its tenant is gone, unless
 * that tenant left slots outstanding.
 *
 * Returns: (transfer full) (nullable): a tenant, which is registered until it is
 *   unregistered or its last reference goes; or %NULL with %VYRE_ERROR_NO_SPACE when
 *   all numbers are in use
 */
VyreTenant *vyre_tenants_register (
    VyreTenants *tenants, const char *label, guint64 max_outstanding, GError **error);

/**
 * vyre_tenants_unregister:
 * @tenants: a registry
 * @id: number of a tenant
 *
 * Unregisters a tenant, which can no longer publish. Its outstanding slots stay so until they are
 * reported as drained.
 *
 * Returns: whether there was such a tenant
 */
gboolean vyre_tenants_unregister (VyreTenants *tenants, guint32 id);

/**
 * vyre_tenants_list:
 * @tenants: a registry
 *
 * Lists the tenants.
 *
 * Returns: (transfer full) (element-type VyreTenant): the registered tenants, by number
 */
GPtrArray *vyre_tenants_list (VyreTenants *tenants);

/**
 * vyre_tenant_ref:
 * @tenant: a tenant
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @tenant with one more reference
 */
VyreTenant *vyre_tenant_ref (VyreTenant *tenant);

/**
 * vyre_tenant_unref:
 * @tenant: (transfer full): a tenant
 *
 * Drops a reference; the last one unregisters the tenant.
 */
void vyre_tenant_unref (VyreTenant *tenant);

/**
 * vyre_tenant_get_id:
 * @tenant: a tenant
 *
 * Gets the number of a tenant.
 *
 * Returns: its number, the TENANT word of its slots
 */
guint32 vyre_tenant_get_id (const VyreTenant *tenant);

/**
 * vyre_tenant_get_base_opcode:
 * @tenant: a tenant
 *
 * Gets the start of the window of a tenant.
 *
 * Returns: the first of its VYRE_TENANT_WINDOW_SIZE opcodes
 */
guint32 vyre_tenant_get_base_opcode (const VyreTenant *tenant);

/**
 * vyre_tenant_get_max_outstanding:
 * @tenant: a tenant
 *
 * Gets the limit of a tenant.
 *
 * Returns: the most slots that it may have outstanding
 */
guint64 vyre_tenant_get_max_outstanding (const VyreTenant *tenant);

/**
 * vyre_tenant_get_label:
 * @tenant: a tenant
 *
 * Gets the label of a tenant.
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
 * Returns: whether the slot was published; otherwise nothing was written and @error is, checked in
 *   this order, %VYRE_ERROR_REVOKED, %VYRE_ERROR_INVALID (outside the window),
 *   %VYRE_ERROR_QUEUE_FULL (the limit) or one of vyre_publish_slot()
 */
gboolean vyre_tenant_publish (
    VyreTenant *tenant, void *ring, gsize size, guint32 slot, const VyreOp *op, GError **error);

/**
 * vyre_tenant_note_published:
 * @tenant: a tenant, registered or not
 * @n: slots, or other units that the producer also reports as drained
 *
 * Counts work that was published for the tenant without vyre_tenant_publish(). The call refuses
 * nothing, so the producer keeps the limit.
 */
void vyre_tenant_note_published (VyreTenant *tenant, guint64 n);

/**
 * vyre_tenant_note_drained:
 * @tenant: a tenant, registered or not
 * @n: slots that have ended
 * @error: return location
 *
 * Reports slots as drained. When none is outstanding, threads in vyre_tenant_quiesce() wake.
 *
 * Returns: whether the tenant had @n slots outstanding; otherwise none was counted and @error
 *   is %VYRE_ERROR_INVALID
 */
gboolean vyre_tenant_note_drained (VyreTenant *tenant, guint64 n, GError **error);

/**
 * vyre_tenant_quiesce:
 * @tenant: a tenant, registered or not
 * @end_time: deadline in g_get_monotonic_time(), later by the time that the process stands
 *   still meanwhile; 0 to not wait
 * @error: return location
 *
 * Waits until the tenant has no slot outstanding. The tenant may go on publishing; the caller
 * unregisters it first to prevent that.
 *
 * Returns: whether no slot is outstanding; otherwise @error is %VYRE_ERROR_TIMEOUT
 */
gboolean vyre_tenant_quiesce (VyreTenant *tenant, gint64 end_time, GError **error);

/**
 * vyre_tenant_get_counters:
 * @tenant: a tenant, registered or not
 * @counters: (out caller-allocates): its counters at one moment
 *
 * Reads the counters of a tenant.
 */
void vyre_tenant_get_counters (VyreTenant *tenant, VyreTenantCounters *counters);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreTenants, vyre_tenants_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreTenant, vyre_tenant_unref)

G_END_DECLS

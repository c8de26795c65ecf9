/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registry of tenants: producers that share a ring. Each has a number, a window
 * of opcodes that no other can publish into, and a limit to how many of its slots are
 * outstanding: published, and not yet reported as drained. Registry and tenants are
 * reference counted and thread safe; a tenant is registered for as long as somebody
 * holds it, at most, and keeps its registry alive.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"
#include "vyre/publish-slots.h"

G_BEGIN_DECLS

/* Tenant numbers start at 1; 0 is the runtime. From LAST + 1 on the opcodes of a
 * window would be the system's, so nobody could publish one; from AUTHORISED + 1 on
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
 * What a tenant did since it was registered.
 */
typedef struct {
  guint64 published;
  guint64 drained;
  guint64 outstanding;
  guint64 quiesces;
  guint64 quiesce_timeouts;
} VyreTenantCounters;

VyreTenants *vyre_tenants_new (guint32 last);
VyreTenants *vyre_tenants_ref (VyreTenants *tenants);
void vyre_tenants_unref (VyreTenants *tenants);
VyreTenant *vyre_tenants_register (
    VyreTenants *tenants, const char *label, guint64 max_outstanding, GError **error);
gboolean vyre_tenants_unregister (VyreTenants *tenants, guint32 id);
GPtrArray *vyre_tenants_list (VyreTenants *tenants);

VyreTenant *vyre_tenant_ref (VyreTenant *tenant);
void vyre_tenant_unref (VyreTenant *tenant);
guint32 vyre_tenant_get_id (const VyreTenant *tenant);
guint32 vyre_tenant_get_base_opcode (const VyreTenant *tenant);
guint64 vyre_tenant_get_max_outstanding (const VyreTenant *tenant);
const char *vyre_tenant_get_label (const VyreTenant *tenant);
gboolean vyre_tenant_publish (
    VyreTenant *tenant, void *ring, gsize size, guint32 slot, const VyreOp *op, GError **error);
void vyre_tenant_note_published (VyreTenant *tenant, guint64 n);
gboolean vyre_tenant_note_drained (VyreTenant *tenant, guint64 n, GError **error);
gboolean vyre_tenant_quiesce (VyreTenant *tenant, gint64 end_time, GError **error);
void vyre_tenant_get_counters (VyreTenant *tenant, VyreTenantCounters *counters);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreTenants, vyre_tenants_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreTenant, vyre_tenant_unref)

G_END_DECLS

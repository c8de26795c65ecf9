/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/vyre.h"

#include <string.h>

#include "patient.h"
#include "refused-common.h"

#define SLOTS 64
#define RING_BYTES (SLOTS * 4 * VYRE_SLOT_WORDS)
#define NO_LIMIT G_MAXUINT64
#define LONG (60 * G_TIME_SPAN_SECOND)

static const VyreOp nothing = { 0, NULL, 0 };

static VyreTenant *
add (VyreTenants *tenants, guint64 max_outstanding)
{
  g_autoptr (GError) error = NULL;
  VyreTenant *tenant = vyre_tenants_register (tenants, "test", max_outstanding, &error);

  g_assert_no_error (error);
  return tenant;
}

static gboolean
publish (VyreTenant *tenant, guint32 *ring, guint32 slot, guint32 opcode, GError **error)
{
  const VyreOp op = { opcode, NULL, 0 };

  return vyre_tenant_publish (tenant, ring, RING_BYTES, slot, &op, error);
}

static guint32
get_word (const guint32 *ring, guint slot, guint word)
{
  return vyre_read_word (ring, slot * VYRE_SLOT_WORDS + word);
}

static VyreTenantCounters
count (VyreTenant *tenant)
{
  VyreTenantCounters counters;

  vyre_tenant_get_counters (tenant, &counters);
  return counters;
}

/* Windows of neighbours do not overlap, and a slot in the ring names its tenant. */
static void
test_windows (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST_AUTHORISED);
  g_autoptr (VyreTenant) one = vyre_tenants_register (tenants, "edges", 5, NULL);
  g_autoptr (VyreTenant) two = add (tenants, 0);
  g_autofree guint32 *ring = g_malloc0 (RING_BYTES);
  const guint32 args[] = { 7, 8 };
  const VyreOp op = { VYRE_TENANT_WINDOW_SIZE - 1, args, 2 };

  g_assert_cmpuint (vyre_tenant_get_id (one), ==, 1);
  g_assert_cmpstr (vyre_tenant_get_label (one), ==, "edges");
  g_assert_cmpuint (vyre_tenant_get_max_outstanding (one), ==, 5);
  g_assert_cmpuint (vyre_tenant_get_max_outstanding (two), ==, 1);
  g_assert_cmpuint (vyre_tenant_get_base_opcode (two), ==, 0x40200000);
  g_assert_true (vyre_tenant_publish (one, ring, RING_BYTES, 3, &op, NULL));
  g_assert_true (publish (two, ring, 4, 0, NULL));
  g_assert_cmpuint (get_word (ring, 3, VYRE_SLOT_OPCODE), ==, 0x401FFFFF);
  g_assert_cmpuint (get_word (ring, 3, VYRE_SLOT_TENANT), ==, 1);
  g_assert_cmpuint (get_word (ring, 3, VYRE_SLOT_ARGS + 1), ==, 8);
  g_assert_cmpuint (get_word (ring, 4, VYRE_SLOT_OPCODE), ==, 0x40200000);
  g_assert_cmpuint (get_word (ring, 4, VYRE_SLOT_TENANT), ==, 2);
}

static void
test_publish_refused (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) tenant = add (tenants, 1);
  g_autofree guint32 *ring = g_malloc0 (RING_BYTES), *before = g_malloc0 (RING_BYTES);
  g_autoptr (GError) error = NULL;

  assert_refused (
      publish (tenant, ring, 0, VYRE_TENANT_WINDOW_SIZE, &error), &error, VYRE_ERROR_INVALID);
  assert_refused (publish (tenant, ring, 0, G_MAXUINT32, &error), &error, VYRE_ERROR_INVALID);
  assert_refused (publish (tenant, ring, SLOTS, 1, &error), &error, VYRE_ERROR_QUEUE_FULL);
  g_assert_cmpmem (ring, RING_BYTES, before, RING_BYTES);
  g_assert_cmpuint (count (tenant).published, ==, 0);
  g_assert_true (publish (tenant, ring, 0, 1, NULL));
  memcpy (before, ring, RING_BYTES);
  assert_refused (publish (tenant, ring, 1, 1, &error), &error, VYRE_ERROR_QUEUE_FULL);
  assert_refused (publish (tenant, ring, 1, G_MAXUINT32, &error), &error, VYRE_ERROR_INVALID);
  g_assert_true (vyre_tenants_unregister (tenants, 1));
  assert_refused (publish (tenant, ring, 1, G_MAXUINT32, &error), &error, VYRE_ERROR_REVOKED);
  g_assert_cmpmem (ring, RING_BYTES, before, RING_BYTES);
  g_assert_cmpuint (count (tenant).published, ==, 1);
}

/* A drained slot makes room for one more, and is drained once. */
static void
test_drained (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) tenant = add (tenants, 2);
  g_autofree guint32 *ring = g_malloc0 (RING_BYTES);
  g_autoptr (GError) error = NULL;

  g_assert_true (publish (tenant, ring, 0, 1, NULL));
  g_assert_true (publish (tenant, ring, 1, 1, NULL));
  assert_refused (publish (tenant, ring, 2, 1, &error), &error, VYRE_ERROR_QUEUE_FULL);
  assert_refused (vyre_tenant_note_drained (tenant, 3, &error), &error, VYRE_ERROR_INVALID);
  assert_refused (vyre_tenant_note_drained (tenant, NO_LIMIT, &error), &error, VYRE_ERROR_INVALID);
  g_assert_cmpuint (count (tenant).outstanding, ==, 2);
  g_assert_true (vyre_tenant_note_drained (tenant, 1, NULL));
  g_assert_true (publish (tenant, ring, 2, 1, NULL));
  g_assert_true (vyre_tenants_unregister (tenants, 1));
  g_assert_true (vyre_tenant_note_drained (tenant, 2, NULL));
  g_assert_cmpuint (count (tenant).published, ==, 3);
  g_assert_cmpuint (count (tenant).drained, ==, 3);
  g_assert_cmpuint (count (tenant).outstanding, ==, 0);
}

static void
assert_listed (VyreTenants *tenants, guint n, VyreTenant *first)
{
  g_autoptr (GPtrArray) list = vyre_tenants_list (tenants);

  g_assert_cmpuint (list->len, ==, n);
  g_assert_true (n == 0 || list->pdata[0] == first);
}

/* A tenant is registered until its last reference is gone, or until it is unregistered. */
static void
test_lifetime (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autofree guint32 *ring = g_malloc0 (RING_BYTES);
  VyreTenant *one = add (tenants, 1), *two = add (tenants, 1);

  assert_listed (tenants, 2, one);
  vyre_tenant_unref (vyre_tenant_ref (one));
  assert_listed (tenants, 2, one);
  vyre_tenant_unref (one);
  assert_listed (tenants, 1, two);
  g_assert_false (vyre_tenants_unregister (tenants, 1));
  g_assert_false (vyre_tenants_unregister (tenants, 0));
  g_assert_false (vyre_tenants_unregister (tenants, G_MAXUINT32));
  g_assert_true (vyre_tenants_unregister (tenants, 2));
  g_assert_false (vyre_tenants_unregister (tenants, 2));
  assert_listed (tenants, 0, NULL);
  vyre_tenant_unref (two);
  VyreTenant *three = add (tenants, 1);
  vyre_tenants_unref (g_steal_pointer (&tenants));
  g_assert_cmpuint (vyre_tenant_get_id (three), ==, 3);
  g_assert_true (publish (three, ring, 0, 0, NULL));
  vyre_tenant_unref (three);
}

/* A number comes again only after all others, and only if its tenant is gone and left no slot
 * outstanding. */
static void
test_numbers (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (3);
  g_autofree guint32 *ring = g_malloc0 (RING_BYTES);
  g_autoptr (GError) error = NULL;
  VyreTenant *tenant = add (tenants, 1);

  vyre_tenant_unref (tenant);
  VyreTenant *second = add (tenants, 1), *third = add (tenants, 1);
  g_assert_cmpuint (vyre_tenant_get_id (second), ==, 2);
  g_assert_cmpuint (vyre_tenant_get_id (third), ==, 3);
  tenant = add (tenants, 1);
  g_assert_cmpuint (vyre_tenant_get_id (tenant), ==, 1);
  g_assert_true (vyre_tenants_unregister (tenants, 2));
  assert_refused (
      vyre_tenants_register (tenants, "test", 1, &error) != NULL, &error, VYRE_ERROR_NO_SPACE);
  vyre_tenant_unref (second);
  g_assert_true (publish (third, ring, 0, 0, NULL));
  vyre_tenant_unref (third);
  second = add (tenants, 1);
  g_assert_cmpuint (vyre_tenant_get_id (second), ==, 2);
  g_assert_null (vyre_tenants_register (tenants, "test", 1, NULL));
  vyre_tenant_unref (second);
  vyre_tenant_unref (tenant);

  g_autoptr (VyreTenants) none = vyre_tenants_new (0);
  assert_refused (
      vyre_tenants_register (none, "test", 1, &error) != NULL, &error, VYRE_ERROR_NO_SPACE);
}

static void
test_quiesce_timeout (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) tenant = add (tenants, 1);
  g_autofree guint32 *ring = g_malloc0 (RING_BYTES);
  g_autoptr (GError) error = NULL;

  g_assert_true (vyre_tenant_quiesce (tenant, 0, NULL));
  g_assert_true (publish (tenant, ring, 0, 0, NULL));
  assert_refused (vyre_tenant_quiesce (tenant, 0, &error), &error, VYRE_ERROR_TIMEOUT);
  gint64 end_time = g_get_monotonic_time () + 20 * G_TIME_SPAN_MILLISECOND;
  assert_refused (vyre_tenant_quiesce (tenant, end_time, &error), &error, VYRE_ERROR_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time (), >=, end_time);
  g_assert_cmpuint (count (tenant).quiesces, ==, 3);
  g_assert_cmpuint (count (tenant).quiesce_timeouts, ==, 2);
}

static gpointer
quiesce (gpointer tenant)
{
  g_assert_true (vyre_tenant_quiesce (tenant, g_get_monotonic_time () + LONG, NULL));
  return NULL;
}

/* The call that drains the last slot wakes every waiter. */
static void
test_quiesce_wakes (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) tenant = add (tenants, NO_LIMIT);

  g_atomic_int_set (&patient, TRUE);
  for (guint round = 0; round < 50; round++) {
    g_autofree guint32 *ring = g_malloc0 (RING_BYTES);
    GThread *threads[3];
    for (guint slot = 0; slot < 4; slot++)
      g_assert_true (publish (tenant, ring, slot, 0, NULL));
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
      threads[i] = g_thread_new ("waits", quiesce, tenant);
    while (round % 2 == 0 && count (tenant).quiesces < 3 * (round + 1))
      g_thread_yield ();
    g_assert_true (vyre_tenant_note_drained (tenant, 3, NULL));
    g_assert_true (vyre_tenant_note_drained (tenant, 1, NULL));
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
      g_thread_join (threads[i]);
  }
  g_atomic_int_set (&patient, FALSE);
  g_assert_cmpuint (count (tenant).quiesce_timeouts, ==, 0);
}

/* Slots that another way published count against the limit, which does not refuse them. */
static void
test_noted (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) tenant = add (tenants, 2);
  g_autofree guint32 *ring = g_malloc0 (RING_BYTES);
  g_autoptr (GError) error = NULL;

  vyre_tenant_note_published (tenant, 3);
  g_assert_cmpuint (count (tenant).published, ==, 3);
  g_assert_cmpuint (count (tenant).outstanding, ==, 3);
  assert_refused (publish (tenant, ring, 0, 1, &error), &error, VYRE_ERROR_QUEUE_FULL);
  assert_refused (vyre_tenant_quiesce (tenant, 0, &error), &error, VYRE_ERROR_TIMEOUT);
  g_assert_true (vyre_tenant_note_drained (tenant, 2, NULL));
  g_assert_true (publish (tenant, ring, 0, 1, NULL));
  g_assert_true (vyre_tenant_note_drained (tenant, 2, NULL));
  g_assert_true (vyre_tenants_unregister (tenants, 1));
  vyre_tenant_note_published (tenant, 1);
  g_assert_true (vyre_tenant_note_drained (tenant, 1, NULL));
  g_assert_cmpuint (count (tenant).drained, ==, 5);
}

typedef struct {
  VyreTenants *tenants;
  guint32 *ring;
} Shared;

/* Publishes into every slot that is free, and returns the number of those slots. */
static gpointer
take_slots (gpointer data)
{
  Shared *shared = data;
  g_autoptr (VyreTenant) tenant = add (shared->tenants, NO_LIMIT);
  guint32 id = vyre_tenant_get_id (tenant);
  guint n = 0;

  for (guint32 slot = 0; slot < SLOTS; slot++)
    n += vyre_tenant_publish (tenant, shared->ring, RING_BYTES, slot, &nothing, NULL);
  g_assert_cmpuint (count (tenant).outstanding, ==, n);
  for (guint32 slot = 0; slot < SLOTS; slot++)
    n -= get_word (shared->ring, slot, VYRE_SLOT_TENANT) == id;
  g_assert_cmpuint (n, ==, 0);
  n = (guint)count (tenant).outstanding;
  g_assert_true (vyre_tenant_note_drained (tenant, n, NULL));
  return GUINT_TO_POINTER (n);
}

/* Tenants come, publish into the same ring and go, on several threads. */
static void
test_threads (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST_AUTHORISED);

  for (guint round = 0; round < 100; round++) {
    g_autofree guint32 *ring = g_malloc0 (RING_BYTES);
    Shared shared = { tenants, ring };
    GThread *threads[4];
    guint n = 0;
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
      threads[i] = g_thread_new ("takes", take_slots, &shared);
    g_ptr_array_unref (vyre_tenants_list (tenants));
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
      n += GPOINTER_TO_UINT (g_thread_join (threads[i]));
    g_assert_cmpuint (n, ==, SLOTS);
  }
  assert_listed (tenants, 0, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tenants/windows", test_windows);
  g_test_add_func ("/tenants/publish-refused", test_publish_refused);
  g_test_add_func ("/tenants/drained", test_drained);
  g_test_add_func ("/tenants/lifetime", test_lifetime);
  g_test_add_func ("/tenants/numbers", test_numbers);
  g_test_add_func ("/tenants/quiesce-timeout", test_quiesce_timeout);
  g_test_add_func ("/tenants/quiesce-wakes", test_quiesce_wakes);
  g_test_add_func ("/tenants/noted", test_noted);
  g_test_add_func ("/tenants/threads", test_threads);
  return g_test_run ();
}

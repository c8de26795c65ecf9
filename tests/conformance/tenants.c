/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance.h"

#define REGISTRATION_RULE 12

typedef struct {
  VyreTenants *tenants;
  GPtrArray *handles; /* of every tenant that ever was, from number 1 on */
  GByteArray *ring;
} Scenario;

/* What the reference's registry calls our errors. "Pipeline" is whatever publishing
 * into the ring said. */
static const struct {
  const char *class;
  VyreError code;
} classes[] = {
  { "Revoked", VYRE_ERROR_REVOKED },
  { "OpcodeOutOfRange", VYRE_ERROR_INVALID },
  { "Backpressure", VYRE_ERROR_QUEUE_FULL },
  { "Pipeline", VYRE_ERROR_QUEUE_FULL },
  { "QuiesceTimeout", VYRE_ERROR_TIMEOUT },
  { "RegistryFull", VYRE_ERROR_NO_SPACE },
};

static void
check_outcome (Case *c, JsonObject *result, gboolean ok, const GError *error)
{
  if (get_flag (result, "ok")) {
    check_result (c, result, ok, error);
    return;
  }
  check_refused (c, ok, error);
  const char *class = json_object_get_string_member (
      json_object_get_object_member (result, "error"), "class");
  for (gsize i = 0; error != NULL && i < G_N_ELEMENTS (classes); i++) {
    if (g_str_equal (classes[i].class, class) && error->code == (int)classes[i].code)
      return;
  }
  case_fail (c, "the error is no %s: %s", class, error ? error->message : "there is none");
}

static VyreTenant *
get_tenant (Scenario *scenario, JsonObject *step)
{
  guint32 id = get_word (step, "tenant_id");

  if (id == 0 || id > scenario->handles->len)
    g_error ("a step names tenant %u, which there is not", id);
  return scenario->handles->pdata[id - 1];
}

static void
run_register (Case *c, JsonObject *step, JsonObject *result, Scenario *scenario)
{
  g_autoptr (GError) error = NULL;
  VyreTenant *tenant = vyre_tenants_register (
      scenario->tenants, "case", get_number (step, "max_outstanding_slots"), &error);

  check_outcome (c, result, tenant != NULL, error);
  if (tenant == NULL)
    return;
  g_ptr_array_add (scenario->handles, tenant);
  check_number (c, result, "tenant_id", vyre_tenant_get_id (tenant));
  check_number (c, result, "base_opcode", vyre_tenant_get_base_opcode (tenant));
  check_number (c, result, "max_outstanding_slots", vyre_tenant_get_max_outstanding (tenant));
}

static void
run_unregister (Case *c, JsonObject *step, JsonObject *result, Scenario *scenario)
{
  check_flag (c, result, "found",
      vyre_tenants_unregister (scenario->tenants, get_word (step, "tenant_id")));
}

static void
run_publish (Case *c, JsonObject *step, JsonObject *result, Scenario *scenario)
{
  g_autoptr (GArray) args = get_words (step, "args");
  g_autoptr (GError) error = NULL;
  VyreOp op = { get_word (step, "local_opcode"), (const guint32 *)(gpointer)args->data, args->len };

  gboolean ok = vyre_tenant_publish (get_tenant (scenario, step), scenario->ring->data,
      scenario->ring->len, get_word (step, "slot_idx"), &op, &error);
  check_outcome (c, result, ok, error);
}

/* What the kernel drained is for the case to say: a slot that was PUBLISHED is DONE. */
static void
play_kernel (Case *c, JsonObject *step, GByteArray *ring)
{
  JsonNode *after = json_object_get_member (step, "ring_after");

  if (JSON_NODE_HOLDS_VALUE (after) && g_str_equal (json_node_get_string (after), "unchanged"))
    return;
  g_autoptr (GByteArray) wanted = node_get_bytes (after);
  for (gsize i = 0; i < wanted->len / 4; i += VYRE_SLOT_WORDS) {
    guint32 status = vyre_read_word (wanted->data, i);
    if (status == VYRE_STATUS_DONE && vyre_read_word (ring->data, i) == VYRE_STATUS_PUBLISHED)
      vyre_write_word (ring->data, i, status);
  }
}

static void
run_note_drained (Case *c, JsonObject *step, JsonObject *result, Scenario *scenario)
{
  g_autoptr (GError) error = NULL;
  gboolean ok
      = vyre_tenant_note_drained (get_tenant (scenario, step), get_number (step, "count"), &error);

  check_outcome (c, result, ok, error);
  play_kernel (c, step, scenario->ring);
}

/* The reference counts how often it looks; in a case nothing changes in the meantime. */
static void
run_quiesce (Case *c, JsonObject *step, JsonObject *result, Scenario *scenario)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = vyre_tenant_quiesce (get_tenant (scenario, step), 0, &error);

  check_outcome (c, result, ok, error);
}

static const struct {
  const char *name;
  void (*run) (Case *c, JsonObject *step, JsonObject *result, Scenario *scenario);
} steps[] = {
  { "register", run_register },
  { "unregister", run_unregister },
  { "publish_slot", run_publish },
  { "note_drained_and_recycle", run_note_drained },
  { "quiesce", run_quiesce },
};

static void
check_active (Case *c, JsonObject *step, Scenario *scenario)
{
  g_autoptr (GPtrArray) list = vyre_tenants_list (scenario->tenants);
  g_autoptr (GArray) wanted = get_words (step, "active");

  if (list->len != wanted->len) {
    case_fail (c, "%u tenants are registered, not %u", list->len, wanted->len);
    return;
  }
  for (guint i = 0; i < list->len; i++) {
    guint32 id = vyre_tenant_get_id (list->pdata[i]);
    if (id != g_array_index (wanted, guint32, i))
      case_fail (c, "tenant %u should not be registered", id);
  }
}

static void
check_counters (Case *c, JsonObject *step, Scenario *scenario)
{
  JsonArray *wanted = json_object_get_array_member (step, "counters");

  for (guint i = 0; i < json_array_get_length (wanted); i++) {
    JsonObject *expected = json_array_get_object_element (wanted, i);
    VyreTenantCounters counters;
    vyre_tenant_get_counters (get_tenant (scenario, expected), &counters);
    check_number (c, expected, "published", counters.published);
    check_number (c, expected, "drained", counters.drained);
    check_number (c, expected, "outstanding", counters.outstanding);
    check_number (c, expected, "quiesce_calls", counters.quiesces);
    check_number (c, expected, "quiesce_timeouts", counters.quiesce_timeouts);
  }
}

static void
run_step (Case *c, JsonObject *step, Scenario *scenario)
{
  const char *name = json_object_get_string_member (step, "op");
  JsonObject *result = json_object_get_object_member (step, "result");
  g_autoptr (GByteArray) before = g_byte_array_new ();

  g_byte_array_append (before, scenario->ring->data, scenario->ring->len);
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
    if (!g_str_equal (steps[i].name, name))
      continue;
    steps[i].run (c, step, result, scenario);
    check_bytes (c, step, "ring_after", scenario->ring->data, scenario->ring->len, before);
    check_active (c, step, scenario);
    check_counters (c, step, scenario);
    return;
  }
  case_fail (c, "step \"%s\" is not known", name);
}

static void
run_scenario (Case *c)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (GPtrArray) handles
      = g_ptr_array_new_with_free_func ((GDestroyNotify)vyre_tenant_unref);
  g_autoptr (GByteArray) ring = g_byte_array_new ();
  Scenario scenario = { tenants, handles, ring };
  JsonArray *array = json_object_get_array_member (c->out, "steps");

  for (guint64 i = 0; i < get_number (c->in, "slot_count"); i++) {
    static const guint8 empty[4 * VYRE_SLOT_WORDS] = { VYRE_STATUS_EMPTY };
    g_byte_array_append (ring, empty, sizeof empty);
  }
  for (guint i = 0; i < json_array_get_length (array) && c->outcome != OUTCOME_FAILED; i++)
    run_step (c, json_array_get_object_element (array, i), &scenario);
}

/* The reference goes on registering when it is out of opcodes; ours refuses there. */
static void
run_exhaustion (Case *c)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (G_MAXUINT32);
  g_autoptr (GPtrArray) handles
      = g_ptr_array_new_with_free_func ((GDestroyNotify)vyre_tenant_unref);
  g_autoptr (GError) error = NULL;
  VyreTenant *tenant;

  while ((tenant = vyre_tenants_register (tenants, "case", 1, &error)) != NULL) {
    g_ptr_array_add (handles, tenant);
    guint32 end = vyre_tenant_get_base_opcode (tenant) + VYRE_TENANT_WINDOW_SIZE;
    if (vyre_tenant_get_id (tenant) != handles->len || vyre_opcode_is_system (end - 1))
      case_fail (c, "tenant %u cannot publish", handles->len);
  }
  check_refused (c, FALSE, error);
  if (error->code != VYRE_ERROR_NO_SPACE)
    case_fail (c, "the error is another one: %s", error->message);
  check_number (c, c->out, "last_tenant_with_usable_opcodes", handles->len);
  check_number (c, c->out, "first_tenant_with_unusable_opcodes", handles->len + 1);
  case_differs (c, REGISTRATION_RULE);
}

const Operation tenant_operations[] = {
  { "tenant_registry_scenario", run_scenario },
  { "tenant_registry_exhaustion", run_exhaustion },
  { NULL },
};

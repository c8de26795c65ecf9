/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance.h"

static void
append_words (GByteArray *bytes, JsonArray *words)
{
  for (guint i = 0; i < json_array_get_length (words); i++) {
    guint32 word = GUINT32_TO_LE ((guint32)json_array_get_int_element (words, i));
    g_byte_array_append (bytes, (const guint8 *)&word, sizeof word);
  }
}

static void
check_slot (Case *c, JsonObject *expected, const char *member, const guint32 *slot)
{
  g_autoptr (GArray) wanted = get_words (expected, member);

  if (wanted->len != VYRE_SLOT_WORDS)
    case_fail (c, "%s has %u words", member, wanted->len);
  for (guint i = 0; i < MIN (wanted->len, VYRE_SLOT_WORDS); i++) {
    guint32 word = vyre_read_word (slot, i);
    if (word != g_array_index (wanted, guint32, i))
      case_fail (c, "%s[%u] is %u, not %u", member, i, word, g_array_index (wanted, guint32, i));
  }
}

/* Which of the numbers of a step are used depends on what it does. */
static void
run_transition (Case *c, JsonObject *step, guint32 *slot)
{
  const char *name = json_object_get_string_member (step, "op");
  guint32 first = get_word (step, "a"), second = get_word (step, "b");

  if (g_str_equal (name, "paused"))
    vyre_task_pause (slot, first, second, get_word (step, "c"));
  else if (g_str_equal (name, "resumed"))
    vyre_task_resume (slot);
  else if (g_str_equal (name, "yielded"))
    vyre_task_yield (slot, first, second);
  else if (g_str_equal (name, "requeued"))
    vyre_task_requeue (slot, first, second, get_word (step, "priority"), NULL);
  else if (g_str_equal (name, "completed"))
    vyre_task_complete (slot);
  else if (g_str_equal (name, "faulted"))
    vyre_task_fault (slot, first);
  else
    case_fail (c, "step \"%s\" is not known", name);
}

static void
run_transitions (Case *c)
{
  guint32 slot[VYRE_SLOT_WORDS] = { 0 };
  JsonArray *steps = json_object_get_array_member (c->out, "steps");
  VyreTask task = { .id = get_word (c->in, "task_id"),
    .opcode = get_word (c->in, "op_handle"),
    .tenant = get_word (c->in, "tenant_id"),
    .priority = get_word (c->in, "priority"),
    .input = get_word (c->in, "input_handle"),
    .output = get_word (c->in, "output_handle"),
    .param = get_word (c->in, "param") };

  if (!vyre_task_publish (slot, &task, NULL))
    case_fail (c, "the task was not published");
  check_slot (c, c->out, "initial_words", slot);
  for (guint i = 0; i < json_array_get_length (steps); i++) {
    JsonObject *step = json_array_get_object_element (steps, i);
    run_transition (c, step, slot);
    check_slot (c, step, "words", slot);
    check_flag (c, step, "schedulable", vyre_task_is_schedulable (slot));
  }
}

static void
run_snapshot (Case *c)
{
  JsonArray *tasks = json_object_get_array_member (c->in, "tasks");
  g_autoptr (GByteArray) ring = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  VyreTaskCounts counts;

  for (guint i = 0; i < json_array_get_length (tasks); i++)
    append_words (ring, json_array_get_array_element (tasks, i));
  gboolean ok = vyre_tasks_count (ring->data, ring->len, &counts, &error);
  if (!get_flag (c->out, "ok")) {
    check_refused (c, ok, error);
    return;
  }
  check_result (c, c->out, ok, error);
  if (!ok)
    return;
  check_number (c, c->out, "ready", counts.n_ready);
  check_number (c, c->out, "running", counts.n_running);
  check_number (c, c->out, "paused", counts.n_paused);
  check_number (c, c->out, "yielded", counts.n_yielded);
  check_number (c, c->out, "requeued", counts.n_requeued);
  check_number (c, c->out, "faulted", counts.n_faulted);
  check_number (c, c->out, "schedulable", counts.n_schedulable);
  check_number (c, c->out, "max_priority_age", counts.max_age);
  check_number (c, c->out, "total_requeues", counts.n_requeues);
  check_number (c, c->out, "continuation_pressure", counts.continuation_pressure);
}

const Operation task_operations[] = {
  { "task_transitions", run_transitions },
  { "task_queue_snapshot", run_snapshot },
  { NULL },
};

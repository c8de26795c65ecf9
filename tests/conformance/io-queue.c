/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance.h"

/* "result" of a step is the requests that were found. */
static void
check_requests (Case *c, JsonObject *result, const VyreIoRequest *requests, guint n)
{
  JsonArray *wanted = json_object_get_array_member (result, "requests");

  if (n != json_array_get_length (wanted)) {
    case_fail (c, "%u requests, not %u", n, json_array_get_length (wanted));
    return;
  }
  for (guint i = 0; i < n; i++) {
    JsonObject *request = json_array_get_object_element (wanted, i);
    check_number (c, request, "slot_idx", requests[i].slot);
    check_number (c, request, "op_type", requests[i].op);
    check_number (c, request, "src_handle", requests[i].source);
    check_number (c, request, "dst_handle", requests[i].destination);
    check_number (c, request, "offset", requests[i].offset);
    check_number (c, request, "byte_count", requests[i].n_bytes);
    check_number (c, request, "tag", requests[i].tag);
  }
}

static void
run_publish (Case *c, JsonObject *step, JsonObject *result, GByteArray *queue)
{
  g_autoptr (GError) error = NULL;
  gboolean submits = json_object_has_member (step, "src_handle");
  VyreIoRequest request = { .slot = get_word (step, "queue_slot"),
    .op = VYRE_IO_OP_READ,
    .source = submits ? get_word (step, "src_handle") : 0,
    .destination = get_word (step, submits ? "dst_handle" : "mapped_slot"),
    .n_bytes = get_word (step, "byte_count"),
    .tag = get_word (step, "tag") };

  gboolean ok = vyre_io_queue_publish (queue->data, queue->len, &request, &error);
  check_result (c, result, ok, error);
}

/* poll_io_requests, or claim_io_requests */
static void
run_look (Case *c, JsonObject *step, JsonObject *result, GByteArray *queue)
{
  gboolean claims = g_str_equal (json_object_get_string_member (step, "op"), "claim_io_requests");
  g_autoptr (GError) error = NULL;
  VyreIoRequest requests[VYRE_IO_SLOTS];
  guint n;

  gboolean ok = claims ? vyre_io_queue_claim (queue->data, queue->len, requests, &n, &error)
                       : vyre_io_queue_poll (queue->data, queue->len, requests, &n, &error);
  check_result (c, result, ok, error);
  if (ok && get_flag (result, "ok"))
    check_requests (c, result, requests, n);
}

static void
run_complete (Case *c, JsonObject *step, JsonObject *result, GByteArray *queue)
{
  g_autoptr (GError) error = NULL;
  VyreIoCompletion completion = { get_word (step, "slot_idx"), get_flag (step, "success") };

  gboolean ok = vyre_io_queue_complete (queue->data, queue->len, &completion, 1, &error);
  check_result (c, result, ok, error);
}

static void
run_complete_batch (Case *c, JsonObject *step, JsonObject *result, GByteArray *queue)
{
  JsonArray *array = json_object_get_array_member (step, "completions");
  guint n = json_array_get_length (array);
  g_autofree VyreIoCompletion *completions = g_new (VyreIoCompletion, n);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++) {
    JsonArray *pair = json_array_get_array_element (array, i);
    completions[i].slot = (guint32)json_array_get_int_element (pair, 0);
    completions[i].success = json_array_get_boolean_element (pair, 1);
  }
  gboolean ok = vyre_io_queue_complete (queue->data, queue->len, completions, n, &error);
  check_result (c, result, ok, error);
}

/* The reference has no error for a slot that is not there: it is neither empty nor
 * has it a completion. */
static void
run_inspect (Case *c, JsonObject *step, JsonObject *result, GByteArray *queue)
{
  VyreIoRequest request;
  guint32 status;
  gboolean there = vyre_io_queue_inspect (
      queue->data, queue->len, get_word (step, "queue_slot"), &status, &request, NULL);

  check_flag (c, result, "is_recycled", there && status == VYRE_STATUS_EMPTY);
  gboolean completed = there && status != VYRE_STATUS_EMPTY;
  if (completed == json_object_get_null_member (result, "completion")) {
    case_fail (c, "there is %s completion", completed ? "a" : "no");
  } else if (completed) {
    JsonObject *wanted = json_object_get_object_member (result, "completion");
    check_number (c, wanted, "slot_idx", request.slot);
    check_number (c, wanted, "mapped_slot", request.destination);
    check_number (c, wanted, "byte_count", request.n_bytes);
    check_number (c, wanted, "tag", request.tag);
  }
}

static const struct {
  const char *name;
  void (*run) (Case *c, JsonObject *step, JsonObject *result, GByteArray *queue);
} steps[] = {
  { "publish_slot", run_publish },
  { "submit_dma_read", run_publish },
  { "poll_io_requests", run_look },
  { "claim_io_requests", run_look },
  { "complete_io_request", run_complete },
  { "complete_io_requests_batch", run_complete_batch },
  { "inspect", run_inspect },
};

static void
run_step (Case *c, JsonObject *step, GByteArray *queue)
{
  const char *name = json_object_get_string_member (step, "op");
  JsonObject *result = json_object_get_object_member (step, "result");
  g_autoptr (GByteArray) before = g_byte_array_new ();

  g_byte_array_append (before, queue->data, queue->len);
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
    if (g_str_equal (steps[i].name, name)) {
      steps[i].run (c, step, result, queue);
      check_bytes (c, step, "queue_after", queue->data, queue->len, before);
      return;
    }
  }
  case_fail (c, "step \"%s\" is not known", name);
}

static void
run_scenario (Case *c)
{
  g_autoptr (GByteArray) queue = get_bytes (c->in, "initial");
  JsonArray *array = json_object_get_array_member (c->out, "steps");

  for (guint i = 0; i < json_array_get_length (array); i++)
    run_step (c, json_array_get_object_element (array, i), queue);
}

/* A queue of that many bytes, all of them zero. */
static void
run_lengths (Case *c)
{
  gsize size = get_number (c->in, "byte_len");
  g_autofree guint8 *queue = g_malloc0 (size + 1);
  VyreIoRequest requests[VYRE_IO_SLOTS];
  VyreIoCompletion completion = { 0, TRUE };
  GError *errors[4] = { NULL };
  guint n;
  struct {
    const char *member;
    gboolean ok;
  } results[] = {
    { "validate_io_queue_bytes", vyre_io_queue_validate (size, &errors[0]) },
    { "poll", vyre_io_queue_poll (queue, size, requests, &n, &errors[1]) },
    { "claim", vyre_io_queue_claim (queue, size, requests, &n, &errors[2]) },
    { "complete_slot0", vyre_io_queue_complete (queue, size, &completion, 1, &errors[3]) },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (results); i++) {
    JsonObject *wanted = json_object_get_object_member (c->out, results[i].member);
    check_result (c, wanted, results[i].ok, errors[i]);
    g_clear_error (&errors[i]);
  }
}

const Operation io_queue_operations[] = {
  { "io_queue_scenario", run_scenario },
  { "io_queue_lengths", run_lengths },
  { NULL },
};
